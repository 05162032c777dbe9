/* A run ends in the same weights however often it was interrupted, with everything that a recipe
 * can switch on; and what evaluations, patience, schedules and folds leave in the files. */
#include "base/file.h"
#include "io/safetensors.h"
#include "suite.h"
#include "training.h"
#include <cairn/train.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Stops a run at its n-th step event (the first two steps of each start give one each), or at the
 * first one of a fold. */
struct watch {
    volatile sig_atomic_t stop;
    int steps, stop_at, stop_fold, evaluations, folds;
    double validation[64], test[64], rates[64];
    int64_t at[64], epochs[64];
};

static void watch_event(void *context, const struct cairn_train_event *event)
{
    struct watch *w = context;
    if (event->kind == CAIRN_TRAIN_STEP && ++w->steps == w->stop_at) w->stop = 1;
    if (event->kind == CAIRN_TRAIN_STEP && event->fold > 0 && event->fold == w->stop_fold)
        w->stop = 1;
    if (event->kind == CAIRN_TRAIN_FOLD) w->folds++;
    if (event->kind != CAIRN_TRAIN_EVALUATED || w->evaluations == 64) return;
    w->validation[w->evaluations] = event->validation_loss;
    w->test[w->evaluations] = event->test_loss;
    w->rates[w->evaluations] = (double)event->learning_rate;
    w->at[w->evaluations] = event->step;
    w->epochs[w->evaluations++] = event->epoch;
}

static const char *const model =
    "model: [conv 4 5x5 stride=2 pad=same, batchnorm, relu, maxpool 3 stride=2 pad=1, dropout 0.2, "
    "linear 10]\n";

/* 150 images to train and validate, 60 to test; data and train: more keys. */
static cairn_status train(const char *name, const char *device, const char *data, const char *keys,
                          struct watch *w, int resume, struct cairn_train_result *result)
{
    char text[2048];
    snprintf(text, sizeof text,
             "data: {name: glyphs, limit_train: 150, limit_test: 60%s}\n%s"
             "train: {learning_rate: 3e-3, batch: 32, %s}\n",
             data, model, keys);
    ck_assert_int_eq(cairn_file_write(in_scratch("recipe.yaml"), text, strlen(text)), CAIRN_OK);
    struct cairn_train_options o = {
        .recipe = in_scratch("recipe.yaml"),
        .compute = {.device = device},
        .out = in_scratch(name),
        .resume = resume,
        .stop = &w->stop,
        .event = watch_event,
        .context = w,
    };
    return cairn_train(&o, result);
}

static const struct {
    const char *data, *train;
    int64_t steps; /* done at the end; -1: as many as patience gives */
} everything[] = {
    {", validation: 0.1, pad: 2, augment: shift=1 flip=yes rotate=10 crop=28",
     "optimizer: adamw, schedule: plateau patience=1 factor=0.5 warmup=3, l1: 1e-6, l2: 1e-4, "
     "decay_per: sample, clip: 1, accumulate: 4, steps: 14, evaluate_every: 4 steps, test_curve: "
     "yes, class_weights: balanced, smoothing: 0.1",
     14},
    {", validation: 15, normalize: zscore",
     "optimizer: sgd momentum=0.9 nesterov=yes, schedule: cosine least=0.01, epochs: 5, "
     "evaluate_every: 2 epochs, keep: last, decay: 0.1, decay_per: dataset, accumulate: 2",
     25},
    {", augment: rotate=180", "optimizer: adadelta, schedule: exponential factor=0.5, epochs: 3",
     15},
    {", validation: 0.1", "optimizer: rmsprop momentum=0.5, epochs: 30, patience: 2", -1},
    {", patches: 7", "optimizer: adagrad, loss: mse, class_weights: 1 2 0 1 1 1 1 1 1 1, steps: 7",
     7},
};

