/* Training: epochs of steps, checkpoints between, a test at the end. */
#include "base/error.h"
#include "data/dataset.h"
#include "train/checkpoint.h"
#include "train/folder.h"
#include "train/report.h"
#include "train/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trainer {
    const struct cairn_train_options *options;
    struct cairn_recipe recipe;
    struct cairn_folder folder;
    struct cairn_session session;
    struct cairn_state state;
    struct cairn_train_event event; /* what never changes is filled in once */
    char *metrics;                  /* the lines of metrics.jsonl so far */
    float *best, *moment1, *moment2;
    int warm; /* 1: the first step, which compiles kernels, is over */
};

static void tell(struct trainer *t, enum cairn_train_event_kind kind)
{
    t->event.kind = kind;
    if (t->options->event) t->options->event(t->options->context, &t->event);
}

static int stopped(const struct trainer *t)
{
    return t->options->stop && *t->options->stop;
}

static int64_t batches_of(const struct trainer *t)
{
    int64_t count = t->session.counts[CAIRN_PART_TRAIN], batch = t->session.batch;
    return (count + batch - 1) / batch;
}

/* --- setting up --- */

/* "runs/mnist-lenet" for "data/recipes/mnist-lenet.yaml". */
static void default_folder(const char *recipe, char *path, size_t size)
{
    const char *name = strrchr(recipe, '/') ? strrchr(recipe, '/') + 1 : recipe;
    const char *dot = strrchr(name, '.');
    int length = dot && dot != name ? (int)(dot - name) : (int)strlen(name);
    snprintf(path, size, "runs/%.*s", length, name);
}

/* Everything up to memory on the device, the cheap and likely mistakes first. */
static cairn_status set_up(struct trainer *t)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_train_options *o = t->options;
    struct cairn_dataset data = {0};
    char path[512];
    TRY(cairn_recipe_read(o->recipe, o->sets, o->set_count, &t->recipe));
    default_folder(t->recipe.path, path, sizeof path);
    TRY(cairn_folder_check(&t->folder, o->out ? o->out : path, o->resume, o->force));
    TRY(cairn_session_look(&o->compute, "opencl"));
    TRY(cairn_dataset_load(t->recipe.data.name, o->compute.data_dir, t->recipe.data.seed, &data));
    cairn_images_limit(&data.train, t->recipe.data.limit_train);
    cairn_images_limit(&data.test, t->recipe.data.limit_test);
    TRY(cairn_session_describe(&t->session, &t->recipe,
                               (struct cairn_shape){data.c, data.h, data.w}, data.classes,
                               data.train.count, data.test.count));
    if (t->folder.fresh) TRY(cairn_folder_make(&t->folder));
    TRY(cairn_session_open(&t->session, &o->compute, "opencl"));
    TRY(cairn_session_split(&t->session, &data));
    TRY(cairn_session_plan(&t->session, 0));
    TRY(cairn_session_load(&t->session, &data));
    t->session.stop = o->stop;
    size_t flat = (size_t)t->session.model->total_floats;
    t->best = calloc(flat, sizeof *t->best);
    t->moment1 = calloc(flat, sizeof *t->moment1);
    if (t->session.memory.buffers[CAIRN_REGION_MOMENT2])
        t->moment2 = calloc(flat, sizeof *t->moment2);
    if (!t->best || !t->moment1 || (t->session.memory.buffers[CAIRN_REGION_MOMENT2] && !t->moment2))
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
out:
    cairn_dataset_free(&data);
    return st;
}

static cairn_status put(struct trainer *t, enum cairn_region region, const float *flat)
{
    return cairn_buffer_write(t->session.memory.buffers[region], 0, flat,
                              (size_t)t->session.bytes[region]);
}

static cairn_status get(struct trainer *t, enum cairn_region region, float *flat)
{
    return cairn_buffer_read(t->session.memory.buffers[region], 0, flat,
                             (size_t)t->session.bytes[region]);
}

static cairn_status start_fresh(struct trainer *t)
{
    const int64_t *counts = t->session.counts;
    t->state = (struct cairn_state){
        .power1 = 1.0f,
        .power2 = 1.0f,
        .shift = t->session.shift,
        .scale = t->session.scale,
        .train_images = counts[CAIRN_PART_TRAIN],
        .validation_images = counts[CAIRN_PART_VALIDATION],
        .test_images = counts[CAIRN_PART_TEST],
    };
    snprintf(t->state.math, sizeof t->state.math, "%s",
             cairn_report_math(t->options->compute.math));
    snprintf(t->state.version, sizeof t->state.version, "%s", CAIRN_VERSION);
    cairn_model_init(t->session.model, t->recipe.train.seed, t->session.flat);
    return put(t, CAIRN_REGION_PARAMS, t->session.flat);
}

