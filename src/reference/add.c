#include "reference/reference.h"

REF_CLONES
static void add_each(const float *x, const float *b, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) y[i] = x[i] + b[i];
}

REF_CLONES
static void add_one(const float *x, float b, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) y[i] = x[i] + b;
}

cairn_status ref_add(struct cairn_backend *backend, const struct cairn_add *p, int variant)
{
    const float *x = ref_floats(&p->x), *b = ref_floats(&p->b);
    float *y = ref_floats(&p->y);
    (void)backend, (void)variant;
    if (!p->channel)
        add_each(x, b, y, p->n1 * p->c * p->n2);
    else if (p->n2 == 1)
        for (int64_t i = 0; i < p->n1; i++) add_each(x + i * p->c, b, y + i * p->c, p->c);
    else
        for (int64_t row = 0; row < p->n1 * p->c; row++)
            add_one(x + row * p->n2, b[row % p->c], y + row * p->n2, p->n2);
    return CAIRN_OK;
}
