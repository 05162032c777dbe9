/* Kernel sources: the embedded ones, or those of the folder that CAIRN_KERNEL_DIR names, with
 * headers put in place as tools/embed.py does it. */
#include "base/digest.h"
#include "base/file.h"
#include "opencl/runtime.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS 16

struct inliner {
    const char *folder;
    char *text;
    size_t size, room;
    char seen[HEADERS][64];
    int seen_count;
};

static cairn_status append(struct inliner *in, const char *text, size_t size)
{
    if (in->room - in->size < size + 1) {
        size_t room = 2 * (in->room + size + 1);
        char *grown = realloc(in->text, room);
        if (!grown) return cairn_fail(CAIRN_MEMORY, "out of memory");
        in->text = grown;
        in->room = room;
    }
    memcpy(in->text + in->size, text, size);
    in->size += size;
    in->text[in->size] = '\0';
    return CAIRN_OK;
}

static cairn_status append_line_mark(struct inliner *in, int line, const char *name)
{
    char mark[128];
    int n = snprintf(mark, sizeof mark, "#line %d \"%.80s\"\n", line, name);
    return append(in, mark, (size_t)n);
}

/* The name between the quotes of `#include "NAME"`, nothing else in the line; 0 if the line is
 * something else. */
static int include_name(const char *line, size_t length, char name[64])
{
    char copy[160], rest[8] = "";
    if (length >= sizeof copy) return 0;
    memcpy(copy, line, length);
    copy[length] = '\0';
    const char *p = copy + strspn(copy, " \t");
    if (*p++ != '#') return 0;
    return sscanf(p, " include \"%63[^\"/]\" %7s", name, rest) == 1 &&
           strchr(p, '"') != strrchr(p, '"');
}

/* 1 if the name was seen before; else it is now. */
static int seen_before(struct inliner *in, const char *name)
{
    for (int i = 0; i < in->seen_count; i++)
        if (!strcmp(in->seen[i], name)) return 1;
    if (in->seen_count < HEADERS)
        snprintf(in->seen[in->seen_count++], sizeof in->seen[0], "%s", name);
    return 0;
}

static cairn_status inline_file(struct inliner *in, const char *name, int depth)
{
    cairn_status st = CAIRN_OK;
    char *data = NULL, header[64];
    size_t size = 0;
    char *path = cairn_file_join(in->folder, name);
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    if (depth > HEADERS) {
        st = cairn_fail(CAIRN_BUILD, "%s: headers are nested too deeply", path);
        goto out;
    }
    TRY(cairn_file_read_text(path, "kernel", &data, &size));
    TRY(append_line_mark(in, 1, name));
    int number = 1;
    for (const char *line = data, *end = data + size; line < end; number++) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = stop ? (size_t)(stop - line) : (size_t)(end - line);
        if (!include_name(line, length, header)) {
            TRY(append(in, line, length));
            TRY(append(in, "\n", 1));
        } else if (seen_before(in, header)) {
            TRY(append(in, "\n", 1));
        } else {
            TRY(inline_file(in, header, depth + 1));
            TRY(append_line_mark(in, number + 1, name));
        }
        line += length + 1;
    }
out:
    free(data);
    free(path);
    return st;
}

static cairn_status read_folder(const char *folder, const char *file, char **text, size_t *size)
{
    struct inliner in = {.folder = folder};
    cairn_status st = inline_file(&in, file, 0);
    if (st != CAIRN_OK) {
        free(in.text);
        return cairn_fail_in(st, "CAIRN_KERNEL_DIR");
    }
    *text = in.text;
    *size = in.size;
    return CAIRN_OK;
}

cairn_status ocl_source_text(const char *file, char **text, size_t *size)
{
    const char *folder = getenv("CAIRN_KERNEL_DIR");
    if (folder && *folder) return read_folder(folder, file, text, size);
    for (size_t i = 0; i < ocl_source_count; i++) {
        if (strcmp(ocl_sources[i].file, file) != 0) continue;
        *text = malloc(ocl_sources[i].size + 1);
        if (!*text) return cairn_fail(CAIRN_MEMORY, "out of memory");
        memcpy(*text, ocl_sources[i].text, ocl_sources[i].size);
        (*text)[ocl_sources[i].size] = '\0';
        *size = ocl_sources[i].size;
        return CAIRN_OK;
    }
    return cairn_fail(CAIRN_BUILD, "there is no kernel file %s", file);
}

cairn_status ocl_source_digest(char digest[65])
{
    cairn_status st = CAIRN_OK;
    struct cairn_digest *sum = NULL;
    const char *folder = getenv("CAIRN_KERNEL_DIR");
    TRY(cairn_digest_create(&sum));
    TRY(cairn_digest_add(sum, ocl_sources_digest, sizeof ocl_sources_digest));
    for (size_t i = 0; folder && *folder && i < ocl_source_count; i++) {
        char *text = NULL;
        size_t size = 0;
        TRY(ocl_source_text(ocl_sources[i].file, &text, &size));
        st = cairn_digest_add(sum, text, size);
        free(text);
        if (st != CAIRN_OK) goto out;
    }
    TRY(cairn_digest_text(sum, digest));
out:
    cairn_digest_destroy(sum);
    return st;
}
