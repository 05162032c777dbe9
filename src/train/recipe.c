#include "train/recipe.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "data/register.h"
#include "train/recipe_tree.h"
#include "train/recipe_write.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Finding the file ---------------------------------------------------------------------------- */

/* NAME.yaml in the folder if it is there; from malloc. */
static char *find_in(const char *folder, const char *name)
{
    char file[300];
    snprintf(file, sizeof file, "%s.yaml", name);
    char *path = cairn_file_join(folder, file);
    if (path && cairn_file_exists(path)) return path;
    free(path);
    return NULL;
}

static int is_path(const char *text)
{
    size_t n = strlen(text);
    return strchr(text, '/') || (n > 5 && !strcmp(text + n - 5, ".yaml")) ||
           (n > 4 && !strcmp(text + n - 4, ".yml"));
}

static cairn_status find_recipe(const char *path_or_name, char **path)
{
    const char *folders[] = {getenv("CAIRN_RECIPE_DIR"), "data/recipes",
                             CAIRN_RECIPE_DIR_INSTALLED};
    char looked[512] = "";
    int given = is_path(path_or_name);
    for (size_t i = 0; !given && i < sizeof folders / sizeof *folders; i++) {
        if (!folders[i] || !*folders[i]) continue;
        *path = find_in(folders[i], path_or_name);
        if (*path) return CAIRN_OK;
        size_t n = strlen(looked);
        snprintf(looked + n, sizeof looked - n, "%s%s", n ? ", " : "", folders[i]);
    }
    if (given || cairn_file_exists(path_or_name)) {
        *path = strdup(path_or_name);
        return *path ? CAIRN_OK : cairn_fail(CAIRN_MEMORY, "no memory for a path");
    }
    return cairn_fail(CAIRN_NOT_FOUND,
                      "there is no recipe '%s': neither a file of that name nor %s.yaml in %s",
                      path_or_name, path_or_name, looked);
}

/* Values -------------------------------------------------------------------------------------- */

/* A field that is being read: its node and its text with variables replaced. */
struct field {
    const struct recipe_tree *tree;
    const struct cairn_yaml *node;
    struct recipe_text t;
    char name[64]; /* "train.learning_rate" */
};

/* Fails at character `offset` of the expanded text, with the field's name in front. */
static cairn_status fail_field(const struct field *f, int offset, const char *text)
{
    return cairn_yaml_fail(CAIRN_PARSE, f->tree->path, f->node, f->t.place[offset], "%s: %s",
                           f->name, text);
}

/* The same with the present error detail. */
static cairn_status pass_on(const struct field *f, int offset)
{
    char why[512];
    snprintf(why, sizeof why, "%s", cairn_error());
    return fail_field(f, offset, why);
}

enum type { DATASET, NORMALIZE, VALIDATION, COUNT, SEED, RATE, WEIGHT, LOSS, OPTIMIZER, INIT };

/* The numbers' readers take a word at `offset` of the text. */
static cairn_status read_number(const struct field *f, int offset, const char *word, double *value)
{
    return cairn_text_double(word, value) == CAIRN_OK ? CAIRN_OK : pass_on(f, offset);
}

/* A float within [least, below), or above 0 where `positive`. */
static cairn_status read_float(const struct field *f, int offset, const char *word, int positive,
                               double below, float *value)
{
    double number;
    char why[128];
    cairn_status st = read_number(f, offset, word, &number);
    if (st != CAIRN_OK) return st;
    *value = strtof(word, NULL); /* of the text itself: a double in between would round twice */
    if (number < 0 || number >= below || !isfinite(*value) || (positive && !(*value > 0))) {
        snprintf(why, sizeof why, "%.40s is out of range, %s%s", word, positive ? "above 0" : "0",
                 below == 1 ? " to below 1"
                 : positive ? ""
                            : " or more");
        return fail_field(f, offset, why);
    }
    return CAIRN_OK;
}

