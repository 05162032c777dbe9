/* Recipes at work: describing, training and evaluating them.
 *
 * A run is a folder: recipe.yaml (resolved), metrics.jsonl, model.safetensors (the best weights),
 * last.safetensors (everything that resuming needs) and summary.json. Each file appears whole or
 * not at all, and a run that fails before its first checkpoint leaves no folder. A cross-validation
 * (train.folds: K) is a folder with recipe.yaml, the runs fold-1 to fold-K and a summary.json of
 * them all. With exact arithmetic the weights depend on the recipe and its data alone: not on the
 * device, nor on interruptions. */
#ifndef CAIRN_TRAIN_H
#define CAIRN_TRAIN_H

#include <cairn/device.h>
#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where and how to compute. */
struct cairn_compute {
    const char *device;          /* see cairn_device_find(); NULL: "opencl" */
    enum cairn_math math;        /* exact or fast */
    int profile;                 /* record device time per launch; told by CAIRN_TRAIN_KERNEL and
                                    CAIRN_TRAIN_LAYER events */
    const char *const *variants; /* "OP=NAME": forced variants */
    int variant_count;           /* how many */
    const char *data_dir; /* NULL: where data sets are kept, see the manual of the data rooms */
    int no_tune;          /* 1: not the variants that cairn_tune() found */
    const char *kernels;  /* as in struct cairn_device_options */
    void (*note)(const char *text); /* may be NULL: one line that is no failure */
};

/* What there is to choose from, for those who help with typing: the names of the recipes that are
 * found by name, each once. What cannot be read is left out. */
void cairn_recipe_names(void (*each)(void *context, const char *name), void *context);
/* The keys that a setting can have, like "train.batch". */
void cairn_recipe_keys(void (*each)(void *context, const char *key), void *context);

/* Device time of a layer, or of what belongs to none: "images" (gathered, moved), "loss", "update"
 * and "other" (fills). */
struct cairn_layer_time {
    int layer;           /* from 0; -1: of no layer */
    const char *text;    /* its line in the recipe, or one of the words above */
    int64_t launches;    /* kernels; on the reference operators */
    double seconds[4];   /* forward, backward, update, evaluation */
    double total;        /* their sum */
    double flops, bytes; /* of its operators, as in <cairn/problem.h> */
};

/* --- training --- */

/* What a training tells as it goes. */
enum cairn_train_event_kind {
    CAIRN_TRAIN_LOADING,   /* the data set is read next, and the device opened; nothing is set */
    CAIRN_TRAIN_COMPILING, /* kernels that no earlier start compiled: programs_done of programs are
                              compiled, `kernel` names the file of the last; nothing else is set */
    CAIRN_TRAIN_STARTED,   /* everything is set up; epoch = epochs that are done already */
    CAIRN_TRAIN_STEP,      /* some steps further, about ten times a second at most */
    CAIRN_TRAIN_EVALUATED, /* an evaluation is done and saved */
    CAIRN_TRAIN_TESTING,   /* all steps are done */
    CAIRN_TRAIN_SEARCHING, /* a value was not finite; where it came from is looked for */
    CAIRN_TRAIN_KERNEL,    /* profile: kernel, calls and seconds are set */
    CAIRN_TRAIN_LAYER,     /* profile: layer is set */
    CAIRN_TRAIN_FOLD,      /* a fold is done, now or in an earlier start: fold, folds, best_epoch,
                              best_step, and losses and accuracies of the weights that were tested */
};

