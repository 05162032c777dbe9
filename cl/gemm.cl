/* The matrix product for GPUs: a work-group of GROUP x GROUP items makes TILE x TILE results, PER x
 * PER an item.
 *
 * c = act(op(a) op(b) + bias), row-major; ta: a is stored k x m, tb: b is stored n x k. Groups are
 * numbered in one dimension, since some devices take few in the others: columns x * TILE.., rows y
 * * TILE.., x fastest, then y, then z = (batch * groups + group) * slabs + slab. Operands of a
 * group lie step_a, step_b, step_c behind those of the one before, a bias along m lies m behind.
 * The work-group covers one slab of at most 4096 k in blocks of 256: it brings DEPTH k at a time to
 * local memory, and each item runs s = fma(a, b, s) in k order from +0;   t = t + s after each
 * block. k may run over pieces of k_each, one of each batch (a sum over the batch); k_first is
 * where the first slab of this launch begins, counted from the first piece of the operands.
 * partial: t is stored as it is, for gemm-slabs.cl; else -0 becomes +0, then bias (1: along n, 2:
 * along m), then act. */
#include "exact.h"

#ifndef GROUP
#define GROUP 16 /* work-items along a side of the group: 16 or 8 */
#endif
#define PER 4 /* results of an item along a side: one float4 of columns */
#define TILE (GROUP * PER)
#define DEPTH 16
#define ROW (TILE + 4) /* a row of local memory: 16-byte aligned, off the banks' stride */
#define BLOCK 256
#define SLAB 4096
#define MIN(x, y) ((x) < (y) ? (x) : (y))

/* Brings DEPTH k of one operand as to[k][TILE]; what lies outside is +0. `from` points at the
 * tile's first line (a row of op(a), a column of op(b)) of batch 0; along: lines lie `ld` apart and
 * k next to each other, else the other way round. The k are those from `kp` of `piece` on, `depth`
 * of them. */
static void bring(__global const float *from, long ld, int along, long stride, long lines,
                  long piece, long kp, long k_each, int depth, __local float *to)
{
    int id = (int)(get_local_id(1) * GROUP + get_local_id(0));
    for (int e = id; e < TILE * DEPTH; e += GROUP * GROUP) {
        int across = along ? DEPTH : TILE, slow = e / across, fast = e - slow * across;
        int k = along ? fast : slow, line = along ? slow : fast;
        long p = piece, q = kp + k;
        float x = 0.0f;
        if (k < depth && line < lines) {
            while (q >= k_each) {
                q -= k_each;
                p++;
            }
            x = from[p * stride + (along ? line * ld + q : q * ld + line)];
        }
        to[k * ROW + line] = x;
    }
}

static inline float finish(float x, int bias_kind, float bias, int act)
{
    x = no_minus_zero(x);
    if (bias_kind) x = x + bias;
    if (act == 1) return RELU(x);
    if (act == 2) return exact_tanh(x);
    if (act == 3) return exact_sigmoid(x);
    return x;
}

__kernel __attribute__((reqd_work_group_size(GROUP, GROUP, 1))) void
gemm(__global const float *a, ulong a_at, __global const float *b, ulong b_at,
     __global const float *bias, ulong bias_at, __global float *c, ulong c_at, long m, long n,
     long k_all, long k_each, int ta, int tb, long lda, long ldb, long ldc, long stride_a,
     long stride_b, long stride_c, long stride_slab, int slabs, long k_first, int partial,
     int bias_kind, int act, int groups, long step_a, long step_b, long step_c)
{
    __local float a_tile[DEPTH * ROW], b_tile[DEPTH * ROW];
    int tx = (int)get_local_id(0), ty = (int)get_local_id(1);
    long across = (n + TILE - 1) / TILE, down = (m + TILE - 1) / TILE;
    long at = (long)get_group_id(0), line = at / across, z = line / down, repeat = z / slabs;
    long i0 = (line - z * down) * TILE, j0 = (at - line * across) * TILE;
    long slab = z - repeat * slabs, batch = repeat / groups, group = repeat - batch * groups;
    long k0 = k_first + slab * SLAB, k_end = MIN(k0 + SLAB, k_all);
    long piece = k0 / k_each, kp = k0 - piece * k_each;
    float4 t[PER], s[PER];
    for (int r = 0; r < PER; r++) t[r] = (float4)0.0f;
    a += a_at + batch * stride_a + group * step_a + (ta ? i0 : i0 * lda);
    b += b_at + batch * stride_b + group * step_b + (tb ? j0 * ldb : j0);
    for (long kb = k0; kb < k_end; kb += BLOCK) {
        long kb_end = MIN(kb + BLOCK, k_end);
        for (int r = 0; r < PER; r++) s[r] = (float4)0.0f;
        for (long k = kb; k < kb_end; k += DEPTH) {
            int depth = (int)MIN((long)DEPTH, kb_end - k);
            bring(a, lda, !ta, stride_a, m - i0, piece, kp, k_each, depth, a_tile);
            bring(b, ldb, tb, stride_b, n - j0, piece, kp, k_each, depth, b_tile);
            for (kp += depth; kp >= k_each; kp -= k_each) piece++;
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int d = 0; d < depth; d++) {
                float4 x = vload4(ty, a_tile + d * ROW), y = vload4(tx, b_tile + d * ROW);
                s[0] = FMA4((float4)x.s0, y, s[0]);
                s[1] = FMA4((float4)x.s1, y, s[1]);
                s[2] = FMA4((float4)x.s2, y, s[2]);
                s[3] = FMA4((float4)x.s3, y, s[3]);
            }
            barrier(CLK_LOCAL_MEM_FENCE);
        }
        for (int r = 0; r < PER; r++) t[r] = t[r] + s[r];
    }
    long j = j0 + tx * PER;
    c += c_at + batch * stride_c + group * step_c + slab * stride_slab;
    bias += bias_kind ? bias_at + (bias_kind == 2 ? group * m : 0) : 0;
    for (int r = 0; r < PER; r++) {
        long i = i0 + ty * PER + r;
        float v[PER];
        vstore4(t[r], 0, v);
        if (i >= m) break;
        for (int x = 0; x < PER && j + x < n; x++) {
            if (!partial)
                v[x] = finish(v[x], bias_kind, bias_kind ? bias[bias_kind == 1 ? j + x : i] : 0.0f,
                              act);
            c[i * ldc + j + x] = v[x];
        }
    }
}
