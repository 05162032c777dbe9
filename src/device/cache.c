/* What the cache holds, and taking out of it what is of no use any more.
 *
 * Invariant: a file is removed only if its name and its content say that Cairn wrote it. Files are
 * replaced by renaming and removed by unlinking alone, so that whoever reads one has all of it. */
#include <cairn/cache.h>

#include "base/error.h"
#include "base/file.h"
#include "device/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEX "0123456789abcdef"
#define MOST_TEXT ((off_t)16 << 20) /* a table of tuning */
#define TEMPORARY_SECONDS (60 * 60) /* a temporary file that is younger may be somebody's */

const char *cairn_cache_kind_name(enum cairn_cache_kind kind)
{
    static const char *const names[] = {"kernels", "tune", "failures", "temporary", "foreign"};
    return names[kind];
}

const char *cairn_cache_state_name(enum cairn_cache_state state)
{
    static const char *const names[] = {"current", "absent device", "other kernels", "other driver",
                                        "unreadable"};
    return names[state];
}

/* --- the devices of now --- */

struct devices {
    struct cairn_device_info *items;
    int count, failed;
    char kernels[65]; /* of OpenCL devices */
};

static void add_device(void *context, const struct cairn_device_info *info)
{
    struct devices *devices = context;
    struct cairn_device_info *grown =
        realloc(devices->items, (size_t)(devices->count + 1) * sizeof *grown);
    if (!grown) {
        devices->failed = 1;
        return;
    }
    devices->items = grown;
    devices->items[devices->count++] = *info;
}

static cairn_status find_devices(struct devices *devices)
{
    cairn_status st = CAIRN_OK;
    struct cairn_device_info opencl = {.spec = "opencl"};
    TRY(cairn_device_list(add_device, devices));
    if (devices->failed) {
        st = cairn_fail(CAIRN_MEMORY, "no memory for the list of devices");
        goto out;
    }
    TRY(cairn_device_sources(&opencl, devices->kernels));
out:
    return st;
}

/* A device that has another name, but the same platform and driver, may be unplugged; where no
 * device of the platform has the driver, it was replaced. */
static enum cairn_cache_state state_of(const struct devices *devices,
                                       const struct cairn_cache_entry *e)
{
    int platform = 0, driver = 0;
    for (int i = 0; i < devices->count; i++) {
        const struct cairn_device_info *d = &devices->items[i];
        char kernels[65];
        if (strcmp(d->platform, e->platform) != 0) continue;
        platform = 1;
        if (strcmp(d->driver, e->driver) != 0 || strcmp(d->version, e->version) != 0) continue;
        driver = 1;
        if (strcmp(d->name, e->device) != 0) continue;
        if (cairn_device_sources(d, kernels) != CAIRN_OK) return CAIRN_CACHE_CURRENT;
        return strcmp(kernels, e->kernels) ? CAIRN_CACHE_OTHER_KERNELS : CAIRN_CACHE_CURRENT;
    }
    if (strcmp(devices->kernels, e->kernels) != 0) return CAIRN_CACHE_OTHER_KERNELS;
    return platform && !driver ? CAIRN_CACHE_OTHER_DRIVER : CAIRN_CACHE_ABSENT;
}

/* --- files --- */

struct walk {
    struct devices devices;
    const struct cairn_cache_prune_options *prune; /* NULL: list */
    cairn_cache_each *each;
    void *context;
    int64_t now;
    char failed[512]; /* of the first file that could not be removed */
};

/* Reads up to `most` bytes at a place; returns how many, with a 0 behind them. */
static size_t read_at(int fd, char *to, size_t most, off_t from)
{
    size_t used = 0;
    ssize_t n;
    while (used < most && (n = pread(fd, to + used, most - used, from + (off_t)used)) > 0)
        used += (size_t)n;
    to[used] = '\0';
    return used;
}

static void take_owner(const char *text, struct cairn_cache_entry *e)
{
    int good = cairn_owner_read(text, "device", e->device, sizeof e->device) &&
               cairn_owner_read(text, "platform", e->platform, sizeof e->platform) &&
               cairn_owner_read(text, "driver", e->driver, sizeof e->driver) &&
               cairn_owner_read(text, "version", e->version, sizeof e->version) &&
               cairn_owner_read(text, "kernels", e->kernels, sizeof e->kernels);
    if (good) e->state = CAIRN_CACHE_CURRENT;
}

