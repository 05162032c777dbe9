/* Each layer as nodes of ONNX. */
#include "onnx/write.h"

#include <assert.h>
#include <string.h>

static char *value_of(struct cairn_onnx_writer *w, int node, char *images)
{
    return node == CAIRN_NODE_INPUT ? images : w->values[node];
}

static int flat_of(const struct cairn_onnx_writer *w, int node)
{
    return node == CAIRN_NODE_INPUT ? 0 : w->is_flat[node];
}

/* The value as N x (C H W). */
static char *flatten(struct cairn_onnx_writer *w, char *value, int is_flat, char *name)
{
    if (is_flat) return value;
    cairn_onnx_node(w, "Flatten", name, (char *const[]){value, NULL});
    cairn_onnx_int(w, "axis", 1);
    return name;
}

/* The value as N x C x H x W. */
static char *unflatten(struct cairn_onnx_writer *w, char *value, int is_flat,
                       const struct cairn_shape *shape, char *name)
{
    if (!is_flat) return value;
    char *dims = cairn_onnx_shape(w, cairn_onnx_text(w, "%s.shape", name), 4,
                                  (int64_t[]){0, shape->c, shape->h, shape->w});
    return cairn_onnx_node(w, "Reshape", name, (char *const[]){value, dims, NULL});
}

static void put_window(struct cairn_onnx_writer *w, const struct cairn_layer *l, int dilates)
{
    cairn_onnx_ints(w, "kernel_shape", 2, (int64_t[]){l->kh, l->kw});
    cairn_onnx_ints(w, "strides", 2, (int64_t[]){l->stride_h, l->stride_w});
    cairn_onnx_ints(w, "pads", 4, (int64_t[]){l->pad_t, l->pad_l, l->pad_b, l->pad_r});
    if (dilates) cairn_onnx_ints(w, "dilations", 2, (int64_t[]){l->dilation_h, l->dilation_w});
}

static char *put_conv(struct cairn_onnx_writer *w, const struct cairn_node *node, char *x,
                      char *name)
{
    const struct cairn_layer *l = &node->layer;
    int transposed = l->kind == CAIRN_LAYER_CONV_TRANSPOSE;
    char *weight = cairn_onnx_param(w, node->weight);
    char *bias = node->bias >= 0 ? cairn_onnx_param(w, node->bias) : NULL;
    cairn_onnx_node(w, transposed ? "ConvTranspose" : "Conv", name,
                    (char *const[]){x, weight, bias, NULL});
    put_window(w, l, 1);
    cairn_onnx_int(w, "group", l->groups);
    if (transposed) cairn_onnx_ints(w, "output_padding", 2, (int64_t[]){l->extra_h, l->extra_w});
    return name;
}

static char *put_linear(struct cairn_onnx_writer *w, const struct cairn_node *node, char *x,
                        char *name)
{
    char *weight = cairn_onnx_param(w, node->weight);
    char *bias = node->bias >= 0 ? cairn_onnx_param(w, node->bias) : NULL;
    cairn_onnx_node(w, "Gemm", name, (char *const[]){x, weight, bias, NULL});
    cairn_onnx_int(w, "transB", 1);
    return name;
}

static char *put_pool(struct cairn_onnx_writer *w, const struct cairn_node *node, char *x,
                      char *name)
{
    const struct cairn_layer *l = &node->layer;
    int max = l->kind == CAIRN_LAYER_MAXPOOL;
    cairn_onnx_node(w, max ? "MaxPool" : "AveragePool", name, (char *const[]){x, NULL});
    put_window(w, l, 0);
    if (!max) cairn_onnx_int(w, "count_include_pad", l->count_pad);
    return name;
}

/* ONNX's momentum is of the old statistic. */
static char *put_norm(struct cairn_onnx_writer *w, const struct cairn_node *node, char *x,
                      char *name)
{
    char *gamma = cairn_onnx_param(w, node->weight), *beta = cairn_onnx_param(w, node->bias);
    char *mean = cairn_onnx_param(w, node->mean), *var = cairn_onnx_param(w, node->var);
    cairn_onnx_node(w, "BatchNormalization", name,
                    (char *const[]){x, gamma, beta, mean, var, NULL});
    cairn_onnx_float(w, "epsilon", node->layer.epsilon);
    cairn_onnx_float(w, "momentum", 1.0f - node->layer.momentum);
    return name;
}

