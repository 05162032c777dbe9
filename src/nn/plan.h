/* A plan: a model compiled for a batch size into the list of problems that one step runs, over one
 * planned arena.
 *
 * Invariants: the list is fixed; what changes from step to step - where in the data, which dropout
 * draw, the learning rate - is struct cairn_now and patched into a copy. Two tensors whose lives
 * (first to last step that touches them) overlap never share arena bytes. Every size is known
 * before any memory is allocated, and running a plan allocates nothing. A fused step is defined as
 * its parts in order, so fusing changes no bit.
 *
 * A softmax or logsoftmax that ends the model is the one inside cross-entropy: with that loss it is
 * left out, and what an evaluation keeps as logits is its input. With the other losses it is a
 * layer as everywhere else. The gradient of an output that several layers take is the sum of
 * theirs, the last layer's first, and of an addition's the input's first. */
#ifndef CAIRN_NN_PLAN_H
#define CAIRN_NN_PLAN_H

#include "nn/model.h"
#include <cairn/device.h>

/* Memory that plans share. Parameters, gradients and moments have the model's flat layout. */
enum cairn_region {
    CAIRN_REGION_PARAMS,
    CAIRN_REGION_GRADS,
    CAIRN_REGION_MOMENT1,       /* sgd, adagrad, adadelta: v; adam, rmsprop: m */
    CAIRN_REGION_MOMENT2,       /* adam, rmsprop: v; adadelta: u */
    CAIRN_REGION_SUMS,          /* gradients added up over the parts of a batch (accumulation) */
    CAIRN_REGION_CLASS_WEIGHTS, /* one float per class */
    CAIRN_REGION_ARENA,         /* activations, their gradients, workspace */
    CAIRN_REGION_TABLE,         /* the data set's images, bytes */
    CAIRN_REGION_LABELS,        /* one byte per image */
    CAIRN_REGION_INDICES,       /* int32: which images, in which order */
    CAIRN_REGION_LOSS,          /* float per row of the pass: read once per pass, not per step */
    CAIRN_REGION_CORRECT,       /* int32 per row of the pass */
    CAIRN_REGION_LOGITS,        /* classes floats per row of an evaluation pass */
    CAIRN_REGION_COUNT
};

/* What a tensor's place follows. */
enum cairn_follow { CAIRN_FOLLOW_NOTHING, CAIRN_FOLLOW_INDEX, CAIRN_FOLLOW_ROW };

struct cairn_tensor {
    enum cairn_region region;
    int64_t count, offset;    /* elements of 4 bytes (TABLE and LABELS: bytes) */
    enum cairn_follow follow; /* the place moves by `advance` elements per index or row */
    int64_t advance;
    int first, last; /* arena: the steps that touch it first and last */
};

/* What a step is for; gathering and the loss belong to forward, clipping and accumulation to
 * update; all of an evaluation is one phase. */
enum cairn_phase {
    CAIRN_PHASE_FORWARD,
    CAIRN_PHASE_BACKWARD,
    CAIRN_PHASE_UPDATE,
    CAIRN_PHASE_EVALUATE,
    CAIRN_PHASES
};

#define CAIRN_PLAN_OPERANDS 10 /* CAIRN_MAX_OPERANDS */
struct cairn_step {
    struct cairn_problem problem; /* memory unset */
    int layer;                    /* index into the model, -1: none */
    enum cairn_phase phase;
    int tensors[CAIRN_PLAN_OPERANDS]; /* by number in the operator's schema; -1: unused */
};

enum cairn_plan_kind {
    CAIRN_PLAN_TRAIN,      /* gather, forward, loss, backward, update */
    CAIRN_PLAN_EVALUATE,   /* gather, forward, loss; logits are kept */
    CAIRN_PLAN_GRADIENT,   /* TRAIN without the update: GRADS and LOSS are the result; running
                              statistics move */
    CAIRN_PLAN_ACCUMULATE, /* GRADIENT, then SUMS = SUMS + GRADS; the caller zeroes SUMS */
    CAIRN_PLAN_UPDATE,     /* the update alone, from SUMS; batch is ignored */
};

