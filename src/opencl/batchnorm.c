/* Batch normalisation: sums over channels by the kernels of chunks.h, each joined and finished by a
 * launch of its own; then one launch over the elements. */
#include "opencl/builds.h"
#include "opencl/chunks.h"

#define FILE_NAME "batchnorm.cl"
#define STATS OCL_BATCHNORM_STATS
#define NORM OCL_BATCHNORM_NORM
#define GRAD OCL_BATCHNORM_GRAD

/* The three descriptors begin alike. */
static int list(struct cairn_backend *backend, const struct cairn_problem *problem, int64_t work,
                struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    const struct cairn_batchnorm *p = &problem->u.batchnorm;
    return ocl_shape_variants(backend, p->c * p->n2, work, variants);
}

/* The chunks of one sum. */
int ocl_batchnorm_stats_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                                 struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    const struct cairn_batchnorm_stats *p = &problem->u.batchnorm_stats;
    return list(backend, problem, p->c * ocl_chunk_count(p->n1, p->n2), variants);
}

int ocl_batchnorm_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                           struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    return list(backend, problem, 0, variants);
}

/* k1 and k2 of every channel, then the chunks of two sums. */
int ocl_batchnorm_grad_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                                struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    const struct cairn_batchnorm_grad *p = &problem->u.batchnorm_grad;
    return list(backend, problem, 2 * p->c * (1 + ocl_chunk_count(p->n1, p->n2)), variants);
}

cairn_status ocl_batchnorm_stats(struct cairn_backend *backend,
                                 const struct cairn_batchnorm_stats *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    struct ocl_chunks sum, deviations;
    size_t global, local;
    int64_t count = p->n1 * p->n2;
    float n = (float)count, less = count > 1 ? (float)(count - 1) : n;
    cl_kernel mean, spread;
    TRY(ocl_chunks_init(&sum, be, variant, "reduce.cl", OCL_REDUCE_SUM, "reduce", 1, p->n1, p->c,
                        p->n2));
    TRY(ocl_chunks_init(&deviations, be, variant, FILE_NAME, STATS, "batchnorm_deviations", 1,
                        p->n1, p->c, p->n2));
    TRY(ocl_kernel(be, FILE_NAME, STATS, "batchnorm_mean", &mean));
    TRY(ocl_kernel(be, FILE_NAME, STATS, "batchnorm_spread", &spread));

    TRY(ocl_launch(be, OCL_CHUNKS(&sum, "m"), &p->x, OCL_CHUNKS_TO(&sum, &p->work)));
    TRY(ocl_chunks_join(be, mean, variant, p->c, sum.chunks, &global, &local));
    TRY(ocl_launch(be, mean, 1, &global, &local, "mmUufL", &p->work, &p->mean, sum.c, sum.chunks,
                   (double)n, local * sizeof(float)));
    TRY(ocl_launch(be, OCL_CHUNKS(&deviations, "mm"), &p->x, &p->mean,
                   OCL_CHUNKS_TO(&deviations, &p->work)));
    TRY(ocl_chunks_join(be, spread, variant, p->c, sum.chunks, &global, &local));
    TRY(ocl_launch(be, spread, 1, &global, &local, "mmmmmUuffffL", &p->work, &p->mean, &p->rstd,
                   &p->running_mean, &p->running_var, sum.c, sum.chunks, (double)n, (double)less,
                   (double)p->momentum, (double)p->epsilon, local * sizeof(float)));
out:
    return st;
}

#define NARROW 16     /* shorter rows of one channel go together, */
#define NEAR 16384    /* unless theirs lie farther apart than so many elements */
#define TALL_MOST 128 /* rows of a block */

static int goes_by_columns(int64_t c, int64_t n2)
{
    return n2 == 1 || (n2 < NARROW && c * n2 <= NEAR);
}

/* Blocks of many rows, since what belongs to a channel is spread over a vector for each. */
static struct ocl_blocks column_blocks(int64_t rows, int64_t size)
{
    struct ocl_blocks b = {(uint64_t)ocl_min(rows, TALL_MOST), 16, 0, 0};
    if (OCL_ROWS_ELEMENTS / b.rows > 16) b.length = OCL_ROWS_ELEMENTS / b.rows / 16 * 16;
    b.pieces = ((uint64_t)size + b.length - 1) / b.length;
    b.items = (size_t)(((uint64_t)rows + b.rows - 1) / b.rows * b.pieces);
    return b;
}

#define FORWARD                                                                                    \
    &p->x, &p->mean, &p->rstd, &p->gamma, &p->beta, &p->y, (int)p->inference, (double)p->epsilon

