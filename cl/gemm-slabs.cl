/* The second stage of long products: T = T + t over the slabs in order, from +0, then what follows
 * a product.
 *
 * work[batch][group][slab][i][j] holds `slabs` partial sums; first: T starts at +0, else at what c
 * has; last: -0 becomes +0, then bias (1: along n, 2: along m), then act. Items stride over the
 * batch * groups * m * n results. */
#include "exact.h"

static inline float finish(float x, int bias_kind, float bias, int act)
{
    x = no_minus_zero(x);
    if (bias_kind) x = x + bias;
    if (act == 1) return RELU(x);
    if (act == 2) return exact_tanh(x);
    if (act == 3) return exact_sigmoid(x);
    return x;
}

__kernel void gemm_slabs(__global const float *work, ulong work_at, __global const float *bias,
                         ulong bias_at, __global float *c, ulong c_at, long count, long m, long n,
                         long ldc, long stride_c, int slabs, int first, int last, int bias_kind,
                         int act, int groups, long step_c)
{
    long each = m * n;
    for (long e = (long)get_global_id(0); e < count; e += (long)get_global_size(0)) {
        long repeat = e / each, r = e - repeat * each, i = r / n, j = r - i * n;
        long batch = repeat / groups, group = repeat - batch * groups;
        __global const float *t = work + work_at + repeat * slabs * each + r;
        __global float *to = c + c_at + batch * stride_c + group * step_c + i * ldc + j;
        float sum = first ? 0.0f : *to;
        IN_ORDER
        for (int g = 0; g < slabs; g++) sum = sum + t[g * each];
        if (last)
            sum = finish(sum, bias_kind,
                         bias_kind ? bias[bias_at + (ulong)(bias_kind == 1 ? j : group * m + i)]
                                   : 0.0f,
                         act);
        *to = sum;
    }
}
