/* The operators of ONNX's tests that are operators of Cairn, and views. */
#include "onnx/machine.h"

#include "base/error.h"
#include <stdlib.h>
#include <string.h>

#define NONE                                                                                       \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }

/* --- element by element --- */

static const struct {
    const char *op;
    enum cairn_activation_kind kind;
    float alpha; /* where the node has none; below 0: it takes none */
} activations[] = {
    {"Relu", CAIRN_ACT_RELU, -1},
    {"Tanh", CAIRN_ACT_TANH, -1},
    {"Sigmoid", CAIRN_ACT_SIGMOID, -1},
    {"LeakyRelu", CAIRN_ACT_LEAKY_RELU, 0.01f},
    {"Elu", CAIRN_ACT_ELU, 1},
    {"Softplus", CAIRN_ACT_SOFTPLUS, -1},
    {"HardSwish", CAIRN_ACT_HARD_SWISH, -1},
    {"Gelu", CAIRN_ACT_GELU, -1},
    {"HardSigmoid", CAIRN_ACT_HARD_SIGMOID, -1},
};

static cairn_status run_activation(struct cairn_onnx_task *t)
{
    cairn_status st = CAIRN_OK;
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_ACTIVATION);
    struct cairn_activation *p = &problem.u.activation;
    const struct cairn_onnx_tensor *x = t->in[0];
    size_t i = 0;
    while (strcmp(activations[i].op, t->node->op_type) != 0) i++;
    p->kind = activations[i].kind;
    p->count = x->count;
    if (activations[i].alpha >= 0)
        p->alpha = cairn_onnx_get_float(t->node, "alpha", activations[i].alpha);
    if (p->kind == CAIRN_ACT_GELU && cairn_onnx_is(t->node, "approximate", "tanh"))
        p->kind = CAIRN_ACT_GELU_TANH;
    if (p->kind == CAIRN_ACT_HARD_SIGMOID &&
        (cairn_onnx_get_float(t->node, "alpha", 0.2f) != 1.0f / 6.0f ||
         cairn_onnx_get_float(t->node, "beta", 0.5f) != 0.5f))
        return cairn_fail(CAIRN_UNSUPPORTED, "alpha other than 1/6, beta other than 0.5");
    if (p->alpha < 0) return cairn_fail(CAIRN_UNSUPPORTED, "alpha below 0");
    TRY(cairn_onnx_make(&t->out[0], x->rank, x->dims));
    if (x->count > 0)
        st = cairn_onnx_launch(t->device, &problem,
                               (const struct cairn_onnx_bound[]){
                                   {"x", x->floats, NULL}, {"y", NULL, t->out[0].floats}, NONE});
out:
    return st;
}

/* `from` in the shape of `to`, whose numbers are overwritten (NumPy's rules). CAIRN_FORMAT where it
 * does not fit. */
static cairn_status spread(const struct cairn_onnx_tensor *from, struct cairn_onnx_tensor *to)
{
    int64_t step[CAIRN_ONNX_RANK] = {0}, size = 1;
    int behind = to->rank - from->rank;
    for (int i = from->rank - 1; i >= 0; i--) {
        if (behind + i < 0 || (from->dims[i] != 1 && from->dims[i] != to->dims[behind + i]))
            return cairn_fail(CAIRN_FORMAT, "shapes that do not fit");
        step[behind + i] = from->dims[i] == 1 ? 0 : size;
        size *= from->dims[i];
    }
    for (int64_t e = 0; e < to->count; e++) {
        int64_t rest = e, at = 0;
        for (int i = to->rank - 1; i >= 0; i--) {
            at += rest % to->dims[i] * step[i];
            rest /= to->dims[i];
        }
        to->floats[e] = from->floats[at];
    }
    return CAIRN_OK;
}

/* y = y + b, both of y's shape. */
static cairn_status add_to(struct cairn_onnx_task *t, struct cairn_onnx_tensor *y, const float *b)
{
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_ADD);
    problem.u.add.n2 = y->count;
    return cairn_onnx_launch(
        t->device, &problem,
        (const struct cairn_onnx_bound[]){
            {"x", y->floats, NULL}, {"b", b, NULL}, {"y", NULL, y->floats}, NONE});
}

/* Adds `b`, in whatever shape fits. */
static cairn_status add_spread(struct cairn_onnx_task *t, struct cairn_onnx_tensor *y,
                               const struct cairn_onnx_tensor *b)
{
    cairn_status st = CAIRN_OK;
    struct cairn_onnx_tensor wide = {0};
    TRY(cairn_onnx_make(&wide, y->rank, y->dims));
    TRY(spread(b, &wide));
    if (y->count > 0) TRY(add_to(t, y, wide.floats));
out:
    cairn_onnx_tensor_free(&wide);
    return st;
}

