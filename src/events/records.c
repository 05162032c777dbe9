#include "events/records.h"

#include "base/error.h"
#include "base/file.h"
#include <dirent.h>
#include <fcntl.h>
#include <isa-l/crc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEAD 12 /* bytes before a record: its length and that one's checksum */
#define TAIL 4

cairn_status cairn_records_look(const char *folder, int64_t *count, int64_t *latest)
{
    size_t n = strlen(CAIRN_RECORDS_PREFIX);
    DIR *dir = opendir(folder);
    *count = *latest = 0;
    if (!dir && errno == ENOENT) return CAIRN_OK;
    if (!dir) return cairn_fail_errno(CAIRN_IO, "%s: reading the folder", folder);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strncmp(entry->d_name, CAIRN_RECORDS_PREFIX, n) != 0) continue;
        int64_t second = strtoll(entry->d_name + n, NULL, 10);
        ++*count;
        if (second > *latest) *latest = second;
    }
    closedir(dir);
    return CAIRN_OK;
}

cairn_status cairn_records_open(struct cairn_records *r, const char *folder, int64_t latest)
{
    char host[128] = "localhost", name[256];
    int64_t now = (int64_t)time(NULL);
    memset(r, 0, sizeof *r);
    gethostname(host, sizeof host - 1);
    snprintf(name, sizeof name, CAIRN_RECORDS_PREFIX "%010lld.%s.%ld.0",
             (long long)(now > latest ? now : latest + 1), host, (long)getpid());
    r->path = cairn_file_join(folder, name);
    if (!r->path) return cairn_fail(CAIRN_MEMORY, "no memory to write into %s", folder);
    int fd = open(r->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    r->file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (r->file) {
        setvbuf(r->file, NULL, _IONBF, 0); /* what fails to be written is not tried again later */
        return CAIRN_OK;
    }
    cairn_status st = cairn_fail_errno(CAIRN_IO, "cannot create %s", r->path);
    if (fd >= 0) {
        close(fd);
        unlink(r->path);
    }
    free(r->path);
    memset(r, 0, sizeof *r);
    return st;
}

cairn_status cairn_records_room(struct cairn_records *r, size_t size, uint8_t **bytes)
{
    size_t needed = r->used + HEAD + size + TAIL;
    if (size > INT32_MAX)
        return cairn_fail(CAIRN_UNSUPPORTED, "%s: a record of %zu bytes is too long", r->path,
                          size);
    if (needed > r->room) {
        uint8_t *grown = realloc(r->bytes, 2 * needed);
        if (!grown) return cairn_fail(CAIRN_MEMORY, "no memory to write %s", r->path);
        r->bytes = grown;
        r->room = 2 * needed;
    }
    *bytes = r->bytes + r->used + HEAD;
    return CAIRN_OK;
}

static void put(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> 8 * i);
}

static void put_checksum(uint8_t *to, uint8_t *bytes, size_t size)
{
    uint32_t crc = ~crc32_iscsi(bytes, (int)size, ~0u);
    put(to, (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8u), 4);
}

void cairn_records_frame(struct cairn_records *r, size_t size)
{
    uint8_t *head = r->bytes + r->used;
    put(head, size, 8);
    put_checksum(head + 8, head, 8);
    put_checksum(head + HEAD + size, head + HEAD, size);
    r->used += HEAD + size + TAIL;
}

cairn_status cairn_records_flush(struct cairn_records *r)
{
    cairn_status st = CAIRN_OK;
    errno = 0;
    if (fwrite(r->bytes, 1, r->used, r->file) != r->used || fflush(r->file)) {
        errno = errno ? errno : EIO;
        st = cairn_fail_errno(CAIRN_IO, "cannot write %s", r->path);
        if (ftruncate(fileno(r->file), (off_t)r->written) != 0) return st; /* readers cope */
    } else {
        r->written += (int64_t)r->used;
    }
    r->used = 0;
    return st;
}

cairn_status cairn_records_close(struct cairn_records *r)
{
    cairn_status st = CAIRN_OK;
    if (r->file && fclose(r->file)) st = cairn_fail_errno(CAIRN_IO, "cannot close %s", r->path);
    free(r->path);
    free(r->bytes);
    memset(r, 0, sizeof *r);
    return st;
}
