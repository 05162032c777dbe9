/* The learning rate and adam's corrections as functions of where the training is.
 *
 * Invariant: a pure function of its arguments, computed in the operations of docs/ARITHMETIC.md
 * ("What trains") alone: the same bits on every host. What a plateau remembers is in struct
 * cairn_plateau, which checkpoints keep. */
#ifndef CAIRN_TRAIN_SCHEDULE_H
#define CAIRN_TRAIN_SCHEDULE_H

#include "train/recipe.h"

struct cairn_plateau {
    double best;   /* the least loss so far; infinity before the first evaluation */
    int64_t worse; /* evaluations in a row without a loss below it */
    int64_t drops; /* times that the rate was multiplied by the factor */
};

/* The rate of step `step` (from 0) of `steps` in all, after `epochs` whole epochs. */
float cairn_schedule_rate(const struct cairn_recipe *recipe, int64_t step, int64_t steps,
                          int64_t epochs, int64_t drops);

/* An evaluation gave this loss: `drops` rises by one after `patience` evaluations in a row without
 * a loss below the least so far. A NaN is never below. */
void cairn_schedule_watch(struct cairn_plateau *plateau, int64_t patience, double loss);

/* 1 / (1 - beta^t) of step t (from 1) of adam: *power is beta^(t - 1), and beta^t afterwards. */
float cairn_schedule_correction(double *power, float beta);

#endif
