/* Data sets by name: which there are, where they are on this machine, and fetching their files.
 *
 * The names are those of data/datasets.yaml, which is built in, and before it of the file of the
 * same form that CAIRN_DATASETS names in the environment. The files of a data set NAME are in
 * FOLDER/NAME, or in FOLDER itself: the folder that is given, else that of CAIRN_DATA_DIR, else
 * $XDG_DATA_HOME/cairn (~/.local/share/cairn). A file appears there whole and right, or not at all.
 */
#ifndef CAIRN_DATA_H
#define CAIRN_DATA_H

#include <cairn/status.h>
#include <signal.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A data set that the register knows. */
struct cairn_data_row {
    char name[64], title[128];   /* what recipes call it; in words */
    char kind[16];               /* "idx", "cifar", "images", "glyphs" */
    char home[128], licence[64]; /* address of its home page; name of its licence */
    int c, h, w, classes;        /* channels x height x width; 0 where the files tell */
    int64_t train, test;         /* images; 0 where the files tell */
    int fetchable;               /* 1: cairn_data_fetch() can fetch it */
    char *folder; /* where all its files are (their content is not looked at); NULL: they are not
                     all there, or there are none (glyphs) */
};

/* All data sets. data_dir may be NULL. CAIRN_PARSE or CAIRN_FORMAT for a wrong CAIRN_DATASETS. */
cairn_status cairn_data_list(const char *data_dir, struct cairn_data_row **rows, int *count);
/* Frees what cairn_data_list() gave; NULL is fine. */
void cairn_data_list_free(struct cairn_data_row *rows, int count);

/* What a fetch tells as it goes. */
enum cairn_fetch_event_kind {
    CAIRN_FETCH_ASKING,  /* an address is asked for a file; bytes: there of an earlier try */
    CAIRN_FETCH_BYTES,   /* bytes of total (0: unknown), a few times a second */
    CAIRN_FETCH_WARNING, /* `text`: an address or a file is given up, and something else is tried */
    CAIRN_FETCH_FILE,    /* `done` is in its place */
    CAIRN_FETCH_UNPACKING /* the archive's files are taken out */
};

/* A file of a data set. */
struct cairn_fetch_file {
    char name[64], address[256]; /* address: "" where nothing was fetched */
    char digest[16];             /* what was compared: "sha256", "md5", "" where none is known */
    int kept;                    /* 1: it was there and right */
    int64_t resumed, bytes;      /* bytes that were there of an earlier try; of the whole */
};

/* One step of a fetch; what its kind does not name is NULL or 0. */
struct cairn_fetch_event {
    enum cairn_fetch_event_kind kind;    /* what happened */
    const char *file, *address, *text;   /* the file's name; where it is asked for; WARNING: why */
    int64_t bytes, total;                /* there; of the whole */
    const struct cairn_fetch_file *done; /* FILE: what became of it */
};

/* What is fetched, to where, from where. */
struct cairn_fetch_options {
    const char *name, *data_dir; /* of the data set; the folder that cairn_data_list() takes */
    const char *const *mirrors;  /* folders, http:// or https://, asked before the register's */
    int mirror_count;            /* at most 64 */
    int npz;                     /* the files in their NPZ form */
    int patience;                /* seconds without a byte until the next address; 0: 30 */
    const volatile sig_atomic_t *stop; /* may be NULL; not 0: CAIRN_INTERRUPTED */
    void (*event)(void *context, const struct cairn_fetch_event *event); /* may be NULL */
    void *context;                                                       /* for event() */
};

/* What is there now. */
struct cairn_fetch_result {
    char *folder;                     /* of the files; from malloc */
    struct cairn_fetch_file files[4]; /* file_count of them */
    int file_count, unpacked;         /* unpacked: 1 where an archive's files were taken out */
    int64_t train, test;              /* images, as loaded at the end */
};

/* Fetches what is missing of a data set to FOLDER/NAME, and loads it. Each address is asked in
 * turn; a transfer that breaks leaves FILE.part, from which the next address or call goes on. A
 * file whose digest is not that of the register is thrown away. What is there and right is kept.
 * CAIRN_INVALID: nothing to fetch, or a mirror of another kind; CAIRN_IO: no address had a file
 * (the detail tells why for each), or writing failed; CAIRN_INTERRUPTED; CAIRN_UNSUPPORTED in a
 * build without libcurl, or without libarchive for an archive. */
cairn_status cairn_data_fetch(const struct cairn_fetch_options *options,
                              struct cairn_fetch_result *result);
void cairn_fetch_result_free(struct cairn_fetch_result *result); /* zeroes it */

#ifdef __cplusplus
}
#endif
#endif
