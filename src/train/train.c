/* Training: setting up, the loop's frame, and the test at the end. */
#include "base/error.h"
#include "report/place.h"
#include "train/report.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void cairn_trainer_tell(struct cairn_trainer *t, enum cairn_train_event_kind kind)
{
    t->event.kind = kind;
    if (t->options->event) t->options->event(t->options->context, &t->event);
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

cairn_status cairn_train_check(const struct cairn_train_options *options,
                               const struct cairn_recipe *recipe, int64_t fold)
{
    cairn_status st = CAIRN_OK;
    struct cairn_dataset data = {0};
    struct cairn_session session = {.fold = fold};
    TRY(cairn_session_look(&options->compute, "opencl"));
    TRY(cairn_session_data(recipe, &options->compute, CAIRN_DATASET_ALL, &data));
    TRY(cairn_session_describe(&session, recipe, &data));
out:
    cairn_session_close(&session);
    cairn_dataset_free(&data);
    return st;
}

static void tell_compiling(void *context, const char *program, int done, int all)
{
    struct cairn_trainer *t = context;
    t->event.kernel = program;
    t->event.programs_done = done;
    t->event.programs = all;
    cairn_trainer_tell(t, CAIRN_TRAIN_COMPILING);
    t->event.kernel = NULL;
}

/* Everything up to memory on the device, the cheap and likely mistakes first. */
static cairn_status set_up(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_compute *compute = &t->options->compute;
    struct cairn_dataset data = {0};
    TRY(cairn_session_look(compute, "opencl"));
    cairn_trainer_tell(t, CAIRN_TRAIN_LOADING);
    cairn_session_open_ahead(&t->session, compute, "opencl");
    TRY(cairn_session_data(&t->recipe, compute, CAIRN_DATASET_ALL, &data));
    TRY(cairn_session_describe(&t->session, &t->recipe, &data));
    if (t->folder.fresh) TRY(cairn_folder_make(&t->folder));
    TRY(cairn_session_open(&t->session, compute, "opencl"));
    TRY(cairn_session_split(&t->session, &data));
    if (compute->profile) TRY(cairn_timeline_open(&t->timeline, &t->session));
    TRY(cairn_session_plan(&t->session, 0));
    t->session.compiling = tell_compiling;
    t->session.compiling_context = t;
    TRY(cairn_session_load(&t->session, &data));
    t->session.stop = t->options->stop;
    size_t flat = (size_t)t->session.model->flat_floats;
    t->kept = calloc((size_t)t->session.model->total_floats, sizeof *t->kept);
    t->moment1 = calloc(flat, sizeof *t->moment1);
    if (t->session.memory.buffers[CAIRN_REGION_MOMENT2])
        t->moment2 = calloc(flat, sizeof *t->moment2);
    if (!t->kept || !t->moment1 || (t->session.memory.buffers[CAIRN_REGION_MOMENT2] && !t->moment2))
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
    if (st == CAIRN_OK && t->options->tensorboard)
        st = cairn_events_create(t->options->tensorboard, t->session.fold, &t->session, compute,
                                 &data, &t->events);
out:
    cairn_dataset_free(&data);
    return st;
}

static void describe_event(struct cairn_trainer *t)
{
    struct cairn_train_event *e = &t->event;
    int64_t batches = cairn_session_batches(&t->session), steps = cairn_session_steps(&t->session);
    e->run = t->folder.path;
    e->device = cairn_device_info(t->session.device)->name;
    e->fold = t->session.fold;
    e->folds = t->recipe.train.folds;
    e->epoch = t->state.epoch;
    e->epochs = (steps + batches - 1) / batches;
    e->batches = batches;
    e->batch = t->state.batch;
    e->step = t->state.step;
    e->steps = steps;
    e->by_steps = t->recipe.train.evaluate_steps > 0;
    e->train_images = t->session.counts[CAIRN_PART_TRAIN];
    e->validation_images = t->session.counts[CAIRN_PART_VALIDATION];
    e->test_images = t->session.counts[CAIRN_PART_TEST];
    e->parameters = t->session.model->parameters;
    e->samples_per_second = (double)NAN;
}

/* --- the end --- */

static void tell_kernel(void *context, const char *kernel, int64_t calls, double seconds)
{
    struct cairn_trainer *t = context;
    t->event.kernel = kernel;
    t->event.calls = calls;
    t->event.seconds = seconds;
    cairn_trainer_tell(t, CAIRN_TRAIN_KERNEL);
}

static void tell_layer(void *context, const struct cairn_layer_time *layer)
{
    struct cairn_trainer *t = context;
    t->event.layer = layer;
    cairn_trainer_tell(t, CAIRN_TRAIN_LAYER);
}

static cairn_status tell_profile(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_device_profile(t->session.device, tell_kernel, t));
    TRY(cairn_timeline_rows(&t->timeline, tell_layer, t));
out:
    return st;
}

static void fill_result(const struct cairn_trainer *t, struct cairn_train_result *result)
{
    const struct cairn_device_info *info = cairn_device_info(t->session.device);
    const struct cairn_state *s = &t->state;
    double validation = (double)s->validation_images;
    snprintf(result->run, sizeof result->run, "%s", t->folder.path);
    snprintf(result->device, sizeof result->device, "%s", info->name);
    snprintf(result->driver, sizeof result->driver, "%s", info->driver);
    snprintf(result->best_weights_sha256, sizeof result->best_weights_sha256, "%s", s->kept_sha256);
    result->epochs = (s->step + t->event.batches - 1) / t->event.batches;
    result->steps = s->step;
    result->best_epoch = s->kept_epoch;
    result->best_step = s->kept_step;
    result->by_steps = t->event.by_steps;
    result->test_images = s->test_images;
    result->validation_loss = validation > 0 ? s->kept_loss / validation : (double)NAN;
    result->validation_accuracy =
        validation > 0 ? (double)s->kept_correct / validation : (double)NAN;
    result->samples_per_second = s->samples > 0 ? (double)s->samples / s->seconds : (double)NAN;
}

