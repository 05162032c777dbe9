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
#include "exact.h"

#ifndef VW
#define VW 16 /* floats in a vector register */
#endif
#ifndef MR
#define MR 14 /* rows of the register tile */
#endif
#ifndef NV
#define NV 2 /* its columns, in vectors */
#endif
#ifndef COLS_MAX
#define COLS_MAX 512 /* most columns of a macro-tile: BLOCK * COLS_MAX floats of local memory */
#endif

#define BLOCK 256
#define SLAB 4096
#define NR (NV * VW)
#define PANEL (BLOCK * NR + 16)
#define A_ROW                                                                                      \
    (BLOCK + 16) /* rows of packed a lie 17 cache lines apart, not 16: no 4 KiB aliasing */
#define MIN(x, y) ((x) < (y) ? (x) : (y))

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
typedef CAT(float, VW) vec;
typedef CAT(int, VW) ivec;
#define LOAD(p) CAT(vload, VW)(0, p)
#define STORE(x, p) CAT(vstore, VW)(x, 0, p)
#define AS_INT(x) CAT(as_int, VW)(x)

/* X for each row, for each vector of a row. */
#define ROWS4(X) X(0) X(1) X(2) X(3)
#define ROWS6(X) ROWS4(X) X(4) X(5)
#define ROWS8(X) ROWS6(X) X(6) X(7)
#define ROWS12(X) ROWS8(X) X(8) X(9) X(10) X(11)
#define ROWS14(X) ROWS12(X) X(12) X(13)
#define ROWS28(X)                                                                                  \
    ROWS14(X) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27)
#define ROWS CAT(ROWS, MR)
#define VECS1(X, i) X(i, 0)
#define VECS2(X, i) X(i, 0) X(i, 1)
#define VECS3(X, i) X(i, 0) X(i, 1) X(i, 2)
#define VECS CAT(VECS, NV)

#define DECLARE_(i, v) vec c##i##_##v = 0.0f;
#define DECLARE(i) VECS(DECLARE_, i)
#define LOAD_B_(i, v) vec b##v = LOAD(bp + v * VW);
#define STEP_(i, v) c##i##_##v = fma(x, b##v, c##i##_##v);
#define STEP_TA(i)                                                                                 \
    {                                                                                              \
        vec x = (vec)(ap[i]);                                                                      \
        VECS(STEP_, i)                                                                             \
    }
#define STEP_NA(i)                                                                                 \
    {                                                                                              \
        vec x = (vec)(ap[i * A_ROW]);                                                              \
        VECS(STEP_, i)                                                                             \
    }
#define ADD_C_(i, v) c##i##_##v = LOAD(c + i * ldc + v * VW) + c##i##_##v;
#define ADD_C(i) VECS(ADD_C_, i)
#define BIAS_N_(i, v) vec bias##v = bias_kind == 1 ? LOAD(bias + v * VW) : (vec)0.0f;
#define FINISH_(i, v) c##i##_##v = finish(c##i##_##v, bias##v, bias_m, act);
#define FINISH(i)                                                                                  \
    {                                                                                              \
        vec bias_m = (vec)(bias_kind == 2 ? bias[i] : 0.0f);                                       \
        VECS(FINISH_, i)                                                                           \
    }
#define STORE_C_(i, v) STORE(c##i##_##v, c + i * ldc + v * VW);
#define STORE_C(i) VECS(STORE_C_, i)
#define STORE_T_(i, v) STORE(c##i##_##v, tile + i * NR + v * VW);
#define STORE_T(i) VECS(STORE_T_, i)

/* -0 made +0, then bias: an unused one is +0, which changes nothing in a value that is not -0. Then
 * relu. */
static inline vec finish(vec x, vec bias_n, vec bias_m, int act)
{
    x = select(x, (vec)0.0f, (AS_INT(x) << 1) == (ivec)0);
    x = x + bias_n + bias_m;
    return act == 1 ? select(x, (vec)0.0f, x < (vec)0.0f) : x;
}

/* Rows of VW floats become columns: 4 stages (3, 2) of interleaving halves. */
#if VW == 16
#define LOW(a, b)                                                                                  \
    (vec)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6, b.s6,      \
          a.s7, b.s7)
