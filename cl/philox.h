/* Philox4x32-10 (Salmon et al., SC'11), counted, never stateful: the same words as src/base/random.h.
 *
 * Word element % 4 of the block with counter {element / 4 low, element / 4 high, step, stream} and key {seed low, high}. */
#ifndef CAIRN_PHILOX_H
#define CAIRN_PHILOX_H

/* The four words of a counter. */
static inline uint4 philox(uint4 counter, uint2 key)
{
    for (int round = 0; round < 10; round++) {
        uint low0 = 0xD2511F53u * counter.x, high0 = mul_hi(0xD2511F53u, counter.x);
        uint low1 = 0xCD9E8D57u * counter.z, high1 = mul_hi(0xCD9E8D57u, counter.z);
        counter = (uint4)(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
        key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
    }
    return counter;
}

/* The words of elements 4 * block ... 4 * block + 3. */
static inline uint4 philox_block(ulong seed, uint stream, uint step, ulong block)
{
    return philox((uint4)((uint)block, (uint)(block >> 32), step, stream), (uint2)((uint)seed, (uint)(seed >> 32)));
}

/* The word of one element. */
static inline uint philox_word(ulong seed, uint stream, uint step, ulong element)
{
    uint4 words = philox_block(seed, stream, step, element >> 2);
    uint low = element & 1ul ? words.y : words.x, high = element & 1ul ? words.w : words.z;
    return element & 2ul ? high : low;
}

/* ((x >> 8) + 1) * 2^-24: in (0, 1], 24 bits, exact. */
static inline float philox_uniform(uint word)
{
    return (float)((word >> 8) + 1u) * 5.96046448e-8f;
}

#endif
