/* What keeps the shape, views of a value, and operators of two values, as layer lines. */
#include "onnx/convert.h"

#include "base/error.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

/* --- what keeps the shape --- */

cairn_status cairn_onnx_read_activation(struct cairn_onnx_converter *c)
{
    static const struct {
        const char *op, *line;
        float usual; /* alpha where the node has none; below 0: it takes none */
    } rows[] = {{"Relu", "relu", -1},
                {"Softplus", "softplus", -1},
                {"HardSwish", "hardswish", -1},
                {"LeakyRelu", "leakyrelu", 0.01f},
                {"Elu", "elu", 1}};
    const struct cairn_onnx_value *x;
    cairn_status st = cairn_onnx_take_value(c, 0, &x);
    size_t i = 0;
    if (st != CAIRN_OK) return st;
    while (strcmp(rows[i].op, c->node->op_type) != 0) i++;
    struct cairn_onnx_text_of alpha = {""};
    if (rows[i].usual >= 0)
        alpha = cairn_onnx_number_text("", cairn_onnx_get_float(c->node, "alpha", rows[i].usual),
                                       rows[i].usual);
    return cairn_onnx_emit(c, x, NULL, x->is_flat, "%s%s", rows[i].line, alpha.s);
}

cairn_status cairn_onnx_read_gelu(struct cairn_onnx_converter *c)
{
    const struct cairn_onnx_value *x;
    cairn_status st = cairn_onnx_take_value(c, 0, &x);
    if (st != CAIRN_OK) return st;
    return cairn_onnx_emit(c, x, NULL, x->is_flat,
                           cairn_onnx_is(c->node, "approximate", "tanh") ? "gelu form=tanh"
                                                                         : "gelu");
}

cairn_status cairn_onnx_read_softmax(struct cairn_onnx_converter *c)
{
    const struct cairn_onnx_value *x;
    cairn_status st = cairn_onnx_take_value(c, 0, &x);
    if (st != CAIRN_OK) return st;
    struct cairn_shape in = cairn_onnx_shape_of(c, x);
    int64_t axis = cairn_onnx_get_int(c->node, "axis", c->opset < 13 ? 1 : -1),
            rank = x->is_flat ? 2 : 4;
    int whole = axis == 1 || axis == 1 - rank;
    if (!x->is_flat && c->opset >= 13) whole = whole && in.h * in.w == 1;
    if (!whole) return cairn_onnx_refuse(c, "a softmax is supported over all numbers of an image");
    return cairn_onnx_emit(c, x, NULL, x->is_flat,
                           !strcmp(c->node->op_type, "Softmax") ? "softmax" : "logsoftmax");
}

cairn_status cairn_onnx_read_dropout(struct cairn_onnx_converter *c)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_value *x;
    const struct cairn_onnx_tensor *t;
    float rate = cairn_onnx_get_float(c->node, "ratio", 0.5f);
    TRY(cairn_onnx_take_value(c, 0, &x));
    if (cairn_onnx_operand(c, 1)) {
        TRY(cairn_onnx_take_weights(c, 1, -1, &t));
        if (t->count != 1) return cairn_onnx_refuse(c, "its ratio is not one number");
        rate = t->floats[0];
    }
    if (!(rate >= 0 && rate < 1)) return cairn_onnx_refuse(c, "its ratio is not from 0 to below 1");
    st = cairn_onnx_emit(c, x, NULL, x->is_flat, "dropout%s",
                         cairn_onnx_number_text("", rate, -1).s);
out:
    return st;
}

/* --- views --- */

cairn_status cairn_onnx_read_identity(struct cairn_onnx_converter *c)
{
    const struct cairn_onnx_value *x = cairn_onnx_operand(c, 0);
    if (x && x->known && x->constant) return cairn_onnx_alias(c, x, 0);
    cairn_status st = cairn_onnx_take_value(c, 0, &x);
    if (st != CAIRN_OK) return st;
    return cairn_onnx_emit(c, x, NULL, x->is_flat, "none");
}

