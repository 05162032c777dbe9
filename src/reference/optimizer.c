#include "reference/reference.h"

#include <math.h>

/* How every update begins. Slopes are made a block at a time, so that each term is a loop of its
 * own over independent elements; a block ends at decay_count. */
enum { BLOCK = 256 };

struct start {
    int64_t count, decay_count;
    float lr, l1, l2, decay;
};

/* From `first`: the largest range that the first decay_count cover wholly or not at all. */
static int64_t block_from(const struct start *s, int64_t first)
{
    return ref_min((first < s->decay_count ? s->decay_count : s->count) - first, BLOCK);
}

/* Of n decayed elements: slope[i], and the decoupled decay of w[i]. */
REF_CLONES
static void decay(const struct start *s, int64_t n, float *w, const float *g, float *slope)
{
    const float l1 = s->l1, l2 = s->l2, rate = s->lr * s->decay;
    for (int64_t i = 0; i < n; i++) slope[i] = fmaf(l2, w[i], g[i]);
    if (l1 != 0)
        for (int64_t i = 0; i < n; i++)
            slope[i] = fmaf(l1, (float)((w[i] > 0) - (w[i] < 0)), slope[i]);
    if (s->decay != 0)
        for (int64_t i = 0; i < n; i++) w[i] = fmaf(-rate, w[i], w[i]);
}

/* The slopes of n elements, which are g itself where nothing decays. */
static const float *begin(const struct start *s, int64_t first, int64_t n, float *w, const float *g,
                          float *slope)
{
    if (first >= s->decay_count) return g;
    decay(s, n, w, g, slope);
    return slope;
}

/* Runs CALL over the blocks of p: n elements from `first` with their slopes. */
#define EACH_BLOCK(p, w, g, CALL)                                                                  \
    do {                                                                                           \
        const struct start start = {(p)->count, (p)->decay_count, (p)->lr,                         \
                                    (p)->l1,    (p)->l2,          (p)->decay};                     \
        float block[BLOCK];                                                                        \
        for (int64_t first = 0, n; first < start.count; first += n) {                              \
            n = block_from(&start, first);                                                         \
            const float *slope = begin(&start, first, n, (w) + first, (g) + first, block);         \
            CALL;                                                                                  \
        }                                                                                          \
    } while (0)

REF_CLONES
static void sgd(const struct cairn_sgd *p, int64_t n, const float *slope, float *w, float *v)
{
    const struct cairn_sgd c = *p;
    for (int64_t i = 0; i < n; i++) {
        float vi = fmaf(c.momentum, v[i], slope[i]);
        v[i] = vi;
        w[i] = fmaf(-c.lr, c.nesterov ? fmaf(c.momentum, vi, slope[i]) : vi, w[i]);
    }
}

cairn_status ref_sgd(struct cairn_backend *backend, const struct cairn_sgd *p, int variant)
{
    (void)backend, (void)variant;
    float *w = ref_floats(&p->w), *v = ref_floats(&p->v);
    const float *g = ref_floats(&p->g);
    EACH_BLOCK(p, w, g, sgd(p, n, slope, w + first, v + first));
    return CAIRN_OK;
}

REF_CLONES
static void adam(const struct cairn_adam *p, int64_t n, const float *slope, float *w, float *m,
                 float *v)
{
    const struct cairn_adam c = *p;
    float rest1 = 1.0f - c.beta1, rest2 = 1.0f - c.beta2;
    for (int64_t i = 0; i < n; i++) {
        float mi = fmaf(c.beta1, m[i], rest1 * slope[i]);
        float vi = fmaf(c.beta2, v[i], (rest2 * slope[i]) * slope[i]);
        m[i] = mi;
        v[i] = vi;
        w[i] = fmaf(-c.lr, (mi * c.c1) / (sqrtf(vi * c.c2) + c.epsilon), w[i]);
    }
}

