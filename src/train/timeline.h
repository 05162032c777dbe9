/* Device time by layer, and a trace of some steps, of a session whose device is profiled.
 *
 * Invariant: launches arrive in order, each with the mark that cairn_plan_run() gave it: its step
 * of a plan, and the number of the training step. Kernels' names live as long as the device. */
#ifndef CAIRN_TRAIN_TIMELINE_H
#define CAIRN_TRAIN_TIMELINE_H

#include "train/session.h"

struct cairn_timeline_event {
    struct cairn_launch launch;
    const struct cairn_step *step; /* NULL: of no plan */
    int row;
};

struct cairn_timeline {
    const struct cairn_session *session; /* NULL: not open */
    struct cairn_layer_time *rows;       /* images, the model's layers, loss, update, other */
    int row_count;
    struct cairn_mark last; /* of the launch before */
    int tracing, failed;    /* failed: memory was out */
    int64_t steps, first;   /* steps begun; the first to be kept; for those who run them */
    struct cairn_timeline_event *events;
    size_t count, room;
};

/* Watches the session's device from now on; both outlive it. */
cairn_status cairn_timeline_open(struct cairn_timeline *timeline,
                                 const struct cairn_session *session);
void cairn_timeline_close(struct cairn_timeline *timeline); /* zeroes it */

/* Waits, and from then on keeps every launch, or no more. */
cairn_status cairn_timeline_trace(struct cairn_timeline *timeline, int on);

/* Waits and gives the rows that have launches, in order; then all are empty again. */
cairn_status cairn_timeline_rows(struct cairn_timeline *timeline,
                                 void (*each)(void *context, const struct cairn_layer_time *row),
                                 void *context);

/* Writes what was kept as Chrome's trace events: steps, layers and kernels, each on a line of its
 * own. */
cairn_status cairn_timeline_write(const struct cairn_timeline *timeline, const char *path);

#endif
