#include "base/error.h"
#include "device/schema.h"

static const struct cairn_field fields[] = {
    FIELD_INT(cairn_im2col, n, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_im2col, c, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_im2col, h, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_im2col, w, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_im2col, kh, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_im2col, kw, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_im2col, stride_h, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_im2col, stride_w, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_im2col, pad_t, 0, 0, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_im2col, pad_b, 0, 0, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_im2col, pad_l, 0, 0, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_im2col, pad_r, 0, 0, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_im2col, dilation_h, 1, 1, CAIRN_MAX_SIDE),
    FIELD_INT(cairn_im2col, dilation_w, 1, 1, CAIRN_MAX_SIDE),
    FIELD_END,
};

static int64_t extent_x(const struct cairn_problem *problem)
{
    const struct cairn_im2col *p = &problem->u.im2col;
    return PRODUCT(p->n, p->c, p->h, p->w);
}

static int64_t extent_col(const struct cairn_problem *problem)
{
    const struct cairn_im2col *p = &problem->u.im2col;
    return PRODUCT(p->n, p->c, p->kh, p->kw, cairn_im2col_oh(p), cairn_im2col_ow(p));
}

static const struct cairn_operand operands[] = {
    OPERAND(cairn_im2col, x, CAIRN_F32, CAIRN_IN, extent_x, 0),
    OPERAND(cairn_im2col, col, CAIRN_F32, CAIRN_OUT, extent_col, 0),
    OPERAND_END,
};

static const struct cairn_operand operands_col2im[] = {
    OPERAND(cairn_im2col, col, CAIRN_F32, CAIRN_IN, extent_col, 0),
    OPERAND(cairn_im2col, x, CAIRN_F32, CAIRN_OUT, extent_x, 0),
    OPERAND_END,
};

static cairn_status complete(struct cairn_problem *problem)
{
    const struct cairn_im2col *p = &problem->u.im2col;
    if (cairn_im2col_oh(p) < 1 || cairn_im2col_ow(p) < 1)
        return cairn_fail(
            CAIRN_INVALID, "%s: the kernel %lldx%lld is larger than the padded input %lldx%lld",
            cairn_op_name(problem->op), (long long)cairn_spread(p->kh, p->dilation_h),
            (long long)cairn_spread(p->kw, p->dilation_w), (long long)(p->h + p->pad_t + p->pad_b),
            (long long)(p->w + p->pad_l + p->pad_r));
    return CAIRN_OK;
}

const struct cairn_schema cairn_schema_im2col = {
    "im2col", CAIRN_OP_IM2COL, sizeof(struct cairn_im2col), fields, operands, complete, NULL,
};
const struct cairn_schema cairn_schema_col2im = {
    "col2im", CAIRN_OP_COL2IM, sizeof(struct cairn_im2col), fields, operands_col2im, complete, NULL,
};
