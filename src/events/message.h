/* Putting a message into a file of records. */
#ifndef CAIRN_EVENTS_MESSAGE_H
#define CAIRN_EVENTS_MESSAGE_H

#include "events/records.h"
#include <events.pb-c.h>

double cairn_events_now(void); /* seconds since 1970 */

/* Sets the event's time and step and gathers it. */
cairn_status cairn_events_add(struct cairn_records *records, int64_t step,
                              Cairn__Events__Event *event);

/* An event of one value. */
cairn_status cairn_events_add_value(struct cairn_records *records, int64_t step,
                                    Cairn__Events__Value *value);

#endif