cairn_status ref_adam(struct cairn_backend *backend, const struct cairn_adam *p, int variant)
{
    (void)backend, (void)variant;
    float *w = ref_floats(&p->w), *m = ref_floats(&p->m), *v = ref_floats(&p->v);
    const float *g = ref_floats(&p->g);
    EACH_BLOCK(p, w, g, adam(p, n, slope, w + first, m + first, v + first));
    return CAIRN_OK;
}

REF_CLONES
static void rmsprop(const struct cairn_rmsprop *p, int64_t n, const float *slope, float *w,
                    float *m, float *v)
{
    const struct cairn_rmsprop c = *p;
    float rest = 1.0f - c.alpha;
    for (int64_t i = 0; i < n; i++) {
        float vi = fmaf(c.alpha, v[i], (rest * slope[i]) * slope[i]);
        float mi = fmaf(c.momentum, m[i], slope[i] / (sqrtf(vi) + c.epsilon));
        v[i] = vi;
        m[i] = mi;
        w[i] = fmaf(-c.lr, mi, w[i]);
    }
}

cairn_status ref_rmsprop(struct cairn_backend *backend, const struct cairn_rmsprop *p, int variant)
{
    (void)backend, (void)variant;
    float *w = ref_floats(&p->w), *m = ref_floats(&p->m), *v = ref_floats(&p->v);
    const float *g = ref_floats(&p->g);
    EACH_BLOCK(p, w, g, rmsprop(p, n, slope, w + first, m + first, v + first));
    return CAIRN_OK;
}

REF_CLONES
static void adagrad(const struct cairn_adagrad *p, int64_t n, const float *slope, float *w,
                    float *v)
{
    const struct cairn_adagrad c = *p;
    for (int64_t i = 0; i < n; i++) {
        float vi = fmaf(slope[i], slope[i], v[i]);
        v[i] = vi;
        w[i] = fmaf(-c.lr, slope[i] / (sqrtf(vi) + c.epsilon), w[i]);
    }
}

cairn_status ref_adagrad(struct cairn_backend *backend, const struct cairn_adagrad *p, int variant)
{
    (void)backend, (void)variant;
    float *w = ref_floats(&p->w), *v = ref_floats(&p->v);
    const float *g = ref_floats(&p->g);
    EACH_BLOCK(p, w, g, adagrad(p, n, slope, w + first, v + first));
    return CAIRN_OK;
}

REF_CLONES
static void adadelta(const struct cairn_adadelta *p, int64_t n, const float *slope, float *w,
                     float *u, float *v)
{
    const struct cairn_adadelta c = *p;
    float rest = 1.0f - c.rho;
    for (int64_t i = 0; i < n; i++) {
        float vi = fmaf(c.rho, v[i], (rest * slope[i]) * slope[i]);
        float d = (sqrtf(u[i] + c.epsilon) / sqrtf(vi + c.epsilon)) * slope[i];
        v[i] = vi;
        u[i] = fmaf(c.rho, u[i], (rest * d) * d);
        w[i] = fmaf(-c.lr, d, w[i]);
    }
}

cairn_status ref_adadelta(struct cairn_backend *backend, const struct cairn_adadelta *p,
                          int variant)
{
    (void)backend, (void)variant;
    float *w = ref_floats(&p->w), *u = ref_floats(&p->u), *v = ref_floats(&p->v);
    const float *g = ref_floats(&p->g);
    EACH_BLOCK(p, w, g, adadelta(p, n, slope, w + first, u + first, v + first));
    return CAIRN_OK;
}

REF_CLONES
static void scale(float *g, int64_t count, float factor)
{
    for (int64_t i = 0; i < count; i++) g[i] = g[i] * factor;
}

cairn_status ref_clip(struct cairn_backend *backend, const struct cairn_clip *p, int variant)
{
    (void)backend, (void)variant;
    float norm = sqrtf(ref_floats(&p->sumsq)[0]);
    scale(ref_floats(&p->g), p->count, norm > p->limit ? p->limit / norm : 1.0f);
    return CAIRN_OK;
}
