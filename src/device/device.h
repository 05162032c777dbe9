/* The wall's own record of an open device. */
#ifndef CAIRN_DEVICE_DEVICE_H
#define CAIRN_DEVICE_DEVICE_H

#include "device/backend.h"

struct cairn_device {
    struct cairn_backend *backend;
    size_t bytes;      /* allocated now */
    uint64_t enqueued; /* operators handed over since opening */
    uint64_t waited;   /* of those, known to be finished */
    cairn_status failed;
    char failure[512]; /* detail of the first late failure, returned again by everything after it */
};

#endif
