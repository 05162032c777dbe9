#include "oracle.h"

void oracle_reduce(const struct cairn_reduce *p, const double *x, double *y, double *mag)
{
    for (int64_t j = 0; j < p->c; j++) {
        y[j] = p->kind == CAIRN_REDUCE_MAX ? -INFINITY : 0;
        mag[j] = 0;
    }
    for (int64_t at = 0; at < p->n1 * p->c * p->n2; at++) {
        double v = p->kind == CAIRN_REDUCE_SUMSQ ? x[at] * x[at] : x[at];
        double *result = &y[at / p->n2 % p->c];
        if (p->kind != CAIRN_REDUCE_MAX)
            *result += v;
        else if (isnan(v) || v > *result)
            *result = v;
        mag[at / p->n2 % p->c] += fabs(v);
    }
}

void oracle_gather(const struct cairn_gather *p, const uint8_t *table, const uint8_t *labels,
                   const int32_t *indices, double *x, int32_t *y)
{
    for (int64_t at = 0; at < p->count * p->item; at++) {
        int64_t row = indices[at / p->item];
        if (row < 0 || row >= p->total) {
            x[at] = NAN;
            y[at / p->item] = -1;
            continue;
        }
        x[at] = (table[row * p->item + at % p->item] - (double)p->shift) * (double)p->scale;
        y[at / p->item] = labels[row];
    }
}

void oracle_sgd(const struct cairn_sgd *p, double *w, const double *g, double *v)
{
    for (int64_t i = 0; i < p->count; i++) {
        double slope = i < p->decay_count ? g[i] + (double)p->l2 * w[i] : g[i];
        v[i] = (double)p->momentum * v[i] + slope;
        w[i] -= (double)p->lr * v[i];
    }
}

/* Kingma and Ba, algorithm 1; 1 / (1 - beta^t) come as c1 and c2. */
void oracle_adam(const struct cairn_adam *p, double *w, const double *g, double *m, double *v)
{
    for (int64_t i = 0; i < p->count; i++) {
        double slope = i < p->decay_count ? g[i] + (double)p->l2 * w[i] : g[i];
        m[i] = (double)p->beta1 * m[i] + (1 - (double)p->beta1) * slope;
        v[i] = (double)p->beta2 * v[i] + (1 - (double)p->beta2) * slope * slope;
        w[i] -= (double)p->lr * (m[i] * (double)p->c1) /
                (sqrt(v[i] * (double)p->c2) + (double)p->epsilon);
    }
}
