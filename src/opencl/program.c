/* Programs and kernels: built on first use, kept until the backend closes. */
#include "opencl/helper.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ocl_program {
    struct ocl_program *next;
    char *file, *options, *names; /* names: of the kernels that it has, " a b "; NULL: all */
    cl_program program;
};

#define LOG_BYTES 16384

/* The first line of a build log that tells of an error, else the first line that is not empty. */
static const char *log_line(char *log)
{
    char *first = NULL, *rest = NULL;
    for (char *line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (!first && *line) first = line;
        if (strstr(line, "error")) return line;
    }
    return first ? first : "the compiler gave no reason";
}

static cairn_status build_failed(struct ocl_backend *be, cl_program program, const char *file,
                                 const char *options, cl_int error)
{
    char *log = calloc(1, LOG_BYTES + 1);
    if (!log) return cairn_fail(CAIRN_MEMORY, "out of memory");
    size_t size = 0;
    clGetProgramBuildInfo(program, be->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
    char *whole = calloc(1, size + 1);
    if (whole && clGetProgramBuildInfo(program, be->device, CL_PROGRAM_BUILD_LOG, size, whole,
                                       NULL) == CL_SUCCESS)
        snprintf(log, LOG_BYTES, "%s", whole);
    cairn_fail(CAIRN_BUILD, "%s: %s (%s); built for %s (driver %s) with %s", file, log_line(log),
               ocl_error_name(error), be->base.info.name, be->base.info.driver, options);
    free(whole);
    free(log);
    return CAIRN_BUILD;
}

int ocl_program_build(struct ocl_backend *be, cl_program program, const char *options)
{
    if (clBuildProgram(program, 1, &be->device, options, NULL, NULL) == CL_SUCCESS) return 1;
    clReleaseProgram(program);
    return 0;
}

cairn_status ocl_program_from_source(struct ocl_backend *be, const char *file, const char *options,
                                     const char *source, size_t size, cl_program *program)
{
    cl_int error = CL_SUCCESS;
    cairn_status st = CAIRN_OK;
    *program = clCreateProgramWithSource(be->context, 1, &source, &size, &error);
    if (error) return ocl_fail(error, file);
    error = clBuildProgram(*program, 1, &be->device, options, NULL, NULL);
    if (error) {
        st = build_failed(be, *program, file, options, error);
        clReleaseProgram(*program);
        *program = NULL;
    }
    return st;
}

/* The options that every program gets. Correctly rounded division may only be asked for where the
 * device offers it; the probe decides what it is worth. */
void ocl_full_options(const struct ocl_backend *be, const char *options, char *text, size_t size)
{
    int fast = be->base.options.math == CAIRN_MATH_FAST;
    snprintf(text, size, "-cl-std=CL1.2%s%s%s%s%s%s",
             !fast && be->soft_fma ? " -DCAIRN_SOFT_FMA" : "",
             !fast && be->soft_div ? " -DCAIRN_SOFT_DIV" : "",
             !fast && be->soft_sqrt ? " -DCAIRN_SOFT_SQRT" : "",
             fast              ? " -DCAIRN_FAST -cl-mad-enable"
             : be->rounded_div ? " -cl-fp32-correctly-rounded-divide-sqrt"
                               : "",
             *options ? " " : "", options);
}

/* From the binary cache: as it lies there, or once a helper has put it there. 0: it is not there.
 */
static int load(struct ocl_backend *be, const char *key, const char *all, cl_program *program)
{
    *program = ocl_cache_load(be, key);
    return *program && ocl_program_build(be, *program, all);
}

/* From the binary cache; else by a helper; else from source and then into the cache. */
static cairn_status build(struct ocl_backend *be, const char *file, const char *options,
                          cl_program *program)
{
    cairn_status st = CAIRN_OK;
    char all[OCL_OPTIONS], *source = NULL, *launches = NULL, key[65];
    size_t size = 0;
    ocl_full_options(be, options, all, sizeof all);
    TRY(ocl_source_text(be->kernels, file, &source, &size));
    TRY(ocl_cache_key(be, source, size, all, key));
    if (load(be, key, all, program)) goto out;
    launches = ocl_launch_line(be);
    struct ocl_job job = {.file = file,
                          .options = options,
                          .source = source,
                          .key = key,
                          .launches = launches},
                   *jobs = &job;
    ocl_helpers_do(be, &jobs, 1, NULL, NULL);
    if (job.state == OCL_JOB_FAILED) {
        if (launches) ocl_launch_failed(be, launches, job.error);
        st = cairn_fail(CAIRN_BUILD, "%s", job.error);
        goto out;
    }
    if (job.state == OCL_JOB_KEPT && load(be, key, all, program)) goto out;
    TRY(ocl_program_from_source(be, file, all, source, size, program));
    ocl_cache_store(be, *program, key);
out:
    free(launches);
    free(source);
    return st;
}

static void free_program(struct ocl_program *program)
{
    free(program->file);
    free(program->options);
    free(program->names);
    free(program);
}

cairn_status ocl_program_add(struct ocl_backend *be, const char *file, const char *options,
                             const char *names, cl_program program, struct ocl_program **added)
{
    struct ocl_program *fresh = calloc(1, sizeof *fresh);
    if (!fresh) return cairn_fail(CAIRN_MEMORY, "out of memory");
    fresh->file = strdup(file);
    fresh->options = strdup(options);
    fresh->names = names ? strdup(names) : NULL;
    if (!fresh->file || !fresh->options || (names && !fresh->names)) {
        free_program(fresh);
        return cairn_fail(CAIRN_MEMORY, "out of memory");
    }
    fresh->program = program;
    fresh->next = be->programs;
    be->programs = *added = fresh;
    return CAIRN_OK;
}

/* The program that has the kernel; NULL if there is none yet. */
static struct ocl_program *find_program(const struct ocl_backend *be, const char *file,
                                        const char *options, const char *name)
{
    struct ocl_program *p = be->programs;
    while (p && (strcmp(p->file, file) != 0 || strcmp(p->options, options) != 0 ||
                 (p->names && !ocl_names_have(p->names, name))))
        p = p->next;
    return p;
}

static cairn_status open_program(struct ocl_backend *be, const char *file, const char *options,
                                 const char *name, struct ocl_program **program)
{
    cairn_status st = CAIRN_OK;
    cl_program built = NULL;
    *program = find_program(be, file, options, name);
    if (*program) return CAIRN_OK;
    TRY(build(be, file, options, &built));
    TRY(ocl_program_add(be, file, options, NULL, built, program));
    built = NULL;
out:
    if (built) clReleaseProgram(built);
    return st;
}

/* FNV-1a over the three names. */
static size_t bucket_of_names(const char *file, const char *options, const char *name)
{
    uint32_t h = 2166136261u;
    const char *parts[] = {file, options, name};
    for (int i = 0; i < 3; i++)
        for (const char *p = parts[i]; *p; p++) h = (h ^ (unsigned char)*p) * 16777619u;
    return h % OCL_BUCKETS;
}

static size_t bucket_of_handle(cl_kernel kernel)
{
    return ((uintptr_t)kernel >> 4) % OCL_BUCKETS;
}

struct ocl_kernel *ocl_kernel_record(struct ocl_backend *be, cl_kernel kernel)
{
    struct ocl_kernel *record = ocl_noted(be, kernel);
    if (record) return record;
    record = be->by_handle[bucket_of_handle(kernel)];
    while (record->kernel != kernel) record = record->next_handle;
    return record;
}

static void free_kernel(struct ocl_kernel *kernel)
{
    if (kernel->kernel) clReleaseKernel(kernel->kernel);
    free(kernel->name);
    free(kernel);
}

/* Creates a kernel and asks for its limits; one whose largest group is 0 is held to one work-item.
 */
static cairn_status create_kernel(struct ocl_backend *be, struct ocl_program *program,
                                  const char *name, struct ocl_kernel **kernel)
{
    cl_int error = CL_SUCCESS;
    struct ocl_kernel *fresh = calloc(1, sizeof *fresh);
    if (!fresh) return cairn_fail(CAIRN_MEMORY, "out of memory");
    fresh->program = program;
    fresh->name = strdup(name);
    if (!fresh->name) {
        free_kernel(fresh);
        return cairn_fail(CAIRN_MEMORY, "out of memory");
    }
    fresh->kernel = clCreateKernel(program->program, name, &error);
    if (fresh->kernel)
        error = clGetKernelWorkGroupInfo(fresh->kernel, be->device, CL_KERNEL_WORK_GROUP_SIZE,
                                         sizeof fresh->group, &fresh->group, NULL);
    if (!error)
        error = clGetKernelWorkGroupInfo(fresh->kernel, be->device, CL_KERNEL_LOCAL_MEM_SIZE,
                                         sizeof fresh->local_bytes, &fresh->local_bytes, NULL);
    if (error) {
        free_kernel(fresh);
        return cairn_fail(CAIRN_BUILD, "%s: kernel %s: %s (%d)", program->file, name,
                          ocl_error_name(error), (int)error);
    }
    if (fresh->group < 1) fresh->group = 1;
    *kernel = fresh;
    return CAIRN_OK;
}

cairn_status ocl_kernel(struct ocl_backend *be, const char *file, const char *options,
                        const char *name, cl_kernel *kernel)
{
    cairn_status st = CAIRN_OK;
    struct ocl_program *program;
    struct ocl_kernel *record;
    if (!options) options = "";
    size_t bucket = bucket_of_names(file, options, name);
    for (record = be->by_name[bucket]; record; record = record->next_name)
        if (!strcmp(record->name, name) && !strcmp(record->program->file, file) &&
            !strcmp(record->program->options, options)) {
            *kernel = record->kernel;
            return CAIRN_OK;
        }
    if (ocl_noting(be) && !find_program(be, file, options, name)) {
        *kernel = ocl_note(be, file, options, name);
        return CAIRN_OK;
    }
    TRY(open_program(be, file, options, name, &program));
    TRY(create_kernel(be, program, name, &record));
    record->next_name = be->by_name[bucket];
    be->by_name[bucket] = record;
    size_t slot = bucket_of_handle(record->kernel);
    record->next_handle = be->by_handle[slot];
    be->by_handle[slot] = record;
    *kernel = record->kernel;
out:
    return st;
}

cairn_status ocl_kernel_limits(struct ocl_backend *be, cl_kernel kernel, size_t *group,
                               cl_ulong *local_bytes)
{
    const struct ocl_kernel *record = ocl_kernel_record(be, kernel);
    *group = record->group;
    *local_bytes = record->local_bytes;
    return CAIRN_OK;
}

void ocl_programs_release(struct ocl_backend *be)
{
    for (int i = 0; i < OCL_BUCKETS; i++) {
        for (struct ocl_kernel *record = be->by_name[i], *next; record; record = next) {
            next = record->next_name;
            free_kernel(record);
        }
        be->by_name[i] = be->by_handle[i] = NULL;
    }
    for (struct ocl_program *program = be->programs, *next; program; program = next) {
        next = program->next;
        clReleaseProgram(program->program);
        free_program(program);
    }
    be->programs = NULL;
}