/* 0, a fraction below 1, or a whole number of images. */
static cairn_status read_validation(const struct field *f, double *value)
{
    cairn_status st = read_number(f, 0, f->t.text, value);
    if (st != CAIRN_OK) return st;
    if (*value < 0 || *value > INT32_MAX || (*value >= 1 && *value != floor(*value)))
        return fail_field(
            f, 0, "accepted: 0, a fraction of the training images below 1, or a number of images");
    return CAIRN_OK;
}

static cairn_status read_normalize(const struct field *f, enum cairn_normalize *value)
{
    for (int i = 0; i < CAIRN_NORMALIZE_COUNT; i++)
        if (!strcmp(f->t.text, cairn_normalize_names[i])) {
            *value = (enum cairn_normalize)i;
            return CAIRN_OK;
        }
    char why[320];
    snprintf(why, sizeof why, "'%s' is not one of: none, 01, zscore", f->t.text);
    return fail_field(f, 0, why);
}

static cairn_status read_dataset(const struct field *f, char name[64])
{
    struct cairn_dataset_entry entry;
    cairn_status st = cairn_register_find(f->t.text, &entry);
    if (st != CAIRN_OK) return pass_on(f, 0);
    snprintf(name, 64, "%s", entry.name);
    return CAIRN_OK;
}

/* Optimizers ---------------------------------------------------------------------------------- */

struct setting {
    const char *name;
    size_t offset; /* of a float in struct cairn_recipe */
    int positive;
    double below;
};

#define TRAIN(member) offsetof(struct cairn_recipe, train.member)
static const struct setting sgd_settings[] = {{"momentum", TRAIN(momentum), 0, 1}, {0}};
static const struct setting adam_settings[] = {
    {"beta1", TRAIN(beta1), 0, 1},
    {"beta2", TRAIN(beta2), 0, 1},
    {"epsilon", TRAIN(epsilon), 1, INFINITY},
    {0},
};
static const struct {
    const char *name, *usage;
    const struct setting *settings;
} optimizers[] = {
    [CAIRN_OPTIMIZER_SGD] = {"sgd", "sgd [momentum=M]", sgd_settings},
    [CAIRN_OPTIMIZER_ADAM] = {"adam", "adam [beta1=B] [beta2=B] [epsilon=E]", adam_settings},
};

static cairn_status read_setting(const struct field *f, int offset, char *word, const char *usage,
                                 const struct setting *settings, unsigned *seen,
                                 struct cairn_recipe *recipe)
{
    char why[512];
    char *value = strchr(word, '=');
    if (value) *value++ = '\0';
    int i = 0;
    while (settings[i].name && strcmp(settings[i].name, word) != 0) i++;
    if (!value || !settings[i].name) {
        snprintf(why, sizeof why, "'%s' does not belong here; accepted: %s", word, usage);
        return fail_field(f, offset, why);
    }
    if (*seen & 1u << i) {
        snprintf(why, sizeof why, "%s= is given twice", word);
        return fail_field(f, offset, why);
    }
    *seen |= 1u << i;
    return read_float(f, offset + (int)(value - word), value, settings[i].positive,
                      settings[i].below, (float *)((char *)recipe + settings[i].offset));
}

static cairn_status read_optimizer(const struct field *f, struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    char text[sizeof f->t.text], why[512];
    unsigned seen = 0;
    size_t kind = 0, at = strspn(f->t.text, " \t");
    snprintf(text, sizeof text, "%s", f->t.text);
    size_t n = strcspn(text + at, " \t");
    while (kind < sizeof optimizers / sizeof *optimizers &&
           (strlen(optimizers[kind].name) != n || strncmp(optimizers[kind].name, text + at, n)))
        kind++;
    if (kind == sizeof optimizers / sizeof *optimizers) {
        snprintf(why, sizeof why, "'%.*s' is not an optimizer; there are: %s and %s", (int)n,
                 text + at, optimizers[0].usage, optimizers[1].usage);
        return fail_field(f, (int)at, why);
    }
    recipe->train.optimizer = (enum cairn_optimizer_kind)kind;
    for (at += n; text[at += strspn(text + at, " \t")]; at += n) {
        char word[sizeof text];
        n = strcspn(text + at, " \t");
        snprintf(word, sizeof word, "%.*s", (int)n, text + at);
        TRY(read_setting(f, (int)at, word, optimizers[kind].usage, optimizers[kind].settings, &seen,
                         recipe));
    }
out:
    return st;
}

