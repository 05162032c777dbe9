#include "nn/plan.h"

#include "base/error.h"
#include "base/random.h"
#include "device/schema.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* No layer takes more than this, forward and backward together; the ends of a plan take what is
 * added. */
#define STEPS(layers) (8 + 6 * (layers))
#define TENSORS(layers) (32 + 20 * (layers))

/* A plan that is being built. */
struct builder {
    const struct cairn_model *model;
    const struct cairn_plan_options *options;
    struct cairn_plan *plan;
    int labels;          /* int32 labels of the batch */
    int value;           /* what the layers so far give; later its gradient */
    int held;            /* 1: the backward pass reads it, so nothing may overwrite it */
    struct trace *trace; /* per layer: the tensors that its backward steps need */
};

struct trace {
    int in, out, index;
};

static int new_tensor(struct builder *b, struct cairn_tensor tensor)
{
    assert(b->plan->tensor_count < TENSORS(b->model->node_count));
    b->plan->tensors[b->plan->tensor_count] = tensor;
    return b->plan->tensor_count++;
}

static int arena_tensor(struct builder *b, int64_t count)
{
    return new_tensor(b, (struct cairn_tensor){.region = CAIRN_REGION_ARENA, .count = count});
}

/* From the start of a region, or moving through it with the batch's place. */
static int region_tensor(struct builder *b, enum cairn_region region, int64_t count,
                         enum cairn_follow follow, int64_t advance)
{
    return new_tensor(b,
                      (struct cairn_tensor){
                          .region = region, .count = count, .follow = follow, .advance = advance});
}

static int param_tensor(struct builder *b, enum cairn_region region, int param)
{
    const struct cairn_param *p = &b->model->params[param];
    return new_tensor(
        b, (struct cairn_tensor){.region = region, .count = p->count, .offset = p->offset});
}

static void add_step(struct builder *b, struct cairn_problem problem, int layer)
{
    assert(b->plan->step_count < STEPS(b->model->node_count));
    struct cairn_step *step = &b->plan->steps[b->plan->step_count++];
    step->problem = problem;
    step->layer = layer;
    for (int o = 0; o < CAIRN_PLAN_OPERANDS; o++) step->tensors[o] = -1;
}

/* Gives the last step its operand of this name. */
static void use(struct builder *b, const char *operand, int tensor)
{
    struct cairn_step *step = &b->plan->steps[b->plan->step_count - 1];
    const struct cairn_operand *operands = cairn_schema_of(step->problem.op)->operands;
    int i = 0;
    while (operands[i].name && strcmp(operands[i].name, operand) != 0) i++;
    assert(operands[i].name && i < CAIRN_PLAN_OPERANDS);
    step->tensors[i] = tensor;
}

static int is_training(const struct builder *b)
{
    return b->options->kind == CAIRN_PLAN_TRAIN;
}

static void add_gather(struct builder *b)
{
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_GATHER);
    int64_t item = cairn_shape_count(b->model->in), n = b->options->batch,
            total = b->options->total;
    problem.u.gather.count = n;
    problem.u.gather.item = item;
    problem.u.gather.total = total;
    problem.u.gather.shift = b->options->shift;
    problem.u.gather.scale = b->options->scale;
    b->value = arena_tensor(b, n * item);
    b->labels = arena_tensor(b, n);
    add_step(b, problem, -1);
    use(b, "table", region_tensor(b, CAIRN_REGION_TABLE, total * item, CAIRN_FOLLOW_NOTHING, 0));
    use(b, "labels", region_tensor(b, CAIRN_REGION_LABELS, total, CAIRN_FOLLOW_NOTHING, 0));
    use(b, "indices", region_tensor(b, CAIRN_REGION_INDICES, n, CAIRN_FOLLOW_INDEX, 1));
    use(b, "x", b->value);
    use(b, "y", b->labels);
}

static struct cairn_problem conv_problem(const struct builder *b, int i, enum cairn_op op)
{
    struct cairn_problem problem = cairn_problem_default(op);
    const struct cairn_node *node = &b->model->nodes[i];
    const struct cairn_layer *l = &node->layer;
    struct cairn_conv *p = &problem.u.conv;
    p->n = b->options->batch;
    p->c = node->in.c;
    p->h = node->in.h;
    p->w = node->in.w;
    p->o = l->outputs;
    p->kh = l->kh;
    p->kw = l->kw;
    p->stride_h = l->stride_h;
    p->stride_w = l->stride_w;
    p->pad_t = l->pad_t;
    p->pad_b = l->pad_b;
    p->pad_l = l->pad_l;
    p->pad_r = l->pad_r;
    return problem;
}