static cairn_status forward_cpu(struct ocl_backend *be, const struct cairn_batchnorm *p)
{
    cairn_status st = CAIRN_OK;
    int columns = goes_by_columns(p->c, p->n2);
    int64_t rows = columns ? p->n1 : p->n1 * p->c;
    struct ocl_blocks b =
        columns ? column_blocks(rows, p->c * p->n2) : ocl_shape_blocks(rows, p->n2);
    size_t local = 1;
    cl_kernel kernel;
    TRY(ocl_kernel(be, FILE_NAME, NORM, columns ? "batchnorm_columns" : "batchnorm_rows", &kernel));
    TRY(ocl_launch(be, kernel, 1, &b.items, &local, "mmmmmmifUUUUUU", FORWARD, (uint64_t)p->c,
                   (uint64_t)p->n2, (uint64_t)rows, b.rows, b.length, b.pieces));
out:
    return st;
}

static cairn_status forward_gpu(struct ocl_backend *be, const struct cairn_batchnorm *p)
{
    cairn_status st = CAIRN_OK;
    int64_t size = p->c * p->n2, step = ocl_shape_planes(p->n1, size);
    cl_kernel kernel;
    TRY(ocl_kernel(be, FILE_NAME, NORM, "batchnorm_gpu", &kernel));
    for (int64_t i = 0; i < p->n1; i += step) {
        int64_t items = (p->n1 - i < step ? p->n1 - i : step) * size;
        TRY(ocl_launch_1d(be, kernel, items, 0, "mmmmmmifUuuu", FORWARD, (uint64_t)(i * size),
                          (uint32_t)items, (uint32_t)p->c, (uint32_t)p->n2));
    }
out:
    return st;
}

cairn_status ocl_batchnorm(struct cairn_backend *backend, const struct cairn_batchnorm *p,
                           int variant)
{
    struct ocl_backend *be = ocl_of(backend);
    return variant == OCL_SHAPE_CPU ? forward_cpu(be, p) : forward_gpu(be, p);
}

/* The elements of the gradient; the sums are there, k1 and k2 begin the workspace. */
#define BACKWARD &p->x, &p->dy, &p->mean, &p->rstd, &p->gamma, &p->work, &p->dx

static cairn_status backward_cpu(struct ocl_backend *be, const struct cairn_batchnorm_grad *p)
{
    cairn_status st = CAIRN_OK;
    int columns = goes_by_columns(p->c, p->n2);
    int64_t rows = columns ? p->n1 : p->n1 * p->c;
    struct ocl_blocks b =
        columns ? column_blocks(rows, p->c * p->n2) : ocl_shape_blocks(rows, p->n2);
    size_t local = 1;
    cl_kernel kernel;
    TRY(ocl_kernel(be, FILE_NAME, GRAD, columns ? "batchnorm_grad_columns" : "batchnorm_grad_rows",
                   &kernel));
    TRY(ocl_launch(be, kernel, 1, &b.items, &local, "mmmmmmmUUUUUU", BACKWARD, (uint64_t)p->c,
                   (uint64_t)p->n2, (uint64_t)rows, b.rows, b.length, b.pieces));
out:
    return st;
}

static cairn_status backward_gpu(struct ocl_backend *be, const struct cairn_batchnorm_grad *p)
{
    cairn_status st = CAIRN_OK;
    int64_t size = p->c * p->n2, step = ocl_shape_planes(p->n1, size);
    cl_kernel kernel;
    TRY(ocl_kernel(be, FILE_NAME, GRAD, "batchnorm_grad_gpu", &kernel));
    for (int64_t i = 0; i < p->n1; i += step) {
        int64_t items = (p->n1 - i < step ? p->n1 - i : step) * size;
        TRY(ocl_launch_1d(be, kernel, items, 0, "mmmmmmmUuuu", BACKWARD, (uint64_t)(i * size),
                          (uint32_t)items, (uint32_t)p->c, (uint32_t)p->n2));
    }
out:
    return st;
}

cairn_status ocl_batchnorm_grad(struct cairn_backend *backend, const struct cairn_batchnorm_grad *p,
                                int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    struct ocl_chunks slopes;
    struct cairn_mem chunks = {p->work.buffer, p->work.offset + 2 * p->c};
    size_t global, local;
    cl_kernel sums;
    TRY(ocl_chunks_init(&slopes, be, variant, FILE_NAME, GRAD, "batchnorm_slopes", 2, p->n1, p->c,
                        p->n2));
    TRY(ocl_kernel(be, FILE_NAME, GRAD, "batchnorm_sums", &sums));
    TRY(ocl_launch(be, OCL_CHUNKS(&slopes, "mmmm"), &p->x, &p->dy, &p->mean, &p->rstd,
                   OCL_CHUNKS_TO(&slopes, &chunks)));
    TRY(ocl_chunks_join(be, sums, variant, p->c, slopes.chunks, &global, &local));
    TRY(ocl_launch(be, sums, 1, &global, &local, "mmmmUufL", &chunks, &p->dbeta, &p->dgamma,
                   &p->work, slopes.c, slopes.chunks, (double)(float)(p->n1 * p->n2),
                   local * sizeof(float)));
    TRY(variant == OCL_SHAPE_CPU ? backward_cpu(be, p) : backward_gpu(be, p));
out:
    return st;
}
