/* Layers as written in a recipe: `NAME ARG* (key=value)*`, parsed into values. Shapes and memory
 * come later (model.h).
 *
 * Every layer takes as=ID, which names its output, and from=ID, which takes the output of that name
 * for its input instead of the previous layer's. `add ID` is the sum of the previous output (or
 * that of from=) and the output ID: a residual branch. IDs are letters, digits, _ and -, up to 23;
 * "input" names the images. */
#ifndef CAIRN_NN_LAYER_H
#define CAIRN_NN_LAYER_H

#include <cairn/problem.h>

enum cairn_layer_kind {
    CAIRN_LAYER_CONV, /* conv O KHxKW [pad=P|HxW|T,B,L,R|same] [stride=S|HxW] [dilation=D|HxW]
                         [groups=G] [bias=no] [init=...] */
    CAIRN_LAYER_CONV_TRANSPOSE, /* convtranspose O KHxKW [stride=] [pad=P|HxW|T,B,L,R] [dilation=]
                                   [extra=P|HxW] [bias=no] [init=...]; out = (in - 1) stride - pads
                                   + (k - 1) dilation + 1 + extra, extra below stride */
    CAIRN_LAYER_LINEAR,         /* linear N [bias=no] [init=...]; flattens its input */
    CAIRN_LAYER_MAXPOOL, /* maxpool K|KHxKW|global [stride=S|HxW (default: the window)] [pad=...] */
    CAIRN_LAYER_AVGPOOL, /* avgpool, the same and [count_pad=yes] */
    CAIRN_LAYER_BATCHNORM, /* batchnorm [momentum=0.1] [epsilon=1e-5]: by channel */
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
    CAIRN_LAYER_SOFTMAX,    /* over all numbers of an image */
    CAIRN_LAYER_LOGSOFTMAX, /* the same, its logarithm */
    CAIRN_LAYER_DROPOUT,    /* dropout RATE; dropout 0 is the identity */
    CAIRN_LAYER_ADD,        /* add ID */
    CAIRN_LAYER_FLATTEN,
    CAIRN_LAYER_NONE, /* none: the identity */
};

/* "he", "xavier" may be written "he-normal", "xavier-normal". */
enum cairn_init_kind {
    CAIRN_INIT_UNSET,
    CAIRN_INIT_NORMAL,     /* normal [mean=0] [dev=0.01] */
    CAIRN_INIT_UNIFORM,    /* uniform [low=-0.05] [high=0.05] */
    CAIRN_INIT_HE,         /* he: normal, dev = sqrt(2 / fan_in) (He et al. 2015) */
    CAIRN_INIT_HE_UNIFORM, /* he-uniform: within +- sqrt(6 / fan_in) */
    CAIRN_INIT_XAVIER,     /* xavier: normal, dev = sqrt(2 / (fan_in + fan_out)) (Glorot 2010) */
    CAIRN_INIT_XAVIER_UNIFORM, /* xavier-uniform: within +- sqrt(6 / (fan_in + fan_out)) */
    CAIRN_INIT_ZERO,
    CAIRN_INIT_ONE, /* batchnorm's gamma; not for recipes */
};

struct cairn_init {
    enum cairn_init_kind kind;
    float mean, dev; /* normal; uniform: low, high */
};

struct cairn_layer {
    enum cairn_layer_kind kind;
    char text[96];                    /* as written, after substitution of vars */
    char as[24], from[24], other[24]; /* "": none; other: add's ID */
    int64_t outputs, kh, kw, stride_h, stride_w, pad_t, pad_b, pad_l, pad_r;
    int64_t dilation_h, dilation_w, groups, extra_h, extra_w;
    int pad_same, bias;
    int global;    /* pools: the whole plane */
    int count_pad; /* avgpool */
    float rate;
    float alpha;             /* leakyrelu, elu; else 1 */
    float momentum, epsilon; /* batchnorm */
    int gelu_tanh;           /* gelu form=tanh */
    struct cairn_init init;  /* kind UNSET: the recipe's init section decides; init= takes a name,
                                and  normal(MEAN,DEV), uniform(LOW,HIGH) */
};

/* Parses one layer line. CAIRN_PARSE says what would have been accepted; *column (may be NULL) is
 * the 0-based offset in text of the offending word. */
cairn_status cairn_layer_parse(const char *text, struct cairn_layer *layer, int *column);

/* Parses "he", "xavier-uniform", "zero", "normal mean=0 dev=0.1", "uniform low=-0.1 high=0.1". */
cairn_status cairn_init_parse(const char *text, struct cairn_init *init, int *column);

#endif
