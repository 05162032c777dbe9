#include "commands.h"
#include "doctor.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_DEATHS 16

extern char **environ;

struct child {
    pid_t pid;
    int fd, eof, hung, stopped;
    char line[8192];
    size_t length;
};

static void copy(char *to, size_t size, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    snprintf(to, size, "%s", text ? text : "");
}

static int64_t number(const json_t *object, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(object, key));
}

static void add_bad(struct doctor *d, const char *what, const char *how, const char *detail)
{
    for (int i = 0; i < d->bad_count; i++)
        if (strcmp(what, "device") != 0 && !strcmp(d->bads[i].what, what)) return;
    if (d->bad_count == DOCTOR_BADS) return;
    struct doctor_bad *bad = &d->bads[d->bad_count++];
    snprintf(bad->what, sizeof bad->what, "%s", what);
    snprintf(bad->how, sizeof bad->how, "%s", how);
    snprintf(bad->detail, sizeof bad->detail, "%s", detail);
}

static struct doctor_net *net_of(struct doctor *d, const char *name)
{
    for (int i = 0; i < d->net_count; i++)
        if (!strcmp(d->nets[i].name, name)) return &d->nets[i];
    struct doctor_net *net = &d->nets[d->net_count < DOCTOR_NETS ? d->net_count++ : 0];
    snprintf(net->name, sizeof net->name, "%s", name);
    return net;
}

static void take_event(struct doctor *d, const json_t *e)
{
    char kind[16], what[96], how[1024], detail[1024];
    copy(kind, sizeof kind, e, "kind");
    copy(what, sizeof what, e, "what");
    copy(how, sizeof how, e, "how");
    copy(detail, sizeof detail, e, "detail");
    int good = json_is_true(json_object_get(e, "good"));
    enum cairn_op op = cairn_op_find(what);
    if (!strcmp(kind, "at")) {
        memcpy(d->at_what, what, sizeof what);
        memcpy(d->at_how, how, sizeof how);
    } else if (!strcmp(kind, "probe")) {
        d->fit = good;
        snprintf(d->probe, sizeof d->probe, "%s", how);
    } else if (!strcmp(kind, "check") && op != CAIRN_OP_COUNT) {
        d->ops[op].there = 1;
        d->ops[op].cases = number(e, "cases");
        d->ops[op].runs = number(e, "runs");
        d->ops[op].values = number(e, "values");
        d->ops[op].different = number(e, "different");
        if (tool_can_rewrite()) fprintf(stderr, "\r\033[K%s", what);
    } else if (!strcmp(kind, "grad")) {
        struct doctor_net *net = net_of(d, what);
        net->has_slopes = 1;
        net->slopes = number(e, "values");
        net->off = number(e, "different");
    } else if (!strcmp(kind, "train")) {
        struct doctor_net *net = net_of(d, what);
        net->has_digest = 1;
        net->good = good;
        snprintf(net->digest, sizeof net->digest, "%s", how);
        snprintf(net->want, sizeof net->want, "%s", detail);
    } else if (!strcmp(kind, "bad")) {
        add_bad(d, what, how, detail);
    } else if (!strcmp(kind, "end")) {
        d->ended = 1;
    }
}

/* The program's own file; NULL where the system does not tell. */
static char *own_path(void)
{
    char *path = calloc(1, 4096);
    ssize_t n = path ? readlink("/proc/self/exe", path, 4095) : -1;
    if (n > 0) return path;
    free(path);
    return NULL;
}

static int start(const struct doctor *d, struct child *child)
{
    const char *argv[24 + 2 * OPTION_LIST_MAX];
    char cases[32], seed[32], *path = own_path();
    int n = 0, pipes[2];
    posix_spawn_file_actions_t actions;
    snprintf(cases, sizeof cases, "%lld", (long long)d->cases);
    snprintf(seed, sizeof seed, "%lld", (long long)d->seed);
    const char *fixed[] = {"cairn",   "doctor", "--events", "--device", d->info.spec,
                           "--cases", cases,    "--seed",   seed};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) argv[n++] = fixed[i];
    if (d->small) argv[n++] = "--small";
    for (int i = 0; i < d->skips.count; i++) {
        argv[n++] = "--skip";
        argv[n++] = d->skips.items[i];
    }
    argv[n] = NULL;
    memset(child, 0, sizeof *child);
    if (!path || pipe(pipes) != 0) {
        free(path);
        return 0;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
    posix_spawn_file_actions_addclose(&actions, pipes[0]);
    posix_spawn_file_actions_addclose(&actions, pipes[1]);
    int failed = posix_spawn(&child->pid, path, &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipes[1]);
    free(path);
    child->fd = pipes[0];
    if (failed) close(pipes[0]);
    return !failed;
}

