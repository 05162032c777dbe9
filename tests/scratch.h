/* A folder of its own for each test: a checked fixture, scratch_make before and scratch_remove
 * after. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char scratch[64]; /* its path */

/* scratch/NAME; the text lasts for three further calls. */
static inline char *in_scratch(const char *name)
{
    static char paths[4][256];
    static int at;
    at = (at + 1) % 4;
    snprintf(paths[at], sizeof paths[at], "%s/%s", scratch, name);
    return paths[at];
}

static inline void scratch_make(void)
{
    strcpy(scratch, "/tmp/cairn-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
}

static inline void scratch_remove(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    ck_assert_int_eq(system(command), 0);
}

#endif
