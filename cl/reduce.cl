/* Reductions over (i, l) of x[i][j][l], flattened as f = i * n2 + l: the sum of docs/ARITHMETIC.md,
 * see sum.h; the maximum takes the same way, in which any order gives the same bits. Every chunk of
 * every j is reduced as in chunks.h; then, where there is more than one, tree joins them. */
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

#define SUMS 1
#define CHUNK_KERNEL(shape) reduce_##shape
#define INPUTS __global const float *x, ulong x_off
#define OF_CHANNEL(type, LOAD, j)
#define TERMS(type, LOAD, at, t)                                                                   \
    do {                                                                                           \
        type v_ = LOAD(x + x_off + (at));                                                          \
        (t)[0] = VALUE(v_);                                                                        \
    } while (0)

#include "chunks.h"

/* Group j joins the chunks of j. */
__kernel void reduce_tree(__global const float *part, ulong part_off, __global float *y,
                          ulong y_off, ulong c, uint chunks, __local float *lane)
{
    ulong j = (ulong)get_group_id(0);
    float sum = join_chunks(part + part_off + j, c, chunks, lane);
    if (get_local_id(0) == 0) y[y_off + j] = sum;
}
