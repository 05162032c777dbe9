/* Addition and batch normalisation of the reference: bits against the page written out naively,
 * values against the oracle, the gradient against finite differences of the whole normalisation. */
#include "oracle/trial.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define U 0x1p-24

/* One kind of data in two: numbers of every size and sign, some special. */
static void draw_mixed(float *to, int64_t count, int wild)
{
    static const float specials[] = {-0.0f, 0x1p-140f, INFINITY, NAN, 0x1p127f};
    for (int64_t i = 0; i < count; i++) {
        to[i] = (float)draw_real(-1, 1);
        if (wild) to[i] = ldexpf(to[i], (int)draw_between(-20, 20));
        if (wild && draw_u32() % 300 == 0) to[i] = specials[draw_between(0, 4)];
    }
}

/* --- add --- */

START_TEST(add_bits)
{
    draw_seed(200);
    for (int i = 0; i < 40; i++) {
        struct trial t;
        trial_init(&t, "add n1=%d c=%d n2=%d channel=%d", (int)draw_between(1, 20),
                   (int)draw_between(1, 7), i % 3 ? (int)draw_between(1, 70) : 1, i % 2);
        const struct cairn_add *p = &t.problem.u.add;
        float *x = trial_floats(&t, "x"), *b = trial_floats(&t, "b");
        ck_assert_int_eq(trial_extent(&t, "b"), p->channel ? p->c : p->n1 * p->c * p->n2);
        draw_mixed(x, trial_extent(&t, "x"), 1);
        draw_mixed(b, trial_extent(&t, "b"), 1);
        trial_run(&t, draw_between(0, 3));
        for (int64_t at = 0; at < trial_extent(&t, "y"); at++) {
            volatile float want = x[at] + b[p->channel ? at / p->n2 % p->c : at];
            ck_hold(same_bits(trial_floats(&t, "y")[at], want), "add %d [%lld]", i, (long long)at);
        }
        trial_finish(&t);
    }
}
END_TEST

/* y may be b only where both are of one size. */
START_TEST(add_in_place)
{
    struct cairn_device *device;
    struct cairn_buffer *x, *b;
    float host[6] = {1, 2, 3, 4, 5, 6};
    ck_assert_int_eq(cairn_device_open("reference", NULL, &device), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_create(device, sizeof host, &x), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_create(device, sizeof host, &b), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_write(x, 0, host, sizeof host), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_write(b, 0, host, sizeof host), CAIRN_OK);
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_ADD);
    struct cairn_add *p = &problem.u.add;
    p->c = 2, p->n2 = 3;
    p->x.buffer = x, p->b.buffer = p->y.buffer = b;
    ck_assert_int_eq(cairn_run(device, &problem), CAIRN_OK);
    p->channel = 1;
    ck_assert_int_eq(cairn_run(device, &problem), CAIRN_INVALID);
    p->y.buffer = x;
    ck_assert_int_eq(cairn_run(device, &problem), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_read(x, 0, host, sizeof host), CAIRN_OK);
    for (int i = 0; i < 6; i++) ck_assert(host[i] == (float)(i + 1 + (i < 3 ? 2 : 4)));
    cairn_buffer_destroy(x);
    cairn_buffer_destroy(b);
    cairn_device_close(device);
}
END_TEST

/* --- batch normalisation: the three operators on one x --- */

struct norm {
    struct trial stats, forward, grad;
    int64_t n1, c, n2, count; /* count: of one channel */
    float *x, *mean, *rstd, *gamma, *beta, *dy;
};

static void norm_init(struct norm *k, int n1, int c, int n2, double momentum, double epsilon)
{
    trial_init(&k->stats, "batchnorm_stats n1=%d c=%d n2=%d momentum=%.9g epsilon=%.9g", n1, c, n2,
               momentum, epsilon);
    trial_init(&k->forward, "batchnorm n1=%d c=%d n2=%d", n1, c, n2);
    trial_init(&k->grad, "batchnorm_grad n1=%d c=%d n2=%d", n1, c, n2);
    k->n1 = n1, k->c = c, k->n2 = n2, k->count = (int64_t)n1 * n2;
    k->x = trial_floats(&k->stats, "x");
    k->mean = trial_floats(&k->stats, "mean"), k->rstd = trial_floats(&k->stats, "rstd");
    k->gamma = trial_floats(&k->forward, "gamma"), k->beta = trial_floats(&k->forward, "beta");
    k->dy = trial_floats(&k->grad, "dy");
}

