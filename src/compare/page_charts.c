/* The charts of a comparison's page. */
#include "compare/page.h"
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

int page_is_timed(const struct cairn_compare_result *r)
{
    return r->lanes[0].seconds > 0;
}

void page_time(double seconds, char *text, size_t size)
{
    if (seconds >= 1)
        snprintf(text, size, "%.2f s", seconds);
    else if (seconds >= 1e-3)
        snprintf(text, size, "%.2f ms", seconds * 1e3);
    else
        snprintf(text, size, "%.1f us", seconds * 1e6);
}

/* One chart of bars: a row for each lane. */
static void write_bars(struct cairn_page *page, const struct cairn_compare_result *r,
                       const char *id, const char *title, const char *unit,
                       const char *const *series, int series_count,
                       const struct cairn_chart_value *values, const char *caption)
{
    char names[CAIRN_COMPARE_LANES][64], desc[1024];
    const char *labels[CAIRN_COMPARE_LANES];
    size_t n = 0;
    desc[0] = '\0';
    for (int i = 0; i < r->lane_count; i++) {
        snprintf(names[i], sizeof names[i], "%c %.56s", 'A' + i, r->lanes[i].name);
        labels[i] = names[i];
        for (int s = 0; s < series_count && n < sizeof desc; s++)
            n += (size_t)snprintf(desc + n, sizeof desc - n, "%c%s%s: %s. ", 'A' + i,
                                  series ? ", " : "", series ? series[s] : "",
                                  values[i * series_count + s].text);
    }
    const struct cairn_chart_bars bars = {.chart = {id, title, desc},
                                          .unit = unit,
                                          .series = series,
                                          .series_count = series_count,
                                          .labels = labels,
                                          .values = values,
                                          .rows = r->lane_count};
    cairn_page_begin_figure(page, "");
    cairn_chart_bars(page->body, &bars);
    cairn_page_end_figure(page, "%s", caption);
}

/* In units of so many to a second. */
static void set_time(struct cairn_chart_value *to, double seconds, double units)
{
    to->value = seconds * units;
    page_time(seconds, to->text, sizeof to->text);
}

static void set_megabytes(struct cairn_chart_value *to, int64_t bytes)
{
    to->value = (double)bytes * 1e-6;
    snprintf(to->text, sizeof to->text, "%.1f MB", to->value);
}

static void write_speed_charts(struct cairn_page *page, const struct cairn_compare_result *r)
{
    struct cairn_chart_value values[2 * CAIRN_COMPARE_LANES];
    for (int i = 0; i < r->lane_count; i++) set_time(&values[i], r->lanes[i].seconds, 1e3);
    write_bars(page, r, "chart-step", "A training step, ms", "ms", NULL, 1, values,
               "Median time of a training step; less is faster.");
    for (int i = 0; i < r->lane_count; i++) {
        values[i].value = r->lanes[i].images_per_second;
        snprintf(values[i].text, sizeof values[i].text, values[i].value < 100 ? "%.3g" : "%.0f",
                 values[i].value);
    }
    write_bars(page, r, "chart-images", "Images a second", "images a second", NULL, 1, values,
               "Images trained on in a second; more is faster.");
}

void page_cost_charts(struct cairn_page *page, const struct cairn_compare_result *r)
{
    static const char *const starts[] = {"first", "again"}, *const bytes[] = {"plan", "peak"};
    struct cairn_chart_value values[2 * CAIRN_COMPARE_LANES];
    int timed = page_is_timed(r), series = timed ? 2 : 1;
    cairn_page_begin_figures(page);
    if (timed) write_speed_charts(page, r);
    for (int i = 0; i < r->lane_count; i++) {
        const struct cairn_compare_lane_info *lane = &r->lanes[i];
        set_time(&values[i * series], lane->start.open + lane->start.kernels, 1);
        if (timed) set_time(&values[i * 2 + 1], lane->again.open + lane->again.kernels, 1);
    }
    write_bars(page, r, "chart-start", "Start, s", "s", timed ? starts : NULL, series, values,
               "Opening the device and having its kernels: as it was first, compiled or from the "
               "cache, and again.");
    for (int i = 0; i < r->lane_count; i++) {
        set_megabytes(&values[i * 2], r->lanes[i].plan_bytes);
        set_megabytes(&values[i * 2 + 1], r->lanes[i].peak_bytes);
    }
    write_bars(page, r, "chart-memory", "Device memory, MB", "MB", bytes, 2, values,
               "What the plan takes, and the most that was allocated at any time.");
    cairn_page_end_figures(page);
}

/* Whether an operator takes a twentieth of any lane's time. */
static int is_large(const struct cairn_compare_result *r, const struct cairn_compare_row *row)
{
    for (int lane = 0; lane < r->lane_count; lane++) {
        double all = 0;
        for (int i = 0; i < r->operator_count; i++) all += r->operators[i].cells[lane].seconds;
        if (row->cells[lane].seconds > 0.05 * all) return 1;
    }
    return 0;
}

/* Operators by lanes as bars. */
cairn_status page_operator_chart(struct cairn_page *page, const struct cairn_compare_result *r)
{
    int rows = 0, lanes = r->lane_count;
    char names[CAIRN_COMPARE_LANES][4];
    const char *series[CAIRN_COMPARE_LANES];
    const char **labels = calloc((size_t)r->operator_count + 1, sizeof *labels);
    struct cairn_chart_value *values =
        calloc((size_t)(r->operator_count * lanes) + 1, sizeof *values);
    cairn_status st = labels && values ? CAIRN_OK : cairn_fail(CAIRN_MEMORY, "out of memory");
    if (st != CAIRN_OK) goto out;
    for (int i = 0; i < lanes; i++) {
        snprintf(names[i], sizeof names[i], "%c", 'A' + i);
        series[i] = names[i];
    }
    for (int i = 0; i < r->operator_count; i++) {
        if (!is_large(r, &r->operators[i])) continue;
        for (int lane = 0; lane < lanes; lane++) {
            struct cairn_chart_value *value = &values[rows * lanes + lane];
            set_time(value, r->operators[i].cells[lane].seconds, 1e3);
            if (!r->lanes[lane].profiled) snprintf(value->text, sizeof value->text, "not told");
        }
        labels[rows++] = r->operators[i].op;
    }
    const struct cairn_chart_bars bars = {
        .chart = {"chart-operators", "Device time in a step by operator, ms",
                  "A bar for each lane and operator; the table below has the numbers."},
        .unit = "ms",
        .series = series,
        .series_count = lanes,
        .labels = labels,
        .values = values,
        .rows = rows};
    cairn_page_begin_figure(page, "");
    cairn_chart_bars(page->body, &bars);
    cairn_page_end_figure(page, "Device time of a training step's operators, from a profile: those "
                                "that take a twentieth of any lane's time.");
out:
    free(labels);
    free(values);
    return st;
}
