#include "base/error.h"
#include "device/schema.h"

static const struct cairn_field fields_sgd[] = {
    FIELD_INT(cairn_sgd, count, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_sgd, decay_count, 0, 0, CAIRN_MAX_DIM),
    FIELD_FLOAT(cairn_sgd, lr, 0, 0, 0),
    FIELD_FLOAT(cairn_sgd, momentum, 0, 0, 0),
    FIELD_FLOAT(cairn_sgd, l2, 0, 0, 0),
    FIELD_END,
};

static int64_t extent_sgd(const struct cairn_problem *problem)
{
    return problem->u.sgd.count;
}

static const struct cairn_operand operands_sgd[] = {
    OPERAND(cairn_sgd, w, CAIRN_F32, CAIRN_INOUT, extent_sgd, 0),
    OPERAND(cairn_sgd, g, CAIRN_F32, CAIRN_IN, extent_sgd, 0),
    OPERAND(cairn_sgd, v, CAIRN_F32, CAIRN_INOUT, extent_sgd, 0),
    OPERAND_END,
};

static cairn_status complete_sgd(struct cairn_problem *problem)
{
    if (problem->u.sgd.decay_count > problem->u.sgd.count)
        return cairn_fail(CAIRN_INVALID, "sgd: decay_count is more than count");
    return CAIRN_OK;
}

static const struct cairn_field fields_adam[] = {
    FIELD_INT(cairn_adam, count, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_adam, decay_count, 0, 0, CAIRN_MAX_DIM),
    FIELD_FLOAT(cairn_adam, lr, 0, 0, 0),
    FIELD_FLOAT(cairn_adam, beta1, 0, 0, 0),
    FIELD_FLOAT(cairn_adam, beta2, 0, 0, 0),
    FIELD_FLOAT(cairn_adam, epsilon, 0, 0, 0),
    FIELD_FLOAT(cairn_adam, l2, 0, 0, 0),
    FIELD_FLOAT(cairn_adam, c1, 1, 0, 0),
    FIELD_FLOAT(cairn_adam, c2, 1, 0, 0),
    FIELD_END,
};

static int64_t extent_adam(const struct cairn_problem *problem)
{
    return problem->u.adam.count;
}

static const struct cairn_operand operands_adam[] = {
    OPERAND(cairn_adam, w, CAIRN_F32, CAIRN_INOUT, extent_adam, 0),
    OPERAND(cairn_adam, g, CAIRN_F32, CAIRN_IN, extent_adam, 0),
    OPERAND(cairn_adam, m, CAIRN_F32, CAIRN_INOUT, extent_adam, 0),
    OPERAND(cairn_adam, v, CAIRN_F32, CAIRN_INOUT, extent_adam, 0),
    OPERAND_END,
};

static cairn_status complete_adam(struct cairn_problem *problem)
{
    if (problem->u.adam.decay_count > problem->u.adam.count)
        return cairn_fail(CAIRN_INVALID, "adam: decay_count is more than count");
    return CAIRN_OK;
}

const struct cairn_schema cairn_schema_sgd = {
    "sgd", CAIRN_OP_SGD, sizeof(struct cairn_sgd), fields_sgd, operands_sgd, complete_sgd, NULL,
};
const struct cairn_schema cairn_schema_adam = {
    "adam",        CAIRN_OP_ADAM, sizeof(struct cairn_adam), fields_adam, operands_adam,
    complete_adam, NULL,
};
