#include "report/page.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "report/markup.h"
#include "report/page_style.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { BODY, LEAD };

/* --- text --- */

static void put(FILE *f, const char *format, va_list args)
{
    char text[512], *whole = text;
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(text, sizeof text, format, args);
    if (n >= (int)sizeof text) {
        whole = malloc((size_t)n + 1);
        if (whole) vsnprintf(whole, (size_t)n + 1, format, again);
    }
    va_end(again);
    cairn_markup_text(f, whole ? whole : text);
    if (whole != text) free(whole);
}

void cairn_page_put(FILE *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put(f, format, args);
    va_end(args);
}

/* What `format` and the arguments behind it give, between two pieces of HTML. */
#define PUT_BETWEEN(f, before, after)                                                              \
    do {                                                                                           \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        fputs(before, f);                                                                          \
        put(f, format, args);                                                                      \
        fputs(after, f);                                                                           \
        va_end(args);                                                                              \
    } while (0)

/* --- life --- */

cairn_status cairn_page_begin(struct cairn_page *page, const char *title)
{
    memset(page, 0, sizeof *page);
    page->locale = cairn_text_begin_plain();
    page->title = strdup(title);
    page->body = open_memstream(&page->texts[BODY], &page->sizes[BODY]);
    page->lead = open_memstream(&page->texts[LEAD], &page->sizes[LEAD]);
    if (page->title && page->body && page->lead) return CAIRN_OK;
    return cairn_fail(CAIRN_MEMORY, "out of memory");
}

/* A stream in memory fails for want of memory only. */
static cairn_status close_stream(FILE **stream)
{
    int bad = ferror(*stream), closed = fclose(*stream);
    *stream = NULL;
    return bad || closed ? cairn_fail(CAIRN_MEMORY, "out of memory for the page") : CAIRN_OK;
}

static void write_contents(FILE *f, const struct cairn_page *page)
{
    if (page->section_count < 3) return;
    fputs("<nav aria-label='Contents'>\n<ol>\n", f);
    for (int i = 0; i < page->section_count; i++) {
        fprintf(f, "<li><a href='#%s'>", page->sections[i].id);
        cairn_markup_text(f, page->sections[i].title);
        fputs("</a></li>\n", f);
    }
    fputs("</ol>\n</nav>\n", f);
}

static void write_page(FILE *f, const struct cairn_page *page)
{
    fputs("<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
          "<meta name='viewport' content='width=device-width,initial-scale=1'>\n"
          "<meta name='color-scheme' content='light dark'>\n"
          "<link rel='icon' href='data:,'>\n<title>",
          f);
    cairn_markup_text(f, page->title);
    fputs("</title>\n", f);
    cairn_page_style(f);
    fputs("</head>\n<body>\n<header>\n<h1>", f);
    cairn_markup_text(f, page->title);
    fputs("</h1>\n", f);
    fwrite(page->texts[LEAD], 1, page->sizes[LEAD], f);
    write_contents(f, page);
    fputs("</header>\n<main>\n", f);
    fwrite(page->texts[BODY], 1, page->sizes[BODY], f);
    fputs("</main>\n</body>\n</html>\n", f);
}

cairn_status cairn_page_finish(struct cairn_page *page, const char *path)
{
    cairn_status st = CAIRN_OK;
    struct cairn_file_writer writer;
    if (page->section_count) fputs("</section>\n", page->body);
    TRY(close_stream(&page->body));
    TRY(close_stream(&page->lead));
    if (!path) {
        write_page(stdout, page);
        if (fflush(stdout) != 0 || ferror(stdout))
            st = cairn_fail_errno(CAIRN_IO, "writing to standard output");
        goto out;
    }
    TRY(cairn_file_open(&writer, path));
    write_page(writer.file, page);
    TRY(cairn_file_close(&writer, 1));
out:
    return st;
}

void cairn_page_free(struct cairn_page *page)
{
    if (page->body) fclose(page->body);
    if (page->lead) fclose(page->lead);
    free(page->texts[BODY]);
    free(page->texts[LEAD]);
    free(page->title);
    cairn_text_end_plain(page->locale);
    memset(page, 0, sizeof *page);
}

/* --- the lead --- */

void cairn_page_subtitle(struct cairn_page *page, const char *format, ...)
{
    PUT_BETWEEN(page->lead, "<p class='subtitle'>", "</p>\n");
}

void cairn_page_begin_keys(struct cairn_page *page)
{
    fputs("<dl class='keys'>\n", page->lead);
}

void cairn_page_key(struct cairn_page *page, const char *value, const char *label)
{
    fputs("<div><dt>", page->lead);
    cairn_markup_text(page->lead, label);
    fputs("</dt><dd>", page->lead);
    cairn_markup_text(page->lead, value);
    fputs("</dd></div>\n", page->lead);
}

void cairn_page_end_keys(struct cairn_page *page)
{
    fputs("</dl>\n", page->lead);
}

/* --- sections and text --- */

void cairn_page_section(struct cairn_page *page, const char *id, const char *title)
{
    assert(page->section_count < CAIRN_PAGE_SECTIONS);
    int i = page->section_count++;
    if (i > 0) fputs("</section>\n", page->body);
    snprintf(page->sections[i].id, sizeof page->sections[i].id, "%s", id);
    snprintf(page->sections[i].title, sizeof page->sections[i].title, "%s", title);
    page->id = page->sections[i].id;
    page->table_count = 0;
    fprintf(page->body, "<section id='%s' aria-labelledby='%s-head'>\n<h2 id='%s-head'>", id, id,
            id);
    cairn_markup_text(page->body, title);
    fputs("</h2>\n", page->body);
}

