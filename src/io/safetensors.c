#include "io/safetensors.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RANK 8
#define MAX_HEADER 100000000 /* the format's own bound */

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {[CAIRN_ST_F32] = {"F32", 4}, [CAIRN_ST_I64] = {"I64", 8}};

/* The product of dims, or -1 where a dimension is negative or size * product does not fit an
 * int64_t. */
static int64_t element_count(int rank, const int64_t *dims, size_t size)
{
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        if (dims[i] < 0) return -1;
    for (int i = 0; i < rank; i++)
        if (dims[i] == 0) return 0;
    for (int i = 0; i < rank; i++) {
        if (count > INT64_MAX / (int64_t)size / dims[i]) return -1;
        count *= dims[i];
    }
    return count;
}

/* Writing ------------------------------------------------------------------------------------- */

/* Each dtype's tensors lie together, the 8-byte ones first, so that all are aligned. */
static const enum cairn_st_dtype layout[] = {CAIRN_ST_I64, CAIRN_ST_F32};

static cairn_status make_header(const char *path, const struct cairn_st_file *file, char **text)
{
    cairn_status st = CAIRN_OK;
    int64_t end = 0;
    int bad = 0;
    *text = NULL;
    json_t *root = json_object();
    if (file->metadata_count) {
        json_t *metadata = json_object();
        for (size_t i = 0; i < file->metadata_count; i++)
            bad |= json_object_set_new(metadata, file->keys[i], json_string(file->values[i]));
        bad |= json_object_set_new(root, "__metadata__", metadata);
    }
    for (size_t pass = 0; pass < sizeof layout / sizeof *layout; pass++)
        for (size_t i = 0; i < file->count; i++) {
            const struct cairn_st_tensor *t = &file->tensors[i];
            if (t->dtype != layout[pass]) continue;
            int64_t count = t->rank < 0 || t->rank > MAX_RANK
                                ? -1
                                : element_count(t->rank, t->dims, dtypes[t->dtype].size);
            if (count < 0 || !strcmp(t->name, "__metadata__") || json_object_get(root, t->name)) {
                st = cairn_fail(CAIRN_INVALID, "%s: tensor '%s': %s", path, t->name,
                                count < 0 ? "impossible shape" : "the name is taken");
                goto out;
            }
            json_t *shape = json_array();
            for (int d = 0; d < t->rank; d++)
                bad |= json_array_append_new(shape, json_integer(t->dims[d]));
            int64_t begin = end;
            end += count * (int64_t)dtypes[t->dtype].size;
            json_t *entry =
                json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtypes[t->dtype].name, "shape", shape,
                          "data_offsets", (json_int_t)begin, (json_int_t)end);
            bad |= json_object_set_new(root, t->name, entry);
        }
    if (!bad) *text = cairn_json_text(root, JSON_COMPACT);
    if (!*text)
        st = cairn_fail(CAIRN_INVALID,
                        "%s: a tensor's name or a metadata text is not UTF-8, or no memory is left",
                        path);
out:
    json_decref(root);
    return st;
}

static void put_u64(unsigned char *bytes, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)(value >> (8 * i));
}

static void write_tensor(FILE *out, const struct cairn_st_tensor *t)
{
    enum { PIECE = 4096 };
    unsigned char bytes[PIECE * 8];
    size_t size = dtypes[t->dtype].size;
    int64_t count = element_count(t->rank, t->dims, size);
    for (int64_t i = 0; i < count;) {
        size_t n = 0;
        for (; n < PIECE && i < count; n++, i++) {
            uint64_t value;
            if (t->dtype == CAIRN_ST_I64) {
                value = (uint64_t)((const int64_t *)t->data)[i];
            } else {
                uint32_t bits;
                memcpy(&bits, (const float *)t->data + i, sizeof bits);
                value = (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits;
            }
            put_u64(bytes + n * size, value, size);
        }
        if (fwrite(bytes, size, n, out) != n) return; /* reported when the file is closed */
    }
}

cairn_status cairn_st_write(const char *path, const struct cairn_st_file *file)
{
    char *header = NULL;
    unsigned char length[8];
    struct cairn_file_writer writer = {0};
    cairn_status st = make_header(path, file, &header);
    if (st != CAIRN_OK) return st;
    size_t used = strlen(header), padded = (used + 7) / 8 * 8;

    TRY(cairn_file_open(&writer, path));
    errno = 0;
    put_u64(length, padded, 8);
    fwrite(length, 1, 8, writer.file);
    fprintf(writer.file, "%-*s", (int)padded, header);
    for (size_t pass = 0; pass < sizeof layout / sizeof *layout; pass++)
        for (size_t i = 0; i < file->count; i++)
            if (file->tensors[i].dtype == layout[pass])
                write_tensor(writer.file, &file->tensors[i]);
    st = cairn_file_close(&writer, 1);
out:
    free(header);
    return st;
}

/* Reading ------------------------------------------------------------------------------------- */

struct reading {
    const char *path;
    const unsigned char *data; /* what follows the header */
    int64_t size;              /* of data */
};

struct extent {
    int64_t begin, end;
    struct cairn_st_tensor *tensor;
};

static int by_place(const void *a, const void *b)
{
    const struct extent *p = a, *q = b;
    if (p->begin != q->begin) return p->begin < q->begin ? -1 : 1;
    return p->end < q->end ? -1 : p->end > q->end;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct cairn_st_tensor *)a)->name,
                  ((const struct cairn_st_tensor *)b)->name);
}

