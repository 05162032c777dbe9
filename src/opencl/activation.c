/* Activations: one launch, one work-item per element or, of some kinds on CPUs, per stretch. */
#include "opencl/shape.h"

#define STRETCH 4096 /* as in cl/activation.cl */

static const char *const forward[CAIRN_ACT_COUNT] = {
    [CAIRN_ACT_RELU] = "relu_forward",
    [CAIRN_ACT_TANH] = "tanh_forward",
    [CAIRN_ACT_SIGMOID] = "sigmoid_forward",
    [CAIRN_ACT_LEAKY_RELU] = "leaky_relu_forward",
    [CAIRN_ACT_ELU] = "elu_forward",
    [CAIRN_ACT_SOFTPLUS] = "softplus_forward",
    [CAIRN_ACT_HARD_SIGMOID] = "hard_sigmoid_forward",
    [CAIRN_ACT_GELU] = "gelu_forward",
    [CAIRN_ACT_GELU_TANH] = "gelu_tanh_forward",
    [CAIRN_ACT_SILU] = "silu_forward",
    [CAIRN_ACT_HARD_SWISH] = "hard_swish_forward",
};
/* Those that are not bound by memory; the others have one kernel for both variants. */
static const char *const forward_cpu[CAIRN_ACT_COUNT] = {
    [CAIRN_ACT_TANH] = "tanh_forward_cpu",
    [CAIRN_ACT_SIGMOID] = "sigmoid_forward_cpu",
};
static const char *const gradient[CAIRN_ACT_COUNT] = {
    [CAIRN_ACT_RELU] = "relu_grad",
    [CAIRN_ACT_TANH] = "tanh_grad",
    [CAIRN_ACT_SIGMOID] = "sigmoid_grad",
    [CAIRN_ACT_LEAKY_RELU] = "leaky_relu_grad",
    [CAIRN_ACT_ELU] = "elu_grad",
    [CAIRN_ACT_SOFTPLUS] = "softplus_grad",
    [CAIRN_ACT_HARD_SIGMOID] = "hard_sigmoid_grad",
    [CAIRN_ACT_GELU] = "gelu_grad",
    [CAIRN_ACT_GELU_TANH] = "gelu_tanh_grad",
    [CAIRN_ACT_SILU] = "silu_grad",
    [CAIRN_ACT_HARD_SWISH] = "hard_swish_grad",
};

/* The kernels from leaky_relu on take alpha as their last argument. */
#define WITH_ALPHA(kind, format) ((kind) < CAIRN_ACT_LEAKY_RELU ? format : format "f")

int ocl_activation_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                            struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    (void)problem;
    return ocl_shape_variants(backend, 1, 0, variants);
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
    if (forward_cpu[p->kind] && variant == OCL_SHAPE_CPU) {
        size_t global = (size_t)((p->count + STRETCH - 1) / STRETCH), local = 1;
        TRY(ocl_kernel(be, "activation.cl", NULL, forward_cpu[p->kind], &kernel));
        TRY(ocl_launch(be, kernel, 1, &global, &local, "mml", &p->x, &p->y, p->count));
        goto out;
    }
    TRY(ocl_kernel(be, "activation.cl", NULL, forward[p->kind], &kernel));
    TRY(ocl_launch_1d(be, kernel, p->count, 0, WITH_ALPHA(p->kind, "mml"), &p->x, &p->y, p->count,
                      (double)p->alpha));
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
    TRY(ocl_launch_1d(be, kernel, p->count, 0, WITH_ALPHA(p->kind, "mmml"),
                      p->kind < CAIRN_ACT_GELU ? &p->y : &p->x, &p->dy, &p->dx, p->count,
                      (double)p->alpha));
out:
    return st;
}
