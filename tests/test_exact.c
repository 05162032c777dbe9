/* The exact functions against double libm, their special values, and the random numbers against
 * their published answers. */
#include "base/exact.h"
#include "base/random.h"
#include "oracle/trial.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double sigmoid(double x)
{
    return oracle_activate(CAIRN_ACT_SIGMOID, 0, x);
}

static double softplus(double x)
{
    return oracle_activate(CAIRN_ACT_SOFTPLUS, 0, x);
}

static const struct function {
    const char *name;
    float (*exact)(float);
    double (*wanted)(double);
} functions[] = {
    {"exp", cairn_exact_exp, exp},       {"log", cairn_exact_log, log},
    {"tanh", cairn_exact_tanh, tanh},    {"sigmoid", cairn_exact_sigmoid, sigmoid},
    {"expm1", cairn_exact_expm1, expm1}, {"softplus", cairn_exact_softplus, softplus},
    {"erf", cairn_exact_erf, erf},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* Where the rounded answer is a NaN, an infinity or a zero the exact function must give just that;
 * else at most 2 ulp. */
static void hold(const struct function *f, uint32_t bits)
{
    float x = cairn_exact_float(bits), got = f->exact(x);
    double want = f->wanted((double)x);
    float rounded = (float)want;
    int special = isnan(rounded) || isinf(rounded) || rounded == 0;
    ck_hold(special ? same_bits(got, rounded) : oracle_ulps(got, want) <= 2,
            "%s(%08x = %.9g) = %.9g, want %.9g", f->name, bits, (double)x, (double)got, want);
}

/* Every 997th float. */
START_TEST(all_over)
{
    for (uint64_t bits = 0; bits < (uint64_t)1 << 32; bits += 997)
        hold(&functions[_i], (uint32_t)bits);
}
END_TEST

/* Every float around the places where an algorithm changes course or a result leaves the normal
 * range. */
START_TEST(hard_ranges)
{
    static const uint32_t centres[] = {
        0x00000000, 0x00800000, 0x80000000, 0x80800000,
        0x7f7fffff, 0xff7fffff,                         /* zeros, subnormals, the largest */
        0x42b17218, 0xc2aeac50, 0xc2ce8ed0, 0xc2cff1b4, /* exp: overflow, subnormal, 0 */
        0x3f800000, 0xbf800000, 0x3f3504f3, 0x3fb504f3,
        0x3f7fffff,                                     /* log: near 1, the ends of the mantissa */
        0x3f200000, 0xbf200000, 0x4111999a, 0xc111999a, /* tanh: 0.625, 9.1 */
        0x3eb17218, 0xbeb17218, 0x3f317218, 0xbf317218,
        0x41b17218, 0xc1b17218,                         /* multiples of ln 2 */
        0x33000000, 0xb3000000, 0xc1900000,             /* expm1: 2^-25, -18 */
        0x3f61a1b3, 0xbf61a1b3,                         /* softplus: e^-|x| = 0.4142 */
        0x3f6e147b, 0xbf6e147b, 0x407ccccd, 0xc07ccccd, /* erf: 0.93, 3.95 */
    };
    for (size_t i = 0; i < sizeof centres / sizeof *centres; i++)
        for (int64_t d = -20000; d <= 20000; d++)
            hold(&functions[_i], (uint32_t)((int64_t)centres[i] + d));
}
END_TEST

static uint32_t mix(uint32_t hash, float value)
{
    uint32_t bits = value != value ? 0x7fc00000u : cairn_exact_bits(value);
    for (int i = 0; i < 4; i++, bits >>= 8) hash = (hash ^ (bits & 0xff)) * 16777619u; /* FNV-1a */
    return hash;
}

/* The bits of version 1, as a hash over every 4099th float and 251st turn: whoever changes them
 * makes a new version. */
START_TEST(version_1)
{
    static const uint32_t want[FUNCTIONS] = {0x566e298d, 0xfb5fd411, 0x91355096, 0xdd56b35e,
                                             0x00fde1de, 0x1d7eee00, 0xe0b71244};
    for (int f = 0; f < FUNCTIONS; f++) {
        uint32_t hash = 2166136261u;
        for (uint64_t bits = 0; bits < (uint64_t)1 << 32; bits += 4099)
            hash = mix(hash, functions[f].exact(cairn_exact_float((uint32_t)bits)));
        ck_assert_msg(hash == want[f], "%s: 0x%08x", functions[f].name, hash);
    }
    uint32_t hash = 2166136261u;
    for (uint32_t turn = 0; turn < 1u << 24; turn += 251) {
        float sine, cosine;
        cairn_exact_sincos_turn(turn << 8, &sine, &cosine);
        hash = mix(mix(hash, sine), cosine);
    }
    ck_assert_msg(hash == 0x09682942, "turn: 0x%08x", hash);
}
END_TEST

START_TEST(specials)
{
    ck_assert(isnan(cairn_exact_exp(NAN)) && isnan(cairn_exact_log(NAN)));
    ck_assert(isnan(cairn_exact_tanh(NAN)) && isnan(cairn_exact_sigmoid(NAN)));
    ck_assert(cairn_exact_exp(INFINITY) == INFINITY && same_bits(cairn_exact_exp(-INFINITY), 0.0f));
    ck_assert(same_bits(cairn_exact_exp(0.0f), 1.0f) && same_bits(cairn_exact_exp(-0.0f), 1.0f));
    ck_assert(cairn_exact_log(0.0f) == -INFINITY && cairn_exact_log(-0.0f) == -INFINITY);
    ck_assert(isnan(cairn_exact_log(-1)) && isnan(cairn_exact_log(-0x1p-149f)) &&
              isnan(cairn_exact_log(-INFINITY)));
    ck_assert(cairn_exact_log(INFINITY) == INFINITY && same_bits(cairn_exact_log(1), 0.0f));
    ck_assert(same_bits(cairn_exact_tanh(-0.0f), -0.0f) && same_bits(cairn_exact_tanh(0.0f), 0.0f));
    ck_assert(same_bits(cairn_exact_tanh(INFINITY), 1) &&
              same_bits(cairn_exact_tanh(-INFINITY), -1));
    ck_assert(same_bits(cairn_exact_sigmoid(INFINITY), 1) &&
              same_bits(cairn_exact_sigmoid(-INFINITY), 0.0f));
    ck_assert(same_bits(cairn_exact_sigmoid(0.0f), 0.5f) &&
              same_bits(cairn_exact_sigmoid(-0.0f), 0.5f));
    ck_assert(isnan(cairn_exact_expm1(NAN)) && isnan(cairn_exact_softplus(NAN)) &&
              isnan(cairn_exact_erf(NAN)));
    ck_assert(same_bits(cairn_exact_expm1(-0.0f), -0.0f) && cairn_exact_expm1(-INFINITY) == -1 &&
              cairn_exact_expm1(INFINITY) == INFINITY);
    ck_assert(same_bits(cairn_exact_softplus(-INFINITY), 0.0f) &&
              cairn_exact_softplus(INFINITY) == INFINITY);
    ck_assert(same_bits(cairn_exact_erf(-0.0f), -0.0f) && cairn_exact_erf(INFINITY) == 1 &&
              cairn_exact_erf(-INFINITY) == -1);
    ck_assert(same_bits(cairn_exact_plus_zero(-0.0f), 0.0f) &&
              same_bits(cairn_exact_plus_zero(-0x1p-149f), -0x1p-149f));
}
END_TEST

static void hold_turn(uint32_t turn)
{
    float sine, cosine;
    double want_sine, want_cosine;
    oracle_turn(turn, &want_sine, &want_cosine);
    cairn_exact_sincos_turn(turn << 8 | (turn & 0xff), &sine,
                            &cosine); /* the low 8 bits are of no account */
    ck_hold(oracle_ulps(sine, want_sine) <= 2, "sine %u", turn);
    ck_hold(oracle_ulps(cosine, want_cosine) <= 2, "cosine %u", turn);
}

START_TEST(turns)
{
    for (uint32_t turn = 0; turn < 1u << 24; turn += 97) hold_turn(turn);
    for (uint32_t eighth = 0; eighth < 8; eighth++)
        for (uint32_t d = 0; d < 4000; d++) hold_turn(((eighth << 21) + d - 2000) & 0xffffff);
}
END_TEST

/* The known answers that Random123 publishes for philox4x32 with ten rounds. */
static const struct answer {
    uint32_t counter[4], key[2], words[4];
} answers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

/* Words, counter and key go where random.h says: block low, block high, step, stream; seed low,
 * seed high. */
START_TEST(philox_known_answers)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const struct answer *a = &answers[i];
        uint64_t seed = (uint64_t)a->key[1] << 32 | a->key[0],
                 block = (uint64_t)a->counter[1] << 32 | a->counter[0];
        uint32_t words[4], own[4];
        cairn_random_block(seed, a->counter[3], a->counter[2], block, words);
        oracle_philox(a->counter, a->key, own);
        ck_assert_mem_eq(words, a->words, sizeof words);
        ck_assert_mem_eq(own, a->words, sizeof own);
    }
    ck_assert_uint_eq(cairn_random_u32(0, 0, 0, 2), 0xbc57ac4c);
}
END_TEST

