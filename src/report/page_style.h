/* The style sheet of a page (report/page.h), as its <style> element. */
#ifndef CAIRN_REPORT_PAGE_STYLE_H
#define CAIRN_REPORT_PAGE_STYLE_H

#include <stdio.h>

void cairn_page_style(FILE *f);

#endif
