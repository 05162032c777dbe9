/* Reductions over (i, l) of x[i][j][l], flattened as f = i * n2 + l: the sum of docs/ARITHMETIC.md,
 * see sum.h; the maximum takes the same way, in which any order gives the same bits.
 *
 * First every chunk of every j is reduced: "cpu" with the 64 lanes in vectors where l runs on
 * (rows) or 16 columns j side by side where it does not (columns), "gpu" with a work-group. Then,
 * where there is more than one chunk, tree joins the chunks. Results lie as out[chunk][j]. */
#include "exact.h"

#ifndef KIND
#define KIND 0 // 0 sum, 1 sum of squares, 2 maximum
#endif

#if KIND == 2
#define START as_float(SIGN_BIT | INF_BITS)
#define SUM_JOIN(a, b) ((b) > (a) || (b) != (b) ? (b) : (a))
#define SUM_JOIN16(a, b) select(a, b, ((b) > (a)) | ((b) != (b)))
#define VALUE(v) (v)
#elif KIND == 1
#define START 0.0f
#define VALUE(v) ((v) * (v))
#else
#define START 0.0f
#define VALUE(v) (v)
#endif

#include "sum.h"

/* The next 16 elements of one j; `row` is x[i][j], whose successor x[i + 1][j] lies `next` behind.
 */
#define TAKE16(lanes)                                                                              \
    do {                                                                                           \
        float16 v;                                                                                 \
        if (l + 16 <= n2) {                                                                        \
            v = vload16(0, row + l);                                                               \
            l += 16;                                                                               \
        } else {                                                                                   \
            float part[16];                                                                        \
            for (int q = 0; q < 16; q++) {                                                         \
                if (l == n2) {                                                                     \
                    l = 0;                                                                         \
                    row += next;                                                                   \
                }                                                                                  \
                part[q] = row[l++];                                                                \
            }                                                                                      \
            v = vload16(0, part);                                                                  \
        }                                                                                          \
        if (l == n2) {                                                                             \
            l = 0;                                                                                 \
            row += next;                                                                           \
        }                                                                                          \
        lanes = SUM_JOIN16(lanes, VALUE(v));                                                       \
    } while (0)

/* Work-item t reduces chunk t % chunks of j = t / chunks. */
__kernel void reduce_rows(__global const float *x, ulong x_off, __global float *out, ulong out_off,
                          ulong c, ulong n2, ulong total, uint chunks)
{
    ulong t = (ulong)get_global_id(0), j = t / chunks, chunk = t - j * chunks;
    ulong begin = chunk * SUM_CHUNK, left = total - begin < SUM_CHUNK ? total - begin : SUM_CHUNK;
    ulong i = begin / n2, l = begin - i * n2, next = c * n2;
    __global const float *row = x + x_off + (i * c + j) * n2;
    float16 a = START, b = START, d = START, e = START;
    for (; left >= SUM_LANES; left -= SUM_LANES) {
        TAKE16(a);
        TAKE16(b);
        TAKE16(d);
        TAKE16(e);
    }
    if (left > 0) {
        float lane[SUM_LANES];
        vstore16(a, 0, lane);
        vstore16(b, 1, lane);
        vstore16(d, 2, lane);
        vstore16(e, 3, lane);
        for (uint q = 0; q < left; q++) {
            float v = row[l++];
            lane[q] = SUM_JOIN(lane[q], VALUE(v));
            if (l == n2) {
                l = 0;
                row += next;
            }
        }
        a = vload16(0, lane);
        b = vload16(1, lane);
        d = vload16(2, lane);
        e = vload16(3, lane);
    }
    out[out_off + chunk * c + j] = no_minus_zero(fold_lanes(a, b, d, e));
}

