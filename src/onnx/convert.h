/* Making a net of a graph: what net.c and the operators of nodes.c share. */
#ifndef CAIRN_ONNX_CONVERT_H
#define CAIRN_ONNX_CONVERT_H

#include "onnx/net.h"

/* A function of x, number by number; see expressions.c. */
enum cairn_onnx_tree_kind {
    CAIRN_ONNX_TREE_X,
    CAIRN_ONNX_TREE_NUMBER, /* a */
    CAIRN_ONNX_TREE_ADD,
    CAIRN_ONNX_TREE_SUB,
    CAIRN_ONNX_TREE_MUL,
    CAIRN_ONNX_TREE_DIV,
    CAIRN_ONNX_TREE_POW,
    CAIRN_ONNX_TREE_ERF,
    CAIRN_ONNX_TREE_TANH,
    CAIRN_ONNX_TREE_SIGMOID,
    CAIRN_ONNX_TREE_HARD_SIGMOID, /* a x + b, from 0 to 1 */
    CAIRN_ONNX_TREE_CLIP,         /* from a to b */
};

struct cairn_onnx_tree {
    enum cairn_onnx_tree_kind kind;
    int left, right; /* -1: none */
    int size;        /* nodes */
    double a, b;
};

#define CAIRN_ONNX_PENDING (-2) /* the line of a value that is a tree only, so far */

/* A value of the graph: a constant, or the output of a line (CAIRN_NODE_INPUT: the images). */
struct cairn_onnx_value {
    const char *name;
    const struct cairn_onnx_tensor *constant; /* NULL: not one */
    int line;
    int is_flat;                         /* N x (C H W), not N x C x H x W */
    int readers;                         /* nodes, and the graph's output */
    const Cairn__Onnx__Node *reader;     /* one of them; NULL: the graph's output alone */
    const struct cairn_onnx_value *base; /* the value that it is a function of; NULL: of none */
    int tree;
    float shift, scale; /* of the images: (x - shift) * scale */
    int known;          /* 1: it is an input, an initializer, or its node was read */
};

struct cairn_onnx_converter {
    struct cairn_onnx_net *net;
    struct cairn_shape in;
    struct cairn_onnx_value *values;
    size_t value_count;
    int *table; /* places in values by a hash of the name, -1: none */
    size_t table_size;
    int64_t opset;
    int is_own; /* Cairn wrote it */
    const char *path;
    struct cairn_onnx_tree *trees; /* room for three of each node */
    int tree_count;
    const Cairn__Onnx__Node *node; /* the one at hand */
    size_t number;
    int scaled; /* 1: a line takes the images, with net->shift and net->scale */
};

/* The value of that name; made where it is missing. NULL: "". */
struct cairn_onnx_value *cairn_onnx_value_of(struct cairn_onnx_converter *c, const char *name);

/* CAIRN_UNSUPPORTED: "node 3 'name' (Conv): WHY". */
cairn_status cairn_onnx_refuse(const struct cairn_onnx_converter *c, const char *why, ...)
    __attribute__((format(printf, 2, 3)));

/* The shape of a value's image. */
struct cairn_shape cairn_onnx_shape_of(const struct cairn_onnx_converter *c,
                                       const struct cairn_onnx_value *value);

/* Appends a line that reads `input`; the node's first output is its value, flat or not. */
cairn_status cairn_onnx_emit(struct cairn_onnx_converter *c, const struct cairn_onnx_value *input,
                             const struct cairn_onnx_value *other, int is_flat, const char *format,
                             ...) __attribute__((format(printf, 5, 6)));

/* The same, the line's value being `out`, which is there. */
cairn_status cairn_onnx_emit_value(struct cairn_onnx_converter *c,
                                   const struct cairn_onnx_value *input,
                                   const struct cairn_onnx_value *other,
                                   struct cairn_onnx_value *out, const char *text);

/* Gives the node's first output the value of another. */
cairn_status cairn_onnx_alias(struct cairn_onnx_converter *c, const struct cairn_onnx_value *value,
                              int is_flat);

/* --- operands.c: what a node takes; a failure names the node --- */

/* NULL: there is none; it may be a tree without a line, which cairn_onnx_take_value() gives one. */
struct cairn_onnx_value *cairn_onnx_operand(struct cairn_onnx_converter *c, size_t i);
/* What a layer computes; the same as N x C x H x W. */
cairn_status cairn_onnx_take_value(struct cairn_onnx_converter *c, size_t i,
                                   const struct cairn_onnx_value **value);
cairn_status cairn_onnx_take_image(struct cairn_onnx_converter *c, size_t i,
                                   const struct cairn_onnx_value **value);
/* Weights: float32 of that rank (-1: any). */
cairn_status cairn_onnx_take_weights(struct cairn_onnx_converter *c, size_t i, int rank,
                                     const struct cairn_onnx_tensor **tensor);
/* A list of integers: an attribute once, an input later. 0 of them: there is none. */
cairn_status cairn_onnx_take_list(struct cairn_onnx_converter *c, const char *name, size_t i,
                                  const int64_t **list, int64_t *count);
struct cairn_onnx_line *cairn_onnx_last_line(struct cairn_onnx_converter *c);

struct cairn_onnx_text_of {
    char s[CAIRN_ONNX_LINE];
};
/* " VALUE", or " KEY=VALUE"; nothing for the usual value. */
struct cairn_onnx_text_of cairn_onnx_number_text(const char *before, float value, float usual);
/* Whether the list is the two axes of an image. */
int cairn_onnx_are_sides(const int64_t *axes, int64_t count);

/* --- nodes-windows.c, nodes-values.c --- */

cairn_status cairn_onnx_read_conv(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_transposed(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_gemm(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_matmul(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_pool(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_global(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_mean(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_norm(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_activation(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_hard_sigmoid(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_gelu(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_softmax(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_dropout(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_identity(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_flatten(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_reshape(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_squeeze(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_constant(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_add(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_scaling(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_cast(struct cairn_onnx_converter *c);

/* --- expressions.c --- */

/* Whether the node at hand, an operator of two values, is a function of one value; what it is. */
int cairn_onnx_is_function(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_function(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_clip(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_erf(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_sigmoid(struct cairn_onnx_converter *c);
cairn_status cairn_onnx_read_tanh(struct cairn_onnx_converter *c);

/* Gives a value that is a tree only its line; CAIRN_UNSUPPORTED where it is no activation. */
cairn_status cairn_onnx_settle(struct cairn_onnx_converter *c, struct cairn_onnx_value *value);

/* nodes.c: reads c->node. */
cairn_status cairn_onnx_convert(struct cairn_onnx_converter *c);

#endif
