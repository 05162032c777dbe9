/* Setting a session up: counts, split, plans, memory. */
#include "train/session.h"

#include "base/error.h"
#include "base/random.h"
#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVAL_BATCH 256 /* at least: evaluating holds little memory, and small batches are slow */

static int64_t largest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t limited(int64_t count, int64_t limit)
{
    return limit > 0 && limit < count ? limit : count;
}

/* A fraction is rounded down to whole images. */
static cairn_status count_validation(const struct cairn_recipe *recipe, int64_t train,
                                     int64_t *count)
{
    double wanted = recipe->data.validation;
    if (wanted < 1) wanted = floor(wanted * (double)train);
    if (recipe->data.validation > 0 && !(wanted >= 1 && wanted < (double)train))
        return cairn_fail(CAIRN_INVALID,
                          "data.validation: %g takes %.0f of %lld training images; at least one "
                          "must validate and at "
                          "least one must train",
                          recipe->data.validation, wanted, (long long)train);
    *count = (int64_t)wanted;
    return CAIRN_OK;
}

cairn_status cairn_session_shape(const struct cairn_recipe *recipe, struct cairn_dataset *data)
{
    cairn_status st = CAIRN_OK;
    if (recipe->data.pad_h > 0 || recipe->data.pad_w > 0)
        TRY(cairn_dataset_pad(data, recipe->data.pad_h, recipe->data.pad_w));
    if (recipe->data.patch_h > 0)
        TRY(cairn_dataset_patch(data, recipe->data.patch_h, recipe->data.patch_w));
out:
    return st;
}

cairn_status cairn_session_data(const struct cairn_recipe *recipe,
                                const struct cairn_compute *compute, unsigned parts,
                                struct cairn_dataset *data)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_dataset_load_parts(recipe->data.name, compute->data_dir, recipe->data.seed, parts,
                                 data));
    cairn_images_limit(&data->train, recipe->data.limit_train);
    cairn_images_limit(&data->test, recipe->data.limit_test);
    TRY(cairn_session_shape(recipe, data));
out:
    return st;
}

/* Fold k of K validates the images from (k - 1) n / K to k n / K of the permutation. */
static int64_t fold_first(const struct cairn_session *session, int64_t fold)
{
    return fold * session->train_images / session->recipe->train.folds;
}

static cairn_status count_images(struct cairn_session *session, int64_t train, int64_t test)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_recipe *recipe = session->recipe;
    int64_t *counts = session->counts;
    session->train_images = limited(train, recipe->data.limit_train);
    counts[CAIRN_PART_TEST] = limited(test, recipe->data.limit_test);
    if (recipe->train.folds > session->train_images)
        return cairn_fail(CAIRN_INVALID, "train.folds: %lld are more than the %lld training images",
                          (long long)recipe->train.folds, (long long)session->train_images);
    if (session->fold > 0)
        counts[CAIRN_PART_VALIDATION] =
            fold_first(session, session->fold) - fold_first(session, session->fold - 1);
    else
        TRY(count_validation(recipe, session->train_images, &counts[CAIRN_PART_VALIDATION]));
    counts[CAIRN_PART_TRAIN] = session->train_images - counts[CAIRN_PART_VALIDATION];
    if (cairn_session_steps(session) > UINT32_MAX)
        st = cairn_fail(CAIRN_INVALID,
                        "train.epochs: %lld epochs of %lld steps are more than 2^32 - 1 steps",
                        (long long)recipe->train.epochs, (long long)cairn_session_batches(session));
out:
    return st;
}

void cairn_session_resize(struct cairn_session *session, int64_t batch)
{
    session->batch = batch;
    session->part = batch / session->recipe->train.accumulate;
    session->eval_batch = largest(session->part, EVAL_BATCH);
}

cairn_status cairn_session_describe(struct cairn_session *session,
                                    const struct cairn_recipe *recipe,
                                    const struct cairn_dataset *data)
{
    cairn_status st = CAIRN_OK;
    struct cairn_init_rules rules = {recipe->init.fallback, recipe->init.conv, recipe->init.linear};
    int64_t crop_h = recipe->data.augment.crop_h, crop_w = recipe->data.augment.crop_w;
    session->recipe = recipe;
    cairn_session_resize(session, recipe->train.batch);
    session->image = (struct cairn_shape){data->c, data->h, data->w};
    struct cairn_shape in = session->image;
    if (crop_h > in.h || crop_w > in.w)
        return cairn_fail(CAIRN_INVALID,
                          "data.augment: crop=%lldx%lld is larger than the images, %lldx%lld",
                          (long long)crop_h, (long long)crop_w, (long long)in.h, (long long)in.w);
    if (recipe->train.class_weights && recipe->train.class_weight_count != data->classes)
        return cairn_fail(CAIRN_INVALID,
                          "train.class_weights: %d weights are given, but %s has %d classes",
                          recipe->train.class_weight_count, data->name, data->classes);
    if (crop_h > 0) in = (struct cairn_shape){in.c, crop_h, crop_w};
    TRY(count_images(session, data->train.count, data->test.count));
    TRY(cairn_model_create(recipe->layers, recipe->layer_count, in, data->classes, &rules,
                           &session->model));
out:
    return st;
}

