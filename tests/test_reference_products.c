/* The product and the convolutions of the reference against double-precision oracles, and gradients
 * against finite differences. */
#include "device/schema.h"
#include "oracle/trial.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* docs/ARITHMETIC.md, "Errors": blocks, slabs and their sums, beside a bias and an activation. */
static double product_bound(int64_t k, double mag, double result)
{
    double depth =
        fmin((double)k, 256) + fmin(ceil((double)k / 256), 16) + ceil((double)k / 4096) + 3;
    return depth * 0x1p-24 * mag + (double)k * 0x1p-149 + 0x1p-22 * fabs(result);
}

static const char *const acts[] = {"none", "relu", "tanh", "sigmoid"};
static const char *const biases[] = {"none", "n", "m"};

static void hold_gemm(struct trial *t)
{
    const struct cairn_gemm *p = &t->problem.u.gemm;
    float *c = trial_floats(t, "c");
    draw_floats(trial_floats(t, "a"), trial_extent(t, "a"), -1, 1);
    draw_floats(trial_floats(t, "b"), trial_extent(t, "b"), -1, 1);
    if (p->bias) draw_floats(trial_floats(t, "bias_v"), trial_extent(t, "bias_v"), -1, 1);
    for (int64_t i = 0; i < trial_extent(t, "c"); i++)
        c[i] = 12345; /* gaps behind ldc stay as they are */
    double *a = trial_doubles(t, "a"), *b = trial_doubles(t, "b"), *want = trial_doubles(t, "c"),
           *mag = calloc((size_t)trial_extent(t, "c"), sizeof *mag),
           *bias = p->bias ? trial_doubles(t, "bias_v") : NULL;
    oracle_gemm(p, a, b, bias, want, mag);
    trial_run(t, draw_between(0, 3));
    char line[256];
    cairn_problem_print(&t->problem, line, sizeof line);
    for (int64_t i = 0; i < trial_extent(t, "c"); i++)
        ck_near(c[i], want[i], product_bound(p->sum ? p->batch * p->k : p->k, mag[i], want[i]),
                "%s [%lld]", line, (long long)i);
    free(a), free(b), free(want), free(mag), free(bias);
}

START_TEST(gemm_random)
{
    draw_seed(1);
    for (int i = 0; i < 120; i++) {
        struct trial t;
        int64_t m = draw_between(1, i % 4 ? 20 : 140), n = draw_between(1, i % 5 ? 20 : 140);
        int64_t k = draw_between(1, i % 10 ? 60 : 600), batch = draw_between(1, 3),
                sum = draw_between(0, 1);
        int64_t ta = draw_between(0, 1), tb = draw_between(0, 1), gap = draw_between(0, 2);
        trial_init(&t,
                   "gemm batch=%lld m=%lld n=%lld k=%lld ta=%lld tb=%lld sum=%lld lda=%lld "
                   "ldb=%lld ldc=%lld "
                   "stride_a=%lld stride_b=%lld bias=%s act=%s",
                   (long long)batch, (long long)m, (long long)n, (long long)k, (long long)ta,
                   (long long)tb, (long long)sum, (long long)((ta ? m : k) + gap),
                   (long long)((tb ? k : n) + gap), (long long)(n + gap),
                   (long long)(draw_between(0, 1) * m * (k + m + gap)),
                   (long long)(draw_between(0, 1) * n * (k + n + gap)), biases[draw_between(0, 2)],
                   acts[draw_between(0, 3)]);
        hold_gemm(&t);
        trial_finish(&t);
    }
}
END_TEST

/* Across the ends of blocks and slabs. */
START_TEST(gemm_long)
{
    static const int64_t ks[] = {255, 256, 257, 511, 513, 4095, 4096, 4097, 8192, 9001};
    draw_seed(2);
    for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
        struct trial t;
        trial_init(&t, "gemm m=5 n=7 k=%lld ta=%d tb=%d", (long long)ks[i], (int)i % 2,
                   (int)i / 2 % 2);
        hold_gemm(&t);
        trial_finish(&t);
    }
}
END_TEST

static void set(struct trial *t, const char *name, int64_t at, float value)
{
    ck_assert_int_lt(at, trial_extent(t, name));
    trial_floats(t, name)[at] = value;
}

