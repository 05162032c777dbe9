#include "io/npz.h"

#include "base/error.h"
#include "base/file.h"

#ifdef CAIRN_WITH_LIBZIP

#include "io/npy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

#define MEMBER "arr_0.npy"
#define MAX_RATIO 1032 /* deflate packs at most that many bytes into one */

static cairn_status open_archive(const char *path, zip_t **archive)
{
    int code = 0;
    if (!cairn_file_exists(path)) return cairn_fail(CAIRN_NOT_FOUND, "%s is not there", path);
    *archive = zip_open(path, ZIP_RDONLY, &code);
    if (*archive) return CAIRN_OK;
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    cairn_status st = code == ZIP_ER_MEMORY                        ? CAIRN_MEMORY
                      : code == ZIP_ER_OPEN || code == ZIP_ER_READ ? CAIRN_IO
                                                                   : CAIRN_FORMAT;
    cairn_fail(st,
               st == CAIRN_FORMAT ? "%s: not a zip archive, or cut off (%s): fetch it again"
                                  : "cannot open %s: %s",
               path, zip_error_strerror(&error));
    zip_error_fini(&error);
    return st;
}

/* Finds the one member, and checks what the archive says of it before memory is taken. */
static cairn_status find_member(const char *path, zip_t *archive, zip_stat_t *found)
{
    const zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    struct stat file;
    zip_int64_t count = zip_get_num_entries(archive, 0),
                place = zip_name_locate(archive, MEMBER, 0);
    if (place < 0 || count != 1)
        return cairn_fail(CAIRN_FORMAT,
                          "%s: %lld members, the first of them '%s', where exactly one, " MEMBER
                          ", is expected",
                          path, (long long)count, count > 0 ? zip_get_name(archive, 0, 0) : "");
    if (zip_stat_index(archive, (zip_uint64_t)place, 0, found) != 0 ||
        (found->valid & needed) != needed)
        return cairn_fail(CAIRN_FORMAT, "%s: " MEMBER ": %s", path, zip_strerror(archive));
    if (found->comp_method != ZIP_CM_STORE && found->comp_method != ZIP_CM_DEFLATE)
        return cairn_fail(CAIRN_FORMAT,
                          "%s: " MEMBER
                          " is packed by method %d, where none or deflate is expected",
                          path, found->comp_method);
    if (stat(path, &file) != 0) return cairn_fail_errno(CAIRN_IO, "cannot read %s", path);
    uint64_t ratio = found->comp_method == ZIP_CM_STORE ? 1 : MAX_RATIO;
    if (found->comp_size > (uint64_t)file.st_size || found->size > (found->comp_size + 64) * ratio)
        return cairn_fail(CAIRN_FORMAT,
                          "%s: " MEMBER
                          ": damaged: %llu bytes cannot be packed into %llu of a file "
                          "of %lld",
                          path, (unsigned long long)found->size,
                          (unsigned long long)found->comp_size, (long long)file.st_size);
    return CAIRN_OK;
}

/* Unpacks the member; reading up to its end also checks its sum. */
static cairn_status unpack(const char *path, zip_t *archive, const zip_stat_t *member,
                           uint8_t *bytes)
{
    cairn_status st = CAIRN_OK;
    uint64_t got = 0;
    uint8_t extra;
    zip_int64_t n = 0;
    zip_file_t *file = zip_fopen_index(archive, member->index, 0);
    if (!file) return cairn_fail(CAIRN_FORMAT, "%s: " MEMBER ": %s", path, zip_strerror(archive));
    while (got < member->size && (n = zip_fread(file, bytes + got, member->size - got)) > 0)
        got += (uint64_t)n;
    if (n >= 0) n = zip_fread(file, &extra, 1);
    if (n < 0)
        st = cairn_fail(CAIRN_FORMAT, "%s: " MEMBER ": damaged: %s", path, zip_file_strerror(file));
    else if (got < member->size || n > 0)
        st = cairn_fail(CAIRN_FORMAT,
                        "%s: " MEMBER ": damaged: it does not unpack to the %llu bytes that the "
                        "archive promises",
                        path, (unsigned long long)member->size);
    zip_fclose(file);
    return st;
}

cairn_status cairn_npz_read(const char *path, int rank, struct cairn_idx *array)
{
    cairn_status st = CAIRN_OK;
    zip_t *archive = NULL;
    zip_stat_t member = {0};
    char where[512];
    size_t offset;
    memset(array, 0, sizeof *array);
    snprintf(where, sizeof where, "%s: " MEMBER, path);
    TRY(open_archive(path, &archive));
    TRY(find_member(path, archive, &member));
    array->data = malloc((size_t)member.size + 1);
    if (!array->data) {
        st = cairn_fail(CAIRN_MEMORY, "no memory for the data of %s", path);
        goto out;
    }
    TRY(unpack(path, archive, &member, array->data));
    TRY(cairn_npy_parse(where, array->data, (size_t)member.size, rank, array, &offset));
    memmove(array->data, array->data + offset, (size_t)member.size - offset);
out:
    if (archive) zip_discard(archive);
    if (st != CAIRN_OK) cairn_idx_free(array);
    return st;
}

#else

#include <string.h>

cairn_status cairn_npz_read(const char *path, int rank, struct cairn_idx *array)
{
    (void)rank;
    memset(array, 0, sizeof *array);
    return cairn_fail(CAIRN_UNSUPPORTED,
                      "%s: this build cannot read NPZ files: install libzip (libzip-dev) and build "
                      "again with -Dlibzip=enabled",
                      path);
}

#endif
