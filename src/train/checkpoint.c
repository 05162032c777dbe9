#include "train/checkpoint.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "io/safetensors.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum field_type { FIELD_COUNT, FIELD_REAL, FIELD_SINGLE, FIELD_TEXT };

static const struct field {
    const char *key;
    enum field_type type;
    size_t offset, size;
} fields[] = {
#define ROW(member, type)                                                                          \
    {                                                                                              \
        "cairn." #member, type, offsetof(struct cairn_state, member),                              \
            sizeof((struct cairn_state *)0)->member                                                \
    }
    ROW(epoch, FIELD_COUNT),
    ROW(batch, FIELD_COUNT),
    ROW(step, FIELD_COUNT),
    ROW(evaluations, FIELD_COUNT),
    ROW(evaluated, FIELD_COUNT),
    ROW(loss, FIELD_REAL),
    ROW(correct, FIELD_COUNT),
    ROW(images, FIELD_COUNT),
    ROW(power1, FIELD_REAL),
    ROW(power2, FIELD_REAL),
    ROW(shift, FIELD_SINGLE),
    ROW(scale, FIELD_SINGLE),
    ROW(recent_seconds, FIELD_REAL),
    ROW(recent_timed, FIELD_REAL),
    ROW(recent_samples, FIELD_COUNT),
    ROW(seconds, FIELD_REAL),
    ROW(samples, FIELD_COUNT),
    ROW(kept_epoch, FIELD_COUNT),
    ROW(kept_step, FIELD_COUNT),
    ROW(kept_correct, FIELD_COUNT),
    ROW(kept_loss, FIELD_REAL),
    ROW(best_evaluation, FIELD_COUNT),
    ROW(best_correct, FIELD_COUNT),
    ROW(best_loss, FIELD_REAL),
    ROW(plateau.best, FIELD_REAL),
    ROW(plateau.worse, FIELD_COUNT),
    ROW(plateau.drops, FIELD_COUNT),
    ROW(fold, FIELD_COUNT),
    ROW(train_images, FIELD_COUNT),
    ROW(validation_images, FIELD_COUNT),
    ROW(test_images, FIELD_COUNT),
    ROW(kept_sha256, FIELD_TEXT),
    ROW(math, FIELD_TEXT),
    ROW(version, FIELD_TEXT),
#undef ROW
};
#define FIELDS (sizeof fields / sizeof *fields)
#define VALUE 80

static void print_field(const struct cairn_state *state, const struct field *f, char text[VALUE])
{
    const char *at = (const char *)state + f->offset;
    int64_t count;
    double real;
    float single;
    switch (f->type) {
    case FIELD_COUNT:
        memcpy(&count, at, sizeof count);
        snprintf(text, VALUE, "%lld", (long long)count);
        break;
    case FIELD_REAL:
        memcpy(&real, at, sizeof real);
        snprintf(text, VALUE, "%a", real);
        break;
    case FIELD_SINGLE:
        memcpy(&single, at, sizeof single);
        snprintf(text, VALUE, "%a", (double)single);
        break;
    case FIELD_TEXT:
        snprintf(text, VALUE, "%s", at);
        break;
    }
}

static cairn_status parse_field(struct cairn_state *state, const struct field *f, const char *text)
{
    char *at = (char *)state + f->offset, *end = NULL;
    errno = 0;
    if (f->type == FIELD_TEXT) {
        if (strlen(text) >= f->size)
            return cairn_fail(CAIRN_FORMAT, "%s: '%s' is too long", f->key, text);
        memcpy(at, text, strlen(text) + 1);
        return CAIRN_OK;
    }
    if (f->type == FIELD_COUNT) {
        int64_t count = strtoll(text, &end, 10);
        if (count < 0) errno = ERANGE;
        memcpy(at, &count, sizeof count);
    } else {
        locale_t before = cairn_text_begin_plain();
        double real = strtod(text, &end);
        float single = (float)real;
        cairn_text_end_plain(before);
        if (errno == ERANGE) errno = 0; /* a subnormal is a value like any other */
        if (f->type == FIELD_REAL)
            memcpy(at, &real, sizeof real);
        else
            memcpy(at, &single, sizeof single);
    }
    if (errno || end == text || *end)
        return cairn_fail(CAIRN_FORMAT, "%s: '%s' is malformed", f->key, text);
    return CAIRN_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct cairn_param *const *)a)->name,
                  (*(const struct cairn_param *const *)b)->name);
}