static void norm_finish(struct norm *k)
{
    trial_finish(&k->stats);
    trial_finish(&k->forward);
    trial_finish(&k->grad);
}

static void give(struct trial *to, const char *name, const float *from)
{
    memcpy(trial_floats(to, name), from, (size_t)trial_extent(to, name) * sizeof *from);
}

static void norm_run(struct norm *k)
{
    trial_run(&k->stats, draw_between(0, 3));
    struct trial *rest[] = {&k->forward, &k->grad};
    for (int i = 0; i < 2; i++) {
        give(rest[i], "x", k->x);
        give(rest[i], "mean", k->mean);
        give(rest[i], "rstd", k->rstd);
        give(rest[i], "gamma", k->gamma);
        trial_run(rest[i], draw_between(0, 3));
    }
}

/* docs/ARITHMETIC.md, "The sum", word for word. */
static float naive_sum(const float *x, int64_t count)
{
    int64_t chunks = 0;
    float *v = calloc((size_t)count / 4096 + 1, sizeof *v), lane[64], total;
    for (int64_t begin = 0; begin < count; begin += 4096) {
        memset(lane, 0, sizeof lane);
        for (int64_t e = 0; e < 4096 && begin + e < count; e++)
            lane[e % 64] = lane[e % 64] + x[begin + e];
        for (int h = 32; h > 0; h /= 2)
            for (int i = 0; i < h; i++) lane[i] = lane[i] + lane[i + h];
        v[chunks++] = lane[0];
    }
    for (; chunks > 1; chunks = (chunks + 1) / 2)
        for (int64_t i = 0; i < (chunks + 1) / 2; i++)
            v[i] = 2 * i + 1 < chunks ? v[2 * i] + v[2 * i + 1] : v[2 * i];
    total = v[0];
    free(v);
    return total == 0 ? 0.0f : total;
}

static int64_t place(const struct norm *k, int64_t j, int64_t e)
{
    return (e / k->n2 * k->c + j) * k->n2 + e % k->n2;
}

/* Channel j by the page, one scalar operation after the other. before: of the running statistics.
 */
static void hold_channel(struct norm *k, int64_t j, const float before[2], float *terms)
{
    const struct cairn_batchnorm_stats *p = &k->stats.problem.u.batchnorm_stats;
    volatile float d, r, n = (float)k->count, m = k->count > 1 ? (float)(k->count - 1) : 1;
    for (int64_t e = 0; e < k->count; e++) terms[e] = k->x[place(k, j, e)];
    volatile float mean = naive_sum(terms, k->count) / n;
    for (int64_t e = 0; e < k->count; e++) {
        d = terms[e] - mean;
        r = d * d;
        terms[e] = r;
    }
    volatile float q = naive_sum(terms, k->count), rstd;
    r = q / n;
    r = r + p->epsilon;
    r = sqrtf(r);
    rstd = 1.0f / r;
    ck_hold(same_bits(k->mean[j], mean) && same_bits(k->rstd[j], rstd), "statistics of %d", (int)j);
    d = mean - before[0];
    r = q / m;
    r = r - before[1];
    ck_hold(same_bits(trial_floats(&k->stats, "running_mean")[j], fmaf(p->momentum, d, before[0])),
            "running mean");
    ck_hold(same_bits(trial_floats(&k->stats, "running_var")[j], fmaf(p->momentum, r, before[1])),
            "running variance");
    for (int64_t e = 0; e < k->count; e++) {
        d = k->x[place(k, j, e)] - mean;
        r = d * rstd;
        ck_hold(same_bits(trial_floats(&k->forward, "y")[place(k, j, e)],
                          fmaf(r, k->gamma[j], k->beta[j])),
                "y %d", (int)e);
        r = k->dy[place(k, j, e)] * r;
        terms[e] = r;
    }
    volatile float s2 = naive_sum(terms, k->count), k1, k2 = s2 / n, scale = k->gamma[j] * rstd;
    for (int64_t e = 0; e < k->count; e++) terms[e] = k->dy[place(k, j, e)];
    volatile float s1 = naive_sum(terms, k->count);
    k1 = s1 / n;
    ck_hold(same_bits(trial_floats(&k->grad, "dbeta")[j], s1), "dbeta");
    ck_hold(same_bits(trial_floats(&k->grad, "dgamma")[j], s2), "dgamma");
    for (int64_t e = 0; e < k->count; e++) {
        d = k->x[place(k, j, e)] - mean;
        d = d * rstd;
        r = terms[e] - fmaf(d, k2, k1);
        r = scale * r;
        ck_hold(same_bits(trial_floats(&k->grad, "dx")[place(k, j, e)], r), "dx %d", (int)e);
    }
}

