/* Clipping and updates of the reference: ten steps against oracles, every bit against the page
 * written out one scalar operation after the other, and what the papers say of them. */
#include "base/exact.h"
#include "oracle/trial.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 1000 };

/* Everything that an update can be asked for. */
static const char *const lines[] = {
    "sgd count=1000 decay_count=600 lr=0.1",
    "sgd count=1000 decay_count=600 lr=0.1 momentum=0.9 l2=0.01",
    "sgd count=1000 decay_count=600 lr=0.01 momentum=0.9 nesterov=1",
    "sgd count=1000 decay_count=600 lr=0.01 momentum=0.9 nesterov=1 l1=0.03 l2=0.01 decay=0.2",
    "sgd count=1000 decay_count=600 lr=0.01 momentum=0.9 decay=0.5",
    "adam count=1000 decay_count=600 lr=0.01 beta1=0.9 beta2=0.999 epsilon=1e-8 l2=0.01",
    "adam count=1000 decay_count=600 lr=0.01 beta1=0.91 beta2=0.99 epsilon=1e-4 l1=0.02",
    "adam count=1000 decay_count=600 lr=0.01 beta1=0.9 beta2=0.999 epsilon=1e-8 decay=0.4",
    "rmsprop count=1000 decay_count=600 lr=0.01 alpha=0.99 epsilon=1e-8",
    "rmsprop count=1000 decay_count=600 lr=0.01 alpha=0.9 momentum=0.9 epsilon=1e-3 l2=0.01",
    "rmsprop count=1000 decay_count=600 lr=0.01 alpha=0.9 epsilon=1e-8 l1=0.2 decay=0.1",
    "adagrad count=1000 decay_count=600 lr=0.01 epsilon=1e-10",
    "adagrad count=1000 decay_count=600 lr=0.01 epsilon=1e-10 l1=0.2 l2=0.1 decay=0.1",
    "adadelta count=1000 decay_count=600 lr=1 rho=0.9 epsilon=1e-6",
    "adadelta count=1000 decay_count=600 lr=0.5 rho=0.95 epsilon=1e-4 l1=0.1 l2=0.2 decay=0.3",
};
enum { LINES = sizeof lines / sizeof *lines };

/* The learning rate and adam's corrections for step 0, 1, ... */
static void set_step(struct trial *t, int step)
{
    struct cairn_adam *p = &t->problem.u.adam;
    if (t->problem.op != CAIRN_OP_ADAM) return;
    p->c1 = (float)(1 / (1 - pow((double)p->beta1, step + 1)));
    p->c2 = (float)(1 / (1 - pow((double)p->beta2, step + 1)));
}

/* --- oracles --- */

/* Operands in the order of the schema: w, g and one or two moments. */
static void oracle_step(const struct cairn_problem *p, double *const x[4])
{
    if (p->op == CAIRN_OP_SGD) oracle_sgd(&p->u.sgd, x[0], x[1], x[2]);
    if (p->op == CAIRN_OP_ADAM) oracle_adam(&p->u.adam, x[0], x[1], x[2], x[3]);
    if (p->op == CAIRN_OP_RMSPROP) oracle_rmsprop(&p->u.rmsprop, x[0], x[1], x[2], x[3]);
    if (p->op == CAIRN_OP_ADAGRAD) oracle_adagrad(&p->u.adagrad, x[0], x[1], x[2]);
    if (p->op == CAIRN_OP_ADADELTA) oracle_adadelta(&p->u.adadelta, x[0], x[1], x[2], x[3]);
}

/* A step is a dozen roundings of numbers no larger than the largest result. */
static void hold_operand(const struct trial *t, int operand, const double *want, int line, int step)
{
    double largest = 0;
    for (int i = 0; i < COUNT; i++) largest = fmax(largest, fabs(want[i]));
    ck_assert(largest > 0);
    for (int i = 0; i < COUNT; i++)
        ck_near(((const float *)t->host[operand])[i], want[i], (step + 1) * 12 * 0x1p-24 * largest,
                "%s: step %d, operand %d [%d]", lines[line], step, operand, i);
}

static double *doubles_of(const struct trial *t, int operand)
{
    double *to = calloc(COUNT, sizeof *to);
    ck_assert_ptr_nonnull(to);
    for (int i = 0; i < COUNT; i++) to[i] = (double)((const float *)t->host[operand])[i];
    return to;
}