/* One step of a training; what its kind does not name is 0 or NULL. */
struct cairn_train_event {
    enum cairn_train_event_kind kind; /* what happened */
    const char *run, *device;         /* the folder; the device's name */
    int64_t fold, folds;              /* of a cross-validation, from 1; else 0 */
    int64_t epoch, epochs;            /* the present one from 1 (EVALUATED: epochs begun); in all */
    int64_t batch, batches;           /* done and in all in this epoch */
    int64_t step, steps;              /* done and in all */
    int by_steps; /* 1: evaluations come after so many steps, not after epochs */
    int64_t train_images, validation_images, test_images,
        parameters; /* images of each part; numbers that are trained */
    /* EVALUATED: of training, the means over the images since the last evaluation, with the weights
     * that each batch met; the validation's are NaN where there is none, the test's where
     * test_curve is not on */
    double train_loss, train_accuracy, validation_loss, validation_accuracy; /* means */
    double test_loss, test_accuracy;                                         /* see above */
    float learning_rate;                  /* EVALUATED: of the last step */
    double seconds, samples_per_second;   /* of the training part; NaN until there is a measure */
    int best;                             /* EVALUATED: 1 where these are the best weights so far */
    int64_t best_epoch, best_step;        /* EVALUATED: when the best weights so far were taken */
    const char *kernel;                   /* KERNEL, COMPILING: its name */
    int64_t calls;                        /* KERNEL: launches */
    const struct cairn_layer_time *layer; /* LAYER: its times */
    int programs_done, programs;          /* COMPILING: compiled; to compile */
};

/* What to do about the first value of a training that is NaN or infinite. */
enum cairn_on_nan {
    CAIRN_NAN_STOP,     /* CAIRN_DIVERGED tells the step, layer and tensor; checkpoints hold finite
                           numbers only */
    CAIRN_NAN_CONTINUE, /* nothing */
};

/* What is trained, where, and who is told. */
struct cairn_train_options {
    const char *recipe;           /* path or name */
    const char *const *sets;      /* "key.path=value" */
    int set_count;                /* how many */
    struct cairn_compute compute; /* where and how */
    const char *out;              /* the run's folder; NULL: runs/NAME of the recipe */
    int resume, force;            /* go on with an existing run; replace one */
    /* A file for the trace of `trace_steps` steps (0: 10) from the second of this start on, where
     * there is a second: Chrome's trace events, with steps, layers and kernels. NULL: none; needs
     * compute.profile. Of a cross-validation, the first fold that is trained in this start. */
    const char *trace;
    int64_t trace_steps;      /* steps in the trace; 0: 10 */
    enum cairn_on_nan on_nan; /* what to do at the first NaN or infinity */
    /* A folder for events that TensorBoard reads, made where it is missing; a cross-validation's
     * are in its fold-1, fold-2 ... NULL: none. What can be known about writing there is told
     * before anything is computed; where it fails later, compute.note tells it and the training
     * goes on. */
    const char *tensorboard;
    /* May be NULL. When it is not 0 the step at hand is finished, a checkpoint is written and
     * CAIRN_INTERRUPTED returned. */
    const volatile sig_atomic_t *stop;
    void (*event)(void *context, const struct cairn_train_event *event); /* may be NULL */
    void *context;                                                       /* for event() */
};

/* A figure of a cross-validation. */
struct cairn_train_figure {
    double mean, deviation; /* over the folds; the deviation's square is divided by folds - 1 */
};

/* What a training ended with. */
struct cairn_train_result {
    char run[512], device[128],
        driver[128];       /* the folder; names of the device and of its driver's version */
    int64_t epochs, steps; /* begun; done */
    int64_t best_epoch, best_step, test_images; /* where the tested weights were taken */
    int by_steps;                               /* as in the events */
    double test_loss, test_accuracy; /* of the best weights (keep: last: the last); accuracy from 0
                                        to 1 */
    double validation_loss, validation_accuracy; /* of the same weights; NaN where there is none */
    double samples_per_second; /* training alone, first step of each start left out; NaN if that is
                                  all */
    char weights_sha256[65], best_weights_sha256[65]; /* of the last weights and running statistics;
                                                         of those that were tested */
    char events[512];                                 /* the file of events; "": none */
    char events_failure[512];                         /* why it ended early; "": it did not */
    /* A cross-validation: above 0, and of the rest only run, device, driver, test_images and these
     * are set. */
    int64_t folds;
    struct cairn_train_figure fold_validation_loss, fold_validation_accuracy, fold_test_loss,
        fold_test_accuracy; /* of the folds */
};

