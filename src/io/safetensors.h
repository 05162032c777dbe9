/* The safetensors format: 8-byte little-endian header length, a JSON header, raw little-endian
 * tensors. Float32 and int64 only. */
#ifndef CAIRN_IO_SAFETENSORS_H
#define CAIRN_IO_SAFETENSORS_H

#include <cairn/status.h>
#include <stddef.h>
#include <stdint.h>

enum cairn_st_dtype { CAIRN_ST_F32, CAIRN_ST_I64 };

struct cairn_st_tensor {
    char *name;
    enum cairn_st_dtype dtype;
    int rank;
    int64_t dims[8];
    void *data; /* in the file's order; product of dims elements */
};

struct cairn_st_file {
    struct cairn_st_tensor *tensors; /* sorted by name after reading */
    size_t count;
    char **keys, **values; /* __metadata__: text to text */
    size_t metadata_count;
};

/* Writes atomically. Tensor data is borrowed. NaNs are written as 0x7fc00000. */
cairn_status cairn_st_write(const char *path, const struct cairn_st_file *file);

/* Reads and checks everything (header size, JSON, dtypes, offsets in order and inside the file):
 * CAIRN_FORMAT says what is wrong. */
cairn_status cairn_st_read(const char *path, struct cairn_st_file *file);
void cairn_st_free(struct cairn_st_file *file); /* of a file that was read; zeroes it */

const struct cairn_st_tensor *cairn_st_find(const struct cairn_st_file *file, const char *name);
const char *cairn_st_metadata(const struct cairn_st_file *file, const char *key);

#endif
