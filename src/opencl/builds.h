/* The programs that GPUs get and that are built with options of their own: OCL_BUILDS(X) is
 * X(file, options) for each. Every other kernel file is built without. The code takes its options
 * from here and tools/offline.py what it compiles.
 *
 * Invariant: in src/opencl no literal has such options elsewhere but for CPU-shaped kernels. */
#ifndef CAIRN_OPENCL_BUILDS_H
#define CAIRN_OPENCL_BUILDS_H

/* Tiles of gemm.cl: T(X, name of the variant, rows and columns of a work-group, of an item). */
#define OCL_GEMM_TILES(T, X)                                                                       \
    T(X, "gpu", 128, 128, 8, 8)                                                                    \
    T(X, "gpu-64", 64, 64, 8, 4)                                                                   \
    T(X, "gpu-32", 32, 32, 4, 4)                                                                   \
    T(X, "gpu-narrow", 128, 16, 4, 4)                                                              \
    T(X, "gpu-flat", 16, 128, 4, 4)
#define OCL_GEMM_OPTIONS(m, n, work_m, work_n, images)                                             \
    "-DTILE_M=" #m " -DTILE_N=" #n " -DWORK_M=" #work_m " -DWORK_N=" #work_n " -DIMAGES=" #images
#define OCL_GEMM_BUILDS(X, name, m, n, work_m, work_n)                                             \
    X("gemm.cl", OCL_GEMM_OPTIONS(m, n, work_m, work_n, 0))                                        \
    X("gemm.cl", OCL_GEMM_OPTIONS(m, n, work_m, work_n, 1))                                        \
    X("gemm.cl", OCL_GEMM_OPTIONS(m, n, work_m, work_n, 2))

#define OCL_REDUCE_SUM "-DKIND=0"
#define OCL_REDUCE_SUMSQ "-DKIND=1"
#define OCL_REDUCE_MAX "-DKIND=2"
#define OCL_BATCHNORM_STATS "-DPART=0"
#define OCL_BATCHNORM_NORM "-DPART=1"
#define OCL_BATCHNORM_GRAD "-DPART=2"
#define OCL_OPTIMIZER_FULL ""
#define OCL_OPTIMIZER_PLAIN "-DFULL=0"
#define OCL_ROOFLINE_GPU "-DVECTOR=float4 -DSPIN_FMA=FMA4"

#define OCL_BUILDS(X)                                                                              \
    OCL_GEMM_TILES(OCL_GEMM_BUILDS, X)                                                             \
    X("reduce.cl", OCL_REDUCE_SUM)                                                                 \
    X("reduce.cl", OCL_REDUCE_SUMSQ)                                                               \
    X("reduce.cl", OCL_REDUCE_MAX)                                                                 \
    X("batchnorm.cl", OCL_BATCHNORM_STATS)                                                         \
    X("batchnorm.cl", OCL_BATCHNORM_NORM)                                                          \
    X("batchnorm.cl", OCL_BATCHNORM_GRAD)                                                          \
    X("optimizer.cl", OCL_OPTIMIZER_FULL)                                                          \
    X("optimizer.cl", OCL_OPTIMIZER_PLAIN)                                                         \
    X("roofline.cl", OCL_ROOFLINE_GPU)

#endif
