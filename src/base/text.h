/* Strict conversions from text: the whole word must be the number, in plain decimal, whatever the
 * locale says. */
#ifndef CAIRN_BASE_TEXT_H
#define CAIRN_BASE_TEXT_H

#include <cairn/status.h>
#include <locale.h>
#include <stddef.h>
#include <stdint.h>

/* "-12", "0", "128"; no sign '+', no leading zeros ("010"), no space, within [min, max].
 * CAIRN_PARSE says what was wrong. */
cairn_status cairn_text_int(const char *word, int64_t min, int64_t max, int64_t *value);
cairn_status cairn_text_u64(const char *word, uint64_t *value);

/* "0.5", "5e-4", "-1"; decimal, finite; no "nan", "inf", hexadecimal, leading zeros ("010", "00.5")
 * or trailing text. */
cairn_status cairn_text_double(const char *word, double *value);

/* As cairn_text_double, but also accepts "nan", "inf" and "-inf": for printed problems, where such
 * scalars are test data. */
cairn_status cairn_text_float_any(const char *word, float *value);

/* Between these two calls of a thread its locale is "C": printf() and strtod() know no other
 * decimal point than '.'. For what writes and reads files. */
locale_t cairn_text_begin_plain(void);
void cairn_text_end_plain(locale_t before);

/* Makes it one line that a terminal prints and does not act on: control characters become spaces.
 */
void cairn_text_tame(char *text);

/* The word as a shell takes it: as it is, or in single quotes where it needs them. As snprintf()
 * does: at most size - 1 characters are written, and how long all of it is comes back. */
size_t cairn_text_shell(char *text, size_t size, const char *word);

/* Writes the shortest decimal text that reads back to the same float. */
void cairn_text_print_float(char *text, size_t size, float value);

#endif
