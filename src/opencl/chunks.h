/* Sums over (i, l) of x[i][j][l] for every j by the kernels of cl/chunks.h: chunk sums, then their
 * join. reduce.c has the code.
 *
 * Invariant: the chunks of a sum lie as [sum][chunk][j] in memory of sums * chunks * c floats. */
#ifndef CAIRN_OPENCL_CHUNKS_H
#define CAIRN_OPENCL_CHUNKS_H

#include "opencl/shape.h"

/* A launch of the chunk kernels `stem`_rows, _columns or _group of cl/`file` built with `options`,
 * over x of n1 x c x n2. */
struct ocl_chunks {
    cl_kernel kernel;
    int dims;
    size_t global[2], local[2], bytes; /* bytes: of local memory, 0 for none */
    uint64_t c, n2, total;
    uint32_t chunks;
};
cairn_status ocl_chunks_init(struct ocl_chunks *launch, struct ocl_backend *be, int shape,
                             const char *file, const char *options, const char *stem, int sums,
                             int64_t n1, int64_t c, int64_t n2);
int64_t ocl_chunk_count(int64_t n1, int64_t n2);

/* For ocl_launch(): OCL_CHUNKS(&launch, "formats of the inputs"), the inputs,
 * OCL_CHUNKS_TO(&launch, out). */
#define OCL_CHUNKS(launch, inputs)                                                                 \
    (launch)->kernel, (launch)->dims, (launch)->global, (launch)->local,                           \
        (launch)->bytes ? inputs "mUUUuL" : inputs "mUUUu"
#define OCL_CHUNKS_TO(launch, out)                                                                 \
    out, (launch)->c, (launch)->n2, (launch)->total, (launch)->chunks, (launch)->bytes

/* A launch of a kernel that joins the chunks of each j by a work-group: global[0], local[0] for c
 * groups; the local memory of one group is local[0] floats. */
cairn_status ocl_chunks_join(struct ocl_backend *be, cl_kernel kernel, int shape, int64_t c,
                             int64_t chunks, size_t *global, size_t *local);

#endif
