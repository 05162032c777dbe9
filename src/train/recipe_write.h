/* The resolved text of a recipe: every value written out, no variables; it reads back to the same
 * recipe. */
#ifndef CAIRN_TRAIN_RECIPE_WRITE_H
#define CAIRN_TRAIN_RECIPE_WRITE_H

#include "train/recipe.h"

#define CAIRN_NORMALIZE_COUNT 3
extern const char *const cairn_normalize_names[CAIRN_NORMALIZE_COUNT];

/* *text from malloc. */
cairn_status recipe_write(const struct cairn_recipe *recipe, char **text);

#endif
