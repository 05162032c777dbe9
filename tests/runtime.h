/* The runtime of the OpenCL backend in a folder of the test's own. Needs an OpenCL device that
 * passes the probe (PoCL); run in the source folder. */
#ifndef TESTS_RUNTIME_H
#define TESTS_RUNTIME_H

#include "base/file.h"
#include "opencl/runtime.h"
#include "scratch.h"

#include <dirent.h>

/* A checked fixture: every test has a folder of its own, with kernels/ and cache/ below it. */
static inline void enter(void)
{
    scratch_make();
    setenv("XDG_CACHE_HOME", in_scratch("cache"), 1);
    unsetenv("CAIRN_KERNEL_DIR");
}

static inline void leave(void)
{
    char command[128];
    snprintf(command, sizeof command, "chmod -R u+w %s", scratch);
    ck_assert_int_eq(system(command), 0);
    scratch_remove();
}

static inline struct ocl_backend *open_backend(const struct cairn_device_options *options)
{
    static const struct cairn_device_options plain;
    struct cairn_device_info info;
    struct cairn_backend *backend = NULL;
    ck_assert_msg(cairn_device_find("opencl", &info) == CAIRN_OK, "%s", cairn_error());
    ck_assert_msg(cairn_opencl_driver.open(&info, options ? options : &plain, &backend) == CAIRN_OK,
                  "%s", cairn_error());
    return ocl_of(backend);
}

static inline void read_file(const char *path, char **data, size_t *size)
{
    ck_assert_msg(cairn_file_read(path, data, size) == CAIRN_OK, "%s", cairn_error());
}

/* Copies cl/ into scratch/kernels and makes it the kernel folder; in `file`, the text `from`
 * becomes `to`. */
static inline void plant(const char *file, const char *from, const char *to)
{
    char *folder = in_scratch("kernels");
    cairn_file_mkdirs(folder);
    DIR *dir = opendir("cl");
    ck_assert_msg(dir != NULL, "run this in the source folder");
    for (struct dirent *entry; (entry = readdir(dir));) {
        char source[300], target[600], *data;
        size_t size;
        if (entry->d_name[0] == '.') continue;
        snprintf(source, sizeof source, "cl/%s", entry->d_name);
        snprintf(target, sizeof target, "%s/%s", folder, entry->d_name);
        read_file(source, &data, &size);
        FILE *out = fopen(target, "w");
        ck_assert_ptr_nonnull(out);
        char *at = file && !strcmp(file, entry->d_name) ? strstr(data, from) : NULL;
        if (file && !strcmp(file, entry->d_name))
            ck_assert_msg(at != NULL, "%s has no '%s'", file, from);
        if (at)
            fprintf(out, "%.*s%s%s", (int)(at - data), data, to, at + strlen(from));
        else
            fwrite(data, 1, size, out);
        ck_assert_int_eq(fclose(out), 0);
        free(data);
    }
    closedir(dir);
    setenv("CAIRN_KERNEL_DIR", folder, 1);
}

#endif
