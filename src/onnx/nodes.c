/* The operators of ONNX that are layers, each read as its line. */
#include "onnx/convert.h"

#include <string.h>

cairn_status cairn_onnx_convert(struct cairn_onnx_converter *c)
{
    static const struct {
        const char *op;
        cairn_status (*read)(struct cairn_onnx_converter *c);
    } rows[] = {
        {"Add", cairn_onnx_read_add},
        {"AveragePool", cairn_onnx_read_pool},
        {"BatchNormalization", cairn_onnx_read_norm},
        {"Cast", cairn_onnx_read_cast},
        {"Clip", cairn_onnx_read_clip},
        {"Constant", cairn_onnx_read_constant},
        {"Conv", cairn_onnx_read_conv},
        {"ConvTranspose", cairn_onnx_read_transposed},
        {"Div", cairn_onnx_read_scaling},
        {"Dropout", cairn_onnx_read_dropout},
        {"Elu", cairn_onnx_read_activation},
        {"Erf", cairn_onnx_read_erf},
        {"Flatten", cairn_onnx_read_flatten},
        {"Gelu", cairn_onnx_read_gelu},
        {"Gemm", cairn_onnx_read_gemm},
        {"GlobalAveragePool", cairn_onnx_read_global},
        {"GlobalMaxPool", cairn_onnx_read_global},
        {"HardSigmoid", cairn_onnx_read_hard_sigmoid},
        {"HardSwish", cairn_onnx_read_activation},
        {"Identity", cairn_onnx_read_identity},
        {"LeakyRelu", cairn_onnx_read_activation},
        {"LogSoftmax", cairn_onnx_read_softmax},
        {"MatMul", cairn_onnx_read_matmul},
        {"MaxPool", cairn_onnx_read_pool},
        {"Mul", cairn_onnx_read_scaling},
        {"Pow", cairn_onnx_read_function},
        {"ReduceMean", cairn_onnx_read_mean},
        {"Relu", cairn_onnx_read_activation},
        {"Reshape", cairn_onnx_read_reshape},
        {"Sigmoid", cairn_onnx_read_sigmoid},
        {"Softmax", cairn_onnx_read_softmax},
        {"Softplus", cairn_onnx_read_activation},
        {"Squeeze", cairn_onnx_read_squeeze},
        {"Sub", cairn_onnx_read_scaling},
        {"Tanh", cairn_onnx_read_tanh},
    };
    const char *op = cairn_onnx_or_empty(c->node->op_type),
               *domain = cairn_onnx_or_empty(c->node->domain);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(op, rows[i].op) && (!*domain || !strcmp(domain, "ai.onnx")))
            return rows[i].read(c);
    return cairn_onnx_refuse(c, "this operator is not supported");
}
