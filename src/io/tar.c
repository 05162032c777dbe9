#include "io/tar.h"

#include "base/error.h"
#include "base/file.h"

#ifdef CAIRN_WITH_ARCHIVE

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#define MOST_UNSIZED (1 << 20)
#define PIECE (1 << 18)

static cairn_status damaged(const char *path, struct archive *archive)
{
    const char *why = archive_error_string(archive);
    return cairn_fail(CAIRN_FORMAT, "%s: no tar archive packed by gzip, or damaged or cut off: %s",
                      path, why ? why : "unknown");
}

/* The wanted member that an entry of the archive is; NULL if none. */
static struct cairn_tar_member *find(const char *name, const char *inner,
                                     struct cairn_tar_member *members, int count)
{
    size_t n = strlen(inner);
    if (!name) return NULL;
    if (!strncmp(name, "./", 2)) name += 2;
    if (!strncmp(name, inner, n) && name[n] == '/') name += n + 1;
    for (int i = 0; i < count; i++)
        if (!strcmp(name, members[i].name)) return &members[i];
    return NULL;
}

static cairn_status copy(const char *path, struct archive *archive,
                         const struct cairn_tar_member *member, const char *to)
{
    cairn_status st = CAIRN_OK;
    struct cairn_file_writer writer = {0};
    char *target = to ? cairn_file_join(to, member->name) : NULL, *piece = malloc(PIECE);
    la_ssize_t n = 0;
    int64_t size = 0;
    if ((to && !target) || !piece) {
        st = cairn_fail(CAIRN_MEMORY, "no memory to unpack %s", path);
        goto out;
    }
    if (to) TRY(cairn_file_open(&writer, target));
    errno = 0;
    while ((n = archive_read_data(archive, piece, PIECE)) > 0) {
        size += n;
        if (to && fwrite(piece, 1, (size_t)n, writer.file) < (size_t)n) break; /* told by close */
    }
    if (n < 0) st = damaged(path, archive);
out:
    if (writer.file) {
        cairn_status closed = cairn_file_close(&writer, st == CAIRN_OK);
        if (st == CAIRN_OK) st = closed;
    }
    free(target);
    free(piece);
    return st;
}

static cairn_status take(const char *path, struct archive *archive, struct archive_entry *entry,
                         struct cairn_tar_member *member, const char *to)
{
    int64_t size = archive_entry_size(entry);
    if (member->found) return cairn_fail(CAIRN_FORMAT, "%s: it has %s twice", path, member->name);
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
        return cairn_fail(CAIRN_FORMAT, "%s: %s is no plain file in it", path, member->name);
    if (member->size >= 0 ? size != member->size : size > MOST_UNSIZED)
        return cairn_fail(CAIRN_FORMAT, "%s: %s has %lld bytes in it, where %s%lld are expected",
                          path, member->name, (long long)size, member->size < 0 ? "at most " : "",
                          (long long)(member->size < 0 ? MOST_UNSIZED : member->size));
    member->found = 1;
    return copy(path, archive, member, to);
}

cairn_status cairn_tar_take(const char *path, const char *inner, struct cairn_tar_member *members,
                            int count, const char *to)
{
    cairn_status st = CAIRN_OK;
    struct archive_entry *entry;
    int code;
    struct archive *archive = archive_read_new();
    for (int i = 0; i < count; i++) members[i].found = 0;
    if (!archive || archive_read_support_filter_gzip(archive) != ARCHIVE_OK ||
        archive_read_support_format_tar(archive) != ARCHIVE_OK) {
        st = cairn_fail(CAIRN_MEMORY, "no memory to unpack %s", path);
        goto out;
    }
    if (!cairn_file_exists(path)) {
        st = cairn_fail(CAIRN_NOT_FOUND, "%s is not there", path);
        goto out;
    }
    if (archive_read_open_filename(archive, path, PIECE) != ARCHIVE_OK) {
        st = damaged(path, archive);
        goto out;
    }
    while ((code = archive_read_next_header(archive, &entry)) == ARCHIVE_OK ||
           code == ARCHIVE_WARN) {
        struct cairn_tar_member *member =
            find(archive_entry_pathname(entry), inner, members, count);
        if (member) TRY(take(path, archive, entry, member, to));
    }
    if (code != ARCHIVE_EOF) {
        st = damaged(path, archive);
        goto out;
    }
    for (int i = 0; i < count; i++)
        if (!members[i].found && !members[i].optional) {
            st = cairn_fail(CAIRN_FORMAT, "%s: there is no %s in it", path, members[i].name);
            goto out;
        }
out:
    if (archive) archive_read_free(archive);
    return st;
}

#else

cairn_status cairn_tar_take(const char *path, const char *inner, struct cairn_tar_member *members,
                            int count, const char *to)
{
    (void)inner, (void)members, (void)count, (void)to;
    return cairn_fail(CAIRN_UNSUPPORTED,
                      "%s: this build cannot unpack archives: install libarchive (libarchive-dev) "
                      "and build again with -Darchive=enabled, or unpack it with tar -xzf",
                      path);
}

#endif
