#include "train/recipe_tree.h"

#include "base/error.h"
#include <cairn/train.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const data_keys[] = {"name",       "normalize",   "pad",        "patches",
                                        "validation", "limit_train", "limit_test", "seed",
                                        "augment",    NULL};
static const char *const init_keys[] = {"default", "conv", "linear", NULL};
static const char *const train_keys[] = {
    "loss",  "smoothing",      "class_weights", "optimizer", "learning_rate", "schedule", "l1",
    "l2",    "decay",          "decay_per",     "clip",      "accumulate",    "batch",    "epochs",
    "steps", "evaluate_every", "test_curve",    "patience",  "keep",          "folds",    "seed",
    NULL};

const struct recipe_section recipe_sections[] = {
    {"vars", NULL},      {"data", data_keys},   {"model", NULL},
    {"init", init_keys}, {"train", train_keys},
};
const int recipe_section_count = sizeof recipe_sections / sizeof *recipe_sections;

static const struct recipe_section *find_section(const char *name)
{
    for (int i = 0; i < recipe_section_count; i++)
        if (!strcmp(recipe_sections[i].name, name)) return &recipe_sections[i];
    return NULL;
}

/* The least number of insertions, deletions and changes that make b of a (at most 31 characters
 * count). */
static int edits(const char *a, const char *b)
{
    int row[32], length = (int)strlen(b);
    if (length > 31) return 32;
    for (int j = 0; j <= length; j++) row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= length; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[length];
}

/* "a, b, c" of the i-th names until NULL, with " (did you mean b?)" where one is near. */
static void list_names(const char *word, const char *(*name)(const void *, int), const void *names,
                       char *text, size_t size)
{
    const char *near = NULL;
    int least = 3;
    *text = '\0';
    for (int i = 0; name(names, i); i++) {
        const char *known = name(names, i);
        size_t n = strlen(text);
        snprintf(text + n, size - n, "%s%s", n ? ", " : "", known);
        int distance = edits(word, known);
        if (distance < least && 2 * distance < (int)strlen(known)) {
            near = known;
            least = distance;
        }
    }
    size_t n = strlen(text);
    if (near) snprintf(text + n, size - n, " (did you mean %s?)", near);
}

static const char *key_name(const void *keys, int i)
{
    return ((const char *const *)keys)[i];
}

static const char *section_name(const void *unused, int i)
{
    (void)unused;
    return i < recipe_section_count ? recipe_sections[i].name : NULL;
}

static const char *variable_name(const void *map, int i)
{
    const struct cairn_yaml *node = ((const struct cairn_yaml *)map)->first;
    while (node && i-- > 0) node = node->next;
    return node ? node->key : NULL;
}

/* What the recipe's variables are called, for complaints. */
static void list_variables(const struct recipe_tree *tree, const char *word, char *text,
                           size_t size)
{
    const struct cairn_yaml *vars = cairn_yaml_get(tree->root, "vars");
    snprintf(text, size, "none");
    if (vars && vars->kind == CAIRN_YAML_MAP && vars->first)
        list_names(word, variable_name, vars, text, size);
}

cairn_status recipe_set(struct recipe_tree *tree, const char *setting)
{
    cairn_status st = CAIRN_OK;
    char origin[256], name[128], names[384];
    snprintf(origin, sizeof origin, "--set %s", setting);
    const char *equals = strchr(setting, '=');
    if (!equals || equals == setting || (size_t)(equals - setting) >= sizeof name)
        return cairn_fail(CAIRN_INVALID, "%s: a setting is written section.key=value", origin);
    snprintf(name, sizeof name, "%.*s", (int)(equals - setting), setting);
    char *key = strchr(name, '.');
    if (key) *key++ = '\0';
    const struct recipe_section *section = find_section(name);
    if (!section) {
        list_names(name, section_name, NULL, names, sizeof names);
        return cairn_fail(CAIRN_INVALID, "%s: unknown section '%s'; accepted: %s", origin, name,
                          names);
    }
    if (!strcmp(name, "model"))
        return cairn_fail(CAIRN_INVALID,
                          "%s: the model's lines cannot be set; use a variable of the recipe: "
                          "vars.NAME=value",
                          origin);
    if (!key || !*key)
        return cairn_fail(CAIRN_INVALID, "%s: %s is a section; set one of its keys: %s.KEY=value",
                          origin, name, name);

    struct cairn_yaml *map = cairn_yaml_get(tree->root, name);
    if (section->keys == NULL && !cairn_yaml_get(map, key)) {
        list_variables(tree, key, names, sizeof names);
        return cairn_fail(CAIRN_INVALID, "%s: the recipe has no variable '%s'; it has: %s", origin,
                          key, names);
    }
    if (!map) {
        map = cairn_yaml_set(tree->root, name, CAIRN_YAML_MAP, NULL, origin);
        if (!map) return cairn_fail(CAIRN_MEMORY, "%s: no memory", origin);
    }
    if (map->kind != CAIRN_YAML_MAP) return st; /* told by recipe_check */
    if (!cairn_yaml_set(map, key, CAIRN_YAML_TEXT, equals + 1, origin))
        st = cairn_fail(CAIRN_MEMORY, "%s: no memory", origin);
    return st;
}

static int is_name(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_') return 0;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_') return 0;
    return 1;
}

