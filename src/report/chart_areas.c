/* Charts of areas: bars and heat maps. */
#include "report/chart.h"

#include "report/markup.h"
#include "report/plot.h"
#include <math.h>
#include <string.h>

/* --- bars --- */

#define BARS_TOP 28
#define ROW_SINGLE 35 /* label and value on a line, the bar below */
#define ROW_SERIES 17 /* name, bar and value on a line */
#define ROW_LABEL 24  /* the label above those */
#define SERIES_LEFT 128
#define SERIES_RIGHT 350

struct place {
    double left, right; /* of the bars, from 0 to the axis' end */
    double end;         /* the number there */
};

static struct cairn_chart_axis find_axis(const struct cairn_chart_bars *b)
{
    double most = 0;
    for (int i = 0; i < b->rows * b->series_count; i++) {
        double v = b->values[i].value;
        if (isfinite(v) && v > most) most = v;
    }
    return cairn_chart_axis(0, most > 0 ? most : 1, 5);
}

static void draw_bar(FILE *f, const struct place *p, double y, double height, int s, double value)
{
    double width = isfinite(value) && value > 0 ? value / p->end * (p->right - p->left) : 0;
    s %= CAIRN_CHART_SERIES;
    fprintf(f,
            "<rect class='track' x='%.2f' y='%.2f' width='%.2f' height='%.2f' fill='#eee'/>\n"
            "<rect class='f%d' x='%.2f' y='%.2f' width='%.2f' height='%.2f' fill='%s'/>\n",
            p->left, y, p->right - p->left, height, s, p->left, y, width, height,
            cairn_plot_colors[s]);
}

static void draw_label(FILE *f, double x, double y, const char *class, size_t most,
                       const char *text)
{
    fprintf(f, "<text class='%s' x='%.2f' y='%.2f'>", class, x, y);
    cairn_markup_short(f, text, most);
    fputs("</text>\n", f);
}

/* Draws a row from y on; returns where the next one begins. */
static double draw_row(FILE *f, const struct cairn_chart_bars *b, const struct place *p, int row,
                       double y)
{
    const struct cairn_chart_value *values = b->values + (size_t)row * (size_t)b->series_count;
    if (!b->series) {
        size_t taken = cairn_markup_length(values[0].text) + 2;
        size_t room = taken < 50 ? 57 - taken : 7; /* letters of a line, 7.7 wide */
        draw_label(f, 0, y + 13, "", room, b->labels[row]);
        cairn_plot_text(f, CAIRN_CHART_WIDTH, y + 13, "soft", "end", values[0].text);
        draw_bar(f, p, y + 19, 9, 0, values[0].value);
        return y + ROW_SINGLE;
    }
    draw_label(f, 0, y + 14, "", 60, b->labels[row]);
    y += ROW_LABEL - 4;
    for (int s = 0; s < b->series_count; s++, y += ROW_SERIES) {
        draw_label(f, 8, y + 11, "soft small", 18, b->series[s]);
        draw_bar(f, p, y + 2, 10, s, values[s].value);
        cairn_plot_text(f, CAIRN_CHART_WIDTH, y + 11, "small", "end", values[s].text);
    }
    return y + 4;
}

static void draw_ticks(FILE *f, const struct cairn_chart_axis *axis, const struct place *p,
                       double y, const char *unit)
{
    int count = cairn_plot_ticks(axis);
    fprintf(f, "<line class='axis' x1='%.2f' y1='%.2f' x2='%.2f' y2='%.2f' stroke='#666'/>\n",
            p->left, y, p->right, y);
    for (int i = 0; i < count; i++) {
        double v = cairn_plot_tick(axis, i), x = p->left + v / p->end * (p->right - p->left);
        char text[32];
        fprintf(f, "<line class='axis' x1='%.2f' y1='%.2f' x2='%.2f' y2='%.2f' stroke='#666'/>\n",
                x, y, x, y + 4);
        snprintf(text, sizeof text, "%.6g", v);
        cairn_plot_text(f, x, y + 18, "soft",
                        i == 0           ? "start"
                        : i + 1 == count ? "end"
                                         : "middle",
                        text);
    }
    cairn_plot_text(f, p->right, y + 36, "soft", "end", unit);
}

void cairn_chart_bars(FILE *f, const struct cairn_chart_bars *b)
{
    struct cairn_chart_axis axis = find_axis(b);
    struct place p = {0, CAIRN_CHART_WIDTH, axis.high};
    if (b->series) p.left = SERIES_LEFT, p.right = SERIES_RIGHT;
    int row = b->series ? ROW_LABEL + ROW_SERIES * b->series_count : ROW_SINGLE;
    double y = BARS_TOP;
    cairn_plot_open(f, &b->chart, CAIRN_CHART_WIDTH, BARS_TOP + b->rows * row + 44);
    for (int i = 0; i < b->rows; i++) y = draw_row(f, b, &p, i, y);
    draw_ticks(f, &axis, &p, y + 2, b->unit);
    cairn_plot_close(f);
}

/* --- heat maps --- */

#define HEAT_TOP 44      /* the column names begin */
#define LONGEST_NAME 16  /* characters of a row's or column's name */
#define SMALLEST_NAME 11 /* units high that a name needs */
#define READABLE 22      /* units of a cell that a number needs */

struct grid {
    double left, top, cell;
    int upright; /* column names are short and not turned */
};

