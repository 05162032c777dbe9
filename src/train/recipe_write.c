#include "train/recipe_write.h"

#include "base/error.h"
#include "base/text.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const cairn_normalize_names[] = {
    [CAIRN_NORMALIZE_NONE] = "none",
    [CAIRN_NORMALIZE_01] = "01",
    [CAIRN_NORMALIZE_ZSCORE] = "zscore",
    NULL,
};
const char *const cairn_loss_names[] = {
    [CAIRN_LOSS_CHOICE_CROSS_ENTROPY] = "cross-entropy",
    [CAIRN_LOSS_CHOICE_MSE] = "mse",
    [CAIRN_LOSS_CHOICE_PERCEPTRON] = "perceptron",
    NULL,
};
const char *const cairn_decay_per_names[] = {
    [CAIRN_DECAY_PER_BATCH] = "batch",
    [CAIRN_DECAY_PER_SAMPLE] = "sample",
    [CAIRN_DECAY_PER_DATASET] = "dataset",
    NULL,
};
const char *const cairn_keep_names[] = {"best", "last", NULL};

static void write_float(FILE *out, const char *before, float value)
{
    char text[40];
    cairn_text_print_float(text, sizeof text, value);
    fprintf(out, "%s%s", before, text);
}

static void write_double(FILE *out, double value)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    fputs(text, out);
}

static const char *yes_or_no(int value)
{
    return value ? "yes" : "no";
}

static void write_data(FILE *out, const struct cairn_recipe *recipe)
{
    int64_t crop_h = recipe->data.augment.crop_h, crop_w = recipe->data.augment.crop_w;
    fprintf(out, "data:\n  name: %s\n  normalize: %s\n  pad: %" PRId64 "x%" PRId64,
            recipe->data.name, cairn_normalize_names[recipe->data.normalize], recipe->data.pad_h,
            recipe->data.pad_w);
    if (recipe->data.patch_h)
        fprintf(out, "\n  patches: %" PRId64 "x%" PRId64, recipe->data.patch_h,
                recipe->data.patch_w);
    else
        fputs("\n  patches: none", out);
    fputs("\n  validation: ", out);
    write_double(out, recipe->data.validation);
    fprintf(out, "\n  limit_train: %" PRId64 "\n  limit_test: %" PRId64 "\n  seed: %" PRIu64,
            recipe->data.limit_train, recipe->data.limit_test, recipe->data.seed);
    fprintf(out, "\n  augment: shift=%" PRId64 "x%" PRId64 " flip=%s", recipe->data.augment.shift_h,
            recipe->data.augment.shift_w, yes_or_no(recipe->data.augment.flip));
    write_float(out, " rotate=", recipe->data.augment.rotate);
    if (crop_h) fprintf(out, " crop=%" PRId64 "x%" PRId64, crop_h, crop_w);
    fputc('\n', out);
}

static void write_init(FILE *out, const char *key, const struct cairn_init *init)
{
    static const char *const names[] = {
        [CAIRN_INIT_NORMAL] = "normal", [CAIRN_INIT_UNIFORM] = "uniform",
        [CAIRN_INIT_HE] = "he",         [CAIRN_INIT_HE_UNIFORM] = "he-uniform",
        [CAIRN_INIT_XAVIER] = "xavier", [CAIRN_INIT_XAVIER_UNIFORM] = "xavier-uniform",
        [CAIRN_INIT_ZERO] = "zero",
    };
    fprintf(out, "  %s: %s", key, names[init->kind]);
    if (init->kind == CAIRN_INIT_NORMAL || init->kind == CAIRN_INIT_UNIFORM) {
        int normal = init->kind == CAIRN_INIT_NORMAL;
        write_float(out, normal ? " mean=" : " low=", init->mean);
        write_float(out, normal ? " dev=" : " high=", init->dev);
    }
    fputc('\n', out);
}

static void write_model(FILE *out, const struct cairn_recipe *recipe)
{
    fprintf(out, "model:\n");
    for (int i = 0; i < recipe->layer_count; i++) {
        const char *text = recipe->layers[i].text;
        int quoted = *text == ' ' || strchr(text, '\t') || text[strlen(text) - 1] == ' ';
        fprintf(out, quoted ? "  - '%s'\n" : "  - %s\n", text); /* no layer has a quote in it */
    }
}

static void write_loss(FILE *out, const struct cairn_recipe *recipe)
{
    fprintf(out, "train:\n  loss: %s", cairn_loss_names[recipe->train.loss]);
    write_float(out, "\n  smoothing: ", recipe->train.smoothing);
    fprintf(out, "\n  class_weights:%s",
            recipe->train.balanced                ? " balanced"
            : recipe->train.class_weights == NULL ? " none"
                                                  : "");
    for (int i = 0; i < recipe->train.class_weight_count; i++)
        write_float(out, " ", recipe->train.class_weights[i]);
}

