/* Convolutions and their gradients: asymmetric padding, strides beyond the kernel, kernels as large
 * as their input, taps that lie apart up to beyond the image, groups down to one channel. */
#include "check/check.h"

#include <math.h>

static void draw_window(struct check_rng *rng, int64_t size, int64_t *kernel, int64_t *stride,
                        int64_t *dilation, int64_t *before, int64_t *after)
{
    int64_t profile = check_below(rng, 100);
    *dilation = 1;
    *stride = check_chance(rng, 60) ? 1 : 1 + check_below(rng, 4);
    *before = *after = 0;
    if (profile < 15) { /* the whole input */
        *kernel = size;
    } else if (profile < 30) { /* the same size out */
        *kernel = CHECK_PICK(rng, 1, 3, 3, 5);
        *dilation = check_chance(rng, 40) ? 1 + check_below(rng, 4) : 1;
        *before = *after = *kernel / 2 * *dilation;
    } else if (profile < 55) { /* taps apart: as far as the image is long, or beyond both ends */
        *kernel = 2 + check_below(rng, 3);
        *dilation = 1 + check_below(rng, check_chance(rng, 70) ? 4 : size + 4);
        int64_t missing = (*kernel - 1) * *dilation + 1 - size;
        *before = check_below(rng, *dilation + 2);
        *after = check_below(rng, *dilation + 2);
        if (missing > *before) *after = missing - *before + check_below(rng, 3);
    } else {
        *kernel = 1 + check_below(rng, size < 7 ? size : 7);
        *before = check_chance(rng, 50) ? 0 : check_below(rng, *kernel + 2);
        *after = check_chance(rng, 50) ? 0 : check_below(rng, *kernel + 2);
    }
}

/* One that leaves most of a large image. */
static void draw_small_window(struct check_rng *rng, int64_t *kernel, int64_t *stride,
                              int64_t *before, int64_t *after)
{
    *kernel = 1 + check_below(rng, 4);
    *stride = check_chance(rng, 70) ? 1 : 2;
    *before = check_below(rng, *kernel + 1);
    *after = check_below(rng, *kernel + 1);
}

/* Depthwise with one or several outputs a channel, one output a group, or groups of any size. */
static void draw_groups(struct check_rng *rng, int small, struct cairn_conv *p)
{
    int64_t kind = check_below(rng, 100);
    p->groups = check_size(rng, small ? 4 : 67);
    p->c = p->groups * (kind < 55 ? 1 : check_size(rng, small ? 2 : 9));
    p->o =
        p->groups * (kind < 40 || (kind >= 55 && kind < 65) ? 1 : check_size(rng, small ? 2 : 9));
    if (!small && check_chance(rng, 4)) { /* long sums over the outputs of a group */
        p->groups = 2;
        p->c = 2 * check_size(rng, 3);
        p->o = 2 * CHECK_PICK(rng, 257, 300, 4099);
        p->h = p->w = 1 + check_below(rng, 4);
        p->kh = p->kw = 1, p->pad_t = p->pad_b = p->pad_l = p->pad_r = 0;
    }
}

/* Rows of many vectors, planes of many blocks of rows, sums of many slabs over the pixels. */
static void draw_large(struct check_rng *rng, struct cairn_conv *p)
{
    p->n = check_chance(rng, 70) ? 1 : check_size(rng, 3);
    p->c = check_size(rng, 3);
    p->o = check_size(rng, 4);
    p->h = CHECK_PICK(rng, 1, 7, 31, 64, 90, 130);
    p->w = CHECK_PICK(rng, 33, 47, 49, 64, 65, 100, 129, 193, 260, 300);
    draw_small_window(rng, &p->kh, &p->stride_h, &p->pad_t, &p->pad_b);
    draw_small_window(rng, &p->kw, &p->stride_w, &p->pad_l, &p->pad_r);
    if (check_chance(rng, 40)) draw_groups(rng, 1, p);
    if (check_chance(rng, 30)) p->dilation_w = 1 + check_below(rng, 9);
}

/* Many images of few positions: products over the whole batch, where the ends of a row are tiles of
 * their own. */
