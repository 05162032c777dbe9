/* Loss and accuracy over a training as an SVG file: text, sharp at every size. */
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "report/place.h"
#include "train/trained.h"
#include <cairn/report.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRAIN, VALIDATION, TEST, SERIES };
static const struct {
    const char *name, *color, *loss, *accuracy;
} series[SERIES] = {
    {"train", "#1f77b4", "train_loss", "train_accuracy"},
    {"validation", "#d95f02", "validation_loss", "validation_accuracy"},
    {"test", "#1b9e77", "test_loss", "test_accuracy"},
};

struct point {
    double x, loss[SERIES], accuracy[SERIES]; /* NaN: none */
};

struct curves {
    struct point *points;
    int64_t count;
    int has[SERIES];
};

/* --- reading --- */

static double number(const json_t *line, const char *key)
{
    const json_t *value = json_object_get(line, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static cairn_status read_line(const char *path, const char *text, size_t length, int by_steps,
                              struct curves *c)
{
    json_error_t error;
    json_t *line = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    struct point *p = &c->points[c->count];
    p->x = line ? number(line, by_steps ? "step" : "epoch") : (double)NAN;
    for (int s = 0; s < SERIES && line; s++) {
        p->loss[s] = number(line, series[s].loss);
        p->accuracy[s] = number(line, series[s].accuracy);
        if (isfinite(p->loss[s]) || isfinite(p->accuracy[s])) c->has[s] = 1;
    }
    json_decref(line);
    if (!isfinite(p->x) || (c->count > 0 && p->x <= c->points[c->count - 1].x))
        return cairn_fail(CAIRN_FORMAT, "%s:%lld: not a line of metrics behind those before", path,
                          (long long)c->count + 1);
    c->count++;
    return CAIRN_OK;
}

static cairn_status read_points(const struct cairn_folder *folder, int by_steps, struct curves *c)
{
    cairn_status st = CAIRN_OK;
    size_t size, lines = 1;
    char *text = NULL, *path = cairn_folder_file(folder, "metrics.jsonl");
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    st = cairn_file_read(path, &text, &size);
    if (st == CAIRN_NOT_FOUND)
        st = cairn_fail(st,
                        "%s has no metrics.jsonl: nothing was evaluated yet, or it is a folder "
                        "of folds (give one of them)",
                        folder->path);
    if (st != CAIRN_OK) goto out;
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    c->points = calloc(lines, sizeof *c->points);
    if (!c->points) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    for (char *at = text, *end; (end = strchr(at, '\n')); at = end + 1)
        TRY(read_line(path, at, (size_t)(end - at), by_steps, c));
    if (c->count == 0) st = cairn_fail(CAIRN_FORMAT, "%s is empty", path);
out:
    free(text);
    free(path);
    return st;
}

/* --- drawing --- */

#define WIDTH 760
#define PANEL 300 /* height of one of the two */
#define LEFT 70
#define RIGHT 130 /* the legend */
#define TOP 40
#define GAP 70 /* below each panel: the axis */

struct axis {
    double low, high, tick;
};

/* Ticks at 1, 2 or 5 times a power of ten, about `ticks` of them; the ends are ticks. */
static struct axis make_axis(double low, double high, int ticks)
{
    if (!(high > low)) {
        double by = low != 0 ? fabs(low) / 10 : 1;
        low -= by;
        high += by;
    }
    double tick = pow(10, floor(log10((high - low) / ticks)));
    double rest = (high - low) / ticks / tick;
    tick *= rest > 5 ? 10 : rest > 2 ? 5 : rest > 1 ? 2 : 1;
    return (struct axis){floor(low / tick + 1e-9) * tick, ceil(high / tick - 1e-9) * tick, tick};
}

struct panel {
    const char *title, *unit;
    double top, scale; /* values are multiplied by it */
    struct axis x, y;
};

static double value_of(const struct point *p, int accuracy, int s)
{
    return accuracy ? 100 * p->accuracy[s] : p->loss[s];
}

static double place_x(const struct panel *p, double x)
{
    return LEFT + (x - p->x.low) / (p->x.high - p->x.low) * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct panel *p, double y)
{
    return p->top + PANEL - (y - p->y.low) / (p->y.high - p->y.low) * PANEL;
}

static struct axis find_y(const struct curves *c, int accuracy)
{
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < c->count; i++)
        for (int s = 0; s < SERIES; s++) {
            double v = value_of(&c->points[i], accuracy, s);
            if (isfinite(v) && v < low) low = v;
            if (isfinite(v) && v > high) high = v;
        }
    if (!(low <= high)) low = 0, high = 1;
    if (!accuracy && low > 0) low = 0;
    return make_axis(low, high, 6);
}

static void draw_axes(FILE *f, const struct panel *p, const char *x_title)
{
    double right = WIDTH - RIGHT, bottom = p->top + PANEL;
    int64_t rows = (int64_t)rint((p->y.high - p->y.low) / p->y.tick),
            columns = (int64_t)rint((p->x.high - p->x.low) / p->x.tick);
    for (int64_t i = 0; i <= rows; i++) {
        double v = p->y.low + (double)i * p->y.tick, y = place_y(p, v);
        if (fabs(v) < p->y.tick / 2) v = 0;
        fprintf(f, "<line x1='%d' y1='%.2f' x2='%.0f' y2='%.2f' stroke='#ddd'/>\n", LEFT, y, right,
                y);
        fprintf(f, "<text x='%d' y='%.2f' text-anchor='end'>%.6g</text>\n", LEFT - 8, y + 4, v);
    }
    for (int64_t i = 0; i <= columns; i++) {
        double v = p->x.low + (double)i * p->x.tick, x = place_x(p, v);
        fprintf(f, "<line x1='%.2f' y1='%.2f' x2='%.2f' y2='%.2f' stroke='#000'/>\n", x, bottom, x,
                bottom + 5);
        fprintf(f, "<text x='%.2f' y='%.2f' text-anchor='middle'>%.9g</text>\n", x, bottom + 19, v);
    }
    fprintf(f,
            "<rect x='%d' y='%.2f' width='%.0f' height='%d' fill='none' stroke='#000'/>\n"
            "<text x='%d' y='%.2f' font-weight='bold'>%s</text>\n"
            "<text x='%.2f' y='%.2f' text-anchor='middle'>%s</text>\n",
            LEFT, p->top, right - LEFT, PANEL, LEFT, p->top - 10, p->title, (LEFT + right) / 2,
            bottom + 38, x_title);
}

/* A value that is missing or not finite breaks the line. */
static void draw_series(FILE *f, const struct panel *p, const struct curves *c, int accuracy, int s)
{
    int open = 0;
    for (int64_t i = 0; i < c->count; i++) {
        double v = value_of(&c->points[i], accuracy, s);
        if (!isfinite(v)) {
            if (open) fputs("'/>\n", f);
            open = 0;
            continue;
        }
        if (!open)
            fprintf(f, "<polyline fill='none' stroke='%s' stroke-width='1.8' points='",
                    series[s].color);
        open = 1;
        fprintf(f, "%.2f,%.2f ", place_x(p, c->points[i].x), place_y(p, v));
    }
    if (open) fputs("'/>\n", f);
    for (int64_t i = 0; i < c->count && c->count <= 60; i++) {
        double v = value_of(&c->points[i], accuracy, s);
        if (isfinite(v))
            fprintf(f, "<circle cx='%.2f' cy='%.2f' r='2.5' fill='%s'/>\n",
                    place_x(p, c->points[i].x), place_y(p, v), series[s].color);
    }
}

static void draw_panel(FILE *f, const struct curves *c, int accuracy, int by_steps)
{
    struct panel p = {.title = accuracy ? "accuracy, %" : "loss",
                      .top = TOP + accuracy * (PANEL + GAP)};
    double first = c->points[0].x, last = c->points[c->count - 1].x;
    p.x = make_axis(first > last / 4 ? 0 : first, last, 10);
    if (p.x.tick < 1) p.x = (struct axis){floor(p.x.low), ceil(p.x.high), 1};
    p.x.low = p.x.low < 0 ? 0 : p.x.low;
    p.y = find_y(c, accuracy);
    draw_axes(f, &p, by_steps ? "step" : "epoch");
    int row = 0;
    for (int s = 0; s < SERIES; s++) {
        if (!c->has[s]) continue;
        double y = p.top + 14 + 20 * row++;
        draw_series(f, &p, c, accuracy, s);
        fprintf(f,
                "<line x1='%d' y1='%.2f' x2='%d' y2='%.2f' stroke='%s' stroke-width='3'/>\n"
                "<text x='%d' y='%.2f'>%s</text>\n",
                WIDTH - RIGHT + 14, y, WIDTH - RIGHT + 36, y, series[s].color, WIDTH - RIGHT + 42,
                y + 4, series[s].name);
    }
}

static cairn_status draw(const char *path, const struct curves *c, int by_steps)
{
    struct cairn_file_writer writer;
    int height = TOP + 2 * (PANEL + GAP);
    cairn_status st = cairn_file_open(&writer, path);
    if (st != CAIRN_OK) return st;
    locale_t before = cairn_text_begin_plain();
    fprintf(writer.file,
            "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' viewBox='0 0 %d %d' "
            "font-family='sans-serif' font-size='13'>\n"
            "<rect width='%d' height='%d' fill='#fff'/>\n",
            WIDTH, height, WIDTH, height, WIDTH, height);
    for (int accuracy = 0; accuracy < 2; accuracy++) draw_panel(writer.file, c, accuracy, by_steps);
    fputs("</svg>\n", writer.file);
    cairn_text_end_plain(before);
    return cairn_file_close(&writer, 1);
}

/* --- all of it --- */

cairn_status cairn_inspect_curves(const struct cairn_inspect_options *options,
                                  struct cairn_inspect_curves *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_folder folder = {.path = (char *)options->run};
    struct cairn_recipe recipe = {0};
    struct curves curves = {0};
    const char *out = options->out ? options->out : "curves.svg", *dot = strrchr(out, '.');
    memset(result, 0, sizeof *result);
    if (strlen(out) >= sizeof result->file)
        return cairn_fail(CAIRN_INVALID, "the file's name is longer than %zu bytes",
                          sizeof result->file - 1);
    if (dot && !strcmp(dot, ".png"))
        return cairn_fail(CAIRN_INVALID, "%s: curves are drawn as SVG: give a name like curves.svg",
                          out);
    strcpy(result->file, out);
    TRY(cairn_trained_recipe(options->run, &recipe));
    result->by_steps = recipe.train.evaluate_steps > 0;
    TRY(read_points(&folder, result->by_steps, &curves));
    TRY(cairn_place_check(out, options->force));
    TRY(draw(out, &curves, result->by_steps));
    result->points = curves.count;
    result->validation = curves.has[VALIDATION];
    result->test = curves.has[TEST];
out:
    free(curves.points);
    cairn_recipe_free(&recipe);
    return st;
}