START_TEST(ten_steps)
{
    struct trial t;
    double *x[4] = {NULL, NULL, NULL, NULL};
    draw_seed(80 + (uint64_t)_i);
    trial_init(&t, "%s", lines[_i]);
    float *w = trial_floats(&t, "w");
    draw_floats(w, COUNT, 0.5, 1.5); /* no sign changes within ten steps */
    for (int i = 0; i < COUNT; i += 2) w[i] = -w[i];
    for (int k = 0; k < t.count; k++) x[k] = doubles_of(&t, k);
    for (int step = 0; step < 10; step++) {
        draw_floats(trial_floats(&t, "g"), COUNT, -1, 1);
        for (int i = 0; i < COUNT; i++) x[1][i] = (double)trial_floats(&t, "g")[i];
        set_step(&t, step);
        oracle_step(&t.problem, x);
        trial_run(&t, step % 4);
        for (int k = 0; k < t.count; k++)
            if (k != 1) hold_operand(&t, k, x[k], _i, step);
    }
    for (int k = 0; k < t.count; k++) free(x[k]);
    trial_finish(&t);
}
END_TEST

/* --- bits --- */

static float add(float a, float b)
{
    volatile float r = a + b;
    return r;
}
static float mul(float a, float b)
{
    volatile float r = a * b;
    return r;
}
static float over(float a, float b)
{
    volatile float r = a / b;
    return r;
}
static float root(float a)
{
    volatile float r = sqrtf(a);
    return r;
}

/* docs/ARITHMETIC.md, "updates": the beginning. */
static float naive_begin(float lr, float l1, float l2, float decay, float *w, float g)
{
    float old = *w;
    g = fmaf(l2, old, g);
    if (l1 != 0) g = fmaf(l1, old > 0 ? 1.0f : old < 0 ? -1.0f : 0.0f, g);
    if (decay != 0) *w = fmaf(-mul(lr, decay), old, old);
    return g;
}
#define NAIVE_BEGIN(p, i, w, g)                                                                    \
    ((i) < (p)->decay_count ? naive_begin((p)->lr, (p)->l1, (p)->l2, (p)->decay, w, g) : (g))

/* One element of each; a and b are the moments in the order of the schema. */
static void naive_sgd(const struct cairn_sgd *p, int i, float *w, float g, float *v)
{
    g = NAIVE_BEGIN(p, i, w, g);
    *v = fmaf(p->momentum, *v, g);
    *w = fmaf(-p->lr, p->nesterov ? fmaf(p->momentum, *v, g) : *v, *w);
}
static void naive_adam(const struct cairn_adam *p, int i, float *w, float g, float *m, float *v)
{
    g = NAIVE_BEGIN(p, i, w, g);
    *m = fmaf(p->beta1, *m, mul(add(1, -p->beta1), g));
    *v = fmaf(p->beta2, *v, mul(mul(add(1, -p->beta2), g), g));
    float below = add(root(mul(*v, p->c2)), p->epsilon);
    *w = fmaf(-p->lr, over(mul(*m, p->c1), below), *w);
}
static void naive_rmsprop(const struct cairn_rmsprop *p, int i, float *w, float g, float *m,
                          float *v)
{
    g = NAIVE_BEGIN(p, i, w, g);
    *v = fmaf(p->alpha, *v, mul(mul(add(1, -p->alpha), g), g));
    *m = fmaf(p->momentum, *m, over(g, add(root(*v), p->epsilon)));
    *w = fmaf(-p->lr, *m, *w);
}
static void naive_adagrad(const struct cairn_adagrad *p, int i, float *w, float g, float *v)
{
    g = NAIVE_BEGIN(p, i, w, g);
    *v = fmaf(g, g, *v);
    *w = fmaf(-p->lr, over(g, add(root(*v), p->epsilon)), *w);
}
static void naive_adadelta(const struct cairn_adadelta *p, int i, float *w, float g, float *u,
                           float *v)
{
    g = NAIVE_BEGIN(p, i, w, g);
    float rest = add(1, -p->rho);
    *v = fmaf(p->rho, *v, mul(mul(rest, g), g));
    float d = mul(over(root(add(*u, p->epsilon)), root(add(*v, p->epsilon))), g);
    *u = fmaf(p->rho, *u, mul(mul(rest, d), d));
    *w = fmaf(-p->lr, d, *w);
}

static void naive_step(const struct cairn_problem *p, int i, float *w, float g, float *a, float *b)
{
    if (p->op == CAIRN_OP_SGD) naive_sgd(&p->u.sgd, i, w, g, a);
    if (p->op == CAIRN_OP_ADAM) naive_adam(&p->u.adam, i, w, g, a, b);
    if (p->op == CAIRN_OP_RMSPROP) naive_rmsprop(&p->u.rmsprop, i, w, g, a, b);
    if (p->op == CAIRN_OP_ADAGRAD) naive_adagrad(&p->u.adagrad, i, w, g, a);
    if (p->op == CAIRN_OP_ADADELTA) naive_adadelta(&p->u.adadelta, i, w, g, a, b);
}

