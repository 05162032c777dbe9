/* NPY, the format of one NumPy array: "\x93NUMPY", version, header size, a header in the notation
 * of a Python dict, then the values. Only what a set of images needs: versions 1.0 and 2.0,
 * unsigned bytes ('|u1'), C order. An array is good only if it has exactly the bytes that its
 * header promises. */
#ifndef CAIRN_IO_NPY_H
#define CAIRN_IO_NPY_H

#include "io/idx.h"
#include <stddef.h>

/* Takes apart the `size` bytes of an array of the given rank, 1 .. CAIRN_IDX_MAX_RANK: fills rank
 * and dims, and tells in *offset where the values begin; `data` is left alone. `where` is the file
 * (and the member) for complaints. */
cairn_status cairn_npy_parse(const char *where, const uint8_t *bytes, size_t size, int rank,
                             struct cairn_idx *array, size_t *offset);

#endif
