/* im2col, col2im and pooling of the reference against oracles, finite differences and chosen
 * values. */
#include "oracle/trial.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void draw_windows(struct trial *t, const char *op, int padded_below_kernel)
{
    int kh = (int)draw_between(1, 4), kw = (int)draw_between(1, 4), dh = 1, dw = 1;
    char dilation[64] = "";
    if (!padded_below_kernel && draw_between(0, 1)) {
        dh = (int)draw_between(1, 5), dw = (int)draw_between(1, 3);
        snprintf(dilation, sizeof dilation, " dilation_h=%d dilation_w=%d", dh, dw);
    }
    int h = (int)draw_between((kh - 1) * dh + 1, 10 + (kh - 1) * (dh - 1)),
        w = (int)draw_between((kw - 1) * dw + 1, 11 + (kw - 1) * (dw - 1));
    int most_h = padded_below_kernel ? kh - 1 : 4, most_w = padded_below_kernel ? kw - 1 : 4;
    const char *planes = padded_below_kernel ? "planes=%d" : "n=2 c=%d";
    char line[300], head[32];
    snprintf(head, sizeof head, planes, (int)draw_between(1, 4));
    snprintf(
        line, sizeof line,
        "%s %s h=%d w=%d kh=%d kw=%d stride_h=%d stride_w=%d pad_t=%d pad_b=%d pad_l=%d pad_r=%d%s",
        op, head, h, w, kh, kw, (int)draw_between(1, 3), (int)draw_between(1, 3),
        (int)draw_between(0, most_h), (int)draw_between(0, most_h), (int)draw_between(0, most_w),
        (int)draw_between(0, most_w), dilation);
    trial_init(t, "%s", line);
}

START_TEST(im2col_random)
{
    draw_seed(20);
    for (int i = 0; i < 60; i++) {
        struct trial t;
        draw_windows(&t, "im2col", 0);
        draw_floats(trial_floats(&t, "x"), trial_extent(&t, "x"), -1, 1);
        double *x = trial_doubles(&t, "x"), *want = trial_doubles(&t, "col");
        oracle_im2col(&t.problem.u.im2col, x, want);
        trial_run(&t, draw_between(0, 3));
        for (int64_t e = 0; e < trial_extent(&t, "col"); e++)
            ck_assert(same_bits(trial_floats(&t, "col")[e], (float)want[e]));
        free(x), free(want);
        trial_finish(&t);
    }
}
END_TEST

START_TEST(col2im_random)
{
    draw_seed(21);
    for (int i = 0; i < 60; i++) {
        struct trial t;
        draw_windows(&t, "col2im", 0);
        draw_floats(trial_floats(&t, "col"), trial_extent(&t, "col"), -1, 1);
        double *col = trial_doubles(&t, "col"), *want = trial_doubles(&t, "x"),
               *mag = trial_doubles(&t, "x");
        oracle_col2im(&t.problem.u.im2col, col, want, mag);
        trial_run(&t, draw_between(0, 3));
        for (int64_t e = 0; e < trial_extent(&t, "x"); e++)
            ck_near(trial_floats(&t, "x")[e], want[e], 16 * 0x1p-24 * mag[e], "col2im %d [%lld]", i,
                    (long long)e);
        free(col), free(want), free(mag);
        trial_finish(&t);
    }
}
END_TEST

/* Values that im2col copies bit by bit, -0 and denormals too; +0 in the padding. */
START_TEST(im2col_copies)
{
    struct trial t;
    trial_init(&t, "im2col h=1 w=4 kh=1 kw=1 pad_l=1");
    const float x[4] = {-0.0f, 0x1p-149f, -INFINITY, NAN};
    memcpy(trial_floats(&t, "x"), x, sizeof x);
    trial_run(&t, 1);
    const float *col = trial_floats(&t, "col");
    ck_assert(same_bits(col[0], 0.0f));
    for (int i = 0; i < 4; i++) ck_assert(same_bits(col[i + 1], x[i]));
    trial_finish(&t);
}
END_TEST