START_TEST(batchnorm_bits)
{
    draw_seed(201);
    for (int i = 0; i < 40; i++) {
        struct norm k;
        int n2 = i % 3 ? (int)draw_between(1, i % 5 ? 70 : 700) : 1, c = (int)draw_between(1, 6);
        norm_init(&k, (int)draw_between(1, i % 4 ? 30 : 300), c, n2, i % 7 ? 0.1 : 1, 1e-5);
        float before[6][2], *terms = calloc((size_t)k.count, sizeof *terms);
        draw_mixed(k.x, k.count * c, i % 2);
        draw_mixed(k.dy, k.count * c, i % 2);
        draw_mixed(k.gamma, c, 0);
        draw_mixed(k.beta, c, 0);
        for (int j = 0; j < c; j++) {
            trial_floats(&k.stats, "running_mean")[j] = before[j][0] = (float)draw_real(-1, 1);
            trial_floats(&k.stats, "running_var")[j] = before[j][1] = (float)draw_real(0, 1);
        }
        norm_run(&k);
        for (int j = 0; j < c; j++) hold_channel(&k, j, before[j], terms);
        free(terms);
        norm_finish(&k);
    }
}
END_TEST

START_TEST(batchnorm_inference)
{
    draw_seed(202);
    for (int i = 0; i < 20; i++) {
        struct trial t;
        trial_init(&t, "batchnorm n1=%d c=%d n2=%d inference=1 epsilon=0.001",
                   (int)draw_between(1, 9), (int)draw_between(1, 9), (int)draw_between(1, 30));
        const struct cairn_batchnorm *p = &t.problem.u.batchnorm;
        draw_mixed(trial_floats(&t, "x"), trial_extent(&t, "x"), i % 2);
        static const char *const names[] = {"mean", "rstd", "gamma", "beta"};
        for (int o = 0; o < 4; o++)
            draw_floats(trial_floats(&t, names[o]), p->c, o == 1 ? 0 : -2, 2);
        trial_run(&t, draw_between(0, 3));
        for (int64_t at = 0; at < trial_extent(&t, "y"); at++) {
            int64_t j = at / p->n2 % p->c;
            volatile float s = trial_floats(&t, "rstd")[j] + p->epsilon, v;
            s = sqrtf(s);
            s = 1.0f / s;
            v = trial_floats(&t, "x")[at] - trial_floats(&t, "mean")[j];
            v = v * s;
            ck_hold(same_bits(trial_floats(&t, "y")[at],
                              fmaf(v, trial_floats(&t, "gamma")[j], trial_floats(&t, "beta")[j])),
                    "inference %d", i);
        }
        trial_finish(&t);
    }
}
END_TEST

/* What float arithmetic may be off in one channel, first order in U with a fifth on top: deep
 * additions stand behind a sum. */
struct slack {
    double deep, mean, var, rstd; /* absolute */
};

static struct slack slack_of(const struct norm *k, int64_t j, const double *x, double mean,
                             double var, double epsilon)
{
    struct slack s = {.deep = 1.2 * (64 + 8 + log2((double)k->count) + 4)};
    double size = 0, spread = 0, n = (double)k->count;
    for (int64_t e = 0; e < k->count; e++) {
        size += fabs(x[place(k, j, e)]) / n;
        spread += fabs(x[place(k, j, e)] - mean) / n;
    }
    s.mean = s.deep * U * size;
    double shifted = 2 * s.mean * spread + s.mean * s.mean;
    s.var = shifted + s.deep * U * (var + shifted);
    s.rstd = (s.var / (var + epsilon) + 4 * U) / sqrt(var + epsilon);
    return s;
}

