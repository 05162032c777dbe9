/* The confusion matrix as a heat map, and a class's mistakes as a strip of pictures. */
#include "report/answers.h"

#include "base/error.h"
#include "report/canvas.h"
#include "report/raw.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT 2           /* letters' scale */
#define LINE (TEXT * 11) /* a line of text with its distance */
#define MARGIN 12        /* around everything */
#define NUMBERED 32      /* as many classes have numbers in their cells */
#define NAME 16          /* letters of a class's name */
#define STRIP_SIDE 112   /* a mistake's longer side is at least so many pixels */
#define STRIP_GAP 8
#define STRIP_ROW 10 /* pictures side by side */

static const uint8_t black[3] = {0, 0, 0}, white[3] = {255, 255, 255}, line[3] = {200, 200, 200};

/* --- the heat map --- */

/* White over blue to dark blue, for the share's square root: rare mistakes are to be seen. */
static void shade(double share, uint8_t color[3])
{
    static const double stops[3][3] = {{255, 255, 255}, {66, 146, 198}, {8, 40, 100}};
    double at = 2 * sqrt(share);
    int low = at >= 1;
    if (at > 2) at = 2;
    for (int k = 0; k < 3; k++)
        color[k] = (uint8_t)rint(stops[low][k] + (at - low) * (stops[low + 1][k] - stops[low][k]));
}

static double share_of(const struct cairn_report *r, int i, int j)
{
    int64_t images = r->classes[i].images;
    return images > 0 ? (double)r->eval.confusion[i * r->eval.classes + j] / (double)images : 0;
}

/* Where things are: cells of `cell` pixels from (top, left); a legend on the right. */
struct map {
    int64_t cell, top, left, side, legend, h, w;
    char (*names)[NAME + 8]; /* what stands before each row */
};

static int digits(int64_t value)
{
    char text[24];
    return snprintf(text, sizeof text, "%lld", (long long)value);
}

/* "3 PEAR", at most NAME letters of the name. */
static cairn_status name_rows(const struct cairn_report *r, struct map *m)
{
    int n = r->eval.classes;
    m->names = calloc((size_t)n, sizeof *m->names);
    if (!m->names) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (int i = 0; i < n; i++) {
        const char *name = r->classes[i].name;
        snprintf(m->names[i], sizeof *m->names, "%d%s%.*s", i, name ? " " : "", NAME,
                 name ? name : "");
    }
    return CAIRN_OK;
}

static void measure_map(const struct cairn_report *r, struct map *m)
{
    int n = r->eval.classes, widest = 1;
    for (int i = 0; i < n * n; i++)
        if (digits(r->eval.confusion[i]) > widest) widest = digits(r->eval.confusion[i]);
    m->cell = n > NUMBERED ? 8 : (widest + 1) * CAIRN_LETTER_W * TEXT;
    if (n <= NUMBERED && m->cell < 40) m->cell = 40;
    m->left = cairn_canvas_width(TEXT, "LABEL");
    for (int i = 0; i < n; i++)
        if (cairn_canvas_width(TEXT, m->names[i]) > m->left)
            m->left = cairn_canvas_width(TEXT, m->names[i]);
    m->left += 2 * MARGIN;
    m->top = MARGIN + 2 * LINE;
    m->side = n * m->cell + 1;
    m->legend = m->left + m->side + 2 * MARGIN;
    m->h = m->top + (m->side > 220 ? m->side : 220) + MARGIN;
    m->w = m->legend + 20 + cairn_canvas_width(TEXT, " 100%") + 2 * MARGIN;
    int64_t title = m->left + cairn_canvas_width(TEXT, "ANSWER") + MARGIN;
    if (m->legend < title) m->w += title - m->legend;
}

/* A share of a label's images. */
static void draw_legend(struct cairn_png *canvas, const struct map *m)
{
    static const int marks[] = {0, 1, 5, 10, 25, 50, 100};
    int64_t high = 200;
    for (int64_t y = 0; y < high; y++) {
        double at = 1 - (double)y / (double)(high - 1);
        uint8_t color[3];
        shade(at * at, color);
        cairn_canvas_fill(canvas, m->top + y, m->legend, 1, 20, color);
    }
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        char text[16];
        int64_t y = m->top + (int64_t)rint((1 - sqrt(marks[i] / 100.0)) * (double)(high - 1));
        snprintf(text, sizeof text, "%d%%", marks[i]);
        cairn_canvas_fill(canvas, y, m->legend + 20, 1, 5, black);
        cairn_canvas_text(canvas, y - 7, m->legend + 30, TEXT, black, text);
    }
}

static void draw_cell(struct cairn_png *canvas, const struct map *m, const struct cairn_report *r,
                      int i, int j)
{
    char text[24];
    uint8_t color[3];
    double share = share_of(r, i, j);
    int64_t count = r->eval.confusion[i * r->eval.classes + j];
    int64_t y = m->top + i * m->cell, x = m->left + j * m->cell;
    shade(share, color);
    cairn_canvas_fill(canvas, y + 1, x + 1, m->cell - 1, m->cell - 1, color);
    if (r->eval.classes > NUMBERED || count == 0) return;
    snprintf(text, sizeof text, "%lld", (long long)count);
    int64_t w = cairn_canvas_width(TEXT, text) - TEXT;
    cairn_canvas_text(canvas, y + (m->cell - 7 * TEXT) / 2 + 1, x + (m->cell - w) / 2 + 1, TEXT,
                      share > 0.15 ? white : black, text);
}