/* n2 = 1. Work-item t reduces chunk t % chunks of columns 16 * (t / chunks) and the 15 behind. */
__kernel void reduce_columns(__global const float *x, ulong x_off, __global float *out,
                             ulong out_off, ulong c, ulong total, uint chunks)
{
    ulong t = (ulong)get_global_id(0), strip = t / chunks, j = strip * 16,
          chunk = t - strip * chunks;
    ulong begin = chunk * SUM_CHUNK, left = total - begin < SUM_CHUNK ? total - begin : SUM_CHUNK;
    __global const float *row = x + x_off + begin * c + j;
    int width = c - j < 16 ? (int)(c - j) : 16;
    float16 lane[SUM_LANES];
    float part[16];
    for (int q = 0; q < SUM_LANES; q++) lane[q] = START;
    for (int q = 0; q < 16; q++) part[q] = 0.0f;
    for (ulong f = 0; f < left; f++, row += c) {
        float16 v;
        if (width == 16) {
            v = vload16(0, row);
        } else {
            for (int q = 0; q < width; q++) part[q] = row[q];
            v = vload16(0, part);
        }
        lane[f & (SUM_LANES - 1)] = SUM_JOIN16(lane[f & (SUM_LANES - 1)], VALUE(v));
    }
    for (int h = SUM_LANES / 2; h > 0; h >>= 1)
        for (int q = 0; q < h; q++) lane[q] = SUM_JOIN16(lane[q], lane[q + h]);
    vstore16(lane[0], 0, part);
    for (int q = 0; q < width; q++) out[out_off + chunk * c + j + q] = no_minus_zero(part[q]);
}

/* A work-group of wide x tall work-items reduces chunk after chunk of `wide` neighbouring j;
 * work-item (u, v) has lanes v, v + tall, ... of the u-th. lane[] holds SUM_LANES * wide. */
__kernel void reduce_group(__global const float *x, ulong x_off, __global float *out, ulong out_off,
                           ulong c, ulong n2, ulong total, ulong chunks, __local float *lane)
{
    int wide = (int)get_local_size(0), tall = (int)get_local_size(1), u = (int)get_local_id(0),
        v = (int)get_local_id(1);
    ulong j = (ulong)get_global_id(0), rows_step = SUM_LANES / n2,
          cols_step = SUM_LANES - rows_step * n2;
    for (ulong chunk = (ulong)get_group_id(1); chunk < chunks; chunk += (ulong)get_num_groups(1)) {
        ulong begin = chunk * SUM_CHUNK,
              end = total - begin < SUM_CHUNK ? total : begin + SUM_CHUNK;
        for (int q = v; q < SUM_LANES; q += tall) {
            float sum = START;
            if (j < c) {
                ulong i = (begin + q) / n2, l = begin + q - i * n2;
                for (ulong f = begin + q; f < end; f += SUM_LANES) {
                    float value = x[x_off + (i * c + j) * n2 + l];
                    sum = SUM_JOIN(sum, VALUE(value));
                    i += rows_step;
                    l += cols_step;
                    if (l >= n2) {
                        l -= n2;
                        i += 1;
                    }
                }
            }
            lane[q * wide + u] = sum;
        }
        for (int h = SUM_LANES / 2; h > 0; h >>= 1) {
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int q = v; q < h; q += tall)
                lane[q * wide + u] = SUM_JOIN(lane[q * wide + u], lane[(q + h) * wide + u]);
        }
        if (v == 0 && j < c)
            out[out_off + chunk * c + j] = no_minus_zero(lane[u]); /* its own lane */
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}

/* Work-item j joins the chunks of j. */
__kernel void reduce_tree(__global const float *part, ulong part_off, __global float *y,
                          ulong y_off, ulong c, uint chunks)
{
    ulong j = (ulong)get_global_id(0);
    if (j < c) {
        float level[SUM_LEVELS];
        for (uint n = 0; n < chunks; n++) tree_push(level, n, part[part_off + (ulong)n * c + j]);
        y[y_off + j] = no_minus_zero(tree_total(level, chunks));
    }
}
