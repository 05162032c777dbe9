/* im2col and col2im. */
#include "opencl/shape.h"

#include "device/schema.h"

int ocl_im2col_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                        struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    const struct cairn_im2col *p = &problem->u.im2col;
    return ocl_shape_variants(backend, cairn_im2col_oh(p) * cairn_im2col_ow(p), 0, variants);
}

int ocl_col2im_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                        struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    return ocl_shape_variants(backend, problem->u.im2col.h * problem->u.im2col.w, 0, variants);
}

/* Planes of rows x columns elements each are written to `out` from `in`, in blocks of rows. */
static cairn_status run_cpu(struct ocl_backend *be, const struct cairn_im2col *p, const char *name,
                            const struct cairn_mem *in, const struct cairn_mem *out, int64_t planes,
                            int64_t height, int64_t width)
{
    cairn_status st = CAIRN_OK;
    int64_t rows = ocl_shape_rows(height, width), blocks = (height + rows - 1) / rows;
    size_t global = (size_t)(planes * blocks), local = 1;
    cl_kernel kernel;
    TRY(ocl_kernel(be, "im2col.cl", NULL, name, &kernel));
    TRY(ocl_launch(be, kernel, 1, &global, &local, "mmiiiiiiiiiiiiii", in, out, (int)p->h,
                   (int)p->w, (int)p->kh, (int)p->kw, (int)p->stride_h, (int)p->stride_w,
                   (int)p->pad_t, (int)p->pad_l, (int)p->dilation_h, (int)p->dilation_w,
                   (int)cairn_im2col_oh(p), (int)cairn_im2col_ow(p), (int)rows, (int)blocks));
out:
    return st;
}

static cairn_status run_gpu(struct ocl_backend *be, const struct cairn_im2col *p, const char *name,
                            const struct cairn_mem *in, const struct cairn_mem *out, int64_t planes,
                            int64_t size)
{
    cairn_status st = CAIRN_OK;
    int64_t step = ocl_shape_planes(planes, size);
    cl_kernel kernel;
    TRY(ocl_kernel(be, "im2col.cl", NULL, name, &kernel));
    for (int64_t base = 0; base < planes; base += step) {
        int64_t items = (planes - base < step ? planes - base : step) * size;
        TRY(ocl_launch_1d(be, kernel, items, 0, "mmUuiiiiiiiiiiii", in, out, (uint64_t)base,
                          (uint32_t)items, (int)p->h, (int)p->w, (int)p->kh, (int)p->kw,
                          (int)p->stride_h, (int)p->stride_w, (int)p->pad_t, (int)p->pad_l,
                          (int)p->dilation_h, (int)p->dilation_w, (int)cairn_im2col_oh(p),
                          (int)cairn_im2col_ow(p)));
    }
out:
    return st;
}

cairn_status ocl_im2col(struct cairn_backend *backend, const struct cairn_im2col *p, int variant)
{
    struct ocl_backend *be = ocl_of(backend);
    int64_t planes = p->n * p->c * p->kh * p->kw, oh = cairn_im2col_oh(p), ow = cairn_im2col_ow(p);
    if (variant == OCL_SHAPE_CPU)
        return run_cpu(be, p, "im2col_cpu", &p->x, &p->col, planes, oh, ow);
    return run_gpu(be, p, "im2col_gpu", &p->x, &p->col, planes, oh * ow);
}

cairn_status ocl_col2im(struct cairn_backend *backend, const struct cairn_im2col *p, int variant)
{
    struct ocl_backend *be = ocl_of(backend);
    if (variant == OCL_SHAPE_CPU)
        return run_cpu(be, p, "col2im_cpu", &p->col, &p->x, p->n * p->c, p->h, p->w);
    return run_gpu(be, p, "col2im_gpu", &p->col, &p->x, p->n * p->c, p->h * p->w);
}
