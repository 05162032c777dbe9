/* The model as TensorBoard's graph: a node for the images, for each layer and for the loss. */
#include "events/message.h"
#include "events/summaries.h"

#include "base/error.h"
#include "train/recipe_write.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTRIBUTES 6
#define PRODUCER 22 /* of graphs, TensorFlow 1.x's: edges have shapes */

struct shape {
    Cairn__Events__Shape message, *place;
    Cairn__Events__Dimension dims[4], *places[4];
};

/* A node and all that it points to. */
struct node {
    Cairn__Events__Node message;
    char name[48], op[24];
    char *inputs[2];
    Cairn__Events__Attribute attributes[ATTRIBUTES], *places[ATTRIBUTES];
    Cairn__Events__Content contents[ATTRIBUTES];
    Cairn__Events__List list;
    struct shape shapes[3];
    int shape_count;
};

void cairn_events_layer(const struct cairn_model *model, int layer, char name[48])
{
    const char *text = model->nodes[layer].layer.text;
    snprintf(name, 48, "%d.%.*s", layer, (int)strcspn(text, " "), text);
}

static Cairn__Events__Shape *add_shape(struct node *n, int rank, const int64_t *dims)
{
    struct shape *s = &n->shapes[n->shape_count++];
    cairn__events__shape__init(&s->message);
    for (int i = 0; i < rank; i++) {
        cairn__events__dimension__init(&s->dims[i]);
        s->dims[i].size = dims[i];
        s->places[i] = &s->dims[i];
    }
    s->message.n_dim = (size_t)rank;
    s->message.dim = s->places;
    return &s->message;
}

static Cairn__Events__Content *add_attribute(struct node *n, const char *key)
{
    size_t i = n->message.n_attr++;
    cairn__events__attribute__init(&n->attributes[i]);
    cairn__events__content__init(&n->contents[i]);
    n->attributes[i].key = (char *)key;
    n->attributes[i].value = &n->contents[i];
    n->places[i] = &n->attributes[i];
    return &n->contents[i];
}

static void add_text(struct node *n, const char *key, const char *text)
{
    Cairn__Events__Content *c = add_attribute(n, key);
    c->what_case = CAIRN__EVENTS__CONTENT__WHAT_S;
    c->s = (char *)text;
}

/* Of a batch of any size; a vector where there is no plane. */
static void add_output(struct node *n, struct cairn_shape out)
{
    const int64_t dims[] = {-1, out.c, out.h, out.w};
    Cairn__Events__Content *c = add_attribute(n, "_output_shapes");
    cairn__events__list__init(&n->list);
    struct shape *shape = &n->shapes[n->shape_count];
    shape->place = add_shape(n, out.h * out.w == 1 ? 2 : 4, dims);
    n->list.n_shape = 1;
    n->list.shape = &shape->place;
    c->what_case = CAIRN__EVENTS__CONTENT__WHAT_LIST;
    c->list = &n->list;
}

static void begin(struct node *n, const char *op)
{
    cairn__events__node__init(&n->message);
    snprintf(n->op, sizeof n->op, "%s", op);
    n->message.name = n->name;
    n->message.op = n->op;
    n->message.input = n->inputs;
    n->message.attr = n->places;
}

static void add_input(struct node *n, struct node *from)
{
    n->inputs[n->message.n_input++] = from->name;
}

static void add_parameter(struct node *n, const struct cairn_model *model, const char *key,
                          int number)
{
    if (number < 0) return;
    Cairn__Events__Content *c = add_attribute(n, key);
    c->what_case = CAIRN__EVENTS__CONTENT__WHAT_SHAPE;
    c->shape = add_shape(n, model->params[number].rank, model->params[number].dims);
}

static void add_layer(struct node *nodes, const struct cairn_model *model, int layer)
{
    const struct cairn_node *from = &model->nodes[layer];
    struct node *n = &nodes[layer + 1]; /* behind the images */
    cairn_events_layer(model, layer, n->name);
    begin(n, strchr(n->name, '.') + 1);
    add_input(n, &nodes[from->input + 1]);
    if (from->layer.kind == CAIRN_LAYER_ADD) add_input(n, &nodes[from->other + 1]);
    add_text(n, "layer", from->layer.text);
    add_output(n, from->out);
    add_parameter(n, model, "weight", from->weight);
    add_parameter(n, model, "bias", from->bias);
}

cairn_status cairn_events_graph(struct cairn_records *records, const struct cairn_session *session)
{
    const struct cairn_model *model = session->model;
    size_t count = (size_t)model->node_count + 2;
    Cairn__Events__Event event = CAIRN__EVENTS__EVENT__INIT;
    Cairn__Events__Graph graph = CAIRN__EVENTS__GRAPH__INIT;
    Cairn__Events__Versions versions = CAIRN__EVENTS__VERSIONS__INIT;
    struct node *nodes = calloc(count, sizeof *nodes);
    Cairn__Events__Node **places = calloc(count, sizeof(Cairn__Events__Node *));
    cairn_status st = CAIRN_OK;
    if (!nodes || !places) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    snprintf(nodes[0].name, sizeof nodes[0].name, "images");
    begin(&nodes[0], "Placeholder");
    add_text(&nodes[0], "data", session->recipe->data.name);
    add_output(&nodes[0], model->in);
    for (int i = 0; i < model->node_count; i++) add_layer(nodes, model, i);
    struct node *loss = &nodes[count - 1];
    snprintf(loss->name, sizeof loss->name, "loss");
    begin(loss, cairn_loss_names[session->recipe->train.loss]);
    add_input(loss, &nodes[count - 2]);
    for (size_t i = 0; i < count; i++) places[i] = &nodes[i].message;
    versions.producer = PRODUCER;
    graph.versions = &versions;
    graph.n_node = count;
    graph.node = places;
    event.what_case = CAIRN__EVENTS__EVENT__WHAT_GRAPH_DEF;
    event.graph_def = &graph;
    st = cairn_events_add(records, 0, &event);
out:
    free(nodes);
    free(places);
    return st;
}
