/* Readers of a recipe's values: a text, strictly, into a number, a size, a name, or a word with
 * settings ("sgd momentum=0.9"). Every complaint has the place of the offending character. */
#ifndef CAIRN_TRAIN_RECIPE_VALUE_H
#define CAIRN_TRAIN_RECIPE_VALUE_H

#include "train/recipe_tree.h"

#include <stdint.h>

/* A value that is being read: its node and its text with variables replaced. */
struct recipe_field {
    const struct recipe_tree *tree;
    const struct cairn_yaml *node;
    struct recipe_text t;
    char name[64]; /* "train.learning_rate" */
};

/* Fails at character `offset` of the expanded text, with the field's name in front. */
cairn_status recipe_fail(const struct recipe_field *f, int offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with the present error detail. */
cairn_status recipe_pass_on(const struct recipe_field *f, int offset);

/* What a float may be. */
enum recipe_range {
    RECIPE_ANY_POSITIVE, /* above 0 */
    RECIPE_NOT_NEGATIVE, /* 0 or more */
    RECIPE_FRACTION,     /* 0 to below 1 */
    RECIPE_SHARE,        /* 0 to 1 */
    RECIPE_SHRINKING,    /* above 0, below 1 */
    RECIPE_DEGREES,      /* 0 to 180 */
};

/* These take a word that stands at `offset` of the text. */
cairn_status recipe_read_number(const struct recipe_field *f, int offset, const char *word,
                                double *value);
cairn_status recipe_read_float(const struct recipe_field *f, int offset, const char *word,
                               enum recipe_range range, float *value);
cairn_status recipe_read_count(const struct recipe_field *f, int offset, const char *word,
                               int64_t min, int64_t max, int64_t *value);
cairn_status recipe_read_yes(const struct recipe_field *f, int offset, const char *word,
                             int *value);
/* "3" or "3x5" (rows x columns) into size[0], size[1]. */
cairn_status recipe_read_size(const struct recipe_field *f, int offset, const char *word,
                              int64_t min, int64_t size[2]);

/* The whole text as one of `names`, which end with NULL. */
cairn_status recipe_read_name(const struct recipe_field *f, const char *const *names, int *value);

enum recipe_setting_type { RECIPE_FLOAT, RECIPE_COUNT, RECIPE_YES, RECIPE_SIZE };

/* A "name=value" word; `offset` is that of its member (a float, an int64_t, an int, or two int64_t)
 * in the struct that is filled. */
struct recipe_setting {
    const char *name;
    size_t offset;
    enum recipe_setting_type type;
    enum recipe_range range; /* of a float */
    int64_t min;             /* of a count or size */
    int required;
};

/* A word that begins a text, with its settings; the last one has no name. */
struct recipe_choice {
    const char *name, *usage;
    const struct recipe_setting *settings;
};

/* Length of the word at text + *at, blanks skipped; 0 at the end. */
size_t recipe_next_word(const char *text, size_t *at);

/* Which of the choices (the last has no name) the text begins with; *at is set behind it. `what`:
 * "an optimizer". */
cairn_status recipe_read_choice(const struct recipe_field *f, const struct recipe_choice *choices,
                                const char *what, int *kind, size_t *at);

/* The settings from `at` to the end of the text into `to`; each once, the required ones at least
 * once. */
cairn_status recipe_read_settings(const struct recipe_field *f, size_t at,
                                  const struct recipe_choice *choice, void *to);

#endif
