/* Batch normalisation of x, n1 x c x n2, channel by channel; formulas in <cairn/problem.h>. Sums
 * over a channel are those of chunks.h, joined by a work-group for each channel. What is done
 * element by element has two shapes: "cpu", whose work-items make blocks of rows in vectors, along
 * l (rows) or, where few l make a row, along j and l together (columns); "gpu", whose work-items
 * make one element. y may be x and dx may be dy: an element is read before it is written and by its
 * own work-item only. */
#include "exact.h"
#include "strip.h"

#ifndef PART
#define PART 0 // 0 statistics, 1 normalisation, 2 gradient
#endif

#if PART == 0
#define SUMS 1
#define CHUNK_KERNEL(shape) batchnorm_deviations_##shape
#define INPUTS __global const float *x, ulong x_off, __global const float *mean, ulong mean_off
#define OF_CHANNEL(type, LOAD, j) type mean_ = LOAD(mean + mean_off + (j));
#define TERMS(type, LOAD, at, t)                                                                   \
    do {                                                                                           \
        type d_ = LOAD(x + x_off + (at)) - mean_;                                                  \
        (t)[0] = d_ * d_;                                                                          \
    } while (0)
#else
#define SUMS 2
#define CHUNK_KERNEL(shape) batchnorm_slopes_##shape
#define INPUTS                                                                                     \
    __global const float *x, ulong x_off, __global const float *dy, ulong dy_off,                  \
        __global const float *mean, ulong mean_off, __global const float *rstd, ulong rstd_off
#define OF_CHANNEL(type, LOAD, j)                                                                  \
    type mean_ = LOAD(mean + mean_off + (j)), rstd_ = LOAD(rstd + rstd_off + (j));
#define TERMS(type, LOAD, at, t)                                                                   \
    do {                                                                                           \
        type dy_ = LOAD(dy + dy_off + (at));                                                       \
        (t)[0] = dy_;                                                                              \
        (t)[1] = dy_ * ((LOAD(x + x_off + (at)) - mean_) * rstd_);                                 \
    } while (0)
#endif

#define START 0.0f
#if PART != 1
#include "chunks.h"
#endif

/* What elements first ... first + width - 1 of a row of c x n2 have of their channels, then zeros.
 */
static inline float16 load_channels(__global const float *p, ulong first, ulong n2, int width)
{
    float part[16];
    if (n2 == 1) return load_strip(p + first, width);
    uint j = (uint)(first / n2), l = (uint)(first - j * n2);
    for (int q = 0; q < 16; q++) part[q] = 0.0f;
    for (int q = 0; q < width; q++) {
        part[q] = p[j];
        if (++l == n2) {
            l = 0;
            j++;
        }
    }
    return vload16(0, part);
}

#if PART == 0

/* mean = (sum of x) / n of channel j, by group j. */
__kernel void batchnorm_mean(__global const float *part, ulong part_off, __global float *mean,
                             ulong mean_off, ulong c, uint chunks, float n, __local float *lane)
{
    ulong j = (ulong)get_group_id(0);
    float sum = join_chunks(part + part_off + j, c, chunks, lane);
    if (get_local_id(0) == 0) mean[mean_off + j] = DIV(sum, n);
}

/* The rest of the statistics from q = sum of (x - mean)^2; less = n - 1, or n where that is 0. */
__kernel void batchnorm_spread(__global const float *part, ulong part_off,
                               __global const float *mean, ulong mean_off, __global float *rstd,
                               ulong rstd_off, __global float *running_mean, ulong running_mean_off,
                               __global float *running_var, ulong running_var_off, ulong c,
                               uint chunks, float n, float less, float momentum, float epsilon,
                               __local float *lane)
{
    ulong j = (ulong)get_group_id(0);
    float q = join_chunks(part + part_off + j, c, chunks, lane);
    if (get_local_id(0) == 0) {
        float m = running_mean[running_mean_off + j], v = running_var[running_var_off + j];
        rstd[rstd_off + j] = DIV(1.0f, SQRT(DIV(q, n) + epsilon));
        running_mean[running_mean_off + j] = FMA(momentum, mean[mean_off + j] - m, m);
        running_var[running_var_off + j] = FMA(momentum, DIV(q, less) - v, v);
    }
}

