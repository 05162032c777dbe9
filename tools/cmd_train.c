/* cairn train: trains a recipe, with progress on standard error and the result on standard output.
 */
#include "commands.h"
#include "compute.h"
#include "json.h"
#include "profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct view {
    int quiet, bar, color;
    double compiling; /* when it began */
    int profiled;     /* --profile */
    struct profile profile;
    struct cairn_train_event *folds; /* those that are done, in order; from malloc */
    size_t fold_count;
};

static void clear_bar(const struct view *view)
{
    if (view->bar) fputs("\r\033[K", stderr);
}

static void show_fold_number(const struct cairn_train_event *e)
{
    if (e->folds) fprintf(stderr, "fold %lld/%lld  ", (long long)e->fold, (long long)e->folds);
}

static void show_step(const struct view *view, const struct cairn_train_event *e)
{
    if (!view->bar) return;
    int width = 24, full = (int)((int64_t)width * e->batch / e->batches);
    fputs("\r\033[K", stderr);
    show_fold_number(e);
    fprintf(stderr, "epoch %lld/%lld %s[", (long long)e->epoch, (long long)e->epochs,
            view->color ? "\033[32m" : "");
    for (int i = 0; i < width; i++) fputc(i < full ? '#' : '.', stderr);
    fprintf(stderr, "]%s %lld/%lld", view->color ? "\033[0m" : "", (long long)e->batch,
            (long long)e->batches);
    if (!isnan(e->samples_per_second)) fprintf(stderr, "  %.0f images/s", e->samples_per_second);
    fflush(stderr);
}

