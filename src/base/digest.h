/* SHA-256 and MD5 (libcrypto) as lower-case hexadecimal text. */
#ifndef CAIRN_BASE_DIGEST_H
#define CAIRN_BASE_DIGEST_H

#include <cairn/status.h>
#include <stddef.h>

struct cairn_digest; /* a running SHA-256 */

cairn_status cairn_digest_create(struct cairn_digest **digest);
cairn_status cairn_digest_add(struct cairn_digest *digest, const void *data, size_t size);
cairn_status cairn_digest_text(struct cairn_digest *digest, char text[65]); /* ends it */
void cairn_digest_destroy(struct cairn_digest *digest);

cairn_status cairn_digest_sha256(const void *data, size_t size, char text[65]);
cairn_status cairn_digest_md5(const void *data, size_t size, char text[33]);

/* Of a file's content: MD5 or SHA-256. CAIRN_NOT_FOUND if it is not there, CAIRN_IO. */
cairn_status cairn_digest_file(const char *path, int md5, char text[65]);

#endif