/* Takes the whole lines of what came; what is no event (a driver's own words) is passed over. */
static void take_lines(struct doctor *d, struct child *child)
{
    char *line = child->line, *end;
    child->line[child->length] = '\0';
    while ((end = strchr(line, '\n'))) {
        *end = '\0';
        json_t *event = json_loads(line, 0, NULL);
        if (json_is_object(event)) take_event(d, event);
        json_decref(event);
        line = end + 1;
    }
    child->length = strlen(line);
    memmove(child->line, line, child->length);
    if (child->length == sizeof child->line - 1) child->length = 0; /* no line is so long */
}

static void listen_to(struct doctor *d, struct child *child, const volatile sig_atomic_t *stop)
{
    while (!child->eof) {
        struct pollfd wait = {.fd = child->fd, .events = POLLIN};
        int timeout = d->seconds > 0 && d->seconds < 2000000 ? (int)d->seconds * 1000 : -1;
        int ready = poll(&wait, 1, timeout);
        if (*stop && !child->stopped) {
            child->stopped = 1;
            kill(child->pid, SIGINT);
        }
        if (ready == 0) {
            child->hung = 1;
            kill(child->pid, SIGKILL);
        }
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) break;
        if (ready == 0) continue;
        ssize_t n =
            read(child->fd, child->line + child->length, sizeof child->line - 1 - child->length);
        if (n < 0 && errno == EINTR) continue;
        child->eof = n <= 0;
        if (n > 0) child->length += (size_t)n;
        take_lines(d, child);
    }
}

/* What a process that did not come back is: a finding about what it ran. 1 to start again. */
static int take_death(struct doctor *d, const struct child *child, int status)
{
    static char skips[MOST_DEATHS][72];
    static int deaths;
    char how[1200], op[48], name[16];
    const char *what = d->at_what[0] ? d->at_what : "device";
    if (child->hung)
        snprintf(how, sizeof how, "nothing was heard for %lld seconds", (long long)d->seconds);
    else
        snprintf(how, sizeof how, "the process died of signal %d, %s", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    int is_variant = sscanf(what, "variant %47s %15s", op, name) == 2;
    if (!is_variant || deaths == MOST_DEATHS || d->skips.count == OPTION_LIST_MAX) {
        char text[1300];
        snprintf(text, sizeof text, "%s: %.200s", d->at_how[0] ? d->at_how : "the start", how);
        add_bad(d, "device", text, "");
        d->fit = 1;
        return 0;
    }
    add_bad(d, what, d->at_how, how);
    if (cairn_doctor_record(&d->info, what, d->at_how) != CAIRN_OK)
        fprintf(stderr, "cairn doctor: %s\n", cairn_error());
    snprintf(skips[deaths], sizeof skips[0], "%s=%s", op, name);
    d->skips.items[d->skips.count++] = skips[deaths++];
    d->at_what[0] = d->at_how[0] = '\0';
    return 1;
}

int doctor_watch(struct doctor *d)
{
    const volatile sig_atomic_t *stop = tool_watch_signals(0);
    for (;;) {
        struct child child;
        int status = 0;
        if (!start(d, &child)) {
            fprintf(stderr, "cairn doctor: this program cannot be started once more: %s\n",
                    strerror(errno));
            return 3;
        }
        listen_to(d, &child, stop);
        close(child.fd);
        while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) continue;
        if (tool_can_rewrite()) fputs("\r\033[K", stderr);
        if (*stop) {
            if (!WIFEXITED(status)) fputs("cairn doctor: interrupted\n", stderr);
            return 3;
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && (d->ended || !d->fit)) return -1;
        if (WIFEXITED(status)) return WEXITSTATUS(status) ? WEXITSTATUS(status) : 3;
        if (!take_death(d, &child, status)) return -1;
    }
}
