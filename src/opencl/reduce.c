/* Reductions: chunks, then the tree of chunks where there is more than one. */
#include "opencl/builds.h"
#include "opencl/chunks.h"

#include <stdio.h>

#define CHUNK 4096 /* as SUM_CHUNK and SUM_LANES in cl/sum.h */
#define LANES 64
#define COLUMNS 16 /* of a "columns" or "narrow" work-item */
#define NARROW 16  /* shorter rows are not reduced one by one */
#define WIDE 16    /* columns of a group where they are neighbours in memory */

static const char *const options[] = {OCL_REDUCE_SUM, OCL_REDUCE_SUMSQ, OCL_REDUCE_MAX};

int64_t ocl_chunk_count(int64_t n1, int64_t n2)
{
    return (n1 * n2 + CHUNK - 1) / CHUNK;
}

static cairn_status init_group(struct ocl_chunks *launch, struct ocl_backend *be, int sums)
{
    cairn_status st = CAIRN_OK;
    size_t limit = 0, wide = launch->n2 == 1 && launch->c >= WIDE ? WIDE : 1;
    cl_ulong local_bytes;
    TRY(ocl_kernel_limits(be, launch->kernel, &limit, &local_bytes));
    if (limit > 256) limit = 256;
    if (wide > limit) wide = 1;
    size_t tall = limit / wide < LANES ? limit / wide : LANES;
    size_t groups = launch->chunks < OCL_MOST_CHUNK_GROUPS ? launch->chunks : OCL_MOST_CHUNK_GROUPS;
    launch->dims = 2;
    launch->local[0] = wide;
    launch->local[1] = tall;
    launch->global[0] = ((size_t)launch->c + wide - 1) / wide * wide;
    launch->global[1] = groups * tall;
    launch->bytes = (size_t)sums * LANES * wide * sizeof(float);
out:
    return st;
}

/* c = 1 is one long row. */
cairn_status ocl_chunks_init(struct ocl_chunks *launch, struct ocl_backend *be, int shape,
                             const char *file, const char *build, const char *stem, int sums,
                             int64_t n1, int64_t c, int64_t n2)
{
    cairn_status st = CAIRN_OK;
    char name[64];
    int rows = n2 >= NARROW || c == 1;
    *launch = (struct ocl_chunks){.dims = 1, .local = {1, 1}, .global = {1, 1}};
    launch->c = (uint64_t)c;
    launch->total = (uint64_t)(n1 * n2);
    launch->n2 = c == 1 ? launch->total : (uint64_t)n2;
    launch->chunks = (uint32_t)ocl_chunk_count(n1, n2);
    snprintf(name, sizeof name, "%s_%s", stem,
             shape == OCL_SHAPE_GPU ? "group"
             : rows                 ? "rows"
             : n2 > 1               ? "narrow"
                                    : "columns");
    TRY(ocl_kernel(be, file, build, name, &launch->kernel));
    if (shape == OCL_SHAPE_GPU) {
        TRY(init_group(launch, be, sums));
        goto out;
    }
    launch->global[0] =
        (size_t)(rows ? launch->c : (launch->c + COLUMNS - 1) / COLUMNS) * launch->chunks;
out:
    return st;
}

cairn_status ocl_chunks_join(struct ocl_backend *be, cl_kernel kernel, int shape, int64_t c,
                             int64_t chunks, size_t *global, size_t *local)
{
    cairn_status st = CAIRN_OK;
    size_t limit = 0;
    cl_ulong local_bytes;
    TRY(ocl_kernel_limits(be, kernel, &limit, &local_bytes));
    if (limit > LANES) limit = LANES;
    *local = shape == OCL_SHAPE_GPU && chunks > 1 ? limit : 1;
    *global = (size_t)c * *local;
out:
    return st;
}

int ocl_reduce_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                        struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    const struct cairn_reduce *p = &problem->u.reduce;
    int64_t chunks = ocl_chunk_count(p->n1, p->n2);
    return ocl_shape_variants(backend, 1, chunks > 1 ? p->c * chunks : 0, variants);
}

cairn_status ocl_reduce(struct cairn_backend *backend, const struct cairn_reduce *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    struct ocl_chunks sum;
    size_t global, local;
    cl_kernel kernel;
    TRY(ocl_chunks_init(&sum, be, variant, "reduce.cl", options[p->kind], "reduce", 1, p->n1, p->c,
                        p->n2));
    const struct cairn_mem *to = sum.chunks > 1 ? &p->work : &p->y;
    TRY(ocl_launch(be, OCL_CHUNKS(&sum, "m"), &p->x, OCL_CHUNKS_TO(&sum, to)));
    if (sum.chunks > 1) {
        TRY(ocl_kernel(be, "reduce.cl", options[p->kind], "reduce_tree", &kernel));
        TRY(ocl_chunks_join(be, kernel, variant, p->c, sum.chunks, &global, &local));
        TRY(ocl_launch(be, kernel, 1, &global, &local, "mmUuL", to, &p->y, sum.c, sum.chunks,
                       local * sizeof(float)));
    }
out:
    return st;
}
