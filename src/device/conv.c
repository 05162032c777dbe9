#include "base/error.h"
#include "device/schema.h"

#define SHAPE_FIELDS                                                                               \
    FIELD_INT(cairn_conv, n, 1, 1, CAIRN_MAX_SIDE),                                                \
        FIELD_INT(cairn_conv, c, 1, 1, CAIRN_MAX_SIDE),                                            \
        FIELD_INT(cairn_conv, h, 1, 1, CAIRN_MAX_SIDE),                                            \
        FIELD_INT(cairn_conv, w, 1, 1, CAIRN_MAX_SIDE),                                            \
        FIELD_INT(cairn_conv, o, 1, 1, CAIRN_MAX_SIDE),                                            \
        FIELD_INT(cairn_conv, kh, 1, 1, CAIRN_MAX_SIDE),                                           \
        FIELD_INT(cairn_conv, kw, 1, 1, CAIRN_MAX_SIDE),                                           \
        FIELD_INT(cairn_conv, stride_h, 1, 1, CAIRN_MAX_SIDE),                                     \
        FIELD_INT(cairn_conv, stride_w, 1, 1, CAIRN_MAX_SIDE),                                     \
        FIELD_INT(cairn_conv, pad_t, 0, 0, CAIRN_MAX_SIDE),                                        \
        FIELD_INT(cairn_conv, pad_b, 0, 0, CAIRN_MAX_SIDE),                                        \
        FIELD_INT(cairn_conv, pad_l, 0, 0, CAIRN_MAX_SIDE),                                        \
        FIELD_INT(cairn_conv, pad_r, 0, 0, CAIRN_MAX_SIDE),                                        \
        FIELD_INT(cairn_conv, dilation_h, 1, 1, CAIRN_MAX_SIDE),                                   \
        FIELD_INT(cairn_conv, dilation_w, 1, 1, CAIRN_MAX_SIDE),                                   \
        FIELD_INT(cairn_conv, groups, 1, 1, CAIRN_MAX_SIDE)

static const struct cairn_field fields[] = {
    SHAPE_FIELDS,
    FIELD_INT(cairn_conv, bias, 0, 0, 1),
    FIELD_ENUM(cairn_conv, act, cairn_epilogue_names, 0, 4),
    FIELD_END,
};

static const char *const pooled_acts[] = {"none", "relu", NULL};
static const struct cairn_field fields_pool[] = {
    SHAPE_FIELDS,
    FIELD_INT(cairn_conv, bias, 0, 0, 1),
    FIELD_ENUM(cairn_conv, act, pooled_acts, 0, 2),
    FIELD_INT(cairn_conv, pool_kh, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_conv, pool_kw, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_conv, pool_stride_h, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_conv, pool_stride_w, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_conv, pool_pad_t, 0, 0, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_conv, pool_pad_b, 0, 0, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_conv, pool_pad_l, 0, 0, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_conv, pool_pad_r, 0, 0, CAIRN_MAX_SIDE),
    FIELD_END,
};

static const struct cairn_field fields_gradient[] = {SHAPE_FIELDS, FIELD_END};

static int64_t extent_x(const struct cairn_problem *problem)
{
    const struct cairn_conv *p = &problem->u.conv;
    return PRODUCT(p->n, p->c, p->h, p->w);
}

static int64_t extent_weight(const struct cairn_problem *problem)
{
    const struct cairn_conv *p = &problem->u.conv;
    return PRODUCT(p->o, p->c / p->groups, p->kh, p->kw);
}

static int64_t extent_bias(const struct cairn_problem *problem)
{
    return problem->u.conv.bias ? problem->u.conv.o : 0;
}

static int64_t extent_y(const struct cairn_problem *problem)
{
    const struct cairn_conv *p = &problem->u.conv;
    return PRODUCT(p->n, p->o, cairn_conv_oh(p), cairn_conv_ow(p));
}

struct cairn_conv cairn_conv_of_pool(const struct cairn_conv *p)
{
    struct cairn_conv conv = *p;
    conv.pool_kh = conv.pool_kw = conv.pool_stride_h = conv.pool_stride_w = 0;
    conv.pool_pad_t = conv.pool_pad_b = conv.pool_pad_l = conv.pool_pad_r = 0;
    conv.y = conv.index = (struct cairn_mem){NULL, 0};
    return conv;
}

struct cairn_pool cairn_pool_of_conv(const struct cairn_conv *p)
{
    return (struct cairn_pool){.kind = CAIRN_POOL_MAX,
                               .planes = PRODUCT(p->n, p->o),
                               .h = cairn_conv_oh(p),
                               .w = cairn_conv_ow(p),
                               .kh = p->pool_kh,
                               .kw = p->pool_kw,
                               .stride_h = p->pool_stride_h,
                               .stride_w = p->pool_stride_w,
                               .pad_t = p->pool_pad_t,
                               .pad_b = p->pool_pad_b,
                               .pad_l = p->pool_pad_l,
                               .pad_r = p->pool_pad_r,
                               .act = p->act,
                               .y = p->y,
                               .index = p->index};
}

int64_t cairn_conv_pool_between(const struct cairn_conv *p)
{
    return PRODUCT(p->n, p->o, cairn_conv_oh(p), cairn_conv_ow(p));
}

static int64_t extent_pooled(const struct cairn_problem *problem)
{
    struct cairn_pool pool = cairn_pool_of_conv(&problem->u.conv);
    return PRODUCT(pool.planes, cairn_pool_oh(&pool), cairn_pool_ow(&pool));
}