/* Add and Sum, of any number of tensors. */
static cairn_status run_add(struct cairn_onnx_task *t)
{
    cairn_status st = CAIRN_OK;
    int64_t dims[CAIRN_ONNX_RANK];
    int rank = 0;
    if (cairn_onnx_get_int(t->node, "broadcast", 0))
        return cairn_fail(CAIRN_UNSUPPORTED, "broadcast along an axis");
    for (int i = 0; i < t->in_count; i++)
        if (t->in[i]->rank > rank) rank = t->in[i]->rank;
    for (int d = 0; d < rank; d++) {
        dims[d] = 1;
        for (int i = 0; i < t->in_count; i++) {
            int own = d - (rank - t->in[i]->rank);
            if (own >= 0 && t->in[i]->dims[own] != 1) dims[d] = t->in[i]->dims[own];
        }
    }
    TRY(cairn_onnx_make(&t->out[0], rank, dims));
    TRY(spread(t->in[0], &t->out[0]));
    for (int i = 1; i < t->in_count; i++) TRY(add_spread(t, &t->out[0], t->in[i]));
out:
    return st;
}

/* --- products --- */

static cairn_status multiply(struct cairn_onnx_task *t, struct cairn_gemm sizes)
{
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_GEMM);
    problem.u.gemm.batch = sizes.batch;
    problem.u.gemm.m = sizes.m;
    problem.u.gemm.n = sizes.n;
    problem.u.gemm.k = sizes.k;
    problem.u.gemm.ta = sizes.ta;
    problem.u.gemm.tb = sizes.tb;
    problem.u.gemm.stride_a = sizes.m * sizes.k;
    problem.u.gemm.stride_b = sizes.k * sizes.n;
    problem.u.gemm.stride_c = sizes.m * sizes.n;
    return cairn_onnx_launch(t->device, &problem,
                             (const struct cairn_onnx_bound[]){{"a", t->in[0]->floats, NULL},
                                                               {"b", t->in[1]->floats, NULL},
                                                               {"c", NULL, t->out[0].floats},
                                                               NONE});
}

static cairn_status run_gemm(struct cairn_onnx_task *t)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_tensor *a = t->in[0], *b = t->in[1];
    int ta = cairn_onnx_get_int(t->node, "transA", 0) != 0,
        tb = cairn_onnx_get_int(t->node, "transB", 0) != 0;
    if (cairn_onnx_get_float(t->node, "alpha", 1) != 1 ||
        cairn_onnx_get_float(t->node, "beta", 1) != 1)
        return cairn_fail(CAIRN_UNSUPPORTED, "alpha or beta other than 1");
    if (a->rank != 2 || b->rank != 2 || a->dims[!ta] != b->dims[tb])
        return cairn_fail(CAIRN_FORMAT, "matrices that do not fit");
    int64_t dims[2] = {a->dims[ta], b->dims[!tb]};
    TRY(cairn_onnx_make(&t->out[0], 2, dims));
    TRY(multiply(
        t, (struct cairn_gemm){
               .batch = 1, .m = dims[0], .n = dims[1], .k = a->dims[!ta], .ta = ta, .tb = tb}));
    if (t->in[2]) TRY(add_spread(t, &t->out[0], t->in[2]));
out:
    return st;
}

/* Matrices in the last two dimensions, as many in both. */
static cairn_status run_matmul(struct cairn_onnx_task *t)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_tensor *a = t->in[0], *b = t->in[1];
    int rank = a->rank;
    if (rank < 2 || b->rank != rank ||
        memcmp(a->dims, b->dims, (size_t)(rank - 2) * sizeof *a->dims) != 0)
        return cairn_fail(CAIRN_UNSUPPORTED,
                          "vectors, and other numbers of matrices on either side");
    int64_t m = a->dims[rank - 2], k = a->dims[rank - 1], n = b->dims[rank - 1],
            dims[CAIRN_ONNX_RANK];
    if (b->dims[rank - 2] != k || a->count < 1 || b->count < 1)
        return cairn_fail(CAIRN_FORMAT, "matrices that do not fit");
    memcpy(dims, a->dims, sizeof dims);
    dims[rank - 1] = n;
    TRY(cairn_onnx_make(&t->out[0], rank, dims));
    st = multiply(t, (struct cairn_gemm){.batch = a->count / (m * k), .m = m, .n = n, .k = k});
out:
    return st;
}

/* --- rows and channels --- */

/* [outer][axis][inner] to [outer][inner][axis], or back. */
static void turn(const float *from, float *to, int64_t outer, int64_t axis, int64_t inner)
{
    for (int64_t o = 0; o < outer; o++)
        for (int64_t a = 0; a < axis; a++)
            for (int64_t i = 0; i < inner; i++)
                to[(o * inner + i) * axis + a] = from[(o * axis + a) * inner + i];
}

