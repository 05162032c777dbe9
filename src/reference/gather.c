#include "reference/reference.h"

#include <math.h>

cairn_status ref_gather(struct cairn_backend *backend, const struct cairn_gather *p, int variant)
{
    (void)backend, (void)variant;
    const unsigned char *table = ref_bytes(&p->table) + p->table.offset;
    const unsigned char *labels = ref_bytes(&p->labels) + p->labels.offset;
    const int32_t *indices = ref_ints(&p->indices);
    float *x = ref_floats(&p->x);
    int32_t *y = ref_ints(&p->y);
    for (int64_t i = 0; i < p->count; i++, x += p->item) {
        int64_t row = indices[i];
        int inside = row >= 0 && row < p->total;
        y[i] = inside ? labels[row] : -1;
        for (int64_t e = 0; e < p->item; e++)
            x[e] = inside ? ((float)table[row * p->item + e] - p->shift) * p->scale : NAN;
    }
    return CAIRN_OK;
}
