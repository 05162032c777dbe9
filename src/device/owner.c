#include "device/owner.h"

#include "base/error.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

cairn_status cairn_owner_write(const struct cairn_device_info *info, char text[CAIRN_OWNER_SIZE])
{
    cairn_status st = CAIRN_OK;
    char sources[65];
    TRY(cairn_device_sources(info, sources));
    snprintf(text, CAIRN_OWNER_SIZE,
             "device %s\nvendor %s\nplatform %s\ndriver %s\nversion %s\n"
             "limits %lld %lld %lld\nkernels %s\n\n",
             info->name, info->vendor, info->platform, info->driver, info->version,
             (long long)info->compute_units, (long long)info->max_work_group,
             (long long)info->local_bytes, sources);
out:
    return st;
}

int cairn_owner_read(const char *text, const char *key, char *value, size_t size)
{
    size_t n = strlen(key);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncmp(line, key, n) != 0 || line[n] != ' ') continue;
        snprintf(value, size, "%.*s", (int)strcspn(line + n + 1, "\n"), line + n + 1);
        cairn_text_tame(value);
        return 1;
    }
    value[0] = '\0';
    return 0;
}

int cairn_kept_is_whole(const struct cairn_kept *header, uint64_t bytes)
{
    return !memcmp(header->magic, CAIRN_KEPT_MAGIC, sizeof header->magic) &&
           header->format == CAIRN_KEPT_FORMAT && header->owner <= CAIRN_OWNER_SIZE &&
           bytes >= sizeof *header + header->owner && header->size > 0 &&
           header->size == bytes - sizeof *header - header->owner;
}
