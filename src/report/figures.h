/* Numbers as people read them. */
#ifndef CAIRN_REPORT_FIGURES_H
#define CAIRN_REPORT_FIGURES_H

#include <stdint.h>

/* A text by value, for printf(): cairn_figure_count(n).text */
struct cairn_figure {
    char text[48];
};

struct cairn_figure cairn_figure_count(int64_t value);  /* "1,234,567" */
struct cairn_figure cairn_figure_bytes(double bytes);   /* "123 bytes", "47.1 MB" */
struct cairn_figure cairn_figure_percent(double share); /* 0.8954: "89.54 %"; NaN: "none" */
struct cairn_figure cairn_figure_time(double seconds);  /* "12.3 \u00b5s", "4.56 s", "3 min 20 s" */
struct cairn_figure cairn_figure_real(double value, int digits); /* behind the point; NaN: "none" */

#endif
