/* Activations, dropout, reductions, gathering and optimisers of the reference against
 * oracles and chosen values. */
#include "oracle/trial.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const acts[CAIRN_ACT_COUNT] = {
    "none",     "relu",         "tanh", "sigmoid",   "leaky_relu", "elu",
    "softplus", "hard_sigmoid", "gelu", "gelu_tanh", "silu",       "hard_swish",
};
static const float alpha = 0.3f;

/* docs/ARITHMETIC.md, "Errors": what y may be off at x, beside 2 ulp. */
static double act_bound(int kind, double x, double y)
{
    double of_x = kind == CAIRN_ACT_GELU ? 1.5 : kind == CAIRN_ACT_GELU_TANH ? 2.5 : 0;
    return 0x1p-24 * (of_x * fabs(x) + 4 * fabs(y)) + 0x1p-149 * (1 + fabs(x));
}

START_TEST(activation_random)
{
    struct trial t;
    draw_seed(30 + (uint64_t)_i);
    trial_init(&t, "activation kind=%s count=6000 alpha=0.3", acts[_i]);
    draw_floats(trial_floats(&t, "x"), 2500, -12, 12);
    draw_floats(trial_floats(&t, "x") + 2500, 2500, -0.7, 0.7);
    draw_floats(trial_floats(&t, "x") + 5000, 1000, -105, 105);
    double *x = trial_doubles(&t, "x");
    trial_run(&t, 1);
    for (int i = 0; i < 6000; i++) {
        double want = oracle_activate(_i, (double)alpha, x[i]),
               got = (double)trial_floats(&t, "y")[i];
        if (_i <= CAIRN_ACT_SIGMOID || _i == CAIRN_ACT_SOFTPLUS)
            ck_hold(oracle_ulps((float)got, want) <= 2, "%s(%g) = %g", acts[_i], x[i], got);
        else
            ck_near(got, want, act_bound(_i, x[i], want), "%s(%g)", acts[_i], x[i]);
    }
    free(x);
    trial_finish(&t);
}
END_TEST

START_TEST(activation_specials)
{
    static const float x[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 0x1p-149f, -0x1p-149f};
    static const float ln2 = 0x1.62e43p-1f;
    const float want[CAIRN_ACT_COUNT][7] = {
        {0},
        {NAN, INFINITY, 0.0f, 0.0f, -0.0f, 0x1p-149f, 0.0f},
        {NAN, 1, -1, 0.0f, -0.0f, 0x1p-149f, -0x1p-149f},
        {NAN, 1, 0.0f, 0.5f, 0.5f, 0.5f, 0.5f},
        {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 0x1p-149f, -0.0f},
        {NAN, INFINITY, -alpha, 0.0f, -0.0f, 0x1p-149f, -0.0f},
        {NAN, INFINITY, 0.0f, ln2, ln2, ln2, ln2},
        {NAN, 1, 0.0f, 0.5f, 0.5f, 0.5f, 0.5f},
        {NAN, INFINITY, NAN, 0.0f, -0.0f, 0.0f, -0.0f},
        {NAN, INFINITY, NAN, 0.0f, -0.0f, 0.0f, -0.0f},
        {NAN, INFINITY, NAN, 0.0f, -0.0f, 0.0f, -0.0f},
        {NAN, INFINITY, 0.0f, 0.0f, -0.0f, 0x1p-149f, -0x1p-149f},
    };
    struct trial t;
    trial_init(&t, "activation kind=%s count=7 alpha=0.3", acts[_i]);
    memcpy(trial_floats(&t, "x"), x, sizeof x);
    trial_run(&t, 0);
    for (int i = 0; i < 7; i++)
        ck_assert_msg(same_bits(trial_floats(&t, "y")[i], want[_i][i]), "%s %d", acts[_i], i);
    trial_finish(&t);
}
END_TEST

/* What the slope may be off at x, in 2^-24. */
static double slope_bound(int kind, double x)
{
    if (kind == CAIRN_ACT_GELU_TANH) return 8 + 4 * fabs(x) * (0.8 + 0.108 * x * x);
    if (kind == CAIRN_ACT_SILU) return 8 + 4 * fabs(x);
    return kind >= CAIRN_ACT_GELU ? 8 : 4;
}

