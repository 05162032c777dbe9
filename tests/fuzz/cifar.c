/* A folder of CIFAR-10's binary files, of images of 1 x 2 x 3 in three classes. */
#include "data/formats.h"
#include "fuzz.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cairn_dataset_entry entry = {
        .name = "tiny", .kind = CAIRN_DATASET_CIFAR, .c = 1, .h = 2, .w = 3, .classes = 3};
    struct cairn_dataset set = {.c = 1, .h = 2, .w = 3, .classes = 3};
    fuzz_unpack("set", data, size);
    const char *folder = fuzz_path("set");
    cairn_status st = cairn_cifar_load(&entry, folder, CAIRN_DATASET_ALL, &set);
    fuzz_told(st, folder);
    if (st == CAIRN_OK) {
        fuzz_accept();
        FUZZ_ASSERT(set.train.count >= 5 && set.test.count >= 1);
        fuzz_touch(set.train.pixels, (size_t)set.train.count * 6);
        fuzz_touch(set.train.labels, (size_t)set.train.count);
        fuzz_touch(set.test.pixels, (size_t)set.test.count * 6);
        for (int64_t i = 0; i < set.test.count; i++) FUZZ_ASSERT(set.test.labels[i] < 3);
        for (int i = 0; i < 3 && set.class_names; i++)
            fuzz_touch(set.class_names[i], strlen(set.class_names[i]));
    }
    cairn_dataset_free(&set);
    return 0;
}