static char *put_silu(struct cairn_onnx_writer *w, char *x, char *name)
{
    char *gate = cairn_onnx_node(w, "Sigmoid", cairn_onnx_text(w, "%s.sigmoid", name),
                                 (char *const[]){x, NULL});
    return cairn_onnx_node(w, "Mul", name, (char *const[]){x, gate, NULL});
}

static char *put_dropout(struct cairn_onnx_writer *w, const struct cairn_node *node, char *x,
                         char *name)
{
    char *rate = cairn_onnx_scalar(w, cairn_onnx_text(w, "%s.rate", name), node->layer.rate);
    return cairn_onnx_node(w, "Dropout", name, (char *const[]){x, rate, NULL});
}

/* What has an operator of its own, element by element or by row. */
static char *put_plain(struct cairn_onnx_writer *w, const struct cairn_node *node, char *x,
                       char *name)
{
    static const char *const ops[] = {
        [CAIRN_LAYER_RELU] = "Relu",
        [CAIRN_LAYER_TANH] = "Tanh",
        [CAIRN_LAYER_SIGMOID] = "Sigmoid",
        [CAIRN_LAYER_LEAKYRELU] = "LeakyRelu",
        [CAIRN_LAYER_ELU] = "Elu",
        [CAIRN_LAYER_GELU] = "Gelu",
        [CAIRN_LAYER_SOFTPLUS] = "Softplus",
        [CAIRN_LAYER_HARDSIGMOID] = "HardSigmoid",
        [CAIRN_LAYER_HARDSWISH] = "HardSwish",
        [CAIRN_LAYER_SOFTMAX] = "Softmax",
        [CAIRN_LAYER_LOGSOFTMAX] = "LogSoftmax",
        [CAIRN_LAYER_NONE] = "Identity",
    };
    const struct cairn_layer *l = &node->layer;
    assert((size_t)l->kind < sizeof ops / sizeof *ops && ops[l->kind]);
    cairn_onnx_node(w, ops[l->kind], name, (char *const[]){x, NULL});
    if (l->kind == CAIRN_LAYER_LEAKYRELU || l->kind == CAIRN_LAYER_ELU)
        cairn_onnx_float(w, "alpha", l->alpha);
    if (l->kind == CAIRN_LAYER_HARDSIGMOID) {
        cairn_onnx_float(w, "alpha", 1.0f / 6.0f);
        cairn_onnx_float(w, "beta", 0.5f);
    }
    if (l->kind == CAIRN_LAYER_SOFTMAX || l->kind == CAIRN_LAYER_LOGSOFTMAX)
        cairn_onnx_int(w, "axis", 1);
    if (l->kind == CAIRN_LAYER_GELU) {
        cairn_onnx_words(w, "approximate", l->gelu_tanh ? "tanh" : "none");
        w->opset.version = CAIRN_ONNX_OPSET_GELU;
    }
    return name;
}

/* Both operands in one shape: N x C of linear layers may meet N x C x 1 x 1. */
static char *put_add(struct cairn_onnx_writer *w, int i, char *x, char *images)
{
    const struct cairn_node *node = &w->net->nodes[i];
    int flat = flat_of(w, node->input), other_flat = flat_of(w, node->other);
    char *other = value_of(w, node->other, images);
    w->is_flat[i] = flat || other_flat;
    if (w->is_flat[i]) {
        x = flatten(w, x, flat, cairn_onnx_text(w, "%d.flat", i));
        other = flatten(w, other, other_flat, cairn_onnx_text(w, "%d.flat2", i));
    }
    return cairn_onnx_node(w, "Add", cairn_onnx_text(w, "%d", i), (char *const[]){x, other, NULL});
}

