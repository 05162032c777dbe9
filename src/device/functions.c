/* The functions of the exact arithmetic on a device: what the checker compares over all floats. */
#include "base/error.h"
#include "device/device.h"

const char *cairn_function_name(enum cairn_function function)
{
    static const char *const names[] = {
#define NAME(name) #name,
        CAIRN_FUNCTION_LIST(NAME)
#undef NAME
    };
    return names[function];
}

cairn_status cairn_device_function(struct cairn_device *device, enum cairn_function function,
                                   uint32_t first, uint32_t step, int64_t count,
                                   struct cairn_buffer *out)
{
    if (device->failed) return cairn_fail(device->failed, "%s", device->failure);
    if (count < 0 || (size_t)count > cairn_buffer_bytes(out) / 4)
        return cairn_fail(CAIRN_INVALID, "%s of %lld operands into a buffer of %zu bytes",
                          cairn_function_name(function), (long long)count, cairn_buffer_bytes(out));
    if (count == 0) return CAIRN_OK;
    device->enqueued++;
    return device->backend->ops->function(device->backend, function, first, step, count, out);
}