static cairn_status read_file(struct trainer *t, const char *name, struct cairn_state *state,
                              float *flat, float *moment1, float *moment2)
{
    char *path = cairn_folder_file(&t->folder, name);
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_status st = cairn_checkpoint_read(path, t->session.model, state, flat, moment1, moment2);
    free(path);
    return st;
}

/* The checkpoint must belong to this recipe, these data and this arithmetic. */
static cairn_status check_state(const struct trainer *t)
{
    const struct cairn_state *s = &t->state;
    const struct cairn_session *session = &t->session;
    const char *math = cairn_report_math(t->options->compute.math), *path = t->folder.path;
    if (strcmp(s->math, math) != 0)
        return cairn_fail(CAIRN_INVALID, "%s was trained with --math %s and cannot go on with %s",
                          path, s->math, math);
    if (s->train_images != session->counts[CAIRN_PART_TRAIN] ||
        s->validation_images != session->counts[CAIRN_PART_VALIDATION] ||
        s->test_images != session->counts[CAIRN_PART_TEST] || s->shift != session->shift ||
        s->scale != session->scale)
        return cairn_fail(CAIRN_INVALID,
                          "%s was trained on other images than those that %s has now", path,
                          t->recipe.data.name);
    if (s->batch > batches_of(t) || s->epoch > t->recipe.train.epochs || s->best_epoch > s->epoch ||
        s->step != s->epoch * batches_of(t) + s->batch)
        return cairn_fail(CAIRN_FORMAT, "%s/last.safetensors: its counters do not fit the recipe",
                          path);
    return CAIRN_OK;
}

static cairn_status start_resumed(struct trainer *t)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_report_same_recipe(&t->folder, t->recipe.resolved));
    TRY(read_file(t, "last.safetensors", &t->state, t->session.flat, t->moment1, t->moment2));
    TRY(check_state(t));
    TRY(cairn_report_cut_metrics(&t->folder, t->state.epoch, &t->metrics));
    if (t->state.best_epoch > 0) TRY(read_file(t, "model.safetensors", NULL, t->best, NULL, NULL));
    TRY(put(t, CAIRN_REGION_PARAMS, t->session.flat));
    TRY(put(t, CAIRN_REGION_MOMENT1, t->moment1));
    if (t->moment2) TRY(put(t, CAIRN_REGION_MOMENT2, t->moment2));
out:
    return st;
}

/* --- saving --- */

static cairn_status write_file(struct trainer *t, const char *name, float *flat, float *moment1,
                               float *moment2)
{
    char *path = cairn_folder_file(&t->folder, name);
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_status st =
        cairn_checkpoint_write(path, t->session.model, &t->state, flat, moment1, moment2);
    free(path);
    return st;
}

static cairn_status begin_writing(struct trainer *t)
{
    cairn_status st = CAIRN_OK;
    if (!t->folder.fresh) return CAIRN_OK;
    TRY(cairn_folder_clear(&t->folder));
    TRY(cairn_folder_write(&t->folder, "recipe.yaml", t->recipe.resolved));
    t->folder.fresh = 0;
out:
    return st;
}

/* last.safetensors comes last: whatever it does not know yet will be made again, the same. */
static cairn_status save(struct trainer *t)
{
    cairn_status st = CAIRN_OK;
    TRY(begin_writing(t));
    TRY(get(t, CAIRN_REGION_PARAMS, t->session.flat));
    TRY(get(t, CAIRN_REGION_MOMENT1, t->moment1));
    if (t->moment2) TRY(get(t, CAIRN_REGION_MOMENT2, t->moment2));
    if (t->metrics) TRY(cairn_folder_write(&t->folder, "metrics.jsonl", t->metrics));
    TRY(write_file(t, "last.safetensors", t->session.flat, t->moment1, t->moment2));
    t->folder.written = 1;
out:
    return st;
}

static cairn_status save_interrupted(struct trainer *t)
{
    cairn_status st = CAIRN_OK;
    if (t->state.step == 0)
        return cairn_fail(CAIRN_INTERRUPTED, "interrupted before the first step; nothing was kept");
    TRY(save(t));
    st = cairn_fail(CAIRN_INTERRUPTED,
                    "interrupted in epoch %lld after step %lld; --resume goes on from there in %s",
                    (long long)t->state.epoch + 1, (long long)t->state.step, t->folder.path);
out:
    return st;
}

/* --- an epoch --- */

/* c = 1 / (1 - beta^t), the power by repeated multiplication. */
static float correction(float *power, float beta)
{
    *power *= beta;
    return 1.0f / (1.0f - *power);
}

