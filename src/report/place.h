/* Where a report writes: looked at before anything is computed. */
#ifndef CAIRN_REPORT_PLACE_H
#define CAIRN_REPORT_PLACE_H

#include <cairn/status.h>

/* CAIRN_EXISTS for a file that is there, without `force`; CAIRN_INVALID for a folder, a device
 * or a pipe in its place; CAIRN_IO where its folder is missing or not to be written to. */
cairn_status cairn_place_check(const char *path, int force);

/* Makes the folder where it is missing, and finds out whether it can be written to. */
cairn_status cairn_place_make(const char *folder);

#endif
