/* The side that does the work: the helper's life. */
#include "opencl/helper.h"

#include "device/schema.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PARENT 0 /* the connection */

static int say(const char *word, const char *text)
{
    const char *texts[SAYS_COUNT] = {[SAYS_WORD] = word, [SAYS_TEXT] = text};
    return ocl_message_send(PARENT, texts, SAYS_COUNT);
}

void ocl_helper_launches(const char *name)
{
    char text[96];
    snprintf(text, sizeof text, "launching kernel %s", name);
    say(SAYS_AT, text);
}

/* --- the device --- */

struct search {
    const char *const *asked;
    struct cairn_device_info info;
    int found;
};

static void consider(void *context, const struct cairn_device_info *info)
{
    struct search *search = context;
    if (strcmp(info->spec, search->asked[ASK_SPEC]) ||
        strcmp(info->name, search->asked[ASK_NAME]) ||
        strcmp(info->driver, search->asked[ASK_DRIVER]))
        return;
    search->info = *info;
    search->found = 1;
}

/* The device that is asked about, as the parent has opened it. */
static cairn_status open_device(const char *const *asked, struct ocl_backend **backend)
{
    cairn_status st = CAIRN_OK;
    struct search search = {.asked = asked};
    struct cairn_device_options options = {0};
    int math = 0;
    if (!*backend) {
        TRY(ocl_list(consider, &search));
        if (!search.found) return cairn_fail(CAIRN_NOT_FOUND, "%s is not there", asked[ASK_NAME]);
        TRY(ocl_open_plain(&search.info, &options, backend));
    } else if (strcmp((*backend)->base.info.spec, asked[ASK_SPEC])) {
        return cairn_fail(CAIRN_INVALID, "this helper has another device");
    }
    struct ocl_backend *be = *backend;
    if (sscanf(asked[ASK_STATE], "%d %d %d %d %zu", &math, &be->soft_fma, &be->soft_div,
               &be->soft_sqrt, &be->max_group) != 5)
        return cairn_fail(CAIRN_INVALID, "a state of the device that is none");
    be->base.options.math = (enum cairn_math)math;
out:
    return st;
}

/* --- the first launches --- */

#define MOST_BYTES ((int64_t)1 << 30)

/* Memory for every operand: zeros where they are numbers of places or classes. 0 if that is much.
 */
static cairn_status make_operands(struct ocl_backend *be, struct cairn_problem *problem,
                                  int64_t work, struct cairn_buffer **buffers, int *enough)
{
    cairn_status st = CAIRN_OK;
    int64_t all = 0;
    int i = 0;
    *enough = 0;
    for (const struct cairn_operand *o = cairn_schema_of(problem->op)->operands; o->name;
         o++, i++) {
        int64_t size = (int64_t)cairn_dtype_size(o->dtype);
        int64_t bytes = size * (o->extent ? o->extent(problem) : work);
        if (bytes == 0) continue;
        all += bytes;
        if (all > MOST_BYTES || all > be->base.info.global_bytes / 4 ||
            bytes > be->base.info.max_alloc_bytes)
            return CAIRN_OK;
        TRY(ocl_alloc(&be->base, (size_t)bytes, &buffers[i]));
        *cairn_problem_mem(problem, o) = (struct cairn_mem){buffers[i], 0};
        if (o->dtype == CAIRN_F32) continue;
        char *zeros = calloc(1, (size_t)bytes);
        if (!zeros) return cairn_fail(CAIRN_MEMORY, "out of memory");
        st = ocl_write(&be->base, buffers[i], 0, zeros, (size_t)bytes);
        free(zeros);
        if (st != CAIRN_OK) goto out;
    }
    *enough = 1;
out:
    return st;
}

static cairn_status run_slot(struct ocl_backend *be, const struct cairn_problem *problem,
                             int variant)
{
    switch (problem->op) {
#define CASE(slot, NAME, type, member)                                                             \
    case CAIRN_OP_##NAME:                                                                          \
        return be->base.ops->slot(&be->base, &problem->u.member, variant);
        CAIRN_OP_LIST(CASE)
#undef CASE
    case CAIRN_OP_COUNT:
        break;
    }
    return CAIRN_OK;
}

/* One work-group of each launch that "VARIANT PROBLEM" makes of the kernels that were built. What
 * is lacking for it - memory, say - is no failure of theirs. */
static cairn_status launch(struct ocl_backend *be, const char *line)
{
    cairn_status st = CAIRN_OK;
    struct cairn_problem problem;
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    struct cairn_buffer *buffers[CAIRN_MAX_OPERANDS] = {NULL};
    int variant = 0, enough = 0;
    memset(variants, 0, sizeof variants);
    if (!ocl_launch_parse(line, &problem, &variant) ||
        variant >= be->base.ops->variants(&be->base, &problem, variants))
        return CAIRN_OK;
    if (make_operands(be, &problem, variants[variant].work, buffers, &enough) == CAIRN_OK &&
        enough) {
        TRY(ocl_notes(&be->base, 1));
        be->trial = 1;
        st = run_slot(be, &problem, variant);
        be->trial = 0;
        ocl_notes(&be->base, 0);
    }
out:
    for (int i = 0; i < CAIRN_MAX_OPERANDS; i++)
        if (buffers[i]) ocl_release(&be->base, buffers[i]);
    return st;
}

