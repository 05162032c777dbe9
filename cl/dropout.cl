/* Dropout: y = u > rate ? x * s : +0 with u drawn for element first + i; y may be x. "cpu": a
 * work-item makes sets of 64 elements from 16 Philox blocks drawn side by side. "gpu": a work-item
 * makes the four elements of one block. */
#include "exact.h"
#include "philox.h"

#define BLOCKS 32 /* Philox blocks of a set */

/* The words first and second of each block beside each other. */
#ifdef __ENDIAN_LITTLE__
#define WORDS(first, second) (((first)&0xfffffffful) | (second) << 32)
#else
#define WORDS(first, second) (((second)&0xfffffffful) | (first) << 32)
#endif

/* philox() of blocks block ... block + BLOCKS - 1 in named vectors, each word in the low half of 64
 * bits, which is where a product of two words is taken from; the high halves hold anything between
 * the rounds. */
#define BEGIN(g)                                                                                   \
    ulong8 x##g = (ulong8)(0, 1, 2, 3, 4, 5, 6, 7) + (block + 8 * g), y##g = x##g >> 32,           \
           z##g = (ulong)step, w##g = (ulong)stream
#define ROUND(g)                                                                                   \
    do {                                                                                           \
        ulong8 first = (x##g & low) * 0xD2511F53ul, second = (z##g & low) * 0xCD9E8D57ul;          \
        x##g = (second >> 32) ^ y##g ^ (ulong)key0;                                                \
        z##g = (first >> 32) ^ w##g ^ (ulong)key1;                                                 \
        y##g = second;                                                                             \
        w##g = first;                                                                              \
    } while (0)
#define END(g)                                                                                     \
    do {                                                                                           \
        ulong8 a = WORDS(x##g, y##g), b = WORDS(z##g, w##g);                                       \
        a = (ulong8)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3);                              \
        vstore16(as_uint16(a), 2 * g, words);                                                      \
        a = WORDS(x##g, y##g);                                                                     \
        a = (ulong8)(a.s4, b.s4, a.s5, b.s5, a.s6, b.s6, a.s7, b.s7);                              \
        vstore16(as_uint16(a), 2 * g + 1, words);                                                  \
    } while (0)
static inline void draw_blocks(uint *words, ulong seed, uint stream, uint step, ulong block)
{
    const ulong8 low = 0xfffffffful;
    uint key0 = (uint)seed, key1 = (uint)(seed >> 32);
    BEGIN(0);
    BEGIN(1);
    BEGIN(2);
    BEGIN(3);
    for (int round = 0; round < 10; round++) {
        ROUND(0);
        ROUND(1);
        ROUND(2);
        ROUND(3);
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    END(0);
    END(1);
    END(2);
    END(3);
}

/* Work-item t makes the elements of blocks first / 4 + BLOCKS * sets * t and behind. */
__kernel void dropout_cpu(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                          long count, ulong first, ulong seed, uint stream, uint step, float rate,
                          float scale, int sets)
{
    uint words[4 * BLOCKS];
    ulong block = (first >> 2) + get_global_id(0) * BLOCKS * sets;
    long i = (long)(block << 2) - (long)first;
    for (int set = 0; set < sets && i < count; set++, block += BLOCKS, i += 4 * BLOCKS) {
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
