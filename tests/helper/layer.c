/* A layer of OpenCL's loader (OPENCL_LAYERS) whose compiler, or kernel, is broken: for
 * tests/helper.
 *
 * CAIRN_BROKEN is "HOW WHERE WHAT". HOW: crash, hang, exit or error. WHERE: build, with WHAT a
 * kernel file, in whose programs it happens; or launch, with WHAT a kernel's name. Each time, one
 * line is added to the file CAIRN_BROKEN_LOG. */
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <CL/cl_icd.h>
#include <CL/cl_layer.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cl_icd_dispatch *below;
static cl_icd_dispatch table;

/* What the setting says of this place; 0 if it means another. */
static int broken(const char *where, const char *what, char how[16])
{
    char place[16], name[64];
    const char *setting = getenv("CAIRN_BROKEN");
    return setting && sscanf(setting, "%15s %15s %63s", how, place, name) == 3 &&
           !strcmp(place, where) && !strcmp(name, what);
}

static cl_int happen(const char *how, cl_int error)
{
    const char *path = getenv("CAIRN_BROKEN_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (file) {
        fprintf(file, "%s\n", how);
        fclose(file);
    }
    if (!strcmp(how, "crash")) {
        fprintf(stderr, "the layer crashes on purpose\n");
        signal(SIGSEGV, SIG_DFL); /* a driver may have its own handler */
        raise(SIGSEGV);
    }
    while (!strcmp(how, "hang")) pause();
    if (!strcmp(how, "exit")) exit(7);
    return error;
}

/* The kernel file of a source: what its first #line names. */
static int file_of(cl_program program, char name[64])
{
    size_t size = 0;
    int found = 0;
    if (below->clGetProgramInfo(program, CL_PROGRAM_SOURCE, 0, NULL, &size) || !size) return 0;
    char *source = malloc(size);
    if (source && !below->clGetProgramInfo(program, CL_PROGRAM_SOURCE, size, source, NULL))
        found = sscanf(source, "#line 1 \"%63[^\"]", name) == 1;
    free(source);
    return found;
}

static cl_int CL_API_CALL build(cl_program program, cl_uint count, const cl_device_id *devices,
                                const char *options,
                                void(CL_CALLBACK *notify)(cl_program program, void *data),
                                void *data)
{
    char name[64], how[16];
    if (file_of(program, name) && broken("build", name, how))
        return happen(how, CL_BUILD_PROGRAM_FAILURE);
    return below->clBuildProgram(program, count, devices, options, notify, data);
}

static cl_int CL_API_CALL launch(cl_command_queue queue, cl_kernel kernel, cl_uint dims,
                                 const size_t *offset, const size_t *global, const size_t *local,
                                 cl_uint waits, const cl_event *events, cl_event *event)
{
    char name[64], how[16];
    if (!below->clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL) &&
        broken("launch", name, how))
        return happen(how, CL_OUT_OF_RESOURCES);
    return below->clEnqueueNDRangeKernel(queue, kernel, dims, offset, global, local, waits, events,
                                         event);
}

CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info name, size_t size, void *value,
                                               size_t *needed)
{
    static const char text[] = "cairn tests: broken";
    const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    const void *answer = name == CL_LAYER_API_VERSION ? (const void *)&version : text;
    size_t bytes = name == CL_LAYER_API_VERSION ? sizeof version : sizeof text;
    if (value && size < bytes) return CL_INVALID_VALUE;
    if (value) memcpy(value, answer, bytes);
    if (needed) *needed = bytes;
    return CL_SUCCESS;
}

CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint entries, const cl_icd_dispatch *target,
                                            cl_uint *own_entries, const cl_icd_dispatch **own)
{
    if (entries < sizeof table / sizeof(void *)) return CL_INVALID_VALUE;
    below = target;
    table = *target;
    table.clBuildProgram = build;
    table.clEnqueueNDRangeKernel = launch;
    *own_entries = sizeof table / sizeof(void *);
    *own = &table;
    return CL_SUCCESS;
}
