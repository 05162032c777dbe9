/* PNG images: as they are, and with the sums of their chunks put right, which opens the way into
 * them. */
#include "fuzz.h"
#include "io/png.h"
#include <stdlib.h>
#include <zlib.h>

static uint32_t big(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_sums_right(uint8_t *data, size_t size)
{
    for (size_t at = 8; size >= 12 && at <= size - 12;) {
        size_t length = big(data + at);
        if (length > size - 12 - at) return;
        uint32_t sum = (uint32_t)crc32(0, data + at + 4, (uInt)length + 4);
        for (int i = 0; i < 4; i++)
            data[at + 8 + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        at += 12 + length;
    }
}

static void read_image(const uint8_t *data, size_t size)
{
    struct cairn_png png;
    const char *path = fuzz_put("x.png", data, size);
    cairn_status st = cairn_png_read(path, &png);
    fuzz_told(st, path);
    FUZZ_ASSERT((st == CAIRN_OK) == (png.pixels != NULL));
    if (st == CAIRN_OK) {
        fuzz_accept();
        fuzz_touch(png.pixels, (size_t)png.c * (size_t)png.h * (size_t)png.w);
    }
    cairn_png_free(&png);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = (uint8_t *)fuzz_text(data, size);
    read_image(copy, size);
    put_sums_right(copy, size);
    read_image(copy, size);
    free(copy);
    return 0;
}