static cairn_status launch_all(struct ocl_backend *be, const char *lines)
{
    cairn_status st = CAIRN_OK;
    char line[1024];
    if (ocl_is_simulator(be)) return CAIRN_OK;
    for (size_t n; *lines; lines += n + (lines[n] == '\n')) {
        n = strcspn(lines, "\n");
        if (n >= sizeof line) continue;
        memcpy(line, lines, n);
        line[n] = '\0';
        TRY(launch(be, line));
    }
out:
    return st;
}

/* --- a job --- */

/* What the parent would take from the cache, from `data`: its kernels are created, and launched. */
static cairn_status try_binary(struct ocl_backend *be, const char *const *asked, const char *data,
                               size_t size, int *taken)
{
    cairn_status st = CAIRN_OK;
    struct ocl_program *added;
    char all[OCL_OPTIONS], name[64];
    ocl_full_options(be, asked[ASK_OPTIONS], all, sizeof all);
    say(SAYS_AT, "loading its binary");
    cl_program program = ocl_cache_program(be, asked[ASK_KEY], data, size);
    *taken = program && ocl_program_build(be, program, all);
    if (!*taken) return CAIRN_OK;
    st = ocl_program_add(be, asked[ASK_FILE], asked[ASK_OPTIONS],
                         *asked[ASK_NAMES] ? asked[ASK_NAMES] : NULL, program, &added);
    if (st != CAIRN_OK) {
        clReleaseProgram(program);
        return st;
    }
    for (const char *p = asked[ASK_NAMES]; sscanf(p, " %63s", name) == 1;
         p += strspn(p, " ") + strlen(name)) {
        cl_kernel kernel;
        TRY(ocl_kernel(be, asked[ASK_FILE], asked[ASK_OPTIONS], name, &kernel));
    }
    TRY(launch_all(be, asked[ASK_LAUNCHES]));
out:
    return st;
}

static cairn_status do_job(struct ocl_backend *be, const char *const *asked, const char **unfit)
{
    cairn_status st = CAIRN_OK;
    char all[OCL_OPTIONS], key[65], *data = NULL;
    cl_program program = NULL;
    size_t size = 0, length = strlen(asked[ASK_SOURCE]);
    int taken = 0;
    ocl_full_options(be, asked[ASK_OPTIONS], all, sizeof all);
    TRY(ocl_cache_key(be, asked[ASK_SOURCE], length, all, key));
    if (strcmp(key, asked[ASK_KEY])) {
        *unfit = "its device differs";
        goto out;
    }
    say(SAYS_AT, "building");
    TRY(ocl_program_from_source(be, asked[ASK_FILE], all, asked[ASK_SOURCE], length, &program));
    data = ocl_cache_take(be, program, key, &size);
    clReleaseProgram(program);
    if (!data) {
        *unfit = "the device gives no binary";
        goto out;
    }
    TRY(try_binary(be, asked, data, size, &taken));
    if (!taken)
        *unfit = "the device does not take its own binary";
    else if (!ocl_cache_keep(key, data, size))
        *unfit = "there is no place for it";
out:
    ocl_programs_release(be);
    free(data);
    return st;
}

/* Without the parent nobody waits for what is done here, or ends it if it hangs. */
static void *watch(void *unused)
{
    struct pollfd parent = {PARENT, 0, 0};
    (void)unused;
    while (poll(&parent, 1, -1) <= 0 || !(parent.revents & (POLLHUP | POLLERR | POLLNVAL)))
        continue;
    _exit(0);
}

int cairn_device_serve(void)
{
    struct ocl_backend *be = NULL;
    const char *asked[ASK_COUNT];
    char *data = NULL;
    pthread_t watcher;
    struct rlimit none = {0, 0};
    signal(SIGINT, SIG_IGN); /* the parent's to obey */
    setrlimit(RLIMIT_CORE, &none);
    if (!say(SAYS_HELLO, OCL_HELPER_VERSION)) return 2;
    if (pthread_create(&watcher, NULL, watch, NULL) != 0) return 3;
    for (; ocl_message_take(PARENT, &data, asked, ASK_COUNT); free(data)) {
        const char *unfit = NULL;
        cairn_status st = open_device(asked, &be);
        if (st != CAIRN_OK)
            unfit = cairn_error();
        else
            st = do_job(be, asked, &unfit);
        if (unfit)
            say(SAYS_UNFIT, unfit);
        else if (st == CAIRN_OK)
            say(SAYS_KEPT, "");
        else
            say(st == CAIRN_MEMORY ? SAYS_UNFIT : SAYS_FAILED, cairn_error());
    }
    _exit(0);
}
