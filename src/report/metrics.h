/* metrics.jsonl of a run, column by column.
 *
 * Invariant: every column has `count` numbers; NaN where a line has none, or null, which stands for
 * what was not finite. The lines rise in x. A last line that is not whole yet is left out. */
#ifndef CAIRN_REPORT_METRICS_H
#define CAIRN_REPORT_METRICS_H

#include "report/chart.h"
#include <cairn/status.h>

/* Losses and accuracies in the order train, validation, test. */
enum cairn_metric {
    CAIRN_METRIC_EPOCH,
    CAIRN_METRIC_STEP,
    CAIRN_METRIC_LOSS,
    CAIRN_METRIC_ACCURACY = CAIRN_METRIC_LOSS + 3, /* from 0 to 1 */
    CAIRN_METRIC_RATE = CAIRN_METRIC_ACCURACY + 3,
    CAIRN_METRIC_SECONDS,
    CAIRN_METRIC_SPEED, /* images a second */
    CAIRN_METRIC_COUNT,
};

struct cairn_metrics {
    double *columns[CAIRN_METRIC_COUNT]; /* of one allocation, the first's */
    int64_t count;
    int by_steps; /* x: 1 steps, 0 epochs */
};

/* Reads a run's file into a zeroed struct; by_steps is the caller's. CAIRN_NOT_FOUND, CAIRN_FORMAT
 * name the file and line. */
cairn_status cairn_metrics_read(const char *run, int by_steps, struct cairn_metrics *metrics);
void cairn_metrics_free(struct cairn_metrics *metrics); /* zeroes it */

const char *cairn_metric_name(enum cairn_metric metric); /* "train_loss" */
const double *cairn_metrics_x(const struct cairn_metrics *metrics);
/* Whether any number of the column is finite. */
int cairn_metrics_has(const struct cairn_metrics *metrics, enum cairn_metric metric);

/* The chart of CAIRN_METRIC_LOSS, _ACCURACY (in per cent) or _RATE; id as in report/chart.h.
 * CAIRN_MEMORY. */
cairn_status cairn_metrics_draw(FILE *f, const struct cairn_metrics *metrics,
                                enum cairn_metric metric, const char *id);

#endif
