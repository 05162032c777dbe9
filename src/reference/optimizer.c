#include "reference/reference.h"

#include <math.h>

REF_CLONES
static void sgd(const struct cairn_sgd *p, int64_t first, int64_t end, int decay, float *w,
                const float *g, float *v)
{
    for (int64_t i = first; i < end; i++) {
        float gi = decay ? fmaf(p->l2, w[i], g[i]) : g[i];
        v[i] = fmaf(p->momentum, v[i], gi);
        w[i] = fmaf(-p->lr, v[i], w[i]);
    }
}

cairn_status ref_sgd(struct cairn_backend *backend, const struct cairn_sgd *p, int variant)
{
    (void)backend, (void)variant;
    float *w = ref_floats(&p->w), *v = ref_floats(&p->v);
    const float *g = ref_floats(&p->g);
    sgd(p, 0, p->decay_count, 1, w, g, v);
    sgd(p, p->decay_count, p->count, 0, w, g, v);
    return CAIRN_OK;
}

REF_CLONES
static void adam(const struct cairn_adam *p, int64_t first, int64_t end, int decay, float *w,
                 const float *g, float *m, float *v)
{
    const struct cairn_adam c = *p;
    float rest1 = 1.0f - c.beta1, rest2 = 1.0f - c.beta2;
    for (int64_t i = first; i < end; i++) {
        float gi = decay ? fmaf(c.l2, w[i], g[i]) : g[i];
        float mi = fmaf(c.beta1, m[i], rest1 * gi);
        float vi = fmaf(c.beta2, v[i], (rest2 * gi) * gi);
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
    adam(p, 0, p->decay_count, 1, w, g, m, v);
    adam(p, p->decay_count, p->count, 0, w, g, m, v);
    return CAIRN_OK;
}
