/* Tables of tuning: taken whole or not at all, and told why not. */
#include "fuzz.h"
#include "tune/table.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

cairn_status __wrap_cairn_device_sources(const struct cairn_device_info *info, char digest[65]);
cairn_status __wrap_cairn_device_sources(const struct cairn_device_info *info, char digest[65])
{
    (void)info;
    strcpy(digest, FUZZ_DIGEST);
    return CAIRN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_device_info info = {.spec = "opencl:0.0",
                                     .name = "d",
                                     .vendor = "v",
                                     .platform = "p",
                                     .driver = "1",
                                     .version = "2",
                                     .type = "cpu",
                                     .compute_units = 1,
                                     .max_work_group = 64,
                                     .local_bytes = 1024};
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
