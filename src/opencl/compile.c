/* Compiling ahead: what a plan will run is noted without running it, and compiled by several
 * threads before the first step.
 *
 * Invariant: this is a hint and nothing else. What was not noted, or did not compile here, is built
 * when it is asked for, and its failure is told then. */
#include "opencl/runtime.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_THREADS 16

/* A program to be: some kernels of a file. */
struct wanted {
    struct wanted *next;
    char *file, *options, *names; /* names: " a b " */
    char *source, *all, key[65];
    size_t size;
    struct ocl_program *program; /* NULL until it is built */
};

struct ocl_notes {
    int on;
    struct ocl_kernel unbuilt; /* what stands for each kernel that is not built yet */
    struct wanted *first;
};

/* What the threads share. */
struct work {
    pthread_mutex_t lock;
    pthread_cond_t done;
    struct ocl_backend *be;
    struct wanted **jobs;
    int count, taken, finished;
    const char *last; /* the file that was finished last */
};

int ocl_noting(const struct ocl_backend *be)
{
    return be->notes && be->notes->on;
}

static void forget(struct ocl_backend *be)
{
    if (!be->notes) return;
    for (struct wanted *w = be->notes->first, *next; w; w = next) {
        next = w->next;
        free(w->file);
        free(w->options);
        free(w->names);
        free(w->source);
        free(w->all);
        free(w);
    }
    be->notes->first = NULL;
}

void ocl_notes_free(struct ocl_backend *be)
{
    forget(be);
    free(be->notes);
    be->notes = NULL;
}

static struct wanted *find(struct ocl_backend *be, const char *file, const char *options)
{
    for (struct wanted *w = be->notes->first; w; w = w->next)
        if (!strcmp(w->file, file) && !strcmp(w->options, options)) return w;
    struct wanted *fresh = calloc(1, sizeof *fresh);
    if (!fresh) return NULL;
    fresh->next = be->notes->first;
    be->notes->first = fresh;
    fresh->file = strdup(file);
    fresh->options = strdup(options);
    fresh->names = strdup(" ");
    if (fresh->file && fresh->options && fresh->names) return fresh;
    be->notes->first = fresh->next;
    free(fresh->file);
    free(fresh->options);
    free(fresh->names);
    free(fresh);
    return NULL;
}

cl_kernel ocl_note(struct ocl_backend *be, const char *file, const char *options, const char *name)
{
    struct wanted *w = find(be, file, options);
    if (w && !ocl_names_have(w->names, name)) {
        char *longer = malloc(strlen(w->names) + strlen(name) + 2);
        if (longer) {
            sprintf(longer, "%s%s ", w->names, name);
            free(w->names);
            w->names = longer;
        }
    }
    return be->notes->unbuilt.kernel;
}

struct ocl_kernel *ocl_noted(struct ocl_backend *be, cl_kernel kernel)
{
    return be->notes && kernel == be->notes->unbuilt.kernel ? &be->notes->unbuilt : NULL;
}

/* Filling is not an operator, but every training begins with it. */
cairn_status ocl_notes(struct cairn_backend *backend, int on)
{
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    if (!be->notes) {
        be->notes = calloc(1, sizeof *be->notes);
        if (!be->notes) return cairn_fail(CAIRN_MEMORY, "out of memory");
        be->notes->unbuilt.kernel = (cl_kernel)be->notes;
        be->notes->unbuilt.name = (char *)"";
        be->notes->unbuilt.group = be->max_group;
    }
    be->notes->on = on;
    return on ? ocl_kernel(be, "memory.cl", NULL, "fill", &kernel) : CAIRN_OK;
}

/* The sources and keys; 0 where one cannot be had. */
static int describe(struct ocl_backend *be, struct wanted *w)
{
    char all[OCL_OPTIONS];
    if (ocl_source_text(w->file, &w->source, &w->size) != CAIRN_OK) return 0;
    ocl_source_keep(w->source, w->names);
    ocl_full_options(be, w->options, all, sizeof all);
    w->all = strdup(all);
    return w->all && ocl_cache_key(be, w->source, w->size, w->all, w->key) == CAIRN_OK;
}

