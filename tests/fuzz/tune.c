/* Tables of tuning: taken whole or not at all, and told why not. */
#include "fuzz.h"
#include "tune/table.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cairn_device_info info = FUZZ_DEVICE;
    struct tune_table table;
    static char path[256];
    if (!*path) { /* where the table of this device is */
        setenv("XDG_CACHE_HOME", fuzz_folder(), 1);
        fuzz_unpack("cairn", (const uint8_t *)"=== tune/x\n", 11);
        FUZZ_ASSERT(tune_table_read(&table, &info, CAIRN_MATH_EXACT) == CAIRN_OK && table.path);
        strcpy(path, table.path + strlen(fuzz_folder()) + 1);
        tune_table_free(&table);
    }
    fuzz_put(path, data, size);
    FUZZ_ASSERT(tune_table_read(&table, &info, CAIRN_MATH_EXACT) == CAIRN_OK);
    FUZZ_ASSERT(!table.note[0] || (!table.count && strstr(table.note, table.path)));
    for (const char *p = table.note; *p; p++) FUZZ_ASSERT(!iscntrl((unsigned char)*p));
    for (int i = 0; i < table.count; i++) {
        struct cairn_problem problem;
        FUZZ_ASSERT(cairn_problem_parse(table.entries[i].line, &problem, NULL) == CAIRN_OK);
        FUZZ_ASSERT(tune_table_find(&table, table.entries[i].line) != NULL);
    }
    if (!table.note[0]) {
        FUZZ_ASSERT(tune_table_write(&table) == CAIRN_OK);
        fuzz_accept();
    }
    tune_table_free(&table);
    return 0;
}
