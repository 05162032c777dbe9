/* The parts of making a model, for model.c: shapes of nodes, then parameters. */
#ifndef CAIRN_NN_INFER_H
#define CAIRN_NN_INFER_H

#include "nn/model.h"

/* CAIRN_INVALID: "model[3] 'conv 16 3x3' on its input 8x2x2: WHY", WHY as in printf. */
cairn_status cairn_node_refuse(const struct cairn_node *node, int number, const char *why, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets node->out from node->in, and pads and windows that the layer left open; other: the second
 * operand's shape where the layer is an addition. */
cairn_status cairn_node_infer(struct cairn_node *node, int number, const struct cairn_shape *other);

/* Lists the parameters of all nodes and sets the model's sizes. */
cairn_status cairn_model_add_params(struct cairn_model *model,
                                    const struct cairn_init_rules *rules);

/* A model has at most so many numbers per image and layer, and so many parameters. */
#define CAIRN_MODEL_FLOATS ((int64_t)1 << 40)

#endif
