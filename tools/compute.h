/* What commands that compute share: the options for where and how, and readable sizes. */
#ifndef CAIRN_TOOLS_COMPUTE_H
#define CAIRN_TOOLS_COMPUTE_H

#include "options.h"
#include <cairn/train.h>

struct compute_options {
    const char *device, *math, *data_dir;
    struct option_list variants;
    int profile, no_tune;
};

/* Rows of an option table. */
#define COMPUTE_ROWS(o)                                                                            \
    {"device",                                                                                     \
     OPTION_TEXT,                                                                                  \
     &(o)->device,                                                                                 \
     "D",                                                                                          \
     "reference, opencl, opencl:N, opencl:P.D or opencl:NAME",                                     \
     0,                                                                                            \
     0,                                                                                            \
     NULL},                                                                                        \
        {"math",                                                                                   \
         OPTION_TEXT,                                                                              \
         &(o)->math,                                                                               \
         "exact|fast",                                                                             \
         "bit for bit (the default), or within bounds",                                            \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"variant",                                                                                \
         OPTION_LIST,                                                                              \
         &(o)->variants,                                                                           \
         "OP=NAME",                                                                                \
         "force a variant of an operator, like gemm=cpu",                                          \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        COMPUTE_TUNE_ROW(o)
#define COMPUTE_TUNE_ROW(o)                                                                        \
    {                                                                                              \
        "no-tune", OPTION_FLAG, &(o)->no_tune, NULL,                                               \
            "the default variants, not those that `cairn tune` chose", 0, 0, NULL                  \
    }
#define COMPUTE_DATA_ROW(o)                                                                        \
    {                                                                                              \
        "data-dir", OPTION_TEXT, &(o)->data_dir, "DIR", "folder of the data set's files", 0, 0,    \
            NULL                                                                                   \
    }
/* Which weights of a run; `best` changes nothing. */
#define COMPUTE_BEST_ROW(o)                                                                        \
    {                                                                                              \
        "best", OPTION_FLAG, o, NULL, "the weights that training tested (the default)", 0, 0, NULL \
    }
#define COMPUTE_LAST_ROW(o)                                                                        \
    {                                                                                              \
        "last", OPTION_FLAG, o, NULL, "the last weights", 0, 0, NULL                               \
    }

/* Returns -1, or 2 after a complaint. */
int compute_read(const char *command, const struct compute_options *options,
                 struct cairn_compute *compute);

/* "123 bytes", "47.1 MB". */
void compute_size_text(char *text, int size, long long bytes);

#endif
