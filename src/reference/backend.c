/* The reference backend: life, memory and the table of slots. */
#include "device/schema.h"
#include "reference/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void describe(struct cairn_device_info *info)
{
    memset(info, 0, sizeof *info);
    snprintf(info->spec, sizeof info->spec, "reference");
    snprintf(info->name, sizeof info->name, "reference");
    snprintf(info->vendor, sizeof info->vendor, "Cairn");
    snprintf(info->platform, sizeof info->platform, "host");
    snprintf(info->driver, sizeof info->driver, "C11");
    snprintf(info->version, sizeof info->version, "exact 1");
    snprintf(info->type, sizeof info->type, "reference");
    info->platform_index = -1;
    info->compute_units = 1;
    info->max_work_group = 1;
    info->available = 1;
#ifdef _SC_PHYS_PAGES
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0) info->global_bytes = (int64_t)pages * page;
#endif
    info->max_alloc_bytes = info->global_bytes;
}

static cairn_status list(void (*each)(void *context, const struct cairn_device_info *info),
                         void *context)
{
    struct cairn_device_info info;
    describe(&info);
    each(context, &info);
    return CAIRN_OK;
}

static cairn_status probe(struct cairn_device_info *info)
{
    const char *failed = ref_probe();
    info->probed = 1;
    info->exact = failed == NULL;
    snprintf(info->probe_note, sizeof info->probe_note, "%s", failed ? failed : "");
    return CAIRN_OK;
}

static void close_backend(struct cairn_backend *backend)
{
    free(((struct ref_backend *)backend)->tile);
    free(backend);
}

static cairn_status sync_backend(struct cairn_backend *backend)
{
    (void)backend;
    return CAIRN_OK;
}

static cairn_status alloc(struct cairn_backend *backend, size_t bytes, struct cairn_buffer **buffer)
{
    (void)backend;
    size_t rounded = (bytes + 63) / 64 * 64;
    struct ref_buffer *fresh = calloc(1, sizeof *fresh);
    if (fresh && rounded >= bytes) fresh->data = aligned_alloc(64, rounded);
    if (!fresh || !fresh->data) {
        free(fresh);
        return cairn_fail(CAIRN_MEMORY, "reference: no memory for a buffer of %zu bytes", bytes);
    }
    *buffer = &fresh->base;
    return CAIRN_OK;
}

static void release(struct cairn_backend *backend, struct cairn_buffer *buffer)
{
    (void)backend;
    free(((struct ref_buffer *)buffer)->data);
    free(buffer);
}

static cairn_status write_bytes(struct cairn_backend *backend, struct cairn_buffer *buffer,
                                size_t offset, const void *data, size_t bytes)
{
    (void)backend;
    memcpy(((struct ref_buffer *)buffer)->data + offset, data, bytes);
    return CAIRN_OK;
}

static cairn_status read_bytes(struct cairn_backend *backend, struct cairn_buffer *buffer,
                               size_t offset, void *data, size_t bytes)
{
    (void)backend;
    memcpy(data, ((struct ref_buffer *)buffer)->data + offset, bytes);
    return CAIRN_OK;
}

static cairn_status copy(struct cairn_backend *backend, struct cairn_buffer *to, size_t to_offset,
                         struct cairn_buffer *from, size_t from_offset, size_t bytes)
{
    (void)backend;
    memcpy(((struct ref_buffer *)to)->data + to_offset,
           ((struct ref_buffer *)from)->data + from_offset, bytes);
    return CAIRN_OK;
}

static cairn_status fill(struct cairn_backend *backend, struct cairn_buffer *buffer, size_t offset,
                         size_t bytes, uint32_t pattern)
{
    (void)backend;
    unsigned char *at = ((struct ref_buffer *)buffer)->data + offset;
    for (size_t i = 0; i < bytes; i += sizeof pattern) memcpy(at + i, &pattern, sizeof pattern);
    return CAIRN_OK;
}

static int variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                    struct cairn_variant list_[CAIRN_MAX_VARIANTS])
{
    (void)backend;
    int64_t work =
        problem->op == CAIRN_OP_CONV_POOL ? cairn_conv_pool_between(&problem->u.conv) : 0;
    list_[0] = (struct cairn_variant){.name = "plain", .preferred = 1, .work = work};
    return 1;
}

static const struct cairn_backend_ops ops = {.close = close_backend,
                                             .sync = sync_backend,
                                             .alloc = alloc,
                                             .release = release,
                                             .write = write_bytes,
                                             .read = read_bytes,
                                             .copy = copy,
                                             .fill = fill,
                                             .variants = variants,
                                             .function = ref_function,
#define ROW(slot, NAME, type, member) .slot = ref_##slot,
                                             CAIRN_OP_LIST(ROW)
#undef ROW
};

/* Both modes are the exact one; a host that fails the probe cannot be the definition in either. */
static cairn_status open_backend(const struct cairn_device_info *info,
                                 const struct cairn_device_options *options,
                                 struct cairn_backend **backend)
{
    struct cairn_device_info probed = *info;
    if (options->kernels)
        return cairn_fail(CAIRN_INVALID,
                          "reference: it has no kernels that those of %s could stand for; use an "
                          "OpenCL device",
                          options->kernels);
    probe(&probed);
    if (!probed.exact)
        return cairn_fail(CAIRN_UNSUPPORTED,
                          "reference: this process does not compute as IEEE 754 asks: %s (look for "
                          "libraries built with "
                          "-ffast-math, or a changed rounding mode)",
                          probed.probe_note);
    struct ref_backend *fresh = calloc(1, sizeof *fresh);
    if (fresh) fresh->tile = ref_tile_create();
    if (!fresh || !fresh->tile) {
        free(fresh);
        return cairn_fail(CAIRN_MEMORY, "reference: out of memory");
    }
    fresh->base.ops = &ops;
    fresh->base.info = probed;
    fresh->base.options = *options;
    *backend = &fresh->base;
    return CAIRN_OK;
}

const struct cairn_driver cairn_reference_driver = {"reference", list, open_backend, probe, NULL};
