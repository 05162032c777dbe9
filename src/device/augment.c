#include "base/error.h"
#include "device/schema.h"

static const struct cairn_field fields[] = {
    FIELD_INT(cairn_augment, n, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_augment, c, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_augment, h, 1, 1, 32768),
    FIELD_INT(cairn_augment, w, 1, 1, 32768),
    FIELD_INT(cairn_augment, oh, 1, 1, 32768),
    FIELD_INT(cairn_augment, ow, 1, 1, 32768),
    FIELD_INT(cairn_augment, random, 0, 0, 1),
    FIELD_INT(cairn_augment, shift_h, 0, 0, 32768),
    FIELD_INT(cairn_augment, shift_w, 0, 0, 32768),
    FIELD_INT(cairn_augment, flip, 0, 0, 1),
    FIELD_INT(cairn_augment, turn, 0, 0, 2147483648.0),
    FIELD_FLOAT(cairn_augment, fill, 0, 0, 0),
    FIELD_U64(cairn_augment, seed),
    FIELD_INT(cairn_augment, stream, 0, 0, 4294967295.0),
    FIELD_INT(cairn_augment, step, 0, 0, 4294967295.0),
    FIELD_INT(cairn_augment, first, 0, 0, CAIRN_MAX_DIM),
    FIELD_END,
};

static int64_t extent_x(const struct cairn_problem *problem)
{
    const struct cairn_augment *p = &problem->u.augment;
    return PRODUCT(p->n, p->c, p->h, p->w);
}
static int64_t extent_y(const struct cairn_problem *problem)
{
    const struct cairn_augment *p = &problem->u.augment;
    return PRODUCT(p->n, p->c, p->oh, p->ow);
}

static const struct cairn_operand operands[] = {
    OPERAND(cairn_augment, x, CAIRN_F32, CAIRN_IN, extent_x, 0),
    OPERAND(cairn_augment, y, CAIRN_F32, CAIRN_OUT, extent_y, 0),
    OPERAND_END,
};

static cairn_status complete(struct cairn_problem *problem)
{
    const struct cairn_augment *p = &problem->u.augment;
    if (p->oh > p->h || p->ow > p->w)
        return cairn_fail(CAIRN_INVALID, "augment: %lldx%lld cannot be cut out of %lldx%lld",
                          (long long)p->oh, (long long)p->ow, (long long)p->h, (long long)p->w);
    return CAIRN_OK;
}

const struct cairn_schema cairn_schema_augment = {
    "augment", CAIRN_OP_AUGMENT, sizeof(struct cairn_augment), fields, operands, complete, NULL,
};
