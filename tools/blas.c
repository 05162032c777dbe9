/* OpenBLAS as a peer: cblas_sgemm by dlopen(), batches one after the other. */
#include "blas.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112 }; /* the CBLAS standard's numbers */
typedef void sgemm_fn(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                      int lda, const float *b, int ldb, float beta, float *c, int ldc);

struct blas {
    void *library;
    sgemm_fn *sgemm;
    struct cairn_gemm p;
    float *a, *b, *c;
    int64_t launches;
    char text[160];
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The core type that this CPU's features call for; NULL leaves the choice to the library. */
static const char *core_type(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return "SkylakeX";
    if (__builtin_cpu_supports("avx2")) return "Haswell";
#endif
    return NULL;
}

static int64_t span(int64_t rows, int64_t cols, int64_t ld, int64_t batch, int64_t stride)
{
    return (batch - 1) * stride + (rows - 1) * ld + cols;
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

static void run(const struct blas *blas)
{
    const struct cairn_gemm *p = &blas->p;
    for (int64_t b = 0; b < p->batch; b++)
        blas->sgemm(ROW_MAJOR, p->ta ? TRANSPOSED : PLAIN, p->tb ? TRANSPOSED : PLAIN, (int)p->m,
                    (int)p->n, (int)p->k, 1.0f, blas->a + b * p->stride_a, (int)p->lda,
                    blas->b + b * p->stride_b, (int)p->ldb, p->sum && b ? 1.0f : 0.0f,
                    blas->c + (p->sum ? 0 : b * p->stride_c), (int)p->ldc);
}

static double sample(const struct blas *blas, int64_t launches)
{
    double start = now();
    for (int64_t i = 0; i < launches; i++) run(blas);
    return (now() - start) / (double)launches;
}

static int load(struct blas *blas)
{
    static const char *type; /* set by us, for this process */
    const char *chosen = type ? NULL : getenv("OPENBLAS_CORETYPE");
    if (!chosen) type = core_type();
    if (type) setenv("OPENBLAS_CORETYPE", type, 1);
    blas->library = dlopen("libopenblas.so.0", RTLD_NOW);
    if (!blas->library) {
        fprintf(
            stderr,
            "cairn bench: --peer: OpenBLAS is not installed (Debian: libopenblas0-openmp): %s\n",
            dlerror());
        return 0;
    }
    sgemm_fn *sgemm;
    char *(*corename)(void);
    int (*threads)(void);
    void (*set_threads)(int);
    *(void **)&sgemm = dlsym(blas->library, "cblas_sgemm");
    *(void **)&corename = dlsym(blas->library, "openblas_get_corename");
    *(void **)&threads = dlsym(blas->library, "openblas_get_num_threads");
    *(void **)&set_threads = dlsym(blas->library, "openblas_set_num_threads");
    if (!sgemm || !corename || !threads || !set_threads) {
        fprintf(stderr,
                "cairn bench: --peer: libopenblas.so.0 lacks cblas_sgemm or its own functions\n");
        return 0;
    }
    blas->sgemm = sgemm;
    if (!getenv("OMP_NUM_THREADS") && !getenv("OPENBLAS_NUM_THREADS"))
        set_threads((int)sysconf(_SC_NPROCESSORS_ONLN));
    snprintf(blas->text, sizeof blas->text, "OpenBLAS, core %s (%s), %d threads", corename(),
             chosen ? "OPENBLAS_CORETYPE as given"
             : type ? "OPENBLAS_CORETYPE set by the CPU's features"
                    : "its own choice",
             threads());
    return 1;
}

struct blas *blas_open(const struct cairn_gemm *p, double seconds)
{
    struct blas *blas = calloc(1, sizeof *blas);
    if (!blas || !load(blas)) {
        blas_close(blas);
        return NULL;
    }
    blas->p = *p;
    blas->a = filled(p->ta ? span(p->k, p->m, p->lda, p->batch, p->stride_a)
                           : span(p->m, p->k, p->lda, p->batch, p->stride_a));
    blas->b = filled(p->tb ? span(p->n, p->k, p->ldb, p->batch, p->stride_b)
                           : span(p->k, p->n, p->ldb, p->batch, p->stride_b));
    blas->c = filled(span(p->m, p->n, p->ldc, p->sum ? 1 : p->batch, p->stride_c));
    if (!blas->a || !blas->b || !blas->c) {
        fprintf(stderr, "cairn bench: --peer: out of memory\n");
        blas_close(blas);
        return NULL;
    }
    run(blas);
    blas->launches = 1;
    double each = sample(blas, 1);
    while (each * (double)blas->launches < seconds / 2 && blas->launches < 4096) {
        blas->launches *= 2;
        each = sample(blas, blas->launches);
    }
    return blas;
}

void blas_close(struct blas *blas)
{
    if (!blas) return;
    free(blas->a);
    free(blas->b);
    free(blas->c);
    free(blas); /* the library stays: its threads outlive dlclose() */
}

double blas_sample(struct blas *blas)
{
    return sample(blas, blas->launches);
}

const char *blas_text(const struct blas *blas)
{
    return blas->text;
}
