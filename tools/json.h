/* Results as JSON: whatever a path, a driver or a diverged net brings, one valid value comes out.
 */
#ifndef CAIRN_TOOLS_JSON_H
#define CAIRN_TOOLS_JSON_H

#include <jansson.h>

/* A string; bytes of a text that is no UTF-8 become '?'. */
json_t *tool_json_text(const char *text);

/* null for what JSON has no number for: NaN and the infinities. */
json_t *tool_json_number(double value);

/* Prints the value with a newline and releases it. Returns the exit status: 0, or 3 after a
 * complaint when it could not be made (NULL) or printed. */
int tool_json_print(const char *command, json_t *value);

#endif
