/* The binary cache: what a compiler made of a source, kept from run to run.
 *
 * One file per program, $XDG_CACHE_HOME/cairn/kernels/KEY.bin, KEY the SHA-256 of all that the
 * binary depends on. The file (struct cairn_kept) carries its key and the SHA-256 of its payload,
 * since some implementations abort on a damaged binary: anything that does not agree is taken as
 * absent. A cache that cannot be read or written is no error; programs are then built each time. */
#include "base/digest.h"
#include "base/file.h"
#include "device/owner.h"
#include "opencl/runtime.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static cairn_status add_text(struct cairn_digest *digest, const char *text)
{
    return cairn_digest_add(digest, text, strlen(text) + 1);
}

static cairn_status platform_text(const struct ocl_backend *be, cl_platform_info what,
                                  struct cairn_digest *digest)
{
    char text[256] = "";
    if (clGetPlatformInfo(be->platform, what, sizeof text - 1, text, NULL) != CL_SUCCESS)
        text[0] = '\0';
    return add_text(digest, text);
}

/* Variables that change what some compilers make of a source. */
static const char *const variables[] = {"OCLGRIND_BUILD_OPTIONS", "POCL_EXTRA_BUILD_FLAGS"};

cairn_status ocl_cache_key(const struct ocl_backend *be, const char *source, size_t size,
                           const char *options, char key[65])
{
    cairn_status st = CAIRN_OK;
    const struct cairn_device_info *info = &be->base.info;
    const char *parts[] = {"cairn kernels 1", options,      info->name,
                           info->vendor,      info->driver, info->version};
    struct cairn_digest *digest = NULL;
    TRY(cairn_digest_create(&digest));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) TRY(add_text(digest, parts[i]));
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        TRY(add_text(digest, value ? value : ""));
    }
    TRY(platform_text(be, CL_PLATFORM_NAME, digest));
    TRY(platform_text(be, CL_PLATFORM_VERSION, digest));
    TRY(cairn_digest_add(digest, source, size));
    TRY(cairn_digest_text(digest, key));
out:
    cairn_digest_destroy(digest);
    return st;
}

/* The folder of all entries, in memory from malloc; NULL if there is no place for a cache. */
static char *folder_path(int make)
{
    char *cache = cairn_file_cache_dir();
    char *folder = cache ? cairn_file_join(cache, "kernels") : NULL;
    free(cache);
    if (folder && make && cairn_file_mkdirs(folder) != CAIRN_OK) {
        free(folder);
        folder = NULL;
    }
    return folder;
}

int ocl_cache_takes(void)
{
    char *folder = folder_path(1);
    int takes = folder && access(folder, W_OK | X_OK) == 0;
    free(folder);
    return takes;
}

/* The file of a key, in memory from malloc; NULL if there is no place. */
static char *entry_path(const char *key, int make_folder)
{
    char name[80], *folder = folder_path(make_folder);
    snprintf(name, sizeof name, "%.64s.bin", key);
    char *path = folder ? cairn_file_join(folder, name) : NULL;
    free(folder);
    return path;
}

/* Is the file a whole entry with this key? */
static int is_valid(const char *data, size_t size, const char *key)
{
    struct cairn_kept header;
    char digest[65];
    if (size < sizeof header) return 0;
    memcpy(&header, data, sizeof header);
    if (!cairn_kept_is_whole(&header, size)) return 0;
    if (memcmp(header.key, key, sizeof header.key) != 0) return 0;
    if (cairn_digest_sha256(data + sizeof header, (size_t)header.size, digest) != CAIRN_OK)
        return 0;
    return !memcmp(header.digest, digest, sizeof header.digest);
}

