/* Reading ONNX: messages from files, attributes by name, tensors as numbers.
 *
 * Whatever a file holds, nothing here reads outside it; texts that are missing are "". */
#ifndef CAIRN_ONNX_READ_H
#define CAIRN_ONNX_READ_H

#include <cairn/status.h>
#include <onnx.pb-c.h>

/* ONNX's own numbers of types; the others are refused where they matter. */
enum { CAIRN_ONNX_F32 = 1, CAIRN_ONNX_I32 = 6, CAIRN_ONNX_I64 = 7 };

#define CAIRN_ONNX_RANK 8

/* A tensor's numbers: floats of float32, ints of int32 and int64, neither of another type. */
struct cairn_onnx_tensor {
    int type, rank;
    int64_t dims[CAIRN_ONNX_RANK], count;
    float *floats;
    int64_t *ints;
};

/* Parses a file. CAIRN_FORMAT for what is no ONNX model, CAIRN_NOT_FOUND, CAIRN_MEMORY. */
cairn_status cairn_onnx_read(const char *path, Cairn__Onnx__Model **model);
void cairn_onnx_free(Cairn__Onnx__Model *model); /* NULL is fine */

/* The version of ONNX's own operators that the model uses. CAIRN_FORMAT where it names none. */
cairn_status cairn_onnx_opset(const Cairn__Onnx__Model *model, int64_t *version);

/* The numbers of a tensor, `path` being the file that it came from: others, beside it, may hold its
 * data. CAIRN_FORMAT where sizes do not fit. */
cairn_status cairn_onnx_tensor(const Cairn__Onnx__Tensor *message, const char *path,
                               struct cairn_onnx_tensor *tensor);
void cairn_onnx_tensor_free(struct cairn_onnx_tensor *tensor); /* zeroes it */

/* A file that holds one tensor. */
cairn_status cairn_onnx_read_tensor(const char *path, struct cairn_onnx_tensor *tensor,
                                    char **name);

/* --- nodes --- */

const char *cairn_onnx_or_empty(const char *text);

/* NULL: the node has no such attribute. */
const Cairn__Onnx__Attribute *cairn_onnx_find(const Cairn__Onnx__Node *node, const char *name);
int64_t cairn_onnx_get_int(const Cairn__Onnx__Node *node, const char *name, int64_t otherwise);
float cairn_onnx_get_float(const Cairn__Onnx__Node *node, const char *name, float otherwise);
/* Whether the attribute's text is `word`; 0 where there is none. */
int cairn_onnx_is(const Cairn__Onnx__Node *node, const char *name, const char *word);
/* Fills `count` numbers, or leaves them as they are where there is no such attribute. CAIRN_FORMAT
 * where it has another number of them. */
cairn_status cairn_onnx_get_ints(const Cairn__Onnx__Node *node, const char *name, int count,
                                 int64_t *values);

/* A node's two-dimensional window: convolutions and pools. */
struct cairn_onnx_window {
    int64_t kernel[2], stride[2], dilation[2], pads[4]; /* pads: top, left, bottom, right */
};

/* Reads the attributes, for an input of h x w, of `sides` dimensions: 2, or 1 where h stands for
 * none and is 1; auto_pad is resolved. kernel is given for
 * convolutions ({0, 0}: the attribute kernel_shape). CAIRN_UNSUPPORTED for pads below 0,
 * CAIRN_FORMAT for sizes below 1. */
cairn_status cairn_onnx_window(const Cairn__Onnx__Node *node, int sides, const int64_t kernel[2],
                               int64_t h, int64_t w, struct cairn_onnx_window *window);

#endif
