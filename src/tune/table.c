#include "tune/table.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "cairn tune 1"

static const char *math_name(enum cairn_math math)
{
    return math == CAIRN_MATH_FAST ? "fast" : "exact";
}

/* A text of JSON from a driver's bytes. */
static json_t *text_of(const char *text)
{
    char copy[512];
    json_t *value = json_string(text);
    if (value) return value;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p >= 0x80) *p = '?';
    return json_string(copy);
}

/* What a file belongs to. */
static json_t *owner_of(const struct tune_table *table)
{
    const struct cairn_device_info *info = &table->info;
    return json_pack("{s:o s:o s:o s:o s:o s:I s:I s:I s:s s:s}", "device", text_of(info->name),
                     "vendor", text_of(info->vendor), "platform", text_of(info->platform), "driver",
                     text_of(info->driver), "version", text_of(info->version), "compute_units",
                     (json_int_t)info->compute_units, "max_work_group",
                     (json_int_t)info->max_work_group, "local_bytes", (json_int_t)info->local_bytes,
                     "math", math_name(table->math), "sources", table->sources);
}

/* $CACHE/tune/KEY.json, KEY the first 32 digits of the owner's SHA-256. */
static cairn_status find_path(struct tune_table *table)
{
    cairn_status st = CAIRN_OK;
    char digest[65], name[48];
    char *cache = cairn_file_cache_dir(), *folder = cache ? cairn_file_join(cache, "tune") : NULL;
    json_t *owner = owner_of(table);
    char *text = owner ? cairn_json_text(owner, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
    if (!text) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    TRY(cairn_digest_sha256(text, strlen(text), digest));
    snprintf(name, sizeof name, "%.32s.json", digest);
    if (folder) table->path = cairn_file_join(folder, name);
out:
    free(text);
    json_decref(owner);
    free(folder);
    free(cache);
    return st;
}

/* --- reading --- */

static int take_text(const json_t *object, const char *key, char *text, size_t size)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value && (size_t)snprintf(text, size, "%s", value) < size;
}

static int take_seconds(const json_t *object, const char *key, double *seconds)
{
    const json_t *value = json_object_get(object, key);
    *seconds = json_number_value(value);
    return json_is_number(value) && isfinite(*seconds) && *seconds >= 0;
}

static int take_candidate(const json_t *object, struct cairn_tune_candidate *candidate)
{
    return take_text(object, "name", candidate->name, sizeof candidate->name) &&
           candidate->name[0] &&
           take_text(object, "failed", candidate->failed, sizeof candidate->failed) &&
           take_seconds(object, "seconds", &candidate->seconds);
}

/* The winner is one of the candidates, passed its check and was timed. */
static int is_sound(const struct cairn_tune_entry *entry)
{
    for (int i = 0; i < entry->count; i++) {
        const struct cairn_tune_candidate *c = &entry->candidates[i];
        if (!strcmp(c->name, entry->winner)) return !c->failed[0] && entry->seconds > 0;
    }
    return 0;
}

static int take_entry(const json_t *object, struct cairn_tune_entry *entry)
{
    const json_t *list = json_object_get(object, "candidates");
    struct cairn_problem problem;
    memset(entry, 0, sizeof *entry);
    if (!take_text(object, "problem", entry->line, sizeof entry->line) ||
        !take_text(object, "winner", entry->winner, sizeof entry->winner) ||
        !take_text(object, "default", entry->preset, sizeof entry->preset) ||
        !take_seconds(object, "seconds", &entry->seconds) ||
        !take_seconds(object, "default_seconds", &entry->preset_seconds) ||
        json_array_size(list) > CAIRN_MAX_VARIANTS)
        return 0;
    for (entry->count = 0; entry->count < (int)json_array_size(list); entry->count++)
        if (!take_candidate(json_array_get(list, (size_t)entry->count),
                            &entry->candidates[entry->count]))
            return 0;
    return cairn_problem_parse(entry->line, &problem, NULL) == CAIRN_OK && is_sound(entry);
}

/* Notes why the file is ignored. */
__attribute__((format(printf, 2, 3))) static void ignore(struct tune_table *table,
                                                         const char *format, ...)
{
    va_list args;
    int n = snprintf(table->note, sizeof table->note, "%.300s is ignored: ", table->path);
    va_start(args, format);
    vsnprintf(table->note + n, sizeof table->note - (size_t)n, format, args);
    va_end(args);
    cairn_text_tame(table->note);
    table->count = 0;
}

