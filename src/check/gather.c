/* Gathering a batch from bytes: indices mostly in range. */
#include "check/check.h"

#include <math.h>

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    (void)profile;
    struct cairn_gather *p = &problem->u.gather;
    p->count = check_size(rng, small ? 17 : 300);
    p->item = check_chance(rng, 20) && !small ? 784 : check_size(rng, small ? 40 : 3100);
    p->total = check_size(rng, small ? 17 : 1000);
    p->shift = CHECK_PICKF(rng, 0.0f, 0.0f, 33.318447f, 127.5f, -1.0f, 1e-40f);
    p->scale = CHECK_PICKF(rng, 1.0f, 0.003921569f, 0.012738854f, -0.5f, 0.0f, 3e38f);
}

static int fill(const struct check_case *c, int operand, const struct check_source *source,
                int64_t extent, void *data)
{
    static const int32_t outside[] = {-1, INT32_MIN, INT32_MAX};
    int32_t total = (int32_t)c->problem.u.gather.total, *index = data;
    if (operand != 2) return 0;
    for (int64_t i = 0; i < extent; i++) {
        uint64_t r = check_bits(source, i);
        index[i] = (int32_t)((r >> 8) % (uint64_t)total);
        if (r % 12 == 0) index[i] = r & 0x30 ? outside[(r >> 4 & 3) - 1] : total;
    }
    return 1;
}

static void bound(const struct check_case *c, const struct check_image *images, int operand,
                  const float *sums, double *bound_of)
{
    const struct cairn_gather *p = &c->problem.u.gather;
    double size = (255 + fabs((double)p->shift)) * fabs((double)p->scale);
    (void)sums;
    for (int64_t i = 0; i < images[operand].extent; i++)
        bound_of[i] = 2 * check_gamma(3) * size + CHECK_TINY * (1 + fabs((double)p->scale));
}

const struct check_family check_family_gather = {draw, fill, bound, 0};
