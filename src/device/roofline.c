/* A device's own limits: the best of some samples, since that is what a limit is. */
#include "base/error.h"
#include "device/device.h"

#include <string.h>

#define SAMPLES 7
#define SECONDS 0.02
#define STREAM_BYTES ((size_t)128 << 20) /* each way: beyond the caches */

struct limits {
    struct cairn_device *device;
    struct cairn_buffer *to, *from;
    size_t bytes;
    int64_t rounds;
};

static cairn_status time_spin(struct limits *l, double *seconds, double *flops)
{
    cairn_status st = CAIRN_OK;
    double start = cairn_device_clock();
    TRY(l->device->backend->ops->spin(l->device->backend, l->to, l->rounds, flops));
    TRY(cairn_device_sync(l->device));
    *seconds = cairn_device_clock() - start;
out:
    return st;
}

static cairn_status measure_fma(struct limits *l, double *gflops)
{
    cairn_status st = CAIRN_OK;
    double seconds, flops;
    l->rounds = 1;
    TRY(time_spin(l, &seconds, &flops)); /* builds the kernel */
    do {
        l->rounds *= 2;
        TRY(time_spin(l, &seconds, &flops));
    } while (seconds < SECONDS && l->rounds < (int64_t)1 << 40);
    for (int i = 0; i < SAMPLES; i++) {
        TRY(time_spin(l, &seconds, &flops));
        if (flops / seconds * 1e-9 > *gflops) *gflops = flops / seconds * 1e-9;
    }
out:
    return st;
}

/* A byte that is copied is read and written. */
static cairn_status measure_copy(struct limits *l, double *gbytes)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_backend_ops *ops = l->device->backend->ops;
    for (int i = 0; i <= SAMPLES; i++) {
        double start = cairn_device_clock();
        TRY(ops->stream(l->device->backend, l->to, l->from, l->bytes));
        TRY(cairn_device_sync(l->device));
        double rate = 2e-9 * (double)l->bytes / (cairn_device_clock() - start);
        if (i > 0 && rate > *gbytes) *gbytes = rate; /* the first one touches the memory */
    }
out:
    return st;
}

cairn_status cairn_device_roofline(struct cairn_device *device, struct cairn_roofline *roofline)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_device_info *info = cairn_device_info(device);
    const struct cairn_backend_ops *ops = device->backend->ops;
    struct limits l = {.device = device, .bytes = STREAM_BYTES};
    memset(roofline, 0, sizeof *roofline);
    if (!ops->spin)
        return cairn_fail(CAIRN_UNSUPPORTED,
                          "%s has no roofline: it is there to be right, not to be fast",
                          info->name);
    if (info->max_alloc_bytes > 0 && l.bytes > (size_t)info->max_alloc_bytes / 4)
        l.bytes = (size_t)info->max_alloc_bytes / 4 / 64 * 64;
    size_t spin = (size_t)ops->spin_floats(device->backend) * sizeof(float);
    TRY(cairn_buffer_create(device, l.bytes > spin ? l.bytes : spin, &l.to));
    TRY(cairn_buffer_create(device, l.bytes, &l.from));
    TRY(cairn_buffer_fill(l.from, 0, l.bytes, 0x3f800000));
    TRY(measure_fma(&l, &roofline->gflops));
    TRY(measure_copy(&l, &roofline->gbytes));
out:
    cairn_buffer_destroy(l.to);
    cairn_buffer_destroy(l.from);
    return st;
}

double cairn_roofline_seconds(const struct cairn_roofline *roofline, double flops, double bytes)
{
    double compute = flops * 1e-9 / roofline->gflops, move = bytes * 1e-9 / roofline->gbytes;
    return compute > move ? compute : move;
}
