#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *tool_json_text(const char *text)
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

json_t *tool_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

int tool_json_print(const char *command, json_t *value)
{
    const size_t style = JSON_PRESERVE_ORDER | JSON_INDENT(2) | JSON_REAL_PRECISION(9);
    int good = value && json_dumpf(value, stdout, style) == 0 && putchar('\n') != EOF;
    json_decref(value);
    if (good) return 0;
    fprintf(stderr, "cairn %s: the result could not be printed as JSON: %s\n", command,
            ferror(stdout) ? "writing to standard output failed" : "out of memory");
    return 3;
}
