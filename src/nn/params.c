/* Parameters: their list, places and initial values. */
#include "nn/infer.h"

#include "base/error.h"
#include "base/random.h"
#include "device/schema.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ALIGN_FLOATS 16

/* The three stretches of the flat buffer, in their order. */
enum stretch { WEIGHTS, SHIFTS, STATISTICS, STRETCHES };

static struct cairn_init rule_for(const struct cairn_layer *layer,
                                  const struct cairn_init_rules *rules)
{
    struct cairn_init kind = layer->kind == CAIRN_LAYER_LINEAR ? rules->linear : rules->conv;
    if (layer->init.kind != CAIRN_INIT_UNSET) return layer->init;
    if (kind.kind != CAIRN_INIT_UNSET) return kind;
    if (rules->fallback.kind != CAIRN_INIT_UNSET) return rules->fallback;
    return (struct cairn_init){CAIRN_INIT_HE, 0, 0};
}

/* Appends a tensor with p's kind, rank, dims and rule; returns its number. */
static int add_param(struct cairn_model *model, int number, const char *what,
                     const struct cairn_param *like)
{
    struct cairn_param *p = &model->params[model->param_count];
    *p = *like;
    snprintf(p->name, sizeof p->name, "%d.%s", number, what);
    p->layer = number;
    p->count = PRODUCT(p->dims[0], p->rank > 1 ? p->dims[1] : 1, p->rank > 2 ? p->dims[2] : 1,
                       p->rank > 3 ? p->dims[3] : 1);
    p->offset = model->total_floats;
    if (p->kind != CAIRN_PARAM_STATISTIC) model->parameters += p->count;
    model->total_floats += (p->count + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
    return model->param_count++;
}

static void add_weight(struct cairn_model *model, int number, struct cairn_param *p)
{
    struct cairn_node *node = &model->nodes[number];
    const struct cairn_layer *l = &node->layer;
    p->kind = CAIRN_PARAM_WEIGHT;
    p->rank = l->kind == CAIRN_LAYER_LINEAR ? 2 : 4;
    p->dims[0] = l->outputs;
    p->dims[1] =
        l->kind == CAIRN_LAYER_LINEAR ? cairn_shape_count(node->in) : node->in.c / l->groups;
    p->dims[2] = l->kh;
    p->dims[3] = l->kw;
    if (l->kind == CAIRN_LAYER_CONV_TRANSPOSE) {
        p->dims[0] = node->in.c;
        p->dims[1] = l->outputs;
    }
    node->weight = add_param(model, number, "weight", p);
}

/* conv, convtranspose and linear. A transposed convolution's fan_in, too, is what reaches one of
 * its outputs: c kh kw at most, not the o kh kw that the weight's second dimension would suggest.
 */
static void add_product(struct cairn_model *model, int number, enum stretch stretch,
                        const struct cairn_init_rules *rules)
{
    struct cairn_node *node = &model->nodes[number];
    const struct cairn_layer *l = &node->layer;
    int is_linear = l->kind == CAIRN_LAYER_LINEAR;
    int64_t taps = is_linear ? 1 : l->kh * l->kw;
    struct cairn_param p = {
        .fan_in = is_linear ? cairn_shape_count(node->in) : PRODUCT(node->in.c / l->groups, taps),
        .fan_out = PRODUCT(l->outputs / l->groups, taps),
        .init = rule_for(l, rules),
    };
    if (stretch == WEIGHTS) add_weight(model, number, &p);
    if (stretch != SHIFTS || !l->bias) return;
    p.kind = CAIRN_PARAM_BIAS;
    p.rank = 1;
    p.dims[0] = l->outputs;
    p.init = (struct cairn_init){CAIRN_INIT_ZERO, 0, 0};
    node->bias = add_param(model, number, "bias", &p);
}

static void add_norm(struct cairn_model *model, int number, enum stretch stretch)
{
    struct cairn_node *node = &model->nodes[number];
    struct cairn_param p = {.kind = stretch == SHIFTS ? CAIRN_PARAM_NORM : CAIRN_PARAM_STATISTIC,
                            .rank = 1,
                            .dims = {node->in.c}};
    if (stretch == WEIGHTS) return;
    p.init.kind = stretch == SHIFTS ? CAIRN_INIT_ONE : CAIRN_INIT_ZERO;
    int first = add_param(model, number, stretch == SHIFTS ? "weight" : "running_mean", &p);
    p.init.kind = stretch == SHIFTS ? CAIRN_INIT_ZERO : CAIRN_INIT_ONE;
    int second = add_param(model, number, stretch == SHIFTS ? "bias" : "running_var", &p);
    *(stretch == SHIFTS ? &node->weight : &node->mean) = first;
    *(stretch == SHIFTS ? &node->bias : &node->var) = second;
}

cairn_status cairn_model_add_params(struct cairn_model *model, const struct cairn_init_rules *rules)
{
    for (enum stretch stretch = WEIGHTS; stretch < STRETCHES; stretch++) {
        for (int i = 0; i < model->node_count; i++) {
            enum cairn_layer_kind kind = model->nodes[i].layer.kind;
            if (kind == CAIRN_LAYER_CONV || kind == CAIRN_LAYER_CONV_TRANSPOSE ||
                kind == CAIRN_LAYER_LINEAR)
                add_product(model, i, stretch, rules);
            if (kind == CAIRN_LAYER_BATCHNORM) add_norm(model, i, stretch);
            if (model->total_floats > CAIRN_MODEL_FLOATS)
                return cairn_node_refuse(&model->nodes[i], i, "more than 2^40 parameters");
        }
        if (stretch == WEIGHTS) model->weight_floats = model->total_floats;
        if (stretch != SHIFTS) continue;
        model->flat_floats = model->total_floats;
        model->trained_count = model->param_count;
    }
    if (model->trained_count == 0)
        return cairn_fail(CAIRN_INVALID,
                          "the model has no conv, convtranspose, linear or batchnorm "
                          "layer: there is nothing to train");
    return CAIRN_OK;
}

/* Element e = base + factor * draw(e). */
struct draw {
    float base, factor;
    int uniform;
};

static struct draw draw_for(const struct cairn_param *p)
{
    struct draw d = {0};
    float fan_in = (float)p->fan_in, fan_both = (float)(p->fan_in + p->fan_out);
    switch (p->init.kind) {
    case CAIRN_INIT_NORMAL:
        d = (struct draw){p->init.mean, p->init.dev, 0};
        break;
    case CAIRN_INIT_HE:
        d.factor = sqrtf(2.0f / fan_in);
        break;
    case CAIRN_INIT_XAVIER:
        d.factor = sqrtf(2.0f / fan_both);
        break;
    case CAIRN_INIT_UNIFORM:
        d = (struct draw){p->init.mean, p->init.dev - p->init.mean, 1};
        break;
    default:
        assert(p->init.kind == CAIRN_INIT_HE_UNIFORM || p->init.kind == CAIRN_INIT_XAVIER_UNIFORM);
        d.base = -sqrtf(6.0f / (p->init.kind == CAIRN_INIT_HE_UNIFORM ? fan_in : fan_both));
        d.factor = -d.base - d.base;
        d.uniform = 1;
        break;
    }
    return d;
}

void cairn_model_init(const struct cairn_model *model, uint64_t seed, float *flat)
{
    memset(flat, 0, (size_t)model->total_floats * sizeof *flat);
    for (int i = 0; i < model->param_count; i++) {
        const struct cairn_param *p = &model->params[i];
        float *to = flat + p->offset;
        uint32_t stream = (uint32_t)(CAIRN_STREAM_INIT + p->layer);
        if (p->init.kind == CAIRN_INIT_ONE)
            for (int64_t e = 0; e < p->count; e++) to[e] = 1.0f;
        if (p->init.kind == CAIRN_INIT_ONE || p->init.kind == CAIRN_INIT_ZERO) continue;
        struct draw d = draw_for(p);
        for (int64_t e = 0; e < p->count; e++) {
            float drawn = d.uniform ? cairn_random_uniform(seed, stream, 0, (uint64_t)e)
                                    : cairn_random_normal(seed, stream, 0, (uint64_t)e);
            float step = d.factor * drawn;
            to[e] = d.base + step;
        }
    }
}