static void write_optimizer(FILE *out, const struct cairn_recipe *recipe)
{
    switch (recipe->train.optimizer) {
    case CAIRN_OPTIMIZER_SGD:
        write_float(out, "\n  optimizer: sgd momentum=", recipe->train.momentum);
        fprintf(out, " nesterov=%s", yes_or_no(recipe->train.nesterov));
        return;
    case CAIRN_OPTIMIZER_ADAM:
    case CAIRN_OPTIMIZER_ADAMW:
        fprintf(out, "\n  optimizer: %s",
                recipe->train.optimizer == CAIRN_OPTIMIZER_ADAM ? "adam" : "adamw");
        write_float(out, " beta1=", recipe->train.beta1);
        write_float(out, " beta2=", recipe->train.beta2);
        break;
    case CAIRN_OPTIMIZER_RMSPROP:
        write_float(out, "\n  optimizer: rmsprop alpha=", recipe->train.alpha);
        write_float(out, " momentum=", recipe->train.momentum);
        break;
    case CAIRN_OPTIMIZER_ADAGRAD:
        fputs("\n  optimizer: adagrad", out);
        break;
    case CAIRN_OPTIMIZER_ADADELTA:
        write_float(out, "\n  optimizer: adadelta rho=", recipe->train.rho);
        break;
    }
    write_float(out, " epsilon=", recipe->train.epsilon);
}

static void write_schedule(FILE *out, const struct cairn_recipe *recipe)
{
    switch (recipe->train.schedule) {
    case CAIRN_SCHEDULE_CONSTANT:
        fputs("\n  schedule: constant", out);
        break;
    case CAIRN_SCHEDULE_STEP:
        fprintf(out, "\n  schedule: step every=%" PRId64, recipe->train.schedule_every);
        write_float(out, " factor=", recipe->train.schedule_factor);
        break;
    case CAIRN_SCHEDULE_COSINE:
        write_float(out, "\n  schedule: cosine least=", recipe->train.schedule_least);
        break;
    case CAIRN_SCHEDULE_EXPONENTIAL:
        write_float(out, "\n  schedule: exponential factor=", recipe->train.schedule_factor);
        break;
    case CAIRN_SCHEDULE_PLATEAU:
        write_float(out, "\n  schedule: plateau factor=", recipe->train.schedule_factor);
        fprintf(out, " patience=%" PRId64, recipe->train.schedule_patience);
        break;
    }
    fprintf(out, " warmup=%" PRId64, recipe->train.warmup);
}

static void write_loop(FILE *out, const struct cairn_recipe *recipe)
{
    int64_t every = recipe->train.evaluate_epochs ? recipe->train.evaluate_epochs
                                                  : recipe->train.evaluate_steps;
    write_float(out, "\n  l1: ", recipe->train.l1);
    write_float(out, "\n  l2: ", recipe->train.l2);
    write_float(out, "\n  decay: ", recipe->train.decay);
    fprintf(out, "\n  decay_per: %s", cairn_decay_per_names[recipe->train.decay_per]);
    write_float(out, "\n  clip: ", recipe->train.clip);
    fprintf(out, "\n  accumulate: %" PRId64 "\n  batch: %" PRId64 "\n  %s: %" PRId64,
            recipe->train.accumulate, recipe->train.batch,
            recipe->train.epochs ? "epochs" : "steps",
            recipe->train.epochs ? recipe->train.epochs : recipe->train.steps);
    fprintf(out, "\n  evaluate_every: %" PRId64 " %s%s", every,
            recipe->train.evaluate_epochs ? "epoch" : "step", every == 1 ? "" : "s");
    fprintf(out,
            "\n  test_curve: %s\n  patience: %" PRId64 "\n  keep: %s\n  folds: %" PRId64
            "\n  seed: %" PRIu64 "\n",
            yes_or_no(recipe->train.test_curve), recipe->train.patience,
            cairn_keep_names[recipe->train.keep_last], recipe->train.folds, recipe->train.seed);
}

cairn_status recipe_write(const struct cairn_recipe *recipe, char **text)
{
    size_t size = 0;
    *text = NULL;
    FILE *out = open_memstream(text, &size);
    if (!out) return cairn_fail(CAIRN_MEMORY, "no memory for the recipe's text");
    locale_t before = cairn_text_begin_plain();
    write_data(out, recipe);
    write_model(out, recipe);
    fprintf(out, "init:\n");
    write_init(out, "default", &recipe->init.fallback);
    write_init(out, "conv", &recipe->init.conv);
    write_init(out, "linear", &recipe->init.linear);
    write_loss(out, recipe);
    write_optimizer(out, recipe);
    write_float(out, "\n  learning_rate: ", recipe->train.learning_rate);
    write_schedule(out, recipe);
    write_loop(out, recipe);
    cairn_text_end_plain(before);
    int bad = ferror(out);
    if (fclose(out) || bad) {
        free(*text);
        *text = NULL;
        return cairn_fail(CAIRN_MEMORY, "no memory for the recipe's text");
    }
    return CAIRN_OK;
}
