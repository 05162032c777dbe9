/* What the targets of files with one array ask of their readers. */
#ifndef TESTS_FUZZ_ARRAY_H
#define TESTS_FUZZ_ARRAY_H

#include "fuzz.h"
#include "io/idx.h"

typedef cairn_status fuzz_array_reader(const char *path, int rank, struct cairn_idx *array);

/* Reads a file with every rank; an array that is accepted has the bytes that its sizes say. Returns
 * the rank that was accepted, 0 for none. */
static inline int fuzz_array(fuzz_array_reader *read, const char *path)
{
    int accepted = 0;
    for (int rank = 1; rank <= CAIRN_IDX_MAX_RANK; rank++) {
        struct cairn_idx array;
        cairn_status st = read(path, rank, &array);
        fuzz_told(st, path);
        if (st != CAIRN_OK) {
            FUZZ_ASSERT(!array.data);
            continue;
        }
        size_t total = 1;
        for (int i = 0; i < rank; i++) {
            FUZZ_ASSERT(array.dims[i] >= 1);
            total *= (size_t)array.dims[i];
        }
        fuzz_touch(array.data, total);
        cairn_idx_free(&array);
        FUZZ_ASSERT(!accepted);
        accepted = rank;
        fuzz_accept();
    }
    return accepted;
}

#endif
