/* Random numbers: Philox4x32-10 (Salmon et al., SC'11; Random123 on the host), counted, never
 * stateful.
 *
 * Word `element % 4` of the block with counter {element / 4 low 32 bits, element / 4 high 32 bits,
 * step, stream} and key {seed low, seed high}. A stream belongs to one layer or purpose; see enum
 * cairn_stream. */
#ifndef CAIRN_BASE_RANDOM_H
#define CAIRN_BASE_RANDOM_H

#include <stdint.h>

/* Streams: dropout layer number i uses CAIRN_STREAM_DROPOUT + i, the parameters of layer i
 * CAIRN_STREAM_INIT + i. */
enum cairn_stream {
    CAIRN_STREAM_SHUFFLE = 1,
    CAIRN_STREAM_SPLIT = 2,
    CAIRN_STREAM_GLYPHS = 3,
    CAIRN_STREAM_CHECK = 4,
    CAIRN_STREAM_AUGMENT = 5,
    CAIRN_STREAM_INIT = 0x10000,
    CAIRN_STREAM_DROPOUT = 0x20000,
};

/* The four words of one block, for loops over many elements: word i belongs to element 4 * block +
 * i. */
void cairn_random_block(uint64_t seed, uint32_t stream, uint32_t step, uint64_t block,
                        uint32_t words[4]);

uint32_t cairn_random_u32(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element);

/* ((x >> 8) + 1) * 2^-24: in (0, 1], 24 bits. */
static inline float cairn_random_to_uniform(uint32_t word)
{
    return (float)((word >> 8) + 1) * 0x1p-24f;
}
float cairn_random_uniform(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element);

/* Standard normal by Box-Muller with the exact log, square root and turn sine/cosine; see
 * docs/ARITHMETIC.md. */
float cairn_random_normal(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element);

/* A whole number in 0..bound-1 (bound in 1..2^32-1) as the high word of a 32x32-bit product. */
uint32_t cairn_random_below(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element,
                            uint32_t bound);

/* Fisher-Yates over order[0..count-1], which is first set to 0..count-1; draws are elements 0.. of
 * (stream, step): for i = count - 1 down to 1, order[i] changes place with order[j], j =
 * below(element count - 1 - i, bound i + 1). */
void cairn_random_permutation(uint64_t seed, uint32_t stream, uint32_t step, int32_t *order,
                              int32_t count);

#endif
