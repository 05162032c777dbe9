/* How much one launch, one work-item or one workspace takes. What is more comes in several launches
 * or pieces, or the groups stride over it.
 *
 * Invariant: no bit of a result depends on these. With OCL_SMALL_LIMITS they are so small that the
 * checker's random problems take every such way; without it some need gigabytes. */
#ifndef CAIRN_OPENCL_LIMITS_H
#define CAIRN_OPENCL_LIMITS_H

#include <stdint.h>

#ifndef OCL_SMALL_LIMITS
enum {
    OCL_MOST_ITEMS = INT32_MAX,     /* work-items of a launch that numbers them in 32 bits */
    OCL_MOST_ROW_GROUPS = 65536,    /* groups of cl/row.h */
    OCL_MOST_CHUNK_GROUPS = 32768,  /* of cl/chunks.h: some devices take 65535 in dimension 2 */
    OCL_MOST_GATHERED = 32768,      /* images gathered by a launch, for the same reason */
    OCL_MOST_PARTIAL = 1 << 22,     /* floats of partial products, unless one slab has more */
    OCL_MOST_COL_CPU = 1 << 21,     /* floats of col: about a CPU's caches */
    OCL_MOST_COL_GPU = 1 << 24,     /* the same elsewhere */
    OCL_MOST_COL_WEIGHTS = 1 << 26, /* there for the weights, parallel over slabs only */
    OCL_MOST_LANES_LOCAL = 1 << 19, /* bytes of local memory: half a CPU's second cache */
    OCL_MOST_LANES_STRIP = 6144,    /* floats of dy: most of its first cache */
    OCL_ROWS_ELEMENTS = 4096,       /* that a work-item makes of rows: a few microseconds */
    OCL_ALONE_ELEMENTS = 1 << 15    /* that one makes before another unit wakes up */
};
#else
enum {
    OCL_MOST_ITEMS = 500,
    OCL_MOST_ROW_GROUPS = 3,
    OCL_MOST_CHUNK_GROUPS = 2,
    OCL_MOST_GATHERED = 3,
    OCL_MOST_PARTIAL = 1,
    OCL_MOST_COL_CPU = 300,
    OCL_MOST_COL_GPU = 300,
    OCL_MOST_COL_WEIGHTS = 300,
    OCL_MOST_LANES_LOCAL = 1,
    OCL_MOST_LANES_STRIP = 1,
    OCL_ROWS_ELEMENTS = 32,
    OCL_ALONE_ELEMENTS = 64
};
#endif

#endif
