/* The keys of the sections data, init and train: their forms, ranges and defaults, one table. */
#ifndef CAIRN_TRAIN_RECIPE_FIELDS_H
#define CAIRN_TRAIN_RECIPE_FIELDS_H

#include "train/recipe.h"
#include "train/recipe_tree.h"

void recipe_set_defaults(struct cairn_recipe *recipe);

/* Reads every key that is there. What keys mean together is for recipe_check_rules(). */
cairn_status recipe_read_fields(const struct recipe_tree *tree, struct cairn_recipe *recipe);

#endif