#define HIGH(a, b)                                                                                 \
    (vec)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd, a.se, b.se,      \
          a.sf, b.sf)
#define PAIRS(F)                                                                                   \
    F(0, 8, 0, 1)                                                                                  \
    F(1, 9, 2, 3)                                                                                  \
    F(2, a, 4, 5) F(3, b, 6, 7) F(4, c, 8, 9) F(5, d, a, b) F(6, e, c, d) F(7, f, e, f)
#define EACH(F)                                                                                    \
    F(0, 0)                                                                                        \
    F(1, 1)                                                                                        \
    F(2, 2)                                                                                        \
    F(3, 3)                                                                                        \
    F(4, 4)                                                                                        \
    F(5, 5) F(6, 6) F(7, 7) F(8, 8) F(9, 9) F(10, a) F(11, b) F(12, c) F(13, d) F(14, e) F(15, f)
#elif VW == 8
#define LOW(a, b) (vec)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3)
#define HIGH(a, b) (vec)(a.s4, b.s4, a.s5, b.s5, a.s6, b.s6, a.s7, b.s7)
#define PAIRS(F) F(0, 4, 0, 1) F(1, 5, 2, 3) F(2, 6, 4, 5) F(3, 7, 6, 7)
#define EACH(F) F(0, 0) F(1, 1) F(2, 2) F(3, 3) F(4, 4) F(5, 5) F(6, 6) F(7, 7)
#else
#define LOW(a, b) (vec)(a.s0, b.s0, a.s1, b.s1)
#define HIGH(a, b) (vec)(a.s2, b.s2, a.s3, b.s3)
#define PAIRS(F) F(0, 2, 0, 1) F(1, 3, 2, 3)
#define EACH(F) F(0, 0) F(1, 1) F(2, 2) F(3, 3)
#endif
#define READ_ROW(i, h) vec x##h = LOAD(from + MIN(i, last) * row), y##h;
#define WRITE_ROW(i, h) STORE(x##h, to + i * NR);
#define FORTH(p, q, l, h)                                                                          \
    y##l = LOW(x##p, x##q);                                                                        \
    y##h = HIGH(x##p, x##q);
#define BACK(p, q, l, h)                                                                           \
    x##l = LOW(y##p, y##q);                                                                        \
    x##h = HIGH(y##p, y##q);
#define COPY_ROW(i, h) x##h = y##h;

/* Of VW rows `row` floats apart; rows behind the last repeat it. */
#if VW == 16
#define STAGES PAIRS(FORTH) PAIRS(BACK) PAIRS(FORTH) PAIRS(BACK)
#elif VW == 8
#define STAGES PAIRS(FORTH) PAIRS(BACK) PAIRS(FORTH) EACH(COPY_ROW)
#else
#define STAGES PAIRS(FORTH) PAIRS(BACK)
#endif
#define TRANSPOSE(name, space)                                                                     \
    static inline void name(space const float *from, long row, int last, __local float *to)        \
    {                                                                                              \
        EACH(READ_ROW)                                                                             \
        STAGES                                                                                     \
        EACH(WRITE_ROW)                                                                            \
    }
TRANSPOSE(transpose_global, __global)
TRANSPOSE(transpose_local, __local)

/* How b comes out of images, as im2col would write it: rows are taps (channel, ky, kx), columns
 * output pixels. */
struct view {
    int on; /* 0: b is a matrix */
    int h, w, kh, kw, stride_h, stride_w, pad_t, pad_l, dilation_h, dilation_w, ow;
    long size; /* floats of an image from the first channel seen on */
};

/* len floats; whole vectors overlap at the end. */
static void copy(__global const float *from, int len, __local float *to)
{
    int k = 0;
    for (; k + VW <= len; k += VW) STORE(LOAD(from + k), to + k);
    if (k < len && len >= VW)
        STORE(LOAD(from + len - VW), to + len - VW);
    else
        for (; k < len; k++) to[k] = from[k];
}

/* What one tap sees of an image x at output pixels [pixel, pixel + len): runs within an output row,
 * +0 outside. Vectors hang over the end of a run, where the next one comes; behind the last is room
 * for VW floats. */
