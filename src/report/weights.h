/* A layer's weights as pictures; what they show is told at cairn_inspect_weights(). */
#ifndef CAIRN_REPORT_WEIGHTS_H
#define CAIRN_REPORT_WEIGHTS_H

#include "nn/model.h"
#include "report/tiles.h"
#include "train/recipe.h"

/* Whether a layer has a weight that pictures can be made of: not batchnorm's gamma. */
int cairn_weights_drawn(const struct cairn_model *model, int64_t layer);

/* The pictures of such a layer, for cairn_tiles_draw(). raw: a data set's own image, without
 * padding and patches; flat: the model's parameters. */
cairn_status cairn_weights_tiles(const struct cairn_recipe *recipe, const struct cairn_model *model,
                                 struct cairn_shape raw, const float *flat, int64_t layer,
                                 struct cairn_tiles *tiles);

#endif
