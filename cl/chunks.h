/* Sums over (i, l) of x[i][j][l] for every j, flattened as f = i * n2 + l: kernels that reduce
 * every chunk of every j (see sum.h), and the join of the chunks of one j.
 *
 * "cpu" has the 64 lanes in vectors where l runs on (rows), 16 neighbouring j side by side where it
 * does not (columns), and 16 j with all their lanes in memory where it ends soon (narrow); "gpu"
 * takes a work-group for a chunk. Chunk results lie as
 * out[sum][chunk][j]. The including file says what is summed:
 *   SUMS                     how many sums of the same elements there are
 *   START                    what a lane starts from; SUM_JOIN and SUM_JOIN16 as in sum.h
 *   CHUNK_KERNEL(shape)      the kernels' names
 *   INPUTS                   their parameters of the inputs
 *   OF_CHANNEL(type, LOAD, j)    declares what belongs to j, as a type
 *   TERMS(type, LOAD, at, t)     t[0 .. SUMS - 1] = the terms of the element at `at`
 * LOAD(pointer) gives a type: a float, or a float16 of neighbours. */
#ifndef CAIRN_CHUNKS_H
#define CAIRN_CHUNKS_H

#include "strip.h"
#include "sum.h"

#define LOAD_ONE(p) (*(p))
#define LOAD_16(p) vload16(0, p)
#define LOAD_STRIP(p) load_strip(p, width)
#define LOAD_SOME(p) load_strip(p, some)

#define CHUNK_PLACES ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))

/* The next 16 elements of one j into lanes 16 q and behind; x[i][j] begins at row and has 16 or
 * more. Where they reach into the next one, what is read beside them lies between the two. */
#define CHUNK_TAKE(q)                                                                              \
    do {                                                                                           \
        if (l + 16 <= n2) {                                                                        \
            TERMS(float16, LOAD_16, row + l, term);                                                \
            l += 16;                                                                               \
        } else {                                                                                   \
            int here = (int)(n2 - l);                                                              \
            TERMS(float16, LOAD_16, row + l, term);                                                \
            row += next;                                                                           \
            TERMS(float16, LOAD_16, row - here, rest);                                             \
            for (int s = 0; s < SUMS; s++)                                                         \
                term[s] = select(rest[s], term[s], CHUNK_PLACES < here);                           \
            l = 16 - here;                                                                         \
        }                                                                                          \
        if (l == n2) {                                                                             \
            l = 0;                                                                                 \
            row += next;                                                                           \
        }                                                                                          \
        for (int s = 0; s < SUMS; s++) lanes[s][q] = SUM_JOIN16(lanes[s][q], term[s]);             \
    } while (0)

/* n2 >= 16 or c = 1. Work-item t reduces chunk t / c of j = t % c. */
__kernel void CHUNK_KERNEL(rows)(INPUTS, __global float *out, ulong out_off, ulong c, ulong n2,
                                 ulong total, uint chunks)
{
    ulong t = (ulong)get_global_id(0), chunk = t / c, j = t - chunk * c;
    ulong begin = chunk * SUM_CHUNK, left = total - begin < SUM_CHUNK ? total - begin : SUM_CHUNK;
    ulong i = begin / n2, l = begin - i * n2, next = c * n2, row = (i * c + j) * n2;
    float16 lanes[SUMS][4], term[SUMS], rest[SUMS];
    float one[SUMS], lane[SUMS][SUM_LANES];
    OF_CHANNEL(float, LOAD_ONE, j)
    for (int s = 0; s < SUMS; s++)
        for (int q = 0; q < 4; q++) lanes[s][q] = START;
    for (; left >= SUM_LANES; left -= SUM_LANES) {
        CHUNK_TAKE(0);
        CHUNK_TAKE(1);
        CHUNK_TAKE(2);
        CHUNK_TAKE(3);
    }
    if (left > 0) {
        for (int s = 0; s < SUMS; s++)
            for (int q = 0; q < 4; q++) vstore16(lanes[s][q], q, lane[s]);
        for (uint q = 0; q < left; q++) {
            TERMS(float, LOAD_ONE, row + l, one);
            for (int s = 0; s < SUMS; s++) lane[s][q] = SUM_JOIN(lane[s][q], one[s]);
            if (++l == n2) {
                l = 0;
                row += next;
            }
        }
        for (int s = 0; s < SUMS; s++)
            for (int q = 0; q < 4; q++) lanes[s][q] = vload16(q, lane[s]);
    }
    for (int s = 0; s < SUMS; s++)
        out[out_off + (s * chunks + chunk) * c + j] =
            no_minus_zero(fold_lanes(lanes[s][0], lanes[s][1], lanes[s][2], lanes[s][3]));
}