/* The schema ---------------------------------------------------------------------------------- */

#define AT(member) offsetof(struct cairn_recipe, member)
static const struct {
    const char *section, *key;
    enum type type;
    int required;
    size_t offset;
    int64_t min, max; /* of a COUNT */
} schema[] = {
    {"data", "name", DATASET, 1, AT(data.name), 0, 0},
    {"data", "normalize", NORMALIZE, 0, AT(data.normalize), 0, 0},
    {"data", "validation", VALIDATION, 0, AT(data.validation), 0, 0},
    {"data", "limit_train", COUNT, 0, AT(data.limit_train), 0, INT32_MAX},
    {"data", "limit_test", COUNT, 0, AT(data.limit_test), 0, INT32_MAX},
    {"data", "seed", SEED, 0, AT(data.seed), 0, 0},
    {"init", "default", INIT, 0, AT(init.fallback), 0, 0},
    {"init", "conv", INIT, 0, AT(init.conv), 0, 0},
    {"init", "linear", INIT, 0, AT(init.linear), 0, 0},
    {"train", "loss", LOSS, 0, 0, 0, 0},
    {"train", "optimizer", OPTIMIZER, 0, 0, 0, 0},
    {"train", "learning_rate", RATE, 1, AT(train.learning_rate), 0, 0},
    {"train", "l2", WEIGHT, 0, AT(train.l2), 0, 0},
    {"train", "batch", COUNT, 0, AT(train.batch), 1, 1 << 20},
    {"train", "epochs", COUNT, 0, AT(train.epochs), 1, 1000000},
    {"train", "seed", SEED, 0, AT(train.seed), 0, 0},
};

static void set_defaults(struct cairn_recipe *recipe)
{
    recipe->data.normalize = CAIRN_NORMALIZE_01;
    recipe->data.seed = 1;
    recipe->init.fallback.kind = CAIRN_INIT_HE;
    recipe->train.optimizer = CAIRN_OPTIMIZER_SGD;
    recipe->train.beta1 = 0.9f;
    recipe->train.beta2 = 0.999f;
    recipe->train.epsilon = 1e-8f;
    recipe->train.batch = 64;
    recipe->train.epochs = 10;
    recipe->train.seed = 1;
}

static cairn_status read_value(const struct field *f, size_t row, struct cairn_recipe *recipe)
{
    const char *text = f->t.text;
    void *to = (char *)recipe + schema[row].offset;
    int column = 0;
    switch (schema[row].type) {
    case DATASET:
        return read_dataset(f, to);
    case NORMALIZE:
        return read_normalize(f, to);
    case VALIDATION:
        return read_validation(f, to);
    case COUNT:
        if (cairn_text_int(text, schema[row].min, schema[row].max, to) == CAIRN_OK) return CAIRN_OK;
        return pass_on(f, 0);
    case SEED:
        return cairn_text_u64(text, to) == CAIRN_OK ? CAIRN_OK : pass_on(f, 0);
    case RATE:
    case WEIGHT:
        return read_float(f, 0, text, schema[row].type == RATE, INFINITY, to);
    case INIT:
        return cairn_init_parse(text, to, &column) == CAIRN_OK ? CAIRN_OK : pass_on(f, column);
    case LOSS:
        if (!strcmp(text, "cross-entropy")) return CAIRN_OK;
        return fail_field(f, 0, "accepted: cross-entropy");
    case OPTIMIZER:
        break;
    }
    return read_optimizer(f, recipe);
}