/* Along an axis; before version 13 over all that is behind it. */
static cairn_status run_softmax(struct cairn_onnx_task *t)
{
    cairn_status st = CAIRN_OK;
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_SOFTMAX);
    const struct cairn_onnx_tensor *x = t->in[0];
    int64_t axis = cairn_onnx_get_int(t->node, "axis", t->opset < 13 ? 1 : -1), outer = 1,
            inner = 1, size = 1;
    float *rows = NULL;
    if (axis < 0) axis += x->rank;
    if (axis < 0 || axis >= x->rank || x->count < 1)
        return cairn_fail(CAIRN_FORMAT, "an axis that is none");
    for (int i = 0; i < x->rank; i++)
        *(i < axis ? &outer : i == axis || t->opset < 13 ? &size : &inner) *= x->dims[i];
    problem.u.softmax.rows = outer * inner;
    problem.u.softmax.classes = size;
    problem.u.softmax.want_prob = !strcmp(t->node->op_type, "Softmax") ? 1 : 2;
    TRY(cairn_onnx_make(&t->out[0], x->rank, x->dims));
    rows = malloc((size_t)x->count * sizeof *rows);
    if (!rows) return cairn_fail(CAIRN_MEMORY, "out of memory");
    turn(x->floats, t->out[0].floats, outer, size, inner);
    TRY(cairn_onnx_launch(t->device, &problem,
                          (const struct cairn_onnx_bound[]){
                              {"logits", t->out[0].floats, NULL}, {"prob", NULL, rows}, NONE}));
    turn(rows, t->out[0].floats, outer, inner, size);
out:
    free(rows);
    return st;
}

static cairn_status run_norm(struct cairn_onnx_task *t)
{
    cairn_status st = CAIRN_OK;
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_BATCHNORM);
    const struct cairn_onnx_tensor *x = t->in[0];
    if (cairn_onnx_get_int(t->node, "training_mode", 0) || t->out_count > 1)
        return cairn_fail(CAIRN_UNSUPPORTED, "training_mode");
    if (x->rank < 2 || x->count < 1)
        return cairn_fail(CAIRN_UNSUPPORTED, "a tensor without channels");
    for (int i = 1; i < 5; i++)
        if (!t->in[i] || t->in[i]->count != x->dims[1])
            return cairn_fail(CAIRN_FORMAT, "statistics that do not fit the channels");
    problem.u.batchnorm.n1 = x->dims[0];
    problem.u.batchnorm.c = x->dims[1];
    problem.u.batchnorm.n2 = x->count / (x->dims[0] * x->dims[1]);
    problem.u.batchnorm.inference = 1;
    problem.u.batchnorm.epsilon = cairn_onnx_get_float(t->node, "epsilon", 1e-5f);
    TRY(cairn_onnx_make(&t->out[0], x->rank, x->dims));
    st = cairn_onnx_launch(t->device, &problem,
                           (const struct cairn_onnx_bound[]){{"x", x->floats, NULL},
                                                             {"gamma", t->in[1]->floats, NULL},
                                                             {"beta", t->in[2]->floats, NULL},
                                                             {"mean", t->in[3]->floats, NULL},
                                                             {"rstd", t->in[4]->floats, NULL},
                                                             {"y", NULL, t->out[0].floats},
                                                             NONE});
out:
    return st;
}

/* --- views --- */

static cairn_status run_dropout(struct cairn_onnx_task *t)
{
    if (t->out_count > 1) return cairn_fail(CAIRN_UNSUPPORTED, "a mask as output");
    if (t->in[2]) return cairn_fail(CAIRN_UNSUPPORTED, "training_mode");
    return cairn_onnx_copy(&t->out[0], t->in[0]);
}

static cairn_status run_identity(struct cairn_onnx_task *t)
{
    return cairn_onnx_copy(&t->out[0], t->in[0]);
}

static cairn_status run_constant(struct cairn_onnx_task *t)
{
    const Cairn__Onnx__Attribute *a = cairn_onnx_find(t->node, "value");
    if (!a || !a->t) return cairn_fail(CAIRN_UNSUPPORTED, "no attribute value");
    return cairn_onnx_tensor(a->t, t->path, &t->out[0]);
}

static cairn_status run_flatten(struct cairn_onnx_task *t)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_tensor *x = t->in[0];
    int64_t axis = cairn_onnx_get_int(t->node, "axis", 1), outer = 1;
    if (axis < 0) axis += x->rank;
    if (axis < 0 || axis > x->rank) return cairn_fail(CAIRN_FORMAT, "an axis that is none");
    TRY(cairn_onnx_copy(&t->out[0], x));
    for (int i = 0; i < axis; i++) outer *= x->dims[i];
    t->out[0].rank = 2;
    t->out[0].dims[0] = outer;
    t->out[0].dims[1] = outer ? x->count / outer : 0;
