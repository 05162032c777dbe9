#include "device/profile.h"

#include "base/error.h"
#include "device/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cairn_status cairn_profile_create(struct cairn_profile **profile)
{
    *profile = calloc(1, sizeof **profile);
    return *profile ? CAIRN_OK : cairn_fail(CAIRN_MEMORY, "out of memory");
}

void cairn_profile_destroy(struct cairn_profile *profile)
{
    if (!profile) return;
    free(profile->times);
    free(profile);
}

/* The sum for a kernel's name, made when new; NULL when out of memory. */
static struct cairn_profile_time *time_of(struct cairn_profile *profile, const char *kernel)
{
    for (int i = 0; i < profile->count; i++)
        if (!strcmp(profile->times[i].kernel, kernel)) return &profile->times[i];
    if (profile->count == profile->room) {
        int room = profile->room ? 2 * profile->room : 32;
        struct cairn_profile_time *grown = realloc(profile->times, (size_t)room * sizeof *grown);
        if (!grown) return NULL;
        profile->times = grown;
        profile->room = room;
    }
    struct cairn_profile_time *fresh = &profile->times[profile->count++];
    memset(fresh, 0, sizeof *fresh);
    snprintf(fresh->kernel, sizeof fresh->kernel, "%s", kernel);
    return fresh;
}

cairn_status cairn_profile_add(struct cairn_profile *profile, const struct cairn_launch *launch)
{
    struct cairn_profile_time *time = time_of(profile, launch->kernel);
    if (!time) return cairn_fail(CAIRN_MEMORY, "out of memory");
    time->calls++;
    time->seconds += launch->seconds;
    if (profile->watch) profile->watch(profile->context, launch);
    return CAIRN_OK;
}

void cairn_device_mark(struct cairn_device *device, const void *what, int64_t step)
{
    struct cairn_profile *profile = device->backend->profile;
    if (profile) profile->mark = (struct cairn_mark){what, step};
}

static cairn_status check_profiled(const struct cairn_device *device)
{
    return device->backend->profile
               ? CAIRN_OK
               : cairn_fail(CAIRN_INVALID, "the device was not opened with profile = 1");
}

cairn_status cairn_device_watch(struct cairn_device *device,
                                void (*each)(void *context, const struct cairn_launch *launch),
                                void *context)
{
    cairn_status st = CAIRN_OK;
    TRY(check_profiled(device));
    TRY(cairn_device_sync(device));
    device->backend->profile->watch = each;
    device->backend->profile->context = context;
out:
    return st;
}

cairn_status cairn_device_profile(struct cairn_device *device,
                                  void (*each)(void *context, const char *kernel, int64_t calls,
                                               double seconds),
                                  void *context)
{
    cairn_status st = CAIRN_OK;
    TRY(check_profiled(device));
    TRY(cairn_device_sync(device));
    struct cairn_profile *profile = device->backend->profile;
    for (int i = 0; i < profile->count; i++)
        each(context, profile->times[i].kernel, profile->times[i].calls, profile->times[i].seconds);
    profile->count = 0;
out:
    return st;
}
