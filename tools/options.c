#include "options.h"

#include "commands.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static options_each *watcher;
static void *watching;

void options_watch(options_each *each, void *context)
{
    watcher = each;
    watching = context;
}

static int left_text(const struct option_row *row, char *text, size_t size)
{
    return snprintf(text, size, "--%s%s%s", row->name, row->value ? " " : "",
                    row->value ? row->value : "");
}

/* Two columns, of which two spaces at least tell where the second begins. */
static void help(const struct option_set *set)
{
    char left[64];
    int width = 20;
    for (const struct option_row *row = set->rows; row->name; row++) {
        int length = left_text(row, left, sizeof left);
        if (length > width) width = length;
    }
    printf("usage: cairn %s %s\n\n%s\n\noptions:\n", set->command, set->usage, set->about);
    for (const struct option_row *row = set->rows; row->name; row++) {
        left_text(row, left, sizeof left);
        printf("  %-*s  %s\n", width, left, row->help);
    }
    printf("  %-*s  %s\n", width, "--help", "print this text");
}

/* Plain decimal digits, no sign, no leading zero. */
static int plain(const char *word)
{
    size_t n = strspn(word, "0123456789");
    return n > 0 && word[n] == '\0' && (word[0] != '0' || n == 1);
}

/* A decimal number, finite and above 0; nothing else, no "nan", no "0x10". */
static int read_real(const char *word, double *value)
{
    char *end;
    if (!*word || word[strspn(word, "0123456789.eE+-")]) return 0;
    *value = strtod(word, &end);
    return !*end && *value > 0 && *value <= 1e300;
}

static int set_value(const struct option_set *set, const struct option_row *row, const char *value)
{
    struct option_list *list = row->target;
    unsigned long long number = 0;
    int bad = 0;
    switch (row->kind) {
    case OPTION_FLAG:
        *(int *)row->target = 1;
        break;
    case OPTION_TEXT:
        *(const char **)row->target = value;
        break;
    case OPTION_LIST:
        if (list->count == OPTION_LIST_MAX)
            return tool_misuse(set->command, "--%s: given more than %d times", row->name,
                               OPTION_LIST_MAX);
        list->items[list->count++] = value;
        break;
    case OPTION_INT:
    case OPTION_U64:
        errno = 0;
        bad = !plain(value);
        if (!bad) number = strtoull(value, NULL, 10);
        if (!bad && row->kind == OPTION_INT)
            bad = errno || number > INT64_MAX || (int64_t)number < row->min ||
                  (int64_t)number > row->max;
        if (bad && row->kind == OPTION_INT)
            return tool_misuse(set->command, "--%s: '%s' is not a whole number from %lld to %lld",
                               row->name, value, (long long)row->min, (long long)row->max);
        if (bad || errno)
            return tool_misuse(set->command, "--%s: '%s' is not a whole number from 0 to 2^64 - 1",
                               row->name, value);
        if (row->kind == OPTION_INT)
            *(int64_t *)row->target = (int64_t)number;
        else
            *(uint64_t *)row->target = number;
        break;
    case OPTION_REAL:
        if (!read_real(value, row->target))
            return tool_misuse(set->command, "--%s: '%s' is not a number above 0", row->name,
                               value);
        break;
    }
    if (row->given) *row->given = 1;
    return -1;
}

static int unknown(const struct option_set *set, const char *word)
{
    char known[1024] = "";
    for (const struct option_row *row = set->rows; row->name; row++) {
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, " --%s", row->name);
    }
    return tool_misuse(set->command, "there is no option %s; there are%s --help", word, known);
}

/* Takes the option at argv[*at], and its value from the word behind it where it has none of its
 * own. */
static int take(const struct option_set *set, int argc, char **argv, int *at)
{
    const char *word = argv[*at], *name = word + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    for (const struct option_row *row = set->rows; row->name; row++) {
        if (strlen(row->name) != length || strncmp(row->name, name, length) != 0) continue;
        if (row->kind == OPTION_FLAG && equals)
            return tool_misuse(set->command, "--%s takes no value", row->name);
        if (row->kind == OPTION_FLAG) return set_value(set, row, NULL);
        if (equals) return set_value(set, row, equals + 1);
        if (*at + 1 >= argc)
            return tool_misuse(set->command, "--%s: a value is missing: %s", row->name, row->value);
        return set_value(set, row, argv[++*at]);
    }
    return unknown(set, word);
}

int options_parse(const struct option_set *set, int argc, char **argv, int *arguments)
{
    int count = 0, only_arguments = 0;
    if (watcher) return watcher(watching, set, NULL), 0;
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--"))
            break;
        else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return help(set), 0;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        if (!only_arguments && !strcmp(word, "--")) {
            only_arguments = 1;
        } else if (only_arguments || word[0] != '-' || !word[1]) {
            argv[1 + count++] = word;
        } else if (word[1] != '-') {
            return unknown(set, word);
        } else {
            int code = take(set, argc, argv, &i);
            if (code != -1) return code;
        }
    }
    if (count < set->min_arguments)
        return tool_misuse(set->command, "an argument is missing: usage: cairn %s %s", set->command,
                           set->usage);
    if (set->max_arguments >= 0 && count > set->max_arguments)
        return tool_misuse(set->command, "'%s' is one argument too many: usage: cairn %s %s",
                           argv[1 + set->max_arguments], set->command, set->usage);
    *arguments = count;
    return -1;
}

static int parts_help(const char *command, const char *about, const struct option_part *parts)
{
    for (int i = 0; parts[i].name; i++)
        printf("%s cairn %s %s %s\n", i ? "      " : "usage:", command, parts[i].name,
               parts[i].usage);
    printf("\n%s\n", about);
    for (int i = 0; parts[i].name; i++)
        printf("%s`cairn %s %s --help`",
               i == 0              ? ""
               : parts[i + 1].name ? ", "
                                   : " and ",
               command, parts[i].name);
    puts(" tell the options.");
    return 0;
}

int options_parts(const char *command, const char *about, const struct option_part *parts, int argc,
                  char **argv)
{
    char names[128] = "";
    const char *word = argc > 1 ? argv[1] : "";
    for (int i = 0; parts[i].name; i++) {
        size_t n = strlen(names);
        if (!strcmp(word, parts[i].name)) return parts[i].run(argc - 1, argv + 1);
        snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "", parts[i].name);
    }
    if (watcher) return watcher(watching, NULL, parts), 0;
    if (!strcmp(word, "--help") || !strcmp(word, "-h")) return parts_help(command, about, parts);
    if (!*word)
        return tool_misuse(command, "an argument is missing: one of %s (see cairn %s --help)",
                           names, command);
    return tool_misuse(command, "there is no %s %s; there are: %s (see cairn %s --help)",
                       *word == '-' ? "option" : "command", word, names, command);
}
