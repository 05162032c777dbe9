/* The wall's own record of an open device. */
#ifndef CAIRN_DEVICE_DEVICE_H
#define CAIRN_DEVICE_DEVICE_H

#include "device/backend.h"
#include "device/choices.h"
#include "device/own.h"

struct cairn_device {
    struct cairn_backend *backend;
    struct cairn_choices *choices;        /* see cairn_device_prefer() */
    struct cairn_own own[CAIRN_OP_COUNT]; /* see cairn_device_own(); run NULL: none */
    struct cairn_kernel *kernels;         /* see cairn_kernel_create() */
    size_t bytes, peak;                   /* allocated now, and at most */
    uint64_t enqueued;                    /* operators handed over since opening */
    uint64_t waited;                      /* of those, known to be finished */
    cairn_status failed;
    char failure[512]; /* detail of the first late failure, returned again by everything after it */
};

/* The variant that a completed problem gets: the forced one, else the preferred choice of
 * cairn_device_prefer(), else the default. Returns its index. */
int cairn_choose_variant(const struct cairn_device *device, const struct cairn_problem *problem,
                         const struct cairn_variant *variants, int count);

double cairn_device_clock(void); /* seconds, monotonic, of the host */

#endif
