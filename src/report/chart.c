/* Styles, files and axes of charts; lines. */
#include "report/chart.h"

#include "report/markup.h"
#include "report/plot.h"
#include <math.h>
#include <string.h>

/* --- styles --- */

#define LIGHT                                                                                      \
    "--paper:#fff;--ink:#1a1e23;--soft:#57606a;--rule:#d4d9df;--cell:#f2f4f6;--mid:#1a1e23;"       \
    "--on:#fff;--c0:#0b5cad;--c1:#b8480a;--c2:#0a7350;--c3:#7b3fa0;--c4:#806000;--c5:#57606a"
#define DARK                                                                                       \
    "--paper:#14171a;--ink:#e4e8ec;--soft:#9aa4ae;--rule:#363d45;--cell:#1e2328;--mid:#0c0e10;"    \
    "--on:#0c0e10;--c0:#74b2f2;--c1:#f2995c;--c2:#52c79c;--c3:#c69ae6;--c4:#ddb945;--c5:#a4aeb8"

void cairn_chart_style(FILE *f)
{
    fputs(":root{color-scheme:light dark;" LIGHT "}\n"
          "@media (prefers-color-scheme:dark){:root{" DARK "}}\n"
          "@media print{:root{color-scheme:light;" LIGHT "}}\n"
          ".chart{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;"
          "font-variant-numeric:tabular-nums}\n"
          ".chart text{fill:var(--ink)}.chart .soft{fill:var(--soft)}\n"
          ".chart .head{font-weight:600;font-size:14px}.chart .small{font-size:11.5px}\n"
          ".chart .grid{stroke:var(--rule)}.chart .axis{stroke:var(--soft)}\n"
          ".chart .track{fill:var(--cell)}.chart .paper{fill:var(--paper)}\n"
          ".chart .mid{fill:var(--mid)}.chart .on{fill:var(--on)}\n"
          ".chart .mark{stroke:var(--paper);stroke-width:.8}\n",
          f);
    for (int i = 0; i < CAIRN_CHART_SERIES; i++)
        fprintf(f, ".chart .s%d{stroke:var(--c%d)}.chart .f%d{fill:var(--c%d)}%s", i, i, i, i,
                i + 1 < CAIRN_CHART_SERIES ? "" : "\n");
}

const char *const cairn_plot_colors[CAIRN_CHART_SERIES] = {"#0b5cad", "#b8480a", "#0a7350",
                                                           "#7b3fa0", "#806000", "#57606a"};

void cairn_plot_open(FILE *f, const struct cairn_chart *chart, int width, int height)
{
    fprintf(f,
            "<svg class='chart' role='img' aria-labelledby='%s-title %s-desc' width='%d' "
            "height='%d' viewBox='0 0 %d %d'>\n<title id='%s-title'>",
            chart->id, chart->id, width, height, width, height, chart->id);
    cairn_markup_text(f, chart->title);
    fprintf(f, "</title>\n<desc id='%s-desc'>", chart->id);
    cairn_markup_text(f, chart->desc);
    fputs("</desc>\n<text class='head' x='0' y='16'>", f);
    cairn_markup_text(f, chart->title);
    fputs("</text>\n", f);
}

void cairn_plot_close(FILE *f)
{
    fputs("</svg>\n", f);
}

void cairn_plot_text(FILE *f, double x, double y, const char *class, const char *anchor,
                     const char *text)
{
    fprintf(f, "<text class='%s' x='%.2f' y='%.2f' text-anchor='%s'>", class, x, y, anchor);
    cairn_markup_text(f, text);
    fputs("</text>\n", f);
}

void cairn_chart_begin_file(FILE *f, int height, const char *title)
{
    fprintf(f,
            "<svg xmlns='http://www.w3.org/2000/svg' class='chart' width='%d' height='%d' "
            "viewBox='-16 -8 %d %d' font-family='sans-serif' font-size='13'>\n<title>",
            2 * (CAIRN_CHART_WIDTH + 32), 2 * (height + 16), CAIRN_CHART_WIDTH + 32, height + 16);
    cairn_markup_text(f, title);
    fputs("</title>\n<style>\n", f);
    cairn_chart_style(f);
    fprintf(f,
            "</style>\n<rect class='paper' x='-16' y='-8' width='%d' height='%d' fill='#fff'/>\n"
            "<g>\n",
            CAIRN_CHART_WIDTH + 32, height + 16);
}

