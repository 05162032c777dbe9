/* What is known of a model's nodes before the first step of a plan is made. */
#include "nn/build.h"

struct trace *cairn_build_cell(const struct builder *b, int node)
{
    return &b->traces[b->traces[node].cell];
}

static int is_identity(const struct builder *b, const struct cairn_layer *layer)
{
    if (layer->kind == CAIRN_LAYER_DROPOUT) return layer->rate == 0 || !cairn_build_trains(b);
    return layer->kind == CAIRN_LAYER_FLATTEN || layer->kind == CAIRN_LAYER_NONE;
}

static int is_softmax(const struct cairn_layer *layer)
{
    return layer->kind == CAIRN_LAYER_SOFTMAX || layer->kind == CAIRN_LAYER_LOGSOFTMAX;
}

/* A softmax at the end is the one inside cross-entropy. */
static int find_source(const struct builder *b)
{
    const struct cairn_node *nodes = b->model->nodes;
    int source = b->traces[b->model->node_count - 1].cell;
    if (b->options->loss == CAIRN_PLAN_CROSS_ENTROPY && source >= 0 &&
        is_softmax(&nodes[source].layer))
        source = b->traces[nodes[source].input].cell;
    return source;
}

static void find_readers(struct builder *b)
{
    cairn_build_cell(b, b->source)->needed = 1;
    cairn_build_cell(b, b->source)->readers = 1;
    for (int i = b->model->node_count - 1; i >= 0; i--) {
        const struct cairn_node *node = &b->model->nodes[i];
        struct trace *x = cairn_build_cell(b, node->input);
        if (b->traces[i].cell != i || !b->traces[i].needed) continue;
        x->needed = 1;
        x->readers++;
        if (node->layer.kind != CAIRN_LAYER_ADD) continue;
        x = cairn_build_cell(b, node->other);
        x->needed = 1;
        x->readers++;
    }
}

/* The values that the backward pass reads: x of products and norms, x or y of activations, y of
 * softmax. */
static void find_kept(struct builder *b, int i)
{
    const struct cairn_node *node = &b->model->nodes[i];
    struct trace *y = &b->traces[i], *x = cairn_build_cell(b, node->input);
    enum cairn_activation_kind kind = cairn_build_activation(&node->layer);
    y->trains = node->weight >= 0 || x->trains ||
                (node->layer.kind == CAIRN_LAYER_ADD && cairn_build_cell(b, node->other)->trains);
    if (node->weight >= 0) x->kept = 1;
    if (kind != CAIRN_ACT_NONE && x->trains) *(kind >= CAIRN_ACT_GELU ? &x->kept : &y->kept) = 1;
    if (is_softmax(&node->layer) && x->trains) y->kept = 1;
}

void cairn_build_traces(struct builder *b)
{
    int count = b->model->node_count;
    for (int i = CAIRN_NODE_INPUT; i < count; i++) {
        struct trace *t = &b->traces[i];
        *t =
            (struct trace){.cell = i, .value = -1, .grad = -1, .index = -1, .mean = -1, .rstd = -1};
        if (i >= 0 && is_identity(b, &b->model->nodes[i].layer))
            t->cell = b->traces[b->model->nodes[i].input].cell;
    }
    b->source = find_source(b);
    find_readers(b);
    for (int i = 0; i < count && cairn_build_trains(b); i++)
        if (b->traces[i].cell == i && b->traces[i].needed) find_kept(b, i);
}