/* Trains a recipe, or goes on with a run of it. CAIRN_PARSE: the recipe; CAIRN_NOT_FOUND: it, the
 * data or the device; CAIRN_EXISTS: a run is there, and neither resume nor force is set;
 * CAIRN_INTERRUPTED; CAIRN_DIVERGED; CAIRN_DEVICE, CAIRN_BUILD, CAIRN_MEMORY, CAIRN_IO: the run is
 * as at its last checkpoint. */
cairn_status cairn_train(const struct cairn_train_options *options,
                         struct cairn_train_result *result);

/* --- evaluating a run --- */

/* Which run, and where. */
struct cairn_eval_options {
    const char *run;              /* its folder */
    int last;                     /* 0: the best weights; 1: the last */
    struct cairn_compute compute; /* where and how */
};

/* The answers for all test images. */
struct cairn_eval_result {
    char device[128], weights_sha256[65], data[64]; /* its name; of the weights; the data set */
    int64_t epoch, step;     /* when the weights were taken: epochs begun, steps done */
    int64_t images, correct; /* of the test part; of those, right */
    double loss, accuracy;   /* mean over the images; right ones, from 0 to 1 */
    int classes;             /* how many */
    int64_t *confusion;      /* classes x classes: row = label, column = answer */
};

/* Tests a run's weights. Free the result with cairn_eval_result_free(). CAIRN_NOT_FOUND,
 * CAIRN_FORMAT: there is no such run, or it is damaged. */
cairn_status cairn_eval(const struct cairn_eval_options *options, struct cairn_eval_result *result);
/* Frees what is in it, and zeroes it. */
void cairn_eval_result_free(struct cairn_eval_result *result);

/* --- the operators of a recipe: what `cairn tune` races; nothing is allocated on the device --- */

/* One of a training step of a whole batch, of an evaluation of a whole batch, or of both. Problems
 * that are alike (see cairn_device_prefer()) are one. */
struct cairn_recipe_problem {
    struct cairn_problem problem; /* the operator; its memory is unset */
    int64_t train, evaluate;      /* how often a training step and an evaluation run it */
};

/* The operators of a recipe. */
struct cairn_recipe_problems {
    char recipe[256];                   /* its path */
    int64_t batch, eval_batch;          /* images of either */
    struct cairn_recipe_problem *items; /* count of them */
    int count;                          /* how many */
};

/* As compiled for the device of `compute` (NULL: "opencl"). batch 0: the recipe's. */
cairn_status cairn_recipe_list(const char *recipe, const char *const *sets, int set_count,
                               int64_t batch, const struct cairn_compute *compute,
                               struct cairn_recipe_problems *problems);
/* Frees what is in it, and zeroes it. */
void cairn_recipe_problems_free(struct cairn_recipe_problems *problems);

/* --- describing a recipe; nothing is allocated on the device --- */

/* A layer of a recipe. */
struct cairn_summary_row {
    char layer[96];     /* its line */
    int64_t c, h, w;    /* output of one image */
    int64_t parameters; /* numbers that it trains */
};

/* A recipe, and what it takes to train it. */
struct cairn_summary {
    char recipe[256], data[64], device[128]; /* its path; the data set; the device's name */
    int64_t c, h, w, classes;                /* an image's channels, height and width; classes */
    int64_t train_images, validation_images, test_images; /* of each part */
    struct cairn_summary_row *rows;                       /* row_count of them */
    int row_count;                                        /* layers */
    int64_t parameters, batch,
        steps_per_epoch; /* numbers that are trained; images of a step; steps of an epoch */
    int64_t tuned; /* problems for which the device prefers another variant than the default */
    /* Bytes for training on the device; gradients are twice there where batches are computed in
     * parts, activations holds workspace too, other the indices, losses and logits. */
    int64_t weights_bytes, gradients_bytes, moments_bytes, activations_bytes, data_bytes,
        other_bytes, total_bytes; /* see above */
    /* The largest batch that the device's memory and its largest buffer admit, at most all training
     * images; 0: none; -1: the device names no limit. */
    int64_t largest_batch, device_bytes,
        device_max_alloc_bytes; /* images; of all memory, of a buffer */
};

