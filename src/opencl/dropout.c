/* Dropout: one launch, a work-item per block of four random words. */
#include "opencl/opencl.h"

int ocl_dropout_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                         struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    (void)backend;
    (void)problem;
    return ocl_one_variant(variants);
}

cairn_status ocl_dropout(struct cairn_backend *backend, const struct cairn_dropout *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    int64_t blocks = (p->first + p->count - 1) / 4 - p->first / 4 + 1;
    float scale = 1.0f / (1.0f - p->rate);
    (void)variant;
    TRY(ocl_kernel(be, "dropout.cl", NULL, "dropout", &kernel));
    TRY(ocl_launch_1d(be, kernel, blocks, 0, "mmlUUuuff", &p->x, &p->y, p->count,
                      (uint64_t)p->first, p->seed, (uint32_t)p->stream, (uint32_t)p->step,
                      (double)p->rate, (double)scale));
out:
    return st;
}
