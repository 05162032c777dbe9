/* Numbers as pictures: `count` of them, c x h x w floats each, in a grid with lines of one pixel.
 *
 * Invariant: count <= rows * columns; the grid is filled row by row, and what stays empty is
 * white. */
#ifndef CAIRN_REPORT_TILES_H
#define CAIRN_REPORT_TILES_H

#include "io/png.h"
#include <cairn/report.h>

struct cairn_tiles {
    int64_t count, rows, columns, c, h, w;
    float *values; /* from malloc */
};

/* Memory for the pictures; columns = 0: about as many as rows. */
cairn_status cairn_tiles_create(struct cairn_tiles *tiles, int64_t count, int64_t columns,
                                int64_t c, int64_t h, int64_t w);
void cairn_tiles_free(struct cairn_tiles *tiles); /* zeroes it */

/* Draws them: black for -m and white for +m, m the largest magnitude (symmetric), or black
 * for the least and white for the largest number; a byte is rint(255 (v - black) / (white - black))
 * in double, of nothing but equal numbers 0 (128 where symmetric). Fills the result's shape and
 * range. CAIRN_INVALID where even one pixel for each number is too much for a file; `what` says of
 * what. */
cairn_status cairn_tiles_picture(const struct cairn_tiles *tiles, int symmetric, const char *what,
                                 struct cairn_png *canvas, struct cairn_inspect_result *result);

/* The same, to a file. */
cairn_status cairn_tiles_draw(const struct cairn_tiles *tiles, int symmetric, const char *path,
                              struct cairn_inspect_result *result);

#endif
