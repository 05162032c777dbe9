/* Lines of a recipe as words. Invariant: `bad` is always the column of the word that is being read,
 * so that a complaint can point at it. */
#ifndef CAIRN_NN_WORDS_H
#define CAIRN_NN_WORDS_H

#include "nn/layer.h"

#define CAIRN_LINE_SIZE 96
#define CAIRN_LINE_WORDS 24

/* One line split at white space; every word knows its column. */
struct cairn_line {
    char text[CAIRN_LINE_SIZE];
    char *words[CAIRN_LINE_WORDS];
    int columns[CAIRN_LINE_WORDS];
    int count, taken; /* words; those used so far */
    int bad;          /* column of the word that is being read */
};

/* CAIRN_PARSE: the line is empty, or too long, or has too many words. */
cairn_status cairn_line_split(const char *text, struct cairn_line *line);

/* The next word; NULL at the end. */
char *cairn_line_next(struct cairn_line *line);

/* The next word if it is no setting (NAME=VALUE); NULL where there is none: nothing is taken. */
char *cairn_line_argument(struct cairn_line *line);

/* An initialiser in one word: a name, normal(MEAN,DEV) or uniform(LOW,HIGH); the bare names normal
 * and uniform have the defaults of layer.h. */
cairn_status cairn_init_word(const char *word, struct cairn_init *init);

#endif
