/* PNG images as bytes in plane order. Gray and RGB of 8 bits are taken as they are; gray of 1, 2
 * and 4 bits is spread over 0 .. 255 and palettes become RGB, which loses nothing. 16 bits and
 * transparency are refused: what should become of them is the owner's to say. Gamma and colour
 * profiles are not applied. Read and written with libpng; a build without it refuses. */
#ifndef CAIRN_IO_PNG_H
#define CAIRN_IO_PNG_H

#include <cairn/status.h>
#include <stddef.h>
#include <stdint.h>

#define CAIRN_PNG_LONGEST 32768 /* rows or columns of an image */

struct cairn_png {
    int c, h, w;     /* c: 1 gray, 3 RGB */
    uint8_t *pixels; /* c * h * w; from malloc */
};

/* CAIRN_NOT_FOUND if it is not there; CAIRN_FORMAT names the file and says what is wrong;
 * CAIRN_UNSUPPORTED without libpng. No more memory is taken than the file's size allows for. */
cairn_status cairn_png_read(const char *path, struct cairn_png *png);

/* Writes gray (c = 1) or RGB (c = 3) of 8 bits; the file appears whole or not at all. CAIRN_IO as
 * of cairn_file_write(); CAIRN_UNSUPPORTED without libpng. */
cairn_status cairn_png_write(const char *path, const struct cairn_png *png);

/* The same as the bytes of a file, from malloc. CAIRN_MEMORY, CAIRN_UNSUPPORTED. */
cairn_status cairn_png_pack(const struct cairn_png *png, uint8_t **bytes, size_t *size);

/* CAIRN_UNSUPPORTED where this build cannot write: for telling so before the work. */
cairn_status cairn_png_ready(void);

void cairn_png_free(struct cairn_png *png); /* zeroes it */

#endif
