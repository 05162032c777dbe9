/* A report as HTML: the lead, what was trained, curves, the device, how to reproduce it. */
#include "report/html.h"

#include "base/error.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

int cairn_html_missing(struct cairn_page *page, const struct cairn_story *story,
                       const char *section)
{
    const char *why = cairn_story_missing(story, section);
    if (why) cairn_page_note(page, "%s", why);
    return why != NULL;
}

const char *cairn_story_class(const struct cairn_story *story, int64_t class, char text[24])
{
    const json_t *names = cairn_story_get(story->root, "data.class_names");
    const char *name = json_string_value(json_array_get(names, (size_t) class));
    if (name) return name;
    snprintf(text, 24, "%lld", (long long)class);
    return text;
}

/* --- the lead --- */

static void put_lead(struct cairn_page *page, const struct cairn_story *story)
{
    const json_t *root = story->root;
    const char *data = cairn_story_words(root, "recipe.data.name"),
               *device = cairn_story_words(root, "summary.device"),
               *state = cairn_story_words(root, "state");
    double speed = cairn_story_real(root, "summary.samples_per_second");
    char epochs[64];
    if (*device)
        cairn_page_subtitle(page, "A training on %s by Cairn %s, in %s arithmetic on %s", data,
                            cairn_story_words(root, "summary.versions.cairn"),
                            cairn_story_words(root, "summary.math"), device);
    else
        cairn_page_subtitle(page, "A training on %s by Cairn, %s", data,
                            strcmp(state, "begun") ? "not finished yet" : "just begun");
    if (!strcmp(state, "begun") && !json_object_get(root, "test")) return;
    cairn_page_begin_keys(page);
    if (json_object_get(root, "test")) {
        cairn_page_key(page, cairn_figure_percent(cairn_story_real(root, "test.accuracy")).text,
                       "test accuracy");
        cairn_page_key(page, cairn_figure_real(cairn_story_real(root, "test.loss"), 4).text,
                       "test loss");
    }
    if (*device) {
        snprintf(epochs, sizeof epochs, "%lld of %lld",
                 (long long)cairn_story_count(root, "summary.best_epoch"),
                 (long long)cairn_story_count(root, "summary.epochs"));
        cairn_page_key(page, epochs, "best epoch");
    }
    if (cairn_story_count(root, "parameters"))
        cairn_page_key(page, cairn_figure_count(cairn_story_count(root, "parameters")).text,
                       "parameters");
    if (story->metrics.count)
        cairn_page_key(page, cairn_figure_time(cairn_story_real(root, "training_seconds")).text,
                       "training time");
    if (speed >= 0 && speed < 1e15)
        cairn_page_key(page, cairn_figure_count((int64_t)speed).text, "images a second");
    cairn_page_end_keys(page);
}

/* --- what was trained --- */

static void put_data(struct cairn_page *page, const struct cairn_story *story)
{
    const json_t *data = json_object_get(story->root, "data");
    const json_t *image = json_object_get(data, "image");
    cairn_page_fact(page, "data set", "%s", cairn_story_words(story->root, "recipe.data.name"));
    if (!data) return;
    int64_t c = json_integer_value(json_array_get(image, 0));
    cairn_page_fact(page, "images", "%lld\xc3\x97%lld, %s, %lld classes",
                    (long long)json_integer_value(json_array_get(image, 1)),
                    (long long)json_integer_value(json_array_get(image, 2)),
                    c == 3   ? "RGB"
                    : c == 1 ? "gray"
                             : "of several channels",
                    (long long)cairn_story_count(data, "classes"));
    cairn_page_fact(page, "of these", "%s to train, %s to validate, %s to test",
                    cairn_figure_count(cairn_story_count(data, "train_images")).text,
                    cairn_figure_count(cairn_story_count(data, "validation_images")).text,
                    cairn_figure_count(cairn_story_count(data, "test_images")).text);
}

/* The settings of the recipe that are not at rest: "0", "none", "no", "constant" say nothing. */
static void put_settings(struct cairn_page *page, const json_t *section, const char *const *keys)
{
    for (int i = 0; keys[i]; i++) {
        char name[64];
        const char *value = cairn_story_words(section, keys[i]);
        if (!*value || !strcmp(value, "0") || !strcmp(value, "none") || !strcmp(value, "no") ||
            !strcmp(value, "0x0") || !strcmp(value, "shift=0x0 flip=no rotate=0") ||
            (!strcmp(keys[i], "accumulate") && !strcmp(value, "1")))
            continue;
        snprintf(name, sizeof name, "%s", keys[i]);
        for (char *p = name; *p; p++)
            if (*p == '_') *p = ' ';
        cairn_page_fact(page, name, "%s", value);
    }
}

