/* Recipes: YAML files with `vars`, `data`, `model`, `init` and `train`, read strictly. */
#ifndef CAIRN_TRAIN_RECIPE_H
#define CAIRN_TRAIN_RECIPE_H

#include "nn/layer.h"

enum cairn_normalize { CAIRN_NORMALIZE_NONE, CAIRN_NORMALIZE_01, CAIRN_NORMALIZE_ZSCORE };
enum cairn_loss_choice {
    CAIRN_LOSS_CHOICE_CROSS_ENTROPY,
    CAIRN_LOSS_CHOICE_MSE,
    CAIRN_LOSS_CHOICE_PERCEPTRON
};
enum cairn_optimizer_kind {
    CAIRN_OPTIMIZER_SGD,
    CAIRN_OPTIMIZER_ADAM,
    CAIRN_OPTIMIZER_ADAMW, /* adam whose `decay` defaults to 0.01 */
    CAIRN_OPTIMIZER_RMSPROP,
    CAIRN_OPTIMIZER_ADAGRAD,
    CAIRN_OPTIMIZER_ADADELTA,
};
enum cairn_schedule_kind {
    CAIRN_SCHEDULE_CONSTANT,
    CAIRN_SCHEDULE_STEP,        /* rate * factor^(epochs done / every) */
    CAIRN_SCHEDULE_COSINE,      /* from rate to rate * least over all steps (Loshchilov 2017) */
    CAIRN_SCHEDULE_EXPONENTIAL, /* rate * factor^(epochs done) */
    CAIRN_SCHEDULE_PLATEAU,     /* rate * factor^n, n rising after `patience` evaluations without a
                                   better validation loss (training loss where there is none) */
};
enum cairn_decay_per {
    CAIRN_DECAY_PER_BATCH,   /* the gradient of the batch's mean loss gets l2 w + l1 sign(w) */
    CAIRN_DECAY_PER_SAMPLE,  /* that divided by the batch size: the penalty counts once per batch
                                beside  the sum of the images' losses */
    CAIRN_DECAY_PER_DATASET, /* divided by the number of training images: the penalty counts once
                                beside the sum over the training part */
};

#define CAIRN_RECIPE_CLASSES 256 /* labels are bytes */

struct cairn_recipe {
    char *path; /* where it was read from */
    struct {
        char name[64];
        enum cairn_normalize normalize; /* default 01 */
        int64_t pad_h,
            pad_w; /* `pad: 2` or `pad: 2x1`: zero bytes around every image, before all else */
        int64_t patch_h, patch_w; /* `patches: 7` or 7x14: the image as its patches in row-major
                                     order, each a channel (or one per channel); 0: none */
        double
            validation; /* 0: none; below 1: fraction of the training images; 1 or more: a count */
        int64_t limit_train, limit_test; /* 0: all; applied before the validation split */
        uint64_t seed; /* of a generated data set; default 1, whatever train.seed is */
        /* `augment: shift=2 flip=yes rotate=10 crop=28` in any subset, sizes P or HxW, degrees;
         * `none`. Training images only, except that crop gives evaluations the middle. */
        struct {
            int64_t shift_h, shift_w, crop_h, crop_w; /* crop 0: none */
            int flip;
            float rotate; /* degrees, 0 to 180 */
        } augment;
    } data;
    struct cairn_layer *layers;
    int layer_count;
    struct {
        struct cairn_init fallback, conv,
            linear; /* `init: {default: he, linear: normal mean=0 dev=0.1}`; biases are 0 */
    } init;
    struct {
        enum cairn_loss_choice loss; /* cross-entropy, mse, perceptron */
        float smoothing;             /* of labels, 0 to below 1; cross-entropy only */
        /* `class_weights: 1 2 0.5 ...` one per class, or `balanced`: images / (classes * images of
         * the class) of the training part. Each image's loss is multiplied by its class's. */
        float *class_weights; /* NULL: none or balanced */
        int class_weight_count, balanced;
        enum cairn_optimizer_kind
            optimizer; /* "sgd [momentum=0] [nesterov=yes]", "adam [beta1=0.9] [beta2=0.999]
                          [epsilon=1e-8]", "adamw ...", "rmsprop [alpha=0.99] [momentum=0]
                          [epsilon=1e-8]", "adagrad [epsilon=1e-10]", "adadelta [rho=0.9]
                          [epsilon=1e-6]" */
        float momentum, beta1, beta2, epsilon, alpha, rho;
        int nesterov;
        float learning_rate; /* adadelta: 1 where it is not given */
        /* `constant`, `step every=30 [factor=0.1]`, `cosine [least=0]`, `exponential factor=0.95`,
         * `plateau [factor=0.1] [patience=10]`, each with [warmup=STEPS]: rate * (step + 1) / STEPS
         * in the first STEPS steps. */
        enum cairn_schedule_kind schedule;
        int64_t schedule_every, schedule_patience, warmup;
        float schedule_factor, schedule_least;
        float l1, l2; /* of weights, not of biases and norms; scaled by decay_per */
        float decay;  /* decoupled: w shrinks by learning_rate * decay, scaled by decay_per */
        enum cairn_decay_per decay_per;
        float clip;         /* the largest norm of the gradient; 0: none */
        int64_t accumulate; /* parts that a batch is computed in, its gradients summed; default 1 */
        int64_t batch;
        int64_t epochs, steps; /* one of them (epochs: 10); the other is 0. Where the file has one
                                  and a setting the other, the setting counts. */
        /* `evaluate_every: 1 epoch`, `2 epochs`, `100 steps`: when the validation part (and with
         * test_curve: yes the test part) is evaluated, a line of metrics is written and a
         * checkpoint saved; always after the last step, too */
        int64_t evaluate_epochs, evaluate_steps; /* one of them is 0 */
        int test_curve;
        int64_t patience; /* stop after so many evaluations without better weights (more of the
                             validation part right, or as many and a lower loss); 0: never. Needs a
                             validation part. */
        int keep_last;    /* keep: best (default) or last: the weights that are tested */
        int64_t folds;    /* k-fold cross-validation over the training images; 0: none */
        uint64_t seed;
    } train;
    char *resolved; /* YAML text of everything above with defaults, vars replaced: reads back to the
                       same recipe */
};

/* Reads a recipe by path, or by name ("mnist-lenet") in $CAIRN_RECIPE_DIR, ./data/recipes, or the
 * installed folder. `sets` are "key.path=value" settings in the order given, applied before vars
 * are replaced; a setting may introduce a key that the schema knows but not one it does not. Every
 * complaint has FILE:LINE:COLUMN (or --set TEXT), the key, and what is accepted. */
cairn_status cairn_recipe_read(const char *path_or_name, const char *const *sets, int set_count,
                               struct cairn_recipe *recipe);
/* The same of a text; `name` stands for the file in complaints. */
cairn_status cairn_recipe_parse(const char *name, const char *text, const char *const *sets,
                                int set_count, struct cairn_recipe *recipe);

/* Gives a recipe other layers (from malloc; they are the recipe's from then on) and resolves it
 * again. On failure nothing has changed. */
cairn_status cairn_recipe_replace(struct cairn_recipe *recipe, struct cairn_layer *layers,
                                  int count);
void cairn_recipe_free(struct cairn_recipe *recipe); /* zeroes it */

#endif
