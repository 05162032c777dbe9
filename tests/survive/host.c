/* What the host can refuse: memory, threads, and everything that files can fail at. Linked into a
 * program of its own with -Wl,--wrap for each function below, so that exactly Cairn's own calls are
 * counted, and those of the JSON library, which lets its memory be given.
 *
 *   CAIRN_HOST_FAIL=KIND:N        call N of the kind, from 1, fails; KIND is memory, or files
 *   CAIRN_HOST_FAIL=KIND:N+       memory: the calls behind it, too; files: what writes, as on a
 * disk that is full CAIRN_HOST_FAIL=files:N!      the process is killed there, in the middle of a
 * write CAIRN_HOST_REPORT=F           at exit F gets "call KIND NAME PLACE" for each call in order,
 * PLACE from the start of the program, "fired NAME PLACE", and "end" */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

enum kind { MEMORY, FILES };
static const char *const kinds[] = {"memory", "files"};

extern char __executable_start[];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum kind kind_to_fail;
static long calls[2], fail_at;
static char how; /* '\0', '+' or '!' */
static int report = -1;

__attribute__((constructor)) static void begin(void);

static void tell(const char *word, enum kind kind, const char *name, const void *place)
{
    char line[128];
    int n = snprintf(line, sizeof line, "%s %s %s %lx\n", word, kinds[kind], name,
                     (unsigned long)((const char *)place - __executable_start));
    if (report >= 0 && n > 0 && write(report, line, (size_t)n) != n) abort();
}

/* Counts a call; 1: it is to fail. */
static int fault(enum kind kind, int writes, const char *name, const void *place)
{
    pthread_mutex_lock(&lock);
    long number = ++calls[kind];
    int due = fail_at && kind == kind_to_fail &&
              (number == fail_at || (how == '+' && number > fail_at && (writes || kind == MEMORY)));
    tell("call", kind, name, place);
    if (due) tell("fired", kind, name, place);
    pthread_mutex_unlock(&lock);
    return due;
}

#define DUE(kind, writes, name) fault(kind, writes, name, __builtin_return_address(0))
#define FAIL(error, value)                                                                         \
    do {                                                                                           \
        if (how == '!') raise(SIGKILL);                                                            \
        errno = how == '+' ? ENOSPC : (error);                                                     \
        return value;                                                                              \
    } while (0)

/* --- memory --- */

#define MEMORY_CALL(type, name, parameters, arguments, refused)                                    \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        if (DUE(MEMORY, 0, #name)) {                                                               \
            errno = ENOMEM;                                                                        \
            return refused;                                                                        \
        }                                                                                          \
        return __real_##name arguments;                                                            \
    }
// clang-format off
MEMORY_CALL(void *, malloc, (size_t n), (n), NULL)
MEMORY_CALL(void *, calloc, (size_t n, size_t size), (n, size), NULL)
MEMORY_CALL(void *, realloc, (void *old, size_t n), (old, n), NULL)
MEMORY_CALL(char *, strdup, (const char *text), (text), NULL)
MEMORY_CALL(FILE *, open_memstream, (char **text, size_t *size), (text, size), NULL)
MEMORY_CALL(EVP_MD_CTX *, EVP_MD_CTX_new, (void), (), NULL)
MEMORY_CALL(int, yaml_parser_initialize, (yaml_parser_t *parser), (parser), 0)
MEMORY_CALL(int, pthread_create, (pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *argument),
            (thread, attr, run, argument), EAGAIN)
MEMORY_CALL(int, posix_spawn, (pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
            char *const *words, char *const *variables), (pid, path, actions, attr, words, variables), EAGAIN)
// clang-format on

/* jansson's own. */
static void *json_memory(size_t n)
{
    return fault(MEMORY, 0, "json", __builtin_return_address(0)) ? NULL : __real_malloc(n);
}

/* --- files --- */

#define FILE_CALL(type, name, writes, error, refused, parameters, arguments)                       \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        if (DUE(FILES, writes, #name)) FAIL(error, refused);                                       \
        return __real_##name arguments;                                                            \
    }