static char *put_layer(struct cairn_onnx_writer *w, int i, char *images)
{
    const struct cairn_node *node = &w->net->nodes[i];
    char *x = value_of(w, node->input, images), *name = cairn_onnx_text(w, "%d", i);
    char *before = cairn_onnx_text(w, "%d.input", i);
    int flat = flat_of(w, node->input);
    w->is_flat[i] = flat;
    switch (node->layer.kind) {
    case CAIRN_LAYER_CONV:
    case CAIRN_LAYER_CONV_TRANSPOSE:
        w->is_flat[i] = 0;
        return put_conv(w, node, unflatten(w, x, flat, &node->in, before), name);
    case CAIRN_LAYER_MAXPOOL:
    case CAIRN_LAYER_AVGPOOL:
        w->is_flat[i] = 0;
        return put_pool(w, node, unflatten(w, x, flat, &node->in, before), name);
    case CAIRN_LAYER_LINEAR:
        w->is_flat[i] = 1;
        return put_linear(w, node, flatten(w, x, flat, before), name);
    case CAIRN_LAYER_FLATTEN:
        w->is_flat[i] = 1;
        return flat ? cairn_onnx_node(w, "Identity", name, (char *const[]){x, NULL})
                    : flatten(w, x, 0, name);
    case CAIRN_LAYER_SOFTMAX:
    case CAIRN_LAYER_LOGSOFTMAX:
        if (flat) return put_plain(w, node, x, name);
        x = flatten(w, x, flat, before);
        x = put_plain(w, node, x, cairn_onnx_text(w, "%d.flat", i));
        return unflatten(w, x, 1, &node->out, name);
    case CAIRN_LAYER_BATCHNORM:
        return put_norm(w, node, x, name);
    case CAIRN_LAYER_DROPOUT:
        return put_dropout(w, node, x, name);
    case CAIRN_LAYER_SILU:
        return put_silu(w, x, name);
    case CAIRN_LAYER_ADD:
        return put_add(w, i, x, images);
    default:
        return put_plain(w, node, x, name);
    }
}

static Cairn__Onnx__Value **list_value(struct cairn_onnx_writer *w, char *name, int rank,
                                       const int64_t *dims)
{
    Cairn__Onnx__Value **list = cairn_onnx_room(w, sizeof *list);
    Cairn__Onnx__Shape *shape = cairn_onnx_room(w, sizeof *shape);
    list[0] = cairn_onnx_room(w, sizeof **list);
    cairn__onnx__value__init(list[0]);
    list[0]->name = name;
    list[0]->type = cairn_onnx_room(w, sizeof *list[0]->type);
    cairn__onnx__type__init(list[0]->type);
    list[0]->type->tensor_type = cairn_onnx_room(w, sizeof *list[0]->type->tensor_type);
    cairn__onnx__tensor_type__init(list[0]->type->tensor_type);
    list[0]->type->tensor_type->has_elem_type = 1;
    list[0]->type->tensor_type->elem_type = 1; /* float32 */
    list[0]->type->tensor_type->shape = shape;
    cairn__onnx__shape__init(shape);
    shape->n_dim = (size_t)rank;
    shape->dim = cairn_onnx_room(w, (size_t)rank * sizeof *shape->dim);
    for (int i = 0; i < rank; i++) {
        shape->dim[i] = cairn_onnx_room(w, sizeof **shape->dim);
        cairn__onnx__dimension__init(shape->dim[i]);
        shape->dim[i]->has_dim_value = i > 0;
        shape->dim[i]->dim_value = dims[i];
        if (i == 0) shape->dim[i]->dim_param = "N";
    }
    return list;
}

void cairn_onnx_write_graph(struct cairn_onnx_writer *w, float shift, float scale)
{
    const struct cairn_model *net = w->net;
    char *images = "pixels";
    int last = net->node_count - 1;
    w->opset.has_version = 1;
    w->opset.version = CAIRN_ONNX_OPSET;
    w->graph.n_input = w->graph.n_output = 1;
    w->graph.input = list_value(w, images, 4, (int64_t[]){0, net->in.c, net->in.h, net->in.w});
    if (shift != 0) {
        char *by = cairn_onnx_scalar(w, "shift", shift);
        images = cairn_onnx_node(w, "Sub", "shifted", (char *const[]){images, by, NULL});
    }
    if (scale != 1) {
        char *by = cairn_onnx_scalar(w, "scale", scale);
        images = cairn_onnx_node(w, "Mul", "scaled", (char *const[]){images, by, NULL});
    }
    for (int i = 0; i <= last; i++) w->values[i] = put_layer(w, i, images);
    int kind = net->nodes[last].layer.kind;
    char *name = kind == CAIRN_LAYER_SOFTMAX ? "probabilities" : "logits";
    char *result = flatten(w, w->values[last], w->is_flat[last], name);
    if (result != name) { /* the last node's output gets the name */
        Cairn__Onnx__Node *node = w->graph.node[w->graph.n_node - 1];
        node->output[0] = name;
    }
    w->graph.output = list_value(w, name, 2, (int64_t[]){0, net->classes});
}
