#include "base/file.h"

#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is read of a file beyond its size (a device or a pipe has none). */
#define MAX_UNSIZED ((size_t)256 << 20)
#define MAX_TEXT ((size_t)16 << 20)

/* Bytes of memory that this machine has; as much as there can be where it does not tell. */
static uint64_t machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;
}

/* Room for what is read at once, and where reading ends: `most` bytes (0: none are too many). */
static cairn_status plan_reading(FILE *file, const char *path, size_t most, size_t *room,
                                 size_t *limit)
{
    struct stat info;
    *room = 4096;
    *limit = most ? most : MAX_UNSIZED;
    if (fstat(fileno(file), &info) != 0) return CAIRN_OK;
    if (S_ISDIR(info.st_mode)) return cairn_fail(CAIRN_FORMAT, "%s is a folder, not a file", path);
    if (!S_ISREG(info.st_mode) || info.st_size <= 0) return CAIRN_OK;
    if (!most && (uint64_t)info.st_size > machine_memory())
        return cairn_fail(CAIRN_FORMAT, "%s has %lld bytes, more than this machine's memory", path,
                          (long long)info.st_size);
    if (most && (uint64_t)info.st_size >= most) return CAIRN_OK; /* found out in reading */
    *room = (size_t)info.st_size + 2; /* one to see the end, one for the 0 behind it */
    if (!most) *limit += *room;
    return CAIRN_OK;
}

static cairn_status read_whole(const char *path, const char *what, size_t most, char **data,
                               size_t *size)
{
    cairn_status st = CAIRN_OK;
    char *bytes = NULL;
    size_t used = 0, room, limit;

    *data = NULL;
    *size = 0;
    FILE *file = fopen(path, "rb");
    if (!file)
        return cairn_fail_errno(errno == ENOENT || errno == ENOTDIR ? CAIRN_NOT_FOUND : CAIRN_IO,
                                "cannot open %s", path);
    TRY(plan_reading(file, path, most, &room, &limit));
    for (;;) {
        char *more = realloc(bytes, room);
        if (!more) {
            st = cairn_fail(CAIRN_MEMORY, "no memory to read %s", path);
            goto out;
        }
        bytes = more;
        used += fread(bytes + used, 1, room - 1 - used, file);
        if (used < room - 1) break;
        if (room >= limit) {
            st = what ? cairn_fail(CAIRN_FORMAT, "%s has more than %zu MiB: it is no %s", path,
                                   limit >> 20, what)
                      : cairn_fail(CAIRN_FORMAT,
                                   "%s goes on behind %zu MiB; is it a device, not a file?", path,
                                   limit >> 20);
            goto out;
        }
        room = room * 2 < limit ? room * 2 : limit;
    }
    if (ferror(file)) {
        st = cairn_fail_errno(CAIRN_IO, "cannot read %s", path);
        goto out;
    }
    bytes[used] = '\0';
    *data = bytes;
    *size = used;
    bytes = NULL;
out:
    free(bytes);
    fclose(file);
    return st;
}

cairn_status cairn_file_read(const char *path, char **data, size_t *size)
{
    return read_whole(path, NULL, 0, data, size);
}

cairn_status cairn_file_read_text(const char *path, const char *what, char **data, size_t *size)
{
    return read_whole(path, what, MAX_TEXT, data, size);
}

cairn_status cairn_file_check(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || S_ISREG(info.st_mode)) return CAIRN_OK;
    if (S_ISDIR(info.st_mode))
        return cairn_fail(CAIRN_INVALID, "%s is a folder; give a file's name", path);
    return cairn_fail(CAIRN_INVALID,
                      "%s is a device or a pipe, whose place a file would take; give a file's name",
                      path);
}

cairn_status cairn_file_open(struct cairn_file_writer *writer, const char *path)
{
    memset(writer, 0, sizeof *writer);
    cairn_status bad = cairn_file_check(path);
    if (bad != CAIRN_OK) return bad;
    size_t room = strlen(path) + 32;
    writer->path = malloc(room);
    writer->temporary = malloc(room);
    if (!writer->path || !writer->temporary) {
        free(writer->path);
        free(writer->temporary);
        memset(writer, 0, sizeof *writer);
        return cairn_fail(CAIRN_MEMORY, "no memory to write %s", path);
    }
    strcpy(writer->path, path);
    snprintf(writer->temporary, room, "%s.tmp.%ld", path, (long)getpid());

    unlink(writer->temporary); /* left by a dead process of the same number */
    int fd = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    writer->file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (writer->file) return CAIRN_OK;

    cairn_status st = cairn_fail_errno(CAIRN_IO, "cannot create %s", writer->temporary);
    if (fd >= 0) {
        close(fd);
        unlink(writer->temporary);
    }
    free(writer->path);
    free(writer->temporary);
    memset(writer, 0, sizeof *writer);
    return st;
}

/* Makes a rename durable; where a folder cannot be synchronised the rename still stands. */
static void sync_folder(const char *path)
{
    char *folder = strdup(path);
    if (!folder) return;
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(folder);
}