/* Stopped after every second step, every fourth start on OpenCL: the same weights and lines. */
START_TEST(interrupted)
{
    const char *data = everything[_i].data, *keys = everything[_i].train;
    struct watch whole = {.stop = 0};
    struct cairn_train_result expected, result;
    ck_assert_msg(train("whole", "reference", data, keys, &whole, 0, &expected) == CAIRN_OK, "%s",
                  cairn_error());
    if (everything[_i].steps > 0) ck_assert_int_eq(expected.steps, everything[_i].steps);
    cairn_status st = CAIRN_INTERRUPTED;
    int starts = 0;
    for (; st == CAIRN_INTERRUPTED; starts++) {
        struct watch w = {.stop_at = 2};
        ck_assert_int_lt(starts, 100);
        const char *device = starts % 4 == 1 ? "opencl" : "reference";
        st = train("parts", device, data, keys, &w, starts > 0, &result);
    }
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert_int_ge(2 * starts, expected.steps);
    ck_assert_str_eq(result.weights_sha256, expected.weights_sha256);
    ck_assert_str_eq(result.best_weights_sha256, expected.best_weights_sha256);
    ck_assert(result.test_loss == expected.test_loss && result.best_step == expected.best_step);
    char *a = timeless(in_scratch("whole")), *b = timeless(in_scratch("parts"));
    ck_assert_str_eq(a, b);
    free(a);
    free(b);
}
END_TEST

/* Evaluated every 4 steps of 14, with 5 steps an epoch; the rate falls after a loss that is no
 * better; the test part is only watched. */
START_TEST(by_steps)
{
    struct watch w = {.stop = 0}, without = {.stop = 0};
    struct cairn_train_result result, other;
    char keys[512];
    const char *base =
        "schedule: plateau patience=1 factor=0.5, steps: 14, evaluate_every: 4 steps";
    snprintf(keys, sizeof keys, "%s, test_curve: yes", base);
    ck_assert_msg(train("run", "reference", ", validation: 15", keys, &w, 0, &result) == CAIRN_OK,
                  "%s", cairn_error());
    ck_assert_int_eq(w.evaluations, 4);
    static const int64_t steps[] = {4, 8, 12, 14}, epochs[] = {1, 2, 3, 3};
    double best = (double)INFINITY, rate = (double)3e-3f;
    for (int i = 0; i < 4; i++) {
        ck_assert(w.at[i] == steps[i] && w.epochs[i] == epochs[i]);
        ck_assert(w.rates[i] == rate && isfinite(w.test[i]));
        if (w.validation[i] < best)
            best = w.validation[i];
        else
            rate = (double)(float)(rate * 0.5);
    }
    ck_assert_int_eq(result.epochs, 3);
    ck_assert(result.by_steps == 1 && result.steps == 14);
    ck_assert_int_eq(train("other", "reference", ", validation: 15", base, &without, 0, &other),
                     CAIRN_OK);
    ck_assert(isnan(without.test[0]));
    ck_assert_str_eq(result.weights_sha256, other.weights_sha256);
    ck_assert_str_eq(result.best_weights_sha256, other.best_weights_sha256);
}
END_TEST

/* A run that is done is tested again elsewhere, but what is told of its training stays. */
START_TEST(done_before)
{
    struct watch w = {.stop = 0};
    struct cairn_train_result first, again;
    char path[512], *before, *after;
    ck_assert_int_eq(train("run", "reference", "", "steps: 2", &w, 0, &first), CAIRN_OK);
    snprintf(path, sizeof path, "%s/summary.json", in_scratch("run"));
    size_t size;
    ck_assert_int_eq(cairn_file_read_text(path, "summary", &before, &size), CAIRN_OK);
    ck_assert_int_eq(train("run", "opencl", "", "steps: 2", &w, 1, &again), CAIRN_OK);
    ck_assert_str_eq(again.weights_sha256, first.weights_sha256);
    ck_assert_str_ne(again.device, first.device);
    ck_assert_int_eq(cairn_file_read_text(path, "summary", &after, &size), CAIRN_OK);
    ck_assert_str_eq(before, after);

    /* Where the summary went, it is written anew. */
    ck_assert_int_eq(remove(path), 0);
    ck_assert_int_eq(train("run", "opencl", "", "steps: 2", &w, 1, &again), CAIRN_OK);
    free(after);
    ck_assert_int_eq(cairn_file_read_text(path, "summary", &after, &size), CAIRN_OK);
    ck_assert_ptr_nonnull(strstr(after, first.weights_sha256));
    free(before);
    free(after);
}
END_TEST

