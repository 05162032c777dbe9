/* What a node takes: values, weights, lists of integers; and words of a layer's line. */
#include "onnx/convert.h"

#include "base/error.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

struct cairn_onnx_value *cairn_onnx_operand(struct cairn_onnx_converter *c, size_t i)
{
    return i < c->node->n_input ? cairn_onnx_value_of(c, c->node->input[i]) : NULL;
}

/* What a layer computes. */
cairn_status cairn_onnx_take_value(struct cairn_onnx_converter *c, size_t i,
                                   const struct cairn_onnx_value **value)
{
    struct cairn_onnx_value *v = cairn_onnx_operand(c, i);
    *value = v;
    if (!v) return cairn_onnx_refuse(c, "its input %zu is missing", i);
    if (!(*value)->known)
        return cairn_onnx_refuse(c, "its input '%.80s' comes from no node before it",
                                 (*value)->name);
    if ((*value)->constant)
        return cairn_onnx_refuse(
            c, "its input '%.80s' is a constant, where a layer's output is taken", (*value)->name);
    return cairn_onnx_settle(c, v);
}

/* The same as N x C x H x W. */
cairn_status cairn_onnx_take_image(struct cairn_onnx_converter *c, size_t i,
                                   const struct cairn_onnx_value **value)
{
    cairn_status st = cairn_onnx_take_value(c, i, value);
    if (st == CAIRN_OK && (*value)->is_flat)
        st = cairn_onnx_refuse(c, "its input '%.80s' is N x C, not N x C x H x W", (*value)->name);
    return st;
}

/* Weights: float32 of that rank (-1: any). */
cairn_status cairn_onnx_take_weights(struct cairn_onnx_converter *c, size_t i, int rank,
                                     const struct cairn_onnx_tensor **tensor)
{
    const struct cairn_onnx_value *v = cairn_onnx_operand(c, i);
    *tensor = NULL;
    if (!v || !v->constant)
        return cairn_onnx_refuse(c, "its input %zu is no initializer and no constant", i);
    *tensor = v->constant;
    if (!v->constant->floats || (rank >= 0 && v->constant->rank != rank))
        return cairn_onnx_refuse(c, "'%.80s' is not float32 of %d dimensions", v->name, rank);
    return CAIRN_OK;
}

/* A list of integers: an attribute once, an input later. 0 of them: there is none. */
cairn_status cairn_onnx_take_list(struct cairn_onnx_converter *c, const char *name, size_t i,
                                  const int64_t **list, int64_t *count)
{
    const Cairn__Onnx__Attribute *a = cairn_onnx_find(c->node, name);
    const struct cairn_onnx_value *v = cairn_onnx_operand(c, i);
    *count = 0;
    if (a) {
        *list = a->ints;
        *count = (int64_t)a->n_ints;
    } else if (v) {
        if (!v->constant || !v->constant->ints)
            return cairn_onnx_refuse(c, "its %s, '%.80s', are computed; only constants are taken",
                                     name, v->name);
        *list = v->constant->ints;
        *count = v->constant->count;
    }
    return CAIRN_OK;
}

struct cairn_onnx_line *cairn_onnx_last_line(struct cairn_onnx_converter *c)
{
    return &c->net->lines[c->net->count - 1];
}

/* " VALUE", or " KEY=VALUE"; nothing for the usual value. */
struct cairn_onnx_text_of cairn_onnx_number_text(const char *before, float value, float usual)
{
    struct cairn_onnx_text_of t = {""};
    char digits[40];
    if (value == usual) return t;
    cairn_text_print_float(digits, sizeof digits, value);
    snprintf(t.s, sizeof t.s, " %s%s", before, digits);
    return t;
}

/* Whether the list is the two axes of an image. */
int cairn_onnx_are_sides(const int64_t *axes, int64_t count)
{
    int seen = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t axis = axes[i] < 0 ? axes[i] + 4 : axes[i];
        if (axis != 2 && axis != 3) return 0;
        seen |= (int)axis;
    }
    return count == 2 && seen == 3;
}
