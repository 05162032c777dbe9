/* An OpenCL layer (OPENCL_LAYERS) that makes the n-th call fail and keeps a ledger of live objects.
 *
 *   CAIRN_LAYER_FAIL=N    call N, from 1, gives an error of its own; N+ the calls behind it too, as
 *                         of a device that is lost (objects can still be let go of)
 *   CAIRN_LAYER_REPORT=F  at exit F gets "call NAME" for each call in order, "fired NAME ERROR" for
 *                         each that was made to fail, "live KIND COUNT" for each kind of objects
 *                         that were not let go of, and "end"
 *   CAIRN_LAYER_PARENT=P  only in the process whose parent is P; with CAIRN_LAYER_CHILDREN set only
 *                         in those that this one starts, each of which counts for itself and
 * reports to F.PID, without what is told at exit
 *
 * Which of a call's errors is given goes by N. A call that fails does nothing, except that a
 * release lets go all the same. Calls of all threads count, in the order in which they come. */
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <CL/cl_icd.h>
#include <CL/cl_layer.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { CONTEXT, QUEUE, BUFFER, PROGRAM, KERNEL, EVENT, KINDS };
static const char *const kinds[KINDS] = {"context", "queue",  "buffer",
                                         "program", "kernel", "event"};

static const cl_icd_dispatch *below;
static cl_icd_dispatch own;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long calls, fail_at, live[KINDS];
static int fail_on, counting;
static FILE *report;

static void count_object(enum kind kind, int by)
{
    pthread_mutex_lock(&lock);
    live[kind] += counting ? by : 0;
    pthread_mutex_unlock(&lock);
}

/* Counts a call and gives the error that it is to have; 0: none. */
static cl_int fault(const char *name, int release, const cl_int *errors, size_t count)
{
    cl_int error = 0;
    pthread_mutex_lock(&lock);
    long number = counting ? ++calls : 0;
    int due = number && (number == fail_at || (fail_on && !release && fail_at && number > fail_at));
    if (due) error = errors[(size_t)(fail_at - 1) % count];
    if (number && report) fprintf(report, "call %s\n", name);
    if (due && report) fprintf(report, "fired %s %d\n", name, (int)error);
    pthread_mutex_unlock(&lock);
    return error;
}

#define FAULT(name, release, ...)                                                                  \
    static const cl_int errors[] = {__VA_ARGS__};                                                  \
    cl_int fired = fault(#name, release, errors, sizeof errors / sizeof *errors)

#define STATUS(name, parameters, arguments, made, ...)                                             \
    static cl_int CL_API_CALL layer_##name parameters                                              \
    {                                                                                              \
        FAULT(name, 0, __VA_ARGS__);                                                               \
        if (fired) return fired;                                                                   \
        cl_int status = below->name arguments;                                                     \
        if (status == CL_SUCCESS && (made)) count_object(EVENT, 1);                                \
        return status;                                                                             \
    }
#define HANDLE(type, name, kind, parameters, arguments, ...)                                       \
    static type CL_API_CALL layer_##name parameters                                                \
    {                                                                                              \
        FAULT(name, 0, __VA_ARGS__);                                                               \
        if (fired && error) *error = fired;                                                        \
        type object = fired ? NULL : below->name arguments;                                        \
        if (object) count_object(kind, 1);                                                         \
        return object;                                                                             \
    }
#define RELEASE(name, type, kind, ...)                                                             \
    static cl_int CL_API_CALL layer_##name(type object)                                            \
    {                                                                                              \
        FAULT(name, 1, __VA_ARGS__);                                                               \
        cl_int status = below->name(object);                                                       \
        if (status == CL_SUCCESS) count_object(kind, -1);                                          \
        return fired ? fired : status;                                                             \
    }
#include "calls.h"
#undef STATUS
#undef HANDLE
#undef RELEASE

static void finish(void)
{
    pthread_mutex_lock(&lock);
    counting = 0;
    for (int k = 0; k < KINDS; k++)
        if (live[k] != 0) fprintf(report, "live %s %ld\n", kinds[k], live[k]);
    fprintf(report, "end\n");
    fclose(report);
    report = NULL;
    pthread_mutex_unlock(&lock);
}

static void begin(void)
{
    const char *fail = getenv("CAIRN_LAYER_FAIL"), *path = getenv("CAIRN_LAYER_REPORT"),
               *parent = getenv("CAIRN_LAYER_PARENT");
    char *rest = NULL, name[4096];
    int children = getenv("CAIRN_LAYER_CHILDREN") != NULL;
    if (parent && (strtol(parent, NULL, 10) == (long)getppid()) == children) return;
    counting = 1;
    if (fail) fail_at = strtol(fail, &rest, 10);
    fail_on = rest && *rest == '+';
    if (path && children) {
        snprintf(name, sizeof name, "%s.%ld", path, (long)getpid());
        path = name;
    }
    report = path ? fopen(path, "w") : NULL;
    if (report && children)
        setvbuf(report, NULL, _IOLBF, 0); /* a helper ends without further ado */
    else if (report)
        atexit(finish);
}

CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t room, void *value,
                                               size_t *size)
{
    static const char name[] = "cairn-faults";
    static const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    const void *from = what == CL_LAYER_NAME ? (const void *)name : &version;
    size_t bytes = what == CL_LAYER_NAME ? sizeof name : sizeof version;
    if (what != CL_LAYER_NAME && what != CL_LAYER_API_VERSION) return CL_INVALID_VALUE;
    if (value && room < bytes) return CL_INVALID_VALUE;
    if (value) memcpy(value, from, bytes);
    if (size) *size = bytes;
    return CL_SUCCESS;
}

#define ENTRIES ((cl_uint)(sizeof own / sizeof own.clGetPlatformIDs))

CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *target,
                                            cl_uint *entries, const cl_icd_dispatch **layer)
{
    if (!target || !entries || !layer || count < ENTRIES) return CL_INVALID_VALUE;
    below = target;
#define STATUS(name, ...) own.name = layer_##name;
#define HANDLE(type, name, ...) own.name = layer_##name;
#define RELEASE(name, ...) own.name = layer_##name;
#include "calls.h"
    begin();
    *entries = ENTRIES;
    *layer = &own;
    return CL_SUCCESS;
}
