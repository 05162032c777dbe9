#include "device/failures.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "device/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER "cairn failures 1\n"
#define MOST 4096 /* entries: far more than there are kernels; no file makes it more */

/* The file starts with what it belongs to, and the digest of that is its name. */
static cairn_status write_owner(const struct cairn_device_info *info, char *text, size_t size)
{
    cairn_status st = CAIRN_OK;
    char owner[CAIRN_OWNER_SIZE];
    TRY(cairn_owner_write(info, owner));
    snprintf(text, size, HEADER "%s", owner);
out:
    return st;
}

static cairn_status find_path(const char *owner, char **path)
{
    cairn_status st = CAIRN_OK;
    char digest[65], name[48];
    char *cache = cairn_file_cache_dir(),
         *folder = cache ? cairn_file_join(cache, "failures") : NULL;
    TRY(cairn_digest_sha256(owner, strlen(owner), digest));
    snprintf(name, sizeof name, "%.32s.txt", digest);
    *path = folder ? cairn_file_join(folder, name) : NULL;
out:
    free(folder);
    free(cache);
    return st;
}

/* Copies a text as one line without tabs. */
static void copy_line(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from);
    for (char *p = to; *p; p++)
        if ((unsigned char)*p < ' ') *p = ' ';
}

static cairn_status put(struct cairn_failures *failures, const char *what, const char *how)
{
    struct cairn_failure fresh = {0}, *items;
    copy_line(fresh.what, sizeof fresh.what, what);
    copy_line(fresh.how, sizeof fresh.how, how);
    for (int i = 0; i < failures->count; i++)
        if (!strcmp(failures->items[i].what, fresh.what)) {
            failures->items[i] = fresh;
            return CAIRN_OK;
        }
    if (failures->count == MOST) return CAIRN_OK;
    items = realloc(failures->items, ((size_t)failures->count + 1) * sizeof *items);
    if (!items) return cairn_fail(CAIRN_MEMORY, "out of memory");
    failures->items = items;
    items[failures->count++] = fresh;
    return CAIRN_OK;
}

/* "WHAT<tab>HOW" lines behind the owner; a line without a tab is no entry. */
static cairn_status take(struct cairn_failures *failures, char *text)
{
    cairn_status st = CAIRN_OK;
    for (char *line = text, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next) *next++ = '\0';
        char *tab = strchr(line, '\t');
        if (!tab) continue;
        *tab = '\0';
        TRY(put(failures, line, tab + 1));
    }
out:
    return st;
}

/* From failures->path. */
static cairn_status read_record(const char *owner, struct cairn_failures *failures)
{
    cairn_status st = CAIRN_OK;
    char *data = NULL;
    size_t size = 0, head = strlen(owner);
    if (!failures->path || !cairn_file_exists(failures->path) ||
        cairn_file_read_text(failures->path, "record", &data, &size) != CAIRN_OK)
        goto out;
    cairn_file_touch(failures->path);
    if (size >= head && !memcmp(data, owner, head)) st = take(failures, data + head);
out:
    free(data);
    return st;
}

cairn_status cairn_failures_read(const struct cairn_device_info *info,
                                 struct cairn_failures *failures)
{
    cairn_status st = CAIRN_OK;
    char owner[1024];
    memset(failures, 0, sizeof *failures);
    TRY(write_owner(info, owner, sizeof owner));
    TRY(find_path(owner, &failures->path));
    TRY(read_record(owner, failures));
out:
    return st;
}

void cairn_failures_free(struct cairn_failures *failures)
{
    free(failures->items);
    free(failures->path);
    memset(failures, 0, sizeof *failures);
}

const char *cairn_failures_find(const struct cairn_failures *failures, const char *what)
{
    for (int i = 0; i < failures->count; i++)
        if (!strcmp(failures->items[i].what, what)) return failures->items[i].how;
    return NULL;
}

static cairn_status write_record(const char *owner, const struct cairn_failures *failures)
{
    cairn_status st = CAIRN_OK;
    struct cairn_file_writer writer = {0};
    TRY(cairn_file_open(&writer, failures->path));
    fputs(owner, writer.file);
    for (int i = 0; i < failures->count; i++)
        fprintf(writer.file, "%s\t%s\n", failures->items[i].what, failures->items[i].how);
    TRY(cairn_file_close(&writer, 1));
out:
    return st;
}

/* The folder of records, made and held until close(*fd): one reads and writes at a time. */
static cairn_status hold_records(const char *path, int *fd)
{
    cairn_status st = CAIRN_OK;
    char folder[1024];
    int held;
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = '\0';
    TRY(cairn_file_mkdirs(folder));
    TRY(cairn_file_lock(folder, 1, fd, &held));
out:
    return st;
}

/* Reads, changes and writes; how NULL takes out. */
static cairn_status change(const struct cairn_device_info *info, const char *what, const char *how)
{
    cairn_status st = CAIRN_OK;
    struct cairn_failures failures = {0};
    char owner[1024];
    int left = 0, fd = -1;
    TRY(write_owner(info, owner, sizeof owner));
    TRY(find_path(owner, &failures.path));
    if (!failures.path) {
        st = cairn_fail(CAIRN_IO, "there is no place to remember failures: set HOME or "
                                  "XDG_CACHE_HOME");
        goto out;
    }
    if (!how && !cairn_file_exists(failures.path)) goto out;
    TRY(hold_records(failures.path, &fd));
    TRY(read_record(owner, &failures));
    if (how) {
        TRY(put(&failures, what, how));
    } else {
        for (int i = 0; i < failures.count; i++)
            if (what && strcmp(failures.items[i].what, what) != 0)
                failures.items[left++] = failures.items[i];
        if (left == failures.count) goto out;
        failures.count = left;
    }
    TRY(write_record(owner, &failures));
out:
    if (fd >= 0) close(fd);
    cairn_failures_free(&failures);
    return st;
}

cairn_status cairn_failures_record(const struct cairn_device_info *info, const char *what,
                                   const char *how)
{
    return change(info, what, how);
}

cairn_status cairn_failures_forget(const struct cairn_device_info *info, const char *what)
{
    return change(info, what, NULL);
}
