#include "reference/reference.h"

#include <string.h>

struct operands {
    const struct cairn_gemm *p;
    const float *a, *b, *bias;
    float *c;
};

/* With sum = 1 the flattened index q is (batch, k); otherwise the batch is in the pointers already
 * and q is k. */
static const float *at(const float *base, int64_t q, int64_t k, int64_t stride, int64_t step)
{
    return base + q / k * stride + q % k * step;
}

static void rows(const void *context, int64_t i0, int64_t rows_, int64_t k0, int64_t len,
                 float panel[][REF_BLOCK])
{
    const struct operands *o = context;
    const struct cairn_gemm *p = o->p;
    for (int64_t l = 0, run; l < len; l += run) { /* runs of k inside one batch */
        run = ref_min(len - l, p->k - (k0 + l) % p->k);
        const float *a = at(o->a, k0 + l, p->k, p->stride_a, p->ta ? p->lda : 1);
        if (p->ta)
            for (int64_t s = 0; s < run; s++)
                for (int64_t r = 0; r < rows_; r++) panel[r][l + s] = a[s * p->lda + i0 + r];
        else
            for (int64_t r = 0; r < rows_; r++)
                memcpy(&panel[r][l], a + (i0 + r) * p->lda, (size_t)run * sizeof *a);
    }
}

static void cols(const void *context, int64_t k0, int64_t len, int64_t j0, int64_t cols_,
                 float panel[][REF_COLS])
{
    const struct operands *o = context;
    const struct cairn_gemm *p = o->p;
    for (int64_t l = 0, run; l < len; l += run) {
        run = ref_min(len - l, p->k - (k0 + l) % p->k);
        const float *b = at(o->b, k0 + l, p->k, p->stride_b, p->tb ? 1 : p->ldb);
        if (p->tb)
            for (int64_t x = 0; x < cols_; x++)
                for (int64_t s = 0; s < run; s++) panel[l + s][x] = b[(j0 + x) * p->ldb + s];
        else
            for (int64_t s = 0; s < run; s++)
                memcpy(panel[l + s], b + s * p->ldb + j0, (size_t)cols_ * sizeof *b);
    }
}

static void store(const void *context, int64_t i0, int64_t rows_, int64_t j0, int64_t cols_,
                  float tile[][REF_COLS])
{
    const struct operands *o = context;
    for (int64_t r = 0; r < rows_; r++) {
        float *c = o->c + (i0 + r) * o->p->ldc + j0;
        for (int64_t x = 0; x < cols_; x++) {
            float v = tile[r][x];
            if (o->p->bias == CAIRN_BIAS_N) v = v + o->bias[j0 + x];
            if (o->p->bias == CAIRN_BIAS_M) v = v + o->bias[i0 + r];
            c[x] = v;
        }
        ref_activate((enum cairn_activation_kind)o->p->act, c, c, cols_);
    }
}

cairn_status ref_gemm(struct cairn_backend *backend, const struct cairn_gemm *p, int variant)
{
    (void)variant;
    const float *bias = p->bias == CAIRN_BIAS_NONE ? NULL : ref_floats(&p->bias_v);
    int64_t results = p->sum ? 1 : p->batch;
    for (int64_t b = 0; b < results; b++) {
        struct operands o = {p, ref_floats(&p->a) + b * p->stride_a,
                             ref_floats(&p->b) + b * p->stride_b, bias,
                             ref_floats(&p->c) + b * p->stride_c};
        ref_product(&(struct ref_product){backend, p->m, p->n, p->sum ? p->batch * p->k : p->k, &o,
                                          rows, cols, store});
    }
    return CAIRN_OK;
}
