/* What the two files of a comparison's page share. */
#ifndef CAIRN_COMPARE_PAGE_H
#define CAIRN_COMPARE_PAGE_H

#include "report/page.h"
#include <cairn/compare.h>

/* Whether speeds were taken. */
int page_is_timed(const struct cairn_compare_result *result);

/* "12.3 us", "4.56 ms", "7.89 s" */
void page_time(double seconds, char *text, size_t size);

/* Figures side by side: a step, images a second, the start, memory. */
void page_cost_charts(struct cairn_page *page, const struct cairn_compare_result *result);

/* The largest operators by lanes. CAIRN_MEMORY. */
cairn_status page_operator_chart(struct cairn_page *page,
                                 const struct cairn_compare_result *result);

#endif
