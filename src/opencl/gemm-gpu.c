/* The product on GPUs: which tiles run. */
#include "opencl/gemm-launch.h"

static int64_t up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Tiles of wide x high results in all, numbered in one dimension: some devices take no more than
 * 65535 work-groups in the second and third. */
static size_t grid(const struct cairn_gemm *p, const struct ocl_gemm_cut *cut,
                   const struct ocl_gemm_part *part, int64_t wide, int64_t high)
{
    return (size_t)(up(p->n, wide) * up(p->m, high) * cut->repeats * part->count);
}

cairn_status ocl_gemm_launch_gpu(struct ocl_backend *be, const struct cairn_gemm *p,
                                 const struct ocl_gemm_cut *cut, const struct ocl_gemm_part *part)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel;
    size_t side = be->max_group >= 256 ? 16 : 8;
    TRY(ocl_kernel(be, "gemm.cl", side == 16 ? "-DGROUP=16" : "-DGROUP=8", "gemm", &kernel));
    int64_t tile = (int64_t)side * 4;
    size_t local[2] = {side, side};
    size_t global[2] = {grid(p, cut, part, tile, tile) * side, side};
    TRY(ocl_launch(be, kernel, 2, global, local, OCL_GEMM_FORMAT,
                   OCL_GEMM_ARGUMENTS(p, cut, part)));
out:
    return st;
}

cairn_status ocl_gemm_launch_small(struct ocl_backend *be, const struct cairn_gemm *p,
                                   const struct ocl_gemm_cut *cut, const struct ocl_gemm_part *part)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel;
    size_t group;
    cl_ulong local_bytes;
    TRY(ocl_kernel(be, "gemm-small.cl", NULL, "gemm", &kernel));
    TRY(ocl_kernel_limits(be, kernel, &group, &local_bytes));
    size_t local[2] = {group >= 8 ? 8 : 1, group >= 32 ? 4 : 1};
    size_t groups = grid(p, cut, part, (int64_t)local[0], (int64_t)local[1]);
    size_t global[2] = {groups * local[0], local[1]};
    TRY(ocl_launch(be, kernel, 2, global, local, OCL_GEMM_FORMAT,
                   OCL_GEMM_ARGUMENTS(p, cut, part)));
out:
    return st;
}
