#include "train/folder.h"

#include "base/error.h"
#include "base/file.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const files[] = {"summary.json", "metrics.jsonl", "model.safetensors",
                                    "last.safetensors", "recipe.yaml"};
#define FILES (sizeof files / sizeof *files)

char *cairn_folder_file(const struct cairn_folder *folder, const char *name)
{
    return cairn_file_join(folder->path, name);
}

static int has(const struct cairn_folder *folder, const char *name)
{
    char *path = cairn_folder_file(folder, name);
    int there = path && cairn_file_exists(path);
    free(path);
    return there;
}

/* "NAME.tmp.PID" for the NAME of one of a run's files: a killed process was writing it. */
static int is_leftover(const char *entry)
{
    for (size_t i = 0; i < FILES; i++) {
        size_t n = strlen(files[i]);
        if (!strncmp(entry, files[i], n) && !strncmp(entry + n, ".tmp.", 5)) return 1;
    }
    return 0;
}

/* Whether it holds nothing but leftovers; with `clean` those are removed. */
static cairn_status is_empty(const char *path, int clean, int *empty)
{
    DIR *dir = opendir(path);
    if (!dir) return cairn_fail_errno(CAIRN_IO, "%s: reading the folder", path);
    *empty = 1;
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
        if (!is_leftover(name))
            *empty = 0;
        else if (clean)
            unlinkat(dirfd(dir), name, 0);
    }
    closedir(dir);
    return CAIRN_OK;
}

/* The lock goes with the process. File systems that know no locks do without. */
static cairn_status lock(struct cairn_folder *folder)
{
    int fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return cairn_fail_errno(CAIRN_IO, "%s: opening the folder", folder->path);
    folder->lock = fd;
    folder->locked = 1;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return cairn_fail(CAIRN_EXISTS,
                          "another process is training in %s: let it end, or choose another folder "
                          "(--out)",
                          folder->path);
    return CAIRN_OK;
}

/* What the folder holds must fit what is to be done: go on, replace, or begin. */
static cairn_status look(struct cairn_folder *folder)
{
    const char *path = folder->path;
    int empty = 1, is_run = has(folder, "recipe.yaml") || has(folder, "last.safetensors");
    cairn_status st = is_empty(path, 0, &empty);
    if (st != CAIRN_OK) return st;
    if (is_run && !folder->force)
        return cairn_fail(CAIRN_EXISTS,
                          "%s already holds a run: go on with it (--resume), replace it (--force) "
                          "or choose another folder (--out)",
                          path);
    if (!is_run && !empty)
        return cairn_fail(CAIRN_EXISTS,
                          "%s is not empty and holds no run: choose another folder (--out)", path);
    return CAIRN_OK;
}

/* What a resumed run must hold. */
static cairn_status check_resumable(const struct cairn_folder *folder, int folds)
{
    const char *path = folder->path;
    int run = has(folder, "last.safetensors"), any = has(folder, "recipe.yaml");
    if (folds && run)
        return cairn_fail(CAIRN_INVALID,
                          "%s holds a single training (one fold, maybe), but the recipe has "
                          "train.folds: --resume takes the folder above the folds",
                          path);
    if (folds ? !any : !run)
        return cairn_fail(CAIRN_NOT_FOUND, "%s holds no checkpoint to resume from", path);
    return CAIRN_OK;
}

