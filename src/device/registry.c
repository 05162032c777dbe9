/* Finding and opening devices by text. */
#include "base/error.h"
#include "device/device.h"
#include "device/failures.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct cairn_driver *const drivers[] = {&cairn_reference_driver, &cairn_opencl_driver};
#define DRIVERS (sizeof drivers / sizeof *drivers)

cairn_status cairn_device_list(void (*each)(void *context, const struct cairn_device_info *info),
                               void *context)
{
    cairn_status st = CAIRN_OK;
    for (size_t i = 0; i < DRIVERS; i++) TRY(drivers[i]->list(each, context));
out:
    return st;
}

/* "opencl:1" splits into the kind and what selects within it. */
struct search {
    const char *selector;
    struct cairn_device_info best;
    int found, best_rank, count;
    char seen[512];
};

static int contains(const char *text, const char *part)
{
    size_t n = strlen(part);
    for (; *text; text++)
        if (!strncasecmp(text, part, n)) return 1;
    return 0;
}

static int is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

static int matches(const struct search *search, const struct cairn_device_info *info)
{
    const char *want = search->selector;
    int platform, device, used = 0;
    if (!*want) return 1;
    if (is_number(want)) return strlen(want) < 9 && atoi(want) == search->count;
    if (isdigit((unsigned char)*want) &&
        sscanf(want, "%8d.%8d%n", &platform, &device, &used) == 2 && !want[used])
        return platform == info->platform_index && device == info->device_index;
    return contains(info->name, want) || contains(info->platform, want) ||
           contains(info->vendor, want);
}

static int rank_of(const struct cairn_device_info *info)
{
    return !strcmp(info->type, "gpu") ? 3 : !strcmp(info->type, "accelerator") ? 2 : 1;
}

static void consider(void *context, const struct cairn_device_info *info)
{
    struct search *search = context;
    size_t n = strlen(search->seen);
    snprintf(search->seen + n, sizeof search->seen - n, "%s%s (%s%s%s)", n ? ", " : "", info->spec,
             info->name,
             info->available ? "" : ", not usable: ", info->available ? "" : info->note);
    int rank = rank_of(info);
    if (info->available && matches(search, info) && (!search->found || rank > search->best_rank)) {
        search->best = *info;
        search->best_rank = rank;
        search->found = 1;
    }
    search->count++;
}

static cairn_status find(const char *spec, const struct cairn_driver **driver,
                         struct cairn_device_info *info)
{
    cairn_status st = CAIRN_OK;
    size_t kind_length = strcspn(spec, ":");
    *driver = NULL;
    for (size_t i = 0; i < DRIVERS; i++)
        if (strlen(drivers[i]->kind) == kind_length &&
            !strncmp(drivers[i]->kind, spec, kind_length))
            *driver = drivers[i];
    if (!*driver || (spec[kind_length] == ':' && !spec[kind_length + 1]))
        return cairn_fail(CAIRN_NOT_FOUND,
                          "device '%s' is unknown: use reference, opencl, opencl:N, "
                          "opencl:PLATFORM.DEVICE or opencl:NAME",
                          spec);
    struct search search = {.selector = spec[kind_length] ? spec + kind_length + 1 : ""};
    TRY((*driver)->list(consider, &search));
    if (!search.count)
        return cairn_fail(CAIRN_DEVICE,
                          "no device matches '%s': there is no OpenCL device; install a driver "
                          "(pocl-opencl-icd runs on "
                          "any CPU) or use the device 'reference'",
                          spec);
    if (!search.found)
        return cairn_fail(CAIRN_NOT_FOUND, "no device matches '%s'; there %s %s", spec,
                          search.count == 1 ? "is" : "are", search.seen);
    *info = search.best;
out:
    return st;
}

cairn_status cairn_device_find(const char *spec, struct cairn_device_info *info)
{
    const struct cairn_driver *driver;
    return find(spec, &driver, info);
}

cairn_status cairn_device_probe(const char *spec, struct cairn_device_info *info)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_driver *driver;
    TRY(find(spec, &driver, info));
    assert(driver);
    TRY(driver->probe(info));
out:
    return st;
}

cairn_status cairn_device_sources(const struct cairn_device_info *info, char digest[65])
{
    for (size_t i = 0; i < DRIVERS; i++) {
        size_t n = strlen(drivers[i]->kind);
        if (strncmp(drivers[i]->kind, info->spec, n) != 0 ||
            (info->spec[n] && info->spec[n] != ':'))
            continue;
        if (drivers[i]->sources) return drivers[i]->sources(digest);
        memset(digest, '0', 64);
        digest[64] = '\0';
        return CAIRN_OK;
    }
    return cairn_fail(CAIRN_NOT_FOUND, "device '%s' is unknown", info->spec);
}

