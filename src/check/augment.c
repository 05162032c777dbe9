/* Random moves of images: cuts from everything to one pixel, shifts beyond the image, any angle,
 * images that are counted beyond 2^32. */
#include "check/check.h"

#include <float.h>
#include <math.h>

static int64_t draw_side(struct check_rng *rng, int64_t side)
{
    return check_chance(rng, 40) ? side : 1 + check_below(rng, side);
}

static int64_t draw_shift(struct check_rng *rng)
{
    return check_chance(rng, 40)   ? 0
           : check_chance(rng, 90) ? check_below(rng, 6)
                                   : check_below(rng, 32769);
}

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_augment *p = &problem->u.augment;
    p->n = check_size(rng, small ? 5 : 130);
    p->c = check_chance(rng, 50) ? 1 : check_chance(rng, 60) ? 3 : check_size(rng, 7);
    p->h = check_size(rng, small ? 12 : 50);
    p->w = check_size(rng, small ? 20 : 70);
    if (!small && check_chance(rng, 3)) p->w = check_size(rng, 32768);
    p->oh = draw_side(rng, p->h);
    p->ow = draw_side(rng, p->w);
    p->random = profile < 92;
    p->shift_h = draw_shift(rng);
    p->shift_w = draw_shift(rng);
    p->flip = check_below(rng, 2);
    if (profile >= 45)
        p->turn = check_chance(rng, 40)
                      ? check_below(rng, ((int64_t)1 << 31) + 1) >> check_below(rng, 20)
                      : CHECK_PICK(rng, 1, 255, 256, 119304647, 1073741824, 2147483648);
    p->fill = CHECK_PICKF(rng, 0.0f, 0.0f, 1.0f, -0.5f, -2.117904f, 1e-40f, 3e38f);
    p->seed = check_chance(rng, 50) ? check_next(rng) : (uint64_t)check_below(rng, 100);
    p->stream = check_chance(rng, 50) ? check_below(rng, (int64_t)1 << 32)
                                      : CHECK_PICK(rng, 0, 5, 4294967295);
    p->step = check_chance(rng, 50) ? check_below(rng, (int64_t)1 << 32)
                                    : CHECK_PICK(rng, 0, 1, 1000, 4294967295);
    p->first = check_chance(rng, 30) ? 0
               : check_chance(rng, 50)
                   ? check_below(rng, 10000)
                   : CHECK_PICK(rng, 1, 4294967295, 4294967293, 4294967296, 1099511627775);
}

/* Copies have the same bits. Turned: sine and cosine of either device are off by at most 8 2^-24,
 * products and sums by 4 more, of coordinates up to `reach`; a step of a pixel changes the surface
 * by at most twice the largest magnitude in either direction; then three differences and three fma.
 */
static void bound(const struct check_case *c, const struct check_image *images, int operand,
                  const float *sums, double *bound_of)
{
    const struct cairn_augment *p = &c->problem.u.augment;
    const struct check_image *x = &images[0], *y = &images[operand];
    double most = check_largest(x), each = 0;
    (void)sums;
    if (p->random && p->turn) {
        int finite = isfinite(most);
        for (int64_t i = 0; i < x->extent; i++)
            if (isnan(check_float_at(x, x->initial, i))) finite = 0;
        if (fabs((double)p->fill) > most) most = fabs((double)p->fill);
        double reach = (double)(p->oh + p->ow) + 1;
        each = 2 * (2 * 2 * most) * 12 * CHECK_U * reach + 2 * check_gamma(6) * 4 * most +
               8 * CHECK_TINY;
        if (!finite || 4 * most > (double)FLT_MAX) each = INFINITY;
    }
    for (int64_t i = 0; i < y->extent; i++) bound_of[i] = each;
}

const struct check_family check_family_augment = {draw, NULL, bound, 0};
