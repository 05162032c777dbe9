/* Status codes and the error detail.
 *
 * Every function that can fail returns a cairn_status. Whoever finds the failure also records one
 * line of detail - what, where, what to do - which the caller reads with cairn_error(). The detail
 * belongs to the calling thread and is replaced by the next failure. The library never prints,
 * never aborts and never exits. */
#ifndef CAIRN_STATUS_H
#define CAIRN_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, exit status of the program, text). One list: the enum, the texts and the exit statuses
 * come from it. */
#define CAIRN_STATUS_LIST(X)                                                                       \
    X(OK, 0, "success")                                                                            \
    X(DIFFERENT, 1, "a check found a difference")                                                  \
    X(INVALID, 2, "invalid argument")                                                              \
    X(PARSE, 2, "malformed text")                                                                  \
    X(FORMAT, 2, "damaged or foreign file")                                                        \
    X(NOT_FOUND, 2, "not found")                                                                   \
    X(EXISTS, 2, "already exists")                                                                 \
    X(UNSUPPORTED, 2, "not supported")                                                             \
    X(MEMORY, 3, "out of memory")                                                                  \
    X(IO, 3, "input or output failed")                                                             \
    X(DEVICE, 3, "the device failed")                                                              \
    X(BUILD, 3, "a kernel did not compile")                                                        \
    X(INTERRUPTED, 3, "interrupted")                                                               \
    X(DIVERGED, 1, "a training left the finite numbers")

/* What a call came to; CAIRN_OK is 0. */
typedef enum cairn_status {
#define CAIRN_STATUS_ENUM(name, code, text) CAIRN_##name,
    CAIRN_STATUS_LIST(CAIRN_STATUS_ENUM)
#undef CAIRN_STATUS_ENUM
} cairn_status;

/* "invalid argument" for CAIRN_INVALID; never NULL. */
const char *cairn_status_text(cairn_status status);

/* The program's exit status for a status: 0 good, 1 the thing asked about failed, 2 wrong use or
 * bad input, 3 a system failure. */
int cairn_status_exit(cairn_status status);

/* The detail of the last failure in this thread, one line without a newline; "" when there was
 * none. */
const char *cairn_error(void);

#ifdef __cplusplus
}
#endif
#endif
