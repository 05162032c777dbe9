#include "train/recipe.h"

#include "base/error.h"
#include "base/file.h"
#include "base/installed.h"
#include "train/recipe_fields.h"
#include "train/recipe_rules.h"
#include "train/recipe_value.h"
#include "train/recipe_write.h"
#include <cairn/train.h>
#include <dirent.h>
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

/* Where recipes are looked for by name, in this order; NULL or empty where there is no such place.
 */
#define PLACES 3
struct places {
    const char *folders[PLACES];
    char *installed; /* to be freed */
};

static struct places find_places(void)
{
    char *installed = cairn_installed_path(CAIRN_RECIPES);
    return (struct places){{getenv("CAIRN_RECIPE_DIR"), "data/recipes", installed}, installed};
}

static cairn_status find_recipe(const char *path_or_name, char **path)
{
    cairn_status st = CAIRN_OK;
    struct places places = find_places();
    char looked[512] = "";
    int given = is_path(path_or_name);
    *path = NULL;
    for (size_t i = 0; !given && !*path && i < PLACES; i++) {
        const char *folder = places.folders[i];
        if (!folder || !*folder) continue;
        size_t n = strlen(looked);
        snprintf(looked + n, sizeof looked - n, "%s%s", n ? ", " : "", folder);
        *path = find_in(folder, path_or_name);
    }
    if (*path) goto out;
    if (!given && !cairn_file_exists(path_or_name)) {
        st = cairn_fail(CAIRN_NOT_FOUND,
                        "there is no recipe '%s': neither a file of that name nor %s.yaml in %s",
                        path_or_name, path_or_name, looked);
        goto out;
    }
    *path = strdup(path_or_name);
    if (!*path) st = cairn_fail(CAIRN_MEMORY, "no memory for a path");
out:
    free(places.installed);
    return st;
}

/* The name of NAME.yaml in a folder, if it is the recipe that is found by it. */
static int is_found(const char *folder, const char *file, char *name, size_t size)
{
    char *path = NULL, *first = NULL;
    size_t n = strlen(file);
    if (n < 6 || n >= size || strcmp(file + n - 5, ".yaml") != 0) return 0;
    snprintf(name, size, "%.*s", (int)(n - 5), file);
    path = find_in(folder, name);
    int found = path && find_recipe(name, &first) == CAIRN_OK && !strcmp(path, first);
    free(first);
    free(path);
    return found;
}

void cairn_recipe_names(void (*each)(void *context, const char *name), void *context)
{
    struct places places = find_places();
    char name[256];
    for (int i = 0; i < PLACES; i++) {
        const char *place = places.folders[i];
        DIR *folder = place && *place ? opendir(place) : NULL;
        for (struct dirent *entry; folder && (entry = readdir(folder));)
            if (is_found(place, entry->d_name, name, sizeof name)) each(context, name);
        if (folder) closedir(folder);
    }
    free(places.installed);
}

static cairn_status read_model(const struct recipe_tree *tree, struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    struct recipe_field f = {.tree = tree, .name = "model"};
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
            return recipe_pass_on(&f, column);
        recipe->layer_count++;
    }
out:
    return st;
}

/* The recipe of a text; its path is set. */
static cairn_status read_text(const char *text, size_t size, const char *const *sets, int set_count,
                              struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    struct recipe_tree tree = {.path = recipe->path};
    TRY(cairn_yaml_parse(recipe->path, text, size, &tree.root));
    if (tree.root->kind != CAIRN_YAML_MAP) {
        st = cairn_yaml_fail(CAIRN_PARSE, tree.path, tree.root, CAIRN_YAML_AT_VALUE,
                             "a recipe has the sections vars, data, model, init and train");
        goto out;
    }
    for (int i = 0; i < set_count; i++) TRY(recipe_set(&tree, sets[i]));
    TRY(recipe_check(&tree));
    recipe_set_defaults(recipe);
    TRY(recipe_read_fields(&tree, recipe));
    TRY(recipe_check_rules(&tree, recipe));
    TRY(read_model(&tree, recipe));
    TRY(recipe_write(recipe, &recipe->resolved));
out:
    cairn_yaml_free(tree.root);
    return st;
}

cairn_status cairn_recipe_read(const char *path_or_name, const char *const *sets, int set_count,
                               struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    char *text = NULL;
    size_t size;
    memset(recipe, 0, sizeof *recipe);
    TRY(find_recipe(path_or_name, &recipe->path));
    TRY(cairn_file_read_text(recipe->path, "recipe", &text, &size));
    TRY(read_text(text, size, sets, set_count, recipe));
out:
    free(text);
    if (st != CAIRN_OK) cairn_recipe_free(recipe);
    return st;
}

cairn_status cairn_recipe_parse(const char *name, const char *text, const char *const *sets,
                                int set_count, struct cairn_recipe *recipe)
{
    memset(recipe, 0, sizeof *recipe);
    recipe->path = strdup(name);
    if (!recipe->path) return cairn_fail(CAIRN_MEMORY, "no memory for a path");
    cairn_status st = read_text(text, strlen(text), sets, set_count, recipe);
    if (st != CAIRN_OK) cairn_recipe_free(recipe);
    return st;
}

cairn_status cairn_recipe_replace(struct cairn_recipe *recipe, struct cairn_layer *layers,
                                  int count)
{
    char *resolved = NULL;
    struct cairn_layer *old = recipe->layers;
    int old_count = recipe->layer_count;
    recipe->layers = layers;
    recipe->layer_count = count;
    cairn_status st = recipe_write(recipe, &resolved);
    if (st != CAIRN_OK) {
        recipe->layers = old;
        recipe->layer_count = old_count;
        return st;
    }
    free(old);
    free(recipe->resolved);
    recipe->resolved = resolved;
    return CAIRN_OK;
}

void cairn_recipe_free(struct cairn_recipe *recipe)
{
    free(recipe->path);
    free(recipe->layers);
    free(recipe->train.class_weights);
    free(recipe->resolved);
    memset(recipe, 0, sizeof *recipe);
}
