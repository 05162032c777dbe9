#include "nn/words.h"

#include "base/error.h"
#include <string.h>

cairn_status cairn_line_split(const char *text, struct cairn_line *line)
{
    memset(line, 0, sizeof *line);
    size_t length = strlen(text);
    if (length >= sizeof line->text)
        return cairn_fail(CAIRN_PARSE, "the line is longer than %zu characters",
                          sizeof line->text - 1);
    memcpy(line->text, text, length + 1);
    for (char *p = line->text; *p;) {
        p += strspn(p, " \t");
        if (!*p) break;
        line->bad = (int)(p - line->text);
        if (line->count == CAIRN_LINE_WORDS)
            return cairn_fail(CAIRN_PARSE, "more than %d words", CAIRN_LINE_WORDS);
        line->words[line->count] = p;
        line->columns[line->count++] = line->bad;
        p += strcspn(p, " \t");
        if (*p) *p++ = '\0';
    }
    line->bad = 0;
    return line->count ? CAIRN_OK : cairn_fail(CAIRN_PARSE, "the line is empty");
}

char *cairn_line_next(struct cairn_line *line)
{
    if (line->taken == line->count) return NULL;
    line->bad = line->columns[line->taken];
    return line->words[line->taken++];
}

char *cairn_line_argument(struct cairn_line *line)
{
    if (line->taken == line->count || strchr(line->words[line->taken], '=')) return NULL;
    return cairn_line_next(line);
}
