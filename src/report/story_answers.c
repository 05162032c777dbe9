/* What the net answers: the test images evaluated, classes, mistakes, an example's activations. */
#include "base/error.h"
#include "report/activations.h"
#include "report/answers.h"
#include "report/raw.h"
#include "report/story.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- figures of classes, from a confusion matrix --- */

struct counts {
    int64_t right, support, answered; /* of a class: on the diagonal; its row; its column */
};

static struct counts count_class(const json_t *confusion, size_t class)
{
    struct counts c = {0, 0, 0};
    size_t i;
    json_t *row;
    json_array_foreach(confusion, i, row)
    {
        c.support += json_integer_value(json_array_get(json_array_get(confusion, class), i));
        c.answered += json_integer_value(json_array_get(row, class));
    }
    c.right = json_integer_value(json_array_get(json_array_get(confusion, class), class));
    return c;
}

/* n / d; NaN where that is undefined: of no answers there is no precision. */
static double share(int64_t n, int64_t d)
{
    return d > 0 ? (double)n / (double)d : (double)NAN;
}

/* 2 right / (support + answered), which is the harmonic mean of precision and recall. Support is
 * what the matrix counts; an image without an answer is in none of its cells. */
static void tell_classes(struct cairn_story *story)
{
    const json_t *confusion = cairn_story_get(story->root, "test.confusion"),
                 *names = cairn_story_get(story->root, "data.class_names");
    json_t *classes = json_array();
    double sums[3] = {0, 0, 0};
    int64_t counted = 0;
    size_t n = json_array_size(confusion);
    for (size_t k = 0; k < n; k++) {
        struct counts c = count_class(confusion, k);
        double values[3] = {share(c.right, c.answered), share(c.right, c.support),
                            share(2 * c.right, c.support + c.answered)};
        json_t *name = json_array_get(names, k);
        if (c.support > 0) {
            for (int i = 0; i < 3; i++) sums[i] += isnan(values[i]) ? 0 : values[i];
            counted++;
        }
        json_array_append_new(
            classes,
            json_pack("{s:I s:O? s:I s:I s:o s:o s:o}", "class", (json_int_t)k, "name", name,
                      "support", (json_int_t)c.support, "answered", (json_int_t)c.answered,
                      "precision", cairn_story_number(values[0]), "recall",
                      cairn_story_number(values[1]), "f1", cairn_story_number(values[2])));
    }
    cairn_story_put(story, "classes", classes);
    double by = counted ? 1 / (double)counted : (double)NAN;
    cairn_story_put(story, "mean_of_classes",
                    json_pack("{s:o s:o s:o}", "precision", cairn_story_number(sums[0] * by),
                              "recall", cairn_story_number(sums[1] * by), "f1",
                              cairn_story_number(sums[2] * by)));
}

/* --- the evaluation --- */

static void tell_summary_test(struct cairn_story *story)
{
    const json_t *summary = json_object_get(story->root, "summary");
    cairn_story_put(story, "test",
                    json_pack("{s:s s:O s:O s:O s:O}", "source", "summary.json", "loss",
                              json_object_get(summary, "test_loss"), "accuracy",
                              json_object_get(summary, "test_accuracy"), "images",
                              json_object_get(summary, "test_images"), "confusion",
                              json_object_get(summary, "confusion")));
}

static json_t *matrix(const struct cairn_eval_result *r)
{
    json_t *rows = json_array();
    for (int i = 0; i < r->classes; i++) {
        json_t *row = json_array();
        for (int j = 0; j < r->classes; j++)
            json_array_append_new(row, json_integer(r->confusion[i * r->classes + j]));
        json_array_append_new(rows, row);
    }
    return rows;
}

/* Whether the summary says the same; the confusion matrix is of whole numbers and tells it. */
static json_t *compare(const struct cairn_story *story, const json_t *confusion)
{
    const json_t *there = cairn_story_get(story->root, "summary.confusion");
    return there && !story->last ? json_boolean(json_equal(there, confusion)) : json_null();
}

