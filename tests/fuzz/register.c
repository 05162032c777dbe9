/* The register of data sets. */
#include "data/register.h"
#include "fuzz.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_dataset_entry *entries;
    int count;
    cairn_status st = cairn_register_parse("x.yaml", (const char *)data, size, &entries, &count);
    fuzz_told(st, "x.yaml");
    if (st == CAIRN_OK) fuzz_accept();
    for (int i = 0; i < count; i++) {
        const struct cairn_dataset_entry *e = &entries[i];
        FUZZ_ASSERT(*e->name && !strchr(e->name, '/') && e->name[0] != '.');
        FUZZ_ASSERT(!strchr(e->archive.name, '/'));
        for (int k = 0; k < CAIRN_DATASET_FILES; k++)
            FUZZ_ASSERT(!strchr(e->files[k].name, '/') && !strchr(e->npz[k].name, '/'));
        FUZZ_ASSERT(e->c >= 0 && e->h >= 0 && e->w >= 0 && e->classes <= 256);
    }
    free(entries);
    return 0;
}
