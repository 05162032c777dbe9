/* Timing the steps of a recipe: a session on made-up images, and a clock around queued steps.
 *
 * Invariant: a training step is what a training enqueues for a whole batch; an inference step is
 * the evaluation plan of as many images. Every step finds another batch of the training part. */
#include "base/error.h"
#include "report/place.h"
#include "train/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS 0.03
#define STEPS_MOST 65536

struct cairn_recipe_bench {
    struct cairn_recipe recipe;
    struct cairn_session session;
    struct cairn_timeline timeline; /* with compute.profile */
    struct cairn_plan *inference;
    struct cairn_powers powers;
    int64_t step;   /* of the next sample's first step */
    double seconds; /* wanted of a sample */
    struct cairn_recipe_bench_info info;
};

/* --- images --- */

/* Bytes of a 64-bit xorshift generator (Marsaglia 2003): what they are does not matter, only that
 * they differ. */
static void fill_random(uint8_t *bytes, size_t count, int below)
{
    uint64_t x = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < count; i++) {
        if (i % 8 == 0) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }
        bytes[i] = (uint8_t)((x >> 8 * (i % 8) & 255) % (uint64_t)below);
    }
}

static cairn_status fill_images(struct cairn_images *images, int64_t count, int64_t item,
                                int classes)
{
    images->count = count;
    images->pixels = malloc((size_t)(count * item));
    images->labels = malloc((size_t)count);
    if (!images->pixels || !images->labels)
        return cairn_fail(CAIRN_MEMORY, "out of memory for %lld images of %lld bytes",
                          (long long)count, (long long)item);
    fill_random(images->pixels, (size_t)(count * item), 256);
    fill_random(images->labels, (size_t)count, classes);
    return CAIRN_OK;
}

/* The images that the recipe would load, as random bytes in its shape. */
static cairn_status make_images(struct cairn_recipe_bench *bench, struct cairn_dataset *data)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_session *s = &bench->session;
    int64_t item = cairn_shape_count(s->image);
    TRY(fill_images(&data->train, s->train_images, item, data->classes));
    TRY(fill_images(&data->test, s->counts[CAIRN_PART_TEST], item, data->classes));
out:
    return st;
}

/* --- setting up --- */

static int64_t largest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The session's plans, and the evaluation of a whole batch: its logits may need more rows than the
 * session's own evaluations. */
static cairn_status plan(struct cairn_recipe_bench *bench)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *s = &bench->session;
    int64_t *arena = &s->bytes[CAIRN_REGION_ARENA], *logits = &s->bytes[CAIRN_REGION_LOGITS];
    TRY(cairn_session_plan(s, 0));
    struct cairn_plan_options options = cairn_session_options(s, CAIRN_PLAN_EVALUATE, s->batch, 0);
    TRY(cairn_plan_create(s->model, &options, s->device, &bench->inference));
    *arena = largest(*arena, bench->inference->arena_floats * 4);
    *logits = largest(*logits, s->batch * s->model->classes * 4);
out:
    return st;
}

static cairn_status set_up(struct cairn_recipe_bench *bench, const struct cairn_compute *compute)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *s = &bench->session;
    struct cairn_dataset data = {0};
    TRY(cairn_session_look(compute, "opencl"));
    TRY(cairn_dataset_describe(bench->recipe.data.name, compute->data_dir, &data));
    TRY(cairn_session_shape(&bench->recipe, &data));
    if (bench->recipe.train.folds > 0) s->fold = 1;
    TRY(cairn_session_describe(s, &bench->recipe, &data));
    if (s->batch > s->counts[CAIRN_PART_TRAIN]) {
        st = cairn_fail(CAIRN_INVALID,
                        "train.batch: a step of %lld images cannot be timed, there are only %lld "
                        "to train with",
                        (long long)s->batch, (long long)s->counts[CAIRN_PART_TRAIN]);
        goto out;
    }
    TRY(make_images(bench, &data));
    TRY(cairn_session_open(s, compute, "opencl"));
    if (compute->profile) TRY(cairn_timeline_open(&bench->timeline, s));
    TRY(cairn_session_split(s, &data));
    TRY(plan(bench));
    TRY(cairn_session_load(s, &data));
    TRY(cairn_session_shuffle(s, 0));
    cairn_model_init(s->model, bench->recipe.train.seed, s->flat);
    TRY(cairn_buffer_write(s->memory.buffers[CAIRN_REGION_PARAMS], 0, s->flat,
                           (size_t)s->bytes[CAIRN_REGION_PARAMS]));
    snprintf(bench->info.data, sizeof bench->info.data, "%s", data.name);