static cairn_status check_vars(const struct recipe_tree *tree, const struct cairn_yaml *vars)
{
    for (const struct cairn_yaml *node = vars->first; node; node = node->next) {
        if (!is_name(node->key))
            return cairn_yaml_fail(CAIRN_PARSE, tree->path, node, CAIRN_YAML_AT_KEY,
                                   "vars: '%s' is not a name (letters, digits and _)", node->key);
        if (node->kind != CAIRN_YAML_TEXT)
            return cairn_yaml_fail(CAIRN_PARSE, tree->path, node, CAIRN_YAML_AT_VALUE,
                                   "vars.%s: a variable is one word or line", node->key);
        const char *dollar = strchr(node->text, '$');
        if (dollar)
            return cairn_yaml_fail(CAIRN_PARSE, tree->path, node, (int)(dollar - node->text),
                                   "vars.%s: a variable cannot use another", node->key);
    }
    return CAIRN_OK;
}

static cairn_status check_keys(const struct recipe_tree *tree, const struct cairn_yaml *map,
                               const char *const *keys)
{
    char names[384];
    for (const struct cairn_yaml *node = map->first; node; node = node->next) {
        int i = 0;
        while (keys[i] && strcmp(keys[i], node->key) != 0) i++;
        if (!keys[i]) {
            list_names(node->key, key_name, keys, names, sizeof names);
            return cairn_yaml_fail(CAIRN_PARSE, tree->path, node, CAIRN_YAML_AT_KEY,
                                   "%s: unknown key '%s'; accepted: %s", map->key, node->key,
                                   names);
        }
        if (node->kind != CAIRN_YAML_TEXT)
            return cairn_yaml_fail(CAIRN_PARSE, tree->path, node, CAIRN_YAML_AT_VALUE,
                                   "%s.%s: one word or line is expected here, not a %s", map->key,
                                   node->key, node->kind == CAIRN_YAML_MAP ? "map" : "list");
    }
    return CAIRN_OK;
}

cairn_status recipe_check(const struct recipe_tree *tree)
{
    cairn_status st = CAIRN_OK;
    char names[384];
    for (const struct cairn_yaml *node = tree->root->first; node; node = node->next) {
        const struct recipe_section *section = find_section(node->key);
        if (!section) {
            list_names(node->key, section_name, NULL, names, sizeof names);
            return cairn_yaml_fail(CAIRN_PARSE, tree->path, node, CAIRN_YAML_AT_KEY,
                                   "unknown section '%s'; accepted: %s", node->key, names);
        }
        int is_model = !strcmp(node->key, "model");
        if (node->kind != (is_model ? CAIRN_YAML_LIST : CAIRN_YAML_MAP))
            return cairn_yaml_fail(CAIRN_PARSE, tree->path, node, CAIRN_YAML_AT_VALUE,
                                   is_model ? "model: a list of layers is expected: - linear 10"
                                            : "%s: keys and values are expected: key: value",
                                   node->key);
        if (section->keys)
            TRY(check_keys(tree, node, section->keys));
        else if (!is_model)
            TRY(check_vars(tree, node));
    }
out:
    return st;
}

/* Replaces the variable whose name begins at raw + at; *length is that of the name. */
static cairn_status find_variable(const struct recipe_tree *tree, const struct cairn_yaml *node,
                                  int at, int *length, const char **value)
{
    char name[64], names[384];
    const char *p = node->text + at;
    int n = 0;
    while (isalnum((unsigned char)p[n]) || p[n] == '_') n++;
    if (n == 0 || n >= (int)sizeof name)
        return cairn_yaml_fail(CAIRN_PARSE, tree->path, node, at - 1,
                               "'$' stands before the name of a variable: $name");
    snprintf(name, sizeof name, "%.*s", n, p);
    const struct cairn_yaml *var = cairn_yaml_get(cairn_yaml_get(tree->root, "vars"), name);
    if (!var) {
        list_variables(tree, name, names, sizeof names);
        return cairn_yaml_fail(CAIRN_PARSE, tree->path, node, at - 1,
                               "the recipe has no variable '$%s'; it has: %s", name, names);
    }
    *length = n;
    *value = var->text;
    return CAIRN_OK;
}

cairn_status recipe_expand(const struct recipe_tree *tree, const struct cairn_yaml *node,
                           struct recipe_text *text)
{
    cairn_status st = CAIRN_OK;
    size_t used = 0;
    for (int at = 0; node->text[at];) {
        char one[2] = {node->text[at], '\0'};
        const char *piece = one;
        int length = 0, from = at;
        if (node->text[at++] == '$') TRY(find_variable(tree, node, at, &length, &piece));
        at += length;
        for (; *piece; piece++) {
            if (used >= sizeof text->text - 1)
                return cairn_yaml_fail(CAIRN_PARSE, tree->path, node, CAIRN_YAML_AT_VALUE,
                                       "longer than %zu characters", sizeof text->text - 1);
            text->place[used] = from;
            text->text[used++] = *piece;
        }
    }
    text->place[used] = strlen(node->text);
    text->text[used] = '\0';
out:
    return st;
}

void cairn_recipe_keys(void (*each)(void *context, const char *key), void *context)
{
    for (int i = 0; i < recipe_section_count; i++) {
        const struct recipe_section *section = &recipe_sections[i];
        for (int k = 0; section->keys && section->keys[k]; k++) {
            char name[64];
            snprintf(name, sizeof name, "%s.%s", section->name, section->keys[k]);
            each(context, name);
        }
    }
}
