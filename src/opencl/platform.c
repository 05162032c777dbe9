/* Enumeration. Platforms without devices, or that are not there at all, are no error: nothing is
 * listed. A device whose driver fails to describe it is listed as not usable, with the reason. */
#include "opencl/runtime.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLATFORMS 32
#define DEVICES 64

/* The first calls make loader and drivers set themselves up, which not all of them do so that a
 * second thread can wait for it: ocl-icd 2.3 then shows that thread no platform. One at a time. */
static pthread_mutex_t listing = PTHREAD_MUTEX_INITIALIZER;

/* A device that is asked for its properties, and how the first question that failed did. */
struct asked {
    cl_platform_id platform;
    cl_device_id device;
    char failed[128]; /* "": none */
};

static void note_failure(struct asked *asked, const char *what, cl_int error)
{
    if (!*asked->failed)
        snprintf(asked->failed, sizeof asked->failed, "asking for %s: %s (%d)", what,
                 ocl_error_name(error), (int)error);
}

/* An info text, cut to size and freed of surrounding blanks; "" when the query fails. The
 * platform's name, or a property of the device. */
static void ask_text(struct asked *asked, cl_uint what, const char *name, char *text, size_t size)
{
    char raw[1024];
    size_t length = 0;
    cl_int error = what == CL_PLATFORM_NAME
                       ? clGetPlatformInfo(asked->platform, what, sizeof raw, raw, &length)
                       : clGetDeviceInfo(asked->device, what, sizeof raw, raw, &length);
    if (error) note_failure(asked, name, error);
    if (error || length == 0) length = 1;
    raw[length - 1] = '\0';
    const char *start = raw + strspn(raw, " ");
    snprintf(text, size, "%.*s", (int)size - 1, start);
    for (size_t n = strlen(text); n && text[n - 1] == ' '; n--) text[n - 1] = '\0';
}
#define TEXT(what, text) ask_text(asked, what, #what, text, sizeof text)

/* A number of 4 or 8 bytes, or of size_t's; 0 when the query fails. */
static int64_t ask_number(struct asked *asked, cl_device_info what, const char *name, size_t size)
{
    unsigned char bytes[8] = {0};
    uint64_t wide;
    uint32_t narrow;
    cl_int error = clGetDeviceInfo(asked->device, what, size, bytes, NULL);
    if (error) {
        note_failure(asked, name, error);
        return 0;
    }
    memcpy(&narrow, bytes, sizeof narrow);
    memcpy(&wide, bytes, sizeof wide);
    return size == sizeof narrow ? (int64_t)narrow : (int64_t)wide;
}
#define NUMBER(what, type) ask_number(asked, what, #what, sizeof(type))

static const char *type_name(struct asked *asked)
{
    cl_device_type type = (cl_device_type)NUMBER(CL_DEVICE_TYPE, cl_device_type);
    return type & CL_DEVICE_TYPE_CPU   ? "cpu"
           : type & CL_DEVICE_TYPE_GPU ? "gpu"
                                       : "accelerator"; /* a simulator says all */
}

/* Why a device cannot be used; "" if it can. */
static void find_obstacle(struct asked *asked, struct cairn_device_info *info)
{
    int major = 0, minor = 0;
    int64_t available = NUMBER(CL_DEVICE_AVAILABLE, cl_bool),
            compiler = NUMBER(CL_DEVICE_COMPILER_AVAILABLE, cl_bool),
            little = NUMBER(CL_DEVICE_ENDIAN_LITTLE, cl_bool);
    const char *why = asked->failed;
    if (*why)
        ; /* nothing that it says can be built upon */
    else if (!available)
        why = "its driver says that it is not available";
    else if (!compiler)
        why = "it has no compiler";
    else if (!little)
        why = "it is big-endian";
    else if (sscanf(info->version, "OpenCL %d.%d", &major, &minor) != 2 || major * 10 + minor < 12)
        why = "it does not support OpenCL 1.2";
    snprintf(info->note, sizeof info->note, "%s", why);
    info->available = !*why;
}

/* What the driver says of float arithmetic, for who reads a report; the probe believes none of it.
 */
static void list_features(struct asked *asked, struct cairn_device_info *info)
{
    static const struct {
        cl_device_fp_config bit;
        const char *name;
    } bits[] = {{CL_FP_DENORM, "denormals"},
                {CL_FP_FMA, "fma"},
                {CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT, "rounded-division"},
                {CL_FP_SOFT_FLOAT, "soft-float"}};
    cl_device_fp_config config =
        (cl_device_fp_config)NUMBER(CL_DEVICE_SINGLE_FP_CONFIG, cl_device_fp_config);
    char *text = info->features;
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        if (config & bits[i].bit)
            snprintf(text + strlen(text), sizeof info->features - strlen(text), "%s%s",
                     *text ? " " : "", bits[i].name);
    if (!*text) snprintf(text, sizeof info->features, "none");
}

