/* The resolved text of a recipe: every value written out, no variables; it reads back to the same
 * recipe. */
#ifndef CAIRN_TRAIN_RECIPE_WRITE_H
#define CAIRN_TRAIN_RECIPE_WRITE_H

#include "train/recipe.h"

/* The words for the values of each enum (and of keep_last), in order, NULL behind the last. */
extern const char *const cairn_normalize_names[];
extern const char *const cairn_loss_names[];
extern const char *const cairn_decay_per_names[];
extern const char *const cairn_keep_names[];

/* *text from malloc. */
cairn_status recipe_write(const struct cairn_recipe *recipe, char **text);

#endif
