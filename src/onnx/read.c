#include "onnx/read.h"

#include "base/error.h"
#include "base/file.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define MOST_NUMBERS ((int64_t)1 << 40)
#define MOST_SIDE ((int64_t)1 << 20) /* of a window, stride, dilation or pad */

const char *cairn_onnx_or_empty(const char *text)
{
    return text ? text : "";
}

cairn_status cairn_onnx_read(const char *path, Cairn__Onnx__Model **model)
{
    char *data = NULL;
    size_t size;
    *model = NULL;
    cairn_status st = cairn_file_read(path, &data, &size);
    if (st != CAIRN_OK) return st;
    *model = cairn__onnx__model__unpack(NULL, size, (const uint8_t *)data);
    free(data);
    if (!*model) return cairn_fail(CAIRN_FORMAT, "%s: this is no ONNX model", path);
    if (!(*model)->graph || (*model)->graph->n_node == 0) {
        cairn_onnx_free(*model);
        *model = NULL;
        return cairn_fail(CAIRN_FORMAT, "%s: this is no ONNX model: it has no graph with nodes",
                          path);
    }
    return CAIRN_OK;
}

void cairn_onnx_free(Cairn__Onnx__Model *model)
{
    if (model) cairn__onnx__model__free_unpacked(model, NULL);
}

cairn_status cairn_onnx_opset(const Cairn__Onnx__Model *model, int64_t *version)
{
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const char *domain = cairn_onnx_or_empty(model->opset_import[i]->domain);
        if (*domain && strcmp(domain, "ai.onnx") != 0) continue;
        *version = model->opset_import[i]->version;
        if (*version >= 1) return CAIRN_OK;
    }
    return cairn_fail(CAIRN_FORMAT,
                      "the model names no version of ONNX's operators (opset_import)");
}

/* --- tensors --- */

static const char *entry_of(const Cairn__Onnx__Tensor *m, const char *key)
{
    for (size_t i = 0; i < m->n_external_data; i++)
        if (!strcmp(cairn_onnx_or_empty(m->external_data[i]->key), key))
            return cairn_onnx_or_empty(m->external_data[i]->value);
    return NULL;
}

static int read_number(const char *text, size_t otherwise, size_t *value)
{
    char *end;
    *value = otherwise;
    if (!text) return 1;
    unsigned long long number = strtoull(text, &end, 10);
    *value = (size_t)number;
    return *text >= '0' && *text <= '9' && !*end && number < SIZE_MAX / 4;
}

/* The bytes of a tensor that lies in a file beside the model: from malloc. */
static cairn_status read_external(const Cairn__Onnx__Tensor *m, const char *path, uint8_t **bytes,
                                  size_t *size)
{
    const char *location = entry_of(m, "location"), *slash = strrchr(path, '/');
    char *folder = NULL, *file = NULL, *data = NULL;
    size_t all, offset, length;
    cairn_status st = CAIRN_OK;
    if (!location || !*location || *location == '/' || strstr(location, ".."))
        return cairn_fail(CAIRN_FORMAT,
                          "its data should lie in '%s', which is no file beside the model",
                          cairn_onnx_or_empty(location));
    folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    file = folder ? cairn_file_join(folder, location) : NULL;
    if (!file) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    TRY(cairn_file_read(file, &data, &all));
    if (!read_number(entry_of(m, "offset"), 0, &offset) || offset > all ||
        !read_number(entry_of(m, "length"), all - offset, &length) || length > all - offset) {
        st = cairn_fail(CAIRN_FORMAT, "its data should lie in %s, which is too short for them",
                        file);
        goto out;
    }
    *bytes = malloc(length ? length : 1);
    *size = length;
    if (*bytes)
        memcpy(*bytes, data + offset, length);
    else
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
out:
    free(folder);
    free(file);
    free(data);
    return st;
}

static uint64_t little_endian(const uint8_t *bytes, int size)
{
    uint64_t bits = 0;
    for (int i = size; i-- > 0;) bits = bits << 8 | bytes[i];
    return bits;
}

static void decode(struct cairn_onnx_tensor *t, const uint8_t *bytes)
{
    for (int64_t i = 0; i < t->count; i++) {
        if (t->type == CAIRN_ONNX_I64) {
            t->ints[i] = (int64_t)little_endian(bytes + 8 * i, 8);
            continue;
        }
        uint32_t bits = (uint32_t)little_endian(bytes + 4 * i, 4);
        if (t->type == CAIRN_ONNX_I32)
            t->ints[i] = (int32_t)bits;
        else
            memcpy(&t->floats[i], &bits, sizeof bits);
    }
}

