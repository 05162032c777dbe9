/* Optimiser updates and clipping: one launch over all parameters. */
#include "opencl/builds.h"
#include "opencl/opencl.h"

#define ONE_VARIANT(op)                                                                            \
    int ocl_##op##_variants(struct cairn_backend *backend, const struct cairn_problem *problem,    \
                            struct cairn_variant variants[CAIRN_MAX_VARIANTS])                     \
    {                                                                                              \
        (void)backend, (void)problem;                                                              \
        return ocl_one_variant(variants);                                                          \
    }
ONE_VARIANT(clip)
ONE_VARIANT(sgd)
ONE_VARIANT(adam)
ONE_VARIANT(rmsprop)
ONE_VARIANT(adagrad)
ONE_VARIANT(adadelta)

/* The build of optimizer.cl that has what the problem asks for. */
#define BUILD_OF(p, more)                                                                          \
    ((p)->l1 != 0 || (p)->decay != 0 || (more) ? OCL_OPTIMIZER_FULL : OCL_OPTIMIZER_PLAIN)

/* What every kernel takes behind its moments, and before its own scalars. */
#define COMMON "(ll)(fffff"
#define COMMON_OF(p)                                                                               \
    (p)->count, (p)->decay_count, (double)(p)->lr, (double)(p)->l1, (double)(p)->l2,               \
        (double)(p)->decay, (double)((p)->lr * (p)->decay)

cairn_status ocl_clip(struct cairn_backend *backend, const struct cairn_clip *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    (void)variant;
    TRY(ocl_kernel(be, "optimizer.cl", NULL, "clip", &kernel));
    TRY(ocl_launch_1d(be, kernel, p->count, 0, "mmlf", &p->sumsq, &p->g, p->count,
                      (double)p->limit));
out:
    return st;
}

cairn_status ocl_sgd(struct cairn_backend *backend, const struct cairn_sgd *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    (void)variant;
    TRY(ocl_kernel(be, "optimizer.cl", BUILD_OF(p, p->nesterov), "sgd", &kernel));
    TRY(ocl_launch_1d(be, kernel, p->count, 0, "(mmm)" COMMON "f)i", &p->w, &p->g, &p->v,
                      COMMON_OF(p), (double)p->momentum, (int)p->nesterov));
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
    TRY(ocl_kernel(be, "optimizer.cl", BUILD_OF(p, 0), "adam", &kernel));
    TRY(ocl_launch_1d(be, kernel, p->count, 0, "(mmmm)" COMMON "fffffff)", &p->w, &p->g, &p->m,
                      &p->v, COMMON_OF(p), (double)p->beta1, (double)rest1, (double)p->beta2,
                      (double)rest2, (double)p->epsilon, (double)p->c1, (double)p->c2));
out:
    return st;
}

cairn_status ocl_rmsprop(struct cairn_backend *backend, const struct cairn_rmsprop *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    float rest = 1.0f - p->alpha;
    (void)variant;
    TRY(ocl_kernel(be, "optimizer.cl", BUILD_OF(p, 0), "rmsprop", &kernel));
    TRY(ocl_launch_1d(be, kernel, p->count, 0, "(mmmm)" COMMON "ffff)", &p->w, &p->g, &p->m, &p->v,
                      COMMON_OF(p), (double)p->alpha, (double)rest, (double)p->momentum,
                      (double)p->epsilon));
out:
    return st;
}

cairn_status ocl_adagrad(struct cairn_backend *backend, const struct cairn_adagrad *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    (void)variant;
    TRY(ocl_kernel(be, "optimizer.cl", BUILD_OF(p, 0), "adagrad", &kernel));
    TRY(ocl_launch_1d(be, kernel, p->count, 0, "(mmm)" COMMON "f)", &p->w, &p->g, &p->v,
                      COMMON_OF(p), (double)p->epsilon));
out:
    return st;
}

cairn_status ocl_adadelta(struct cairn_backend *backend, const struct cairn_adadelta *p,
                          int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    float rest = 1.0f - p->rho;
    (void)variant;
    TRY(ocl_kernel(be, "optimizer.cl", BUILD_OF(p, 0), "adadelta", &kernel));
    TRY(ocl_launch_1d(be, kernel, p->count, 0, "(mmmm)" COMMON "fff)", &p->w, &p->g, &p->u, &p->v,
                      COMMON_OF(p), (double)p->rho, (double)rest, (double)p->epsilon));
out:
    return st;
}
