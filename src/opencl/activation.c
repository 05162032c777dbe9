/* Activations: one launch, one work-item per element. */
#include "opencl/opencl.h"

static const char *const forward[] = {NULL, "relu_forward", "tanh_forward", "sigmoid_forward"};
static const char *const gradient[] = {NULL, "relu_grad", "tanh_grad", "sigmoid_grad"};

int ocl_activation_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                            struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    (void)backend;
    (void)problem;
    return ocl_one_variant(variants);
}

int ocl_activation_grad_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                                 struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    (void)backend;
    (void)problem;
    return ocl_one_variant(variants);
}

cairn_status ocl_activation(struct cairn_backend *backend, const struct cairn_activation *p,
                            int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    (void)variant;
    TRY(ocl_kernel(be, "activation.cl", NULL, forward[p->kind], &kernel));
    TRY(ocl_launch_1d(be, kernel, p->count, 0, "mml", &p->x, &p->y, p->count));
out:
    return st;
}

cairn_status ocl_activation_grad(struct cairn_backend *backend,
                                 const struct cairn_activation_grad *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    (void)variant;
    TRY(ocl_kernel(be, "activation.cl", NULL, gradient[p->kind], &kernel));
    TRY(ocl_launch_1d(be, kernel, p->count, 0, "mmml", &p->y, &p->dy, &p->dx, p->count));
out:
    return st;
}
