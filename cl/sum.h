/* The sum of docs/ARITHMETIC.md: chunks of 4096 elements; in a chunk lane l of 64 adds elements l,
 * l + 64, ... from +0; lanes fold by halves; chunk sums meet pairwise, level by level, an odd last
 * one passing up.
 *
 * Invariant of the tree: after n chunks, level[k] holds the sum of a whole aligned run of 2^k
 * chunks wherever bit k of n is set, older runs being longer; that is what the levels leave,
 * without keeping every chunk sum. */
#ifndef CAIRN_SUM_H
#define CAIRN_SUM_H

#define SUM_CHUNK 4096 /* elements per chunk */
#define SUM_LANES 64   /* lanes per chunk */
#define SUM_LEVELS 32  /* 2^32 chunks are more than any buffer holds */

#ifndef SUM_JOIN
#define SUM_JOIN(a, b) ((a) + (b))   /* what two partial results make */
#define SUM_JOIN16(a, b) ((a) + (b)) /* the same, 16 beside each other */
#endif

/* Folds 16 lanes. The first halves go through memory: one simulator's checker dies of shuffles of 16. */
static inline float fold_16(float16 v)
{
    float lane[16];
    vstore16(v, 0, lane);
    float8 low = vload8(0, lane), high = vload8(1, lane), eight = SUM_JOIN16(low, high);
    float4 four = SUM_JOIN16(eight.lo, eight.hi);
    float even = SUM_JOIN(four.s0, four.s2), odd = SUM_JOIN(four.s1, four.s3);
    return SUM_JOIN(even, odd);
}

/* Folds the lanes of one chunk, 16 to a vector. */
static inline float fold_lanes(float16 a, float16 b, float16 c, float16 d)
{
    a = SUM_JOIN16(a, c);
    b = SUM_JOIN16(b, d);
    return fold_16(SUM_JOIN16(a, b));
}

/* Adds chunk sum number n (from 0) to the tree. */
static inline void tree_push(float *level, uint n, float sum)
{
    int k = 0;
    IN_ORDER
    for (; n & 1u; n >>= 1, k++) sum = SUM_JOIN(level[k], sum);
    level[k] = sum;
}

/* The sum of n chunks, n > 0: shorter, later runs join longer ones. */
static inline float tree_total(const float *level, uint n)
{
    int k = 0;
    for (; !(n & 1u); n >>= 1) k++;
    float sum = level[k++];
    IN_ORDER
    for (n >>= 1; n; n >>= 1, k++)
        if (n & 1u) sum = SUM_JOIN(level[k], sum);
    return sum;
}

#endif
