/* Timing one operator on one device.
 *
 * A bench holds a problem's operands on the device, filled with random data that suits them, and a
 * number of launches that makes a sample long enough to be timed. Samples are taken one by one, so
 * that a caller can take those of a peer in between. */
#ifndef CAIRN_BENCH_H
#define CAIRN_BENCH_H

#include <cairn/device.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cairn_bench;

/* Allocates, fills, runs the problem until kernels are built and caches are warm, and finds how
 * many launches take about `seconds` (0: 0.03). The problem's memory need not be set. */
cairn_status cairn_bench_create(struct cairn_device *device, const struct cairn_problem *problem,
                                double seconds, struct cairn_bench **bench);
void cairn_bench_destroy(struct cairn_bench *bench); /* NULL is fine */

/* Queues one sample's launches, waits for them and gives the seconds of one launch. */
cairn_status cairn_bench_sample(struct cairn_bench *bench, double *seconds);

/* Launches in a sample. */
int64_t cairn_bench_launches(const struct cairn_bench *bench);
/* The variant that runs; the text is the bench's. */
const char *cairn_bench_variant(const struct cairn_bench *bench);

#ifdef __cplusplus
}
#endif
#endif