static cairn_status add_tensor(struct cairn_digest *digest, const float *values, int64_t count)
{
    cairn_status st = CAIRN_OK;
    unsigned char bytes[4096];
    size_t used = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        if (isnan(values[i])) bits = 0x7fc00000;
        for (int k = 0; k < 4; k++) bytes[used++] = (unsigned char)(bits >> (8 * k));
        if (used < sizeof bytes && i + 1 < count) continue;
        TRY(cairn_digest_add(digest, bytes, used));
        used = 0;
    }
out:
    return st;
}

/* Of the first `count` parameters. */
static cairn_status digest_of(const struct cairn_model *model, int count, const float *flat,
                              char text[65])
{
    cairn_status st = CAIRN_OK;
    struct cairn_digest *digest = NULL;
    const struct cairn_param **sorted = malloc((size_t)count * sizeof *sorted);
    if (!sorted) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (int i = 0; i < count; i++) sorted[i] = &model->params[i];
    qsort(sorted, (size_t)count, sizeof *sorted, by_name);
    TRY(cairn_digest_create(&digest));
    for (int i = 0; i < count; i++)
        TRY(add_tensor(digest, flat + sorted[i]->offset, sorted[i]->count));
    TRY(cairn_digest_text(digest, text));
out:
    cairn_digest_destroy(digest);
    free(sorted);
    return st;
}

cairn_status cairn_weights_digest(const struct cairn_model *model, const float *flat, char text[65])
{
    return digest_of(model, model->param_count, flat, text);
}

#define PARTS 3 /* weights and the optimizer's moments */
static const char *const prefixes[PARTS] = {"", "moment1.", "moment2."};
static const char *const digest_keys[PARTS] = {"cairn.sha256", "cairn.moment1.sha256",
                                               "cairn.moment2.sha256"};
#define STATE_KEY "cairn.state.sha256"
#define KEYS (FIELDS + PARTS + 1)
#define NAME 48

/* Moments are of what is trained; running statistics have none. */
static int params_of(const struct cairn_model *model, int part)
{
    return part == 0 ? model->param_count : model->trained_count;
}

/* SHA-256 of the state as it is written: "KEY=VALUE" and a newline for each field, in their order.
 * A counter that was changed on the way would train on, to other weights. */
static cairn_status state_digest(char *const values[], char text[65])
{
    cairn_status st = CAIRN_OK;
    struct cairn_digest *digest = NULL;
    TRY(cairn_digest_create(&digest));
    for (size_t i = 0; i < FIELDS; i++) {
        TRY(cairn_digest_add(digest, fields[i].key, strlen(fields[i].key)));
        TRY(cairn_digest_add(digest, "=", 1));
        TRY(cairn_digest_add(digest, values[i], strlen(values[i])));
        TRY(cairn_digest_add(digest, "\n", 1));
    }
    TRY(cairn_digest_text(digest, text));
out:
    cairn_digest_destroy(digest);
    return st;
}

cairn_status cairn_checkpoint_write(const char *path, const struct cairn_model *model,
                                    const struct cairn_state *state, float *flat, float *moment1,
                                    float *moment2)
{
    cairn_status st = CAIRN_OK;
    float *const parts[PARTS] = {flat, moment1, moment2};
    size_t most = (size_t)model->param_count * PARTS;
    struct cairn_st_tensor *tensors = calloc(most, sizeof *tensors);
    char(*names)[NAME] = calloc(most, sizeof *names);
    char values[KEYS][VALUE], *key_list[KEYS], *value_list[KEYS];
    size_t count = 0, keys = 0;
    if (!tensors || !names) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    for (int part = 0; part < PARTS; part++)
        for (int i = 0; i < params_of(model, part) && parts[part]; i++, count++) {
            const struct cairn_param *p = &model->params[i];
            snprintf(names[count], NAME, "%s%s", prefixes[part], p->name);
            tensors[count] = (struct cairn_st_tensor){
                names[count], CAIRN_ST_F32, p->rank, {0}, parts[part] + p->offset};
            memcpy(tensors[count].dims, p->dims, sizeof p->dims);
        }
    locale_t before = cairn_text_begin_plain();
    for (; keys < FIELDS; keys++) {
        print_field(state, &fields[keys], values[keys]);
        key_list[keys] = (char *)fields[keys].key;
    }
    cairn_text_end_plain(before);
    for (int part = 0; part < PARTS; part++) {
        if (!parts[part]) continue;
        TRY(digest_of(model, params_of(model, part), parts[part], values[keys]));
        key_list[keys++] = (char *)digest_keys[part];
    }
    for (size_t i = 0; i < KEYS; i++) value_list[i] = values[i];
    TRY(state_digest(value_list, values[keys]));
    key_list[keys++] = STATE_KEY;
    TRY(cairn_st_write(path, &(struct cairn_st_file){tensors, count, key_list, value_list, keys}));
out:
    free(tensors);
    free(names);
    return st;
}

