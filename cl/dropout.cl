/* Dropout: y = u > rate ? x * s : +0 with u drawn for element first + i. One work-item per Philox block of four elements. */
#include "exact.h"
#include "philox.h"

__kernel void dropout(__global const float *x, ulong x_off, __global float *y, ulong y_off, long count, ulong first,
                      ulong seed, uint stream, uint step, float rate, float scale)
{
    ulong block = (first >> 2) + get_global_id(0);
    uint4 words = philox_block(seed, stream, step, block);
    long i = (long)(block << 2) - (long)first;
#define ONE(k, word)                                                                               \
    if (i + k >= 0 && i + k < count) {                                                             \
        float v = x[x_off + i + k] * scale;                                                        \
        y[y_off + i + k] = philox_uniform(word) > rate ? v : 0.0f;                                 \
    }
    ONE(0, words.x)
    ONE(1, words.y)
    ONE(2, words.z)
    ONE(3, words.w)
#undef ONE
}
