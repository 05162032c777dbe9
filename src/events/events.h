/* A training's events for TensorBoard: figures, weights, the graph and the recipe, in a folder.
 *
 * Invariant: nothing here is read by a training, and nothing of the device is read for it. A file
 * that cannot be begun is a failure; one that cannot be gone on with ends there, is told once as a
 * note, and the training goes on. Each evaluation's events are in the file before the checkpoint
 * that knows of it; a resumed training begins a file that tells readers to forget what other files
 * have behind its checkpoint. What of a training becomes which event: docs/tensorboard.md. */
#ifndef CAIRN_EVENTS_EVENTS_H
#define CAIRN_EVENTS_EVENTS_H

#include "data/dataset.h"
#include "train/session.h"
#include <cairn/train.h>

struct cairn_events;

/* Whether events can be written: CAIRN_UNSUPPORTED without the libraries, CAIRN_EXISTS where
 * `folder` is a file or, for a training that is neither resumed nor replaces one, holds events
 * already (of a cross-validation: where fold-1 ... fold-FOLDS do), CAIRN_IO where it cannot be
 * written to. Touches nothing. */
cairn_status cairn_events_check(const char *folder, int64_t folds, int resume, int force);

/* Draws some of the images, as the session will train on them; no file is touched yet. fold: its
 * subfolder; 0: the folder itself. The session must outlive the events, as must `note`. */
cairn_status cairn_events_create(const char *folder, int64_t fold,
                                 const struct cairn_session *session,
                                 const struct cairn_compute *compute,
                                 const struct cairn_dataset *data, struct cairn_events **events);

/* Begins the file behind step `step` of a training that is resumed, or begun (0) with the weights
 * `flat`. */
cairn_status cairn_events_begin(struct cairn_events *events, int resume, int64_t step,
                                const float *flat);

/* An evaluation, with the weights that it evaluated; behind its checkpoint, so that one full disk
 * is told once, the note of what went wrong; and the end. NULL is fine. */
void cairn_events_evaluated(struct cairn_events *events, const struct cairn_train_event *event,
                            const float *flat);
void cairn_events_tell(struct cairn_events *events);
void cairn_events_finished(struct cairn_events *events, const struct cairn_train_result *result);

/* The file; and why it ended early, "" where it did not. */
const char *cairn_events_file(const struct cairn_events *events);
const char *cairn_events_failure(const struct cairn_events *events);

/* Ends. keep 0: the run has no checkpoint, and the file and the folders made for it are removed;
 * 1: those of a run that was replaced are. NULL is fine. */
void cairn_events_close(struct cairn_events *events, int keep);

#endif
