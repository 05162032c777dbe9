/* The way back from the recipe's shape of an image to the data set's: patches put together,
 * padding cut off.
 *
 * Invariant: as cairn_dataset_pad() and cairn_dataset_patch() lay images out. */
#ifndef CAIRN_REPORT_RAW_H
#define CAIRN_REPORT_RAW_H

#include "nn/model.h"
#include "train/recipe.h"

/* Channels, rows and columns with the padding, without patches, of a data set's image `raw`. */
static inline struct cairn_shape cairn_raw_padded(const struct cairn_recipe *recipe,
                                                  struct cairn_shape raw)
{
    return (struct cairn_shape){raw.c, raw.h + 2 * recipe->data.pad_h,
                                raw.w + 2 * recipe->data.pad_w};
}

/* Where channel k, row y, column x of the padded image lies among the model's. */
static inline int64_t cairn_raw_place(const struct cairn_recipe *recipe, struct cairn_shape raw,
                                      int64_t k, int64_t y, int64_t x)
{
    struct cairn_shape whole = cairn_raw_padded(recipe, raw);
    int64_t h = recipe->data.patch_h, w = recipe->data.patch_w;
    if (h == 0) return (k * whole.h + y) * whole.w + x;
    int64_t patch = y / h * (whole.w / w) + x / w;
    return ((patch * whole.c + k) * h + y % h) * w + x % w;
}

/* The data set's own image from its place in the recipe's shape. */
static inline void cairn_raw_image(const struct cairn_recipe *recipe, struct cairn_shape raw,
                                   const uint8_t *from, uint8_t *to)
{
    for (int64_t k = 0; k < raw.c; k++)
        for (int64_t y = 0; y < raw.h; y++)
            for (int64_t x = 0; x < raw.w; x++)
                *to++ = from[cairn_raw_place(recipe, raw, k, y + recipe->data.pad_h,
                                             x + recipe->data.pad_w)];
}

#endif
