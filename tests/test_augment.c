/* Moving images at random: each of the four transformations alone, all together against the oracle,
 * and that a draw belongs to an image, not to a batch. */
#include "oracle/trial.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void draw_images(struct trial *t, int i)
{
    int h = (int)draw_between(1, 12), w = (int)draw_between(1, 13);
    unsigned long long first = i % 3 ? draw_u32() % 1000u : 4294967290u + (unsigned)i;
    unsigned turn = i % 2 == 0 ? 0 : i % 4 == 1 ? 2147483648u : draw_u32() >> draw_between(1, 20);
    trial_init(t,
               "augment n=%d c=%d h=%d w=%d oh=%d ow=%d random=%d shift_h=%d shift_w=%d flip=%d "
               "turn=%u fill=%g seed=%u stream=%u step=%u first=%llu",
               (int)draw_between(1, 9), (int)draw_between(1, 4), h, w, (int)draw_between(1, h),
               (int)draw_between(1, w), i % 11 != 10, (int)draw_between(0, 4),
               (int)draw_between(0, 15), (int)draw_between(0, 1), turn, (double)(i % 5) - 2,
               draw_u32(), draw_u32(), draw_u32(), first);
    draw_floats(trial_floats(t, "x"), trial_extent(t, "x"), -1, 1);
}

/* Where nothing turns, bits. Else coordinates up to `reach` from the middle are off by some
 * roundings, sine and cosine by 2 ulp, and a step of a pixel changes the surface by at most 3
 * (pixels lie in -1 ... 1, fill in -2 ... 2) in either direction. */
START_TEST(augment_random)
{
    draw_seed(30);
    for (int i = 0; i < 400; i++) {
        struct trial t;
        draw_images(&t, i);
        const struct cairn_augment *p = &t.problem.u.augment;
        double *x = trial_doubles(&t, "x"), *want = trial_doubles(&t, "y");
        double reach = (double)(p->oh + p->ow), bound = 2 * 3 * (8 * reach + 8) * 0x1p-24;
        oracle_augment(p, x, want);
        trial_run(&t, draw_between(0, 3));
        for (int64_t e = 0; e < trial_extent(&t, "y"); e++)
            ck_near(trial_floats(&t, "y")[e], want[e], p->random && p->turn ? bound : 0,
                    "augment %d [%lld]", i, (long long)e);
        free(x), free(want);
        trial_finish(&t);
    }
}
END_TEST

START_TEST(augment_middle)
{
    struct trial t;
    trial_init(&t, "augment h=4 w=7 oh=1 ow=2 shift_h=3 shift_w=3 flip=1 turn=1000000");
    for (int i = 0; i < 28; i++) trial_floats(&t, "x")[i] = (float)i;
    trial_run(&t, 1);
    ck_assert(same_bits(trial_floats(&t, "y")[0], 9) && same_bits(trial_floats(&t, "y")[1], 10));
    trial_finish(&t);
}
END_TEST

/* The four words of an image. */
static void words_of(const struct cairn_augment *p, int64_t image, uint32_t words[4])
{
    uint64_t block = (uint64_t)(p->first + image);
    uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)p->step,
                           (uint32_t)p->stream};
    uint32_t key[2] = {(uint32_t)p->seed, (uint32_t)(p->seed >> 32)};
    oracle_philox(counter, key, words);
}

/* Each image has one marked pixel in the middle; its place in the cut tells the shift. All places
 * are seen, each about equally often. */
static void see_moves(const char *line, int64_t rows, int64_t columns)
{
    struct trial t;
    int64_t seen[32] = {0};
    trial_init(&t, "%s", line);
    const struct cairn_augment *p = &t.problem.u.augment;
    ck_assert_int_lt(rows * columns, 33);
    for (int64_t i = 0; i < p->n; i++)
        trial_floats(&t, "x")[i * p->h * p->w + p->h / 2 * p->w + p->w / 2] = 1;
    trial_run(&t, 0);
    const float *y = trial_floats(&t, "y");
    for (int64_t i = 0; i < p->n; i++, y += p->oh * p->ow) {
        uint32_t words[4];
        words_of(p, i, words);
        int64_t down = (int64_t)((uint64_t)words[0] * (uint64_t)rows >> 32),
                right = (int64_t)((uint64_t)words[1] * (uint64_t)columns >> 32);
        int64_t row = p->h / 2 - (down - p->shift_h), column = p->w / 2 - (right - p->shift_w);
        seen[down * columns + right]++;
        for (int64_t e = 0; e < p->oh * p->ow; e++)
            ck_hold(same_bits(y[e], e == row * p->ow + column), "image %lld [%lld]", (long long)i,
                    (long long)e);
    }
    double share = (double)p->n / (double)(rows * columns);
    for (int64_t place = 0; place < rows * columns; place++)
        ck_assert_double_lt(fabs((double)seen[place] - share), 6 * sqrt(share));
    trial_finish(&t);
}

