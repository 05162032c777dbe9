#include "device/schema.h"

#define SHAPE_FIELDS(type)                                                                         \
    FIELD_INT(type, n1, 1, 1, CAIRN_MAX_DIM), FIELD_INT(type, c, 1, 1, CAIRN_MAX_DIM),             \
        FIELD_INT(type, n2, 1, 1, CAIRN_MAX_DIM)
#define LEAST 1.4e-45 /* the smallest float above 0 */

static const struct cairn_field fields_stats[] = {
    SHAPE_FIELDS(cairn_batchnorm_stats),
    FIELD_FLOAT(cairn_batchnorm_stats, momentum, 0.1, 0, 1),
    FIELD_FLOAT(cairn_batchnorm_stats, epsilon, 1e-5, LEAST, 1e30),
    FIELD_END,
};

static const struct cairn_field fields[] = {
    SHAPE_FIELDS(cairn_batchnorm),
    FIELD_INT(cairn_batchnorm, inference, 0, 0, 1),
    FIELD_FLOAT(cairn_batchnorm, epsilon, 1e-5, LEAST, 1e30),
    FIELD_END,
};

static const struct cairn_field fields_grad[] = {SHAPE_FIELDS(cairn_batchnorm_grad), FIELD_END};

/* The three descriptors begin alike. */
static int64_t extent_x(const struct cairn_problem *problem)
{
    const struct cairn_batchnorm_stats *p = &problem->u.batchnorm_stats;
    return PRODUCT(p->n1, p->c, p->n2);
}
static int64_t extent_c(const struct cairn_problem *problem)
{
    return problem->u.batchnorm_stats.c;
}

static const struct cairn_operand operands_stats[] = {
    OPERAND(cairn_batchnorm_stats, x, CAIRN_F32, CAIRN_IN, extent_x, 0),
    OPERAND(cairn_batchnorm_stats, mean, CAIRN_F32, CAIRN_OUT, extent_c, 0),
    OPERAND(cairn_batchnorm_stats, rstd, CAIRN_F32, CAIRN_OUT, extent_c, 0),
    OPERAND(cairn_batchnorm_stats, running_mean, CAIRN_F32, CAIRN_INOUT, extent_c, 0),
    OPERAND(cairn_batchnorm_stats, running_var, CAIRN_F32, CAIRN_INOUT, extent_c, 0),
    OPERAND(cairn_batchnorm_stats, work, CAIRN_F32, CAIRN_WORK, NULL, 0),
    OPERAND_END,
};

static const struct cairn_operand operands[] = {
    OPERAND(cairn_batchnorm, x, CAIRN_F32, CAIRN_IN, extent_x, 1),
    OPERAND(cairn_batchnorm, mean, CAIRN_F32, CAIRN_IN, extent_c, 0),
    OPERAND(cairn_batchnorm, rstd, CAIRN_F32, CAIRN_IN, extent_c, 0),
    OPERAND(cairn_batchnorm, gamma, CAIRN_F32, CAIRN_IN, extent_c, 0),
    OPERAND(cairn_batchnorm, beta, CAIRN_F32, CAIRN_IN, extent_c, 0),
    OPERAND(cairn_batchnorm, y, CAIRN_F32, CAIRN_OUT, extent_x, 1),
    OPERAND_END,
};

static const struct cairn_operand operands_grad[] = {
    OPERAND(cairn_batchnorm_grad, x, CAIRN_F32, CAIRN_IN, extent_x, 0),
    OPERAND(cairn_batchnorm_grad, dy, CAIRN_F32, CAIRN_IN, extent_x, 1),
    OPERAND(cairn_batchnorm_grad, mean, CAIRN_F32, CAIRN_IN, extent_c, 0),
    OPERAND(cairn_batchnorm_grad, rstd, CAIRN_F32, CAIRN_IN, extent_c, 0),
    OPERAND(cairn_batchnorm_grad, gamma, CAIRN_F32, CAIRN_IN, extent_c, 0),
    OPERAND(cairn_batchnorm_grad, dx, CAIRN_F32, CAIRN_OUT, extent_x, 1),
    OPERAND(cairn_batchnorm_grad, dgamma, CAIRN_F32, CAIRN_OUT, extent_c, 0),
    OPERAND(cairn_batchnorm_grad, dbeta, CAIRN_F32, CAIRN_OUT, extent_c, 0),
    OPERAND(cairn_batchnorm_grad, work, CAIRN_F32, CAIRN_WORK, NULL, 0),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_batchnorm_stats = {
    "batchnorm_stats",
    CAIRN_OP_BATCHNORM_STATS,
    sizeof(struct cairn_batchnorm_stats),
    fields_stats,
    operands_stats,
    NULL,
    NULL,
};
const struct cairn_schema cairn_schema_batchnorm = {
    "batchnorm", CAIRN_OP_BATCHNORM, sizeof(struct cairn_batchnorm), fields, operands, NULL, NULL,
};
const struct cairn_schema cairn_schema_batchnorm_grad = {
    "batchnorm_grad",
    CAIRN_OP_BATCHNORM_GRAD,
    sizeof(struct cairn_batchnorm_grad),
    fields_grad,
    operands_grad,
    NULL,
    NULL,
};
