#include "onnx/convert.h"

#include "base/error.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- values --- */

static size_t hash(const char *text)
{
    size_t h = 2166136261u;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 16777619u;
    return h;
}

struct cairn_onnx_value *cairn_onnx_value_of(struct cairn_onnx_converter *c, const char *name)
{
    if (!*name) return NULL;
    size_t at = hash(name) & (c->table_size - 1);
    for (; c->table[at] >= 0; at = (at + 1) & (c->table_size - 1))
        if (!strcmp(c->values[c->table[at]].name, name)) return &c->values[c->table[at]];
    c->table[at] = (int)c->value_count;
    struct cairn_onnx_value *v = &c->values[c->value_count++];
    *v = (struct cairn_onnx_value){.name = name, .line = CAIRN_NODE_INPUT, .scale = 1};
    return v;
}

/* Room for every name that the graph has. */
static cairn_status make_table(struct cairn_onnx_converter *c, const Cairn__Onnx__Graph *graph)
{
    size_t names = graph->n_initializer + graph->n_input + graph->n_output;
    for (size_t i = 0; i < graph->n_node; i++)
        names += graph->node[i]->n_input + graph->node[i]->n_output;
    for (c->table_size = 16; c->table_size < 2 * names;) c->table_size *= 2;
    c->values = calloc(names + 1, sizeof *c->values);
    c->table = malloc(c->table_size * sizeof *c->table);
    if (!c->values || !c->table) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (size_t i = 0; i < c->table_size; i++) c->table[i] = -1;
    return CAIRN_OK;
}

/* --- lines --- */

cairn_status cairn_onnx_refuse(const struct cairn_onnx_converter *c, const char *why, ...)
{
    char text[256];
    va_list list;
    va_start(list, why);
    vsnprintf(text, sizeof text, why, list);
    va_end(list);
    return cairn_fail(CAIRN_UNSUPPORTED, "node %zu '%.80s' (%.40s): %s", c->number,
                      cairn_onnx_or_empty(c->node->name), cairn_onnx_or_empty(c->node->op_type),
                      text);
}

struct cairn_shape cairn_onnx_shape_of(const struct cairn_onnx_converter *c,
                                       const struct cairn_onnx_value *value)
{
    return value->line == CAIRN_NODE_INPUT ? c->in : c->net->lines[value->line].node.out;
}

cairn_status cairn_onnx_alias(struct cairn_onnx_converter *c, const struct cairn_onnx_value *value,
                              int is_flat)
{
    struct cairn_onnx_value *out = NULL;
    if (c->node->n_output > 0) out = cairn_onnx_value_of(c, c->node->output[0]);
    if (!out) return cairn_onnx_refuse(c, "it has no output");
    if (out->known) return cairn_onnx_refuse(c, "its output '%.80s' is there already", out->name);
    struct cairn_onnx_value before = *out;
    *out = *value;
    out->name = before.name;
    out->readers = before.readers;
    out->reader = before.reader;
    out->is_flat = is_flat;
    out->known = 1;
    return CAIRN_OK;
}

/* A value that is read by a line: all lines see the images with one normalisation. */
static cairn_status count_reader(struct cairn_onnx_converter *c, const struct cairn_onnx_value *v)
{
    if (v->line != CAIRN_NODE_INPUT) {
        c->net->lines[v->line].readers++;
        return CAIRN_OK;
    }
    if (c->scaled && (v->shift != c->net->shift || v->scale != c->net->scale))
        return cairn_onnx_refuse(c,
                                 "it takes the images normalised otherwise than another node does");
    c->scaled = 1;
    c->net->shift = v->shift;
    c->net->scale = v->scale;
    c->net->normalizes = v->shift != 0 || v->scale != 1;
    return CAIRN_OK;
}

