/* What failed on a device before: a record is taken, or ignored; and it can be added to. */
#include "device/failures.h"
#include "fuzz.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cairn_device_info info = FUZZ_DEVICE;
    struct cairn_failures failures;
    static char path[256];
    if (!*path) { /* where the record of this device is */
        setenv("XDG_CACHE_HOME", fuzz_folder(), 1);
        fuzz_unpack("cairn", (const uint8_t *)"=== failures/x\n", 15);
        FUZZ_ASSERT(cairn_failures_read(&info, &failures) == CAIRN_OK && failures.path);
        strcpy(path, failures.path + strlen(fuzz_folder()) + 1);
        cairn_failures_free(&failures);
    }
    fuzz_put(path, data, size);
    FUZZ_ASSERT(cairn_failures_read(&info, &failures) == CAIRN_OK);
    for (int i = 0; i < failures.count; i++) {
        const struct cairn_failure *f = &failures.items[i];
        FUZZ_ASSERT(strlen(f->what) < sizeof f->what && strlen(f->how) < sizeof f->how);
        FUZZ_ASSERT(cairn_failures_find(&failures, f->what) == f->how);
    }
    if (failures.count) fuzz_accept();
    cairn_failures_free(&failures);
    FUZZ_ASSERT(cairn_failures_record(&info, "device", "it\nfailed") == CAIRN_OK);
    FUZZ_ASSERT(cairn_failures_read(&info, &failures) == CAIRN_OK && failures.count > 0);
    FUZZ_ASSERT(!strcmp(cairn_failures_find(&failures, "device"), "it failed"));
    cairn_failures_free(&failures);
    return 0;
}
