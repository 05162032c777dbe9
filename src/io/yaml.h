/* A small tree over libyaml: maps, lists and texts, every one with its place in the file.
 *
 * The subset that recipes and the data set register need, read strictly: keys are plain texts and
 * appear once; anchors, aliases, tags, several documents, NUL bytes and deep nesting are refused.
 * No text has a type: "5e-4" and "no" are texts. */
#ifndef CAIRN_IO_YAML_H
#define CAIRN_IO_YAML_H

#include <cairn/status.h>
#include <stddef.h>

enum cairn_yaml_kind { CAIRN_YAML_TEXT, CAIRN_YAML_LIST, CAIRN_YAML_MAP };

struct cairn_yaml {
    enum cairn_yaml_kind kind;
    char *key;                /* in a map; else NULL */
    int key_line, key_column; /* from 1 */
    int line, column;         /* from 1 */
    int text_column; /* where text[0] stands; 0 where text is not one piece of one line as written
                      */
    char *text;      /* of a text, else NULL */
    char *origin;    /* set: the node comes from this place ("--set a=b"), not from the file */
    struct cairn_yaml *first; /* members of a list or map, in order */
    struct cairn_yaml *next;  /* the next member of the same parent */
};

/* Parses text; `name` is the file's name for complaints: "NAME:LINE:COLUMN: ...". A text without
 * any value gives CAIRN_PARSE. */
cairn_status cairn_yaml_parse(const char *name, const char *text, size_t size,
                              struct cairn_yaml **root);
void cairn_yaml_free(struct cairn_yaml *node); /* with its members; NULL is fine */

/* The member of a map with this key, or NULL; also NULL if node is NULL or not a map. */
struct cairn_yaml *cairn_yaml_get(const struct cairn_yaml *node, const char *key);

/* Sets a text in a map, replacing the member of that key if there is one; the node remembers
 * origin. NULL when out of memory. */
struct cairn_yaml *cairn_yaml_set(struct cairn_yaml *map, const char *key,
                                  enum cairn_yaml_kind kind, const char *text, const char *origin);

/* Records "NAME:LINE:COLUMN: FORMAT..." (or "ORIGIN: FORMAT...") as the error detail and returns
 * status. The column is that of the node's value, of its key, or of character `offset` of its text
 * where that is known. */
enum { CAIRN_YAML_AT_VALUE = -1, CAIRN_YAML_AT_KEY = -2 };
cairn_status cairn_yaml_fail(cairn_status status, const char *name, const struct cairn_yaml *node,
                             int offset, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
