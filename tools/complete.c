/* cairn --complete WORD...: what the last word of a command line could be, for shells; see
 * completion.bash. Each candidate is a line, and behind a tab what it is. A line ":files" or
 * ":folders" asks the shell for names of files. The words are those behind "cairn"; the last may be
 * empty. Everything comes from the tables that commands are parsed by, from the recipes, the data
 * sets and the devices that are there.
 *
 * It tells what it has after 2 seconds: a device that is used for the first time compiles its probe
 * for longer, and a driver may hang. */
#include "commands.h"
#include "options.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS 2

/* The last word: `head` stays as it is ("--device=", "reference,"), candidates go on from it. */
struct line {
    char **words;
    int count;
    char head[256];
    const char *last;
};

static void offer(const struct line *line, const char *candidate, const char *text)
{
    if (strncmp(candidate, line->last, strlen(line->last)) != 0) return;
    printf("%s%s\t%.*s\n", line->head, candidate, (int)strcspn(text, "\n"), text);
    fflush(stdout);
}

static void offer_name(void *context, const char *name)
{
    offer(context, name, "");
}

/* Moves the first n characters of the last word to the head. */
static void fix(struct line *line, size_t n)
{
    size_t old = strlen(line->head);
    snprintf(line->head + old, sizeof line->head - old, "%.*s", (int)n, line->last);
    line->last += n;
}

/* --- values --- */

static void offer_device(void *context, const struct cairn_device_info *info)
{
    if (info->available) offer(context, info->spec, info->name);
}

static void offer_devices(struct line *line)
{
    offer(line, "opencl", "the first GPU, else accelerator, else CPU");
    cairn_device_list(offer_device, line);
}

static void offer_operators(struct line *line, const char *end)
{
    char name[64];
    for (int op = 0; op < CAIRN_OP_COUNT; op++) {
        snprintf(name, sizeof name, "%s%s", cairn_op_name((enum cairn_op)op), end);
        offer(line, name, "");
    }
}

/* The word behind --device, else the default; an option may also be one word. */
static const char *device_of(const struct line *line)
{
    const char *spec = "opencl";
    for (int i = 0; i + 1 < line->count; i++)
        if (!strcmp(line->words[i], "--device"))
            spec = line->words[i + 1];
        else if (!strncmp(line->words[i], "--device=", 9))
            spec = line->words[i] + 9;
    return spec;
}

/* OP=NAME: operators, then the variants that the device has. */
static void offer_variants(struct line *line)
{
    char op[32], names[CAIRN_MAX_VARIANTS][16];
    const char *equals = strchr(line->last, '=');
    struct cairn_device_options options = {.unchecked = 1};
    struct cairn_device *device;
    if (!equals) {
        offer_operators(line, "=");
        return;
    }
    snprintf(op, sizeof op, "%.*s", (int)(equals - line->last), line->last);
    fix(line, (size_t)(equals - line->last) + 1);
    enum cairn_op number = cairn_op_find(op);
    if (number == CAIRN_OP_COUNT ||
        cairn_device_open(device_of(line), &options, &device) != CAIRN_OK)
        return;
    int count = cairn_device_variant_names(device, number, names);
    for (int i = 0; i < count; i++) offer(line, names[i], "");
    cairn_device_close(device);
}

static void offer_key(void *context, const char *key)
{
    char setting[80];
    snprintf(setting, sizeof setting, "%s=", key);
    offer(context, setting, "");
}

static void offer_data_sets(struct line *line)
{
    struct cairn_data_row *rows = NULL;
    int count = 0;
    if (cairn_data_list(NULL, &rows, &count) != CAIRN_OK) return;
    for (int i = 0; i < count; i++)
        if (rows[i].fetchable) offer(line, rows[i].name, rows[i].title);
    cairn_data_list_free(rows, count);
}

static void offer_functions(struct line *line)
{
    for (int i = 0; i < CAIRN_FUNCTION_COUNT; i++)
        offer(line, cairn_function_name((enum cairn_function)i), "");
}

/* "stop|continue" of lower-case words: the words themselves. */
static void offer_words(struct line *line, const char *words)
{
    char word[64];
    for (size_t n; *words; words += n + (words[n] == '|')) {
        n = strcspn(words, "|");
        snprintf(word, sizeof word, "%.*s", (int)n, words);
        offer(line, word, "");
    }
}

/* By the word that stands for a value in --help. */
static void offer_value(struct line *line, const char *command, const char *value)
{
    const char *comma;
    if (!strcmp(value, "A,B,...") || !strcmp(value, "A,B")) {
        if ((comma = strrchr(line->last, ','))) fix(line, (size_t)(comma - line->last) + 1);
        offer_devices(line);
    } else if (!strcmp(value, "D")) {
        offer_devices(line);
    } else if (!strcmp(value, "RECIPE")) {
        cairn_recipe_names(offer_name, line);
        puts(":files");
    } else if (!strcmp(value, "FILE") || !strcmp(value, "IMAGE")) {
        puts(":files");
    } else if (!strcmp(value, "DIR") || !strcmp(value, "RUN")) {
        puts(":folders");
    } else if (!strcmp(value, "OP") || !strcmp(value, "PROBLEM") || !strcmp(value, "CASE")) {
        offer_operators(line, "");
    } else if (!strcmp(value, "OP=NAME") || !strcmp(value, "V")) {
        offer_variants(line);
    } else if (!strcmp(value, "KEY=VALUE") || !strcmp(value, "K=V")) {
        cairn_recipe_keys(offer_key, line);
    } else if (!strcmp(value, "NAME")) {
        if (!strcmp(command, "check"))
            offer_functions(line);
        else
            offer_data_sets(line);
    } else if (value[0] >= 'a' && value[0] <= 'z') {
        offer_words(line, value);
    }
}

