/* The forward pass: the steps that make each node's value. */
#include "nn/build.h"

#include "base/random.h"
#include <assert.h>

/* A transposed convolution is the gradient of the convolution from its output to its input. */
struct cairn_problem cairn_build_conv(const struct builder *b, int number, enum cairn_op op)
{
    struct cairn_problem problem = cairn_problem_default(op);
    const struct cairn_node *node = &b->model->nodes[number];
    const struct cairn_layer *l = &node->layer;
    int transposed = l->kind == CAIRN_LAYER_CONV_TRANSPOSE;
    const struct cairn_shape *x = transposed ? &node->out : &node->in;
    struct cairn_conv *p = &problem.u.conv;
    p->n = b->options->batch;
    p->c = x->c;
    p->h = x->h;
    p->w = x->w;
    p->o = transposed ? node->in.c : node->out.c;
    p->kh = l->kh;
    p->kw = l->kw;
    p->stride_h = l->stride_h;
    p->stride_w = l->stride_w;
    p->pad_t = l->pad_t;
    p->pad_b = l->pad_b;
    p->pad_l = l->pad_l;
    p->pad_r = l->pad_r;
    p->dilation_h = l->dilation_h;
    p->dilation_w = l->dilation_w;
    p->groups = l->groups;
    return problem;
}

struct cairn_problem cairn_build_pool(const struct builder *b, int number, enum cairn_op op)
{
    struct cairn_problem problem = cairn_problem_default(op);
    const struct cairn_node *node = &b->model->nodes[number];
    const struct cairn_layer *l = &node->layer;
    struct cairn_pool *p = &problem.u.pool;
    p->kind = l->kind == CAIRN_LAYER_MAXPOOL ? CAIRN_POOL_MAX : CAIRN_POOL_AVERAGE;
    p->planes = b->options->batch * node->in.c;
    p->h = node->in.h;
    p->w = node->in.w;
    p->kh = l->kh;
    p->kw = l->kw;
    p->stride_h = l->stride_h;
    p->stride_w = l->stride_w;
    p->pad_t = l->pad_t;
    p->pad_b = l->pad_b;
    p->pad_l = l->pad_l;
    p->pad_r = l->pad_r;
    p->count_pad = l->count_pad;
    return problem;
}

struct cairn_problem cairn_build_gemm(int64_t m, int64_t n, int64_t k, int ta, int tb)
{
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_GEMM);
    problem.u.gemm.m = m;
    problem.u.gemm.n = n;
    problem.u.gemm.k = k;
    problem.u.gemm.ta = ta;
    problem.u.gemm.tb = tb;
    return problem;
}

struct cairn_problem cairn_build_dropout(const struct builder *b, int number)
{
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_DROPOUT);
    const struct cairn_node *node = &b->model->nodes[number];
    problem.u.dropout.count = b->options->batch * cairn_shape_count(node->in);
    problem.u.dropout.rate = node->layer.rate;
    problem.u.dropout.seed = b->options->seed;
    problem.u.dropout.stream = CAIRN_STREAM_DROPOUT + number;
    return problem;
}

struct cairn_problem cairn_build_sum(int64_t count)
{
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_ADD);
    problem.u.add.n2 = count;
    return problem;
}

enum cairn_activation_kind cairn_build_activation(const struct cairn_layer *layer)
{
    switch (layer->kind) {
    case CAIRN_LAYER_RELU:
        return CAIRN_ACT_RELU;
    case CAIRN_LAYER_TANH:
        return CAIRN_ACT_TANH;
    case CAIRN_LAYER_SIGMOID:
        return CAIRN_ACT_SIGMOID;
    case CAIRN_LAYER_LEAKYRELU:
        return CAIRN_ACT_LEAKY_RELU;
    case CAIRN_LAYER_ELU:
        return CAIRN_ACT_ELU;
    case CAIRN_LAYER_GELU:
        return layer->gelu_tanh ? CAIRN_ACT_GELU_TANH : CAIRN_ACT_GELU;
    case CAIRN_LAYER_SILU:
        return CAIRN_ACT_SILU;
    case CAIRN_LAYER_SOFTPLUS:
        return CAIRN_ACT_SOFTPLUS;
    case CAIRN_LAYER_HARDSIGMOID:
        return CAIRN_ACT_HARD_SIGMOID;
    case CAIRN_LAYER_HARDSWISH:
        return CAIRN_ACT_HARD_SWISH;
    default:
        return CAIRN_ACT_NONE;
    }
}

/* The tensor for a pointwise result: that of the operand `node`, if this is its last reader. */
static int reuse(const struct builder *b, int node)
{
    const struct trace *x = cairn_build_cell(b, node);
    return x->readers == 1 && !x->kept ? x->value : -1;
}

static int pointwise_output(struct builder *b, int node, int64_t count)
{
    int out = reuse(b, node);
    return out >= 0 ? out : cairn_build_arena(b, count);
}

