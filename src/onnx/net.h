/* A graph of ONNX as layer lines with their weights: what cairn_import() makes a run of.
 *
 * Invariant: line i of the net stands for the i-th node that computes something; Flatten, Reshape
 * and the like are views of a value, a bias that is added behind a product belongs to the product,
 * nodes that make up an activation (expressions.c) are one line. A line without weights has NULL
 * for them. */
#ifndef CAIRN_ONNX_NET_H
#define CAIRN_ONNX_NET_H

#include "nn/infer.h"
#include "onnx/read.h"

#define CAIRN_ONNX_LINE 96

struct cairn_onnx_line {
    char base[CAIRN_ONNX_LINE]; /* without as=, from= and bias= */
    int input, other;           /* lines, or CAIRN_NODE_INPUT; other: add only */
    int has_bias;               /* of conv, convtranspose and linear; else -1 */
    int readers;
    struct cairn_node node; /* shapes */
    const struct cairn_onnx_tensor *weight, *bias, *mean, *var;
    int transposed;                 /* linear: weight is IN x OUT */
    float weight_times, bias_times; /* linear: what they are multiplied by, in float32 */
};

struct cairn_onnx_net {
    struct cairn_onnx_line *lines;
    int count;
    int normalizes; /* 1: the graph begins with (x - shift) * scale */
    float shift, scale;
    struct cairn_onnx_tensor *tensors; /* what the lines' weights point into */
    int tensor_count;
};

/* The net of a model for images of `in`; path for what lies beside the file. CAIRN_UNSUPPORTED and
 * CAIRN_FORMAT name the node, its operator and what is not taken. */
cairn_status cairn_onnx_net_read(const Cairn__Onnx__Model *model, const char *path,
                                 struct cairn_shape in, struct cairn_onnx_net *net);
void cairn_onnx_net_free(struct cairn_onnx_net *net); /* zeroes it */

/* The lines as a recipe has them; from malloc, net->count of them. */
cairn_status cairn_onnx_net_layers(const struct cairn_onnx_net *net, struct cairn_layer **layers);

/* Fills a model's parameters, that was made of those layers. CAIRN_FORMAT for weights of other
 * shapes. */
cairn_status cairn_onnx_net_weights(const struct cairn_onnx_net *net,
                                    const struct cairn_model *model, float *flat);

#endif
