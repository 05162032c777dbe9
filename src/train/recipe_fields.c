/* What a recipe's keys are, and reading them. */
#include "train/recipe_fields.h"

#include "base/error.h"
#include "base/text.h"
#include "data/register.h"
#include "train/recipe_rules.h"
#include "train/recipe_value.h"
#include "train/recipe_write.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Optimizers, schedules, augmentation --------------------------------------------------------- */

#define TRAIN(member) offsetof(struct cairn_recipe, train.member)
#define AUGMENT(member) offsetof(struct cairn_recipe, data.augment.member)
#define EPSILON                                                                                    \
    {                                                                                              \
        "epsilon", TRAIN(epsilon), RECIPE_FLOAT, RECIPE_ANY_POSITIVE, 0, 0                         \
    }
#define WARMUP                                                                                     \
    {                                                                                              \
        "warmup", TRAIN(warmup), RECIPE_COUNT, 0, 0, 0                                             \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, 0, 0, 0, 0, 0                                                                        \
    }

static const struct recipe_setting sgd_settings[] = {
    {"momentum", TRAIN(momentum), RECIPE_FLOAT, RECIPE_FRACTION, 0, 0},
    {"nesterov", TRAIN(nesterov), RECIPE_YES, 0, 0, 0},
    END,
};
static const struct recipe_setting adam_settings[] = {
    {"beta1", TRAIN(beta1), RECIPE_FLOAT, RECIPE_FRACTION, 0, 0},
    {"beta2", TRAIN(beta2), RECIPE_FLOAT, RECIPE_FRACTION, 0, 0},
    EPSILON,
    END,
};
static const struct recipe_setting rmsprop_settings[] = {
    {"alpha", TRAIN(alpha), RECIPE_FLOAT, RECIPE_FRACTION, 0, 0},
    {"momentum", TRAIN(momentum), RECIPE_FLOAT, RECIPE_FRACTION, 0, 0},
    EPSILON,
    END,
};
static const struct recipe_setting adagrad_settings[] = {EPSILON, END};
static const struct recipe_setting adadelta_settings[] = {
    {"rho", TRAIN(rho), RECIPE_FLOAT, RECIPE_FRACTION, 0, 0},
    EPSILON,
    END,
};
static const struct recipe_choice optimizers[] = {
    [CAIRN_OPTIMIZER_SGD] = {"sgd", "sgd [momentum=M] [nesterov=yes]", sgd_settings},
    [CAIRN_OPTIMIZER_ADAM] = {"adam", "adam [beta1=B] [beta2=B] [epsilon=E]", adam_settings},
    [CAIRN_OPTIMIZER_ADAMW] = {"adamw", "adamw [beta1=B] [beta2=B] [epsilon=E]", adam_settings},
    [CAIRN_OPTIMIZER_RMSPROP] = {"rmsprop", "rmsprop [alpha=A] [momentum=M] [epsilon=E]",
                                 rmsprop_settings},
    [CAIRN_OPTIMIZER_ADAGRAD] = {"adagrad", "adagrad [epsilon=E]", adagrad_settings},
    [CAIRN_OPTIMIZER_ADADELTA] = {"adadelta", "adadelta [rho=R] [epsilon=E]", adadelta_settings},
    {NULL, NULL, NULL},
};

static const struct recipe_setting constant_settings[] = {WARMUP, END};
static const struct recipe_setting step_settings[] = {
    {"every", TRAIN(schedule_every), RECIPE_COUNT, 0, 1, 1},
    {"factor", TRAIN(schedule_factor), RECIPE_FLOAT, RECIPE_ANY_POSITIVE, 0, 0},
    WARMUP,
    END,
};
static const struct recipe_setting cosine_settings[] = {
    {"least", TRAIN(schedule_least), RECIPE_FLOAT, RECIPE_SHARE, 0, 0},
    WARMUP,
    END,
};
static const struct recipe_setting exponential_settings[] = {
    {"factor", TRAIN(schedule_factor), RECIPE_FLOAT, RECIPE_ANY_POSITIVE, 0, 1},
    WARMUP,
    END,
};
static const struct recipe_setting plateau_settings[] = {
    {"factor", TRAIN(schedule_factor), RECIPE_FLOAT, RECIPE_SHRINKING, 0, 0},
    {"patience", TRAIN(schedule_patience), RECIPE_COUNT, 0, 1, 0},
    WARMUP,
    END,
};
static const struct recipe_choice schedules[] = {
    [CAIRN_SCHEDULE_CONSTANT] = {"constant", "constant [warmup=STEPS]", constant_settings},
    [CAIRN_SCHEDULE_STEP] = {"step", "step every=EPOCHS [factor=F] [warmup=STEPS]", step_settings},
    [CAIRN_SCHEDULE_COSINE] = {"cosine", "cosine [least=F] [warmup=STEPS]", cosine_settings},
    [CAIRN_SCHEDULE_EXPONENTIAL] = {"exponential", "exponential factor=F [warmup=STEPS]",
                                    exponential_settings},
    [CAIRN_SCHEDULE_PLATEAU] = {"plateau",
                                "plateau [factor=F] [patience=EVALUATIONS] [warmup=STEPS]",
                                plateau_settings},
    {NULL, NULL, NULL},
};

