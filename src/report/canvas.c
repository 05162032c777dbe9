#include "report/canvas.h"

#include "base/error.h"
#include <stdlib.h>
#include <string.h>

cairn_status cairn_canvas_create(struct cairn_png *canvas, int c, int64_t h, int64_t w,
                                 uint8_t value, const char *what)
{
    memset(canvas, 0, sizeof *canvas);
    if (h > CAIRN_PNG_LONGEST || w > CAIRN_PNG_LONGEST)
        return cairn_fail(CAIRN_INVALID, "%s would be %lldx%lld pixels; at most %dx%d are drawn",
                          what, (long long)h, (long long)w, CAIRN_PNG_LONGEST, CAIRN_PNG_LONGEST);
    size_t bytes = (size_t)c * (size_t)h * (size_t)w;
    canvas->pixels = malloc(bytes);
    if (!canvas->pixels)
        return cairn_fail(CAIRN_MEMORY, "no memory for %s, %lldx%lld pixels", what, (long long)h,
                          (long long)w);
    memset(canvas->pixels, value, bytes);
    canvas->c = c;
    canvas->h = (int)h;
    canvas->w = (int)w;
    return CAIRN_OK;
}

void cairn_canvas_fill(struct cairn_png *canvas, int64_t y, int64_t x, int64_t h, int64_t w,
                       const uint8_t color[3])
{
    int64_t bottom = y + h < canvas->h ? y + h : canvas->h;
    int64_t right = x + w < canvas->w ? x + w : canvas->w;
    if (y < 0) y = 0;
    if (x < 0) x = 0;
    for (int64_t k = 0; k < canvas->c; k++)
        for (int64_t i = y; i < bottom && x < right; i++)
            memset(canvas->pixels + (k * canvas->h + i) * canvas->w + x, color[k],
                   (size_t)(right - x));
}

void cairn_canvas_image(struct cairn_png *canvas, int64_t y, int64_t x, int64_t scale, int64_t c,
                        int64_t h, int64_t w, const uint8_t *pixels)
{
    for (int64_t i = 0; i < h; i++)
        for (int64_t j = 0; j < w; j++) {
            uint8_t color[3];
            for (int64_t k = 0; k < 3; k++) color[k] = pixels[((c == 3 ? k : 0) * h + i) * w + j];
            cairn_canvas_fill(canvas, y + i * scale, x + j * scale, scale, scale, color);
        }
}

/* Seven rows of five pixels, the left one worth 16. */
struct letter {
    char what;
    uint8_t rows[7];
};

static const struct letter letters[] = {
    {' ', {0, 0, 0, 0, 0, 0, 0}},        {'0', {14, 17, 19, 21, 25, 17, 14}},
    {'1', {4, 12, 4, 4, 4, 4, 14}},      {'2', {14, 17, 1, 6, 8, 16, 31}},
    {'3', {30, 1, 1, 14, 1, 1, 30}},     {'4', {2, 6, 10, 18, 31, 2, 2}},
    {'5', {31, 16, 30, 1, 1, 17, 14}},   {'6', {6, 8, 16, 30, 17, 17, 14}},
    {'7', {31, 1, 2, 4, 8, 8, 8}},       {'8', {14, 17, 17, 14, 17, 17, 14}},
    {'9', {14, 17, 17, 15, 1, 2, 12}},   {'A', {14, 17, 17, 31, 17, 17, 17}},
    {'B', {30, 17, 17, 30, 17, 17, 30}}, {'C', {14, 17, 16, 16, 16, 17, 14}},
    {'D', {30, 17, 17, 17, 17, 17, 30}}, {'E', {31, 16, 16, 30, 16, 16, 31}},
    {'F', {31, 16, 16, 30, 16, 16, 16}}, {'G', {14, 17, 16, 23, 17, 17, 15}},
    {'H', {17, 17, 17, 31, 17, 17, 17}}, {'I', {14, 4, 4, 4, 4, 4, 14}},
    {'J', {7, 2, 2, 2, 2, 18, 12}},      {'K', {17, 18, 20, 24, 20, 18, 17}},
    {'L', {16, 16, 16, 16, 16, 16, 31}}, {'M', {17, 27, 21, 21, 17, 17, 17}},
    {'N', {17, 25, 25, 21, 19, 19, 17}}, {'O', {14, 17, 17, 17, 17, 17, 14}},
    {'P', {30, 17, 17, 30, 16, 16, 16}}, {'Q', {14, 17, 17, 17, 21, 18, 13}},
    {'R', {30, 17, 17, 30, 20, 18, 17}}, {'S', {15, 16, 16, 14, 1, 1, 30}},
    {'T', {31, 4, 4, 4, 4, 4, 4}},       {'U', {17, 17, 17, 17, 17, 17, 14}},
    {'V', {17, 17, 17, 17, 17, 10, 4}},  {'W', {17, 17, 17, 21, 21, 27, 17}},
    {'X', {17, 17, 10, 4, 10, 17, 17}},  {'Y', {17, 17, 10, 4, 4, 4, 4}},
    {'Z', {31, 1, 2, 4, 8, 16, 31}},     {'.', {0, 0, 0, 0, 0, 12, 12}},
    {',', {0, 0, 0, 0, 12, 4, 8}},       {'%', {24, 25, 2, 4, 8, 19, 3}},
    {'-', {0, 0, 0, 31, 0, 0, 0}},       {'_', {0, 0, 0, 0, 0, 0, 31}},
    {'+', {0, 4, 4, 31, 4, 4, 0}},       {'/', {1, 1, 2, 4, 8, 16, 16}},
    {':', {0, 12, 12, 0, 12, 12, 0}},    {'(', {2, 4, 8, 8, 8, 4, 2}},
    {')', {8, 4, 2, 2, 2, 4, 8}},
};
static const uint8_t box[7] = {31, 17, 17, 17, 17, 17, 31};

static const uint8_t *rows_of(char what)
{
    if (what >= 'a' && what <= 'z') what = (char)(what - 'a' + 'A');
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (letters[i].what == what) return letters[i].rows;
    return box;
}

/* Whether a letter begins with this byte of UTF-8. */
static int begins(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

void cairn_canvas_text(struct cairn_png *canvas, int64_t y, int64_t x, int64_t scale,
                       const uint8_t color[3], const char *text)
{
    for (; *text; text++) {
        if (!begins(*text)) continue;
        const uint8_t *rows = rows_of(*text);
        for (int i = 0; i < 7; i++)
            for (int j = 0; j < 5; j++)
                if (rows[i] & 16 >> j)
                    cairn_canvas_fill(canvas, y + i * scale, x + j * scale, scale, scale, color);
        x += CAIRN_LETTER_W * scale;
    }
}

int64_t cairn_canvas_width(int64_t scale, const char *text)
{
    int64_t count = 0;
    for (; *text; text++) count += begins(*text);
    return count * CAIRN_LETTER_W * scale;
}
