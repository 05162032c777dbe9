#include "train/recipe_rules.h"

#include "base/error.h"
#include "train/recipe_write.h"

cairn_status recipe_missing(const struct recipe_tree *tree, const char *section, const char *key)
{
    /* a section that a setting made stands nowhere */
    const struct cairn_yaml *node = cairn_yaml_get(tree->root, section);
    return cairn_yaml_fail(CAIRN_PARSE, tree->path, node && !node->origin ? node : tree->root,
                           CAIRN_YAML_AT_VALUE, "%s.%s is missing", section, key);
}

static const struct cairn_yaml *find(const struct recipe_tree *tree, const char *section,
                                     const char *key)
{
    return cairn_yaml_get(cairn_yaml_get(tree->root, section), key);
}

#define REFUSE(section, key, ...)                                                                  \
    cairn_yaml_fail(CAIRN_PARSE, tree->path, find(tree, section, key), CAIRN_YAML_AT_VALUE,        \
                    section "." key ": " __VA_ARGS__)

/* Of epochs in the file and steps in a setting, or the other way round, the setting counts. */
static cairn_status settle_length(const struct recipe_tree *tree, struct cairn_recipe *recipe)
{
    const struct cairn_yaml *epochs = find(tree, "train", "epochs"),
                            *steps = find(tree, "train", "steps");
    if (epochs && steps && !epochs->origin == !steps->origin)
        return REFUSE("train", "steps", "train.epochs is given, too; a recipe has one of them");
    if (epochs && steps && epochs->origin) recipe->train.steps = 0;
    if (epochs && steps && steps->origin) recipe->train.epochs = 0;
    if (!epochs && !steps) recipe->train.epochs = 10;
    return CAIRN_OK;
}

static cairn_status check_data(const struct recipe_tree *tree, const struct cairn_recipe *recipe)
{
    if (recipe->data.patch_h > 0 &&
        (recipe->data.augment.crop_h || recipe->data.augment.shift_h ||
         recipe->data.augment.shift_w || recipe->data.augment.flip || recipe->data.augment.rotate))
        return REFUSE("data", "augment",
                      "whole images are moved and cropped, but data.patches cuts them up before");
    if (recipe->train.folds == 1)
        return REFUSE("train", "folds", "1 is out of range; accepted: 0 for none, or 2 and more");
    if (recipe->train.folds > 0 && recipe->data.validation > 0)
        return REFUSE("data", "validation",
                      "train.folds lets each part of the training images validate in its turn: "
                      "leave validation out (or 0)");
    return CAIRN_OK;
}

static cairn_status check_training(const struct recipe_tree *tree,
                                   const struct cairn_recipe *recipe)
{
    if (recipe->train.smoothing > 0 && recipe->train.loss != CAIRN_LOSS_CHOICE_CROSS_ENTROPY)
        return REFUSE("train", "smoothing", "only cross-entropy has it, but the loss is %s",
                      cairn_loss_names[recipe->train.loss]);
    if (recipe->train.nesterov && recipe->train.momentum == 0)
        return REFUSE("train", "optimizer", "nesterov=yes needs momentum= above 0");
    if (recipe->train.batch % recipe->train.accumulate != 0)
        return REFUSE("train", "accumulate", "%lld parts of a batch of %lld are not whole images",
                      (long long)recipe->train.accumulate, (long long)recipe->train.batch);
    if (recipe->train.patience > 0 && recipe->data.validation == 0 && recipe->train.folds == 0)
        return REFUSE("train", "patience",
                      "stopping early needs images to validate on: give data.validation");
    return CAIRN_OK;
}

cairn_status recipe_check_rules(const struct recipe_tree *tree, struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    TRY(settle_length(tree, recipe));
    if (!find(tree, "train", "learning_rate")) {
        if (recipe->train.optimizer != CAIRN_OPTIMIZER_ADADELTA)
            return recipe_missing(tree, "train", "learning_rate");
        recipe->train.learning_rate = 1.0f;
    }
    if (!find(tree, "train", "decay") && recipe->train.optimizer == CAIRN_OPTIMIZER_ADAMW)
        recipe->train.decay = 0.01f;
    TRY(check_data(tree, recipe));
    TRY(check_training(tree, recipe));
out:
    return st;
}
