/* What a recipe's keys mean together: defaults that depend on other keys, and contradictions. */
#ifndef CAIRN_TRAIN_RECIPE_RULES_H
#define CAIRN_TRAIN_RECIPE_RULES_H

#include "train/recipe.h"
#include "train/recipe_tree.h"

/* "SECTION.KEY is missing", at the section, or at the file's start where there is none. */
cairn_status recipe_missing(const struct recipe_tree *tree, const char *section, const char *key);

/* Settles epochs or steps, the learning rate of adadelta and the decay of adamw, and refuses what
 * contradicts itself. What needs the data (classes, sizes, counts) is told when they are known. */
cairn_status recipe_check_rules(const struct recipe_tree *tree, struct cairn_recipe *recipe);

#endif
