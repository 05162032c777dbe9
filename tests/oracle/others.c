#include "oracle.h"

static int32_t first_largest(const double *z, int64_t classes, int64_t label)
{
    int64_t best = 0;
    for (int64_t j = 0; j < classes; j++) {
        if (isnan(z[j])) return 0;
        if (z[j] > z[best]) best = j;
    }
    return best == label;
}

void oracle_softmax(const struct cairn_softmax *p, const double *z, const int32_t *labels,
                    double *loss, int32_t *correct, double *grad, double *prob)
{
    for (int64_t r = 0; r < p->rows; r++, z += p->classes) {
        int known = labels[r] >= 0 && labels[r] < p->classes;
        double top = z[0], total = 0;
        for (int64_t j = 0; j < p->classes; j++)
            if (z[j] > top) top = z[j];
        for (int64_t j = 0; j < p->classes; j++) total += exp(z[j] - top);
        loss[r] = known ? log(total) + top - z[labels[r]] : NAN;
        correct[r] = known ? first_largest(z, p->classes, labels[r]) : 0;
        for (int64_t j = 0; j < p->classes; j++) {
            double q = exp(z[j] - top) / total;
            if (prob) prob[r * p->classes + j] = q;
            if (grad) grad[r * p->classes + j] = (double)p->scale * (q - (j == labels[r]));
        }
    }
}

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
