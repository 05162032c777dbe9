/* cairn_document_write(): in order, what may go wrong early; gathering; writing. */
#include "report/story.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "io/png.h"
#include "report/markup.h"
#include "report/place.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- values --- */

json_t *cairn_story_text(const char *text)
{
    json_t *value = json_string(text);
    char *copy = value ? NULL : strdup(text);
    if (!copy) return value;
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p >= 0x80) *p = '?';
    value = json_string(copy);
    free(copy);
    return value;
}

json_t *cairn_story_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

void cairn_story_put(struct cairn_story *story, const char *key, json_t *value)
{
    if (json_object_set_new(story->root, key, value) != 0) story->failed = 1;
}

void cairn_story_miss(struct cairn_story *story, const char *section, const char *format, ...)
{
    char why[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    json_t *row = json_pack("{s:s s:o}", "section", section, "why", cairn_story_text(why));
    if (json_array_append_new(json_object_get(story->root, "missing"), row) != 0) story->failed = 1;
}

int cairn_story_has(const char *run, const char *name)
{
    char *path = cairn_file_join(run, name);
    int there = path && cairn_file_exists(path);
    free(path);
    return there;
}

json_t *cairn_story_picture(const struct cairn_png *png)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    json_t *value = NULL;
    if (cairn_png_pack(png, &bytes, &size) == CAIRN_OK) {
        char *uri = cairn_markup_uri("image/png", bytes, size);
        value = uri ? json_string(uri) : NULL;
        free(uri);
    }
    free(bytes);
    return value;
}

json_t *cairn_story_get(const json_t *value, const char *path)
{
    char key[64];
    while (*path && value) {
        size_t n = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)n, path);
        value = json_object_get(value, key);
        path += n + (path[n] == '.');
    }
    return (json_t *)value;
}

const char *cairn_story_words(const json_t *value, const char *path)
{
    const char *text = json_string_value(cairn_story_get(value, path));
    return text ? text : "";
}

double cairn_story_real(const json_t *value, const char *path)
{
    const json_t *number = cairn_story_get(value, path);
    return json_is_number(number) ? json_number_value(number) : (double)NAN;
}

int64_t cairn_story_count(const json_t *value, const char *path)
{
    return json_integer_value(cairn_story_get(value, path));
}

const char *cairn_story_missing(const struct cairn_story *story, const char *section)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(story->root, "missing"), i,
                       row) if (!strcmp(cairn_story_words(row, "section"),
                                        section)) return cairn_story_words(row, "why");
    return NULL;
}

void cairn_story_free(struct cairn_story *story)
{
    json_decref(story->root);
    cairn_metrics_free(&story->metrics);
    cairn_trained_close(&story->net);
    memset(story, 0, sizeof *story);
}

/* --- all of it --- */

static cairn_status write_json(const struct cairn_story *story, const char *path)
{
    cairn_status st = CAIRN_OK;
    char *text =
        cairn_json_text(story->root, JSON_PRESERVE_ORDER | JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    if (!text) return cairn_fail(CAIRN_MEMORY, "out of memory");
    if (path)
        st = cairn_file_write(path, text, strlen(text));
    else if (puts(text) == EOF || fflush(stdout) != 0)
        st = cairn_fail_errno(CAIRN_IO, "writing to standard output");
    free(text);
    return st;
}

static cairn_status write_story(const struct cairn_story *story, enum cairn_document_format format,
                                const char *path)
{
    if (format == CAIRN_DOCUMENT_JSON) return write_json(story, path);
    if (format == CAIRN_DOCUMENT_MARKDOWN) return cairn_story_markdown(story, path);
    return cairn_story_html(story, path);
}

static cairn_status find_place(const struct cairn_document_options *o,
                               struct cairn_document_result *result)
{
    const char *out = o->out;
    if (!out && o->format == CAIRN_DOCUMENT_HTML) out = "report.html";
    if (!out) return CAIRN_OK;
    if (strlen(out) >= sizeof result->file)
        return cairn_fail(CAIRN_INVALID, "the file's name is longer than %zu bytes",
                          sizeof result->file - 1);
    strcpy(result->file, out);
    return cairn_place_check(out, o->force);
}

cairn_status cairn_document_write(const struct cairn_document_options *options,
                                  struct cairn_document_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_story story = {.options = options, .compute = options->compute};
    memset(result, 0, sizeof *result);
    story.root =
        json_pack("{s:{s:i s:s} s:[]}", "report", "version", 1, "cairn", CAIRN_VERSION, "missing");
    if (!story.root) return cairn_fail(CAIRN_MEMORY, "out of memory");
    TRY(find_place(options, result));
    TRY(cairn_story_run(&story));
    TRY(cairn_story_net(&story));
    TRY(cairn_story_answers(&story));
    TRY(cairn_story_profile(&story));
    if (story.failed) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    result->missing = (int)json_array_size(json_object_get(story.root, "missing"));
    TRY(write_story(&story, options->format, *result->file ? result->file : NULL));
out:
    cairn_story_free(&story);
    return st;
}
