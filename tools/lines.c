#include "lines.h"
#include "commands.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Length of the next line without its end, -1 at the end of the file, -2 for what is no line:
 * longer, or with NUL characters (a file that is no text, a device that never ends). */
static int next_line(FILE *file, char line[TOOL_LINE])
{
    int n = 0, c;
    while ((c = getc(file)) != EOF && c != '\n') {
        if (c == '\0' || n == TOOL_LINE - 1) return -2;
        line[n++] = (char)c;
    }
    if (c == EOF && n == 0) return -1;
    while (n > 0 && line[n - 1] == '\r') n--;
    line[n] = '\0';
    return n;
}

int tool_lines(const char *command, const char *path, const char *what,
               int (*each)(void *context, const char *line, int number), void *context)
{
    char line[TOOL_LINE];
    int code = -1, length = 0, found = 0;
    FILE *file = fopen(path, "r");
    if (!file) return tool_misuse(command, "--file: %s: %s", path, strerror(errno));
    for (int number = 1; number < INT_MAX && code < 0 && (length = next_line(file, line)) >= 0;
         number++) {
        if (!line[0] || line[0] == '#') continue;
        code = each(context, line, number);
        found = 1;
    }
    if (code < 0 && ferror(file))
        code = tool_misuse(command, "--file: reading %s failed", path);
    else if (code < 0 && length == -2)
        code = tool_misuse(command,
                           "--file: %s is no text: a line has NUL characters or more than %d "
                           "characters",
                           path, TOOL_LINE - 1);
    else if (code < 0 && !found)
        code = tool_misuse(command, "--file: %s holds no %s: each is a line", path, what);
    fclose(file);
    return code;
}
