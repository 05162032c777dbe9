/* The matrix product for devices with small limits: one work-item for each result, no local memory.
 *
 * Interface and order are those of gemm.cl, a work-group being a tile of local size. */
#include "exact.h"

#define BLOCK 256
#define SLAB 4096
#define MIN(x, y) ((x) < (y) ? (x) : (y))

static inline float finish(float x, int bias_kind, float bias, int act)
{
    x = no_minus_zero(x);
    if (bias_kind) x = x + bias;
    if (act == 1) return RELU(x);
    if (act == 2) return exact_tanh(x);
    if (act == 3) return exact_sigmoid(x);
    return x;
}

__kernel void gemm(__global const float *a, ulong a_at, __global const float *b, ulong b_at,
                   __global const float *bias, ulong bias_at, __global float *c, ulong c_at, long m,
                   long n, long k_all, long k_each, int ta, int tb, long lda, long ldb, long ldc,
                   long stride_a, long stride_b, long stride_c, long stride_slab, int slabs,
                   long k_first, int partial, int bias_kind, int act, int groups, long step_a,
                   long step_b, long step_c)
{
    long wide = (long)get_local_size(0), high = (long)get_local_size(1);
    long across = (n + wide - 1) / wide, down = (m + high - 1) / high;
    long at = (long)get_group_id(0), line = at / across, z = line / down, repeat = z / slabs;
    long j = (at - line * across) * wide + (long)get_local_id(0),
         i = (line - z * down) * high + (long)get_local_id(1);
    long slab = z - repeat * slabs, batch = repeat / groups, group = repeat - batch * groups;
    if (i >= m || j >= n) return;
    long k0 = k_first + slab * SLAB, k_end = MIN(k0 + SLAB, k_all), piece = k0 / k_each,
         kp = k0 - piece * k_each;
    long next_a = ta ? lda : 1, next_b = tb ? 1 : ldb;
    __global const float *row = a + a_at + batch * stride_a + group * step_a + (ta ? i : i * lda);
    __global const float *column =
        b + b_at + batch * stride_b + group * step_b + (tb ? j * ldb : j);
    float t = 0.0f;
    for (long kb = k0; kb < k_end; kb += BLOCK) {
        float s = 0.0f;
        for (long k = kb; k < MIN(kb + BLOCK, k_end); k++) {
            s = FMA(row[piece * stride_a + kp * next_a], column[piece * stride_b + kp * next_b], s);
            if (++kp == k_each) {
                kp = 0;
                piece++;
            }
        }
        t = t + s;
    }
    if (!partial)
        t = finish(t, bias_kind,
                   bias_kind ? bias[bias_at + (ulong)(bias_kind == 1 ? j : group * m + i)] : 0.0f,
                   act);
    c[c_at + (ulong)(batch * stride_c + group * step_c + slab * stride_slab + i * ldc + j)] = t;
}