START_TEST(gemm_specials)
{
    struct trial t;
    trial_init(&t, "gemm m=6 n=1 k=2");
    float *c = trial_floats(&t, "c");
    const float a[6][2] = {{NAN, 1},       {INFINITY, 1}, {INFINITY, -INFINITY},
                           {-0.0f, -0.0f}, {0x1p-75f, 0}, {-0x1p-80f, 0}};
    memcpy(trial_floats(&t, "a"), a, sizeof a);
    set(&t, "b", 0, 0x1p-70f);
    set(&t, "b", 1, 0x1p-70f);
    trial_run(&t, 0);
    ck_assert(isnan(c[0]));
    ck_assert(c[1] == INFINITY);
    ck_assert(isnan(c[2]));
    ck_assert(same_bits(c[3], 0.0f));
    ck_assert(same_bits(c[4], 0x1p-145f)); /* denormals are kept */
    ck_assert(same_bits(c[5], 0.0f));      /* a product that rounds to -0 ends as +0 */
    trial_finish(&t);
}
END_TEST

/* -0 is made +0 before the bias is added and the activation applied: -0 + -0 stays, as +0 + -0 =
 * +0. */
START_TEST(gemm_zero_then_bias)
{
    struct trial t;
    trial_init(&t, "gemm m=1 n=1 k=1 bias=n");
    set(&t, "a", 0, -0.0f);
    set(&t, "b", 0, 1.0f);
    set(&t, "bias_v", 0, -0.0f);
    trial_run(&t, 0);
    ck_assert(same_bits(trial_floats(&t, "c")[0], 0.0f));
    trial_finish(&t);
}
END_TEST

/* Half of them dilated, half in groups: depthwise, with several outputs a channel, or of both. */
static void draw_conv(struct trial *t, const char *op, int with_epilogue)
{
    int dh = (int)draw_between(0, 1) ? (int)draw_between(1, 4) : 1,
        dw = dh > 1 ? (int)draw_between(1, 3) : 1,
        groups = (int)draw_between(0, 1) ? (int)draw_between(2, 5) : 1;
    int64_t kh = draw_between(1, 5), kw = draw_between(1, 4),
            h = draw_between((kh - 1) * dh + 1, (kh - 1) * dh + 7),
            w = draw_between((kw - 1) * dw + 1, (kw - 1) * dw + 9);
    char line[400], tail[64] = "";
    if (with_epilogue)
        snprintf(tail, sizeof tail, " bias=%d act=%s", (int)draw_between(0, 1),
                 acts[draw_between(0, 3)]);
    snprintf(line, sizeof line,
             "%s n=%d c=%d h=%d w=%d o=%d kh=%d kw=%d stride_h=%d stride_w=%d pad_t=%d pad_b=%d "
             "pad_l=%d pad_r=%d dilation_h=%d dilation_w=%d groups=%d%s",
             op, (int)draw_between(1, 3), groups * (int)draw_between(1, groups > 1 ? 2 : 4), (int)h,
             (int)w, groups * (int)draw_between(1, groups > 1 ? 3 : 6), (int)kh, (int)kw,
             (int)draw_between(1, 3), (int)draw_between(1, 3), (int)draw_between(0, 3),
             (int)draw_between(0, 3), (int)draw_between(0, 3), (int)draw_between(0, 3), dh, dw,
             groups, tail);
    trial_init(t, "%s", line);
}