START_TEST(augment_shift)
{
    see_moves("augment random=1 n=4000 h=9 w=9 oh=9 ow=9 shift_h=2 shift_w=2 seed=3", 5, 5);
    see_moves("augment random=1 n=4000 h=7 w=5 oh=7 ow=5 shift_w=1 seed=4", 1, 3);
}
END_TEST

START_TEST(augment_crop)
{
    see_moves("augment random=1 n=4000 h=9 w=8 oh=6 ow=6 seed=5 step=9", 4, 3);
}
END_TEST

/* Each image is as it was or mirrored, about half of them. */
START_TEST(augment_flip)
{
    struct trial t;
    int64_t mirrored = 0;
    trial_init(&t, "augment random=1 n=4000 c=2 h=2 w=3 oh=2 ow=3 flip=1 seed=6");
    float *x = trial_floats(&t, "x");
    for (int64_t i = 0; i < trial_extent(&t, "x"); i++) x[i] = (float)i;
    trial_run(&t, 2);
    const float *y = trial_floats(&t, "y");
    for (int64_t i = 0; i < 4000; i++) {
        uint32_t words[4];
        words_of(&t.problem.u.augment, i, words);
        int is = words[2] >> 31 != 0;
        mirrored += is;
        for (int64_t e = 0; e < 12; e++)
            ck_hold(same_bits(y[i * 12 + e], x[i * 12 + e / 3 * 3 + (is ? 2 - e % 3 : e % 3)]),
                    "image %lld [%lld]", (long long)i, (long long)e);
    }
    ck_assert_int_gt(mirrored, 1800);
    ck_assert_int_lt(mirrored, 2200);
    trial_finish(&t);
}
END_TEST

/* Images whose angle is a quarter turn or a half to all the bits that count: corners go to corners,
 * every pixel to its place, without a rounding. turn = 2^31 makes the angle word 3 - 2^31. */
START_TEST(augment_quarter_turns)
{
    static const struct {
        long long first;
        uint32_t word;
        int quarters; /* clockwise */
    } cases[] = {{6697997, 0xc0000059, 1}, {17262496, 0x0000000d, 2}, {272422, 0x400000ce, 3}};
    for (int i = 0; i < 3; i++)
        for (int side = 4; side <= 5; side++) {
            struct trial t;
            uint32_t words[4];
            trial_init(&t,
                       "augment random=1 h=%d w=%d oh=%d ow=%d turn=2147483648 fill=9 seed=1 "
                       "stream=5 first=%lld",
                       side, side, side, side, cases[i].first);
            words_of(&t.problem.u.augment, 0, words);
            ck_assert_uint_eq(words[3], cases[i].word);
            float *x = trial_floats(&t, "x"), *y = trial_floats(&t, "y");
            draw_floats(x, side * side, 1, 2);
            trial_run(&t, 0);
            for (int r = 0; r < side; r++)
                for (int q = 0; q < side; q++) {
                    int to_r = r, to_q = q;
                    for (int k = 0; k < cases[i].quarters; k++) {
                        int kept = to_r;
                        to_r = to_q;
                        to_q = side - 1 - kept;
                    }
                    ck_assert(same_bits(y[to_r * side + to_q], x[r * side + q]));
                }
            trial_finish(&t);
        }
}
END_TEST

/* Small angles to both sides: a marked pixel above the middle moves right as often as left, never
 * by more than the turn allows. */
