/* Launching kernels: arguments, work sizes, and device time per kernel. */
#include "opencl/runtime.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_EVERY 16

/* Device time, summed when events are collected: at most PENDING of them are held. */
#define PENDING 256
struct ocl_time {
    char name[64];
    int64_t calls;
    double seconds;
};
struct ocl_profile {
    struct {
        cl_event event;
        cl_kernel kernel;
    } pending[PENDING];
    int count, times_count, times_room;
    struct ocl_time *times;
};

cairn_status ocl_profile_create(struct ocl_profile **profile)
{
    *profile = calloc(1, sizeof **profile);
    return *profile ? CAIRN_OK : cairn_fail(CAIRN_MEMORY, "out of memory");
}

void ocl_profile_destroy(struct ocl_profile *profile)
{
    if (!profile) return;
    for (int i = 0; i < profile->count; i++) clReleaseEvent(profile->pending[i].event);
    free(profile->times);
    free(profile);
}

/* The sum for a kernel's name, made when new; NULL when out of memory. */
static struct ocl_time *time_of(struct ocl_profile *profile, const char *name)
{
    for (int i = 0; i < profile->times_count; i++)
        if (!strcmp(profile->times[i].name, name)) return &profile->times[i];
    if (profile->times_count == profile->times_room) {
        int room = profile->times_room ? 2 * profile->times_room : 32;
        struct ocl_time *grown = realloc(profile->times, (size_t)room * sizeof *grown);
        if (!grown) return NULL;
        profile->times = grown;
        profile->times_room = room;
    }
    struct ocl_time *fresh = &profile->times[profile->times_count++];
    memset(fresh, 0, sizeof *fresh);
    snprintf(fresh->name, sizeof fresh->name, "%s", name);
    return fresh;
}

/* Waits for the pending events, adds their times and releases them. */
static cairn_status profile_collect(struct ocl_backend *be)
{
    cairn_status st = CAIRN_OK;
    struct ocl_profile *profile = be->profile;
    cl_int error = clFinish(be->queue);
    if (error) st = ocl_fail(error, "waiting for the device");
    for (int i = 0; i < profile->count; i++) {
        cl_ulong start = 0, end = 0;
        cl_event event = profile->pending[i].event;
        struct ocl_kernel *record = ocl_kernel_record(be, profile->pending[i].kernel);
        struct ocl_time *time = time_of(profile, record->name);
        if (!time) st = cairn_fail(CAIRN_MEMORY, "out of memory");
        if (time &&
            clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start, &start,
                                    NULL) == 0 &&
            clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL) == 0 &&
            end >= start) {
            time->calls++;
            time->seconds += 1e-9 * (double)(end - start);
        }
        clReleaseEvent(event);
    }
    profile->count = 0;
    return st;
}

cairn_status ocl_profile_each(struct cairn_backend *backend,
                              void (*each)(void *context, const char *kernel, int64_t calls,
                                           double seconds),
                              void *context)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    if (!be->profile)
        return cairn_fail(CAIRN_INVALID, "the device was not opened with profile = 1");
    TRY(profile_collect(be));
    for (int i = 0; i < be->profile->times_count; i++) {
        const struct ocl_time *time = &be->profile->times[i];
        each(context, time->name, time->calls, time->seconds);
    }
out:
    return st;
}

void ocl_enqueued(struct ocl_backend *be)
{
    if (++be->unflushed < FLUSH_EVERY) return;
    clFlush(be->queue);
    be->unflushed = 0;
}

/* One letter of the format, see opencl.h. Returns the CL error and counts the kernel's arguments.
 */
static cl_int set_arg(cl_kernel kernel, cl_uint *index, char letter, va_list *args)
{
    switch (letter) {
    case 'm': {
        const struct cairn_mem *mem = va_arg(*args, const struct cairn_mem *);
        cl_mem handle = mem->buffer ? ((struct ocl_buffer *)mem->buffer)->mem : NULL;
        cl_ulong offset = mem->buffer ? (cl_ulong)mem->offset : 0;
        cl_int error = clSetKernelArg(kernel, (*index)++, sizeof handle, handle ? &handle : NULL);
        return error ? error : clSetKernelArg(kernel, (*index)++, sizeof offset, &offset);
    }
    case 'i': {
        cl_int value = va_arg(*args, int);
        return clSetKernelArg(kernel, (*index)++, sizeof value, &value);
    }
    case 'u': {
        cl_uint value = va_arg(*args, uint32_t);
        return clSetKernelArg(kernel, (*index)++, sizeof value, &value);
    }
    case 'l': {
        cl_long value = va_arg(*args, int64_t);
        return clSetKernelArg(kernel, (*index)++, sizeof value, &value);
    }
    case 'U': {
        cl_ulong value = va_arg(*args, uint64_t);
        return clSetKernelArg(kernel, (*index)++, sizeof value, &value);
    }
    case 'f': {
        cl_float value = (cl_float)va_arg(*args, double);
        return clSetKernelArg(kernel, (*index)++, sizeof value, &value);
    }
    case 'L':
        return clSetKernelArg(kernel, (*index)++, va_arg(*args, size_t), NULL);
    }
    return CL_INVALID_ARG_VALUE;
}

static cairn_status set_args(struct ocl_backend *be, cl_kernel kernel, const char *format,
                             va_list *args)
{
    cl_uint index = 0;
    for (const char *p = format; *p; p++) {
        cl_int error = set_arg(kernel, &index, *p, args);
        if (!error) continue;
        char what[128];
        snprintf(what, sizeof what, "argument %d of kernel %s", (int)(p - format),
                 ocl_kernel_record(be, kernel)->name);
        return ocl_fail(error, what);
    }
    return CAIRN_OK;
}

static cairn_status enqueue(struct ocl_backend *be, cl_kernel kernel, int dims,
                            const size_t *global, const size_t *local)
{
    cairn_status st = CAIRN_OK;
    cl_event event = NULL;
    for (int i = 0; i < dims; i++)
        if (global[i] == 0) return CAIRN_OK;
    if (be->profile && be->profile->count == PENDING) TRY(profile_collect(be));
    cl_int error = clEnqueueNDRangeKernel(be->queue, kernel, (cl_uint)dims, NULL, global, local, 0,
                                          NULL, be->profile ? &event : NULL);
    if (error) {
        char what[160];
        snprintf(what, sizeof what, "launching kernel %s", ocl_kernel_record(be, kernel)->name);
        return ocl_fail(error, what);
    }
    if (event) {
        be->profile->pending[be->profile->count].event = event;
        be->profile->pending[be->profile->count++].kernel = kernel;
    }
    be->base.launches++;
    ocl_enqueued(be);
out:
    return st;
}

cairn_status ocl_launch(struct ocl_backend *be, cl_kernel kernel, int dims, const size_t *global,
                        const size_t *local, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cairn_status st = set_args(be, kernel, format, &args);
    va_end(args);
    return st == CAIRN_OK ? enqueue(be, kernel, dims, global, local) : st;
}

cairn_status ocl_launch_1d(struct ocl_backend *be, cl_kernel kernel, int64_t items, int64_t most,
                           const char *format, ...)
{
    size_t group = ocl_kernel_record(be, kernel)->group;
    if (items <= 0) return CAIRN_OK;
    if (most > 0 && items > most) items = most;
    if (group > 256) group = 256;
    size_t global = ((size_t)items + group - 1) / group * group;
    va_list args;
    va_start(args, format);
    cairn_status st = set_args(be, kernel, format, &args);
    va_end(args);
    return st == CAIRN_OK ? enqueue(be, kernel, 1, &global, &group) : st;
}
