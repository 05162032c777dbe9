#define _GNU_SOURCE /* dladdr */
#include "base/installed.h"

#include "base/file.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "/usr" of "/usr/lib/libcairn.so.0" and "lib"; 0 where the file does not lie in such a folder. */
static int cut_prefix(char *file, const char *folder)
{
    char *slash = strrchr(file, '/');
    size_t below = strlen(folder);
    if (!slash) return 0;
    *slash = '\0';
    size_t n = strlen(file);
    if (n <= below || file[n - below - 1] != '/' || strcmp(file + n - below, folder) != 0) return 0;
    file[n - below - 1] = '\0';
    return 1;
}

/* The prefix of what runs, from malloc; NULL where nothing tells. */
static char *own_prefix(void)
{
    static const char here = 0; /* lies in the library, wherever that was loaded */
    Dl_info info;
    char program[4096];
    char *library = dladdr(&here, &info) && info.dli_fname ? realpath(info.dli_fname, NULL) : NULL;
    if (library && cut_prefix(library, CAIRN_LIBDIR)) return library;
    free(library);
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0) return NULL;
    program[n] = '\0';
    return cut_prefix(program, CAIRN_BINDIR) ? strdup(program) : NULL;
}

char *cairn_installed_path(const char *below)
{
    if (*below == '/') return strdup(below);
    char *prefix = own_prefix();
    char *path = cairn_file_join(prefix ? prefix : CAIRN_PREFIX, below);
    free(prefix);
    return path;
}
