#include "reference/reference.h"

#include <math.h>

/* One channel: its elements are x[i * far + l] for i < n1, l < n2. */
struct channel {
    const float *x, *dy;
    float mean, rstd, gamma, beta;
    float k1, k2; /* of the gradient: (sum dy) / N, (sum dy v) / N */
};

REF_CLONES
static void add_deviations(float *lanes, const void *context, int64_t at, int64_t count)
{
    const struct channel *k = context;
    const float *x = k->x + at, mean = k->mean;
    for (int64_t i = 0; i < count; i++) {
        float d = x[i] - mean;
        lanes[i] = lanes[i] + d * d;
    }
}

REF_CLONES
static void add_slopes(float *lanes, const void *context, int64_t at, int64_t count)
{
    const struct channel *k = context;
    const float *x = k->x + at, *dy = k->dy + at, mean = k->mean, rstd = k->rstd;
    for (int64_t i = 0; i < count; i++) {
        float v = (x[i] - mean) * rstd;
        lanes[i] = lanes[i] + dy[i] * v;
    }
}

cairn_status ref_batchnorm_stats(struct cairn_backend *backend,
                                 const struct cairn_batchnorm_stats *p, int variant)
{
    float *mean = ref_floats(&p->mean), *rstd = ref_floats(&p->rstd);
    float *running_mean = ref_floats(&p->running_mean), *running_var = ref_floats(&p->running_var);
    int64_t count = p->n1 * p->n2, far = p->c * p->n2;
    float n = (float)count, less = count > 1 ? (float)(count - 1) : n;
    (void)backend, (void)variant;
    for (int64_t j = 0; j < p->c; j++) {
        struct channel k = {.x = ref_floats(&p->x) + j * p->n2};
        k.mean = ref_sum_values(count, p->n2, far, k.x) / n;
        float q = ref_sum(count, p->n2, far, add_deviations, &k);
        mean[j] = k.mean;
        rstd[j] = 1.0f / sqrtf(q / n + p->epsilon);
        running_mean[j] = fmaf(p->momentum, k.mean - running_mean[j], running_mean[j]);
        running_var[j] = fmaf(p->momentum, q / less - running_var[j], running_var[j]);
    }
    return CAIRN_OK;
}

REF_CLONES
static void normalise(const struct channel *k, const float *x, float *y, int64_t count)
{
    float mean = k->mean, rstd = k->rstd, gamma = k->gamma, beta = k->beta;
    for (int64_t i = 0; i < count; i++) y[i] = fmaf((x[i] - mean) * rstd, gamma, beta);
}

cairn_status ref_batchnorm(struct cairn_backend *backend, const struct cairn_batchnorm *p,
                           int variant)
{
    const float *mean = ref_floats(&p->mean), *rstd = ref_floats(&p->rstd),
                *gamma = ref_floats(&p->gamma), *beta = ref_floats(&p->beta);
    (void)backend, (void)variant;
    for (int64_t j = 0; j < p->c; j++) {
        struct channel k = {.mean = mean[j], .gamma = gamma[j], .beta = beta[j]};
        k.rstd = p->inference ? 1.0f / sqrtf(rstd[j] + p->epsilon) : rstd[j];
        for (int64_t i = 0; i < p->n1; i++) {
            int64_t at = (i * p->c + j) * p->n2;
            normalise(&k, ref_floats(&p->x) + at, ref_floats(&p->y) + at, p->n2);
        }
    }
    return CAIRN_OK;
}

REF_CLONES
static void slopes(const struct channel *k, const float *x, const float *dy, float *dx,
                   int64_t count)
{
    float mean = k->mean, rstd = k->rstd, k1 = k->k1, k2 = k->k2, scale = k->gamma * k->rstd;
    for (int64_t i = 0; i < count; i++)
        dx[i] = scale * (dy[i] - fmaf((x[i] - mean) * rstd, k2, k1));
}

cairn_status ref_batchnorm_grad(struct cairn_backend *backend, const struct cairn_batchnorm_grad *p,
                                int variant)
{
    const float *mean = ref_floats(&p->mean), *rstd = ref_floats(&p->rstd),
                *gamma = ref_floats(&p->gamma);
    float *dgamma = ref_floats(&p->dgamma), *dbeta = ref_floats(&p->dbeta);
    int64_t count = p->n1 * p->n2, far = p->c * p->n2;
    float n = (float)count;
    (void)backend, (void)variant;
    for (int64_t j = 0; j < p->c; j++) {
        struct channel k = {.x = ref_floats(&p->x) + j * p->n2,
                            .dy = ref_floats(&p->dy) + j * p->n2,
                            .mean = mean[j],
                            .rstd = rstd[j],
                            .gamma = gamma[j]};
        dbeta[j] = ref_sum_values(count, p->n2, far, k.dy);
        dgamma[j] = ref_sum(count, p->n2, far, add_slopes, &k);
        k.k1 = dbeta[j] / n;
        k.k2 = dgamma[j] / n;
        for (int64_t i = 0; i < p->n1; i++)
            slopes(&k, k.x + i * far, k.dy + i * far, ref_floats(&p->dx) + j * p->n2 + i * far,
                   p->n2);
    }
    return CAIRN_OK;
}
