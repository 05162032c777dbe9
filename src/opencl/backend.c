/* The OpenCL backend: its life and its table of slots. */
#include "opencl/helper.h"

#include <stdlib.h>
#include <string.h>

// clang-format off
static const struct {
    cl_int code;
    const char *name;
} errors[] = {
#define E(name) {name, #name},
    E(CL_DEVICE_NOT_FOUND) E(CL_DEVICE_NOT_AVAILABLE) E(CL_COMPILER_NOT_AVAILABLE) E(CL_MEM_OBJECT_ALLOCATION_FAILURE)
    E(CL_OUT_OF_RESOURCES) E(CL_OUT_OF_HOST_MEMORY) E(CL_PROFILING_INFO_NOT_AVAILABLE) E(CL_MEM_COPY_OVERLAP)
    E(CL_BUILD_PROGRAM_FAILURE) E(CL_MAP_FAILURE) E(CL_MISALIGNED_SUB_BUFFER_OFFSET)
    E(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST) E(CL_COMPILE_PROGRAM_FAILURE) E(CL_LINKER_NOT_AVAILABLE)
    E(CL_LINK_PROGRAM_FAILURE) E(CL_INVALID_VALUE) E(CL_INVALID_DEVICE_TYPE) E(CL_INVALID_PLATFORM)
    E(CL_INVALID_DEVICE) E(CL_INVALID_CONTEXT) E(CL_INVALID_QUEUE_PROPERTIES) E(CL_INVALID_COMMAND_QUEUE)
    E(CL_INVALID_HOST_PTR) E(CL_INVALID_MEM_OBJECT) E(CL_INVALID_BINARY) E(CL_INVALID_BUILD_OPTIONS)
    E(CL_INVALID_PROGRAM) E(CL_INVALID_PROGRAM_EXECUTABLE) E(CL_INVALID_KERNEL_NAME) E(CL_INVALID_KERNEL_DEFINITION)
    E(CL_INVALID_KERNEL) E(CL_INVALID_ARG_INDEX) E(CL_INVALID_ARG_VALUE) E(CL_INVALID_ARG_SIZE)
    E(CL_INVALID_KERNEL_ARGS) E(CL_INVALID_WORK_DIMENSION) E(CL_INVALID_WORK_GROUP_SIZE) E(CL_INVALID_WORK_ITEM_SIZE)
    E(CL_INVALID_GLOBAL_OFFSET) E(CL_INVALID_EVENT_WAIT_LIST) E(CL_INVALID_EVENT) E(CL_INVALID_OPERATION)
    E(CL_INVALID_BUFFER_SIZE) E(CL_INVALID_GLOBAL_WORK_SIZE) E(CL_INVALID_PROPERTY) E(CL_INVALID_COMPILER_OPTIONS)
    E(CL_INVALID_LINKER_OPTIONS)
#undef E
    {-9999, "an illegal access in a kernel"}, /* one vendor's own */
};
// clang-format on

const char *ocl_error_name(cl_int error)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].code == error) return errors[i].name;
    return "an unnamed OpenCL error";
}

cairn_status ocl_fail(cl_int error, const char *what)
{
    int memory = error == CL_MEM_OBJECT_ALLOCATION_FAILURE || error == CL_OUT_OF_HOST_MEMORY;
    return cairn_fail(memory ? CAIRN_MEMORY : CAIRN_DEVICE, "%s: %s (%d)", what,
                      ocl_error_name(error), (int)error);
}

static cairn_status ocl_sync(struct cairn_backend *backend)
{
    struct ocl_backend *be = ocl_of(backend);
    cl_int error = clFinish(be->queue);
    be->unflushed = 0;
    return error ? ocl_fail(error, "waiting for the device") : CAIRN_OK;
}

void ocl_close(struct cairn_backend *backend)
{
    struct ocl_backend *be = ocl_of(backend);
    if (be->queue) clFinish(be->queue);
    ocl_profile_destroy(be->profile);
    ocl_programs_release(be);
    ocl_clblast_release(be);
    ocl_notes_free(be);
    ocl_helpers_end(be);
    free(be->kernels);
    if (be->queue) clReleaseCommandQueue(be->queue);
    if (be->context) clReleaseContext(be->context);
    free(be);
}

static int ocl_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                        struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    switch (problem->op) {
#define CASE(slot, NAME, type, member)                                                             \
    case CAIRN_OP_##NAME:                                                                          \
        return ocl_##slot##_variants(backend, problem, variants);
        CAIRN_OP_LIST(CASE)
#undef CASE
    case CAIRN_OP_COUNT:
        break;
    }
    return 0;
}