/* batch 0: the recipe's. device NULL: "reference" (the workspace depends on it). */
cairn_status cairn_summarize(const char *recipe, const char *const *sets, int set_count,
                             int64_t batch, const struct cairn_compute *compute,
                             struct cairn_summary *summary);
/* Frees what is in it, and zeroes it. */
void cairn_summary_free(struct cairn_summary *summary);

/* --- timing a recipe ---
 *
 * Steps of a recipe's plan, timed on made-up images: random bytes in the shape of the data set, as
 * many as it has, so that memory is that of a training. No file is read; a data set that has no
 * shape without its folder ("images") is asked for its names and one image, as a summary does.
 * Weights hardly move, however many steps are timed: the learning rate is the recipe's times 2^-20,
 * which changes no step's work. */

struct cairn_recipe_bench;

/* Kinds of steps. */
enum cairn_pass {
    CAIRN_PASS_TRAIN,     /* gather, forward, loss, backward, update; `batch` images */
    CAIRN_PASS_INFERENCE, /* gather, forward, loss, as in evaluations; as many images */
    CAIRN_PASSES
};

/* A kind of step, as it is timed. */
struct cairn_pass_info {
    int64_t operators;       /* of a step */
    double flops, bytes;     /* sums over the operators, as in <cairn/problem.h> */
    int64_t launches, steps; /* kernels of a step, none on the reference; steps of a sample; both
                                are 0 before the first sample */
};

/* What is timed. */
struct cairn_recipe_bench_info {
    char recipe[256], data[64]; /* its path; the data set */
    int64_t c, h, w, classes, parameters,
        batch;            /* of an image; classes; numbers that are trained; images of a step */
    int64_t device_bytes; /* all that is allocated on the device */
    double open_seconds, kernel_seconds;         /* opening the device; having its kernels */
    int compiled;                                /* programs that were not in the cache */
    struct cairn_pass_info passes[CAIRN_PASSES]; /* by enum cairn_pass */
};

/* Reads the recipe, makes images, opens the device and allocates. A sample takes about `seconds`
 * (0: 0.03), at least one step. compute->device NULL: "opencl". CAIRN_INVALID where a batch is more
 * than there are images. */
cairn_status cairn_recipe_bench_create(const char *recipe, const char *const *sets, int set_count,
                                       const struct cairn_compute *compute, double seconds,
                                       struct cairn_recipe_bench **bench);
void cairn_recipe_bench_destroy(struct cairn_recipe_bench *bench); /* NULL is fine */

/* What is timed; it belongs to the bench. */
const struct cairn_recipe_bench_info *
cairn_recipe_bench_info(const struct cairn_recipe_bench *bench);
/* The device that it runs on; it belongs to the bench. */
struct cairn_device *cairn_recipe_bench_device(struct cairn_recipe_bench *bench);

/* Queues one sample's steps, waits once and gives the seconds of one step. Before the first sample
 * of a pass it runs some steps, until kernels are built and caches are warm. */
cairn_status cairn_recipe_bench_sample(struct cairn_recipe_bench *bench, enum cairn_pass pass,
                                       double *seconds);

/* With compute.profile: device time per kernel and per layer since the last call. Waits. */
cairn_status cairn_recipe_bench_profile(
    struct cairn_recipe_bench *bench,
    void (*each_kernel)(void *context, const char *kernel, int64_t calls, double seconds),
    void (*each_layer)(void *context, const struct cairn_layer_time *layer), void *context);

/* With compute.profile: runs so many steps of a pass and writes their trace, as in
 * struct cairn_train_options. */
cairn_status cairn_recipe_bench_trace(struct cairn_recipe_bench *bench, enum cairn_pass pass,
                                      int64_t steps, const char *path);

/* Operator `number` of a pass, from 0, its memory unset; 0 behind the last. */
int cairn_recipe_bench_problem(const struct cairn_recipe_bench *bench, enum cairn_pass pass,
                               int64_t number, struct cairn_problem *problem);

#ifdef __cplusplus
}
#endif
#endif