static struct cairn_problem pool_problem(const struct builder *b, int i, enum cairn_op op)
{
    struct cairn_problem problem = cairn_problem_default(op);
    const struct cairn_node *node = &b->model->nodes[i];
    const struct cairn_layer *l = &node->layer;
    struct cairn_pool *p = &problem.u.pool;
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
    return problem;
}

static struct cairn_problem gemm_problem(int64_t m, int64_t n, int64_t k, int ta, int tb)
{
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_GEMM);
    problem.u.gemm.m = m;
    problem.u.gemm.n = n;
    problem.u.gemm.k = k;
    problem.u.gemm.ta = ta;
    problem.u.gemm.tb = tb;
    return problem;
}

static enum cairn_activation_kind activation_of(const struct cairn_layer *layer)
{
    switch (layer->kind) {
    case CAIRN_LAYER_RELU:
        return CAIRN_ACT_RELU;
    case CAIRN_LAYER_TANH:
        return CAIRN_ACT_TANH;
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
        assert(layer->kind == CAIRN_LAYER_SIGMOID);
        return CAIRN_ACT_SIGMOID;
    }
}

static struct cairn_problem dropout_problem(const struct builder *b, int i)
{
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_DROPOUT);
    const struct cairn_node *node = &b->model->nodes[i];
    problem.u.dropout.count = b->options->batch * cairn_shape_count(node->in);
    problem.u.dropout.rate = node->layer.rate;
    problem.u.dropout.seed = b->options->seed;
    problem.u.dropout.stream = CAIRN_STREAM_DROPOUT + i;
    return problem;
}

/* The identity, here: its output is its input. */
static int is_identity(const struct builder *b, const struct cairn_node *node)
{
    enum cairn_layer_kind kind = node->layer.kind;
    if (kind == CAIRN_LAYER_DROPOUT) return node->layer.rate == 0 || !is_training(b);
    return kind == CAIRN_LAYER_FLATTEN || kind == CAIRN_LAYER_NONE;
}

static void forward_product(struct builder *b, int i, int out)
{
    const struct cairn_node *node = &b->model->nodes[i];
    struct cairn_problem problem;
    int is_conv = node->layer.kind == CAIRN_LAYER_CONV;
    if (is_conv) {
        problem = conv_problem(b, i, CAIRN_OP_CONV);
        problem.u.conv.bias = node->bias >= 0;
    } else {
        /* y = x w^T: n x inputs times outputs x inputs transposed */
        problem =
            gemm_problem(b->options->batch, node->layer.outputs, cairn_shape_count(node->in), 0, 1);
        problem.u.gemm.bias = node->bias >= 0 ? CAIRN_BIAS_N : CAIRN_BIAS_NONE;
    }
    add_step(b, problem, i);
    use(b, is_conv ? "x" : "a", b->value);
    use(b, is_conv ? "weight" : "b", param_tensor(b, CAIRN_REGION_PARAMS, node->weight));
    if (node->bias >= 0) use(b, "bias_v", param_tensor(b, CAIRN_REGION_PARAMS, node->bias));
    use(b, is_conv ? "y" : "c", out);
}

/* Activation and dropout work in place unless the backward pass still reads their input. */
static int pointwise_output(struct builder *b, int64_t count)
{
    return b->held ? arena_tensor(b, count) : b->value;
}

/* The backward pass reads y or, for some kinds, x, which then stays as it is. */
static int forward_activation(struct builder *b, int i, int64_t count)
{
    const struct cairn_layer *layer = &b->model->nodes[i].layer;
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_ACTIVATION);
    enum cairn_activation_kind kind = activation_of(layer);
    int needs_x = kind >= CAIRN_ACT_GELU;
    if (needs_x && is_training(b)) b->held = 1;
    int out = pointwise_output(b, count);
    problem.u.activation.kind = kind;
    problem.u.activation.count = count;
    problem.u.activation.alpha = layer->alpha;
    add_step(b, problem, i);
    use(b, "x", b->value);
    use(b, "y", out);
    b->held = is_training(b) && !needs_x;
    return out;
}