static void draw_batch(struct check_rng *rng, struct cairn_conv *p)
{
    if (check_chance(rng, 25)) { /* sums of several slabs, and blocks behind the first one */
        p->n = check_size(rng, 17);
        p->c = CHECK_PICK(rng, 484, 520, 930);
        p->o = CHECK_PICK(rng, 2, 15);
        p->h = p->w = p->kh = p->kw = 3;
        p->pad_t = p->pad_b = p->pad_l = p->pad_r = 1;
        return;
    }
    p->n = CHECK_PICK(rng, 63, 64, 96, 128, 130, 200, 390);
    p->c = CHECK_PICK(rng, 1, 3, 8, 29, 60);
    p->o = CHECK_PICK(rng, 1, 5, 14, 27, 40);
    p->h = check_size(rng, 4);
    p->w = check_size(rng, 7);
    draw_window(rng, p->h, &p->kh, &p->stride_h, &p->dilation_h, &p->pad_t, &p->pad_b);
    draw_window(rng, p->w, &p->kw, &p->stride_w, &p->dilation_w, &p->pad_l, &p->pad_r);
}

/* What Winograd's algorithm takes. */
static void draw_three(struct check_rng *rng, int small, struct cairn_conv *p)
{
    p->n = check_size(rng, small ? 2 : 9);
    p->c = check_size(rng, small ? 4 : 33);
    p->o = check_size(rng, small ? 5 : 33);
    p->kh = p->kw = 3;
    p->h = (small ? 1 : 2) + check_size(rng, small ? 7 : 20);
    p->w = (small ? 1 : 2) + check_size(rng, small ? 7 : 70);
    p->pad_t = check_below(rng, 4);
    p->pad_b = check_below(rng, 4);
    p->pad_l = check_below(rng, 4);
    p->pad_r = check_below(rng, 4);
}

static void draw_any(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_conv *p = &problem->u.conv;
    if (profile >= 74 && profile < 79) {
        draw_three(rng, small, p);
        return;
    }
    if (profile >= 85 && !small) {
        draw_large(rng, p);
        return;
    }
    if (profile >= 79 && !small) {
        draw_batch(rng, p);
        return;
    }
    p->n = check_size(rng, small ? 2 : 5);
    p->c = check_size(rng, small ? 4 : 17);
    p->o = check_size(rng, small ? 5 : 33);
    p->h = check_size(rng, small ? 7 : 20);
    p->w = check_size(rng, small ? 7 : 20);
    if (profile < 10 &&
        !small) { /* many images and pixels: long sums for the gradient of weights */
        p->n = CHECK_PICK(rng, 7, 16, 17, 33);
        p->h = p->w = CHECK_PICK(rng, 14, 16, 17, 28);
        p->c = check_size(rng, 3);
        p->o = check_size(rng, 4);
    } else if (profile < 20 && !small) { /* many channels: long sums for the others */
        p->c = CHECK_PICK(rng, 29, 64, 65, 257, 513);
        p->o = CHECK_PICK(rng, 3, 15, 64, 257, 300);
        p->h = p->w = check_size(rng, 5);
    } else if (profile < 32 && !small) { /* images that fill vectors, or nearly */
        p->n = CHECK_PICK(rng, 8, 15, 16, 17, 33);
        p->c = check_size(rng, 12);
        p->o = check_size(rng, 21);
        p->h = check_size(rng, 12);
        p->w = check_size(rng, 12);
    }
    draw_window(rng, p->h, &p->kh, &p->stride_h, &p->dilation_h, &p->pad_t, &p->pad_b);
    draw_window(rng, p->w, &p->kw, &p->stride_w, &p->dilation_w, &p->pad_l, &p->pad_r);
    if (check_chance(rng, 50)) draw_groups(rng, small, p);
}

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    draw_any(rng, profile, small, problem);
    problem->u.conv.bias = check_chance(rng, 50);
    problem->u.conv.act = check_chance(rng, 50) ? CAIRN_ACT_NONE : 1 + check_below(rng, 3);
}

/* Windows of the result like those of nets, mostly such that rows lie in one window at most, and
 * others. */
