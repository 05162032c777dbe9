/* NPZ archives. */
#include "fuzz_array.h"
#include "io/npz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_array(cairn_npz_read, fuzz_put("x.npz", data, size));
    return 0;
}
