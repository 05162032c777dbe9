/* Recipes at work: describing, training and evaluating them.
 *
 * A run is a folder: recipe.yaml (resolved), metrics.jsonl, model.safetensors (the best weights),
 * last.safetensors (everything that resuming needs) and summary.json. Each file appears whole or
 * not at all, and a run that fails before its first checkpoint leaves no folder. With exact
 * arithmetic the weights depend on the recipe and its data alone: not on the device, nor on
 * interruptions. */
#ifndef CAIRN_TRAIN_H
#define CAIRN_TRAIN_H

#include <cairn/device.h>
#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where and how to compute. */
struct cairn_compute {
    const char *device; /* see cairn_device_find(); NULL: "opencl" */
    enum cairn_math math;
    int profile; /* record device time per kernel; told by a CAIRN_TRAIN_KERNEL event each */
    const char *const *variants; /* "OP=NAME": forced variants */
    int variant_count;
    const char *data_dir; /* NULL: where data sets are kept, see the manual of the data rooms */
};

/* --- training --- */

enum cairn_train_event_kind {
    CAIRN_TRAIN_STARTED, /* everything is set up; epoch = epochs that are done already */
    CAIRN_TRAIN_STEP,    /* some steps further, at most a few times a second */
    CAIRN_TRAIN_EPOCH,   /* an epoch is done and saved */
    CAIRN_TRAIN_TESTING, /* all epochs are done */
    CAIRN_TRAIN_KERNEL,  /* profile: kernel, calls and seconds are set */
};

struct cairn_train_event {
    enum cairn_train_event_kind kind;
    const char *run, *device; /* the folder; the device's name */
    int64_t epoch, epochs;    /* epoch: the present one from 1 */
    int64_t batch, batches;   /* done and in all in this epoch */
    int64_t train_images, validation_images, test_images, parameters;
    /* EPOCH; the validation's are NaN where there is none */
    double train_loss, train_accuracy, validation_loss, validation_accuracy;
    double seconds, samples_per_second; /* of the training part; NaN until there is a measure */
    int best;                           /* EPOCH: 1 where these are the best weights so far */
    const char *kernel;
    int64_t calls;
};

struct cairn_train_options {
    const char *recipe;      /* path or name */
    const char *const *sets; /* "key.path=value" */
    int set_count;
    struct cairn_compute compute;
    const char *out;   /* the run's folder; NULL: runs/NAME of the recipe */
    int resume, force; /* go on with an existing run; replace one */
    /* May be NULL. When it is not 0 the step at hand is finished, a checkpoint is written and
     * CAIRN_INTERRUPTED returned. */
    const volatile sig_atomic_t *stop;
    void (*event)(void *context, const struct cairn_train_event *event); /* may be NULL */
    void *context;
};

struct cairn_train_result {
    char run[512], device[128], driver[128];
    int64_t epochs, steps, best_epoch, test_images;
    double test_loss, test_accuracy; /* of the best weights; accuracy from 0 to 1 */
    double samples_per_second; /* training alone, first step of each start left out; NaN if that is
                                  all */
    char weights_sha256[65], best_weights_sha256[65];
};

cairn_status cairn_train(const struct cairn_train_options *options,
                         struct cairn_train_result *result);

/* --- evaluating a run --- */

struct cairn_eval_options {
    const char *run;
    int last; /* 0: the best weights; 1: the last */
    struct cairn_compute compute;
};

struct cairn_eval_result {
    char device[128], weights_sha256[65], data[64];
    int64_t epoch; /* at whose end the weights were taken (last: the epochs that are done) */
    int64_t images, correct;
    double loss, accuracy;
    int classes;
    int64_t *confusion; /* classes x classes: row = label, column = answer */
};

cairn_status cairn_eval(const struct cairn_eval_options *options, struct cairn_eval_result *result);
void cairn_eval_result_free(struct cairn_eval_result *result);

/* --- describing a recipe; nothing is allocated on the device --- */

struct cairn_summary_row {
    char layer[96];
    int64_t c, h, w; /* output of one image */
    int64_t parameters;
};

struct cairn_summary {
    char recipe[256], data[64], device[128];
    int64_t c, h, w, classes;
    int64_t train_images, validation_images, test_images;
    struct cairn_summary_row *rows;
    int row_count;
    int64_t parameters, batch, steps_per_epoch;
    /* Bytes for training on the device; activations holds workspace too, other the indices, losses
     * and logits. */
    int64_t weights_bytes, gradients_bytes, moments_bytes, activations_bytes, data_bytes,
        other_bytes, total_bytes;
};

/* batch 0: the recipe's. device NULL: "reference" (the workspace depends on it). */
cairn_status cairn_summarize(const char *recipe, const char *const *sets, int set_count,
                             int64_t batch, const struct cairn_compute *compute,
                             struct cairn_summary *summary);
void cairn_summary_free(struct cairn_summary *summary);

#ifdef __cplusplus
}
#endif
#endif
