/* What a run's folder tells by itself: recipe, summary, metrics. */
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "report/story.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the recipe --- */

/* The lines "  KEY: VALUE" of a section of a resolved recipe, as texts. */
static json_t *read_section(const char *text, const char *section)
{
    json_t *object = json_object();
    char head[32], key[64];
    snprintf(head, sizeof head, "\n%s:\n", section);
    const char *at = strncmp(text, head + 1, strlen(head) - 1) ? strstr(text, head) : text - 1;
    if (at) at += strlen(head);
    for (const char *end; at && !strncmp(at, "  ", 2) && (end = strchr(at, '\n')); at = end + 1) {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        if (!colon || colon[1] != ' ' || at[2] == ' ' || colon - at - 2 >= (long)sizeof key)
            continue;
        snprintf(key, sizeof key, "%.*s", (int)(colon - at - 2), at + 2);
        json_object_set_new(object, key, json_stringn(colon + 2, (size_t)(end - colon - 2)));
    }
    return object;
}

static cairn_status tell_recipe(struct cairn_story *story, struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    const char *run = story->options->run;
    TRY(cairn_trained_recipe(run, recipe));
    if (recipe->train.folds > 0 && !cairn_story_has(run, "model.safetensors") &&
        !cairn_story_has(run, "last.safetensors")) {
        st = cairn_fail(CAIRN_INVALID,
                        "%s is a whole cross-validation: give one of its folds, %s/fold-1", run,
                        run);
        goto out;
    }
    cairn_story_put(story, "recipe",
                    json_pack("{s:o s:o s:o}", "data", read_section(recipe->resolved, "data"),
                              "train", read_section(recipe->resolved, "train"), "text",
                              cairn_story_text(recipe->resolved)));
out:
    return st;
}

/* --- the summary --- */

/* A number of things: so few that those of a matrix can be added. */
static int is_count(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0 &&
           json_integer_value(value) <= INT64_MAX >> 16;
}

/* What a report needs of a summary. */
static cairn_status check_summary(const json_t *summary, const char *path)
{
    static const char *const numbers[] = {"best_epoch",   "epochs",      "steps",
                                          "train_images", "test_images", NULL};
    static const char *const texts[] = {
        "data", "device", "driver", "math", "weights_sha256", "best_weights_sha256", NULL};
    static const char *const reals[] = {"test_loss", "test_accuracy", NULL}; /* null: a NaN */
    const char *bad = NULL;
    for (int i = 0; numbers[i]; i++)
        if (!is_count(json_object_get(summary, numbers[i]))) bad = numbers[i];
    for (int i = 0; reals[i]; i++) {
        const json_t *value = json_object_get(summary, reals[i]);
        if (!json_is_number(value) && !json_is_null(value)) bad = reals[i];
    }
    for (int i = 0; texts[i]; i++)
        if (!json_is_string(json_object_get(summary, texts[i]))) bad = texts[i];
    size_t n = json_array_size(json_object_get(summary, "confusion")), i;
    json_t *row;
    json_array_foreach(json_object_get(summary, "confusion"), i, row)
    {
        size_t j;
        json_t *count;
        if (json_array_size(row) != n) bad = "confusion";
        json_array_foreach(row, j, count) if (!is_count(count)) bad = "confusion";
    }
    if (n == 0 || n > CAIRN_RECIPE_CLASSES) bad = "confusion";
    if (!bad) return CAIRN_OK;
    return cairn_fail(CAIRN_FORMAT, "%s: '%s' is missing, or not what a summary has there", path,
                      bad);
}

static cairn_status read_summary(const char *path, json_t **summary)
{
    cairn_status st = CAIRN_OK;
    char *text = NULL;
    size_t size;
    json_error_t error;
    *summary = NULL;
    st = cairn_file_read_text(path, "summary", &text, &size);
    if (st != CAIRN_OK) return st;
    *summary = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!*summary)
        st = cairn_fail(CAIRN_FORMAT, "%s:%d: %s", path, error.line, error.text);
    else
        st = check_summary(*summary, path);
    free(text);
    if (st == CAIRN_OK) return st;
    json_decref(*summary);
    *summary = NULL;
    return st;
}

