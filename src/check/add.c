/* Addition: rows along l and along j, pieces of long rows, in place. */
#include "check/check.h"

#include <math.h>

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_add *p = &problem->u.add;
    p->channel = check_chance(rng, 60);
    p->n1 = check_size(rng, small ? 5 : 70);
    p->c = check_size(rng, small ? 40 : 130);
    p->n2 = profile < 40 ? 1 : check_size(rng, small ? 40 : 900);
    if (profile >= 90 && !small) { /* rows of more than one piece */
        p->n1 = check_size(rng, 3);
        p->c = check_size(rng, 3);
        p->n2 = CHECK_PICK(rng, 4095, 4096, 4097, 8192, 12301);
    } else if (profile >= 80 && !small) {
        p->n1 = check_size(rng, 5);
        p->c = CHECK_PICK(rng, 4095, 4096, 4097, 8207);
        p->n2 = 1;
    }
}

/* One rounding; a subnormal may be flushed, in the operands too. */
static void bound(const struct check_case *c, const struct check_image *images, int operand,
                  const float *sums, double *bound_of)
{
    const struct check_image *y = &images[operand];
    (void)c, (void)sums;
    for (int64_t i = 0; i < y->extent; i++)
        bound_of[i] = CHECK_ULP * fabs((double)check_float_at(y, y->want, i)) + 3 * CHECK_TINY;
}

const struct check_family check_family_add = {draw, NULL, bound, 0};
