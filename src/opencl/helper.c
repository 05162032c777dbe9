/* The side that asks: starting helpers, giving them jobs, and what became of those. */
#include "opencl/helper.h"

#include "base/installed.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_HELPERS 16
#define MOST_SECONDS 300 /* of one program; CAIRN_COMPILE_SECONDS is another limit, 0 is none */

struct helper {
    pid_t pid; /* 0: there is none */
    int fd, greeted, done;
    FILE *words; /* what it, its driver and its compiler print */
    struct ocl_job *job;
    double seconds; /* for this job */
    char at[96];
};

struct ocl_helpers {
    struct helper all[MOST_HELPERS];
    int off;   /* there is no program that can be used */
    int named; /* CAIRN_COMPILE says which */
    double limit;
    char program[4096];
};

extern char **environ;

/* --- messages --- */

static int send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        if (n <= 0) return 0;
        data += n;
        size -= (size_t)n;
    }
    return 1;
}

static int take_all(int fd, char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = recv(fd, data, size, 0);
        if (n <= 0) return 0;
        data += n;
        size -= (size_t)n;
    }
    return 1;
}

int ocl_message_send(int fd, const char *const *texts, int count)
{
    uint32_t size = 0;
    for (int i = 0; i < count; i++) size += (uint32_t)strlen(texts[i]) + 1;
    int sent = send_all(fd, (const char *)&size, sizeof size);
    for (int i = 0; i < count && sent; i++) sent = send_all(fd, texts[i], strlen(texts[i]) + 1);
    return sent;
}

int ocl_message_take(int fd, char **data, const char **texts, int count)
{
    uint32_t size = 0;
    int found = 0;
    *data = NULL;
    if (!take_all(fd, (char *)&size, sizeof size) || size == 0 || size > 1u << 28) return 0;
    *data = malloc(size);
    if (!*data || !take_all(fd, *data, size) || (*data)[size - 1] != '\0') return 0;
    for (char *p = *data; p < *data + size; p += strlen(p) + 1) {
        if (found == count) return 0;
        texts[found++] = p;
    }
    return found == count;
}

/* --- the program --- */

static int take_program(struct ocl_helpers *all, const char *folder, const char *rest)
{
    int n = snprintf(all->program, sizeof all->program, "%s/%s", folder, rest);
    return n < (int)sizeof all->program && access(all->program, X_OK) == 0;
}

/* CAIRN_COMPILE, else beside this program, or where it is installed. */
static int find_program(struct ocl_helpers *all)
{
    char own[2048];
    const char *named = getenv("CAIRN_COMPILE");
    if (named && (!*named || !strcmp(named, "off"))) return 0;
    if (named) {
        all->named = 1;
        return snprintf(all->program, sizeof all->program, "%s", named) < (int)sizeof all->program;
    }
    ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);
    if (n > 0) {
        own[n] = '\0';
        char *slash = strrchr(own, '/');
        if (slash) *slash = '\0';
        if (take_program(all, own, "cairn-compile")) return 1;
    }
    char *installed = cairn_installed_path(CAIRN_LIBEXEC);
    int found = installed && take_program(all, installed, "cairn-compile");
    free(installed);
    return found;
}

static struct ocl_helpers *helpers_of(struct ocl_backend *be)
{
    if (be->helpers) return be->helpers;
    struct ocl_helpers *all = be->helpers = calloc(1, sizeof *all);
    if (!all) return NULL;
    const char *limit = getenv("CAIRN_COMPILE_SECONDS");
    all->limit = limit && *limit ? atof(limit) : MOST_SECONDS;
    all->off = !find_program(all) || !ocl_cache_takes();
    return all;
}

static int spawn(struct ocl_helpers *all, struct helper *h, int theirs)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, some;
    char *const argv[] = {all->program, NULL};
    sigemptyset(&none);
    sigemptyset(&some);
    sigaddset(&some, SIGPIPE);
    sigaddset(&some, SIGTERM);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &some);
    posix_spawn_file_actions_adddup2(&actions, theirs, 0);
    for (int fd = 1; fd < 3 && h->words; fd++)
        posix_spawn_file_actions_adddup2(&actions, fileno(h->words), fd);
    int error = posix_spawn(&h->pid, all->program, &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error) h->pid = 0;
    return !error;
}

