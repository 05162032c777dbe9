/* Pooling and its gradient; the winners of max are drawn among the valid taps of each window, or
 * are nobody as those of relu's zeros. */
#include "check/check.h"

#include <float.h>
#include <math.h>

static void draw_window(struct check_rng *rng, int64_t size, int64_t *kernel, int64_t *stride,
                        int64_t *before, int64_t *after)
{
    *kernel = check_chance(rng, 15) ? size : check_chance(rng, 50) ? 2 : check_size(rng, 6);
    *stride = check_chance(rng, 40) ? *kernel : 1 + check_below(rng, 4);
    if (check_chance(rng, 30)) *kernel = CHECK_PICK(rng, 3, 3, 5), *stride = 2;
    *before = check_chance(rng, 50) ? 0 : check_below(rng, *kernel);
    *after = check_chance(rng, 50) ? 0 : check_below(rng, *kernel);
}

/* Many planes, each under one window, which may reach beyond it. */
static void draw_whole(struct check_rng *rng, int small, struct cairn_pool *p)
{
    p->planes = check_size(rng, small ? 70 : 5000);
    p->h = check_size(rng, small ? 7 : 17);
    p->w = check_size(rng, small ? 7 : 17);
    p->pad_t = check_chance(rng, 80) ? 0 : check_below(rng, 3);
    p->pad_l = check_chance(rng, 80) ? 0 : check_below(rng, 3);
    p->kh = p->h + p->pad_t;
    p->kw = p->w + p->pad_l;
    p->stride_h = p->stride_w = 1;
    p->pad_b = p->pad_r = 0;
}

/* The commonest windows, 2 x 2 and two apart; those of an odd side leave a row or a column. Rows of
 * one or two vectors that overlap, and as many planes as several work-items share. */
static void draw_pairs(struct check_rng *rng, int small, struct cairn_pool *p)
{
    if (check_chance(rng, 50)) p->w = 8 + check_below(rng, small ? 13 : 42);
    if (!small && check_chance(rng, 40)) {
        p->planes = 20 + check_size(rng, 110);
        p->h = 13 + check_size(rng, 50);
        p->w = 8 + check_below(rng, 92);
    }
    if (p->h < 2) p->h = 2;
    if (p->w < 2) p->w = 2;
    p->kh = p->kw = p->stride_h = p->stride_w = 2;
    p->pad_t = p->pad_l = p->pad_b = p->pad_r = 0;
    if (check_chance(rng, 10)) p->pad_r = p->pad_b = 1;
}

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_pool *p = &problem->u.pool;
    p->planes = check_size(rng, small ? 5 : 130);
    p->h = check_size(rng, small ? 12 : 50);
    p->w = check_size(rng, small ? 12 : 70);
    if (profile % 10 < 2 && !small) { /* planes of many blocks of rows */
        p->planes = check_size(rng, 5);
        p->h = check_size(rng, 200);
        p->w = CHECK_PICK(rng, 33, 64, 65, 100, 129, 257, 1000);
    }
    draw_window(rng, p->h, &p->kh, &p->stride_h, &p->pad_t, &p->pad_b);
    draw_window(rng, p->w, &p->kw, &p->stride_w, &p->pad_l, &p->pad_r);
    if (profile % 4 == 0) draw_pairs(rng, small, p);
    if (profile < 50) {
        if (problem->op == CAIRN_OP_POOL) p->act = check_chance(rng, 50) ? CAIRN_ACT_RELU : 0;
        return;
    }
    p->kind = CAIRN_POOL_AVERAGE;
    p->count_pad = check_chance(rng, 40);
    if (profile >= 80) draw_whole(rng, small, p);
}

/* A place in [at, at + kernel) inside [0, size). */
static int64_t place(uint64_t r, int64_t at, int64_t kernel, int64_t size)
{
    int64_t low = at < 0 ? 0 : at, high = at + kernel > size ? size : at + kernel;
    return low + (int64_t)(r % (uint64_t)(high - low));
}

/* Half of the real data is as coarse as pixels, so that maxima tie and zeros of both signs come. */
static int fill(const struct check_case *c, int operand, const struct check_source *source,
                int64_t extent, void *data)
{
    float *x = data;
    if (operand != 0 || c->kind != CHECK_real || c->seed & 4) return 0;
    for (int64_t i = 0; i < extent; i++)
        x[i] = rintf(8 * check_as_float(check_float_bits(source, i))) * 0.125f;
    return 1;
}

static int fill_grad(const struct check_case *c, int operand, const struct check_source *source,
                     int64_t extent, void *data)
{
    const struct cairn_pool *p = &c->problem.u.pool;
    int64_t oh = cairn_pool_oh(p), ow = cairn_pool_ow(p);
    int32_t *index = data;
    if (operand != 1) return fill(c, operand, source, extent, data);
    for (int64_t i = 0; i < extent; i++) {
        uint64_t r = check_bits(source, i);
        int64_t row = place(r & 0xffffffffu, i / ow % oh * p->stride_h - p->pad_t, p->kh, p->h);
        int64_t column = place(r >> 32, i % ow * p->stride_w - p->pad_l, p->kw, p->w);
        index[i] = r % 7 == 0 ? -1 : (int32_t)(row * p->w + column);
    }
    return 1;
}

static void bound_y(const struct check_case *c, const struct check_image *images, int operand,
                    const float *sums, double *bound)
{
    const struct cairn_pool *p = &c->problem.u.pool;
    double terms = (double)(p->kh * p->kw);
    for (int64_t i = 0; i < images[operand].extent; i++) {
        double mean = (double)sums[i];
        bound[i] = CHECK_TINY;
        if (p->kind == CAIRN_POOL_MAX) continue;
        /* the sum may overflow where its mean does not */
        bound[i] = mean * terms * 1.001 > (double)FLT_MAX ? INFINITY
                                                          : check_sum_bound(terms + 2, mean, 0, 0);
    }
}

static void bound_grad(const struct check_case *c, const struct check_image *images, int operand,
                       const float *sums, double *bound)
{
    const struct cairn_pool *p = &c->problem.u.pool;
    for (int64_t i = 0; i < images[operand].extent; i++)
        bound[i] = check_sum_bound((double)(p->kh * p->kw) + 2, (double)sums[i], 0, 0);
}

const struct check_family check_family_pool = {draw, fill, bound_y, 1};
const struct check_family check_family_pool_grad = {draw, fill_grad, bound_grad, 1};