static cairn_status check(struct cairn_folder *folder, const char *path, int resume, int force,
                          int folds)
{
    cairn_status st = CAIRN_OK;
    struct stat info;
    int empty;
    memset(folder, 0, sizeof *folder);
    if (!*path) return cairn_fail(CAIRN_INVALID, "the run's folder has an empty name");
    folder->path = strdup(path);
    if (!folder->path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    folder->fresh = 1;
    folder->force = force;
    int there = stat(path, &info) == 0;
    if (!there && errno != ENOENT)
        return cairn_fail_errno(errno == ENOTDIR ? CAIRN_EXISTS : CAIRN_IO, "%s", path);
    if (there && !S_ISDIR(info.st_mode))
        return cairn_fail(CAIRN_EXISTS, "%s is not a folder", path);
    if (resume) TRY(check_resumable(folder, folds));
    if (there) TRY(lock(folder));
    if (there && !resume) TRY(look(folder));
    if (resume) {
        TRY(is_empty(path, 1, &empty));
        folder->fresh = 0;
        folder->cleared = folder->written = 1;
    }
out:
    return st;
}

cairn_status cairn_folder_check(struct cairn_folder *folder, const char *path, int resume,
                                int force)
{
    return check(folder, path, resume, force, 0);
}

cairn_status cairn_folder_check_folds(struct cairn_folder *folder, const char *path, int resume,
                                      int force)
{
    return check(folder, path, resume, force, 1);
}

/* The topmost folder of `path` that is not there yet, from malloc; NULL if all are (or memory is
 * out). */
static char *topmost_missing(const char *path)
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

cairn_status cairn_folder_make(struct cairn_folder *folder)
{
    cairn_status st = CAIRN_OK;
    folder->made = topmost_missing(folder->path);
    TRY(cairn_file_mkdirs(folder->path));
    if (!folder->locked) {
        st = lock(folder);
        if (st == CAIRN_OK) st = look(folder);
        if (st != CAIRN_OK) { /* another process made it in the meantime: it is not ours */
            free(folder->made);
            folder->made = NULL;
            goto out;
        }
    }
    if (access(folder->path, W_OK | X_OK) != 0)
        st = cairn_fail_errno(CAIRN_IO, "%s: the folder cannot be written to", folder->path);
out:
    return st;
}

/* Removes a run's files from the folder, and nothing else. */
static cairn_status remove_files(const char *folder)
{
    int empty;
    cairn_status st = is_empty(folder, 1, &empty);
    if (st != CAIRN_OK) return st;
    for (size_t i = 0; i < FILES; i++) {
        char *path = cairn_file_join(folder, files[i]);
        if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
        int failed = unlink(path) != 0 && errno != ENOENT;
        if (failed) (void)cairn_fail_errno(CAIRN_IO, "%s: removing the old file", path);
        free(path);
        if (failed) return CAIRN_IO;
    }
    return CAIRN_OK;
}

/* "fold-N" */
static int is_fold(const char *entry)
{
    const char *number = entry + 5;
    return !strncmp(entry, "fold-", 5) && *number && strspn(number, "0123456789") == strlen(number);
}

/* Folders of folds, each with nothing but a run's files left in it, go whole. */
static cairn_status remove_folds(const char *folder)
{
    cairn_status st = CAIRN_OK;
    DIR *dir = opendir(folder);
    if (!dir) return cairn_fail_errno(CAIRN_IO, "%s: reading the folder", folder);
    for (struct dirent *entry; st == CAIRN_OK && (entry = readdir(dir));) {
        if (!is_fold(entry->d_name)) continue;
        char *path = cairn_file_join(folder, entry->d_name);
        st = path ? remove_files(path) : cairn_fail(CAIRN_MEMORY, "out of memory");
        if (st == CAIRN_OK && rmdir(path) != 0)
            st = cairn_fail_errno(CAIRN_IO, "%s: removing the folder of an old fold", path);
        free(path);
    }
    closedir(dir);
    return st;
}

cairn_status cairn_folder_clear(struct cairn_folder *folder)
{
    cairn_status st = CAIRN_OK;
    TRY(remove_files(folder->path));
    TRY(remove_folds(folder->path));
    folder->cleared = 1;
out:
    return st;
}

/* Only empty folders go: rmdir sees to that. */
static void remove_made(const struct cairn_folder *folder)
{
    char *path = strdup(folder->path);
    size_t keep = strlen(folder->made);
    if (!path) return;
    for (size_t n = strlen(path); n >= keep; n--) {
        if (path[n] != '/' && path[n] != '\0') continue;
        path[n] = '\0';
        if (n > 0 && rmdir(path) != 0 && errno != ENOENT && errno != ENAMETOOLONG)
            break; /* "a/b//" names a/b thrice */
    }
    free(path);
}

void cairn_folder_close(struct cairn_folder *folder)
{
    if (folder->cleared && !folder->written) (void)cairn_folder_clear(folder);
    if (folder->made && !folder->written) remove_made(folder);
    if (folder->locked) close(folder->lock);
    free(folder->path);
    free(folder->made);
    memset(folder, 0, sizeof *folder);
}

cairn_status cairn_folder_read(const struct cairn_folder *folder, const char *name, char **text)
{
    size_t size;
    char *path = cairn_folder_file(folder, name);
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_status st = cairn_file_read(path, text, &size);
    free(path);
    return st;
}

cairn_status cairn_folder_write(const struct cairn_folder *folder, const char *name,
                                const char *text)
{
    char *path = cairn_folder_file(folder, name);
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_status st = cairn_file_write(path, text, strlen(text));
    free(path);
    return st;
}
