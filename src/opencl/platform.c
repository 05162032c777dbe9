/* Enumeration. Platforms without devices, that fail or that are not there at all are no error:
 * nothing is listed. */
#include "opencl/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLATFORMS 32
#define DEVICES 64

/* An info text, cut to size and freed of surrounding blanks; "" when the query fails. */
static void device_text(cl_device_id device, cl_device_info what, char *text, size_t size)
{
    char raw[1024];
    size_t length = 0;
    if (clGetDeviceInfo(device, what, sizeof raw, raw, &length) != CL_SUCCESS || length == 0)
        length = 1;
    raw[length - 1] = '\0';
    const char *start = raw + strspn(raw, " ");
    snprintf(text, size, "%.*s", (int)size - 1, start);
    for (size_t n = strlen(text); n && text[n - 1] == ' '; n--) text[n - 1] = '\0';
}

static cl_ulong device_number(cl_device_id device, cl_device_info what, size_t size)
{
    cl_ulong wide = 0;
    cl_uint narrow = 0;
    size_t word = 0;
    if (size == sizeof narrow)
        return clGetDeviceInfo(device, what, size, &narrow, NULL) == CL_SUCCESS ? narrow : 0;
    if (what == CL_DEVICE_MAX_WORK_GROUP_SIZE)
        return clGetDeviceInfo(device, what, sizeof word, &word, NULL) == CL_SUCCESS ? word : 0;
    return clGetDeviceInfo(device, what, sizeof wide, &wide, NULL) == CL_SUCCESS ? wide : 0;
}
#define NUMBER(what, type) ((int64_t)device_number(device, what, sizeof(type)))

static const char *type_name(cl_device_id device)
{
    cl_device_type type = 0;
    if (clGetDeviceInfo(device, CL_DEVICE_TYPE, sizeof type, &type, NULL) != CL_SUCCESS) type = 0;
    return type & CL_DEVICE_TYPE_CPU   ? "cpu"
           : type & CL_DEVICE_TYPE_GPU ? "gpu"
                                       : "accelerator"; /* a simulator says all */
}

/* Why a device cannot be used; "" if it can. */
static void find_obstacle(cl_device_id device, struct cairn_device_info *info)
{
    int major = 0, minor = 0;
    const char *why = "";
    if (!NUMBER(CL_DEVICE_AVAILABLE, cl_bool))
        why = "its driver says that it is not available";
    else if (!NUMBER(CL_DEVICE_COMPILER_AVAILABLE, cl_bool))
        why = "it has no compiler";
    else if (!NUMBER(CL_DEVICE_ENDIAN_LITTLE, cl_bool))
        why = "it is big-endian";
    else if (sscanf(info->version, "OpenCL %d.%d", &major, &minor) != 2 || major * 10 + minor < 12)
        why = "it does not support OpenCL 1.2";
    snprintf(info->note, sizeof info->note, "%s", why);
    info->available = !*why;
}

static void describe(cl_platform_id platform, cl_device_id device, int p, int d,
                     struct cairn_device_info *info)
{
    memset(info, 0, sizeof *info);
    snprintf(info->spec, sizeof info->spec, "opencl:%d.%d", p, d);
    info->platform_index = p;
    info->device_index = d;
    device_text(device, CL_DEVICE_NAME, info->name, sizeof info->name);
    device_text(device, CL_DEVICE_VENDOR, info->vendor, sizeof info->vendor);
    device_text(device, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
    device_text(device, CL_DEVICE_VERSION, info->version, sizeof info->version);
    size_t length = 0;
    if (clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof info->platform - 1, info->platform,
                          &length) != CL_SUCCESS)
        info->platform[0] = '\0';
    snprintf(info->type, sizeof info->type, "%s", type_name(device));
    info->compute_units = NUMBER(CL_DEVICE_MAX_COMPUTE_UNITS, cl_uint);
    info->max_work_group = NUMBER(CL_DEVICE_MAX_WORK_GROUP_SIZE, size_t);
    info->local_bytes = NUMBER(CL_DEVICE_LOCAL_MEM_SIZE, cl_ulong);
    info->global_bytes = NUMBER(CL_DEVICE_GLOBAL_MEM_SIZE, cl_ulong);
    info->max_alloc_bytes = NUMBER(CL_DEVICE_MAX_MEM_ALLOC_SIZE, cl_ulong);
    find_obstacle(device, info);
}

/* Both lists are empty when the query fails; platforms keep their numbers, empty ones too. */
static cl_uint list_platforms(cl_platform_id platforms[PLATFORMS])
{
    cl_uint count = 0;
    if (clGetPlatformIDs(PLATFORMS, platforms, &count) != CL_SUCCESS) return 0;
    return count < PLATFORMS ? count : PLATFORMS;
}

static cl_uint list_devices(cl_platform_id platform, cl_device_id devices[DEVICES])
{
    cl_uint count = 0;
    if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, DEVICES, devices, &count) != CL_SUCCESS)
        return 0;
    return count < DEVICES ? count : DEVICES;
}

cairn_status ocl_list(void (*each)(void *context, const struct cairn_device_info *info),
                      void *context)
{
    cl_platform_id platforms[PLATFORMS];
    cl_device_id devices[DEVICES];
    cl_uint platform_count = list_platforms(platforms);
    for (cl_uint p = 0; p < platform_count; p++) {
        cl_uint device_count = list_devices(platforms[p], devices);
        for (cl_uint d = 0; d < device_count; d++) {
            struct cairn_device_info info;
            describe(platforms[p], devices[d], (int)p, (int)d, &info);
            each(context, &info);
        }
    }
    return CAIRN_OK;
}

cairn_status ocl_device_at(int platform_index, int device_index, cl_platform_id *platform,
                           cl_device_id *device)
{
    cl_platform_id platforms[PLATFORMS];
    cl_device_id devices[DEVICES];
    if ((cl_uint)platform_index < list_platforms(platforms)) {
        *platform = platforms[platform_index];
        if ((cl_uint)device_index < list_devices(*platform, devices)) {
            *device = devices[device_index];
            return CAIRN_OK;
        }
    }
    return cairn_fail(CAIRN_NOT_FOUND, "device opencl:%d.%d is gone", platform_index, device_index);
}
