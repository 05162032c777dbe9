/* The sections of a report as HTML, in the order of the page. */
#ifndef CAIRN_REPORT_HTML_H
#define CAIRN_REPORT_HTML_H

#include "report/figures.h"
#include "report/page.h"
#include "report/story.h"

cairn_status cairn_html_curves(struct cairn_page *page, const struct cairn_story *story);
cairn_status cairn_html_answers(struct cairn_page *page, const struct cairn_story *story);
void cairn_html_mistakes(struct cairn_page *page, const struct cairn_story *story);
void cairn_html_inside(struct cairn_page *page, const struct cairn_story *story);
cairn_status cairn_html_layers(struct cairn_page *page, const struct cairn_story *story);
cairn_status cairn_html_profile(struct cairn_page *page, const struct cairn_story *story);

/* The line of a section that is missing, if it is; returns whether. */
int cairn_html_missing(struct cairn_page *page, const struct cairn_story *story,
                       const char *section);

/* A class by number: its name, or the number. `text` is for the latter. */
const char *cairn_story_class(const struct cairn_story *story, int64_t class, char text[24]);

#endif
