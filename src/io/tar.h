/* Taking files out of a tar archive that is packed by gzip (libarchive).
 *
 * No path of the archive is ever used as one: a member is taken by its name in the list of what is
 * wanted, and written under that name. */
#ifndef CAIRN_IO_TAR_H
#define CAIRN_IO_TAR_H

#include <cairn/status.h>
#include <stdint.h>

struct cairn_tar_member {
    const char *name;
    int64_t size; /* bytes that it must have; -1: any number up to 1 MiB */
    int optional; /* 1: it may be missing */
    int found;    /* set */
};

/* Takes the plain files NAME and INNER/NAME, each once, of `count` members to the folder `to`,
 * where each appears whole or not at all (to == NULL: only reads them). CAIRN_FORMAT names the
 * archive and says what is wrong: damaged, cut off, a member missing, there twice, no plain file,
 * or of another size. */
cairn_status cairn_tar_take(const char *path, const char *inner, struct cairn_tar_member *members,
                            int count, const char *to);

#endif
