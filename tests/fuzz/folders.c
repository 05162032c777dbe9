/* Images in folders by class. */
#include "data/formats.h"
#include "fuzz.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_dataset set = {0}, described = {0};
    fuzz_unpack("set", data, size);
    const char *folder = fuzz_path("set");
    cairn_status st = cairn_folders_load(folder, CAIRN_DATASET_ALL, &set);
    fuzz_told(st, folder);
    if (st == CAIRN_OK) {
        fuzz_accept();
        size_t item = (size_t)set.c * (size_t)set.h * (size_t)set.w;
        FUZZ_ASSERT(cairn_folders_describe(folder, &described) == CAIRN_OK);
        FUZZ_ASSERT(described.c == set.c && described.h == set.h && described.w == set.w &&
                    described.classes == set.classes && described.train.count == set.train.count &&
                    described.test.count == set.test.count);
        fuzz_touch(set.train.pixels, (size_t)set.train.count * item);
        fuzz_touch(set.test.pixels, (size_t)set.test.count * item);
        for (int64_t i = 0; i < set.train.count; i++)
            FUZZ_ASSERT(set.train.labels[i] < set.classes);
        for (int64_t i = 0; i < set.test.count; i++) FUZZ_ASSERT(set.test.labels[i] < set.classes);
    }
    cairn_dataset_free(&set);
    cairn_dataset_free(&described);
    return 0;
}
