/* Families with kernels of two shapes: "cpu", whose work-items each make a block of rows in
 * vectors, and "gpu", whose work-items each make one element, neighbours beside each other in
 * memory.
 *
 * Invariant: both give the same bits on every device, so both are admitted; the device's kind
 * decides the default. */
#ifndef CAIRN_OPENCL_SHAPE_H
#define CAIRN_OPENCL_SHAPE_H

#include "opencl/limits.h"
#include "opencl/opencl.h"

enum ocl_shape { OCL_SHAPE_CPU, OCL_SHAPE_GPU };

/* Lists them, each with this workspace. "gpu" numbers the elements of a plane in 32 bits: larger
 * planes are left to "cpu". */
static inline int ocl_shape_variants(struct cairn_backend *backend, int64_t plane, int64_t work,
                                     struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    int fits = plane <= INT32_MAX, cpu = ocl_of(backend)->is_cpu || !fits;
    variants[OCL_SHAPE_CPU] = (struct cairn_variant){.name = "cpu", .preferred = cpu, .work = work};
    if (fits)
        variants[OCL_SHAPE_GPU] =
            (struct cairn_variant){.name = "gpu", .preferred = !cpu, .work = work};
    return fits ? 2 : 1;
}

/* Rows per work-item so that it makes about OCL_ROWS_ELEMENTS elements. */
static inline int64_t ocl_shape_rows(int64_t rows, int64_t row_elements)
{
    int64_t n = OCL_ROWS_ELEMENTS / row_elements;
    return n < 1 ? 1 : n > rows ? rows : n;
}

/* The same where these are all rows of a launch: one work-item makes them if others would come too
 * late to help, see OCL_WAKING. */
static inline int64_t ocl_shape_share(int64_t rows, int64_t row_elements)
{
    return rows <= OCL_ALONE_ELEMENTS / row_elements ? rows : ocl_shape_rows(rows, row_elements);
}

/* How "cpu" kernels that work along rows share `rows` of them, `length` long: work-item t makes
 * elements t % pieces * length and behind of rows t / pieces * rows and behind, about
 * OCL_ROWS_ELEMENTS. */
struct ocl_blocks {
    uint64_t rows, length, pieces;
    size_t items;
};
static inline struct ocl_blocks ocl_shape_blocks(int64_t rows, int64_t length)
{
    struct ocl_blocks b = {1, OCL_ROWS_ELEMENTS, 1, 0};
    if (length <= OCL_ROWS_ELEMENTS || rows <= OCL_ALONE_ELEMENTS / length) {
        b.length = (uint64_t)length;
        b.rows = (uint64_t)ocl_shape_share(rows, length);
    }
    b.pieces = ((uint64_t)length + b.length - 1) / b.length;
    b.items = (size_t)(((uint64_t)rows + b.rows - 1) / b.rows * b.pieces);
    return b;
}

/* How many planes of `size` elements one launch of the "gpu" shape takes: its work-items are
 * numbered in 32 bits. */
static inline int64_t ocl_shape_planes(int64_t planes, int64_t size)
{
    int64_t most = size < OCL_MOST_ITEMS ? OCL_MOST_ITEMS / size : 1;
    return most < planes ? most : planes;
}

#endif
