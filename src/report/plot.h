/* What the kinds of charts share (report/chart.h). */
#ifndef CAIRN_REPORT_PLOT_H
#define CAIRN_REPORT_PLOT_H

#include "report/chart.h"

/* Attributes beside the style sheet, for viewers that do not know its variables. */
extern const char *const cairn_plot_colors[CAIRN_CHART_SERIES];

/* The element with its title and description, and the title above the drawing. */
void cairn_plot_open(FILE *f, const struct cairn_chart *chart, int width, int height);
void cairn_plot_close(FILE *f);

/* Text at a place; anchor: "start", "middle", "end". */
void cairn_plot_text(FILE *f, double x, double y, const char *class, const char *anchor,
                     const char *text);

/* Ticks of an axis, and the value of one. */
int cairn_plot_ticks(const struct cairn_chart_axis *axis);
double cairn_plot_tick(const struct cairn_chart_axis *axis, int i);

#endif
