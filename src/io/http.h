/* Downloading by HTTP (libcurl) into a partial file that survives a break.
 *
 * Invariant: the partial file holds the first bytes of what was asked for, from whatever server.
 * Whether they are the right ones is for its caller's digest to say. */
#ifndef CAIRN_IO_HTTP_H
#define CAIRN_IO_HTTP_H

#include <cairn/status.h>
#include <signal.h>
#include <stdint.h>

struct cairn_http_request {
    const char *url;                   /* http:// or https:// */
    const char *part;                  /* the partial file; made where it is not there */
    int patience;                      /* seconds without a byte before giving up */
    const volatile sig_atomic_t *stop; /* may be NULL; not 0: CAIRN_INTERRUPTED */
    /* May be NULL: bytes that are there and in all (0: not known), at most ten times a second. */
    void (*progress)(void *context, int64_t bytes, int64_t total);
    void *context;
};

struct cairn_http_result {
    int64_t resumed; /* how many bytes of the partial file were gone on from */
    int64_t bytes;   /* received now */
    int64_t total;   /* the size of the whole as the server tells; 0: it did not */
    int remote;      /* of a failure: 1 where the server or the way to it is to blame */
    int refused;     /* of those: 1 where asking again will not help (status 4xx, no such scheme) */
    int foreign;     /* of those: 1 where the partial file does not belong to what is there */
};

/* Gets what the partial file lacks, by a range request; a server that ignores ranges makes it start
 * anew. Follows redirections to http and https. CAIRN_OK: the file is as long as the server tells.
 * CAIRN_IO names the address (remote) or the file; CAIRN_INTERRUPTED; CAIRN_UNSUPPORTED in a build
 * without libcurl. The partial file stays whatever happens. */
cairn_status cairn_http_get(const struct cairn_http_request *request,
                            struct cairn_http_result *result);

#endif