static void draw_map(struct cairn_png *canvas, const struct map *m, const struct cairn_report *r)
{
    int n = r->eval.classes, every = n > NUMBERED ? 10 : 1;
    cairn_canvas_text(canvas, MARGIN, m->left, TEXT, black, "ANSWER");
    cairn_canvas_text(canvas, MARGIN + LINE, MARGIN, TEXT, black, "LABEL");
    cairn_canvas_fill(canvas, m->top, m->left, m->side, m->side, line);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) draw_cell(canvas, m, r, i, j);
    for (int i = 0; i < n; i += every) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        int64_t w = cairn_canvas_width(TEXT, text) - TEXT, at = i * m->cell;
        cairn_canvas_text(canvas, m->top - LINE + 4,
                          m->left + at + (every > 1 ? 0 : (m->cell - w) / 2 + 1), TEXT, black,
                          text);
        cairn_canvas_text(canvas, m->top + at + (m->cell - 7 * TEXT) / 2 + 1, MARGIN, TEXT, black,
                          m->names[i]);
    }
    draw_legend(canvas, m);
}

cairn_status cairn_answers_draw_confusion(const char *path, const struct cairn_report *report)
{
    cairn_status st = CAIRN_OK;
    struct cairn_png canvas = {0};
    struct map map = {0};
    TRY(name_rows(report, &map));
    measure_map(report, &map);
    TRY(cairn_canvas_create(&canvas, 3, map.h, map.w, 255, path));
    draw_map(&canvas, &map, report);
    TRY(cairn_png_write(path, &canvas));
out:
    free(map.names);
    cairn_png_free(&canvas);
    return st;
}

/* --- the strip --- */

/* The place of an image among those that were evaluated. */
static int64_t find_row(const struct cairn_trained *t, int64_t index)
{
    int64_t low = 0, high = t->data.test.count;
    if (!t->rows) return index;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (t->rows[middle] <= index)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* One line of a caption, small where the picture is narrow, and cut where it is narrower still. */
static void draw_line(struct cairn_png *canvas, int64_t y, int64_t x, int64_t width,
                      const char *words)
{
    char text[64];
    snprintf(text, sizeof text, "%s", words);
    int64_t scale = cairn_canvas_width(TEXT, text) - TEXT <= width ? TEXT : 1;
    if ((int64_t)strlen(text) > (width + 1) / CAIRN_LETTER_W) text[width / CAIRN_LETTER_W] = '\0';
    cairn_canvas_text(canvas, y + 5, x, scale, black, text);
}

/* The answer's class and its probability, and the name where one is known. */
static void draw_caption(struct cairn_png *canvas, int64_t y, int64_t x, int64_t width,
                         const struct cairn_trained *t, const struct cairn_report_mistake *mistake)
{
    char text[48];
    snprintf(text, sizeof text, "%d %.2f%%", mistake->answer, 100 * mistake->probability);
    draw_line(canvas, y, x, width, text);
    if (t->data.class_names)
        draw_line(canvas, y + LINE, x, width, t->data.class_names[mistake->answer]);
}

/* Pictures in rows, each in a field of width x height with its gap and caption. */
struct strip {
    int64_t scale, columns, width, height;
};

static struct strip make_strip(const struct cairn_trained *t, int64_t count)
{
    int64_t longest = t->raw.h > t->raw.w ? t->raw.h : t->raw.w;
    int64_t scale = (STRIP_SIDE + longest - 1) / longest, lines = t->data.class_names ? 2 : 1;
    return (struct strip){.scale = scale,
                          .columns = count < STRIP_ROW ? count : STRIP_ROW,
                          .width = t->raw.w * scale + STRIP_GAP,
                          .height = t->raw.h * scale + STRIP_GAP + lines * LINE};
}

void cairn_answers_strip_size(const struct cairn_trained *t, int64_t count, int64_t *h, int64_t *w)
{
    struct strip s = make_strip(t, count);
    *h = (count + STRIP_ROW - 1) / STRIP_ROW * s.height + STRIP_GAP;
    *w = s.columns * s.width + STRIP_GAP;
}

cairn_status cairn_answers_draw_strip(const char *path, const struct cairn_trained *t,
                                      const struct cairn_report_class *class)
{
    cairn_status st = CAIRN_OK;
    struct cairn_png canvas = {0};
    const struct cairn_shape *raw = &t->raw;
    struct strip s = make_strip(t, class->count);
    int64_t h, w;
    uint8_t *image = malloc((size_t)cairn_shape_count(*raw));
    if (!image) return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_answers_strip_size(t, class->count, &h, &w);
    TRY(cairn_canvas_create(&canvas, raw->c == 3 ? 3 : 1, h, w, 255, path));
    for (int64_t i = 0; i < class->count; i++) {
        int64_t row = find_row(t, class->mistakes[i].index);
        int64_t y = STRIP_GAP + i / STRIP_ROW * s.height, x = STRIP_GAP + i % STRIP_ROW * s.width;
        cairn_raw_image(&t->recipe, t->raw,
                        t->data.test.pixels + row * cairn_shape_count(t->session.image), image);
        cairn_canvas_image(&canvas, y, x, s.scale, canvas.c, raw->h, raw->w, image);
        draw_caption(&canvas, y + raw->h * s.scale, x, raw->w * s.scale, t, &class->mistakes[i]);
    }
    TRY(cairn_png_write(path, &canvas));
out:
    free(image);
    cairn_png_free(&canvas);
    return st;
}