static cairn_status force_variants(struct cairn_device *device, const struct cairn_compute *compute)
{
    cairn_status st = CAIRN_OK;
    for (int i = 0; i < compute->variant_count; i++) {
        char op[64];
        const char *equals = strchr(compute->variants[i], '=');
        if (!equals || equals == compute->variants[i] ||
            equals - compute->variants[i] >= (int)sizeof op)
            return cairn_fail(CAIRN_INVALID,
                              "variant '%s' is not of the form OP=NAME, like gemm=cpu",
                              compute->variants[i]);
        snprintf(op, sizeof op, "%.*s", (int)(equals - compute->variants[i]), compute->variants[i]);
        TRY(cairn_device_force(device, op, equals + 1));
    }
out:
    return st;
}

cairn_status cairn_session_look(const struct cairn_compute *compute, const char *fallback)
{
    struct cairn_device_info info;
    return cairn_device_find(compute->device ? compute->device : fallback, &info);
}

struct cairn_opening {
    pthread_t thread;
    const char *spec;
    struct cairn_device_options options;
    struct cairn_device *device;
    cairn_status status;
    char error[512];
};

static void *run_opening(void *argument)
{
    struct cairn_opening *opening = argument;
    opening->status = cairn_device_open(opening->spec, &opening->options, &opening->device);
    if (opening->status != CAIRN_OK)
        snprintf(opening->error, sizeof opening->error, "%s", cairn_error());
    return NULL;
}

void cairn_session_open_ahead(struct cairn_session *session, const struct cairn_compute *compute,
                              const char *fallback)
{
    struct cairn_opening *opening = calloc(1, sizeof *opening);
    if (!opening) return;
    opening->spec = compute->device ? compute->device : fallback;
    opening->options = (struct cairn_device_options){
        .math = compute->math, .profile = compute->profile, .kernels = compute->kernels};
    if (pthread_create(&opening->thread, NULL, run_opening, opening) != 0)
        free(opening);
    else
        session->opening = opening;
}

/* Waits for the thread, if there is one, and takes its device. */
static cairn_status take_opening(struct cairn_session *session, char error[512])
{
    struct cairn_opening *opening = session->opening;
    if (!opening) return CAIRN_OK;
    pthread_join(opening->thread, NULL);
    cairn_status st = opening->status;
    memcpy(error, opening->error, sizeof opening->error);
    session->device = opening->device;
    session->opening = NULL;
    free(opening);
    return st;
}

/* `found`: what just failed; "" for what is known from before. */
static void tell_avoided(const struct cairn_session *session, const char *found)
{
    const struct cairn_device_info *info = cairn_device_info(session->device);
    char text[1280];
    if (!info->avoided[0] || !session->note) return;
    snprintf(text, sizeof text,
             "%.600s%svariants that failed on %s%s are not used: %s; `cairn doctor --device %s` "
             "tries them again",
             found, *found ? ". The " : "", info->name, *found ? "" : " before", info->avoided,
             info->spec);
    session->note(text);
}

cairn_status cairn_session_open(struct cairn_session *session, const struct cairn_compute *compute,
                                const char *fallback)
{
    cairn_status st = CAIRN_OK;
    struct cairn_device_options options = {
        .math = compute->math, .profile = compute->profile, .kernels = compute->kernels};
    char error[512] = "";
    double began = cairn_session_clock();
    st = take_opening(session, error);
    if (st != CAIRN_OK) return cairn_fail(st, "%s", error);
    if (!session->device)
        TRY(cairn_device_open(compute->device ? compute->device : fallback, &options,
                              &session->device));
    session->open_seconds = cairn_session_clock() - began;
    session->note = compute->note;
    tell_avoided(session, "");
    TRY(force_variants(session->device, compute));
    if (!compute->no_tune) TRY(cairn_tune_use(session->device, &session->tuned));
    if (session->tuned.note[0] && compute->note) compute->note(session->tuned.note);
out:
    return st;
}

