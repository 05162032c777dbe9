/* Sections about what the net answers: confusion matrix, classes, mistakes. */
#include "report/html.h"

#include "base/error.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTED 10 /* of the confusions that are listed as a table */

static int64_t count_at(const json_t *confusion, size_t i, size_t j)
{
    return json_integer_value(json_array_get(json_array_get(confusion, i), j));
}

/* --- the heat map --- */

/* A cell is shaded by its share of the row, mistakes by its root: few are to be seen, too. */
static void fill_cells(const json_t *confusion, int n, struct cairn_chart_cell *cells)
{
    for (int i = 0; i < n; i++) {
        int64_t row = 0;
        for (int j = 0; j < n; j++) row += count_at(confusion, (size_t)i, (size_t)j);
        for (int j = 0; j < n; j++) {
            struct cairn_chart_cell *c = &cells[i * n + j];
            int64_t count = count_at(confusion, (size_t)i, (size_t)j);
            double share = row > 0 ? (double)count / (double)row : 0;
            *c = (struct cairn_chart_cell){.shade = i == j ? share : sqrt(share), .other = i != j};
            if (count > 0) snprintf(c->text, sizeof c->text, "%lld", (long long)count);
        }
    }
}

static cairn_status put_heat(struct cairn_page *page, const struct cairn_story *story,
                             const json_t *confusion)
{
    int n = (int)json_array_size(confusion);
    struct cairn_chart_cell *cells = calloc((size_t)n * (size_t)n + 1, sizeof *cells);
    char(*numbers)[24] = calloc((size_t)n + 1, sizeof *numbers);
    const char **names = calloc((size_t)n + 1, sizeof *names);
    cairn_status st = CAIRN_OK;
    if (!cells || !numbers || !names) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    for (int i = 0; i < n; i++) names[i] = cairn_story_class(story, i, numbers[i]);
    fill_cells(confusion, n, cells);
    struct cairn_chart_heat heat = {
        .chart =
            {"confusion", "Confusion matrix",
             "How many images of each class, a row each, got which answer, a column each. The "
             "right answers are on the diagonal; the tables of this section have the figures."},
        .y_title = "the label",
        .x_title = "the answer",
        .row_names = names,
        .column_names = names,
        .cells = cells,
        .rows = n,
        .columns = n,
        .hues = {"right: from 0 to 100 % of the row's images",
                 "wrong: the same, but the root of the share"},
    };
    cairn_page_begin_figure(page, "wide");
    cairn_chart_heat(page->body, &heat);
    cairn_page_end_figure(page, "Test images by label and answer; an empty cell is 0.%s",
                          n > 20 ? " So many classes leave no room for numbers: --format json has "
                                   "them all."
                                 : "");
out:
    free(cells);
    free(numbers);
    free(names);
    return st;
}

/* --- tables --- */

static void put_classes(struct cairn_page *page, const struct cairn_story *story)
{
    static const struct cairn_page_column columns[] = {
        {"class", 0}, {"images", 1}, {"precision, %", 1}, {"recall, %", 1}, {"F1, %", 1}};
    size_t i;
    json_t *row;
    const json_t *mean = json_object_get(story->root, "mean_of_classes");
    cairn_page_begin_table(page,
                           "Precision: how many of the answers are right. Recall: how many of "
                           "the images are found. F1: their harmonic mean.",
                           columns, 5);
    json_array_foreach(json_object_get(story->root, "classes"), i, row)
    {
        char number[24];
        cairn_page_row(page);
        cairn_page_cell(page, "%s", cairn_story_class(story, (int64_t)i, number));
        cairn_page_cell(page, "%s", cairn_figure_count(cairn_story_count(row, "support")).text);
        cairn_page_cell(page, "%s",
                        cairn_figure_real(100 * cairn_story_real(row, "precision"), 2).text);
        cairn_page_cell(page, "%s",
                        cairn_figure_real(100 * cairn_story_real(row, "recall"), 2).text);
        cairn_page_cell(page, "%s", cairn_figure_real(100 * cairn_story_real(row, "f1"), 2).text);
    }
    cairn_page_row(page);
    cairn_page_cell(page, "mean of the classes");
    cairn_page_cell(page, "%s",
                    cairn_figure_count(cairn_story_count(story->root, "test.images")).text);
    cairn_page_cell(page, "%s",
                    cairn_figure_real(100 * cairn_story_real(mean, "precision"), 2).text);
    cairn_page_cell(page, "%s", cairn_figure_real(100 * cairn_story_real(mean, "recall"), 2).text);
    cairn_page_cell(page, "%s", cairn_figure_real(100 * cairn_story_real(mean, "f1"), 2).text);
    cairn_page_end_table(page);
}

struct pair {
    int64_t count;
    size_t label, answer;
};

static int more(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return x->label != y->label ? (x->label > y->label) - (x->label < y->label)
                                : (x->answer > y->answer) - (x->answer < y->answer);
}