/* relu, leaky_relu and elu bend at 0, the hard ones at -3 and 3. */
static int at_kink(double x)
{
    return fabs(x) < 1e-4 || fabs(fabs(x) - 3) < 1e-4;
}

/* Gradients from y or x and dy: against the formula, and against the slope of the forward function.
 */
START_TEST(activation_slopes)
{
    struct trial t;
    draw_seed(34 + (uint64_t)_i);
    trial_init(&t, "activation_grad kind=%s count=3000 alpha=0.3", acts[_i]);
    int from_x = trial_extent(&t, "x") > 0;
    ck_assert_int_eq(from_x, trial_extent(&t, "y") == 0);
    float *of = trial_floats(&t, from_x ? "x" : "y");
    double x[3000], a = (double)alpha;
    for (int i = 0; i < 3000; i++) {
        x[i] = (double)(float)draw_real(-6, 6);
        of[i] = (float)(from_x ? x[i] : oracle_activate(_i, a, x[i]));
    }
    draw_floats(trial_floats(&t, "dy"), 3000, -2, 2);
    double *dy = trial_doubles(&t, "dy");
    trial_run(&t, 2);
    for (int i = 0; i < 3000; i++) {
        const double h = 1e-5, bound = slope_bound(_i, x[i]) * 0x1p-24 * fabs(dy[i]);
        if (at_kink(x[i])) continue;
        double slope =
            (oracle_activate(_i, a, x[i] + h) - oracle_activate(_i, a, x[i] - h)) / (2 * h) * dy[i];
        double got = (double)trial_floats(&t, "dx")[i];
        ck_near(got, oracle_activate_grad(_i, a, (double)of[i], dy[i]), bound, "formula %d", i);
        ck_near(got, slope, bound + fabs(dy[i]) * 1e-9, "slope %d", i);
    }
    free(dy);
    trial_finish(&t);
}
END_TEST

/* Far out the slope is 1 or 0, whatever overflows on the way. */
START_TEST(activation_far_slopes)
{
    static const float x[6] = {60, 1e20f, 3e38f, -110, -1e20f, -3e38f};
    struct trial t;
    trial_init(&t, "activation_grad kind=%s count=6", acts[_i]);
    memcpy(trial_floats(&t, "x"), x, sizeof x);
    for (int i = 0; i < 6; i++) trial_floats(&t, "dy")[i] = 5;
    trial_run(&t, 0);
    for (int i = 0; i < 6; i++)
        ck_assert_msg(trial_floats(&t, "dx")[i] == (x[i] > 0 ? 5 : 0), "%s at %g: %g", acts[_i],
                      (double)x[i], (double)trial_floats(&t, "dx")[i]);
    trial_finish(&t);
}
END_TEST

static void hold_grad(const char *kind, const float y[5], const float dy[5], const float want[5])
{
    struct trial t;
    trial_init(&t, "activation_grad kind=%s count=5 alpha=0.25", kind);
    memcpy(trial_floats(&t, "y"), y, 5 * sizeof *y);
    memcpy(trial_floats(&t, "dy"), dy, 5 * sizeof *dy);
    trial_run(&t, 0);
    for (int i = 0; i < 5; i++)
        ck_assert_msg(same_bits(trial_floats(&t, "dx")[i], want[i]), "%s %d: %g", kind, i,
                      (double)trial_floats(&t, "dx")[i]);
    trial_finish(&t);
}

START_TEST(activation_grad_specials)
{
    const float dy[5] = {7, 7, 7, -0.0f, NAN}, y[5] = {0.0f, -0.0f, NAN, 1, 1};
    hold_grad("relu", y, dy, (float[5]){0.0f, 0.0f, 7, -0.0f, NAN});
    hold_grad("leaky_relu", y, dy, (float[5]){1.75f, 1.75f, 7, -0.0f, NAN});
    hold_grad("elu", y, dy, (float[5]){1.75f, 1.75f, 7, -0.0f, NAN});
    hold_grad("softplus", y, dy, (float[5]){0.0f, -0.0f, NAN, -0.0f, NAN});
    hold_grad("hard_sigmoid", y, dy, (float[5]){0.0f, 0.0f, 7 * 0x1.555556p-3f, 0.0f, 0.0f});
}
END_TEST

