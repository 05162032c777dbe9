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

/* The way of cl/conv-lanes.cl and cl/conv-taps.cl: whether the kernels take a problem, whether they
 * are the default for it, and forward or data. */
int ocl_lanes_admitted(const struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p);
int ocl_lanes_wanted(const struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p);
cairn_status ocl_lanes(struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p);

/* conv_pool: whether its result is pooled before it leaves local memory, and doing so. */
int ocl_lanes_pools(const struct ocl_backend *be, const struct cairn_conv *p);
cairn_status ocl_lanes_pool(struct ocl_backend *be, const struct cairn_conv *p);

/* The weights': slabs [first, first + slabs) of the sum, to partial sums or to the gradient. */
cairn_status ocl_lanes_weights(struct ocl_backend *be, const struct cairn_conv *p,
                               const struct cairn_mem *to, int64_t first, int64_t slabs,
                               int partial);

#endif
