/* Recording failures: cairn_fail() sets the detail that cairn_error() returns and passes the status
 * through. */
#ifndef CAIRN_BASE_ERROR_H
#define CAIRN_BASE_ERROR_H

#include <cairn/status.h>
#include <errno.h>

/* Records "FORMAT..." as the detail and returns status: `return cairn_fail(CAIRN_INVALID, "...",
 * ...)`. */
cairn_status cairn_fail(cairn_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As cairn_fail(), with ": " and the text of errno behind the detail. */
cairn_status cairn_fail_errno(cairn_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts "FORMAT...: " in front of the present detail; for callers that know the file or line.
 * Returns status. */
cairn_status cairn_fail_in(cairn_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#ifdef __clang_analyzer__ /* which does not see into error.c: they return their status */
#define cairn_fail(status, ...) (cairn_fail(status, __VA_ARGS__), (status))
#define cairn_fail_errno(status, ...) (cairn_fail_errno(status, __VA_ARGS__), (status))
#define cairn_fail_in(status, ...) (cairn_fail_in(status, __VA_ARGS__), (status))
#endif

/* Runs a call and leaves for the label `out` with the status in `st` when it failed. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        st = (call);                                                                               \
        if (st != CAIRN_OK) goto out;                                                              \
    } while (0)

#endif