/* Appends a line; the caller gives it its value. */
static cairn_status append(struct cairn_onnx_converter *c, const struct cairn_onnx_value *input,
                           const struct cairn_onnx_value *other, const char *text)
{
    cairn_status st = CAIRN_OK;
    struct cairn_onnx_net *net = c->net;
    struct cairn_onnx_line *line = &net->lines[net->count];
    struct cairn_shape second = other ? cairn_onnx_shape_of(c, other) : c->in;
    memset(line, 0, sizeof *line);
    snprintf(line->base, sizeof line->base, "%s", text);
    line->input = input->line;
    line->other = other ? other->line : CAIRN_NODE_INPUT;
    line->has_bias = -1;
    line->weight_times = line->bias_times = 1;
    line->node.in = cairn_onnx_shape_of(c, input);
    st = cairn_layer_parse(line->base, &line->node.layer, NULL);
    if (st == CAIRN_OK) st = cairn_node_infer(&line->node, net->count, &second);
    if (st != CAIRN_OK) return cairn_onnx_refuse(c, "%s", cairn_error());
    TRY(count_reader(c, input));
    if (other) TRY(count_reader(c, other));
    net->count++;
out:
    return st;
}

cairn_status cairn_onnx_emit_value(struct cairn_onnx_converter *c,
                                   const struct cairn_onnx_value *input,
                                   const struct cairn_onnx_value *other,
                                   struct cairn_onnx_value *out, const char *text)
{
    cairn_status st = append(c, input, other, text);
    if (st == CAIRN_OK) out->line = c->net->count - 1;
    return st;
}

cairn_status cairn_onnx_emit(struct cairn_onnx_converter *c, const struct cairn_onnx_value *input,
                             const struct cairn_onnx_value *other, int is_flat, const char *format,
                             ...)
{
    char text[CAIRN_ONNX_LINE];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (length >= (int)sizeof text) return cairn_onnx_refuse(c, "its layer's line is too long");
    struct cairn_onnx_value value = {.line = c->net->count, .scale = 1};
    cairn_status st = append(c, input, other, text);
    return st == CAIRN_OK ? cairn_onnx_alias(c, &value, is_flat) : st;
}

/* --- the graph --- */

static cairn_status read_initializers(struct cairn_onnx_converter *c,
                                      const Cairn__Onnx__Graph *graph)
{
    cairn_status st = CAIRN_OK;
    for (size_t i = 0; i < graph->n_initializer; i++) {
        struct cairn_onnx_value *v =
            cairn_onnx_value_of(c, cairn_onnx_or_empty(graph->initializer[i]->name));
        struct cairn_onnx_tensor *t = &c->net->tensors[c->net->tensor_count];
        if (!v || v->known)
            return cairn_fail(CAIRN_FORMAT, "initializer %zu has no name of its own", i);
        TRY(cairn_onnx_tensor(graph->initializer[i], c->path, t));
        c->net->tensor_count++;
        v->constant = t;
        v->known = 1;
    }
out:
    return st;
}

/* Dimension i of a declared shape; -1: open. */
static int64_t dim_of(const Cairn__Onnx__Shape *shape, size_t i)
{
    return shape->dim[i]->has_dim_value ? shape->dim[i]->dim_value : -1;
}

/* One input besides the initializers: N x C x H x W, or N x (C H W). */
static cairn_status read_input(struct cairn_onnx_converter *c, const Cairn__Onnx__Graph *graph)
{
    const Cairn__Onnx__Value *input = NULL;
    for (size_t i = 0; i < graph->n_input; i++) {
        struct cairn_onnx_value *v =
            cairn_onnx_value_of(c, cairn_onnx_or_empty(graph->input[i]->name));
        if (v && v->known) continue;
        if (input || !v)
            return cairn_fail(CAIRN_UNSUPPORTED,
                              "the graph has more than one input; a net takes images alone");
        input = graph->input[i];
        v->known = 1;
    }
    if (!input) return cairn_fail(CAIRN_UNSUPPORTED, "the graph has no input; a net takes images");
    const Cairn__Onnx__TensorType *type = input->type ? input->type->tensor_type : NULL;
    const Cairn__Onnx__Shape *shape = type ? type->shape : NULL;
    if (!type || type->elem_type != CAIRN_ONNX_F32 || !shape ||
        (shape->n_dim != 4 && shape->n_dim != 2))
        return cairn_fail(CAIRN_UNSUPPORTED,
                          "the input '%.80s' is not float32 of N x C x H x W, nor N x C",
                          input->name);
    int64_t wanted[4] = {-1, c->in.c, c->in.h, c->in.w};
    if (shape->n_dim == 2) wanted[1] = cairn_shape_count(c->in);
    for (size_t i = 1; i < shape->n_dim; i++)
        if (dim_of(shape, i) >= 0 && dim_of(shape, i) != wanted[i])
            return cairn_fail(
                CAIRN_INVALID,
                "the input '%.80s' has %lld as dimension %zu; of the recipe's images, "
                "%lldx%lldx%lld, that is %lld",
                input->name, (long long)dim_of(shape, i), i, (long long)c->in.c, (long long)c->in.h,
                (long long)c->in.w, (long long)wanted[i]);
    cairn_onnx_value_of(c, input->name)->is_flat = shape->n_dim == 2;
    return CAIRN_OK;
}

