/* The results of tuning in memory and on disk.
 *
 * Invariant: a file is taken whole or not at all: format, key and every entry must be right. */
#ifndef CAIRN_TUNE_TABLE_H
#define CAIRN_TUNE_TABLE_H

#include <cairn/tune.h>

struct tune_table {
    struct cairn_device_info info;
    enum cairn_math math;
    char sources[65];
    char *path; /* NULL: no place is known */
    struct cairn_tune_entry *entries;
    int count, room;
    char note[512]; /* why the file was ignored, else "" */
};

/* Reads the device's file; one that is absent or wrong leaves the table empty. */
cairn_status tune_table_read(struct tune_table *table, const struct cairn_device_info *info,
                             enum cairn_math math);
void tune_table_free(struct tune_table *table);

/* The entry of a line, or NULL. */
const struct cairn_tune_entry *tune_table_find(const struct tune_table *table, const char *line);

/* Adds an entry or replaces the one of its line. */
cairn_status tune_table_put(struct tune_table *table, const struct cairn_tune_entry *entry);

/* Replaces the file. CAIRN_IO where that fails or no place is known. */
cairn_status tune_table_write(const struct tune_table *table);

#endif