#elif PART == 1

#define PARAMETERS                                                                                 \
    __global const float *x, ulong x_off, __global const float *mean, ulong mean_off,              \
        __global const float *rstd, ulong rstd_off, __global const float *gamma, ulong gamma_off,  \
        __global const float *beta, ulong beta_off, __global float *y, ulong y_off, int inference, \
        float epsilon

/* rstd, or 1 / sqrt(variance + epsilon) where it holds variances. */
static inline float factor(float r, int inference, float epsilon)
{
    return inference ? DIV(1.0f, SQRT(r + epsilon)) : r;
}

/* Work-item t makes elements piece * length ... of rows block * rows ..., of n1 * c rows of n2. */
__kernel void batchnorm_rows(PARAMETERS, ulong c, ulong n2, ulong all, ulong rows, ulong length,
                             ulong pieces)
{
    ulong t = (ulong)get_global_id(0), block = t / pieces, first = (t - block * pieces) * length;
    ulong row = block * rows, end = row + rows < all ? row + rows : all,
          last = first + length < n2 ? first + length : n2;
    for (; row < end; row++) {
        ulong j = row % c, l = first;
        float m = mean[mean_off + j], g = gamma[gamma_off + j], b = beta[beta_off + j],
              r = factor(rstd[rstd_off + j], inference, epsilon);
        __global const float *from = x + x_off + row * n2;
        __global float *to = y + y_off + row * n2;
        for (; l + 16 <= last; l += 16)
            vstore16(FMA16((vload16(0, from + l) - m) * r, (float16)g, (float16)b), 0, to + l);
        for (; l < last; l++) to[l] = FMA((from[l] - m) * r, g, b);
    }
}

/* The same for n1 rows of c x n2, channels along them. */
__kernel void batchnorm_columns(PARAMETERS, ulong c, ulong n2, ulong all, ulong rows, ulong length,
                                ulong pieces)
{
    ulong t = (ulong)get_global_id(0), block = t / pieces, first = (t - block * pieces) * length;
    ulong begin = block * rows, end = begin + rows < all ? begin + rows : all, size = c * n2,
          last = first + length < size ? first + length : size;
    for (ulong e = first; e < last; e += 16) {
        int width = last - e < 16 ? (int)(last - e) : 16;
        float part[16];
        vstore16(load_channels(rstd + rstd_off, e, n2, width), 0, part);
        for (int q = 0; q < 16; q++) part[q] = factor(part[q], inference, epsilon);
        float16 m = load_channels(mean + mean_off, e, n2, width), r = vload16(0, part),
                g = load_channels(gamma + gamma_off, e, n2, width),
                b = load_channels(beta + beta_off, e, n2, width);
        for (ulong row = begin; row < end; row++) {
            float16 v = (load_strip(x + x_off + row * size + e, width) - m) * r;
            store_strip(FMA16(v, g, b), y + y_off + row * size + e, width);
        }
    }
}

/* Elements base ... base + items - 1; base is the first of a row of channel 0. */
__kernel void batchnorm_gpu(PARAMETERS, ulong base, uint items, uint c, uint n2)
{
    uint t = (uint)get_global_id(0);
    if (t < items) {
        uint row = t / n2, j = row - row / c * c;
        float r = factor(rstd[rstd_off + j], inference, epsilon),
              v = (x[x_off + base + t] - mean[mean_off + j]) * r;
        y[y_off + base + t] = FMA(v, gamma[gamma_off + j], beta[beta_off + j]);
    }
}

#else

