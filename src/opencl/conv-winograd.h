/* Winograd's convolution with 3 x 3 kernels, a candidate of fast arithmetic.
 *
 * Invariant: it is admitted with math = fast only, and never preferred: tuning chooses it. */
#ifndef CAIRN_OPENCL_CONV_WINOGRAD_H
#define CAIRN_OPENCL_CONV_WINOGRAD_H

#include "opencl/opencl.h"

/* conv and conv_data with stride 1, no dilation and one group. */
int ocl_winograd_admitted(const struct ocl_backend *be, enum cairn_op op,
                          const struct cairn_conv *p);
int64_t ocl_winograd_work(struct cairn_backend *backend, enum cairn_op op,
                          const struct cairn_conv *p); /* floats */
cairn_status ocl_winograd(struct cairn_backend *backend, enum cairn_op op,
                          const struct cairn_conv *p);

#endif
