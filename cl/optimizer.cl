/* Optimiser updates and clipping, one work-item per parameter; formulas in <cairn/problem.h>. L1,
 * L2 and decay reach the first decay_count only.
 *
 * Every update takes w, g, its moments and, in vectors, their offsets, (count, decay_count), (lr,
 * l1, l2, decay) and (rate, its own scalars); rate = lr * decay and each rest = 1 - x are rounded
 * once by the host. */
#include "exact.h"

#define TWO __global float *w, __global const float *g
#define COMMON long2 counts, float4 all, float4 own
#define LR all.x
#define BEGIN(wi, gi) begin(i < counts.y, all.y, all.z, all.w, own.x, &wi, &gi)

#ifndef FULL
#define FULL 1 /* 0: built without l1, decoupled decay and nesterov, for when all of them are 0 */
#endif

/* How every update begins: the slope and the weight that the rest of it uses. The terms of the
 * slope have the old weight. */
static inline void begin(bool decays, float l1, float l2, float decay, float rate, float *w,
                         float *g)
{
    float old = *w, slope = FMA(l2, old, *g), sign = (float)((int)(old > 0.0f) - (int)(old < 0.0f));
    if (FULL && l1 != 0.0f) slope = FMA(l1, sign, slope);
    *g = decays ? slope : *g;
    if (FULL && decay != 0.0f) *w = decays ? FMA(-rate, old, old) : old;
}

__kernel void sgd(TWO, __global float *v, ulong2 wg_at, ulong2 v_at, COMMON, int nesterov)
{
    float momentum = own.y;
    long i = (long)get_global_id(0);
    if (i < counts.x) {
        float wi = w[wg_at.x + i], gi = g[wg_at.y + i];
        BEGIN(wi, gi);
        float vi = FMA(momentum, v[v_at.x + i], gi), d = vi;
        if (FULL && nesterov) d = FMA(momentum, vi, gi);
        v[v_at.x + i] = vi;
        w[wg_at.x + i] = FMA(-LR, d, wi);
    }
}

__kernel void adam(TWO, __global float *m, __global float *v, ulong2 wg_at, ulong2 mv_at, COMMON,
                   float4 more)
{
    float beta1 = own.y, rest1 = own.z, beta2 = own.w, rest2 = more.x, epsilon = more.y,
          c1 = more.z, c2 = more.w;
    long i = (long)get_global_id(0);
    if (i < counts.x) {
        float wi = w[wg_at.x + i], gi = g[wg_at.y + i];
        BEGIN(wi, gi);
        float mi = FMA(beta1, m[mv_at.x + i], rest1 * gi);
        float vi = FMA(beta2, v[mv_at.y + i], (rest2 * gi) * gi);
        m[mv_at.x + i] = mi;
        v[mv_at.y + i] = vi;
        float root = SQRT(vi * c2);
        float ratio = DIV(mi * c1, root + epsilon);
        w[wg_at.x + i] = FMA(-LR, ratio, wi);
    }
}

__kernel void rmsprop(TWO, __global float *m, __global float *v, ulong2 wg_at, ulong2 mv_at, COMMON,
                      float4 more)
{
    float alpha = own.y, rest = own.z, momentum = own.w, epsilon = more.x;
    long i = (long)get_global_id(0);
    if (i < counts.x) {
        float wi = w[wg_at.x + i], gi = g[wg_at.y + i];
        BEGIN(wi, gi);
        float vi = FMA(alpha, v[mv_at.y + i], (rest * gi) * gi);
        v[mv_at.y + i] = vi;
        float root = SQRT(vi);
        float ratio = DIV(gi, root + epsilon);
        float mi = FMA(momentum, m[mv_at.x + i], ratio);
        m[mv_at.x + i] = mi;
        w[wg_at.x + i] = FMA(-LR, mi, wi);
    }
}

__kernel void adagrad(TWO, __global float *v, ulong2 wg_at, ulong2 v_at, COMMON)
{
    float epsilon = own.y;
    long i = (long)get_global_id(0);
    if (i < counts.x) {
        float wi = w[wg_at.x + i], gi = g[wg_at.y + i];
        BEGIN(wi, gi);
        float vi = FMA(gi, gi, v[v_at.x + i]);
        v[v_at.x + i] = vi;
        float root = SQRT(vi);
        float ratio = DIV(gi, root + epsilon);
        w[wg_at.x + i] = FMA(-LR, ratio, wi);
    }
}

__kernel void adadelta(TWO, __global float *u, __global float *v, ulong2 wg_at, ulong2 uv_at,
                       COMMON)
{
    float rho = own.y, rest = own.z, epsilon = own.w;
    long i = (long)get_global_id(0);
    if (i < counts.x) {
        float wi = w[wg_at.x + i], gi = g[wg_at.y + i], ui = u[uv_at.x + i];
        BEGIN(wi, gi);
        float vi = FMA(rho, v[uv_at.y + i], (rest * gi) * gi);
        v[uv_at.y + i] = vi;
        float above = SQRT(ui + epsilon);
        float below = SQRT(vi + epsilon);
        float d = DIV(above, below);
        d = d * gi;
        u[uv_at.x + i] = FMA(rho, ui, (rest * d) * d);
        w[wg_at.x + i] = FMA(-LR, d, wi);
    }
}

/* Where nothing is clipped nothing is written: g * 1 is g. */
__kernel void clip(__global const float *restrict sumsq, ulong sumsq_off,
                   __global float *restrict g, ulong g_off, long count, float limit)
{
    long i = (long)get_global_id(0);
    float norm = SQRT(sumsq[sumsq_off]);
    if (i < count && norm > limit) {
        float factor = DIV(limit, norm);
        g[g_off + i] = g[g_off + i] * factor;
    }
}
