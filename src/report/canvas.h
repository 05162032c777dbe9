/* Drawing into an image of bytes: rectangles, images enlarged by whole numbers, and text in
 * letters of our own, 5 x 7 pixels in fields of 6 x 8.
 *
 * Colours are three bytes, red first; a gray image takes the first. Nothing is drawn outside. */
#ifndef CAIRN_REPORT_CANVAS_H
#define CAIRN_REPORT_CANVAS_H

#include "io/png.h"

#define CAIRN_LETTER_W 6
#define CAIRN_LETTER_H 8

/* An image of c planes filled with a byte. CAIRN_INVALID for a side beyond what a PNG may have:
 * `what` says of what. */
cairn_status cairn_canvas_create(struct cairn_png *canvas, int c, int64_t h, int64_t w,
                                 uint8_t value, const char *what);

void cairn_canvas_fill(struct cairn_png *canvas, int64_t y, int64_t x, int64_t h, int64_t w,
                       const uint8_t color[3]);

/* An image of c x h x w bytes, c as the canvas has it or 1, each pixel scale x scale. */
void cairn_canvas_image(struct cairn_png *canvas, int64_t y, int64_t x, int64_t scale, int64_t c,
                        int64_t h, int64_t w, const uint8_t *pixels);

/* Small letters look like capitals; what has no letter is a box. */
void cairn_canvas_text(struct cairn_png *canvas, int64_t y, int64_t x, int64_t scale,
                       const uint8_t color[3], const char *text);

/* Pixels that a text is wide. */
int64_t cairn_canvas_width(int64_t scale, const char *text);

#endif
