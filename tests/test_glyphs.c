/* The data set "glyphs" is what it is meant to be: too hard for a linear classifier, easy for a
 * small convolutional net. Trains the two delivered recipes on the best OpenCL device, or on the
 * reference where there is none. */
#include <cairn/train.h>
#include "scratch.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double train(const char *recipe)
{
    struct cairn_device_info info;
    struct cairn_train_result result;
    char out[128];
    struct cairn_train_options options = {.recipe = recipe, .out = out};
    snprintf(out, sizeof out, "%s/run", scratch);
    options.compute.device =
        cairn_device_find("opencl", &info) == CAIRN_OK ? "opencl" : "reference";
    cairn_status st = cairn_train(&options, &result);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    fprintf(stderr, "%s on %s: test accuracy %.4f, %.0f images per second\n", recipe, result.device,
            result.test_accuracy, result.samples_per_second);
    ck_assert_int_eq(result.test_images, 2000);
    return result.test_accuracy;
}

START_TEST(test_softmax_regression)
{
    double accuracy = train("glyphs-softmax");
    ck_assert_double_lt(accuracy, 0.90);
    ck_assert_double_gt(accuracy, 0.60); /* it has learnt what it can */
}
END_TEST

START_TEST(test_convolutional_net)
{
    ck_assert_double_gt(train("glyphs-cnn"), 0.97);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("glyphs");
    TCase *tc = tcase_create("glyphs");
    tcase_set_timeout(tc, 500);
    tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
    tcase_add_test(tc, test_softmax_regression);
    tcase_add_test(tc, test_convolutional_net);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