static int forward_conv(struct builder *b, int i, int64_t count)
{
    const struct cairn_node *node = &b->model->nodes[i];
    struct cairn_problem problem = cairn_build_conv(b, i, CAIRN_OP_CONV);
    int out = cairn_build_arena(b, count);
    problem.u.conv.bias = node->bias >= 0;
    cairn_build_step(b, problem, i);
    cairn_build_use(b, "x", cairn_build_cell(b, node->input)->value);
    cairn_build_use(b, "weight", cairn_build_param(b, CAIRN_REGION_PARAMS, node->weight));
    if (node->bias >= 0)
        cairn_build_use(b, "bias_v", cairn_build_param(b, CAIRN_REGION_PARAMS, node->bias));
    cairn_build_use(b, "y", out);
    return out;
}

static int forward_transposed(struct builder *b, int i, int64_t count)
{
    const struct cairn_node *node = &b->model->nodes[i];
    int out = cairn_build_arena(b, count);
    cairn_build_step(b, cairn_build_conv(b, i, CAIRN_OP_CONV_DATA), i);
    cairn_build_use(b, "y", cairn_build_cell(b, node->input)->value);
    cairn_build_use(b, "weight", cairn_build_param(b, CAIRN_REGION_PARAMS, node->weight));
    cairn_build_use(b, "x", out);
    if (node->bias < 0) return out;
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_ADD);
    problem.u.add.n1 = b->options->batch;
    problem.u.add.c = node->out.c;
    problem.u.add.n2 = node->out.h * node->out.w;
    problem.u.add.channel = 1;
    cairn_build_step(b, problem, i);
    cairn_build_use(b, "x", out);
    cairn_build_use(b, "b", cairn_build_param(b, CAIRN_REGION_PARAMS, node->bias));
    cairn_build_use(b, "y", out);
    return out;
}

/* y = x w^T: n x inputs times outputs x inputs transposed. */
static int forward_linear(struct builder *b, int i, int64_t count)
{
    const struct cairn_node *node = &b->model->nodes[i];
    struct cairn_problem problem =
        cairn_build_gemm(b->options->batch, node->layer.outputs, cairn_shape_count(node->in), 0, 1);
    int out = cairn_build_arena(b, count);
    problem.u.gemm.bias = node->bias >= 0 ? CAIRN_BIAS_N : CAIRN_BIAS_NONE;
    cairn_build_step(b, problem, i);
    cairn_build_use(b, "a", cairn_build_cell(b, node->input)->value);
    cairn_build_use(b, "b", cairn_build_param(b, CAIRN_REGION_PARAMS, node->weight));
    if (node->bias >= 0)
        cairn_build_use(b, "bias_v", cairn_build_param(b, CAIRN_REGION_PARAMS, node->bias));
    cairn_build_use(b, "c", out);
    return out;
}

static int forward_pool(struct builder *b, int i, int64_t count)
{
    const struct cairn_node *node = &b->model->nodes[i];
    int out = cairn_build_arena(b, count);
    cairn_build_step(b, cairn_build_pool(b, i, CAIRN_OP_POOL), i);
    cairn_build_use(b, "x", cairn_build_cell(b, node->input)->value);
    cairn_build_use(b, "y", out);
    if (node->layer.kind == CAIRN_LAYER_MAXPOOL)
        cairn_build_use(b, "index", b->traces[i].index = cairn_build_arena(b, count));
    return out;
}

/* Measures the batch; the running statistics lie among the parameters. */
static void norm_statistics(struct builder *b, int i)
{
    const struct cairn_node *node = &b->model->nodes[i];
    struct trace *t = &b->traces[i];
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_BATCHNORM_STATS);
    problem.u.batchnorm_stats.n1 = b->options->batch;
    problem.u.batchnorm_stats.c = node->in.c;
    problem.u.batchnorm_stats.n2 = node->in.h * node->in.w;
    problem.u.batchnorm_stats.momentum = node->layer.momentum;
    problem.u.batchnorm_stats.epsilon = node->layer.epsilon;
    t->mean = cairn_build_arena(b, node->in.c);
    t->rstd = cairn_build_arena(b, node->in.c);
    cairn_build_step(b, problem, i);
    cairn_build_use(b, "x", cairn_build_cell(b, node->input)->value);
    cairn_build_use(b, "mean", t->mean);
    cairn_build_use(b, "rstd", t->rstd);
    cairn_build_use(b, "running_mean", cairn_build_param(b, CAIRN_REGION_PARAMS, node->mean));
    cairn_build_use(b, "running_var", cairn_build_param(b, CAIRN_REGION_PARAMS, node->var));
}

