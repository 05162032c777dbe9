/* Operators that have no file of their own yet; each line goes when its family comes. */
#include "opencl/opencl.h"

#define PENDING(slot)                                                                              \
    cairn_status ocl_##slot(struct cairn_backend *backend, const struct cairn_##slot *p,           \
                            int variant)                                                           \
    {                                                                                              \
        (void)backend, (void)p, (void)variant;                                                     \
        return cairn_fail(CAIRN_UNSUPPORTED, #slot " is not built yet");                           \
    }                                                                                              \
    int ocl_##slot##_variants(struct cairn_backend *backend, const struct cairn_problem *problem,  \
                              struct cairn_variant variants[CAIRN_MAX_VARIANTS])                   \
    {                                                                                              \
        (void)backend, (void)problem;                                                              \
        return ocl_one_variant(variants);                                                          \
    }
PENDING(add)
PENDING(batchnorm_stats)
PENDING(batchnorm)
PENDING(batchnorm_grad)
