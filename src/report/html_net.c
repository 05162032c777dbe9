/* Sections about the net: weights and activations, layers and memory, the profile. */
#include "report/html.h"

#include "base/error.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BARS 14 /* kernels that are drawn */

/* --- weights and activations --- */

static void put_picture(struct cairn_page *page, const json_t *from, const char *key,
                        const char *alt)
{
    const json_t *pixels = json_object_get(from, "pixels");
    int64_t h = json_integer_value(json_array_get(pixels, 0)),
            w = json_integer_value(json_array_get(pixels, 1)), most = 560;
    int64_t shown = w > most ? most : w;
    cairn_page_picture(page, cairn_story_words(from, key), shown, w > 0 ? h * shown / w : h, 0,
                       alt);
}

static void put_weights(struct cairn_page *page, const json_t *w)
{
    char alt[256];
    const json_t *shape = json_object_get(w, "shape");
    long long count = (long long)cairn_story_count(w, "pictures"),
              all = (long long)cairn_story_count(w, "of");
    snprintf(alt, sizeof alt, "%lld pictures of the weights of layer %lld, %s", count,
             (long long)cairn_story_count(w, "layer"), cairn_story_words(w, "text"));
    cairn_page_heading(page, "Weights of the first layer that has some");
    cairn_page_begin_figure(page, "");
    put_picture(page, w, "picture", alt);
    cairn_page_end_figure(
        page,
        "Layer %lld, \xe2\x80\x9c%s\xe2\x80\x9d: %s%lld \xc3\x97 (%lld\xc3\x97%lld)%s. Black is "
        "%.4g, middle gray 0, white %.4g; the weights lie from %.4g to %.4g.",
        (long long)cairn_story_count(w, "layer"), cairn_story_words(w, "text"),
        count < all ? "the first " : "", count,
        (long long)json_integer_value(json_array_get(shape, 1)),
        (long long)json_integer_value(json_array_get(shape, 2)),
        json_integer_value(json_array_get(shape, 0)) == 3 ? " RGB" : "",
        -cairn_story_real(w, "white"), cairn_story_real(w, "white"), cairn_story_real(w, "least"),
        cairn_story_real(w, "largest"));
    if (count < all)
        cairn_page_paragraph(
            page, "There are %lld in all: `cairn inspect RUN --weights` draws them.", all);
}

static void put_activations(struct cairn_page *page, const json_t *a)
{
    char alt[256];
    const json_t *shape = json_object_get(a, "shape");
    long long layer = (long long)cairn_story_count(a, "layer");
    cairn_page_heading(page, "Activations of an example");
    cairn_page_begin_figure(page, "");
    snprintf(alt, sizeof alt, "The image %.200s", cairn_story_words(a, "image"));
    cairn_page_picture(page, cairn_story_words(a, "image_picture"), 96, 96, 1, alt);
    fputs("<br>\n", page->body);
    snprintf(alt, sizeof alt, "%lld activation maps of layer %lld, %s",
             (long long)cairn_story_count(a, "pictures"), layer, cairn_story_words(a, "text"));
    put_picture(page, a, "picture", alt);
    cairn_page_end_figure(
        page,
        "Above the image %s%s%s; below what layer %lld, \xe2\x80\x9c%s\xe2\x80\x9d, makes of it: "
        "%lld \xc3\x97 (%lld\xc3\x97%lld), each from %.4g (black) to %.4g (white).",
        cairn_story_words(a, "image"), *cairn_story_words(a, "label") ? ", labelled " : "",
        cairn_story_words(a, "label"), layer, cairn_story_words(a, "text"),
        (long long)cairn_story_count(a, "pictures"),
        (long long)json_integer_value(json_array_get(shape, 0)),
        (long long)json_integer_value(json_array_get(shape, 1)), cairn_story_real(a, "least"),
        cairn_story_real(a, "largest"));
}

void cairn_html_inside(struct cairn_page *page, const struct cairn_story *story)
{
    const json_t *weights = json_object_get(story->root, "weights"),
                 *activations = json_object_get(story->root, "activations");
    cairn_page_section(page, "inside", "Weights and activations");
    if (cairn_html_missing(page, story, "net")) return;
    cairn_page_begin_figures(page);
    fputs("<div>\n", page->body);
    if (weights)
        put_weights(page, weights);
    else
        cairn_html_missing(page, story, "weights");
    fputs("</div>\n<div>\n", page->body);
    if (activations)
        put_activations(page, activations);
    else if (!cairn_html_missing(page, story, "activations"))
        cairn_html_missing(page, story, "test");
    fputs("</div>\n", page->body);
    cairn_page_end_figures(page);
}

/* --- layers and memory --- */

