/* The data set "glyphs". Every byte comes from Philox draws and double-precision + - * / and sqrt,
 * which IEEE 754 fixes to the last bit (no libm, no contraction): the images are the same on every
 * machine. Image i of a part does not depend on how many images the part has. */
#include "data/dataset.h"

#include "base/error.h"
#include "base/random.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 28, CLASSES = 10, MAX_POINTS = 24, STEPS = 6, MAX_SEGMENTS = MAX_POINTS * STEPS };

/* The strokes in hundredths of a square, y down: M moves, L draws a line, Q a quadratic curve
 * (control point, end). */
static const char *const outlines[CLASSES] = {
    "M50 10 Q78 10 78 50 Q78 90 50 90 Q22 90 22 50 Q22 10 50 10",
    "M34 28 L53 10 L53 90",
    "M22 30 Q25 10 50 10 Q78 10 78 32 Q78 52 22 90 L80 90",
    "M24 18 Q40 8 55 10 Q78 14 74 32 Q70 47 45 48 Q78 48 78 70 Q78 90 50 90 Q32 90 22 78",
    "M63 90 L63 10 L20 63 L82 63",
    "M74 10 L30 10 L27 46 Q40 38 52 40 Q78 42 78 65 Q78 90 50 90 Q32 90 22 80",
    "M70 12 Q30 20 24 62 Q24 90 50 90 Q78 90 78 67 Q78 45 52 45 Q30 45 24 66",
    "M22 10 L80 10 Q50 50 42 90",
    ("M50 48 Q26 42 26 28 Q28 10 50 10 Q73 10 74 28 Q74 42 50 48 Q22 55 22 70 Q22 90 50 90 "
     "Q78 90 78 70 Q78 55 50 48"),
    "M76 34 Q70 55 48 55 Q22 55 22 33 Q22 10 50 10 Q76 10 76 36 Q76 65 48 90",
};

struct outline {
    int count;
    struct {
        char kind; /* 'M', 'L', 'Q' (a control point) or 'E' (the end of a curve) */
        double x, y;
    } at[MAX_POINTS];
};

static void parse_outline(const char *text, struct outline *outline)
{
    int x, y, used;
    char kind;
    outline->count = 0;
    for (; sscanf(text, " %c%d %d%n", &kind, &x, &y, &used) == 3; text += used) {
        outline->at[outline->count].kind = kind;
        outline->at[outline->count].x = x / 100.0 - 0.5;
        outline->at[outline->count++].y = y / 100.0 - 0.5;
        if (kind != 'Q') continue;
        text += used;
        sscanf(text, "%d %d%n", &x, &y, &used);
        outline->at[outline->count].kind = 'E';
        outline->at[outline->count].x = x / 100.0 - 0.5;
        outline->at[outline->count++].y = y / 100.0 - 0.5;
    }
}

/* The draws of one image in order. */
struct draws {
    uint64_t seed, next;
    uint32_t image;
};

static uint32_t draw_bits(struct draws *d)
{
    return cairn_random_u32(d->seed, CAIRN_STREAM_GLYPHS, d->image, d->next++);
}

/* Between low and high. */
static double draw(struct draws *d, double low, double high)
{
    return low + (high - low) * (draw_bits(d) * 0x1p-32);
}

struct segment {
    double x, y, dx, dy, scale; /* from (x, y) by (dx, dy); scale = 1 / length^2 */
};

/* x' = xx x + xy y + x0, in pixels */
struct placement {
    double xx, xy, yx, yy, x0, y0;
};

static void draw_placement(struct draws *d, struct placement *p)
{
    double slant = draw(d, -0.35, 0.35), wide = draw(d, 14, 25), high = draw(d, 16, 25);
    double t = draw(d, -0.16, 0.16); /* the tangent of half the angle of rotation */
    double cosine = (1 - t * t) / (1 + t * t), sine = 2 * t / (1 + t * t);
    p->xx = cosine * wide;
    p->xy = cosine * (slant * high) - sine * high;
    p->yx = sine * wide;
    p->yy = sine * (slant * high) + cosine * high;
    p->x0 = 13.5 + draw(d, -3, 3);
    p->y0 = 13.5 + draw(d, -3, 3);
}

/* The strokes as straight pieces in pixels, every point moved a little. */
static int place_strokes(struct draws *d, const struct outline *outline,
                         struct segment segments[MAX_SEGMENTS])
{
    struct placement p;
    double x = 0, y = 0, cx = 0, cy = 0;
    int count = 0;
    draw_placement(d, &p);
    for (int i = 0; i < outline->count; i++) {
        char kind = outline->at[i].kind;
        double u = outline->at[i].x + draw(d, -0.05, 0.05);
        double v = outline->at[i].y + draw(d, -0.05, 0.05);
        double ex = p.xx * u + p.xy * v + p.x0, ey = p.yx * u + p.yy * v + p.y0;
        if (kind == 'Q') {
            cx = ex;
            cy = ey;
            continue;
        }
        int steps = kind == 'M' ? 0 : kind == 'L' ? 1 : STEPS;
        double fromx = x, fromy = y;
        for (int s = 1; s <= steps; s++) {
            double t = (double)s / steps, r = 1 - t;
            double nx = kind == 'L' ? ex : r * r * fromx + 2 * r * t * cx + t * t * ex;
            double ny = kind == 'L' ? ey : r * r * fromy + 2 * r * t * cy + t * t * ey;
            struct segment *g = &segments[count++];
            *g = (struct segment){x, y, nx - x, ny - y, 0};
            double length = g->dx * g->dx + g->dy * g->dy;
            g->scale = length > 0 ? 1 / length : 0;
            x = nx;
            y = ny;
        }
        x = ex;
        y = ey;
    }
    return count;
}