out:
    cairn_dataset_free(&data);
    return st;
}

/* --- steps --- */

/* Step `step` of a pass: batch number `step` of those that are whole, round and round. */
static struct cairn_now now_of(struct cairn_recipe_bench *bench, int64_t step, int64_t *images)
{
    struct cairn_now now;
    const struct cairn_session *s = &bench->session;
    int64_t whole = s->counts[CAIRN_PART_TRAIN] / s->batch;
    cairn_session_now(s, step % whole, 0, &bench->powers, &now, images);
    now.step = step;
    now.rate *= 0x1p-20f;
    return now;
}

static cairn_status run_step(struct cairn_recipe_bench *bench, enum cairn_pass pass)
{
    struct cairn_session *s = &bench->session;
    int64_t images;
    struct cairn_now now = now_of(bench, bench->step++, &images);
    if (pass == CAIRN_PASS_TRAIN) return cairn_session_step(s, &now, images);
    now.row = 0;
    return cairn_plan_run(bench->inference, s->device, &s->memory, &now);
}

static cairn_status sample(struct cairn_recipe_bench *bench, enum cairn_pass pass, int64_t steps,
                           double *seconds)
{
    cairn_status st = CAIRN_OK;
    double start = cairn_session_clock();
    for (int64_t i = 0; i < steps; i++) TRY(run_step(bench, pass));
    TRY(cairn_device_sync(bench->session.device));
    *seconds = (cairn_session_clock() - start) / (double)steps;
out:
    return st;
}

/* Plan `number` of a pass, NULL behind the last; as cairn_session_part(). */
static const struct cairn_plan *plan_of(const struct cairn_recipe_bench *bench,
                                        enum cairn_pass pass, int number)
{
    struct cairn_now now = {0}, place;
    if (pass == CAIRN_PASS_INFERENCE) return number == 0 ? bench->inference : NULL;
    return cairn_session_part(&bench->session, &now, bench->session.batch, number, &place);
}

int cairn_recipe_bench_problem(const struct cairn_recipe_bench *bench, enum cairn_pass pass,
                               int64_t number, struct cairn_problem *problem)
{
    const struct cairn_plan *part;
    for (int i = 0; (part = plan_of(bench, pass, i)); number -= part->step_count, i++)
        if (number < part->step_count) {
            *problem = part->steps[number].problem;
            return 1;
        }
    return 0;
}

/* The first step builds the kernels; then a sample's steps are found by doubling. */
static cairn_status prepare(struct cairn_recipe_bench *bench, enum cairn_pass pass)
{
    cairn_status st = CAIRN_OK;
    struct cairn_pass_info *info = &bench->info.passes[pass];
    double each;
    TRY(sample(bench, pass, 1, &each));
    int64_t before = cairn_device_launches(bench->session.device), steps = 1;
    TRY(sample(bench, pass, 1, &each));
    info->launches = cairn_device_launches(bench->session.device) - before;
    while (each * (double)steps < bench->seconds / 2 && steps < STEPS_MOST) {
        steps *= 2;
        TRY(sample(bench, pass, steps, &each));
    }
    double wanted = bench->seconds / (each > 0 ? each : 1e-9);
    info->steps = wanted < 1 ? 1 : wanted < STEPS_MOST ? (int64_t)wanted : STEPS_MOST;
out:
    return st;
}

static void add_work(struct cairn_recipe_bench *bench, enum cairn_pass pass)
{
    struct cairn_pass_info *info = &bench->info.passes[pass];
    struct cairn_problem problem;
    for (; cairn_recipe_bench_problem(bench, pass, info->operators, &problem); info->operators++) {
        info->flops += cairn_problem_flops(&problem);
        info->bytes += cairn_problem_bytes(&problem);
    }
}