/* Nodes that lead to the output; the others are passed over. Nodes come after what they read. */
static cairn_status find_needed(struct cairn_onnx_converter *c, const Cairn__Onnx__Graph *graph,
                                char *needed)
{
    if (graph->n_output != 1)
        return cairn_fail(CAIRN_UNSUPPORTED, "the graph has %zu outputs; a net has one",
                          graph->n_output);
    struct cairn_onnx_value *v =
        cairn_onnx_value_of(c, cairn_onnx_or_empty(graph->output[0]->name));
    if (!v) return cairn_fail(CAIRN_FORMAT, "the graph's output has no name");
    v->readers++;
    for (size_t i = graph->n_node; i-- > 0;) {
        const Cairn__Onnx__Node *node = graph->node[i];
        for (size_t k = 0; k < node->n_output; k++) {
            v = cairn_onnx_value_of(c, node->output[k]);
            needed[i] |= v && v->readers > 0;
        }
        for (size_t k = 0; needed[i] && k < node->n_input; k++)
            if ((v = cairn_onnx_value_of(c, node->input[k]))) {
                v->readers++;
                v->reader = node;
            }
    }
    return CAIRN_OK;
}

/* The output is the last line's, and every line leads to it. */
static cairn_status check_end(struct cairn_onnx_converter *c, const Cairn__Onnx__Graph *graph)
{
    struct cairn_onnx_value *v = cairn_onnx_value_of(c, graph->output[0]->name);
    cairn_status st = cairn_onnx_settle(c, v);
    if (st != CAIRN_OK) return st;
    if (!v->known || v->constant || v->line != c->net->count - 1)
        return cairn_fail(CAIRN_UNSUPPORTED,
                          "the graph's output '%.80s' is not what its last layer gives", v->name);
    return CAIRN_OK;
}

static cairn_status convert(struct cairn_onnx_converter *c, const Cairn__Onnx__Model *model)
{
    cairn_status st = CAIRN_OK;
    const Cairn__Onnx__Graph *graph = model->graph;
    char *needed = calloc(graph->n_node, 1);
    c->net->lines = calloc(graph->n_node, sizeof *c->net->lines);
    c->net->tensors = calloc(graph->n_initializer + graph->n_node, sizeof *c->net->tensors);
    c->trees = calloc(3 * graph->n_node + 1, sizeof *c->trees);
    if (!needed || !c->net->lines || !c->net->tensors || !c->trees) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    TRY(cairn_onnx_opset(model, &c->opset));
    TRY(make_table(c, graph));
    TRY(read_initializers(c, graph));
    TRY(read_input(c, graph));
    TRY(find_needed(c, graph, needed));
    for (size_t i = 0; i < graph->n_node; i++) {
        c->node = graph->node[i];
        c->number = i;
        if (needed[i]) TRY(cairn_onnx_convert(c));
    }
    TRY(check_end(c, graph));
out:
    free(needed);
    return st;
}

