/* A comparison as text or JSON. */
#ifndef CAIRN_TOOLS_COMPARE_PRINT_H
#define CAIRN_TOOLS_COMPARE_PRINT_H

#include <cairn/compare.h>
#include <jansson.h>

void compare_print(const struct cairn_compare_result *result);
json_t *compare_json(const struct cairn_compare_result *result);

#endif
