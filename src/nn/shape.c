/* Shapes: what each layer makes of its input. */
#include "nn/infer.h"

#include "base/error.h"
#include "device/schema.h"
#include <stdarg.h>
#include <stdio.h>

#define MAX_ROW 1048576 /* what the operator softmax takes */

cairn_status cairn_node_refuse(const struct cairn_node *node, int number, const char *why, ...)
{
    char text[256];
    va_list list;
    va_start(list, why);
    vsnprintf(text, sizeof text, why, list);
    va_end(list);
    return cairn_fail(CAIRN_INVALID, "model[%d] '%s' on its input %lldx%lldx%lld: %s", number,
                      node->layer.text, (long long)node->in.c, (long long)node->in.h,
                      (long long)node->in.w, text);
}

/* pad=same: out = ceil(in / stride); what is missing is split, the odd one behind. */
static void resolve_same(int64_t in, int64_t spread, int64_t stride, int64_t *before,
                         int64_t *after)
{
    int64_t total = ((in + stride - 1) / stride - 1) * stride + spread - in;
    if (total < 0) total = 0;
    *before = total / 2;
    *after = total - total / 2;
}

static void resolve(struct cairn_node *node)
{
    struct cairn_layer *l = &node->layer;
    if (l->global) {
        l->kh = l->stride_h = node->in.h;
        l->kw = l->stride_w = node->in.w;
        l->global = 0;
    }
    if (l->pad_same) {
        resolve_same(node->in.h, cairn_spread(l->kh, l->dilation_h), l->stride_h, &l->pad_t,
                     &l->pad_b);
        resolve_same(node->in.w, cairn_spread(l->kw, l->dilation_w), l->stride_w, &l->pad_l,
                     &l->pad_r);
        l->pad_same = 0;
    }
}

/* Convolutions and pools. */
static cairn_status infer_window(struct cairn_node *node, int number)
{
    struct cairn_layer *l = &node->layer;
    resolve(node);
    int64_t h = node->in.h + l->pad_t + l->pad_b, w = node->in.w + l->pad_l + l->pad_r;
    int64_t spread_h = cairn_spread(l->kh, l->dilation_h),
            spread_w = cairn_spread(l->kw, l->dilation_w);
    if (spread_h > h || spread_w > w)
        return cairn_node_refuse(
            node, number, "the %skernel %lldx%lld is larger than the %simage %lldx%lld",
            l->dilation_h > 1 || l->dilation_w > 1 ? "dilated " : "", (long long)spread_h,
            (long long)spread_w, h + w > node->in.h + node->in.w ? "padded " : "", (long long)h,
            (long long)w);
    if (node->in.c % l->groups)
        return cairn_node_refuse(node, number, "groups=%lld does not divide its %lld channels",
                                 (long long)l->groups, (long long)node->in.c);
    node->out.c = l->kind == CAIRN_LAYER_CONV ? l->outputs : node->in.c;
    node->out.h = cairn_out_extent(node->in.h, spread_h, l->stride_h, l->pad_t, l->pad_b);
    node->out.w = cairn_out_extent(node->in.w, spread_w, l->stride_w, l->pad_l, l->pad_r);
    return CAIRN_OK;
}

static cairn_status infer_transposed(struct cairn_node *node, int number)
{
    const struct cairn_layer *l = &node->layer;
    node->out.c = l->outputs;
    node->out.h = (node->in.h - 1) * l->stride_h - l->pad_t - l->pad_b +
                  cairn_spread(l->kh, l->dilation_h) + l->extra_h;
    node->out.w = (node->in.w - 1) * l->stride_w - l->pad_l - l->pad_r +
                  cairn_spread(l->kw, l->dilation_w) + l->extra_w;
    if (node->out.h < 1 || node->out.w < 1)
        return cairn_node_refuse(node, number, "the padding leaves %lldx%lld of the output",
                                 (long long)node->out.h, (long long)node->out.w);
    return CAIRN_OK;
}

static cairn_status infer_add(struct cairn_node *node, int number, const struct cairn_shape *other)
{
    if (node->in.c != other->c || node->in.h != other->h || node->in.w != other->w)
        return cairn_node_refuse(node, number, "'%s' is %lldx%lldx%lld; both must have one shape",
                                 node->layer.other, (long long)other->c, (long long)other->h,
                                 (long long)other->w);
    return CAIRN_OK;
}

cairn_status cairn_node_infer(struct cairn_node *node, int number, const struct cairn_shape *other)
{
    cairn_status st = CAIRN_OK;
    node->out = node->in;
    switch (node->layer.kind) {
    case CAIRN_LAYER_CONV:
    case CAIRN_LAYER_MAXPOOL:
    case CAIRN_LAYER_AVGPOOL:
        TRY(infer_window(node, number));
        break;
    case CAIRN_LAYER_CONV_TRANSPOSE:
        TRY(infer_transposed(node, number));
        break;
    case CAIRN_LAYER_LINEAR:
        node->out = (struct cairn_shape){node->layer.outputs, 1, 1};
        break;
    case CAIRN_LAYER_FLATTEN:
        node->out = (struct cairn_shape){cairn_shape_count(node->in), 1, 1};
        break;
    case CAIRN_LAYER_ADD:
        TRY(infer_add(node, number, other));
        break;
    case CAIRN_LAYER_SOFTMAX:
    case CAIRN_LAYER_LOGSOFTMAX:
        if (cairn_shape_count(node->in) > MAX_ROW)
            st = cairn_node_refuse(node, number, "more than 2^20 numbers in one softmax");
        break;
    default: /* what keeps the shape */
        break;
    }
    if (st == CAIRN_OK && PRODUCT(node->out.c, node->out.h, node->out.w) > CAIRN_MODEL_FLOATS)
        st = cairn_node_refuse(node, number, "the output would have more than 2^40 numbers");
out:
    return st;
}
