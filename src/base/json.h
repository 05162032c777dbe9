/* JSON as text. */
#ifndef CAIRN_BASE_JSON_H
#define CAIRN_BASE_JSON_H

#include <jansson.h>

/* The text of a value, from malloc; NULL when out of memory or where a number is not finite. In
 * place of json_dumps(), which drops names of members when memory runs out while its text grows,
 * and says nothing. */
char *cairn_json_text(const json_t *value, size_t flags);

#endif
