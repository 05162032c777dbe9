/* An HTML document under construction: one file that needs nothing else, no network and no script.
 *
 * The page is built in memory, section by section, and appears whole or not at all: a call that
 * writes cannot fail by itself; what went wrong is told by cairn_page_finish(). Texts may hold
 * anything: they are escaped (report/markup.h); those called `format` are printf()'s. The locale is
 * "C" from begin to free. Calls nest as the elements do: a figure, table or list is closed before
 * the next one begins; a section ends where the next one begins.
 *
 *     struct cairn_page page;
 *     TRY(cairn_page_begin(&page, "mnist-mlp4"));
 *     cairn_page_section(&page, "curves", "Curves");
 *     cairn_page_begin_figure(&page, "");
 *     cairn_chart_lines(page.body, &lines);
 *     cairn_page_end_figure(&page, "Loss of %s.", "training");
 *     TRY(cairn_page_finish(&page, "report.html"));
 *  out:
 *     cairn_page_free(&page);
 */
#ifndef CAIRN_REPORT_PAGE_H
#define CAIRN_REPORT_PAGE_H

#include "report/chart.h"
#include <cairn/status.h>
#include <locale.h>
#include <stddef.h>

#define CAIRN_PAGE_SECTIONS 32

struct cairn_page {
    FILE *body;             /* for charts and what is not here: well-formed, escaped HTML only */
    FILE *lead;             /* what stands above the table of contents */
    char *title, *texts[2]; /* the memory of body and lead */
    size_t sizes[2];
    struct {
        char id[32], title[64];
    } sections[CAIRN_PAGE_SECTIONS];
    int section_count;
    int column;       /* of the row of the table at hand */
    unsigned numeric; /* bit j: column j has numbers */
    const char *id;   /* of the section */
    int table_count, pictures;
    locale_t locale;
};

/* CAIRN_MEMORY; the page may be freed. The title is the document's and its <h1>. */
cairn_status cairn_page_begin(struct cairn_page *page, const char *title);

/* <head> with the style sheet, the lead, a table of contents where there are three sections or
 * more, and the body. path NULL: to standard output. CAIRN_MEMORY, CAIRN_IO. */
cairn_status cairn_page_finish(struct cairn_page *page, const char *path);
void cairn_page_free(struct cairn_page *page); /* zeroes it */

/* --- the lead: below the title, above the table of contents --- */

void cairn_page_subtitle(struct cairn_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A strip of key figures: begin, key..., end. "91.32 %", "test accuracy" */
void cairn_page_begin_keys(struct cairn_page *page);
void cairn_page_key(struct cairn_page *page, const char *value, const char *label);
void cairn_page_end_keys(struct cairn_page *page);

/* --- text --- */

/* <h2>; id: letters, digits, '-', unique in the page: links and ids of tables begin with it. */
void cairn_page_section(struct cairn_page *page, const char *id, const char *title);
void cairn_page_heading(struct cairn_page *page, const char *title); /* <h3> */
void cairn_page_paragraph(struct cairn_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What is not there, or to be kept in mind: a paragraph that is marked as such. */
void cairn_page_note(struct cairn_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cairn_page_code(struct cairn_page *page, const char *text); /* a block of it, as it is */

/* What is folded away until it is asked for; it may hold anything but a section. */
void cairn_page_begin_details(struct cairn_page *page, const char *summary);
void cairn_page_end_details(struct cairn_page *page);

/* Names and what is to be said of them: begin, fact..., end. */
void cairn_page_begin_facts(struct cairn_page *page);
void cairn_page_fact(struct cairn_page *page, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for what is to be copied: digests, commands, file names. */
void cairn_page_fact_code(struct cairn_page *page, const char *name, const char *text);
void cairn_page_end_facts(struct cairn_page *page);

/* --- tables --- */

struct cairn_page_column {
    const char *title;
    int numeric; /* set to the right, figures below each other */
};

/* At most 32 columns; the first cell of a row is its head. A caption is always there. */
void cairn_page_begin_table(struct cairn_page *page, const char *caption,
                            const struct cairn_page_column *columns, int count);
void cairn_page_row(struct cairn_page *page); /* begins one; the last is closed */
void cairn_page_cell(struct cairn_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cairn_page_end_table(struct cairn_page *page);

/* --- figures --- */

/* Figures side by side as the screen allows: begin, figure..., end. */
void cairn_page_begin_figures(struct cairn_page *page);
void cairn_page_end_figures(struct cairn_page *page);

/* A figure with its caption; class: "" or "wide" (across the page, to be scrolled where the screen
 * is narrower, as for heat maps) or "pictures" (small ones in a row, each with its own text). */
void cairn_page_begin_figure(struct cairn_page *page, const char *class);
void cairn_page_end_figure(struct cairn_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A picture as <img>, width x height CSS pixels at most; uri: of cairn_markup_uri(); sharp: 1 for
 * one that is enlarged and whose pixels are to be seen. */
void cairn_page_picture(struct cairn_page *page, const char *uri, int64_t width, int64_t height,
                        int sharp, const char *alt);
/* A sharp one with a text below, for figures of class "pictures". */
void cairn_page_small_picture(struct cairn_page *page, const char *uri, int64_t width,
                              int64_t height, const char *alt, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* --- escaped text into either stream --- */

void cairn_page_put(FILE *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
