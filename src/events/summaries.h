/* Events of one kind each, gathered in a file of records. Each is a message of its own. */
#ifndef CAIRN_EVENTS_SUMMARIES_H
#define CAIRN_EVENTS_SUMMARIES_H

#include "events/records.h"
#include "io/png.h"
#include "train/session.h"
#include <cairn/train.h>

cairn_status cairn_events_version(struct cairn_records *records);
cairn_status cairn_events_purge(struct cairn_records *records, int64_t step);

/* A number as metrics.jsonl has it: nine digits, rounded to a float. */
cairn_status cairn_events_scalar(struct cairn_records *records, int64_t step, const char *tag,
                                 double value);
cairn_status cairn_events_image(struct cairn_records *records, int64_t step, const char *tag,
                                const struct cairn_png *image);

/* 64 buckets of one width from the least to the largest of the finite numbers; one bucket where
 * they are equal, none where there are none. What is not finite is not counted. */
cairn_status cairn_events_histogram(struct cairn_records *records, int64_t step, const char *tag,
                                    const float *values, int64_t count);

/* "3.conv": the name of a layer's node, and what the tags of its parameters begin with. */
void cairn_events_layer(const struct cairn_model *model, int layer, char name[48]);

/* The model: images, layers, loss. */
cairn_status cairn_events_graph(struct cairn_records *records, const struct cairn_session *session);

/* The recipe's values with device and arithmetic, and the tags of the figures that end a training;
 * and that it ended well. */
cairn_status cairn_events_settings(struct cairn_records *records,
                                   const struct cairn_session *session, const char *math);
cairn_status cairn_events_success(struct cairn_records *records, int64_t step);

/* Tags of the final figures, in the order of cairn_events_final(); those of the validation part
 * where there is one. */
extern const char *const cairn_events_final_tags[4];

#endif
