/* Initialisers as written: `he`, `normal mean=0 dev=0.1`, and in one word normal(0,0.1). */
#include "nn/layer.h"

#include "base/error.h"
#include "base/text.h"
#include "nn/words.h"
#include <math.h>
#include <string.h>

#define KNOWN "he, he-uniform, xavier, xavier-uniform, zero, normal, uniform"

static const struct name {
    const char *name;
    struct cairn_init init;
} names[] = {
    {"he", {CAIRN_INIT_HE, 0, 0}},
    {"he-normal", {CAIRN_INIT_HE, 0, 0}},
    {"he-uniform", {CAIRN_INIT_HE_UNIFORM, 0, 0}},
    {"xavier", {CAIRN_INIT_XAVIER, 0, 0}},
    {"xavier-normal", {CAIRN_INIT_XAVIER, 0, 0}},
    {"xavier-uniform", {CAIRN_INIT_XAVIER_UNIFORM, 0, 0}},
    {"zero", {CAIRN_INIT_ZERO, 0, 0}},
    {"normal", {CAIRN_INIT_NORMAL, 0, 0.01f}},
    {"uniform", {CAIRN_INIT_UNIFORM, -0.05f, 0.05f}},
};
#define NAMES (sizeof names / sizeof *names)

/* The names of the two numbers of normal and uniform. */
static const char *const settings[2][2] = {{"mean", "dev"}, {"low", "high"}};

static int has_numbers(const struct cairn_init *init)
{
    return init->kind == CAIRN_INIT_NORMAL || init->kind == CAIRN_INIT_UNIFORM;
}

static cairn_status find(const char *word, size_t length, struct cairn_init *init)
{
    for (size_t i = 0; i < NAMES; i++)
        if (strlen(names[i].name) == length && !strncmp(names[i].name, word, length)) {
            *init = names[i].init;
            return CAIRN_OK;
        }
    return cairn_fail(CAIRN_PARSE, "'%s' is not an initialiser; there are: " KNOWN, word);
}

static cairn_status read_float(const char *word, float *value)
{
    double number;
    cairn_status st = cairn_text_double(word, &number);
    if (st != CAIRN_OK) return st;
    *value = (float)number;
    return isfinite(*value) ? CAIRN_OK : cairn_fail(CAIRN_PARSE, "%s is out of range", word);
}

static cairn_status check_numbers(const struct cairn_init *init)
{
    if (init->kind == CAIRN_INIT_NORMAL && init->dev < 0)
        return cairn_fail(CAIRN_PARSE, "dev=%g is negative", (double)init->dev);
    if (init->kind == CAIRN_INIT_UNIFORM && init->mean > init->dev)
        return cairn_fail(CAIRN_PARSE, "low=%g is above high=%g", (double)init->mean,
                          (double)init->dev);
    return CAIRN_OK;
}

cairn_status cairn_init_word(const char *word, struct cairn_init *init)
{
    cairn_status st = CAIRN_OK;
    char inside[CAIRN_LINE_SIZE];
    size_t length = strlen(word), name = strcspn(word, "(");
    TRY(find(word, name, init));
    if (name == length) return CAIRN_OK;
    const char *const *two = settings[init->kind == CAIRN_INIT_UNIFORM];
    if (!has_numbers(init))
        return cairn_fail(CAIRN_PARSE, "%.*s has no numbers, not '%s'", (int)name, word,
                          word + name);
    if (length >= sizeof inside || word[length - 1] != ')')
        return cairn_fail(CAIRN_PARSE, "'%s' does not end with ')'", word);
    memcpy(inside, word + name + 1, length - name - 2);
    inside[length - name - 2] = '\0';
    char *comma = strchr(inside, ',');
    if (!comma)
        return cairn_fail(CAIRN_PARSE, "'%s' has not two numbers, %s and %s", word, two[0], two[1]);
    *comma = '\0';
    TRY(read_float(inside, &init->mean));
    TRY(read_float(comma + 1, &init->dev));
    TRY(check_numbers(init));
out:
    return st;
}

/* [mean=M] [dev=D], or [low=L] [high=H]. */
static cairn_status parse_settings(struct cairn_line *line, struct cairn_init *init)
{
    cairn_status st = CAIRN_OK;
    int is_uniform = init->kind == CAIRN_INIT_UNIFORM, seen[2] = {0, 0};
    const char *const *two = settings[is_uniform];
    for (char *word; (word = cairn_line_next(line));) {
        size_t length = strcspn(word, "=");
        int which = 0;
        while (which < 2 && (strlen(two[which]) != length || strncmp(two[which], word, length)))
            which++;
        if (which == 2 || !word[length])
            return cairn_fail(CAIRN_PARSE, "'%s' is not a setting of %s; accepted: %s", word,
                              is_uniform ? "uniform" : "normal",
                              is_uniform ? "uniform [low=L] [high=H]" : "normal [mean=M] [dev=D]");
        if (seen[which]++) return cairn_fail(CAIRN_PARSE, "'%s' is given twice", word);
        TRY(read_float(word + length + 1, which ? &init->dev : &init->mean));
        if (!is_uniform) TRY(check_numbers(init));
    }
    TRY(check_numbers(init));
out:
    return st;
}

cairn_status cairn_init_parse(const char *text, struct cairn_init *init, int *column)
{
    cairn_status st = CAIRN_OK;
    struct cairn_line line;
    memset(init, 0, sizeof *init);
    TRY(cairn_line_split(text, &line));
    char *word = cairn_line_next(&line);
    TRY(cairn_init_word(word, init));
    if (has_numbers(init) && !strchr(word, '(')) {
        TRY(parse_settings(&line, init));
    } else if ((word = cairn_line_next(&line))) {
        st = cairn_fail(CAIRN_PARSE, "'%s' does not belong here", word);
    }
out:
    if (column) *column = line.bad;
    return st;
}