int ocl_one_variant(struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    variants[0] = (struct cairn_variant){"plain", 1, 0};
    return 1;
}

static const struct cairn_backend_ops ops = {.close = ocl_close,
                                             .sync = ocl_sync,
                                             .alloc = ocl_alloc,
                                             .release = ocl_release,
                                             .write = ocl_write,
                                             .read = ocl_read,
                                             .copy = ocl_copy,
                                             .fill = ocl_fill,
                                             .variants = ocl_variants,
                                             .notes = ocl_notes,
                                             .compile = ocl_compile,
                                             .collect = ocl_profile_collect,
                                             .spin_floats = ocl_spin_floats,
                                             .spin = ocl_spin,
                                             .stream = ocl_stream,
                                             .own_kernel = ocl_own_kernel,
                                             .own_launch = ocl_own_launch,
                                             .function = ocl_function,
#define SLOT(slot, NAME, type, member) .slot = ocl_##slot,
                                             CAIRN_OP_LIST(SLOT)
#undef SLOT
};

cairn_status ocl_open_plain(const struct cairn_device_info *info,
                            const struct cairn_device_options *options,
                            struct ocl_backend **backend)
{
    cairn_status st = CAIRN_OK;
    cl_int error = CL_SUCCESS;
    struct ocl_backend *be = calloc(1, sizeof *be);
    if (!be) return cairn_fail(CAIRN_MEMORY, "out of memory");
    be->base.ops = &ops;
    be->base.info = *info;
    be->base.options = *options;
    if (options->kernels) {
        TRY(ocl_source_check(options->kernels));
        be->base.options.kernels = be->kernels = strdup(options->kernels);
        if (!be->kernels) {
            st = cairn_fail(CAIRN_MEMORY, "out of memory");
            goto out;
        }
    }
    be->is_cpu = !strcmp(info->type, "cpu");
    be->max_group = (size_t)info->max_work_group;
    be->local_bytes = (size_t)info->local_bytes;
    be->compute_units = (int)info->compute_units;
    TRY(ocl_device_at(info->platform_index, info->device_index, &be->platform, &be->device));
    cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)be->platform,
                                          0};
    be->context = clCreateContext(properties, 1, &be->device, NULL, NULL, &error);
    if (error) {
        st = ocl_fail(error, "creating a context");
        goto out;
    }
    cl_uint width = 0;
    if (clGetDeviceInfo(be->device, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof width, &width,
                        NULL) == CL_SUCCESS)
        be->vector_width = (int)width;
    cl_device_fp_config config = 0;
    if (clGetDeviceInfo(be->device, CL_DEVICE_SINGLE_FP_CONFIG, sizeof config, &config, NULL) ==
        CL_SUCCESS)
        be->rounded_div = (config & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0;
    be->queue = clCreateCommandQueue(be->context, be->device,
                                     options->profile ? CL_QUEUE_PROFILING_ENABLE : 0, &error);
    if (error) {
        st = ocl_fail(error, "creating a command queue");
        goto out;
    }
    if (options->profile) TRY(ocl_profile_create(&be->profile));
    *backend = be;
    be = NULL;
out:
    if (be) ocl_close(&be->base);
    return st;
}

static cairn_status ocl_open(const struct cairn_device_info *info,
                             const struct cairn_device_options *options,
                             struct cairn_backend **backend)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = NULL;
    TRY(ocl_open_plain(info, options, &be));
    TRY(ocl_probe(be));
    if (!be->base.info.exact && options->math == CAIRN_MATH_EXACT) {
        st = cairn_fail(CAIRN_UNSUPPORTED,
                        "%s (%s) cannot run exact arithmetic: the probe found its %s wrong; use "
                        "fast math or another "
                        "device",
                        info->spec, info->name, be->base.info.probe_note);
        goto out;
    }
    *backend = &be->base;
    be = NULL;
out:
    if (be) ocl_close(&be->base);
    return st;
}

static cairn_status ocl_probe_device(struct cairn_device_info *info)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = NULL;
    struct cairn_device_options plain = {0};
    TRY(ocl_open_plain(info, &plain, &be));
    TRY(ocl_probe(be));
    *info = be->base.info;
out:
    if (be) ocl_close(&be->base);
    return st;
}

const struct cairn_driver cairn_opencl_driver = {"opencl", ocl_list, ocl_open, ocl_probe_device,
                                                 ocl_source_digest};
