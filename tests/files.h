/* Files in the formats of data sets, written byte by byte, so that a test can also write wrong
 * ones. */
#ifndef TESTS_FILES_H
#define TESTS_FILES_H

#include "base/file.h"
#include "data/dataset.h"
#include "scratch.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Bytes that grow. */
struct bytes {
    uint8_t at[65536];
    size_t size;
};

static inline void add(struct bytes *b, const void *data, size_t size)
{
    ck_assert_uint_le(b->size + size, sizeof b->at);
    memcpy(b->at + b->size, data, size);
    b->size += size;
}

static inline void add_little(struct bytes *b, uint32_t value, int size)
{
    for (int i = 0; i < size; i++, value >>= 8) add(b, &(uint8_t){(uint8_t)value}, 1);
}

static inline void add_big(struct bytes *b, uint32_t value)
{
    for (int i = 24; i >= 0; i -= 8) add(b, &(uint8_t){(uint8_t)(value >> i)}, 1);
}

static inline void put_bytes(const char *name, const void *data, size_t size)
{
    FILE *file = fopen(in_scratch(name), "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

/* With its parents. */
static inline void make_folder(const char *name)
{
    cairn_status st = cairn_file_mkdirs(in_scratch(name));
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
}

static inline void pack(struct bytes *to, const struct bytes *from, int window)
{
    z_stream z = {0};
    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)from->at;
    z.avail_in = (uInt)from->size;
    z.next_out = to->at;
    z.avail_out = sizeof to->at;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    to->size = z.total_out;
    deflateEnd(&z);
}

/* Zip --------------------------------------------------------------------------------------- */

struct zip_writer {
    struct bytes file, directory;
    int count;
};

/* method 0: stored, 8: deflated; any other is claimed and stored. `claimed`: the size that the
 * archive tells, -1 for the true one. */
static inline void zip_add(struct zip_writer *zip, const char *name, const struct bytes *content,
                           int method, int64_t claimed)
{
    static struct bytes packed;
    uint32_t at = (uint32_t)zip->file.size,
             sum = (uint32_t)crc32(0, content->at, (uInt)content->size);
    uint32_t size = claimed < 0 ? (uint32_t)content->size : (uint32_t)claimed;
    packed = *content;
    if (method == 8) pack(&packed, content, -15);
    for (int central = 0; central < 2; central++) {
        struct bytes *to = central ? &zip->directory : &zip->file;
        add_little(to, central ? 0x02014b50 : 0x04034b50, 4);
        if (central) add_little(to, 20, 2);
        add_little(to, 20, 2);
        add_little(to, 0, 2);
        add_little(to, (uint32_t)method, 2);
        add_little(to, 0x00210000, 4); /* 1 January 1980 */
        add_little(to, sum, 4);
        add_little(to, (uint32_t)packed.size, 4);
        add_little(to, size, 4);
        add_little(to, (uint32_t)strlen(name), 2);
        add_little(to, 0, 2);
        for (int i = 0; central && i < 5; i++) add_little(to, 0, i == 3 ? 4 : 2);
        if (central) to->size -= 2, add_little(to, at, 4);
        add(to, name, strlen(name));
    }
    add(&zip->file, packed.at, packed.size);
    zip->count++;
}

static inline void zip_finish(struct zip_writer *zip)
{
    uint32_t at = (uint32_t)zip->file.size;
    add(&zip->file, zip->directory.at, zip->directory.size);
    add_little(&zip->file, 0x06054b50, 4);
    add_little(&zip->file, 0, 4);
    add_little(&zip->file, (uint32_t)zip->count, 2);
    add_little(&zip->file, (uint32_t)zip->count, 2);
    add_little(&zip->file, (uint32_t)zip->directory.size, 4);
    add_little(&zip->file, at, 4);
    add_little(&zip->file, 0, 2);
}

/* NPY --------------------------------------------------------------------------------------- */

/* `header` without the spaces and the newline that numpy ends it with. */
static inline void npy_make(struct bytes *b, int version, const char *header, const void *data,
                            size_t size)
{
    size_t begin = version == 1 ? 10 : 12, length = strlen(header) + 1;
    while ((begin + length) % 64) length++;
    b->size = 0;
    add(b, "\x93NUMPY", 6);
    add(b, &(uint8_t){(uint8_t)version}, 1);
    add(b, "", 1);
    add_little(b, (uint32_t)length, version == 1 ? 2 : 4);
    add(b, header, strlen(header));
    while (b->size < begin + length - 1) add(b, " ", 1);
    add(b, "\n", 1);
    add(b, data, size);
}

static inline void npz_put(const char *name, const struct bytes *array, int method)
{
    static struct zip_writer zip;
    memset(&zip, 0, sizeof zip);
    zip_add(&zip, "arr_0.npy", array, method, -1);
    zip_finish(&zip);
    put_bytes(name, zip.file.at, zip.file.size);
}

/* PNG --------------------------------------------------------------------------------------- */

struct png_spec {
    int w, h, depth, type; /* type: 0 gray, 2 RGB, 3 palette, 4 gray with alpha, 6 RGB with alpha */
    int interlaced, see_through; /* see_through: a tRNS chunk */
};

static inline void png_chunk(struct bytes *b, const char *type, const struct bytes *data)
{
    size_t begin = b->size + 4;
    add_big(b, (uint32_t)data->size);
    add(b, type, 4);
    add(b, data->at, data->size);
    add_big(b, (uint32_t)crc32(0, b->at + begin, (uInt)(b->size - begin)));
}

static inline int png_samples(const struct png_spec *s)
{
    return s->type == 2 ? 3 : s->type == 4 ? 2 : s->type == 6 ? 4 : 1;
}

/* Rows of every `dx`-th pixel from x, and every dy-th row from y; samples are one number each. */
static inline void png_rows(const struct png_spec *s, const uint8_t *samples, int x, int y, int dx,
                            int dy, struct bytes *rows)
{
    int k = png_samples(s);
    for (int i = y; i < s->h && x < s->w; i += dy) {
        unsigned bits = 0, value = 0;
        add(rows, "", 1); /* no filter */
        for (int j = x; j < s->w; j += dx)
            for (int p = 0; p < k; p++) {
                value = value << s->depth | samples[(i * s->w + j) * k + p];
                for (bits += (unsigned)s->depth; bits >= 8; bits -= 8)
                    add(rows, &(uint8_t){(uint8_t)(value >> (bits - 8))}, 1);
            }
        if (bits) add(rows, &(uint8_t){(uint8_t)(value << (8 - bits))}, 1);
    }
}

/* The palette's entry i is (i, 255 - i, 7). */
static inline void png_make(struct bytes *file, const struct png_spec *s, const uint8_t *samples)
{
    static const int adam7[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                    {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
    static struct bytes part, rows;
    file->size = part.size = rows.size = 0;
    add(file, "\x89PNG\r\n\x1a\n", 8);
    add_big(&part, (uint32_t)s->w);
    add_big(&part, (uint32_t)s->h);
    add(&part, (uint8_t[5]){(uint8_t)s->depth, (uint8_t)s->type, 0, 0, (uint8_t)s->interlaced}, 5);
    png_chunk(file, "IHDR", &part);
    part.size = 0;
    for (int i = 0; i < 1 << s->depth && s->type == 3; i++)
        add(&part, (uint8_t[3]){(uint8_t)i, (uint8_t)(255 - i), 7}, 3);
    if (s->type == 3) png_chunk(file, "PLTE", &part);
    part.size = 0;
    add(&part, "\0\1\0\2\0\3", s->type == 2 ? 6 : s->type == 3 ? 1 : 2);
    if (s->see_through) png_chunk(file, "tRNS", &part);
    for (int i = 0; i < 7 && s->interlaced; i++)
        png_rows(s, samples, adam7[i][0], adam7[i][1], adam7[i][2], adam7[i][3], &rows);
    if (samples && !s->interlaced) png_rows(s, samples, 0, 0, 1, 1, &rows);
    pack(&part, &rows, 15);
    png_chunk(file, "IDAT", &part);
    part.size = 0;
    png_chunk(file, "IEND", &part);
}

static inline void png_put(const char *name, const struct png_spec *s, const uint8_t *samples)
{
    static struct bytes file;
    png_make(&file, s, samples);
    put_bytes(name, file.at, file.size);
}

/* Complaints ---------------------------------------------------------------------------------- */

/* The file is refused with a complaint that names it. */
static inline void expect(cairn_status wanted, cairn_status got, const char *file,
                          const char *complaint)
{
    ck_assert_msg(got == wanted && strstr(cairn_error(), complaint) && strstr(cairn_error(), file),
                  "wanted %s with '%s' and '%s', got %s: %s", cairn_status_text(wanted), file,
                  complaint, cairn_status_text(got), cairn_error());
}

/* A load that must fail, and leave nothing behind. */
static inline void expect_load(const char *name, cairn_status wanted, const char *file,
                               const char *complaint)
{
    struct cairn_dataset d;
    expect(wanted, cairn_dataset_load(name, scratch, 1, &d), file, complaint);
    ck_assert(!d.train.pixels && !d.test.pixels && !d.class_names);
}

#endif
