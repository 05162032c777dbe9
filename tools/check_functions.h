/* `cairn check --functions`: the functions of the exact arithmetic over all floats. */
#ifndef CAIRN_TOOLS_CHECK_FUNCTIONS_H
#define CAIRN_TOOLS_CHECK_FUNCTIONS_H

#include "options.h"
#include <cairn/check.h>

struct check_functions {
    int all;                  /* --functions */
    struct option_list names; /* --function NAME */
    int64_t from, to, every;
    int as_json;
};

/* Wrong names are told: 2, else -1. */
int check_functions_words(const struct check_functions *options);

/* Runs them and prints a line for each; the exit status. */
int check_functions_run(const struct check_functions *options, struct cairn_device *device);

#endif
