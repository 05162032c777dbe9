/* ONNX models of images of 1x2x3; one that is accepted is a model with its weights. */
#include "fuzz.h"
#include "onnx/net.h"

#include "base/error.h"
#include <stdlib.h>

static const struct cairn_shape image = {1, 2, 3};

static void make_model(const struct cairn_onnx_net *net)
{
    const struct cairn_init_rules rules = {{CAIRN_INIT_ZERO, 0, 0}, {0}, {0}};
    struct cairn_layer *layers;
    struct cairn_model *model;
    cairn_status st = cairn_onnx_net_layers(net, &layers);
    fuzz_told(st, NULL);
    if (st != CAIRN_OK) return;
    int64_t classes = cairn_shape_count(net->lines[net->count - 1].node.out);
    st = cairn_model_create(layers, net->count, image, classes, &rules, &model);
    fuzz_told(st, NULL);
    free(layers);
    if (st != CAIRN_OK) return;
    float *flat = malloc((size_t)model->total_floats * sizeof *flat);
    FUZZ_ASSERT(flat);
    st = cairn_onnx_net_weights(net, model, flat);
    fuzz_told(st, NULL);
    if (st == CAIRN_OK) {
        fuzz_touch(flat, (size_t)model->total_floats * sizeof *flat);
        fuzz_accept();
    }
    free(flat);
    cairn_model_destroy(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_put("x.onnx", data, size);
    Cairn__Onnx__Model *model;
    struct cairn_onnx_net net;
    cairn_status st = cairn_onnx_read(path, &model);
    fuzz_told(st, path);
    if (st != CAIRN_OK) {
        FUZZ_ASSERT(!model);
        return 0;
    }
    st = cairn_onnx_net_read(model, path, image, &net);
    fuzz_told(st, NULL);
    if (st == CAIRN_OK) make_model(&net);
    cairn_onnx_net_free(&net);
    cairn_onnx_free(model);
    return 0;
}
