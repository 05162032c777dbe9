#include "base/error.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef cairn_fail
#undef cairn_fail_errno
#undef cairn_fail_in

static _Thread_local char detail[1024];

static const struct {
    int code;
    const char *text;
} statuses[] = {
#define ROW(name, code, text) [CAIRN_##name] = {code, text},
    CAIRN_STATUS_LIST(ROW)
#undef ROW
};

const char *cairn_status_text(cairn_status status)
{
    if ((unsigned)status >= sizeof statuses / sizeof *statuses) return "unknown status";
    return statuses[status].text;
}

int cairn_status_exit(cairn_status status)
{
    if ((unsigned)status >= sizeof statuses / sizeof *statuses) return 3;
    return statuses[status].code;
}

const char *cairn_error(void)
{
    return detail;
}

static void record(const char *suffix, const char *format, va_list args)
{
    char text[sizeof detail];
    int n = vsnprintf(text, sizeof text, format, args);
    if (n < 0) n = 0;
    if ((size_t)n >= sizeof text) n = sizeof text - 1;
    size_t room = sizeof text - 1 - (size_t)n, length = strnlen(suffix, room);
    memcpy(text + n, suffix, length);
    text[(size_t)n + length] = '\0';
    cairn_text_tame(text);
    memcpy(detail, text, sizeof detail);
}

cairn_status cairn_fail(cairn_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record("", format, args);
    va_end(args);
    return status;
}

cairn_status cairn_fail_errno(cairn_status status, const char *format, ...)
{
    char suffix[256];
    snprintf(suffix, sizeof suffix, ": %s", strerror(errno));
    va_list args;
    va_start(args, format);
    record(suffix, format, args);
    va_end(args);
    return status;
}

cairn_status cairn_fail_in(cairn_status status, const char *format, ...)
{
    char suffix[sizeof detail + 2];
    snprintf(suffix, sizeof suffix, ": %s", detail);
    va_list args;
    va_start(args, format);
    record(suffix, format, args);
    va_end(args);
    return status;
}
