/* Weights as pictures. */
#include "base/error.h"
#include "report/inspect.h"
#include "report/raw.h"
#include "report/weights.h"

#include <stdio.h>
#include <string.h>

int cairn_weights_drawn(const struct cairn_model *model, int64_t layer)
{
    int weight = model->nodes[layer].weight;
    return weight >= 0 && model->params[weight].rank > 1;
}

static cairn_status find_layer(const struct cairn_inspect_options *options,
                               const struct cairn_model *model, int64_t *layer)
{
    char which[256] = "";
    cairn_status st = cairn_inspect_check_layer(options, model);
    if (st != CAIRN_OK) return st;
    *layer = options->layer;
    for (int i = 0; i < model->node_count; i++) {
        size_t n = strlen(which);
        if (!cairn_weights_drawn(model, i)) continue;
        if (*layer < 0) *layer = i;
        if (n < sizeof which - 16) snprintf(which + n, sizeof which - n, "%s%d", n ? ", " : "", i);
    }
    if (*layer >= 0 && cairn_weights_drawn(model, *layer)) return CAIRN_OK;
    return cairn_fail(CAIRN_INVALID, "layer %lld, '%s', has no weights to draw; these have: %s",
                      (long long)*layer, *layer < 0 ? "" : model->nodes[*layer].layer.text,
                      *which ? which : "none");
}

/* Whose output a layer reads, behind what only passes it on; CAIRN_NODE_INPUT for the images. */
static int find_source(const struct cairn_model *model, int64_t layer)
{
    int source = model->nodes[layer].input;
    while (source >= 0 && (model->nodes[source].layer.kind == CAIRN_LAYER_FLATTEN ||
                           model->nodes[source].layer.kind == CAIRN_LAYER_NONE ||
                           model->nodes[source].layer.kind == CAIRN_LAYER_DROPOUT))
        source = model->nodes[source].input;
    return source;
}

/* A layer whose weights are to be drawn. */
struct view {
    const struct cairn_recipe *recipe;
    const struct cairn_model *model;
    const struct cairn_node *node;
    struct cairn_shape raw;
    const float *weight;
};

/* The weights of all outputs for an image, `in` channels of which are one picture each, or with
 * color three in one; patched: put together again. */
static cairn_status tile_images(const struct view *v, int64_t outputs, struct cairn_shape in,
                                int color, int patched, struct cairn_tiles *tiles)
{
    int64_t c = color ? 3 : 1, channels = in.c / c, size = cairn_shape_count(in);
    cairn_status st =
        cairn_tiles_create(tiles, outputs * channels, channels > 1 ? channels : 0, c, in.h, in.w);
    if (st != CAIRN_OK) return st;
    float *to = tiles->values;
    for (int64_t o = 0; o < outputs; o++)
        for (int64_t k = 0; k < in.c; k++)
            for (int64_t y = 0; y < in.h; y++)
                for (int64_t x = 0; x < in.w; x++)
                    *to++ =
                        v->weight[o * size + (patched ? cairn_raw_place(v->recipe, v->raw, k, y, x)
                                                      : (k * in.h + y) * in.w + x)];
    return CAIRN_OK;
}

static cairn_status tile_linear(const struct view *v, int source, struct cairn_tiles *tiles)
{
    int images = source == CAIRN_NODE_INPUT;
    int64_t outputs = v->node->out.c;
    struct cairn_shape in = images ? v->model->in : v->model->nodes[source].out;
    int cropped = v->recipe->data.augment.crop_h > 0, cut = v->recipe->data.patch_h > 0;
    int patched = images && cut && !cropped;
    if (patched) in = cairn_raw_padded(v->recipe, v->raw);
    if (in.h * in.w > 1)
        return tile_images(v, outputs, in, images && in.c == 3 && (patched || !cut), patched,
                           tiles);
    return tile_images(v, 1, (struct cairn_shape){1, outputs, in.c}, 0, 0, tiles);
}

static cairn_status tile_conv(const struct view *v, int source, struct cairn_tiles *tiles)
{
    const struct cairn_param *param = &v->model->params[v->node->weight];
    int color = source == CAIRN_NODE_INPUT && param->dims[1] == 3 && v->raw.c == 3 &&
                v->recipe->data.patch_h == 0 && v->node->layer.kind == CAIRN_LAYER_CONV;
    struct cairn_shape in = {param->dims[1], param->dims[2], param->dims[3]};
    return tile_images(v, param->dims[0], in, color, 0, tiles);
}

cairn_status cairn_weights_tiles(const struct cairn_recipe *recipe, const struct cairn_model *model,
                                 struct cairn_shape raw, const float *flat, int64_t layer,
                                 struct cairn_tiles *tiles)
{
    const struct cairn_node *node = &model->nodes[layer];
    const struct view view = {recipe, model, node, raw, flat + model->params[node->weight].offset};
    int source = find_source(model, layer);
    return node->layer.kind == CAIRN_LAYER_LINEAR ? tile_linear(&view, source, tiles)
                                                  : tile_conv(&view, source, tiles);
}

cairn_status cairn_inspect_weights(const struct cairn_inspect_options *options,
                                   struct cairn_inspect_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_trained t = {0};
    struct cairn_tiles tiles = {0};
    struct cairn_compute compute = {.device = "reference", .data_dir = options->compute.data_dir};
    memset(result, 0, sizeof *result);
    TRY(cairn_trained_read(&t, options->run, options->last, &compute, 0));
    const struct cairn_model *model = t.session.model;
    TRY(find_layer(options, model, &result->layer));
    TRY(cairn_inspect_place(options, "weights", result));
    snprintf(result->text, sizeof result->text, "%s", model->nodes[result->layer].layer.text);
    TRY(cairn_weights_tiles(&t.recipe, model, t.raw, t.flat, result->layer, &tiles));
    TRY(cairn_tiles_draw(&tiles, 1, result->file, result));
out:
    cairn_tiles_free(&tiles);
    cairn_trained_close(&t);
    return st;
}
