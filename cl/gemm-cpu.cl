/* The matrix product for CPU devices: one work-item per macro-tile of c, register tiles of MR x NR
 * inside it.
 *
 * Interface: that of gemm.cl, with the macro-tile (rows, cols) behind it, and b may be a view of
 * images: the matrix that im2col would write, taps x pixels, packed from the images (stride_b
 * floats apart) without ever being stored. Group (x, y, z): columns x * cols.., rows y * rows.., z
 * = (batch * groups + group) * slabs + slab. A work-item covers one slab of at most 4096 k in
 * blocks of 256: for each block it packs the columns of b into panels [k][NR] in local memory, each
 * MR rows of a likewise, and runs the register tile s = fma(a, b, s) in k order from +0;   t = t +
 * s, t being kept in c between the blocks. Partial slabs go to the workspace as they are;
 * gemm-slabs.cl adds them up. */
#include "tile-cpu.h"

#ifndef COLS_MAX
#define COLS_MAX 512 /* most columns of a macro-tile: BLOCK * COLS_MAX floats of local memory */
#endif

#define SLAB 4096
#define PANEL (BLOCK * NR + 16)

/* How b comes out of images, as im2col would write it: rows are taps (channel, ky, kx), columns
 * output pixels. */
struct view {
    int on; /* 0: b is a matrix */
    int h, w, kh, kw, stride_h, stride_w, pad_t, pad_l, dilation_h, dilation_w, ow;
    long size; /* floats of an image from the first channel seen on */
};

/* What one tap sees of an image x at output pixels [pixel, pixel + len): runs within an output row,
 * +0 outside. Vectors hang over the end of a run, where the next one comes; behind the last is room
 * for VW floats. */
static APART void see(__global const float *x, const struct view *view, int tap, int pixel, int len,
                      __local float *to)
{
    int taps = view->kh * view->kw, channel = tap / taps, at = tap - channel * taps;
    int ky = at / view->kw, kx = at - ky * view->kw, oy = pixel / view->ow,
        ox = pixel - oy * view->ow;
    int down = ky * view->dilation_h - view->pad_t, aside = kx * view->dilation_w - view->pad_l;
    for (int run; len > 0; len -= run, to += run, oy++, ox = 0) {
        int y = oy * view->stride_h + down, left = ox * view->stride_w + aside;
        run = MIN(len, view->ow - ox);
        if (y < 0 || y >= view->h) {
            for (int i = 0; i < run; i += VW) STORE((vec)0.0f, to + i);
            continue;
        }
        long row = ((long)channel * view->h + y) * view->w;
        if (view->stride_w == 1) {
            int begin = MIN(left < 0 ? -left : 0, run), end = MIN(run, view->w - left), i = begin;
            for (int z = 0; z < begin; z += VW) STORE((vec)0.0f, to + z);
            for (; i < end && row + left + i + VW <= view->size; i += VW)
                STORE(LOAD(x + row + left + i), to + i);
            for (; i < end; i++) to[i] = x[row + left + i];
            for (int z = end < begin ? begin : end; z < run; z += VW) STORE((vec)0.0f, to + z);
        } else {
            for (int i = 0, at_x = left; i < run; i++, at_x += view->stride_w)
                to[i] = at_x >= 0 && at_x < view->w ? x[row + at_x] : 0.0f;
        }
    }
}

/* Rows [row, row + kc) of b, columns [column, column + cols), as panels PANEL floats apart. Columns
 * behind the last are +0, or repeat the last when b is transposed: their results are dropped.
 * `lines` is room for VW lines of A_ROW floats. */
static APART void pack_b(__global const float *b, long ldb, int tb, const struct view *view,
                         long row, int kc, long column, int cols, __local float *lines,
                         __local float *to)
{
    int whole = cols / NR * NR;
    if (tb) {
        for (int j = 0; j < cols; j += NR, to += PANEL)
            for (int v = 0; v < NR; v += VW) {
                int last = MIN(VW, cols - j - v) - 1, k = 0;
                if (last < 0) {
                    for (; k < kc; k++) STORE((vec)0.0f, to + k * NR + v);
                } else if (view->on) {
                    for (int r = 0; r <= last; r++)
                        see(b, view, (int)column + j + v + r, (int)row, kc, lines + r * A_ROW);
                    for (; k + VW <= kc; k += VW)
                        transpose_local(lines + k, A_ROW, last, to + k * NR + v);
                    for (; k < kc; k++)
                        for (int x = 0; x < VW; x++)
                            to[k * NR + v + x] = lines[MIN(x, last) * A_ROW + k];
                } else {
                    __global const float *from = b + (column + j + v) * ldb + row;
                    for (; k + VW <= kc; k += VW)
                        transpose_global(from + k, ldb, last, to + k * NR + v);
                    for (; k < kc; k++)
                        for (int x = 0; x < VW; x++)
                            to[k * NR + v + x] = from[MIN(x, last) * ldb + k];
                }
            }
    } else if (view->on) {
        for (int k = 0; k < kc; k++, to += NR) {
            see(b, view, (int)row + k, (int)column, cols, lines);
            for (int x = cols; x < whole + NR; x++) lines[x] = 0.0f;
            __local float *d = to;
            for (int j = 0; j < cols; j += NR, d += PANEL)
#pragma unroll
                for (int v = 0; v < NR; v += VW) STORE(LOAD(lines + j + v), d + v);
        }
    } else {
        b += row * ldb + column;
        for (int k = 0; k < kc; k++, b += ldb, to += NR) {
            __local float *d = to;
            for (int j = 0; j < whole; j += NR, d += PANEL) {
#pragma unroll
                for (int v = 0; v < NR; v += VW) STORE(LOAD(b + j + v), d + v);
            }
            if (whole == cols) continue;
            int x = 0, rest = cols - whole; /* a vector may reach into the rows behind */
            for (; x < rest && x + VW <= (kc - 1 - k) * ldb + rest; x += VW)
                STORE(LOAD(b + whole + x), d + x);
            for (; x < rest; x++) d[x] = b[whole + x];
            for (; x < NR; x++) d[x] = 0.0f;
        }
    }
}

