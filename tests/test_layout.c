/* Padding and patches of data sets, on images made by hand. What is refused is in
 * test_bad_input.c. */
#include "data/dataset.h"
#include "suite.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Two images to train and one to test; pixel (i, k, y, x) of train is 1 + its place, of test 255
 * less it. */
static struct cairn_dataset make(int c, int h, int w)
{
    struct cairn_dataset d = {.name = "made", .c = c, .h = h, .w = w, .classes = 2};
    int item = c * h * w;
    d.train = (struct cairn_images){2, malloc((size_t)(2 * item)), calloc(2, 1)};
    d.test = (struct cairn_images){1, malloc((size_t)item), calloc(1, 1)};
    for (int i = 0; i < 2 * item; i++) d.train.pixels[i] = (uint8_t)(1 + i);
    for (int i = 0; i < item; i++) d.test.pixels[i] = (uint8_t)(255 - i);
    d.train.labels[1] = 1;
    return d;
}

static void expect_shape(const struct cairn_dataset *d, int c, int h, int w)
{
    ck_assert_msg(d->c == c && d->h == h && d->w == w, "%dx%dx%d", d->c, d->h, d->w);
}

static void good(cairn_status st)
{
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
}

START_TEST(test_pad_by_hand)
{
    static const uint8_t first[2][4][6] = {
        {{0}, {0, 0, 1, 2, 0, 0}, {0, 0, 3, 4, 0, 0}, {0}},
        {{0}, {0, 0, 5, 6, 0, 0}, {0, 0, 7, 8, 0, 0}, {0}},
    };
    static const uint8_t tested[2][4][6] = {
        {{0}, {0, 0, 255, 254, 0, 0}, {0, 0, 253, 252, 0, 0}, {0}},
        {{0}, {0, 0, 251, 250, 0, 0}, {0, 0, 249, 248, 0, 0}, {0}},
    };
    struct cairn_dataset d = make(2, 2, 2);
    good(cairn_dataset_pad(&d, 1, 2));
    expect_shape(&d, 2, 4, 6);
    ck_assert_mem_eq(d.train.pixels, first, sizeof first);
    ck_assert_mem_eq(d.test.pixels, tested, sizeof tested);
    ck_assert(d.train.count == 2 && d.test.count == 1 && d.train.labels[1] == 1);
    cairn_dataset_free(&d);
}
END_TEST

static const int sizes[][5] = {
    /* c, h, w, pad_h, pad_w */
    {1, 1, 1, 0, 0}, {1, 1, 1, 3, 0}, {1, 1, 1, 0, 3}, {3, 2, 5, 0, 0},
    {3, 2, 5, 1, 1}, {2, 7, 3, 4, 5}, {1, 5, 4, 2, 2},
};

START_TEST(test_pad_sizes)
{
    const int *s = sizes[_i];
    struct cairn_dataset before = make(s[0], s[1], s[2]), d = make(s[0], s[1], s[2]);
    int h = s[1] + 2 * s[3], w = s[2] + 2 * s[4], at = 0;
    good(cairn_dataset_pad(&d, s[3], s[4]));
    expect_shape(&d, s[0], h, w);
    for (int p = 0; p < 2 * s[0]; p++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++, at++) {
                int from_y = y - s[3], from_x = x - s[4];
                int inside = from_y >= 0 && from_y < s[1] && from_x >= 0 && from_x < s[2];
                int from = (p * s[1] + from_y) * s[2] + from_x;
                ck_assert_int_eq(d.train.pixels[at], inside ? before.train.pixels[from] : 0);
            }
    cairn_dataset_free(&d);
    cairn_dataset_free(&before);
}
END_TEST

/* Patches of 2x3 of images of 2x4x6. */
START_TEST(test_patch_by_hand)
{
    static const uint8_t first[8][6] = {
        {1, 2, 3, 7, 8, 9},       {25, 26, 27, 31, 32, 33}, /* top left: channel 0, 1 */
        {4, 5, 6, 10, 11, 12},    {28, 29, 30, 34, 35, 36}, /* top right */
        {13, 14, 15, 19, 20, 21}, {37, 38, 39, 43, 44, 45}, /* bottom left */
        {16, 17, 18, 22, 23, 24}, {40, 41, 42, 46, 47, 48},
    };
    struct cairn_dataset d = make(2, 4, 6);
    good(cairn_dataset_patch(&d, 2, 3));
    expect_shape(&d, 8, 2, 3);
    ck_assert_mem_eq(d.train.pixels, first, sizeof first);
    for (int i = 0; i < 48; i++) {
        ck_assert_int_eq(d.train.pixels[48 + i], ((uint8_t *)first)[i] + 48);
        ck_assert_int_eq(d.test.pixels[i], 256 - ((uint8_t *)first)[i]);
    }
    cairn_dataset_free(&d);
}
END_TEST

/* One patch is the image; patches of 1x1 put the channels innermost. */
START_TEST(test_patch_extremes)
{
    struct cairn_dataset before = make(3, 4, 5), d = make(3, 4, 5);
    good(cairn_dataset_patch(&d, 4, 5));
    expect_shape(&d, 3, 4, 5);
    ck_assert_mem_eq(d.train.pixels, before.train.pixels, 120);
    good(cairn_dataset_patch(&d, 1, 1));
    expect_shape(&d, 60, 1, 1);
    for (int i = 0; i < 20; i++)
        for (int k = 0; k < 3; k++)
            ck_assert_int_eq(d.train.pixels[60 + i * 3 + k], before.train.pixels[60 + k * 20 + i]);
    cairn_dataset_free(&d);
    cairn_dataset_free(&before);
}
END_TEST

/* A described data set has a shape and no pixels. */
START_TEST(test_shapes_alone)
{
    struct cairn_dataset d = {.name = "made", .c = 1, .h = 28, .w = 28, .train.count = 60000};
    good(cairn_dataset_pad(&d, 2, 0));
    expect_shape(&d, 1, 32, 28);
    good(cairn_dataset_patch(&d, 8, 14));
    expect_shape(&d, 8, 8, 14);
    ck_assert(!d.train.pixels && !d.test.pixels && d.train.count == 60000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layout");
    TCase *tc = tcase_create("layout");
    tcase_add_test(tc, test_pad_by_hand);
    tcase_add_loop_test(tc, test_pad_sizes, 0, (int)(sizeof sizes / sizeof *sizes));
    tcase_add_test(tc, test_patch_by_hand);
    tcase_add_test(tc, test_patch_extremes);
    tcase_add_test(tc, test_shapes_alone);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
