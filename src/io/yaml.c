#include "io/yaml.h"

#include "base/error.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define MAX_DEPTH 16
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define MAX_NODES 10000 /* keys are compared with all others of their map */

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the present one */
    int has_event;
    const char *name;
    int depth, nodes;
};

static cairn_status fail_at(const struct reader *r, const yaml_mark_t *mark, const char *text)
{
    return cairn_fail(CAIRN_PARSE, "%s:%zu:%zu: %s", r->name, mark->line + 1, mark->column + 1,
                      text);
}

static cairn_status advance(struct reader *r)
{
    if (r->has_event) yaml_event_delete(&r->event);
    r->has_event = yaml_parser_parse(&r->parser, &r->event);
    if (r->has_event) return CAIRN_OK;
    const yaml_mark_t *mark = &r->parser.problem_mark;
    if (r->parser.error == YAML_MEMORY_ERROR)
        return cairn_fail(CAIRN_MEMORY, "no memory to read %s", r->name);
    if (r->parser.error == YAML_READER_ERROR)
        return cairn_fail(CAIRN_PARSE, "%s: byte %zu: %s", r->name,
                          (size_t)r->parser.problem_offset, r->parser.problem);
    return fail_at(r, mark, r->parser.problem ? r->parser.problem : "malformed YAML");
}

static cairn_status no_memory(const struct reader *r)
{
    return cairn_fail(CAIRN_MEMORY, "no memory to read %s", r->name);
}

/* Copies the text of the present scalar event. */
static cairn_status take_text(struct reader *r, char **text)
{
    const yaml_event_t *e = &r->event;
    const char *value = (const char *)e->data.scalar.value;
    if (strlen(value) != e->data.scalar.length)
        return fail_at(r, &e->start_mark, "a NUL character is not accepted");
    *text = strdup(value);
    return *text ? CAIRN_OK : no_memory(r);
}

/* 1 if the scalar stands in the file as one piece of one line; then *column is where its text
 * begins. */
static int text_place(const yaml_event_t *e, int *column)
{
    size_t quotes = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? 0 : 2;
    size_t wide = 0; /* characters: libyaml's columns count those, not bytes */
    for (const unsigned char *p = e->data.scalar.value; *p; p++) wide += (*p & 0xc0) != 0x80;
    if (e->start_mark.line != e->end_mark.line ||
        e->end_mark.column - e->start_mark.column != wide + quotes)
        return 0;
    *column = (int)(e->start_mark.column + quotes / 2 + 1);
    return 1;
}

/* Refuses what is outside the subset. */
static cairn_status check_event(struct reader *r)
{
    const yaml_event_t *e = &r->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (e->type == YAML_ALIAS_EVENT)
        return fail_at(r, &e->start_mark, "aliases (*name) are not accepted");
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
    }
    if (anchor) return fail_at(r, &e->start_mark, "anchors (&name) are not accepted");
    if (tag) return fail_at(r, &e->start_mark, "tags (!name) are not accepted");
    if (++r->nodes > MAX_NODES)
        return fail_at(r, &e->start_mark, "more than " TEXT(MAX_NODES) " values and lists");
    return CAIRN_OK;
}

static cairn_status read_node(struct reader *r, struct cairn_yaml *node);

/* The key in the present event, into a new last member. */
static cairn_status read_key(struct reader *r, const struct cairn_yaml *map,
                             struct cairn_yaml *member)
{
    cairn_status st = check_event(r);
    if (st != CAIRN_OK) return st;
    if (r->event.type != YAML_SCALAR_EVENT)
        return fail_at(r, &r->event.start_mark, "a key must be a text");
    char *key = NULL;
    st = take_text(r, &key);
    if (st != CAIRN_OK) return st;
    const struct cairn_yaml *other = cairn_yaml_get(map, key);
    if (other) {
        char text[160];
        snprintf(text, sizeof text, "the key '%.80s' is given twice, first on line %d", key,
                 other->key_line);
        free(key);
        return fail_at(r, &r->event.start_mark, text);
    }
    member->key = key;
    member->key_line = (int)r->event.start_mark.line + 1;
    member->key_column = (int)r->event.start_mark.column + 1;
    return advance(r);
}

