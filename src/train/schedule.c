#include "train/schedule.h"

#include "base/exact.h"

/* x^n by n multiplications from 1; ends early where they change nothing any more (0, a subnormal's
 * rounding, 1, infinity). */
static float power(float x, int64_t n)
{
    float p = 1.0f;
    for (int64_t i = 0; i < n; i++) {
        float next = p * x;
        if (next == p) break;
        p = next;
    }
    return p;
}

/* least + (1 - least) (1 + cos(pi step / steps)) / 2, the angle as a whole number of 2^-32 turns.
 */
static float cosine(float least, int64_t step, int64_t steps)
{
    float sine, c;
    uint64_t turn = ((uint64_t)step << 31) / (uint64_t)steps;
    cairn_exact_sincos_turn((uint32_t)turn, &sine, &c);
    return least + (1.0f - least) * (0.5f * (1.0f + c));
}

float cairn_schedule_rate(const struct cairn_recipe *recipe, int64_t step, int64_t steps,
                          int64_t epochs, int64_t drops)
{
    float rate = recipe->train.learning_rate, factor = recipe->train.schedule_factor;
    switch (recipe->train.schedule) {
    case CAIRN_SCHEDULE_CONSTANT:
        break;
    case CAIRN_SCHEDULE_STEP:
        rate = rate * power(factor, epochs / recipe->train.schedule_every);
        break;
    case CAIRN_SCHEDULE_COSINE:
        rate = rate * cosine(recipe->train.schedule_least, step, steps);
        break;
    case CAIRN_SCHEDULE_EXPONENTIAL:
        rate = rate * power(factor, epochs);
        break;
    case CAIRN_SCHEDULE_PLATEAU:
        rate = rate * power(factor, drops);
        break;
    }
    if (step < recipe->train.warmup)
        rate = rate * ((float)(step + 1) / (float)recipe->train.warmup);
    return rate;
}

void cairn_schedule_watch(struct cairn_plateau *plateau, int64_t patience, double loss)
{
    int better = loss < plateau->best;
    if (better) plateau->best = loss;
    plateau->worse = better ? 0 : plateau->worse + 1;
    if (plateau->worse < patience) return;
    plateau->worse = 0;
    plateau->drops++;
}

/* In double precision: for beta = 0.999 the difference has ten bits fewer than beta^t. */
float cairn_schedule_correction(double *power, float beta)
{
    *power *= (double)beta;
    return (float)(1.0 / (1.0 - *power));
}
