/* The readable files of a run: metrics.jsonl, summary.json, and comparing recipe.yaml. */
#ifndef CAIRN_TRAIN_REPORT_H
#define CAIRN_TRAIN_REPORT_H

#include "train/checkpoint.h"
#include "train/folder.h"
#include "train/recipe.h"
#include <cairn/train.h>

/* "exact", "fast". */
const char *cairn_report_math(enum cairn_math math);

/* CAIRN_INVALID shows the first line in which the run's recipe differs. */
cairn_status cairn_report_same_recipe(const struct cairn_folder *folder, const char *resolved);

/* The first `count` lines of metrics.jsonl, from malloc; a crash may have left one more. */
cairn_status cairn_report_cut_metrics(const struct cairn_folder *folder, int64_t count,
                                      char **metrics);

/* Appends the line of an evaluation to *metrics (from malloc): epochs begun, steps done, losses and
 * accuracies (the test's only where `test` is 1). Numbers that are not finite are null. */
cairn_status cairn_report_add_metrics(char **metrics, const struct cairn_train_event *event,
                                      int test);

cairn_status cairn_report_summary(const struct cairn_folder *folder,
                                  const struct cairn_recipe *recipe,
                                  const struct cairn_state *state,
                                  const struct cairn_device_info *info,
                                  const struct cairn_train_result *result, const int64_t *confusion,
                                  int64_t classes);

/* The figures of a run, or of a fold, as its summary.json has them; CAIRN_NOT_FOUND where it has
 * none yet. */
cairn_status cairn_report_read_summary(const struct cairn_folder *folder,
                                       struct cairn_train_result *result);

/* summary.json of a cross-validation: results[0 .. folds - 1], and the means in `all`. */
cairn_status cairn_report_folds(const struct cairn_folder *folder,
                                const struct cairn_recipe *recipe,
                                const struct cairn_train_result *results,
                                const struct cairn_train_result *all);

#endif
