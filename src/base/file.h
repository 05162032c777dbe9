/* Files: whole reads, and writes that appear complete or not at all. */
#ifndef CAIRN_BASE_FILE_H
#define CAIRN_BASE_FILE_H

#include <cairn/status.h>
#include <stddef.h>
#include <stdio.h>

/* Reads a whole file into memory from malloc, with a 0 byte behind it. CAIRN_NOT_FOUND if it is not
 * there, CAIRN_FORMAT if it is a folder, is larger than this machine's memory, or goes on 256 MiB
 * behind the size that it has (/dev/zero, whose size is 0), CAIRN_IO otherwise. */
cairn_status cairn_file_read(const char *path, char **data, size_t *size);

/* The same of a small text, up to 16 MiB: of a larger file, or one that never ends, CAIRN_FORMAT
 * says that it is no `what` ("recipe"). */
cairn_status cairn_file_read_text(const char *path, const char *what, char **data, size_t *size);

/* Whether a file may be written there: CAIRN_INVALID where a folder is, or a device or a pipe,
 * which a rename would remove from the system. */
cairn_status cairn_file_check(const char *path);

/* Writes path.tmp.PID in the same folder, flushes it to disk and renames it over path; on failure
 * the old file stays and the temporary one is removed. CAIRN_IO says which step failed on which
 * path; what cairn_file_check() refuses is not written. */
cairn_status cairn_file_write(const char *path, const void *data, size_t size);

/* The same in steps, for writers that stream: open gives a FILE on the temporary; close(keep = 1)
 * flushes and renames, keep = 0 discards. A write error seen by ferror() is reported by close. */
struct cairn_file_writer {
    FILE *file;
    char *path, *temporary;
};
cairn_status cairn_file_open(struct cairn_file_writer *writer, const char *path);
cairn_status cairn_file_close(struct cairn_file_writer *writer, int keep);

/* Flushes a file that is written to disk and renames it, over what is there. */
cairn_status cairn_file_rename(const char *from, const char *to);

/* Makes a folder and its parents; an existing folder is fine. */
cairn_status cairn_file_mkdirs(const char *path);

/* The topmost folder of `path` that is not there yet, from malloc; NULL if all are (or memory is
 * out). */
char *cairn_file_topmost_missing(const char *path);

/* Removes the folders of `path` up to `made`, which was the topmost one missing; only empty folders
 * go: rmdir sees to that. Cuts the path; takes no memory. */
void cairn_file_rmdirs(char *path, const char *made);

int cairn_file_exists(const char *path);

/* Notes that the file was used: its time becomes now, where that is allowed. */
void cairn_file_touch(const char *path);

/* Takes a folder for its owner alone until close(*fd), or the end of the process; -1 where that
 * failed. Another owner is waited for, or, without `wait`, told by *held = 1. File systems that
 * know no locks do without. */
cairn_status cairn_file_lock(const char *folder, int wait, int *fd, int *held);

/* Joins two parts with '/' into memory from malloc; NULL when out of memory. */
char *cairn_file_join(const char *folder, const char *name);

/* $XDG_CACHE_HOME/cairn or ~/.cache/cairn; $XDG_DATA_HOME/cairn or ~/.local/share/cairn. From
 * malloc; NULL if no home is known. */
char *cairn_file_cache_dir(void);
char *cairn_file_data_dir(void);

#endif
