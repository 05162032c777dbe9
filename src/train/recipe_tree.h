/* The stage between YAML and struct cairn_recipe: settings from the command line put into the tree,
 * and variables replaced in texts, with every character's place in the file kept for complaints. */
#ifndef CAIRN_TRAIN_RECIPE_TREE_H
#define CAIRN_TRAIN_RECIPE_TREE_H

#include "io/yaml.h"

/* The sections and keys that there are; the last key is NULL. A section without keys has its own
 * form. */
struct recipe_section {
    const char *name;
    const char *const *keys;
};
extern const struct recipe_section recipe_sections[];
extern const int recipe_section_count;

struct recipe_tree {
    const char *path;
    struct cairn_yaml *root; /* a map */
};

/* A text with its variables replaced. */
struct recipe_text {
    char text[4096];
    int place[4097]; /* where character i stands in the text as written, or where its variable does
                      */
};

/* Puts "section.key=value" into the tree. */
cairn_status recipe_set(struct recipe_tree *tree, const char *setting);

/* Checks that sections and keys are known and of the right form, and that `vars` are texts without
 * variables. */
cairn_status recipe_check(const struct recipe_tree *tree);

cairn_status recipe_expand(const struct recipe_tree *tree, const struct cairn_yaml *node,
                           struct recipe_text *text);

#endif
