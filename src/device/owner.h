/* What is kept in the cache belongs to a device with its driver and to one set of kernels: the text
 * that says so, and the form of the files of compiled kernels. */
#ifndef CAIRN_DEVICE_OWNER_H
#define CAIRN_DEVICE_OWNER_H

#include <cairn/device.h>

#define CAIRN_OWNER_SIZE 1024

/* Lines "device NAME", "vendor", "platform", "driver", "version", "limits", "kernels DIGEST" and an
 * empty one. The digest has 64 digits and stands at CAIRN_OWNER_KERNELS from the end. */
cairn_status cairn_owner_write(const struct cairn_device_info *info, char text[CAIRN_OWNER_SIZE]);
#define CAIRN_OWNER_KERNELS 66

/* The value of a line, "driver" for example; 0 where there is none. Control characters become
 * spaces. */
int cairn_owner_read(const char *text, const char *key, char *value, size_t size);

/* A file of a compiled program is this, `size` bytes of binary, and `owner` bytes of the text above
 * (of the device and kernels that used it last: it may be written over, no digest has it).
 * Little-endian as the device; a foreign byte order fails the format number. */
#define CAIRN_KEPT_MAGIC "CAIRNKRN"
#define CAIRN_KEPT_FORMAT 2
struct cairn_kept {
    char magic[8];
    uint32_t format, owner;
    uint64_t size;
    char key[64], digest[64]; /* digest: SHA-256 of the binary */
};

/* Is it one, of this format and of this many bytes in all? */
int cairn_kept_is_whole(const struct cairn_kept *header, uint64_t bytes);

#endif
