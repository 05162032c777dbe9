/* The convolutions of many channels on CPU devices, made over the whole batch at once.
 *
 * Invariant: the bits of the products that they stand for. */
#ifndef CAIRN_OPENCL_CONV_CPU_H
#define CAIRN_OPENCL_CONV_CPU_H

#include "opencl/opencl.h"

/* The register tile, as options of cl/tile-cpu.h. */
struct ocl_conv_tile {
    int width, rows, vectors;
};
struct ocl_conv_tile ocl_conv_cpu_tile(const struct ocl_backend *be);

/* Whether the kernels take the problem, and the workspace. */
int ocl_conv_cpu_admitted(const struct ocl_backend *be, enum cairn_op op,
                          const struct cairn_conv *p);
int64_t ocl_conv_cpu_work(const struct ocl_backend *be, enum cairn_op op,
                          const struct cairn_conv *p);

cairn_status ocl_conv_cpu(struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p);

/* The same for CAIRN_OP_CONV_WEIGHTS, which those above hand on. */
int ocl_conv_weights_cpu_admitted(const struct ocl_backend *be, const struct cairn_conv *p);
int64_t ocl_conv_weights_cpu_work(const struct cairn_conv *p);
cairn_status ocl_conv_weights_cpu(struct ocl_backend *be, const struct cairn_conv *p);

#endif
