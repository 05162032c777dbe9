#include "base/text.h"

#include "base/error.h"
#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static locale_t plain; /* 0 where there is no memory for it */

static void make_plain(void)
{
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

locale_t cairn_text_begin_plain(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_plain);
    return plain ? uselocale(plain) : (locale_t)0;
}

void cairn_text_end_plain(locale_t before)
{
    if (before) uselocale(before);
}

/* Length of "0" or a run of digits that does not start with 0; 0 if there is none. */
static size_t plain_digits(const char *p)
{
    if (*p == '0') return isdigit((unsigned char)p[1]) ? 0 : 1;
    size_t n = 0;
    while (isdigit((unsigned char)p[n])) n++;
    return n;
}

cairn_status cairn_text_int(const char *word, int64_t min, int64_t max, int64_t *value)
{
    const char *digits = *word == '-' ? word + 1 : word;
    size_t n = plain_digits(digits);
    if (n == 0 || digits[n] != '\0')
        return cairn_fail(CAIRN_PARSE,
                          "'%s' is not a whole number (write it in plain decimal, like 12)", word);
    errno = 0;
    long long v = strtoll(word, NULL, 10);
    if (errno || v < min || v > max)
        return cairn_fail(CAIRN_PARSE, "%s is out of range, %lld to %lld", word, (long long)min,
                          (long long)max);
    *value = v;
    return CAIRN_OK;
}

cairn_status cairn_text_u64(const char *word, uint64_t *value)
{
    size_t n = plain_digits(word);
    if (n == 0 || word[n] != '\0')
        return cairn_fail(CAIRN_PARSE,
                          "'%s' is not a whole number of 0 or more (write it in plain decimal)",
                          word);
    errno = 0;
    unsigned long long v = strtoull(word, NULL, 10);
    if (errno) return cairn_fail(CAIRN_PARSE, "%s is out of range, 0 to 2^64 - 1", word);
    *value = v;
    return CAIRN_OK;
}

static int is_plain_decimal(const char *p)
{
    if (*p == '-') p++;
    size_t n = plain_digits(p);
    if (n == 0) return 0;
    p += n;
    if (*p == '.') {
        p++;
        if (!isdigit((unsigned char)*p)) return 0;
        while (isdigit((unsigned char)*p)) p++;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        if (*p == '-' || *p == '+') p++;
        if (!isdigit((unsigned char)*p)) return 0;
        while (isdigit((unsigned char)*p)) p++;
    }
    return *p == '\0';
}

cairn_status cairn_text_double(const char *word, double *value)
{
    if (!is_plain_decimal(word))
        return cairn_fail(CAIRN_PARSE, "'%s' is not a number (write it like 0.05 or 5e-4)", word);
    locale_t before = cairn_text_begin_plain();
    double v = strtod(word, NULL);
    cairn_text_end_plain(before);
    if (!isfinite(v)) return cairn_fail(CAIRN_PARSE, "%s is out of range", word);
    *value = v;
    return CAIRN_OK;
}

cairn_status cairn_text_float_any(const char *word, float *value)
{
    if (!strcmp(word, "nan") || !strcmp(word, "inf") || !strcmp(word, "-inf")) {
        *value = *word == 'n' ? NAN : *word == 'i' ? INFINITY : -INFINITY;
        return CAIRN_OK;
    }
    if (!is_plain_decimal(word))
        return cairn_fail(CAIRN_PARSE, "'%s' is not a number (write it like 0.05 or 5e-4)", word);
    locale_t before = cairn_text_begin_plain();
    *value = strtof(word, NULL);
    cairn_text_end_plain(before);
    return CAIRN_OK;
}

void cairn_text_print_float(char *text, size_t size, float value)
{
    if (isnan(value)) {
        snprintf(text, size, "nan");
        return;
    }
    locale_t before = cairn_text_begin_plain();
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, size, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    cairn_text_end_plain(before);
}

void cairn_text_tame(char *text)
{
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f) *p = ' ';
}

size_t cairn_text_shell(char *text, size_t size, const char *word)
{
    size_t n = 0;
    int bare = *word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789_-+=:,./@%") == strlen(word);
    if (bare) return (size_t)snprintf(text, size, "%s", word);
#define PUT(c) (n + 1 < size ? (void)(text[n] = (c)) : (void)0, n++)
    PUT('\'');
    for (; *word; word++) {
        PUT(*word);
        if (*word != '\'') continue;
        PUT('\\'); /* the quote ends, a quote by itself, another begins */
        PUT('\'');
        PUT('\'');
    }
    PUT('\'');
#undef PUT
    if (size > 0) text[n < size ? n : size - 1] = '\0';
    return n;
}
