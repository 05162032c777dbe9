#include "report/metrics.h"

#include "base/error.h"
#include "base/file.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[CAIRN_METRIC_COUNT] = {
    "epoch",         "step",           "train_loss",          "validation_loss",
    "test_loss",     "train_accuracy", "validation_accuracy", "test_accuracy",
    "learning_rate", "seconds",        "samples_per_second",
};

const char *cairn_metric_name(enum cairn_metric metric)
{
    return names[metric];
}

const double *cairn_metrics_x(const struct cairn_metrics *m)
{
    return m->columns[m->by_steps ? CAIRN_METRIC_STEP : CAIRN_METRIC_EPOCH];
}

int cairn_metrics_has(const struct cairn_metrics *m, enum cairn_metric metric)
{
    for (int64_t i = 0; i < m->count; i++)
        if (isfinite(m->columns[metric][i])) return 1;
    return 0;
}

/* --- reading --- */

static cairn_status read_line(const char *path, const char *text, size_t length,
                              struct cairn_metrics *m)
{
    json_error_t error;
    json_t *line = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    const double *x = cairn_metrics_x(m) + m->count;
    for (int k = 0; k < CAIRN_METRIC_COUNT; k++) {
        const json_t *value = json_object_get(line, names[k]);
        m->columns[k][m->count] = json_is_number(value) ? json_number_value(value) : (double)NAN;
    }
    json_decref(line);
    if (!isfinite(*x) || (m->count > 0 && *x <= x[-1]))
        return cairn_fail(CAIRN_FORMAT, "%s:%lld: not a line of metrics behind those before", path,
                          (long long)m->count + 1);
    m->count++;
    return CAIRN_OK;
}

cairn_status cairn_metrics_read(const char *run, int by_steps, struct cairn_metrics *m)
{
    cairn_status st = CAIRN_OK;
    size_t size, lines = 1;
    char *text = NULL, *path = cairn_file_join(run, "metrics.jsonl");
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    st = cairn_file_read(path, &text, &size);
    if (st == CAIRN_NOT_FOUND)
        st = cairn_fail(st,
                        "%s has no metrics.jsonl: nothing was evaluated yet, or it is a folder "
                        "of folds (give one of them)",
                        run);
    if (st != CAIRN_OK) goto out;
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    m->by_steps = by_steps;
    m->columns[0] = calloc(lines * CAIRN_METRIC_COUNT, sizeof *m->columns[0]);
    if (!m->columns[0]) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    for (size_t k = 1; k < CAIRN_METRIC_COUNT; k++) m->columns[k] = m->columns[0] + k * lines;
    for (char *at = text, *end; (end = strchr(at, '\n')); at = end + 1)
        TRY(read_line(path, at, (size_t)(end - at), m));
    if (m->count == 0) st = cairn_fail(CAIRN_FORMAT, "%s is empty", path);
out:
    free(text);
    free(path);
    return st;
}

void cairn_metrics_free(struct cairn_metrics *m)
{
    free(m->columns[0]);
    memset(m, 0, sizeof *m);
}

/* --- drawing --- */

/* "Loss over 20 epochs. train: from 0.81 to 0.12; validation: ..." */
static void describe(char *text, size_t size, const struct cairn_chart_lines *l, const char *what)
{
    size_t n = (size_t)snprintf(text, size, "%s at %lld evaluation%s.", what, (long long)l->count,
                                l->count == 1 ? "" : "s");
    for (int s = 0; s < l->series_count && n < size; s++) {
        const double *y = l->series[s].y, *first = NULL, *last = NULL;
        for (int64_t i = 0; i < l->count; i++) {
            if (!isfinite(y[i])) continue;
            if (!first) first = &y[i];
            last = &y[i];
        }
        if (first)
            n +=
                (size_t)snprintf(text + n, size - n, " %s: from %.4g to %.4g.",
                                 l->series[s].name ? l->series[s].name : "The rate", *first, *last);
    }
}

cairn_status cairn_metrics_draw(FILE *f, const struct cairn_metrics *m, enum cairn_metric metric,
                                const char *id)
{
    static const char *const parts[] = {"train", "validation", "test"};
    int rate = metric == CAIRN_METRIC_RATE, accuracy = metric == CAIRN_METRIC_ACCURACY;
    const char *title = rate ? "Learning rate" : accuracy ? "Accuracy, %" : "Loss";
    struct cairn_chart_series series[3];
    char desc[320];
    struct cairn_chart_lines l = {
        .chart = {id, title, desc},
        .x_title = m->by_steps ? "step" : "epoch",
        .x = cairn_metrics_x(m),
        .count = m->count,
        .series = series,
        .zero = !accuracy,
        .whole = 1,
    };
    double *percent = malloc((size_t)m->count * 3 * sizeof *percent);
    if (!percent) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (int s = 0; s < (rate ? 1 : 3); s++) {
        const double *from = m->columns[(int)metric + s];
        double *to = percent + (int64_t)s * m->count;
        if (!rate && !cairn_metrics_has(m, metric + (enum cairn_metric)s)) continue;
        for (int64_t i = 0; i < m->count; i++) to[i] = accuracy ? 100 * from[i] : from[i];
        series[l.series_count++] = (struct cairn_chart_series){rate ? NULL : parts[s], to};
    }
    describe(desc, sizeof desc, &l, title);
    cairn_chart_lines(f, &l);
    free(percent);
    return CAIRN_OK;
}
