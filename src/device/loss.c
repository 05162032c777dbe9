#include "device/schema.h"

static const char *const kinds[] = {"mse", "perceptron", NULL};

static const struct cairn_field fields[] = {
    FIELD_ENUM(cairn_loss, kind, kinds, 0, 2),
    FIELD_INT(cairn_loss, rows, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_loss, classes, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_loss, want_grad, 0, 0, 1),
    FIELD_INT(cairn_loss, weighted, 0, 0, 1),
    FIELD_FLOAT(cairn_loss, scale, 1, 0, 0),
    FIELD_END,
};

static int64_t extent_matrix(const struct cairn_problem *problem)
{
    return PRODUCT(problem->u.loss.rows, problem->u.loss.classes);
}
static int64_t extent_rows(const struct cairn_problem *problem)
{
    return problem->u.loss.rows;
}
static int64_t extent_grad(const struct cairn_problem *problem)
{
    return problem->u.loss.want_grad ? extent_matrix(problem) : 0;
}
static int64_t extent_class_weights(const struct cairn_problem *problem)
{
    return problem->u.loss.weighted ? problem->u.loss.classes : 0;
}

static const struct cairn_operand operands[] = {
    OPERAND(cairn_loss, z, CAIRN_F32, CAIRN_IN, extent_matrix, 0),
    OPERAND(cairn_loss, labels, CAIRN_I32, CAIRN_IN, extent_rows, 0),
    OPERAND(cairn_loss, class_weights, CAIRN_F32, CAIRN_IN, extent_class_weights, 0),
    OPERAND(cairn_loss, loss, CAIRN_F32, CAIRN_OUT, extent_rows, 0),
    OPERAND(cairn_loss, correct, CAIRN_I32, CAIRN_OUT, extent_rows, 0),
    OPERAND(cairn_loss, grad, CAIRN_F32, CAIRN_OUT, extent_grad, 0),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_loss = {
    "loss", CAIRN_OP_LOSS, sizeof(struct cairn_loss), fields, operands, NULL, NULL,
};