START_TEST(pool_random)
{
    static const float specials[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 0x1p-149f, -0x1p-149f};
    draw_seed(22);
    for (int i = 0; i < 120; i++) {
        struct trial t;
        draw_windows(&t, "pool", 1);
        int64_t count = trial_extent(&t, "x");
        float *x = trial_floats(&t, "x");
        int relu = i % 2;
        t.problem.u.pool.act = relu ? CAIRN_ACT_RELU : CAIRN_ACT_NONE;
        for (int64_t e = 0; e < count; e++) /* few values, so that there are many ties */
            x[e] = i % 3 == 2 && draw_u32() % 4 == 0 ? specials[draw_u32() % 7]
                                                     : (float)draw_between(-2, 2);
        double *in = trial_doubles(&t, "x"), *want = trial_doubles(&t, "y");
        int32_t *index = calloc((size_t)trial_extent(&t, "y"), sizeof *index);
        for (int64_t e = 0; relu && e < count; e++)
            if (in[e] < 0) in[e] = 0;
        oracle_pool(&t.problem.u.pool, in, want, index);
        trial_run(&t, draw_between(0, 3));
        for (int64_t e = 0; e < trial_extent(&t, "y"); e++) {
            ck_assert_int_eq(trial_ints(&t, "index")[e], relu && want[e] <= 0 ? -1 : index[e]);
            ck_assert(same_bits(trial_floats(&t, "y")[e], (float)want[e]));
        }
        free(in), free(want), free(index);
        trial_finish(&t);
    }
}
END_TEST

/* The first in row order wins a tie, also between zeros of both signs; the last NaN wins over all.
 */
START_TEST(pool_ties_and_nans)
{
    struct trial t;
    const float x[4][4] = {{-0.0f, 0.0f, 0.0f, -0.0f},
                           {NAN, 1, NAN, INFINITY},
                           {-INFINITY, -INFINITY, -INFINITY, -INFINITY},
                           {1, 2, 2, 0}};
    trial_init(&t, "pool planes=4 h=2 w=2 kh=2 kw=2");
    memcpy(trial_floats(&t, "x"), x, sizeof x);
    trial_run(&t, 0);
    const int32_t *index = trial_ints(&t, "index");
    const float *y = trial_floats(&t, "y");
    ck_assert(index[0] == 0 && same_bits(y[0], -0.0f));
    ck_assert(index[1] == 2 && isnan(y[1]));
    ck_assert(index[2] == 0 && y[2] == -INFINITY);
    ck_assert(index[3] == 1 && same_bits(y[3], 2));
    trial_finish(&t);
}
END_TEST

/* Padding never wins: a border of negative values keeps them. */
START_TEST(pool_padding_never_wins)
{
    struct trial t;
    trial_init(&t, "pool h=2 w=2 kh=2 kw=2 pad_t=1 pad_b=1 pad_l=1 pad_r=1");
    for (int i = 0; i < 4; i++) trial_floats(&t, "x")[i] = -1 - (float)i;
    trial_run(&t, 0);
    for (int i = 0; i < 9; i++) ck_assert(trial_floats(&t, "y")[i] < 0);
    ck_assert_int_eq(trial_ints(&t, "index")[8], 3);
    trial_finish(&t);
}
END_TEST

/* pool on x, then pool_grad with its indices, against the oracle and against slopes of sum(y dy).
 */