static double find_cell(const struct cairn_chart_heat *h)
{
    int n = h->rows > h->columns ? h->rows : h->columns;
    if (n <= 12) return 40;
    if (n <= 20) return 27;
    return n <= 40 ? 14 : fmax(3, 560.0 / n);
}

static double widest_name(const char *const *names, int count)
{
    size_t most = 1;
    for (int i = 0; i < count; i++) {
        size_t n = cairn_markup_length(names[i]);
        if (n > most) most = n;
    }
    return 7.2 * (double)(most < LONGEST_NAME ? most : LONGEST_NAME);
}

/* Each name, or where cells are low each so-manieth. */
static void draw_names(FILE *f, const struct cairn_chart_heat *h, const struct grid *g)
{
    int each = (int)ceil(SMALLEST_NAME / g->cell);
    const char *class = g->cell < 16 ? "small" : "";
    for (int i = 0; i < h->rows; i += each) {
        fprintf(f, "<text class='%s' x='%.2f' y='%.2f' text-anchor='end'>", class, g->left - 6,
                g->top + (i + 0.5) * g->cell + 4.5);
        cairn_markup_short(f, h->row_names[i], LONGEST_NAME);
        fputs("</text>\n", f);
    }
    for (int j = 0; j < h->columns; j += each) {
        double x = g->left + (j + 0.5) * g->cell;
        if (g->upright)
            fprintf(f, "<text class='%s' x='%.2f' y='%.2f' text-anchor='middle'>", class, x,
                    g->top - 7);
        else
            fprintf(f, "<text class='%s' transform='translate(%.2f,%.2f) rotate(-90)'>", class,
                    x + 4.5, g->top - 6);
        cairn_markup_short(f, h->column_names[j], LONGEST_NAME);
        fputs("</text>\n", f);
    }
}

static void draw_shade(FILE *f, double x, double y, double size, double shade, int other)
{
    int series = other != 0;
    fprintf(f,
            "<rect class='f%d' x='%.2f' y='%.2f' width='%.2f' height='%.2f' fill='%s' "
            "fill-opacity='%.3f'/>\n",
            series, x, y, size, size, cairn_plot_colors[series], 0.06 + 0.94 * fmin(shade, 1));
}

static void draw_cells(FILE *f, const struct cairn_chart_heat *h, const struct grid *g)
{
    double gap = g->cell > 10 ? 1 : 0;
    size_t longest = 1;
    for (int i = 0; i < h->rows * h->columns; i++)
        if (strlen(h->cells[i].text) > longest) longest = strlen(h->cells[i].text);
    double size = fmin(13, (g->cell - 4) / (0.58 * (double)longest));
    fprintf(f,
            "<rect class='track' x='%.2f' y='%.2f' width='%.2f' height='%.2f' fill='#f4f4f4'/>\n",
            g->left, g->top, h->columns * g->cell, h->rows * g->cell);
    for (int i = 0; i < h->rows; i++)
        for (int j = 0; j < h->columns; j++) {
            const struct cairn_chart_cell *c =
                &h->cells[(size_t)i * (size_t)h->columns + (size_t)j];
            double x = g->left + j * g->cell, y = g->top + i * g->cell;
            if (c->shade > 0) draw_shade(f, x, y, g->cell - gap, c->shade, c->other);
            if (g->cell < READABLE || !*c->text) continue;
            fprintf(f, "<text class='%s' x='%.2f' y='%.2f' text-anchor='middle' font-size='%.1f'>",
                    c->shade > 0.75  ? "on"
                    : c->shade > 0.5 ? "mid"
                                     : "",
                    x + (g->cell - gap) / 2, y + g->cell / 2 + size * 0.36, size);
            cairn_markup_text(f, c->text);
            fputs("</text>\n", f);
        }
}

/* Five shades of each hue that is used, from the least to the full one. */
static void draw_legend(FILE *f, const struct cairn_chart_heat *h, double y)
{
    for (int hue = 0; hue < 2; hue++) {
        if (!h->hues[hue]) continue;
        for (int i = 0; i < 5; i++) draw_shade(f, 15 * i, y, 14, i / 4.0, hue);
        cairn_plot_text(f, 84, y + 11.5, "soft small", "start", h->hues[hue]);
        y += 20;
    }
}

void cairn_chart_heat(FILE *f, const struct cairn_chart_heat *h)
{
    struct grid g = {.cell = find_cell(h)};
    char axes[160];
    g.left = ceil(widest_name(h->row_names, h->rows)) + 8;
    double height = ceil(widest_name(h->column_names, h->columns));
    g.upright = height < g.cell - 4;
    g.top = HEAT_TOP + (g.upright ? 20 : height + 8);
    double width = g.left + h->columns * g.cell + 4, bottom = g.top + h->rows * g.cell;
    int legends = (h->hues[0] != NULL) + (h->hues[1] != NULL);
    if (width < 360) width = 360;
    cairn_plot_open(f, &h->chart, (int)ceil(width), (int)ceil(bottom) + 14 + 20 * legends);
    snprintf(axes, sizeof axes, "rows: %s; columns: %s", h->y_title, h->x_title);
    cairn_plot_text(f, 0, 35, "soft", "start", axes);
    draw_names(f, h, &g);
    draw_cells(f, h, &g);
    draw_legend(f, h, bottom + 12);
    cairn_plot_close(f);
}