static const struct cairn_operand operands[] = {
    OPERAND(cairn_conv, x, CAIRN_F32, CAIRN_IN, extent_x, 0),
    OPERAND(cairn_conv, weight, CAIRN_F32, CAIRN_IN, extent_weight, 0),
    OPERAND(cairn_conv, bias_v, CAIRN_F32, CAIRN_IN, extent_bias, 0),
    OPERAND(cairn_conv, y, CAIRN_F32, CAIRN_OUT, extent_y, 0),
    OPERAND(cairn_conv, work, CAIRN_F32, CAIRN_WORK, NULL, 0),
    OPERAND_END,
};

static const struct cairn_operand operands_pool[] = {
    OPERAND(cairn_conv, x, CAIRN_F32, CAIRN_IN, extent_x, 0),
    OPERAND(cairn_conv, weight, CAIRN_F32, CAIRN_IN, extent_weight, 0),
    OPERAND(cairn_conv, bias_v, CAIRN_F32, CAIRN_IN, extent_bias, 0),
    OPERAND(cairn_conv, y, CAIRN_F32, CAIRN_OUT, extent_pooled, 0),
    OPERAND(cairn_conv, index, CAIRN_I32, CAIRN_OUT, extent_pooled, 0),
    OPERAND(cairn_conv, work, CAIRN_F32, CAIRN_WORK, NULL, 0),
    OPERAND_END,
};

static const struct cairn_operand operands_data[] = {
    OPERAND(cairn_conv, y, CAIRN_F32, CAIRN_IN, extent_y, 0),
    OPERAND(cairn_conv, weight, CAIRN_F32, CAIRN_IN, extent_weight, 0),
    OPERAND(cairn_conv, x, CAIRN_F32, CAIRN_OUT, extent_x, 0),
    OPERAND(cairn_conv, work, CAIRN_F32, CAIRN_WORK, NULL, 0),
    OPERAND_END,
};

static const struct cairn_operand operands_weights[] = {
    OPERAND(cairn_conv, x, CAIRN_F32, CAIRN_IN, extent_x, 0),
    OPERAND(cairn_conv, y, CAIRN_F32, CAIRN_IN, extent_y, 0),
    OPERAND(cairn_conv, weight, CAIRN_F32, CAIRN_OUT, extent_weight, 0),
    OPERAND(cairn_conv, work, CAIRN_F32, CAIRN_WORK, NULL, 0),
    OPERAND_END,
};

static cairn_status complete(struct cairn_problem *problem)
{
    const struct cairn_conv *p = &problem->u.conv;
    if (p->c % p->groups || p->o % p->groups)
        return cairn_fail(CAIRN_INVALID, "%s: groups=%lld divides not both c=%lld and o=%lld",
                          cairn_op_name(problem->op), (long long)p->groups, (long long)p->c,
                          (long long)p->o);
    if (cairn_conv_oh(p) < 1 || cairn_conv_ow(p) < 1)
        return cairn_fail(
            CAIRN_INVALID, "%s: the kernel %lldx%lld is larger than the padded input %lldx%lld",
            cairn_op_name(problem->op), (long long)cairn_spread(p->kh, p->dilation_h),
            (long long)cairn_spread(p->kw, p->dilation_w), (long long)(p->h + p->pad_t + p->pad_b),
            (long long)(p->w + p->pad_l + p->pad_r));
    if (PRODUCT(p->n, p->c, p->kh, p->kw, cairn_conv_oh(p), cairn_conv_ow(p)) >= CAIRN_HUGE)
        return cairn_fail(CAIRN_INVALID, "%s: the windows have more than 2^60 elements",
                          cairn_op_name(problem->op));
    return CAIRN_OK;
}

/* The pool's own rules are those of the operator pool. */
static cairn_status complete_pool(struct cairn_problem *problem)
{
    cairn_status st = complete(problem);
    struct cairn_problem pool = {.op = CAIRN_OP_POOL};
    if (st != CAIRN_OK) return st;
    pool.u.pool = cairn_pool_of_conv(&problem->u.conv);
    st = cairn_schema_pool.complete(&pool);
    return st == CAIRN_OK ? st : cairn_fail_in(st, "conv_pool");
}

static double flops(const struct cairn_problem *problem)
{
    const struct cairn_conv *p = &problem->u.conv;
    return 2.0 * (double)cairn_conv_pool_between(p) * (double)(p->c / p->groups) * (double)p->kh *
           (double)p->kw;
}

const struct cairn_schema cairn_schema_conv = {
    "conv", CAIRN_OP_CONV, sizeof(struct cairn_conv), fields, operands, complete, flops,
};
const struct cairn_schema cairn_schema_conv_pool = {
    "conv_pool", CAIRN_OP_CONV_POOL, sizeof(struct cairn_conv),
    fields_pool, operands_pool,      complete_pool,
    flops,
};
const struct cairn_schema cairn_schema_conv_data = {
    "conv_data",     CAIRN_OP_CONV_DATA, sizeof(struct cairn_conv),
    fields_gradient, operands_data,      complete,
    flops,
};
const struct cairn_schema cairn_schema_conv_weights = {
    "conv_weights",  CAIRN_OP_CONV_WEIGHTS, sizeof(struct cairn_conv),
    fields_gradient, operands_weights,      complete,
    flops,
};