static cairn_status read_fields(const struct recipe_tree *tree, struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    struct field f = {.tree = tree};
    for (size_t i = 0; i < sizeof schema / sizeof *schema; i++) {
        const struct cairn_yaml *section = cairn_yaml_get(tree->root, schema[i].section);
        f.node = cairn_yaml_get(section, schema[i].key);
        if (!f.node && !schema[i].required) continue;
        if (!f.node) /* a section that a setting made stands nowhere */
            return cairn_yaml_fail(
                CAIRN_PARSE, tree->path, section && !section->origin ? section : tree->root,
                CAIRN_YAML_AT_VALUE, "%s.%s is missing", schema[i].section, schema[i].key);
        snprintf(f.name, sizeof f.name, "%s.%s", schema[i].section, schema[i].key);
        TRY(recipe_expand(tree, f.node, &f.t));
        TRY(read_value(&f, i, recipe));
    }
    if (recipe->init.conv.kind == CAIRN_INIT_UNSET) recipe->init.conv = recipe->init.fallback;
    if (recipe->init.linear.kind == CAIRN_INIT_UNSET) recipe->init.linear = recipe->init.fallback;
out:
    return st;
}

static cairn_status read_model(const struct recipe_tree *tree, struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    struct field f = {.tree = tree, .name = "model"};
    const struct cairn_yaml *model = cairn_yaml_get(tree->root, "model");
    size_t count = 0;
    for (f.node = model ? model->first : NULL; f.node; f.node = f.node->next) count++;
    if (count == 0)
        return cairn_yaml_fail(CAIRN_PARSE, tree->path, model ? model : tree->root,
                               CAIRN_YAML_AT_VALUE, "model: a list of layers is missing");
    recipe->layers = calloc(count, sizeof *recipe->layers);
    if (!recipe->layers) return cairn_fail(CAIRN_MEMORY, "no memory for the layers");
    for (f.node = model->first; f.node; f.node = f.node->next) {
        int column = 0;
        if (f.node->kind != CAIRN_YAML_TEXT)
            return cairn_yaml_fail(CAIRN_PARSE, tree->path, f.node, CAIRN_YAML_AT_VALUE,
                                   "model: a layer is one line: - linear 10");
        TRY(recipe_expand(tree, f.node, &f.t));
        if (cairn_layer_parse(f.t.text, &recipe->layers[recipe->layer_count], &column) != CAIRN_OK)
            return pass_on(&f, column);
        recipe->layer_count++;
    }
out:
    return st;
}

cairn_status cairn_recipe_read(const char *path_or_name, const char *const *sets, int set_count,
                               struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    char *text = NULL;
    size_t size;
    struct recipe_tree tree = {0};

    memset(recipe, 0, sizeof *recipe);
    set_defaults(recipe);
    TRY(find_recipe(path_or_name, &recipe->path));
    tree.path = recipe->path;
    TRY(cairn_file_read(recipe->path, &text, &size));
    TRY(cairn_yaml_parse(recipe->path, text, size, &tree.root));
    if (tree.root->kind != CAIRN_YAML_MAP) {
        st = cairn_yaml_fail(CAIRN_PARSE, tree.path, tree.root, CAIRN_YAML_AT_VALUE,
                             "a recipe has the sections vars, data, model, init and train");
        goto out;
    }
    for (int i = 0; i < set_count; i++) TRY(recipe_set(&tree, sets[i]));
    TRY(recipe_check(&tree));
    TRY(read_fields(&tree, recipe));
    TRY(read_model(&tree, recipe));
    TRY(recipe_write(recipe, &recipe->resolved));
out:
    cairn_yaml_free(tree.root);
    free(text);
    if (st != CAIRN_OK) cairn_recipe_free(recipe);
    return st;
}

void cairn_recipe_free(struct cairn_recipe *recipe)
{
    free(recipe->path);
    free(recipe->layers);
    free(recipe->resolved);
    memset(recipe, 0, sizeof *recipe);
}
