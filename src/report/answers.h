/* What a net takes for what: counts and mistakes from an evaluation, and the files about them. */
#ifndef CAIRN_REPORT_ANSWERS_H
#define CAIRN_REPORT_ANSWERS_H

#include "train/trained.h"
#include <cairn/report.h>

/* Whether what the loss takes are probabilities already. */
int cairn_answers_probable(const struct cairn_trained *trained);

/* The first largest of the outputs z of one image; -1 where there is a NaN. */
int cairn_answers_find(const float *z, int classes);

/* The softmax probability of a class, where `best` is the first largest output: exp rounded to
 * float as docs/ARITHMETIC.md has it, summed in double in the order of the classes: the same bits
 * everywhere. */
double cairn_answers_probability(const float *z, int classes, int best, int class);

/* Fills report->classes from the confusion matrix and logits of the evaluation at hand. */
cairn_status cairn_answers_count(const struct cairn_trained *trained, int64_t mistakes,
                                 struct cairn_report *report);

/* "class-3-pear.png": letters and digits of the name, the rest '_'. From malloc; NULL when out of
 * memory. */
char *cairn_answers_strip_name(int class, const char *name);

/* Pixels of a strip of so many mistakes. */
void cairn_answers_strip_size(const struct cairn_trained *trained, int64_t count, int64_t *h,
                              int64_t *w);

/* The files; `path` is theirs. */
cairn_status cairn_answers_write_confusion(const char *path, const struct cairn_report *report);
cairn_status cairn_answers_write_mistakes(const char *path, const struct cairn_report *report);
cairn_status cairn_answers_draw_confusion(const char *path, const struct cairn_report *report);
/* The mistakes of a class, of which there are some; ten to a row. */
cairn_status cairn_answers_draw_strip(const char *path, const struct cairn_trained *trained,
                                      const struct cairn_report_class *class);

#endif