void cairn_chart_move(FILE *f, int y)
{
    fprintf(f, "</g>\n<g transform='translate(0,%d)'>\n", y);
}

void cairn_chart_end_file(FILE *f)
{
    fputs("</g>\n</svg>\n", f);
}

/* --- axes --- */

struct cairn_chart_axis cairn_chart_axis(double low, double high, int ticks)
{
    if (!(high - low > 1e-12 * fmax(fabs(low), fabs(high))) || high - low < 1e-200) {
        double by = fabs(low) > 1e-180 ? fabs(low) / 10 : 1;
        low -= by;
        high += by;
    }
    double tick = pow(10, floor(log10((high - low) / ticks)));
    double rest = (high - low) / ticks / tick;
    tick *= rest > 5 ? 10 : rest > 2 ? 5 : rest > 1 ? 2 : 1;
    return (struct cairn_chart_axis){floor(low / tick + 1e-9) * tick,
                                     ceil(high / tick - 1e-9) * tick, tick};
}

int cairn_plot_ticks(const struct cairn_chart_axis *axis)
{
    return (int)rint((axis->high - axis->low) / axis->tick) + 1;
}

double cairn_plot_tick(const struct cairn_chart_axis *axis, int i)
{
    double v = axis->low + i * axis->tick;
    return fabs(v) < axis->tick / 2 ? 0 : v;
}

/* --- lines --- */

#define PLOT_TOP 54
#define PLOT_HEIGHT 190
#define LEGEND_ROW 18
#define MARKED 40 /* points of a line that are marked one by one, at most */

struct plot {
    double left, right, top, bottom;
    struct cairn_chart_axis x, y;
};

static int plotted(double v)
{
    return fabs(v) < 1e100; /* not NaN */
}

static double place_x(const struct plot *p, double x)
{
    return p->left + (x - p->x.low) / (p->x.high - p->x.low) * (p->right - p->left);
}

static double place_y(const struct plot *p, double y)
{
    return p->bottom - (y - p->y.low) / (p->y.high - p->y.low) * (p->bottom - p->top);
}

/* Returns whether there is anything to draw. */
static int find_y(const struct cairn_chart_lines *l, struct cairn_chart_axis *y)
{
    double low = INFINITY, high = -INFINITY;
    for (int s = 0; s < l->series_count; s++)
        for (int64_t i = 0; i < l->count; i++) {
            double v = l->series[s].y[i];
            if (plotted(v) && v < low) low = v;
            if (plotted(v) && v > high) high = v;
        }
    int any = low <= high;
    if (!any) low = 0, high = 1;
    if (l->zero && low > 0) low = 0;
    *y = cairn_chart_axis(low, high, 5);
    return any;
}

static struct cairn_chart_axis find_x(const struct cairn_chart_lines *l)
{
    double first = l->count ? l->x[0] : 0, last = l->count ? l->x[l->count - 1] : 1;
    struct cairn_chart_axis x = cairn_chart_axis(first > last / 4 ? 0 : first, last, 8);
    if (l->whole && x.tick < 1) x = (struct cairn_chart_axis){floor(x.low), ceil(x.high), 1};
    if (first >= 0 && x.low < 0) x.low = 0;
    return x;
}

static double widest_tick(const struct cairn_chart_axis *axis)
{
    size_t most = 0;
    for (int i = 0; i < cairn_plot_ticks(axis); i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "%.6g", cairn_plot_tick(axis, i));
        if ((size_t)n > most) most = (size_t)n;
    }
    return 7.4 * (double)most;
}

static void draw_axes(FILE *f, const struct plot *p, const char *x_title)
{
    char text[32];
    for (int i = 0; i < cairn_plot_ticks(&p->y); i++) {
        double v = cairn_plot_tick(&p->y, i), y = place_y(p, v);
        fprintf(f, "<line class='%s' x1='%.2f' y1='%.2f' x2='%.2f' y2='%.2f' stroke='#%s'/>\n",
                i ? "grid" : "axis", p->left, y, p->right, y, i ? "ddd" : "666");
        snprintf(text, sizeof text, "%.6g", v);
        cairn_plot_text(f, p->left - 8, y + 4.5, "soft", "end", text);
    }
    for (int i = 0; i < cairn_plot_ticks(&p->x); i++) {
        double v = cairn_plot_tick(&p->x, i), x = place_x(p, v);
        fprintf(f, "<line class='axis' x1='%.2f' y1='%.2f' x2='%.2f' y2='%.2f' stroke='#666'/>\n",
                x, p->bottom, x, p->bottom + 4);
        snprintf(text, sizeof text, "%.9g", v);
        cairn_plot_text(f, x, p->bottom + 18, "soft", "middle", text);
    }
    cairn_plot_text(f, p->right, p->bottom + 36, "soft", "end", x_title);
}

