/* Small nets that hold every kind of layer, and a bench that runs their plans on a few random
 * images. */
#ifndef CAIRN_TESTS_NETS_H
#define CAIRN_TESTS_NETS_H

#include "nn/plan.h"

struct net {
    const char *name;
    const char *const *lines; /* NULL at the end */
    struct cairn_shape in;
    int64_t classes, batch;
    enum cairn_plan_loss loss;
    float smoothing;
    int weighted;
    int fuses; /* some of its steps are fused */
};

extern const struct net nets[];
extern const int net_count;
const struct net *net_find(const char *name);

/* The model of these lines; xavier where a line has no init=. */
cairn_status net_model(const char *const *lines, struct cairn_shape in, int64_t classes,
                       struct cairn_model **model);

#define BENCH_TOTAL 12 /* images of the table */
#define BENCH_PLANS 4
#define BENCH_ROW 2 /* where LOSS, CORRECT and LOGITS begin */

struct bench {
    struct cairn_model *model;
    struct cairn_device *device;
    struct cairn_plan *plans[BENCH_PLANS];
    struct cairn_memory memory;
    float *flat;  /* total_floats: what run() trains */
    float *grads; /* flat_floats: the last run's */
};

/* Options for a plan of the net; the update is sgd. */
struct cairn_plan_options bench_options(const struct net *net, enum cairn_plan_kind kind,
                                        int64_t batch, int plain);

/* Compiles `count` plans over one memory on the device. The arena is full of NaN, gradients, sums
 * and moments are 0, class weights 0.5, 1, 1.5, ...; parameters are the initial ones. */
void bench_open(struct bench *b, const struct net *net, const struct cairn_plan_options *options,
                int count, const char *device);
void bench_close(struct bench *b);

/* Writes b->flat, runs the plan, reads GRADS to b->grads; the sum of the batch's losses, divided by
 * its images. */
double bench_run(struct bench *b, int plan, const struct cairn_now *now);

/* All floats of a region. */
float *bench_read(const struct bench *b, enum cairn_region region, int64_t *count);

#endif
