/* Activations as a picture in memory, for others than `cairn inspect`. */
#ifndef CAIRN_REPORT_ACTIVATIONS_H
#define CAIRN_REPORT_ACTIVATIONS_H

#include "io/png.h"
#include <cairn/report.h>

/* As cairn_inspect_activations(), without a file; `image` is the image itself, as the data set has
 * it. Both pictures are zeroed by the caller, who frees them. */
cairn_status cairn_activations_picture(const struct cairn_inspect_options *options,
                                       const char *name, struct cairn_png *image,
                                       struct cairn_png *picture,
                                       struct cairn_inspect_result *result);

#endif