static void put_training(struct cairn_page *page, const struct cairn_story *story)
{
    static const char *const before[] = {"normalize", "pad", "patches", "augment", NULL};
    static const char *const after[] = {
        "loss",   "smoothing", "class_weights", "optimizer", "learning_rate", "schedule",
        "l1",     "l2",        "decay",         "clip",      "accumulate",    "batch",
        "epochs", "steps",     "patience",      "keep",      "seed",          NULL};
    const json_t *summary = json_object_get(story->root, "summary");
    cairn_page_section(page, "training", "What was trained");
    cairn_html_missing(page, story, "summary");
    cairn_page_begin_facts(page);
    put_data(page, story);
    put_settings(page, cairn_story_get(story->root, "recipe.data"), before);
    put_settings(page, cairn_story_get(story->root, "recipe.train"), after);
    if (summary) {
        cairn_page_fact(page, "done", "%s steps in %lld epochs; the weights of step %s were tested",
                        cairn_figure_count(cairn_story_count(summary, "steps")).text,
                        (long long)cairn_story_count(summary, "epochs"),
                        cairn_figure_count(cairn_story_count(summary, "best_step")).text);
        cairn_page_fact(
            page, "trained on", "%s (%s, driver %s)", cairn_story_words(summary, "device"),
            cairn_story_words(summary, "platform"), cairn_story_words(summary, "driver"));
        cairn_page_fact(page, "arithmetic", "%s, version %lld; Cairn %s",
                        cairn_story_words(summary, "math"),
                        (long long)cairn_story_count(summary, "versions.arithmetic"),
                        cairn_story_words(summary, "versions.cairn"));
    }
    cairn_page_end_facts(page);
    cairn_page_begin_details(page, "The whole recipe");
    cairn_page_code(page, cairn_story_words(story->root, "recipe.text"));
    cairn_page_end_details(page);
}

/* --- curves --- */

static void put_metrics(struct cairn_page *page, const struct cairn_metrics *m)
{
    static const struct cairn_page_column columns[] = {{"epoch", 1},
                                                       {"step", 1},
                                                       {"train loss", 1},
                                                       {"validation loss", 1},
                                                       {"test loss", 1},
                                                       {"train accuracy, %", 1},
                                                       {"validation accuracy, %", 1},
                                                       {"test accuracy, %", 1},
                                                       {"learning rate", 1},
                                                       {"seconds", 1},
                                                       {"images a second", 1}};
    struct cairn_page_column used[CAIRN_METRIC_COUNT];
    int keys[CAIRN_METRIC_COUNT] = {0}, count = 0;
    for (int k = 0; k < CAIRN_METRIC_COUNT; k++)
        if (cairn_metrics_has(m, (enum cairn_metric)k)) {
            keys[count] = k;
            used[count++] = columns[k];
        }
    cairn_page_begin_details(page, "The same as a table");
    cairn_page_begin_table(page, "Each evaluation of the training", used, count);
    for (int64_t i = 0; i < m->count; i++) {
        cairn_page_row(page);
        for (int j = 0; j < count; j++) {
            double v = m->columns[keys[j]][i];
            int accuracy = keys[j] >= CAIRN_METRIC_ACCURACY && keys[j] < CAIRN_METRIC_RATE;
            if (keys[j] <= CAIRN_METRIC_STEP)
                cairn_page_cell(page, "%.0f", v);
            else if (keys[j] == CAIRN_METRIC_RATE)
                cairn_page_cell(page, "%.4g", v);
            else if (accuracy)
                cairn_page_cell(page, "%s", cairn_figure_real(100 * v, 2).text);
            else
                cairn_page_cell(page, "%s",
                                cairn_figure_real(v, keys[j] == CAIRN_METRIC_SPEED     ? 0
                                                     : keys[j] == CAIRN_METRIC_SECONDS ? 1
                                                                                       : 4)
                                    .text);
        }
    }
    cairn_page_end_table(page);
    cairn_page_end_details(page);
}

cairn_status cairn_html_curves(struct cairn_page *page, const struct cairn_story *story)
{
    static const struct {
        enum cairn_metric metric;
        const char *id, *caption;
    } charts[] = {
        {CAIRN_METRIC_LOSS, "loss",
         "Of training: the mean over the images since the evaluation before, each with the weights "
         "that its batch met. Validation and test: with the weights at that point."},
        {CAIRN_METRIC_ACCURACY, "accuracy", "Of the same images, the share with the right answer."},
        {CAIRN_METRIC_RATE, "rate", "Of the last step before each evaluation."},
    };
    cairn_status st = CAIRN_OK;
    cairn_page_section(page, "curves", "Curves");
    if (cairn_html_missing(page, story, "metrics")) return st;
    cairn_page_begin_figures(page);
    for (int i = 0; i < 3; i++) {
        if (i == 2 && !cairn_metrics_has(&story->metrics, charts[i].metric)) continue;
        cairn_page_begin_figure(page, "");
        TRY(cairn_metrics_draw(page->body, &story->metrics, charts[i].metric, charts[i].id));
        cairn_page_end_figure(page, "%s", charts[i].caption);
    }
    put_metrics(page, &story->metrics);
    cairn_page_end_figures(page);
out:
    return st;
}

/* --- the device, and the way back --- */

