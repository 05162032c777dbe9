/* The backward pass, from the last node to the first.
 *
 * Invariants: when a node's turn comes, all its readers have had theirs, so its gradient is
 * complete. Terms are added in the order in which they come: the term of a later node first, and of
 * an addition that of its input first. A gradient tensor that several cells hold (an addition gives
 * its own to both) is never written: refs counts the holders. */
#include "nn/build.h"

#include <assert.h>

static int64_t count_in(const struct builder *b, int node)
{
    return b->options->batch * cairn_shape_count(b->model->nodes[node].in);
}

/* An arena tensor with one holder. */
static int new_gradient(struct builder *b, int64_t count)
{
    int tensor = cairn_build_arena(b, count);
    b->refs[tensor] = 1;
    return tensor;
}

/* Hands a gradient's term, and one hold on its tensor, to the cell that `node` gives. */
static void contribute(struct builder *b, int node, int term, int64_t count)
{
    struct trace *t = cairn_build_cell(b, node);
    int sum = t->grad, to;
    assert(t->trains);
    if (sum < 0) {
        t->grad = term;
        return;
    }
    b->refs[sum]--;
    b->refs[term]--;
    to = b->refs[sum] == 0 ? sum : b->refs[term] == 0 ? term : cairn_build_arena(b, count);
    b->refs[to] = 1;
    cairn_build_step(b, cairn_build_sum(count), t->cell);
    cairn_build_use(b, "x", sum);
    cairn_build_use(b, "b", term);
    cairn_build_use(b, "y", to);
    t->grad = to;
}

/* The tensor for a pointwise gradient: dy's own where nobody else holds it. The hold on dy becomes
 * one on the result. */
static int pointwise_gradient(struct builder *b, int dy, int64_t count)
{
    if (b->refs[dy] == 1) return dy;
    b->refs[dy]--;
    return new_gradient(b, count);
}

/* db = sum of dy over images and places */
static void backward_bias(struct builder *b, int i, int dy)
{
    const struct cairn_node *node = &b->model->nodes[i];
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_REDUCE);
    problem.u.reduce.n1 = b->options->batch;
    problem.u.reduce.c = node->out.c;
    problem.u.reduce.n2 = node->out.h * node->out.w;
    cairn_build_step(b, problem, i);
    cairn_build_use(b, "x", dy);
    cairn_build_use(b, "y", cairn_build_param(b, CAIRN_REGION_GRADS, node->bias));
}

/* The names that an operator gives dy, x and the weights; a transposed convolution's y is x. */
static void backward_weights(struct builder *b, int i, int dy)
{
    const struct cairn_node *node = &b->model->nodes[i];
    enum cairn_layer_kind kind = node->layer.kind;
    int linear = kind == CAIRN_LAYER_LINEAR, transposed = kind == CAIRN_LAYER_CONV_TRANSPOSE;
    /* dw = dy^T x, or the convolution's own */
    cairn_build_step(b,
                     linear ? cairn_build_gemm(node->layer.outputs, cairn_shape_count(node->in),
                                               b->options->batch, 1, 0)
                            : cairn_build_conv(b, i, CAIRN_OP_CONV_WEIGHTS),
                     i);
    cairn_build_use(b, linear ? "a" : transposed ? "x" : "y", dy);
    cairn_build_use(b,
                    linear       ? "b"
                    : transposed ? "y"
                                 : "x",
                    cairn_build_cell(b, node->input)->value);
    cairn_build_use(b, linear ? "c" : "weight",
                    cairn_build_param(b, CAIRN_REGION_GRADS, node->weight));
}

static void backward_data(struct builder *b, int i, int dy, int dx)
{
    const struct cairn_node *node = &b->model->nodes[i];
    enum cairn_layer_kind kind = node->layer.kind;
    int linear = kind == CAIRN_LAYER_LINEAR, transposed = kind == CAIRN_LAYER_CONV_TRANSPOSE;
    /* dx = dy w, or the convolution's own; a transposed one's is a convolution */
    cairn_build_step(b,
                     linear       ? cairn_build_gemm(b->options->batch, cairn_shape_count(node->in),
                                                     node->layer.outputs, 0, 0)
                     : transposed ? cairn_build_conv(b, i, CAIRN_OP_CONV)
                                  : cairn_build_conv(b, i, CAIRN_OP_CONV_DATA),
                     i);
    cairn_build_use(b, linear ? "a" : transposed ? "x" : "y", dy);
    cairn_build_use(b, linear ? "b" : "weight",
                    cairn_build_param(b, CAIRN_REGION_PARAMS, node->weight));
    cairn_build_use(b, linear ? "c" : transposed ? "y" : "x", dx);
}

static void backward_product(struct builder *b, int i, int dy)
{
    const struct cairn_node *node = &b->model->nodes[i];
    backward_weights(b, i, dy);
    if (node->bias >= 0) backward_bias(b, i, dy);
    b->refs[dy]--;
    if (!cairn_build_cell(b, node->input)->trains) return;
    int dx = new_gradient(b, count_in(b, i));
    backward_data(b, i, dy, dx);
    contribute(b, node->input, dx, count_in(b, i));
}

