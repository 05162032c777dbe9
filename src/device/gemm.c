#include "base/error.h"
#include "device/schema.h"

static const char *const bias_names[] = {"none", "n", "m", NULL};

static const struct cairn_field fields[] = {
    FIELD_INT(cairn_gemm, batch, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_gemm, m, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_gemm, n, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_gemm, k, 1, 1, CAIRN_MAX_DIM),
    FIELD_INT(cairn_gemm, ta, 0, 0, 1),
    FIELD_INT(cairn_gemm, tb, 0, 0, 1),
    FIELD_INT(cairn_gemm, sum, 0, 0, 1),
    FIELD_DERIVED(cairn_gemm, lda),
    FIELD_DERIVED(cairn_gemm, ldb),
    FIELD_DERIVED(cairn_gemm, ldc),
    FIELD_INT(cairn_gemm, stride_a, 0, 0, CAIRN_MAX_DIM),
    FIELD_INT(cairn_gemm, stride_b, 0, 0, CAIRN_MAX_DIM),
    FIELD_DERIVED(cairn_gemm, stride_c),
    FIELD_ENUM(cairn_gemm, bias, bias_names, 0, 3),
    FIELD_ENUM(cairn_gemm, act, cairn_epilogue_names, 0, 4),
    FIELD_END,
};

static int64_t span(int64_t rows, int64_t cols, int64_t ld, int64_t batch, int64_t stride)
{
    return PRODUCT(batch - 1, stride) + PRODUCT(rows - 1, ld) + cols;
}

static int64_t extent_a(const struct cairn_problem *problem)
{
    const struct cairn_gemm *p = &problem->u.gemm;
    return p->ta ? span(p->k, p->m, p->lda, p->batch, p->stride_a)
                 : span(p->m, p->k, p->lda, p->batch, p->stride_a);
}

static int64_t extent_b(const struct cairn_problem *problem)
{
    const struct cairn_gemm *p = &problem->u.gemm;
    return p->tb ? span(p->n, p->k, p->ldb, p->batch, p->stride_b)
                 : span(p->k, p->n, p->ldb, p->batch, p->stride_b);
}

static int64_t extent_bias(const struct cairn_problem *problem)
{
    const struct cairn_gemm *p = &problem->u.gemm;
    return p->bias == CAIRN_BIAS_N ? p->n : p->bias == CAIRN_BIAS_M ? p->m : 0;
}

static int64_t extent_c(const struct cairn_problem *problem)
{
    const struct cairn_gemm *p = &problem->u.gemm;
    return span(p->m, p->n, p->ldc, p->sum ? 1 : p->batch, p->stride_c);
}

static const struct cairn_operand operands[] = {
    OPERAND(cairn_gemm, a, CAIRN_F32, CAIRN_IN, extent_a, 0),
    OPERAND(cairn_gemm, b, CAIRN_F32, CAIRN_IN, extent_b, 0),
    OPERAND(cairn_gemm, bias_v, CAIRN_F32, CAIRN_IN, extent_bias, 0),
    OPERAND(cairn_gemm, c, CAIRN_F32, CAIRN_OUT, extent_c, 0),
    OPERAND(cairn_gemm, work, CAIRN_F32, CAIRN_WORK, NULL, 0),
    OPERAND_END,
};

static cairn_status complete(struct cairn_problem *problem)
{
    struct cairn_gemm *p = &problem->u.gemm;
    int64_t width_a = p->ta ? p->m : p->k, width_b = p->tb ? p->k : p->n;
    if (!p->lda) p->lda = width_a;
    if (!p->ldb) p->ldb = width_b;
    if (!p->ldc) p->ldc = p->n;
    if (!p->stride_c) p->stride_c = p->sum || p->batch == 1 ? 0 : PRODUCT(p->m, p->ldc);
    if (p->lda < width_a)
        return cairn_fail(CAIRN_INVALID, "gemm: lda=%lld is less than a row of a, %lld",
                          (long long)p->lda, (long long)width_a);
    if (p->ldb < width_b)
        return cairn_fail(CAIRN_INVALID, "gemm: ldb=%lld is less than a row of b, %lld",
                          (long long)p->ldb, (long long)width_b);
    if (p->ldc < p->n)
        return cairn_fail(CAIRN_INVALID, "gemm: ldc=%lld is less than a row of c, %lld",
                          (long long)p->ldc, (long long)p->n);
    if (!p->sum && p->batch > 1 && p->stride_c < PRODUCT(p->m - 1, p->ldc) + p->n)
        return cairn_fail(CAIRN_INVALID,
                          "gemm: stride_c=%lld lets the results of two batches overlap",
                          (long long)p->stride_c);
    if (p->sum && PRODUCT(p->batch, p->k) >= CAIRN_HUGE)
        return cairn_fail(CAIRN_INVALID,
                          "gemm: a sum over batch=%lld and k=%lld has more than 2^60 terms",
                          (long long)p->batch, (long long)p->k);
    return CAIRN_OK;
}

static double flops(const struct cairn_problem *problem)
{
    const struct cairn_gemm *p = &problem->u.gemm;
    return 2.0 * (double)p->batch * (double)p->m * (double)p->n * (double)p->k;
}

const struct cairn_schema cairn_schema_gemm = {
    "gemm", CAIRN_OP_GEMM, sizeof(struct cairn_gemm), fields, operands, complete, flops,
};