static void load(struct ocl_backend *be, struct wanted *w)
{
    cl_program program = ocl_cache_load(be, w->key);
    if (!program || !ocl_program_build(be, program, w->all)) return;
    if (ocl_program_add(be, w->file, w->options, w->names, program, &w->program) != CAIRN_OK)
        clReleaseProgram(program);
}

/* Builds and keeps in the cache, where the device's own thread finds it. */
static void compile(const struct ocl_backend *be, const struct wanted *w)
{
    const char *source = w->source;
    cl_int error = CL_SUCCESS;
    cl_program program = clCreateProgramWithSource(be->context, 1, &source, &w->size, &error);
    if (error) return;
    if (clBuildProgram(program, 1, &be->device, w->all, NULL, NULL) == CL_SUCCESS)
        ocl_cache_store(program, w->key);
    clReleaseProgram(program);
}

static void *run_thread(void *argument)
{
    struct work *work = argument;
    pthread_mutex_lock(&work->lock);
    while (work->taken < work->count) {
        const struct wanted *w = work->jobs[work->taken++];
        pthread_mutex_unlock(&work->lock);
        compile(work->be, w);
        pthread_mutex_lock(&work->lock);
        work->finished++;
        work->last = w->file;
        pthread_cond_signal(&work->done);
    }
    pthread_mutex_unlock(&work->lock);
    return NULL;
}

/* A simulator, which says that it is of every type, gets one thread. */
static int thread_count(const struct ocl_backend *be, int jobs)
{
    cl_device_type type = 0;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (clGetDeviceInfo(be->device, CL_DEVICE_TYPE, sizeof type, &type, NULL) != CL_SUCCESS)
        return 1;
    type &= CL_DEVICE_TYPE_CPU | CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR;
    if (type & (type - 1)) return 1;
    if (cpus > jobs) cpus = jobs;
    return cpus < 1 ? 1 : cpus > MOST_THREADS ? MOST_THREADS : (int)cpus;
}

static void run_threads(struct work *work, cairn_device_compiling *each, void *context)
{
    pthread_t threads[MOST_THREADS];
    int wished = thread_count(work->be, work->count), count = 0, told = 0;
    if (each) each(context, work->jobs[0]->file, 0, work->count);
    while (count < wished && !pthread_create(&threads[count], NULL, run_thread, work)) count++;
    pthread_mutex_lock(&work->lock);
    while (count > 0 && told < work->count) {
        while (work->finished == told) pthread_cond_wait(&work->done, &work->lock);
        told = work->finished;
        const char *last = work->last;
        pthread_mutex_unlock(&work->lock);
        if (each) each(context, last, told, work->count);
        pthread_mutex_lock(&work->lock);
    }
    pthread_mutex_unlock(&work->lock);
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

/* What compiles long, as far as its size tells, comes first. */
static int by_size(const void *a, const void *b)
{
    const struct wanted *x = *(struct wanted *const *)a, *y = *(struct wanted *const *)b;
    return (x->size < y->size) - (x->size > y->size);
}

cairn_status ocl_compile(struct cairn_backend *backend, cairn_device_compiling *each, void *context)
{
    struct ocl_backend *be = ocl_of(backend);
    struct work work = {.be = be};
    int count = 0;
    if (!be->notes) return CAIRN_OK;
    for (struct wanted *w = be->notes->first; w; w = w->next) count++;
    work.jobs = calloc((size_t)count + 1, sizeof *work.jobs);
    if (!work.jobs) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (struct wanted *w = be->notes->first; w; w = w->next) {
        if (!describe(be, w)) continue;
        load(be, w);
        if (!w->program) work.jobs[work.count++] = w;
    }
    qsort(work.jobs, (size_t)work.count, sizeof *work.jobs, by_size);
    if (work.count > 0) {
        pthread_mutex_init(&work.lock, NULL);
        pthread_cond_init(&work.done, NULL);
        run_threads(&work, each, context);
        pthread_mutex_destroy(&work.lock);
        pthread_cond_destroy(&work.done);
        for (int i = 0; i < work.count; i++) load(be, work.jobs[i]);
    }
    free(work.jobs);
    forget(be);
    return CAIRN_OK;
}