static void show_evaluation(const struct view *view, const struct cairn_train_event *e)
{
    clear_bar(view);
    show_fold_number(e);
    if (e->by_steps)
        fprintf(stderr, "step %lld/%lld", (long long)e->step, (long long)e->steps);
    else
        fprintf(stderr, "epoch %lld/%lld", (long long)e->epoch, (long long)e->epochs);
    fprintf(stderr, "  loss %.4f  accuracy %.2f %%", tool_real(e->train_loss),
            100 * e->train_accuracy);
    if (e->validation_images)
        fprintf(stderr, "  validation: loss %.4f  accuracy %.2f %%%s",
                tool_real(e->validation_loss), 100 * e->validation_accuracy,
                e->best ? " (best)" : "");
    if (!isnan(e->test_accuracy))
        fprintf(stderr, "  test: loss %.4f  accuracy %.2f %%", tool_real(e->test_loss),
                100 * e->test_accuracy);
    fprintf(stderr, "  %.1f s", e->seconds);
    if (!isnan(e->samples_per_second)) fprintf(stderr, "  %.0f images/s", e->samples_per_second);
    fputc('\n', stderr);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The first start on a device. On a terminal a line that is rewritten; else one at the beginning
 * and one at the end. */
static void show_compiling(struct view *view, const struct cairn_train_event *e)
{
    if (e->programs_done == 0) view->compiling = seconds();
    if (view->bar)
        fprintf(stderr, "\r\033[Kcompiling kernels for this device: %d/%d %s", e->programs_done,
                e->programs, e->kernel);
    else if (e->programs_done == 0)
        fprintf(stderr, "compiling kernels for this device: %d programs, kept for later starts\n",
                e->programs);
    fflush(stderr);
    if (e->programs_done < e->programs) return;
    clear_bar(view);
    fprintf(stderr, "compiled %d programs in %.1f s\n", e->programs, seconds() - view->compiling);
}

static void show_start(const struct view *view, const struct cairn_train_event *e)
{
    clear_bar(view);
    show_fold_number(e);
    fprintf(stderr, "training %lld parameters on %s: %lld images, %lld to validate, %lld to test\n",
            (long long)e->parameters, e->device, (long long)e->train_images,
            (long long)e->validation_images, (long long)e->test_images);
    if (e->epoch > 0 || e->batch > 0)
        fprintf(stderr, "going on behind epoch %lld, batch %lld of the next\n", (long long)e->epoch,
                (long long)e->batch);
}

/* A fold that no memory is left for is missing in the table; summary.json has it. */
static void keep_fold(struct view *view, const struct cairn_train_event *e)
{
    struct cairn_train_event *grown =
        realloc(view->folds, (view->fold_count + 1) * sizeof *view->folds);
    if (!grown) return;
    view->folds = grown;
    view->folds[view->fold_count] = *e;
    view->folds[view->fold_count++].run = NULL; /* what it points to ends with the event */
}

/* Of the fold that is over; of a single training at the end. */
static void show_profile(struct view *view)
{
    clear_bar(view);
    profile_print(&view->profile, 0, stderr);
}

static void show(void *context, const struct cairn_train_event *e)
{
    struct view *view = context;
    if (e->kind == CAIRN_TRAIN_KERNEL)
        profile_add_kernel(&view->profile, e->kernel, e->calls, e->seconds);
    if (e->kind == CAIRN_TRAIN_LAYER) profile_add_layer(&view->profile, e->layer);
    if (e->kind == CAIRN_TRAIN_FOLD) {
        keep_fold(view, e);
        if (view->profiled) show_profile(view);
        profile_free(&view->profile);
    }
    if (view->quiet) return;
    if (e->kind == CAIRN_TRAIN_LOADING && view->bar) fputs("\r\033[Kloading the data ...", stderr);
    if (e->kind == CAIRN_TRAIN_COMPILING) show_compiling(view, e);
    if (e->kind == CAIRN_TRAIN_STARTED) show_start(view, e);
    if (e->kind == CAIRN_TRAIN_STEP) show_step(view, e);
    if (e->kind == CAIRN_TRAIN_EVALUATED) show_evaluation(view, e);
    if (e->kind == CAIRN_TRAIN_TESTING && e->step < e->steps) {
        clear_bar(view);
        show_fold_number(e);
        fprintf(stderr, "patience is over after step %lld of %lld\n", (long long)e->step,
                (long long)e->steps);
    }
    if (e->kind == CAIRN_TRAIN_SEARCHING && view->bar)
        fputs("\r\033[Ka value is not finite: looking for the first ...", stderr);
    if (e->kind == CAIRN_TRAIN_TESTING && view->bar) fputs("\r\033[Ktesting ...", stderr);
    if (e->kind == CAIRN_TRAIN_FOLD) clear_bar(view);
}

struct arguments {
    struct cairn_train_options train;
    struct compute_options compute;
    struct option_list sets;
    int64_t epochs, limit_train, limit_test;
    uint64_t seed;
    int has_epochs, has_limit_train, has_limit_test, has_seed;
    int quiet, as_json, has_trace_steps;
    const char *on_nan;
    char own[4][64]; /* settings made from --epochs and the like */
};

/* --epochs N is --set train.epochs=N, behind the settings that are given as such. */
static int add_setting(struct arguments *a, int number, const char *key, uint64_t value)
{
    snprintf(a->own[number], sizeof a->own[number], "%s=%llu", key, (unsigned long long)value);
    if (a->sets.count == OPTION_LIST_MAX) return tool_misuse("train", "too many settings");
    a->sets.items[a->sets.count++] = a->own[number];
    return -1;
}

static int read_on_nan(struct arguments *a)
{
    if (a->on_nan && !strcmp(a->on_nan, "continue"))
        a->train.on_nan = CAIRN_NAN_CONTINUE;
    else if (a->on_nan && strcmp(a->on_nan, "stop") != 0)
        return tool_misuse("train", "--on-nan: '%s' is neither stop nor continue", a->on_nan);
    return -1;
}

static int parse(int argc, char **argv, struct arguments *a)
{
    const int64_t most = INT32_MAX;
    const struct option_row rows[] = {
        COMPUTE_ROWS(&a->compute),
        COMPUTE_DATA_ROW(&a->compute),
        {"out", OPTION_TEXT, &a->train.out, "DIR", "the run's folder (runs/NAME)", 0, 0, NULL},
        {"set", OPTION_LIST, &a->sets, "KEY=VALUE",
         "set a value of the recipe, like train.batch=32; may be repeated", 0, 0, NULL},
        {"epochs", OPTION_INT, &a->epochs, "N", "train.epochs", 1, most, &a->has_epochs},
        {"seed", OPTION_U64, &a->seed, "N", "train.seed", 0, 0, &a->has_seed},
        {"limit-train", OPTION_INT, &a->limit_train, "N", "only the first N training images", 1,
         most, &a->has_limit_train},
        {"limit-test", OPTION_INT, &a->limit_test, "N", "only the first N test images", 1, most,
         &a->has_limit_test},
        {"resume", OPTION_FLAG, &a->train.resume, NULL, "go on with the run in the folder", 0, 0,
         NULL},
        {"force", OPTION_FLAG, &a->train.force, NULL, "replace the run in the folder", 0, 0, NULL},
        {"on-nan", OPTION_TEXT, &a->on_nan, "stop|continue",
         "what the first value that is NaN or infinite does (stop)", 0, 0, NULL},
        {"profile", OPTION_FLAG, &a->compute.profile, NULL,
         "tell the device time of each kernel and of each layer at the end", 0, 0, NULL},
        {"trace", OPTION_TEXT, &a->train.trace, "FILE",
         "write a trace of some steps for chrome://tracing or Perfetto", 0, 0, NULL},
        {"trace-steps", OPTION_INT, &a->train.trace_steps, "N",
         "how many steps, from the second on (10)", 1, 10000, &a->has_trace_steps},
        {"tensorboard", OPTION_TEXT, &a->train.tensorboard, "DIR",
         "write figures, weights, the graph and the recipe for TensorBoard to DIR", 0, 0, NULL},
        {"quiet", OPTION_FLAG, &a->quiet, NULL, "no progress", 0, 0, NULL},
        {"json", OPTION_FLAG, &a->as_json, NULL, "print the result as JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "train",
        "RECIPE [OPTION]...",
        "Trains RECIPE (a path, or the name of an installed recipe) on the best OpenCL device. The "
        "first interrupt (Ctrl-C)\n"
        "writes a checkpoint from which --resume goes on, on this or another device, to the same "
        "weights.",
        rows,
        1,
        1,
    };
    int count, code = options_parse(&set, argc, argv, &count);
    if (code == -1) code = compute_read("train", &a->compute, &a->train.compute);
    if (code == -1 && a->train.resume && a->train.force)
        code = tool_misuse("train", "--resume and --force exclude each other");
    if (code == -1) code = read_on_nan(a);
    if (code == -1 && a->has_trace_steps && !a->train.trace)
        code = tool_misuse("train", "--trace-steps belongs to --trace");
    if (code == -1 && a->has_epochs) code = add_setting(a, 0, "train.epochs", (uint64_t)a->epochs);
    if (code == -1 && a->has_seed) code = add_setting(a, 1, "train.seed", a->seed);
    if (code == -1 && a->has_limit_train)
        code = add_setting(a, 2, "data.limit_train", (uint64_t)a->limit_train);
    if (code == -1 && a->has_limit_test)
        code = add_setting(a, 3, "data.limit_test", (uint64_t)a->limit_test);
    if (code != -1) return code;
    a->train.recipe = argv[1];
    a->train.sets = a->sets.items;
    a->train.set_count = a->sets.count;
    return -1;
}

static int print_json(const struct cairn_train_result *r, struct view *view)
{
    json_t *object = json_pack(
        "{s:o s:o s:o s:I s:o s:o s:I s:I s:I s:I s:s s:s s:o s:o s:o}", "run",
        tool_json_text(r->run), "test_loss", tool_json_number(r->test_loss), "test_accuracy",
        tool_json_number(r->test_accuracy), "test_images", (json_int_t)r->test_images,
        "validation_loss", tool_json_number(r->validation_loss), "validation_accuracy",
        tool_json_number(r->validation_accuracy), "epochs", (json_int_t)r->epochs, "steps",
        (json_int_t)r->steps, "best_epoch", (json_int_t)r->best_epoch, "best_step",
        (json_int_t)r->best_step, "weights_sha256", r->weights_sha256, "best_weights_sha256",
        r->best_weights_sha256, "samples_per_second", tool_json_number(r->samples_per_second),
        "device", tool_json_text(r->device), "driver", tool_json_text(r->driver));
    if (*r->events)
        json_object_set_new(
            object, "tensorboard",
            json_pack("{s:o s:o}", "file", tool_json_text(r->events), "failure",
                      *r->events_failure ? tool_json_text(r->events_failure) : json_null()));
    if (view->profiled) json_object_set_new(object, "profile", profile_json(&view->profile, 0));
    return tool_json_print("train", object);
}

static void print_text(const struct cairn_train_result *r)
{
    printf("test accuracy   %.2f %% (loss %.4f, %lld images, weights of %s %lld)\n",
           100 * r->test_accuracy, tool_real(r->test_loss), (long long)r->test_images,
           r->by_steps ? "step" : "epoch", (long long)(r->by_steps ? r->best_step : r->best_epoch));
    printf("weights_sha256  %s\n", r->weights_sha256);
    if (isnan(r->samples_per_second))
        printf("speed           too short to tell\n");
    else
        printf("speed           %.0f images per second\n", r->samples_per_second);
    printf("device          %s (driver %s)\n", r->device, r->driver);
    printf("run             %s\n", r->run);
    if (*r->events)
        printf("events          %s%s\n", r->events, *r->events_failure ? " (incomplete)" : "");
}

static json_t *figure(struct cairn_train_figure value)
{
    return json_pack("{s:o s:o}", "mean", tool_json_number(value.mean), "deviation",
                     tool_json_number(value.deviation));
}

static int print_folds_json(const struct cairn_train_result *r, const struct view *view)
{
    json_t *folds = json_array();
    for (size_t i = 0; i < view->fold_count; i++) {
        const struct cairn_train_event *e = &view->folds[i];
        json_array_append_new(
            folds, json_pack("{s:I s:o s:o s:o s:o s:I s:I s:I s:I}", "fold", (json_int_t)e->fold,
                             "validation_loss", tool_json_number(e->validation_loss),
                             "validation_accuracy", tool_json_number(e->validation_accuracy),
                             "test_loss", tool_json_number(e->test_loss), "test_accuracy",
                             tool_json_number(e->test_accuracy), "best_epoch",
                             (json_int_t)e->best_epoch, "best_step", (json_int_t)e->best_step,
                             "epochs", (json_int_t)e->epoch, "steps", (json_int_t)e->step));
    }
    json_t *object = json_pack(
        "{s:o s:o s:o s:o s:o s:o s:I s:o s:o}", "run", tool_json_text(r->run), "folds", folds,
        "validation_loss", figure(r->fold_validation_loss), "validation_accuracy",
        figure(r->fold_validation_accuracy), "test_loss", figure(r->fold_test_loss),
        "test_accuracy", figure(r->fold_test_accuracy), "test_images", (json_int_t)r->test_images,
        "device", tool_json_text(r->device), "driver", tool_json_text(r->driver));
    return tool_json_print("train", object);
}

static void print_fold_row(const char *name, double validation_loss, double validation_accuracy,
                           double test_loss, double test_accuracy)
{
    printf("%-10s %10.4f %9.2f %% %10.4f %9.2f %%\n", name, tool_real(validation_loss),
           100 * validation_accuracy, tool_real(test_loss), 100 * test_accuracy);
}

static void print_folds(const struct cairn_train_result *r, const struct view *view)
{
    printf("%-10s %10s %11s %10s %11s\n", "fold", "validation", "accuracy", "test", "accuracy");
    for (size_t i = 0; i < view->fold_count; i++) {
        const struct cairn_train_event *e = &view->folds[i];
        char name[32];
        snprintf(name, sizeof name, "%lld", (long long)e->fold);
        print_fold_row(name, e->validation_loss, e->validation_accuracy, e->test_loss,
                       e->test_accuracy);
    }
    print_fold_row("mean", r->fold_validation_loss.mean, r->fold_validation_accuracy.mean,
                   r->fold_test_loss.mean, r->fold_test_accuracy.mean);
    print_fold_row("deviation", r->fold_validation_loss.deviation,
                   r->fold_validation_accuracy.deviation, r->fold_test_loss.deviation,
                   r->fold_test_accuracy.deviation);
    printf("device     %s (driver %s)\n", r->device, r->driver);
    printf("run        %s\n", r->run);
}

static int print_result(const struct cairn_train_result *r, struct view *view, int as_json)
{
    if (as_json) return r->folds ? print_folds_json(r, view) : print_json(r, view);
    if (view->profiled) show_profile(view);
    if (r->folds)
        print_folds(r, view);
    else
        print_text(r);
    return 0;
}

/* The training is what was asked about, and it failed: that is a result, too. */
static int print_diverged_json(const struct arguments *a)
{
    char text[1024];
    snprintf(text, sizeof text, "%s", cairn_error());
    int code =
        tool_json_print("train", json_pack("{s:o s:o}", "recipe", tool_json_text(a->train.recipe),
                                           "diverged", tool_json_text(text)));
    return code ? code : cairn_status_exit(CAIRN_DIVERGED);
}

int cmd_train(int argc, char **argv)
{
    struct arguments a = {.quiet = 0};
    struct cairn_train_result result;
    int code = parse(argc, argv, &a);
    if (code != -1) return code;
    a.train.compute.profile = a.compute.profile || a.train.trace;
    struct view view = {
        .quiet = a.quiet, .bar = tool_can_rewrite() && !a.quiet, .profiled = a.compute.profile};
    view.color = view.bar && tool_can_colour();
    a.train.stop = tool_watch_signals(SA_RESTART);
    a.train.event = show;
    a.train.context = &view;
    cairn_status st = cairn_train(&a.train, &result);
    clear_bar(&view);
    code = st == CAIRN_OK ? print_result(&result, &view, a.as_json) : tool_fail("train", st);
    if (st == CAIRN_DIVERGED && a.as_json) code = print_diverged_json(&a);
    free(view.folds);
    profile_free(&view.profile);
    return code;
}
