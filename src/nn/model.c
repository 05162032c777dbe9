#include "nn/model.h"

#include "base/error.h"
#include "base/random.h"
#include "device/schema.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN_FLOATS 16
#define MAX_FLOATS ((int64_t)1 << 40)

/* "model[3] 'conv 16 3x3' on its input 8x2x2: WHY" */
static cairn_status refuse(const struct cairn_node *node, int number, const char *why)
{
    return cairn_fail(CAIRN_INVALID, "model[%d] '%s' on its input %lldx%lldx%lld: %s", number,
                      node->layer.text, (long long)node->in.c, (long long)node->in.h,
                      (long long)node->in.w, why);
}

/* pad=same: out = ceil(in / stride); what is missing is split, the odd one behind. */
static void resolve_same(int64_t in, int64_t kernel, int64_t stride, int64_t *before,
                         int64_t *after)
{
    int64_t total = ((in + stride - 1) / stride - 1) * stride + kernel - in;
    if (total < 0) total = 0;
    *before = total / 2;
    *after = total - total / 2;
}

static cairn_status infer_window(struct cairn_node *node, int number)
{
    struct cairn_layer *l = &node->layer;
    char why[128];
    if (l->pad_same) {
        resolve_same(node->in.h, l->kh, l->stride_h, &l->pad_t, &l->pad_b);
        resolve_same(node->in.w, l->kw, l->stride_w, &l->pad_l, &l->pad_r);
        l->pad_same = 0;
    }
    int64_t h = node->in.h + l->pad_t + l->pad_b, w = node->in.w + l->pad_l + l->pad_r;
    if (l->kh > h || l->kw > w) {
        snprintf(why, sizeof why, "the kernel %lldx%lld is larger than the %simage %lldx%lld",
                 (long long)l->kh, (long long)l->kw,
                 h + w > node->in.h + node->in.w ? "padded " : "", (long long)h, (long long)w);
        return refuse(node, number, why);
    }
    node->out.c = l->kind == CAIRN_LAYER_CONV ? l->outputs : node->in.c;
    node->out.h = cairn_out_extent(node->in.h, l->kh, l->stride_h, l->pad_t, l->pad_b);
    node->out.w = cairn_out_extent(node->in.w, l->kw, l->stride_w, l->pad_l, l->pad_r);
    return CAIRN_OK;
}

static cairn_status infer(struct cairn_node *node, int number)
{
    cairn_status st = CAIRN_OK;
    node->out = node->in;
    switch (node->layer.kind) {
    case CAIRN_LAYER_CONV:
    case CAIRN_LAYER_MAXPOOL:
        TRY(infer_window(node, number));
        break;
    case CAIRN_LAYER_LINEAR:
        node->out = (struct cairn_shape){node->layer.outputs, 1, 1};
        break;
    case CAIRN_LAYER_FLATTEN:
        node->out = (struct cairn_shape){cairn_shape_count(node->in), 1, 1};
        break;
    case CAIRN_LAYER_RELU:
    case CAIRN_LAYER_TANH:
    case CAIRN_LAYER_SIGMOID:
    case CAIRN_LAYER_LEAKYRELU:
    case CAIRN_LAYER_ELU:
    case CAIRN_LAYER_GELU:
    case CAIRN_LAYER_SILU:
    case CAIRN_LAYER_SOFTPLUS:
    case CAIRN_LAYER_HARDSIGMOID:
    case CAIRN_LAYER_HARDSWISH:
    case CAIRN_LAYER_DROPOUT:
    default:
        break;
    }
    if (PRODUCT(node->out.c, node->out.h, node->out.w) > MAX_FLOATS)
        st = refuse(node, number, "the output would have more than 2^40 numbers");
out:
    return st;
}

static struct cairn_init rule_for(const struct cairn_layer *layer,
                                  const struct cairn_init_rules *rules)
{
    struct cairn_init kind = layer->kind == CAIRN_LAYER_CONV ? rules->conv : rules->linear;
    if (layer->init.kind != CAIRN_INIT_UNSET) return layer->init;
    if (kind.kind != CAIRN_INIT_UNSET) return kind;
    if (rules->fallback.kind != CAIRN_INIT_UNSET) return rules->fallback;
    return (struct cairn_init){CAIRN_INIT_HE, 0, 0};
}

