/* Dropout: one launch over the Philox blocks of four elements. */
#include "opencl/shape.h"

#define BLOCKS 32 /* of a set, as in cl/dropout.cl */

int ocl_dropout_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                         struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    (void)problem;
    return ocl_shape_variants(backend, 4, 0, variants);
}

cairn_status ocl_dropout(struct cairn_backend *backend, const struct cairn_dropout *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    int64_t blocks = (p->first + p->count - 1) / 4 - p->first / 4 + 1,
            all = (blocks + BLOCKS - 1) / BLOCKS, sets = ocl_shape_share(all, 4 * BLOCKS);
    float scale = 1.0f / (1.0f - p->rate);
    size_t global = (size_t)((all + sets - 1) / sets), local = 1;
    TRY(ocl_kernel(be, "dropout.cl", NULL, variant == OCL_SHAPE_CPU ? "dropout_cpu" : "dropout_gpu",
                   &kernel));
#define FORMAT "mmlUUuuff"
#define ARGUMENTS                                                                                  \
    &p->x, &p->y, p->count, (uint64_t)p->first, p->seed, (uint32_t)p->stream, (uint32_t)p->step,   \
        (double)p->rate, (double)scale
    TRY(variant == OCL_SHAPE_CPU
            ? ocl_launch(be, kernel, 1, &global, &local, FORMAT "i", ARGUMENTS, (int)sets)
            : ocl_launch_1d(be, kernel, blocks, 0, FORMAT, ARGUMENTS));
out:
    return st;
}
