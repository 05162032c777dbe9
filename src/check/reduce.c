/* Reductions: lanes of 64, chunks of 4096 and trees of chunks, split over the two outer axes. */
#include "check/check.h"

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_reduce *p = &problem->u.reduce;
    int64_t total = small ? CHECK_PICK(rng, 1, 63, 64, 65, 128, 200, 300)
                          : CHECK_PICK(rng, 63, 64, 65, 127, 4095, 4096, 4097, 8191, 8192, 8193,
                                       12288, 12289, 20481, 28673, 40000, 65536, 65537, 100003);
    p->kind = check_below(rng, 3);
    if (profile < 25) {
        p->n2 = total;
        p->c = check_size(rng, 3);
    } else if (profile < 50) {
        p->n1 = total;
        p->c = check_size(rng, small ? 5 : 20);
    } else if (profile < 75) { /* the flattened length near an edge */
        p->n2 = check_size(rng, small || check_chance(rng, 50) ? 20 : 200);
        p->n1 = total / p->n2 + check_below(rng, 2);
        if (p->n1 == 0) p->n1 = 1;
        p->c = check_size(rng, check_chance(rng, 40) ? 40 : 7);
    } else {
        p->n1 = check_size(rng, small ? 9 : 100);
        p->c = check_size(rng, small ? 9 : 300);
        p->n2 = check_size(rng, small ? 9 : 100);
    }
}

/* Sparse and whole data of a maximum have nothing above zero, so that the sign of a zero shows; a
 * quarter of the latter is zeros. */
static int fill(const struct check_case *c, int operand, const struct check_source *source,
                int64_t extent, void *data)
{
    uint32_t *x = data;
    int whole = c->kind == CHECK_integer;
    if (operand != 0 || c->problem.u.reduce.kind != CAIRN_REDUCE_MAX ||
        (c->kind != CHECK_sparse && !whole))
        return 0;
    for (int64_t i = 0; i < extent; i++) {
        uint64_t r = check_bits(source, i);
        x[i] =
            whole && r >> 62 == 0 ? (uint32_t)(r >> 30) & 0x80000000u : check_float_bits(source, i);
        if (x[i] << 1) x[i] |= 0x80000000u;
    }
    return 1;
}

static void bound(const struct check_case *c, const struct check_image *images, int operand,
                  const float *sums, double *bound_of)
{
    const struct cairn_reduce *p = &c->problem.u.reduce;
    double largest = check_largest(&images[0]);
    for (int64_t j = 0; j < images[operand].extent; j++)
        bound_of[j] = p->kind == CAIRN_REDUCE_MAX
                          ? CHECK_TINY
                          : check_sum_bound((double)p->n1 * (double)p->n2 + 1, (double)sums[j],
                                            largest, largest);
}

const struct check_family check_family_reduce = {draw, fill, bound, 1};
