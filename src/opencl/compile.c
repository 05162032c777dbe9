/* Compiling ahead: what a plan will run is noted without running it, and compiled by several
 * helpers before the first step; by several threads where there are none.
 *
 * Invariant: this is a hint. What was not noted, or not compiled here, is built when it is asked
 * for, and its failure is told then; only a crash or a hang that no other variant goes around is
 * told at once: waiting for another would help nobody. */
#include "opencl/helper.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_THREADS 16
#define MOST_PARTS 4

/* A program to be: some kernels of a file. */
struct wanted {
    struct wanted *next;
    char *file, *options, *names; /* names: " a b " */
    char *launches;               /* the problems that noted them first */
    char *users;                  /* all that noted any of them */
    char *source, *all, key[65];
    size_t size;
    struct ocl_program *program; /* NULL until it is built */
    struct ocl_job job;
};

struct ocl_notes {
    int on;
    struct ocl_kernel unbuilt; /* what stands for each kernel that is not built yet */
    struct wanted *first;
};

/* Who is told of each program that is done. */
struct telling {
    cairn_device_compiling *each;
    void *context;
    int done, all;
};

static void tell(struct telling *telling, const char *file)
{
    if (telling->done < telling->all) telling->done++;
    if (telling->each) telling->each(telling->context, file, telling->done, telling->all);
}

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
        free(w->launches);
        free(w->users);
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
    fresh->launches = strdup("");
    fresh->users = strdup("");
    if (fresh->file && fresh->options && fresh->names && fresh->launches && fresh->users)
        return fresh;
    be->notes->first = fresh->next;
    free(fresh->file);
    free(fresh->options);
    free(fresh->names);
    free(fresh->launches);
    free(fresh->users);
    free(fresh);
    return NULL;
}

char *ocl_launch_line(const struct ocl_backend *be)
{
    char line[1024];
    if (!be->base.running) return strdup("");
    int n = snprintf(line, sizeof line, "%d ", be->base.variant_running);
    cairn_problem_print(be->base.running, line + n, sizeof line - (size_t)n - 1);
    return strdup(strcat(line, "\n"));
}

int ocl_launch_parse(const char *line, struct cairn_problem *problem, int *variant)
{
    int used = 0;
    return sscanf(line, "%d %n", variant, &used) == 1 && *variant >= 0 &&
           cairn_problem_parse(line + used, problem, NULL) == CAIRN_OK &&
           cairn_problem_complete(problem) == CAIRN_OK;
}

/* Appends to a text from malloc, if there is memory. */
static void lengthen(char **text, const char *more, const char *end)
{
    char *longer = malloc(strlen(*text) + strlen(more) + strlen(end) + 1);
    if (!longer) return;
    sprintf(longer, "%s%s%s", *text, more, end);
    free(*text);
    *text = longer;
}

cl_kernel ocl_note(struct ocl_backend *be, const char *file, const char *options, const char *name)
{
    struct wanted *w = find(be, file, options);
    char *line = w ? ocl_launch_line(be) : NULL;
    if (w && !ocl_names_have(w->names, name)) {
        lengthen(&w->names, name, " ");
        if (line && !strstr(w->launches, line)) lengthen(&w->launches, line, "");
    }
    if (line && !strstr(w->users, line)) lengthen(&w->users, line, "");
    free(line);
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
    if (ocl_source_text(be->kernels, w->file, &w->source, &w->size) != CAIRN_OK) return 0;
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
        ocl_cache_store(be, program, w->key);
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

int ocl_is_simulator(const struct ocl_backend *be)
{
    cl_device_type type = 0;
    if (clGetDeviceInfo(be->device, CL_DEVICE_TYPE, sizeof type, &type, NULL) != CL_SUCCESS)
        return 1;
    type &= CL_DEVICE_TYPE_CPU | CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR;
    return (type & (type - 1)) != 0;
}

int ocl_compile_threads(const struct ocl_backend *be, int jobs)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (ocl_is_simulator(be)) return 1;
    if (cpus > jobs) cpus = jobs;
    return cpus < 1 ? 1 : cpus > MOST_THREADS ? MOST_THREADS : (int)cpus;
}

