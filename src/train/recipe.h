/* Recipes: YAML files with `vars`, `data`, `model`, `init` and `train`, read strictly. */
#ifndef CAIRN_TRAIN_RECIPE_H
#define CAIRN_TRAIN_RECIPE_H

#include "nn/layer.h"

enum cairn_normalize { CAIRN_NORMALIZE_NONE, CAIRN_NORMALIZE_01, CAIRN_NORMALIZE_ZSCORE };
enum cairn_optimizer_kind { CAIRN_OPTIMIZER_SGD, CAIRN_OPTIMIZER_ADAM };

struct cairn_recipe {
    char *path; /* where it was read from */
    struct {
        char name[64];
        enum cairn_normalize normalize; /* default 01 */
        double
            validation; /* 0: none; below 1: fraction of the training images; 1 or more: a count */
        int64_t limit_train, limit_test; /* 0: all; applied before the validation split */
        uint64_t seed; /* of a generated data set; default 1, whatever train.seed is */
    } data;
    struct cairn_layer *layers;
    int layer_count;
    struct {
        struct cairn_init fallback, conv,
            linear; /* `init: {default: he, linear: normal mean=0 dev=0.1}`; biases are 0 */
    } init;
    struct {
        /* loss: cross-entropy is the only one so far */
        enum cairn_optimizer_kind
            optimizer; /* "sgd momentum=0.9", "adam beta1=0.9 beta2=0.999 epsilon=1e-8" */
        float momentum, beta1, beta2, epsilon;
        float learning_rate;
        float l2; /* the gradient of the batch's mean loss gets + l2 * w, for weights and not for
                     biases */
        int64_t batch, epochs;
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
void cairn_recipe_free(struct cairn_recipe *recipe); /* zeroes it */

#endif
