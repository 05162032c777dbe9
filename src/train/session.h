/* A recipe brought to a device: counts, model, plans and memory, set up in that order so that each
 * mistake is told before the next, dearer step; and passes over the images.
 *
 * Invariant: the data set lies in one table, training images first, test images behind; a part of
 * it is a range of INDICES, and only the training range changes (once an epoch). */
#ifndef CAIRN_TRAIN_SESSION_H
#define CAIRN_TRAIN_SESSION_H

#include "data/dataset.h"
#include "nn/plan.h"
#include "train/recipe.h"
#include "train/schedule.h"
#include <cairn/train.h>
#include <cairn/tune.h>

enum cairn_part { CAIRN_PART_TRAIN, CAIRN_PART_VALIDATION, CAIRN_PART_TEST, CAIRN_PARTS };

/* A plan and what it was compiled for: `batch` images of a whole batch of `whole`. */
struct cairn_session_plan {
    enum cairn_plan_kind kind;
    int64_t batch, whole;
    struct cairn_plan *plan;
};
/* For whole batches and for the last one: parts of each, what is left behind the parts of the last,
 * two updates; and evaluations of whole batches and of two remainders. */
#define CAIRN_SESSION_PLANS 9

struct cairn_session {
    const struct cairn_recipe *recipe; /* borrowed */
    int64_t fold;                      /* of a cross-validation, from 1; 0: none */
    struct cairn_device *device;
    struct cairn_opening *opening; /* a device that is being opened; NULL: none */
    struct cairn_tune_known tuned; /* what the device prefers */
    struct cairn_model *model;
    struct cairn_shape image;  /* in the table; larger than the model's input where it is cropped */
    int64_t batch, eval_batch; /* eval_batch: 256 at least */
    int64_t part;              /* images that a step computes at once: batch / accumulate */
    int64_t train_images;      /* rows of the table that come from the training images, validation
                                  included */
    int64_t counts[CAIRN_PARTS];
    float shift, scale; /* of the gathered pixels */
    int32_t *split;     /* table rows: the validation part, then the training part */
    uint8_t *test_labels;
    struct cairn_session_plan plans[CAIRN_SESSION_PLANS];
    int plan_count;
    int64_t bytes[CAIRN_REGION_COUNT];
    struct cairn_memory memory;
    float *losses, *flat; /* scratch: one pass's losses; one flat buffer */
    int32_t *scratch;     /* one pass's indices or correct counts */
    const volatile sig_atomic_t *stop;
    cairn_device_compiling *compiling; /* told of kernels that are compiled; may be NULL */
    void *compiling_context;
    double open_seconds,
        kernel_seconds;             /* of opening the device; of compiling or loading kernels */
    int compiled;                   /* programs that were compiled for it */
    void (*note)(const char *text); /* told of variants that are avoided; may be NULL */
    int test_only;                  /* as in cairn_session_plan() */
    double pace;                    /* seconds that a step takes, about; for how often to wait */
    int64_t unwaited;               /* steps since the last wait */
    double waited_at;
};

/* The recipe's images: loaded (parts as for cairn_dataset_load_parts()), limited, and in the
 * recipe's shape. */
cairn_status cairn_session_data(const struct cairn_recipe *recipe,
                                const struct cairn_compute *compute, unsigned parts,
                                struct cairn_dataset *data);

/* The shape that the recipe gives the images of a data set: padded, or cut into patches. Takes
 * described data sets, too. */
cairn_status cairn_session_shape(const struct cairn_recipe *recipe, struct cairn_dataset *data);

/* The images of such a data set that the recipe uses, the split, and the model. */
cairn_status cairn_session_describe(struct cairn_session *session,
                                    const struct cairn_recipe *recipe,
                                    const struct cairn_dataset *data);

/* Whether the device is there, without opening it; compute->device NULL: `fallback`. */
cairn_status cairn_session_look(const struct cairn_compute *compute, const char *fallback);

/* Opens the device in a thread of its own, for cairn_session_open() to take: probing it and reading
 * data need not wait for each other. Does nothing where there is no thread to be had. */
void cairn_session_open_ahead(struct cairn_session *session, const struct cairn_compute *compute,
                              const char *fallback);

/* Opens the device, forces variants and has it prefer those that were tuned. */
cairn_status cairn_session_open(struct cairn_session *session, const struct cairn_compute *compute,
                                const char *fallback);

/* Splits and measures the training images; skipped for an evaluation, whose shift and scale come
 * from the run. */
cairn_status cairn_session_split(struct cairn_session *session, const struct cairn_dataset *data);

