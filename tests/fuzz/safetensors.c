/* Safetensors files; one that is accepted is written and reads back the same. */
#include "fuzz.h"
#include "io/safetensors.h"
#include <string.h>

static size_t bytes_of(const struct cairn_st_tensor *t)
{
    size_t bytes = t->dtype == CAIRN_ST_F32 ? 4 : 8;
    for (int i = 0; i < t->rank; i++) bytes *= (size_t)t->dims[i];
    return bytes;
}

static void compare(const struct cairn_st_file *a, const struct cairn_st_file *b)
{
    FUZZ_ASSERT(a->count == b->count && a->metadata_count == b->metadata_count);
    for (size_t i = 0; i < a->count; i++) {
        const struct cairn_st_tensor *s = &a->tensors[i], *t = &b->tensors[i];
        FUZZ_ASSERT(!strcmp(s->name, t->name) && s->dtype == t->dtype && s->rank == t->rank);
        for (int d = 0; d < s->rank; d++) FUZZ_ASSERT(s->dims[d] == t->dims[d]);
        for (size_t k = 0; k < bytes_of(s) / 4; k++) { /* NaNs become one */
            const uint32_t *x = s->data, *y = t->data;
            FUZZ_ASSERT(x[k] == y[k] || (s->dtype == CAIRN_ST_F32 && y[k] == 0x7fc00000));
        }
    }
    for (size_t i = 0; i < a->metadata_count; i++) {
        const char *value = cairn_st_metadata(b, a->keys[i]);
        FUZZ_ASSERT(value && !strcmp(value, a->values[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_st_file file, again;
    const char *path = fuzz_put("x.safetensors", data, size);
    cairn_status st = cairn_st_read(path, &file);
    fuzz_told(st, path);
    if (st != CAIRN_OK) {
        FUZZ_ASSERT(!file.tensors && !file.count);
        return 0;
    }
    const char *copy = fuzz_path("y.safetensors");
    FUZZ_ASSERT(cairn_st_write(copy, &file) == CAIRN_OK);
    FUZZ_ASSERT(cairn_st_read(copy, &again) == CAIRN_OK);
    compare(&file, &again);
    cairn_st_free(&file);
    cairn_st_free(&again);
    fuzz_accept();
    return 0;
}
