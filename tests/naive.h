/* docs/ARITHMETIC.md written out naively, for the tests that hold the reference's bits to it. */
#ifndef CAIRN_TESTS_NAIVE_H
#define CAIRN_TESTS_NAIVE_H

#include <check.h>
#include <stdint.h>

/* docs/ARITHMETIC.md, "The sum": all chunk sums first, then level by level in place. */
static inline float naive_sum(const float *x, int64_t count, int square)
{
    static float v[64];
    int64_t chunks = (count + 4095) / 4096;
    ck_assert_int_le(chunks, 64);
    for (int64_t k = 0; k < chunks; k++) {
        float lane[64] = {0};
        for (int64_t e = 0; e < 4096 && k * 4096 + e < count; e++) {
            float term = x[k * 4096 + e];
            if (square) term = term * term;
            lane[e % 64] = lane[e % 64] + term;
        }
        for (int h = 32; h >= 1; h /= 2)
            for (int i = 0; i < h; i++) lane[i] = lane[i] + lane[i + h];
        v[k] = lane[0];
    }
    for (; chunks > 1; chunks = (chunks + 1) / 2)
        for (int64_t i = 0; 2 * i < chunks; i++)
            v[i] = 2 * i + 1 < chunks ? v[2 * i] + v[2 * i + 1] : v[2 * i];
    return v[0] == 0 ? 0.0f : v[0];
}

#endif
