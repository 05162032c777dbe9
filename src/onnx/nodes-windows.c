/* Products, pools and norms of ONNX as layer lines. */
#include "onnx/convert.h"

#include "base/error.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

/* " NAME=P" or " NAME=HxW"; nothing for the usual one. */
static struct cairn_onnx_text_of pair_text(const char *name, int64_t h, int64_t w, int64_t usual_h,
                                           int64_t usual_w)
{
    struct cairn_onnx_text_of t = {""};
    if (h == usual_h && w == usual_w) return t;
    if (h == w)
        snprintf(t.s, sizeof t.s, " %s=%lld", name, (long long)h);
    else
        snprintf(t.s, sizeof t.s, " %s=%lldx%lld", name, (long long)h, (long long)w);
    return t;
}

static struct cairn_onnx_text_of pads_text(const int64_t pads[4])
{
    struct cairn_onnx_text_of t;
    if (pads[0] == pads[2] && pads[1] == pads[3]) return pair_text("pad", pads[0], pads[1], 0, 0);
    snprintf(t.s, sizeof t.s, " pad=%lld,%lld,%lld,%lld", (long long)pads[0], (long long)pads[2],
             (long long)pads[1], (long long)pads[3]);
    return t;
}

static cairn_status take_bias(struct cairn_onnx_converter *c, size_t i)
{
    cairn_status st = CAIRN_OK;
    struct cairn_onnx_line *line = cairn_onnx_last_line(c);
    line->has_bias = cairn_onnx_operand(c, i) != NULL;
    if (!line->has_bias) return CAIRN_OK;
    TRY(cairn_onnx_take_weights(c, i, -1, &line->bias));
    if (line->bias->count != line->node.layer.outputs)
        return cairn_onnx_refuse(c, "its bias has %lld numbers, not one for each of %lld outputs",
                                 (long long)line->bias->count, (long long)line->node.layer.outputs);
out:
    return st;
}

cairn_status cairn_onnx_read_conv(struct cairn_onnx_converter *c)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_value *x;
    const struct cairn_onnx_tensor *w;
    struct cairn_onnx_window k;
    int64_t groups = cairn_onnx_get_int(c->node, "group", 1);
    TRY(cairn_onnx_take_image(c, 0, &x));
    TRY(cairn_onnx_take_weights(c, 1, 4, &w));
    struct cairn_shape in = cairn_onnx_shape_of(c, x);
    st = cairn_onnx_window(c->node, 2, &w->dims[2], in.h, in.w, &k);
    if (st != CAIRN_OK) return cairn_onnx_refuse(c, "%s", cairn_error());
    if (groups < 1 || groups > in.c || in.c % groups || w->dims[1] != in.c / groups)
        return cairn_onnx_refuse(
            c, "its weights are for %lld channels a group, its input has %lld in all",
            (long long)w->dims[1], (long long)in.c);
    TRY(cairn_onnx_emit(c, x, NULL, 0, "conv %lld %lldx%lld%s%s%s%s", (long long)w->dims[0],
                        (long long)k.kernel[0], (long long)k.kernel[1], pads_text(k.pads).s,
                        pair_text("stride", k.stride[0], k.stride[1], 1, 1).s,
                        pair_text("dilation", k.dilation[0], k.dilation[1], 1, 1).s,
                        pair_text("groups", groups, groups, 1, 1).s));
    cairn_onnx_last_line(c)->weight = w;
    TRY(take_bias(c, 2));
out:
    return st;
}

