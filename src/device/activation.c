#include "device/schema.h"

const char *const cairn_epilogue_names[] = {"none", "relu", "tanh", "sigmoid", NULL};
static const char *const names[CAIRN_ACT_COUNT + 1] = {
    "none",         "relu", "tanh",      "sigmoid", "leaky_relu", "elu", "softplus",
    "hard_sigmoid", "gelu", "gelu_tanh", "silu",    "hard_swish", NULL,
};

static int64_t extent(const struct cairn_problem *problem)
{
    return problem->u.activation.count;
}

static int64_t extent_grad(const struct cairn_problem *problem)
{
    return problem->u.activation_grad.count;
}

/* The gradient takes x or y, never both. */
static int64_t extent_x(const struct cairn_problem *problem)
{
    return problem->u.activation_grad.kind >= CAIRN_ACT_GELU ? extent_grad(problem) : 0;
}

static int64_t extent_y(const struct cairn_problem *problem)
{
    return problem->u.activation_grad.kind < CAIRN_ACT_GELU ? extent_grad(problem) : 0;
}

static const struct cairn_field fields[] = {
    FIELD_ENUM(cairn_activation, kind, names, 1, CAIRN_ACT_COUNT),
    FIELD_INT(cairn_activation, count, 1, 1, CAIRN_MAX_DIM),
    FIELD_FLOAT(cairn_activation, alpha, 1, 0, 1048576.0),
    FIELD_END,
};
static const struct cairn_operand operands[] = {
    OPERAND(cairn_activation, x, CAIRN_F32, CAIRN_IN, extent, 1),
    OPERAND(cairn_activation, y, CAIRN_F32, CAIRN_OUT, extent, 1),
    OPERAND_END,
};

static const struct cairn_field fields_grad[] = {
    FIELD_ENUM(cairn_activation_grad, kind, names, 1, CAIRN_ACT_COUNT),
    FIELD_INT(cairn_activation_grad, count, 1, 1, CAIRN_MAX_DIM),
    FIELD_FLOAT(cairn_activation_grad, alpha, 1, 0, 1048576.0),
    FIELD_END,
};
static const struct cairn_operand operands_grad[] = {
    OPERAND(cairn_activation_grad, x, CAIRN_F32, CAIRN_IN, extent_x, 0),
    OPERAND(cairn_activation_grad, y, CAIRN_F32, CAIRN_IN, extent_y, 0),
    OPERAND(cairn_activation_grad, dy, CAIRN_F32, CAIRN_IN, extent_grad, 1),
    OPERAND(cairn_activation_grad, dx, CAIRN_F32, CAIRN_OUT, extent_grad, 1),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_activation = {
    "activation", CAIRN_OP_ACTIVATION, sizeof(struct cairn_activation), fields, operands, NULL,
    NULL,
};
const struct cairn_schema cairn_schema_activation_grad = {
    "activation_grad",
    CAIRN_OP_ACTIVATION_GRAD,
    sizeof(struct cairn_activation_grad),
    fields_grad,
    operands_grad,
    NULL,
    NULL,
};