static void hold_conv(struct trial *t)
{
    const struct cairn_conv *p = &t->problem.u.conv;
    draw_floats(trial_floats(t, "x"), trial_extent(t, "x"), -1, 1);
    draw_floats(trial_floats(t, "weight"), trial_extent(t, "weight"), -1, 1);
    draw_floats(trial_floats(t, "y"), trial_extent(t, "y"), -1, 1);
    if (t->problem.op == CAIRN_OP_CONV && p->bias)
        draw_floats(trial_floats(t, "bias_v"), p->o, -1, 1);
    double *x = trial_doubles(t, "x"), *w = trial_doubles(t, "weight"), *y = trial_doubles(t, "y");
    double *bias = t->problem.op == CAIRN_OP_CONV && p->bias ? trial_doubles(t, "bias_v") : NULL;
    const char *out = t->problem.op == CAIRN_OP_CONV        ? "y"
                      : t->problem.op == CAIRN_OP_CONV_DATA ? "x"
                                                            : "weight";
    int64_t count = trial_extent(t, out), k = p->c / p->groups * p->kh * p->kw;
    double *mag = calloc((size_t)count, sizeof *mag), *want = calloc((size_t)count, sizeof *want);
    if (t->problem.op == CAIRN_OP_CONV) oracle_conv(p, x, w, bias, want, mag);
    if (t->problem.op == CAIRN_OP_CONV_DATA)
        oracle_conv_data(p, y, w, want, mag), k = p->o / p->groups + p->kh * p->kw;
    if (t->problem.op == CAIRN_OP_CONV_WEIGHTS)
        oracle_conv_weights(p, x, y, want, mag), k = trial_extent(t, "y") / p->o;
    trial_run(t, draw_between(0, 3));
    char line[256];
    cairn_problem_print(&t->problem, line, sizeof line);
    for (int64_t i = 0; i < count; i++)
        ck_near(trial_floats(t, out)[i], want[i], product_bound(k, mag[i], want[i]), "%s [%lld]",
                line, (long long)i);
    free(x), free(w), free(y), free(bias), free(mag), free(want);
}

static const char *const conv_ops[] = {"conv", "conv_data", "conv_weights"};

START_TEST(conv_random)
{
    draw_seed(3 + (uint64_t)_i);
    for (int i = 0; i < 80; i++) {
        struct trial t;
        draw_conv(&t, conv_ops[_i], _i == 0);
        hold_conv(&t);
        trial_finish(&t);
    }
}
END_TEST

/* More images, channels and outputs than a tile or a block holds. */
START_TEST(conv_large)
{
    struct trial t;
    draw_seed(6 + (uint64_t)_i);
    trial_init(&t, "%s n=20 c=70 h=9 w=8 o=67 kh=3 kw=2 stride_h=2 pad_t=1 pad_r=1", conv_ops[_i]);
    hold_conv(&t);
    trial_finish(&t);
    trial_init(&t, "%s n=30 c=2 h=15 w=14 o=3 kh=3 kw=3 pad_t=1 pad_b=1 pad_l=1 pad_r=1",
               conv_ops[_i]);
    hold_conv(&t);
    trial_finish(&t);
    trial_init(&t, "%s n=20 c=140 h=9 w=8 o=210 kh=3 kw=2 pad_t=2 dilation_h=2 groups=2",
               conv_ops[_i]);
    hold_conv(&t);
    trial_finish(&t);
    trial_init(&t,
               "%s n=30 c=67 h=15 w=14 o=67 kh=3 kw=3 pad_t=2 pad_b=2 pad_l=2 pad_r=2 dilation_h=2 "
               "dilation_w=2 groups=67",
               conv_ops[_i]);
    hold_conv(&t);
    trial_finish(&t);
}
END_TEST

/* conv_data as the forward pass of a transposed convolution, whose output size may leave columns
 * and rows that no stamp reaches. */
START_TEST(conv_data_transposes)
{
    draw_seed(15);
    for (int i = 0; i < 80; i++) {
        struct trial t;
        draw_conv(&t, "conv_data", 0);
        const struct cairn_conv *p = &t.problem.u.conv;
        draw_floats(trial_floats(&t, "y"), trial_extent(&t, "y"), -1, 1);
        draw_floats(trial_floats(&t, "weight"), trial_extent(&t, "weight"), -1, 1);
        double *in = trial_doubles(&t, "y"), *w = trial_doubles(&t, "weight"),
               *want = trial_doubles(&t, "x"), *mag = trial_doubles(&t, "x");
        oracle_transposed(p, in, w, want, mag);
        trial_run(&t, draw_between(0, 3));
        for (int64_t e = 0; e < trial_extent(&t, "x"); e++)
            ck_near(trial_floats(&t, "x")[e], want[e],
                    product_bound(p->o / p->groups + p->kh * p->kw, mag[e], want[e]),
                    "transposed %d [%lld]", i, (long long)e);
        free(in), free(w), free(want), free(mag);
        trial_finish(&t);
    }
}
END_TEST

