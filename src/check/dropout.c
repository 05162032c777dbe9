/* Dropout: any rate, positions that start inside a Philox block or beyond 2^32. */
#include "check/check.h"
#include "base/random.h"

#include <math.h>

/* The uniform number of some element as the rate, so that u > rate is asked of equals, or the one
 * before it, of which the element is kept. */
static float draw_tie(struct check_rng *rng, const struct cairn_dropout *p)
{
    uint64_t element = (uint64_t)p->first + (uint64_t)check_below(rng, p->count);
    float u = cairn_random_uniform(p->seed, (uint32_t)p->stream, (uint32_t)p->step, element);
    if (check_chance(rng, 50)) return u - 0x1p-24f;
    return u < 1.0f ? u : 0.99999994f;
}

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    (void)profile;
    struct cairn_dropout *p = &problem->u.dropout;
    p->count = check_size(rng, small ? 600 : check_chance(rng, 4) ? 400000 : 20000);
    p->rate = check_chance(rng, 50)
                  ? (float)check_below(rng, 1000) * 1e-3f
                  : CHECK_PICKF(rng, 0.0f, 0.1f, 0.25f, 0.3f, 0.5f, 0.9f, 0.99f, 0.99999994f);
    p->seed = check_chance(rng, 50) ? check_next(rng) : (uint64_t)check_below(rng, 100);
    p->stream = check_chance(rng, 50) ? check_below(rng, (int64_t)1 << 32)
                                      : CHECK_PICK(rng, 0, 0x20000, 0x20003, 4294967295);
    p->step = check_chance(rng, 50) ? check_below(rng, (int64_t)1 << 32)
                                    : CHECK_PICK(rng, 0, 1, 1000, 4294967295);
    p->first = check_chance(rng, 30) ? 0
               : check_chance(rng, 50)
                   ? check_below(rng, 10000)
                   : CHECK_PICK(rng, 1, 2, 3, 5, 4294967295, 4294967293, 4294967296, 17179869183,
                                17179869185, 1099511627775);
    if (check_chance(rng, 40)) p->rate = draw_tie(rng, p);
}

/* x s where kept: one rounding; s the same to three. */
static void bound(const struct check_case *c, const struct check_image *images, int operand,
                  const float *sums, double *bound_of)
{
    const struct check_image *y = &images[operand];
    (void)c;
    (void)sums;
    for (int64_t i = 0; i < y->extent; i++)
        bound_of[i] = 2 * check_gamma(4) * fabs((double)check_float_at(y, y->want, i)) +
                      CHECK_TINY / (1 - c->problem.u.dropout.rate);
}

const struct check_family check_family_dropout = {draw, NULL, bound, 0};
