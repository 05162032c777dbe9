/* A report as Markdown: tables that can be pasted into an issue; no pictures and no charts. */
#include "report/html.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Text in a cell or a line: what Markdown or HTML would act on is escaped; one line. */
static void put_text(FILE *f, const char *text)
{
    for (; *text; text++) {
        if (strchr("\\`*_[]<>|&#~", *text))
            fprintf(f, "\\%c", *text);
        else
            putc((unsigned char)*text < ' ' || *text == 127 ? ' ' : *text, f);
    }
}

static void put_row(FILE *f, const char *name, const char *value)
{
    if (!*value) return;
    fputs("| ", f);
    put_text(f, name);
    fputs(" | ", f);
    put_text(f, value);
    fputs(" |\n", f);
}

/* The reason of a section that is missing; returns whether it is. */
static int put_missing(FILE *f, const struct cairn_story *story, const char *section)
{
    const char *why = cairn_story_missing(story, section);
    if (!why) return 0;
    put_text(f, why);
    fputs("\n\n", f);
    return 1;
}

static void put_training(FILE *f, const struct cairn_story *story)
{
    static const struct {
        const char *name, *path;
    } rows[] = {{"data set", "recipe.data.name"},
                {"normalize", "recipe.data.normalize"},
                {"loss", "recipe.train.loss"},
                {"optimizer", "recipe.train.optimizer"},
                {"learning rate", "recipe.train.learning_rate"},
                {"schedule", "recipe.train.schedule"},
                {"batch", "recipe.train.batch"},
                {"epochs", "recipe.train.epochs"},
                {"steps", "recipe.train.steps"},
                {"seed", "recipe.train.seed"},
                {"trained on", "summary.device"},
                {"driver", "summary.driver"},
                {"arithmetic", "summary.math"},
                {"Cairn", "summary.versions.cairn"}};
    const json_t *root = story->root;
    fputs("## What was trained\n\n", f);
    put_missing(f, story, "summary");
    fputs("| | |\n|---|---|\n", f);
    if (json_object_get(root, "test")) {
        put_row(f, "test accuracy",
                cairn_figure_percent(cairn_story_real(root, "test.accuracy")).text);
        put_row(f, "test loss", cairn_figure_real(cairn_story_real(root, "test.loss"), 4).text);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put_row(f, rows[i].name, cairn_story_words(root, rows[i].path));
    if (cairn_story_count(root, "parameters"))
        put_row(f, "parameters", cairn_figure_count(cairn_story_count(root, "parameters")).text);
    if (story->metrics.count)
        put_row(f, "training time",
                cairn_figure_time(cairn_story_real(root, "training_seconds")).text);
    putc('\n', f);
}

static void put_curves(FILE *f, const struct cairn_story *story)
{
    const struct cairn_metrics *m = &story->metrics;
    fputs("## Curves\n\n", f);
    if (put_missing(f, story, "metrics")) return;
    fputs(m->by_steps ? "| step |" : "| epoch |", f);
    for (int k = CAIRN_METRIC_LOSS; k <= CAIRN_METRIC_RATE; k++)
        if (cairn_metrics_has(m, (enum cairn_metric)k)) {
            putc(' ', f);
            put_text(f, cairn_metric_name((enum cairn_metric)k));
            fputs(" |", f);
        }
    fputs("\n|---:|", f);
    for (int k = CAIRN_METRIC_LOSS; k <= CAIRN_METRIC_RATE; k++)
        if (cairn_metrics_has(m, (enum cairn_metric)k)) fputs("---:|", f);
    for (int64_t i = 0; i < m->count; i++) {
        fprintf(f, "\n| %.0f |", cairn_metrics_x(m)[i]);
        for (int k = CAIRN_METRIC_LOSS; k <= CAIRN_METRIC_RATE; k++) {
            double v = m->columns[k][i];
            if (!cairn_metrics_has(m, (enum cairn_metric)k)) continue;
            if (!isfinite(v))
                fputs(" none |", f);
            else
                fprintf(f, k == CAIRN_METRIC_RATE ? " %.4g |" : " %.4f |", v);
        }
    }
    fputs("\n\n", f);
}

static void put_classes(FILE *f, const struct cairn_story *story)
{
    size_t i;
    json_t *row;
    const json_t *mean = json_object_get(story->root, "mean_of_classes");
    fputs("## Answers by class\n\n", f);
    if (!json_object_get(story->root, "classes")) {
        put_missing(f, story, "test");
        return;
    }
    fputs("| class | images | precision | recall | F1 |\n|---|---:|---:|---:|---:|\n", f);
    json_array_foreach(json_object_get(story->root, "classes"), i, row)
    {
        char number[24];
        fputs("| ", f);
        put_text(f, cairn_story_class(story, (int64_t)i, number));
        fprintf(f, " | %lld | %s | %s | %s |\n", (long long)cairn_story_count(row, "support"),
                cairn_figure_percent(cairn_story_real(row, "precision")).text,
                cairn_figure_percent(cairn_story_real(row, "recall")).text,
                cairn_figure_percent(cairn_story_real(row, "f1")).text);
    }
    fprintf(f, "| mean of the classes | %lld | %s | %s | %s |\n\n",
            (long long)cairn_story_count(story->root, "test.images"),
            cairn_figure_percent(cairn_story_real(mean, "precision")).text,
            cairn_figure_percent(cairn_story_real(mean, "recall")).text,
            cairn_figure_percent(cairn_story_real(mean, "f1")).text);
}

static void put_mistakes(FILE *f, const struct cairn_story *story)
{
    size_t i;
    json_t *row;
    const json_t *mistakes = json_object_get(story->root, "mistakes");
    if (json_array_size(mistakes) == 0) return;
    fputs(
        "## The surest mistakes\n\n| image | label | answer | probability |\n|---:|---|---|---:|\n",
        f);
    json_array_foreach(mistakes, i, row)
    {
        char text[2][24];
        fprintf(f, "| %lld | ", (long long)cairn_story_count(row, "index"));
        put_text(f, cairn_story_class(story, cairn_story_count(row, "label"), text[0]));
        fputs(" | ", f);
        put_text(f, cairn_story_class(story, cairn_story_count(row, "answer"), text[1]));
        fprintf(f, " | %s |\n", cairn_figure_percent(cairn_story_real(row, "probability")).text);
    }
    putc('\n', f);
}

static void put_layers(FILE *f, const struct cairn_story *story)
{
    size_t i;
    json_t *row, *value;
    const char *key;
    fputs("## Layers and memory\n\n", f);
    if (!json_object_get(story->root, "layers")) {
        put_missing(f, story, "net");
        return;
    }
    fputs("| # | layer | output | parameters |\n|---:|---|---|---:|\n", f);
    json_array_foreach(json_object_get(story->root, "layers"), i, row)
    {
        const json_t *out = json_object_get(row, "output");
        fprintf(f, "| %zu | ", i);
        put_text(f, cairn_story_words(row, "layer"));
        fprintf(f, " | %lldx%lldx%lld | %lld |\n",
                (long long)json_integer_value(json_array_get(out, 0)),
                (long long)json_integer_value(json_array_get(out, 1)),
                (long long)json_integer_value(json_array_get(out, 2)),
                (long long)cairn_story_count(row, "parameters"));
    }
    fputs("\n| memory for training | |\n|---|---:|\n", f);
    json_object_foreach(cairn_story_get(story->root, "memory.bytes"), key, value)
        put_row(f, key, cairn_figure_bytes((double)json_integer_value(value)).text);
    putc('\n', f);
}

static void put_profile(FILE *f, const struct cairn_story *story)
{
    size_t i;
    json_t *row;
    const json_t *p = json_object_get(story->root, "profile");
    fputs("## Where the time goes\n\n", f);
    if (put_missing(f, story, "profile") || !p) return;
    fprintf(f, "%s a step of %lld images on ",
            cairn_figure_time(cairn_story_real(p, "seconds_of_step")).text,
            (long long)cairn_story_count(p, "batch"));
    put_text(f, cairn_story_words(p, "device"));
    fputs(".\n\n| kernel | launches of a step | time |\n|---|---:|---:|\n", f);
    json_array_foreach(json_object_get(p, "kernels"), i, row)
    {
        fputs("| ", f);
        put_text(f, cairn_story_words(row, "kernel"));
        fprintf(f, " | %.4g | %s |\n", cairn_story_real(row, "launches"),
                cairn_figure_time(cairn_story_real(row, "seconds")).text);
    }
    putc('\n', f);
}

static void put_end(FILE *f, const struct cairn_story *story)
{
    size_t i;
    json_t *command;
    fputs("## Digests, and how to reproduce it\n\n", f);
    if (json_object_get(story->root, "summary"))
        fprintf(f, "tested weights `%s`, last weights `%s`\n\n",
                cairn_story_words(story->root, "summary.best_weights_sha256"),
                cairn_story_words(story->root, "summary.weights_sha256"));
    json_array_foreach(json_object_get(story->root, "commands"), i, command)
        fprintf(f, "    %s\n", json_string_value(command));
}

cairn_status cairn_story_markdown(const struct cairn_story *story, const char *path)
{
    cairn_status st = CAIRN_OK;
    struct cairn_file_writer writer = {.file = stdout};
    if (path) TRY(cairn_file_open(&writer, path));
    locale_t before = cairn_text_begin_plain();
    FILE *f = writer.file;
    fputs("# ", f);
    put_text(f, cairn_story_words(story->root, "name"));
    fputs("\n\n", f);
    put_training(f, story);
    put_curves(f, story);
    put_classes(f, story);
    put_mistakes(f, story);
    put_layers(f, story);
    put_profile(f, story);
    put_end(f, story);
    cairn_text_end_plain(before);
    if (path) return cairn_file_close(&writer, 1);
    if (fflush(stdout) != 0 || ferror(stdout))
        st = cairn_fail_errno(CAIRN_IO, "writing to standard output");
out:
    return st;
}