cairn_status cairn_onnx_read_transposed(struct cairn_onnx_converter *c)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_value *x;
    const struct cairn_onnx_tensor *w;
    struct cairn_onnx_window k;
    int64_t extra[2] = {0, 0};
    TRY(cairn_onnx_take_image(c, 0, &x));
    TRY(cairn_onnx_take_weights(c, 1, 4, &w));
    struct cairn_shape in = cairn_onnx_shape_of(c, x);
    st = cairn_onnx_window(c->node, 2, &w->dims[2], in.h, in.w, &k);
    if (st == CAIRN_OK) st = cairn_onnx_get_ints(c->node, "output_padding", 2, extra);
    if (st != CAIRN_OK) return cairn_onnx_refuse(c, "%s", cairn_error());
    if (cairn_onnx_get_int(c->node, "group", 1) != 1)
        return cairn_onnx_refuse(c, "groups of a transposed convolution are not supported");
    if (cairn_onnx_find(c->node, "output_shape") ||
        (cairn_onnx_find(c->node, "auto_pad") && !cairn_onnx_is(c->node, "auto_pad", "NOTSET")))
        return cairn_onnx_refuse(c, "output_shape and auto_pad are not supported; pads are");
    if (w->dims[0] != in.c)
        return cairn_onnx_refuse(c, "its weights are for %lld channels, its input has %lld",
                                 (long long)w->dims[0], (long long)in.c);
    TRY(cairn_onnx_emit(c, x, NULL, 0, "convtranspose %lld %lldx%lld%s%s%s%s",
                        (long long)w->dims[1], (long long)k.kernel[0], (long long)k.kernel[1],
                        pads_text(k.pads).s, pair_text("stride", k.stride[0], k.stride[1], 1, 1).s,
                        pair_text("dilation", k.dilation[0], k.dilation[1], 1, 1).s,
                        pair_text("extra", extra[0], extra[1], 0, 0).s));
    cairn_onnx_last_line(c)->weight = w;
    TRY(take_bias(c, 2));
out:
    return st;
}

static cairn_status put_linear(struct cairn_onnx_converter *c, int transposed)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_value *x;
    const struct cairn_onnx_tensor *w;
    TRY(cairn_onnx_take_value(c, 0, &x));
    TRY(cairn_onnx_take_weights(c, 1, 2, &w));
    int64_t inputs = w->dims[!transposed], count = cairn_shape_count(cairn_onnx_shape_of(c, x));
    if (!x->is_flat) return cairn_onnx_refuse(c, "its input '%.80s' is not N x C", x->name);
    if (inputs != count)
        return cairn_onnx_refuse(c, "its weights are for %lld inputs, not %lld", (long long)inputs,
                                 (long long)count);
    TRY(cairn_onnx_emit(c, x, NULL, 1, "linear %lld", (long long)w->dims[transposed]));
    cairn_onnx_last_line(c)->weight = w;
    cairn_onnx_last_line(c)->transposed = transposed;
    cairn_onnx_last_line(c)->has_bias = 0;
out:
    return st;
}

cairn_status cairn_onnx_read_gemm(struct cairn_onnx_converter *c)
{
    cairn_status st = CAIRN_OK;
    if (cairn_onnx_get_int(c->node, "transA", 0))
        return cairn_onnx_refuse(c, "transA is not supported");
    TRY(put_linear(c, !cairn_onnx_get_int(c->node, "transB", 0)));
    cairn_onnx_last_line(c)->weight_times = cairn_onnx_get_float(c->node, "alpha", 1);
    cairn_onnx_last_line(c)->bias_times = cairn_onnx_get_float(c->node, "beta", 1);
    TRY(take_bias(c, 2));
out:
    return st;
}

cairn_status cairn_onnx_read_matmul(struct cairn_onnx_converter *c)
{
    return put_linear(c, 1);
}

/* --- pools, norms --- */

/* ceil_mode: a last window that hangs over the end, as long as it begins before it. For a maximum,
 * and for a mean over what is there, that is padding; 0: for this mean it is not, which counts its
 * padding. */
static int hang_over(struct cairn_onnx_window *k, const int64_t in[2], int count_pad)
{
    for (int i = 0; i < 2; i++) {
        int64_t left = in[i] + k->pads[i] + k->pads[i + 2] - k->kernel[i],
                over = left % k->stride[i];
        if (left < 0 || over == 0) continue;
        int64_t begins = left - over + k->stride[i]; /* of the window that would be one more */
        if (begins >= in[i] + k->pads[i]) continue;
        if (count_pad) return 0;
        k->pads[i + 2] += k->stride[i] - over;
    }
    return 1;
}

