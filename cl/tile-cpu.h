/* The register tile of products on CPU devices: MR rows of NV vectors in named variables, which
 * stay in registers, over panels in local memory.
 *
 * A panel of b is [BLOCK][NR] floats, one of a [MR][A_ROW] when its rows lie along k (ta = 0), else
 * [BLOCK][MR]. tile_product() runs s = fma(a, b, s) in k order from +0 over one block of at most
 * BLOCK k and adds s to c, which holds the blocks before. -DVW, -DMR, -DNV choose the tile. */
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

#define BLOCK 256
#define NR (NV * VW)
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