static void tell_test(struct cairn_story *story, const struct cairn_report *report)
{
    const struct cairn_eval_result *r = &report->eval;
    json_t *confusion = matrix(r), *same = compare(story, confusion);
    int64_t unanswered = 0;
    for (int c = 0; c < r->classes; c++) unanswered += report->classes[c].unanswered;
    cairn_story_put(story, "test",
                    json_pack("{s:s s:o s:o s:I s:I s:I s:o s:o s:I s:I s:o}", "source", "measured",
                              "loss", cairn_story_number(r->loss), "accuracy",
                              cairn_story_number(r->accuracy), "images", (json_int_t)r->images,
                              "correct", (json_int_t)r->correct, "unanswered",
                              (json_int_t)unanswered, "device", cairn_story_text(r->device),
                              "as_in_summary", same, "epoch", (json_int_t)r->epoch, "step",
                              (json_int_t)r->step, "confusion", confusion));
}

/* --- mistakes --- */

static json_t *picture_of(const struct cairn_trained *t, int64_t row)
{
    struct cairn_png png = {.c = (int)t->raw.c, .h = (int)t->raw.h, .w = (int)t->raw.w};
    png.pixels = malloc((size_t)cairn_shape_count(t->raw));
    if (!png.pixels) return NULL;
    cairn_raw_image(&t->recipe, t->raw,
                    t->data.test.pixels + row * cairn_shape_count(t->session.image), png.pixels);
    json_t *value = cairn_story_picture(&png);
    cairn_png_free(&png);
    return value;
}

