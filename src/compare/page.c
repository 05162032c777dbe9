/* A comparison as one page: the verdict, the lanes, what they cost, operators and layers. */
#include "compare/page.h"
#include "base/error.h"
#include "report/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Column heads that are made up: "A, us". */
struct heads {
    char texts[32][24];
    struct cairn_page_column columns[32];
    int count;
};

static void add_head(struct heads *heads, int numeric, const char *before, int lane,
                     const char *after)
{
    char letter[2] = {(char)('A' + lane), 0};
    if (heads->count == 32) return;
    snprintf(heads->texts[heads->count], sizeof heads->texts[0], "%s%s%s", before,
             lane < 0 ? "" : letter, after);
    heads->columns[heads->count] = (struct cairn_page_column){heads->texts[heads->count], numeric};
    heads->count++;
}

static int is_reference(const struct cairn_compare_result *r, int lane)
{
    return !strcmp(r->lanes[lane].device.spec, "reference");
}

/* --- the verdict --- */

static void value_text(const struct cairn_compare_result *r, uint32_t bits, char *text, size_t size)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    if (r->is_float)
        snprintf(text, size, "%.9g, bits %08x", (double)value, bits);
    else
        snprintf(text, size, "%d, bits %08x", (int)(int32_t)bits, bits);
}

static void write_values(struct cairn_page *page, const struct cairn_compare_result *r)
{
    char text[64], name[512];
    if (r->math == CAIRN_MATH_FAST) {
        value_text(r, r->want, text, sizeof text);
        cairn_page_fact(page, "the reference's value", "%s", text);
        value_text(r, r->got, text, sizeof text);
        snprintf(name, sizeof name, "%c's value", 'A' + r->lane);
        cairn_page_fact(page, name, "%s", text);
        cairn_page_fact(page, "its bound", "%.3g", r->bound);
        return;
    }
    for (int i = 0; i < r->lane_count; i++) {
        value_text(r, r->bits[i], text, sizeof text);
        snprintf(name, sizeof name, "value of %c", 'A' + i);
        cairn_page_fact(page, name, "%s", text);
    }
}

static void write_difference(struct cairn_page *page, const struct cairn_compare_result *r)
{
    char text[1024];
    const struct cairn_compare_row *row = &r->rows[r->row];
    cairn_page_begin_facts(page);
    cairn_page_fact(page, "step", "%lld", (long long)r->step);
    if (row->layer >= 0)
        cairn_page_fact(page, "layer", "model[%d] %s, %s", row->layer, row->layer_text,
                        cairn_compare_phase_name(row->phase));
    else
        cairn_page_fact(page, "layer", "none: the data, the loss or the update");
    cairn_page_fact_code(page, "operator", r->problem);
    cairn_page_fact(page, "tensor", "%s: %lld of %lld elements differ, the first is %lld", r->what,
                    (long long)r->count, (long long)r->elements, (long long)r->index);
    write_values(page, r);
    cairn_compare_again(r, text, sizeof text);
    cairn_page_fact_code(page, "alone", text);
    cairn_page_end_facts(page);
}

static void write_verdict(struct cairn_page *page, const struct cairn_compare_result *r)
{
    char text[512];
    int fast = r->math == CAIRN_MATH_FAST;
    cairn_page_begin_keys(page);
    cairn_page_key(page,
                   !r->different ? (fast ? "within bounds" : "equal")
                   : fast        ? "out of bounds"
                                 : "different",
                   "verdict");
    snprintf(text, sizeof text, "%lld", (long long)r->steps);
    cairn_page_key(page, text, fast ? "steps within bounds" : "equal steps");
    cairn_page_key(page, cairn_figure_count(r->operations).text, "operators compared");
    if (fast) {
        snprintf(text, sizeof text, "%.3f", r->worst);
        cairn_page_key(page, text, "of its bound: the largest error within");
    } else {
        cairn_page_key(page, cairn_figure_count(r->values).text, "values compared");
    }
    cairn_page_end_keys(page);
    cairn_page_section(page, "verdict", "Verdict");
    cairn_compare_verdict(r, text, sizeof text);
    cairn_page_paragraph(page, "%s.", text);
    if (r->different) write_difference(page, r);
    if (fast)
        cairn_page_paragraph(
            page, "Each operator of each lane got the operands of the exact reference and may "
                  "differ from its result by a bound that is computed from those operands.");
}

/* --- the lanes --- */

