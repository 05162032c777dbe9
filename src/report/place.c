#include "report/place.h"

#include "base/error.h"
#include "base/file.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static cairn_status check_folder(const char *folder)
{
    struct stat info;
    if (stat(folder, &info))
        return cairn_fail_errno(errno == ENOENT ? CAIRN_NOT_FOUND : CAIRN_IO, "the folder %s",
                                folder);
    if (!S_ISDIR(info.st_mode)) return cairn_fail(CAIRN_EXISTS, "%s is not a folder", folder);
    if (access(folder, W_OK | X_OK))
        return cairn_fail_errno(CAIRN_IO, "cannot write to the folder %s", folder);
    return CAIRN_OK;
}

cairn_status cairn_place_check(const char *path, int force)
{
    if (!*path) return cairn_fail(CAIRN_INVALID, "the file to write has an empty name");
    cairn_status st = cairn_file_check(path);
    if (st != CAIRN_OK) return st;
    if (!force && access(path, F_OK) == 0)
        return cairn_fail(CAIRN_EXISTS,
                          "%s is there already; replace it with --force, or choose another name",
                          path);
    char *folder = strdup(path);
    if (!folder) return cairn_fail(CAIRN_MEMORY, "out of memory");
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0';
    st = check_folder(slash ? folder : ".");
    free(folder);
    return st;
}

cairn_status cairn_place_make(const char *folder)
{
    struct stat info;
    if (!*folder) return cairn_fail(CAIRN_INVALID, "the folder has an empty name");
    if (stat(folder, &info) == 0 && !S_ISDIR(info.st_mode)) return check_folder(folder);
    cairn_status st = cairn_file_mkdirs(folder);
    return st == CAIRN_OK ? check_folder(folder) : st;
}
