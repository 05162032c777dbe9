/* Building a plan, for plan.c, forward.c and backward.c: appending steps and tensors, and what is
 * known of each node.
 *
 * A node whose output is its input (none, flatten, dropout while evaluating) computes nothing: its
 * `cell` is that of its input. Every other node's cell is itself; the images' is CAIRN_NODE_INPUT.
 * A value, its readers and its gradient belong to the cell. */
#ifndef CAIRN_NN_BUILD_H
#define CAIRN_NN_BUILD_H

#include "nn/plan.h"

struct trace {
    int cell;
    int needed;            /* the loss depends on it */
    int trains;            /* it or something that it reads has parameters: it needs its gradient */
    int readers;           /* of the cell's value in the forward pass, the loss included */
    int kept;              /* the backward pass reads the value: nobody may overwrite it */
    int value;             /* tensor */
    int grad;              /* tensor with the gradient's terms so far, -1: none yet */
    int index, mean, rstd; /* tensors that pools and norms leave for the backward pass */
};

struct builder {
    const struct cairn_model *model;
    const struct cairn_plan_options *options;
    struct cairn_plan *plan;
    struct trace *traces;   /* from CAIRN_NODE_INPUT on */
    int *refs;              /* per tensor: how many gradients still to come or be read it holds */
    int source;             /* the cell that the loss takes */
    int labels;             /* tensor: int32 labels of the batch */
    enum cairn_phase phase; /* of the steps that are added now */
};

/* --- plan.c --- */

int cairn_build_arena(struct builder *b, int64_t count);
/* From the start of a region, or moving through it with the batch's place. */
int cairn_build_region(struct builder *b, enum cairn_region region, int64_t count,
                       enum cairn_follow follow, int64_t advance);
/* A parameter's place in PARAMS or GRADS. */
int cairn_build_param(struct builder *b, enum cairn_region region, int param);
void cairn_build_step(struct builder *b, struct cairn_problem problem, int layer);
/* Gives the last step its operand of this name. */
void cairn_build_use(struct builder *b, const char *operand, int tensor);
int cairn_build_trains(const struct builder *b); /* whether the plan has a backward pass */

/* --- trace.c: what is known before the first step --- */

void cairn_build_traces(struct builder *b);
/* The trace of the cell that a node (or CAIRN_NODE_INPUT) gives. */
struct trace *cairn_build_cell(const struct builder *b, int node);

/* --- forward.c --- */

void cairn_build_forward(struct builder *b, int node);
/* The problems that both passes have; the last argument is an operator of the family. */
struct cairn_problem cairn_build_conv(const struct builder *b, int node, enum cairn_op op);
struct cairn_problem cairn_build_gemm(int64_t m, int64_t n, int64_t k, int ta, int tb);
struct cairn_problem cairn_build_pool(const struct builder *b, int node, enum cairn_op op);
struct cairn_problem cairn_build_dropout(const struct builder *b, int node);
struct cairn_problem cairn_build_sum(int64_t count); /* add, element by element */
/* CAIRN_ACT_NONE for layers of other kinds. */
enum cairn_activation_kind cairn_build_activation(const struct cairn_layer *layer);

/* --- backward.c --- */

/* Everything after the loss; `grad` is the tensor of the gradient of b->source. */
void cairn_build_backward(struct builder *b, int grad);

#endif
