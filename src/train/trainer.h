/* A training at work, shared by the files that make it up: train.c (setting up, the test at the
 * end), loop.c (steps and evaluations), save.c (checkpoints and resuming), folds.c.
 *
 * Invariant: between two calls the state, the parameters and the moments on the device belong to
 * the same step, so that a checkpoint may be written; what changes weights is a function of the
 * recipe, the images and the state. */
#ifndef CAIRN_TRAIN_TRAINER_H
#define CAIRN_TRAIN_TRAINER_H

#include "events/events.h"
#include "train/checkpoint.h"
#include "train/folder.h"
#include "train/session.h"
#include "train/timeline.h"

struct cairn_trainer {
    const struct cairn_train_options *options;
    struct cairn_recipe recipe;
    struct cairn_folder folder;
    const char *home; /* the folder that --resume takes: a fold's is that of all folds */
    struct cairn_session session;
    struct cairn_timeline timeline; /* with compute.profile */
    struct cairn_events *events;    /* with options.tensorboard */
    struct cairn_state state;
    struct cairn_train_event event; /* what never changes is filled in once */
    char *metrics;                  /* the lines of metrics.jsonl so far */
    float *kept, *moment1, *moment2;
    int warm;       /* 1: the first step, which compiles kernels, is over */
    int told_steps; /* step events so far, the last one at told_at */
    double told_at;
    int64_t shuffled;    /* the epoch whose order the device has; -1: none */
    int64_t pending;     /* the epoch's first row that was not collected yet */
    double collected_at; /* when losses were looked at last, behind step collected_step */
    int64_t collected_step;
    int64_t rewound; /* the step of the checkpoint that cairn_trainer_rewind() took; 0: none */
};

void cairn_trainer_tell(struct cairn_trainer *t, enum cairn_train_event_kind kind);

/* --- loop.c --- */

/* 1 when no step is left: all are done and evaluated, or patience is over. */
int cairn_trainer_finished(const struct cairn_trainer *t);

/* Steps up to the next evaluation, the evaluation, a checkpoint. CAIRN_INTERRUPTED after a
 * checkpoint in between. */
cairn_status cairn_trainer_advance(struct cairn_trainer *t);

/* Writes the trace, if one is being kept, and keeps no more. */
cairn_status cairn_trainer_write_trace(struct cairn_trainer *t);

/* The learning rate of step `step`, from 0. */
float cairn_trainer_rate(const struct cairn_trainer *t, int64_t step);

/* --- watch.c --- */

/* The place of the first value that is NaN or infinite; -1: none. */
int64_t cairn_watch_find(const float *values, int64_t count);

/* Looks at the losses of the epoch's rows from `first` on, as they were collected; at what a
 * checkpoint is to be written from (moments may be NULL); at what a resumed run begins with.
 * CAIRN_DIVERGED unless options.on_nan lets it pass. */
cairn_status cairn_watch_losses(struct cairn_trainer *t, int64_t first, int64_t count);
cairn_status cairn_watch_state(struct cairn_trainer *t, const float *flat, const float *moment1,
                               const float *moment2);
cairn_status cairn_watch_begin(struct cairn_trainer *t);

/* Something was not finite in step `step`, from 0, or before: finds the first such value, and tells
 * it. The trainer is of no use afterwards. */
cairn_status cairn_watch_stop(struct cairn_trainer *t, int64_t step);

/* --- save.c --- */

/* Puts the device back to the last checkpoint, or to the beginning where there is none. */
cairn_status cairn_trainer_rewind(struct cairn_trainer *t);

cairn_status cairn_trainer_start(struct cairn_trainer *t); /* fresh or resumed */

/* Parameters and moments, to the device and back. */
cairn_status cairn_trainer_put(struct cairn_trainer *t, enum cairn_region region,
                               const float *flat);
cairn_status cairn_trainer_get(struct cairn_trainer *t, enum cairn_region region, float *flat);

/* last.safetensors, metrics.jsonl; with `evaluated` the events of the evaluation just made. */
cairn_status cairn_trainer_save(struct cairn_trainer *t, int evaluated);
cairn_status cairn_trainer_keep(struct cairn_trainer *t); /* model.safetensors */
cairn_status cairn_trainer_interrupted(struct cairn_trainer *t);

/* The state before the first step, of a session whose images are split. */
void cairn_state_begin(struct cairn_state *state, const struct cairn_session *session,
                       enum cairn_math math);

/* --- train.c --- */

/* The mistakes that a training would tell before it opens the device. */
cairn_status cairn_train_check(const struct cairn_train_options *options,
                               const struct cairn_recipe *recipe, int64_t fold);

/* One training in the folder `out`; `home` as above; fold from 1, 0: none. */
cairn_status cairn_train_one(const struct cairn_train_options *options, const char *out,
                             const char *home, int64_t fold, struct cairn_train_result *result);

/* --- folds.c --- */

/* The trainings of a cross-validation in out/fold-1 and so on, and out/summary.json. */
cairn_status cairn_train_folds(const struct cairn_train_options *options, const char *out,
                               const struct cairn_recipe *recipe,
                               struct cairn_train_result *result);

#endif