static int start(struct ocl_helpers *all, struct helper *h)
{
    int ends[2];
    *h = (struct helper){.words = tmpfile()};
    if (h->words) fcntl(fileno(h->words), F_SETFD, FD_CLOEXEC);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0) {
        fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        int started = spawn(all, h, ends[1]);
        close(ends[1]);
        h->fd = ends[0];
        if (started) return 1;
        close(ends[0]);
    }
    if (h->words) fclose(h->words);
    return 0;
}

/* Ends a helper, whatever it does; its exit status, or -1 where somebody else took that. */
static int end(struct helper *h)
{
    int status = -1;
    kill(h->pid, SIGKILL);
    if (waitpid(h->pid, &status, 0) != h->pid) status = -1;
    close(h->fd);
    if (h->words) fclose(h->words);
    h->words = NULL;
    h->pid = 0;
    return status;
}

void ocl_helpers_end(struct ocl_backend *be)
{
    for (int i = 0; be->helpers && i < MOST_HELPERS; i++)
        if (be->helpers->all[i].pid) end(&be->helpers->all[i]);
    free(be->helpers);
    be->helpers = NULL;
}

/* --- a job --- */

static int give(struct ocl_backend *be, struct helper *h, struct ocl_job *job)
{
    const struct cairn_device_info *info = &be->base.info;
    char state[96];
    const char *texts[ASK_COUNT] = {
        [ASK_SPEC] = info->spec,      [ASK_NAME] = info->name,
        [ASK_DRIVER] = info->driver,  [ASK_STATE] = state,
        [ASK_KEY] = job->key,         [ASK_FILE] = job->file,
        [ASK_OPTIONS] = job->options, [ASK_NAMES] = job->names ? job->names : "",
        [ASK_SOURCE] = job->source,   [ASK_LAUNCHES] = job->launches ? job->launches : ""};
    snprintf(state, sizeof state, "%d %d %d %d %zu", (int)be->base.options.math, be->soft_fma,
             be->soft_div, be->soft_sqrt, be->max_group);
    h->job = job;
    h->seconds = 0;
    snprintf(h->at, sizeof h->at, "starting");
    return ocl_message_send(h->fd, texts, ASK_COUNT);
}

/* The last line that it printed, as ": LINE"; "" if there is none. */
static void last_words(const struct helper *h, char *text, size_t size)
{
    char tail[513] = "";
    text[0] = '\0';
    if (!h->words || fseek(h->words, 0, SEEK_END) != 0) return;
    long length = ftell(h->words);
    if (length <= 0 || fseek(h->words, length > 512 ? length - 512 : 0, SEEK_SET) != 0) return;
    size_t n = fread(tail, 1, 512, h->words);
    while (n > 0 && strchr("\n ", tail[n - 1])) n--;
    tail[n] = '\0';
    char *line = strrchr(tail, '\n');
    if (n) snprintf(text, size, ": %.160s", line ? line + 1 : tail);
}

static void fail(const struct ocl_backend *be, struct helper *h, const char *how)
{
    struct ocl_job *job = h->job;
    char words[192];
    last_words(h, words, sizeof words);
    snprintf(job->error, sizeof job->error,
             "%s%s%s%s: the process that compiles for %s (driver %s) %s while %s%s; a newer driver "
             "or another --variant may do",
             job->file, *job->options ? " (" : "", job->options, *job->options ? ")" : "",
             be->base.info.name, be->base.info.driver, how, h->at, words);
    job->state = OCL_JOB_FAILED;
    job->lost = 1;
}

/* There is no such program, or it is another one: this process compiles, unless it was told which
 * to take. */
static void refuse(struct ocl_helpers *all, struct ocl_job *job)
{
    all->off = 1;
    if (!all->named) return;
    snprintf(job->error, sizeof job->error,
             "CAIRN_COMPILE: %.200s is not the helper of this version (" OCL_HELPER_VERSION
             "); unset it, or set it to off",
             all->program);
    job->state = OCL_JOB_FAILED;
}

/* It is gone: by itself, or it took too long. A job that was not the first of its process is done
 * again by a fresh one: an earlier one may have done the damage. */
