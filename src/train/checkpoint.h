/* Weights in files, and the state that resuming needs.
 *
 * Files are safetensors: a tensor per parameter under its name; last.safetensors has the moments
 * too, as "moment1.NAME" and "moment2.NAME", and the state as metadata "cairn.KEY" (reals as C's
 * hexadecimal floats, so that each bit survives). The digests of weights and moments are metadata
 * too, so that a flipped bit is told and not trained on. */
#ifndef CAIRN_TRAIN_CHECKPOINT_H
#define CAIRN_TRAIN_CHECKPOINT_H

#include "nn/model.h"

/* Everything that a run knows besides weights and moments. */
struct cairn_state {
    int64_t epoch; /* epochs done */
    int64_t batch; /* batches done in the epoch after them */
    int64_t step;  /* steps done in all */
    double loss;   /* sums over those batches, in the order of the rows */
    int64_t correct;
    float power1, power2; /* adam: beta1^step, beta2^step, by repeated multiplication */
    float shift, scale;   /* of the gathered pixels */
    double epoch_seconds,
        epoch_timed; /* this epoch: seconds of training; those that samples counts */
    int64_t epoch_samples;
    double seconds; /* the same in all */
    int64_t samples;
    int64_t best_epoch; /* at whose end the best weights were; 0: none yet */
    int64_t best_correct;
    double best_loss;
    int64_t train_images, validation_images, test_images;
    char best_sha256[65]; /* "" while best_epoch is 0 */
    char math[16];        /* "exact", "fast" */
    char version[16];
};

/* The SHA-256 of the parameters: each tensor's float32 little-endian bytes, tensors sorted by name,
 * NaNs as 0x7fc00000. */
cairn_status cairn_weights_digest(const struct cairn_model *model, const float *flat,
                                  char text[65]);

/* Writes atomically; moments NULL where there are none. */
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
