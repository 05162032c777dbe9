/* A model: layers with their shapes, and the list of parameters in one flat buffer.
 *
 * Invariant: all weights lie before all biases and norms, so that weight decay covers the prefix
 * weight_floats; behind what is trained (flat_floats) lie the running statistics, up to
 * total_floats. Every tensor starts at a multiple of 16 floats, and the floats between tensors are
 * +0 and stay +0 in the parameters, gradients and moments. Shapes are those of one image; a batch
 * puts n in front. A node comes after the nodes that it reads. Nothing here knows a device. */
#ifndef CAIRN_NN_MODEL_H
#define CAIRN_NN_MODEL_H

#include "nn/layer.h"

struct cairn_shape {
    int64_t c, h, w; /* what a linear layer gives is c x 1 x 1 */
};

#define CAIRN_NODE_INPUT (-1) /* the images, where a node's number is asked for */

/* A layer in its place. */
struct cairn_node {
    struct cairn_layer layer; /* pad_same and global replaced by what they stand for */
    struct cairn_shape in, out;
    int input, other; /* numbers of the nodes that it reads; other: add only */
    int weight, bias; /* numbers of its parameters, -1: none; batchnorm: gamma, beta */
    int mean, var;    /* numbers of its running statistics, -1: none */
};

enum cairn_param_kind {
    CAIRN_PARAM_WEIGHT,
    CAIRN_PARAM_BIAS,
    CAIRN_PARAM_NORM,
    CAIRN_PARAM_STATISTIC
};

struct cairn_param {
    char name[32]; /* "3.weight", "3.bias", "3.running_mean", "3.running_var": the layer's place in
                      the recipe, from 0 */
    enum cairn_param_kind kind; /* NORM: gamma ("weight") and beta ("bias") */
    int layer, rank;
    int64_t
        dims[4]; /* conv: O,I/groups,KH,KW; convtranspose: I,O,KH,KW; linear: OUT,IN; else: OUT */
    int64_t count, offset;   /* floats; offset in the flat buffer */
    int64_t fan_in, fan_out; /* of the layer: c/groups * kh * kw and o/groups * kh * kw (of a
                                transposed convolution, too: c inputs reach an output), or inputs
                                and outputs; 0: batchnorm's */
    struct cairn_init init;  /* the rule that applies: never UNSET */
};

struct cairn_model {
    struct cairn_shape in;
    int64_t classes;
    struct cairn_node *nodes;
    int node_count;
    struct cairn_param *params; /* those that are trained first */
    int param_count, trained_count;
    int64_t parameters;    /* numbers that are trained */
    int64_t weight_floats; /* the prefix that holds the weights, gaps included */
    int64_t flat_floats;   /* what is trained, gaps included: size of gradients and moments */
    int64_t total_floats;  /* with the running statistics: size of the parameters */
};

/* Which initialiser a weight gets: the layer's own init=, else conv's or linear's, else the
 * fallback, else he. */
struct cairn_init_rules {
    struct cairn_init fallback, conv, linear;
};

/* Links the layers by from= and add, and infers every shape. CAIRN_INVALID names the layer, its
 * text and its input where a shape is impossible, a name that is unknown, given twice or that of a
 * later output, an output that nobody takes, and tells when the last layer does not give one number
 * per class or nothing can be trained. */
cairn_status cairn_model_create(const struct cairn_layer *layers, int count, struct cairn_shape in,
                                int64_t classes, const struct cairn_init_rules *rules,
                                struct cairn_model **model);
void cairn_model_destroy(struct cairn_model *model); /* NULL is fine */

/* Writes the initial parameters into flat[0 .. total_floats - 1]: element e of a weight of layer i
 * is mean + dev * normal(seed, CAIRN_STREAM_INIT + i, 0, e), two roundings; he: mean 0, dev =
 * sqrt(2 / fan_in); xavier: dev = sqrt(2 / (fan_in + fan_out)), in floats. The uniform kinds: low +
 * (high - low) * uniform(...), three roundings, between -b and b for b = sqrt(6 / fan). Running
 * means are 0, variances and gammas 1. */
void cairn_model_init(const struct cairn_model *model, uint64_t seed, float *flat);

/* Numbers of one image at this shape. */
static inline int64_t cairn_shape_count(struct cairn_shape shape)
{
    return shape.c * shape.h * shape.w;
}

#endif
