#include "train/folder.h"

#include "base/error.h"
#include "base/file.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* The lock goes with the process. */
static cairn_status lock(struct cairn_folder *folder)
{
    int held = 0;
    cairn_status st = cairn_file_lock(folder->path, 0, &folder->lock, &held);
    folder->locked = folder->lock >= 0;
    if (held)
        return cairn_fail(CAIRN_EXISTS,
                          "another process is training in %s: let it end, or choose another folder",
                          folder->path);
    return st;
}

/* What the folder holds must fit what is to be done: go on, replace, or begin. */
static cairn_status look(struct cairn_folder *folder)
{
    const char *path = folder->path;
    int empty = 1, is_run = has(folder, "recipe.yaml") || has(folder, "last.safetensors");
    cairn_status st = is_empty(path, 0, &empty);
    if (st != CAIRN_OK) return st;
    if (is_run && !folder->force)
        return cairn_fail(
            CAIRN_EXISTS,
            "%s already holds a run: replace it (--force), choose another folder, or go "
            "on with it (cairn train --resume)",
            path);
    if (!is_run && !empty)
        return cairn_fail(CAIRN_EXISTS, "%s is not empty and holds no run: choose another folder",
                          path);
    return CAIRN_OK;
}

/* What a resumed run must hold. */
static cairn_status check_resumable(const struct cairn_folder *folder, int folds)
{
    const char *path = folder->path;
    errno = 0;
    int run = has(folder, "last.safetensors"), any = (!folds && run) || has(folder, "recipe.yaml");
    if (!(folds ? any : run) && errno != ENOENT && errno != ENOTDIR)
        return cairn_fail_errno(CAIRN_IO, "looking for a run in %s", path);
    if (folds && run)
        return cairn_fail(CAIRN_INVALID,
                          "%s holds a single training (one fold, maybe), but the recipe has "
                          "train.folds: --resume takes the folder above the folds",
                          path);
    if (folds ? !any : !run)
        return cairn_fail(CAIRN_NOT_FOUND, "%s holds no checkpoint to resume from%s", path,
                          any ? ": its training ended before the first one; --force begins anew"
                              : "");
    return CAIRN_OK;
}

static cairn_status check_writable(const char *path)
{
    if (access(path, W_OK | X_OK) == 0) return CAIRN_OK;
    return cairn_fail_errno(CAIRN_IO, "%s: the folder cannot be written to", path);
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
        TRY(check_writable(path));
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

cairn_status cairn_folder_make(struct cairn_folder *folder)
{
    cairn_status st = CAIRN_OK;
    folder->made = cairn_file_topmost_missing(folder->path);
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
    TRY(check_writable(folder->path));
out:
    return st;
}

/* Removes a run's files from an open folder, and nothing else. Takes no memory of its own: it is
 * what is done when memory is out. */
static cairn_status remove_files(DIR *dir, const char *folder)
{
    rewinddir(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (is_leftover(entry->d_name)) unlinkat(dirfd(dir), entry->d_name, 0);
    for (size_t i = 0; i < FILES; i++)
        if (unlinkat(dirfd(dir), files[i], 0) != 0 && errno != ENOENT)
            return cairn_fail_errno(CAIRN_IO, "%s/%s: removing the old file", folder, files[i]);
    return CAIRN_OK;
}

/* "fold-N" */
static int is_fold(const char *entry)
{
    const char *number = entry + 5;
    return !strncmp(entry, "fold-", 5) && *number && strspn(number, "0123456789") == strlen(number);
}

/* Folders of folds, each with nothing but a run's files left in it, go whole. */
static cairn_status remove_folds(DIR *dir, const char *folder)
{
    cairn_status st = CAIRN_OK;
    rewinddir(dir);
    for (struct dirent *entry; st == CAIRN_OK && (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (!is_fold(name)) continue;
        int fd = openat(dirfd(dir), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *fold = fd < 0 ? NULL : fdopendir(fd);
        if (!fold) {
            st = cairn_fail_errno(CAIRN_IO, "%s/%s: reading the folder", folder, name);
            if (fd >= 0) close(fd);
            return st;
        }
        st = remove_files(fold, folder);
        closedir(fold);
        if (st == CAIRN_OK && unlinkat(dirfd(dir), name, AT_REMOVEDIR) != 0)
            st = cairn_fail_errno(CAIRN_IO, "%s/%s: removing the folder of an old fold", folder,
                                  name);
    }
    return st;
}

cairn_status cairn_folder_clear(struct cairn_folder *folder)
{
    cairn_status st = CAIRN_OK;
    DIR *dir = opendir(folder->path);
    if (!dir) return cairn_fail_errno(CAIRN_IO, "%s: reading the folder", folder->path);
    TRY(remove_files(dir, folder->path));
    TRY(remove_folds(dir, folder->path));
    folder->cleared = 1;
out:
    closedir(dir);
    return st;
}

void cairn_folder_close(struct cairn_folder *folder)
{
    if (folder->cleared && !folder->written) {
        char why[1024]; /* a failure's, which one of clearing must not hide */
        snprintf(why, sizeof why, "%s", cairn_error());
        if (cairn_folder_clear(folder) != CAIRN_OK) (void)cairn_fail(CAIRN_IO, "%s", why);
    }
    if (folder->made && !folder->written) cairn_file_rmdirs(folder->path, folder->made);
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
