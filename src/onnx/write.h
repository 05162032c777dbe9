/* Making an ONNX model piece by piece: for export.c and the layers of layers.c.
 *
 * Everything that a message points to lies in one arena, whose size is known from the number of
 * layers; weights are borrowed. */
#ifndef CAIRN_ONNX_WRITE_H
#define CAIRN_ONNX_WRITE_H

#include "nn/model.h"
#include <onnx.pb-c.h>

#define CAIRN_ONNX_OPSET 17      /* of what is written, but for gelu */
#define CAIRN_ONNX_OPSET_GELU 20 /* where Gelu became an operator */

struct cairn_onnx_writer {
    char *arena;
    size_t used, room;
    Cairn__Onnx__Model model;
    Cairn__Onnx__Graph graph;
    Cairn__Onnx__OperatorSet opset, *opsets[1];
    const struct cairn_model *net; /* borrowed, as flat */
    float *flat;
    char **values; /* per layer: the name of its output */
    int *is_flat;  /* per layer: whether that is N x C, not N x C x H x W */
};

/* Room for the model's layers and `texts` bytes of other text; CAIRN_MEMORY. */
cairn_status cairn_onnx_writer_init(struct cairn_onnx_writer *writer,
                                    const struct cairn_model *model, float *flat, size_t texts);
void cairn_onnx_writer_finish(struct cairn_onnx_writer *writer);

/* The graph from the images, bytes as floats, to the last layer's output. `shift` and `scale` are
 * the gathering's. */
void cairn_onnx_write_graph(struct cairn_onnx_writer *writer, float shift, float scale);

/* --- pieces; names are copied --- */

char *cairn_onnx_text(struct cairn_onnx_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void *cairn_onnx_room(struct cairn_onnx_writer *writer, size_t bytes); /* zeroed */

/* A node with one output of the same name; returns that. inputs ends with NULL. */
char *cairn_onnx_node(struct cairn_onnx_writer *writer, const char *op, char *name,
                      char *const *inputs);
/* Attributes of the last node. */
void cairn_onnx_int(struct cairn_onnx_writer *writer, char *name, int64_t value);
void cairn_onnx_float(struct cairn_onnx_writer *writer, char *name, float value);
void cairn_onnx_words(struct cairn_onnx_writer *writer, char *name, char *value);
void cairn_onnx_ints(struct cairn_onnx_writer *writer, char *name, int count,
                     const int64_t *values);

/* Initializers; return their names. */
char *cairn_onnx_scalar(struct cairn_onnx_writer *writer, char *name, float value);
char *cairn_onnx_shape(struct cairn_onnx_writer *writer, char *name, int count,
                       const int64_t *values);
char *cairn_onnx_param(struct cairn_onnx_writer *writer, int param);

#endif
