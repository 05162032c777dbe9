/* Addition: one launch. */
#include "opencl/shape.h"

int ocl_add_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                     struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    const struct cairn_add *p = &problem->u.add;
    return ocl_shape_variants(backend, p->c * p->n2, 0, variants);
}

static cairn_status add_cpu(struct ocl_backend *be, const struct cairn_add *p)
{
    cairn_status st = CAIRN_OK;
    int64_t rows = p->n2 == 1 ? p->n1 : p->n1 * p->c, length = p->n2 == 1 ? p->c : p->n2;
    struct ocl_blocks b = ocl_shape_blocks(rows, length);
    size_t local = 1;
    cl_kernel kernel;
    TRY(ocl_kernel(be, "add.cl", NULL, p->n2 == 1 ? "add_columns" : "add_rows", &kernel));
    TRY(ocl_launch(be, kernel, 1, &b.items, &local, "mmmUUUUUU", &p->x, &p->b, &p->y,
                   (uint64_t)p->c, (uint64_t)p->n2, (uint64_t)rows, b.rows, b.length, b.pieces));
out:
    return st;
}

static cairn_status add_gpu(struct ocl_backend *be, const struct cairn_add *p)
{
    cairn_status st = CAIRN_OK;
    int64_t size = p->c * p->n2, step = ocl_shape_planes(p->n1, size);
    cl_kernel kernel;
    TRY(ocl_kernel(be, "add.cl", NULL, "add_gpu", &kernel));
    for (int64_t i = 0; i < p->n1; i += step) {
        int64_t items = (p->n1 - i < step ? p->n1 - i : step) * size;
        TRY(ocl_launch_1d(be, kernel, items, 0, "mmmUuuu", &p->x, &p->b, &p->y,
                          (uint64_t)(i * size), (uint32_t)items, (uint32_t)p->c, (uint32_t)p->n2));
    }
out:
    return st;
}

cairn_status ocl_add(struct cairn_backend *backend, const struct cairn_add *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    if (p->channel) return variant == OCL_SHAPE_CPU ? add_cpu(be, p) : add_gpu(be, p);
    TRY(ocl_kernel(be, "add.cl", NULL, "add_each", &kernel));
    int64_t count = p->n1 * p->c * p->n2;
    TRY(ocl_launch_1d(be, kernel, count, 0, "mmml", &p->x, &p->b, &p->y, count));
out:
    return st;
}
