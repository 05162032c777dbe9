/* Batch normalisation: shapes as for reduce, whose sums it has, and rows along l and along j. */
#include "check/check.h"

#include <float.h>
#include <math.h>

/* The three descriptors begin with n1, c, n2. */
static void draw_shape(struct check_rng *rng, int profile, int small, struct cairn_batchnorm *p)
{
    int64_t total = small ? CHECK_PICK(rng, 1, 63, 64, 65, 128, 200, 300)
                          : CHECK_PICK(rng, 1, 2, 63, 64, 65, 127, 4095, 4096, 4097, 8191, 8193,
                                       12289, 28673, 65537, 300007);
    p->n1 = p->n2 = 1;
    if (profile < 15) { /* one long row of a channel, in pieces */
        p->n2 = total;
        p->c = check_size(rng, 3);
    } else if (profile < 45) { /* channels beside each other */
        p->n1 = total;
        p->c = check_size(rng, small ? 40 : 200);
    } else if (profile < 55 && !small) { /* and in pieces */
        p->n1 = check_size(rng, 5);
        p->c = CHECK_PICK(rng, 4095, 4096, 4097, 8207);
        p->n2 = CHECK_PICK(rng, 1, 1, 2, 5);
    } else if (profile < 80) { /* the flattened length near an edge */
        p->n2 = check_size(rng, small || check_chance(rng, 50) ? 20 : 900);
        p->n1 = total / p->n2 + check_below(rng, 2);
        if (p->n1 == 0) p->n1 = 1;
        p->c = check_size(rng, check_chance(rng, 40) ? 40 : 7);
    } else {
        p->n1 = check_size(rng, small ? 9 : 100);
        p->c = check_size(rng, small ? 9 : 70);
        p->n2 = check_size(rng, small ? 9 : 100);
    }
}

static float draw_epsilon(struct check_rng *rng)
{
    return CHECK_PICKF(rng, 1e-5f, 1e-5f, 1e-3f, 1e-8f, 1.0f, 1e-40f);
}

static void draw_stats(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_batchnorm_stats *p = &problem->u.batchnorm_stats;
    draw_shape(rng, profile, small, &problem->u.batchnorm);
    p->momentum = CHECK_PICKF(rng, 0.1f, 0.1f, 0.01f, 0.3f, 0.0f, 1.0f);
    p->epsilon = draw_epsilon(rng);
}

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_batchnorm *p = &problem->u.batchnorm;
    draw_shape(rng, profile, small, p);
    p->inference = check_chance(rng, 40);
    p->epsilon = draw_epsilon(rng);
}

static void draw_grad(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    draw_shape(rng, profile, small, &problem->u.batchnorm);
}

enum { X, STATS_MEAN = 1, STATS_RSTD, STATS_RUNNING_MEAN, STATS_RUNNING_VAR };
enum { MEAN = 1, RSTD, GAMMA, BETA, Y };
enum { GRAD_DY = 1, GRAD_MEAN, GRAD_RSTD, GRAD_GAMMA, GRAD_DX, GRAD_DGAMMA, GRAD_DBETA };

static uint64_t channel_of(const struct check_case *c, int64_t element)
{
    const struct cairn_batchnorm *p = &c->problem.u.batchnorm;
    return (uint64_t)(element / p->n2 % p->c);
}

/* Real data: x of every channel about a middle of its own, some constant; variances, rstd and their
 * like above 0. */
static int fill(const struct check_case *c, int operand, const struct check_source *source,
                int64_t extent, void *data)
{
    int64_t op = c->problem.op;
    int spread = op == CAIRN_OP_BATCHNORM_STATS ? STATS_RUNNING_VAR
                 : op == CAIRN_OP_BATCHNORM     ? RSTD
                                                : GRAD_RSTD;
    float *to = data;
    if (c->kind != CHECK_real || (operand != X && operand != spread)) return 0;
    for (int64_t i = 0; i < extent; i++) {
        uint64_t r = check_mix(source->key + channel_of(c, i));
        float v = check_as_float(check_float_bits(source, i));
        if (operand == spread)
            to[i] = fabsf(v) * 4;
        else
            to[i] = v * (float)(r & 3) + (float)((int64_t)(r >> 2 & 15) - 8) * 0.7f;
    }
    return 1;
}

