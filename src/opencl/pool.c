/* Pooling and its gradient. */
#include "opencl/shape.h"

#include "device/schema.h"

int ocl_pool_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                      struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    const struct cairn_pool *p = &problem->u.pool;
    return ocl_shape_variants(backend, cairn_pool_oh(p) * cairn_pool_ow(p), 0, variants);
}

int ocl_pool_grad_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                           struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    return ocl_shape_variants(backend, problem->u.pool.h * problem->u.pool.w, 0, variants);
}

/* Windows of 2 x 2, two apart, that cover the planes from their corner: the kernels _pairs_cpu. */
static int is_pairs(const struct cairn_pool *p)
{
    int64_t oh = cairn_pool_oh(p), ow = cairn_pool_ow(p);
    return p->kh == 2 && p->kw == 2 && p->stride_h == 2 && p->stride_w == 2 && p->pad_t == 0 &&
           p->pad_l == 0 && oh == p->h / 2 && ow == p->w / 2 && ow >= 4;
}

#define PAIRS "mmmiiiili" /* then act, where the kernel takes it */
static cairn_status run_pairs(struct ocl_backend *be, const struct cairn_pool *p, const char *name,
                              const struct cairn_mem *a, const struct cairn_mem *b,
                              const struct cairn_mem *c, const char *format)
{
    cairn_status st = CAIRN_OK;
    int64_t oh = cairn_pool_oh(p), ow = cairn_pool_ow(p), all = p->planes * oh,
            rows = ocl_shape_share(all, 4 * ow);
    size_t global = (size_t)((all + rows - 1) / rows), local = 1;
    cl_kernel kernel;
    TRY(ocl_kernel(be, "pool.cl", NULL, name, &kernel));
    TRY(ocl_launch(be, kernel, 1, &global, &local, format, a, b, c, (int)p->h, (int)p->w, (int)oh,
                   (int)ow, all, (int)rows, (int)p->act));
out:
    return st;
}

static cairn_status pool_cpu(struct ocl_backend *be, const struct cairn_pool *p)
{
    cairn_status st = CAIRN_OK;
    int64_t oh = cairn_pool_oh(p), ow = cairn_pool_ow(p), rows = ocl_shape_rows(oh, ow),
            blocks = (oh + rows - 1) / rows;
    size_t global = (size_t)(p->planes * blocks), local = 1;
    cl_kernel kernel;
    if (is_pairs(p)) return run_pairs(be, p, "pool_pairs_cpu", &p->x, &p->y, &p->index, PAIRS "i");
    TRY(ocl_kernel(be, "pool.cl", NULL, "pool_cpu", &kernel));
    TRY(ocl_launch(be, kernel, 1, &global, &local, "mmmiiiiiiiiiiiii", &p->x, &p->y, &p->index,
                   (int)p->h, (int)p->w, (int)p->kh, (int)p->kw, (int)p->stride_h, (int)p->stride_w,
                   (int)p->pad_t, (int)p->pad_l, (int)oh, (int)ow, (int)p->act, (int)rows,
                   (int)blocks));
out:
    return st;
}

static cairn_status pool_gpu(struct ocl_backend *be, const struct cairn_pool *p)
{
    cairn_status st = CAIRN_OK;
    int64_t oh = cairn_pool_oh(p), ow = cairn_pool_ow(p),
            step = ocl_shape_planes(p->planes, oh * ow);
    cl_kernel kernel;
    TRY(ocl_kernel(be, "pool.cl", NULL, "pool_gpu", &kernel));
    for (int64_t base = 0; base < p->planes; base += step) {
        int64_t items = (p->planes - base < step ? p->planes - base : step) * oh * ow;
        TRY(ocl_launch_1d(be, kernel, items, 0, "mmmUuiiiiiiiiiii", &p->x, &p->y, &p->index,
                          (uint64_t)base, (uint32_t)items, (int)p->h, (int)p->w, (int)p->kh,
                          (int)p->kw, (int)p->stride_h, (int)p->stride_w, (int)p->pad_t,
                          (int)p->pad_l, (int)oh, (int)ow, (int)p->act));
    }
out:
    return st;
}

