/* Max pooling and its gradient. */
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

static cairn_status pool_cpu(struct ocl_backend *be, const struct cairn_pool *p)
{
    cairn_status st = CAIRN_OK;
    int64_t oh = cairn_pool_oh(p), ow = cairn_pool_ow(p), rows = ocl_shape_rows(oh, ow),
            blocks = (oh + rows - 1) / rows;
    size_t global = (size_t)(p->planes * blocks), local = 1;
    cl_kernel kernel;
    TRY(ocl_kernel(be, "pool.cl", NULL, "pool_cpu", &kernel));
    TRY(ocl_launch(be, kernel, 1, &global, &local, "mmmiiiiiiiiiiii", &p->x, &p->y, &p->index,
                   (int)p->h, (int)p->w, (int)p->kh, (int)p->kw, (int)p->stride_h, (int)p->stride_w,
                   (int)p->pad_t, (int)p->pad_l, (int)oh, (int)ow, (int)rows, (int)blocks));
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
        TRY(ocl_launch_1d(be, kernel, items, 0, "mmmUuiiiiiiiiii", &p->x, &p->y, &p->index,
                          (uint64_t)base, (uint32_t)items, (int)p->h, (int)p->w, (int)p->kh,
                          (int)p->kw, (int)p->stride_h, (int)p->stride_w, (int)p->pad_t,
                          (int)p->pad_l, (int)oh, (int)ow));
    }
out:
    return st;
}

cairn_status ocl_pool(struct cairn_backend *backend, const struct cairn_pool *p, int variant)
{
    return variant == OCL_SHAPE_CPU ? pool_cpu(ocl_of(backend), p) : pool_gpu(ocl_of(backend), p);
}

static cairn_status pool_grad_cpu(struct ocl_backend *be, const struct cairn_pool *p)
{
    cairn_status st = CAIRN_OK;
    int64_t rows = ocl_shape_rows(p->h, p->w), blocks = (p->h + rows - 1) / rows;
    size_t global = (size_t)(p->planes * blocks), local = 1;
    cl_kernel kernel;
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

cairn_status ocl_pool_grad(struct cairn_backend *backend, const struct cairn_pool *p, int variant)
{
    return variant == OCL_SHAPE_CPU ? pool_grad_cpu(ocl_of(backend), p)
                                    : pool_grad_gpu(ocl_of(backend), p);
}