START_TEST(augment_turn)
{
    struct trial t;
    int64_t right = 0;
    trial_init(&t,
               "augment random=1 n=1000 h=41 w=41 oh=41 ow=41 turn=119304647 seed=8"); /* 10 deg */
    for (int64_t i = 0; i < 1000; i++) trial_floats(&t, "x")[i * 1681 + 20] = 1;
    trial_run(&t, 0);
    for (int64_t i = 0; i < 1000; i++) {
        const float *y = trial_floats(&t, "y") + i * 1681;
        double sum = 0, at = 0;
        for (int64_t e = 0; e < 1681; e++) {
            sum += (double)y[e];
            at += (double)y[e] * (double)(e % 41 - 20);
        }
        ck_assert(sum > 0.1 && fabs(at / sum) < 20 * 0.17364818 + 1);
        right += at > 0;
    }
    ck_assert_int_gt(right, 400);
    ck_assert_int_lt(right, 600);
    trial_finish(&t);
}
END_TEST

/* A batch cut in two by `first` gives the same images; another step gives others. */
START_TEST(augment_parts)
{
    static const char *const line = "augment random=1 n=%d c=2 h=8 w=9 oh=7 ow=6 shift_h=1 "
                                    "shift_w=2 flip=1 turn=%d seed=77 stream=5 step=%d first=%d";
    for (int turn = 0; turn < 2; turn++) {
        struct trial whole, part, later;
        int angle = turn * 1000000000, size = 2 * 7 * 6, from = 2 * 8 * 9;
        trial_init(&whole, line, 11, angle, 4, 100);
        trial_init(&later, line, 11, angle, 5, 100);
        draw_floats(trial_floats(&whole, "x"), trial_extent(&whole, "x"), -1, 1);
        memcpy(trial_floats(&later, "x"), trial_floats(&whole, "x"), (size_t)(11 * from) * 4);
        trial_run(&whole, 0);
        trial_run(&later, 0);
        ck_assert(memcmp(trial_floats(&whole, "y"), trial_floats(&later, "y"),
                         (size_t)(11 * size) * 4) != 0);
        for (int at = 0; at < 11; at += at ? 6 : 5) { /* 5 and 6 images */
            int count = at ? 6 : 5;
            trial_init(&part, line, count, angle, 4, 100 + at);
            memcpy(trial_floats(&part, "x"), trial_floats(&whole, "x") + at * from,
                   (size_t)(count * from) * 4);
            trial_run(&part, 3);
            ck_assert_mem_eq(trial_floats(&part, "y"), trial_floats(&whole, "y") + at * size,
                             (size_t)(count * size) * 4);
            trial_finish(&part);
        }
        trial_finish(&whole);
        trial_finish(&later);
    }
}
END_TEST

/* Without a turn all bits are copied; with one, an infinity nearby takes part, also times 0. */
START_TEST(augment_specials)
{
    struct trial t;
    const uint32_t bits[4] = {0x80000000u, 0x00000001u, 0xffc01234u, 0x7f800000u};
    uint32_t got[4];
    trial_init(&t, "augment random=1 h=1 w=4 oh=1 ow=4");
    memcpy(trial_floats(&t, "x"), bits, sizeof bits);
    trial_run(&t, 0);
    memcpy(got, trial_floats(&t, "y"), sizeof got);
    ck_assert_mem_eq(got, bits, sizeof bits);
    trial_finish(&t);
    trial_init(&t, "augment random=1 h=1 w=3 oh=1 ow=3 turn=1 seed=1"); /* an angle of 0 or 2^-32 */
    trial_floats(&t, "x")[2] = INFINITY;
    trial_floats(&t, "x")[0] = 0.5f;
    uint32_t words[4];
    words_of(&t.problem.u.augment, 0, words);
    ck_assert_uint_ge(words[3], 0x55555556u); /* not -1, which is -2^-24 of a turn */
    trial_run(&t, 0);
    ck_assert(same_bits(trial_floats(&t, "y")[0], 0.5f));
    ck_assert(isnan(trial_floats(&t, "y")[1]));
    trial_finish(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("augment");
    TCase *cases = tcase_create("augment");
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, augment_random);
    tcase_add_test(cases, augment_middle);
    tcase_add_test(cases, augment_shift);
    tcase_add_test(cases, augment_crop);
    tcase_add_test(cases, augment_flip);
    tcase_add_test(cases, augment_quarter_turns);
    tcase_add_test(cases, augment_turn);
    tcase_add_test(cases, augment_parts);
    tcase_add_test(cases, augment_specials);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
