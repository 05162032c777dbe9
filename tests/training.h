/* What the tests of training read back from a run's folder. */
#ifndef TESTS_TRAINING_H
#define TESTS_TRAINING_H

#include "base/file.h"
#include "scratch.h"

static inline char *read_text(const char *path)
{
    char *text;
    size_t size;
    ck_assert_msg(cairn_file_read(path, &text, &size) == CAIRN_OK, "%s", cairn_error());
    return text;
}

/* metrics.jsonl without what a clock decides. */
static inline char *timeless(const char *run)
{
    char path[160];
    snprintf(path, sizeof path, "%s/metrics.jsonl", run);
    char *text = read_text(path), *to = text;
    for (char *from = text; *from;) {
        char *end = strchr(from, '\n'), *cut = strstr(from, ",\"seconds\"");
        ck_assert(end && cut && cut < end);
        memmove(to, from, (size_t)(cut - from));
        to += cut - from;
        *to++ = '\n';
        from = end + 1;
    }
    *to = '\0';
    return text;
}

#endif