static cairn_status read_members(struct reader *r, struct cairn_yaml *node)
{
    cairn_status st = CAIRN_OK;
    int is_map = node->kind == CAIRN_YAML_MAP;
    yaml_event_type_t end = is_map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    struct cairn_yaml **last = &node->first;
    if (++r->depth > MAX_DEPTH) return fail_at(r, &r->event.start_mark, "nested too deeply");
    TRY(advance(r));
    while (r->event.type != end) {
        struct cairn_yaml *member = calloc(1, sizeof *member);
        if (!member) return no_memory(r);
        if (is_map) st = read_key(r, node, member);
        *last = member; /* after the search for the same key */
        last = &member->next;
        if (st != CAIRN_OK) goto out;
        TRY(read_node(r, member));
    }
    r->depth--;
    st = advance(r);
out:
    return st;
}

/* Reads the value that starts with the present event; the event behind it is present afterwards. */
static cairn_status read_node(struct reader *r, struct cairn_yaml *node)
{
    cairn_status st = check_event(r);
    if (st != CAIRN_OK) return st;
    node->line = (int)r->event.start_mark.line + 1;
    node->column = (int)r->event.start_mark.column + 1;
    if (r->event.type == YAML_SCALAR_EVENT) {
        node->kind = CAIRN_YAML_TEXT;
        text_place(&r->event, &node->text_column);
        TRY(take_text(r, &node->text));
        TRY(advance(r));
    } else {
        node->kind = r->event.type == YAML_MAPPING_START_EVENT ? CAIRN_YAML_MAP : CAIRN_YAML_LIST;
        st = read_members(r, node);
    }
out:
    return st;
}

cairn_status cairn_yaml_parse(const char *name, const char *text, size_t size,
                              struct cairn_yaml **root)
{
    cairn_status st = CAIRN_OK;
    struct reader r = {.name = name};
    struct cairn_yaml *node = NULL;
    *root = NULL;
    if (!yaml_parser_initialize(&r.parser)) return no_memory(&r);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    TRY(advance(&r)); /* stream start */
    TRY(advance(&r));
    if (r.event.type == YAML_STREAM_END_EVENT) {
        st = cairn_fail(CAIRN_PARSE, "%s: the file is empty", name);
        goto out;
    }
    TRY(advance(&r)); /* document start */
    node = calloc(1, sizeof *node);
    if (!node) {
        st = no_memory(&r);
        goto out;
    }
    TRY(read_node(&r, node));
    TRY(advance(&r)); /* document end */
    if (r.event.type != YAML_STREAM_END_EVENT) {
        st = fail_at(&r, &r.event.start_mark, "a second document in one file");
        goto out;
    }
    *root = node;
    node = NULL;
out:
    cairn_yaml_free(node);
    if (r.has_event) yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return st;
}

void cairn_yaml_free(struct cairn_yaml *node)
{
    if (!node) return;
    for (struct cairn_yaml *member = node->first, *next; member; member = next) {
        next = member->next;
        cairn_yaml_free(member); /* no deeper than MAX_DEPTH */
    }
    free(node->key);
    free(node->text);
    free(node->origin);
    free(node);
}

struct cairn_yaml *cairn_yaml_get(const struct cairn_yaml *node, const char *key)
{
    if (!node || node->kind != CAIRN_YAML_MAP) return NULL;
    for (struct cairn_yaml *member = node->first; member; member = member->next)
        if (!strcmp(member->key, key)) return member;
    return NULL;
}

struct cairn_yaml *cairn_yaml_set(struct cairn_yaml *map, const char *key,
                                  enum cairn_yaml_kind kind, const char *text, const char *origin)
{
    struct cairn_yaml *node = calloc(1, sizeof *node), **at = &map->first;
    if (!node) return NULL;
    node->kind = kind;
    node->key = strdup(key);
    node->origin = strdup(origin);
    node->text = text ? strdup(text) : NULL;
    if (!node->key || !node->origin || (text && !node->text)) {
        cairn_yaml_free(node);
        return NULL;
    }
    while (*at && strcmp((*at)->key, key) != 0) at = &(*at)->next;
    if (*at) {
        struct cairn_yaml *old = *at;
        node->next = old->next;
        cairn_yaml_free(old);
    }
    *at = node;
    return node;
}

cairn_status cairn_yaml_fail(cairn_status status, const char *name, const struct cairn_yaml *node,
                             int offset, const char *format, ...)
{
    char text[700];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (node->origin) return cairn_fail(status, "%s: %s", node->origin, text);
    int key = offset == CAIRN_YAML_AT_KEY;
    int column = key ? node->key_column : node->column;
    if (offset >= 0 && node->text_column) column = node->text_column + offset;
    return cairn_fail(status, "%s:%d:%d: %s", name, key ? node->key_line : node->line, column,
                      text);
}