static cairn_status tell_summary(struct cairn_story *story)
{
    const char *run = story->options->run;
    json_t *summary;
    char *path = cairn_file_join(run, "summary.json");
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_status st = read_summary(path, &summary);
    free(path);
    cairn_story_put(story, "state",
                    json_string(st == CAIRN_OK                             ? "finished"
                                : cairn_story_has(run, "last.safetensors") ? "interrupted"
                                                                           : "begun"));
    if (st == CAIRN_OK) cairn_story_put(story, "summary", summary);
    if (st != CAIRN_NOT_FOUND) return st;
    cairn_story_miss(story, "summary",
                     "The training is not finished: there is no summary.json, and so no result of "
                     "its end.");
    return CAIRN_OK;
}

/* --- the metrics --- */

static json_t *metric(const struct cairn_metrics *m, int k, int64_t i)
{
    double v = m->columns[k][i];
    if (k <= CAIRN_METRIC_STEP && isfinite(v) && fabs(v) < 1e15) return json_integer((json_int_t)v);
    return cairn_story_number(v);
}

static cairn_status tell_metrics(struct cairn_story *story, int by_steps)
{
    struct cairn_metrics *m = &story->metrics;
    cairn_status st = cairn_metrics_read(story->options->run, by_steps, m);
    json_t *rows = json_array();
    double seconds = 0;
    if (st == CAIRN_NOT_FOUND) {
        cairn_story_miss(story, "metrics", "There is no metrics.jsonl: nothing was evaluated yet.");
        st = CAIRN_OK;
    }
    for (int64_t i = 0; i < m->count && st == CAIRN_OK; i++) {
        json_t *row = json_object();
        for (int k = 0; k < CAIRN_METRIC_COUNT; k++)
            json_object_set_new(row, cairn_metric_name((enum cairn_metric)k), metric(m, k, i));
        json_array_append_new(rows, row);
        if (isfinite(m->columns[CAIRN_METRIC_SECONDS][i]))
            seconds += m->columns[CAIRN_METRIC_SECONDS][i];
    }
    cairn_story_put(story, "axis", json_string(by_steps ? "steps" : "epochs"));
    cairn_story_put(story, "metrics", rows);
    cairn_story_put(story, "training_seconds", cairn_story_number(seconds));
    return st;
}

/* --- all of it --- */

/* The last part of a path: "runs/mnist-mlp4/" is mnist-mlp4. */
static void name_of(const char *path, char *name, size_t size)
{
    size_t n = strlen(path), from;
    while (n > 1 && path[n - 1] == '/') n--;
    for (from = n; from > 0 && path[from - 1] != '/';) from--;
    snprintf(name, size, "%.*s", (int)(n - from), path + from);
}

static void put_word(FILE *f, const char *word)
{
    char quoted[4 * 4096 + 3]; /* four times the longest path that was opened, and the quotes */
    cairn_text_shell(quoted, sizeof quoted, word);
    fprintf(f, " %s", quoted);
}

/* The command, the run's folder with `file` behind it, and the options. */
static json_t *command(const struct cairn_story *story, const char *verb, const char *file,
                       const char *options)
{
    char *text = NULL;
    size_t size;
    json_t *value = NULL;
    char *path = *file ? cairn_file_join(story->options->run, file) : strdup(story->options->run);
    FILE *f = path ? open_memstream(&text, &size) : NULL;
    if (f) {
        fprintf(f, "cairn %s", verb);
        put_word(f, path);
        if (story->options->compute.data_dir) {
            fputs(" --data-dir", f);
            put_word(f, story->options->compute.data_dir);
        }
        fputs(options, f);
        if (fclose(f) == 0) value = cairn_story_text(text);
    }
    free(text);
    free(path);
    return value;
}

static void tell_commands(struct cairn_story *story)
{
    int fast = !strcmp(cairn_story_words(story->root, "summary.math"), "fast");
    cairn_story_put(story, "commands",
                    json_pack("[o,o]",
                              command(story, "train", "recipe.yaml",
                                      fast ? " --math fast --out again" : " --out again"),
                              command(story, "eval", "", fast ? " --math fast" : "")));
}

cairn_status cairn_story_run(struct cairn_story *story)
{
    cairn_status st = CAIRN_OK;
    struct cairn_recipe recipe = {0};
    char name[256];
    name_of(story->options->run, name, sizeof name);
    cairn_story_put(story, "run", cairn_story_text(story->options->run));
    cairn_story_put(story, "name", cairn_story_text(name));
    TRY(tell_recipe(story, &recipe));
    TRY(tell_summary(story));
    TRY(tell_metrics(story, recipe.train.evaluate_steps > 0));
    tell_commands(story);
out:
    cairn_recipe_free(&recipe);
    return st;
}