cairn_status cairn_onnx_net_read(const Cairn__Onnx__Model *model, const char *path,
                                 struct cairn_shape in, struct cairn_onnx_net *net)
{
    struct cairn_onnx_converter c = {.net = net, .in = in, .path = path};
    memset(net, 0, sizeof *net);
    net->scale = 1;
    c.is_own = !strcmp(cairn_onnx_or_empty(model->producer_name), "cairn");
    cairn_status st = convert(&c, model);
    free(c.values);
    free(c.table);
    free(c.trees);
    if (st != CAIRN_OK) cairn_onnx_net_free(net);
    return st;
}

void cairn_onnx_net_free(struct cairn_onnx_net *net)
{
    for (int i = 0; i < net->tensor_count; i++) cairn_onnx_tensor_free(&net->tensors[i]);
    free(net->tensors);
    free(net->lines);
    memset(net, 0, sizeof *net);
}

/* --- what becomes of it --- */

cairn_status cairn_onnx_net_layers(const struct cairn_onnx_net *net, struct cairn_layer **layers)
{
    char *named = calloc((size_t)net->count, 1);
    struct cairn_layer *list = calloc((size_t)net->count, sizeof *list);
    cairn_status st = CAIRN_OK;
    *layers = NULL;
    if (!named || !list) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    for (int i = 0; i < net->count; i++) {
        const struct cairn_onnx_line *l = &net->lines[i];
        if (l->input >= 0 && l->input != i - 1) named[l->input] = 1;
        if (l->node.layer.kind == CAIRN_LAYER_ADD && l->other >= 0) named[l->other] = 1;
    }
    for (int i = 0; i < net->count; i++) {
        const struct cairn_onnx_line *l = &net->lines[i];
        char text[256], from[32] = "", as[32] = "", other[32] = "";
        if (named[i]) snprintf(as, sizeof as, " as=n%d", i);
        if (l->input != i - 1 && l->input >= 0) snprintf(from, sizeof from, " from=n%d", l->input);
        if (l->input != i - 1 && l->input < 0) snprintf(from, sizeof from, " from=input");
        if (l->node.layer.kind == CAIRN_LAYER_ADD && l->other >= 0)
            snprintf(other, sizeof other, "add n%d", l->other);
        snprintf(text, sizeof text, "%s%s%s%s", *other ? other : l->base,
                 l->has_bias == 0 ? " bias=no" : "", as, from);
        TRY(cairn_layer_parse(text, &list[i], NULL));
    }
    *layers = list;
    list = NULL;
out:
    free(named);
    free(list);
    return st;
}

static cairn_status put(const struct cairn_model *model, int param,
                        const struct cairn_onnx_tensor *t, int transposed, float times, float *flat)
{
    const struct cairn_param *p = &model->params[param];
    if (!t || !t->floats || t->count != p->count)
        return cairn_fail(CAIRN_FORMAT, "the weights for %s are %lld numbers; they should be %lld",
                          p->name, t ? (long long)t->count : 0, (long long)p->count);
    float *to = flat + p->offset;
    for (int64_t i = 0; i < p->count; i++)
        to[i] = times * (transposed ? t->floats[i % p->dims[1] * p->dims[0] + i / p->dims[1]]
                                    : t->floats[i]);
    return CAIRN_OK;
}

cairn_status cairn_onnx_net_weights(const struct cairn_onnx_net *net,
                                    const struct cairn_model *model, float *flat)
{
    cairn_status st = CAIRN_OK;
    memset(flat, 0, (size_t)model->total_floats * sizeof *flat);
    for (int i = 0; i < net->count; i++) {
        const struct cairn_onnx_line *l = &net->lines[i];
        const struct cairn_node *node = &model->nodes[i];
        if (node->weight >= 0)
            TRY(put(model, node->weight, l->weight, l->transposed, l->weight_times, flat));
        if (node->bias >= 0) TRY(put(model, node->bias, l->bias, 0, l->bias_times, flat));
        if (node->mean >= 0) TRY(put(model, node->mean, l->mean, 0, 1, flat));
        if (node->var >= 0) TRY(put(model, node->var, l->var, 0, 1, flat));
    }
out:
    return st;
}