/* The results of channel j; the oracle's are want_* of the whole. */
static void near_channel(struct norm *k, int64_t j, const double *x, const double *want_mean,
                         const double *want_var, const double *want_y, const double *want_dx,
                         const double *want_dgamma, const double *want_dbeta)
{
    double epsilon = (double)k->stats.problem.u.batchnorm_stats.epsilon, n = (double)k->count;
    double mean = want_mean[j], rstd = 1 / sqrt(want_var[j] + epsilon);
    double gamma = fabs((double)k->gamma[j]), sum_dy = 0, sum_v = 0, sum_off = 0;
    struct slack s = slack_of(k, j, x, mean, want_var[j], epsilon);
    ck_near(k->mean[j], mean, s.mean, "mean");
    ck_near(k->rstd[j], rstd, s.rstd, "rstd");
#define OFF_V(v) (1.2 * (rstd * s.mean + fabs(v) / rstd * s.rstd + 4 * U * fabs(v)))
    for (int64_t e = 0; e < k->count; e++) {
        int64_t at = place(k, j, e);
        double v = (x[at] - mean) * rstd, dy = fabs((double)k->dy[at]);
        ck_near(trial_floats(&k->forward, "y")[at], want_y[at],
                gamma * OFF_V(v) + 2 * U * fabs(want_y[at]), "y %d", (int)e);
        sum_dy += dy;
        sum_v += dy * fabs(v);
        sum_off += dy * OFF_V(v);
    }
    double off1 = s.deep * U * sum_dy, off2 = sum_off + s.deep * U * (sum_v + sum_off);
    double k1 = want_dbeta[j] / n, k2 = want_dgamma[j] / n;
    ck_near(trial_floats(&k->grad, "dbeta")[j], want_dbeta[j], off1, "dbeta");
    ck_near(trial_floats(&k->grad, "dgamma")[j], want_dgamma[j], off2, "dgamma");
    for (int64_t e = 0; e < k->count; e++) {
        int64_t at = place(k, j, e);
        double v = (x[at] - mean) * rstd, inner = v * k2 + k1;
        double off = (fabs(v) + OFF_V(v)) * (off2 / n + U * fabs(k2)) + fabs(k2) * OFF_V(v) +
                     off1 / n + U * fabs(k1) + U * fabs(inner);
        double bracket = (double)k->dy[at] - inner;
        ck_near(trial_floats(&k->grad, "dx")[at], want_dx[at],
                gamma * 1.2 * (rstd * off + fabs(bracket) * (s.rstd + 4 * U * rstd)), "dx %d",
                (int)e);
    }
}

static void hold_near(struct norm *k)
{
    size_t all = (size_t)(k->count * k->c), c = (size_t)k->c;
    double epsilon = (double)k->stats.problem.u.batchnorm_stats.epsilon;
    double *x = trial_doubles(&k->stats, "x"), *dy = trial_doubles(&k->grad, "dy"),
           *gamma = trial_doubles(&k->forward, "gamma"), *beta = trial_doubles(&k->forward, "beta");
    double *to = calloc(2 * all + 4 * c, sizeof *to), *y = to, *dx = to + all, *mean = dx + all,
           *var = mean + c, *dgamma = var + c, *dbeta = dgamma + c;
    ck_assert(to != NULL);
    oracle_batchnorm(k->n1, k->c, k->n2, epsilon, x, gamma, beta, mean, var, y);
    oracle_batchnorm_grad(k->n1, k->c, k->n2, epsilon, x, dy, gamma, dx, dgamma, dbeta);
    for (int64_t j = 0; j < k->c; j++) near_channel(k, j, x, mean, var, y, dx, dgamma, dbeta);
    free(x), free(dy), free(gamma), free(beta), free(to);
}

START_TEST(batchnorm_random)
{
    draw_seed(203);
    for (int i = 0; i < 40; i++) {
        struct norm k;
        int n2 = i % 3 ? (int)draw_between(1, i % 5 ? 70 : 400) : 1, c = (int)draw_between(1, 6);
        norm_init(&k, (int)draw_between(i % 6 ? 2 : 1, i % 4 ? 30 : 120), c, n2, 0.1,
                  i % 2 ? 1e-5 : 1e-3);
        draw_floats(k.dy, k.count * c, -1, 1);
        draw_floats(k.gamma, c, -2, 2);
        draw_floats(k.beta, c, -1, 1);
        for (int j = 0; j < c; j++) {
            double middle = draw_real(-3, 3), spread = draw_real(0.1, 4);
            for (int64_t e = 0; e < k.count; e++)
                k.x[place(&k, j, e)] = (float)draw_real(middle - spread, middle + spread);
        }
        norm_run(&k);
        hold_near(&k);
        norm_finish(&k);
    }
}
END_TEST

/* sum(dy y) for y of the whole normalisation, statistics and all. */
static double loss_of(const struct norm *k, const double *x, const double *gamma,
                      const double *beta, const double *dy, double *y)
{
    double mean[3], var[3], loss = 0;
    oracle_batchnorm(k->n1, k->c, k->n2, (double)1e-5f, x, gamma, beta, mean, var, y);
    for (int64_t at = 0; at < k->count * k->c; at++) loss += dy[at] * y[at];
    return loss;
}

