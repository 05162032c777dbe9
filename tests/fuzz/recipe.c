/* Recipes, and settings for them: an input is a recipe, or a folder of recipe.yaml and `sets`, a
 * setting in each line. One that is accepted is written out, reads back to the same, and can be
 * described. */
#include "fuzz.h"
#include "train/recipe.h"
#include <cairn/train.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define SETS 8

static int split(char *text, const char *lines[SETS])
{
    int count = 0;
    for (char *at = strtok(text, "\n"); at && count < SETS; at = strtok(NULL, "\n"))
        lines[count++] = at;
    return count;
}

/* Reading the resolved text again changes nothing. */
static void read_back(const char *resolved)
{
    struct cairn_recipe again;
    const char *path = fuzz_put("again.yaml", resolved, strlen(resolved));
    FUZZ_ASSERT(cairn_recipe_read(path, NULL, 0, &again) == CAIRN_OK);
    FUZZ_ASSERT(!strcmp(again.resolved, resolved));
    cairn_recipe_free(&again);
}

static void describe(const char *path, const char *const *sets, int count)
{
    struct cairn_summary summary;
    struct cairn_compute compute = {.device = "reference"};
    cairn_status st = cairn_summarize(path, sets, count, 0, &compute, &summary);
    fuzz_told(st, NULL);
    if (st != CAIRN_OK) return;
    FUZZ_ASSERT(summary.parameters > 0 && summary.weights_bytes > 0 &&
                summary.gradients_bytes > 0 && summary.moments_bytes >= 0 &&
                summary.activations_bytes > 0 && summary.data_bytes > 0 && summary.other_bytes > 0);
    FUZZ_ASSERT(summary.total_bytes >= summary.weights_bytes + summary.activations_bytes);
    cairn_summary_free(&summary);
    fuzz_accept();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *lines[SETS], *path;
    char *sets = NULL;
    size_t sets_size;
    int count = 0, is_folder = size > 4 && !memcmp(data, "=== ", 4);
    if (is_folder) {
        fuzz_unpack("recipe", data, size);
        path = fuzz_path("recipe/recipe.yaml");
        if (cairn_file_read(fuzz_path("recipe/sets"), &sets, &sets_size) == CAIRN_OK)
            count = split(sets, lines);
    } else {
        path = fuzz_put("recipe.yaml", data, size);
    }
    char *kept = strdup(path);
    struct cairn_recipe recipe;
    cairn_status st = cairn_recipe_read(kept, lines, count, &recipe);
    fuzz_told(st, count ? NULL : kept);
    if (st == CAIRN_OK) {
        read_back(recipe.resolved);
        describe(kept, lines, count);
    }
    cairn_recipe_free(&recipe);
    free(kept);
    free(sets);
    return 0;
}
