#include "nn/model.h"

#include "base/error.h"
#include "nn/infer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LAYERS 16384 /* far fewer than a purpose has random streams (base/random.h) */

/* --- which node reads which --- */

/* The first of the layers from .. count - 1 that names its output so; -1: none. */
static int find_id(const struct cairn_layer *layers, int from, int count, const char *id)
{
    for (int i = from; i < count; i++)
        if (!strcmp(layers[i].as, id)) return i;
    return -1;
}

/* The node that id names for the layer `number`: an earlier one, or the images. */
static cairn_status resolve_id(const struct cairn_layer *layers, int count, int number,
                               const char *id, int *node)
{
    const char *text = layers[number].text;
    char known[160] = "input";
    *node = CAIRN_NODE_INPUT;
    if (!strcmp(id, "input")) return CAIRN_OK;
    *node = find_id(layers, 0, number, id);
    if (*node >= 0) return CAIRN_OK;
    int later = find_id(layers, number, count, id);
    if (later == number)
        return cairn_fail(CAIRN_INVALID, "model[%d] '%s': '%s' is its own output", number, text,
                          id);
    if (later >= 0)
        return cairn_fail(CAIRN_INVALID,
                          "model[%d] '%s': '%s' is the output of model[%d] '%s', which comes later",
                          number, text, id, later, layers[later].text);
    for (int i = 0; i < number; i++)
        if (*layers[i].as) {
            size_t n = strlen(known);
            snprintf(known + n, sizeof known - n, ", %s", layers[i].as);
        }
    return cairn_fail(CAIRN_INVALID,
                      "model[%d] '%s': no output before it is named '%s' with as=; there are: %s",
                      number, text, id, known);
}

static cairn_status link_node(const struct cairn_layer *layers, int count, int number,
                              struct cairn_node *node)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_layer *l = &layers[number];
    int twice = *l->as ? find_id(layers, 0, number, l->as) : -1;
    *node = (struct cairn_node){.layer = *l,
                                .input = number - 1,
                                .other = CAIRN_NODE_INPUT,
                                .weight = -1,
                                .bias = -1,
                                .mean = -1,
                                .var = -1};
    if (twice >= 0)
        return cairn_fail(CAIRN_INVALID, "model[%d] '%s': model[%d] '%s' has the name '%s' already",
                          number, l->text, twice, layers[twice].text, l->as);
    if (*l->from) TRY(resolve_id(layers, count, number, l->from, &node->input));
    if (l->kind == CAIRN_LAYER_ADD) TRY(resolve_id(layers, count, number, l->other, &node->other));
out:
    return st;
}

static const struct cairn_shape *shape_of(const struct cairn_model *model, int number)
{
    return number == CAIRN_NODE_INPUT ? &model->in : &model->nodes[number].out;
}

/* A node that nobody reads would be computed for nothing: a mistake in from= or add. */
static cairn_status refuse_dead(const struct cairn_model *model)
{
    for (int i = 0; i < model->node_count - 1; i++) {
        int used = 0;
        for (int j = i + 1; j < model->node_count; j++) {
            const struct cairn_node *node = &model->nodes[j];
            used |= node->input == i || (node->layer.kind == CAIRN_LAYER_ADD && node->other == i);
        }
        if (!used)
            return cairn_fail(
                CAIRN_INVALID,
                "model[%d] '%s': nothing takes its output, since model[%d] '%s' takes "
                "another; name it with as= and take it with from= or add, or leave "
                "it out",
                i, model->nodes[i].layer.text, i + 1, model->nodes[i + 1].layer.text);
    }
    return CAIRN_OK;
}

static cairn_status check_classes(const struct cairn_model *model)
{
    const struct cairn_node *last = &model->nodes[model->node_count - 1];
    if (cairn_shape_count(last->out) == model->classes) return CAIRN_OK;
    return cairn_fail(CAIRN_INVALID,
                      "model[%d] '%s', the last layer, gives %lldx%lldx%lld numbers, but the data "
                      "have %lld classes",
                      model->node_count - 1, last->layer.text, (long long)last->out.c,
                      (long long)last->out.h, (long long)last->out.w, (long long)model->classes);
}

cairn_status cairn_model_create(const struct cairn_layer *layers, int count, struct cairn_shape in,
                                int64_t classes, const struct cairn_init_rules *rules,
                                struct cairn_model **model)
{
    cairn_status st = CAIRN_OK;
    struct cairn_model *fresh = calloc(1, sizeof *fresh);
    *model = NULL;
    if (count < 1 || count > MAX_LAYERS) {
        st = count < 1
                 ? cairn_fail(CAIRN_INVALID, "the model has no layers")
                 : cairn_fail(CAIRN_INVALID, "the model has %d layers; at most %d are possible",
                              count, MAX_LAYERS);
        goto out;
    }
    if (fresh) fresh->nodes = calloc((size_t)count, sizeof *fresh->nodes);
    if (fresh) fresh->params = calloc((size_t)count * 4, sizeof *fresh->params);
    if (!fresh || !fresh->nodes || !fresh->params) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    fresh->in = in;
    fresh->classes = classes;
    fresh->node_count = count;
    for (int i = 0; i < count; i++) {
        struct cairn_node *node = &fresh->nodes[i];
        TRY(link_node(layers, count, i, node));
        node->in = *shape_of(fresh, node->input);
        TRY(cairn_node_infer(node, i, shape_of(fresh, node->other)));
    }
    TRY(check_classes(fresh));
    TRY(refuse_dead(fresh));
    TRY(cairn_model_add_params(fresh, rules));
    *model = fresh;
    fresh = NULL;
out:
    cairn_model_destroy(fresh);
    return st;
}

void cairn_model_destroy(struct cairn_model *model)
{
    if (!model) return;
    free(model->nodes);
    free(model->params);
    free(model);
}
