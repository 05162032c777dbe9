#include "base/digest.h"

#include "base/error.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct cairn_digest {
    EVP_MD_CTX *context;
};

static cairn_status failed(void)
{
    return cairn_fail(CAIRN_MEMORY, "out of memory, or libcrypto cannot compute a digest");
}

static void to_hex(const unsigned char *bytes, unsigned count, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < count; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * count] = '\0';
}

cairn_status cairn_digest_create(struct cairn_digest **digest)
{
    *digest = NULL;
    struct cairn_digest *d = calloc(1, sizeof *d);
    if (!d) return failed();
    d->context = EVP_MD_CTX_new();
    if (!d->context || !EVP_DigestInit_ex(d->context, EVP_sha256(), NULL)) {
        cairn_digest_destroy(d);
        return failed();
    }
    *digest = d;
    return CAIRN_OK;
}

cairn_status cairn_digest_add(struct cairn_digest *digest, const void *data, size_t size)
{
    return EVP_DigestUpdate(digest->context, data, size) ? CAIRN_OK : failed();
}

cairn_status cairn_digest_text(struct cairn_digest *digest, char text[65])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    text[0] = '\0';
    if (!EVP_DigestFinal_ex(digest->context, bytes, &count)) return failed();
    to_hex(bytes, count, text);
    return CAIRN_OK;
}

void cairn_digest_destroy(struct cairn_digest *digest)
{
    if (!digest) return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

static cairn_status whole(const EVP_MD *kind, const void *data, size_t size, char *text)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    text[0] = '\0';
    if (!EVP_Digest(data, size, bytes, &count, kind, NULL)) return failed();
    to_hex(bytes, count, text);
    return CAIRN_OK;
}

cairn_status cairn_digest_sha256(const void *data, size_t size, char text[65])
{
    return whole(EVP_sha256(), data, size, text);
}

cairn_status cairn_digest_md5(const void *data, size_t size, char text[33])
{
    return whole(EVP_md5(), data, size, text);
}

cairn_status cairn_digest_file(const char *path, int md5, char text[65])
{
    cairn_status st = CAIRN_OK;
    unsigned char bytes[EVP_MAX_MD_SIZE], *piece = NULL;
    const size_t room = 1 << 18;
    unsigned count = 0;
    size_t got;
    text[0] = '\0';
    EVP_MD_CTX *context = NULL;
    FILE *file = fopen(path, "rb");
    if (!file)
        return cairn_fail_errno(errno == ENOENT ? CAIRN_NOT_FOUND : CAIRN_IO, "cannot open %s",
                                path);
    context = EVP_MD_CTX_new();
    piece = malloc(room);
    int good = context && piece && EVP_DigestInit_ex(context, md5 ? EVP_md5() : EVP_sha256(), NULL);
    while (good && (got = fread(piece, 1, room, file)) > 0)
        good = EVP_DigestUpdate(context, piece, got);
    if (good && ferror(file))
        st = cairn_fail_errno(CAIRN_IO, "cannot read %s", path);
    else if (!good || !EVP_DigestFinal_ex(context, bytes, &count))
        st = failed();
    else
        to_hex(bytes, count, text);
    EVP_MD_CTX_free(context);
    free(piece);
    fclose(file);
    return st;
}