/* n2 = 1. Work-item t reduces chunk t % chunks of columns 16 * (t / chunks) and the 15 behind. */
__kernel void CHUNK_KERNEL(columns)(INPUTS, __global float *out, ulong out_off, ulong c, ulong n2,
                                    ulong total, uint chunks)
{
    ulong t = (ulong)get_global_id(0), strip = t / chunks, j = strip * 16,
          chunk = t - strip * chunks;
    ulong begin = chunk * SUM_CHUNK, left = total - begin < SUM_CHUNK ? total - begin : SUM_CHUNK;
    ulong row = begin * c + j;
    int width = c - j < 16 ? (int)(c - j) : 16;
    float16 lane[SUMS][SUM_LANES], term[SUMS];
    float part[16];
    OF_CHANNEL(float16, LOAD_STRIP, j)
    for (int s = 0; s < SUMS; s++)
        for (int q = 0; q < SUM_LANES; q++) lane[s][q] = START;
    for (ulong f = 0; f < left; f++, row += c) {
        uint q = f & (SUM_LANES - 1);
        TERMS(float16, LOAD_STRIP, row, term);
        for (int s = 0; s < SUMS; s++) lane[s][q] = SUM_JOIN16(lane[s][q], term[s]);
    }
    for (int s = 0; s < SUMS; s++) {
        for (int h = SUM_LANES / 2; h > 0; h >>= 1)
            for (int q = 0; q < h; q++) lane[s][q] = SUM_JOIN16(lane[s][q], lane[s][q + h]);
        vstore16(lane[s][0], 0, part);
        for (int q = 0; q < width; q++)
            out[out_off + (s * chunks + chunk) * c + j + q] = no_minus_zero(part[q]);
    }
}

/* 1 < n2. Work-item t reduces chunk t % chunks of j = 16 * (t / chunks) and the 15 behind, row by
 * row, some = at most 16 elements that lie in lanes beside each other at a time. What is read
 * behind them belongs to others or, at the end of x, is not read. START changes no lane, which is
 * never -0.
 */
__kernel void CHUNK_KERNEL(narrow)(INPUTS, __global float *out, ulong out_off, ulong c, ulong n2,
                                   ulong total, uint chunks)
{
    ulong t = (ulong)get_global_id(0), strip = t / chunks, first = strip * 16,
          chunk = t - strip * chunks;
    ulong begin = chunk * SUM_CHUNK, left = total - begin < SUM_CHUNK ? total - begin : SUM_CHUNK;
    ulong i = begin / n2, l = begin - i * n2, next = c * n2, row = i * next + first * n2,
          size = total * c;
    int count = c - first < 16 ? (int)(c - first) : 16;
    float lane[SUMS][16][SUM_LANES + 16];
    float16 term[SUMS];
    for (int s = 0; s < SUMS; s++)
        for (int u = 0; u < count; u++)
            for (int q = 0; q < 5; q++) vstore16((float16)(START), q, lane[s][u]);
    for (uint place = 0; left > 0;) {
        ulong most = n2 - l < left ? n2 - l : left;
        most = most < SUM_LANES - place ? most : SUM_LANES - place;
        int some = most < 16 ? (int)most : 16;
        int16 mine = CHUNK_PLACES < some;
        for (int u = 0; u < count; u++) {
            ulong at = row + u * n2 + l;
            OF_CHANNEL(float, LOAD_ONE, first + u)
            if (at + 16 <= size)
                TERMS(float16, LOAD_16, at, term);
            else
                TERMS(float16, LOAD_SOME, at, term);
            for (int s = 0; s < SUMS; s++) {
                float *to = lane[s][u] + place;
                vstore16(SUM_JOIN16(vload16(0, to), select((float16)(START), term[s], mine)), 0,
                         to);
            }
        }
        left -= some;
        place = (place + some) & (SUM_LANES - 1);
        l += some;
        if (l == n2) {
            l = 0;
            row += next;
        }
    }
    for (int s = 0; s < SUMS; s++)
        for (int u = 0; u < count; u++) {
            const float *of = lane[s][u];
            out[out_off + (s * chunks + chunk) * c + first + u] = no_minus_zero(
                fold_lanes(vload16(0, of), vload16(1, of), vload16(2, of), vload16(3, of)));
        }
}