static const struct recipe_setting augment_settings[] = {
    {"shift", AUGMENT(shift_h), RECIPE_SIZE, 0, 0, 0},
    {"flip", AUGMENT(flip), RECIPE_YES, 0, 0, 0},
    {"rotate", AUGMENT(rotate), RECIPE_FLOAT, RECIPE_DEGREES, 0, 0},
    {"crop", AUGMENT(crop_h), RECIPE_SIZE, 0, 1, 0},
    END,
};
static const struct recipe_choice augment = {
    "", "none, or any of shift=P|HxW flip=yes rotate=DEGREES crop=P|HxW", augment_settings};

static cairn_status read_optimizer(const struct recipe_field *f, struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    int kind;
    size_t at;
    TRY(recipe_read_choice(f, optimizers, "an optimizer", &kind, &at));
    recipe->train.optimizer = (enum cairn_optimizer_kind)kind;
    if (kind == CAIRN_OPTIMIZER_ADAGRAD) recipe->train.epsilon = 1e-10f;
    if (kind == CAIRN_OPTIMIZER_ADADELTA) recipe->train.epsilon = 1e-6f;
    TRY(recipe_read_settings(f, at, &optimizers[kind], recipe));
out:
    return st;
}

static cairn_status read_schedule(const struct recipe_field *f, struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    int kind;
    size_t at;
    TRY(recipe_read_choice(f, schedules, "a schedule", &kind, &at));
    recipe->train.schedule = (enum cairn_schedule_kind)kind;
    TRY(recipe_read_settings(f, at, &schedules[kind], recipe));
out:
    return st;
}

static cairn_status read_augment(const struct recipe_field *f, struct cairn_recipe *recipe)
{
    size_t at = 0;
    if (!strcmp(f->t.text, "none")) return CAIRN_OK;
    if (recipe_next_word(f->t.text, &at) == 0)
        return recipe_fail(f, (int)at, "nothing is given; accepted: %s", augment.usage);
    return recipe_read_settings(f, 0, &augment, recipe);
}

/* Other forms --------------------------------------------------------------------------------- */

/* 0, a fraction below 1, or a whole number of images. */
static cairn_status read_validation(const struct recipe_field *f, double *value)
{
    cairn_status st = recipe_read_number(f, 0, f->t.text, value);
    if (st != CAIRN_OK) return st;
    if (*value < 0 || *value > INT32_MAX || (*value >= 1 && *value != floor(*value)))
        return recipe_fail(
            f, 0, "accepted: 0, a fraction of the training images below 1, or a number of images");
    return CAIRN_OK;
}

static cairn_status read_dataset(const struct recipe_field *f, char name[64])
{
    struct cairn_dataset_entry entry;
    cairn_status st = cairn_register_find(f->t.text, &entry);
    if (st != CAIRN_OK) return recipe_pass_on(f, 0);
    snprintf(name, 64, "%s", entry.name);
    return CAIRN_OK;
}

/* A size, or "none", which is 0. */
static cairn_status read_patches(const struct recipe_field *f, int64_t size[2])
{
    size[0] = size[1] = 0;
    if (!strcmp(f->t.text, "none")) return CAIRN_OK;
    return recipe_read_size(f, 0, f->t.text, 1, size);
}

/* "none", "balanced", or a weight for each class. */
static cairn_status read_class_weights(const struct recipe_field *f, struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    const char *text = f->t.text;
    float largest = 0;
    size_t at = 0, n;
    if (!strcmp(text, "none")) return CAIRN_OK;
    recipe->train.balanced = !strcmp(text, "balanced");
    if (recipe->train.balanced) return CAIRN_OK;
    recipe->train.class_weights = calloc(CAIRN_RECIPE_CLASSES, sizeof(float));
    if (!recipe->train.class_weights) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (; (n = recipe_next_word(text, &at)) > 0; at += n) {
        char word[sizeof f->t.text];
        float *weight = &recipe->train.class_weights[recipe->train.class_weight_count];
        if (recipe->train.class_weight_count == CAIRN_RECIPE_CLASSES)
            return recipe_fail(f, (int)at, "more than %d weights", CAIRN_RECIPE_CLASSES);
        snprintf(word, sizeof word, "%.*s", (int)n, text + at);
        TRY(recipe_read_float(f, (int)at, word, RECIPE_NOT_NEGATIVE, weight));
        if (*weight > largest) largest = *weight;
        recipe->train.class_weight_count++;
    }
    if (!(largest > 0))
        st = recipe_fail(f, 0,
                         "accepted: none, balanced, or a weight for each class, 0 or more and not "
                         "all 0");
out:
    return st;
}

