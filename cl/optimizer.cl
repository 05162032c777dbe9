/* Optimiser updates and clipping, one work-item per parameter; formulas in <cairn/problem.h>. L1,
 * L2 and decay reach the first decay_count only.
 *
 * Every update takes (w, g, its moments, count, decay_count, lr, l1, l2, decay, rate, its own
 * scalars), rate = lr * decay and each rest = 1 - x rounded once by the host. */
#include "exact.h"

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

__kernel void sgd(__global float *w, ulong w_off, __global const float *g, ulong g_off,
                  __global float *v, ulong v_off, long count, long decay_count, float lr, float l1,
                  float l2, float decay, float rate, float momentum, int nesterov)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float wi = w[w_off + i], gi = g[g_off + i];
        begin(i < decay_count, l1, l2, decay, rate, &wi, &gi);
        float vi = FMA(momentum, v[v_off + i], gi), d = vi;
        if (FULL && nesterov) d = FMA(momentum, vi, gi);
        v[v_off + i] = vi;
        w[w_off + i] = FMA(-lr, d, wi);
    }
}

__kernel void adam(__global float *w, ulong w_off, __global const float *g, ulong g_off,
                   __global float *m, ulong m_off, __global float *v, ulong v_off, long count,
                   long decay_count, float lr, float l1, float l2, float decay, float rate,
                   float beta1, float rest1, float beta2, float rest2, float epsilon, float c1,
                   float c2)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float wi = w[w_off + i], gi = g[g_off + i];
        begin(i < decay_count, l1, l2, decay, rate, &wi, &gi);
        float mi = FMA(beta1, m[m_off + i], rest1 * gi);
        float vi = FMA(beta2, v[v_off + i], (rest2 * gi) * gi);
        m[m_off + i] = mi;
        v[v_off + i] = vi;
        float root = SQRT(vi * c2);
        float ratio = DIV(mi * c1, root + epsilon);
        w[w_off + i] = FMA(-lr, ratio, wi);
    }
}

__kernel void rmsprop(__global float *w, ulong w_off, __global const float *g, ulong g_off,
                      __global float *m, ulong m_off, __global float *v, ulong v_off, long count,
                      long decay_count, float lr, float l1, float l2, float decay, float rate,
                      float alpha, float rest, float momentum, float epsilon)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float wi = w[w_off + i], gi = g[g_off + i];
        begin(i < decay_count, l1, l2, decay, rate, &wi, &gi);
        float vi = FMA(alpha, v[v_off + i], (rest * gi) * gi);
        v[v_off + i] = vi;
        float root = SQRT(vi);
        float ratio = DIV(gi, root + epsilon);
        float mi = FMA(momentum, m[m_off + i], ratio);
        m[m_off + i] = mi;
        w[w_off + i] = FMA(-lr, mi, wi);
    }
}

__kernel void adagrad(__global float *w, ulong w_off, __global const float *g, ulong g_off,
                      __global float *v, ulong v_off, long count, long decay_count, float lr,
                      float l1, float l2, float decay, float rate, float epsilon)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float wi = w[w_off + i], gi = g[g_off + i];
        begin(i < decay_count, l1, l2, decay, rate, &wi, &gi);
        float vi = FMA(gi, gi, v[v_off + i]);
        v[v_off + i] = vi;
        float root = SQRT(vi);
        float ratio = DIV(gi, root + epsilon);
        w[w_off + i] = FMA(-lr, ratio, wi);
    }
}

__kernel void adadelta(__global float *w, ulong w_off, __global const float *g, ulong g_off,
                       __global float *u, ulong u_off, __global float *v, ulong v_off, long count,
                       long decay_count, float lr, float l1, float l2, float decay, float rate,
                       float rho, float rest, float epsilon)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float wi = w[w_off + i], gi = g[g_off + i], ui = u[u_off + i];
        begin(i < decay_count, l1, l2, decay, rate, &wi, &gi);
        float vi = FMA(rho, v[v_off + i], (rest * gi) * gi);
        v[v_off + i] = vi;
        float above = SQRT(ui + epsilon);
        float below = SQRT(vi + epsilon);
        float d = DIV(above, below);
        d = d * gi;
        u[u_off + i] = FMA(rho, ui, (rest * d) * d);
        w[w_off + i] = FMA(-lr, d, wi);
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
