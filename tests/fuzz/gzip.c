/* Packed IDX files whose packing is damaged. */
#include "fuzz_array.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_array(cairn_idx_read, fuzz_put("x.gz", data, size));
    return 0;
}