START_TEST(dropout_random)
{
    static const double rates[] = {0, 0.3, 0.5, 0.95};
    draw_seed(50 + (uint64_t)_i);
    for (int i = 0; i < 20; i++) {
        struct trial t;
        trial_init(&t, "dropout count=%d rate=%g seed=%llu stream=%u step=%u first=%lld",
                   (int)draw_between(1, 700), rates[_i],
                   (unsigned long long)draw_u32() << 32 | draw_u32(), draw_u32(), draw_u32(),
                   (long long)draw_between(0, 1 << 20) * draw_between(0, 1 << 16));
        int64_t count = trial_extent(&t, "x");
        draw_floats(trial_floats(&t, "x"), count, 0.5, 1); /* a dropped element shows */
        double *x = trial_doubles(&t, "x"), *want = trial_doubles(&t, "y");
        oracle_dropout(&t.problem.u.dropout, x, want);
        trial_run(&t, draw_between(0, 3));
        for (int64_t e = 0; e < count; e++) {
            if (want[e] == 0)
                ck_assert(same_bits(trial_floats(&t, "y")[e], 0.0f));
            else
                ck_near(trial_floats(&t, "y")[e], want[e], 4 * 0x1p-24 * want[e],
                        "dropout %d [%lld]", i, (long long)e);
        }
        free(x), free(want);
        trial_finish(&t);
    }
}
END_TEST

/* An element whose number is the rate itself is dropped: it must be above. */
START_TEST(dropout_at_the_rate)
{
    struct trial t;
    uint32_t words[4];
    oracle_philox((uint32_t[4]){1, 0, 3, 2}, (uint32_t[2]){9, 0}, words);
    trial_init(&t, "dropout count=8 seed=9 stream=2 step=3");
    for (int i = 0; i < 8; i++) trial_floats(&t, "x")[i] = 1;
    t.problem.u.dropout.rate = (float)((words[2] >> 8) + 1) / 16777216;
    ck_assert(t.problem.u.dropout.rate < 1);
    trial_run(&t, 0);
    ck_assert(same_bits(trial_floats(&t, "y")[6], 0.0f));
    t.problem.u.dropout.rate = nextafterf(t.problem.u.dropout.rate, 0);
    trial_run(&t, 0);
    ck_assert(trial_floats(&t, "y")[6] > 1);
    trial_finish(&t);
}
END_TEST

/* Dropping keeps no sign and no NaN; keeping keeps both; the gradient is the same operator on dy: y
 * is linear in x. */
START_TEST(dropout_is_linear)
{
    struct trial t, back;
    trial_init(&t, "dropout count=4000 rate=0.5 seed=7");
    trial_init(&back, "dropout count=4000 rate=0.5 seed=7");
    int kept = 0;
    for (int i = 0; i < 4000; i++) {
        trial_floats(&t, "x")[i] = i % 2 ? NAN : -3;
        trial_floats(&back, "x")[i] = 1;
    }
    trial_run(&t, 0);
    trial_run(&back, 0);
    for (int i = 0; i < 4000; i++) {
        float y = trial_floats(&t, "y")[i], slope = trial_floats(&back, "y")[i];
        ck_assert(same_bits(slope, 0.0f) || same_bits(slope, 2.0f));
        if (slope == 0)
            ck_assert(same_bits(y, 0.0f));
        else
            ck_assert(i % 2 ? isnan(y) : same_bits(y, -6));
        kept += slope != 0;
    }
    ck_assert_int_gt(kept, 1850);
    ck_assert_int_lt(kept, 2150);
    trial_finish(&t);
    trial_finish(&back);
}
END_TEST

START_TEST(reduce_random)
{
    static const char *const kinds[] = {"sum", "sumsq", "max"};
    draw_seed(60 + (uint64_t)_i);
    for (int i = 0; i < 40; i++) {
        struct trial t;
        int most = i % 5 ? 30 : 300;
        trial_init(&t, "reduce kind=%s n1=%d c=%d n2=%d", kinds[_i], (int)draw_between(1, most),
                   (int)draw_between(1, 5), (int)draw_between(1, most));
        const struct cairn_reduce *p = &t.problem.u.reduce;
        draw_floats(trial_floats(&t, "x"), trial_extent(&t, "x"), -1, 1);
        double *x = trial_doubles(&t, "x"), *want = trial_doubles(&t, "y"),
               *mag = trial_doubles(&t, "y");
        oracle_reduce(p, x, want, mag);
        trial_run(&t, draw_between(0, 3));
        double deep =
            64 + 8 +
            log2((double)(p->n1 *
                          p->n2)); /* additions behind a result: a lane, the fold, the tree */
        for (int64_t e = 0; e < p->c; e++)
            ck_near(trial_floats(&t, "y")[e], want[e], _i == 2 ? 0 : deep * 0x1p-24 * mag[e],
                    "%s %d", kinds[_i], i);
        free(x), free(want), free(mag);
        trial_finish(&t);
    }
}
END_TEST