static void describe(struct cairn_recipe_bench *bench)
{
    struct cairn_recipe_bench_info *info = &bench->info;
    const struct cairn_model *model = bench->session.model;
    snprintf(info->recipe, sizeof info->recipe, "%s", bench->recipe.path);
    info->c = model->in.c;
    info->h = model->in.h;
    info->w = model->in.w;
    info->classes = model->classes;
    info->parameters = model->parameters;
    info->batch = bench->session.batch;
    info->device_bytes = (int64_t)cairn_device_bytes(bench->session.device);
    info->open_seconds = bench->session.open_seconds;
    info->kernel_seconds = bench->session.kernel_seconds;
    info->compiled = bench->session.compiled;
    for (int pass = 0; pass < CAIRN_PASSES; pass++) add_work(bench, (enum cairn_pass)pass);
}

cairn_status cairn_recipe_bench_create(const char *recipe, const char *const *sets, int set_count,
                                       const struct cairn_compute *compute, double seconds,
                                       struct cairn_recipe_bench **result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_recipe_bench *bench = calloc(1, sizeof *bench);
    *result = NULL;
    if (!bench) return cairn_fail(CAIRN_MEMORY, "out of memory");
    bench->powers = (struct cairn_powers){1.0, 1.0};
    bench->seconds = seconds > 0 ? seconds : SECONDS;
    TRY(cairn_recipe_read(recipe, sets, set_count, &bench->recipe));
    TRY(set_up(bench, compute));
    describe(bench);
    *result = bench;
    bench = NULL;
out:
    cairn_recipe_bench_destroy(bench);
    return st;
}

void cairn_recipe_bench_destroy(struct cairn_recipe_bench *bench)
{
    if (!bench) return;
    cairn_plan_destroy(bench->inference);
    cairn_session_close(&bench->session);
    cairn_timeline_close(&bench->timeline);
    cairn_recipe_free(&bench->recipe);
    free(bench);
}

const struct cairn_recipe_bench_info *
cairn_recipe_bench_info(const struct cairn_recipe_bench *bench)
{
    return &bench->info;
}

struct cairn_device *cairn_recipe_bench_device(struct cairn_recipe_bench *bench)
{
    return bench->session.device;
}

cairn_status cairn_recipe_bench_sample(struct cairn_recipe_bench *bench, enum cairn_pass pass,
                                       double *seconds)
{
    cairn_status st = CAIRN_OK;
    if (bench->info.passes[pass].steps == 0) TRY(prepare(bench, pass));
    TRY(sample(bench, pass, bench->info.passes[pass].steps, seconds));
out:
    return st;
}

static cairn_status check_profiled(const struct cairn_recipe_bench *bench)
{
    return bench->timeline.session
               ? CAIRN_OK
               : cairn_fail(CAIRN_INVALID, "the bench was not made with compute.profile");
}

cairn_status cairn_recipe_bench_profile(
    struct cairn_recipe_bench *bench,
    void (*each_kernel)(void *context, const char *kernel, int64_t calls, double seconds),
    void (*each_layer)(void *context, const struct cairn_layer_time *layer), void *context)
{
    cairn_status st = CAIRN_OK;
    TRY(check_profiled(bench));
    TRY(cairn_device_profile(bench->session.device, each_kernel, context));
    TRY(cairn_timeline_rows(&bench->timeline, each_layer, context));
out:
    return st;
}

cairn_status cairn_recipe_bench_trace(struct cairn_recipe_bench *bench, enum cairn_pass pass,
                                      int64_t steps, const char *path)
{
    cairn_status st = CAIRN_OK;
    double each;
    TRY(check_profiled(bench));
    TRY(cairn_place_check(path, 1));
    if (bench->info.passes[pass].steps == 0) TRY(prepare(bench, pass));
    TRY(cairn_timeline_trace(&bench->timeline, 1));
    TRY(sample(bench, pass, steps, &each));
    TRY(cairn_timeline_trace(&bench->timeline, 0));
    TRY(cairn_timeline_write(&bench->timeline, path));
    bench->timeline.count = 0;
out:
    return st;
}