START_TEST(philox_against_the_paper)
{
    draw_seed(90);
    for (int i = 0; i < 20000; i++) {
        uint64_t seed = (uint64_t)draw_u32() << 32 | draw_u32(),
                 element = (uint64_t)draw_u32() << 32 | draw_u32();
        uint32_t stream = draw_u32(), step = draw_u32(), words[4];
        uint32_t counter[4] = {(uint32_t)(element / 4), (uint32_t)(element >> 34), step, stream};
        oracle_philox(counter, (uint32_t[2]){(uint32_t)seed, (uint32_t)(seed >> 32)}, words);
        uint32_t word = words[element % 4];
        ck_hold(cairn_random_u32(seed, stream, step, element) == word, "word %d", i);
        ck_hold(same_bits(cairn_random_uniform(seed, stream, step, element),
                          (float)(((double)(word >> 8) + 1) / 16777216)),
                "uniform %d", i);
        ck_hold(cairn_random_below(seed, stream, step, element, 1000) ==
                    (uint32_t)(word * 1000.0 / 4294967296.0),
                "below %d", i);
    }
}
END_TEST

START_TEST(uniform_range)
{
    ck_assert(same_bits(cairn_random_to_uniform(0), 0x1p-24f));
    ck_assert(same_bits(cairn_random_to_uniform(0xff), 0x1p-24f));
    ck_assert(same_bits(cairn_random_to_uniform(0xffffffff), 1.0f));
    double sum = 0, squares = 0;
    const int count = 200000;
    for (int i = 0; i < count; i++) {
        double u = (double)cairn_random_uniform(5, 1, 2, (uint64_t)i);
        sum += u;
        squares += u * u;
    }
    ck_assert_double_le(fabs(sum / count - 0.5), 4 * sqrt(1.0 / 12 / count));
    ck_assert_double_le(fabs(squares / count - 1.0 / 3), 4 * sqrt(4.0 / 45 / count));
}
END_TEST

