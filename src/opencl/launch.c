/* Launching kernels: arguments, work sizes, and the time that each launch took. */
#include "opencl/helper.h"

#include <assert.h>
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

/* The next argument, a number, as the kernel takes it; returns its bytes, 0 for no such letter. */
static size_t take(char letter, va_list *args, void *value)
{
    cl_uint word = 0;
    cl_ulong wide = 0;
    cl_float f = 0;
    switch (letter) {
    case 'i':
        word = (cl_uint)va_arg(*args, int);
        return memcpy(value, &word, sizeof word), sizeof word;
    case 'u':
        word = va_arg(*args, uint32_t);
        return memcpy(value, &word, sizeof word), sizeof word;
    case 'l':
        wide = (cl_ulong)va_arg(*args, int64_t);
        return memcpy(value, &wide, sizeof wide), sizeof wide;
    case 'U':
        wide = va_arg(*args, uint64_t);
        return memcpy(value, &wide, sizeof wide), sizeof wide;
    case 'f':
        f = (cl_float)va_arg(*args, double);
        return memcpy(value, &f, sizeof f), sizeof f;
    }
    return 0;
}

/* The next argument, memory: its buffer; its offset is left to the caller. */
static cl_int set_buffer(cl_kernel kernel, cl_uint *index, va_list *args, cl_ulong *offset)
{
    const struct cairn_mem *mem = va_arg(*args, const struct cairn_mem *);
    cl_mem handle = mem->buffer ? ((struct ocl_buffer *)mem->buffer)->mem : NULL;
    *offset = mem->buffer ? (cl_ulong)mem->offset : 0;
    return clSetKernelArg(kernel, (*index)++, sizeof handle, handle ? &handle : NULL);
}

/* One letter of the format, see opencl.h; *index counts the kernel's arguments. */
static cl_int set_arg(cl_kernel kernel, cl_uint *index, char letter, va_list *args)
{
    cl_ulong value = 0;
    size_t bytes = sizeof value;
    if (letter == 'L') return clSetKernelArg(kernel, (*index)++, va_arg(*args, size_t), NULL);
    if (letter == 'm') {
        cl_int error = set_buffer(kernel, index, args, &value);
        if (error) return error;
    } else {
        bytes = take(letter, args, &value);
    }
    return bytes ? clSetKernelArg(kernel, (*index)++, bytes, &value) : CL_INVALID_ARG_VALUE;
}

#define VECTOR 16  /* bytes */
#define GROUPED 12 /* letters in one pair of parentheses */

/* The letters behind a parenthesis: buffers by themselves, numbers and offsets as vectors. */
static cl_int set_vectors(cl_kernel kernel, cl_uint *index, const char *letters, va_list *args)
{
    unsigned char values[GROUPED * 8] = {0};
    size_t bytes = 0;
    for (; *letters != ')'; letters++) {
        cl_ulong offset;
        assert(bytes + 8 <= sizeof values);
        if (*letters == 'm') {
            cl_int error = set_buffer(kernel, index, args, &offset);
            if (error) return error;
            memcpy(values + bytes, &offset, sizeof offset);
            bytes += sizeof offset;
            continue;
        }
        size_t more = take(*letters, args, values + bytes);
        if (!more) return CL_INVALID_ARG_VALUE;
        bytes += more;
    }
    for (size_t at = 0; at < bytes; at += VECTOR) {
        cl_int error = clSetKernelArg(kernel, (*index)++, VECTOR, values + at);
        if (error) return error;
    }
    return CL_SUCCESS;
}

static cairn_status set_args(struct ocl_backend *be, cl_kernel kernel, const char *format,
                             va_list *args)
{
    cl_uint index = 0;
    for (const char *p = format; *p; p++) {
        cl_int error = *p == '(' ? set_vectors(kernel, &index, p + 1, args)
                                 : set_arg(kernel, &index, *p, args);
        if (error) {
            char what[128];
            snprintf(what, sizeof what, "argument %u of kernel %s", (unsigned)index - 1,
                     ocl_kernel_record(be, kernel)->name);
            return ocl_fail(error, what);
        }
        if (*p == '(') p = strchr(p, ')');
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
