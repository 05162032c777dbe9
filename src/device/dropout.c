#include "device/schema.h"

static const struct cairn_field fields[] = {
    FIELD_INT(cairn_dropout, count, 1, 1, CAIRN_MAX_DIM),
    FIELD_FLOAT(cairn_dropout, rate, 0, 0, 0.99999994),
    FIELD_U64(cairn_dropout, seed),
    FIELD_INT(cairn_dropout, stream, 0, 0, 4294967295.0),
    FIELD_INT(cairn_dropout, step, 0, 0, 4294967295.0),
    FIELD_INT(cairn_dropout, first, 0, 0, CAIRN_MAX_DIM),
    FIELD_END,
};

static int64_t extent(const struct cairn_problem *problem)
{
    return problem->u.dropout.count;
}

static const struct cairn_operand operands[] = {
    OPERAND(cairn_dropout, x, CAIRN_F32, CAIRN_IN, extent, 1),
    OPERAND(cairn_dropout, y, CAIRN_F32, CAIRN_OUT, extent, 1),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_dropout = {
    "dropout", CAIRN_OP_DROPOUT, sizeof(struct cairn_dropout), fields, operands, NULL, NULL,
};