static void forward(struct builder *b, int i)
{
    const struct cairn_node *node = &b->model->nodes[i];
    int64_t count = b->options->batch * cairn_shape_count(node->out);
    int out = b->value;
    b->trace[i] = (struct trace){b->value, b->value, -1};
    if (is_identity(b, node)) return;
    switch (node->layer.kind) {
    case CAIRN_LAYER_CONV:
    case CAIRN_LAYER_LINEAR:
        out = arena_tensor(b, count);
        forward_product(b, i, out);
        b->held = 0;
        break;
    case CAIRN_LAYER_MAXPOOL:
        out = arena_tensor(b, count);
        b->trace[i].index = arena_tensor(b, count);
        add_step(b, pool_problem(b, i, CAIRN_OP_POOL), i);
        use(b, "x", b->value);
        use(b, "y", out);
        use(b, "index", b->trace[i].index);
        b->held = 0;
        break;
    case CAIRN_LAYER_DROPOUT:
        out = pointwise_output(b, count);
        add_step(b, dropout_problem(b, i), i);
        use(b, "x", b->value);
        use(b, "y", out);
        b->held = 0;
        break;
    default:
        out = forward_activation(b, i, count);
        break;
    }
    b->value = b->trace[i].out = out;
}

static void add_loss(struct builder *b)
{
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_SOFTMAX);
    int64_t n = b->options->batch, classes = b->model->classes;
    problem.u.softmax.rows = n;
    problem.u.softmax.classes = classes;
    problem.u.softmax.want_grad = is_training(b);
    problem.u.softmax.scale = 1.0f / (float)n;
    add_step(b, problem, -1);
    use(b, "logits", b->value);
    use(b, "labels", b->labels);
    use(b, "loss", region_tensor(b, CAIRN_REGION_LOSS, n, CAIRN_FOLLOW_ROW, 1));
    use(b, "correct", region_tensor(b, CAIRN_REGION_CORRECT, n, CAIRN_FOLLOW_ROW, 1));
    if (is_training(b)) {
        b->value = arena_tensor(b, n * classes);
        use(b, "grad", b->value);
    } else {
        /* An evaluation keeps its logits: the last product wrote them, in a tensor of its own. */
        struct cairn_tensor *logits = &b->plan->tensors[b->value];
        logits->region = CAIRN_REGION_LOGITS;
        logits->follow = CAIRN_FOLLOW_ROW;
        logits->advance = classes;
    }
}

/* b->value is the gradient of the layer's output; afterwards, unless `last`, that of its input. */
static void backward_product(struct builder *b, int i, int last)
{
    const struct cairn_node *node = &b->model->nodes[i];
    int is_conv = node->layer.kind == CAIRN_LAYER_CONV;
    int64_t n = b->options->batch, out = node->layer.outputs, in = cairn_shape_count(node->in);
    /* dw = dy^T x, or the convolution's own */
    add_step(
        b, is_conv ? conv_problem(b, i, CAIRN_OP_CONV_WEIGHTS) : gemm_problem(out, in, n, 1, 0), i);
    use(b, is_conv ? "y" : "a", b->value);
    use(b, is_conv ? "x" : "b", b->trace[i].in);
    use(b, is_conv ? "weight" : "c", param_tensor(b, CAIRN_REGION_GRADS, node->weight));
    if (node->bias >= 0) {
        /* db = sum of dy over images and places */
        struct cairn_problem problem = cairn_problem_default(CAIRN_OP_REDUCE);
        problem.u.reduce.n1 = n;
        problem.u.reduce.c = out;
        problem.u.reduce.n2 = node->out.h * node->out.w;
        add_step(b, problem, i);
        use(b, "x", b->value);
        use(b, "y", param_tensor(b, CAIRN_REGION_GRADS, node->bias));
    }
    if (last) return;
    /* dx = dy w, or the convolution's own */
    int dx = arena_tensor(b, n * in);
    add_step(b, is_conv ? conv_problem(b, i, CAIRN_OP_CONV_DATA) : gemm_problem(n, in, out, 0, 0),
             i);
    use(b, is_conv ? "y" : "a", b->value);
    use(b, is_conv ? "weight" : "b", param_tensor(b, CAIRN_REGION_PARAMS, node->weight));
    use(b, is_conv ? "x" : "c", dx);
    b->value = dx;
}

static void backward_activation(struct builder *b, int i)
{
    const struct cairn_node *node = &b->model->nodes[i];
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_ACTIVATION_GRAD);
    enum cairn_activation_kind kind = activation_of(&node->layer);
    int needs_x = kind >= CAIRN_ACT_GELU;
    problem.u.activation_grad.kind = kind;
    problem.u.activation_grad.count = b->options->batch * cairn_shape_count(node->out);
    problem.u.activation_grad.alpha = node->layer.alpha;
    add_step(b, problem, i);
    use(b, needs_x ? "x" : "y", needs_x ? b->trace[i].in : b->trace[i].out);
    use(b, "dy", b->value);
    use(b, "dx", b->value);
}