static int pixel_within(double value)
{
    return value < 0 ? 0 : value > SIDE - 1 ? SIDE - 1 : (int)value;
}

/* Lowers near[] to the squared distance from this piece where it is within `reach`. */
static void draw_segment(const struct segment *g, double reach, double near[SIDE * SIDE])
{
    double left = g->dx < 0 ? g->x + g->dx : g->x, right = g->dx < 0 ? g->x : g->x + g->dx;
    double top = g->dy < 0 ? g->y + g->dy : g->y, bottom = g->dy < 0 ? g->y : g->y + g->dy;
    int first = pixel_within(left - reach), last = pixel_within(right + reach + 1);
    int end = pixel_within(bottom + reach + 1);
    for (int i = pixel_within(top - reach); i <= end; i++)
        for (int j = first; j <= last; j++) {
            double px = j - g->x, py = i - g->y;
            double along = (px * g->dx + py * g->dy) * g->scale;
            along = along < 0 ? 0 : along > 1 ? 1 : along;
            double ox = px - along * g->dx, oy = py - along * g->dy;
            double distance = ox * ox + oy * oy;
            if (distance < near[i * SIDE + j]) near[i * SIDE + j] = distance;
        }
}

/* A pixel is paper + (ink - paper) * cover + noise, where cover falls from 1 to 0 over a pixel at
 * the stroke's edge. */
static void draw_glyph(struct draws *d, const struct outline *outline, uint8_t *pixels)
{
    struct segment segments[MAX_SEGMENTS];
    double near[SIDE * SIDE];
    int count = place_strokes(d, outline, segments);
    double half = draw(d, 0.6, 1.7), edge = draw(d, 0.7, 1.6);
    double ink = draw(d, 120, 255), paper = draw(d, 0, 30), noise = draw(d, 4, 44);
    double reach = half + edge;
    for (int i = 0; i < SIDE * SIDE; i++) near[i] = 1e9;
    for (int i = 0; i < count; i++) draw_segment(&segments[i], reach, near);
    for (int i = 0; i < SIDE * SIDE; i += 4) {
        uint32_t four = draw_bits(d);
        for (int j = i; j < i + 4; j++, four >>= 8) {
            double cover = (half + edge / 2 - sqrt(near[j])) / edge;
            cover = cover < 0 ? 0 : cover > 1 ? 1 : cover;
            double value = paper + (ink - paper) * cover + noise * ((four & 255) / 128.0 - 1);
            pixels[j] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
    }
}

/* Image i shows character i mod 10; its draws are those of step first + i. */
static cairn_status draw_part(uint64_t seed, uint32_t first, int64_t count,
                              struct cairn_images *images)
{
    struct outline all[CLASSES];
    for (int i = 0; i < CLASSES; i++) parse_outline(outlines[i], &all[i]);
    images->pixels = malloc((size_t)count * SIDE * SIDE + 1);
    images->labels = malloc((size_t)count + 1);
    if (!images->pixels || !images->labels)
        return cairn_fail(CAIRN_MEMORY, "no memory for %lld glyphs", (long long)count);
    images->count = count;
    for (int64_t i = 0; i < count; i++) {
        struct draws d = {.seed = seed, .image = first + (uint32_t)i};
        images->labels[i] = (uint8_t)(i % CLASSES);
        draw_glyph(&d, &all[i % CLASSES], images->pixels + i * SIDE * SIDE);
    }
    return CAIRN_OK;
}

cairn_status cairn_glyphs_generate(uint64_t seed, int64_t train_count, int64_t test_count,
                                   struct cairn_dataset *dataset)
{
    cairn_status st = CAIRN_OK;
    const int64_t most = INT64_C(1) << 30;
    memset(dataset, 0, sizeof *dataset);
    if (train_count < 1 || test_count < 1 || train_count > most || test_count > most)
        return cairn_fail(CAIRN_INVALID, "glyphs: 1 to 2^30 images can be drawn, not %lld and %lld",
                          (long long)train_count, (long long)test_count);
    strcpy(dataset->name, "glyphs");
    dataset->c = 1;
    dataset->h = dataset->w = SIDE;
    dataset->classes = CLASSES;
    TRY(draw_part(seed, 0, train_count, &dataset->train));
    TRY(draw_part(seed, UINT32_C(1) << 31, test_count, &dataset->test));
out:
    if (st != CAIRN_OK) cairn_dataset_free(dataset);
    return st;
}
