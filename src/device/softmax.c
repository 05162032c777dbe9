#include "device/schema.h"

static const struct cairn_field fields[] = {
    FIELD_INT(cairn_softmax, rows, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_softmax, classes, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_softmax, want_grad, 0, 0, 1),
    FIELD_INT(cairn_softmax, want_prob, 0, 0, 2),
    FIELD_INT(cairn_softmax, weighted, 0, 0, 1),
    FIELD_FLOAT(cairn_softmax, scale, 1, 0, 0),
    FIELD_FLOAT(cairn_softmax, smoothing, 0, 0, 0.99999994),
    FIELD_END,
};

static int64_t extent_matrix(const struct cairn_problem *problem)
{
    return PRODUCT(problem->u.softmax.rows, problem->u.softmax.classes);
}
static int64_t extent_rows(const struct cairn_problem *problem)
{
    return problem->u.softmax.rows;
}
static int64_t extent_grad(const struct cairn_problem *problem)
{
    return problem->u.softmax.want_grad ? extent_matrix(problem) : 0;
}
static int64_t extent_prob(const struct cairn_problem *problem)
{
    return problem->u.softmax.want_prob ? extent_matrix(problem) : 0;
}

static int64_t extent_class_weights(const struct cairn_problem *problem)
{
    return problem->u.softmax.weighted ? problem->u.softmax.classes : 0;
}

static const struct cairn_operand operands[] = {
    OPERAND(cairn_softmax, logits, CAIRN_F32, CAIRN_IN, extent_matrix, 0),
    OPERAND(cairn_softmax, labels, CAIRN_I32, CAIRN_IN, extent_rows, 0),
    OPERAND(cairn_softmax, loss, CAIRN_F32, CAIRN_OUT, extent_rows, 0),
    OPERAND(cairn_softmax, correct, CAIRN_I32, CAIRN_OUT, extent_rows, 0),
    OPERAND(cairn_softmax, grad, CAIRN_F32, CAIRN_OUT, extent_grad, 0),
    OPERAND(cairn_softmax, prob, CAIRN_F32, CAIRN_OUT, extent_prob, 0),
    OPERAND(cairn_softmax, class_weights, CAIRN_F32, CAIRN_IN, extent_class_weights, 0),
    OPERAND_END,
};

static const struct cairn_field fields_grad[] = {
    FIELD_INT(cairn_softmax_grad, rows, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_softmax_grad, classes, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_softmax_grad, log, 0, 0, 1),
    FIELD_END,
};

static int64_t extent_layer(const struct cairn_problem *problem)
{
    return PRODUCT(problem->u.softmax_grad.rows, problem->u.softmax_grad.classes);
}

static const struct cairn_operand operands_grad[] = {
    OPERAND(cairn_softmax_grad, y, CAIRN_F32, CAIRN_IN, extent_layer, 0),
    OPERAND(cairn_softmax_grad, dy, CAIRN_F32, CAIRN_IN, extent_layer, 1),
    OPERAND(cairn_softmax_grad, dx, CAIRN_F32, CAIRN_OUT, extent_layer, 1),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_softmax = {
    "softmax", CAIRN_OP_SOFTMAX, sizeof(struct cairn_softmax), fields, operands, NULL, NULL,
};
const struct cairn_schema cairn_schema_softmax_grad = {
    "softmax_grad", CAIRN_OP_SOFTMAX_GRAD, sizeof(struct cairn_softmax_grad),
    fields_grad,    operands_grad,         NULL,
    NULL,
};