/* Dash and mark tell lines apart where colours do not. */
static const char *const dashes[CAIRN_CHART_SERIES] = {"", "7 3", "2 3", "9 3 2 3", "4 2", "1 2"};
static const char *const marks[CAIRN_CHART_SERIES] = {
    "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
    "m-2.8-2.8h5.6v5.6h-5.6z",
    "m0-3.8l3.6 6.4h-7.2z",
    "m0-4l4 4l-4 4l-4-4z",
    "m-3.6-2.8l3.6 6.4l3.6-6.4z",
    "m-1.2-3.6h2.4v2.4h2.4v2.4h-2.4v2.4h-2.4v-2.4h-2.4v-2.4h2.4z",
};

/* The attributes of a line; its shape follows. */
static void begin_line(FILE *f, const char *element, int s)
{
    s %= CAIRN_CHART_SERIES;
    fprintf(f, "<%s class='s%d' fill='none' stroke='%s' stroke-width='1.9' ", element, s,
            cairn_plot_colors[s]);
    if (s) fprintf(f, "stroke-dasharray='%s' ", dashes[s]);
}

static void draw_mark(FILE *f, double x, double y, int s)
{
    s %= CAIRN_CHART_SERIES;
    fprintf(f, "<path class='mark f%d' fill='%s' d='M%.2f %.2f%s'/>\n", s, cairn_plot_colors[s], x,
            y, marks[s]);
}

static void draw_series(FILE *f, const struct plot *p, const struct cairn_chart_lines *l, int s)
{
    const double *y = l->series[s].y;
    int open = 0;
    for (int64_t i = 0; i < l->count; i++) {
        if (open && !plotted(y[i])) fputs("'/>\n", f);
        if (!open && plotted(y[i])) {
            begin_line(f, "polyline", s);
            fputs("points='", f);
        }
        open = plotted(y[i]);
        if (open) fprintf(f, "%.2f,%.2f ", place_x(p, l->x[i]), place_y(p, y[i]));
    }
    if (open) fputs("'/>\n", f);
    for (int64_t i = 0; i < l->count && l->count <= MARKED; i++)
        if (plotted(y[i])) draw_mark(f, place_x(p, l->x[i]), place_y(p, y[i]), s);
}

/* Draws the legend, or only counts its rows (f: NULL). */
static int draw_legend(FILE *f, const struct cairn_chart_lines *l)
{
    double x = 0;
    int row = 0;
    for (int s = 0; s < l->series_count; s++) {
        if (!l->series[s].name) continue;
        double width = 34 + 7.2 * (double)cairn_markup_length(l->series[s].name) + 18;
        if (x > 0 && x + width > CAIRN_CHART_WIDTH) x = 0, row++;
        double y = 34 + LEGEND_ROW * row;
        if (f) {
            begin_line(f, "path", s);
            fprintf(f, "d='M%.2f %.2fh28'/>\n", x, y);
            draw_mark(f, x + 14, y, s);
            cairn_plot_text(f, x + 34, y + 4.5, "", "start", l->series[s].name);
        }
        x += width;
    }
    return row + 1;
}

void cairn_chart_lines(FILE *f, const struct cairn_chart_lines *l)
{
    struct plot p = {.right = CAIRN_CHART_WIDTH - 12, .x = find_x(l)};
    int any = find_y(l, &p.y), more = (draw_legend(NULL, l) - 1) * LEGEND_ROW;
    p.left = ceil(widest_tick(&p.y)) + 10;
    p.top = PLOT_TOP + more;
    p.bottom = p.top + PLOT_HEIGHT;
    cairn_plot_open(f, &l->chart, CAIRN_CHART_WIDTH, CAIRN_CHART_LINES_HEIGHT + more);
    draw_legend(f, l);
    draw_axes(f, &p, l->x_title);
    for (int s = l->series_count - 1; s >= 0; s--) draw_series(f, &p, l, s);
    if (!any)
        cairn_plot_text(f, (p.left + p.right) / 2, (p.top + p.bottom) / 2, "soft", "middle",
                        "no finite value");
    cairn_plot_close(f);
}
