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

static const struct cairn_operand operands[] = {
    OPERAND(cairn_conv, x, CAIRN_F32, CAIRN_IN, extent_x, 0),
    OPERAND(cairn_conv, weight, CAIRN_F32, CAIRN_IN, extent_weight, 0),
    OPERAND(cairn_conv, bias_v, CAIRN_F32, CAIRN_IN, extent_bias, 0),
    OPERAND(cairn_conv, y, CAIRN_F32, CAIRN_OUT, extent_y, 0),
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

static double flops(const struct cairn_problem *problem)
{
    const struct cairn_conv *p = &problem->u.conv;
    return 2.0 * (double)extent_y(problem) * (double)(p->c / p->groups) * (double)p->kh *
           (double)p->kw;
}

const struct cairn_schema cairn_schema_conv = {
    "conv", CAIRN_OP_CONV, sizeof(struct cairn_conv), fields, operands, complete, flops,
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
