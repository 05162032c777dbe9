#include "io/npy.h"

#include "base/error.h"
#include <stdio.h>
#include <string.h>

/* The header's text, read from left to right. */
struct cursor {
    const char *where;
    const char *at, *end;
};

static cairn_status malformed(const struct cursor *c, const char *wanted)
{
    return cairn_fail(CAIRN_FORMAT, "%s: malformed NPY header: %s expected before '%.*s'", c->where,
                      wanted, (int)(c->end - c->at < 20 ? c->end - c->at : 20), c->at);
}

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && *c->at == ' ') c->at++;
}

/* Takes `sign` if it is next. */
static int take_sign(struct cursor *c, char sign)
{
    skip_space(c);
    if (c->at == c->end || *c->at != sign) return 0;
    c->at++;
    return 1;
}

static cairn_status take_string(struct cursor *c, char *text, size_t size)
{
    skip_space(c);
    char quote = c->at < c->end ? *c->at : 0;
    const char *stop = quote == '\'' || quote == '"'
                           ? memchr(c->at + 1, quote, (size_t)(c->end - c->at - 1))
                           : NULL;
    if (!stop) return malformed(c, "a text in quotes");
    snprintf(text, size, "%.*s", (int)(stop - c->at - 1), c->at + 1);
    c->at = stop + 1;
    return CAIRN_OK;
}

static int take_word(struct cursor *c, const char *word)
{
    size_t n = strlen(word);
    skip_space(c);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0) return 0;
    c->at += n;
    return 1;
}

static cairn_status take_descr(struct cursor *c)
{
    char type[32];
    if (take_sign(c, '['))
        return cairn_fail(CAIRN_FORMAT, "%s: a record array, where unsigned bytes are expected",
                          c->where);
    cairn_status st = take_string(c, type, sizeof type);
    if (st == CAIRN_OK && strcmp(type, "|u1") != 0)
        st = cairn_fail(CAIRN_FORMAT,
                        "%s: an array of type '%s', where unsigned bytes ('|u1') are expected; "
                        "save it with .astype(numpy.uint8)",
                        c->where, type);
    return st;
}

static cairn_status take_order(struct cursor *c)
{
    if (take_word(c, "False")) return CAIRN_OK;
    if (!take_word(c, "True")) return malformed(c, "True or False");
    return cairn_fail(CAIRN_FORMAT,
                      "%s: an array in Fortran order, where C order is expected; save it with "
                      "numpy.ascontiguousarray()",
                      c->where);
}

/* (60000, 28, 28) or (60000,). */
static cairn_status take_shape(struct cursor *c, int rank, struct cairn_idx *array)
{
    int comma = 1, count = 0;
    if (!take_sign(c, '(')) return malformed(c, "a shape in parentheses");
    while (!take_sign(c, ')')) {
        int64_t size = 0;
        const char *first = c->at;
        while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && size < INT64_MAX / 10 - 1)
            size = size * 10 + (*c->at++ - '0');
        if (c->at == first || !comma) return malformed(c, "a list of sizes");
        if (count < CAIRN_IDX_MAX_RANK) array->dims[count] = size;
        count++;
        comma = take_sign(c, ',');
    }
    if (count == 1 && !comma) return malformed(c, "a ',' in a shape of one size");
    if (count != rank)
        return cairn_fail(CAIRN_FORMAT, "%s: an array of %d dimensions where %d are expected",
                          c->where, count, rank);
    array->rank = rank;
    return CAIRN_OK;
}

/* {'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }, in any order, each once. */
static cairn_status take_dict(struct cursor *c, int rank, struct cairn_idx *array)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    cairn_status st = CAIRN_OK;
    unsigned seen = 0;
    int comma = 1;
    if (!take_sign(c, '{')) return malformed(c, "'{'");
    while (!take_sign(c, '}')) {
        char key[32];
        int i = 0;
        if (!comma) return malformed(c, "','");
        TRY(take_string(c, key, sizeof key));
        while (i < 3 && strcmp(keys[i], key) != 0) i++;
        if (i == 3 || seen & 1u << i)
            return cairn_fail(CAIRN_FORMAT, "%s: malformed NPY header: the key '%s' is %s",
                              c->where, key, i == 3 ? "unknown" : "there twice");
        if (!take_sign(c, ':')) return malformed(c, "':'");
        seen |= 1u << i;
        TRY(i == 0 ? take_descr(c) : i == 1 ? take_order(c) : take_shape(c, rank, array));
        comma = take_sign(c, ',');
    }
    for (int i = 0; i < 3; i++)
        if (!(seen & 1u << i))
            return cairn_fail(CAIRN_FORMAT, "%s: malformed NPY header: the key '%s' is missing",
                              c->where, keys[i]);
    skip_space(c);
    if (c->end - c->at != 1 || *c->at != '\n') return malformed(c, "spaces and a newline");
out:
    return st;
}

static cairn_status check_sizes(const char *where, const struct cairn_idx *array, size_t left)
{
    int64_t total = 1;
    for (int i = 0; i < array->rank; i++) {
        if (array->dims[i] < 1 || total > INT64_MAX / array->dims[i])
            return cairn_fail(CAIRN_FORMAT, "%s: impossible sizes in its header", where);
        total *= array->dims[i];
    }
    if ((uint64_t)total != left)
        return cairn_fail(CAIRN_FORMAT,
                          "%s: %s: its header promises %lld bytes, and %llu are there", where,
                          (uint64_t)total > left ? "cut off" : "too long", (long long)total,
                          (unsigned long long)left);
    return CAIRN_OK;
}

cairn_status cairn_npy_parse(const char *where, const uint8_t *bytes, size_t size, int rank,
                             struct cairn_idx *array, size_t *offset)
{
    if (size < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return cairn_fail(CAIRN_FORMAT, "%s: not an NPY array", where);
    if ((bytes[6] != 1 && bytes[6] != 2) || bytes[7] != 0)
        return cairn_fail(CAIRN_FORMAT, "%s: NPY version %d.%d, where 1.0 or 2.0 is expected",
                          where, bytes[6], bytes[7]);
    size_t begin = bytes[6] == 1 ? 10 : 12, length = bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] == 2 && size >= 12) length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (size < begin || size - begin < length)
        return cairn_fail(CAIRN_FORMAT, "%s: cut off inside its header", where);
    const char *text = (const char *)bytes + begin;
    struct cursor c = {.where = where, .at = text, .end = text + length};
    cairn_status st = take_dict(&c, rank, array);
    if (st == CAIRN_OK) st = check_sizes(where, array, size - begin - length);
    *offset = begin + length;
    return st;
}
