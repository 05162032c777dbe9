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
