/* Activations and their gradients, one work-item per element; formulas in <cairn/problem.h>. y may
 * be x, dx may be dy: an element is read before it is written and by its own work-item only.
 * "cpu", where there is one: a work-item makes a stretch in vectors of 16. */
#include "exact.h"
#include "exact16.h"

#ifndef STRETCH
#define STRETCH 4096 // elements of a "cpu" work-item
#endif

__kernel void relu_forward(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                           long count)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float v = x[x_off + i];
        y[y_off + i] = RELU(v);
    }
}

__kernel void tanh_forward(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                           long count)
{
    long i = (long)get_global_id(0);
    if (i < count) y[y_off + i] = exact_tanh(x[x_off + i]);
}

__kernel void sigmoid_forward(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                              long count)
{
    long i = (long)get_global_id(0);
    if (i < count) y[y_off + i] = exact_sigmoid(x[x_off + i]);
}

#define FORWARD_CPU(name, f, f16)                                                                  \
    __kernel void name(__global const float *x, ulong x_off, __global float *y, ulong y_off,       \
                       long count)                                                                 \
    {                                                                                              \
        long i = (long)get_global_id(0) * STRETCH, end = i + STRETCH < count ? i + STRETCH : count; \
        x += x_off;                                                                                \
        y += y_off;                                                                                \
        for (; i + 16 <= end; i += 16) vstore16(f16(vload16(0, x + i)), 0, y + i);                 \
        for (; i < end; i++) y[i] = f(x[i]);                                                       \
    }
FORWARD_CPU(tanh_forward_cpu, exact_tanh, exact_tanh16)
FORWARD_CPU(sigmoid_forward_cpu, exact_sigmoid, exact_sigmoid16)

__kernel void relu_grad(__global const float *y, ulong y_off, __global const float *dy,
                        ulong dy_off, __global float *dx, ulong dx_off, long count)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float d = dy[dy_off + i];
        dx[dx_off + i] = y[y_off + i] <= 0.0f ? 0.0f : d;
    }
}

__kernel void tanh_grad(__global const float *y, ulong y_off, __global const float *dy,
                        ulong dy_off, __global float *dx, ulong dx_off, long count)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float v = y[y_off + i];
        dx[dx_off + i] = dy[dy_off + i] * FMA(-v, v, 1.0f);
    }
}

__kernel void sigmoid_grad(__global const float *y, ulong y_off, __global const float *dy,
                           ulong dy_off, __global float *dx, ulong dx_off, long count)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float v = y[y_off + i];
        dx[dx_off + i] = dy[dy_off + i] * (v * (1.0f - v));
    }
}

/* The kinds below take alpha, used or not. */
#define FORWARD(name, f)                                                                                                \
    __kernel void name(__global const float *x, ulong x_off, __global float *y, ulong y_off, long count, float alpha)   \
    {                                                                                                                   \
        long i = (long)get_global_id(0);                                                                                \
        if (i < count) y[y_off + i] = f(x[x_off + i], alpha);                                                           \
    }

/* `of` is y or, for the kinds that need it, x. */
#define GRADIENT(name, f)                                                                                               \
    __kernel void name(__global const float *of, ulong of_off, __global const float *dy, ulong dy_off,                  \
                       __global float *dx, ulong dx_off, long count, float alpha)                                       \
    {                                                                                                                   \
        long i = (long)get_global_id(0);                                                                                \
        if (i < count) dx[dx_off + i] = f(of[of_off + i], dy[dy_off + i], alpha);                                       \
    }

#define SIXTH 0.16666667163372039794921875f          /* 3e2aaaab */
#define INV_SQRT_2 0.707106769084930419921875f       /* 3f3504f3 */
#define SQRT_2_PI 0.79788458347320556640625f        /* 3f4c422a: sqrt(2 / pi) */
#define CUBIC 0.0447149984538555145263671875f        /* 3d372713 */
#define SLOPE_CUBIC 0.10703222453594207763671875f   /* 3ddb33b6: 3 * 0.044715 sqrt(2 / pi) */
#define INV_SQRT_2PI 0.398942291736602783203125f     /* 3ecc422a */