static void lost(struct ocl_backend *be, struct helper *h, int hangs)
{
    struct ocl_helpers *all = be->helpers;
    struct ocl_job *job = h->job;
    char how[128];
    int status = -1;
    if (!hangs && waitpid(h->pid, &status, 0) != h->pid) status = -1;
    if (hangs)
        snprintf(how, sizeof how, "was ended after %.0f s (CAIRN_COMPILE_SECONDS)", h->seconds);
    else if (WIFSIGNALED(status) && status != -1)
        snprintf(how, sizeof how, "died of signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(how, sizeof how, "ended with status %d", status == -1 ? -1 : WEXITSTATUS(status));
    if (!h->greeted) {
        refuse(all, job);
    } else if (hangs || h->done == 0) {
        fail(be, h, how);
    }
    if (hangs)
        end(h);
    else {
        close(h->fd);
        if (h->words) fclose(h->words);
        h->words = NULL;
        h->pid = 0;
    }
    h->job = NULL;
}

/* One message; 1 if the job is finished. */
static int hear(struct ocl_backend *be, struct helper *h)
{
    struct ocl_job *job = h->job;
    const char *says[SAYS_COUNT];
    char *data = NULL;
    if (!ocl_message_take(h->fd, &data, says, SAYS_COUNT) ||
        (!h->greeted &&
         (strcmp(says[SAYS_WORD], SAYS_HELLO) || strcmp(says[SAYS_TEXT], OCL_HELPER_VERSION)))) {
        kill(h->pid, SIGKILL); /* its connection ended, so it does not do anything any more */
        lost(be, h, 0);
    } else if (!strcmp(says[SAYS_WORD], SAYS_HELLO)) {
        h->greeted = 1;
    } else if (!strcmp(says[SAYS_WORD], SAYS_AT)) {
        snprintf(h->at, sizeof h->at, "%s", says[SAYS_TEXT]);
    } else {
        job->state = !strcmp(says[SAYS_WORD], SAYS_KEPT)    ? OCL_JOB_KEPT
                     : !strcmp(says[SAYS_WORD], SAYS_UNFIT) ? OCL_JOB_UNFIT
                                                            : OCL_JOB_FAILED;
        snprintf(job->error, sizeof job->error, "%s", says[SAYS_TEXT]);
        if (job->state == OCL_JOB_UNFIT) be->helpers->off = 1;
        h->job = NULL;
        h->done++;
    }
    free(data);
    return job->state != OCL_JOB_OPEN;
}

/* --- all jobs --- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int is_given(const struct ocl_helpers *all, const struct ocl_job *job)
{
    for (int i = 0; i < MOST_HELPERS; i++)
        if (all->all[i].pid && all->all[i].job == job) return 1;
    return 0;
}

/* Gives the open jobs to idle helpers, of which there may be `most`. Returns how many are busy. */
static int give_all(struct ocl_backend *be, struct ocl_job **jobs, int count, int most)
{
    struct ocl_helpers *all = be->helpers;
    int busy = 0;
    for (int i = 0; i < most; i++) {
        struct helper *h = &all->all[i];
        struct ocl_job *job = NULL;
        for (int j = 0; j < count && !job && !(h->pid && h->job); j++)
            if (jobs[j]->state == OCL_JOB_OPEN && !is_given(all, jobs[j])) job = jobs[j];
        if (job && !all->off) {
            if (!h->pid && !start(all, h)) {
                refuse(all, job);
                continue;
            }
            give(be, h, job); /* one that is gone is heard of below */
        }
        busy += h->pid && h->job;
    }
    return busy;
}

void ocl_helpers_do(struct ocl_backend *be, struct ocl_job **jobs, int count,
                    void (*finished)(void *context, const struct ocl_job *job), void *context)
{
    struct ocl_helpers *all = helpers_of(be);
    int most = ocl_compile_threads(be, count);
    double last = now();
    if (!all) return;
    if (most > MOST_HELPERS) most = MOST_HELPERS;
    while (give_all(be, jobs, count, most) > 0) {
        struct pollfd fds[MOST_HELPERS];
        for (int i = 0; i < most; i++)
            fds[i] = (struct pollfd){all->all[i].pid && all->all[i].job ? all->all[i].fd : -1,
                                     POLLIN, 0};
        poll(fds, (nfds_t)most, 1000);
        /* While this process is stopped or asleep, so may they be: a look counts as one second at
         * most. */
        double then = last, step = (last = now()) - then;
        for (int i = 0; i < most; i++) {
            struct helper *h = &all->all[i];
            if (fds[i].fd < 0) continue;
            struct ocl_job *job = h->job;
            h->seconds += step < 1 ? step : 1;
            if (fds[i].revents)
                hear(be, h);
            else if (all->limit > 0 && h->seconds > all->limit)
                lost(be, h, 1);
            if (job->state != OCL_JOB_OPEN && finished) finished(context, job);
        }
    }
}