/* Against Box-Muller in double, and the first four moments. */
START_TEST(normal)
{
    const int count = 200000;
    double moments[5] = {0}, together = 0, last = 0;
    for (int i = 0; i < count; i++) {
        double got = (double)cairn_random_normal(11, 7, 3, (uint64_t)i), sine, cosine;
        uint64_t pair = (uint64_t)i / 2 * 2;
        double radius = sqrt(-2 * log((double)cairn_random_uniform(11, 7, 3, pair)));
        oracle_turn(cairn_random_u32(11, 7, 3, pair + 1) >> 8, &sine, &cosine);
        double want = radius * (i % 2 ? sine : cosine);
        ck_near(got, want, 6 * 0x1p-24 * fabs(want), "normal %d", i);
        for (int k = 1; k <= 4; k++) moments[k] += pow(got, k) / count;
        together += got * last / count;
        last = got;
    }
    ck_assert_double_le(fabs(moments[1]), 4 * sqrt(1.0 / count));
    ck_assert_double_le(fabs(moments[2] - 1), 4 * sqrt(2.0 / count));
    ck_assert_double_le(fabs(moments[3]), 4 * sqrt(15.0 / count));
    ck_assert_double_le(fabs(moments[4] - 3), 4 * sqrt(96.0 / count));
    ck_assert_double_le(fabs(together), 4 * sqrt(1.0 / count));
}
END_TEST

/* The definition, step by step; every order is a permutation; each of three items comes first about
 * as often. */
START_TEST(permutations)
{
    enum { COUNT = 1000 };
    static int32_t order[COUNT], own[COUNT];
    for (int i = 0; i < COUNT; i++) own[i] = i;
    for (int i = COUNT - 1, draw = 0; i > 0; i--, draw++) {
        int j = (int)(cairn_random_u32(9, CAIRN_STREAM_SHUFFLE, 4, (uint64_t)draw) *
                      (double)(i + 1) / 4294967296.0);
        int32_t kept = own[i];
        own[i] = own[j];
        own[j] = kept;
    }
    cairn_random_permutation(9, CAIRN_STREAM_SHUFFLE, 4, order, COUNT);
    ck_assert_mem_eq(order, own, sizeof order);
    char seen[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) seen[order[i]]++;
    for (int i = 0; i < COUNT; i++) ck_assert_int_eq(seen[i], 1);
    int first[3] = {0};
    for (uint32_t step = 0; step < 3000; step++) {
        cairn_random_permutation(9, CAIRN_STREAM_SHUFFLE, step, order, 3);
        first[order[0]]++;
    }
    for (int i = 0; i < 3; i++) ck_assert(first[i] > 880 && first[i] < 1120);
    cairn_random_permutation(9, CAIRN_STREAM_SHUFFLE, 0, order, 1);
    ck_assert_int_eq(order[0], 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exact");
    TCase *cases = tcase_create("functions");
    tcase_set_timeout(cases, 300);
    tcase_add_loop_test(cases, all_over, 0, FUNCTIONS);
    tcase_add_loop_test(cases, hard_ranges, 0, FUNCTIONS);
    tcase_add_test(cases, version_1);
    tcase_add_test(cases, specials);
    tcase_add_test(cases, turns);
    tcase_add_test(cases, philox_known_answers);
    tcase_add_test(cases, philox_against_the_paper);
    tcase_add_test(cases, uniform_range);
    tcase_add_test(cases, normal);
    tcase_add_test(cases, permutations);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
