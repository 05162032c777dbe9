/* Where the files of a data set are: in a folder's subfolder NAME, or in the folder itself.
 *
 * The folder is the one that is given, else $CAIRN_DATA_DIR, else the data folder of the user. Of
 * the two places the first that is complete counts, so that a fetch that was broken off hides
 * nothing; where neither is, the subfolder, if it exists. */
#ifndef CAIRN_DATA_PLACE_H
#define CAIRN_DATA_PLACE_H

#include "data/register.h"

/* The folder itself. All paths of this file are from malloc. */
cairn_status cairn_place_base(const struct cairn_dataset_entry *entry, const char *folder,
                              char **base);

cairn_status cairn_place_find(const struct cairn_dataset_entry *entry, const char *folder,
                              char **found);

/* 1 if all files of the entry are there, in any of their forms; what is in them is not looked at.
 */
int cairn_place_complete(const struct cairn_dataset_entry *entry, const char *where);

/* The path of file i of an entry of the kind idx, which is published as NAME.gz: packed, plain, or
 * in its NPZ form. CAIRN_NOT_FOUND tells all of them. */
cairn_status cairn_place_file(const struct cairn_dataset_entry *entry, const char *where, int i,
                              char **found);

#endif
