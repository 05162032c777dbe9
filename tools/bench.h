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
    int as_json, list, wants_roofline;
    struct cairn_roofline roofline; /* zero where it is not wanted */
    struct cairn_device *device;    /* of operators; a recipe's bench has its own */
    json_t *results;
};

/* Seconds of one launch or step. */
struct times {
    double median, min, max;
};

/* Of count samples, which are sorted. */
struct times bench_times(double *samples, int64_t count);

/* Measures the device's limits, if they are wanted, and says them. Returns -1 or an exit status. */
int bench_roofline(struct bench *bench, struct cairn_device *device);

/* Adds "roofline" to an object, and with `seconds` above 0 also "share": what the limits would take
 * for this problem (more than one: add up), as a share of them. Nothing where they were not
 * measured.
 */
void bench_share_json(const struct bench *bench, json_t *object, double least, double seconds);

/* "   63 % of the roofline", or nothing. */
void bench_share_print(const struct bench *bench, double least, double seconds);

/* --op and --file: operators one by one. Returns an exit status. */
int bench_operators(struct bench *bench);

/* --recipe: a training step and an inference step. Returns an exit status. */
int bench_recipe(struct bench *bench);

#endif