static double at(const struct check_image *image, int64_t index)
{
    return (double)check_float_at(image, image->initial, index);
}

/* What the sums of one channel may be off; NaN or infinite where something overflows. */
struct off {
    double terms, mean, var; /* var: the true q / N */
    double off_mean, off_var;
};

static struct off off_of(const struct cairn_batchnorm *p, const struct check_image *x, int64_t j)
{
    int64_t count = p->n1 * p->n2;
    double n = (double)count, sum = 0, size = 0, var = 0, spread = 0;
    struct off o = {.terms = n};
    for (int64_t e = 0; e < count; e++) {
        double v = at(x, (e / p->n2 * p->c + j) * p->n2 + e % p->n2);
        sum += v;
        size += fabs(v);
    }
    o.mean = sum / n;
    for (int64_t e = 0; e < count; e++) {
        double d = at(x, (e / p->n2 * p->c + j) * p->n2 + e % p->n2) - o.mean;
        spread += fabs(d) / n;
        var += d * d / n;
    }
    o.var = var;
    double deep = 2 * check_gamma(n + 6);
    o.off_mean = deep * size / n + 2 * CHECK_TINY;
    double moved = 2 * o.off_mean * spread + o.off_mean * o.off_mean;
    o.off_var = moved + deep * (var + moved) + 4 * CHECK_TINY;
    if (!(size < (double)FLT_MAX / 4) || !(var * n + moved * n < (double)FLT_MAX / 4))
        o.off_mean = o.off_var = INFINITY;
    return o;
}

/* Divisions 2.5 ulp, the root 3, and half of what is under it. */
static double off_rstd(double under, double off_under)
{
    if (!(off_under < under / 2) || under < 4 * CHECK_TINY) return INFINITY;
    return (off_under / under + 10 * CHECK_ULP) / sqrt(under);
}

static void bound_stats(const struct check_case *c, const struct check_image *images, int operand,
                        const float *sums, double *bound_of)
{
    const struct cairn_batchnorm_stats *p = &c->problem.u.batchnorm_stats;
    (void)sums;
    for (int64_t j = 0; j < p->c; j++) {
        struct off o = off_of(&c->problem.u.batchnorm, &images[X], j);
        double momentum = (double)p->momentum, unbiased = o.terms > 1 ? o.terms / (o.terms - 1) : 1;
        if (operand == STATS_MEAN)
            bound_of[j] = o.off_mean + 3 * CHECK_ULP * fabs(o.mean);
        else if (operand == STATS_RSTD)
            bound_of[j] = off_rstd(o.var + (double)p->epsilon, o.off_var + 3 * CHECK_ULP * o.var);
        else if (operand == STATS_RUNNING_MEAN)
            bound_of[j] = momentum * o.off_mean +
                          6 * CHECK_ULP * (fabs(o.mean) + fabs(at(&images[operand], j))) +
                          4 * CHECK_TINY;
        else
            bound_of[j] = momentum * unbiased * o.off_var +
                          6 * CHECK_ULP * (unbiased * o.var + fabs(at(&images[operand], j))) +
                          4 * CHECK_TINY;
        if (!(bound_of[j] >= 0)) bound_of[j] = INFINITY;
    }
}