START_TEST(pool_grad_random)
{
    draw_seed(23);
    for (int i = 0; i < 60; i++) {
        struct trial t, back;
        char line[256];
        draw_windows(&t, "pool", 1);
        int64_t count = trial_extent(&t, "x"), windows = trial_extent(&t, "y");
        for (int64_t e = 0; e < count; e++) /* distinct values, 1/64 apart or more */
            trial_floats(&t, "x")[e] = (float)((e * 37) % 1009) / 64 - 5;
        double *x = trial_doubles(&t, "x");
        trial_run(&t, 0);
        cairn_problem_print(&t.problem, line, sizeof line);
        trial_init(&back, "pool_grad%s", line + strlen("pool"));
        draw_floats(trial_floats(&back, "y"), windows, -1, 1);
        memcpy(trial_ints(&back, "index"), trial_ints(&t, "index"),
               (size_t)windows * sizeof(int32_t));
        double *dy = trial_doubles(&back, "y"), *want = calloc((size_t)count, sizeof *want),
               *mag = calloc((size_t)count, sizeof *mag);
        double *y = calloc((size_t)windows, sizeof *y);
        int32_t *index = calloc((size_t)windows, sizeof *index);
        trial_run(&back, draw_between(0, 3));
        oracle_pool_grad(&back.problem.u.pool, dy, trial_ints(&back, "index"), want, mag);
        for (int64_t e = 0; e < count; e++) {
            ck_near(trial_floats(&back, "x")[e], want[e], 16 * 0x1p-24 * mag[e],
                    "pool_grad %d [%lld]", i, (long long)e);
            const double h = 1.0 / 1024, kept = x[e];
            double slope = 0;
            for (int side = -1; side <= 1; side += 2) {
                x[e] = kept + side * h;
                oracle_pool(&t.problem.u.pool, x, y, index);
                for (int64_t w = 0; w < windows; w++) slope += side * y[w] * dy[w] / (2 * h);
            }
            x[e] = kept;
            ck_near(trial_floats(&back, "x")[e], slope, 1e-6 + 16 * 0x1p-24 * mag[e],
                    "slope %d [%lld]", i, (long long)e);
        }
        free(x), free(dy), free(want), free(mag), free(y), free(index);
        trial_finish(&t);
        trial_finish(&back);
    }
}
END_TEST

static void draw_means(struct trial *t, const char *op, int i)
{
    char line[256];
    struct trial shape;
    if (i % 4 == 0) { /* one window over the whole plane */
        int h = (int)draw_between(1, 9), w = (int)draw_between(1, 9);
        trial_init(t, "%s kind=average planes=%d h=%d w=%d kh=%d kw=%d", op,
                   (int)draw_between(1, 40), h, w, h, w);
        return;
    }
    draw_windows(&shape, "pool", 1);
    cairn_problem_print(&shape.problem, line, sizeof line);
    trial_init(t, "%s kind=average%s count_pad=%d", op, line + strlen("pool"), i % 2);
    trial_finish(&shape);
}

/* kh kw additions and a division, each share's own included. */
static double mean_bound(const struct trial *t, double mag)
{
    const struct cairn_pool *p = &t->problem.u.pool;
    return (double)(p->kh * p->kw + 2) * (0x1p-24 * mag + 0x1p-150);
}

START_TEST(pool_mean_random)
{
    draw_seed(24);
    for (int i = 0; i < 160; i++) {
        struct trial t;
        draw_means(&t, "pool", i);
        draw_floats(trial_floats(&t, "x"), trial_extent(&t, "x"), -1, 1);
        double *x = trial_doubles(&t, "x"), *want = trial_doubles(&t, "y"),
               *mag = trial_doubles(&t, "y");
        oracle_pool_mean(&t.problem.u.pool, x, want, mag);
        ck_assert_int_eq(trial_extent(&t, "index"), 0);
        trial_run(&t, draw_between(0, 3));
        for (int64_t e = 0; e < trial_extent(&t, "y"); e++)
            ck_near(trial_floats(&t, "y")[e], want[e], mean_bound(&t, mag[e]), "mean %d [%lld]", i,
                    (long long)e);
        free(x), free(want), free(mag);
        trial_finish(&t);
    }
}
END_TEST

/* pool_grad against the transposed oracle and against slopes of sum(y dy). */
START_TEST(pool_mean_grad_random)
{
    draw_seed(25);
    for (int i = 0; i < 80; i++) {
        struct trial t;
        draw_means(&t, "pool_grad", i);
        int64_t count = trial_extent(&t, "x"), windows = trial_extent(&t, "y");
        draw_floats(trial_floats(&t, "y"), windows, -1, 1);
        double *dy = trial_doubles(&t, "y"), *want = trial_doubles(&t, "x"),
               *mag = trial_doubles(&t, "x"), *x = trial_doubles(&t, "x"),
               *y = trial_doubles(&t, "y"), *unused = trial_doubles(&t, "y");
        oracle_pool_mean_grad(&t.problem.u.pool, dy, want, mag);
        trial_run(&t, draw_between(0, 3));
        for (int64_t e = 0; e < count; e++)
            ck_near(trial_floats(&t, "x")[e], want[e], mean_bound(&t, mag[e]), "grad %d [%lld]", i,
                    (long long)e);
        for (int tries = 0; tries < 20; tries++) {
            int64_t e = draw_between(0, count - 1);
            double slope = 0;
            for (int side = -1; side <= 1; side += 2) {
                x[e] = side * 0.5;
                oracle_pool_mean(&t.problem.u.pool, x, y, unused);
                for (int64_t w = 0; w < windows; w++) slope += side * y[w] * dy[w];
            }
            x[e] = 0;
            ck_near(trial_floats(&t, "x")[e], slope, 1e-12 + mean_bound(&t, mag[e]),
                    "slope %d [%lld]", i, (long long)e);
        }
        free(dy), free(want), free(mag), free(x), free(y), free(unused);
        trial_finish(&t);
    }
}
END_TEST

