#include "train/recipe_value.h"

#include "base/error.h"
#include "base/text.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cairn_status recipe_fail(const struct recipe_field *f, int offset, const char *format, ...)
{
    char why[768];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    return cairn_yaml_fail(CAIRN_PARSE, f->tree->path, f->node, f->t.place[offset], "%s: %s",
                           f->name, why);
}

cairn_status recipe_pass_on(const struct recipe_field *f, int offset)
{
    char why[768];
    snprintf(why, sizeof why, "%s", cairn_error());
    return recipe_fail(f, offset, "%s", why);
}

/* Numbers ------------------------------------------------------------------------------------- */

static const struct {
    double min, max;
    int above, below; /* 1: the limit itself is outside */
    const char *text;
} ranges[] = {
    [RECIPE_ANY_POSITIVE] = {0, INFINITY, 1, 1, "above 0"},
    [RECIPE_NOT_NEGATIVE] = {0, INFINITY, 0, 1, "0 or more"},
    [RECIPE_FRACTION] = {0, 1, 0, 1, "0 to below 1"},
    [RECIPE_SHARE] = {0, 1, 0, 0, "0 to 1"},
    [RECIPE_SHRINKING] = {0, 1, 1, 1, "above 0 and below 1"},
    [RECIPE_DEGREES] = {0, 180, 0, 0, "0 to 180"},
};

cairn_status recipe_read_number(const struct recipe_field *f, int offset, const char *word,
                                double *value)
{
    return cairn_text_double(word, value) == CAIRN_OK ? CAIRN_OK : recipe_pass_on(f, offset);
}

/* A number other than 0 that is written as one. */
static int is_not_zero(const char *word)
{
    return word[strcspn(word, "123456789eE")] && !strchr("eE", word[strcspn(word, "123456789eE")]);
}

cairn_status recipe_read_float(const struct recipe_field *f, int offset, const char *word,
                               enum recipe_range range, float *value)
{
    double number;
    cairn_status st = recipe_read_number(f, offset, word, &number);
    if (st != CAIRN_OK) return st;
    st = cairn_text_float_any(word, value); /* of the text itself: a double would round twice */
    if (st != CAIRN_OK) return st;
    double v = (double)*value;
    if (v == 0 && is_not_zero(word))
        return recipe_fail(f, offset, "%.40s is out of range: as a float it would be 0", word);
    if (number < 0 || v < ranges[range].min || v > ranges[range].max ||
        (ranges[range].above && v == ranges[range].min) ||
        (ranges[range].below && v == ranges[range].max))
        return recipe_fail(f, offset, "%.40s is out of range, %s", word, ranges[range].text);
    return CAIRN_OK;
}

cairn_status recipe_read_count(const struct recipe_field *f, int offset, const char *word,
                               int64_t min, int64_t max, int64_t *value)
{
    return cairn_text_int(word, min, max, value) == CAIRN_OK ? CAIRN_OK : recipe_pass_on(f, offset);
}

cairn_status recipe_read_yes(const struct recipe_field *f, int offset, const char *word, int *value)
{
    *value = !strcmp(word, "yes");
    if (*value || !strcmp(word, "no")) return CAIRN_OK;
    return recipe_fail(f, offset, "'%.40s' is neither yes nor no", word);
}

#define MAX_SIZE 32768

cairn_status recipe_read_size(const struct recipe_field *f, int offset, const char *word,
                              int64_t min, int64_t size[2])
{
    cairn_status st = CAIRN_OK;
    char rows[32];
    const char *x = strchr(word, 'x');
    snprintf(rows, sizeof rows, "%.*s", x ? (int)(x - word) : 31, word);
    if (strlen(word) > 20 || !*word || (x && (x == word || !x[1])))
        return recipe_fail(f, offset, "'%.40s' is not a size; accepted: 2, or 2x1 (rows x columns)",
                           word);
    TRY(recipe_read_count(f, offset, rows, min, MAX_SIZE, &size[0]));
    size[1] = size[0];
    if (x) TRY(recipe_read_count(f, offset + (int)(x + 1 - word), x + 1, min, MAX_SIZE, &size[1]));
out:
    return st;
}

/* Words --------------------------------------------------------------------------------------- */

cairn_status recipe_read_name(const struct recipe_field *f, const char *const *names, int *value)
{
    char list[256] = "";
    for (int i = 0; names[i]; i++) {
        if (!strcmp(f->t.text, names[i])) {
            *value = i;
            return CAIRN_OK;
        }
        size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", names[i]);
    }
    return recipe_fail(f, 0, "'%.256s' is not one of: %s", f->t.text, list);
}

size_t recipe_next_word(const char *text, size_t *at)
{
    *at += strspn(text + *at, " \t");
    return strcspn(text + *at, " \t");
}

cairn_status recipe_read_choice(const struct recipe_field *f, const struct recipe_choice *choices,
                                const char *what, int *kind, size_t *at)
{
    char list[640] = "";
    *at = 0;
    const char *word = f->t.text;
    size_t n = recipe_next_word(word, at);
    word += *at;
    for (int i = 0; choices[i].name; i++) {
        if (strlen(choices[i].name) == n && !strncmp(choices[i].name, word, n)) {
            *kind = i;
            *at += n;
            return CAIRN_OK;
        }
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? "; " : "", choices[i].usage);
    }
    return recipe_fail(f, (int)*at, "'%.*s' is not %s; there are: %s", n < 60 ? (int)n : 60, word,
                       what, list);
}

static cairn_status read_setting(const struct recipe_field *f, int offset, char *word,
                                 const struct recipe_choice *choice, unsigned *seen, void *to)
{
    char *value = strchr(word, '=');
    if (value) *value++ = '\0';
    int i = 0;
    while (choice->settings[i].name && strcmp(choice->settings[i].name, word) != 0) i++;
    const struct recipe_setting *s = &choice->settings[i];
    if (!value || !s->name)
        return recipe_fail(f, offset, "'%.60s' does not belong here; accepted: %s", word,
                           choice->usage);
    if (*seen & 1u << i) return recipe_fail(f, offset, "%s= is given twice", word);
    *seen |= 1u << i;
    offset += (int)(value - word);
    void *member = (char *)to + s->offset;
    switch (s->type) {
    case RECIPE_FLOAT:
        return recipe_read_float(f, offset, value, s->range, member);
    case RECIPE_COUNT:
        return recipe_read_count(f, offset, value, s->min, INT32_MAX, member);
    case RECIPE_YES:
        return recipe_read_yes(f, offset, value, member);
    case RECIPE_SIZE:
        break;
    }
    return recipe_read_size(f, offset, value, s->min, member);
}

cairn_status recipe_read_settings(const struct recipe_field *f, size_t at,
                                  const struct recipe_choice *choice, void *to)
{
    cairn_status st = CAIRN_OK;
    const char *text = f->t.text;
    unsigned seen = 0;
    for (size_t n; (n = recipe_next_word(text, &at)) > 0; at += n) {
        char word[sizeof f->t.text];
        snprintf(word, sizeof word, "%.*s", (int)n, text + at);
        TRY(read_setting(f, (int)at, word, choice, &seen, to));
    }
    for (int i = 0; choice->settings[i].name; i++)
        if (choice->settings[i].required && !(seen & 1u << i)) {
            st = recipe_fail(f, (int)at, "%s= is missing; accepted: %s", choice->settings[i].name,
                             choice->usage);
            goto out;
        }
out:
    return st;
}
