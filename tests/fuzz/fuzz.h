/* What the fuzz targets share.
 *
 * A target is one file with LLVMFuzzerTestOneInput(), for libFuzzer or, everywhere else, for
 * replay.c, which runs it over files. It gives its input to one reader of Cairn and asks for what
 * every reader promises: no crash, no leak, no undefined behaviour, and of a refused input one line
 * that names the file. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <cairn/status.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process where a promise is broken, after saying which. */
#define FUZZ_ASSERT(what) ((what) ? (void)0 : fuzz_broken(#what, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *what, const char *file, int line);

/* The process's own folder; it goes with the process. */
const char *fuzz_folder(void);

/* FOLDER/NAME; the text lasts for seven further calls. */
const char *fuzz_path(const char *name);

/* Writes FOLDER/NAME and gives its path. */
const char *fuzz_put(const char *name, const void *data, size_t size);

/* Removes all files below FOLDER/NAME, and the folder. */
void fuzz_remove(const char *name);

/* An input that stands for a folder: "=== PATH" lines, each with the file's bytes up to the next
 * one. Files are written below FOLDER/NAME, which is emptied before. A path that is absolute or has
 * a part that begins with '.' is passed over, what lies in front of the first file too. */
void fuzz_unpack(const char *name, const uint8_t *data, size_t size);

/* The promise about a status: of a failure, one line without control characters that has `place` in
 * it (NULL: anything). */
void fuzz_told(cairn_status st, const char *place);

/* The input at hand was good: replay.c tells so, and each seed must be. */
void fuzz_accept(void);
int fuzz_accepted(void); /* since the last call */

/* Reads all of it, so that what is not there is seen. */
void fuzz_touch(const void *data, size_t size);

/* A copy with a 0 behind it, of exactly that size, from malloc. */
char *fuzz_text(const uint8_t *data, size_t size);

/* `data` as a gzip file, from malloc. */
uint8_t *fuzz_gzip(const uint8_t *data, size_t size, size_t *packed);

/* While it is linked in (fuzz_digest.c), every digest that Cairn computes is FUZZ_DIGEST: what lies
 * behind a check of one can be reached. */
#define FUZZ_DIGEST "0000000000000000000000000000000000000000000000000000000000000000"

/* Whose files lie in the cache. */
#define FUZZ_DEVICE                                                                                \
    {                                                                                              \
        .spec = "opencl:0.0", .name = "d", .vendor = "v", .platform = "p", .driver = "1",          \
        .version = "2", .type = "cpu", .compute_units = 1, .max_work_group = 64,                   \
        .local_bytes = 1024                                                                        \
    }

#endif