START_TEST(reduce_specials)
{
    static const char *const kinds[] = {"sum", "sumsq", "max"};
    const float x[6][3] = {{-0.0f, -0.0f, -0.0f},     {NAN, 1, 2},
                           {INFINITY, 1, 2},          {INFINITY, -INFINITY, 0},
                           {0x1p-149f, 0x1p-149f, 0}, {-INFINITY, -INFINITY, -INFINITY}};
    const float want[3][6] = {{0.0f, NAN, INFINITY, NAN, 0x1p-148f, -INFINITY},
                              {0.0f, NAN, INFINITY, INFINITY, 0.0f, INFINITY},
                              {0.0f, NAN, INFINITY, INFINITY, 0x1p-149f, -INFINITY}};
    struct trial t;
    trial_init(&t, "reduce kind=%s c=6 n2=3", kinds[_i]);
    memcpy(trial_floats(&t, "x"), x, sizeof x);
    trial_run(&t, 0);
    for (int j = 0; j < 6; j++)
        ck_assert_msg(same_bits(trial_floats(&t, "y")[j], want[_i][j]), "%s %d", kinds[_i], j);
    trial_finish(&t);
}
END_TEST

START_TEST(gather_random)
{
    draw_seed(70);
    for (int i = 0; i < 40; i++) {
        struct trial t;
        trial_init(&t, "gather count=%d item=%d total=%d shift=33.3184 scale=0.01272",
                   (int)draw_between(1, 20), (int)draw_between(1, 50), (int)draw_between(1, 30));
        const struct cairn_gather *p = &t.problem.u.gather;
        for (int64_t e = 0; e < p->total * p->item; e++)
            trial_bytes(&t, "table")[e] = (uint8_t)draw_u32();
        for (int64_t e = 0; e < p->total; e++) trial_bytes(&t, "labels")[e] = (uint8_t)draw_u32();
        for (int64_t e = 0; e < p->count; e++)
            trial_ints(&t, "indices")[e] =
                (int32_t)draw_between(i % 4 ? 0 : -2, i % 4 ? p->total - 1 : p->total + 1);
        double *want = trial_doubles(&t, "x");
        int32_t labels[20];
        oracle_gather(p, trial_bytes(&t, "table"), trial_bytes(&t, "labels"),
                      trial_ints(&t, "indices"), want, labels);
        trial_run(&t, draw_between(0, 3));
        for (int64_t e = 0; e < p->count * p->item; e++)
            ck_near(trial_floats(&t, "x")[e], want[e], 2 * 0x1p-24 * fabs(want[e]) + 0x1p-24,
                    "gather %d", i);
        for (int64_t e = 0; e < p->count; e++) ck_assert_int_eq(trial_ints(&t, "y")[e], labels[e]);
        free(want);
        trial_finish(&t);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reference_others");
    TCase *cases = tcase_create("others");
    tcase_set_timeout(cases, 300);
    tcase_add_loop_test(cases, activation_random, 1, CAIRN_ACT_COUNT);
    tcase_add_loop_test(cases, activation_specials, 1, CAIRN_ACT_COUNT);
    tcase_add_loop_test(cases, activation_slopes, 1, CAIRN_ACT_COUNT);
    tcase_add_loop_test(cases, activation_far_slopes, CAIRN_ACT_GELU, CAIRN_ACT_COUNT);
    tcase_add_test(cases, activation_grad_specials);
    tcase_add_loop_test(cases, dropout_random, 0, 4);
    tcase_add_test(cases, dropout_at_the_rate);
    tcase_add_test(cases, dropout_is_linear);
    tcase_add_loop_test(cases, reduce_random, 0, 3);
    tcase_add_loop_test(cases, reduce_specials, 0, 3);
    tcase_add_test(cases, gather_random);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