/* "1 epoch", "2 epochs", "100 steps". */
static cairn_status read_interval(const struct recipe_field *f, struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    const char *text = f->t.text;
    char number[32];
    size_t at = 0, n = recipe_next_word(text, &at);
    int64_t count;
    snprintf(number, sizeof number, "%.*s", (int)n, text + at);
    TRY(recipe_read_count(f, (int)at, number, 1, INT32_MAX, &count));
    at += n;
    n = recipe_next_word(text, &at);
    const char *unit = text + at;
    size_t rest = at + n;
    int of_epochs = n > 0 && (!strncmp(unit, "epoch", n) || !strncmp(unit, "epochs", n)) && n >= 5,
        of_steps = n > 0 && (!strncmp(unit, "step", n) || !strncmp(unit, "steps", n)) && n >= 4;
    if ((!of_epochs && !of_steps) || recipe_next_word(text, &rest) > 0) {
        st = recipe_fail(f, (int)at, "accepted: N epochs or N steps, like 1 epoch or 100 steps");
        goto out;
    }
    recipe->train.evaluate_epochs = of_epochs ? count : 0;
    recipe->train.evaluate_steps = of_steps ? count : 0;
out:
    return st;
}

/* The schema ---------------------------------------------------------------------------------- */

enum type {
    DATASET,
    VALIDATION,
    PAD,
    PATCHES,
    AUGMENTATION,
    CLASS_WEIGHTS,
    OPTIMIZER,
    SCHEDULE,
    INTERVAL,
    INIT,
    COUNT,
    SEED,
    YES,
    NAME,  /* an enum, one of `names` */
    FLOAT, /* in `range` */
};

#define AT(member) offsetof(struct cairn_recipe, member)
static const struct row {
    const char *section, *key;
    enum type type;
    int required;
    size_t offset;
    int64_t min, max; /* of a COUNT */
    const char *const *names;
    enum recipe_range range;
} schema[] = {
    {"data", "name", DATASET, 1, AT(data.name), 0, 0, NULL, 0},
    {"data", "normalize", NAME, 0, AT(data.normalize), 0, 0, cairn_normalize_names, 0},
    {"data", "pad", PAD, 0, AT(data.pad_h), 0, 0, NULL, 0},
    {"data", "patches", PATCHES, 0, AT(data.patch_h), 0, 0, NULL, 0},
    {"data", "validation", VALIDATION, 0, AT(data.validation), 0, 0, NULL, 0},
    {"data", "limit_train", COUNT, 0, AT(data.limit_train), 0, INT32_MAX, NULL, 0},
    {"data", "limit_test", COUNT, 0, AT(data.limit_test), 0, INT32_MAX, NULL, 0},
    {"data", "seed", SEED, 0, AT(data.seed), 0, 0, NULL, 0},
    {"data", "augment", AUGMENTATION, 0, 0, 0, 0, NULL, 0},
    {"init", "default", INIT, 0, AT(init.fallback), 0, 0, NULL, 0},
    {"init", "conv", INIT, 0, AT(init.conv), 0, 0, NULL, 0},
    {"init", "linear", INIT, 0, AT(init.linear), 0, 0, NULL, 0},
    {"train", "loss", NAME, 0, TRAIN(loss), 0, 0, cairn_loss_names, 0},
    {"train", "smoothing", FLOAT, 0, TRAIN(smoothing), 0, 0, NULL, RECIPE_FRACTION},
    {"train", "class_weights", CLASS_WEIGHTS, 0, 0, 0, 0, NULL, 0},
    {"train", "optimizer", OPTIMIZER, 0, 0, 0, 0, NULL, 0},
    {"train", "learning_rate", FLOAT, 0, TRAIN(learning_rate), 0, 0, NULL, RECIPE_ANY_POSITIVE},
    {"train", "schedule", SCHEDULE, 0, 0, 0, 0, NULL, 0},
    {"train", "l1", FLOAT, 0, TRAIN(l1), 0, 0, NULL, RECIPE_NOT_NEGATIVE},
    {"train", "l2", FLOAT, 0, TRAIN(l2), 0, 0, NULL, RECIPE_NOT_NEGATIVE},
    {"train", "decay", FLOAT, 0, TRAIN(decay), 0, 0, NULL, RECIPE_NOT_NEGATIVE},
    {"train", "decay_per", NAME, 0, TRAIN(decay_per), 0, 0, cairn_decay_per_names, 0},
    {"train", "clip", FLOAT, 0, TRAIN(clip), 0, 0, NULL, RECIPE_NOT_NEGATIVE},
    {"train", "accumulate", COUNT, 0, TRAIN(accumulate), 1, 1 << 20, NULL, 0},
    {"train", "batch", COUNT, 0, TRAIN(batch), 1, 1 << 20, NULL, 0},
    {"train", "epochs", COUNT, 0, TRAIN(epochs), 1, 1000000, NULL, 0},
    {"train", "steps", COUNT, 0, TRAIN(steps), 1, UINT32_MAX, NULL, 0},
    {"train", "evaluate_every", INTERVAL, 0, 0, 0, 0, NULL, 0},
    {"train", "test_curve", YES, 0, TRAIN(test_curve), 0, 0, NULL, 0},
    {"train", "patience", COUNT, 0, TRAIN(patience), 0, 1000000, NULL, 0},
    {"train", "keep", NAME, 0, TRAIN(keep_last), 0, 0, cairn_keep_names, 0},
    {"train", "folds", COUNT, 0, TRAIN(folds), 0, INT32_MAX, NULL, 0},
    {"train", "seed", SEED, 0, TRAIN(seed), 0, 0, NULL, 0},
};

