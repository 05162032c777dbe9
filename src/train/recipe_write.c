#include "train/recipe_write.h"

#include "base/error.h"
#include "base/text.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const cairn_normalize_names[CAIRN_NORMALIZE_COUNT] = {[CAIRN_NORMALIZE_NONE] = "none",
                                                                  [CAIRN_NORMALIZE_01] = "01",
                                                                  [CAIRN_NORMALIZE_ZSCORE] =
                                                                      "zscore"};

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

static void write_init(FILE *out, const char *key, const struct cairn_init *init)
{
    static const char *const names[] = {[CAIRN_INIT_NORMAL] = "normal",
                                        [CAIRN_INIT_HE] = "he",
                                        [CAIRN_INIT_XAVIER] = "xavier",
                                        [CAIRN_INIT_ZERO] = "zero"};
    fprintf(out, "  %s: %s", key, names[init->kind]);
    if (init->kind == CAIRN_INIT_NORMAL) {
        write_float(out, " mean=", init->mean);
        write_float(out, " dev=", init->dev);
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

static void write_optimizer(FILE *out, const struct cairn_recipe *recipe)
{
    if (recipe->train.optimizer == CAIRN_OPTIMIZER_SGD) {
        write_float(out, "  optimizer: sgd momentum=", recipe->train.momentum);
    } else {
        write_float(out, "  optimizer: adam beta1=", recipe->train.beta1);
        write_float(out, " beta2=", recipe->train.beta2);
        write_float(out, " epsilon=", recipe->train.epsilon);
    }
}

cairn_status recipe_write(const struct cairn_recipe *recipe, char **text)
{
    size_t size = 0;
    *text = NULL;
    FILE *out = open_memstream(text, &size);
    if (!out) return cairn_fail(CAIRN_MEMORY, "no memory for the recipe's text");
    fprintf(out, "data:\n  name: %s\n  normalize: %s\n  validation: ", recipe->data.name,
            cairn_normalize_names[recipe->data.normalize]);
    write_double(out, recipe->data.validation);
    fprintf(out, "\n  limit_train: %" PRId64 "\n  limit_test: %" PRId64 "\n  seed: %" PRIu64 "\n",
            recipe->data.limit_train, recipe->data.limit_test, recipe->data.seed);
    write_model(out, recipe);
    fprintf(out, "init:\n");
    write_init(out, "default", &recipe->init.fallback);
    write_init(out, "conv", &recipe->init.conv);
    write_init(out, "linear", &recipe->init.linear);
    fprintf(out, "train:\n  loss: cross-entropy\n");
    write_optimizer(out, recipe);
    write_float(out, "\n  learning_rate: ", recipe->train.learning_rate);
    write_float(out, "\n  l2: ", recipe->train.l2);
    fprintf(out, "\n  batch: %" PRId64 "\n  epochs: %" PRId64 "\n  seed: %" PRIu64 "\n",
            recipe->train.batch, recipe->train.epochs, recipe->train.seed);
    int bad = ferror(out);
    if (fclose(out) || bad) {
        free(*text);
        *text = NULL;
        return cairn_fail(CAIRN_MEMORY, "no memory for the recipe's text");
    }
    return CAIRN_OK;
}
