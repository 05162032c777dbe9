/* What is kept from run to run under $XDG_CACHE_HOME/cairn (~/.cache/cairn): compiled kernels, what
 * cairn_tune() found, and what failed on a device. All of it belongs to a device, its driver and a
 * set of kernels. A running training that loses a file of it goes on: what it needs it has read. */
#ifndef CAIRN_CACHE_H
#define CAIRN_CACHE_H

#include <cairn/status.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a file of the cache is. */
enum cairn_cache_kind {
    CAIRN_CACHE_KERNELS,   /* a compiled program */
    CAIRN_CACHE_TUNE,      /* a table of cairn_tune() */
    CAIRN_CACHE_FAILURES,  /* what failed on a device: its variants are not used in exact mode */
    CAIRN_CACHE_TEMPORARY, /* left by a process that was killed while it wrote */
    CAIRN_CACHE_FOREIGN,   /* nothing that Cairn wrote */
    CAIRN_CACHE_KINDS
};
const char *cairn_cache_kind_name(enum cairn_cache_kind kind); /* "kernels" */

/* Whether what it was made for is still here. */
enum cairn_cache_state {
    CAIRN_CACHE_CURRENT, /* of a device that is here, with its driver and the kernels of now */
    CAIRN_CACHE_ABSENT,  /* the same of a device that is not here now */
    CAIRN_CACHE_OTHER_KERNELS, /* last used with other kernels than those of now */
    CAIRN_CACHE_OTHER_DRIVER,  /* its platform is here, but no device with that driver */
    CAIRN_CACHE_UNREADABLE,    /* of another version of Cairn, or cut off */
    CAIRN_CACHE_STATES
};
const char *cairn_cache_state_name(enum cairn_cache_state state); /* "other driver" */

/* A file of the cache. */
struct cairn_cache_entry {
    const char *path;             /* where it is */
    enum cairn_cache_kind kind;   /* what it is */
    enum cairn_cache_state state; /* of whose it is */
    int64_t bytes, used;          /* used: last written or read by a run, in seconds since 1970 */
    /* Of its owner; "" where that is not known. kernels: SHA-256, see cairn_device_sources(). */
    char device[128], platform[128], driver[128], version[128], kernels[65]; /* see above */
    int removed; /* cairn_cache_prune(): it is gone, or would be */
};

/* Gets one file; what it is given is gone when it returns. */
typedef void cairn_cache_each(void *context, const struct cairn_cache_entry *entry);

/* The folder, into `path`. CAIRN_IO where none is known. */
cairn_status cairn_cache_folder(char *path, int size);

/* Calls `each` for every file, in no order. CAIRN_FORMAT: a file or a dangling link stands where a
 * folder should; CAIRN_IO: a folder cannot be read. No folder at all is an empty cache. */
cairn_status cairn_cache_list(cairn_cache_each *each, void *context);

/* What goes; all zero: what is of no use any more. */
struct cairn_cache_prune_options {
    int all;                /* whatever its state */
    int64_t seconds;        /* above 0: also what was not used for so long */
    int dry_run;            /* remove nothing */
    cairn_cache_each *each; /* may be NULL */
    void *context;          /* for each() */
};

/* Removes what is of no use any more: states other than current and absent, and temporary files of
 * processes that ended. Foreign files stay, and so does what failed on a device that is here with
 * its driver and kernels: cairn_doctor_forget() is for that. Beside running programs this is safe.
 * As cairn_cache_list(); CAIRN_IO too where a file could not be removed, after all others were. */
cairn_status cairn_cache_prune(const struct cairn_cache_prune_options *options);

#ifdef __cplusplus
}
#endif
#endif