// clang-format off
FILE_CALL(FILE *, fopen64, mode[0] != 'r', EMFILE, NULL, (const char *path, const char *mode), (path, mode))
FILE_CALL(FILE *, fdopen, 1, ENOMEM, NULL, (int fd, const char *mode), (fd, mode))
FILE_CALL(FILE *, tmpfile64, 1, ENOSPC, NULL, (void), ())
FILE_CALL(int, socketpair, 0, EMFILE, -1, (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends))
FILE_CALL(int, fsync, 1, EIO, -1, (int fd), (fd))
FILE_CALL(int, rename, 1, EIO, -1, (const char *from, const char *to), (from, to))
FILE_CALL(int, mkdir, 1, EROFS, -1, (const char *path, mode_t mode), (path, mode))
FILE_CALL(int, unlink, 0, EIO, -1, (const char *path), (path))
FILE_CALL(int, unlinkat, 0, EIO, -1, (int fd, const char *path, int flags), (fd, path, flags))
FILE_CALL(int, rmdir, 0, EBUSY, -1, (const char *path), (path))
FILE_CALL(DIR *, opendir, 0, EMFILE, NULL, (const char *path), (path))
FILE_CALL(int, flock, 0, ENOLCK, -1, (int fd, int what), (fd, what))
FILE_CALL(int, access, 0, EIO, -1, (const char *path, int mode), (path, mode))
FILE_CALL(int, stat64, 0, EIO, -1, (const char *path, struct stat64 *info), (path, info))
FILE_CALL(int, fstat64, 0, EIO, -1, (int fd, struct stat64 *info), (fd, info))
// clang-format on

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int mode = flags & O_CREAT ? va_arg(args, int) : 0;
    va_end(args);
    if (DUE(FILES, (flags & O_CREAT) != 0, "open64")) FAIL(EACCES, -1);
    return __real_open64(path, flags, mode);
}

/* From here on the file is on a disk that is full, or that cannot be read. */
static void spoil(FILE *file, const char *with, int flags)
{
    int fd = __real_open64(with, flags | O_CLOEXEC);
    if (fd < 0 || dup2(fd, fileno(file)) < 0) abort();
    close(fd);
}

/* Not a file: what the program speaks with, and texts in memory. */
static int is_none(FILE *file)
{
    return file == stdout || file == stderr || file == stdin || fileno(file) < 0;
}

size_t __real_fwrite(const void *data, size_t size, size_t count, FILE *file);
size_t __wrap_fwrite(const void *data, size_t size, size_t count, FILE *file);
size_t __wrap_fwrite(const void *data, size_t size, size_t count, FILE *file)
{
    if (is_none(file) || !DUE(FILES, 1, "fwrite")) return __real_fwrite(data, size, count, file);
    if (how != '!') {
        spoil(file, "/dev/full", O_WRONLY);
        return __real_fwrite(data, size, count, file);
    }
    __real_fwrite(data, 1, size * count / 2, file);
    fflush(file);
    raise(SIGKILL);
    return 0;
}

size_t __real_fread(void *data, size_t size, size_t count, FILE *file);
size_t __wrap_fread(void *data, size_t size, size_t count, FILE *file);
size_t __wrap_fread(void *data, size_t size, size_t count, FILE *file)
{
    if (!is_none(file) && DUE(FILES, 0, "fread")) {
        if (how == '!') raise(SIGKILL);
        spoil(file, "/", O_RDONLY | O_DIRECTORY);
    }
    return __real_fread(data, size, count, file);
}

int __real_fflush(FILE *file);
int __wrap_fflush(FILE *file);
int __wrap_fflush(FILE *file)
{
    if (!file || is_none(file) || !DUE(FILES, 1, "fflush")) return __real_fflush(file);
    if (how == '!') raise(SIGKILL);
    spoil(file, "/dev/full", O_WRONLY);
    __real_fflush(file);
    errno = ENOSPC;
    return EOF;
}

int __real_fclose(FILE *file);
int __wrap_fclose(FILE *file);
int __wrap_fclose(FILE *file)
{
    int due = !is_none(file) && DUE(FILES, 1, "fclose");
    if (due && how == '!') raise(SIGKILL);
    int status = __real_fclose(file);
    if (due) errno = EIO;
    return due ? EOF : status;
}

/* --- the beginning and the end --- */

static void finish(void)
{
    if (write(report, "end\n", 4) != 4) abort();
}

static void begin(void)
{
    const char *fail = getenv("CAIRN_HOST_FAIL"), *path = getenv("CAIRN_HOST_REPORT");
    json_set_alloc_funcs(json_memory, free);
    if (path) {
        report = __real_open64(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (report < 0) abort();
        atexit(finish);
    }
    if (!fail) return;
    const char *number = strchr(fail, ':');
    char *rest = NULL;
    if (!number || (strncmp(fail, "memory:", 7) && strncmp(fail, "files:", 6))) abort();
    kind_to_fail = *fail == 'm' ? MEMORY : FILES;
    fail_at = strtol(number + 1, &rest, 10);
    how = *rest;
}
