/* IDX files, plain, and the same packed: one is accepted where the other is. */
#include "fuzz_array.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t packed;
    uint8_t *gzip = fuzz_gzip(data, size, &packed);
    int is_gzip = size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
    int plain = fuzz_array(cairn_idx_read, fuzz_put("x", data, size));
    int unpacked = fuzz_array(cairn_idx_read, fuzz_put("x.gz", gzip, packed));
    FUZZ_ASSERT(is_gzip || plain == unpacked);
    free(gzip);
    return 0;
}