static cairn_status take_dims(const Cairn__Onnx__Tensor *m, struct cairn_onnx_tensor *t)
{
    if (m->n_dims > CAIRN_ONNX_RANK)
        return cairn_fail(CAIRN_UNSUPPORTED, "it has %zu dimensions; at most %d are read",
                          m->n_dims, CAIRN_ONNX_RANK);
    t->type = m->data_type;
    t->rank = (int)m->n_dims;
    t->count = 1;
    for (int i = 0; i < t->rank; i++) {
        t->dims[i] = m->dims[i];
        if (t->dims[i] < 0 || (t->dims[i] > 0 && t->count > MOST_NUMBERS / t->dims[i]))
            return cairn_fail(CAIRN_FORMAT, "its dimension %d is %lld", i, (long long)t->dims[i]);
        t->count *= t->dims[i];
    }
    return CAIRN_OK;
}

/* Where the numbers are given, there must be as many as the dimensions say, before memory is taken
 * for them. */
static cairn_status take_numbers(const Cairn__Onnx__Tensor *m, struct cairn_onnx_tensor *t,
                                 const uint8_t *raw, size_t raw_size)
{
    size_t size = t->type == CAIRN_ONNX_I64 ? 8 : 4, count = (size_t)t->count;
    size_t there = raw                         ? raw_size / size
                   : t->type == CAIRN_ONNX_F32 ? m->n_float_data
                   : t->type == CAIRN_ONNX_I32 ? m->n_int32_data
                                               : m->n_int64_data;
    if (there != count || (raw && raw_size != count * size))
        return cairn_fail(CAIRN_FORMAT, "its dimensions stand for %zu numbers, but it has %zu",
                          count, there);
    if (t->type == CAIRN_ONNX_F32)
        t->floats = malloc(count ? count * sizeof *t->floats : 1);
    else
        t->ints = malloc(count ? count * sizeof *t->ints : 1);
    if (!t->floats && !t->ints) return cairn_fail(CAIRN_MEMORY, "out of memory");
    if (raw)
        decode(t, raw);
    else if (t->type == CAIRN_ONNX_F32 && count)
        memcpy(t->floats, m->float_data, count * sizeof *t->floats);
    else if (t->type != CAIRN_ONNX_F32)
        for (size_t i = 0; i < count; i++)
            t->ints[i] = t->type == CAIRN_ONNX_I32 ? m->int32_data[i] : m->int64_data[i];
    return CAIRN_OK;
}

cairn_status cairn_onnx_tensor(const Cairn__Onnx__Tensor *m, const char *path,
                               struct cairn_onnx_tensor *t)
{
    cairn_status st = CAIRN_OK;
    uint8_t *external = NULL;
    size_t size = 0;
    memset(t, 0, sizeof *t);
    TRY(take_dims(m, t));
    if (t->type != CAIRN_ONNX_F32 && t->type != CAIRN_ONNX_I32 && t->type != CAIRN_ONNX_I64)
        goto out;
    if (m->data_location == 1) {
        TRY(read_external(m, path, &external, &size));
        TRY(take_numbers(m, t, external, size));
    } else
        TRY(take_numbers(m, t, m->has_raw_data ? m->raw_data.data : NULL, m->raw_data.len));
out:
    free(external);
    if (st != CAIRN_OK) {
        cairn_onnx_tensor_free(t);
        st = cairn_fail_in(st, "tensor '%s'", cairn_onnx_or_empty(m->name));
    }
    return st;
}

void cairn_onnx_tensor_free(struct cairn_onnx_tensor *t)
{
    free(t->floats);
    free(t->ints);
    memset(t, 0, sizeof *t);
}

cairn_status cairn_onnx_read_tensor(const char *path, struct cairn_onnx_tensor *t, char **name)
{
    char *data = NULL;
    size_t size;
    cairn_status st = cairn_file_read(path, &data, &size);
    memset(t, 0, sizeof *t);
    if (st != CAIRN_OK) return st;
    Cairn__Onnx__Tensor *m = cairn__onnx__tensor__unpack(NULL, size, (const uint8_t *)data);
    free(data);
    if (!m) return cairn_fail(CAIRN_FORMAT, "%s: this is no tensor of ONNX", path);
    st = cairn_onnx_tensor(m, path, t);
    if (st != CAIRN_OK) st = cairn_fail_in(st, "%s", path);
    *name = st == CAIRN_OK ? strdup(cairn_onnx_or_empty(m->name)) : NULL;
    cairn__onnx__tensor__free_unpacked(m, NULL);
    return st;
}

/* --- nodes --- */

const Cairn__Onnx__Attribute *cairn_onnx_find(const Cairn__Onnx__Node *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (!strcmp(cairn_onnx_or_empty(node->attribute[i]->name), name)) return node->attribute[i];
    return NULL;
}