void recipe_set_defaults(struct cairn_recipe *recipe)
{
    recipe->data.normalize = CAIRN_NORMALIZE_01;
    recipe->data.seed = 1;
    recipe->init.fallback.kind = CAIRN_INIT_HE;
    recipe->train.optimizer = CAIRN_OPTIMIZER_SGD;
    recipe->train.beta1 = 0.9f;
    recipe->train.beta2 = 0.999f;
    recipe->train.epsilon = 1e-8f;
    recipe->train.alpha = 0.99f;
    recipe->train.rho = 0.9f;
    recipe->train.schedule_factor = 0.1f;
    recipe->train.schedule_patience = 10;
    recipe->train.accumulate = 1;
    recipe->train.batch = 64;
    recipe->train.evaluate_epochs = 1;
    recipe->train.seed = 1;
}

/* The forms that fill more than one member. */
static cairn_status read_form(const struct recipe_field *f, enum type type,
                              struct cairn_recipe *recipe)
{
    switch (type) {
    case AUGMENTATION:
        return read_augment(f, recipe);
    case CLASS_WEIGHTS:
        return read_class_weights(f, recipe);
    case OPTIMIZER:
        return read_optimizer(f, recipe);
    case SCHEDULE:
        return read_schedule(f, recipe);
    default:
        return read_interval(f, recipe);
    }
}

static cairn_status read_value(const struct recipe_field *f, const struct row *row,
                               struct cairn_recipe *recipe)
{
    const char *text = f->t.text;
    void *to = (char *)recipe + row->offset;
    int column = 0;
    switch (row->type) {
    case DATASET:
        return read_dataset(f, to);
    case VALIDATION:
        return read_validation(f, to);
    case PAD:
        return recipe_read_size(f, 0, text, 0, to);
    case PATCHES:
        return read_patches(f, to);
    case INIT:
        return cairn_init_parse(text, to, &column) == CAIRN_OK ? CAIRN_OK
                                                               : recipe_pass_on(f, column);
    case COUNT:
        return recipe_read_count(f, 0, text, row->min, row->max, to);
    case SEED:
        return cairn_text_u64(text, to) == CAIRN_OK ? CAIRN_OK : recipe_pass_on(f, 0);
    case YES:
        return recipe_read_yes(f, 0, text, to);
    case NAME:
        return recipe_read_name(f, row->names, to);
    case FLOAT:
        return recipe_read_float(f, 0, text, row->range, to);
    default:
        return read_form(f, row->type, recipe);
    }
}

cairn_status recipe_read_fields(const struct recipe_tree *tree, struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    struct recipe_field f = {.tree = tree};
    for (size_t i = 0; i < sizeof schema / sizeof *schema; i++) {
        const struct cairn_yaml *section = cairn_yaml_get(tree->root, schema[i].section);
        f.node = cairn_yaml_get(section, schema[i].key);
        if (!f.node && !schema[i].required) continue;
        if (!f.node) return recipe_missing(tree, schema[i].section, schema[i].key);
        snprintf(f.name, sizeof f.name, "%s.%s", schema[i].section, schema[i].key);
        TRY(recipe_expand(tree, f.node, &f.t));
        TRY(read_value(&f, &schema[i], recipe));
    }
    if (recipe->init.conv.kind == CAIRN_INIT_UNSET) recipe->init.conv = recipe->init.fallback;
    if (recipe->init.linear.kind == CAIRN_INIT_UNSET) recipe->init.linear = recipe->init.fallback;
out:
    return st;
}
