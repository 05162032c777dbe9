/* gemm-peers: the exact product in turns with OpenBLAS and oneDNN, as a table.
 *
 *     gemm-peers [--samples N] [--sample-ms N] [--device D] [PROBLEM...]
 *
 * A PROBLEM is a line as `cairn bench` takes it ("gemm m=512 n=512 k=512"); without any, the shapes
 * that Cairn is measured by. Each peer is loaded at run time in a process of its own, OpenBLAS once
 * for every core type that this CPU can run, because it mistakes some new CPUs for very old ones;
 * the best of them counts, shape by shape. Samples are taken in turns, so that all see the same
 * machine; between them is a pause in which a peer's threads stop spinning. Threads: one for each
 * CPU, unless OMP_NUM_THREADS says otherwise. */
#include <cairn/bench.h>

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MOST 101
#define LAUNCHES_MOST 65536

enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112 }; /* the CBLAS standard's numbers */
typedef void cblas_fn(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                      int lda, const float *b, int ldb, float beta, float *c, int ldc);
typedef int dnnl_fn(char ta, char tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                    int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

/* A peer, and its process: requests go in, answers come out. */
struct peer {
    const char *library, *type; /* OPENBLAS_CORETYPE, "" its own choice; NULL for oneDNN */
    int runs, in, out;
    pid_t process;
    char text[96];
    double samples[SAMPLES_MOST], median;
};

/* What a peer is asked: a new problem (launches 0), or a sample of the last one. */
struct request {
    struct cairn_gemm p;
    int64_t launches;
    double seconds;
};
struct answer {
    int64_t launches;
    double seconds;
};

struct worker {
    cblas_fn *cblas;
    dnnl_fn *dnnl;
    struct cairn_gemm p;
    float *a, *b, *c;
};

static const char *const table[] = {
    "gemm m=256 n=256 k=256",      "gemm m=512 n=512 k=512",      "gemm m=1024 n=1024 k=1024",
    "gemm m=2048 n=2048 k=2048",   "gemm m=128 n=256 k=784",      "gemm m=128 n=600 k=576",
    "gemm m=784 n=128 k=128 ta=1", "gemm m=128 n=128 k=784 tb=1", "gemm m=256 n=10 k=256",
    "gemm m=8 n=100352 k=25",      "gemm m=100352 n=8 k=25",      "gemm m=16 n=18432 k=72",
    "gemm m=64 n=32768 k=576",     "gemm m=2048 n=256 k=2304",
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void rest(void)
{
    nanosleep(&(struct timespec){0, 8000000}, NULL);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *samples, int count)
{
    qsort(samples, (size_t)count, sizeof *samples, compare);
    return 0.5 * (samples[(count - 1) / 2] + samples[count / 2]);
}

static float *filled(int64_t count)
{
    float *x = malloc((size_t)count * sizeof *x);
    uint32_t state = 1;
    for (int64_t i = 0; x && i < count; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(int32_t)(state >> 8) * 0x1p-23f - 1.0f;
    }
    return x;
}

static double product(const struct worker *w, int64_t launches)
{
    const struct cairn_gemm *p = &w->p;
    double start = now();
    for (int64_t i = 0; i < launches; i++)
        if (w->cblas)
            w->cblas(ROW_MAJOR, p->ta ? TRANSPOSED : PLAIN, p->tb ? TRANSPOSED : PLAIN, (int)p->m,
                     (int)p->n, (int)p->k, 1.0f, w->a, (int)p->lda, w->b, (int)p->ldb, 0.0f, w->c,
                     (int)p->ldc);
        else
            w->dnnl(p->ta ? 'T' : 'N', p->tb ? 'T' : 'N', p->m, p->n, p->k, 1.0f, w->a, p->lda,
                    w->b, p->ldb, 0.0f, w->c, p->ldc);
    return (now() - start) / (double)launches;
}

/* Operands, a warm cache, and how many products take about that long. */
static int64_t prepare(struct worker *w, const struct request *request)
{
    w->p = request->p;
    free(w->a);
    free(w->b);
    free(w->c);
    w->a = filled(w->p.m * w->p.k);
    w->b = filled(w->p.k * w->p.n);
    w->c = filled(w->p.m * w->p.n);
    if (!w->a || !w->b || !w->c) return 0;
    int64_t launches = 1;
    double each = product(w, 1);
    for (; launches < LAUNCHES_MOST; launches *= 2) {
        each = product(w, launches);
        if (each * (double)launches >= request->seconds / 2) break;
    }
    double wanted = request->seconds / each;
    return wanted < 1 ? 1 : wanted < LAUNCHES_MOST ? (int64_t)wanted : LAUNCHES_MOST;
}

/* Loads the library and says which it is; 0 where it is not there. */
static int load(struct worker *w, const struct peer *peer, char text[96])
{
    if (peer->type && *peer->type) setenv("OPENBLAS_CORETYPE", peer->type, 1);
    void *library = dlopen(peer->library, RTLD_NOW);
    if (!library) return 0;
    if (peer->type) {
        char *(*corename)(void), *(*config)(void);
        *(void **)&w->cblas = dlsym(library, "cblas_sgemm");
        *(void **)&corename = dlsym(library, "openblas_get_corename");
        *(void **)&config = dlsym(library, "openblas_get_config");
        if (!w->cblas || !corename || !config) return 0;
        if (*peer->type && strcmp(corename(), peer->type)) return 0; /* not in this build */
        char version[64] = "";
        sscanf(config(), "OpenBLAS %63s", version);
        snprintf(text, 96, "OpenBLAS %s, core %s", version, corename());
    } else {
        struct version {
            int major, minor, patch;
        } const *(*version)(void);
        *(void **)&w->dnnl = dlsym(library, "dnnl_sgemm");
        *(void **)&version = dlsym(library, "dnnl_version");
        if (!w->dnnl || !version) return 0;
        snprintf(text, 96, "oneDNN %d.%d.%d, dnnl_sgemm", version()->major, version()->minor,
                 version()->patch);
    }
    return 1;
}

static void work(const struct peer *peer, int in, int out)
{
    struct worker w = {0};
    struct request request;
    char text[96] = "";
    int loaded = load(&w, peer, text);
    if (write(out, text, sizeof text) != (ssize_t)sizeof text || !loaded) _exit(0);
    while (read(in, &request, sizeof request) == (ssize_t)sizeof request) {
        struct answer answer = {0, 0};
        if (!request.launches)
            answer.launches = prepare(&w, &request);
        else
            answer.seconds = product(&w, request.launches);
        if (write(out, &answer, sizeof answer) != (ssize_t)sizeof answer) break;
    }
    _exit(0);
}

/* Whether this CPU has what a core type's kernels use. */
static int runs_here(const char *type)
{
    if (!type || !*type) return 1;
#if defined(__x86_64__)
    int wide = !strcmp(type, "SkylakeX") || !strcmp(type, "Cooperlake");
    return wide ? __builtin_cpu_supports("avx512f") : __builtin_cpu_supports("avx2");
#else
    return 0;
#endif
}

static int start(struct peer *peer)
{
    int to[2], from[2];
    if (pipe(to) || pipe(from)) return 0;
    peer->process = fork();
    if (peer->process < 0) return 0;
    if (peer->process == 0) {
        close(to[1]);
        close(from[0]);
        work(peer, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    peer->in = to[1];
    peer->out = from[0];
    peer->runs = read(peer->out, peer->text, sizeof peer->text) == (ssize_t)sizeof peer->text &&
                 peer->text[0];
    return 1;
}

static void stop(const struct peer *peer)
{
    close(peer->in);
    waitpid(peer->process, NULL, 0);
}

/* Those that are there, each once, first in the list; how many. */
static int start_all(struct peer *peers, int all)
{
    int count = 0;
    for (int i = 0; i < all; i++) {
        int fresh = runs_here(peers[i].type) && start(&peers[i]);
        if (!fresh) continue;
        for (int j = 0; j < count; j++) fresh = fresh && strcmp(peers[i].text, peers[j].text);
        if (fresh && peers[i].runs)
            peers[count++] = peers[i];
        else
            stop(&peers[i]);
    }
    return count;
}

static struct answer ask(const struct peer *peer, const struct request *request)
{
    struct answer answer = {0, 0};
    if (write(peer->in, request, sizeof *request) != (ssize_t)sizeof *request ||
        read(peer->out, &answer, sizeof answer) != (ssize_t)sizeof answer) {
        fprintf(stderr, "gemm-peers: %s died\n", peer->text);
        exit(3);
    }
    rest();
    return answer;
}

/* Seconds of each: ours, and every peer's median. */
static cairn_status race(struct cairn_device *device, const struct cairn_problem *problem,
                         struct peer *peers, int count, int samples, double seconds, double *own)
{
    struct cairn_bench *bench = NULL;
    double ours[SAMPLES_MOST];
    int64_t launches[8] = {0};
    cairn_status st = cairn_bench_create(device, problem, seconds, &bench);
    if (st != CAIRN_OK) return st;
    for (int i = 0; i < count; i++)
        launches[i] = ask(&peers[i], &(struct request){problem->u.gemm, 0, seconds}).launches;
    for (int s = 0; s < samples && st == CAIRN_OK; s++) {
        st = cairn_bench_sample(bench, &ours[s]);
        for (int i = 0; i < count; i++)
            peers[i].samples[s] =
                ask(&peers[i], &(struct request){problem->u.gemm, launches[i], 0}).seconds;
    }
    for (int i = 0; i < count; i++) peers[i].median = median(peers[i].samples, samples);
    *own = median(ours, samples);
    cairn_bench_destroy(bench);
    return st;
}

/* The fastest of OpenBLAS (blas = 1) or of oneDNN (0); NULL where there is none. */
static const struct peer *best(const struct peer *peers, int count, int blas)
{
    const struct peer *found = NULL;
    for (int i = 0; i < count; i++)
        if (!blas == !peers[i].type && (!found || peers[i].median < found->median))
            found = &peers[i];
    return found;
}

static int options(int argc, char **argv, int *samples, double *seconds, const char **device)
{
    int at = 1;
    for (; at + 1 < argc && !strncmp(argv[at], "--", 2); at += 2)
        if (!strcmp(argv[at], "--samples"))
            *samples = atoi(argv[at + 1]);
        else if (!strcmp(argv[at], "--sample-ms"))
            *seconds = 1e-3 * atof(argv[at + 1]);
        else if (!strcmp(argv[at], "--device"))
            *device = argv[at + 1];
        else
            break;
    if ((at < argc && !strncmp(argv[at], "--", 2)) || *samples < 1 || *samples > SAMPLES_MOST ||
        *seconds <= 0)
        return 0;
    return at;
}

static cairn_status print(struct cairn_device *device, const char *const *lines, int count,
                          struct peer *peers, int peer_count, int samples, double seconds)
{
    double logs[2] = {0, 0}, least[2] = {HUGE_VAL, HUGE_VAL};
    printf("| product | Cairn, GFLOP/s | OpenBLAS | core | ratio | oneDNN | ratio |\n"
           "|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < count; i++) {
        struct cairn_problem problem;
        double own;
        cairn_status st = cairn_problem_parse(lines[i], &problem, NULL);
        if (st == CAIRN_OK) st = cairn_problem_complete(&problem);
        if (st == CAIRN_OK) st = race(device, &problem, peers, peer_count, samples, seconds, &own);
        if (st != CAIRN_OK) return st;
        const struct cairn_gemm *p = &problem.u.gemm;
        double gflop = cairn_problem_flops(&problem) * 1e-9;
        printf("| %lld x %lld x %lld%s%s | %.1f |", (long long)p->m, (long long)p->n,
               (long long)p->k, p->ta ? ", a transposed" : "", p->tb ? ", b transposed" : "",
               gflop / own);
        for (int blas = 1; blas >= 0; blas--) {
            const struct peer *peer = best(peers, peer_count, blas);
            double ratio = peer ? peer->median / own : NAN;
            if (peer && blas)
                printf(" %.1f | %s | %.2f |", gflop / peer->median, strstr(peer->text, "core ") + 5,
                       ratio);
            if (peer && !blas) printf(" %.1f | %.2f |", gflop / peer->median, ratio);
            if (!peer) printf(blas ? " | | |" : " | |");
            logs[blas] += log(ratio);
            if (ratio < least[blas]) least[blas] = ratio;
        }
        printf("\n");
        fflush(stdout);
    }
    printf("| geometric mean | | | | %.2f | | %.2f |\n| least | | | | %.2f | | %.2f |\n",
           exp(logs[1] / count), exp(logs[0] / count), least[1], least[0]);
    return CAIRN_OK;
}

int main(int argc, char **argv)
{
    struct peer peers[] = {{.library = "libopenblas.so.0", .type = ""},
                           {.library = "libopenblas.so.0", .type = "SkylakeX"},
                           {.library = "libopenblas.so.0", .type = "Cooperlake"},
                           {.library = "libopenblas.so.0", .type = "Haswell"},
                           {.library = "libopenblas.so.0", .type = "Zen"},
                           {.library = "libdnnl.so.2"}};
    const char *device_spec = "opencl", *const *lines = table;
    int samples = 9, count = 0, line_count = (int)(sizeof table / sizeof *table);
    double seconds = 0.02;
    int at = options(argc, argv, &samples, &seconds, &device_spec);
    if (!at) {
        fprintf(stderr,
                "usage: gemm-peers [--samples N] [--sample-ms N] [--device D] [PROBLEM...]\n");
        return 2;
    }
    if (at < argc) lines = (const char *const *)argv + at, line_count = argc - at;
    char threads[16];
    snprintf(threads, sizeof threads, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    setenv("OMP_NUM_THREADS", threads, 0);
    count = start_all(peers, (int)(sizeof peers / sizeof *peers));
    struct cairn_device *device;
    struct cairn_device_options how = {.math = CAIRN_MATH_EXACT};
    cairn_status st = cairn_device_open(device_spec, &how, &device);
    if (st == CAIRN_OK) {
        printf("Cairn %s (%s); ", cairn_device_info(device)->spec, cairn_device_info(device)->name);
        for (int i = 0; i < count; i++) printf("%s; ", peers[i].text);
        printf("%s threads; medians of %d samples of about %.0f ms, in turns\n\n",
               getenv("OMP_NUM_THREADS"), samples, 1e3 * seconds);
        st = print(device, lines, line_count, peers, count, samples, seconds);
        cairn_device_close(device);
    }
    while (count > 0) stop(&peers[--count]); /* a later one holds the pipes of those before */
    if (st != CAIRN_OK) fprintf(stderr, "gemm-peers: %s\n", cairn_error());
    return st == CAIRN_OK ? 0 : 3;
}
