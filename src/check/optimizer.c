/* SGD and Adam: usual and extreme settings; Adam's second moment is mostly not negative. */
#include "check/check.h"

#include <math.h>

static int64_t draw_count(struct check_rng *rng, int small)
{
    return small                  ? check_size(rng, 600)
           : check_chance(rng, 4) ? 200000 + check_below(rng, 300000)
                                  : check_size(rng, 20000);
}

static int64_t draw_decay(struct check_rng *rng, int64_t count)
{
    return check_chance(rng, 25) ? 0 : check_chance(rng, 30) ? count : check_below(rng, count + 1);
}

static void draw_sgd(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    (void)profile;
    struct cairn_sgd *p = &problem->u.sgd;
    p->count = draw_count(rng, small);
    p->decay_count = draw_decay(rng, p->count);
    p->lr = CHECK_PICKF(rng, 0.01f, 0.1f, 5e-4f, 1.0f, 0.0f, -0.3f, 1e-39f);
    p->momentum = CHECK_PICKF(rng, 0.0f, 0.9f, 0.9f, 0.99f, 1.0f, -0.5f);
    p->l2 = CHECK_PICKF(rng, 0.0f, 1e-3f, 0.2f, 2.3f, 1e-40f);
}

static void draw_adam(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    (void)profile;
    struct cairn_adam *p = &problem->u.adam;
    p->count = draw_count(rng, small);
    p->decay_count = draw_decay(rng, p->count);
    p->lr = CHECK_PICKF(rng, 5e-4f, 0.01f, 1e-5f, 1.0f, 0.0f, -0.3f);
    p->beta1 = CHECK_PICKF(rng, 0.9f, 0.9f, 0.91f, 0.0f, 0.5f);
    p->beta2 = CHECK_PICKF(rng, 0.999f, 0.999f, 0.99f, 0.0f, 0.5f);
    p->epsilon = CHECK_PICKF(rng, 1e-8f, 1e-8f, 1e-4f, 0.0f, 1e-40f);
    p->l2 = CHECK_PICKF(rng, 0.0f, 1e-3f, 0.2f, 2.3f, 1e-40f);
    p->c1 = CHECK_PICKF(rng, 10.0f, 5.2631578f, 1.0f, 1.5f, 3.7f);
    p->c2 = CHECK_PICKF(rng, 1000.0f, 500.25f, 1.0f, 31.1f, 1.5f);
}

static int fill_adam(const struct check_case *c, int operand, const struct check_source *source,
                     int64_t extent, void *data)
{
    uint32_t *v = data;
    (void)c;
    if (operand != 3) return 0;
    for (int64_t i = 0; i < extent; i++) {
        v[i] = check_float_bits(source, i);
        if (check_bits(source, i) % 31) v[i] &= 0x7fffffffu;
    }
    return 1;
}

static double size_at(const struct check_image *image, int64_t index)
{
    return fabs((double)check_float_at(image, image->initial, index));
}

/* Sizes of g, v and w as the formulas build them, and the roundings until there. */
static void bound_sgd(const struct check_case *c, const struct check_image *images, int operand,
                      const float *sums, double *bound)
{
    const struct cairn_sgd *p = &c->problem.u.sgd;
    (void)sums;
    for (int64_t i = 0; i < p->count; i++) {
        double w = size_at(&images[0], i), l2 = i < p->decay_count ? fabs((double)p->l2) : 0;
        double decay = i < p->decay_count ? l2 * w : 0, near = i < p->decay_count ? 1 + w : 1;
        double g = decay + size_at(&images[1], i),
               v = fabs((double)p->momentum) * size_at(&images[2], i) + g;
        double tiny = 8 * CHECK_TINY * near * (1 + l2) * (1 + fabs((double)p->lr));
        double all = fabs((double)p->lr) * v + w;
        bound[i] =
            operand == 2 ? 2 * check_gamma(4) * v + tiny : 2 * check_gamma(6) * all + tiny * 2;
    }
}

/* With v not negative all terms under the root have one sign, so that its relative error is a few
 * roundings; else anything goes. */
static void bound_adam(const struct check_case *c, const struct check_image *images, int operand,
                       const float *sums, double *bound)
{
    const struct cairn_adam *p = &c->problem.u.adam;
    double lr = fabs((double)p->lr), b1 = fabs((double)p->beta1), b2 = fabs((double)p->beta2),
           eps = (double)p->epsilon;
    (void)sums;
    for (int64_t i = 0; i < p->count; i++) {
        double w = size_at(&images[0], i), l2 = i < p->decay_count ? fabs((double)p->l2) : 0;
        double decay = i < p->decay_count ? l2 * w : 0, near = i < p->decay_count ? 1 + w : 1;
        double g0 = (double)check_float_at(&images[1], images[1].initial, i), g = decay + fabs(g0);
        double m = b1 * size_at(&images[2], i) + fabs(1 - b1) * g,
               tiny = 16 * CHECK_TINY * near * (1 + g) * (1 + l2);
        double old = (double)check_float_at(&images[3], images[3].initial, i),
               v = b2 * fabs(old) + fabs(1 - b2) * g * g;
        double of_m = 2 * check_gamma(6) * m + tiny, of_v = 2 * check_gamma(10) * v + tiny;
        bound[i] = operand == 2 ? of_m : of_v;
        if (operand != 0) continue;
        double now = (double)check_float_at(&images[3], images[3].want, i);
        if (!(now > 2 * of_v)) {
            bound[i] = INFINITY;
            continue;
        }
        double root = sqrt(now * (double)p->c2) + eps, c1 = fabs((double)p->c1);
        double relative =
            of_v / now + check_gamma(4) + 6 * CHECK_ULP; /* the root 3 ulp, the division 2.5 */
        bound[i] = lr * c1 * (of_m + 2 * m * relative) / root +
                   2 * check_gamma(3) * (w + lr * c1 * m / root) + tiny;
    }
}

const struct check_family check_family_sgd = {draw_sgd, NULL, bound_sgd, 0};
const struct check_family check_family_adam = {draw_adam, fill_adam, bound_adam, 0};