static void begin(int p, int d, struct cairn_device_info *info)
{
    memset(info, 0, sizeof *info);
    snprintf(info->spec, sizeof info->spec, "opencl:%d.%d", p, d);
    info->platform_index = p;
    info->device_index = d;
}

static void describe(struct asked *asked, struct cairn_device_info *info)
{
    TEXT(CL_DEVICE_NAME, info->name);
    TEXT(CL_DEVICE_VENDOR, info->vendor);
    TEXT(CL_DRIVER_VERSION, info->driver);
    TEXT(CL_DEVICE_VERSION, info->version);
    TEXT(CL_PLATFORM_NAME, info->platform);
    snprintf(info->type, sizeof info->type, "%s", type_name(asked));
    info->compute_units = NUMBER(CL_DEVICE_MAX_COMPUTE_UNITS, cl_uint);
    info->max_work_group = NUMBER(CL_DEVICE_MAX_WORK_GROUP_SIZE, size_t);
    info->local_bytes = NUMBER(CL_DEVICE_LOCAL_MEM_SIZE, cl_ulong);
    info->global_bytes = NUMBER(CL_DEVICE_GLOBAL_MEM_SIZE, cl_ulong);
    info->max_alloc_bytes = NUMBER(CL_DEVICE_MAX_MEM_ALLOC_SIZE, cl_ulong);
    list_features(asked, info);
    find_obstacle(asked, info);
}

/* Platforms keep their numbers, empty ones too. Without any platform the loader gives an error of
 * its own. */
static cairn_status list_platforms(cl_platform_id platforms[PLATFORMS], cl_uint *count)
{
    const cl_int none = -1001; /* CL_PLATFORM_NOT_FOUND_KHR */
    pthread_mutex_lock(&listing);
    cl_int error = clGetPlatformIDs(PLATFORMS, platforms, count);
    pthread_mutex_unlock(&listing);
    if (error) *count = 0;
    if (*count > PLATFORMS) *count = PLATFORMS;
    return error && error != none ? ocl_fail(error, "listing the OpenCL platforms") : CAIRN_OK;
}

static cl_int list_devices(cl_platform_id platform, cl_device_id devices[DEVICES], cl_uint *count)
{
    pthread_mutex_lock(&listing);
    cl_int error = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, DEVICES, devices, count);
    pthread_mutex_unlock(&listing);
    if (error) *count = 0;
    if (*count > DEVICES) *count = DEVICES;
    return error == CL_DEVICE_NOT_FOUND ? CL_SUCCESS : error;
}

/* What stands for a platform that fails to list its devices. */
static void describe_failed(cl_platform_id platform, int p, cl_int error,
                            struct cairn_device_info *info)
{
    struct asked plain = {.platform = platform}, *asked = &plain;
    begin(p, 0, info);
    TEXT(CL_PLATFORM_NAME, info->platform);
    snprintf(info->name, sizeof info->name, "devices that are not listed");
    snprintf(info->type, sizeof info->type, "accelerator");
    snprintf(info->note, sizeof info->note, "listing its devices: %s (%d)", ocl_error_name(error),
             (int)error);
}

cairn_status ocl_list(void (*each)(void *context, const struct cairn_device_info *info),
                      void *context)
{
    cairn_status st = CAIRN_OK;
    cl_platform_id platforms[PLATFORMS];
    cl_device_id devices[DEVICES];
    cl_uint platform_count, device_count;
    TRY(list_platforms(platforms, &platform_count));
    for (cl_uint p = 0; p < platform_count; p++) {
        struct cairn_device_info info;
        cl_int error = list_devices(platforms[p], devices, &device_count);
        if (error) {
            describe_failed(platforms[p], (int)p, error, &info);
            each(context, &info);
        }
        for (cl_uint d = 0; d < device_count; d++) {
            struct asked asked = {.platform = platforms[p], .device = devices[d]};
            begin((int)p, (int)d, &info);
            describe(&asked, &info);
            each(context, &info);
        }
    }
out:
    return st;
}

cairn_status ocl_device_at(int platform_index, int device_index, cl_platform_id *platform,
                           cl_device_id *device)
{
    cairn_status st = CAIRN_OK;
    cl_platform_id platforms[PLATFORMS];
    cl_device_id devices[DEVICES];
    cl_uint count;
    TRY(list_platforms(platforms, &count));
    if ((cl_uint)platform_index < count) {
        *platform = platforms[platform_index];
        cl_int error = list_devices(*platform, devices, &count);
        if (error) return ocl_fail(error, "listing the devices of a platform");
        if ((cl_uint)device_index < count) {
            *device = devices[device_index];
            return CAIRN_OK;
        }
    }
    st = cairn_fail(CAIRN_NOT_FOUND, "device opencl:%d.%d is gone", platform_index, device_index);
out:
    return st;
}