/* Training stops after two evaluations without better weights, and the better ones are tested. */
START_TEST(patience)
{
    struct watch w = {.stop = 0}, again = {.stop = 0};
    struct cairn_train_result result, last;
    const char *data = ", validation: 15", *keys = "epochs: 60, patience: 2";
    ck_assert_msg(train("run", "reference", data, keys, &w, 0, &result) == CAIRN_OK, "%s",
                  cairn_error());
    ck_assert_int_lt(result.epochs, 60);
    ck_assert_int_eq(result.best_epoch, result.epochs - 2);
    ck_assert(result.best_step == 5 * result.best_epoch);
    ck_assert_str_ne(result.weights_sha256, result.best_weights_sha256);
    ck_assert(fabs(result.validation_loss - w.validation[result.best_epoch - 1]) < 1e-12);
    /* a finished run trains no more */
    ck_assert_int_eq(train("run", "reference", data, keys, &again, 1, &last), CAIRN_OK);
    ck_assert(again.steps == 0 && again.evaluations == 0);
    ck_assert_str_eq(result.weights_sha256, last.weights_sha256);
    /* keep: last stops at the same place with the last weights */
    ck_assert_int_eq(
        train("last", "reference", data, "epochs: 60, patience: 2, keep: last", &again, 0, &last),
        CAIRN_OK);
    ck_assert_str_eq(result.weights_sha256, last.weights_sha256);
    ck_assert_str_eq(last.weights_sha256, last.best_weights_sha256);
    ck_assert_int_eq(last.best_epoch, last.epochs);
}
END_TEST

/* Running statistics are saved and part of the digest, and have no moments. */
START_TEST(statistics)
{
    struct watch w = {.stop = 0};
    struct cairn_train_result result;
    struct cairn_st_file file;
    ck_assert_int_eq(train("run", "reference", "", "optimizer: adam, steps: 2", &w, 0, &result),
                     CAIRN_OK);
    ck_assert_int_eq(cairn_st_read(in_scratch("run/last.safetensors"), &file), CAIRN_OK);
    const struct cairn_st_tensor *mean = cairn_st_find(&file, "1.running_mean"),
                                 *var = cairn_st_find(&file, "1.running_var");
    ck_assert(mean && var && mean->dims[0] == 4 && var->dims[0] == 4);
    ck_assert(((const float *)mean->data)[0] != 0 && ((const float *)var->data)[0] != 1);
    ck_assert_ptr_null(cairn_st_find(&file, "moment1.1.running_mean"));
    ck_assert_ptr_nonnull(cairn_st_find(&file, "moment2.1.weight"));
    ((float *)var->data)[0] += 1;
    ck_assert_int_eq(cairn_st_write(in_scratch("run/last.safetensors"), &file), CAIRN_OK);
    cairn_st_free(&file);
    ck_assert_int_eq(train("run", "reference", "", "optimizer: adam, steps: 2", &w, 1, &result),
                     CAIRN_FORMAT);
    ck_assert_msg(strstr(cairn_error(), "cairn.sha256 differs") != NULL, "%s", cairn_error());
}
END_TEST

/* Three trainings, each validating on another third; interrupted in the second, the first is not
 * trained again. */