static int forward_norm(struct builder *b, int i, int64_t count)
{
    const struct cairn_node *node = &b->model->nodes[i];
    struct trace *t = &b->traces[i];
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_BATCHNORM);
    problem.u.batchnorm.n1 = b->options->batch;
    problem.u.batchnorm.c = node->in.c;
    problem.u.batchnorm.n2 = node->in.h * node->in.w;
    problem.u.batchnorm.inference = !cairn_build_trains(b);
    problem.u.batchnorm.epsilon = node->layer.epsilon;
    if (cairn_build_trains(b)) {
        norm_statistics(b, i);
    } else {
        t->mean = cairn_build_param(b, CAIRN_REGION_PARAMS, node->mean);
        t->rstd = cairn_build_param(b, CAIRN_REGION_PARAMS, node->var);
    }
    int out = pointwise_output(b, node->input, count);
    cairn_build_step(b, problem, i);
    cairn_build_use(b, "x", cairn_build_cell(b, node->input)->value);
    cairn_build_use(b, "mean", t->mean);
    cairn_build_use(b, "rstd", t->rstd);
    cairn_build_use(b, "gamma", cairn_build_param(b, CAIRN_REGION_PARAMS, node->weight));
    cairn_build_use(b, "beta", cairn_build_param(b, CAIRN_REGION_PARAMS, node->bias));
    cairn_build_use(b, "y", out);
    return out;
}

/* The operator's other results, a loss of whatever the labels are, go nowhere. */
static int forward_softmax(struct builder *b, int i, int64_t count)
{
    const struct cairn_node *node = &b->model->nodes[i];
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_SOFTMAX);
    int64_t n = b->options->batch;
    int out = cairn_build_arena(b, count);
    problem.u.softmax.rows = n;
    problem.u.softmax.classes = cairn_shape_count(node->in);
    problem.u.softmax.want_prob = node->layer.kind == CAIRN_LAYER_LOGSOFTMAX ? 2 : 1;
    cairn_build_step(b, problem, i);
    cairn_build_use(b, "logits", cairn_build_cell(b, node->input)->value);
    cairn_build_use(b, "labels", b->labels);
    cairn_build_use(b, "loss", cairn_build_arena(b, n));
    cairn_build_use(b, "correct", cairn_build_arena(b, n));
    cairn_build_use(b, "prob", out);
    return out;
}

static int forward_add(struct builder *b, int i, int64_t count)
{
    const struct cairn_node *node = &b->model->nodes[i];
    int out = reuse(b, node->input);
    if (out < 0) out = pointwise_output(b, node->other, count);
    cairn_build_step(b, cairn_build_sum(count), i);
    cairn_build_use(b, "x", cairn_build_cell(b, node->input)->value);
    cairn_build_use(b, "b", cairn_build_cell(b, node->other)->value);
    cairn_build_use(b, "y", out);
    return out;
}

static int forward_dropout(struct builder *b, int i, int64_t count)
{
    const struct cairn_node *node = &b->model->nodes[i];
    int out = pointwise_output(b, node->input, count);
    cairn_build_step(b, cairn_build_dropout(b, i), i);
    cairn_build_use(b, "x", cairn_build_cell(b, node->input)->value);
    cairn_build_use(b, "y", out);
    return out;
}

static int forward_activation(struct builder *b, int i, int64_t count)
{
    const struct cairn_node *node = &b->model->nodes[i];
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_ACTIVATION);
    int out = pointwise_output(b, node->input, count);
    problem.u.activation.kind = cairn_build_activation(&node->layer);
    problem.u.activation.count = count;
    problem.u.activation.alpha = node->layer.alpha;
    assert(problem.u.activation.kind != CAIRN_ACT_NONE);
    cairn_build_step(b, problem, i);
    cairn_build_use(b, "x", cairn_build_cell(b, node->input)->value);
    cairn_build_use(b, "y", out);
    return out;
}

static int forward_value(struct builder *b, int i, int64_t count)
{
    switch (b->model->nodes[i].layer.kind) {
    case CAIRN_LAYER_CONV:
        return forward_conv(b, i, count);
    case CAIRN_LAYER_CONV_TRANSPOSE:
        return forward_transposed(b, i, count);
    case CAIRN_LAYER_LINEAR:
        return forward_linear(b, i, count);
    case CAIRN_LAYER_MAXPOOL:
    case CAIRN_LAYER_AVGPOOL:
        return forward_pool(b, i, count);
    case CAIRN_LAYER_BATCHNORM:
        return forward_norm(b, i, count);
    case CAIRN_LAYER_SOFTMAX:
    case CAIRN_LAYER_LOGSOFTMAX:
        return forward_softmax(b, i, count);
    case CAIRN_LAYER_ADD:
        return forward_add(b, i, count);
    case CAIRN_LAYER_DROPOUT:
        return forward_dropout(b, i, count);
    default:
        return forward_activation(b, i, count);
    }
}

void cairn_build_forward(struct builder *b, int node)
{
    struct trace *t = &b->traces[node];
    int64_t count = b->options->batch * cairn_shape_count(b->model->nodes[node].out);
    if (t->cell == node && t->needed) t->value = forward_value(b, node, count);
    b->plan->outputs[node] = cairn_build_cell(b, node)->value;
}
