/* Layers as written in a recipe: `NAME ARG* (key=value)*`, parsed into values. Shapes and memory
 * come later (model.h). */
#ifndef CAIRN_NN_LAYER_H
#define CAIRN_NN_LAYER_H

#include <cairn/problem.h>

enum cairn_layer_kind {
    CAIRN_LAYER_CONV,    /* conv O KHxKW [pad=P|HxW|T,B,L,R|same] [stride=S|HxW] [bias=no] */
    CAIRN_LAYER_LINEAR,  /* linear N [bias=no]; flattens its input */
    CAIRN_LAYER_MAXPOOL, /* maxpool K|KHxKW [stride=S|HxW (default: the window)] [pad=...] */
    CAIRN_LAYER_RELU,
    CAIRN_LAYER_TANH,
    CAIRN_LAYER_SIGMOID,
    CAIRN_LAYER_LEAKYRELU, /* leakyrelu [SLOPE] (0.01) */
    CAIRN_LAYER_ELU,       /* elu [ALPHA] (1) */
    CAIRN_LAYER_GELU,      /* gelu [form=erf|tanh] */
    CAIRN_LAYER_SILU,
    CAIRN_LAYER_SOFTPLUS,
    CAIRN_LAYER_HARDSIGMOID,
    CAIRN_LAYER_HARDSWISH,
    CAIRN_LAYER_DROPOUT, /* dropout RATE; dropout 0 is the identity */
    CAIRN_LAYER_FLATTEN,
    CAIRN_LAYER_NONE, /* none: the identity */
};

enum cairn_init_kind {
    CAIRN_INIT_UNSET,
    CAIRN_INIT_NORMAL, /* normal [mean=0] [dev=0.01] */
    CAIRN_INIT_HE,     /* he: normal, dev = sqrt(2 / fan_in) */
    CAIRN_INIT_XAVIER, /* xavier: normal, dev = sqrt(2 / (fan_in + fan_out)) */
    CAIRN_INIT_ZERO,
};

struct cairn_init {
    enum cairn_init_kind kind;
    float mean, dev;
};

struct cairn_layer {
    enum cairn_layer_kind kind;
    char text[96]; /* as written, after substitution of vars */
    int64_t outputs, kh, kw, stride_h, stride_w, pad_t, pad_b, pad_l, pad_r;
    int pad_same, bias;
    float rate;
    float alpha;            /* leakyrelu, elu; else 1 */
    int gelu_tanh;          /* gelu form=tanh */
    struct cairn_init init; /* kind UNSET: the recipe's init section decides; layers take init=he,
                               init=xavier, init=zero */
};

/* Parses one layer line. CAIRN_PARSE says what would have been accepted; *column (may be NULL) is
 * the 0-based offset in text of the offending word. */
cairn_status cairn_layer_parse(const char *text, struct cairn_layer *layer, int *column);

/* Parses "he", "xavier", "zero", "normal mean=0 dev=0.1". */
cairn_status cairn_init_parse(const char *text, struct cairn_init *init, int *column);

#endif