out:
    return st;
}

static cairn_status run_reshape(struct cairn_onnx_task *t)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_onnx_tensor *x = t->in[0], *shape = t->in[1];
    struct cairn_onnx_tensor *y = &t->out[0];
    int64_t known = 1;
    int open = -1;
    if (!shape || !shape->ints || shape->count > CAIRN_ONNX_RANK)
        return cairn_fail(CAIRN_UNSUPPORTED, "a shape that is no list of integers");
    TRY(cairn_onnx_copy(y, x));
    y->rank = (int)shape->count;
    for (int i = 0; i < y->rank; i++) {
        int copied = shape->ints[i] == 0 && !cairn_onnx_get_int(t->node, "allowzero", 0);
        y->dims[i] = !copied ? shape->ints[i] : i < x->rank ? x->dims[i] : 0;
        if (y->dims[i] == -1)
            open = i;
        else
            known *= y->dims[i];
    }
    if (open >= 0) y->dims[open] = known > 0 ? x->count / known : 0;
    if (open >= 0) known *= y->dims[open];
    if (known != x->count) st = cairn_fail(CAIRN_FORMAT, "a shape of other size");
out:
    return st;
}

/* --- all of them --- */

static const struct {
    const char *op;
    cairn_status (*run)(struct cairn_onnx_task *t);
    int least, most, any_type; /* inputs; whether others than float32 are taken */
} operators[] = {
    {"Add", run_add, 2, 2, 0},
    {"AveragePool", cairn_onnx_run_pool, 1, 1, 0},
    {"BatchNormalization", run_norm, 5, 5, 0},
    {"Constant", run_constant, 0, 0, 1},
    {"Conv", cairn_onnx_run_conv, 2, 3, 0},
    {"ConvTranspose", cairn_onnx_run_transposed, 2, 3, 0},
    {"Dropout", run_dropout, 1, 3, 1},
    {"Elu", run_activation, 1, 1, 0},
    {"Flatten", run_flatten, 1, 1, 1},
    {"Gelu", run_activation, 1, 1, 0},
    {"Gemm", run_gemm, 2, 3, 0},
    {"GlobalAveragePool", cairn_onnx_run_pool, 1, 1, 0},
    {"GlobalMaxPool", cairn_onnx_run_pool, 1, 1, 0},
    {"HardSigmoid", run_activation, 1, 1, 0},
    {"HardSwish", run_activation, 1, 1, 0},
    {"Identity", run_identity, 1, 1, 1},
    {"LeakyRelu", run_activation, 1, 1, 0},
    {"LogSoftmax", run_softmax, 1, 1, 0},
    {"MatMul", run_matmul, 2, 2, 0},
    {"MaxPool", cairn_onnx_run_pool, 1, 1, 0},
    {"Relu", run_activation, 1, 1, 0},
    {"Reshape", run_reshape, 1, 2, 1},
    {"Sigmoid", run_activation, 1, 1, 0},
    {"Softmax", run_softmax, 1, 1, 0},
    {"Softplus", run_activation, 1, 1, 0},
    {"Sum", run_add, 1, CAIRN_ONNX_OPERANDS, 0},
    {"Tanh", run_activation, 1, 1, 0},
};
#define OPERATORS (sizeof operators / sizeof *operators)

static size_t find(const char *op)
{
    size_t i = 0;
    while (i < OPERATORS && strcmp(operators[i].op, op) != 0) i++;
    return i;
}

int cairn_onnx_knows(const char *op)
{
    return find(op) < OPERATORS;
}

cairn_status cairn_onnx_run(struct cairn_onnx_task *t)
{
    size_t i = find(cairn_onnx_or_empty(t->node->op_type));
    if (i == OPERATORS) return cairn_fail(CAIRN_UNSUPPORTED, "no such operator");
    if (t->in_count < operators[i].least || t->in_count > operators[i].most)
        return cairn_fail(CAIRN_UNSUPPORTED, "%d inputs", t->in_count);
    for (int k = 0; k < t->in_count; k++) {
        int may_miss = k >= operators[i].least;
        if ((!t->in[k] && !may_miss) || (t->in[k] && !t->in[k]->floats && !t->in[k]->ints))
            return cairn_fail(CAIRN_UNSUPPORTED, "an input of another type than float32");
        if (t->in[k] && !t->in[k]->floats && !operators[i].any_type)
            return cairn_fail(CAIRN_UNSUPPORTED, "an input of another type than float32");
    }
    return operators[i].run(t);
}