static void bound(const struct check_case *c, const struct check_image *images, int operand,
                  const float *sums, double *bound_of)
{
    const struct cairn_batchnorm *p = &c->problem.u.batchnorm;
    (void)sums;
    for (int64_t i = 0; i < images[operand].extent; i++) {
        int64_t j = (int64_t)channel_of(c, i);
        double r = at(&images[RSTD], j), gamma = at(&images[GAMMA], j), off = 0;
        double d = at(&images[X], i) - at(&images[MEAN], j);
        if (p->inference) {
            double under = r + (double)p->epsilon;
            off = off_rstd(under, CHECK_ULP * fabs(r) + 2 * CHECK_TINY);
            r = under > 0 ? 1 / sqrt(under) : INFINITY;
        }
        double v = fabs(d * r), size = v * fabs(gamma) + fabs(at(&images[BETA], j));
        bound_of[i] = 4 * CHECK_ULP * size + fabs(d * gamma) * off +
                      4 * CHECK_TINY * (1 + fabs(r)) * (1 + fabs(gamma));
        double most = (double)FLT_MAX / 2;
        if (!(fabs(d) < most) || !(v < most) || !(size < most) || !(bound_of[i] >= 0))
            bound_of[i] = INFINITY;
    }
}

/* Both sums of channel j and the largest terms, in magnitudes too. */
struct slopes {
    double s1, s2, size1, size2;
};

static struct slopes slopes_of(const struct cairn_batchnorm_grad *p,
                               const struct check_image *images, int64_t j)
{
    struct slopes s = {0};
    double mean = at(&images[GRAD_MEAN], j), rstd = at(&images[GRAD_RSTD], j);
    for (int64_t i = 0; i < p->n1; i++)
        for (int64_t l = 0; l < p->n2; l++) {
            int64_t e = (i * p->c + j) * p->n2 + l;
            double dy = at(&images[GRAD_DY], e), v = (at(&images[X], e) - mean) * rstd;
            s.s1 += dy;
            s.s2 += dy * v;
            s.size1 += fabs(dy);
            /* what a flushed subnormal loses is multiplied by the rest */
            s.size2 += fabs(dy * v) + 0x1p-100 * (1 + fabs(dy)) * (1 + fabs(rstd));
        }
    return s;
}

static void bound_grad(const struct check_case *c, const struct check_image *images, int operand,
                       const float *sums, double *bound_of)
{
    const struct cairn_batchnorm_grad *p = &c->problem.u.batchnorm_grad;
    double n = (double)p->n1 * (double)p->n2, deep = 2 * check_gamma(n + 6);
    (void)sums;
    for (int64_t j = 0; j < p->c; j++) {
        struct slopes s = slopes_of(p, images, j);
        double mean = at(&images[GRAD_MEAN], j), rstd = at(&images[GRAD_RSTD], j);
        double scale = at(&images[GRAD_GAMMA], j) * rstd, most = (double)FLT_MAX / 4;
        double off1 = deep * s.size1 + 2 * n * CHECK_TINY,
               off2 = deep * s.size2 + 2 * n * CHECK_TINY;
        if (!(s.size1 < most) || !(s.size2 < most)) off1 = off2 = INFINITY;
        if (operand != GRAD_DX) {
            bound_of[j] = operand == GRAD_DBETA ? off1 : off2;
            continue;
        }
        for (int64_t e = 0; e < p->n1 * p->n2; e++) {
            int64_t i = (e / p->n2 * p->c + j) * p->n2 + e % p->n2;
            double dy = fabs(at(&images[GRAD_DY], i)), d = at(&images[X], i) - mean,
                   v = fabs(d * rstd);
            double size = dy + v * fabs(s.s2) / n + fabs(s.s1) / n,
                   off = v * off2 / n + off1 / n + 8 * CHECK_ULP * size +
                         8 * CHECK_TINY * (1 + v) * (1 + fabs(s.s2) / n) * (1 + fabs(rstd));
            bound_of[i] = fabs(scale) * off +
                          4 * CHECK_TINY * (1 + size) * (1 + fabs(at(&images[GRAD_GAMMA], j)));
            if (!(fabs(d) < most) || !(size < most) || !(v < most) || !(fabs(scale) < most) ||
                !(bound_of[i] >= 0))
                bound_of[i] = INFINITY;
        }
    }
}

const struct check_family check_family_batchnorm_stats = {draw_stats, fill, bound_stats, 0};
const struct check_family check_family_batchnorm = {draw, fill, bound, 0};
const struct check_family check_family_batchnorm_grad = {draw_grad, fill, bound_grad, 0};
