/* Archives: the input is what the packing holds, and once more the file itself. */
#include "fuzz.h"
#include "io/tar.h"
#include <stdlib.h>

static void take(const char *path)
{
    struct cairn_tar_member members[] = {
        {"one.bin", 5, 0, 0}, {"two.bin", 1000, 1, 0}, {"names.txt", -1, 1, 0}};
    cairn_status st = cairn_tar_take(path, "inner", members, 3, NULL);
    fuzz_told(st, path);
    if (st == CAIRN_OK) fuzz_accept();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t packed;
    uint8_t *gzip = fuzz_gzip(data, size, &packed);
    take(fuzz_put("x.tar.gz", gzip, packed));
    take(fuzz_put("x.tar", data, size));
    free(gzip);
    return 0;
}
