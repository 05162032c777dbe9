/* A file of records, as TensorFlow frames them: length (8 bytes, little-endian), its checksum, the
 * bytes, their checksum; a checksum is CRC-32C, turned by 15 bits, plus a constant.
 *
 * Invariant: records are gathered in memory and written at once, so that a process which dies
 * leaves whole records, or at the end a part of one, which readers pass over. What could not be
 * written whole is cut off again. Unlike Cairn's other files these grow: they are read while they
 * are written. */
#ifndef CAIRN_EVENTS_RECORDS_H
#define CAIRN_EVENTS_RECORDS_H

#include <cairn/status.h>
#include <stdint.h>
#include <stdio.h>

struct cairn_records {
    FILE *file; /* NULL: none */
    char *path;
    uint8_t *bytes; /* that are not written yet */
    size_t used, room;
    int64_t written; /* the file's size */
};

/* What begins the name of every file of events. */
#define CAIRN_RECORDS_PREFIX "events.out.tfevents."

/* Counts the files of events in a folder, and the latest second that their names have; both 0 where
 * the folder is not there. */
cairn_status cairn_records_look(const char *folder, int64_t *count, int64_t *latest);

/* Makes FOLDER/events.out.tfevents.SECOND.HOST.PROCESS.0. Readers take files in the order of their
 * names: the second is that of now, or the one behind `latest`. */
cairn_status cairn_records_open(struct cairn_records *records, const char *folder, int64_t latest);

/* Room for a record of so many bytes, behind those gathered; cairn_records_frame() makes it one. */
cairn_status cairn_records_room(struct cairn_records *records, size_t size, uint8_t **bytes);
void cairn_records_frame(struct cairn_records *records, size_t size);

/* Writes what was gathered; none of it is in the file after a failure. */
cairn_status cairn_records_flush(struct cairn_records *records);

/* Closes without writing; CAIRN_IO where the system tells of an earlier failure only now. */
cairn_status cairn_records_close(struct cairn_records *records);

#endif
