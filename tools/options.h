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

#endif