static cairn_status put_pairs(struct cairn_page *page, const struct cairn_story *story,
                              const json_t *confusion)
{
    static const struct cairn_page_column columns[] = {{"label", 0}, {"answer", 0}, {"images", 1}};
    size_t n = json_array_size(confusion), count = 0;
    struct pair *pairs = calloc(n * n + 1, sizeof *pairs);
    if (!pairs) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (i != j && count_at(confusion, i, j) > 0)
                pairs[count++] = (struct pair){count_at(confusion, i, j), i, j};
    qsort(pairs, count, sizeof *pairs, more);
    if (count > 0) {
        cairn_page_begin_table(page, "The most frequent confusions", columns, 3);
        for (size_t i = 0; i < count && i < LISTED; i++) {
            char text[2][24];
            cairn_page_row(page);
            cairn_page_cell(page, "%s", cairn_story_class(story, (int64_t)pairs[i].label, text[0]));
            cairn_page_cell(page, "%s",
                            cairn_story_class(story, (int64_t)pairs[i].answer, text[1]));
            cairn_page_cell(page, "%s", cairn_figure_count(pairs[i].count).text);
        }
        cairn_page_end_table(page);
    }
    free(pairs);
    return CAIRN_OK;
}

static void put_source(struct cairn_page *page, const struct cairn_story *story)
{
    const json_t *test = json_object_get(story->root, "test"),
                 *same = json_object_get(test, "as_in_summary");
    int64_t unanswered = cairn_story_count(test, "unanswered");
    if (!strcmp(cairn_story_words(test, "source"), "summary.json"))
        cairn_page_paragraph(page, "From the run's summary: the %s test images after the training.",
                             cairn_figure_count(cairn_story_count(test, "images")).text);
    else
        cairn_page_paragraph(page,
                             "%s of %s test images are right. Measured for this report with the "
                             "%s weights%s.",
                             cairn_figure_count(cairn_story_count(test, "correct")).text,
                             cairn_figure_count(cairn_story_count(test, "images")).text,
                             story->last ? "last" : "best",
                             json_is_true(same) ? "; the run's summary has the same matrix" : "");
    if (json_is_false(same))
        cairn_page_note(
            page,
            "The run's summary has another matrix: other files, other weights or "
            "another device. Its test accuracy is %s.",
            cairn_figure_percent(cairn_story_real(story->root, "summary.test_accuracy")).text);
    if (unanswered > 0)
        cairn_page_note(page, "%s images have no answer: a NaN is among the net's outputs.",
                        cairn_figure_count(unanswered).text);
}

cairn_status cairn_html_answers(struct cairn_page *page, const struct cairn_story *story)
{
    cairn_status st = CAIRN_OK;
    const json_t *confusion = cairn_story_get(story->root, "test.confusion");
    cairn_page_section(page, "answers", "Answers by class");
    if (!confusion) {
        cairn_html_missing(page, story, "test");
        return CAIRN_OK;
    }
    put_source(page, story);
    cairn_page_begin_figures(page);
    TRY(put_heat(page, story, confusion));
    fputs("<div>\n", page->body);
    TRY(put_pairs(page, story, confusion));
    fputs("</div>\n", page->body);
    cairn_page_end_figures(page);
    put_classes(page, story);
out:
    return st;
}

/* --- mistakes --- */

static void put_mistake(struct cairn_page *page, const struct cairn_story *story, const json_t *row)
{
    char alt[256], text[2][24];
    const char *label = cairn_story_class(story, cairn_story_count(row, "label"), text[0]),
               *answer = cairn_story_class(story, cairn_story_count(row, "answer"), text[1]),
               *picture = cairn_story_words(row, "picture");
    long long index = (long long)cairn_story_count(row, "index");
    const json_t *image = cairn_story_get(story->root, "data.image");
    int64_t h = json_integer_value(json_array_get(image, 1)),
            w = json_integer_value(json_array_get(image, 2));
    const char *share = "";
    struct cairn_figure percent = cairn_figure_percent(cairn_story_real(row, "probability"));
    share = percent.text;
    snprintf(alt, sizeof alt, "Test image %lld, labelled %.64s, taken for %.64s", index, label,
             answer);
    if (*picture)
        cairn_page_small_picture(page, picture, 96, w > 0 ? 96 * h / w : 96, alt,
                                 "%s\n\xe2\x86\x92 %s\n%s\nno. %lld", label, answer, share, index);
}

void cairn_html_mistakes(struct cairn_page *page, const struct cairn_story *story)
{
    const json_t *mistakes = json_object_get(story->root, "mistakes");
    size_t i, count = json_array_size(mistakes);
    json_t *row;
    cairn_page_section(page, "mistakes", "The surest mistakes");
    if (!mistakes) {
        cairn_html_missing(page, story, "test");
        return;
    }
    if (count == 0) {
        cairn_page_paragraph(page, "There are none.");
        return;
    }
    cairn_page_begin_figure(page, "pictures");
    json_array_foreach(mistakes, i, row) put_mistake(page, story, row);
    cairn_page_end_figure(page,
                          "The %zu test images that got a wrong answer with the highest "
                          "probability: label \xe2\x86\x92 answer, its softmax probability, and "
                          "the image's place in the test file.",
                          count);
}