/* --- options and arguments --- */

static const struct option_row *find_row(const struct option_set *set, const char *word)
{
    if (strncmp(word, "--", 2) != 0) return NULL;
    for (const struct option_row *row = set->rows; row->name; row++)
        if (!strcmp(word + 2, row->name)) return row;
    return NULL;
}

/* Options that may still be given: those that are not there, or that may be repeated. */
static void offer_options(struct line *line, const struct option_set *set)
{
    char word[64];
    for (const struct option_row *row = set->rows; row->name; row++) {
        int there = 0;
        snprintf(word, sizeof word, "--%s", row->name);
        for (int i = 0; i + 1 < line->count; i++) {
            size_t n = strlen(word);
            there |= !strncmp(line->words[i], word, n) &&
                     (!line->words[i][n] || line->words[i][n] == '=');
        }
        if (!there || row->kind == OPTION_LIST) offer(line, word, row->help);
    }
    offer(line, "--help", "print this text");
}

/* The word in the usage that stands for argument `number` from 0: "RECIPE", "IMAGE" of "IMAGE..."
 * for all behind it; 0 where there is none. What belongs to an option does not count. */
static int argument_word(const struct option_set *set, int number, char *word, size_t size)
{
    const char *p = set->usage;
    int of_option = 0;
    for (size_t n; *p; p += n) {
        p += strspn(p, " ");
        n = strcspn(p, " ");
        int skip = of_option || *p == '-' || *p == '|' || !strncmp(p, "[OPTION", 7);
        of_option = !strncmp(p, "--", 2);
        if (skip || n == 0) continue;
        int repeated = n > 3 && !strncmp(p + n - 3, "...", 3);
        if (number-- > 0 && !repeated) continue;
        p += *p == '[';
        n = strcspn(p, " ");
        snprintf(word, size, "%.*s", (int)strcspn(p, " ].|"), p);
        return 1;
    }
    return 0;
}

/* Reads what stands before the last word. Returns the option whose value the last word is, or NULL;
 * *arguments: the words that are none of an option; *only: "--" was there. */
static const struct option_row *read_line(const struct line *line, const struct option_set *set,
                                          int *arguments, int *only)
{
    int first = strchr(set->command, ' ') ? 2 : 1; /* behind "train", "data list" */
    *arguments = *only = 0;
    for (int i = first; i + 1 < line->count; i++) {
        const struct option_row *row = *only ? NULL : find_row(set, line->words[i]);
        if (row && row->kind != OPTION_FLAG && ++i + 1 == line->count) return row;
        if (!row && !*only && !strcmp(line->words[i], "--"))
            *only = 1;
        else if (!row && (*only || line->words[i][0] != '-'))
            ++*arguments;
    }
    return NULL;
}

static void complete(void *context, const struct option_set *set, const struct option_part *parts)
{
    struct line *line = context;
    char word[64];
    int arguments = 0, only = 0;
    for (int i = 0; parts && line->count == 2 && parts[i].name; i++) offer(line, parts[i].name, "");
    if (parts) return;
    const struct option_row *row = read_line(line, set, &arguments, &only);
    size_t name = strcspn(line->last, "=");
    if (row) {
        offer_value(line, set->command, row->value);
    } else if (!only && line->last[0] == '-' && line->last[name]) {
        snprintf(word, sizeof word, "%.*s", (int)name, line->last);
        row = find_row(set, word);
        fix(line, name + 1);
        if (row && row->value) offer_value(line, set->command, row->value);
    } else if (!only && line->last[0] == '-') {
        offer_options(line, set);
    } else if (argument_word(set, arguments, word, sizeof word)) {
        offer_value(line, set->command, word);
    }
}

static void offer_commands(const struct line *line)
{
    for (const struct tool_command *c = tool_commands(); c->run; c++) offer(line, c->name, c->text);
}

static void give_up(int number)
{
    (void)number;
    _exit(0);
}

int tool_complete(int count, char **words)
{
    struct line line = {words, count, "", count ? words[count - 1] : ""};
    if (count == 0) return 0;
    if (!freopen("/dev/null", "w", stderr)) return 0; /* drivers talk */
    signal(SIGALRM, give_up);
    alarm(SECONDS);
    if (count == 1) {
        offer_commands(&line);
        offer(&line, "help", "what there is, or a command's options");
        if (line.last[0] == '-') offer(&line, "--help", ""), offer(&line, "--version", "");
        return 0;
    }
    const struct tool_command *command = tool_find_command(words[0]);
    if (!strcmp(words[0], "help") && count == 2) offer_commands(&line);
    if (!command) return 0;
    options_watch(complete, &line);
    command->run(count - 1, words);
    return 0;
}