/* rows <= MR rows of a: as [MR][A_ROW] when they lie along k, as [BLOCK][MR] when a is transposed
 * (ta). Missing rows repeat the last: their results are dropped. `wide` rows lie behind a's first,
 * so that a whole vector may be read. */
static APART void pack_a(__global const float *a, long lda, int ta, int kc, int rows, long wide,
                         __local float *to)
{
    if (!ta) {
        for (int r = 0; r < MR; r++, to += A_ROW) copy(a + MIN(r, rows - 1) * lda, kc, to);
    } else if (wide >= (MR + VW - 1) / VW * VW) {
        for (int k = 0; k < kc;
             k++, a += lda, to += MR) /* what hangs over is overwritten by the next k */
#pragma unroll
            for (int r = 0; r < MR; r += VW) STORE(LOAD(a + r), to + r);
    } else {
        for (int k = 0; k < kc; k++, a += lda, to += MR)
            for (int r = 0; r < MR; r++) to[r] = a[MIN(r, rows - 1)];
    }
}
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
gemm(__global const float *a, ulong a_at, __global const float *b, ulong b_at,
     __global const float *bias, ulong bias_at, __global float *c, ulong c_at, long m, long n,
     long k_all, long k_each, int ta, int tb, long lda, long ldb, long ldc, long stride_a,
     long stride_b, long stride_c, long stride_slab, int slabs, long k_first, int partial,
     int bias_kind, int act, int groups, long step_a, long step_b, long step_c, int rows_tile,
     int cols_tile, int view_on, int h, int w, int kh, int kw, int stride_h, int stride_w,
     int pad_t, int pad_l, int dilation_h, int dilation_w, int ow)
{
    __local float b_room[(COLS_MAX / NR) * PANEL] __attribute__((aligned(64)));
    __local float a_room[MR * A_ROW + VW] __attribute__((aligned(64)));
    __local float tile_room[MR * NR + VW] __attribute__((aligned(64)));
    __local float line_room[VW * A_ROW] __attribute__((aligned(64)));
    int hidden = HIDDEN(rows_tile);
    __local float *b_panels = b_room + hidden, *a_panel = a_room + hidden;
    __local float *tile = tile_room + hidden, *lines = line_room + hidden;
    long repeat = (long)get_group_id(2) / slabs, slab = (long)get_group_id(2) - repeat * slabs;
    long batch = repeat / groups, group = repeat - batch * groups;
    long size = stride_b - group * step_b;
    const struct view view = {view_on, h,     w,          kh,         kw, stride_h, stride_w,
                              pad_t,   pad_l, dilation_h, dilation_w, ow, size};
    long j0 = (long)get_group_id(0) * cols_tile, i0 = (long)get_group_id(1) * rows_tile;
    int cols = (int)MIN((long)cols_tile, n - j0), rows = (int)MIN((long)rows_tile, m - i0);
    long k0 = k_first + slab * SLAB, k_end = MIN(k0 + SLAB, k_all);
    a += a_at + batch * stride_a + group * step_a;
    b += b_at + batch * stride_b + group * step_b;
    bias += bias_kind ? bias_at + (bias_kind == 2 ? group * m : 0) : 0;
    c += c_at + batch * stride_c + group * step_c + slab * stride_slab + i0 * ldc + j0;
    for (long kb = k0; kb < k_end; kb += BLOCK) {
        int kc = (int)MIN((long)BLOCK, k_end - kb), last = !partial && kb + kc == k_end;
        /* A block may run over several of the k_each long pieces that a sum over the batch is made
         * of. */
        for (int at = 0, len; at < kc; at += len) {
            long piece = (kb + at) / k_each, kp = kb + at - piece * k_each;
            len = (int)MIN((long)(kc - at), k_each - kp);
            pack_b(b + piece * stride_b, ldb, tb, &view, kp, len, j0, cols, lines,
                   b_panels + at * NR);
        }
        for (int i = 0; i < rows; i += MR) {
            int mr = MIN(MR, rows - i);
            for (int at = 0, len; at < kc; at += len) {
                long piece = (kb + at) / k_each, kp = kb + at - piece * k_each;
                len = (int)MIN((long)(kc - at), k_each - kp);
                pack_a(a + piece * stride_a + (ta ? kp * lda + i0 + i : (i0 + i) * lda + kp), lda,
                       ta, len, mr, m - i0 - i, a_panel + (ta ? at * MR : at));
            }
            for (int j = 0; j < cols; j += NR)
                tile_product(a_panel, ta, b_panels + j / NR * PANEL, kc, c + i * ldc + j, ldc, mr,
                             MIN(NR, cols - j), kb == k0, last,
                             bias + (bias_kind == 1 ? j0 + j
                                     : bias_kind    ? i0 + i
                                                    : 0),
                             bias_kind, act, tile);
            if (last && act >= 2) activate(c + i * ldc, ldc, mr, cols, act);
        }
    }
}