/* Mostly numbers near 1, every fifth one zero of either sign, NaN, infinite, denormal or of any
 * size. */
static void draw_wild(float *to, int64_t count, int positive)
{
    static const float specials[] = {0.0f,      -0.0f,     NAN,        INFINITY,
                                     -INFINITY, 0x1p-149f, -0x1p-130f, 3e38f};
    for (int64_t i = 0; i < count; i++) {
        uint32_t u = draw_u32();
        to[i] = (float)draw_real(-1.5, 1.5);
        if (u % 10 == 0) to[i] = specials[u / 10 % 8];
        if (u % 10 == 1) to[i] = cairn_exact_float((u & 0x9fffffffu) + 0x30000000u);
        if (positive) to[i] = fabsf(to[i]);
    }
}

static void hold_bits(struct trial *t, int line)
{
    float *old[4] = {NULL, NULL, NULL, NULL}, none = 0;
    for (int k = 0; k < t->count; k++) {
        int squares = k >= 2 && k == t->count - 1 && t->problem.op != CAIRN_OP_SGD;
        draw_wild(t->host[k], COUNT, squares);
        old[k] = malloc(COUNT * sizeof(float));
        memcpy(old[k], t->host[k], COUNT * sizeof(float));
    }
    trial_run(t, draw_between(0, 3));
    for (int i = 0; i < COUNT; i++) {
        naive_step(&t->problem, i, &old[0][i], old[1][i], &old[2][i],
                   t->count > 3 ? &old[3][i] : &none);
        for (int k = 0; k < t->count; k++)
            ck_hold(same_bits(((const float *)t->host[k])[i], old[k][i]),
                    "%s: operand %d [%d] is %a, not %a", lines[line], k, i,
                    (double)((const float *)t->host[k])[i], (double)old[k][i]);
    }
    for (int k = 0; k < t->count; k++) free(old[k]);
}

/* What may be set beside the line; NAN and -1 keep what it says. */
struct edge {
    int64_t decay_count;
    float lr, l1, l2, decay, epsilon;
};

static void set_float(float *field, float value)
{
    if (!isnan(value)) *field = value;
}
#define SET_EDGE(p, e)                                                                             \
    do {                                                                                           \
        if ((e)->decay_count >= 0) (p)->decay_count = (e)->decay_count;                            \
        set_float(&(p)->lr, (e)->lr);                                                              \
        set_float(&(p)->l1, (e)->l1);                                                              \
        set_float(&(p)->l2, (e)->l2);                                                              \
        set_float(&(p)->decay, (e)->decay);                                                        \
    } while (0)

static void set_edge(struct cairn_problem *p, const struct edge *e)
{
    if (p->op == CAIRN_OP_SGD) SET_EDGE(&p->u.sgd, e);
    if (p->op == CAIRN_OP_ADAM) SET_EDGE(&p->u.adam, e);
    if (p->op == CAIRN_OP_ADAM) set_float(&p->u.adam.epsilon, e->epsilon);
    if (p->op == CAIRN_OP_RMSPROP) SET_EDGE(&p->u.rmsprop, e);
    if (p->op == CAIRN_OP_RMSPROP) set_float(&p->u.rmsprop.epsilon, e->epsilon);
    if (p->op == CAIRN_OP_ADAGRAD) SET_EDGE(&p->u.adagrad, e);
    if (p->op == CAIRN_OP_ADAGRAD) set_float(&p->u.adagrad.epsilon, e->epsilon);
    if (p->op == CAIRN_OP_ADADELTA) SET_EDGE(&p->u.adadelta, e);
    if (p->op == CAIRN_OP_ADADELTA) set_float(&p->u.adadelta.epsilon, e->epsilon);
}

/* As the line says, with all or none decaying, and with rates, penalties and epsilon at their
 * edges. */
START_TEST(bits)
{
    static const struct edge edges[] = {
        {-1, NAN, NAN, NAN, NAN, NAN},         {0, NAN, NAN, NAN, NAN, NAN},
        {COUNT, NAN, NAN, NAN, NAN, NAN},      {257, 0, NAN, NAN, NAN, NAN},
        {-1, -0.3f, -0.2f, 0, -0.1f, 0},       {-1, 1e-39f, -0.0f, 0, 1e-38f, 1e-40f},
        {-1, NAN, 1e-41f, 1e-40f, -0.0f, NAN},
    };
    draw_seed(106 + (uint64_t)_i);
    for (int k = 0; k < (int)(sizeof edges / sizeof *edges); k++) {
        struct trial t;
        trial_init(&t, "%s", lines[_i]);
        set_edge(&t.problem, &edges[k]);
        set_step(&t, k);
        hold_bits(&t, _i);
        trial_finish(&t);
    }
}
END_TEST

