/* Recipes written as text by a test, in a folder of its own. */
#ifndef TESTS_RECIPES_H
#define TESTS_RECIPES_H

#include "base/file.h"
#include "scratch.h"
#include "train/recipe.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static char path[96];

static inline void enter(void)
{
    scratch_make();
    snprintf(path, sizeof path, "%s/r.yaml", scratch);
}

static inline cairn_status read_text(const char *text, const char *const *sets, int count,
                                     struct cairn_recipe *recipe)
{
    ck_assert_int_eq(cairn_file_write(path, text, strlen(text)), CAIRN_OK);
    return cairn_recipe_read(path, sets, count, recipe);
}

static const char *const full =
    "vars: {act: relu, drop: 0.3, n: 8}\n"
    "data: {name: kmnist, normalize: zscore, validation: 0.2, limit_train: 2000, limit_test: 5,\n"
    "       seed: 18446744073709551615}\n"
    "model:\n"
    "  - conv $n 5x5 pad=same\n"
    "  - $act\n"
    "  - 'dropout $drop'\n"
    "  - linear 1$n\n"
    "init: {default: xavier, linear: normal mean=0.1 dev=0.3}\n"
    "train:\n"
    "  loss: cross-entropy\n"
    "  optimizer: adam beta1=0.91 epsilon=1e-4\n"
    "  learning_rate: 5e-4\n"
    "  l2: 0.2\n"
    "  batch: 129\n"
    "  epochs: 20\n"
    "  seed: 7\n";

/* Reads TEXT as one line of the section data or train of a small recipe. */
static inline cairn_status read_keys(const char *data, const char *train, struct cairn_recipe *r)
{
    char text[8192];
    snprintf(text, sizeof text, "data: {name: glyphs%s%s}\nmodel: [linear 10]\ntrain: {%s}\n",
             *data ? ", " : "", data, train);
    return read_text(text, NULL, 0, r);
}

#endif
