/* Leaving kernels out of a source: compiling takes longer the more of them there are.
 *
 * Invariant: lines keep their numbers, and what is left of a kernel is all of it or nothing. A
 * kernel begins with a line "__kernel ..." and ends with the next line that begins with "}"; or it
 * is a line "NAME(its_name, ..." of a macro whose definition has "__kernel". What looks otherwise
 * stays. */
#include "opencl/runtime.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MACROS 16
#define NAME 64

int ocl_names_have(const char *names, const char *name)
{
    char word[NAME + 2];
    int n = snprintf(word, sizeof word, " %s ", name);
    return n < (int)sizeof word && strstr(names, word) != NULL;
}

static size_t word_length(const char *p)
{
    size_t n = 0;
    while (isalnum((unsigned char)p[n]) || p[n] == '_') n++;
    return n;
}

/* Copies the word at p; 0 if there is none or it is long. */
static int take_word(const char *p, char word[NAME])
{
    size_t n = word_length(p);
    if (n == 0 || n >= NAME) return 0;
    memcpy(word, p, n);
    word[n] = '\0';
    return 1;
}

/* Behind the parenthesis that closes the one at p. */
static char *behind_parentheses(char *p)
{
    int depth = 0;
    for (; *p; p++) {
        depth += *p == '(';
        depth -= *p == ')';
        if (depth == 0) return p + 1;
    }
    return p;
}

static void blank(char *from, const char *to)
{
    for (; from < to; from++)
        if (*from != '\n') *from = ' ';
}

/* Whether a kernel whose text begins behind "__kernel" is among the names. Where a macro makes its
 * name, as in NAME(rows), each name that ends in "_rows" counts. */
static int is_kept(char *p, const char *names)
{
    char word[NAME] = "", ending[NAME + 2];
    for (;;) {
        p += strspn(p, " \t\n");
        if (*p == '(') break;
        if (!take_word(p, word)) return 1;
        p += strlen(word);
        if (!strcmp(word, "__attribute__")) p = behind_parentheses(p);
    }
    char *behind = behind_parentheses(p);
    if (*behind != '(') return ocl_names_have(names, word);
    if (!take_word(p + 1, word)) return 1;
    snprintf(ending, sizeof ending, "_%s ", word);
    return strstr(names, ending) != NULL;
}

/* The line behind p; of a line that ends in a backslash, the one behind its last part. */
static char *next_line(char *p)
{
    for (;;) {
        char *end = strchr(p, '\n');
        if (!end) return p + strlen(p);
        p = end + 1;
        if (end[-1] != '\\') return p;
    }
}

/* Notes the name of "#define NAME(...) ... __kernel ...". */
static void note_macro(const char *line, const char *end, char macros[MACROS][NAME], int *count)
{
    static const char define[] = "#define ";
    const char *kernel = strstr(line, "__kernel");
    if (strncmp(line, define, strlen(define)) != 0 || !kernel || kernel >= end) return;
    if (*count < MACROS && take_word(line + strlen(define), macros[*count])) (*count)++;
}

static int is_macro(const char *line, char macros[MACROS][NAME], int count)
{
    char word[NAME];
    if (!take_word(line, word) || line[strlen(word)] != '(') return 0;
    for (int i = 0; i < count; i++)
        if (!strcmp(macros[i], word)) return 1;
    return 0;
}

void ocl_source_keep(char *text, const char *names)
{
    static const char kernel[] = "__kernel";
    char macros[MACROS][NAME], word[NAME], *next;
    int count = 0;
    for (char *line = text; *line; line = next) {
        next = next_line(line);
        if (*line == '#') {
            note_macro(line, next, macros, &count);
        } else if (!strncmp(line, kernel, strlen(kernel))) {
            char *end = strstr(line, "\n}");
            if (!end) return;
            next = end + 2;
            if (!is_kept(line + strlen(kernel), names)) blank(line, next);
        } else if (is_macro(line, macros, count)) {
            char *open = strchr(line, '(');
            next = behind_parentheses(open);
            if (take_word(open + 1, word) && !ocl_names_have(names, word)) blank(line, next);
        }
    }
}
