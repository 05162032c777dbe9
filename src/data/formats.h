/* The loaders behind cairn_dataset_load(), one for each kind of data set that is no pair of arrays.
 * On failure what is in the data set by then is the caller's to free. `folder` is where the files
 * are. */
#ifndef CAIRN_DATA_FORMATS_H
#define CAIRN_DATA_FORMATS_H

#include "data/dataset.h"
#include "data/register.h"
#include "io/idx.h"

/* File i of an entry of the kind idx, IDX or NPZ by its name: the array, with the entry's sizes of
 * images or labels in its range. A name may have ".part" behind it. */
cairn_status cairn_dataset_read_array(const struct cairn_dataset_entry *entry, const char *path,
                                      int i, struct cairn_idx *array);

/* The binary version of CIFAR-10: data_batch_1.bin .. data_batch_5.bin and test_batch.bin, in the
 * folder or in its subfolder cifar-10-batches-bin. A file is a row of records: a label byte, then
 * the pixels of the entry's shape in plane order. batches.meta.txt beside them has the names of the
 * classes, a line each; it may be missing. Fills the images of `parts` and the names. */
cairn_status cairn_cifar_load(const struct cairn_dataset_entry *entry, const char *folder,
                              unsigned parts, struct cairn_dataset *dataset);

/* Images in folders by class: train/CLASS/x.png and test/CLASS/x.png. Classes are numbered by name
 * in the order of bytes. Every image has the shape of the first. Images follow each other by turns
 * - the first by name of each class, then the second of each - so that the first n are of all
 * classes. Hidden files are passed over; any other that is no .png is refused. Fills all but the
 * data set's name, and pixels and labels of the parts that are not asked for. */
cairn_status cairn_folders_load(const char *folder, unsigned parts, struct cairn_dataset *dataset);

/* The same without the pixels: reads the names, and the first image for the shape. */
cairn_status cairn_folders_describe(const char *folder, struct cairn_dataset *dataset);

#endif
