/* Files of cases or problems, one a line. */
#ifndef CAIRN_TOOLS_LINES_H
#define CAIRN_TOOLS_LINES_H

#define TOOL_LINE 2048 /* characters of a line, at most */

/* Gives each line but empty ones and those that start with '#' to `each`, with its number from 1,
 * until one gives an exit status (-1: go on). Returns that, 2 after a complaint about the file
 * (which holds no `what`, or lines that are none), or -1. */
int tool_lines(const char *command, const char *file, const char *what,
               int (*each)(void *context, const char *line, int number), void *context);

#endif