static void write_lanes(struct cairn_page *page, const struct cairn_compare_result *r)
{
    char text[512];
    cairn_page_section(page, "lanes", "Lanes");
    for (int i = 0; i < r->lane_count; i++) {
        const struct cairn_compare_lane_info *lane = &r->lanes[i];
        snprintf(text, sizeof text, "%c: %s", 'A' + i, lane->name);
        cairn_page_heading(page, text);
        cairn_page_begin_facts(page);
        cairn_page_fact(page, "device", "%s", lane->device.name);
        if (lane->device.platform[0])
            cairn_page_fact(page, "platform", "%s", lane->device.platform);
        if (lane->device.vendor[0]) cairn_page_fact(page, "vendor", "%s", lane->device.vendor);
        cairn_page_fact(page, "driver", "%s", lane->device.driver);
        if (lane->device.version[0]) cairn_page_fact(page, "version", "%s", lane->device.version);
        cairn_page_fact(page, "arithmetic", "%s%s",
                        is_reference(r, i)           ? "the exact reference"
                        : r->math == CAIRN_MATH_FAST ? "fast"
                                                     : "exact",
                        lane->device.soft_fma ? ", its fma made of integers" : "");
        if (!is_reference(r, i))
            cairn_page_fact(page, "kernels", "%s",
                            lane->kernels[0] ? lane->kernels : "the program's own");
        if (lane->device.avoided[0])
            cairn_page_fact(page, "avoided variants", "%s", lane->device.avoided);
        cairn_page_end_facts(page);
    }
}

/* --- what they cost --- */

static void write_start_cells(struct cairn_page *page, const struct cairn_compare_start *start,
                              int reference)
{
    cairn_page_cell(page, "%.3f", start->open);
    cairn_page_cell(page, "%.3f", start->kernels);
    if (reference)
        cairn_page_cell(page, "none");
    else if (start->compiled)
        cairn_page_cell(page, "%d compiled", start->compiled);
    else
        cairn_page_cell(page, "from the cache");
}

static void rate_cell(struct cairn_page *page, double rate)
{
    cairn_page_cell(page, rate < 100 ? "%.3g" : "%.0f", rate);
}

static void write_costs(struct cairn_page *page, const struct cairn_compare_result *r)
{
    static const struct cairn_page_column columns[] = {
        {"lane", 0},           {"open, s", 1},    {"kernels, s", 1}, {"programs", 0},
        {"again: open, s", 1}, {"kernels, s", 1}, {"programs", 0}};
    static const struct cairn_page_column steps[] = {
        {"lane", 0},      {"step, ms", 1},       {"least", 1},           {"most", 1},
        {"times A's", 1}, {"steps a second", 1}, {"images a second", 1}, {"kernels launched", 1}};
    int timed = page_is_timed(r);
    cairn_page_section(page, "cost", "Start, memory and speed");
    page_cost_charts(page, r);
    if (timed) {
        cairn_page_begin_table(page, "A training step: medians, the lanes taking turns", steps, 8);
        for (int i = 0; i < r->lane_count; i++) {
            const struct cairn_compare_lane_info *lane = &r->lanes[i];
            cairn_page_row(page);
            cairn_page_cell(page, "%c", 'A' + i);
            cairn_page_cell(page, "%.3f", lane->seconds * 1e3);
            cairn_page_cell(page, "%.3f", lane->least * 1e3);
            cairn_page_cell(page, "%.3f", lane->most * 1e3);
            cairn_page_cell(page, "%.2f", lane->seconds / r->lanes[0].seconds);
            rate_cell(page, 1 / lane->seconds);
            rate_cell(page, lane->images_per_second);
            cairn_page_cell(page, "%lld", (long long)lane->launches);
        }
        cairn_page_end_table(page);
    }
    cairn_page_begin_table(page,
                           "Start: opening the device, probe included, and having the kernels",
                           columns, timed ? 7 : 4);
    for (int i = 0; i < r->lane_count; i++) {
        cairn_page_row(page);
        cairn_page_cell(page, "%c", 'A' + i);
        write_start_cells(page, &r->lanes[i].start, is_reference(r, i));
        if (timed) write_start_cells(page, &r->lanes[i].again, is_reference(r, i));
    }
    cairn_page_end_table(page);
}

/* --- operators, kernels and layers --- */

static void time_cells(struct cairn_page *page, double seconds, double first, int is_first)
{
    char text[48];
    if (seconds <= 0) {
        cairn_page_cell(page, "-");
        if (!is_first) cairn_page_cell(page, "-");
        return;
    }
    page_time(seconds, text, sizeof text);
    cairn_page_cell(page, "%s", text);
    if (is_first) return;
    if (first > 0)
        cairn_page_cell(page, "%.2f", seconds / first);
    else
        cairn_page_cell(page, "-");
}

static void time_heads(struct heads *heads, const struct cairn_compare_result *r)
{
    for (int i = 0; i < r->lane_count; i++) {
        add_head(heads, 1, "", i, "");
        if (i > 0) add_head(heads, 1, "", i, " / A");
    }
}

static void difference_cell(struct cairn_page *page, const struct cairn_compare_result *r,
                            const struct cairn_compare_cell *cell)
{
    int fast = r->math == CAIRN_MATH_FAST;
    if (cell->different)
        cairn_page_cell(page, "%lld %s", (long long)cell->different, fast ? "out" : "differ");
    else if (fast)
        cairn_page_cell(page, "%.4f", cell->worst);
    else
        cairn_page_cell(page, "equal");
}

