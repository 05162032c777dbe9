/* The convolutions of groups with few channels, made directly.
 *
 * Invariant: the bits of the products that they stand for. */
#ifndef CAIRN_OPENCL_DIRECT_H
#define CAIRN_OPENCL_DIRECT_H

#include "opencl/opencl.h"

/* Adds the direct ways to `count` variants, where the kernels take them; for small groups one of
 * them becomes the preferred one unless `forced`. Returns the new count. */
int ocl_direct_variants(const struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p,
                        int forced, struct cairn_variant *variants, int count);

/* The weights' sum as gemm-slabs.cl ends it: one product of all outputs. */
struct cairn_gemm ocl_direct_sum(const struct cairn_conv *p);

/* Runs number `which` of those added. */
cairn_status ocl_direct(struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p,
                        int which);

#endif
