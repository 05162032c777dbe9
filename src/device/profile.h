/* Device time of launches while a device is profiled. A backend adds what it measured; the wall
 * sums by kernel and hands each launch to whoever watches. */
#ifndef CAIRN_DEVICE_PROFILE_H
#define CAIRN_DEVICE_PROFILE_H

#include <cairn/device.h>

struct cairn_profile_time {
    char kernel[64];
    int64_t calls;
    double seconds;
};

struct cairn_profile {
    struct cairn_mark mark; /* of what is run from now on */
    struct cairn_profile_time *times;
    int count, room;
    void (*watch)(void *context, const struct cairn_launch *launch); /* may be NULL */
    void *context;
};

cairn_status cairn_profile_create(struct cairn_profile **profile);
void cairn_profile_destroy(struct cairn_profile *profile); /* NULL is fine */

/* Adds a launch. In the order of the launches. */
cairn_status cairn_profile_add(struct cairn_profile *profile, const struct cairn_launch *launch);

#endif
