#include "report/tiles.h"

#include "base/error.h"
#include "report/canvas.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIDE 1200 /* the longer side of a drawing, about, where enlarging comes to that */
#define MOST 32   /* the largest scale */

cairn_status cairn_tiles_create(struct cairn_tiles *tiles, int64_t count, int64_t columns,
                                int64_t c, int64_t h, int64_t w)
{
    if (columns == 0) columns = (int64_t)ceil(sqrt((double)count));
    *tiles = (struct cairn_tiles){.count = count,
                                  .rows = (count + columns - 1) / columns,
                                  .columns = columns,
                                  .c = c,
                                  .h = h,
                                  .w = w};
    tiles->values = malloc((size_t)(count * c * h * w) * sizeof *tiles->values);
    if (!tiles->values) return cairn_fail(CAIRN_MEMORY, "out of memory");
    return CAIRN_OK;
}

void cairn_tiles_free(struct cairn_tiles *tiles)
{
    free(tiles->values);
    memset(tiles, 0, sizeof *tiles);
}

static void find_range(const struct cairn_tiles *t, int symmetric, struct cairn_inspect_result *r)
{
    int64_t numbers = t->count * t->c * t->h * t->w, finite = 0;
    r->least = r->largest = 0;
    for (int64_t i = 0; i < numbers; i++) {
        double v = (double)t->values[i];
        if (!isfinite(v)) continue;
        if (finite == 0 || v < r->least) r->least = v;
        if (finite == 0 || v > r->largest) r->largest = v;
        finite++;
    }
    r->not_finite = numbers - finite;
    r->black = symmetric ? -fmax(fabs(r->least), fabs(r->largest)) : r->least;
    r->white = symmetric ? -r->black : r->largest;
    if (r->black == 0) r->black = 0; /* not -0 */
}

static uint8_t byte_of(float value, int symmetric, const struct cairn_inspect_result *r)
{
    if (!isfinite(value)) return 0;
    if (r->white == r->black) return symmetric ? 128 : 0;
    return (uint8_t)rint(255.0 * ((double)value - r->black) / (r->white - r->black));
}

static void draw_tile(struct cairn_png *canvas, const struct cairn_tiles *t, int64_t i,
                      int symmetric, const struct cairn_inspect_result *r)
{
    int64_t top = 1 + i / t->columns * (t->h * r->scale + 1),
            left = 1 + i % t->columns * (t->w * r->scale + 1), plane = t->h * t->w;
    const float *values = t->values + i * t->c * plane;
    for (int64_t p = 0; p < plane; p++) {
        uint8_t color[3];
        for (int64_t k = 0; k < 3; k++)
            color[k] = byte_of(values[(t->c == 3 ? k : 0) * plane + p], symmetric, r);
        cairn_canvas_fill(canvas, top + p / t->w * r->scale, left + p % t->w * r->scale, r->scale,
                          r->scale, color);
    }
}

/* What numbers and lines take, in pixels. */
static int64_t extent(int64_t tiles, int64_t size, int64_t scale)
{
    return tiles * (size * scale + 1) + 1;
}

cairn_status cairn_tiles_picture(const struct cairn_tiles *t, int symmetric, const char *what,
                                 struct cairn_png *canvas, struct cairn_inspect_result *r)
{
    cairn_status st = CAIRN_OK;
    r->count = t->count;
    r->rows = t->rows;
    r->columns = t->columns;
    r->c = t->c;
    r->h = t->h;
    r->w = t->w;
    for (r->scale = MOST; r->scale > 1; r->scale--)
        if (extent(t->rows, t->h, r->scale) <= SIDE && extent(t->columns, t->w, r->scale) <= SIDE)
            break;
    find_range(t, symmetric, r);
    TRY(cairn_canvas_create(canvas, (int)t->c, extent(t->rows, t->h, r->scale),
                            extent(t->columns, t->w, r->scale), 255, what));
    for (int64_t i = 0; i < t->count; i++) draw_tile(canvas, t, i, symmetric, r);
out:
    return st;
}

cairn_status cairn_tiles_draw(const struct cairn_tiles *t, int symmetric, const char *path,
                              struct cairn_inspect_result *r)
{
    cairn_status st = CAIRN_OK;
    struct cairn_png canvas = {0};
    TRY(cairn_tiles_picture(t, symmetric, path, &canvas, r));
    TRY(cairn_png_write(path, &canvas));
out:
    cairn_png_free(&canvas);
    return st;
}