static int surer(const void *a, const void *b)
{
    const struct cairn_report_mistake *x = a, *y = b;
    if (x->probability != y->probability) return x->probability > y->probability ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* The surest of all classes, of which the report has each one's surest. */
static cairn_status tell_mistakes(struct cairn_story *story, const struct cairn_trained *t,
                                  const struct cairn_report *report)
{
    int64_t count = 0, all = 0, most = story->options->mistakes;
    json_t *rows = json_array();
    for (int c = 0; c < report->eval.classes; c++) count += report->classes[c].count;
    struct cairn_report_mistake *mistakes = malloc((size_t)(count + 1) * sizeof *mistakes);
    if (!mistakes || !rows) {
        free(mistakes);
        json_decref(rows);
        return cairn_fail(CAIRN_MEMORY, "out of memory");
    }
    for (int c = 0; c < report->eval.classes; c++)
        for (int64_t i = 0; i < report->classes[c].count; i++)
            mistakes[all++] = report->classes[c].mistakes[i];
    qsort(mistakes, (size_t)all, sizeof *mistakes, surer);
    for (int64_t i = 0; i < all && i < most; i++)
        json_array_append_new(
            rows, json_pack("{s:I s:i s:i s:o s:o}", "index", (json_int_t)mistakes[i].index,
                            "label", mistakes[i].label, "answer", mistakes[i].answer, "probability",
                            cairn_story_number(mistakes[i].probability), "picture",
                            cairn_png_ready() == CAIRN_OK ? picture_of(t, mistakes[i].index)
                                                          : json_null()));
    free(mistakes);
    cairn_story_put(story, "mistakes", rows);
    return CAIRN_OK;
}

static cairn_status evaluate(struct cairn_story *story, struct cairn_trained *t)
{
    cairn_status st = CAIRN_OK;
    struct cairn_report report = {0};
    TRY(cairn_trained_measure(t, &report.eval));
    TRY(cairn_answers_count(t, story->options->mistakes, &report));
    tell_test(story, &report);
    TRY(tell_mistakes(story, t, &report));
out:
    cairn_report_free(&report);
    return st;
}

/* --- the device --- */

static void tell_device(struct cairn_story *story, const struct cairn_device_info *info)
{
    cairn_story_put(
        story, "device",
        json_pack("{s:s s:o s:o s:o s:o s:o s:s s:I s:I s:I s:I s:I s:o s:o s:b s:o}", "spec",
                  info->spec, "name", cairn_story_text(info->name), "vendor",
                  cairn_story_text(info->vendor), "platform", cairn_story_text(info->platform),
                  "driver", cairn_story_text(info->driver), "version",
                  cairn_story_text(info->version), "type", info->type, "compute_units",
                  (json_int_t)info->compute_units, "max_work_group",
                  (json_int_t)info->max_work_group, "local_bytes", (json_int_t)info->local_bytes,
                  "global_bytes", (json_int_t)info->global_bytes, "max_alloc_bytes",
                  (json_int_t)info->max_alloc_bytes, "features", cairn_story_text(info->features),
                  "exact", info->probed ? json_boolean(info->exact) : json_null(), "integer_fma",
                  info->soft_fma, "avoided", cairn_story_text(info->avoided)));
}

/* --- an example --- */

static cairn_status tell_example(struct cairn_story *story)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_document_options *o = story->options;
    struct cairn_inspect_options options = {
        .run = o->run, .last = story->last, .compute = story->compute, .layer = -1};
    struct cairn_inspect_result r = {0};
    struct cairn_png png = {0}, image = {0};
    if (cairn_png_ready() != CAIRN_OK) {
        cairn_story_miss(story, "activations", "No pictures: %s", cairn_error());
        return CAIRN_OK;
    }
    TRY(cairn_activations_picture(&options, o->image ? o->image : "test:0", &image, &png, &r));
    cairn_story_put(story, "activations",
                    json_pack("{s:I s:s s:o s:o s:o s:I s:[I,I] s:[I,I] s:o s:o s:I s:[i,i] s:o}",
                              "layer", (json_int_t)r.layer, "text", r.text, "image",
                              cairn_story_text(r.image), "label", cairn_story_text(r.label),
                              "image_picture", cairn_story_picture(&image), "pictures",
                              (json_int_t)r.count, "grid", (json_int_t)r.rows,
                              (json_int_t)r.columns, "shape", (json_int_t)r.h, (json_int_t)r.w,
                              "least", cairn_story_number(r.least), "largest",
                              cairn_story_number(r.largest), "not_finite", (json_int_t)r.not_finite,
                              "pixels", png.h, png.w, "picture", cairn_story_picture(&png)));
out:
    cairn_png_free(&png);
    cairn_png_free(&image);
    return st;
}

/* --- all of it --- */

/* Reads the test images and measures; *there: whether there were any, and a device. */
static cairn_status measure(struct cairn_story *story, int *there)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_document_options *o = story->options;
    struct cairn_trained t = {0};
    *there = 0;
    st = cairn_trained_read(&t, o->run, story->last, &story->compute, CAIRN_DATASET_TEST);
    if (st != CAIRN_OK) {
        if (!o->compute.data_dir && st != CAIRN_MEMORY) {
            cairn_story_miss(story, "test", "The test images are not at hand: %s", cairn_error());
            st = CAIRN_OK;
        }
        goto out;
    }
    TRY(cairn_trained_open(&t, &story->compute));
    tell_device(story, cairn_device_info(t.session.device));
    TRY(evaluate(story, &t));
    *there = 1;
out:
    cairn_trained_close(&t);
    return st;
}

cairn_status cairn_story_answers(struct cairn_story *story)
{
    cairn_status st = CAIRN_OK;
    int there = 0;
    const char *no_device = cairn_story_missing(story, "device");
    if (no_device)
        cairn_story_miss(story, "test", "Nothing was measured: there is no device to do so.");
    else if (!story->net.flat)
        cairn_story_miss(story, "test", "Nothing was measured: %s",
                         cairn_story_missing(story, "net"));
    else
        TRY(measure(story, &there));
    if (there) TRY(tell_example(story));
    if (!there && json_object_get(story->root, "summary")) tell_summary_test(story);
    if (json_object_get(story->root, "test")) tell_classes(story);
out:
    return st;
}