static cairn_status run_step(struct trainer *t, int64_t *images)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *s = &t->session;
    int64_t at = t->state.batch * s->batch, left = s->counts[CAIRN_PART_TRAIN] - at;
    struct cairn_now now = {
        .index = at, .row = at, .step = t->state.step, .rate = t->recipe.train.learning_rate};
    *images = left < s->batch ? left : s->batch;
    if (t->recipe.train.optimizer == CAIRN_OPTIMIZER_ADAM) {
        now.c1 = correction(&t->state.power1, t->recipe.train.beta1);
        now.c2 = correction(&t->state.power2, t->recipe.train.beta2);
    }
    TRY(cairn_plan_run(cairn_session_find(s, CAIRN_PLAN_TRAIN, *images), s->device, &s->memory,
                       &now));
    t->state.batch++;
    t->state.step++;
out:
    return st;
}

/* The clock of samples_per_second starts behind the first step of this start. */
static cairn_status time_step(struct trainer *t, int64_t images, double *begun)
{
    cairn_status st = CAIRN_OK;
    int waited;
    if (!t->warm) {
        TRY(cairn_device_sync(t->session.device));
        t->warm = 1;
        *begun = cairn_session_clock();
    } else {
        t->state.epoch_samples += images;
    }
    TRY(cairn_session_pace(&t->session, &waited));
    if (waited) {
        double timed = t->state.epoch_timed + cairn_session_clock() - *begun;
        t->event.batch = t->state.batch;
        t->event.samples_per_second =
            t->state.epoch_samples > 0 ? (double)t->state.epoch_samples / timed : (double)NAN;
        tell(t, CAIRN_TRAIN_STEP);
    }
out:
    return st;
}

/* Runs what is left of the epoch; CAIRN_INTERRUPTED after a checkpoint in the middle. */
static cairn_status run_epoch(struct trainer *t)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *s = &t->session;
    int64_t from = t->state.batch * s->batch, images = 0, to = from;
    double start = cairn_session_clock(), begun = start;
    if (stopped(t)) return save_interrupted(t);
    s->pace = s->waited_at = 0;
    t->event.epoch = t->state.epoch + 1;
    t->event.batches = batches_of(t);
    TRY(cairn_session_shuffle(s, t->state.epoch));
    while (t->state.batch < t->event.batches && !stopped(t)) {
        TRY(run_step(t, &images));
        TRY(time_step(t, images, &begun));
        to += images;
    }
    if (from > s->counts[CAIRN_PART_TRAIN]) from = to = s->counts[CAIRN_PART_TRAIN];
    TRY(cairn_session_collect(s, from, to - from, &t->state.loss, &t->state.correct));
    t->state.epoch_seconds += cairn_session_clock() - start;
    t->state.epoch_timed += cairn_session_clock() - begun;
    if (t->state.batch < t->event.batches) st = save_interrupted(t);
out:
    return st;
}

static int is_better(const struct trainer *t, double loss, int64_t correct)
{
    const struct cairn_state *s = &t->state;
    if (t->session.counts[CAIRN_PART_VALIDATION] == 0 || s->best_epoch == 0) return 1;
    return correct > s->best_correct || (correct == s->best_correct && loss < s->best_loss);
}

static cairn_status keep_best(struct trainer *t, double loss, int64_t correct)
{
    cairn_status st = CAIRN_OK;
    t->state.best_epoch = t->state.epoch;
    t->state.best_loss = loss;
    t->state.best_correct = correct;
    TRY(get(t, CAIRN_REGION_PARAMS, t->best));
    TRY(cairn_weights_digest(t->session.model, t->best, t->state.best_sha256));
    TRY(begin_writing(t));
    TRY(write_file(t, "model.safetensors", t->best, NULL, NULL));
out:
    return st;
}

/* Moves this epoch's sums into the event and the totals. */
static void close_sums(struct trainer *t)
{
    struct cairn_state *s = &t->state;
    double images = (double)t->session.counts[CAIRN_PART_TRAIN];
    t->event.train_loss = s->loss / images;
    t->event.train_accuracy = (double)s->correct / images;
    t->event.seconds = s->epoch_seconds;
    t->event.samples_per_second =
        s->epoch_samples > 0 ? (double)s->epoch_samples / s->epoch_timed : (double)NAN;
    s->seconds += s->epoch_timed;
    s->samples += s->epoch_samples;
    s->loss = s->epoch_seconds = s->epoch_timed = 0;
    s->correct = s->epoch_samples = s->batch = 0;
    s->epoch++;
}

