/* The register tile of products on CPU devices: MR rows of NV vectors in named variables, which
 * stay in registers, over panels in local memory.
 *
 * A panel of b is [BLOCK][NR] floats, one of a [MR][A_ROW] when its rows lie along k (ta = 0), else
 * [BLOCK][MR]. tile_product() runs s = fma(a, b, s) in k order from +0 over one block of at most
 * BLOCK k and adds s to c, which holds the blocks before. -DVW, -DMR, -DNV choose the tile. */
#include "exact16.h"
#include "lanes.h"

#ifndef MR
#define MR 14 /* rows of the register tile */
#endif
#ifndef NV
#define NV 2 /* its columns, in vectors */
#endif

#define BLOCK 256
#define NR (NV * VW)
enum { TILE_ROW = NR }; /* floats of a row of a tile in local memory */
#define A_ROW                                                                                      \
    (BLOCK + 16) /* rows of packed a lie 17 cache lines apart, not 16: no 4 KiB aliasing */

/* X for each row, for each vector of a row. */
#define ROWS2(X) X(0) X(1)
#define ROWS4(X) ROWS2(X) X(2) X(3)
#define ROWS6(X) ROWS4(X) X(4) X(5)
#define ROWS8(X) ROWS6(X) X(6) X(7)
#define ROWS12(X) ROWS8(X) X(8) X(9) X(10) X(11)
#define ROWS13(X) ROWS12(X) X(12)
#define ROWS14(X) ROWS13(X) X(13)
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
#define STORE_T_(i, v) STORE(c##i##_##v, tile + i * TILE_ROW + v * VW);
#define STORE_T(i) VECS(STORE_T_, i)

/* VW rows `row` floats apart become columns of a panel of b; rows behind the last repeat it. */
static inline void transpose_global(__global const float *from, long row, int last,
                                    __local float *to)
{
    turn_global(from, row, last, to, NR);
}
static inline void transpose_local(__local const float *from, long row, int last, __local float *to)
{
    turn_local(from, row, last, to, NR);
}

/* copy(), telling whether one of them is infinite or a NaN. */
static int copy_watched(__global const float *from, int len, __local float *to)
{
    ivec bad = (ivec)0;
    int4 bad4 = (int4)0;
    int k = 0, some = 0;
    for (; k + VW <= len; k += VW) {
        vec x = LOAD(from + k);
        bad |= (AS_INT(x) & 0x7fffffff) >= (ivec)0x7f800000;
        STORE(x, to + k);
    }
    for (; k + 4 <= len; k += 4) {
        float4 x = vload4(0, from + k);
        bad4 |= (as_int4(x) & 0x7fffffff) >= (int4)0x7f800000;
        vstore4(x, 0, to + k);
    }
    for (; k < len; k++) {
        to[k] = from[k];
        some |= (as_int(from[k]) & 0x7fffffff) >= 0x7f800000;
    }
    return some || any(bad) || any(bad4);
}

/* tanh and sigmoid, over values just stored. */
static APART void activate(__global float *c, long ldc, int rows, int cols, int act)
{
    for (int r = 0; r < rows; r++, c += ldc) {
        int x = 0;
        for (; x + 16 <= cols; x += 16) {
            float16 v = vload16(0, c + x);
            vstore16(act == 2 ? exact_tanh16(v) : exact_sigmoid16(v), 0, c + x);
        }
        for (; x < cols; x++) c[x] = act == 2 ? exact_tanh(c[x]) : exact_sigmoid(c[x]);
    }
}

/* A tile that hangs over the edge of c, from memory. */
#define STORE_EDGE(name, space)                                                                    \
    static APART void name(space const float *tile, __global float *c, long ldc, int rows,         \
                           int cols, int first, int last, __global const float *bias,              \
                           int bias_kind, int act)                                                 \
    {                                                                                              \
        int whole = cols / VW * VW, rest = cols - whole;                                           \
        vec bias_rest = bias_kind == 1 && last ? load_part(bias + whole, rest) : (vec)0.0f;        \
        for (int i = 0; i < rows; i++, c += ldc, tile += TILE_ROW) {                               \
            vec bias_m = (vec)(bias_kind == 2 && last ? bias[i] : 0.0f);                           \
            for (int x = 0; x < whole; x += VW) {                                                  \
                vec s = LOAD(tile + x);                                                            \
                if (!first) s = LOAD(c + x) + s;                                                   \
                if (last) s = finish(s, bias_kind == 1 ? LOAD(bias + x) : (vec)0.0f, bias_m, act); \
                STORE(s, c + x);                                                                   \
            }                                                                                      \
            if (!rest) continue;                                                                   \
            vec s = LOAD(tile + whole);                                                            \
            if (!first) s = load_part(c + whole, rest) + s;                                        \
            if (last) s = finish(s, bias_rest, bias_m, act);                                       \
            store_part(s, c + whole, rest);                                                        \
        }                                                                                          \
    }
STORE_EDGE(store_edge, __local)

/* One register tile over one block: c = (first ? 0 : c) + a b, finished when this is the last
 * block. */
static APART void tile_product(__local const float *ap, int ta, __local const float *bp, int kc,
                               __global float *c, long ldc, int rows, int cols, int first, int last,
                               __global const float *bias, int bias_kind, int act,
                               __local float *tile)
{
#ifdef CAIRN_SOFT_FMA
    for (int i = 0; i < rows; i++)
        for (int x = 0; x < cols; x++) {
            float s = 0.0f;
            for (int k = 0; k < kc; k++)
                s = FMA(ap[ta ? k * MR + i : i * A_ROW + k], bp[k * NR + x], s);
            tile[i * TILE_ROW + x] = s;
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