int64_t cairn_onnx_get_int(const Cairn__Onnx__Node *node, const char *name, int64_t otherwise)
{
    const Cairn__Onnx__Attribute *a = cairn_onnx_find(node, name);
    return a ? a->i : otherwise;
}

float cairn_onnx_get_float(const Cairn__Onnx__Node *node, const char *name, float otherwise)
{
    const Cairn__Onnx__Attribute *a = cairn_onnx_find(node, name);
    return a ? a->f : otherwise;
}

int cairn_onnx_is(const Cairn__Onnx__Node *node, const char *name, const char *word)
{
    const Cairn__Onnx__Attribute *a = cairn_onnx_find(node, name);
    return a && a->s.len == strlen(word) && !memcmp(a->s.data, word, a->s.len);
}

cairn_status cairn_onnx_get_ints(const Cairn__Onnx__Node *node, const char *name, int count,
                                 int64_t *values)
{
    const Cairn__Onnx__Attribute *a = cairn_onnx_find(node, name);
    if (!a) return CAIRN_OK;
    if (a->n_ints != (size_t)count)
        return cairn_fail(CAIRN_UNSUPPORTED, "%s has %zu numbers, not %d", name, a->n_ints, count);
    if (count) memcpy(values, a->ints, (size_t)count * sizeof *values);
    return CAIRN_OK;
}

static cairn_status check_sizes(const char *what, int count, const int64_t *values, int64_t least)
{
    for (int i = 0; i < count; i++)
        if (values[i] < least || values[i] > MOST_SIDE)
            return cairn_fail(CAIRN_UNSUPPORTED, "%s %lld is not between %lld and %lld", what,
                              (long long)values[i], (long long)least, (long long)MOST_SIDE);
    return CAIRN_OK;
}

/* SAME_UPPER, SAME_LOWER: out = ceil(in / stride); VALID: none. */
static cairn_status resolve_auto(const Cairn__Onnx__Node *node, const int64_t in[2],
                                 struct cairn_onnx_window *w)
{
    int upper = cairn_onnx_is(node, "auto_pad", "SAME_UPPER"),
        lower = cairn_onnx_is(node, "auto_pad", "SAME_LOWER");
    if (!cairn_onnx_find(node, "auto_pad") || cairn_onnx_is(node, "auto_pad", "NOTSET"))
        return CAIRN_OK;
    if (!upper && !lower && !cairn_onnx_is(node, "auto_pad", "VALID"))
        return cairn_fail(CAIRN_FORMAT,
                          "auto_pad is none of NOTSET, VALID, SAME_UPPER, SAME_LOWER");
    memset(w->pads, 0, sizeof w->pads);
    for (int i = 0; (upper || lower) && i < 2; i++) {
        int64_t spread = (w->kernel[i] - 1) * w->dilation[i] + 1;
        int64_t total =
            ((in[i] + w->stride[i] - 1) / w->stride[i] - 1) * w->stride[i] + spread - in[i];
        if (total < 0) total = 0;
        w->pads[i] = upper ? total / 2 : total - total / 2;
        w->pads[i + 2] = total - w->pads[i];
    }
    return CAIRN_OK;
}

cairn_status cairn_onnx_window(const Cairn__Onnx__Node *node, int sides, const int64_t kernel[2],
                               int64_t h, int64_t w, struct cairn_onnx_window *window)
{
    cairn_status st = CAIRN_OK;
    int64_t in[2] = {h, w}, pads[4] = {0, 0, 0, 0};
    int from = 2 - sides;
    *window = (struct cairn_onnx_window){{from, 0}, {1, 1}, {1, 1}, {0, 0, 0, 0}};
    TRY(cairn_onnx_get_ints(node, "kernel_shape", sides, window->kernel + from));
    if (kernel[0]) {
        if (window->kernel[1] && memcmp(window->kernel, kernel, sizeof window->kernel) != 0) {
            st = cairn_fail(CAIRN_FORMAT, "kernel_shape is not that of the weights");
            goto out;
        }
        memcpy(window->kernel, kernel, sizeof window->kernel);
    }
    TRY(cairn_onnx_get_ints(node, "strides", sides, window->stride + from));
    TRY(cairn_onnx_get_ints(node, "dilations", sides, window->dilation + from));
    TRY(cairn_onnx_get_ints(node, "pads", 2 * sides, pads));
    for (int i = 0; i < 2 * sides; i++)
        window->pads[i < sides ? from + i : 2 + from + i - sides] = pads[i];
    TRY(check_sizes("kernel_shape", 2, window->kernel, 1));
    TRY(check_sizes("strides", 2, window->stride, 1));
    TRY(check_sizes("dilations", 2, window->dilation, 1));
    TRY(check_sizes("pads", 4, window->pads, 0));
    TRY(resolve_auto(node, in, window));
out:
    return st;
}