cl_program ocl_cache_program(const struct ocl_backend *be, const char *key, const char *data,
                             size_t size)
{
    cl_int state = CL_SUCCESS, error = CL_SUCCESS;
    if (!is_valid(data, size, key)) return NULL;
    struct cairn_kept header;
    memcpy(&header, data, sizeof header);
    const unsigned char *binary = (const unsigned char *)data + sizeof header;
    size_t length = (size_t)header.size;
    cl_program program =
        clCreateProgramWithBinary(be->context, 1, &be->device, &length, &binary, &state, &error);
    if (program && (error || state)) {
        clReleaseProgram(program);
        program = NULL;
    }
    return error ? NULL : program;
}

/* The entry was used now, with the kernels of now: its source may be the same in two sets. */
static void note_use(const struct ocl_backend *be, const char *path, const char *data, size_t size)
{
    char owner[CAIRN_OWNER_SIZE];
    struct cairn_kept header;
    memcpy(&header, data, sizeof header);
    cairn_file_touch(path);
    if (cairn_owner_write(&be->base.info, owner) != CAIRN_OK || header.owner != strlen(owner) ||
        !memcmp(data + size - header.owner, owner, header.owner))
        return;
    struct stat info;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &info) == 0 && info.st_size == (off_t)size) {
        const char *kernels = owner + header.owner - CAIRN_OWNER_KERNELS;
        ssize_t written = pwrite(fd, kernels, 64, (off_t)size - CAIRN_OWNER_KERNELS);
        (void)written; /* a full disk: it stays as it was */
    }
    if (fd >= 0) close(fd);
}

cl_program ocl_cache_load(const struct ocl_backend *be, const char *key)
{
    char *data = NULL, *path = entry_path(key, 0);
    size_t size = 0;
    cl_program program = NULL;
    if (path && cairn_file_read(path, &data, &size) == CAIRN_OK)
        program = ocl_cache_program(be, key, data, size);
    if (program) note_use(be, path, data, size);
    free(data);
    free(path);
    return program;
}

/* The binary of a built program behind an empty header, with room for `more` bytes; NULL if the
 * device gives none. */
static char *take_binary(cl_program program, size_t more, size_t *size)
{
    size_t length = 0;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof length, &length, NULL) !=
            CL_SUCCESS ||
        !length)
        return NULL;
    char *data = calloc(1, sizeof(struct cairn_kept) + length + more);
    if (!data) return NULL;
    unsigned char *binary = (unsigned char *)data + sizeof(struct cairn_kept);
    if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) !=
        CL_SUCCESS) {
        free(data);
        return NULL;
    }
    *size = length;
    return data;
}

char *ocl_cache_take(const struct ocl_backend *be, cl_program program, const char *key,
                     size_t *size)
{
    char digest[65], owner[CAIRN_OWNER_SIZE], *data;
    if (cairn_owner_write(&be->base.info, owner) != CAIRN_OK) owner[0] = '\0';
    struct cairn_kept header = {
        .magic = CAIRN_KEPT_MAGIC, .format = CAIRN_KEPT_FORMAT, .owner = (uint32_t)strlen(owner)};
    data = take_binary(program, header.owner, size);
    if (!data) return NULL;
    if (cairn_digest_sha256(data + sizeof header, *size, digest) != CAIRN_OK) {
        free(data);
        return NULL;
    }
    header.size = *size;
    memcpy(header.key, key, sizeof header.key);
    memcpy(header.digest, digest, sizeof header.digest);
    memcpy(data, &header, sizeof header);
    memcpy(data + sizeof header + *size, owner, header.owner);
    *size += sizeof header + header.owner;
    return data;
}

int ocl_cache_keep(const char *key, const char *data, size_t size)
{
    char *path = entry_path(key, 1);
    int kept = path && cairn_file_write(path, data, size) == CAIRN_OK;
    free(path);
    return kept;
}

void ocl_cache_store(const struct ocl_backend *be, cl_program program, const char *key)
{
    size_t size = 0;
    char *data = ocl_cache_take(be, program, key, &size);
    if (data) ocl_cache_keep(key, data, size);
    free(data);
}
