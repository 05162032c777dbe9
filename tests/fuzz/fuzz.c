#include "fuzz.h"

#include "base/file.h"
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define PATHS 8

_Noreturn void fuzz_broken(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\nthe last complaint: %s\n", file, line, what, cairn_error());
    abort();
}

static char folder[128];

static void remove_tree(const char *path)
{
    struct stat info;
    if (lstat(path, &info) != 0) return;
    if (S_ISDIR(info.st_mode)) {
        DIR *dir = opendir(path);
        FUZZ_ASSERT(dir != NULL);
        for (struct dirent *entry; (entry = readdir(dir));) {
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
            char *below = cairn_file_join(path, entry->d_name);
            remove_tree(below);
            free(below);
        }
        closedir(dir);
        rmdir(path);
    } else {
        unlink(path);
    }
}

static void remove_folder(void)
{
    remove_tree(folder);
}

const char *fuzz_folder(void)
{
    const char *below = getenv("TMPDIR");
    if (*folder) return folder;
    int n =
        snprintf(folder, sizeof folder, "%s/cairn-fuzz-XXXXXX", below && *below ? below : "/tmp");
    FUZZ_ASSERT(n < (int)sizeof folder && mkdtemp(folder) != NULL);
    atexit(remove_folder);
    return folder;
}

const char *fuzz_path(const char *name)
{
    static char paths[PATHS][512];
    static int at;
    at = (at + 1) % PATHS;
    int n = snprintf(paths[at], sizeof paths[at], "%s/%s", fuzz_folder(), name);
    FUZZ_ASSERT(n < (int)sizeof paths[at]);
    return paths[at];
}

const char *fuzz_put(const char *name, const void *data, size_t size)
{
    const char *path = fuzz_path(name);
    FILE *file = fopen(path, "wb");
    FUZZ_ASSERT(file != NULL);
    FUZZ_ASSERT(size == 0 || fwrite(data, 1, size, file) == size);
    FUZZ_ASSERT(fclose(file) == 0);
    return path;
}

void fuzz_remove(const char *name)
{
    remove_tree(fuzz_path(name));
}

/* A relative path of plain names, none of them hidden or long. */
static int is_plain(const char *path)
{
    if (!*path || strlen(path) > 100 || strlen(path) != strcspn(path, "\n\r")) return 0;
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/' && part != path;
        if (!*part || *part == '.' || *part == '/') return 0;
    }
    return 1;
}

/* Where the next "=== " at the beginning of a line is; `end` if there is none. */
static const uint8_t *next_mark(const uint8_t *at, const uint8_t *begin, const uint8_t *end)
{
    for (; end - at >= 4; at++)
        if (!memcmp(at, "=== ", 4) && (at == begin || at[-1] == '\n')) return at;
    return end;
}

void fuzz_unpack(const char *name, const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size, *at = next_mark(data, data, end);
    fuzz_remove(name);
    FUZZ_ASSERT(mkdir(fuzz_path(name), 0777) == 0);
    for (int files = 0; at < end && files < 64; files++) {
        char path[128], whole[256];
        const uint8_t *text = at + 4, *stop = memchr(text, '\n', (size_t)(end - text));
        size_t n = (size_t)((stop ? stop : end) - text);
        const uint8_t *body = stop ? stop + 1 : end, *next = next_mark(body, data, end);
        size_t length = (size_t)(next - body);
        at = next;
        if (n >= sizeof path || memchr(text, '\0', n)) continue;
        memcpy(path, text, n);
        path[n] = '\0';
        if (!is_plain(path)) continue;
        snprintf(whole, sizeof whole, "%s/%s", name, path);
        char *slash = strrchr(whole, '/');
        *slash = '\0';
        cairn_status st = cairn_file_mkdirs(fuzz_path(whole));
        *slash = '/';
        struct stat info;
        if (st != CAIRN_OK || (stat(fuzz_path(whole), &info) == 0 && S_ISDIR(info.st_mode)))
            continue;
        if (next < end && length > 0) length--; /* the line's end before a mark is not the file's */
        fuzz_put(whole, body, length);
    }
}

void fuzz_told(cairn_status st, const char *place)
{
    const char *text = cairn_error();
    if (st == CAIRN_OK) return;
    FUZZ_ASSERT(*text != '\0');
    for (const char *p = text; *p; p++) FUZZ_ASSERT(!iscntrl((unsigned char)*p));
    FUZZ_ASSERT(!place || strstr(text, place) != NULL);
}

static int accepted;

void fuzz_accept(void)
{
    accepted = 1;
}

int fuzz_accepted(void)
{
    int was = accepted;
    accepted = 0;
    return was;
}

void fuzz_touch(const void *data, size_t size)
{
    static volatile unsigned sum;
    const uint8_t *bytes = data;
    unsigned all = 0;
    for (size_t i = 0; i < size; i++) all += bytes[i];
    sum += all;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    FUZZ_ASSERT(text != NULL);
    if (size) memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

uint8_t *fuzz_gzip(const uint8_t *data, size_t size, size_t *packed)
{
    z_stream z = {0};
    FUZZ_ASSERT(deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t room = deflateBound(&z, size);
    uint8_t *to = malloc(room);
    FUZZ_ASSERT(to != NULL);
    z.next_in = (Bytef *)data;
    z.avail_in = (uInt)size;
    z.next_out = to;
    z.avail_out = (uInt)room;
    FUZZ_ASSERT(deflate(&z, Z_FINISH) == Z_STREAM_END);
    *packed = z.total_out;
    deflateEnd(&z);
    return to;
}
