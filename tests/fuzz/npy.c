/* The member of an NPZ archive. */
#include "fuzz.h"
#include "io/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int rank = 1; rank <= CAIRN_IDX_MAX_RANK; rank++) {
        struct cairn_idx array = {0};
        size_t offset = 0, total = 1;
        cairn_status st = cairn_npy_parse("x.npy", data, size, rank, &array, &offset);
        fuzz_told(st, "x.npy");
        if (st != CAIRN_OK) continue;
        for (int i = 0; i < rank; i++) total *= (size_t)array.dims[i];
        FUZZ_ASSERT(array.rank == rank && offset <= size && total == size - offset);
        fuzz_accept();
    }
    return 0;
}
