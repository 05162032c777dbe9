#include "base/error.h"
#include "device/schema.h"

static const struct cairn_field fields_clip[] = {
    FIELD_INT(cairn_clip, count, 1, 1, CAIRN_MAX_DIM),
    FIELD_FLOAT(cairn_clip, limit, 1, 1.4e-45, 3.4028234e38),
    FIELD_END,
};

static int64_t extent_one(const struct cairn_problem *problem)
{
    (void)problem;
    return 1;
}
static int64_t extent_clip(const struct cairn_problem *problem)
{
    return problem->u.clip.count;
}

static const struct cairn_operand operands_clip[] = {
    OPERAND(cairn_clip, sumsq, CAIRN_F32, CAIRN_IN, extent_one, 0),
    OPERAND(cairn_clip, g, CAIRN_F32, CAIRN_INOUT, extent_clip, 0),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_clip = {
    "clip", CAIRN_OP_CLIP, sizeof(struct cairn_clip), fields_clip, operands_clip, NULL, NULL,
};

/* Every update begins with count and decay_count. */
static int64_t extent(const struct cairn_problem *problem)
{
    return problem->u.sgd.count;
}

static cairn_status complete(struct cairn_problem *problem)
{
    if (problem->u.sgd.decay_count > problem->u.sgd.count)
        return cairn_fail(CAIRN_INVALID, "%s: decay_count is more than count",
                          cairn_op_name(problem->op));
    return CAIRN_OK;
}

static const struct cairn_field fields_sgd[] = {
    FIELD_INT(cairn_sgd, count, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_sgd, decay_count, 0, 0, CAIRN_MAX_DIM),
    FIELD_INT(cairn_sgd, nesterov, 0, 0, 1),
    FIELD_FLOAT(cairn_sgd, lr, 0, 0, 0),
    FIELD_FLOAT(cairn_sgd, momentum, 0, 0, 0),
    FIELD_FLOAT(cairn_sgd, l1, 0, 0, 0),
    FIELD_FLOAT(cairn_sgd, l2, 0, 0, 0),
    FIELD_FLOAT(cairn_sgd, decay, 0, 0, 0),
    FIELD_END,
};

static const struct cairn_operand operands_sgd[] = {
    OPERAND(cairn_sgd, w, CAIRN_F32, CAIRN_INOUT, extent, 0),
    OPERAND(cairn_sgd, g, CAIRN_F32, CAIRN_IN, extent, 0),
    OPERAND(cairn_sgd, v, CAIRN_F32, CAIRN_INOUT, extent, 0),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_sgd = {
    "sgd", CAIRN_OP_SGD, sizeof(struct cairn_sgd), fields_sgd, operands_sgd, complete, NULL,
};

static const struct cairn_field fields_adam[] = {
    FIELD_INT(cairn_adam, count, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_adam, decay_count, 0, 0, CAIRN_MAX_DIM),
    FIELD_FLOAT(cairn_adam, lr, 0, 0, 0),
    FIELD_FLOAT(cairn_adam, beta1, 0, 0, 0),
    FIELD_FLOAT(cairn_adam, beta2, 0, 0, 0),
    FIELD_FLOAT(cairn_adam, epsilon, 0, 0, 0),
    FIELD_FLOAT(cairn_adam, l1, 0, 0, 0),
    FIELD_FLOAT(cairn_adam, l2, 0, 0, 0),
    FIELD_FLOAT(cairn_adam, decay, 0, 0, 0),
    FIELD_FLOAT(cairn_adam, c1, 1, 0, 0),
    FIELD_FLOAT(cairn_adam, c2, 1, 0, 0),
    FIELD_END,
};

static const struct cairn_operand operands_adam[] = {
    OPERAND(cairn_adam, w, CAIRN_F32, CAIRN_INOUT, extent, 0),
    OPERAND(cairn_adam, g, CAIRN_F32, CAIRN_IN, extent, 0),
    OPERAND(cairn_adam, m, CAIRN_F32, CAIRN_INOUT, extent, 0),
    OPERAND(cairn_adam, v, CAIRN_F32, CAIRN_INOUT, extent, 0),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_adam = {
    "adam", CAIRN_OP_ADAM, sizeof(struct cairn_adam), fields_adam, operands_adam, complete, NULL,
};

static const struct cairn_field fields_rmsprop[] = {
    FIELD_INT(cairn_rmsprop, count, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_rmsprop, decay_count, 0, 0, CAIRN_MAX_DIM),
    FIELD_FLOAT(cairn_rmsprop, lr, 0, 0, 0),
    FIELD_FLOAT(cairn_rmsprop, alpha, 0, 0, 0),
    FIELD_FLOAT(cairn_rmsprop, momentum, 0, 0, 0),
    FIELD_FLOAT(cairn_rmsprop, epsilon, 0, 0, 0),
    FIELD_FLOAT(cairn_rmsprop, l1, 0, 0, 0),
    FIELD_FLOAT(cairn_rmsprop, l2, 0, 0, 0),
    FIELD_FLOAT(cairn_rmsprop, decay, 0, 0, 0),
    FIELD_END,
};

static const struct cairn_operand operands_rmsprop[] = {
    OPERAND(cairn_rmsprop, w, CAIRN_F32, CAIRN_INOUT, extent, 0),
    OPERAND(cairn_rmsprop, g, CAIRN_F32, CAIRN_IN, extent, 0),
    OPERAND(cairn_rmsprop, m, CAIRN_F32, CAIRN_INOUT, extent, 0),
    OPERAND(cairn_rmsprop, v, CAIRN_F32, CAIRN_INOUT, extent, 0),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_rmsprop = {
    "rmsprop",      CAIRN_OP_RMSPROP, sizeof(struct cairn_rmsprop),
    fields_rmsprop, operands_rmsprop, complete,
    NULL,
};

static const struct cairn_field fields_adagrad[] = {
    FIELD_INT(cairn_adagrad, count, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_adagrad, decay_count, 0, 0, CAIRN_MAX_DIM),
    FIELD_FLOAT(cairn_adagrad, lr, 0, 0, 0),
    FIELD_FLOAT(cairn_adagrad, epsilon, 0, 0, 0),
    FIELD_FLOAT(cairn_adagrad, l1, 0, 0, 0),
    FIELD_FLOAT(cairn_adagrad, l2, 0, 0, 0),
    FIELD_FLOAT(cairn_adagrad, decay, 0, 0, 0),
    FIELD_END,
};

static const struct cairn_operand operands_adagrad[] = {
    OPERAND(cairn_adagrad, w, CAIRN_F32, CAIRN_INOUT, extent, 0),
    OPERAND(cairn_adagrad, g, CAIRN_F32, CAIRN_IN, extent, 0),
    OPERAND(cairn_adagrad, v, CAIRN_F32, CAIRN_INOUT, extent, 0),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_adagrad = {
    "adagrad",      CAIRN_OP_ADAGRAD, sizeof(struct cairn_adagrad),
    fields_adagrad, operands_adagrad, complete,
    NULL,
};

static const struct cairn_field fields_adadelta[] = {
    FIELD_INT(cairn_adadelta, count, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_adadelta, decay_count, 0, 0, CAIRN_MAX_DIM),
    FIELD_FLOAT(cairn_adadelta, lr, 0, 0, 0),
    FIELD_FLOAT(cairn_adadelta, rho, 0, 0, 0),
    FIELD_FLOAT(cairn_adadelta, epsilon, 0, 0, 0),
    FIELD_FLOAT(cairn_adadelta, l1, 0, 0, 0),
    FIELD_FLOAT(cairn_adadelta, l2, 0, 0, 0),
    FIELD_FLOAT(cairn_adadelta, decay, 0, 0, 0),
    FIELD_END,
};

static const struct cairn_operand operands_adadelta[] = {
    OPERAND(cairn_adadelta, w, CAIRN_F32, CAIRN_INOUT, extent, 0),
    OPERAND(cairn_adadelta, g, CAIRN_F32, CAIRN_IN, extent, 0),
    OPERAND(cairn_adadelta, u, CAIRN_F32, CAIRN_INOUT, extent, 0),
    OPERAND(cairn_adadelta, v, CAIRN_F32, CAIRN_INOUT, extent, 0),
    OPERAND_END,
};

const struct cairn_schema cairn_schema_adadelta = {
    "adadelta",
    CAIRN_OP_ADADELTA,
    sizeof(struct cairn_adadelta),
    fields_adadelta,
    operands_adadelta,
    complete,
    NULL,
};
