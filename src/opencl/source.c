/* Kernel sources with their headers put in place of the #include lines, each once, #line marks
 * around them: build logs name the right file and line. A file comes from the folder that is laid
 * over the others, else from the one that CAIRN_KERNEL_DIR names, or without one from the program.
 */
#include "base/digest.h"
#include "base/file.h"
#include "opencl/runtime.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS 16

struct inliner {
    const char *over; /* may be NULL */
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

/* The folder that CAIRN_KERNEL_DIR names, or NULL. */
static const char *named_folder(void)
{
    const char *folder = getenv("CAIRN_KERNEL_DIR");
    return folder && *folder ? folder : NULL;
}

static const struct ocl_source *find_embedded(const char *name)
{
    for (size_t i = 0; i < ocl_source_count; i++)
        if (!strcmp(ocl_sources[i].file, name)) return &ocl_sources[i];
    return NULL;
}

/* 1: the folder has the file, which was read; 0: it has not; -1: it cannot be read. */
static int read_from(const char *folder, const char *name, char **data, size_t *size)
{
    char *path = cairn_file_join(folder, name);
    cairn_status st = path ? cairn_file_read_text(path, "kernel", data, size)
                           : cairn_fail(CAIRN_MEMORY, "out of memory");
    if (st == CAIRN_OK && strlen(*data) != *size) {
        st = cairn_fail(CAIRN_FORMAT, "%.400s: it holds a 0 byte and is no text", path);
        free(*data);
        *data = NULL;
    }
    free(path);
    return st == CAIRN_OK ? 1 : st == CAIRN_NOT_FOUND ? 0 : -1;
}

/* One file as it is, in memory from malloc. */
static cairn_status read_file(const char *over, const char *name, char **data, size_t *size)
{
    int found = over ? read_from(over, name, data, size) : 0;
    if (found > 0) return CAIRN_OK;
    if (found < 0) return CAIRN_FORMAT;
    if (named_folder()) {
        found = read_from(named_folder(), name, data, size);
        if (found > 0) return CAIRN_OK;
        return cairn_fail_in(found < 0 ? CAIRN_FORMAT : CAIRN_NOT_FOUND, "CAIRN_KERNEL_DIR");
    }
    const struct ocl_source *source = find_embedded(name);
    if (!source) return cairn_fail(CAIRN_BUILD, "there is no kernel file %s", name);
    *data = malloc(source->size + 1);
    if (!*data) return cairn_fail(CAIRN_MEMORY, "out of memory");
    memcpy(*data, source->text, source->size);
    (*data)[source->size] = '\0';
    *size = source->size;
    return CAIRN_OK;
}

static cairn_status inline_file(struct inliner *in, const char *name, int depth)
{
    cairn_status st = CAIRN_OK;
    char *data = NULL, header[64];
    size_t size = 0;
    if (depth > HEADERS) return cairn_fail(CAIRN_BUILD, "%s: headers are nested too deeply", name);
    TRY(read_file(in->over, name, &data, &size));
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
    return st;
}

cairn_status ocl_source_text(const char *over, const char *file, char **text, size_t *size)
{
    struct inliner in = {.over = over};
    cairn_status st = inline_file(&in, file, 0);
    if (st != CAIRN_OK) {
        free(in.text);
        return st;
    }
    *text = in.text;
    *size = in.size;
    return CAIRN_OK;
}

/* Whether a name ends in .cl or .h, as sources do. */
static int is_source(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && name[0] != '.' && (!strcmp(dot, ".cl") || !strcmp(dot, ".h"));
}

cairn_status ocl_source_check(const char *folder)
{
    cairn_status st = CAIRN_OK;
    int known = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return cairn_fail(CAIRN_NOT_FOUND, "kernels: %.400s is no folder that can be read", folder);
    for (struct dirent *entry; st == CAIRN_OK && (entry = readdir(dir));) {
        if (!is_source(entry->d_name)) continue;
        if (find_embedded(entry->d_name))
            known++;
        else if (strstr(entry->d_name, ".cl"))
            st = cairn_fail(CAIRN_INVALID,
                            "kernels: %.300s/%.100s is no file of the kernels and would not be "
                            "used; their files are those of cl/, like gemm.cl and pool.cl",
                            folder, entry->d_name);
    }
    closedir(dir);
    if (st == CAIRN_OK && !known)
        st = cairn_fail(CAIRN_INVALID,
                        "kernels: %.400s has no kernel file: put changed copies of files of cl/ "
                        "there, like gemm.cl or exact.h",
                        folder);
    return st;
}

cairn_status ocl_source_digest(char digest[65])
{
    cairn_status st = CAIRN_OK;
    struct cairn_digest *sum = NULL;
    TRY(cairn_digest_create(&sum));
    TRY(cairn_digest_add(sum, ocl_sources_digest, sizeof ocl_sources_digest));
    for (size_t i = 0; named_folder() && i < ocl_source_count; i++) {
        char *text = NULL;
        size_t size = 0;
        TRY(read_file(NULL, ocl_sources[i].file, &text, &size));
        st = cairn_digest_add(sum, text, size);
        free(text);
        if (st != CAIRN_OK) goto out;
    }
    TRY(cairn_digest_text(sum, digest));
out:
    cairn_digest_destroy(sum);
    return st;
}