static void write_times(struct cairn_page *page, const struct cairn_compare_result *r,
                        const char *caption, const char *head, const struct cairn_compare_row *rows,
                        int count)
{
    char text[128];
    struct heads heads = {.count = 0};
    add_head(&heads, 0, head, -1, "");
    time_heads(&heads, r);
    cairn_page_begin_table(page, caption, heads.columns, heads.count);
    for (int i = 0; i < count; i++) {
        cairn_compare_row_name(&rows[i], text, sizeof text);
        cairn_page_row(page);
        cairn_page_cell(page, "%s", text);
        for (int lane = 0; lane < r->lane_count; lane++)
            time_cells(page, rows[i].cells[lane].seconds, rows[i].cells[0].seconds, lane == 0);
    }
    cairn_page_end_table(page);
}

static void write_differences(struct cairn_page *page, const struct cairn_compare_result *r,
                              const char *head, const struct cairn_compare_row *rows, int count)
{
    char text[128];
    struct heads heads = {.count = 0};
    add_head(&heads, 0, head, -1, "");
    add_head(&heads, 1, "values", -1, "");
    for (int i = 0; i < r->lane_count; i++) add_head(&heads, 1, "", i, "");
    cairn_page_begin_table(page,
                           r->math == CAIRN_MATH_FAST
                               ? "The largest error as a part of its bound, or how many values are "
                                 "out of theirs"
                           : r->different
                               ? "How many values differ; from the first difference on every "
                                 "operator was given the same operands"
                               : "How many values differ",
                           heads.columns, heads.count);
    for (int i = 0; i < count; i++) {
        cairn_compare_row_name(&rows[i], text, sizeof text);
        cairn_page_row(page);
        cairn_page_cell(page, "%s", text);
        cairn_page_cell(page, "%s", cairn_figure_count(rows[i].values).text);
        for (int lane = 0; lane < r->lane_count; lane++)
            difference_cell(page, r, &rows[i].cells[lane]);
    }
    cairn_page_end_table(page);
}

static void write_kernels(struct cairn_page *page, const struct cairn_compare_result *r)
{
    struct heads heads = {.count = 0};
    add_head(&heads, 0, "kernel", -1, "");
    add_head(&heads, 0, "operator", -1, "");
    for (int i = 0; i < r->lane_count && heads.count < 31; i++) {
        add_head(&heads, 1, "", i, "");
        add_head(&heads, 1, "", i, " launches");
    }
    cairn_page_begin_details(page, "Every kernel");
    cairn_page_begin_table(page, "Device time of kernels in a step; on the reference of operators",
                           heads.columns, heads.count);
    for (int i = 0; i < r->kernel_count; i++) {
        const struct cairn_compare_kernel *k = &r->kernels[i];
        cairn_page_row(page);
        cairn_page_cell(page, "%s", k->name);
        cairn_page_cell(page, "%s", k->op);
        for (int lane = 0; lane < r->lane_count && 2 * lane + 4 <= heads.count; lane++) {
            time_cells(page, k->seconds[lane], 0, 1);
            cairn_page_cell(page, "%lld", (long long)k->launches[lane]);
        }
    }
    cairn_page_end_table(page);
    cairn_page_end_details(page);
}

static cairn_status write_parts(struct cairn_page *page, const struct cairn_compare_result *r)
{
    cairn_status st = CAIRN_OK;
    int timed = page_is_timed(r);
    cairn_page_section(page, "operators", "Operators");
    if (timed) {
        TRY(page_operator_chart(page, r));
        for (int i = 0; i < r->lane_count; i++)
            if (!r->lanes[i].profiled)
                cairn_page_note(page, "%c: its driver tells no times of launches.", 'A' + i);
        write_times(page, r, "Device time in a step, profiled, and how many times A's it is",
                    "operator", r->operators, r->operator_count);
        write_kernels(page, r);
    }
    write_differences(page, r, "operator", r->operators, r->operator_count);
    cairn_page_section(page, "layers", "Layers");
    write_differences(page, r, "layer", r->layers, r->layer_count);
    if (timed)
        write_times(page, r, "Device time in a step: forward, backward and update", "layer",
                    r->layers, r->layer_count);
out:
    return st;
}

cairn_status cairn_compare_page(const struct cairn_compare_result *r, const char *path)
{
    cairn_status st = CAIRN_OK;
    struct cairn_page page;
    char title[300];
    const char *slash = strrchr(r->recipe, '/');
    snprintf(title, sizeof title, "%s on %d lanes", slash ? slash + 1 : r->recipe, r->lane_count);
    TRY(cairn_page_begin(&page, title));
    cairn_page_subtitle(&page,
                        "batches of %lld images (%s), %s parameters, %s arithmetic; Cairn %s",
                        (long long)r->batch, r->data, cairn_figure_count(r->parameters).text,
                        r->math == CAIRN_MATH_FAST ? "fast" : "exact", CAIRN_VERSION);
    write_verdict(&page, r);
    write_lanes(&page, r);
    write_costs(&page, r);
    TRY(write_parts(&page, r));
    TRY(cairn_page_finish(&page, path));
out:
    cairn_page_free(&page);
    return st;
}
