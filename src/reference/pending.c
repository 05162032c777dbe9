/* Operators that have no file of their own yet; each line goes when its family comes. */
#include "reference/reference.h"

#define PENDING(slot)                                                                              \
    cairn_status ref_##slot(struct cairn_backend *backend, const struct cairn_##slot *p,           \
                            int variant)                                                           \
    {                                                                                              \
        (void)backend, (void)p, (void)variant;                                                     \
        return cairn_fail(CAIRN_UNSUPPORTED, #slot " is not built yet");                           \
    }
PENDING(add)
PENDING(batchnorm_stats)
PENDING(batchnorm)
PENDING(batchnorm_grad)