/* The tensors' bytes fill the data without gap or overlap. */
static cairn_status check_extents(const struct reading *in, struct extent *extents, size_t count)
{
    int64_t end = 0;
    qsort(extents, count, sizeof *extents, by_place);
    for (size_t i = 0; i < count; i++) {
        if (extents[i].begin != end)
            return cairn_fail(
                CAIRN_FORMAT, "%s: tensor '%s' begins at byte %" PRId64 " of the data, %s %" PRId64,
                in->path, extents[i].tensor->name, extents[i].begin,
                extents[i].begin < end ? "inside another tensor that ends at" : "after a gap from",
                end);
        end = extents[i].end;
    }
    if (end != in->size)
        return cairn_fail(CAIRN_FORMAT,
                          "%s: %" PRId64 " bytes of data where the header describes %" PRId64,
                          in->path, in->size, end);
    return CAIRN_OK;
}

/* Reads {"dtype": .., "shape": [..], "data_offsets": [.., ..]}; what is wrong in *why. */
static int read_entry(const struct reading *in, json_t *entry, struct cairn_st_tensor *t,
                      struct extent *extent, const char **why)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    json_t *shape = json_object_get(entry, "shape");
    json_t *offsets = json_object_get(entry, "data_offsets");
    json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);

    *why = "an entry has dtype, shape and data_offsets, no more and no less";
    if (!dtype || !json_is_array(shape) || !json_is_array(offsets) || json_object_size(entry) != 3)
        return 0;
    *why = "only the dtypes F32 and I64 are supported";
    if (strcmp(dtype, "F32") && strcmp(dtype, "I64")) return 0;
    t->dtype = !strcmp(dtype, "F32") ? CAIRN_ST_F32 : CAIRN_ST_I64;

    *why =
        "the shape is not a list of at most 8 whole numbers of 0 or more with a possible product";
    if (json_array_size(shape) > MAX_RANK) return 0;
    t->rank = (int)json_array_size(shape);
    for (int i = 0; i < t->rank; i++) {
        json_t *dim = json_array_get(shape, (size_t)i);
        if (!json_is_integer(dim)) return 0;
        t->dims[i] = json_integer_value(dim);
    }
    int64_t count = element_count(t->rank, t->dims, dtypes[t->dtype].size);
    if (count < 0) return 0;

    *why = "data_offsets are not two places, in order";
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end)) return 0;
    extent->begin = json_integer_value(begin);
    extent->end = json_integer_value(end);
    if (extent->begin < 0 || extent->end < extent->begin) return 0;
    *why = "its data end behind the end of the file, which seems to be cut off";
    if (extent->end > in->size) return 0;

    *why = "data_offsets and shape disagree on the size";
    return extent->end - extent->begin == count * (int64_t)dtypes[t->dtype].size;
}

static cairn_status read_data(const struct reading *in, struct cairn_st_tensor *t, int64_t begin)
{
    size_t size = dtypes[t->dtype].size;
    int64_t count = element_count(t->rank, t->dims, size);
    t->data = malloc((size_t)count * size + 1);
    if (!t->data) return cairn_fail(CAIRN_MEMORY, "no memory for tensor '%s'", t->name);
    for (int64_t i = 0; i < count; i++) {
        const unsigned char *bytes = in->data + begin + i * (int64_t)size;
        uint64_t value = 0;
        for (size_t b = 0; b < size; b++) value |= (uint64_t)bytes[b] << (8 * b);
        uint32_t low = (uint32_t)value;
        if (size == 4)
            memcpy((float *)t->data + i, &low, 4);
        else
            memcpy((int64_t *)t->data + i, &value, 8);
    }
    return CAIRN_OK;
}

