#include "base/exact.h"
#include "reference/reference.h"

#include <string.h>

REF_CLONES
static void relu(const float *x, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

REF_CLONES
static void tanh_each(const float *x, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) y[i] = cairn_exact_tanh(x[i]);
}

REF_CLONES
static void sigmoid_each(const float *x, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) y[i] = cairn_exact_sigmoid(x[i]);
}

void ref_activate(enum cairn_activation_kind kind, const float *x, float *y, int64_t count)
{
    switch (kind) {
    case CAIRN_ACT_NONE:
        if (x != y) memcpy(y, x, (size_t)count * sizeof *y);
        break;
    case CAIRN_ACT_RELU:
        relu(x, y, count);
        break;
    case CAIRN_ACT_TANH:
        tanh_each(x, y, count);
        break;
    case CAIRN_ACT_SIGMOID:
        sigmoid_each(x, y, count);
        break;
    }
}

cairn_status ref_activation(struct cairn_backend *backend, const struct cairn_activation *p,
                            int variant)
{
    (void)backend, (void)variant;
    ref_activate((enum cairn_activation_kind)p->kind, ref_floats(&p->x), ref_floats(&p->y),
                 p->count);
    return CAIRN_OK;
}

REF_CLONES
static void gradient(int64_t kind, const float *y, const float *dy, float *dx, int64_t count)
{
    if (kind == CAIRN_ACT_RELU)
        for (int64_t i = 0; i < count; i++) dx[i] = y[i] <= 0.0f ? 0.0f : dy[i];
    else if (kind == CAIRN_ACT_TANH)
        for (int64_t i = 0; i < count; i++) dx[i] = dy[i] * fmaf(-y[i], y[i], 1.0f);
    else
        for (int64_t i = 0; i < count; i++) dx[i] = dy[i] * (y[i] * (1.0f - y[i]));
}

cairn_status ref_activation_grad(struct cairn_backend *backend,
                                 const struct cairn_activation_grad *p, int variant)
{
    (void)backend, (void)variant;
    gradient(p->kind, ref_floats(&p->y), ref_floats(&p->dy), ref_floats(&p->dx), p->count);
    return CAIRN_OK;
}
