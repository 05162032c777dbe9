/* IDX files, the format of MNIST, of unsigned bytes: 0 0 8 RANK, RANK big-endian 32-bit sizes, then
 * the bytes, row-major. Plain or gzip, told apart by their content. A file is good only if it has
 * exactly the bytes that its header promises. */
#ifndef CAIRN_IO_IDX_H
#define CAIRN_IO_IDX_H

#include <cairn/status.h>
#include <stdint.h>

#define CAIRN_IDX_MAX_RANK 4

struct cairn_idx {
    int rank;
    int64_t dims[CAIRN_IDX_MAX_RANK]; /* each at least 1 */
    uint8_t *data;                    /* product of dims bytes */
};

/* Reads a file of the given rank, 1 .. CAIRN_IDX_MAX_RANK. CAIRN_NOT_FOUND if it is not there;
 * CAIRN_FORMAT names the file and says whether it is another kind of file, cut off, too long, or
 * damaged. No more memory is taken than the file's size allows for. */
cairn_status cairn_idx_read(const char *path, int rank, struct cairn_idx *idx);
void cairn_idx_free(struct cairn_idx *idx); /* zeroes it */

#endif