/* One window that holds each whole plane. */
static int is_whole(const struct cairn_pool *p)
{
    return p->kh - p->pad_t >= p->h && p->kw - p->pad_l >= p->w && cairn_pool_oh(p) == 1 &&
           cairn_pool_ow(p) == 1;
}

/* The size of every window, or 0 where those at the edge are smaller. */
static double fixed_size(const struct cairn_pool *p)
{
    if (p->count_pad) return (double)(float)(p->kh * p->kw);
    return is_whole(p) ? (double)(float)(p->h * p->w) : 0;
}

#define MEAN_SHAPE                                                                                 \
    (int)p->h, (int)p->w, (int)p->kh, (int)p->kw, (int)p->stride_h, (int)p->stride_w,              \
        (int)p->pad_t, (int)p->pad_l, (int)cairn_pool_oh(p), (int)cairn_pool_ow(p), fixed_size(p)

static cairn_status mean_cpu(struct ocl_backend *be, const struct cairn_pool *p)
{
    cairn_status st = CAIRN_OK;
    int64_t total = p->planes * cairn_pool_oh(p),
            rows = ocl_shape_share(total, PRODUCT(cairn_pool_ow(p), p->kh, p->kw));
    size_t global = (size_t)((total + rows - 1) / rows), local = 1;
    cl_kernel kernel;
    if (is_whole(p)) {
        rows = (rows + 7) / 8 * 8;
        global = (size_t)((total + rows - 1) / rows);
        TRY(ocl_kernel(be, "pool-mean.cl", NULL, "mean_planes_cpu", &kernel));
        TRY(ocl_launch(be, kernel, 1, &global, &local, "mmliif", &p->x, &p->y, p->planes, (int)rows,
                       (int)(p->h * p->w), fixed_size(p)));
    } else {
        TRY(ocl_kernel(be, "pool-mean.cl", NULL, "mean_cpu", &kernel));
        TRY(ocl_launch(be, kernel, 1, &global, &local, "mmliiiiiiiiiiif", &p->x, &p->y, total,
                       (int)rows, MEAN_SHAPE));
    }
out:
    return st;
}

#define MEAN_TILE 32 /* as in cl/pool-mean.cl */
static cairn_status mean_planes_gpu(struct ocl_backend *be, const struct cairn_pool *p)
{
    cairn_status st = CAIRN_OK;
    size_t group;
    cl_ulong used;
    cl_kernel kernel;
    TRY(ocl_kernel(be, "pool-mean.cl", NULL, "mean_planes_gpu", &kernel));
    TRY(ocl_kernel_limits(be, kernel, &group, &used));
    if (group > 64) group = 64;
    int64_t step = ocl_shape_planes(p->planes, 1);
    for (int64_t base = 0; base < p->planes; base += step) {
        int64_t items = p->planes - base < step ? p->planes - base : step;
        size_t global = ((size_t)items + group - 1) / group * group;
        TRY(ocl_launch(be, kernel, 1, &global, &group, "mmUuifL", &p->x, &p->y, (uint64_t)base,
                       (uint32_t)items, (int)(p->h * p->w), fixed_size(p),
                       group * (MEAN_TILE + 1) * sizeof(float)));
    }
out:
    return st;
}

static cairn_status mean_gpu(struct ocl_backend *be, const struct cairn_pool *p)
{
    cairn_status st = CAIRN_OK;
    int64_t size = cairn_pool_oh(p) * cairn_pool_ow(p), step = ocl_shape_planes(p->planes, size);
    cl_kernel kernel;
    if (is_whole(p)) return mean_planes_gpu(be, p);
    TRY(ocl_kernel(be, "pool-mean.cl", NULL, "mean_gpu", &kernel));
    for (int64_t base = 0; base < p->planes; base += step) {
        int64_t items = (p->planes - base < step ? p->planes - base : step) * size;
        TRY(ocl_launch_1d(be, kernel, items, 0, "mmUuiiiiiiiiiif", &p->x, &p->y, (uint64_t)base,
                          (uint32_t)items, MEAN_SHAPE));
    }
out:
    return st;
}

cairn_status ocl_pool(struct cairn_backend *backend, const struct cairn_pool *p, int variant)
{
    struct ocl_backend *be = ocl_of(backend);
    if (p->kind == CAIRN_POOL_AVERAGE)
        return variant == OCL_SHAPE_CPU ? mean_cpu(be, p) : mean_gpu(be, p);
    return variant == OCL_SHAPE_CPU ? pool_cpu(ocl_of(backend), p) : pool_gpu(ocl_of(backend), p);
}

