#include "base/random.h"

#include "base/exact.h"
#include <Random123/philox.h>

void cairn_random_block(uint64_t seed, uint32_t stream, uint32_t step, uint64_t block,
                        uint32_t words[4])
{
    philox4x32_ctr_t counter = {{(uint32_t)block, (uint32_t)(block >> 32), step, stream}};
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    counter = philox4x32_R(10, counter, key);
    for (int i = 0; i < 4; i++) words[i] = counter.v[i];
}

uint32_t cairn_random_u32(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element)
{
    uint32_t words[4];
    cairn_random_block(seed, stream, step, element / 4, words);
    return words[element % 4];
}

float cairn_random_uniform(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element)
{
    return cairn_random_to_uniform(cairn_random_u32(seed, stream, step, element));
}

/* Elements 2i and 2i + 1 are the cosine and the sine of one pair: radius from word 2i, angle from
 * word 2i + 1. */
float cairn_random_normal(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element)
{
    uint32_t words[4];
    cairn_random_block(seed, stream, step, element / 4, words);
    const uint32_t *pair = words + element % 4 / 2 * 2;
    float sine, cosine;
    float radius = sqrtf(-2.0f * cairn_exact_log(cairn_random_to_uniform(pair[0])));
    cairn_exact_sincos_turn(pair[1], &sine, &cosine);
    return radius * (element & 1 ? sine : cosine);
}

uint32_t cairn_random_below(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element,
                            uint32_t bound)
{
    return (uint32_t)((uint64_t)cairn_random_u32(seed, stream, step, element) * bound >> 32);
}

void cairn_random_permutation(uint64_t seed, uint32_t stream, uint32_t step, int32_t *order,
                              int32_t count)
{
    for (int32_t i = 0; i < count; i++) order[i] = i;
    for (int32_t i = count - 1; i > 0; i--) {
        uint64_t draw = (uint64_t)(count - 1 - i);
        uint32_t j = cairn_random_below(seed, stream, step, draw, (uint32_t)i + 1);
        int32_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}
