/* What a report tells of a run, as one JSON value: gathered section by section, then written as
 * HTML, as Markdown or as it is. docs/reports.md has its members.
 *
 * Invariant: what cannot be told is a row of "missing" with its reason, and never made up; the
 * pages show nothing that is not in the value. */
#ifndef CAIRN_REPORT_STORY_H
#define CAIRN_REPORT_STORY_H

#include "io/png.h"
#include "report/metrics.h"
#include "train/trained.h"
#include <cairn/report.h>
#include <jansson.h>

struct cairn_story {
    const struct cairn_document_options *options;
    struct cairn_compute compute; /* where to measure; with the run's arithmetic */
    json_t *root;
    int failed;                   /* a value could not be made: memory was out */
    struct cairn_metrics metrics; /* count 0: there are none */
    struct cairn_trained net;     /* without a device; flat NULL: model and weights are unknown */
    int last;                     /* 1: the weights are the last ones */
};

/* --- gathering, in this order; a failure is one of the run or of what was asked for --- */

cairn_status cairn_story_run(struct cairn_story *story);     /* recipe, summary, metrics */
cairn_status cairn_story_net(struct cairn_story *story);     /* data, layers, memory, weights */
cairn_status cairn_story_answers(struct cairn_story *story); /* what the net answers */
cairn_status cairn_story_profile(struct cairn_story *story);
void cairn_story_free(struct cairn_story *story); /* zeroes it */

/* --- telling --- */

cairn_status cairn_story_html(const struct cairn_story *story, const char *path);
cairn_status cairn_story_markdown(const struct cairn_story *story, const char *path);

/* --- values --- */

json_t *cairn_story_text(const char *text); /* what is no UTF-8 becomes '?' */
json_t *cairn_story_number(double value);   /* null where it is not finite */
void cairn_story_put(struct cairn_story *story, const char *key, json_t *value);
void cairn_story_miss(struct cairn_story *story, const char *section, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int cairn_story_has(const char *run, const char *name); /* a file in the run's folder */

/* "data:image/png;base64,...", as a value; NULL when out of memory. */
json_t *cairn_story_picture(const struct cairn_png *png);

/* --- looking: the member at a path like "summary.test_loss", NULL where there is none --- */

json_t *cairn_story_get(const json_t *value, const char *path);
const char *cairn_story_words(const json_t *value, const char *path); /* "" */
double cairn_story_real(const json_t *value, const char *path);       /* NaN */
int64_t cairn_story_count(const json_t *value, const char *path);     /* 0 */
/* Why a section is not there; NULL where it is. */
const char *cairn_story_missing(const struct cairn_story *story, const char *section);

#endif
