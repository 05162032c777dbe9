#include "device/schema.h"

static const struct cairn_field fields[] = {
    FIELD_INT(cairn_gather, count, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_gather, item, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_gather, total, 1, 1, 2147483647.0),
    FIELD_FLOAT(cairn_gather, shift, 0, 0, 0),
    FIELD_FLOAT(cairn_gather, scale, 1, 0, 0),
    FIELD_END,
};

static int64_t extent_table(const struct cairn_problem *problem)
{
    return PRODUCT(problem->u.gather.total, problem->u.gather.item);
}
static int64_t extent_labels(const struct cairn_problem *problem)
{
    return problem->u.gather.total;
}
static int64_t extent_count(const struct cairn_problem *problem)
{
    return problem->u.gather.count;
}
static int64_t extent_x(const struct cairn_problem *problem)
{
    return PRODUCT(problem->u.gather.count, problem->u.gather.item);
}

static const struct cairn_operand operands[] = {
    OPERAND(cairn_gather, table, CAIRN_U8, CAIRN_IN, extent_table, 0),
    OPERAND(cairn_gather, labels, CAIRN_U8, CAIRN_IN, extent_labels, 0),
    OPERAND(cairn_gather, indices, CAIRN_I32, CAIRN_IN, extent_count, 0),
    OPERAND(cairn_gather, x, CAIRN_F32, CAIRN_OUT, extent_x, 0),
    OPERAND(cairn_gather, y, CAIRN_I32, CAIRN_OUT, extent_count, 0),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_gather = {
    "gather", CAIRN_OP_GATHER, sizeof(struct cairn_gather), fields, operands, NULL, NULL,
};
