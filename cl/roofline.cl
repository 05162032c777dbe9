/* What a device can do at most: fused multiply-adds that stay in registers, and copying. Their results mean nothing.
 *
 * VECTOR is float16 for CPUs, whose vectors are as wide, and float4 elsewhere, where the work-items of a group are the vector.
 * Ten chains hide the latency of an fma and leave registers free for x and y. */
#include "exact.h"

#ifndef VECTOR
#define VECTOR float16
#define SPIN_FMA(a, b, c) FMA16(a, b, c)
#endif
#if defined(CAIRN_FAST) && !defined(CAIRN_SOFT_FMA)
#undef SPIN_FMA
#define SPIN_FMA(a, b, c) fma(a, b, c) /* what mad becomes is slower on some */
#endif

#define CHAINS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9)
#define START(i) VECTOR a##i = (VECTOR)(x + (float)i);
#define STEP(i) a##i = SPIN_FMA(a##i, vx, vy);
#define SUM(i) sum += a##i;

/* 10 chains of `rounds` fma each and per lane; x in (0, 1) keeps every chain near y / (1 - x). */
__kernel void spin(__global VECTOR *out, ulong offset, float x, float y, long rounds)
{
    VECTOR vx = (VECTOR)(x), vy = (VECTOR)(y), sum = (VECTOR)(0.0f);
    CHAINS(START)
    for (long i = 0; i < rounds; i++) {
        CHAINS(STEP)
    }
    CHAINS(SUM)
    out[offset + get_global_id(0)] = sum;
}

/* to[i] = from[i] for i < count vectors. A work-item takes `each` neighbours (a CPU), or those that lie a launch's width apart. */
__kernel void stream(__global VECTOR *to, ulong to_off, __global const VECTOR *from, ulong from_off, long count, long each)
{
    long item = (long)get_global_id(0), step = each > 0 ? 1 : (long)get_global_size(0);
    long first = each > 0 ? item * each : item, last = each > 0 ? min(first + each, count) : count;
    for (long i = first; i < last; i += step) to[to_off + i] = from[from_off + i];
}
