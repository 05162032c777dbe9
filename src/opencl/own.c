/* Kernels of somebody's own: compiled in this process, launched as all others are. */
#include "opencl/helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct own {
    struct cairn_kernel base; /* first */
    cl_kernel kernel;
    cl_uint arguments;
};

cairn_status ocl_own_kernel(struct cairn_backend *backend, const char *source, const char *options,
                            const char *name, struct cairn_kernel **kernel)
{
    struct ocl_backend *be = ocl_of(backend);
    cairn_status st = CAIRN_OK;
    char file[96], all[OCL_OPTIONS];
    cl_program built = NULL;
    struct ocl_program *program;
    if (strlen(options) + 256 > sizeof all)
        return cairn_fail(CAIRN_INVALID, "%s: the options are too long", name);
    struct own *own = calloc(1, sizeof *own);
    if (!own) return cairn_fail(CAIRN_MEMORY, "out of memory");
    snprintf(file, sizeof file, "%.64s (own source %d)", name, ++be->own_sources);
    ocl_full_options(be, options, all, sizeof all);
    TRY(ocl_program_from_source(be, file, all, source, strlen(source), &built));
    TRY(ocl_program_add(be, file, options, NULL, built, &program));
    built = NULL;
    TRY(ocl_kernel(be, file, options, name, &own->kernel));
    cl_int error = clGetKernelInfo(own->kernel, CL_KERNEL_NUM_ARGS, sizeof own->arguments,
                                   &own->arguments, NULL);
    if (error) {
        st = ocl_fail(error, name);
        goto out;
    }
    *kernel = &own->base;
    own = NULL;
out:
    if (built) clReleaseProgram(built);
    free(own);
    return st;
}

static cl_int set(cl_kernel kernel, cl_uint index, const struct cairn_arg *arg)
{
    cl_mem memory =
        arg->mem.buffer ? ((const struct ocl_buffer *)(const void *)arg->mem.buffer)->mem : NULL;
    cl_ulong offset = (cl_ulong)arg->mem.offset;
    cl_int small = (cl_int)arg->l;
    cl_long large = arg->l;
    switch (arg->kind) {
    case CAIRN_ARG_MEM:
        if (clSetKernelArg(kernel, index + 1, sizeof offset, &offset)) return CL_INVALID_ARG_VALUE;
        return clSetKernelArg(kernel, index, sizeof memory, memory ? &memory : NULL);
    case CAIRN_ARG_BUFFER:
        return clSetKernelArg(kernel, index, sizeof memory, memory ? &memory : NULL);
    case CAIRN_ARG_INT:
        return small == arg->l ? clSetKernelArg(kernel, index, sizeof small, &small)
                               : CL_INVALID_ARG_VALUE;
    case CAIRN_ARG_LONG:
        return clSetKernelArg(kernel, index, sizeof large, &large);
    case CAIRN_ARG_FLOAT:
        return clSetKernelArg(kernel, index, sizeof arg->f, &arg->f);
    case CAIRN_ARG_LOCAL:
        return clSetKernelArg(kernel, index, (size_t)arg->l, NULL);
    }
    return CL_INVALID_ARG_VALUE;
}

cairn_status ocl_own_launch(struct cairn_backend *backend, const struct cairn_kernel *kernel,
                            int dims, const size_t *global, const size_t *local,
                            const struct cairn_arg *args, int count)
{
    struct ocl_backend *be = ocl_of(backend);
    const struct own *own = (const struct own *)(const void *)kernel;
    const char *name = ocl_kernel_record(be, own->kernel)->name;
    cl_uint given = 0;
    for (int i = 0; i < count; i++) given += args[i].kind == CAIRN_ARG_MEM ? 2 : 1;
    if (given != own->arguments)
        return cairn_fail(CAIRN_INVALID,
                          "kernel %s takes %u arguments, not %u (memory with its offset is two)",
                          name, (unsigned)own->arguments, (unsigned)given);
    cl_uint index = 0;
    for (int i = 0; i < count; i++) {
        cl_int error = set(own->kernel, index, &args[i]);
        if (error)
            return cairn_fail(CAIRN_INVALID, "kernel %s does not take argument %d: %s (%d)", name,
                              i, ocl_error_name(error), (int)error);
        index += args[i].kind == CAIRN_ARG_MEM ? 2 : 1;
    }
    return ocl_launch(be, own->kernel, dims, global, local, "");
}
