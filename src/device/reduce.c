#include "device/schema.h"

static const char *const kinds[] = {"sum", "sumsq", "max", NULL};

static const struct cairn_field fields[] = {
    FIELD_ENUM(cairn_reduce, kind, kinds, 0, 3),
    FIELD_INT(cairn_reduce, n1, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_reduce, c, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_reduce, n2, 1, 1, CAIRN_MAX_DIM),
    FIELD_END,
};

static int64_t extent_x(const struct cairn_problem *problem)
{
    return PRODUCT(problem->u.reduce.n1, problem->u.reduce.c, problem->u.reduce.n2);
}
static int64_t extent_y(const struct cairn_problem *problem)
{
    return problem->u.reduce.c;
}

static const struct cairn_operand operands[] = {
    OPERAND(cairn_reduce, x, CAIRN_F32, CAIRN_IN, extent_x, 0),
    OPERAND(cairn_reduce, y, CAIRN_F32, CAIRN_OUT, extent_y, 0),
    OPERAND(cairn_reduce, work, CAIRN_F32, CAIRN_WORK, NULL, 0),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_reduce = {
    "reduce", CAIRN_OP_REDUCE, sizeof(struct cairn_reduce), fields, operands, NULL, NULL,
};
