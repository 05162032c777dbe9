#include "report/markup.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Takes one character off the text: its bytes, or 0 with one byte taken where it is none that may
 * be written (RFC 3629; C0, DEL and C1 controls; surrogates; U+FFFE and U+FFFF). */
static size_t take(const unsigned char **text)
{
    const unsigned char *p = *text;
    size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
    uint32_t c = n > 1 ? *p & (0xffu >> (n + 1)) : *p;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) n = 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    int good = n > 0 && (c >= 0xa0 || (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n');
    if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff))) good = 0;
    if ((c >= 0xd800 && c < 0xe000) || c == 0xfffe || c == 0xffff) good = 0;
    *text += good ? n : 1;
    return good ? n : 0;
}

static void put(FILE *f, const unsigned char *p, size_t bytes)
{
    static const char special[] = "<>&\"'";
    static const char *const names[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"};
    const char *at = bytes == 1 ? strchr(special, *p) : NULL;
    if (bytes == 0)
        fputs("\xef\xbf\xbd", f);
    else if (at)
        fputs(names[at - special], f);
    else
        fwrite(p, 1, bytes, f);
}

void cairn_markup_text(FILE *f, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p) {
        const unsigned char *from = p;
        size_t bytes = take(&p);
        put(f, from, bytes);
    }
}

size_t cairn_markup_length(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t count = 0;
    for (; *p; count++) take(&p);
    return count;
}

void cairn_markup_short(FILE *f, const char *text, size_t most)
{
    const unsigned char *p = (const unsigned char *)text;
    int cut = cairn_markup_length(text) > most;
    for (size_t i = 0; *p && i + (size_t)cut < most; i++) {
        const unsigned char *from = p;
        size_t bytes = take(&p);
        put(f, from, bytes);
    }
    if (cut) fputs("\xe2\x80\xa6", f);
}

/* RFC 4648 */
char *cairn_markup_uri(const char *type, const void *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *from = bytes;
    size_t room = strlen(type) + 16 + (size + 2) / 3 * 4 + 1;
    char *text = malloc(room);
    if (!text) return NULL;
    char *to = text + snprintf(text, room, "data:%s;base64,", type);
    for (size_t i = 0; i < size; i += 3) {
        size_t n = size - i < 3 ? size - i : 3;
        uint32_t v = (uint32_t)from[i] << 16 | (n > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
                     (n > 2 ? from[i + 2] : 0);
        for (size_t k = 0; k < 4; k++) *to++ = k <= n ? digits[v >> (18 - 6 * k) & 63] : '=';
    }
    *to = '\0';
    return text;
}
