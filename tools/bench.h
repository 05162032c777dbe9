/* What the files of `cairn bench` share: its options, times of samples, and how results are told.
 */
#ifndef CAIRN_TOOLS_BENCH_H
#define CAIRN_TOOLS_BENCH_H

#include "compute.h"
#include "json.h"

#define BENCH_SAMPLES_MOST 1001

struct bench {
    struct compute_options compute;
    const char *file, *recipe, *peer, *trace;
    struct option_list lines, sets;
    int64_t samples, sample_ms, batch;
    int as_json, list;
    struct cairn_device *device; /* of operators; a recipe's bench has its own */
    json_t *results;
};

/* Seconds of one launch or step. */
struct times {
    double median, min, max;
};

/* Of count samples, which are sorted. */
struct times bench_times(double *samples, int64_t count);

/* --op and --file: operators one by one. Returns an exit status. */
int bench_operators(struct bench *bench);

/* --recipe: a training step and an inference step. Returns an exit status. */
int bench_recipe(struct bench *bench);

#endif
