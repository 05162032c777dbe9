/* Setting a session up: counts, split, plans, memory. */
#include "train/session.h"

#include "base/error.h"
#include "base/random.h"
#include <assert.h>
#include <math.h>
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

cairn_status cairn_session_describe(struct cairn_session *session,
                                    const struct cairn_recipe *recipe, struct cairn_shape in,
                                    int classes, int64_t train, int64_t test)
{
    cairn_status st = CAIRN_OK;
    struct cairn_init_rules rules = {recipe->init.fallback, recipe->init.conv, recipe->init.linear};
    int64_t *counts = session->counts;
    session->recipe = recipe;
    session->batch = recipe->train.batch;
    session->eval_batch = largest(recipe->train.batch, EVAL_BATCH);
    session->train_images = limited(train, recipe->data.limit_train);
    counts[CAIRN_PART_TEST] = limited(test, recipe->data.limit_test);
    TRY(count_validation(recipe, session->train_images, &counts[CAIRN_PART_VALIDATION]));
    counts[CAIRN_PART_TRAIN] = session->train_images - counts[CAIRN_PART_VALIDATION];
    TRY(cairn_model_create(recipe->layers, recipe->layer_count, in, classes, &rules,
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

cairn_status cairn_session_open(struct cairn_session *session, const struct cairn_compute *compute,
                                const char *fallback)
{
    cairn_status st = CAIRN_OK;
    struct cairn_device_options options = {.math = compute->math, .profile = compute->profile};
    TRY(cairn_device_open(compute->device ? compute->device : fallback, &options,
                          &session->device));
    TRY(force_variants(session->device, compute));
out:
    return st;
}

cairn_status cairn_session_split(struct cairn_session *session, const struct cairn_dataset *data)
{
    const struct cairn_recipe *recipe = session->recipe;
    int64_t validation = session->counts[CAIRN_PART_VALIDATION],
            train = session->counts[CAIRN_PART_TRAIN];
    session->split = malloc((size_t)session->train_images * sizeof *session->split);
    if (!session->split) return cairn_fail(CAIRN_MEMORY, "out of memory");
    if (validation > 0)
        cairn_random_permutation(recipe->train.seed, CAIRN_STREAM_SPLIT, 0, session->split,
                                 (int32_t)session->train_images);
    else
        for (int64_t i = 0; i < session->train_images; i++) session->split[i] = (int32_t)i;

    session->shift = 0.0f;
    session->scale = recipe->data.normalize == CAIRN_NORMALIZE_01 ? 1.0f / 255.0f : 1.0f;
    if (recipe->data.normalize == CAIRN_NORMALIZE_ZSCORE) {
        double mean, deviation;
        cairn_images_moments(&data->train, cairn_shape_count(session->model->in),
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

/* sgd or adam with the recipe's scalars; the learning rate and adam's corrections come with each
 * step. */
static struct cairn_problem update_of(const struct cairn_recipe *recipe)
{
    struct cairn_problem problem;
    if (recipe->train.optimizer == CAIRN_OPTIMIZER_ADAM) {
        problem = cairn_problem_default(CAIRN_OP_ADAM);
        problem.u.adam.beta1 = recipe->train.beta1;
        problem.u.adam.beta2 = recipe->train.beta2;
        problem.u.adam.epsilon = recipe->train.epsilon;
        problem.u.adam.l2 = recipe->train.l2;
    } else {
        problem = cairn_problem_default(CAIRN_OP_SGD);
        problem.u.sgd.momentum = recipe->train.momentum;
        problem.u.sgd.l2 = recipe->train.l2;
    }
    return problem;
}

static const struct cairn_plan *look_up(const struct cairn_session *session,
                                        enum cairn_plan_kind kind, int64_t batch)
{
    for (int i = 0; i < session->plan_count; i++)
        if (session->plans[i]->kind == kind && session->plans[i]->batch == batch)
            return session->plans[i];
    return NULL;
}

const struct cairn_plan *cairn_session_find(const struct cairn_session *session,
                                            enum cairn_plan_kind kind, int64_t batch)
{
    const struct cairn_plan *plan = look_up(session, kind, batch);
    assert(plan);
    return plan;
}

/* The plans that `images` in batches need: one for whole batches, one for what is left over. */
static cairn_status compile_for(struct cairn_session *session, enum cairn_plan_kind kind,
                                int64_t images, int64_t batch, int64_t total)
{
    cairn_status st = CAIRN_OK;
    const int64_t sizes[2] = {images >= batch ? batch : 0, images % batch};
    for (int i = 0; i < 2; i++) {
        struct cairn_plan_options options = {
            .kind = kind,
            .batch = sizes[i],
            .total = total,
            .shift = session->shift,
            .scale = session->scale,
            .seed = session->recipe->train.seed,
            .update = update_of(session->recipe),
        };
        if (sizes[i] == 0 || look_up(session, kind, sizes[i])) continue;
        assert(session->plan_count < CAIRN_SESSION_PLANS);
        TRY(cairn_plan_create(session->model, &options, session->device,
                              &session->plans[session->plan_count]));
        session->plan_count++;
    }
out:
    return st;
}

cairn_status cairn_session_plan(struct cairn_session *session, int test_only)
{
    cairn_status st = CAIRN_OK;
    int64_t *counts = session->counts, *bytes = session->bytes,
            flat = session->model->flat_floats * 4, arena = 0;
    if (test_only)
        session->train_images = counts[CAIRN_PART_TRAIN] = counts[CAIRN_PART_VALIDATION] = 0;
    int64_t total = session->train_images + counts[CAIRN_PART_TEST];
    TRY(compile_for(session, CAIRN_PLAN_TRAIN, counts[CAIRN_PART_TRAIN], session->batch, total));
    for (int part = CAIRN_PART_VALIDATION; part <= CAIRN_PART_TEST; part++)
        TRY(compile_for(session, CAIRN_PLAN_EVALUATE, counts[part], session->eval_batch, total));
    for (int i = 0; i < session->plan_count; i++)
        arena = largest(arena, session->plans[i]->arena_floats);

    int64_t evaluated = largest(counts[CAIRN_PART_VALIDATION], counts[CAIRN_PART_TEST]);
    int64_t rows = largest(counts[CAIRN_PART_TRAIN], evaluated);
    bytes[CAIRN_REGION_PARAMS] = session->model->total_floats * 4;
    if (!test_only) {
        bytes[CAIRN_REGION_GRADS] = bytes[CAIRN_REGION_MOMENT1] = flat;
        if (session->recipe->train.optimizer == CAIRN_OPTIMIZER_ADAM)
            bytes[CAIRN_REGION_MOMENT2] = flat;
    }
    bytes[CAIRN_REGION_ARENA] = arena * 4;
    bytes[CAIRN_REGION_TABLE] = total * cairn_shape_count(session->model->in);
    bytes[CAIRN_REGION_LABELS] = total;
    bytes[CAIRN_REGION_INDICES] = total * 4;
    bytes[CAIRN_REGION_LOSS] = bytes[CAIRN_REGION_CORRECT] = rows * 4;
    bytes[CAIRN_REGION_LOGITS] = evaluated * session->model->classes * 4;
out:
    return st;
}

static cairn_status upload_images(struct cairn_session *session, const struct cairn_dataset *data)
{
    cairn_status st = CAIRN_OK;
    struct cairn_buffer **buffers = session->memory.buffers;
    size_t item = (size_t)cairn_shape_count(session->model->in);
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
    TRY(cairn_memory_create(session->device, session->bytes, &session->memory));
    TRY(upload_images(session, data));
    TRY(upload_indices(session));
    /* The gaps between tensors are never written by a gradient: they must be +0. */
    for (int r = CAIRN_REGION_GRADS; r <= CAIRN_REGION_MOMENT2; r++)
        if (session->memory.buffers[r])
            TRY(cairn_buffer_fill(session->memory.buffers[r], 0, (size_t)session->bytes[r], 0));
out:
    return st;
}

void cairn_session_close(struct cairn_session *session)
{
    cairn_memory_free(&session->memory);
    for (int i = 0; i < session->plan_count; i++) cairn_plan_destroy(session->plans[i]);
    cairn_device_close(session->device);
    cairn_model_destroy(session->model);
    free(session->split);
    free(session->test_labels);
    free(session->losses);
    free(session->flat);
    free(session->scratch);
    memset(session, 0, sizeof *session);
}
