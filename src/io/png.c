#include "io/png.h"

#include "base/error.h"
#include "base/file.h"
#include <stdlib.h>
#include <string.h>

#ifdef CAIRN_WITH_PNG

#include <assert.h>
#include <png.h>
#include <stdio.h>

#define MAX_RATIO 1032 /* deflate packs at most that many bytes into one */

/* One image being read. It lies outside of the frame that libpng's errors return to. */
struct reader {
    const char *path;
    const uint8_t *bytes; /* what is left of the file */
    size_t left, size;
    png_structp png;
    png_infop info;
    uint8_t *packed; /* rows of h x w x c */
    png_bytep *rows;
    size_t row_bytes;
    struct cairn_png *to;
    char why[200];
};

static void stop(png_structp png, png_const_charp why)
{
    struct reader *r = png_get_error_ptr(png);
    snprintf(r->why, sizeof r->why, "%s", why);
    longjmp(png_jmpbuf(png), 1);
}

static void ignore(png_structp png, png_const_charp why)
{
    (void)png;
    (void)why;
}

static void give(png_structp png, png_bytep to, size_t size)
{
    struct reader *r = png_get_io_ptr(png);
    if (size > r->left) png_error(png, "the file is cut off");
    memcpy(to, r->bytes, size);
    r->bytes += size;
    r->left -= size;
}

/* What the header says, and what is refused for it. */
static cairn_status check_kind(struct reader *r)
{
    int type = png_get_color_type(r->png, r->info);
    const char *bad = NULL;
    if (png_get_bit_depth(r->png, r->info) == 16) bad = "16 bits a sample";
    if (type & PNG_COLOR_MASK_ALPHA || png_get_valid(r->png, r->info, PNG_INFO_tRNS))
        bad = "transparency";
    if (bad)
        return cairn_fail(CAIRN_FORMAT,
                          "%s: a PNG image with %s; gray or RGB of 8 bits is accepted: convert it",
                          r->path, bad);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(r->png);
    if (type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(r->png);
    r->to->c = type == PNG_COLOR_TYPE_GRAY ? 1 : 3;
    r->to->h = (int)png_get_image_height(r->png, r->info);
    r->to->w = (int)png_get_image_width(r->png, r->info);
    return CAIRN_OK;
}

static cairn_status take_memory(struct reader *r)
{
    struct cairn_png *to = r->to;
    uint64_t bits = (uint64_t)png_get_bit_depth(r->png, r->info) *
                    (uint64_t)png_get_channels(r->png, r->info) * (uint64_t)to->w;
    uint64_t most = ((uint64_t)r->size + 64) * MAX_RATIO;
    if ((bits + 7) / 8 * (uint64_t)to->h > most)
        return cairn_fail(CAIRN_FORMAT,
                          "%s: cut off: %dx%d pixels cannot be packed into a file of %llu bytes",
                          r->path, to->h, to->w, (unsigned long long)r->size);
    size_t total = (size_t)to->c * (size_t)to->h * (size_t)to->w;
    r->row_bytes = (size_t)to->c * (size_t)to->w;
    r->packed = malloc(total);
    r->rows = malloc((size_t)to->h * sizeof *r->rows);
    to->pixels = malloc(total);
    if (!r->packed || !r->rows || !to->pixels)
        return cairn_fail(CAIRN_MEMORY, "no memory for the pixels of %s", r->path);
    for (int i = 0; i < to->h; i++) r->rows[i] = r->packed + (size_t)i * r->row_bytes;
    return CAIRN_OK;
}

static cairn_status damaged(const struct reader *r)
{
    return cairn_fail(CAIRN_FORMAT, "%s: a damaged PNG image: %s", r->path, r->why);
}

static cairn_status read_header(struct reader *r)
{
    if (setjmp(png_jmpbuf(r->png))) return damaged(r);
    png_set_read_fn(r->png, r, give);
    png_set_user_limits(r->png, CAIRN_PNG_LONGEST, CAIRN_PNG_LONGEST);
    png_read_info(r->png, r->info);
    return check_kind(r);
}

static cairn_status read_pixels(struct reader *r)
{
    if (setjmp(png_jmpbuf(r->png))) return damaged(r);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    if (png_get_rowbytes(r->png, r->info) != r->row_bytes)
        png_error(r->png, "rows of an unexpected size");
    png_read_image(r->png, r->rows);
    png_read_end(r->png, NULL); /* the rest of the file is sound too */
    return CAIRN_OK;
}

static void split_planes(const struct reader *r)
{
    size_t plane = (size_t)r->to->h * (size_t)r->to->w, c = (size_t)r->to->c;
    for (size_t i = 0; i < plane; i++)
        for (size_t k = 0; k < c; k++)
            /* Filled row by row by libpng. NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign)
             */
            r->to->pixels[k * plane + i] = r->packed[i * c + k];
}

cairn_status cairn_png_read(const char *path, struct cairn_png *png)
{
    char *bytes = NULL;
    struct reader r = {.path = path, .to = png};
    memset(png, 0, sizeof *png);
    cairn_status st = cairn_file_read(path, &bytes, &r.size);
    if (st != CAIRN_OK) return st;
    r.bytes = (const uint8_t *)bytes;
    r.left = r.size;
    if (r.size < 8 || png_sig_cmp(r.bytes, 0, 8) != 0) {
        st = cairn_fail(CAIRN_FORMAT, "%s: not a PNG image", path);
        goto out;
    }
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, stop, ignore);
    if (r.png) r.info = png_create_info_struct(r.png);
    if (!r.info) {
        st = cairn_fail(CAIRN_MEMORY, "no memory to read %s", path);
        goto out;
    }
    TRY(read_header(&r));
    TRY(take_memory(&r));
    TRY(read_pixels(&r));
    split_planes(&r);
out:
    png_destroy_read_struct(&r.png, &r.info, NULL);
    free(r.packed);
    free(r.rows);
    free(bytes);
    if (st != CAIRN_OK) cairn_png_free(png);
    return st;
}

