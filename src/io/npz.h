/* NPZ, NumPy's zip archive of arrays, as numpy.savez(_compressed) writes it with one unnamed array:
 * the member arr_0.npy and nothing else. Read with libzip; a build without it refuses. */
#ifndef CAIRN_IO_NPZ_H
#define CAIRN_IO_NPZ_H

#include "io/idx.h"

/* Reads an archive whose array has the given rank and is of unsigned bytes (see io/npy.h), as
 * cairn_idx_read() reads a file; to be freed with cairn_idx_free(). CAIRN_NOT_FOUND if it is not
 * there; CAIRN_UNSUPPORTED without libzip. No more memory is taken than the file's size allows for.
 */
cairn_status cairn_npz_read(const char *path, int rank, struct cairn_idx *array);

#endif