struct cairn_plan {
    enum cairn_plan_kind kind;
    int64_t batch;
    struct cairn_step *steps;
    int step_count;
    struct cairn_tensor *tensors;
    int tensor_count;
    int *outputs; /* per node: see cairn_plan_output() */
    int64_t arena_floats;
};

enum cairn_plan_loss { CAIRN_PLAN_CROSS_ENTROPY, CAIRN_PLAN_MSE, CAIRN_PLAN_PERCEPTRON };

struct cairn_plan_options {
    enum cairn_plan_kind kind;
    int64_t batch;
    int64_t whole;      /* images of the whole batch, whose mean loss is minimised; 0: batch */
    int64_t total;      /* images in TABLE */
    float shift, scale; /* of the gathered pixels */
    uint64_t seed;      /* of dropout and augmentation */
    int plain;          /* 1: no fusion */
    enum cairn_plan_loss loss;
    float smoothing; /* cross-entropy; training only: an evaluation's loss has none */
    int weighted;    /* 1: CLASS_WEIGHTS; training only */
    /* The images of TABLE, of which the model takes the size model->in: the fields c, h, w, shifts,
     * flip, turn and fill are taken from here. h = 0: TABLE has the model's own shape and nothing
     * moves. An evaluation takes the middle. */
    struct cairn_augment augment;
    float clip; /* 0: none; else the largest norm of all gradients */
    /* TRAIN, UPDATE: an optimizer's problem with its scalars set; counts and memory are filled in.
     */
    struct cairn_problem update;
};

/* Compiles. The device is asked for workspace sizes only; with it the variants that it would choose
 * now are fixed in size, so force variants before. */
cairn_status cairn_plan_create(const struct cairn_model *model,
                               const struct cairn_plan_options *options,
                               struct cairn_device *device, struct cairn_plan **plan);
void cairn_plan_destroy(struct cairn_plan *plan); /* NULL is fine */

/* Where a step is. */
struct cairn_now {
    int64_t index;      /* INDICES position of the batch's first image */
    int64_t row;        /* LOSS, CORRECT and LOGITS row of the batch's first image */
    int64_t step;       /* global step from 0: dropout and augmentation draw by it */
    int64_t first;      /* the batch's first image within the whole batch (accumulation) */
    float rate, c1, c2; /* learning rate; adam's corrections */
};

struct cairn_memory {
    struct cairn_buffer *buffers[CAIRN_REGION_COUNT];
};

/* Allocates each region of bytes[region] (0: none) on the device; a failure names the region and
 * frees the rest. */
cairn_status cairn_memory_create(struct cairn_device *device,
                                 const int64_t bytes[CAIRN_REGION_COUNT],
                                 struct cairn_memory *memory);
void cairn_memory_free(struct cairn_memory *memory); /* zeroes it */
const char *cairn_region_name(enum cairn_region region);

/* Enqueues every step. On a profiled device its launches are marked with the step and now->step. */
cairn_status cairn_plan_run(const struct cairn_plan *plan, struct cairn_device *device,
                            const struct cairn_memory *memory, const struct cairn_now *now);

/* Step `number` of the plan as it would run now, with its memory; for those who run a plan step by
 * step. */
void cairn_plan_problem(const struct cairn_plan *plan, const struct cairn_memory *memory,
                        const struct cairn_now *now, int number, struct cairn_problem *problem);

/* The tensor that holds the output of node `node` after the last forward step of that node; -1 for
 * what a fused step leaves unwritten (use `plain`). */
int cairn_plan_output(const struct cairn_plan *plan, int node);

/* The parts of compiling, for plan.c and its tests. */
void cairn_plan_fuse(struct cairn_plan *plan); /* see fuse.c */
void cairn_plan_live(struct cairn_plan *plan); /* sets first and last */
cairn_status cairn_plan_place(
    struct cairn_plan *plan); /* sets arena offsets and arena_floats; needs the lives */

#endif
