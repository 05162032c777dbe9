#include "base/exact.h"
#include "reference/reference.h"

#include <assert.h>
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
    default:
        assert(kind == CAIRN_ACT_SIGMOID);
        sigmoid_each(x, y, count);
        break;
    }
}

static inline float leaky_relu(float x, float alpha)
{
    return x < 0.0f ? alpha * x : x;
}

static inline float elu(float x, float alpha)
{
    return x < 0.0f ? alpha * cairn_exact_expm1(x) : x;
}

static inline float softplus(float x, float alpha)
{
    (void)alpha;
    return cairn_exact_softplus(x);
}

#define SIXTH 0x1.555556p-3f

static inline float hard_sigmoid(float x, float alpha)
{
    float t = x + 3.0f;
    (void)alpha;
    t = t < 0.0f ? 0.0f : t;
    t = t > 6.0f ? 6.0f : t;
    return t * SIXTH;
}

static inline float gelu(float x, float alpha)
{
    (void)alpha;
    return (0.5f * x) * (1.0f + cairn_exact_erf(x * 0x1.6a09e6p-1f)); /* 1 / sqrt 2 */
}

/* sqrt(2 / pi) (x + 0.044715 x^3) for s = x^2 */
static inline float gelu_inner(float x, float s)
{
    return 0x1.988454p-1f * fmaf(0x1.6e4e26p-5f * s, x, x);
}

static inline float gelu_tanh(float x, float alpha)
{
    (void)alpha;
    return (0.5f * x) * (1.0f + cairn_exact_tanh(gelu_inner(x, x * x)));
}

static inline float silu(float x, float alpha)
{
    (void)alpha;
    return x * cairn_exact_sigmoid(x);
}

static inline float hard_swish(float x, float alpha)
{
    (void)alpha;
    return x <= -3.0f ? 0.0f : x >= 3.0f ? x : (x * (x + 3.0f)) * SIXTH;
}

#define EACH(f)                                                                                    \
    REF_CLONES                                                                                     \
    static void f##_each(const float *x, float *y, int64_t count, float alpha)                     \
    {                                                                                              \
        for (int64_t i = 0; i < count; i++) y[i] = f(x[i], alpha);                                 \
    }
EACH(leaky_relu)
EACH(elu)
EACH(softplus)
EACH(hard_sigmoid)
EACH(gelu)
EACH(gelu_tanh)
EACH(silu)
EACH(hard_swish)

cairn_status ref_activation(struct cairn_backend *backend, const struct cairn_activation *p,
                            int variant)
{
    static void (*const each[CAIRN_ACT_COUNT])(const float *, float *, int64_t, float) = {
        [CAIRN_ACT_LEAKY_RELU] = leaky_relu_each,
        [CAIRN_ACT_ELU] = elu_each,
        [CAIRN_ACT_SOFTPLUS] = softplus_each,
        [CAIRN_ACT_HARD_SIGMOID] = hard_sigmoid_each,
        [CAIRN_ACT_GELU] = gelu_each,
        [CAIRN_ACT_GELU_TANH] = gelu_tanh_each,
        [CAIRN_ACT_SILU] = silu_each,
        [CAIRN_ACT_HARD_SWISH] = hard_swish_each,
    };
    const float *x = ref_floats(&p->x);
    float *y = ref_floats(&p->y);
    (void)backend, (void)variant;
    if (each[p->kind])
        each[p->kind](x, y, p->count, p->alpha);
    else
        ref_activate((enum cairn_activation_kind)p->kind, x, y, p->count);
    return CAIRN_OK;
}

REF_CLONES
static void relu_grad(const float *y, const float *dy, float *dx, int64_t count, float alpha)
{
    (void)alpha;
    for (int64_t i = 0; i < count; i++) dx[i] = y[i] <= 0.0f ? 0.0f : dy[i];
}

REF_CLONES
static void leaky_relu_grad(const float *y, const float *dy, float *dx, int64_t count, float alpha)
{
    for (int64_t i = 0; i < count; i++) dx[i] = y[i] <= 0.0f ? alpha * dy[i] : dy[i];
}