static cairn_status pool_grad_cpu(struct ocl_backend *be, const struct cairn_pool *p)
{
    cairn_status st = CAIRN_OK;
    int64_t rows = ocl_shape_rows(p->h, p->w), blocks = (p->h + rows - 1) / rows;
    size_t global = (size_t)(p->planes * blocks), local = 1;
    cl_kernel kernel;
    if (is_pairs(p)) return run_pairs(be, p, "pool_grad_pairs_cpu", &p->y, &p->index, &p->x, PAIRS);
    TRY(ocl_kernel(be, "pool.cl", NULL, "pool_grad_cpu", &kernel));
    TRY(ocl_launch(be, kernel, 1, &global, &local, "mmmiiiiiiiii", &p->y, &p->index, &p->x,
                   (int)p->h, (int)p->w, (int)p->kh, (int)p->stride_h, (int)p->pad_t,
                   (int)cairn_pool_oh(p), (int)cairn_pool_ow(p), (int)rows, (int)blocks));
out:
    return st;
}

static cairn_status pool_grad_gpu(struct ocl_backend *be, const struct cairn_pool *p)
{
    cairn_status st = CAIRN_OK;
    int64_t size = p->h * p->w, step = ocl_shape_planes(p->planes, size);
    cl_kernel kernel;
    TRY(ocl_kernel(be, "pool.cl", NULL, "pool_grad_gpu", &kernel));
    for (int64_t base = 0; base < p->planes; base += step) {
        int64_t items = (p->planes - base < step ? p->planes - base : step) * size;
        TRY(ocl_launch_1d(be, kernel, items, 0, "mmmUuiiiiiiiiii", &p->y, &p->index, &p->x,
                          (uint64_t)base, (uint32_t)items, (int)p->h, (int)p->w, (int)p->kh,
                          (int)p->kw, (int)p->stride_h, (int)p->stride_w, (int)p->pad_t,
                          (int)p->pad_l, (int)cairn_pool_oh(p), (int)cairn_pool_ow(p)));
    }
out:
    return st;
}

static cairn_status mean_grad_cpu(struct ocl_backend *be, const struct cairn_pool *p)
{
    cairn_status st = CAIRN_OK;
    int64_t total = p->planes * p->h, rows = ocl_shape_share(total, p->w);
    size_t global = (size_t)((total + rows - 1) / rows), local = 1;
    cl_kernel kernel;
    TRY(ocl_kernel(be, "pool-mean.cl", NULL, "mean_grad_cpu", &kernel));
    TRY(ocl_launch(be, kernel, 1, &global, &local, "mmliiiiiiiiiiif", &p->y, &p->x, total,
                   (int)rows, MEAN_SHAPE));
out:
    return st;
}

static cairn_status mean_grad_gpu(struct ocl_backend *be, const struct cairn_pool *p)
{
    cairn_status st = CAIRN_OK;
    int64_t size = p->h * p->w, step = ocl_shape_planes(p->planes, size);
    cl_kernel kernel;
    TRY(ocl_kernel(be, "pool-mean.cl", NULL, "mean_grad_gpu", &kernel));
    for (int64_t base = 0; base < p->planes; base += step) {
        int64_t items = (p->planes - base < step ? p->planes - base : step) * size;
        TRY(ocl_launch_1d(be, kernel, items, 0, "mmUuiiiiiiiiiif", &p->y, &p->x, (uint64_t)base,
                          (uint32_t)items, MEAN_SHAPE));
    }
out:
    return st;
}

cairn_status ocl_pool_grad(struct cairn_backend *backend, const struct cairn_pool *p, int variant)
{
    if (p->kind == CAIRN_POOL_AVERAGE)
        return variant == OCL_SHAPE_CPU ? mean_grad_cpu(ocl_of(backend), p)
                                        : mean_grad_gpu(ocl_of(backend), p);
    return variant == OCL_SHAPE_CPU ? pool_grad_cpu(ocl_of(backend), p)
                                    : pool_grad_gpu(ocl_of(backend), p);
}
