/* Gathering a batch: one launch; "gpu" has one for the images and one for the labels. */
#include "opencl/shape.h"

#define STRETCH 4096 /* as in cl/gather.cl */
#define SIDE 4       /* as there */
#define GROUP 256

int ocl_gather_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                        struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    (void)problem;
    return ocl_shape_variants(backend, 1, 0, variants);
}

static cairn_status gather_cpu(struct ocl_backend *be, const struct cairn_gather *p)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel;
    int64_t stretches = (p->item + STRETCH - 1) / STRETCH;
    size_t global = (size_t)((p->count + SIDE - 1) / SIDE * stretches), local = 1;
    TRY(ocl_kernel(be, "gather.cl", NULL, "gather_cpu", &kernel));
    TRY(ocl_launch(be, kernel, 1, &global, &local, "(mmmmm)(lll)i(ff)", &p->table, &p->indices,
                   &p->x, &p->labels, &p->y, stretches, p->item, p->count, (int)p->total,
                   (double)p->shift, (double)p->scale));
out:
    return st;
}

static cairn_status gather_gpu(struct ocl_backend *be, const struct cairn_gather *p)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel, labels;
    size_t limit = 0;
    cl_ulong local_bytes;
    TRY(ocl_kernel(be, "gather.cl", NULL, "gather_gpu", &kernel));
    TRY(ocl_kernel_limits(be, kernel, &limit, &local_bytes));
    size_t group = limit < GROUP ? limit : GROUP;
    size_t local[2] = {group, 1}, global[2] = {((size_t)p->item + group - 1) / group * group, 0};
    for (int64_t base = 0; base < p->count; base += OCL_MOST_GATHERED) {
        global[1] =
            (size_t)(p->count - base < OCL_MOST_GATHERED ? p->count - base : OCL_MOST_GATHERED);
        TRY(ocl_launch(be, kernel, 2, global, local, "mmmlliff", &p->table, &p->indices, &p->x,
                       base, p->item, (int)p->total, (double)p->shift, (double)p->scale));
    }
    TRY(ocl_kernel(be, "gather.cl", NULL, "gather_labels", &labels));
    TRY(ocl_launch_1d(be, labels, p->count, 0, "mmmli", &p->labels, &p->indices, &p->y, p->count,
                      (int)p->total));
out:
    return st;
}

cairn_status ocl_gather(struct cairn_backend *backend, const struct cairn_gather *p, int variant)
{
    struct ocl_backend *be = ocl_of(backend);
    return variant == OCL_SHAPE_CPU ? gather_cpu(be, p) : gather_gpu(be, p);
}
