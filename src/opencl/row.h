/* Families that work row by row (cl/row.h): "row", a work-item per row, and "group", a work-group
 * per row, for long rows on a device with many work-items.
 *
 * Invariant: both give the same bits on every device, so both are admitted. */
#ifndef CAIRN_OPENCL_ROW_H
#define CAIRN_OPENCL_ROW_H

#include "opencl/limits.h"
#include "opencl/opencl.h"

enum ocl_row { OCL_ROW, OCL_ROW_GROUP };
#define OCL_ROW_LANES 64                               /* as SUM_LANES in cl/sum.h */
#define OCL_ROW_LANE_BYTES ((size_t)OCL_ROW_LANES * 4) /* of lane, and of place */

static inline int ocl_row_variants(struct cairn_backend *backend, int64_t row,
                                   struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    int group = !ocl_of(backend)->is_cpu && row > OCL_ROW_LANES;
    variants[OCL_ROW] = (struct cairn_variant){.name = "row", .preferred = !group};
    variants[OCL_ROW_GROUP] = (struct cairn_variant){.name = "group", .preferred = group};
    return 2;
}

/* The kernel of a variant and its launch's sizes. "row" on a CPU: every row is a work-group, so
 * that cores share few rows; elsewhere small groups, so that few rows spread. */
static inline cairn_status ocl_row_kernel(struct ocl_backend *be, const char *file,
                                          const char *name, int variant, int64_t rows,
                                          cl_kernel *kernel, size_t *global, size_t *local)
{
    cairn_status st = CAIRN_OK;
    cl_ulong local_bytes;
    TRY(ocl_kernel(be, file, NULL, name, kernel));
    TRY(ocl_kernel_limits(be, *kernel, local, &local_bytes));
    if (*local > OCL_ROW_LANES) *local = OCL_ROW_LANES;
    if (variant == OCL_ROW && be->is_cpu) *local = 1;
    if (variant == OCL_ROW)
        *global = ((size_t)rows + *local - 1) / *local * *local;
    else
        *global = (size_t)(rows < OCL_MOST_ROW_GROUPS ? rows : OCL_MOST_ROW_GROUPS) * *local;
out:
    return st;
}

#endif