/* To float32, what is float32. */
cairn_status cairn_onnx_read_cast(struct cairn_onnx_converter *c)
{
    const struct cairn_onnx_value *x;
    cairn_status st = cairn_onnx_take_value(c, 0, &x);
    if (st != CAIRN_OK) return st;
    if (cairn_onnx_get_int(c->node, "to", 0) != CAIRN_ONNX_F32)
        return cairn_onnx_refuse(c, "only float32 is supported");
    return cairn_onnx_alias(c, x, x->is_flat);
}

/* A Flatten that Cairn wrote for a layer of the recipe has the layer's number as its name. */
static int is_layer(const struct cairn_onnx_converter *c)
{
    const char *name = cairn_onnx_or_empty(c->node->name);
    return c->is_own && *name && strspn(name, "0123456789") == strlen(name);
}

cairn_status cairn_onnx_read_flatten(struct cairn_onnx_converter *c)
{
    const struct cairn_onnx_value *x;
    cairn_status st = cairn_onnx_take_value(c, 0, &x);
    if (st != CAIRN_OK) return st;
    int64_t axis = cairn_onnx_get_int(c->node, "axis", 1);
    if (axis != 1 && axis != (x->is_flat ? -1 : -3))
        return cairn_onnx_refuse(c, "only axis 1 is supported");
    if (is_layer(c)) return cairn_onnx_emit(c, x, NULL, 1, "flatten");
    return cairn_onnx_alias(c, x, 1);
}

/* The images' N x C, or N x C x H x W, in either direction. */
cairn_status cairn_onnx_read_reshape(struct cairn_onnx_converter *c)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_value *x;
    const int64_t *dims = NULL;
    int64_t rank, open = 0;
    TRY(cairn_onnx_take_value(c, 0, &x));
    TRY(cairn_onnx_take_list(c, "shape", 1, &dims, &rank));
    struct cairn_shape in = cairn_onnx_shape_of(c, x);
    int64_t wanted[4] = {0, in.c, in.h, in.w}, own[4] = {0, in.c, in.h, in.w};
    if (rank == 2) wanted[1] = cairn_shape_count(in);
    if (x->is_flat) own[1] = cairn_shape_count(in);
    int fits = rank == 2 || rank == 4;
    for (int64_t i = 0; fits && i < rank; i++) {
        open += dims[i] == -1;
        if (i == 0) continue;
        int copied = i < (x->is_flat ? 2 : 4) && dims[i] == 0 && own[i] == wanted[i];
        fits = dims[i] == -1 || dims[i] == wanted[i] || copied;
    }
    if (!fits || open > 1)
        return cairn_onnx_refuse(c, "the shape is neither N x %lld nor N x %lld x %lld x %lld",
                                 (long long)cairn_shape_count(in), (long long)in.c, (long long)in.h,
                                 (long long)in.w);
    st = cairn_onnx_alias(c, x, rank == 2);
out:
    return st;
}

cairn_status cairn_onnx_read_squeeze(struct cairn_onnx_converter *c)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_value *x;
    const int64_t *axes = NULL;
    int64_t count;
    TRY(cairn_onnx_take_image(c, 0, &x));
    TRY(cairn_onnx_take_list(c, "axes", 1, &axes, &count));
    struct cairn_shape in = cairn_onnx_shape_of(c, x);
    if (!cairn_onnx_are_sides(axes, count) || in.h * in.w != 1)
        return cairn_onnx_refuse(c, "only the axes 2 and 3 are supported, of images of one pixel");
    st = cairn_onnx_alias(c, x, 1);
out:
    return st;
}

cairn_status cairn_onnx_read_constant(struct cairn_onnx_converter *c)
{
    cairn_status st = CAIRN_OK;
    const Cairn__Onnx__Attribute *a = cairn_onnx_find(c->node, "value");
    struct cairn_onnx_tensor *t = &c->net->tensors[c->net->tensor_count];
    struct cairn_onnx_value value = {.constant = t, .scale = 1};
    Cairn__Onnx__Tensor list = CAIRN__ONNX__TENSOR__INIT;
    if (!a || !a->t) {
        a = cairn_onnx_find(c->node, "value_ints");
        if (!a) a = cairn_onnx_find(c->node, "value_floats");
        if (!a)
            return cairn_onnx_refuse(
                c, "only the attributes value, value_ints and value_floats are supported");
        int64_t count = (int64_t)(a->n_ints ? a->n_ints : a->n_floats);
        list.n_dims = 1;
        list.dims = &count;
        list.data_type = a->n_ints ? CAIRN_ONNX_I64 : CAIRN_ONNX_F32;
        list.n_int64_data = a->n_ints;
        list.int64_data = a->ints;
        list.n_float_data = a->n_floats;
        list.float_data = a->floats;
        TRY(cairn_onnx_tensor(&list, c->path, t));
    } else
        TRY(cairn_onnx_tensor(a->t, c->path, t));
    c->net->tensor_count++;
    TRY(cairn_onnx_alias(c, &value, 0));
out:
    return st;
}