/* Of small whole numbers, whose sums are exact, so that there are many ties: the oracles one after
 * the other. */
START_TEST(conv_pool_random)
{
    draw_seed(16);
    for (int i = 0; i < 80; i++) {
        struct trial shape, t;
        char line[512];
        int relu = (int)draw_between(0, 1), kh = (int)draw_between(1, 3),
            kw = (int)draw_between(1, 3);
        do {
            draw_conv(&shape, "conv", 0);
            trial_finish(&shape);
        } while (cairn_conv_oh(&shape.problem.u.conv) < kh ||
                 cairn_conv_ow(&shape.problem.u.conv) < kw);
        cairn_problem_print(&shape.problem, line, sizeof line);
        trial_init(&t,
                   "conv_pool%s bias=%d act=%s pool_kh=%d pool_kw=%d pool_stride_h=%d "
                   "pool_stride_w=%d pool_pad_t=%d pool_pad_b=%d pool_pad_l=%d pool_pad_r=%d",
                   line + strlen("conv"), (int)draw_between(0, 1), relu ? "relu" : "none", kh, kw,
                   (int)draw_between(1, 3), (int)draw_between(1, 3), (int)draw_between(0, kh - 1),
                   (int)draw_between(0, kh - 1), (int)draw_between(0, kw - 1),
                   (int)draw_between(0, kw - 1));
        static const char *const in[] = {"x", "weight", "bias_v"};
        for (int o = 0; o < 3; o++)
            for (int64_t e = 0; e < trial_extent(&t, in[o]); e++)
                trial_floats(&t, in[o])[e] = (float)draw_between(-2, 2);
        const struct cairn_conv *p = &t.problem.u.conv;
        const struct cairn_pool pool = {.planes = p->n * p->o,
                                        .h = cairn_conv_oh(p),
                                        .w = cairn_conv_ow(p),
                                        .kh = kh,
                                        .kw = kw,
                                        .stride_h = p->pool_stride_h,
                                        .stride_w = p->pool_stride_w,
                                        .pad_t = p->pool_pad_t,
                                        .pad_b = p->pool_pad_b,
                                        .pad_l = p->pool_pad_l,
                                        .pad_r = p->pool_pad_r};
        size_t between = (size_t)(pool.planes * pool.h * pool.w);
        double *x = trial_doubles(&t, "x"), *weight = trial_doubles(&t, "weight"),
               *bias = p->bias ? trial_doubles(&t, "bias_v") : NULL, *want = trial_doubles(&t, "y"),
               *made = calloc(between, sizeof *made), *mag = calloc(between, sizeof *mag);
        int32_t *index = calloc((size_t)trial_extent(&t, "y"), sizeof *index);
        oracle_conv(p, x, weight, bias, made, mag);
        oracle_pool(&pool, made, want, index);
        trial_run(&t, draw_between(0, 3));
        for (int64_t e = 0; e < trial_extent(&t, "y"); e++) {
            ck_assert(trial_floats(&t, "y")[e] == (float)want[e]);
            ck_assert_int_eq(trial_ints(&t, "index")[e], relu && want[e] <= 0 ? -1 : index[e]);
        }
        free(x), free(weight), free(bias), free(want), free(made), free(mag), free(index);
        trial_finish(&t);
    }
}
END_TEST

/* A channel of another group leaves no trace, not even a NaN. */
START_TEST(conv_groups_stay_apart)
{
    struct trial t;
    trial_init(&t, "conv c=4 h=2 w=2 o=6 groups=2");
    for (int i = 0; i < 8; i++) set(&t, "x", i, NAN);
    for (int i = 8; i < 16; i++) set(&t, "x", i, 1);
    for (int i = 0; i < 12; i++) set(&t, "weight", i, 1);
    trial_run(&t, 0);
    for (int i = 0; i < 12; i++) ck_assert(isnan(trial_floats(&t, "y")[i]));
    for (int i = 12; i < 24; i++) ck_assert(same_bits(trial_floats(&t, "y")[i], 2));
    trial_finish(&t);
}
END_TEST