cairn_status cairn_onnx_read_pool(struct cairn_onnx_converter *c)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_value *x;
    struct cairn_onnx_window k;
    const int64_t open[2] = {0, 0};
    int max = !strcmp(c->node->op_type, "MaxPool");
    TRY(cairn_onnx_take_image(c, 0, &x));
    struct cairn_shape in = cairn_onnx_shape_of(c, x);
    st = cairn_onnx_window(c->node, 2, open, in.h, in.w, &k);
    if (st != CAIRN_OK) return cairn_onnx_refuse(c, "%s", cairn_error());
    if (k.dilation[0] != 1 || k.dilation[1] != 1)
        return cairn_onnx_refuse(c, "dilations of pools are not supported");
    struct cairn_onnx_text_of size = pair_text("", k.kernel[0], k.kernel[1], 0, 0);
    int count_pad = !max && cairn_onnx_get_int(c->node, "count_include_pad", 0);
    if (cairn_onnx_get_int(c->node, "ceil_mode", 0) &&
        !hang_over(&k, (const int64_t[2]){in.h, in.w}, count_pad))
        return cairn_onnx_refuse(c,
                                 "ceil_mode with count_include_pad is not supported where a window "
                                 "hangs over the end");
    st = cairn_onnx_emit(c, x, NULL, 0, "%s %s%s%s%s", max ? "maxpool" : "avgpool", size.s + 2,
                         pair_text("stride", k.stride[0], k.stride[1], k.kernel[0], k.kernel[1]).s,
                         pads_text(k.pads).s, count_pad ? " count_pad=yes" : "");
out:
    return st;
}

cairn_status cairn_onnx_read_global(struct cairn_onnx_converter *c)
{
    const struct cairn_onnx_value *x;
    cairn_status st = cairn_onnx_take_image(c, 0, &x);
    if (st != CAIRN_OK) return st;
    return cairn_onnx_emit(c, x, NULL, 0,
                           !strcmp(c->node->op_type, "GlobalMaxPool") ? "maxpool global"
                                                                      : "avgpool global");
}

cairn_status cairn_onnx_read_mean(struct cairn_onnx_converter *c)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_value *x;
    const int64_t *axes = NULL;
    int64_t count;
    TRY(cairn_onnx_take_image(c, 0, &x));
    TRY(cairn_onnx_take_list(c, "axes", 1, &axes, &count));
    if (!cairn_onnx_are_sides(axes, count))
        return cairn_onnx_refuse(c, "a mean is supported over the two axes of images, 2 and 3");
    st = cairn_onnx_emit(c, x, NULL, !cairn_onnx_get_int(c->node, "keepdims", 1), "avgpool global");
out:
    return st;
}

/* ONNX's momentum is of the old statistic: 1 less it, in as few digits as mean the same. */
static float momentum_of(float kept)
{
    char text[40];
    for (int digits = 1; digits < 9; digits++) {
        double value;
        snprintf(text, sizeof text, "%.*f", digits, 1.0 - (double)kept);
        if (cairn_text_double(text, &value) == CAIRN_OK && 1.0f - (float)value == kept)
            return (float)value;
    }
    return 1.0f - kept;
}

cairn_status cairn_onnx_read_norm(struct cairn_onnx_converter *c)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_value *x;
    const struct cairn_onnx_tensor *p[4];
    TRY(cairn_onnx_take_value(c, 0, &x));
    struct cairn_shape in = cairn_onnx_shape_of(c, x);
    if (cairn_onnx_get_int(c->node, "training_mode", 0))
        return cairn_onnx_refuse(c,
                                 "training_mode is not supported: export the model for evaluation");
    for (size_t i = 0; i < 4; i++) {
        TRY(cairn_onnx_take_weights(c, i + 1, 1, &p[i]));
        if (p[i]->count != (x->is_flat ? cairn_shape_count(in) : in.c))
            return cairn_onnx_refuse(c, "its input %zu has %lld numbers, not one for each channel",
                                     i + 1, (long long)p[i]->count);
    }
    if (x->is_flat && in.h * in.w > 1)
        return cairn_onnx_refuse(c, "its input is a flattened image");
    float momentum = momentum_of(cairn_onnx_get_float(c->node, "momentum", 0.9f));
    TRY(cairn_onnx_emit(
        c, x, NULL, x->is_flat, "batchnorm%s%s",
        cairn_onnx_number_text("momentum=", momentum, 0.1f).s,
        cairn_onnx_number_text("epsilon=", cairn_onnx_get_float(c->node, "epsilon", 1e-5f), 1e-5f)
            .s));
    cairn_onnx_last_line(c)->weight = p[0];
    cairn_onnx_last_line(c)->bias = p[1];
    cairn_onnx_last_line(c)->mean = p[2];
    cairn_onnx_last_line(c)->var = p[3];
out:
    return st;
}