START_TEST(batchnorm_slopes)
{
    struct norm k;
    draw_seed(204);
    norm_init(&k, 5, 3, 7, 0.1, 1e-5);
    draw_floats(k.x, 105, -2, 3);
    draw_floats(k.dy, 105, -1, 1);
    draw_floats(k.gamma, 3, -2, 2);
    draw_floats(k.beta, 3, -1, 1);
    norm_run(&k);
    double *x = trial_doubles(&k.stats, "x"), *dy = trial_doubles(&k.grad, "dy"), y[105];
    double *gamma = trial_doubles(&k.forward, "gamma"), *beta = trial_doubles(&k.forward, "beta");
    struct {
        double *of;
        const char *name;
        int count;
    } slots[] = {{x, "dx", 105}, {gamma, "dgamma", 3}, {beta, "dbeta", 3}};
    for (int s = 0; s < 3; s++)
        for (int e = 0; e < slots[s].count; e++) {
            const double h = 1e-5, kept = slots[s].of[e];
            slots[s].of[e] = kept + h;
            double above = loss_of(&k, x, gamma, beta, dy, y);
            slots[s].of[e] = kept - h;
            double below = loss_of(&k, x, gamma, beta, dy, y);
            slots[s].of[e] = kept;
            ck_near(trial_floats(&k.grad, slots[s].name)[e], (above - below) / (2 * h), 1e-5,
                    "%s %d", slots[s].name, e);
        }
    free(x), free(dy), free(gamma), free(beta);
    norm_finish(&k);
}
END_TEST

START_TEST(batchnorm_specials)
{
    enum { C = 6 };
    const float x[C][2] = {{1, 3},         {NAN, 1},        {INFINITY, 1},
                           {3e38f, 3e38f}, {3e38f, -3e38f}, {5, 5}};
    const float mean[C] = {2, NAN, INFINITY, INFINITY, 0, 5},
                rstd[C] = {0.5f, NAN, NAN, 0, 0, 1 / sqrtf(3)},
                y[C][2] = {{0.5f, 1.5f}, {NAN, NAN}, {NAN, NAN}, {NAN, NAN}, {1, 1}, {1, 1}},
                var[C] = {2, NAN, NAN, INFINITY, INFINITY, 0};
    struct norm k;
    norm_init(&k, 1, C, 2, 1, 3);
    for (int j = 0; j < C; j++) {
        k.gamma[j] = k.beta[j] = 1;
        memcpy(k.x + 2 * j, x[j], sizeof x[j]);
    }
    norm_run(&k);
    for (int j = 0; j < C; j++) {
        ck_hold(same_bits(k.mean[j], mean[j]), "mean %d", j);
        ck_hold(same_bits(k.rstd[j], rstd[j]), "rstd %d", j);
        ck_hold(same_bits(trial_floats(&k.stats, "running_mean")[j], mean[j]), "running %d", j);
        ck_hold(same_bits(trial_floats(&k.stats, "running_var")[j], var[j]), "variance %d", j);
        for (int e = 0; e < 2; e++)
            ck_hold(same_bits(trial_floats(&k.forward, "y")[2 * j + e], y[j][e]), "y %d %d", j, e);
    }
    norm_finish(&k);
    /* One element: no variance to be unbiased about; momentum 0 keeps what was. */
    norm_init(&k, 1, 1, 1, 0, 4);
    k.x[0] = 9;
    k.gamma[0] = 3;
    k.beta[0] = -0.0f;
    k.dy[0] = 7;
    trial_floats(&k.stats, "running_var")[0] = 0.25f;
    norm_run(&k);
    ck_assert(k.mean[0] == 9 && k.rstd[0] == 0.5f);
    ck_assert(trial_floats(&k.stats, "running_var")[0] == 0.25f);
    ck_assert(same_bits(trial_floats(&k.forward, "y")[0], 0.0f));
    ck_assert(trial_floats(&k.grad, "dbeta")[0] == 7 && trial_floats(&k.grad, "dgamma")[0] == 0);
    ck_assert(trial_floats(&k.grad, "dx")[0] == 0);
    norm_finish(&k);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reference_norm");
    TCase *cases = tcase_create("norm");
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, add_bits);
    tcase_add_test(cases, add_in_place);
    tcase_add_test(cases, batchnorm_bits);
    tcase_add_test(cases, batchnorm_inference);
    tcase_add_test(cases, batchnorm_random);
    tcase_add_test(cases, batchnorm_slopes);
    tcase_add_test(cases, batchnorm_specials);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
