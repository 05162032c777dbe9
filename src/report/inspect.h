/* What looking into a run has in common: the layer, and the file that is written. */
#ifndef CAIRN_REPORT_INSPECT_H
#define CAIRN_REPORT_INSPECT_H

#include "train/trained.h"
#include <cairn/report.h>

/* The file's name: what was asked for, or KIND-N.png; looked at before anything is computed. */
cairn_status cairn_inspect_place(const struct cairn_inspect_options *options, const char *kind,
                                 struct cairn_inspect_result *result);

/* CAIRN_INVALID for a layer that the model does not have. */
cairn_status cairn_inspect_check_layer(const struct cairn_inspect_options *options,
                                       const struct cairn_model *model);

#endif