void cairn_page_heading(struct cairn_page *page, const char *title)
{
    fputs("<h3>", page->body);
    cairn_markup_text(page->body, title);
    fputs("</h3>\n", page->body);
}

void cairn_page_paragraph(struct cairn_page *page, const char *format, ...)
{
    PUT_BETWEEN(page->body, "<p>", "</p>\n");
}

void cairn_page_note(struct cairn_page *page, const char *format, ...)
{
    PUT_BETWEEN(page->body, "<p class='note'>", "</p>\n");
}

void cairn_page_code(struct cairn_page *page, const char *text)
{
    fputs("<pre tabindex='0'><code>", page->body);
    cairn_markup_text(page->body, text);
    fputs("</code></pre>\n", page->body);
}

void cairn_page_begin_details(struct cairn_page *page, const char *summary)
{
    fputs("<details>\n<summary>", page->body);
    cairn_markup_text(page->body, summary);
    fputs("</summary>\n", page->body);
}

void cairn_page_end_details(struct cairn_page *page)
{
    fputs("</details>\n", page->body);
}

void cairn_page_begin_facts(struct cairn_page *page)
{
    fputs("<dl class='facts'>\n", page->body);
}

static void put_name(struct cairn_page *page, const char *name)
{
    fputs("<dt>", page->body);
    cairn_markup_text(page->body, name);
    fputs("</dt>", page->body);
}

void cairn_page_fact(struct cairn_page *page, const char *name, const char *format, ...)
{
    put_name(page, name);
    PUT_BETWEEN(page->body, "<dd>", "</dd>\n");
}

void cairn_page_fact_code(struct cairn_page *page, const char *name, const char *text)
{
    put_name(page, name);
    fputs("<dd><code>", page->body);
    cairn_markup_text(page->body, text);
    fputs("</code></dd>\n", page->body);
}

void cairn_page_end_facts(struct cairn_page *page)
{
    fputs("</dl>\n", page->body);
}

/* --- tables --- */

void cairn_page_begin_table(struct cairn_page *page, const char *caption,
                            const struct cairn_page_column *columns, int count)
{
    FILE *f = page->body;
    int number = ++page->table_count;
    assert(count <= 32);
    page->numeric = 0;
    page->column = -1;
    fprintf(f,
            "<div class='scroll' role='region' tabindex='0' aria-labelledby='%s-table-%d'>\n"
            "<table>\n<caption id='%s-table-%d'>",
            page->id, number, page->id, number);
    cairn_markup_text(f, caption);
    fputs("</caption>\n<thead>\n<tr>", f);
    for (int i = 0; i < count; i++) {
        page->numeric |= columns[i].numeric ? 1u << i : 0;
        fprintf(f, "<th scope='col'%s>", columns[i].numeric ? " class='n'" : "");
        cairn_markup_text(f, columns[i].title);
        fputs("</th>", f);
    }
    fputs("</tr>\n</thead>\n<tbody>\n", f);
}

void cairn_page_row(struct cairn_page *page)
{
    fputs(page->column >= 0 ? "</tr>\n<tr>" : "<tr>", page->body);
    page->column = 0;
}

void cairn_page_cell(struct cairn_page *page, const char *format, ...)
{
    int head = page->column == 0;
    fprintf(page->body, head ? "<th scope='row'%s>" : "<td%s>",
            page->numeric >> page->column & 1 ? " class='n'" : "");
    page->column++;
    PUT_BETWEEN(page->body, "", head ? "</th>" : "</td>");
}

void cairn_page_end_table(struct cairn_page *page)
{
    fprintf(page->body, "%s</tbody>\n</table>\n</div>\n", page->column >= 0 ? "</tr>\n" : "");
}

/* --- figures --- */

void cairn_page_begin_figures(struct cairn_page *page)
{
    fputs("<div class='figures'>\n", page->body);
}

void cairn_page_end_figures(struct cairn_page *page)
{
    fputs("</div>\n", page->body);
}

void cairn_page_begin_figure(struct cairn_page *page, const char *class)
{
    int pictures = !strcmp(class, "pictures");
    fprintf(page->body, "<figure%s>\n%s", !strcmp(class, "wide") ? " class='wide'" : "",
            pictures ? "<ul class='row'>\n" : "<div class='scroll'>\n");
    page->pictures = pictures;
}

void cairn_page_end_figure(struct cairn_page *page, const char *format, ...)
{
    PUT_BETWEEN(page->body, page->pictures ? "</ul>\n<figcaption>" : "</div>\n<figcaption>",
                "</figcaption>\n</figure>\n");
}

void cairn_page_picture(struct cairn_page *page, const char *uri, int64_t width, int64_t height,
                        int sharp, const char *alt)
{
    fprintf(page->body, "<img%s width='%lld' height='%lld' alt='", sharp ? " class='sharp'" : "",
            (long long)width, (long long)height);
    cairn_markup_text(page->body, alt);
    fputs("' src='", page->body);
    cairn_markup_text(page->body, uri);
    fputs("'>\n", page->body);
}

void cairn_page_small_picture(struct cairn_page *page, const char *uri, int64_t width,
                              int64_t height, const char *alt, const char *format, ...)
{
    fputs("<li>", page->body);
    cairn_page_picture(page, uri, width, height, 1, alt);
    PUT_BETWEEN(page->body, "<span>", "</span></li>\n");
}