/* Behind decay_count an infinite weight must not make a NaN of 0 * infinity. */
START_TEST(decay_stops)
{
    struct trial t;
    trial_init(&t, "sgd count=2 decay_count=1 lr=0 momentum=1");
    for (int i = 0; i < 2; i++) trial_floats(&t, "w")[i] = INFINITY;
    trial_run(&t, 0);
    ck_assert(isnan(trial_floats(&t, "v")[0]));
    ck_assert(same_bits(trial_floats(&t, "v")[1], 0.0f));
    trial_finish(&t);
}
END_TEST

/* --- clipping --- */

START_TEST(clip_random)
{
    draw_seed(90);
    for (int i = 0; i < 40; i++) {
        struct trial t;
        trial_init(&t, "clip count=%d limit=%g", (int)draw_between(1, 3000), draw_real(0.1, 40));
        int64_t count = trial_extent(&t, "g");
        draw_floats(trial_floats(&t, "g"), count, -1, 1);
        double *g = trial_doubles(&t, "g"), sumsq = 0, length = 0;
        for (int64_t e = 0; e < count; e++) sumsq += g[e] * g[e];
        trial_floats(&t, "sumsq")[0] = (float)sumsq;
        oracle_clip(&t.problem.u.clip, (double)(float)sumsq, g);
        trial_run(&t, draw_between(0, 3));
        for (int64_t e = 0; e < count; e++) {
            ck_near(trial_floats(&t, "g")[e], g[e], 4 * 0x1p-24 * fabs(g[e]), "clip %d", i);
            length += pow((double)trial_floats(&t, "g")[e], 2);
        }
        ck_assert(sqrt(length) <= (double)t.problem.u.clip.limit * (1 + 1e-6));
        free(g);
        trial_finish(&t);
    }
}
END_TEST

/* Norm below, equal, just above, infinite, NaN; zeros keep their signs. */
START_TEST(clip_edges)
{
    static const float sumsq[6] = {3.9f, 4, 0x1.000002p2f, INFINITY, NAN, -1};
    const float g[5] = {3, -0.0f, INFINITY, NAN, -0x1p-149f};
    for (int k = 0; k < 6; k++) {
        struct trial t;
        trial_init(&t, "clip count=5 limit=2");
        trial_floats(&t, "sumsq")[0] = sumsq[k];
        memcpy(trial_floats(&t, "g"), g, sizeof g);
        trial_run(&t, 1);
        /* sqrt(4 + an ulp) is 2 rounded: not above the limit. */
        float factor = k == 3 ? 0 : 1;
        for (int i = 0; i < 5; i++)
            ck_assert_msg(same_bits(trial_floats(&t, "g")[i], mul(g[i], factor)), "%d %d", k, i);
        trial_finish(&t);
    }
    struct trial t;
    trial_init(&t, "clip count=1 limit=2");
    trial_floats(&t, "sumsq")[0] = 36;
    trial_floats(&t, "g")[0] = 0.7f;
    trial_run(&t, 0);
    ck_assert(same_bits(trial_floats(&t, "g")[0], mul(0.7f, over(2, 6))));
    trial_finish(&t);
}
END_TEST

/* --- what the papers say --- */

/* w after `steps` of the same gradient. */
static double walk(const char *line, float w, float g, int steps)
{
    struct trial t;
    trial_init(&t, "%s", line);
    trial_floats(&t, "w")[0] = w;
    for (int step = 0; step < steps; step++) {
        trial_floats(&t, "g")[0] = g;
        set_step(&t, step);
        trial_run(&t, 0);
    }
    double end = (double)trial_floats(&t, "w")[0];
    trial_finish(&t);
    return end;
}

/* Loshchilov and Hutter 2019: Adam divides an l2 penalty by the size of the gradients, so that
 * weights with large gradients are hardly penalised and weights without any move by lr a step
 * however small l2 is; decoupled decay shrinks all weights by 1 - lr decay a step. */
