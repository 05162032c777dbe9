/* Device memory. Writes return when the host's memory may be reused; only reads wait. */
#include "opencl/runtime.h"

#include <stdio.h>
#include <stdlib.h>

static cl_mem mem_of(struct cairn_buffer *buffer)
{
    return ((struct ocl_buffer *)buffer)->mem;
}

cairn_status ocl_alloc(struct cairn_backend *backend, size_t bytes, struct cairn_buffer **buffer)
{
    struct ocl_backend *be = ocl_of(backend);
    cl_int error = CL_SUCCESS;
    if (backend->info.max_alloc_bytes > 0 && bytes > (size_t)backend->info.max_alloc_bytes)
        return cairn_fail(CAIRN_MEMORY, "a buffer of %zu bytes is larger than %s allows, %lld",
                          bytes, backend->info.name, (long long)backend->info.max_alloc_bytes);
    struct ocl_buffer *fresh = calloc(1, sizeof *fresh);
    if (!fresh) return cairn_fail(CAIRN_MEMORY, "out of memory");
    fresh->mem = clCreateBuffer(be->context, CL_MEM_READ_WRITE, bytes, NULL, &error);
    if (error) {
        char what[64];
        snprintf(what, sizeof what, "allocating %zu bytes", bytes);
        free(fresh);
        return ocl_fail(error, what);
    }
    *buffer = &fresh->base;
    return CAIRN_OK;
}

void ocl_release(struct cairn_backend *backend, struct cairn_buffer *buffer)
{
    (void)backend;
    clReleaseMemObject(mem_of(buffer));
    free(buffer);
}

cairn_status ocl_write(struct cairn_backend *backend, struct cairn_buffer *buffer, size_t offset,
                       const void *data, size_t bytes)
{
    struct ocl_backend *be = ocl_of(backend);
    cl_int error = clEnqueueWriteBuffer(be->queue, mem_of(buffer), CL_TRUE, offset, bytes, data, 0,
                                        NULL, NULL);
    be->unflushed = 0;
    return error ? ocl_fail(error, "writing to the device") : CAIRN_OK;
}

cairn_status ocl_read(struct cairn_backend *backend, struct cairn_buffer *buffer, size_t offset,
                      void *data, size_t bytes)
{
    struct ocl_backend *be = ocl_of(backend);
    cl_int error =
        clEnqueueReadBuffer(be->queue, mem_of(buffer), CL_TRUE, offset, bytes, data, 0, NULL, NULL);
    be->unflushed = 0;
    return error ? ocl_fail(error, "reading from the device") : CAIRN_OK;
}

cairn_status ocl_copy(struct cairn_backend *backend, struct cairn_buffer *to, size_t to_offset,
                      struct cairn_buffer *from, size_t from_offset, size_t bytes)
{
    struct ocl_backend *be = ocl_of(backend);
    if (ocl_noting(be)) return CAIRN_OK;
    cl_int error = clEnqueueCopyBuffer(be->queue, mem_of(from), mem_of(to), from_offset, to_offset,
                                       bytes, 0, NULL, NULL);
    if (error) return ocl_fail(error, "copying on the device");
    ocl_enqueued(be);
    return CAIRN_OK;
}

cairn_status ocl_fill(struct cairn_backend *backend, struct cairn_buffer *buffer, size_t offset,
                      size_t bytes, uint32_t pattern)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    struct cairn_mem words = {buffer, (int64_t)(offset / 4)};
    int64_t count = (int64_t)(bytes / 4);
    cl_kernel kernel;
    TRY(ocl_kernel(be, "memory.cl", NULL, "fill", &kernel));
    TRY(ocl_launch_1d(be, kernel, count, 1 << 20, "mlu", &words, count, pattern));
out:
    return st;
}
