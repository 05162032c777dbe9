/* Reductions: chunks, then the tree of chunks where there is more than one. */
#include "opencl/shape.h"

#define CHUNK 4096 /* as SUM_CHUNK and SUM_LANES in cl/sum.h */
#define LANES 64
#define COLUMNS 16 /* of a "columns" work-item */
#define WIDE 16    /* columns of a group where they are neighbours in memory */
#define MOST_CHUNKS                                                                                \
    32768u /* groups stride over the chunks: some devices take 65535 in the second dimension */

static const char *const options[] = {"-DKIND=0", "-DKIND=1", "-DKIND=2"};

static int64_t chunks_of(const struct cairn_reduce *p)
{
    return (p->n1 * p->n2 + CHUNK - 1) / CHUNK;
}

int ocl_reduce_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                        struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    const struct cairn_reduce *p = &problem->u.reduce;
    int64_t chunks = chunks_of(p);
    return ocl_shape_variants(backend, 1, chunks > 1 ? p->c * chunks : 0, variants);
}

/* c = 1 is one long row. */
static cairn_status chunks_cpu(struct ocl_backend *be, const struct cairn_reduce *p,
                               const struct cairn_mem *to)
{
    cairn_status st = CAIRN_OK;
    uint64_t c = (uint64_t)p->c, total = (uint64_t)(p->n1 * p->n2),
             n2 = c == 1 ? total : (uint64_t)p->n2;
    uint32_t chunks = (uint32_t)chunks_of(p);
    size_t global = (size_t)c * chunks, local = 1;
    cl_kernel kernel;
    if (n2 > 1 || c == 1) {
        TRY(ocl_kernel(be, "reduce.cl", options[p->kind], "reduce_rows", &kernel));
        TRY(ocl_launch(be, kernel, 1, &global, &local, "mmUUUu", &p->x, to, c, n2, total, chunks));
        goto out;
    }
    global = (size_t)((c + COLUMNS - 1) / COLUMNS) * chunks;
    TRY(ocl_kernel(be, "reduce.cl", options[p->kind], "reduce_columns", &kernel));
    TRY(ocl_launch(be, kernel, 1, &global, &local, "mmUUu", &p->x, to, c, total, chunks));
out:
    return st;
}

static cairn_status chunks_gpu(struct ocl_backend *be, const struct cairn_reduce *p,
                               const struct cairn_mem *to)
{
    cairn_status st = CAIRN_OK;
    uint64_t c = (uint64_t)p->c, total = (uint64_t)(p->n1 * p->n2), chunks = (uint64_t)chunks_of(p);
    size_t limit = 0, wide = p->n2 == 1 && c >= WIDE ? WIDE : 1;
    cl_ulong local_bytes;
    cl_kernel kernel;
    TRY(ocl_kernel(be, "reduce.cl", options[p->kind], "reduce_group", &kernel));
    TRY(ocl_kernel_limits(be, kernel, &limit, &local_bytes));
    if (limit > 256) limit = 256;
    if (wide > limit) wide = 1;
    size_t tall = limit / wide < LANES ? limit / wide : LANES;
    size_t local[2] = {wide, tall},
           global[2] = {((size_t)c + wide - 1) / wide * wide,
                        (size_t)(chunks < MOST_CHUNKS ? chunks : MOST_CHUNKS) * tall};
    TRY(ocl_launch(be, kernel, 2, global, local, "mmUUUUL", &p->x, to, c, (uint64_t)p->n2, total,
                   chunks, LANES * wide * sizeof(float)));
out:
    return st;
}

cairn_status ocl_reduce(struct cairn_backend *backend, const struct cairn_reduce *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    int64_t chunks = chunks_of(p);
    const struct cairn_mem *to = chunks > 1 ? &p->work : &p->y;
    cl_kernel kernel;
    TRY(variant == OCL_SHAPE_CPU ? chunks_cpu(be, p, to) : chunks_gpu(be, p, to));
    if (chunks > 1) {
        TRY(ocl_kernel(be, "reduce.cl", options[p->kind], "reduce_tree", &kernel));
        TRY(ocl_launch_1d(be, kernel, p->c, 0, "mmUu", to, &p->y, (uint64_t)p->c,
                          (uint32_t)chunks));
    }
out:
    return st;
}
