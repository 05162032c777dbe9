/* im2col and col2im: the windows of convolutions. */
#include "check/check.h"

static void draw_window(struct check_rng *rng, int64_t size, int64_t *kernel, int64_t *stride,
                        int64_t *dilation, int64_t *before, int64_t *after)
{
    *kernel = check_chance(rng, 15) ? size : check_size(rng, size < 8 ? size : 8);
    *stride = check_chance(rng, 50) ? 1 : 1 + check_below(rng, 5);
    *before = check_chance(rng, 50) ? 0 : check_below(rng, *kernel + 2);
    *after = check_chance(rng, 50) ? 0 : check_below(rng, *kernel + 2);
    *dilation = 1;
    if (check_chance(rng, 50)) return;
    /* Taps apart, up to beyond both ends of the image. */
    *dilation = 1 + check_below(rng, check_chance(rng, 70) ? 4 : size + 4);
    *kernel = check_size(rng, size < 5 ? size : 5);
    int64_t missing = (*kernel - 1) * *dilation + 1 - size - *before;
    if (missing > 0) *after = missing + check_below(rng, 3);
}

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_im2col *p = &problem->u.im2col;
    p->n = check_size(rng, small ? 2 : 7);
    p->c = check_size(rng, small ? 3 : 17);
    p->h = check_size(rng, small ? 9 : 40);
    p->w = check_size(rng, small ? 9 : 70);
    if (profile < 20 && !small) { /* planes of many blocks of rows */
        p->n = check_size(rng, 2);
        p->c = check_size(rng, 3);
        p->h = check_size(rng, 200);
        p->w = CHECK_PICK(rng, 33, 64, 65, 100, 129, 257, 1000);
    }
    draw_window(rng, p->h, &p->kh, &p->stride_h, &p->dilation_h, &p->pad_t, &p->pad_b);
    draw_window(rng, p->w, &p->kw, &p->stride_w, &p->dilation_w, &p->pad_l, &p->pad_r);
}

static void bound_copy(const struct check_case *c, const struct check_image *images, int operand,
                       const float *sums, double *bound)
{
    (void)c;
    (void)sums;
    for (int64_t i = 0; i < images[operand].extent; i++) bound[i] = CHECK_TINY;
}

static void bound_sum(const struct check_case *c, const struct check_image *images, int operand,
                      const float *sums, double *bound)
{
    const struct cairn_im2col *p = &c->problem.u.im2col;
    for (int64_t i = 0; i < images[operand].extent; i++)
        bound[i] = check_sum_bound((double)(p->kh * p->kw), (double)sums[i], 0, 0);
}

const struct check_family check_family_im2col = {draw, NULL, bound_copy, 0};
const struct check_family check_family_col2im = {draw, NULL, bound_sum, 1};