/* Padding takes part: an infinite weight times it is NaN. */
START_TEST(conv_padding_takes_part)
{
    struct trial t;
    trial_init(&t, "conv h=2 w=2 kh=3 kw=3 pad_t=1 pad_b=1 pad_l=1 pad_r=1");
    for (int i = 0; i < 4; i++) set(&t, "x", i, 1);
    set(&t, "weight", 0, INFINITY);
    trial_run(&t, 0);
    const float *y = trial_floats(&t, "y");
    ck_assert(isnan(y[0]) && isnan(y[1]) && isnan(y[2]));
    ck_assert(y[3] == INFINITY);
    trial_finish(&t);
}
END_TEST

/* In conv_data only valid taps are added; one whose infinite weight falls outside leaves no trace.
 */
START_TEST(conv_data_valid_taps_only)
{
    struct trial t;
    trial_init(&t, "conv_data h=2 w=2 kh=3 kw=3 pad_t=1 pad_b=1 pad_l=1 pad_r=1");
    set(&t, "y", 0, 1); /* the window around x[0]: its corner tap 0 lies outside */
    set(&t, "weight", 0, INFINITY);
    set(&t, "weight", 4, 3);
    trial_run(&t, 0);
    const float *dx = trial_floats(&t, "x");
    ck_assert(isnan(dx[0])); /* the tap 0 of the window around x[3], where dy = 0: infinity * 0 */
    ck_assert(same_bits(dx[3], 0.0f));
    trial_finish(&t);
}
END_TEST

/* The loss sum(y dy) has the slopes that conv_data and conv_weights give: central differences
 * through the oracle. */
static double loss(const struct cairn_conv *p, const double *x, const double *w, const double *dy,
                   int64_t count, double *y)
{
    double total = 0;
    oracle_conv(p, x, w, NULL, y, NULL);
    for (int64_t i = 0; i < count; i++) total += y[i] * dy[i];
    return total;
}

START_TEST(conv_slopes)
{
    draw_seed(9 + (uint64_t)_i);
    const char *out = _i == 1 ? "x" : "weight";
    for (int i = 0; i < 20; i++) {
        struct trial t;
        draw_conv(&t, conv_ops[_i], 0);
        draw_floats(trial_floats(&t, "x"), trial_extent(&t, "x"), -1, 1);
        draw_floats(trial_floats(&t, "weight"), trial_extent(&t, "weight"), -1, 1);
        draw_floats(trial_floats(&t, "y"), trial_extent(&t, "y"), -1, 1);
        int64_t count = trial_extent(&t, "y");
        double *x = trial_doubles(&t, "x"), *w = trial_doubles(&t, "weight"),
               *dy = trial_doubles(&t, "y");
        double *y = calloc((size_t)count, sizeof *y), *moved = _i == 1 ? x : w;
        trial_run(&t, 0);
        for (int64_t e = 0; e < trial_extent(&t, out); e++) {
            const double h = 0.5,
                         kept = moved[e]; /* the loss is linear: a wide step costs nothing */
            moved[e] = kept + h;
            double up = loss(&t.problem.u.conv, x, w, dy, count, y);
            moved[e] = kept - h;
            double slope = (up - loss(&t.problem.u.conv, x, w, dy, count, y)) / (2 * h);
            moved[e] = kept;
            ck_near(trial_floats(&t, out)[e], slope, 1e-5 * (1 + (double)count / 64),
                    "%s %d [%lld]", conv_ops[_i], i, (long long)e);
        }
        free(x), free(w), free(dy), free(y);
        trial_finish(&t);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reference_products");
    TCase *cases = tcase_create("products");
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gemm_random);
    tcase_add_test(cases, gemm_long);
    tcase_add_test(cases, gemm_specials);
    tcase_add_test(cases, gemm_zero_then_bias);
    tcase_add_loop_test(cases, conv_random, 0, 3);
    tcase_add_loop_test(cases, conv_large, 0, 3);
    tcase_add_test(cases, conv_data_transposes);
    tcase_add_test(cases, conv_pool_random);
    tcase_add_test(cases, conv_groups_stay_apart);
    tcase_add_test(cases, conv_padding_takes_part);
    tcase_add_test(cases, conv_data_valid_taps_only);
    tcase_add_loop_test(cases, conv_slopes, 1, 3);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
