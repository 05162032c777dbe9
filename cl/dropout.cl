/* Dropout: y = u > rate ? x * s : +0 with u drawn for element first + i; y may be x. "cpu": a
 * work-item makes 64 elements from 16 Philox blocks drawn side by side. "gpu": a work-item makes
 * the four elements of one block. */
#include "exact.h"
#include "philox.h"

#define BLOCKS 16 /* Philox blocks of a "cpu" work-item */

/* The words of blocks block ... block + BLOCKS - 1: philox() with its rounds written out, in a loop
 * that becomes vectors. */
static inline void draw_blocks(uint *words, ulong seed, uint stream, uint step, ulong block)
{
    uint key0 = (uint)seed, key1 = (uint)(seed >> 32), x[BLOCKS], y[BLOCKS], z[BLOCKS], w[BLOCKS];
    for (int b = 0; b < BLOCKS; b++) {
        x[b] = (uint)(block + b);
        y[b] = (uint)((block + b) >> 32);
        z[b] = step;
        w[b] = stream;
    }
    for (int round = 0; round < 10; round++) {
        for (int b = 0; b < BLOCKS; b++) {
            ulong first = (ulong)0xD2511F53u * x[b], second = (ulong)0xCD9E8D57u * z[b];
            x[b] = (uint)(second >> 32) ^ y[b] ^ key0;
            y[b] = (uint)second;
            z[b] = (uint)(first >> 32) ^ w[b] ^ key1;
            w[b] = (uint)first;
        }
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    for (int b = 0; b < BLOCKS; b++) {
        words[4 * b] = x[b];
        words[4 * b + 1] = y[b];
        words[4 * b + 2] = z[b];
        words[4 * b + 3] = w[b];
    }
}

/* Work-item t makes the elements of blocks first / 4 + BLOCKS * t and the next. */
__kernel void dropout_cpu(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                          long count, ulong first, ulong seed, uint stream, uint step, float rate,
                          float scale)
{
    uint words[4 * BLOCKS];
    ulong block = (first >> 2) + get_global_id(0) * BLOCKS;
    long i = (long)(block << 2) - (long)first;
    draw_blocks(words, seed, stream, step, block);
    if (i >= 0 && i + 4 * BLOCKS <= count) {
        for (int q = 0; q < 4 * BLOCKS; q += 16) {
            float16 u = convert_float16((vload16(0, words + q) >> 8) + 1u) * 5.96046448e-8f;
            float16 v = vload16(0, x + x_off + i + q) * scale;
            vstore16(select((float16)0.0f, v, u > rate), 0, y + y_off + i + q);
        }
    } else {
        for (int q = 0; q < 4 * BLOCKS; q++)
            if (i + q >= 0 && i + q < count) {
                float v = x[x_off + i + q] * scale;
                y[y_off + i + q] = philox_uniform(words[q]) > rate ? v : 0.0f;
            }
    }
}

/* Work-item t makes the elements of block first / 4 + t. */
__kernel void dropout_gpu(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                          long count, ulong first, ulong seed, uint stream, uint step, float rate,
                          float scale)
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
