/* CLBlast's product, a candidate of fast arithmetic: https://github.com/CNugteren/CLBlast.
 *
 * Invariant: it is listed with math = fast only and never preferred: its order of additions is its
 * own, and one wrong set of its parameters gives wrong results without a word. `cairn tune` checks
 * it on the device before it is used. Its first use compiles a large program. */
#include "opencl/gemm-launch.h"
#include "opencl/runtime.h"

#ifdef CAIRN_WITH_CLBLAST
#include <clblast_c.h>

int ocl_clblast_admitted(const struct ocl_backend *be)
{
    return be->base.options.math == CAIRN_MATH_FAST;
}

/* A matrix as CLBlast takes it. */
struct matrix {
    cl_mem mem;
    size_t offset, ld, stride;
};

static struct matrix matrix_of(const struct cairn_mem *mem, int64_t past, int64_t ld,
                               int64_t stride)
{
    return (struct matrix){((const struct ocl_buffer *)mem->buffer)->mem,
                           (size_t)(mem->offset + past), (size_t)ld, (size_t)stride};
}

/* c = op(a) op(b), or c + op(a) op(b) where `add` is 1; `count` of them. */
static cairn_status multiply(struct ocl_backend *be, const struct cairn_gemm *p, int64_t k,
                             struct matrix a, struct matrix b, struct matrix c, int64_t count,
                             int add)
{
    CLBlastTranspose ta = p->ta ? CLBlastTransposeYes : CLBlastTransposeNo,
                     tb = p->tb ? CLBlastTransposeYes : CLBlastTransposeNo;
    float beta = add ? 1.0f : 0.0f;
    size_t m = (size_t)p->m, n = (size_t)p->n;
    be->uses_clblast = 1;
    CLBlastStatusCode code =
        count == 1 ? CLBlastSgemm(CLBlastLayoutRowMajor, ta, tb, m, n, (size_t)k, 1.0f, a.mem,
                                  a.offset, a.ld, b.mem, b.offset, b.ld, beta, c.mem, c.offset,
                                  c.ld, &be->queue, NULL)
                   : CLBlastSgemmStridedBatched(CLBlastLayoutRowMajor, ta, tb, m, n, (size_t)k,
                                                1.0f, a.mem, a.offset, a.ld, a.stride, b.mem,
                                                b.offset, b.ld, b.stride, beta, c.mem, c.offset,
                                                c.ld, c.stride, (size_t)count, &be->queue, NULL);
    ocl_enqueued(be);
    if (code == CLBlastSuccess) return CAIRN_OK;
    int memory = code == CLBlastTempBufferAllocFailure || code == CLBlastOpenCLOutOfHostMemory;
    return cairn_fail(memory ? CAIRN_MEMORY : CAIRN_BUILD, "CLBlast's product failed with %d",
                      (int)code);
}

/* One slab of one group: for all batches, or the sum over them batch by batch. k0: where it begins
 * and k1 where it ends in the batches that the operands hold, flattened for a sum. */
static cairn_status multiply_slab(struct ocl_backend *be, const struct cairn_gemm *p, int64_t k0,
                                  int64_t k1, int64_t at_a, int64_t at_b,
                                  const struct ocl_gemm_part *part, int64_t at_c)
{
    cairn_status st = CAIRN_OK;
    int64_t next_a = p->ta ? p->lda : 1, next_b = p->tb ? 1 : p->ldb, start = k0;
    struct matrix c = matrix_of(&part->to, at_c, part->ld, part->stride_batch);
    while (k0 < k1) {
        int64_t batch = p->sum ? k0 / p->k : 0, from = k0 - batch * p->k;
        int64_t k = ocl_min(k1 - k0, p->k - from);
        struct matrix a =
            matrix_of(&p->a, at_a + batch * p->stride_a + from * next_a, p->lda, p->stride_a);
        struct matrix b =
            matrix_of(&p->b, at_b + batch * p->stride_b + from * next_b, p->ldb, p->stride_b);
        TRY(multiply(be, p, k, a, b, c, p->sum ? 1 : p->batch, k0 > start));
        k0 += k;
    }
out:
    return st;
}

cairn_status ocl_clblast_launch(struct ocl_backend *be, const struct cairn_gemm *p,
                                const struct ocl_gemm_cut *cut, const struct ocl_gemm_part *part)
{
    cairn_status st = CAIRN_OK;
    int64_t skipped = OCL_GEMM_SKIPPED(p, part), end = cut->k - skipped;
    if (ocl_noting(be)) return CAIRN_OK; /* the library compiles by itself */
    for (int64_t group = 0; group < part->of->groups; group++)
        for (int64_t slab = 0; slab < part->count; slab++) {
            int64_t k0 = (part->first + slab) * OCL_GEMM_SLAB - skipped;
            int64_t k1 = part->partial ? ocl_min(k0 + OCL_GEMM_SLAB, end) : end;
            TRY(multiply_slab(be, p, k0, k1, group * part->of->step_a, group * part->of->step_b,
                              part, group * part->step_group + slab * part->stride_slab));
        }
out:
    return st;
}

void ocl_clblast_release(struct ocl_backend *be)
{
    if (be->uses_clblast) (void)CLBlastClearCache();
}
#else
int ocl_clblast_admitted(const struct ocl_backend *be)
{
    (void)be;
    return 0;
}

cairn_status ocl_clblast_launch(struct ocl_backend *be, const struct cairn_gemm *p,
                                const struct ocl_gemm_cut *cut, const struct ocl_gemm_part *part)
{
    (void)be, (void)p, (void)cut, (void)part;
    return cairn_fail(CAIRN_UNSUPPORTED, "this program was built without CLBlast");
}

void ocl_clblast_release(struct ocl_backend *be)
{
    (void)be;
}
#endif