static void draw_pool_window(struct check_rng *rng, int64_t size, int64_t *kernel, int64_t *stride,
                             int64_t *before, int64_t *after)
{
    *kernel = check_chance(rng, 60) ? 2 : 1 + check_below(rng, size < 5 ? size : 5);
    *stride = check_chance(rng, 70) ? *kernel : 1 + check_below(rng, 6);
    *before = check_chance(rng, 60) ? 0 : check_below(rng, *kernel);
    *after = check_chance(rng, 60) ? 0 : check_below(rng, *kernel);
}

static void draw_pool(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_conv *p = &problem->u.conv;
    draw_any(rng, profile, small, problem);
    p->bias = check_chance(rng, 50);
    p->act = check_chance(rng, 50) ? CAIRN_ACT_NONE : CAIRN_ACT_RELU;
    draw_pool_window(rng, cairn_conv_oh(p), &p->pool_kh, &p->pool_stride_h, &p->pool_pad_t,
                     &p->pool_pad_b);
    draw_pool_window(rng, cairn_conv_ow(p), &p->pool_kw, &p->pool_stride_w, &p->pool_pad_l,
                     &p->pool_pad_r);
}

/* Where there is no memory for the sizes nothing is allowed. */
static void bound_winograd(const struct check_case *c, const struct check_image *image,
                           const struct check_image *images, const float *sums, int64_t act,
                           double *bound)
{
    if (check_winograd_bound(c, images, sums, bound) != CAIRN_OK) return;
    for (int64_t i = 0; i < image->extent; i++)
        bound[i] = check_act_bound(act, bound[i], (double)check_float_at(image, image->want, i));
}

static void bound_terms(const struct check_image *images, int operand, const float *sums,
                        double terms, int64_t act, double *bound)
{
    const struct check_image *image = &images[operand];
    double a = check_largest(&images[0]), b = check_largest(&images[1]);
    for (int64_t i = 0; i < image->extent; i++)
        bound[i] = check_act_bound(act, check_sum_bound(terms, (double)sums[i], a, b),
                                   (double)check_float_at(image, image->want, i));
}

static void bound_forward(const struct check_case *c, const struct check_image *images, int operand,
                          const float *sums, double *bound)
{
    const struct cairn_conv *p = &c->problem.u.conv;
    if (check_has_own_bound(c))
        bound_winograd(c, &images[operand], images, sums, p->act, bound);
    else
        bound_terms(images, operand, sums, (double)(p->c / p->groups * p->kh * p->kw), p->act,
                    bound);
}

/* The largest of numbers that may differ differs by no more than the one that may most, whose sum
 * is the largest; which one it is is anybody's. */
static void bound_pool(const struct check_case *c, const struct check_image *images, int operand,
                       const float *sums, double *bound)
{
    const struct cairn_conv *p = &c->problem.u.conv;
    if (images[operand].operand->dtype == CAIRN_F32)
        bound_terms(images, operand, sums, (double)(p->c / p->groups * p->kh * p->kw), p->act,
                    bound);
    else
        for (int64_t i = 0; i < images[operand].extent; i++) bound[i] = INFINITY;
}

static void bound_data(const struct check_case *c, const struct check_image *images, int operand,
                       const float *sums, double *bound)
{
    const struct cairn_conv *p = &c->problem.u.conv;
    if (check_has_own_bound(c))
        bound_winograd(c, &images[operand], images, sums, CAIRN_ACT_NONE, bound);
    else
        bound_terms(images, operand, sums, (double)(p->o / p->groups * p->kh * p->kw),
                    CAIRN_ACT_NONE, bound);
}

static void bound_weights(const struct check_case *c, const struct check_image *images, int operand,
                          const float *sums, double *bound)
{
    const struct cairn_conv *p = &c->problem.u.conv;
    bound_terms(images, operand, sums, (double)(p->n * cairn_conv_oh(p) * cairn_conv_ow(p)),
                CAIRN_ACT_NONE, bound);
}

const struct check_family check_family_conv = {draw, NULL, bound_forward, 1};
const struct check_family check_family_conv_pool = {draw_pool, NULL, bound_pool, 1};
const struct check_family check_family_conv_data = {draw_any, NULL, bound_data, 1};
const struct check_family check_family_conv_weights = {draw_any, NULL, bound_weights, 1};