cairn_status cairn_session_outline(struct cairn_session *session, const struct cairn_recipe *recipe,
                                   const struct cairn_compute *compute, const char *fallback,
                                   struct cairn_dataset *data)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_dataset_describe(recipe->data.name, compute->data_dir, data));
    TRY(cairn_session_shape(recipe, data));
    if (recipe->train.folds > 0) session->fold = 1;
    TRY(cairn_session_describe(session, recipe, data));
    TRY(cairn_session_look(compute, fallback));
    TRY(cairn_session_open(session, compute, fallback));
    session->scale = 1.0f;
    TRY(cairn_session_plan(session, 0));
out:
    return st;
}

static void reverse(int32_t *rows, int64_t count)
{
    for (int64_t i = 0, j = count - 1; i < j; i++, j--) {
        int32_t row = rows[i];
        rows[i] = rows[j];
        rows[j] = row;
    }
}

/* Moves `count` of the rows, from `first`, before those in front of them; both keep their order. */
static void to_front(int32_t *rows, int64_t first, int64_t count)
{
    reverse(rows, first);
    reverse(rows + first, count);
    reverse(rows, first + count);
}

cairn_status cairn_session_split(struct cairn_session *session, const struct cairn_dataset *data)
{
    const struct cairn_recipe *recipe = session->recipe;
    int64_t validation = session->counts[CAIRN_PART_VALIDATION],
            train = session->counts[CAIRN_PART_TRAIN];
    session->split = malloc((size_t)session->train_images * sizeof *session->split);
    if (!session->split) return cairn_fail(CAIRN_MEMORY, "out of memory");
    if (validation > 0) {
        cairn_random_permutation(recipe->train.seed, CAIRN_STREAM_SPLIT, 0, session->split,
                                 (int32_t)session->train_images);
        if (session->fold > 0)
            to_front(session->split, fold_first(session, session->fold - 1), validation);
    } else
        for (int64_t i = 0; i < session->train_images; i++) session->split[i] = (int32_t)i;

    session->shift = 0.0f;
    session->scale = recipe->data.normalize == CAIRN_NORMALIZE_01 ? 1.0f / 255.0f : 1.0f;
    if (recipe->data.normalize == CAIRN_NORMALIZE_ZSCORE) {
        double mean, deviation;
        cairn_images_moments(&data->train, cairn_shape_count(session->image),
                             session->split + validation, train, &mean, &deviation);
        if (!(deviation > 0))
            return cairn_fail(
                CAIRN_INVALID,
                "data.normalize: zscore needs images that differ, but every pixel is %g", mean);
        session->shift = (float)mean;
        session->scale = (float)(1.0 / deviation);
    }
    return CAIRN_OK;
}

static cairn_status upload_images(struct cairn_session *session, const struct cairn_dataset *data)
{
    cairn_status st = CAIRN_OK;
    struct cairn_buffer **buffers = session->memory.buffers;
    size_t item = (size_t)cairn_shape_count(session->image);
    size_t train = (size_t)session->train_images, test = (size_t)session->counts[CAIRN_PART_TEST];
    TRY(cairn_buffer_write(buffers[CAIRN_REGION_TABLE], 0, data->train.pixels, train * item));
    TRY(cairn_buffer_write(buffers[CAIRN_REGION_TABLE], train * item, data->test.pixels,
                           test * item));
    TRY(cairn_buffer_write(buffers[CAIRN_REGION_LABELS], 0, data->train.labels, train));
    TRY(cairn_buffer_write(buffers[CAIRN_REGION_LABELS], train, data->test.labels, test));
    memcpy(session->test_labels, data->test.labels, test);
out:
    return st;
}

/* The validation's and test's places in INDICES; the training part's are written by
 * cairn_session_shuffle(). */
static cairn_status upload_indices(struct cairn_session *session)
{
    cairn_status st = CAIRN_OK;
    struct cairn_buffer *indices = session->memory.buffers[CAIRN_REGION_INDICES];
    size_t validation = (size_t)session->counts[CAIRN_PART_VALIDATION],
           test = (size_t)session->counts[CAIRN_PART_TEST];
    TRY(cairn_buffer_write(indices, (size_t)cairn_session_first(session, CAIRN_PART_VALIDATION) * 4,
                           session->split, validation * 4));
    for (size_t i = 0; i < test; i++)
        session->scratch[i] = (int32_t)(session->train_images + (int64_t)i);
    TRY(cairn_buffer_write(indices, (size_t)cairn_session_first(session, CAIRN_PART_TEST) * 4,
                           session->scratch, test * 4));
out:
    return st;
}