/* dbeta, dgamma and k = dbeta / n, dgamma / n of channel j, by group j. */
__kernel void batchnorm_sums(__global const float *part, ulong part_off, __global float *dbeta,
                             ulong dbeta_off, __global float *dgamma, ulong dgamma_off,
                             __global float *k, ulong k_off, ulong c, uint chunks, float n,
                             __local float *lane)
{
    ulong j = (ulong)get_group_id(0);
    float s1 = join_chunks(part + part_off + j, c, chunks, lane);
    float s2 = join_chunks(part + part_off + chunks * c + j, c, chunks, lane);
    if (get_local_id(0) == 0) {
        dbeta[dbeta_off + j] = s1;
        dgamma[dgamma_off + j] = s2;
        k[k_off + j] = DIV(s1, n);
        k[k_off + c + j] = DIV(s2, n);
    }
}

/* k holds k1 of every channel, then k2. */
#define PARAMETERS                                                                                 \
    __global const float *x, ulong x_off, __global const float *dy, ulong dy_off,                  \
        __global const float *mean, ulong mean_off, __global const float *rstd, ulong rstd_off,    \
        __global const float *gamma, ulong gamma_off, __global const float *k, ulong k_off,        \
        __global float *dx, ulong dx_off

/* Rows as in batchnorm_rows. */
__kernel void batchnorm_grad_rows(PARAMETERS, ulong c, ulong n2, ulong all, ulong rows,
                                  ulong length, ulong pieces)
{
    ulong t = (ulong)get_global_id(0), block = t / pieces, first = (t - block * pieces) * length;
    ulong row = block * rows, end = row + rows < all ? row + rows : all,
          last = first + length < n2 ? first + length : n2;
    for (; row < end; row++) {
        ulong j = row % c, l = first;
        float m = mean[mean_off + j], r = rstd[rstd_off + j], g = gamma[gamma_off + j] * r,
              k1 = k[k_off + j], k2 = k[k_off + c + j];
        __global const float *from = x + x_off + row * n2, *slope = dy + dy_off + row * n2;
        __global float *to = dx + dx_off + row * n2;
        for (; l + 16 <= last; l += 16) {
            float16 v = (vload16(0, from + l) - m) * r;
            v = vload16(0, slope + l) - FMA16(v, (float16)k2, (float16)k1);
            vstore16(g * v, 0, to + l);
        }
        for (; l < last; l++) to[l] = g * (slope[l] - FMA((from[l] - m) * r, k2, k1));
    }
}

/* Rows as in batchnorm_columns. */
__kernel void batchnorm_grad_columns(PARAMETERS, ulong c, ulong n2, ulong all, ulong rows,
                                     ulong length, ulong pieces)
{
    ulong t = (ulong)get_global_id(0), block = t / pieces, first = (t - block * pieces) * length;
    ulong begin = block * rows, end = begin + rows < all ? begin + rows : all, size = c * n2,
          last = first + length < size ? first + length : size;
    for (ulong e = first; e < last; e += 16) {
        int width = last - e < 16 ? (int)(last - e) : 16;
        float16 m = load_channels(mean + mean_off, e, n2, width),
                r = load_channels(rstd + rstd_off, e, n2, width),
                g = load_channels(gamma + gamma_off, e, n2, width) * r,
                k1 = load_channels(k + k_off, e, n2, width),
                k2 = load_channels(k + k_off + c, e, n2, width);
        for (ulong row = begin; row < end; row++) {
            float16 v = (load_strip(x + x_off + row * size + e, width) - m) * r;
            v = load_strip(dy + dy_off + row * size + e, width) - FMA16(v, k2, k1);
            store_strip(g * v, dx + dx_off + row * size + e, width);
        }
    }
}

/* Elements as in batchnorm_gpu. */
__kernel void batchnorm_grad_gpu(PARAMETERS, ulong base, uint items, uint c, uint n2)
{
    uint t = (uint)get_global_id(0);
    if (t < items) {
        uint row = t / n2, j = row - row / c * c;
        float r = rstd[rstd_off + j], v = (x[x_off + base + t] - mean[mean_off + j]) * r;
        v = dy[dy_off + base + t] - FMA(v, k[k_off + c + j], k[k_off + j]);
        dx[dx_off + base + t] = (gamma[gamma_off + j] * r) * v;
    }
}

#endif
