/* What a session that was outlined has to tell of its recipe. */
#ifndef CAIRN_TRAIN_SUMMARY_H
#define CAIRN_TRAIN_SUMMARY_H

#include "data/dataset.h"
#include "train/session.h"

/* Everything but the largest batch, which is -1; cairn_summary_free() frees it. CAIRN_MEMORY. */
cairn_status cairn_summary_fill(struct cairn_summary *summary, const struct cairn_session *session,
                                const struct cairn_dataset *data);

#endif