static void add_param(struct cairn_model *model, int number, int is_bias,
                      const struct cairn_init_rules *rules)
{
    struct cairn_node *node = &model->nodes[number];
    const struct cairn_layer *l = &node->layer;
    struct cairn_param *p = &model->params[model->param_count];
    int64_t taps = l->kind == CAIRN_LAYER_CONV ? l->kh * l->kw : 1;
    int64_t inputs = l->kind == CAIRN_LAYER_CONV ? node->in.c : cairn_shape_count(node->in);
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "%d.%s", number, is_bias ? "bias" : "weight");
    p->layer = number;
    p->kind = is_bias ? CAIRN_PARAM_BIAS : CAIRN_PARAM_WEIGHT;
    p->dims[0] = l->outputs;
    p->rank = 1;
    if (!is_bias) {
        p->dims[1] = inputs;
        p->dims[2] = l->kh;
        p->dims[3] = l->kw;
        p->rank = l->kind == CAIRN_LAYER_CONV ? 4 : 2;
    }
    p->count = is_bias ? l->outputs : PRODUCT(l->outputs, inputs, taps);
    p->fan_in = PRODUCT(inputs, taps);
    p->fan_out = PRODUCT(l->outputs, taps);
    p->init = is_bias ? (struct cairn_init){CAIRN_INIT_ZERO, 0, 0} : rule_for(l, rules);
    p->offset = model->flat_floats;
    *(is_bias ? &node->bias : &node->weight) = model->param_count++;
    model->parameters += p->count;
    model->flat_floats += (p->count + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

/* Weights first, then biases. */
static cairn_status add_params(struct cairn_model *model, const struct cairn_init_rules *rules)
{
    for (int is_bias = 0; is_bias < 2; is_bias++) {
        for (int i = 0; i < model->node_count; i++) {
            const struct cairn_layer *l = &model->nodes[i].layer;
            if (l->kind != CAIRN_LAYER_CONV && l->kind != CAIRN_LAYER_LINEAR) continue;
            if (is_bias && !l->bias) continue;
            add_param(model, i, is_bias, rules);
            if (model->flat_floats > MAX_FLOATS)
                return refuse(&model->nodes[i], i, "more than 2^40 parameters");
        }
        if (!is_bias) model->weight_floats = model->flat_floats;
    }
    model->trained_count = model->param_count;
    model->total_floats = model->flat_floats;
    if (model->param_count == 0)
        return cairn_fail(CAIRN_INVALID,
                          "the model has no conv or linear layer: there is nothing to train");
    return CAIRN_OK;
}

cairn_status cairn_model_create(const struct cairn_layer *layers, int count, struct cairn_shape in,
                                int64_t classes, const struct cairn_init_rules *rules,
                                struct cairn_model **model)
{
    cairn_status st = CAIRN_OK;
    struct cairn_model *fresh = calloc(1, sizeof *fresh);
    *model = NULL;
    if (count < 1) {
        st = cairn_fail(CAIRN_INVALID, "the model has no layers");
        goto out;
    }
    if (fresh) fresh->nodes = calloc((size_t)count, sizeof *fresh->nodes);
    if (fresh) fresh->params = calloc((size_t)count * 2, sizeof *fresh->params);
    if (!fresh || !fresh->nodes || !fresh->params) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    fresh->in = in;
    fresh->classes = classes;
    fresh->node_count = count;
    for (int i = 0; i < count; i++) {
        struct cairn_node *node = &fresh->nodes[i];
        *node = (struct cairn_node){.layer = layers[i],
                                    .in = in,
                                    .input = i - 1,
                                    .other = -1,
                                    .weight = -1,
                                    .bias = -1,
                                    .mean = -1,
                                    .var = -1};
        TRY(infer(node, i));
        in = node->out;
    }
    if (cairn_shape_count(in) != classes) {
        st =
            cairn_fail(CAIRN_INVALID,
                       "model[%d] '%s', the last layer, gives %lldx%lldx%lld numbers, but the data "
                       "have %lld classes",
                       count - 1, layers[count - 1].text, (long long)in.c, (long long)in.h,
                       (long long)in.w, (long long)classes);
        goto out;
    }
    TRY(add_params(fresh, rules));
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

void cairn_model_init(const struct cairn_model *model, uint64_t seed, float *flat)
{
    memset(flat, 0, (size_t)model->flat_floats * sizeof *flat);
    for (int i = 0; i < model->param_count; i++) {
        const struct cairn_param *p = &model->params[i];
        float mean = 0.0f, dev = 0.0f;
        if (p->init.kind == CAIRN_INIT_ZERO) continue;
        if (p->init.kind == CAIRN_INIT_NORMAL) {
            mean = p->init.mean;
            dev = p->init.dev;
        } else {
            int64_t fan = p->init.kind == CAIRN_INIT_HE ? p->fan_in : p->fan_in + p->fan_out;
            dev = sqrtf(2.0f / (float)fan);
        }
        for (int64_t e = 0; e < p->count; e++) {
            float step = dev * cairn_random_normal(seed, (uint32_t)(CAIRN_STREAM_INIT + p->layer),
                                                   0, (uint64_t)e);
            flat[p->offset + e] = mean + step;
        }
    }
}