static void put_layers(struct cairn_page *page, const struct cairn_story *story)
{
    static const struct cairn_page_column columns[] = {
        {"#", 1}, {"layer", 0}, {"output", 0}, {"parameters", 1}};
    size_t i;
    json_t *row;
    cairn_page_begin_table(page, "Layers; outputs are channels \xc3\x97 rows \xc3\x97 columns",
                           columns, 4);
    json_array_foreach(json_object_get(story->root, "layers"), i, row)
    {
        const json_t *out = json_object_get(row, "output");
        cairn_page_row(page);
        cairn_page_cell(page, "%zu", i);
        cairn_page_cell(page, "%s", cairn_story_words(row, "layer"));
        cairn_page_cell(page, "%lld\xc3\x97%lld\xc3\x97%lld",
                        (long long)json_integer_value(json_array_get(out, 0)),
                        (long long)json_integer_value(json_array_get(out, 1)),
                        (long long)json_integer_value(json_array_get(out, 2)));
        cairn_page_cell(page, "%s", cairn_figure_count(cairn_story_count(row, "parameters")).text);
    }
    cairn_page_row(page);
    cairn_page_cell(page, "%s", "");
    cairn_page_cell(page, "all");
    cairn_page_cell(page, "%s", "");
    cairn_page_cell(page, "%s",
                    cairn_figure_count(cairn_story_count(story->root, "parameters")).text);
    cairn_page_end_table(page);
}

static void put_memory(struct cairn_page *page, const struct cairn_story *story)
{
    static const char *const keys[] = {"weights",     "gradients", "moments",
                                       "activations", "data",      "other"};
    static const char *const labels[] = {"weights",
                                         "gradients",
                                         "optimizer\xe2\x80\x99s moments",
                                         "activations and workspace",
                                         "data set",
                                         "indices, losses, logits"};
    const json_t *bytes = cairn_story_get(story->root, "memory.bytes");
    struct cairn_chart_value values[6];
    for (int i = 0; i < 6; i++) {
        double b = (double)cairn_story_count(bytes, keys[i]);
        values[i].value = b / 1e6;
        snprintf(values[i].text, sizeof values[i].text, "%s", cairn_figure_bytes(b).text);
    }
    struct cairn_chart_bars bars = {
        .chart = {"memory", "Memory for training",
                  "Bytes on the device by what they are for; the numbers are beside the bars."},
        .unit = "MB",
        .series_count = 1,
        .labels = labels,
        .values = values,
        .rows = 6,
    };
    cairn_page_begin_figure(page, "");
    cairn_chart_bars(page->body, &bars);
    cairn_page_end_figure(page,
                          "%s in all for batches of %lld, planned before anything is "
                          "allocated; workspace as on %s.",
                          cairn_figure_bytes((double)cairn_story_count(bytes, "total")).text,
                          (long long)cairn_story_count(story->root, "batch"),
                          cairn_story_words(story->root, "memory.device"));
}

static cairn_status put_arena(struct cairn_page *page, const struct cairn_story *story)
{
    const json_t *arena = cairn_story_get(story->root, "memory.arena");
    size_t n = json_array_size(arena), i, top = 0;
    json_t *row;
    double *numbers = malloc(2 * (n + 1) * sizeof *numbers);
    if (!numbers) return cairn_fail(CAIRN_MEMORY, "out of memory");
    json_array_foreach(arena, i, row)
    {
        numbers[i] = (double)i;
        numbers[n + i] = (double)cairn_story_count(row, "bytes") / 1e6;
        if (numbers[n + i] > numbers[n + top]) top = i;
    }
    const json_t *at = json_array_get(arena, top);
    char desc[256];
    struct cairn_chart_series series = {NULL, numbers + n};
    snprintf(desc, sizeof desc, "Of %zu operators, number %zu, %s, has the most alive: %.4g MB.", n,
             top, cairn_story_words(at, "operator"), n ? numbers[n + top] : 0);
    struct cairn_chart_lines lines = {
        .chart = {"arena", "Activations alive, MB", desc},
        .x_title = "operator of a training step, in the order they run",
        .x = numbers,
        .count = (int64_t)n,
        .series = &series,
        .series_count = 1,
        .zero = 1,
        .whole = 1,
    };
    cairn_page_begin_figure(page, "");
    cairn_chart_lines(page->body, &lines);
    cairn_page_end_figure(
        page,
        "What each operator of a step finds in use among activations, their "
        "gradients and workspace. The most, %s, at operator %zu (%s, %s); "
        "the arena has %s.",
        cairn_figure_bytes((double)cairn_story_count(at, "bytes")).text, top,
        cairn_story_words(at, "operator"), cairn_story_words(at, "phase"),
        cairn_figure_bytes((double)cairn_story_count(story->root, "memory.bytes.activations"))
            .text);
    free(numbers);
    return CAIRN_OK;
}