START_TEST(folds)
{
    const char *keys = "epochs: 2, folds: 3";
    struct watch w = {.stop = 0}, first = {.stop_fold = 2}, rest = {.stop = 0};
    struct cairn_train_result expected, result;
    ck_assert_msg(train("whole", "reference", "", keys, &w, 0, &expected) == CAIRN_OK, "%s",
                  cairn_error());
    ck_assert(expected.folds == 3 && w.folds == 3 && w.evaluations == 6);
    double a = w.validation[1], b = w.validation[3], c = w.validation[5], mean = (a + b + c) / 3;
    double deviation =
        sqrt(((a - mean) * (a - mean) + (b - mean) * (b - mean) + (c - mean) * (c - mean)) / 2);
    if (w.validation[1] < w.validation[0] && w.validation[3] < w.validation[2] &&
        w.validation[5] < w.validation[4]) { /* the last weights of each may not be its best */
        ck_assert(fabs(expected.fold_validation_loss.mean - mean) < 0.2);
        ck_assert(expected.fold_validation_loss.deviation < deviation + 0.2);
    }
    char *summary = read_text(in_scratch("whole/summary.json"));
    ck_assert_ptr_nonnull(strstr(summary, "\"fold\": 3"));
    free(summary);
    cairn_status st = CAIRN_INTERRUPTED;
    int starts = 0;
    for (; st == CAIRN_INTERRUPTED; starts++) { /* the first start stops in the second fold */
        struct watch part = {.stop_at = 3};
        ck_assert_int_lt(starts, 40);
        st = train("parts", "reference", "", keys, starts ? &part : &first, starts > 0, &result);
        if (st == CAIRN_INTERRUPTED) {
            char *at = in_scratch("parts");
            ck_assert_msg(strstr(cairn_error(), at) && !strstr(cairn_error(), "fold-"), "%s",
                          cairn_error());
        }
    }
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert(first.folds == 1 && starts > 1);
    ck_assert(result.fold_validation_loss.mean == expected.fold_validation_loss.mean);
    ck_assert(result.fold_test_accuracy.deviation == expected.fold_test_accuracy.deviation);
    for (int fold = 1; fold <= 3; fold++) {
        char one[64], two[64];
        snprintf(one, sizeof one, "whole/fold-%d", fold);
        snprintf(two, sizeof two, "parts/fold-%d", fold);
        char *x = timeless(in_scratch(one)), *y = timeless(in_scratch(two));
        ck_assert_str_eq(x, y);
        free(x);
        free(y);
    }
    /* done: nothing is trained; a single fold is not resumed as if it were all */
    ck_assert_int_eq(train("parts", "reference", "", keys, &rest, 1, &result), CAIRN_OK);
    ck_assert(rest.steps == 0 && rest.folds == 3);
    ck_assert_int_eq(train("parts/fold-2", "reference", "", keys, &rest, 1, &result),
                     CAIRN_INVALID);
    ck_assert_msg(strstr(cairn_error(), "above the folds") != NULL, "%s", cairn_error());
    ck_assert_int_eq(train("parts", "reference", "", "epochs: 1, folds: 3", &rest, 1, &result),
                     CAIRN_INVALID);
    ck_assert_int_eq(train("parts", "reference", "", keys, &rest, 0, &result), CAIRN_EXISTS);
}
END_TEST

/* What only the data can tell. */
static const struct {
    const char *data, *train, *complaint;
} refused[] = {
    {"", "class_weights: 1 2 3", "train.class_weights: 3 weights are given, but glyphs has 10"},
    {", augment: crop=29", "epochs: 1",
     "data.augment: crop=29x29 is larger than the images, 28x28"},
    {", pad: 1, augment: crop=29x31", "epochs: 1", "larger than the images, 30x30"},
    {", patches: 5", "epochs: 1", "data.patches"},
    {"", "folds: 151", "train.folds: 151 are more than the 150 training images"},
    {", validation: 150", "epochs: 1", "data.validation"},
};

START_TEST(refusals)
{
    struct watch w = {.stop = 0};
    struct cairn_train_result result;
    ck_assert_int_eq(train("run", "reference", refused[_i].data, refused[_i].train, &w, 0, &result),
                     CAIRN_INVALID);
    ck_assert_msg(strstr(cairn_error(), refused[_i].complaint) != NULL, "%s", cairn_error());
    ck_assert_int_eq(cairn_file_exists(in_scratch("run")), 0);
}
END_TEST

#define COUNT(table) (int)(sizeof table / sizeof *table)

int main(void)
{
    Suite *suite = suite_create("resume");
    TCase *tc = tcase_create("resume");
    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
    tcase_add_loop_test(tc, interrupted, 0, COUNT(everything));
    tcase_add_test(tc, by_steps);
    tcase_add_test(tc, done_before);
    tcase_add_test(tc, patience);
    tcase_add_test(tc, statistics);
    tcase_add_test(tc, folds);
    tcase_add_loop_test(tc, refusals, 0, COUNT(refused));
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
