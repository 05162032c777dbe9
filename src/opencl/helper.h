/* The helper program, cairn-compile: it builds a program that is not in the cache, launches its
 * kernels for the first time and keeps the binary, in a process of its own: a compiler or a kernel
 * that crashes or hangs takes that process with it and nothing else.
 *
 * Invariant: a binary is kept only after its kernels were created from it and, where a problem is
 * known that needs them, launched. The process is started as a program of its own; nothing is
 * forked once OpenCL runs.
 *
 * The two talk in messages: a length of 32 bits, then texts that end in a 0 byte each. */
#ifndef CAIRN_OPENCL_HELPER_H
#define CAIRN_OPENCL_HELPER_H

#include "opencl/runtime.h"

/* What the parent asks for, in this order, and the helper's answers: a word and a text. */
enum ocl_ask {
    ASK_SPEC, /* "opencl:P.D", the device's name and its driver's version: is it the same? */
    ASK_NAME,
    ASK_DRIVER,
    ASK_STATE, /* math, soft fma, div and sqrt, largest work-group, as numbers */
    ASK_KEY,   /* of the cache; the helper must come to the same */
    ASK_FILE,
    ASK_OPTIONS,
    ASK_NAMES, /* " a b "; "" for all kernels */
    ASK_SOURCE,
    ASK_LAUNCHES, /* problems to launch, a line each: number of the variant, problem; may be "" */
    ASK_COUNT
};
#define SAYS_HELLO "hello"   /* the version; first of all */
#define SAYS_AT "at"         /* what is done now: "building", "launching kernel gemm" */
#define SAYS_KEPT "kept"     /* the binary is in the cache */
#define SAYS_UNFIT "unfit"   /* why it cannot be done here: no binary, no place, another device */
#define SAYS_FAILED "failed" /* the error: the program does not build or launch */
enum { SAYS_WORD, SAYS_TEXT, SAYS_COUNT };

#define OCL_HELPER_VERSION "cairn-compile 1 " CAIRN_VERSION

/* Sends texts; 0 if there is nobody. */
int ocl_message_send(int fd, const char *const *texts, int count);

/* Takes one message: `texts` point into *data, from malloc. 0 at the end, or if it is not one of
 * `count` texts. */
int ocl_message_take(int fd, char **data, const char **texts, int count);

/* One program to build. */
struct ocl_job {
    const char *file, *options, *names, *source, *key; /* names: NULL for all */
    char *launches;
    enum { OCL_JOB_OPEN, OCL_JOB_KEPT, OCL_JOB_UNFIT, OCL_JOB_FAILED } state;
    int lost;        /* the process with it: a crash, or it hung */
    char error[512]; /* of OCL_JOB_FAILED */
};

/* Has helpers do the jobs, as many at a time as processors are there; tells each one that is
 * finished. Jobs that no helper can do stay OPEN or are UNFIT: the caller builds them. */
void ocl_helpers_do(struct ocl_backend *be, struct ocl_job **jobs, int count,
                    void (*finished)(void *context, const struct ocl_job *job), void *context);

/* Lets them go: they end when they are not asked any more. */
void ocl_helpers_end(struct ocl_backend *be);

/* launch.c, in the helper: kernel `name` is about to be launched. */
void ocl_helper_launches(const char *name);

#endif
