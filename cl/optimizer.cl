/* Optimiser updates, one work-item per parameter; formulas in <cairn/problem.h>. L2 reaches the
 * first decay_count only. */
#include "exact.h"

__kernel void sgd(__global float *w, ulong w_off, __global const float *g, ulong g_off,
                  __global float *v, ulong v_off, long count, long decay_count, float lr,
                  float momentum, float l2)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float wi = w[w_off + i], gi = g[g_off + i];
        float decayed = FMA(l2, wi, gi);
        gi = i < decay_count ? decayed : gi;
        float vi = FMA(momentum, v[v_off + i], gi);
        v[v_off + i] = vi;
        w[w_off + i] = FMA(-lr, vi, wi);
    }
}

/* rest1 = 1 - beta1, rest2 = 1 - beta2, rounded once by the host. */
__kernel void adam(__global float *w, ulong w_off, __global const float *g, ulong g_off,
                   __global float *m, ulong m_off, __global float *v, ulong v_off, long count,
                   long decay_count, float lr, float beta1, float rest1, float beta2, float rest2,
                   float epsilon, float l2, float c1, float c2)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float wi = w[w_off + i], gi = g[g_off + i];
        float decayed = FMA(l2, wi, gi);
        gi = i < decay_count ? decayed : gi;
        float mi = FMA(beta1, m[m_off + i], rest1 * gi);
        float vi = FMA(beta2, v[v_off + i], (rest2 * gi) * gi);
        m[m_off + i] = mi;
        v[v_off + i] = vi;
        float root = SQRT(vi * c2);
        float ratio = DIV(mi * c1, root + epsilon);
        w[w_off + i] = FMA(-lr, ratio, wi);
    }
}
