/* Launching kernels: arguments, work sizes, and the time that each launch took. */
#include "opencl/helper.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_EVERY 16

/* Launches whose times are not known yet, oldest first. */
#define PENDING 512
struct ocl_profile {
    struct {
        cl_event event;
        cl_kernel kernel;
        struct cairn_mark mark;
    } pending[PENDING];
    int count;
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
    free(profile);
}

/* Start and end of a launch by the device's clock; 0 where it gives none. */
static int times_of(cl_event event, struct cairn_launch *launch)
{
    cl_ulong start = 0, end = 0;
    if (clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start, &start, NULL) ||
        clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL) ||
        end < start)
        return 0;
    launch->start = 1e-9 * (double)start;
    launch->seconds = 1e-9 * (double)(end - start);
    return 1;
}

/* Waits for the oldest `count` launches, adds their times and lets go of them; what is behind them
 * goes on. */
static cairn_status profile_collect(struct ocl_backend *be, int count)
{
    cairn_status st = CAIRN_OK;
    struct ocl_profile *profile = be->profile;
    if (count == 0) return CAIRN_OK;
    clFlush(be->queue);
    be->unflushed = 0;
    cl_int error = clWaitForEvents(1, &profile->pending[count - 1].event);
    if (error) st = ocl_fail(error, "waiting for the device");
    for (int i = 0; i < count; i++) {
        struct cairn_launch launch = {.mark = profile->pending[i].mark};
        launch.kernel = ocl_kernel_record(be, profile->pending[i].kernel)->name;
        if (st == CAIRN_OK && times_of(profile->pending[i].event, &launch))
            st = cairn_profile_add(be->base.profile, &launch);
        clReleaseEvent(profile->pending[i].event);
    }
    profile->count -= count;
    memmove(profile->pending, profile->pending + count,
            (size_t)profile->count * sizeof *profile->pending);
    return st;
}

cairn_status ocl_profile_collect(struct cairn_backend *backend)
{
    struct ocl_backend *be = ocl_of(backend);
    return profile_collect(be, be->profile->count);
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

/* One work-group, waited for: what a helper does of a launch. */
static cairn_status enqueue_one(struct ocl_backend *be, cl_kernel kernel, int dims,
                                const size_t *local)
{
    const char *name = ocl_kernel_record(be, kernel)->name;
    const size_t one[3] = {1, 1, 1};
    char what[160];
    ocl_helper_launches(name);
    cl_int error = clEnqueueNDRangeKernel(be->queue, kernel, (cl_uint)dims, NULL,
                                          local ? local : one, local, 0, NULL, NULL);
    if (!error) error = clFinish(be->queue);
    snprintf(what, sizeof what, "launching kernel %s", name);
    return error ? ocl_fail(error, what) : CAIRN_OK;
}

/* While noting nothing is launched, but for the kernels that a helper tries. */
static int is_left_out(struct ocl_backend *be, cl_kernel kernel)
{
    return ocl_noting(be) && (!be->trial || ocl_noted(be, kernel));
}

static cairn_status enqueue(struct ocl_backend *be, cl_kernel kernel, int dims,
                            const size_t *global, const size_t *local)
{
    cairn_status st = CAIRN_OK;
    cl_event event = NULL;
    for (int i = 0; i < dims; i++)
        if (global[i] == 0) return CAIRN_OK;
    if (be->trial) return enqueue_one(be, kernel, dims, local);
    int timed = be->base.profile != NULL;
    if (timed && be->profile->count == PENDING) TRY(profile_collect(be, PENDING / 2));
    cl_int error = clEnqueueNDRangeKernel(be->queue, kernel, (cl_uint)dims, NULL, global, local, 0,
                                          NULL, timed ? &event : NULL);
    if (error) {
        char what[160];
        snprintf(what, sizeof what, "launching kernel %s", ocl_kernel_record(be, kernel)->name);
        return ocl_fail(error, what);
    }
    if (event) {
        struct ocl_profile *profile = be->profile;
        profile->pending[profile->count].event = event;
        profile->pending[profile->count].kernel = kernel;
        profile->pending[profile->count++].mark = be->base.profile->mark;
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
    if (is_left_out(be, kernel)) return CAIRN_OK;
    va_start(args, format);
    cairn_status st = set_args(be, kernel, format, &args);
    va_end(args);
    return st == CAIRN_OK ? enqueue(be, kernel, dims, global, local) : st;
}

cairn_status ocl_launch_1d(struct ocl_backend *be, cl_kernel kernel, int64_t items, int64_t most,
                           const char *format, ...)
{
    size_t group = ocl_kernel_record(be, kernel)->group;
    if (items <= 0 || is_left_out(be, kernel)) return CAIRN_OK;
    if (most > 0 && items > most) items = most;
    if (group > 256) group = 256;
    size_t global = ((size_t)items + group - 1) / group * group;
    va_list args;
    va_start(args, format);
    cairn_status st = set_args(be, kernel, format, &args);
    va_end(args);
    return st == CAIRN_OK ? enqueue(be, kernel, 1, &global, &group) : st;
}