static cairn_status take_file(struct tune_table *table, const json_t *root)
{
    cairn_status st = CAIRN_OK;
    const json_t *list = json_object_get(root, "problems");
    const char *format = json_string_value(json_object_get(root, "format"));
    struct cairn_tune_entry entry;
    json_t *owner = owner_of(table);
    if (!format || strcmp(format, FORMAT) != 0 || !json_is_array(list))
        ignore(table, "it is no table of this version's");
    else if (!json_equal(owner, json_object_get(root, "for")))
        ignore(table, "it belongs to another device, driver or version of Cairn");
    for (size_t i = 0; !table->note[0] && i < json_array_size(list); i++) {
        if (take_entry(json_array_get(list, i), &entry))
            TRY(tune_table_put(table, &entry));
        else
            ignore(table, "problem %zu in it is damaged", i + 1);
    }
out:
    json_decref(owner);
    return st;
}

cairn_status tune_table_read(struct tune_table *table, const struct cairn_device_info *info,
                             enum cairn_math math)
{
    cairn_status st = CAIRN_OK;
    char *data = NULL;
    size_t size = 0;
    json_t *root = NULL;
    json_error_t error;
    memset(table, 0, sizeof *table);
    table->info = *info;
    table->math = math;
    TRY(cairn_device_sources(info, table->sources));
    TRY(find_path(table));
    if (!table->path || !cairn_file_exists(table->path)) goto out;
    if (cairn_file_read_text(table->path, "table", &data, &size) != CAIRN_OK) {
        ignore(table, "%.150s", cairn_error());
        goto out;
    }
    root = json_loadb(data, size, JSON_REJECT_DUPLICATES, &error);
    cairn_file_touch(table->path);
    if (root)
        TRY(take_file(table, root));
    else
        ignore(table, "line %d: %.150s", error.line, error.text);
out:
    json_decref(root);
    free(data);
    if (st != CAIRN_OK) tune_table_free(table);
    return st;
}

void tune_table_free(struct tune_table *table)
{
    free(table->entries);
    free(table->path);
    memset(table, 0, sizeof *table);
}

const struct cairn_tune_entry *tune_table_find(const struct tune_table *table, const char *line)
{
    for (int i = 0; i < table->count; i++)
        if (!strcmp(table->entries[i].line, line)) return &table->entries[i];
    return NULL;
}

cairn_status tune_table_put(struct tune_table *table, const struct cairn_tune_entry *entry)
{
    struct cairn_tune_entry *old = (struct cairn_tune_entry *)tune_table_find(table, entry->line);
    if (old) {
        *old = *entry;
        return CAIRN_OK;
    }
    if (table->count == table->room) {
        int room = 2 * table->room + 16;
        struct cairn_tune_entry *grown = realloc(table->entries, (size_t)room * sizeof *grown);
        if (!grown) return cairn_fail(CAIRN_MEMORY, "out of memory");
        table->entries = grown;
        table->room = room;
    }
    table->entries[table->count++] = *entry;
    return CAIRN_OK;
}

/* --- writing --- */

static json_t *entry_json(const struct cairn_tune_entry *entry)
{
    json_t *list = json_array();
    for (int i = 0; i < entry->count; i++) {
        const struct cairn_tune_candidate *c = &entry->candidates[i];
        json_array_append_new(list, json_pack("{s:s s:o s:f}", "name", c->name, "failed",
                                              text_of(c->failed), "seconds", c->seconds));
    }
    return json_pack("{s:s s:s s:s s:f s:f s:o}", "problem", entry->line, "winner", entry->winner,
                     "default", entry->preset, "seconds", entry->seconds, "default_seconds",
                     entry->preset_seconds, "candidates", list);
}

cairn_status tune_table_write(const struct tune_table *table)
{
    cairn_status st = CAIRN_OK;
    char *text = NULL, *slash = NULL, folder[1024];
    json_t *list = json_array(), *root = NULL;
    if (!table->path) {
        st = cairn_fail(CAIRN_IO, "there is no place for the table: set HOME or XDG_CACHE_HOME");
        goto out;
    }
    for (int i = 0; i < table->count; i++)
        json_array_append_new(list, entry_json(&table->entries[i]));
    root = json_pack("{s:s s:o s:O}", "format", FORMAT, "for", owner_of(table), "problems", list);
    text =
        root ? cairn_json_text(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6))
             : NULL;
    if (!text) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    snprintf(folder, sizeof folder, "%s", table->path);
    if ((slash = strrchr(folder, '/'))) *slash = '\0';
    TRY(cairn_file_mkdirs(folder));
    TRY(cairn_file_write(table->path, text, strlen(text)));
out:
    free(text);
    json_decref(list);
    json_decref(root);
    return st;
}