static inline float leaky_relu(float x, float alpha)
{
    return x < 0.0f ? alpha * x : x;
}

static inline float leaky_relu_slope(float y, float dy, float alpha)
{
    return y <= 0.0f ? alpha * dy : dy;
}

static inline float elu(float x, float alpha)
{
    return x < 0.0f ? alpha * exact_expm1(x) : x;
}

/* alpha e^x = y + alpha */
static inline float elu_slope(float y, float dy, float alpha)
{
    return y <= 0.0f ? dy * (y + alpha) : dy;
}

static inline float softplus(float x, float alpha)
{
    return exact_softplus(x);
}

/* sigmoid x = 1 - e^-y */
static inline float softplus_slope(float y, float dy, float alpha)
{
    return dy * -exact_expm1(-y);
}

static inline float hard_sigmoid(float x, float alpha)
{
    float t = x + 3.0f;
    if (t < 0.0f) t = 0.0f;
    if (t > 6.0f) t = 6.0f;
    return t * SIXTH;
}

static inline float hard_sigmoid_slope(float y, float dy, float alpha)
{
    return y <= 0.0f || y >= 1.0f ? 0.0f : dy * SIXTH;
}

static inline float gelu(float x, float alpha)
{
    return (0.5f * x) * (1.0f + exact_erf(x * INV_SQRT_2));
}

static inline float gelu_slope(float x, float dy, float alpha)
{
    float c = 0.5f * (1.0f + exact_erf(x * INV_SQRT_2));
    float density = INV_SQRT_2PI * exact_exp(-0.5f * (x * x));
    return dy * FMA(x, density, c);
}

static inline float gelu_tanh_part(float x, float square)
{
    return exact_tanh(SQRT_2_PI * FMA(CUBIC * square, x, x));
}

static inline float gelu_tanh(float x, float alpha)
{
    return (0.5f * x) * (1.0f + gelu_tanh_part(x, x * x));
}

/* From |x| = 10 on 1 - t^2 is 0: the choice keeps infinity times 0 out where x^2 overflows, and a device's own tanh,
 * an ulp below 1 there, out of x^3. */
static inline float gelu_tanh_slope(float x, float dy, float alpha)
{
    float square = x * x, t = gelu_tanh_part(x, square), v = FMA(-t, t, 1.0f), d = 0.0f;
    if (v > 0.0f && square < 100.0f) d = ((0.5f * x) * v) * FMA(SLOPE_CUBIC, square, SQRT_2_PI);
    return dy * (0.5f * (1.0f + t) + d);
}

static inline float silu(float x, float alpha)
{
    return x * exact_sigmoid(x);
}

static inline float silu_slope(float x, float dy, float alpha)
{
    float s = exact_sigmoid(x);
    return dy * (s * FMA(x, 1.0f - s, 1.0f));
}

static inline float hard_swish(float x, float alpha)
{
    if (x <= -3.0f) return 0.0f;
    return x >= 3.0f ? x : (x * (x + 3.0f)) * SIXTH;
}

static inline float hard_swish_slope(float x, float dy, float alpha)
{
    float slope = x >= 3.0f ? 1.0f : ((x + x) + 3.0f) * SIXTH;
    return dy * (x <= -3.0f ? 0.0f : slope);
}

FORWARD(leaky_relu_forward, leaky_relu)
FORWARD(elu_forward, elu)
FORWARD(softplus_forward, softplus)
FORWARD(hard_sigmoid_forward, hard_sigmoid)
FORWARD(gelu_forward, gelu)
FORWARD(gelu_tanh_forward, gelu_tanh)
FORWARD(silu_forward, silu)
FORWARD(hard_swish_forward, hard_swish)
GRADIENT(leaky_relu_grad, leaky_relu_slope)
GRADIENT(elu_grad, elu_slope)
GRADIENT(softplus_grad, softplus_slope)
GRADIENT(hard_sigmoid_grad, hard_sigmoid_slope)
GRADIENT(gelu_grad, gelu_slope)
GRADIENT(gelu_tanh_grad, gelu_tanh_slope)
GRADIENT(silu_grad, silu_slope)
GRADIENT(hard_swish_grad, hard_swish_slope)
