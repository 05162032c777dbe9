/* A run brought back: its recipe, its data and its weights, and with them a session on a device;
 * for those who evaluate a run or look into it.
 *
 * Invariant: a session evaluates the images in the place of the test part; which images of the
 * data set's files those are is what `rows` says. Each step tells its mistakes before the next,
 * dearer one. */
#ifndef CAIRN_TRAIN_TRAINED_H
#define CAIRN_TRAIN_TRAINED_H

#include "data/dataset.h"
#include "train/checkpoint.h"
#include "train/folder.h"
#include "train/session.h"

struct cairn_trained {
    struct cairn_folder folder; /* its path is borrowed */
    struct cairn_recipe recipe;
    struct cairn_shape raw;    /* of the data set's own images: no padding, no patches */
    struct cairn_dataset data; /* in the recipe's shape */
    struct cairn_session session;
    struct cairn_state state; /* with the weights */
    float *flat;              /* the weights: session.model->total_floats */
    int32_t *rows; /* places in the training images of those that are evaluated; NULL: the test
                      images in their order */
};

/* The recipe in a run's folder; CAIRN_NOT_FOUND where there is none. */
cairn_status cairn_trained_recipe(const char *run, struct cairn_recipe *recipe);

/* Reads recipe and weights (the best, or the last ones) into a zeroed struct, which must not move
 * afterwards; of the data set the parts named (CAIRN_DATASET_TEST ...) are loaded, or with 0 it is
 * only described. CAIRN_NOT_FOUND for what is no run or has no such weights. */
cairn_status cairn_trained_read(struct cairn_trained *trained, const char *run, int last,
                                const struct cairn_compute *compute, unsigned parts);

/* Puts the images of a part, as the run split them and in the order of the files, in the place of
 * the test images; the test part is there already, the others need the training images.
 * CAIRN_INVALID where the run has no such part. */
cairn_status cairn_trained_choose(struct cairn_trained *trained, enum cairn_part part);

/* Opens the device and uploads images and weights. */
cairn_status cairn_trained_open(struct cairn_trained *trained, const struct cairn_compute *compute);

/* Evaluates and fills the result. */
cairn_status cairn_trained_measure(struct cairn_trained *trained, struct cairn_eval_result *result);

void cairn_trained_close(struct cairn_trained *trained); /* zeroes it */

#endif