/* The order of the sum, one rounding of the division, what divides. */
START_TEST(pool_mean_bits)
{
    struct trial t;
    trial_init(&t, "pool kind=average h=2 w=2 kh=2 kw=2");
    const float x[4] = {0x1p24f, 1, 1, -0x1p24f}; /* (2^24 + 1) + 1 stays at 2^24 */
    memcpy(trial_floats(&t, "x"), x, sizeof x);
    trial_run(&t, 0);
    ck_assert(same_bits(trial_floats(&t, "y")[0], 0.0f));
    trial_finish(&t);
    for (int count_pad = 0; count_pad < 2; count_pad++) {
        trial_init(&t, "pool kind=average h=1 w=3 kw=3 pad_l=2 pad_r=1 count_pad=%d", count_pad);
        for (int i = 0; i < 3; i++) trial_floats(&t, "x")[i] = 1;
        trial_run(&t, 1);
        const float sums[4] = {1, 2, 3, 2};
        for (int i = 0; i < 4; i++)
            ck_assert(same_bits(trial_floats(&t, "y")[i], count_pad ? sums[i] / 3 : 1));
        trial_finish(&t);
    }
    trial_init(&t, "pool kind=average h=1 w=6 kw=2 stride_w=2");
    const float edges[6] = {-0.0f, -0.0f, INFINITY, -INFINITY, -0x1p-149f, 0};
    memcpy(trial_floats(&t, "x"), edges, sizeof edges);
    trial_run(&t, 0);
    ck_assert(same_bits(trial_floats(&t, "y")[0], 0.0f));
    ck_assert(isnan(trial_floats(&t, "y")[1]));
    ck_assert(same_bits(trial_floats(&t, "y")[2], -0.0f)); /* a tie, to even */
    trial_finish(&t);
    trial_init(&t, "pool_grad kind=average h=1 w=3 kw=2");
    const float dy[2] = {1, 0x1p-23f}; /* 1/2 + 2^-24 is a float, and so is 2^-24 alone */
    memcpy(trial_floats(&t, "y"), dy, sizeof dy);
    trial_run(&t, 0);
    const float dx[3] = {0.5f, 0.5f + 0x1p-24f, 0x1p-24f};
    for (int i = 0; i < 3; i++) ck_assert(same_bits(trial_floats(&t, "x")[i], dx[i]));
    trial_finish(&t);
    int products = 0; /* that differ from quotients: a division is no product by the reciprocal */
    trial_init(&t, "pool_grad kind=average h=1 w=300 kw=3 stride_w=3");
    for (int i = 0; i < 100; i++) trial_floats(&t, "y")[i] = (float)(i + 1);
    trial_run(&t, 0);
    for (int i = 0; i < 300; i++) {
        float whole = (float)(i / 3 + 1);
        ck_assert(same_bits(trial_floats(&t, "x")[i], whole / 3));
        products += !same_bits(whole * (1.0f / 3), whole / 3);
    }
    ck_assert_int_gt(products, 0);
    trial_finish(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reference_windows");
    TCase *cases = tcase_create("windows");
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, im2col_random);
    tcase_add_test(cases, im2col_copies);
    tcase_add_test(cases, col2im_random);
    tcase_add_test(cases, pool_random);
    tcase_add_test(cases, pool_ties_and_nans);
    tcase_add_test(cases, pool_padding_never_wins);
    tcase_add_test(cases, pool_grad_random);
    tcase_add_test(cases, pool_mean_random);
    tcase_add_test(cases, pool_mean_grad_random);
    tcase_add_test(cases, pool_mean_bits);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