/* One image being written. */
struct writer {
    png_structp png;
    png_infop info;
    uint8_t *packed; /* one row of w x c */
    uint8_t *bytes;
    size_t size, room;
};

static void stop_writing(png_structp png, png_const_charp why)
{
    (void)why; /* of what this program may write nothing is wrong: there was no memory */
    longjmp(png_jmpbuf(png), 1);
}

static void take(png_structp png, png_bytep from, size_t size)
{
    struct writer *w = png_get_io_ptr(png);
    if (w->room - w->size < size) {
        size_t room = 2 * w->room + size + 1024;
        uint8_t *grown = realloc(w->bytes, room);
        if (!grown) png_error(png, "no memory");
        w->bytes = grown;
        w->room = room;
    }
    memcpy(w->bytes + w->size, from, size);
    w->size += size;
}

/* 0: memory was out. */
static int pack_image(struct writer *w, const struct cairn_png *from)
{
    size_t plane = (size_t)from->h * (size_t)from->w, c = (size_t)from->c;
    if (setjmp(png_jmpbuf(w->png))) return 0;
    png_set_write_fn(w->png, w, take, NULL);
    png_set_IHDR(w->png, w->info, (png_uint_32)from->w, (png_uint_32)from->h, 8,
                 c == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(w->png, w->info);
    for (size_t y = 0; y < (size_t)from->h; y++) {
        for (size_t x = 0; x < (size_t)from->w; x++)
            for (size_t k = 0; k < c; k++)
                w->packed[x * c + k] = from->pixels[k * plane + y * (size_t)from->w + x];
        png_write_row(w->png, w->packed);
    }
    png_write_end(w->png, NULL);
    return 1;
}

cairn_status cairn_png_pack(const struct cairn_png *png, uint8_t **bytes, size_t *size)
{
    struct writer w = {.room = 0};
    assert((png->c == 1 || png->c == 3) && png->h > 0 && png->w > 0);
    assert(png->h <= CAIRN_PNG_LONGEST && png->w <= CAIRN_PNG_LONGEST);
    w.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &w, stop_writing, ignore);
    if (w.png) w.info = png_create_info_struct(w.png);
    w.packed = malloc((size_t)png->w * (size_t)png->c);
    int good = w.info && w.packed && pack_image(&w, png);
    png_destroy_write_struct(&w.png, &w.info);
    free(w.packed);
    *bytes = good ? w.bytes : NULL;
    *size = good ? w.size : 0;
    if (good) return CAIRN_OK;
    free(w.bytes);
    return cairn_fail(CAIRN_MEMORY, "no memory for a PNG image of %dx%d pixels", png->h, png->w);
}

cairn_status cairn_png_write(const char *path, const struct cairn_png *png)
{
    uint8_t *bytes;
    size_t size;
    cairn_status st = cairn_png_pack(png, &bytes, &size);
    if (st != CAIRN_OK) return cairn_fail_in(st, "%s", path);
    st = cairn_file_write(path, bytes, size);
    free(bytes);
    return st;
}

cairn_status cairn_png_ready(void)
{
    return CAIRN_OK;
}

#else

cairn_status cairn_png_pack(const struct cairn_png *png, uint8_t **bytes, size_t *size)
{
    (void)png;
    *bytes = NULL;
    *size = 0;
    return cairn_png_ready();
}

cairn_status cairn_png_write(const char *path, const struct cairn_png *png)
{
    (void)png;
    return cairn_fail_in(cairn_png_ready(), "%s", path);
}

cairn_status cairn_png_ready(void)
{
    return cairn_fail(CAIRN_UNSUPPORTED,
                      "this build cannot write PNG images: install libpng (libpng-dev) and build "
                      "again with -Dpng=enabled");
}

cairn_status cairn_png_read(const char *path, struct cairn_png *png)
{
    memset(png, 0, sizeof *png);
    return cairn_fail(
        CAIRN_UNSUPPORTED,
        "%s: this build cannot read PNG images: install libpng (libpng-dev) and build "
        "again with -Dpng=enabled",
        path);
}

#endif

void cairn_png_free(struct cairn_png *png)
{
    free(png->pixels);
    memset(png, 0, sizeof *png);
}