cairn_status cairn_html_layers(struct cairn_page *page, const struct cairn_story *story)
{
    cairn_status st = CAIRN_OK;
    cairn_page_section(page, "layers", "Layers and memory");
    if (!json_object_get(story->root, "layers")) {
        cairn_html_missing(page, story, "net");
        return st;
    }
    cairn_page_begin_figures(page);
    put_layers(page, story);
    fputs("<div>\n", page->body);
    put_memory(page, story);
    if (json_array_size(cairn_story_get(story->root, "memory.arena"))) TRY(put_arena(page, story));
    fputs("</div>\n", page->body);
    cairn_page_end_figures(page);
out:
    return st;
}

/* --- the profile --- */

/* The dearest kernels, and what the others take together. */
static void put_kernels(struct cairn_page *page, const json_t *kernels)
{
    struct cairn_chart_value values[BARS];
    const char *labels[BARS];
    double all = 0, rest = 0;
    size_t i, n = json_array_size(kernels);
    json_t *row;
    int rows = n < BARS ? (int)n : BARS;
    json_array_foreach(kernels, i, row)
    {
        double s = cairn_story_real(row, "seconds");
        all += s;
        if (n > BARS && i >= BARS - 1) rest += s;
    }
    for (int k = 0; k < rows; k++) {
        row = json_array_get(kernels, (size_t)k);
        int others = n > BARS && k == BARS - 1;
        double s = others ? rest : cairn_story_real(row, "seconds");
        labels[k] = others ? "all others" : cairn_story_words(row, "kernel");
        values[k].value = s * 1e6;
        snprintf(values[k].text, sizeof values[k].text, "%s, %.1f %%", cairn_figure_time(s).text,
                 all > 0 ? 100 * s / all : 0);
    }
    struct cairn_chart_bars bars = {
        .chart = {"kernels", "Device time by kernel",
                  "Microseconds of a training step in each kernel, the dearest first; the numbers "
                  "are beside the bars."},
        .unit = "\xc2\xb5s of a step",
        .series_count = 1,
        .labels = labels,
        .values = values,
        .rows = rows,
    };
    cairn_page_begin_figure(page, "");
    cairn_chart_bars(page->body, &bars);
    cairn_page_end_figure(page, "%zu kernels (on the reference: operators), %s of a step in all.",
                          n, cairn_figure_time(all).text);
}

static void put_times(struct cairn_page *page, const json_t *layers)
{
    static const struct cairn_page_column columns[] = {{"layer", 0},
                                                       {"forward, \xc2\xb5s", 1},
                                                       {"backward, \xc2\xb5s", 1},
                                                       {"update, \xc2\xb5s", 1},
                                                       {"all, \xc2\xb5s", 1},
                                                       {"GFLOP/s", 1}};
    static const char *const keys[] = {"forward", "backward", "update", "seconds"};
    size_t i;
    json_t *row;
    cairn_page_begin_table(page, "Device time by layer", columns, 6);
    json_array_foreach(layers, i, row)
    {
        const json_t *layer = json_object_get(row, "layer");
        cairn_page_row(page);
        if (json_is_integer(layer))
            cairn_page_cell(page, "%lld %s", (long long)json_integer_value(layer),
                            cairn_story_words(row, "text"));
        else
            cairn_page_cell(page, "%s", cairn_story_words(row, "text"));
        for (int k = 0; k < 4; k++)
            cairn_page_cell(page, "%.1f", 1e6 * cairn_story_real(row, keys[k]));
        cairn_page_cell(page, "%.1f", cairn_story_real(row, "gflops"));
    }
    cairn_page_end_table(page);
}

cairn_status cairn_html_profile(struct cairn_page *page, const struct cairn_story *story)
{
    const json_t *p = json_object_get(story->root, "profile");
    cairn_page_section(page, "profile", "Where the time goes");
    if (cairn_html_missing(page, story, "profile") || !p) return CAIRN_OK;
    cairn_page_paragraph(
        page,
        "%lld steps of %lld images on %s, the quickest of %lld such samples that were "
        "timed for this report, with profiling "
        "on: %s a step, %.1f GFLOP/s. The images are made up; they cost what "
        "others cost.",
        (long long)cairn_story_count(p, "steps"), (long long)cairn_story_count(p, "batch"),
        cairn_story_words(p, "device"), (long long)cairn_story_count(p, "samples"),
        cairn_figure_time(cairn_story_real(p, "seconds_of_step")).text,
        cairn_story_real(p, "flops_of_step") / cairn_story_real(p, "seconds_of_step") * 1e-9);
    put_kernels(page, json_object_get(p, "kernels"));
    put_times(page, json_object_get(p, "layers"));
    return CAIRN_OK;
}