START_TEST(decoupled_decay_is_not_l2)
{
#define ADAM "adam count=1 decay_count=1 lr=0.001 beta1=0.9 beta2=0.999 epsilon=1e-12 "
    double shrunk = 2 * pow(1 - 0.001 * 0.1, 20);
    ck_near(walk(ADAM "decay=0.1", 2, 0, 20), shrunk, 20 * 2 * 0x1p-24, "decay alone");
    ck_near(walk(ADAM "l2=0.1", 2, 0, 20), 2 - 20 * 0.001, 5e-5, "l2 alone");
    ck_near(walk(ADAM "l2=1e-4", 2, 0, 20), 2 - 20 * 0.001, 5e-5, "l2, however small");
    double small = walk(ADAM, 2, 0.001f, 20), large = walk(ADAM, 2, 1000, 20);
    ck_near(small, large, 1e-6, "Adam does not see the size of gradients");
    double decay_small = small - walk(ADAM "decay=0.1", 2, 0.001f, 20),
           decay_large = large - walk(ADAM "decay=0.1", 2, 1000, 20);
    ck_near(decay_small, 2 - shrunk, 5e-5, "decay beside small gradients");
    ck_near(decay_large, 2 - shrunk, 5e-5, "decay beside large gradients");
    /* Against a gradient of -0.1 an l2 of 0.1 wins at w = 2; against -1000 it does nothing. */
    ck_assert(walk(ADAM "l2=0.1", 2, -0.1f, 20) < 2 - 0.015);
    ck_near(walk(ADAM "l2=0.1", 2, -1000, 20), walk(ADAM, 2, -1000, 20), 1e-5, "l2 is gone");
    /* Without adaptive sizes the two are one (their proposition 1). */
    ck_near(walk("sgd count=1 decay_count=1 lr=0.01 l2=0.1", 2, 0.3f, 20),
            walk("sgd count=1 decay_count=1 lr=0.01 decay=0.1", 2, 0.3f, 20), 1e-5, "sgd");
}
END_TEST

/* Sutskever et al. 2013: v = mu v - lr grad(theta + mu v), theta = theta + v, on a quadratic whose
 * slope is a x. Cairn's weight is the place theta + mu v where the gradient is taken. */
START_TEST(nesterov_is_a_look_ahead)
{
    static const double slopes[3] = {0.1, 1, 4};
    const double lr = (double)0.1f, mu = (double)0.9f;
    double theta[3] = {1, 1, 1}, v[3] = {0, 0, 0};
    struct trial t;
    trial_init(&t, "sgd count=3 lr=0.1 momentum=0.9 nesterov=1");
    for (int i = 0; i < 3; i++) trial_floats(&t, "w")[i] = 1;
    for (int step = 0; step < 60; step++) {
        for (int i = 0; i < 3; i++) {
            v[i] = mu * v[i] - lr * slopes[i] * (theta[i] + mu * v[i]);
            theta[i] += v[i];
            trial_floats(&t, "g")[i] = (float)slopes[i] * trial_floats(&t, "w")[i];
        }
        trial_run(&t, 0);
        for (int i = 0; i < 3; i++)
            ck_near(trial_floats(&t, "w")[i], theta[i] + mu * v[i], 64 * 0x1p-24, "step %d, %d",
                    step, i);
    }
    ck_assert(fabs(theta[2]) < 1e-3); /* it does get there */
    trial_finish(&t);
}
END_TEST

/* l1 alone takes a weight to zero in equal steps and holds it within one step of it. */
START_TEST(l1_is_a_constant_pull)
{
    struct trial t;
    trial_init(&t, "sgd count=4 decay_count=3 lr=0.125 l1=0.5");
    const float start[4] = {1, -1, -0.0f, 1};
    memcpy(trial_floats(&t, "w"), start, sizeof start);
    for (int step = 1; step <= 16; step++) {
        trial_run(&t, 0);
        const float *w = trial_floats(&t, "w");
        ck_assert(same_bits(w[0], 1 - 0.0625f * (float)step));
        ck_assert(same_bits(w[1], -w[0]) || (w[0] == 0 && w[1] == 0));
        ck_assert(w[2] == 0);
        ck_assert(same_bits(w[3], 1.0f));
    }
    trial_run(&t, 0);
    ck_assert(trial_floats(&t, "w")[0] == 0); /* sign(0) is 0 */
    trial_finish(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reference_optimizer");
    TCase *cases = tcase_create("optimizer");
    tcase_set_timeout(cases, 300);
    tcase_add_loop_test(cases, ten_steps, 0, LINES);
    tcase_add_loop_test(cases, bits, 0, LINES);
    tcase_add_test(cases, decay_stops);
    tcase_add_test(cases, clip_random);
    tcase_add_test(cases, clip_edges);
    tcase_add_test(cases, decoupled_decay_is_not_l2);
    tcase_add_test(cases, nesterov_is_a_look_ahead);
    tcase_add_test(cases, l1_is_a_constant_pull);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
