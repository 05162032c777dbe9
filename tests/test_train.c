/* Training as a whole: it learns, and a run ends in the same weights however it got there. */
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

/* Stops a run at its n-th step event; the first two steps of each start give one each. */
struct watch {
    volatile sig_atomic_t stop;
    int steps, stop_at, epochs, stop_epoch, kinds[CAIRN_TRAIN_FOLD + 1];
    double losses[16];
};

static void watch_event(void *context, const struct cairn_train_event *event)
{
    struct watch *w = context;
    w->kinds[event->kind]++;
    if (event->kind == CAIRN_TRAIN_STEP && ++w->steps == w->stop_at) w->stop = 1;
    if (event->kind == CAIRN_TRAIN_EVALUATED && w->epochs < 16)
        w->losses[w->epochs++] = event->train_loss;
    if (event->kind == CAIRN_TRAIN_EVALUATED && event->epoch == w->stop_epoch) w->stop = 1;
}

#define TINY "data/recipes/glyphs-tiny.yaml"
static const char *const short_sets[] = {"data.limit_train=150", "data.limit_test=60",
                                         "train.epochs=3"};

static cairn_status train(const char *name, const char *device, struct watch *w, int resume,
                          struct cairn_train_result *result)
{
    struct cairn_train_options o = {
        .recipe = TINY,
        .sets = short_sets,
        .set_count = 3,
        .compute = {.device = device},
        .out = in_scratch(name),
        .resume = resume,
        .stop = &w->stop,
        .event = watch_event,
        .context = w,
    };
    return cairn_train(&o, result);
}

START_TEST(learns)
{
    static const char *const sets[] = {"data.limit_train=600", "data.limit_test=300",
                                       "train.epochs=8", "train.learning_rate=0.01", "vars.drop=0"};
    struct watch w = {.stop = 0};
    struct cairn_train_options o = {.recipe = TINY,
                                    .sets = sets,
                                    .set_count = 5,
                                    .compute = {.device = "reference"},
                                    .out = in_scratch("run"),
                                    .event = watch_event,
                                    .context = &w};
    struct cairn_train_result result;
    ck_assert_msg(cairn_train(&o, &result) == CAIRN_OK, "%s", cairn_error());
    ck_assert_int_eq(w.epochs, 8);
    ck_assert_msg(w.losses[7] < 0.6 * w.losses[0], "loss %g to %g", w.losses[0], w.losses[7]);
    ck_assert_msg(result.test_accuracy > 0.5, "accuracy %g", result.test_accuracy);
    ck_assert_int_eq(result.steps, 8 * 17); /* 540 images in batches of 32, the last one ragged */
    ck_assert_int_eq(w.kinds[CAIRN_TRAIN_STARTED], 1);
    ck_assert_int_eq(w.kinds[CAIRN_TRAIN_TESTING], 1);

    /* The weights in the files are those of the digests, and testing them again gives the same. */
    struct cairn_eval_result best, last;
    struct cairn_eval_options e = {.run = o.out, .compute = {.device = "reference"}};
    ck_assert_msg(cairn_eval(&e, &best) == CAIRN_OK, "%s", cairn_error());
    e.last = 1;
    ck_assert_msg(cairn_eval(&e, &last) == CAIRN_OK, "%s", cairn_error());
    ck_assert_str_eq(best.weights_sha256, result.best_weights_sha256);
    ck_assert_str_eq(last.weights_sha256, result.weights_sha256);
    ck_assert(best.loss == result.test_loss && best.accuracy == result.test_accuracy);
    ck_assert_int_eq(best.epoch, result.best_epoch);
    int64_t sum = 0, diagonal = 0;
    for (int i = 0; i < 100; i++) {
        sum += best.confusion[i];
        if (i % 11 == 0) diagonal += best.confusion[i];
    }
    ck_assert_int_eq(sum, 300);
    ck_assert_int_eq(diagonal, best.correct);
    cairn_eval_result_free(&best);
    cairn_eval_result_free(&last);
}
END_TEST

/* Stopped again and again, at every second step, on changing devices: the same weights and the same
 * lines. */
START_TEST(interrupted)
{
    static const char *const devices[2][2] = {{"reference", "reference"}, {"opencl", "reference"}};
    struct watch whole = {.stop = 0};
    struct cairn_train_result expected, result;
    ck_assert_msg(train("whole", "reference", &whole, 0, &expected) == CAIRN_OK, "%s",
                  cairn_error());
    ck_assert_int_eq(expected.steps, 15); /* 135 images in batches of 32 */
    cairn_status st = CAIRN_INTERRUPTED;
    int starts = 0;
    for (; st == CAIRN_INTERRUPTED; starts++) {
        struct watch w = {.stop_at = 2};
        ck_assert_int_lt(starts, 20);
        st = train("parts", devices[_i][starts % 2], &w, starts > 0, &result);
        if (st == CAIRN_INTERRUPTED)
            ck_assert_msg(strstr(cairn_error(), "--resume") != NULL, "%s", cairn_error());
    }
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert_int_ge(starts, 7);
    ck_assert_str_eq(result.weights_sha256, expected.weights_sha256);
    ck_assert_str_eq(result.best_weights_sha256, expected.best_weights_sha256);
    ck_assert(result.test_loss == expected.test_loss);
    char *a = timeless(in_scratch("whole")), *b = timeless(in_scratch("parts"));
    ck_assert_str_eq(a, b);
    free(a);
    free(b);
}
END_TEST

START_TEST(stopped_before_it_began)
{
    struct watch w = {.stop = 1};
    struct cairn_train_result result;
    ck_assert_int_eq(train("deep/down/run", "reference", &w, 0, &result), CAIRN_INTERRUPTED);
    ck_assert_int_eq(cairn_file_exists(in_scratch("deep")), 0);
}
END_TEST