void cairn_session_class_weights(const struct cairn_session *session,
                                 const struct cairn_dataset *data,
                                 float weights[CAIRN_RECIPE_CLASSES])
{
    int64_t counts[CAIRN_RECIPE_CLASSES] = {0}, train = session->counts[CAIRN_PART_TRAIN],
            classes = session->model->classes;
    const int32_t *rows = session->split + session->counts[CAIRN_PART_VALIDATION];
    for (int64_t i = 0; i < train; i++) counts[data->train.labels[rows[i]]]++;
    for (int64_t c = 0; c < classes; c++)
        if (!session->recipe->train.balanced)
            weights[c] = session->recipe->train.class_weights[c];
        else
            weights[c] = counts[c] > 0 ? (float)train / (float)(classes * counts[c]) : 0.0f;
}

static cairn_status upload_class_weights(struct cairn_session *session,
                                         const struct cairn_dataset *data)
{
    float weights[CAIRN_RECIPE_CLASSES];
    cairn_session_class_weights(session, data, weights);
    return cairn_buffer_write(session->memory.buffers[CAIRN_REGION_CLASS_WEIGHTS], 0, weights,
                              (size_t)session->model->classes * sizeof *weights);
}

/* Counts what is compiled, and tells it on. */
static void count_compiled(void *context, const char *program, int done, int all)
{
    struct cairn_session *session = context;
    if (done == 0) session->compiled += all;
    if (session->compiling) session->compiling(session->compiling_context, program, done, all);
}

/* What the plans will run, wherever they begin. */
static cairn_status compile_kernels(struct cairn_session *session)
{
    cairn_status st = CAIRN_OK;
    struct cairn_now start = {.index = 0};
    double began = cairn_session_clock();
    for (int i = 0; i < session->plan_count; i++) {
        const struct cairn_plan *plan = session->plans[i].plan;
        for (int s = 0; s < plan->step_count; s++) {
            struct cairn_problem problem;
            cairn_plan_problem(plan, &session->memory, &start, s, &problem);
            TRY(cairn_device_note(session->device, &problem));
        }
    }
    TRY(cairn_device_compile(session->device, count_compiled, session));
    session->kernel_seconds += cairn_session_clock() - began;
out:
    return st;
}

/* Memory and kernels. Where a variant turns out not to compile or launch, the device chooses
 * others: the plans are made anew, for they may need other workspaces. */
static cairn_status prepare(struct cairn_session *session)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_device_info *info = cairn_device_info(session->device);
    for (;;) {
        size_t avoided = strlen(info->avoided);
        TRY(cairn_memory_create(session->device, session->bytes, &session->memory));
        TRY(compile_kernels(session));
        if (strlen(info->avoided) == avoided) break;
        tell_avoided(session, cairn_error());
        cairn_memory_free(&session->memory);
        TRY(cairn_session_plan_again(session, session->batch));
    }
out:
    return st;
}

cairn_status cairn_session_load(struct cairn_session *session, const struct cairn_dataset *data)
{
    cairn_status st = CAIRN_OK;
    size_t rows = (size_t)(session->bytes[CAIRN_REGION_LOSS] / 4),
           flat = (size_t)session->model->total_floats;
    session->losses = malloc(rows * sizeof *session->losses);
    session->scratch = malloc(rows * sizeof *session->scratch);
    session->flat = malloc(flat * sizeof *session->flat);
    session->test_labels = malloc((size_t)session->counts[CAIRN_PART_TEST]);
    if (!session->losses || !session->scratch || !session->flat || !session->test_labels)
        return cairn_fail(CAIRN_MEMORY, "out of memory");
    TRY(prepare(session));
    TRY(upload_images(session, data));
    TRY(upload_indices(session));
    if (session->memory.buffers[CAIRN_REGION_CLASS_WEIGHTS])
        TRY(upload_class_weights(session, data));
    /* The gaps between tensors are never written by a gradient: they must be +0. */
    for (int r = CAIRN_REGION_GRADS; r <= CAIRN_REGION_SUMS; r++)
        if (session->memory.buffers[r])
            TRY(cairn_buffer_fill(session->memory.buffers[r], 0, (size_t)session->bytes[r], 0));
out:
    return st;
}

void cairn_session_close(struct cairn_session *session)
{
    char error[512];
    (void)take_opening(session, error);
    cairn_memory_free(&session->memory);
    for (int i = 0; i < session->plan_count; i++) cairn_plan_destroy(session->plans[i].plan);
    cairn_device_close(session->device);
    cairn_model_destroy(session->model);
    free(session->split);
    free(session->test_labels);
    free(session->losses);
    free(session->flat);
    free(session->scratch);
    memset(session, 0, sizeof *session);
}