static void put_device(struct cairn_page *page, const struct cairn_story *story)
{
    const json_t *d = json_object_get(story->root, "device"), *exact = json_object_get(d, "exact");
    cairn_page_section(page, "device", "Device");
    if (cairn_html_missing(page, story, "device") || !d) {
        if (!d) cairn_page_note(page, "Nothing was measured, so no device was opened.");
        return;
    }
    cairn_page_paragraph(page, "What this report was measured on. What the run was trained on is "
                               "told at the beginning.");
    cairn_page_begin_facts(page);
    cairn_page_fact(page, "name", "%s", cairn_story_words(d, "name"));
    cairn_page_fact(page, "selected by", "%s", cairn_story_words(d, "spec"));
    cairn_page_fact(page, "kind", "%s", cairn_story_words(d, "type"));
    if (*cairn_story_words(d, "platform"))
        cairn_page_fact(page, "platform", "%s", cairn_story_words(d, "platform"));
    if (*cairn_story_words(d, "vendor"))
        cairn_page_fact(page, "vendor", "%s", cairn_story_words(d, "vendor"));
    if (*cairn_story_words(d, "driver"))
        cairn_page_fact(page, "driver", "%s", cairn_story_words(d, "driver"));
    if (*cairn_story_words(d, "version"))
        cairn_page_fact(page, "OpenCL", "%s", cairn_story_words(d, "version"));
    if (cairn_story_count(d, "compute_units"))
        cairn_page_fact(page, "compute units", "%lld",
                        (long long)cairn_story_count(d, "compute_units"));
    if (cairn_story_count(d, "max_work_group"))
        cairn_page_fact(page, "largest work-group", "%lld",
                        (long long)cairn_story_count(d, "max_work_group"));
    if (cairn_story_count(d, "global_bytes"))
        cairn_page_fact(page, "memory", "%s; %s in one buffer; %s local",
                        cairn_figure_bytes((double)cairn_story_count(d, "global_bytes")).text,
                        cairn_figure_bytes((double)cairn_story_count(d, "max_alloc_bytes")).text,
                        cairn_figure_bytes((double)cairn_story_count(d, "local_bytes")).text);
    if (*cairn_story_words(d, "features"))
        cairn_page_fact(page, "floats", "%s", cairn_story_words(d, "features"));
    if (!json_is_null(exact))
        cairn_page_fact(
            page, "probe", "%s%s",
            json_is_true(exact) ? "every hard case of the exact arithmetic is right" : "not exact",
            json_is_true(json_object_get(d, "integer_fma")) ? ", with an fma of integers" : "");
    if (*cairn_story_words(d, "avoided"))
        cairn_page_fact(page, "variants that failed here", "%s", cairn_story_words(d, "avoided"));
    cairn_page_end_facts(page);
}

static void put_digests(struct cairn_page *page, const struct cairn_story *story)
{
    const json_t *summary = json_object_get(story->root, "summary"),
                 *file = json_object_get(story->root, "weights_file"),
                 *same = json_object_get(file, "as_in_summary");
    cairn_page_begin_facts(page);
    if (summary) {
        cairn_page_fact_code(page, "tested weights, SHA-256",
                             cairn_story_words(summary, "best_weights_sha256"));
        cairn_page_fact_code(page, "last weights, SHA-256",
                             cairn_story_words(summary, "weights_sha256"));
    }
    if (file && json_is_boolean(same))
        cairn_page_fact(page, cairn_story_words(file, "file"), "%s",
                        json_is_true(same)
                            ? "read again for this report: it holds the tested weights, bit for bit"
                            : "read again for this report: NOT the weights that the summary names");
    else if (file)
        cairn_page_fact_code(page, cairn_story_words(file, "file"),
                             cairn_story_words(file, "sha256"));
    cairn_page_end_facts(page);
}

static void put_reproduction(struct cairn_page *page, const struct cairn_story *story)
{
    size_t i;
    json_t *command;
    char text[4096] = "";
    cairn_page_section(page, "reproduce", "Digests, and how to reproduce it");
    put_digests(page, story);
    cairn_page_paragraph(
        page, "%s",
        strcmp(cairn_story_words(story->root, "recipe.train.seed"), "") &&
                strcmp(cairn_story_words(story->root, "summary.math"), "fast")
            ? "In exact arithmetic the recipe and the data decide every bit of the weights: on "
              "whatever device it is trained again, it ends in the same digests."
            : "In fast arithmetic another device may give other bits; exact arithmetic does not.");
    json_array_foreach(json_object_get(story->root, "commands"), i, command)
    {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "%s\n", json_string_value(command));
    }
    cairn_page_code(page, text);
}

/* --- all of it --- */

cairn_status cairn_story_html(const struct cairn_story *story, const char *path)
{
    cairn_status st = CAIRN_OK;
    struct cairn_page page;
    TRY(cairn_page_begin(&page, cairn_story_words(story->root, "name")));
    put_lead(&page, story);
    put_training(&page, story);
    TRY(cairn_html_curves(&page, story));
    TRY(cairn_html_answers(&page, story));
    cairn_html_mistakes(&page, story);
    cairn_html_inside(&page, story);
    TRY(cairn_html_layers(&page, story));
    TRY(cairn_html_profile(&page, story));
    put_device(&page, story);
    put_reproduction(&page, story);
    TRY(cairn_page_finish(&page, path));
out:
    cairn_page_free(&page);
    return st;
}