static void see(__global const float *x, const struct view *view, int tap, int pixel, int len,
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
static void pack_b(__global const float *b, long ldb, int tb, const struct view *view, long row,
                   int kc, long column, int cols, __local float *lines, __local float *to)
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
static void pack_a(__global const float *a, long lda, int ta, int kc, int rows, long wide,
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

/* tanh and sigmoid, over values just stored. */
static void activate(__global float *c, long ldc, int rows, int cols, int act)
{
    for (int r = 0; r < rows; r++, c += ldc)
        for (int x = 0; x < cols; x++) c[x] = act == 2 ? exact_tanh(c[x]) : exact_sigmoid(c[x]);
}

/* count < VW floats, by way of local memory. */
static vec load_some(__global const float *from, int count, __local float *spare)
{
    for (int x = 0; x < count; x++) spare[x] = from[x];
    return LOAD(spare);
}

/* A tile that hangs over the edge of c, from local memory; VW more floats lie behind it. */
static void store_edge(__local float *tile, __global float *c, long ldc, int rows, int cols,
                       int first, int last, __global const float *bias, int bias_kind, int act)
{
    __local float *spare = tile + MR * NR;
    int whole = cols / VW * VW, rest = cols - whole;
    STORE((vec)0.0f, spare);
    vec bias_rest = bias_kind == 1 && last ? load_some(bias + whole, rest, spare) : (vec)0.0f;
    for (int i = 0; i < rows; i++, c += ldc, tile += NR) {
        vec bias_m = (vec)(bias_kind == 2 && last ? bias[i] : 0.0f);
        for (int x = 0; x < whole; x += VW) {
            vec s = LOAD(tile + x);
            if (!first) s = LOAD(c + x) + s;
            if (last) s = finish(s, bias_kind == 1 ? LOAD(bias + x) : (vec)0.0f, bias_m, act);
            STORE(s, c + x);
        }
        if (!rest) continue;
        vec s = LOAD(tile + whole);
        if (!first) s = load_some(c + whole, rest, spare) + s;
        if (last) s = finish(s, bias_rest, bias_m, act);
        STORE(s, spare);
        for (int x = 0; x < rest; x++) c[whole + x] = spare[x];
    }
}

/* One register tile over one block: c = (first ? 0 : c) + a b, finished when this is the last
 * block. */
static void tile_product(__local const float *ap, int ta, __local const float *bp, int kc,
                         __global float *c, long ldc, int rows, int cols, int first, int last,
                         __global const float *bias, int bias_kind, int act, __local float *tile)
{
#ifdef CAIRN_SOFT_FMA
    for (int i = 0; i < rows; i++)
        for (int x = 0; x < cols; x++) {
            float s = 0.0f;
            for (int k = 0; k < kc; k++)
                s = FMA(ap[ta ? k * MR + i : i * A_ROW + k], bp[k * NR + x], s);
            tile[i * NR + x] = s;
        }
#else
    ROWS(DECLARE)
    if (ta)
        for (int k = 0; k < kc; k++, bp += NR, ap += MR) {
            VECS(LOAD_B_, 0)
            ROWS(STEP_TA)
        }
    else
        for (int k = 0; k < kc; k++, bp += NR, ap++) {
            VECS(LOAD_B_, 0)
            ROWS(STEP_NA)
        }
    if (rows == MR && cols == NR) {
        if (!first) {
            ROWS(ADD_C)
        }
        if (last) {
            VECS(BIAS_N_, 0)
            ROWS(FINISH)
        }
        ROWS(STORE_C)
        return;
    }
    ROWS(STORE_T)
#endif
    store_edge(tile, c, ldc, rows, cols, first, last, bias, bias_kind, act);
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
    __local float b_panels[(COLS_MAX / NR) * PANEL] __attribute__((aligned(64)));
    __local float a_panel[MR * A_ROW + VW] __attribute__((aligned(64)));
    __local float tile[MR * NR + VW] __attribute__((aligned(64)));
    __local float lines[VW * A_ROW] __attribute__((aligned(64)));
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