/* A work-group of wide x tall work-items reduces chunk after chunk of `wide` neighbouring j;
 * work-item (u, v) has lanes v, v + tall, ... of the u-th. lane[] holds SUMS * SUM_LANES * wide. */
__kernel void CHUNK_KERNEL(group)(INPUTS, __global float *out, ulong out_off, ulong c, ulong n2,
                                  ulong total, uint chunks, __local float *lane)
{
    int wide = (int)get_local_size(0), tall = (int)get_local_size(1), u = (int)get_local_id(0),
        v = (int)get_local_id(1), set = SUM_LANES * wide;
    ulong j = (ulong)get_global_id(0), rows_step = SUM_LANES / n2,
          cols_step = SUM_LANES - rows_step * n2;
    for (ulong chunk = (ulong)get_group_id(1); chunk < chunks; chunk += (ulong)get_num_groups(1)) {
        ulong begin = chunk * SUM_CHUNK,
              end = total - begin < SUM_CHUNK ? total : begin + SUM_CHUNK;
        for (int q = v; q < SUM_LANES; q += tall) {
            float sum[SUMS], term[SUMS];
            for (int s = 0; s < SUMS; s++) sum[s] = START;
            if (j < c) {
                ulong i = (begin + q) / n2, l = begin + q - i * n2;
                OF_CHANNEL(float, LOAD_ONE, j)
                IN_ORDER
                for (ulong f = begin + q; f < end; f += SUM_LANES) {
                    TERMS(float, LOAD_ONE, (i * c + j) * n2 + l, term);
                    for (int s = 0; s < SUMS; s++) sum[s] = SUM_JOIN(sum[s], term[s]);
                    i += rows_step;
                    l += cols_step;
                    if (l >= n2) {
                        l -= n2;
                        i += 1;
                    }
                }
            }
            for (int s = 0; s < SUMS; s++) lane[s * set + q * wide + u] = sum[s];
        }
        for (int h = SUM_LANES / 2; h > 0; h >>= 1) {
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int q = v; q < h; q += tall)
                for (int s = 0; s < SUMS; s++) {
                    __local float *at = lane + s * set + q * wide + u;
                    *at = SUM_JOIN(at[0], at[h * wide]);
                }
        }
        if (v == 0 && j < c) /* its own lane */
            for (int s = 0; s < SUMS; s++)
                out[out_off + (s * chunks + chunk) * c + j] = no_minus_zero(lane[s * set + u]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}

/* The sum of the chunks part[0], part[c], part[2 c], ... of one j, by a work-group: the first
 * work-item has it, the others anything. Each makes the subtree of an aligned run of 2^k chunks,
 * the first one joins those. lane[] holds a float for each of them. */
static inline float join_chunks(__global const float *part, ulong c, uint chunks,
                                __local float *lane)
{
    float level[SUM_LEVELS], sum = 0.0f;
    uint items = (uint)get_local_size(0), me = (uint)get_local_id(0), run = 1;
    while ((chunks - 1) / run + 1 > items) run <<= 1;
    uint begin = me * run, end = chunks - begin < run ? chunks : begin + run;
    if (begin < chunks) {
        for (uint n = begin; n < end; n++) tree_push(level, n - begin, part[n * c]);
        sum = tree_total(level, end - begin);
    }
    lane[me] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (me == 0) {
        uint runs = (chunks - 1) / run + 1;
        for (uint n = 0; n < runs; n++) tree_push(level, n, lane[n]);
        sum = no_minus_zero(tree_total(level, runs));
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return sum;
}

#endif
