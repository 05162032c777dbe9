#include "oracle.h"

#include <string.h>

/* col element (n, c, u, v, i, j) in index arithmetic only: -1 where it lies in the padding. */
static int64_t source(const struct cairn_im2col *p, int64_t at, int64_t oh, int64_t ow)
{
    int64_t j = at % ow, i = at / ow % oh, v = at / ow / oh % p->kw,
            u = at / ow / oh / p->kw % p->kh;
    int64_t plane = at / ow / oh / p->kw / p->kh;
    int64_t row = i * p->stride_h + u * p->dilation_h - p->pad_t,
            column = j * p->stride_w + v * p->dilation_w - p->pad_l;
    return row < 0 || row >= p->h || column < 0 || column >= p->w
               ? -1
               : (plane * p->h + row) * p->w + column;
}

static void outputs(const struct cairn_im2col *p, int64_t *oh, int64_t *ow)
{
    *oh = (p->h + p->pad_t + p->pad_b - p->dilation_h * (p->kh - 1) - 1) / p->stride_h + 1;
    *ow = (p->w + p->pad_l + p->pad_r - p->dilation_w * (p->kw - 1) - 1) / p->stride_w + 1;
}

void oracle_im2col(const struct cairn_im2col *p, const double *x, double *col)
{
    int64_t oh, ow;
    outputs(p, &oh, &ow);
    for (int64_t at = 0; at < p->n * p->c * p->kh * p->kw * oh * ow; at++) {
        int64_t from = source(p, at, oh, ow);
        col[at] = from < 0 ? 0 : x[from];
    }
}

void oracle_col2im(const struct cairn_im2col *p, const double *col, double *dx, double *mag)
{
    int64_t oh, ow;
    outputs(p, &oh, &ow);
    memset(dx, 0, (size_t)(p->n * p->c * p->h * p->w) * sizeof *dx);
    memset(mag, 0, (size_t)(p->n * p->c * p->h * p->w) * sizeof *mag);
    for (int64_t at = 0; at < p->n * p->c * p->kh * p->kw * oh * ow; at++) {
        int64_t to = source(p, at, oh, ow);
        if (to < 0) continue;
        dx[to] += col[at];
        mag[to] += fabs(col[at]);
    }
}

static int64_t out_side(int64_t in, int64_t kernel, int64_t stride, int64_t pad)
{
    return (in + pad - kernel) / stride + 1;
}

/* Whether the window at (i, j) holds the plane's element (row, column). */
static int holds(const struct cairn_pool *p, int64_t i, int64_t j, int64_t row, int64_t column)
{
    int64_t u = row + p->pad_t - i * p->stride_h, v = column + p->pad_l - j * p->stride_w;
    return u >= 0 && u < p->kh && v >= 0 && v < p->kw;
}

/* The weight of each element in each window's mean, as a matrix: y = A x, dx = A^T dy. */
static double mean_weight(const struct cairn_pool *p, int64_t i, int64_t j, int64_t row,
                          int64_t column)
{
    double count = 0;
    if (!holds(p, i, j, row, column)) return 0;
    if (p->count_pad) return 1.0 / ((double)p->kh * (double)p->kw);
    for (int64_t e = 0; e < p->h * p->w; e++) count += holds(p, i, j, e / p->w, e % p->w);
    return 1 / count;
}

void oracle_pool_mean(const struct cairn_pool *p, const double *x, double *y, double *mag)
{
    int64_t oh = out_side(p->h, p->kh, p->stride_h, p->pad_t + p->pad_b);
    int64_t ow = out_side(p->w, p->kw, p->stride_w, p->pad_l + p->pad_r);
    for (int64_t at = 0; at < p->planes * oh * ow; at++) {
        y[at] = mag[at] = 0;
        for (int64_t e = 0; e < p->h * p->w; e++) {
            double weight = mean_weight(p, at / ow % oh, at % ow, e / p->w, e % p->w);
            if (weight == 0) continue;
            y[at] += weight * x[at / ow / oh * p->h * p->w + e];
            mag[at] += weight * fabs(x[at / ow / oh * p->h * p->w + e]);
        }
    }
}

void oracle_pool_mean_grad(const struct cairn_pool *p, const double *dy, double *dx, double *mag)
{
    int64_t oh = out_side(p->h, p->kh, p->stride_h, p->pad_t + p->pad_b);
    int64_t ow = out_side(p->w, p->kw, p->stride_w, p->pad_l + p->pad_r);
    for (int64_t at = 0; at < p->planes * p->h * p->w; at++) {
        dx[at] = mag[at] = 0;
        for (int64_t o = 0; o < oh * ow; o++) {
            double weight = mean_weight(p, o / ow, o % ow, at / p->w % p->h, at % p->w);
            dx[at] += weight * dy[at / p->w / p->h * oh * ow + o];
            mag[at] += weight * fabs(dy[at / p->w / p->h * oh * ow + o]);
        }
    }
}

/* Windows one by one; a candidate beats the best if it is larger, or if it is NaN. */
void oracle_pool(const struct cairn_pool *p, const double *x, double *y, int32_t *index)
{
    int64_t oh = (p->h + p->pad_t + p->pad_b - p->kh) / p->stride_h + 1;
    int64_t ow = (p->w + p->pad_l + p->pad_r - p->kw) / p->stride_w + 1;
    for (int64_t at = 0; at < p->planes * oh * ow; at++) {
        const double *plane = x + at / ow / oh * p->h * p->w;
        int64_t winner = -1;
        for (int64_t tap = 0; tap < p->kh * p->kw; tap++) {
            int64_t row = at / ow % oh * p->stride_h - p->pad_t + tap / p->kw;
            int64_t column = at % ow * p->stride_w - p->pad_l + tap % p->kw;
            if (row < 0 || row >= p->h || column < 0 || column >= p->w) continue;
            double v = plane[row * p->w + column];
            if (winner < 0 || isnan(v) || v > plane[winner]) winner = row * p->w + column;
        }
        y[at] = plane[winner];
        index[at] = (int32_t)winner;
    }
}

/* Element by element, over all windows of the plane. */
void oracle_pool_grad(const struct cairn_pool *p, const double *dy, const int32_t *index,
                      double *dx, double *mag)
{
    int64_t oh = (p->h + p->pad_t + p->pad_b - p->kh) / p->stride_h + 1;
    int64_t ow = (p->w + p->pad_l + p->pad_r - p->kw) / p->stride_w + 1;
    for (int64_t plane = 0; plane < p->planes; plane++)
        for (int64_t e = 0; e < p->h * p->w; e++) {
            double total = 0, size = 0;
            for (int64_t w = plane * oh * ow; w < (plane + 1) * oh * ow; w++)
                if (index[w] == e) {
                    total += dy[w];
                    size += fabs(dy[w]);
                }
            dx[plane * p->h * p->w + e] = total;
            mag[plane * p->h * p->w + e] = size;
        }
}
