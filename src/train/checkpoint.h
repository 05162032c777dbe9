/* Weights in files, and the state that resuming needs.
 *
 * Files are safetensors: a tensor per parameter and running statistic under its name;
 * last.safetensors has the moments of the parameters too, as "moment1.NAME" and "moment2.NAME", and
 * the state as metadata "cairn.KEY" (reals as C's
 * hexadecimal floats, so that each bit survives). The digests of weights and moments are metadata
 * too, so that a flipped bit is told and not trained on. */
#ifndef CAIRN_TRAIN_CHECKPOINT_H
#define CAIRN_TRAIN_CHECKPOINT_H

#include "nn/model.h"
#include "train/schedule.h"

/* Everything that a run knows besides weights and moments. */
struct cairn_state {
    int64_t epoch; /* whole epochs done */
    int64_t batch; /* batches done in the epoch after them, below the number of an epoch's */
    int64_t step;  /* steps done in all */
    int64_t evaluations, evaluated; /* so many evaluations, the last one after step `evaluated` */
    double loss;                    /* sums over the images since then, in the order of the rows */
    int64_t correct, images;
    double power1, power2; /* adam: beta1^step, beta2^step, by repeated multiplication */
    float shift, scale;    /* of the gathered pixels */
    double recent_seconds, recent_timed; /* since the last evaluation: seconds of training; those
                                            that samples counts */
    int64_t recent_samples;
    double seconds; /* the same in all */
    int64_t samples;
    int64_t kept_epoch, kept_step; /* where the weights of model.safetensors were taken: epochs
                                      begun and steps done; 0: none yet */
    int64_t kept_correct;
    double kept_loss;        /* a sum, as kept_correct, over the validation part */
    int64_t best_evaluation; /* the number of the best one, from 1; 0: none yet */
    int64_t best_correct;
    double best_loss;
    struct cairn_plateau plateau;
    int64_t fold; /* of a cross-validation, from 1; 0: none */
    int64_t train_images, validation_images, test_images;
    char kept_sha256[65]; /* "" while kept_step is 0 */
    char math[16];        /* "exact", "fast" */
    char version[16];
};

/* The SHA-256 of the parameters and running statistics: each tensor's float32 little-endian bytes,
 * tensors sorted by name, NaNs as 0x7fc00000. */
cairn_status cairn_weights_digest(const struct cairn_model *model, const float *flat,
                                  char text[65]);

/* Writes atomically; flat has the model's total_floats, moments its flat_floats, and are NULL where
 * there are none. */
cairn_status cairn_checkpoint_write(const char *path, const struct cairn_model *model,
                                    const struct cairn_state *state, float *flat, float *moment1,
                                    float *moment2);

/* Reads what is asked for (moments may be NULL; state may be NULL). CAIRN_FORMAT names a tensor or
 * key that is missing, of another shape, or malformed, and numbers that are not those written. Gaps
 * in flat are +0. */
cairn_status cairn_checkpoint_read(const char *path, const struct cairn_model *model,
                                   struct cairn_state *state, float *flat, float *moment1,
                                   float *moment2);

#endif