static cairn_status read_tensor(const struct cairn_st_file *file, const struct cairn_param *p,
                                const char *prefix, float *flat)
{
    char name[NAME];
    snprintf(name, sizeof name, "%s%s", prefix, p->name);
    const struct cairn_st_tensor *t = cairn_st_find(file, name);
    if (!t) return cairn_fail(CAIRN_FORMAT, "the tensor %s is missing", name);
    if (t->dtype != CAIRN_ST_F32 || t->rank != p->rank ||
        memcmp(t->dims, p->dims, (size_t)p->rank * sizeof *p->dims) != 0)
        return cairn_fail(CAIRN_FORMAT, "the tensor %s has another shape than the recipe's", name);
    memcpy(flat + p->offset, t->data, (size_t)p->count * sizeof *flat);
    return CAIRN_OK;
}

static cairn_status check_digest(const struct cairn_st_file *file, const struct cairn_model *model,
                                 int part, const float *flat)
{
    char now[65];
    const char *key = digest_keys[part], *then = cairn_st_metadata(file, key);
    if (!then) return cairn_fail(CAIRN_FORMAT, "the metadata %s is missing", key);
    cairn_status st = digest_of(model, params_of(model, part), flat, now);
    if (st == CAIRN_OK && strcmp(then, now) != 0)
        st = cairn_fail(CAIRN_FORMAT, "damaged: its numbers are not those written (%s differs)",
                        key);
    return st;
}

static cairn_status read_state(const struct cairn_st_file *file, struct cairn_state *state)
{
    cairn_status st = CAIRN_OK;
    char *texts[FIELDS], now[65];
    const char *then = cairn_st_metadata(file, STATE_KEY);
    for (size_t i = 0; i < FIELDS; i++) {
        texts[i] = (char *)cairn_st_metadata(file, fields[i].key);
        if (!texts[i]) return cairn_fail(CAIRN_FORMAT, "the metadata %s is missing", fields[i].key);
        TRY(parse_field(state, &fields[i], texts[i]));
    }
    if (!then) return cairn_fail(CAIRN_FORMAT, "the metadata %s is missing", STATE_KEY);
    TRY(state_digest(texts, now));
    if (strcmp(then, now) != 0)
        st = cairn_fail(CAIRN_FORMAT, "damaged: its counters are not those written (%s differs)",
                        STATE_KEY);
out:
    return st;
}

static cairn_status read_all(const struct cairn_st_file *file, const struct cairn_model *model,
                             struct cairn_state *state, float *const parts[PARTS])
{
    cairn_status st = CAIRN_OK;
    for (int part = 0; part < PARTS; part++) {
        if (!parts[part]) continue;
        size_t floats = (size_t)(part == 0 ? model->total_floats : model->flat_floats);
        memset(parts[part], 0, floats * sizeof(float));
        for (int i = 0; i < params_of(model, part); i++)
            TRY(read_tensor(file, &model->params[i], prefixes[part], parts[part]));
        TRY(check_digest(file, model, part, parts[part]));
    }
    if (state) TRY(read_state(file, state));
out:
    return st;
}

cairn_status cairn_checkpoint_read(const char *path, const struct cairn_model *model,
                                   struct cairn_state *state, float *flat, float *moment1,
                                   float *moment2)
{
    cairn_status st = CAIRN_OK;
    float *const parts[PARTS] = {flat, moment1, moment2};
    struct cairn_st_file file = {0};
    TRY(cairn_st_read(path, &file));
    st = read_all(&file, model, state, parts);
    if (st != CAIRN_OK) st = cairn_fail_in(st, "%s", path);
out:
    cairn_st_free(&file);
    return st;
}