static void backward(struct builder *b, int i, int last)
{
    const struct cairn_node *node = &b->model->nodes[i];
    int dx;
    if (is_identity(b, node)) return;
    switch (node->layer.kind) {
    case CAIRN_LAYER_CONV:
    case CAIRN_LAYER_LINEAR:
        backward_product(b, i, last);
        break;
    case CAIRN_LAYER_MAXPOOL:
        dx = arena_tensor(b, b->options->batch * cairn_shape_count(node->in));
        add_step(b, pool_problem(b, i, CAIRN_OP_POOL_GRAD), i);
        use(b, "y", b->value);
        use(b, "index", b->trace[i].index);
        use(b, "x", dx);
        b->value = dx;
        break;
    case CAIRN_LAYER_DROPOUT:
        add_step(b, dropout_problem(b, i), i);
        use(b, "x", b->value);
        use(b, "y", b->value);
        break;
    default:
        backward_activation(b, i);
        break;
    }
}

static void add_update(struct builder *b)
{
    struct cairn_problem problem = b->options->update;
    int64_t count = b->model->flat_floats, decay = b->model->weight_floats;
    int is_adam = problem.op == CAIRN_OP_ADAM;
    assert(is_adam || problem.op == CAIRN_OP_SGD);
    *(is_adam ? &problem.u.adam.count : &problem.u.sgd.count) = count;
    *(is_adam ? &problem.u.adam.decay_count : &problem.u.sgd.decay_count) = decay;
    add_step(b, problem, -1);
    use(b, "w", region_tensor(b, CAIRN_REGION_PARAMS, count, CAIRN_FOLLOW_NOTHING, 0));
    use(b, "g", region_tensor(b, CAIRN_REGION_GRADS, count, CAIRN_FOLLOW_NOTHING, 0));
    use(b, is_adam ? "m" : "v",
        region_tensor(b, CAIRN_REGION_MOMENT1, count, CAIRN_FOLLOW_NOTHING, 0));
    if (is_adam)
        use(b, "v", region_tensor(b, CAIRN_REGION_MOMENT2, count, CAIRN_FOLLOW_NOTHING, 0));
}

static void build(struct builder *b)
{
    int count = b->model->node_count, lowest = 0;
    add_gather(b);
    for (int i = 0; i < count; i++) forward(b, i);
    add_loss(b);
    if (!is_training(b)) return;
    /* Below the lowest layer with parameters nobody needs a gradient. */
    while (b->model->nodes[lowest].weight < 0) lowest++;
    for (int i = count - 1; i >= lowest; i--) backward(b, i, i == lowest);
    add_update(b);
}

/* Completes every problem and gives each its workspace, which lives for its step alone. */
static cairn_status add_workspaces(struct builder *b, struct cairn_device *device)
{
    cairn_status st = CAIRN_OK;
    for (int s = 0; s < b->plan->step_count; s++) {
        struct cairn_step *step = &b->plan->steps[s];
        const struct cairn_operand *operands = cairn_schema_of(step->problem.op)->operands;
        int64_t floats = 0;
        TRY(cairn_problem_complete(&step->problem));
        TRY(cairn_work_size(device, &step->problem, &floats));
        for (int o = 0; operands[o].name; o++)
            if (operands[o].role == CAIRN_WORK && floats > 0)
                step->tensors[o] = arena_tensor(b, floats);
    }
out:
    return st;
}

cairn_status cairn_plan_create(const struct cairn_model *model,
                               const struct cairn_plan_options *options,
                               struct cairn_device *device, struct cairn_plan **plan)
{
    cairn_status st = CAIRN_OK;
    struct cairn_plan *fresh = calloc(1, sizeof *fresh);
    struct builder b = {.model = model, .options = options, .plan = fresh};
    *plan = NULL;
    if (fresh) {
        fresh->kind = options->kind;
        fresh->batch = options->batch;
        fresh->steps = calloc((size_t)STEPS(model->node_count), sizeof *fresh->steps);
        fresh->tensors = calloc((size_t)TENSORS(model->node_count), sizeof *fresh->tensors);
        b.trace = calloc((size_t)model->node_count, sizeof *b.trace);
    }
    if (!fresh || !fresh->steps || !fresh->tensors || !b.trace) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    build(&b);
    if (!options->plain) cairn_plan_fuse(fresh);
    TRY(add_workspaces(&b, device));
    cairn_plan_live(fresh);
    TRY(cairn_plan_place(fresh));
    *plan = fresh;
    fresh = NULL;
out:
    free(b.trace);
    cairn_plan_destroy(fresh);
    return st;
}

void cairn_plan_destroy(struct cairn_plan *plan)
{
    if (!plan) return;
    free(plan->steps);
    free(plan->tensors);
    free(plan);
}