static void backward_norm(struct builder *b, int i, int dy)
{
    const struct cairn_node *node = &b->model->nodes[i];
    const struct trace *t = &b->traces[i];
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_BATCHNORM_GRAD);
    int dx = pointwise_gradient(b, dy, count_in(b, i));
    problem.u.batchnorm_grad.n1 = b->options->batch;
    problem.u.batchnorm_grad.c = node->in.c;
    problem.u.batchnorm_grad.n2 = node->in.h * node->in.w;
    cairn_build_step(b, problem, i);
    cairn_build_use(b, "x", cairn_build_cell(b, node->input)->value);
    cairn_build_use(b, "dy", dy);
    cairn_build_use(b, "mean", t->mean);
    cairn_build_use(b, "rstd", t->rstd);
    cairn_build_use(b, "gamma", cairn_build_param(b, CAIRN_REGION_PARAMS, node->weight));
    cairn_build_use(b, "dx", dx);
    cairn_build_use(b, "dgamma", cairn_build_param(b, CAIRN_REGION_GRADS, node->weight));
    cairn_build_use(b, "dbeta", cairn_build_param(b, CAIRN_REGION_GRADS, node->bias));
    if (cairn_build_cell(b, node->input)->trains) contribute(b, node->input, dx, count_in(b, i));
}

static void backward_pool(struct builder *b, int i, int dy)
{
    const struct cairn_node *node = &b->model->nodes[i];
    int dx = new_gradient(b, count_in(b, i));
    cairn_build_step(b, cairn_build_pool(b, i, CAIRN_OP_POOL_GRAD), i);
    cairn_build_use(b, "y", dy);
    if (b->traces[i].index >= 0) cairn_build_use(b, "index", b->traces[i].index);
    cairn_build_use(b, "x", dx);
    b->refs[dy]--;
    contribute(b, node->input, dx, count_in(b, i));
}

static void backward_activation(struct builder *b, int i, int dy, int dx)
{
    const struct cairn_node *node = &b->model->nodes[i];
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_ACTIVATION_GRAD);
    enum cairn_activation_kind kind = cairn_build_activation(&node->layer);
    int needs_x = kind >= CAIRN_ACT_GELU;
    problem.u.activation_grad.kind = kind;
    problem.u.activation_grad.count = count_in(b, i);
    problem.u.activation_grad.alpha = node->layer.alpha;
    cairn_build_step(b, problem, i);
    cairn_build_use(b, needs_x ? "x" : "y",
                    needs_x ? cairn_build_cell(b, node->input)->value : b->traces[i].value);
    cairn_build_use(b, "dy", dy);
    cairn_build_use(b, "dx", dx);
}

static void backward_softmax(struct builder *b, int i, int dy, int dx)
{
    const struct cairn_node *node = &b->model->nodes[i];
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_SOFTMAX_GRAD);
    problem.u.softmax_grad.rows = b->options->batch;
    problem.u.softmax_grad.classes = cairn_shape_count(node->in);
    problem.u.softmax_grad.log = node->layer.kind == CAIRN_LAYER_LOGSOFTMAX;
    cairn_build_step(b, problem, i);
    cairn_build_use(b, "y", b->traces[i].value);
    cairn_build_use(b, "dy", dy);
    cairn_build_use(b, "dx", dx);
}

static void backward_pointwise(struct builder *b, int i, int dy)
{
    const struct cairn_node *node = &b->model->nodes[i];
    int dx = pointwise_gradient(b, dy, count_in(b, i));
    if (node->layer.kind == CAIRN_LAYER_DROPOUT) {
        cairn_build_step(b, cairn_build_dropout(b, i), i);
        cairn_build_use(b, "x", dy);
        cairn_build_use(b, "y", dx);
    } else if (node->layer.kind == CAIRN_LAYER_SOFTMAX ||
               node->layer.kind == CAIRN_LAYER_LOGSOFTMAX) {
        backward_softmax(b, i, dy, dx);
    } else {
        backward_activation(b, i, dy, dx);
    }
    contribute(b, node->input, dx, count_in(b, i));
}

/* Both operands have the gradient of the sum. */
static void backward_add(struct builder *b, int i, int dy)
{
    const struct cairn_node *node = &b->model->nodes[i];
    int input = cairn_build_cell(b, node->input)->trains,
        other = cairn_build_cell(b, node->other)->trains;
    if (input && other) b->refs[dy]++;
    if (input) contribute(b, node->input, dy, count_in(b, i));
    if (other) contribute(b, node->other, dy, count_in(b, i));
}

static void backward(struct builder *b, int i)
{
    int dy = b->traces[i].grad;
    assert(dy >= 0);
    switch (b->model->nodes[i].layer.kind) {
    case CAIRN_LAYER_CONV:
    case CAIRN_LAYER_CONV_TRANSPOSE:
    case CAIRN_LAYER_LINEAR:
        backward_product(b, i, dy);
        break;
    case CAIRN_LAYER_BATCHNORM:
        backward_norm(b, i, dy);
        break;
    case CAIRN_LAYER_MAXPOOL:
    case CAIRN_LAYER_AVGPOOL:
        backward_pool(b, i, dy);
        break;
    case CAIRN_LAYER_ADD:
        backward_add(b, i, dy);
        break;
    default:
        backward_pointwise(b, i, dy);
        break;
    }
}

void cairn_build_backward(struct builder *b, int grad)
{
    b->refs[grad] = 1;
    cairn_build_cell(b, b->source)->grad = grad;
    for (int i = b->model->node_count - 1; i >= 0; i--)
        if (b->traces[i].cell == i && b->traces[i].trains) backward(b, i);
}
