/* Data sets in host memory: images as bytes, NCHW plane order, with one label byte each. */
#ifndef CAIRN_DATA_DATASET_H
#define CAIRN_DATA_DATASET_H

#include <cairn/status.h>
#include <stdint.h>

struct cairn_images {
    int64_t count;
    uint8_t *pixels; /* count * c * h * w */
    uint8_t *labels; /* count, each < classes */
};

struct cairn_dataset {
    char name[64];
    int c, h, w, classes;
    char **class_names; /* classes of them; NULL where none are known */
    struct cairn_images train, test;
};

/* Loads a data set of the register (data/register.h) by name from `folder` (NULL: $CAIRN_DATA_DIR,
 * then the data folder of the user), from its subfolder NAME or itself (data/place.h), or generates
 * "glyphs" from `seed`. What the files may be is in data/datasets.yaml. Fails with the file's name
 * and what is wrong: missing, cut off, another kind of file, counts or sizes that differ, labels
 * out of range. */
cairn_status cairn_dataset_load(const char *name, const char *folder, uint64_t seed,
                                struct cairn_dataset *dataset);

/* The same of some parts only: of the other there are no pixels and labels, and its count is that
 * of the register, or of the files' names. Glyphs are drawn whole. */
enum { CAIRN_DATASET_TRAIN = 1, CAIRN_DATASET_TEST = 2, CAIRN_DATASET_ALL = 3 };
cairn_status cairn_dataset_load_parts(const char *name, const char *folder, uint64_t seed,
                                      unsigned parts, struct cairn_dataset *dataset);

/* The same without pixels and labels: shape, classes, and counts as the register has them. A data
 * set of which it has none ("images") needs its folder, where names are read and one image. */
cairn_status cairn_dataset_describe(const char *name, const char *folder,
                                    struct cairn_dataset *dataset);
void cairn_dataset_free(struct cairn_dataset *dataset); /* zeroes it */

/* Keeps the first n images (n <= 0: all; n beyond the count: all). */
void cairn_images_limit(struct cairn_images *images, int64_t n);

/* Zero bytes around every image, pad_h rows above and below and pad_w columns on the left and on
 * the right: c x h x w becomes c x (h + 2 pad_h) x (w + 2 pad_w). Where there are no pixels (a
 * described data set) only the shape changes. CAIRN_INVALID, as of the recipe's data.pad, for a
 * negative size or a side of more than 32768; CAIRN_MEMORY. On failure nothing has changed. */
cairn_status cairn_dataset_pad(struct cairn_dataset *dataset, int64_t pad_h, int64_t pad_w);

/* Cuts every image into patches of patch_h x patch_w, in row-major order, a channel for each
 * (patch, channel), the patch outermost: c x h x w becomes (h / patch_h * w / patch_w * c) x
 * patch_h x patch_w. Where there are no pixels only the shape changes. CAIRN_INVALID, as of the
 * recipe's data.patches, for sizes that do not divide the image. On failure nothing has changed. */
cairn_status cairn_dataset_patch(struct cairn_dataset *dataset, int64_t patch_h, int64_t patch_w);

/* "glyphs": ten classes of 28 x 28 characters drawn by strokes; the same bytes for the same seed
 * everywhere. */
cairn_status cairn_glyphs_generate(uint64_t seed, int64_t train_count, int64_t test_count,
                                   struct cairn_dataset *dataset);

/* Mean and deviation (population) of all bytes of the images named by indices (NULL: the first
 * count), in double, for zscore: gather uses shift = mean, scale = 1 / deviation. */
void cairn_images_moments(const struct cairn_images *images, int64_t item, const int32_t *indices,
                          int64_t count, double *mean, double *deviation);

#endif