static cairn_status refuse_failed(const struct cairn_device_info *info,
                                  const struct cairn_failures *failures)
{
    const char *how = cairn_failures_find(failures, "device");
    if (!how) return CAIRN_OK;
    return cairn_fail(CAIRN_UNSUPPORTED,
                      "%s (%s) failed before and is not used for exact arithmetic: %.250s; `cairn "
                      "doctor --device %s` tries it again; else use fast math or another device",
                      info->spec, info->name, how, info->spec);
}

/* Adds a variant to the backend's list, and to the text in its info; 0 if there is no room. */
static int avoid(struct cairn_backend *backend, const char *op, const char *name)
{
    char *text = backend->info.avoided;
    size_t size = sizeof backend->info.avoided, n = strlen(text);
    if (backend->avoided_count == CAIRN_MAX_AVOIDED) return 0;
    backend->avoided[backend->avoided_count].op = cairn_op_find(op);
    snprintf(backend->avoided[backend->avoided_count++].name, sizeof backend->avoided[0].name, "%s",
             name);
    snprintf(text + n, size - n, "%s%s=%s", n ? " " : "", op, name);
    return 1;
}

/* Entries "variant OP NAME". */
static void avoid_failed(struct cairn_backend *backend, const struct cairn_failures *failures)
{
    char op[48], name[16];
    for (int i = 0; i < failures->count; i++)
        if (sscanf(failures->items[i].what, "variant %47s %15s", op, name) == 2 &&
            cairn_op_find(op) != CAIRN_OP_COUNT)
            avoid(backend, op, name);
}

int cairn_backend_failed(struct cairn_backend *backend, const struct cairn_problem *problem,
                         int variant, const char *how)
{
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    char what[96];
    const char *op = cairn_op_name(problem->op);
    memset(variants, 0, sizeof variants);
    int count = backend->ops->variants(backend, problem, variants), others = 0;
    if (variant >= count || backend->options.unchecked || cairn_is_forced(backend, problem->op))
        return 0;
    const char *name = variants[variant].name;
    for (int i = 0; i < count; i++)
        others += i != variant && !cairn_is_avoided(backend, problem->op, variants[i].name);
    if (!others) return 0;
    if (cairn_is_avoided(backend, problem->op, name)) return 1;
    if (!avoid(backend, op, name)) return 0;
    snprintf(what, sizeof what, "variant %s %s", op, name);
    /* Where it cannot be written down, the next start finds out again. */
    if (backend->options.math == CAIRN_MATH_EXACT)
        (void)cairn_failures_record(&backend->info, what, how);
    return 1;
}

cairn_status cairn_device_open(const char *spec, const struct cairn_device_options *options,
                               struct cairn_device **device)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_driver *driver;
    struct cairn_device_info info;
    struct cairn_device_options plain = {0};
    struct cairn_failures failures = {0};
    *device = NULL;
    struct cairn_device *fresh = calloc(1, sizeof *fresh);
    if (!fresh) return cairn_fail(CAIRN_MEMORY, "out of memory");
    TRY(find(spec, &driver, &info));
    assert(driver);
    if (!options) options = &plain;
    int heeds = driver->sources && options->math == CAIRN_MATH_EXACT && !options->unchecked &&
                !options->kernels;
    if (heeds) TRY(cairn_failures_read(&info, &failures));
    TRY(refuse_failed(&info, &failures));
    TRY(driver->open(&info, options, &fresh->backend));
    avoid_failed(fresh->backend, &failures);
    if (options->profile) TRY(cairn_profile_create(&fresh->backend->profile));
    *device = fresh;
    fresh = NULL;
out:
    if (fresh && fresh->backend) fresh->backend->ops->close(fresh->backend);
    free(fresh);
    cairn_failures_free(&failures);
    return st;
}

void cairn_device_close(struct cairn_device *device)
{
    if (!device) return;
    struct cairn_profile *profile = device->backend->profile;
    device->backend->ops->close(device->backend);
    cairn_choices_destroy(device->choices);
    cairn_own_kernels_free(device);
    cairn_profile_destroy(profile);
    free(device);
}

const struct cairn_device_info *cairn_device_info(const struct cairn_device *device)
{
    return &device->backend->info;
}

enum cairn_math cairn_device_math(const struct cairn_device *device)
{
    return device->backend->options.math;
}

int64_t cairn_device_launches(const struct cairn_device *device)
{
    return device->backend->launches;
}