/* --- two operands --- */

/* (x - shift) * scale of the images, step by step; 0: it is something else. */
static int is_scaling(struct cairn_onnx_converter *c, struct cairn_onnx_value *result)
{
    const struct cairn_onnx_value *x = cairn_onnx_operand(c, 0), *by = cairn_onnx_operand(c, 1);
    const char *op = c->node->op_type;
    if (x && x->constant && by && (!strcmp(op, "Add") || !strcmp(op, "Mul"))) {
        const struct cairn_onnx_value *swap = x;
        x = by;
        by = swap;
    }
    if (!x || !by || !x->known || x->constant || x->line != CAIRN_NODE_INPUT || !by->constant ||
        by->constant->count != 1 || !by->constant->floats || x->scale != 1)
        return 0;
    float number = by->constant->floats[0];
    *result = *x;
    if (!strcmp(op, "Mul") || !strcmp(op, "Div")) {
        result->scale = *op == 'M' ? number : 1.0f / number;
        return 1;
    }
    if (x->shift != 0) return 0;
    result->shift = *op == 'S' ? number : -number;
    return 1;
}

/* A bias that is added to a product which has none and which nobody else reads. */
static int is_bias(struct cairn_onnx_converter *c, const struct cairn_onnx_value **product,
                   const struct cairn_onnx_tensor **bias)
{
    const struct cairn_onnx_value *x = cairn_onnx_operand(c, 0), *b = cairn_onnx_operand(c, 1);
    if (x && x->constant) {
        const struct cairn_onnx_value *swap = x;
        x = b;
        b = swap;
    }
    if (!x || !b || !x->known || x->constant || x->line < 0 || x->readers != 1 || !b->constant)
        return 0;
    struct cairn_onnx_line *line = &c->net->lines[x->line];
    const struct cairn_onnx_tensor *t = b->constant;
    int64_t outputs = line->node.layer.outputs;
    int at = t->rank - (x->is_flat ? 1 : 3); /* the channels' dimension */
    if (line->has_bias != 0 || line->readers > 0 || !t->floats || t->count != outputs || at < 0 ||
        t->rank > (x->is_flat ? 2 : 4) || t->dims[at] != outputs)
        return 0;
    line->bias = t;
    line->has_bias = 1;
    *product = x;
    *bias = t;
    return 1;
}

cairn_status cairn_onnx_read_add(struct cairn_onnx_converter *c)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_value *x, *y;
    const struct cairn_onnx_tensor *bias;
    struct cairn_onnx_value scaled;
    if (is_scaling(c, &scaled)) return cairn_onnx_alias(c, &scaled, scaled.is_flat);
    if (is_bias(c, &x, &bias)) return cairn_onnx_alias(c, x, x->is_flat);
    if (cairn_onnx_is_function(c)) return cairn_onnx_read_function(c);
    TRY(cairn_onnx_take_value(c, 0, &x));
    TRY(cairn_onnx_take_value(c, 1, &y));
    struct cairn_shape a = cairn_onnx_shape_of(c, x), b = cairn_onnx_shape_of(c, y);
    if (x->is_flat != y->is_flat || a.c != b.c || a.h != b.h || a.w != b.w)
        return cairn_onnx_refuse(c, "its operands have not one shape");
    st = cairn_onnx_emit(c, x, y, x->is_flat, "add input");
out:
    return st;
}

/* The images' normalisation, or part of an activation. */
cairn_status cairn_onnx_read_scaling(struct cairn_onnx_converter *c)
{
    struct cairn_onnx_value scaled;
    if (is_scaling(c, &scaled)) return cairn_onnx_alias(c, &scaled, scaled.is_flat);
    return cairn_onnx_read_function(c);
}