REF_CLONES
static void elu_grad(const float *y, const float *dy, float *dx, int64_t count, float alpha)
{
    for (int64_t i = 0; i < count; i++) dx[i] = y[i] <= 0.0f ? dy[i] * (y[i] + alpha) : dy[i];
}

REF_CLONES
static void hard_sigmoid_grad(const float *y, const float *dy, float *dx, int64_t count,
                              float alpha)
{
    (void)alpha;
    for (int64_t i = 0; i < count; i++) dx[i] = y[i] <= 0.0f || y[i] >= 1.0f ? 0.0f : dy[i] * SIXTH;
}

/* Of y where that is enough, else of x. */
static inline float tanh_slope(float y)
{
    return fmaf(-y, y, 1.0f);
}

static inline float sigmoid_slope(float y)
{
    return y * (1.0f - y);
}

static inline float softplus_slope(float y)
{
    return -cairn_exact_expm1(-y);
}

/* Phi(x) + x phi(x); the factor of phi is 1 / sqrt(2 pi) */
static inline float gelu_slope(float x)
{
    float c = 0.5f * (1.0f + cairn_exact_erf(x * 0x1.6a09e6p-1f));
    return fmaf(x, 0x1.988454p-2f * cairn_exact_exp(-0.5f * (x * x)), c);
}

/* c + x / 2 (1 - t^2) u', u' = sqrt(2 / pi) (1 + 3 * 0.044715 x^2); no inf * 0 where x^2 overflows
 */
static inline float gelu_tanh_slope(float x)
{
    float s = x * x, t = cairn_exact_tanh(gelu_inner(x, s));
    float v = fmaf(-t, t, 1.0f), u = fmaf(0x1.b6676cp-4f, s, 0x1.988454p-1f);
    float d = v > 0.0f ? ((0.5f * x) * v) * u : 0.0f;
    return 0.5f * (1.0f + t) + d;
}

static inline float silu_slope(float x)
{
    float s = cairn_exact_sigmoid(x);
    return s * fmaf(x, 1.0f - s, 1.0f);
}

static inline float hard_swish_slope(float x)
{
    return x <= -3.0f ? 0.0f : x >= 3.0f ? 1.0f : ((x + x) + 3.0f) * SIXTH;
}

#define EACH_GRAD(f)                                                                               \
    REF_CLONES                                                                                     \
    static void f##_grad(const float *of, const float *dy, float *dx, int64_t count, float alpha)  \
    {                                                                                              \
        (void)alpha;                                                                               \
        for (int64_t i = 0; i < count; i++) dx[i] = dy[i] * f##_slope(of[i]);                      \
    }
EACH_GRAD(tanh)
EACH_GRAD(sigmoid)
EACH_GRAD(softplus)
EACH_GRAD(gelu)
EACH_GRAD(gelu_tanh)
EACH_GRAD(silu)
EACH_GRAD(hard_swish)

cairn_status ref_activation_grad(struct cairn_backend *backend,
                                 const struct cairn_activation_grad *p, int variant)
{
    static void (*const each[CAIRN_ACT_COUNT])(const float *, const float *, float *, int64_t,
                                               float) = {
        [CAIRN_ACT_RELU] = relu_grad,
        [CAIRN_ACT_TANH] = tanh_grad,
        [CAIRN_ACT_SIGMOID] = sigmoid_grad,
        [CAIRN_ACT_LEAKY_RELU] = leaky_relu_grad,
        [CAIRN_ACT_ELU] = elu_grad,
        [CAIRN_ACT_SOFTPLUS] = softplus_grad,
        [CAIRN_ACT_HARD_SIGMOID] = hard_sigmoid_grad,
        [CAIRN_ACT_GELU] = gelu_grad,
        [CAIRN_ACT_GELU_TANH] = gelu_tanh_grad,
        [CAIRN_ACT_SILU] = silu_grad,
        [CAIRN_ACT_HARD_SWISH] = hard_swish_grad,
    };
    const struct cairn_mem *of = p->kind < CAIRN_ACT_GELU ? &p->y : &p->x;
    (void)backend, (void)variant;
    each[p->kind](ref_floats(of), ref_floats(&p->dy), ref_floats(&p->dx), p->count, p->alpha);
    return CAIRN_OK;
}
