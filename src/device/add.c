#include "device/schema.h"

static const struct cairn_field fields[] = {
    FIELD_INT(cairn_add, n1, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_add, c, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_add, n2, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_add, channel, 0, 0, 1),
    FIELD_END,
};

static int64_t extent(const struct cairn_problem *problem)
{
    const struct cairn_add *p = &problem->u.add;
    return PRODUCT(p->n1, p->c, p->n2);
}
static int64_t extent_b(const struct cairn_problem *problem)
{
    return problem->u.add.channel ? problem->u.add.c : extent(problem);
}

static const struct cairn_operand operands[] = {
    OPERAND(cairn_add, x, CAIRN_F32, CAIRN_IN, extent, 1),
    OPERAND(cairn_add, b, CAIRN_F32, CAIRN_IN, extent_b, 1),
    OPERAND(cairn_add, y, CAIRN_F32, CAIRN_OUT, extent, 1),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_add = {
    "add", CAIRN_OP_ADD, sizeof(struct cairn_add), fields, operands, NULL, NULL,
};