/* A crash may leave a line of metrics that the checkpoint does not know yet: the epoch is run
 * again. */
START_TEST(crash_between_files)
{
    struct watch whole = {.stop = 0}, w = {.stop_epoch = 2}, again = {.stop = 0};
    struct cairn_train_result expected, result;
    ck_assert_int_eq(train("whole", "reference", &whole, 0, &expected), CAIRN_OK);
    ck_assert_int_eq(train("run", "reference", &w, 0, &result), CAIRN_INTERRUPTED);
    FILE *file = fopen(in_scratch("run/metrics.jsonl"), "a");
    ck_assert_ptr_nonnull(file);
    fputs("{\"epoch\":3}\n", file);
    fclose(file);
    ck_assert_msg(train("run", "reference", &again, 1, &result) == CAIRN_OK, "%s", cairn_error());
    ck_assert_int_eq(again.epochs, 1);
    ck_assert_str_eq(result.weights_sha256, expected.weights_sha256);
    char *a = timeless(in_scratch("whole")), *b = timeless(in_scratch("run"));
    ck_assert_str_eq(a, b);
    free(a);
    free(b);
    /* Resuming what is finished repeats the end only. */
    struct watch done = {.stop = 0};
    ck_assert_int_eq(train("run", "opencl-or-not", &done, 1, &result), CAIRN_NOT_FOUND);
    ck_assert_int_eq(train("run", "reference", &done, 1, &result), CAIRN_OK);
    ck_assert_int_eq(done.epochs, 0);
    ck_assert_str_eq(result.weights_sha256, expected.weights_sha256);
}
END_TEST

START_TEST(damaged_checkpoint)
{
    struct watch w = {.stop_at = 2}, again = {.stop = 0};
    struct cairn_train_result result;
    ck_assert_int_eq(train("run", "reference", &w, 0, &result), CAIRN_INTERRUPTED);
    struct cairn_st_file file;
    char *path = in_scratch("run/last.safetensors");
    ck_assert_msg(cairn_st_read(path, &file) == CAIRN_OK, "%s", cairn_error());
    size_t i = 0;
    while (i < file.metadata_count && strcmp(file.keys[i], "cairn.step") != 0) i++;
    ck_assert_uint_lt(i, file.metadata_count);
    free(file.values[i]);
    file.values[i] = strdup("2x");
    ck_assert_int_eq(cairn_st_write(path, &file), CAIRN_OK);
    cairn_st_free(&file);
    ck_assert_int_eq(train("run", "reference", &again, 1, &result), CAIRN_FORMAT);
    ck_assert_msg(strstr(cairn_error(), "cairn.step: '2x' is malformed") != NULL, "%s",
                  cairn_error());
    ck_assert_int_eq(truncate(path, 4000), 0);
    ck_assert_int_eq(train("run", "reference", &again, 1, &result), CAIRN_FORMAT);
    ck_assert_msg(strstr(cairn_error(), path) != NULL, "%s", cairn_error());
}
END_TEST

START_TEST(other_recipe)
{
    struct watch w = {.stop_at = 2};
    struct cairn_train_result result;
    ck_assert_int_eq(train("run", "reference", &w, 0, &result), CAIRN_INTERRUPTED);
    struct cairn_train_options o = {.recipe = TINY,
                                    .sets = short_sets,
                                    .set_count = 2,
                                    .compute = {.device = "reference"},
                                    .out = in_scratch("run"),
                                    .resume = 1};
    ck_assert_int_eq(cairn_train(&o, &result), CAIRN_INVALID);
    ck_assert_msg(strstr(cairn_error(), "another recipe") && strstr(cairn_error(), "epochs: 3"),
                  "%s", cairn_error());
}
END_TEST

START_TEST(summary)
{
    struct cairn_compute compute = {0};
    struct cairn_summary s;
    ck_assert_msg(cairn_summarize("data/recipes/kmnist-cnn.yaml", NULL, 0, 0, &compute, &s) ==
                      CAIRN_OK,
                  "%s", cairn_error());
    ck_assert_int_eq(s.parameters, 420906);
    ck_assert_int_eq(s.row_count, 12);
    ck_assert_int_eq(s.rows[6].parameters, 346200);
    ck_assert_int_eq(s.train_images, 48000);
    ck_assert_int_eq(s.steps_per_epoch, 750);
    ck_assert_int_eq(s.data_bytes, 70000 * 785);
    /* at least the numbers themselves, at most 15 floats of gap for each of the 10 tensors */
    ck_assert(s.weights_bytes >= 4 * 420906 && s.weights_bytes <= 4 * (420906 + 150));
    ck_assert_int_eq(s.moments_bytes, 2 * s.weights_bytes);
    ck_assert_int_eq(s.total_bytes, s.weights_bytes + s.gradients_bytes + s.moments_bytes +
                                        s.activations_bytes + s.data_bytes + s.other_bytes);
    int64_t small = s.activations_bytes;
    cairn_summary_free(&s);
    ck_assert_int_eq(cairn_summarize("data/recipes/kmnist-cnn.yaml", NULL, 0, 1024, &compute, &s),
                     CAIRN_OK);
    /* batches of 64 need less than evaluations, which take 256 images; from there on in proportion */
    ck_assert_int_eq(s.activations_bytes, 4 * small);
    cairn_summary_free(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train");
    TCase *tc = tcase_create("train");
    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
    tcase_add_test(tc, learns);
    tcase_add_loop_test(tc, interrupted, 0, 2);
    tcase_add_test(tc, stopped_before_it_began);
    tcase_add_test(tc, crash_between_files);
    tcase_add_test(tc, damaged_checkpoint);
    tcase_add_test(tc, other_recipe);
    tcase_add_test(tc, summary);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
