/* What gemm.c and gemm-gpu.c share: how a product is cut into launches, and the kernels' arguments.
 */
#ifndef CAIRN_OPENCL_GEMM_LAUNCH_H
#define CAIRN_OPENCL_GEMM_LAUNCH_H

#include "opencl/gemm.h"

/* How a product is cut along k: `slabs` in all, `at_once` of them in a launch, each for `repeats`
 * results: batches x groups. */
struct ocl_gemm_cut {
    int64_t repeats, k, slabs, at_once, work;
};

/* One launch: slabs [first, first + count) of every batch and group to `to`, whose leading
 * dimension and strides are given. */
struct ocl_gemm_part {
    int64_t first, count;
    struct cairn_mem to;
    int64_t ld, stride_batch, stride_slab, step_group;
    int partial;
    const struct ocl_gemm_parts *of;
};

/* The arguments that every kernel of the product takes; k is counted from the first batch that the
 * operands hold. */
#define OCL_GEMM_SKIPPED(p, part) ((part)->of->skipped * (p)->k)
#define OCL_GEMM_FORMAT                                                                            \
    "mmmmlllliilllllllil"                                                                          \
    "iiiilll"
#define OCL_GEMM_ARGUMENTS(p, cut, part)                                                           \
    &(p)->a, &(p)->b, &(p)->bias_v, &(part)->to, (p)->m, (p)->n,                                   \
        (cut)->k - OCL_GEMM_SKIPPED(p, part), (p)->k, (int)(p)->ta, (int)(p)->tb, (p)->lda,        \
        (p)->ldb, (part)->ld, (p)->stride_a, (p)->stride_b, (part)->stride_batch,                  \
        (part)->stride_slab, (int)(part)->count,                                                   \
        (part)->first *OCL_GEMM_SLAB - OCL_GEMM_SKIPPED(p, part), (part)->partial, (int)(p)->bias, \
        (int)(p)->act, (int)(part)->of->groups, (part)->of->step_a, (part)->of->step_b,            \
        (part)->step_group

/* Launches on CPUs: gemm-cpu.cl, which packs both operands (b may be a view of images), and
 * gemm-direct.cl, where it fits: a whole product without views and groups. */
int ocl_gemm_cpu_runs(const struct ocl_backend *be);
cairn_status ocl_gemm_launch_packed(struct ocl_backend *be, const struct cairn_gemm *p,
                                    const struct ocl_gemm_cut *cut,
                                    const struct ocl_gemm_part *part);
int ocl_gemm_direct_fits(const struct ocl_backend *be, const struct cairn_gemm *p);
cairn_status ocl_gemm_launch_direct(struct ocl_backend *be, const struct cairn_gemm *p);

/* The tiles of gemm.cl (OCL_GEMM_TILES in builds.h): the variant's name, whether the device takes
 * it, the one for `times` products like this (-1: none), and a launch. */
#define OCL_GEMM_GPU_TILES 5
const char *ocl_gemm_gpu_name(int which);
int ocl_gemm_gpu_admitted(const struct ocl_backend *be, int which);
int ocl_gemm_gpu_sees(const struct cairn_conv *images, int transposed);
int ocl_gemm_gpu_choice(const struct ocl_backend *be, const struct cairn_gemm *p, int64_t times);
cairn_status ocl_gemm_launch_gpu(struct ocl_backend *be, int which, const struct cairn_gemm *p,
                                 const struct ocl_gemm_cut *cut, const struct ocl_gemm_part *part);

/* A launch of gemm-small.cl, which any device takes. */
cairn_status ocl_gemm_launch_small(struct ocl_backend *be, const struct cairn_gemm *p,
                                   const struct ocl_gemm_cut *cut,
                                   const struct ocl_gemm_part *part);

/* gemm-clblast.c: CLBlast's product, of fast arithmetic only. A launch leaves out what follows the
 * product. */
int ocl_clblast_admitted(const struct ocl_backend *be);
cairn_status ocl_clblast_launch(struct ocl_backend *be, const struct cairn_gemm *p,
                                const struct ocl_gemm_cut *cut, const struct ocl_gemm_part *part);

#endif