static void run_threads(struct work *work, struct telling *telling)
{
    pthread_t threads[MOST_THREADS];
    int wished = ocl_compile_threads(work->be, work->count), count = 0, told = 0;
    while (count < wished && !pthread_create(&threads[count], NULL, run_thread, work)) count++;
    pthread_mutex_lock(&work->lock);
    while (count > 0 && told < work->count) {
        while (work->finished == told) pthread_cond_wait(&work->done, &work->lock);
        told++;
        const char *last = work->last;
        pthread_mutex_unlock(&work->lock);
        tell(telling, last);
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

static void tell_job(void *context, const struct ocl_job *job)
{
    tell(context, job->file);
}

int ocl_launch_failed(struct ocl_backend *be, const char *lines, const char *how)
{
    int others = *lines != '\0';
    char line[1024];
    const char *folder = getenv("CAIRN_KERNEL_DIR");
    if ((folder && *folder) || be->kernels)
        others = 0; /* whoever edits a kernel wants to be told */
    for (size_t n; *lines && others; lines += n + (lines[n] == '\n')) {
        struct cairn_problem problem;
        int variant;
        n = strcspn(lines, "\n");
        snprintf(line, sizeof line, "%.*s", (int)n, lines);
        others = ocl_launch_parse(line, &problem, &variant) &&
                 cairn_backend_failed(&be->base, &problem, variant, how);
    }
    cairn_fail(CAIRN_BUILD, "%s", how); /* for whoever tells what is avoided */
    return others;
}

/* By helpers; what is left open by them, by threads. */
static cairn_status build_all(struct ocl_backend *be, struct wanted **wanted, int count,
                              struct telling *telling)
{
    struct work work = {.be = be, .jobs = wanted};
    struct ocl_job **jobs = calloc((size_t)count, sizeof *jobs);
    if (!jobs) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (int i = 0; i < count; i++) {
        struct wanted *w = wanted[i];
        w->job = (struct ocl_job){.file = w->file,
                                  .options = w->options,
                                  .names = w->names,
                                  .source = w->source,
                                  .key = w->key,
                                  .launches = w->launches};
        jobs[i] = &w->job;
    }
    ocl_helpers_do(be, jobs, count, tell_job, telling);
    free(jobs);
    for (int i = 0; i < count; i++) {
        struct wanted *w = wanted[i];
        if (w->job.state == OCL_JOB_KEPT) load(be, w);
        if (w->job.state == OCL_JOB_FAILED && !ocl_launch_failed(be, w->users, w->job.error) &&
            w->job.lost)
            return CAIRN_BUILD;
        if (w->job.state == OCL_JOB_OPEN || w->job.state == OCL_JOB_UNFIT) wanted[work.count++] = w;
    }
    if (work.count == 0) return CAIRN_OK;
    pthread_mutex_init(&work.lock, NULL);
    pthread_cond_init(&work.done, NULL);
    run_threads(&work, telling);
    pthread_mutex_destroy(&work.lock);
    pthread_cond_destroy(&work.done);
    for (int i = 0; i < work.count; i++) load(be, wanted[i]);
    return CAIRN_OK;
}

cairn_status ocl_compile_parts(struct ocl_backend *be, const char *file, const char *const *parts,
                               int count)
{
    cairn_status st = CAIRN_OK;
    struct wanted all[MOST_PARTS] = {0}, *wanted[MOST_PARTS];
    struct telling nobody = {NULL, NULL, 0, 0};
    int left = 0;
    for (int i = 0; i < count; i++) {
        struct wanted *w = &all[i];
        w->file = (char *)file;
        w->options = w->launches = w->users = (char *)"";
        w->names = (char *)parts[i];
        if (!describe(be, w)) continue;
        load(be, w);
        if (!w->program) wanted[left++] = w;
    }
    if (left > 0) st = build_all(be, wanted, left, &nobody);
    for (int i = 0; i < count; i++) {
        free(all[i].source);
        free(all[i].all);
    }
    return st;
}

cairn_status ocl_compile(struct cairn_backend *backend, cairn_device_compiling *each, void *context)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    int count = 0, left = 0;
    if (!be->notes) return CAIRN_OK;
    for (struct wanted *w = be->notes->first; w; w = w->next) count++;
    struct wanted **wanted = calloc((size_t)count + 1, sizeof *wanted);
    if (!wanted) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (struct wanted *w = be->notes->first; w; w = w->next) {
        if (!describe(be, w)) continue;
        load(be, w);
        if (!w->program) wanted[left++] = w;
    }
    qsort(wanted, (size_t)left, sizeof *wanted, by_size);
    if (left > 0) {
        struct telling telling = {each, context, 0, left};
        if (each) each(context, wanted[0]->file, 0, left);
        st = build_all(be, wanted, left, &telling);
    }
    ocl_helpers_end(be);
    free(wanted);
    forget(be);
    return st;
}
