/* Charts as SVG: lines, horizontal bars, a heat map.
 *
 * A chart is one <svg> element, for a page of HTML (report/page.h, whose style sheet has the
 * charts' styles) or in a file of its own between cairn_chart_begin_file() and _end_file(). It
 * carries role="img", a <title> and a <desc>; their ids begin with the chart's, which is unique in
 * the page. Colours follow the reader's scheme, light or dark, and no meaning hangs on a colour
 * alone: lines differ in dash and mark, bars and cells have their numbers.
 *
 * Texts may hold anything; they are escaped. Numbers that are not finite are left out. Whoever
 * writes to the stream sees to the "C" locale (cairn_text_begin_plain()) and looks at ferror(). */
#ifndef CAIRN_REPORT_CHART_H
#define CAIRN_REPORT_CHART_H

#include <stdint.h>
#include <stdio.h>

/* Lines or bars that are told apart; more look like the first again. */
#define CAIRN_CHART_SERIES 6
/* Of lines and bars, in units of the viewBox; letters are 13 high. */
#define CAIRN_CHART_WIDTH 440
#define CAIRN_CHART_LINES_HEIGHT 290

/* What every chart has. */
struct cairn_chart {
    const char *id;    /* letters, digits, '-'; unique in the page */
    const char *title; /* with the unit: "Loss", "Accuracy, %" */
    const char *desc;  /* what it shows, in a sentence or two, for those who do not see it */
};

/* --- lines over a common x --- */

struct cairn_chart_series {
    const char *name; /* in the legend; NULL: not there */
    const double *y;  /* `count` of them; one that is not finite breaks the line */
};

struct cairn_chart_lines {
    struct cairn_chart chart;
    const char *x_title; /* "epoch" */
    const double *x;     /* rising */
    int64_t count;
    const struct cairn_chart_series *series;
    int series_count;
    int zero;  /* the y axis reaches down to 0 where nothing is below */
    int whole; /* x are whole numbers, and so are their ticks */
};

void cairn_chart_lines(FILE *f, const struct cairn_chart_lines *lines);

/* --- horizontal bars from 0 --- */

struct cairn_chart_value {
    double value;
    char text[48]; /* as it is printed, with unit: "12.3 ms" */
};

struct cairn_chart_bars {
    struct cairn_chart chart;
    const char *unit;          /* of the axis, below it */
    const char *const *series; /* their names; NULL where there is one without a name */
    int series_count;          /* bars of a row, at least 1 */
    const char *const *labels; /* of the rows */
    const struct cairn_chart_value *values; /* rows x series_count */
    int rows;
};

void cairn_chart_bars(FILE *f, const struct cairn_chart_bars *bars);

/* --- a heat map: rows x columns of cells --- */

struct cairn_chart_cell {
    double shade;  /* 0 .. 1 */
    int other;     /* 1: in the second hue */
    char text[12]; /* "" for none; left out where there are too many cells to read it */
};

struct cairn_chart_heat {
    struct cairn_chart chart;
    const char *y_title, *x_title; /* of the rows and of the columns */
    const char *const *row_names, *const *column_names;
    const struct cairn_chart_cell *cells; /* row by row */
    int rows, columns;
    const char *hues[2]; /* what the shades of either hue tell, for the legend; NULL: not used */
};

void cairn_chart_heat(FILE *f, const struct cairn_chart_heat *heat);

/* --- files of their own --- */

/* CSS: colours as variables of :root, in both schemes, and what charts are drawn with. */
void cairn_chart_style(FILE *f);

/* An SVG file of CAIRN_CHART_WIDTH x height; charts in it lie below each other, each moved down
 * with cairn_chart_move(f, y) before it. */
void cairn_chart_begin_file(FILE *f, int height, const char *title);
void cairn_chart_move(FILE *f, int y);
void cairn_chart_end_file(FILE *f);

/* --- axes --- */

/* Ticks at 1, 2 or 5 times a power of ten, about `ticks` of them; the ends are ticks. */
struct cairn_chart_axis {
    double low, high, tick;
};
struct cairn_chart_axis cairn_chart_axis(double low, double high, int ticks);

#endif
