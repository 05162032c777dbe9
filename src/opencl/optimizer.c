/* Optimiser updates: one launch over all parameters. */
#include "opencl/opencl.h"

int ocl_sgd_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                     struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    (void)backend;
    (void)problem;
    return ocl_one_variant(variants);
}

int ocl_adam_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                      struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    (void)backend;
    (void)problem;
    return ocl_one_variant(variants);
}

cairn_status ocl_sgd(struct cairn_backend *backend, const struct cairn_sgd *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    (void)variant;
    TRY(ocl_kernel(be, "optimizer.cl", NULL, "sgd", &kernel));
    TRY(ocl_launch_1d(be, kernel, p->count, 0, "mmmllfff", &p->w, &p->g, &p->v, p->count,
                      p->decay_count, (double)p->lr, (double)p->momentum, (double)p->l2));
out:
    return st;
}

cairn_status ocl_adam(struct cairn_backend *backend, const struct cairn_adam *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    float rest1 = 1.0f - p->beta1, rest2 = 1.0f - p->beta2;
    (void)variant;
    TRY(ocl_kernel(be, "optimizer.cl", NULL, "adam", &kernel));
    TRY(ocl_launch_1d(be, kernel, p->count, 0, "mmmmllfffffffff", &p->w, &p->g, &p->m, &p->v,
                      p->count, p->decay_count, (double)p->lr, (double)p->beta1, (double)rest1,
                      (double)p->beta2, (double)rest2, (double)p->epsilon, (double)p->l2,
                      (double)p->c1, (double)p->c2));
out:
    return st;
}