/* Whether the folder tells of these weights already: what trained them then stands there. */
static int is_told(const struct cairn_trainer *t, const struct cairn_train_result *result)
{
    struct cairn_train_result told;
    return cairn_report_read_summary(&t->folder, &told) == CAIRN_OK &&
           told.steps == result->steps && !strcmp(told.weights_sha256, result->weights_sha256) &&
           !strcmp(told.best_weights_sha256, result->best_weights_sha256);
}

/* `begun`: the step that this process went on from. */
static cairn_status finish(struct cairn_trainer *t, int64_t begun,
                           struct cairn_train_result *result)
{
    cairn_status st = CAIRN_OK;
    int64_t correct = 0, classes = t->session.model->classes;
    int64_t *confusion = calloc((size_t)(classes * classes), sizeof *confusion);
    const struct cairn_device_info *info = cairn_device_info(t->session.device);
    double loss = 0;
    if (!confusion) return cairn_fail(CAIRN_MEMORY, "out of memory");
    TRY(cairn_trainer_write_trace(t));
    cairn_trainer_tell(t, CAIRN_TRAIN_TESTING);
    TRY(cairn_trainer_get(t, CAIRN_REGION_PARAMS, t->session.flat));
    TRY(cairn_weights_digest(t->session.model, t->session.flat, result->weights_sha256));
    TRY(cairn_trainer_put(t, CAIRN_REGION_PARAMS, t->kept));
    st = cairn_session_evaluate(&t->session, CAIRN_PART_TEST, &loss, &correct);
    if (st == CAIRN_INTERRUPTED)
        st = cairn_fail(st, "interrupted in the test; all steps are done: --resume tests %s again",
                        t->home);
    if (st != CAIRN_OK) goto out;
    TRY(cairn_session_confusion(&t->session, confusion));
    fill_result(t, result);
    result->test_loss = loss / (double)result->test_images;
    result->test_accuracy = (double)correct / (double)result->test_images;
    if (t->state.step > begun || !is_told(t, result))
        TRY(cairn_report_summary(&t->folder, &t->recipe, &t->state, info, result, confusion,
                                 classes));
    cairn_events_finished(t->events, result);
    if (t->events) {
        snprintf(result->events, sizeof result->events, "%s", cairn_events_file(t->events));
        snprintf(result->events_failure, sizeof result->events_failure, "%s",
                 cairn_events_failure(t->events));
    }
    if (t->options->compute.profile) TRY(tell_profile(t));
out:
    free(confusion);
    return st;
}

cairn_status cairn_train_one(const struct cairn_train_options *options, const char *out,
                             const char *home, int64_t fold, struct cairn_train_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_trainer t = {.options = options, .home = home, .session = {.fold = fold}};
    TRY(cairn_recipe_read(options->recipe, options->sets, options->set_count, &t.recipe));
    TRY(cairn_folder_check(&t.folder, out, options->resume, options->force));
    TRY(set_up(&t));
    TRY(cairn_trainer_start(&t));
    int64_t begun = t.state.step;
    if (t.events) TRY(cairn_events_begin(t.events, !t.folder.fresh, t.state.step, t.session.flat));
    describe_event(&t);
    cairn_trainer_tell(&t, CAIRN_TRAIN_STARTED);
    while (!cairn_trainer_finished(&t)) TRY(cairn_trainer_advance(&t));
    TRY(finish(&t, begun, result));
out:
    cairn_events_close(t.events, t.folder.written);
    cairn_session_close(&t.session);
    cairn_timeline_close(&t.timeline);
    cairn_folder_close(&t.folder);
    cairn_recipe_free(&t.recipe);
    free(t.metrics);
    free(t.kept);
    free(t.moment1);
    free(t.moment2);
    return st;
}

static cairn_status check_trace(const struct cairn_train_options *options)
{
    if (!options->compute.profile)
        return cairn_fail(CAIRN_INVALID, "a trace needs a device that is profiled");
    return cairn_place_check(options->trace, 1);
}

/* In the folder of a cross-validation fold-1 would be both a run and its events. */
static cairn_status check_events(const struct cairn_train_options *options, const char *out,
                                 int64_t folds)
{
    struct stat a, b;
    const char *folder = options->tensorboard;
    int there = stat(folder, &a) == 0 && stat(out, &b) == 0;
    if (folds && (there ? a.st_dev == b.st_dev && a.st_ino == b.st_ino : !strcmp(folder, out)))
        return cairn_fail(CAIRN_INVALID,
                          "--tensorboard: %s is the folder of the cross-validation: choose another "
                          "one, such as %s/events",
                          folder, out);
    return cairn_events_check(folder, folds, options->resume, options->force);
}

cairn_status cairn_train(const struct cairn_train_options *options,
                         struct cairn_train_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_recipe recipe = {0};
    char path[512];
    memset(result, 0, sizeof *result);
    TRY(cairn_recipe_read(options->recipe, options->sets, options->set_count, &recipe));
    if (options->trace) TRY(check_trace(options));
    default_folder(recipe.path, path, sizeof path);
    const char *out = options->out ? options->out : path;
    if (options->tensorboard) TRY(check_events(options, out, recipe.train.folds));
    TRY(recipe.train.folds ? cairn_train_folds(options, out, &recipe, result)
                           : cairn_train_one(options, out, out, 0, result));
out:
    cairn_recipe_free(&recipe);
    return st;
}
