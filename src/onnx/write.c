#include "onnx/write.h"

#include "base/error.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A layer is at most four nodes and seven tensors, with their attributes and names. */
#define LAYER_NODES 4
#define LAYER_TENSORS 7
#define LAYER_BYTES 8192

enum { TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };
enum { DATA_FLOAT = 1, DATA_INT64 = 7 };

cairn_status cairn_onnx_writer_init(struct cairn_onnx_writer *w, const struct cairn_model *model,
                                    float *flat, size_t texts)
{
    size_t layers = (size_t)model->node_count + 4;
    memset(w, 0, sizeof *w);
    w->room = layers * LAYER_BYTES + texts;
    w->arena = calloc(w->room, 1);
    if (!w->arena) return cairn_fail(CAIRN_MEMORY, "out of memory");
    w->net = model;
    w->flat = flat;
    w->values = cairn_onnx_room(w, layers * sizeof *w->values);
    w->is_flat = cairn_onnx_room(w, layers * sizeof *w->is_flat);
    cairn__onnx__model__init(&w->model);
    cairn__onnx__graph__init(&w->graph);
    cairn__onnx__operator_set__init(&w->opset);
    w->model.graph = &w->graph;
    w->model.n_opset_import = 1;
    w->model.opset_import = w->opsets;
    w->opsets[0] = &w->opset;
    w->graph.node = cairn_onnx_room(w, layers * LAYER_NODES * sizeof *w->graph.node);
    w->graph.initializer =
        cairn_onnx_room(w, layers * LAYER_TENSORS * sizeof *w->graph.initializer);
    return CAIRN_OK;
}

void cairn_onnx_writer_finish(struct cairn_onnx_writer *w)
{
    free(w->arena);
    memset(w, 0, sizeof *w);
}

void *cairn_onnx_room(struct cairn_onnx_writer *w, size_t bytes)
{
    size_t at = (w->used + 15) / 16 * 16;
    assert(at + bytes <= w->room);
    w->used = at + bytes;
    return w->arena + at;
}

char *cairn_onnx_text(struct cairn_onnx_writer *w, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(NULL, 0, format, list);
    va_end(list);
    char *text = cairn_onnx_room(w, (size_t)length + 1);
    va_start(list, format);
    vsnprintf(text, (size_t)length + 1, format, list);
    va_end(list);
    return text;
}

char *cairn_onnx_node(struct cairn_onnx_writer *w, const char *op, char *name, char *const *inputs)
{
    Cairn__Onnx__Node *node = cairn_onnx_room(w, sizeof *node);
    size_t count = 0;
    while (inputs[count]) count++;
    cairn__onnx__node__init(node);
    node->op_type = (char *)op;
    node->name = name;
    node->n_input = count;
    node->input = cairn_onnx_room(w, count * sizeof *node->input);
    memcpy(node->input, inputs, count * sizeof *node->input);
    node->n_output = 1;
    node->output = cairn_onnx_room(w, sizeof *node->output);
    node->output[0] = name;
    node->attribute = cairn_onnx_room(w, 8 * sizeof *node->attribute);
    w->graph.node[w->graph.n_node++] = node;
    return name;
}

static Cairn__Onnx__Attribute *add_attribute(struct cairn_onnx_writer *w, char *name, int32_t type)
{
    Cairn__Onnx__Node *node = w->graph.node[w->graph.n_node - 1];
    Cairn__Onnx__Attribute *a = cairn_onnx_room(w, sizeof *a);
    assert(node->n_attribute < 8);
    cairn__onnx__attribute__init(a);
    a->name = name;
    a->has_type = 1;
    a->type = type;
    node->attribute[node->n_attribute++] = a;
    return a;
}

void cairn_onnx_int(struct cairn_onnx_writer *w, char *name, int64_t value)
{
    Cairn__Onnx__Attribute *a = add_attribute(w, name, TYPE_INT);
    a->has_i = 1;
    a->i = value;
}

void cairn_onnx_float(struct cairn_onnx_writer *w, char *name, float value)
{
    Cairn__Onnx__Attribute *a = add_attribute(w, name, TYPE_FLOAT);
    a->has_f = 1;
    a->f = value;
}

void cairn_onnx_words(struct cairn_onnx_writer *w, char *name, char *value)
{
    Cairn__Onnx__Attribute *a = add_attribute(w, name, TYPE_STRING);
    a->has_s = 1;
    a->s = (ProtobufCBinaryData){strlen(value), (uint8_t *)value};
}

static int64_t *copy_ints(struct cairn_onnx_writer *w, int count, const int64_t *values)
{
    int64_t *copy = cairn_onnx_room(w, (size_t)count * sizeof *copy);
    if (count) memcpy(copy, values, (size_t)count * sizeof *copy);
    return copy;
}

void cairn_onnx_ints(struct cairn_onnx_writer *w, char *name, int count, const int64_t *values)
{
    Cairn__Onnx__Attribute *a = add_attribute(w, name, TYPE_INTS);
    a->n_ints = (size_t)count;
    a->ints = copy_ints(w, count, values);
}

static Cairn__Onnx__Tensor *add_tensor(struct cairn_onnx_writer *w, char *name, int32_t type,
                                       int rank, const int64_t *dims)
{
    Cairn__Onnx__Tensor *t = cairn_onnx_room(w, sizeof *t);
    cairn__onnx__tensor__init(t);
    t->name = name;
    t->has_data_type = 1;
    t->data_type = type;
    t->n_dims = (size_t)rank;
    t->dims = copy_ints(w, rank, dims);
    w->graph.initializer[w->graph.n_initializer++] = t;
    return t;
}

char *cairn_onnx_scalar(struct cairn_onnx_writer *w, char *name, float value)
{
    Cairn__Onnx__Tensor *t = add_tensor(w, name, DATA_FLOAT, 0, NULL);
    t->n_float_data = 1;
    t->float_data = cairn_onnx_room(w, sizeof *t->float_data);
    t->float_data[0] = value;
    return name;
}

char *cairn_onnx_shape(struct cairn_onnx_writer *w, char *name, int count, const int64_t *values)
{
    Cairn__Onnx__Tensor *t = add_tensor(w, name, DATA_INT64, 1, (int64_t[]){count});
    t->n_int64_data = (size_t)count;
    t->int64_data = copy_ints(w, count, values);
    return name;
}

char *cairn_onnx_param(struct cairn_onnx_writer *w, int param)
{
    const struct cairn_param *p = &w->net->params[param];
    char *name = cairn_onnx_text(w, "%s", p->name);
    Cairn__Onnx__Tensor *t = add_tensor(w, name, DATA_FLOAT, p->rank, p->dims);
    t->n_float_data = (size_t)p->count;
    t->float_data = w->flat + p->offset;
    return name;
}
