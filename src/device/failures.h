/* What failed on a device before, remembered between starts.
 *
 * Invariant: a record belongs to one device with its driver and to one set of kernels, as a table
 * of `cairn tune` does: another driver, or kernels that were changed, start with none. A file is
 * replaced whole; one that is damaged is ignored and replaced.
 *
 * An entry is what failed, and one line of how: a case for `cairn check`, or what happened. What
 * failed is one of
 *
 *   "device"               nothing may run on it in exact mode
 *   "variant OP NAME"      one variant of an operator; cairn_device_open() in exact mode avoids it
 *   "kernel FILE NAME"     a kernel whose compilation or first launch did not come back */
#ifndef CAIRN_DEVICE_FAILURES_H
#define CAIRN_DEVICE_FAILURES_H

#include <cairn/device.h>

struct cairn_failure {
    char what[96];
    char how[1024]; /* one line */
};

struct cairn_failures {
    char *path; /* NULL: no place is known (HOME is not set), and nothing is remembered */
    struct cairn_failure *items;
    int count;
};

/* Reads the device's record; one that is absent or damaged is empty. Free it in either case. */
cairn_status cairn_failures_read(const struct cairn_device_info *info,
                                 struct cairn_failures *failures);
void cairn_failures_free(struct cairn_failures *failures); /* zeroes it */

/* How it failed, or NULL. */
const char *cairn_failures_find(const struct cairn_failures *failures, const char *what);

/* Adds an entry to the device's record on disk, or replaces the one of the same name; takes one
 * out, or all where `what` is NULL. CAIRN_IO where it cannot be written or no place is known. */
cairn_status cairn_failures_record(const struct cairn_device_info *info, const char *what,
                                   const char *how);
cairn_status cairn_failures_forget(const struct cairn_device_info *info, const char *what);

#endif