/* Compiles the plans, and the size of each region. test_only: no training plans, no training
 * images. */
cairn_status cairn_session_plan(struct cairn_session *session, int test_only);

/* Sets the batch, its parts and the batch of evaluations. */
void cairn_session_resize(struct cairn_session *session, int64_t batch);

/* The same for another batch size than the recipe's, with nothing allocated in between. */
cairn_status cairn_session_plan_again(struct cairn_session *session, int64_t batch);

/* How many moments the recipe's optimizer keeps: 1 or 2. */
int cairn_session_moments(const struct cairn_recipe *recipe);

/* What a plan of the recipe is compiled with: `batch` images of a whole batch of `whole`, 0 for
 * evaluations. */
struct cairn_plan_options cairn_session_options(const struct cairn_session *session,
                                                enum cairn_plan_kind kind, int64_t batch,
                                                int64_t whole);

/* The weights of classes as the recipe has them, for options.weighted. balanced: images / (classes
 * * images of the class), both as floats; 0 for a class that has none. */
void cairn_session_class_weights(const struct cairn_session *session,
                                 const struct cairn_dataset *data,
                                 float weights[CAIRN_RECIPE_CLASSES]);

/* A session to be looked at, not run: described data (given to the caller), the model, the opened
 * device and the plans. */
cairn_status cairn_session_outline(struct cairn_session *session, const struct cairn_recipe *recipe,
                                   const struct cairn_compute *compute, const char *fallback,
                                   struct cairn_dataset *data);

/* Allocates, compiles the kernels of all plans, and uploads. */
cairn_status cairn_session_load(struct cairn_session *session, const struct cairn_dataset *data);
void cairn_session_close(struct cairn_session *session); /* zeroes it */

/* The plan for so many images of a whole batch (0 for evaluations); asserts that it was compiled.
 */
const struct cairn_plan *cairn_session_find(const struct cairn_session *session,
                                            enum cairn_plan_kind kind, int64_t batch,
                                            int64_t whole);

/* Steps of an epoch, and of the whole training. */
int64_t cairn_session_batches(const struct cairn_session *session);
int64_t cairn_session_steps(const struct cairn_session *session);

/* beta1^step and beta2^step of adam, by repeated multiplication; 1 before the first step. */
struct cairn_powers {
    double one, two;
};

/* Where step `step` of the training is, after `drops` of a plateau's rate; the powers move on by
 * one step. *images: how many its batch has. */
void cairn_session_now(const struct cairn_session *session, int64_t step, int64_t drops,
                       struct cairn_powers *powers, struct cairn_now *now, int64_t *images);

/* Plan number `number`, from 0, of those that make up the step of a batch of `images`, and where it
 * is; NULL behind the last. Where gradients are accumulated these are the parts and the update. */
const struct cairn_plan *cairn_session_part(const struct cairn_session *session,
                                            const struct cairn_now *now, int64_t images, int number,
                                            struct cairn_now *place);

/* What a step begins with: sums of gradients at +0. */
cairn_status cairn_session_begin(struct cairn_session *session);

/* Enqueues the whole step: cairn_session_begin() and every part. */
cairn_status cairn_session_step(struct cairn_session *session, const struct cairn_now *now,
                                int64_t images);

/* First position of a part in INDICES. */
int64_t cairn_session_first(const struct cairn_session *session, enum cairn_part part);

/* Writes the training order of an epoch: the permutation (seed, SHUFFLE, epoch) of the training
 * part. */
cairn_status cairn_session_shuffle(struct cairn_session *session, int64_t epoch);

/* Adds rows first .. first + count - 1 of the pass to the sums, in order; waits. */
cairn_status cairn_session_collect(struct cairn_session *session, int64_t first, int64_t count,
                                   double *loss, int64_t *correct);

/* Counts a step that was enqueued and now and then waits for the device, so that it is never far
 * behind: about five times a second. *waited (may be NULL) is set to 1 when it did. */
cairn_status cairn_session_pace(struct cairn_session *session, int *waited);

/* Sums over a part with the parameters as they are. CAIRN_INTERRUPTED when *stop is set. */
cairn_status cairn_session_evaluate(struct cairn_session *session, enum cairn_part part,
                                    double *loss, int64_t *correct);

/* Adds label -> answer counts (the first largest logit) of the last evaluation, which was of the
 * test part. A NaN among an image's logits leaves it without an answer: it is counted nowhere. */
cairn_status cairn_session_confusion(struct cairn_session *session, int64_t *confusion);

double cairn_session_clock(void); /* seconds, monotonic */

#endif
