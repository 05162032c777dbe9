/* One image for a trained net: by its place in the data set, or from a PNG file. */
#ifndef CAIRN_REPORT_IMAGE_H
#define CAIRN_REPORT_IMAGE_H

#include "train/trained.h"

/* The part of the data set that `image` ("17", "test:17", "train:17") lies in, for
 * cairn_trained_read(); 0 for what is the name of a file. */
unsigned cairn_image_part(const char *image);

/* Fills a zeroed data set with that image as its only test image, in the recipe's shape; the caller
 * frees it. name: "test:17" or the file's path; label: the class as the data set has it, "" for a
 * file. CAIRN_INVALID for a place that is none and a file of another size or kind. */
cairn_status cairn_image_take(const struct cairn_trained *trained, const char *image,
                              struct cairn_dataset *one, char name[512], char label[64]);

#endif