static cairn_status end_epoch(struct trainer *t)
{
    cairn_status st = CAIRN_OK;
    int64_t validation = t->session.counts[CAIRN_PART_VALIDATION], correct = 0;
    double loss = 0;
    st = cairn_session_evaluate(&t->session, CAIRN_PART_VALIDATION, &loss, &correct);
    if (st == CAIRN_INTERRUPTED) return save_interrupted(t);
    if (st != CAIRN_OK) return st;
    close_sums(t);
    t->event.validation_loss = validation ? loss / (double)validation : (double)NAN;
    t->event.validation_accuracy = validation ? (double)correct / (double)validation : (double)NAN;
    t->event.best = is_better(t, loss, correct);
    if (t->event.best) TRY(keep_best(t, loss, correct));
    TRY(cairn_report_add_metrics(&t->metrics, &t->event, t->state.step,
                                 t->recipe.train.learning_rate));
    TRY(save(t));
    tell(t, CAIRN_TRAIN_EPOCH);
out:
    return st;
}

/* --- the end --- */

static void tell_kernel(void *context, const char *kernel, int64_t calls, double seconds)
{
    struct trainer *t = context;
    t->event.kernel = kernel;
    t->event.calls = calls;
    t->event.seconds = seconds;
    tell(t, CAIRN_TRAIN_KERNEL);
}

static cairn_status finish(struct trainer *t, struct cairn_train_result *result)
{
    cairn_status st = CAIRN_OK;
    int64_t correct = 0, classes = t->session.model->classes,
            images = t->session.counts[CAIRN_PART_TEST];
    int64_t *confusion = calloc((size_t)(classes * classes), sizeof *confusion);
    const struct cairn_device_info *info = cairn_device_info(t->session.device);
    double loss = 0;
    if (!confusion) return cairn_fail(CAIRN_MEMORY, "out of memory");
    tell(t, CAIRN_TRAIN_TESTING);
    TRY(get(t, CAIRN_REGION_PARAMS, t->session.flat));
    TRY(cairn_weights_digest(t->session.model, t->session.flat, result->weights_sha256));
    TRY(put(t, CAIRN_REGION_PARAMS, t->best));
    st = cairn_session_evaluate(&t->session, CAIRN_PART_TEST, &loss, &correct);
    if (st == CAIRN_INTERRUPTED)
        st = cairn_fail(st, "interrupted in the test; all epochs are done: --resume tests %s again",
                        t->folder.path);
    if (st != CAIRN_OK) goto out;
    TRY(cairn_session_confusion(&t->session, confusion));
    snprintf(result->run, sizeof result->run, "%s", t->folder.path);
    snprintf(result->device, sizeof result->device, "%s", info->name);
    snprintf(result->driver, sizeof result->driver, "%s", info->driver);
    snprintf(result->best_weights_sha256, sizeof result->best_weights_sha256, "%s",
             t->state.best_sha256);
    result->epochs = t->state.epoch;
    result->steps = t->state.step;
    result->best_epoch = t->state.best_epoch;
    result->test_images = images;
    result->test_loss = loss / (double)images;
    result->test_accuracy = (double)correct / (double)images;
    result->samples_per_second =
        t->state.samples > 0 ? (double)t->state.samples / t->state.seconds : (double)NAN;
    TRY(cairn_report_summary(&t->folder, &t->recipe, &t->state, info, result, confusion, classes));
    if (t->options->compute.profile) TRY(cairn_device_profile(t->session.device, tell_kernel, t));
out:
    free(confusion);
    return st;
}

static void describe_event(struct trainer *t)
{
    struct cairn_train_event *e = &t->event;
    e->run = t->folder.path;
    e->device = cairn_device_info(t->session.device)->name;
    e->epoch = t->state.epoch;
    e->epochs = t->recipe.train.epochs;
    e->batches = batches_of(t);
    e->batch = t->state.batch;
    e->train_images = t->session.counts[CAIRN_PART_TRAIN];
    e->validation_images = t->session.counts[CAIRN_PART_VALIDATION];
    e->test_images = t->session.counts[CAIRN_PART_TEST];
    e->parameters = t->session.model->parameters;
    e->samples_per_second = (double)NAN;
}

cairn_status cairn_train(const struct cairn_train_options *options,
                         struct cairn_train_result *result)
{
    cairn_status st = CAIRN_OK;
    struct trainer t = {.options = options};
    memset(result, 0, sizeof *result);
    TRY(set_up(&t));
    TRY(t.folder.fresh ? start_fresh(&t) : start_resumed(&t));
    describe_event(&t);
    tell(&t, CAIRN_TRAIN_STARTED);
    while (t.state.epoch < t.recipe.train.epochs) {
        TRY(run_epoch(&t));
        TRY(end_epoch(&t));
    }
    TRY(finish(&t, result));
out:
    cairn_session_close(&t.session);
    cairn_folder_close(&t.folder);
    cairn_recipe_free(&t.recipe);
    free(t.metrics);
    free(t.best);
    free(t.moment1);
    free(t.moment2);
    return st;
}
