/* Text for HTML and SVG.
 *
 * Invariant: whatever a text holds, what is written is well-formed: < > & " ' are escaped; what is
 * no UTF-8, and control characters but tab and newline, become U+FFFD. */
#ifndef CAIRN_REPORT_MARKUP_H
#define CAIRN_REPORT_MARKUP_H

#include <stddef.h>
#include <stdio.h>

void cairn_markup_text(FILE *f, const char *text);

/* At most so many characters; of a longer text the last one is an ellipsis. */
void cairn_markup_short(FILE *f, const char *text, size_t most);

/* Characters of a text, as they are written. */
size_t cairn_markup_length(const char *text);

/* "data:TYPE;base64,...", from malloc; NULL when out of memory. */
char *cairn_markup_uri(const char *type, const void *bytes, size_t size);

#endif
