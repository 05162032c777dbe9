/* What the kernels that work row by row share: the maximum, its first place, the sum of terms.
 *
 * "row": a work-item makes a row. "group": a work-group makes a row, a lane of the sum per
 * work-item or several; `lane` and `place` are local memory of SUM_LANES elements, free again when
 * a function returns. Invariant: both give the bits of docs/ARITHMETIC.md, and all work-items of a
 * group get the same result. */
#ifndef CAIRN_ROW_H
#define CAIRN_ROW_H

#include "sum.h"

#define MAX_OF(best, v) ((v) > (best) || (v) != (v) ? (v) : (best))

static inline float row_max(__global const float *z, int count)
{
    float lane[SUM_LANES], best = as_float(SIGN_BIT | INF_BITS);
    int used = count < SUM_LANES ? count : SUM_LANES;
    for (int l = 0; l < used; l++) lane[l] = z[l];
    for (int begin = SUM_LANES; begin < count; begin += SUM_LANES) {
        int some = count - begin < SUM_LANES ? count - begin : SUM_LANES;
        for (int l = 0; l < some; l++) lane[l] = MAX_OF(lane[l], z[begin + l]);
    }
    for (int l = 0; l < used; l++) best = MAX_OF(best, lane[l]);
    return no_minus_zero(best);
}

/* The first j with z_j == m, `count` where there is none. */
static inline int row_first(__global const float *z, int count, float m)
{
    int j = 0;
    while (j < count && z[j] != m) j++;
    return j;
}

/* 1 where z_label == m and no earlier one is; the earlier ones are seldom looked at. */
static inline int is_first(__global const float *z, int label, float m)
{
    return z[label] == m && row_first(z, label, m) == label;
}

/* total = the sum of TERM, an expression of the int j, over j < count. */
#define ROW_SUM(total, count, TERM)                                                                \
    do {                                                                                           \
        float lane[SUM_LANES], level[SUM_LEVELS];                                                  \
        uint chunks = 0;                                                                           \
        for (int begin = 0; begin < (count); begin += SUM_CHUNK, chunks++) {                       \
            int end = begin + SUM_CHUNK < (count) ? begin + SUM_CHUNK : (count);                   \
            for (int l = 0; l < SUM_LANES; l++) lane[l] = 0.0f;                                    \
            for (int at = begin; at < end; at += SUM_LANES) {                                      \
                int some = end - at < SUM_LANES ? end - at : SUM_LANES;                            \
                for (int l = 0; l < some; l++) {                                                   \
                    int j = at + l;                                                                \
                    lane[l] = lane[l] + (TERM);                                                    \
                }                                                                                  \
            }                                                                                      \
            tree_push(level, chunks,                                                               \
                      fold_lanes(vload16(0, lane), vload16(1, lane), vload16(2, lane),             \
                                 vload16(3, lane)));                                               \
        }                                                                                          \
        total = no_minus_zero(tree_total(level, chunks));                                          \
    } while (0)

static inline float group_max(__global const float *z, int count, __local float *lane)
{
    int id = (int)get_local_id(0), size = (int)get_local_size(0);
    for (int l = id; l < SUM_LANES; l += size) {
        float best = as_float(SIGN_BIT | INF_BITS);
        for (int j = l; j < count; j += SUM_LANES) best = MAX_OF(best, z[j]);
        lane[l] = best;
    }
    for (int h = SUM_LANES / 2; h > 0; h >>= 1) {
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int l = id; l < h; l += size) lane[l] = MAX_OF(lane[l], lane[l + h]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    float best = lane[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    return no_minus_zero(best);
}

static inline int group_first(__global const float *z, int count, float m, __local int *place)
{
    int id = (int)get_local_id(0), size = (int)get_local_size(0);
    for (int l = id; l < SUM_LANES; l += size) {
        int at = l;
        while (at < count && z[at] != m) at += SUM_LANES;
        place[l] = at < count ? at : count;
    }
    for (int h = SUM_LANES / 2; h > 0; h >>= 1) {
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int l = id; l < h; l += size)
            place[l] = place[l] < place[l + h] ? place[l] : place[l + h];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    int first = place[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    return first;
}

/* As ROW_SUM; a work-item evaluates TERM for the j whose j % SUM_LANES are its lanes. */
#define GROUP_SUM(total, lane, count, TERM)                                                        \
    do {                                                                                           \
        int id = (int)get_local_id(0), size = (int)get_local_size(0);                              \
        float level[SUM_LEVELS];                                                                   \
        uint chunks = 0;                                                                           \
        for (int begin = 0; begin < (count); begin += SUM_CHUNK, chunks++) {                       \
            int end = begin + SUM_CHUNK < (count) ? begin + SUM_CHUNK : (count);                   \
            for (int l = id; l < SUM_LANES; l += size) {                                           \
                float sum = 0.0f;                                                                  \
                IN_ORDER                                                                           \
                for (int j = begin + l; j < end; j += SUM_LANES) sum = sum + (TERM);               \
                lane[l] = sum;                                                                     \
            }                                                                                      \
            for (int h = SUM_LANES / 2; h > 0; h >>= 1) {                                          \
                barrier(CLK_LOCAL_MEM_FENCE);                                                      \
                for (int l = id; l < h; l += size) lane[l] = lane[l] + lane[l + h];                \
            }                                                                                      \
            barrier(CLK_LOCAL_MEM_FENCE);                                                          \
            tree_push(level, chunks, lane[0]);                                                     \
            barrier(CLK_LOCAL_MEM_FENCE);                                                          \
        }                                                                                          \
        total = no_minus_zero(tree_total(level, chunks));                                          \
    } while (0)

/* Runs a statement for the int j whose j % SUM_LANES are the work-item's lanes: those that
 * GROUP_SUM gave it. */
#define GROUP_EACH(count, STATEMENT)                                                               \
    for (int l = (int)get_local_id(0); l < SUM_LANES; l += (int)get_local_size(0))                 \
        for (int j = l; j < (count); j += SUM_LANES) STATEMENT

#endif