static void read_kernels(int fd, const struct stat *info, struct cairn_cache_entry *e)
{
    struct cairn_kept header;
    char owner[CAIRN_OWNER_SIZE + 1];
    if (pread(fd, &header, sizeof header, 0) < (ssize_t)sizeof header.magic ||
        memcmp(header.magic, CAIRN_KEPT_MAGIC, sizeof header.magic) != 0)
        return;
    e->kind = CAIRN_CACHE_KERNELS;
    if (info->st_size < (off_t)sizeof header ||
        !cairn_kept_is_whole(&header, (uint64_t)info->st_size))
        return;
    read_at(fd, owner, header.owner, info->st_size - (off_t)header.owner);
    take_owner(owner, e);
}

static void read_failures(int fd, struct cairn_cache_entry *e)
{
    static const char first[] = "cairn failures ";
    char text[2 * CAIRN_OWNER_SIZE + 1];
    read_at(fd, text, sizeof text - 1, 0);
    if (strncmp(text, first, strlen(first)) != 0) return;
    e->kind = CAIRN_CACHE_FAILURES;
    if (!strncmp(text + strlen(first), "1\n", 2)) take_owner(text, e);
}

static int take_text(const json_t *owner, const char *key, char *value, size_t size)
{
    const char *text = json_string_value(json_object_get(owner, key));
    snprintf(value, size, "%s", text ? text : "");
    return text != NULL;
}

static void read_tune(int fd, const struct stat *info, struct cairn_cache_entry *e)
{
    static const char first[] = "cairn tune ";
    char *text = info->st_size < MOST_TEXT ? malloc((size_t)info->st_size + 1) : NULL;
    size_t n = text ? read_at(fd, text, (size_t)info->st_size, 0) : 0;
    json_t *root = json_loadb(text ? text : "", n, 0, NULL);
    const json_t *owner = json_object_get(root, "for");
    const char *format = json_string_value(json_object_get(root, "format"));
    if (format && !strncmp(format, first, strlen(first))) {
        e->kind = CAIRN_CACHE_TUNE;
        if (!strcmp(format + strlen(first), "1") &&
            take_text(owner, "device", e->device, sizeof e->device) &&
            take_text(owner, "platform", e->platform, sizeof e->platform) &&
            take_text(owner, "driver", e->driver, sizeof e->driver) &&
            take_text(owner, "version", e->version, sizeof e->version) &&
            take_text(owner, "sources", e->kernels, sizeof e->kernels))
            e->state = CAIRN_CACHE_CURRENT;
    }
    json_decref(root);
    free(text);
}

/* The kinds' folders, and their files' names: so many hexadecimal digits and an ending. */
static const struct place {
    const char *folder, *ending;
    size_t digits;
} places[] = {{"kernels", ".bin", 64}, {"tune", ".json", 32}, {"failures", ".txt", 32}};

/* "KEY.bin.tmp.123" of a process that is no more. */
static int is_left(const char *rest, const struct stat *info, int64_t now)
{
    static const char tmp[] = ".tmp.";
    size_t n = strlen(tmp);
    if (strncmp(rest, tmp, n) != 0 || !rest[n] || rest[n + strspn(rest + n, "0123456789")])
        return 0;
    pid_t pid = (pid_t)strtol(rest + n, NULL, 10);
    return now - (int64_t)info->st_mtime > TEMPORARY_SECONDS && kill(pid, 0) != 0 && errno == ESRCH;
}

static void classify(const struct walk *walk, int which, int fd, const char *name,
                     const struct stat *info, struct cairn_cache_entry *e)
{
    const struct place *place = &places[which];
    const char *rest = name + strspn(name, HEX);
    size_t n = strlen(place->ending);
    if (!S_ISREG(info->st_mode) || (size_t)(rest - name) != place->digits ||
        strncmp(rest, place->ending, n) != 0)
        return;
    if (rest[n]) {
        if (is_left(rest + n, info, walk->now)) e->kind = CAIRN_CACHE_TEMPORARY;
        return;
    }
    if (which == 0) read_kernels(fd, info, e);
    if (which == 1) read_tune(fd, info, e);
    if (which == 2) read_failures(fd, e);
    if (e->state == CAIRN_CACHE_CURRENT) e->state = state_of(&walk->devices, e);
}

static int is_wanted(const struct walk *walk, const struct cairn_cache_entry *e)
{
    const struct cairn_cache_prune_options *o = walk->prune;
    if (e->kind == CAIRN_CACHE_FOREIGN) return 0;
    if (e->kind == CAIRN_CACHE_FAILURES && e->state == CAIRN_CACHE_CURRENT) return 0;
    if (o->all || e->kind == CAIRN_CACHE_TEMPORARY) return 1;
    if (e->state != CAIRN_CACHE_CURRENT && e->state != CAIRN_CACHE_ABSENT) return 1;
    return o->seconds > 0 && walk->now - e->used > o->seconds;
}