cairn_status cairn_file_close(struct cairn_file_writer *writer, int keep)
{
    cairn_status st = CAIRN_OK;
    if (!writer->file) return CAIRN_OK;

    if (keep) {
        int bad = ferror(writer->file); /* an earlier write failed: its errno may be gone */
        if (bad) errno = errno ? errno : EIO;
        if (bad || fflush(writer->file)) {
            st = cairn_fail_errno(CAIRN_IO, "cannot write %s", writer->temporary);
        } else if (fsync(fileno(writer->file)) && errno != EINVAL && errno != ENOTSUP) {
            st = cairn_fail_errno(CAIRN_IO, "cannot flush %s to disk", writer->temporary);
        }
    }
    if (fclose(writer->file) && keep && st == CAIRN_OK)
        st = cairn_fail_errno(CAIRN_IO, "cannot close %s", writer->temporary);
    if (keep && st == CAIRN_OK && rename(writer->temporary, writer->path))
        st = cairn_fail_errno(CAIRN_IO, "cannot rename %s to %s", writer->temporary, writer->path);
    if (keep && st == CAIRN_OK)
        sync_folder(writer->path);
    else
        unlink(writer->temporary);

    free(writer->path);
    free(writer->temporary);
    memset(writer, 0, sizeof *writer);
    return st;
}

cairn_status cairn_file_rename(const char *from, const char *to)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cairn_fail_errno(CAIRN_IO, "cannot open %s", from);
    int bad = fsync(fd) && errno != EINVAL && errno != ENOTSUP;
    if (bad) cairn_fail_errno(CAIRN_IO, "cannot flush %s to disk", from);
    close(fd);
    if (bad) return CAIRN_IO;
    if (rename(from, to)) return cairn_fail_errno(CAIRN_IO, "cannot rename %s to %s", from, to);
    sync_folder(to);
    return CAIRN_OK;
}

cairn_status cairn_file_write(const char *path, const void *data, size_t size)
{
    struct cairn_file_writer writer;
    cairn_status st = cairn_file_open(&writer, path);
    if (st != CAIRN_OK) return st;
    errno = 0;
    fwrite(data, 1, size, writer.file); /* a short write sets ferror, which close reports */
    return cairn_file_close(&writer, 1);
}

static cairn_status make_folder(const char *path)
{
    struct stat info;
    if (mkdir(path, 0777) == 0) return CAIRN_OK;
    int why = errno;
    if (stat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode)) return CAIRN_OK;
        why = ENOTDIR;
    }
    if (why != EEXIST) errno = why; /* else that of looking at it */
    return cairn_fail_errno(CAIRN_IO, "cannot make the folder %s", path);
}

cairn_status cairn_file_mkdirs(const char *path)
{
    cairn_status st = CAIRN_OK;
    char *part = strdup(path);
    if (!part) return cairn_fail(CAIRN_MEMORY, "no memory to make the folder %s", path);
    for (char *p = part + (*part == '/'); *p; p++) {
        if (*p != '/') continue;
        *p = '\0';
        TRY(make_folder(part));
        *p = '/';
    }
    st = make_folder(part);
out:
    free(part);
    return st;
}

char *cairn_file_topmost_missing(const char *path)
{
    char *copy = strdup(path);
    if (!copy) return NULL;
    for (char *p = copy + 1; *p; p++) {
        if (*p != '/') continue;
        *p = '\0';
        if (!cairn_file_exists(copy)) return copy;
        *p = '/';
    }
    if (!cairn_file_exists(copy)) return copy;
    free(copy);
    return NULL;
}

void cairn_file_rmdirs(char *path, const char *made)
{
    size_t keep = strlen(made);
    for (size_t n = strlen(path); n >= keep; n--) {
        if (path[n] != '/' && path[n] != '\0') continue;
        path[n] = '\0';
        if (n > 0 && rmdir(path) != 0 && errno != ENOENT && errno != ENAMETOOLONG)
            break; /* "a/b//" names a/b thrice */
    }
}

int cairn_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

void cairn_file_touch(const char *path)
{
    int saved = errno;
    if (utimensat(AT_FDCWD, path, NULL, 0) != 0) errno = saved; /* a cache on a disk read-only */
}

cairn_status cairn_file_lock(const char *folder, int wait, int *fd, int *held)
{
    int failed;
    *held = 0;
    *fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0) return cairn_fail_errno(CAIRN_IO, "%s: opening the folder", folder);
    do failed = flock(*fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
    while (failed && errno == EINTR);
    *held = failed && errno == EWOULDBLOCK;
    return CAIRN_OK;
}

char *cairn_file_join(const char *folder, const char *name)
{
    size_t n = strlen(folder);
    const char *slash = n && folder[n - 1] != '/' ? "/" : "";
    char *path = malloc(n + strlen(name) + 2);
    if (path) sprintf(path, "%s%s%s", folder, slash, name);
    return path;
}

/* $VARIABLE/cairn if it is an absolute path, as the XDG base directory specification asks, else
 * $HOME/REST/cairn. */
static char *user_dir(const char *variable, const char *rest)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    if (base && *base == '/') return cairn_file_join(base, "cairn");
    if (!home || !*home) return NULL;
    return cairn_file_join(home, rest);
}

char *cairn_file_cache_dir(void)
{
    return user_dir("XDG_CACHE_HOME", ".cache/cairn");
}

char *cairn_file_data_dir(void)
{
    return user_dir("XDG_DATA_HOME", ".local/share/cairn");
}
