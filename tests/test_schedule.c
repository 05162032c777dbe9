/* Learning rates: the formulas in double precision, the ends exactly, and what a plateau remembers;
 * adam's corrections. */
#include "train/schedule.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static struct cairn_recipe recipe;

static void set_up(void)
{
    recipe = (struct cairn_recipe){0};
    recipe.train.learning_rate = 0.3f;
    recipe.train.schedule_factor = 0.1f;
}

static float rate(int64_t step, int64_t steps, int64_t epochs, int64_t drops)
{
    return cairn_schedule_rate(&recipe, step, steps, epochs, drops);
}

START_TEST(constant)
{
    ck_assert(rate(0, 100, 0, 0) == 0.3f && rate(99, 100, 9, 5) == 0.3f);
}
END_TEST

/* rate * factor^n, the power rounded after each multiplication. */
START_TEST(steps_and_powers)
{
    recipe.train.schedule = CAIRN_SCHEDULE_STEP;
    recipe.train.schedule_every = 30;
    ck_assert(rate(5, 100, 29, 0) == 0.3f);
    ck_assert(rate(5, 100, 30, 0) == 0.3f * 0.1f);
    ck_assert(rate(5, 100, 89, 0) == 0.3f * (0.1f * 0.1f));
    ck_assert(rate(5, 100, 90, 0) == 0.3f * ((0.1f * 0.1f) * 0.1f));
    ck_assert(rate(5, 100, 1000000000, 0) == 0);
    recipe.train.schedule = CAIRN_SCHEDULE_EXPONENTIAL;
    recipe.train.schedule_factor = 0.95f;
    float power = 1;
    for (int64_t n = 0; n < 200; n++) {
        ck_assert(rate(5, 100, n, 3) == 0.3f * power);
        ck_assert_double_eq_tol((double)power, pow((double)0.95f, (double)n),
                                (double)(n + 1) * 0x1p-24 * (double)power);
        power *= 0.95f;
    }
    recipe.train.schedule = CAIRN_SCHEDULE_PLATEAU;
    ck_assert(rate(5, 100, 50, 0) == 0.3f && rate(5, 100, 50, 2) == 0.3f * (0.95f * 0.95f));
}
END_TEST

START_TEST(cosine)
{
    static const int64_t lengths[] = {1, 2, 3, 7, 1500, 46900, 4294967295};
    recipe.train.schedule = CAIRN_SCHEDULE_COSINE;
    recipe.train.schedule_least = 0.125f;
    const double pi = 3.14159265358979323846;
    for (int l = 0; l < 7; l++)
        for (int i = 0; i < 100; i++) {
            int64_t steps = lengths[l], step = steps * i / 100;
            double turn = (double)step / (double)steps,
                   wanted = 0.3 * (0.125 + 0.875 * 0.5 * (1 + cos(pi * turn)));
            /* the angle is off by up to 2^-24 turns, 2 pi 2^-24 in the cosine */
            ck_assert_double_eq_tol((double)rate(step, steps, 0, 0), wanted, 0.3 * 10 * 0x1p-24);
        }
    ck_assert(rate(0, 1000, 0, 0) == 0.3f);
    ck_assert(rate(500, 1000, 0, 0) == 0.3f * 0.5625f); /* a quarter turn is exact */
    recipe.train.schedule_least = 0;
    ck_assert(rate(0, 7, 0, 0) == 0.3f && rate(1, 2, 0, 0) == 0.3f * 0.5f);
    for (int64_t step = 1; step < 1000; step++)
        ck_assert(rate(step, 1000, 0, 0) < rate(step - 1, 1000, 0, 0));
}
END_TEST

START_TEST(warmup)
{
    recipe.train.warmup = 5;
    ck_assert(rate(0, 100, 0, 0) == 0.3f * (1.0f / 5.0f));
    ck_assert(rate(3, 100, 0, 0) == 0.3f * (4.0f / 5.0f));
    ck_assert(rate(4, 100, 0, 0) == 0.3f && rate(5, 100, 0, 0) == 0.3f);
    recipe.train.schedule = CAIRN_SCHEDULE_STEP;
    recipe.train.schedule_every = 1;
    ck_assert(rate(1, 100, 1, 0) == (0.3f * 0.1f) * (2.0f / 5.0f));
}
END_TEST

START_TEST(plateau)
{
    struct cairn_plateau p = {.best = INFINITY};
    static const double losses[] = {NAN, 2, 1, 1, NAN, 0.5, 0.5, 0.6, 0.7, 0.4, 0.9, 0.9, 0.3};
    static const int64_t drops[] = {0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3};
    for (int i = 0; i < 13; i++) {
        cairn_schedule_watch(&p, 2, losses[i]);
        ck_assert_msg(p.drops == drops[i], "after %d: %d", i, (int)p.drops);
    }
    ck_assert(p.best == 0.3);
}
END_TEST

/* Within half an ulp and what t roundings of a double make of beta^t, also where 1 - beta^t
 * cancels.
 */
START_TEST(corrections)
{
    static const float betas[] = {0, 0.5f, 0.9f, 0.91f, 0.999f, 0.9999f, 0.99999994f};
    for (int b = 0; b < 7; b++) {
        double power = 1, left = 1 - (double)betas[b];
        for (int64_t t = 1; t <= 3000; t++) {
            double wanted = -1 / expm1((double)t * log1p(-left)),
                   off = 0x1p-24 + (double)(2 * t + 4) * 0x1p-53 * wanted;
            float got = cairn_schedule_correction(&power, betas[b]);
            ck_assert_msg(fabs((double)got - wanted) <= off * wanted,
                          "beta %.9g, t %d: %.9g, %.17g", (double)betas[b], (int)t, (double)got,
                          wanted);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("schedule");
    TCase *tc = tcase_create("schedule");
    tcase_add_checked_fixture(tc, set_up, NULL);
    tcase_add_test(tc, constant);
    tcase_add_test(tc, steps_and_powers);
    tcase_add_test(tc, cosine);
    tcase_add_test(tc, warmup);
    tcase_add_test(tc, plateau);
    tcase_add_test(tc, corrections);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