static cairn_status read_metadata(const struct reading *in, json_t *metadata,
                                  struct cairn_st_file *file)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata))
        return cairn_fail(CAIRN_FORMAT, "%s: __metadata__ is not an object", in->path);
    file->keys = calloc(json_object_size(metadata) + 1, sizeof *file->keys);
    file->values = calloc(json_object_size(metadata) + 1, sizeof *file->values);
    if (!file->keys || !file->values) return cairn_fail(CAIRN_MEMORY, "no memory for metadata");
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return cairn_fail(CAIRN_FORMAT, "%s: metadata '%s' is not a text", in->path, key);
        size_t i = file->metadata_count++;
        file->keys[i] = strdup(key);
        file->values[i] = strdup(json_string_value(value));
        if (!file->keys[i] || !file->values[i])
            return cairn_fail(CAIRN_MEMORY, "no memory for metadata");
    }
    return CAIRN_OK;
}

static cairn_status read_tensors(const struct reading *in, json_t *root, struct cairn_st_file *file)
{
    cairn_status st = CAIRN_OK;
    const char *name, *why;
    json_t *entry;
    size_t room = json_object_size(root) + 1;
    struct extent *extents = calloc(room, sizeof *extents);
    file->tensors = calloc(room, sizeof *file->tensors);
    if (!extents || !file->tensors) {
        st = cairn_fail(CAIRN_MEMORY, "no memory for the tensors of %s", in->path);
        goto out;
    }
    json_object_foreach(root, name, entry)
    {
        struct cairn_st_tensor *t = &file->tensors[file->count];
        struct extent *extent = &extents[file->count];
        if (!strcmp(name, "__metadata__")) {
            TRY(read_metadata(in, entry, file));
            continue;
        }
        if (!read_entry(in, entry, t, extent, &why)) {
            st = cairn_fail(CAIRN_FORMAT, "%s: tensor '%s': %s", in->path, name, why);
            goto out;
        }
        extent->tensor = t;
        file->count++;
        t->name = strdup(name);
        if (!t->name) {
            st = cairn_fail(CAIRN_MEMORY, "no memory for tensor '%s'", name);
            goto out;
        }
    }
    TRY(check_extents(in, extents, file->count));
    for (size_t i = 0; i < file->count; i++)
        TRY(read_data(in, extents[i].tensor, extents[i].begin));
    qsort(file->tensors, file->count, sizeof *file->tensors, by_name);
out:
    free(extents);
    return st;
}

cairn_status cairn_st_read(const char *path, struct cairn_st_file *file)
{
    char *bytes = NULL;
    size_t size = 0;
    json_t *root = NULL;
    json_error_t error;

    memset(file, 0, sizeof *file);
    cairn_status st = cairn_file_read(path, &bytes, &size);
    if (st != CAIRN_OK) return st;

    uint64_t header = 0;
    for (size_t i = 0; i < 8 && i < size; i++)
        header |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    if (size < 8 || header > MAX_HEADER || header > size - 8) {
        st = cairn_fail(
            CAIRN_FORMAT,
            "%s: not a safetensors file, or cut off (%zu bytes, and a header of %" PRIu64 " bytes)",
            path, size, header);
        goto out;
    }
    root = json_loadb(bytes + 8, (size_t)header, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(root)) {
        st = cairn_fail(CAIRN_FORMAT, "%s: the header is not a JSON object: %s", path,
                        root ? "it is another value" : error.text);
        goto out;
    }
    struct reading in = {path, (const unsigned char *)bytes + 8 + header,
                         (int64_t)(size - 8 - (size_t)header)};
    st = read_tensors(&in, root, file);
    if (st != CAIRN_OK) cairn_st_free(file);
out:
    json_decref(root);
    free(bytes);
    return st;
}

void cairn_st_free(struct cairn_st_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        free(file->tensors[i].name);
        free(file->tensors[i].data);
    }
    for (size_t i = 0; i < file->metadata_count; i++) {
        free(file->keys[i]);
        free(file->values[i]);
    }
    free(file->tensors);
    free(file->keys);
    free(file->values);
    memset(file, 0, sizeof *file);
}

const struct cairn_st_tensor *cairn_st_find(const struct cairn_st_file *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (!strcmp(file->tensors[i].name, name)) return &file->tensors[i];
    return NULL;
}

const char *cairn_st_metadata(const struct cairn_st_file *file, const char *key)
{
    for (size_t i = 0; i < file->metadata_count; i++)
        if (!strcmp(file->keys[i], key)) return file->values[i];
    return NULL;
}
