#include "base/error.h"
#include "device/schema.h"

static const char *const kinds[] = {"max", "average", NULL};
static const char *const acts[] = {"none", "relu", NULL};

#define SHAPE_FIELDS                                                                               \
    FIELD_ENUM(cairn_pool, kind, kinds, 0, 2), FIELD_INT(cairn_pool, planes, 1, 1, CAIRN_MAX_DIM), \
        FIELD_INT(cairn_pool, h, 1, 1, CAIRN_MAX_SIDE),                                            \
        FIELD_INT(cairn_pool, w, 1, 1, CAIRN_MAX_SIDE),                                            \
        FIELD_INT(cairn_pool, kh, 1, 1, CAIRN_MAX_SIDE),                                           \
        FIELD_INT(cairn_pool, kw, 1, 1, CAIRN_MAX_SIDE),                                           \
        FIELD_INT(cairn_pool, stride_h, 1, 1, CAIRN_MAX_SIDE),                                     \
        FIELD_INT(cairn_pool, stride_w, 1, 1, CAIRN_MAX_SIDE),                                     \
        FIELD_INT(cairn_pool, pad_t, 0, 0, CAIRN_MAX_SIDE),                                        \
        FIELD_INT(cairn_pool, pad_b, 0, 0, CAIRN_MAX_SIDE),                                        \
        FIELD_INT(cairn_pool, pad_l, 0, 0, CAIRN_MAX_SIDE),                                        \
        FIELD_INT(cairn_pool, pad_r, 0, 0, CAIRN_MAX_SIDE),                                        \
        FIELD_INT(cairn_pool, count_pad, 0, 0, 1)

static const struct cairn_field fields[] = {
    SHAPE_FIELDS,
    FIELD_ENUM(cairn_pool, act, acts, 0, 2),
    FIELD_END,
};

static const struct cairn_field fields_grad[] = {SHAPE_FIELDS, FIELD_END};

static int64_t extent_x(const struct cairn_problem *problem)
{
    const struct cairn_pool *p = &problem->u.pool;
    return PRODUCT(p->planes, p->h, p->w);
}

static int64_t extent_y(const struct cairn_problem *problem)
{
    const struct cairn_pool *p = &problem->u.pool;
    return PRODUCT(p->planes, cairn_pool_oh(p), cairn_pool_ow(p));
}

static int64_t extent_index(const struct cairn_problem *problem)
{
    return problem->u.pool.kind == CAIRN_POOL_MAX ? extent_y(problem) : 0;
}

static const struct cairn_operand operands[] = {
    OPERAND(cairn_pool, x, CAIRN_F32, CAIRN_IN, extent_x, 0),
    OPERAND(cairn_pool, y, CAIRN_F32, CAIRN_OUT, extent_y, 0),
    OPERAND(cairn_pool, index, CAIRN_I32, CAIRN_OUT, extent_index, 0),
    OPERAND_END,
};

static const struct cairn_operand operands_grad[] = {
    OPERAND(cairn_pool, y, CAIRN_F32, CAIRN_IN, extent_y, 0),
    OPERAND(cairn_pool, index, CAIRN_I32, CAIRN_IN, extent_index, 0),
    OPERAND(cairn_pool, x, CAIRN_F32, CAIRN_OUT, extent_x, 0),
    OPERAND_END,
};

static cairn_status complete(struct cairn_problem *problem)
{
    const struct cairn_pool *p = &problem->u.pool;
    const char *name = cairn_op_name(problem->op);
    if (cairn_pool_oh(p) < 1 || cairn_pool_ow(p) < 1)
        return cairn_fail(
            CAIRN_INVALID, "%s: the window %lldx%lld is larger than the padded input %lldx%lld",
            name, (long long)p->kh, (long long)p->kw, (long long)(p->h + p->pad_t + p->pad_b),
            (long long)(p->w + p->pad_l + p->pad_r));
    if (p->pad_t >= p->kh || p->pad_b >= p->kh || p->pad_l >= p->kw || p->pad_r >= p->kw)
        return cairn_fail(CAIRN_INVALID, "%s: padding must be smaller than the window %lldx%lld",
                          name, (long long)p->kh, (long long)p->kw);
    if (p->count_pad && p->kind != CAIRN_POOL_AVERAGE)
        return cairn_fail(CAIRN_INVALID, "%s: count_pad=1 is for kind=average", name);
    if (p->act && p->kind != CAIRN_POOL_MAX)
        return cairn_fail(CAIRN_INVALID, "%s: act=relu is for kind=max", name);
    if (p->h * p->w > INT32_MAX)
        return cairn_fail(CAIRN_INVALID, "%s: a plane of %lldx%lld has more than 2^31 - 1 elements",
                          name, (long long)p->h, (long long)p->w);
    return CAIRN_OK;
}

const struct cairn_schema cairn_schema_pool = {
    "pool", CAIRN_OP_POOL, sizeof(struct cairn_pool), fields, operands, complete, NULL,
};
const struct cairn_schema cairn_schema_pool_grad = {
    "pool_grad", CAIRN_OP_POOL_GRAD, sizeof(struct cairn_pool),
    fields_grad, operands_grad,      complete,
    NULL,
};
