/* Options of a command as a table: strict parsing, and the text of --help, come from it.
 *
 * Accepted: `--name value`, `--name=value`, flags `--name`, and `--` before arguments that start
 * with '-'. Names are whole. */
#ifndef CAIRN_TOOLS_OPTIONS_H
#define CAIRN_TOOLS_OPTIONS_H

#include <stdint.h>

enum option_kind {
    OPTION_FLAG, /* int *: set to 1 */
    OPTION_TEXT, /* const char ** */
    OPTION_INT,  /* int64_t *, min..max */
    OPTION_U64,  /* uint64_t * */
    OPTION_REAL, /* double *: finite and above 0 */
    OPTION_LIST, /* struct option_list *: may be given again and again */
};

#define OPTION_LIST_MAX 64
struct option_list {
    const char *items[OPTION_LIST_MAX];
    int count;
};

struct option_row {
    const char *name; /* without "--"; NULL ends the table */
    enum option_kind kind;
    void *target;
    const char *value; /* "N", "DIR"; NULL for flags */
    const char *help;
    int64_t min, max; /* OPTION_INT */
    int *given;       /* may be NULL: set to 1 when the option was there */
};

struct option_set {
    const char *command, *usage; /* usage: "RECIPE [OPTION]..." */
    const char *about;           /* one or more lines for --help */
    const struct option_row *rows;
    int min_arguments, max_arguments; /* of the words that are no options; max -1: any number */
};

/* Parses argv[1..]; the words that are no options are moved to the front of argv[1..] and counted
 * in *arguments. Returns -1 to go on, or an exit status: 0 after --help was printed, 2 after a
 * complaint was printed. */
int options_parse(const struct option_set *set, int argc, char **argv, int *arguments);

/* A command of several parts, like `cairn data list|fetch`; a NULL name ends the table. */
struct option_part {
    const char *name, *usage; /* usage: "NAME [OPTION]..." */
    int (*run)(int argc, char **argv);
};

/* Runs the part that argv[1] names with argv + 1, or prints the help of all of them: `about` says
 * what they do. Returns the exit status. */
int options_parts(const char *command, const char *about, const struct option_part *parts, int argc,
                  char **argv);

/* For tools/complete.c: from now on commands are not run; what they would parse is given away. One
 * of the two is NULL. */
typedef void options_each(void *context, const struct option_set *set,
                          const struct option_part *parts);
void options_watch(options_each *each, void *context);

#endif
