/* The functions of the exact arithmetic over ranges of operands: cl/functions.cl. */
#include "opencl/runtime.h"

#include <stdio.h>
#include <string.h>

/* Of 16 values side by side: CPUs alone compute those so. */
static int is_wide(const char *name)
{
    size_t n = strlen(name);
    return n > 2 && !strcmp(name + n - 2, "16");
}

cairn_status ocl_function(struct cairn_backend *backend, enum cairn_function function,
                          uint32_t first, uint32_t step, int64_t count, struct cairn_buffer *out)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    struct cairn_mem to = {out, 0};
    const char *name = cairn_function_name(function);
    char kernel_name[48];
    cl_kernel kernel;
    int wide = is_wide(name);
    if (wide && !be->is_cpu)
        return cairn_fail(CAIRN_UNSUPPORTED, "%s is a function of CPU devices, which %s is not",
                          name, be->base.info.name);
    snprintf(kernel_name, sizeof kernel_name, "function_%s", name);
    TRY(ocl_kernel(be, wide ? "functions-cpu.cl" : "functions.cl", NULL, kernel_name, &kernel));
    TRY(ocl_launch_1d(be, kernel, wide ? (count + 15) / 16 : count, 0, "muul", &to, first, step,
                      count));
out:
    return st;
}