/* Unlinks the file if it is still the one that was looked at. */
static void take_out(struct walk *walk, int folder, const char *name, const struct stat *seen,
                     struct cairn_cache_entry *e)
{
    struct stat now;
    if (!is_wanted(walk, e)) return;
    if (fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW) != 0 || now.st_ino != seen->st_ino ||
        now.st_dev != seen->st_dev)
        return;
    if (walk->prune->dry_run || unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        e->removed = 1;
    else if (!walk->failed[0])
        snprintf(walk->failed, sizeof walk->failed, "cannot remove %.400s: %s", e->path,
                 strerror(errno));
}

static cairn_status walk_file(struct walk *walk, int which, const char *folder_path, int folder,
                              const char *name)
{
    cairn_status st = CAIRN_OK;
    struct cairn_cache_entry e = {.kind = CAIRN_CACHE_FOREIGN, .state = CAIRN_CACHE_UNREADABLE};
    struct stat info;
    int fd = -1;
    char *path = cairn_file_join(folder_path, name);
    if (!path) return cairn_fail(CAIRN_MEMORY, "no memory for a path");
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0) goto out; /* just removed */
    if (S_ISREG(info.st_mode)) {
        fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0 && fstat(fd, &info) != 0) goto out;
    }
    e.path = path;
    e.bytes = (int64_t)info.st_size;
    e.used = (int64_t)info.st_mtime;
    if (fd >= 0) classify(walk, which, fd, name, &info, &e);
    if (walk->prune) take_out(walk, folder, name, &info, &e);
    if (walk->each) walk->each(walk->context, &e);
out:
    if (fd >= 0) close(fd);
    free(path);
    return st;
}

/* *folder is NULL where there is none. */
static cairn_status open_folder(const char *path, DIR **folder)
{
    struct stat info;
    *folder = opendir(path);
    if (*folder || (errno == ENOENT && lstat(path, &info) != 0)) return CAIRN_OK;
    if (errno == ENOTDIR || errno == ENOENT)
        return cairn_fail(CAIRN_FORMAT,
                          "%s is no folder, so nothing can be kept there; remove it, or set "
                          "XDG_CACHE_HOME to another place",
                          path);
    return cairn_fail_errno(CAIRN_IO, "cannot read the folder %s", path);
}

static cairn_status walk_folder(struct walk *walk, int which, const char *cache)
{
    cairn_status st = CAIRN_OK;
    DIR *folder = NULL;
    char *path = cairn_file_join(cache, places[which].folder);
    if (!path) return cairn_fail(CAIRN_MEMORY, "no memory for a path");
    TRY(open_folder(path, &folder));
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            TRY(walk_file(walk, which, path, dirfd(folder), entry->d_name));
out:
    if (folder) closedir(folder);
    free(path);
    return st;
}

static cairn_status walk_all(struct walk *walk)
{
    cairn_status st = CAIRN_OK;
    char cache[4096];
    DIR *folder = NULL;
    TRY(cairn_cache_folder(cache, sizeof cache));
    TRY(open_folder(cache, &folder));
    if (!folder) goto out;
    TRY(find_devices(&walk->devices));
    walk->now = (int64_t)time(NULL);
    for (int i = 0; i < (int)(sizeof places / sizeof *places); i++)
        TRY(walk_folder(walk, i, cache));
    if (walk->failed[0]) st = cairn_fail(CAIRN_IO, "%s", walk->failed);
out:
    if (folder) closedir(folder);
    free(walk->devices.items);
    return st;
}

cairn_status cairn_cache_folder(char *path, int size)
{
    char *cache = cairn_file_cache_dir();
    int n = cache ? snprintf(path, (size_t)size, "%s", cache) : -1;
    free(cache);
    if (n < 0 || n >= size)
        return cairn_fail(CAIRN_IO, "there is no place for a cache: set HOME or XDG_CACHE_HOME");
    return CAIRN_OK;
}

cairn_status cairn_cache_list(cairn_cache_each *each, void *context)
{
    struct walk walk = {.each = each, .context = context};
    return walk_all(&walk);
}

cairn_status cairn_cache_prune(const struct cairn_cache_prune_options *options)
{
    struct walk walk = {.prune = options, .each = options->each, .context = options->context};
    return walk_all(&walk);
}
