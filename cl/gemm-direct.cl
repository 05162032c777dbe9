/* The product of matrices that a CPU's caches hold, and of those whose elements are used a few
 * times only: nothing is packed that can be read where it lies.
 *
 * Group (x, y, z): columns x * cols_tile.., rows y * rows_tile.. of batch z; a sum has one slab. In
 * blocks of 256 k, panels of up to three vectors of columns are made for MR rows at a time: s =
 * fma(a, b, s) in k order from +0 in registers, then t = t + s, t being kept in c between the
 * blocks. a is read float by float from MR rows, a row row_a floats behind the one before and k by
 * k step_a apart (a is transposed: 1 and lda, else lda and 1). b is read in place (packs = 0);
 * where it is transposed, many rows of a use it (packs = 1) or a vector hangs over its edge, its
 * panels are copied to local memory first. */
#ifndef MR
#define MR 8
#endif
enum { MOST_ROWS = MR };
#define NV 3
#include "tile-cpu.h"
STORE_EDGE(store_edge_private, __private)

#ifndef PANELS
#define PANELS 8 /* of b that local memory holds */
#endif
#define WIDEST (3 * VW)
#define PANEL (BLOCK * WIDEST + 16) /* a line more than whole pages: no 4 KiB aliasing */

#define POINT(i) __global const float *a##i = a + MIN(i, rows - 1) * row_a;
#define STEP(i)                                                                                    \
    {                                                                                              \
        vec x = (vec)(a##i[at]);                                                                   \
        VECS(STEP_, i)                                                                             \
    }

/* c = (first ? 0 : c) + a b for rows <= MR and NV vectors, the last of which may hang over (cols),
 * over one block. */
#define TILE(name, space)                                                                          \
    static APART void name(__global const float *a, long row_a, long step_a,                       \
                           space const float *bp, long row_b, int kc, __global float *c, long ldc, \
                           int rows, int cols, int first, int last, __global const float *bias,    \
                           int bias_kind, int act)                                                 \
    {                                                                                              \
        ROWS(POINT)                                                                                \
        ROWS(DECLARE)                                                                              \
        for (long k = 0, at = 0; k < kc; k++, bp += row_b, at += step_a) {                         \
            VECS(LOAD_B_, 0)                                                                       \
            ROWS(STEP)                                                                             \
        }                                                                                          \
        if (rows == MR && cols == NR) {                                                            \
            if (!first) {                                                                          \
                ROWS(ADD_C)                                                                        \
            }                                                                                      \
            if (last) {                                                                            \
                VECS(BIAS_N_, 0)                                                                   \
                ROWS(FINISH)                                                                       \
            }                                                                                      \
            ROWS(STORE_C)                                                                          \
            return;                                                                                \
        }                                                                                          \
        float tile[MR * TILE_ROW];                                                                 \
        ROWS(STORE_T)                                                                              \
        store_edge_private(tile, c, ldc, rows, cols, first, last, bias, bias_kind, act);           \
    }
TILE(tile_far_3, __global)
TILE(tile_near_3, __local)
#undef NV
#define NV 2
TILE(tile_far_2, __global)
TILE(tile_near_2, __local)

#undef NV
#define NV 1
TILE(tile_far_1, __global)
TILE(tile_near_1, __local)

/* Two rows, where no more than a half of MR is left. */
#undef MR
#define MR 2
TILE(pair_far_1, __global)
TILE(pair_near_1, __local)
#undef NV
#define NV 2
TILE(pair_far_2, __global)
TILE(pair_near_2, __local)
#undef NV
#define NV 3
TILE(pair_far_3, __global)
TILE(pair_near_3, __local)

/* Vectors of the panel that begins where so many are left: threes, but twice two for three and one.
 */
static int vectors_of(int left)
{
    return left == 4 ? 2 : MIN(left, 3);
}

/* kc rows of cols columns of b as panels, PANEL floats apart, [k][vectors_of(those left)]. Columns
 * behind the last: whatever may be read there, their results are dropped. */
static APART void pack(__global const float *b, long ldb, int tb, int kc, int cols,
                       __local float *to)
{
    int vectors = (cols + VW - 1) / VW;
    for (int k = 0; k < kc && !tb; k++, b += ldb) {
        __local float *panel = to;
        for (int v = 0, nv; v < vectors; v += nv, panel += PANEL) {
            nv = vectors_of(vectors - v);
            for (int x = 0; x < nv; x++) {
                int at = (v + x) * VW, rest = MIN(VW, cols - at);
                int inside = rest == VW || VW <= (kc - 1 - k) * ldb + rest;
                STORE(inside ? LOAD(b + at) : load_part(b + at, rest), panel + (k * nv + x) * VW);
            }
        }
    }
    for (int v = 0, nv; v < vectors && tb; v += nv, to += PANEL) {
        nv = vectors_of(vectors - v);
        for (int x = 0; x < nv; x++, b += VW * ldb) {
            int last = MIN(VW, cols - (v + x) * VW) - 1, width = nv * VW, k = 0;
            __local float *column = to + x * VW;
            for (; k + VW <= kc; k += VW) turn_global(b + k, ldb, last, column + k * width, width);
            if (k < kc && kc >= VW)
                turn_global(b + kc - VW, ldb, last, column + (kc - VW) * width, width);
            else
                for (; k < kc; k++)
                    for (int i = 0; i < VW; i++) column[k * width + i] = b[MIN(i, last) * ldb + k];
        }
    }
}

/* Of two a vector: m, n | k, row_a | step_a, ldb | ldc, stride_a | stride_b, stride_c; of four: tb,
 * bias_kind, act, packs; rows and columns of a macro-tile. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
gemm_direct(__global const float *a, __global const float *b, __global const float *bias,
            __global float *c, ulong2 ab_at, ulong2 bias_c_at, long2 mn, long2 k_row, long2 step_ldb,
            long2 ldc_stride, long2 strides, int4 how, int4 tile)
{
    __local float panel_room[PANELS * PANEL] __attribute__((aligned(64)));
    long m = mn.x, n = mn.y, k_all = k_row.x, row_a = k_row.y, step_a = step_ldb.x,
         ldb = step_ldb.y, ldc = ldc_stride.x;
    int tb = how.x, bias_kind = how.y, act = how.z, packs = how.w, rows_tile = tile.x,
        cols_tile = tile.y;
    __local float *panels = panel_room + HIDDEN(rows_tile);
    long batch = (long)get_group_id(2);
    long j0 = (long)get_group_id(0) * cols_tile, i0 = (long)get_group_id(1) * rows_tile;
    int cols = (int)MIN((long)cols_tile, n - j0), rows = (int)MIN((long)rows_tile, m - i0);
    a += ab_at.x + batch * ldc_stride.y + i0 * row_a;
    b += ab_at.y + batch * strides.x + j0 * (tb ? ldb : 1);
    c += bias_c_at.y + batch * strides.y + i0 * ldc + j0;
    bias += bias_kind ? bias_c_at.x + (bias_kind == 1 ? j0 : i0) : 0;
    for (long kb = 0; kb < k_all; kb += BLOCK) {
        int kc = (int)MIN((long)BLOCK, k_all - kb), first = kb == 0, last = kb + kc == k_all;
        for (int chunk = 0; chunk < cols; chunk += PANELS * WIDEST) {
            int end = MIN(chunk + PANELS * WIDEST, cols), vectors = (end - chunk + VW - 1) / VW;
            /* From `begin` on b is packed: all of it, the panel that hangs over, or none. */
            int over = (end - chunk) % VW == 0 ? 0 : vectors % 3 ? MIN(vectors, 2) : 3;
            int begin = packs || tb ? chunk : over ? chunk + (vectors - over) * VW : end;
            if (begin < end)
                pack(b + (tb ? begin * ldb + kb : kb * ldb + begin), ldb, tb, kc, end - begin,
                     panels);
            for (int i = 0, high; i < rows; i += high) {
                __local const float *near = panels;
                int left = rows - i, few = left <= MOST_ROWS / 2;
                high = few ? 2 : MOST_ROWS;
                for (int j = chunk, nc; j < end; j += nc) {
                    int nv = vectors_of((end - j + VW - 1) / VW), packed = j >= begin;
                    __global const float *far = b + kb * ldb + j;
                    nc = MIN(nv * VW, end - j);
#define OPERANDS(panel, row)                                                                       \
    a + i *row_a + kb *step_a, row_a, step_a, panel, row, kc, c + i *ldc + j, ldc,                 \
        MIN(high, left), nc, first, last,                                                          \
        bias + (bias_kind == 1 ? j                                                                 \
                : bias_kind    ? i                                                                 \
                               : 0),                                                                  \
        bias_kind, act
#define RUN(nv)                                                                                    \
    if (few && packed)                                                                             \
        pair_near_##nv(OPERANDS(near, nv *VW));                                                    \
    else if (few)                                                                                  \
        pair_far_##nv(OPERANDS(far, ldb));                                                         \
    else if (packed)                                                                               \
        tile_near_##nv(OPERANDS(near, nv *VW));                                                    \
    else                                                                                           \
        tile_far_##nv(OPERANDS(far, ldb))
                    if (nv == 3)
                        RUN(3);
                    else if (nv == 2)
                        RUN(2);
                    else
                        RUN(1);
                    if (packed) near += PANEL;
                }
            }
        }
        if (last && act >= 2) activate(c, ldc, rows, cols, act);
    }
}
