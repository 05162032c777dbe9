/* Philox by the formulas of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1,
 * 2, 3" (SC'11). */
#include "oracle.h"

void oracle_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4])
{
    uint64_t r0 = counter[0], l0 = counter[1], r1 = counter[2], l1 = counter[3];
    uint64_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = 0xd2511f53ull * r0, p1 = 0xcd9e8d57ull * r1;
        uint64_t n0 = (p1 >> 32) ^ l0 ^ k0, n1 = (p0 >> 32) ^ l1 ^ k1;
        l0 = p1 & 0xffffffffull;
        l1 = p0 & 0xffffffffull;
        r0 = n0;
        r1 = n1;
        k0 = (k0 + 0x9e3779b9ull) & 0xffffffffull;
        k1 = (k1 + 0xbb67ae85ull) & 0xffffffffull;
    }
    words[0] = (uint32_t)r0;
    words[1] = (uint32_t)l0;
    words[2] = (uint32_t)r1;
    words[3] = (uint32_t)l1;
}

void oracle_dropout(const struct cairn_dropout *p, const double *x, double *y)
{
    for (int64_t i = 0; i < p->count; i++) {
        uint64_t element = (uint64_t)p->first + (uint64_t)i, block = element / 4;
        uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)p->step,
                               (uint32_t)p->stream};
        uint32_t key[2] = {(uint32_t)p->seed, (uint32_t)(p->seed >> 32)}, words[4];
        oracle_philox(counter, key, words);
        double uniform = ((double)(words[element % 4] >> 8) + 1) / 16777216.0;
        y[i] = uniform > (double)p->rate ? x[i] / (1 - (double)p->rate) : 0;
    }
}

/* The octant first, so that the argument of sin and cos is small and its rounding does not matter.
 */
void oracle_turn(uint32_t turn, double *sine, double *cosine)
{
    const double two_pi = 6.283185307179586476925;
    int quarter = (int)((turn + (1u << 21)) >> 22);
    double angle = ((double)turn - quarter * 4194304.0) / 16777216.0 * two_pi;
    double s = sin(angle), c = cos(angle);
    const double sines[4] = {s, c, -s, -c}, cosines[4] = {c, -s, -c, s};
    *sine = sines[quarter % 4];
    *cosine = cosines[quarter % 4];
}
