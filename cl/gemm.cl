/* The matrix product for GPUs: a work-group makes TILE_M x TILE_N results, an item WORK_M x WORK_N.
 *
 * c = act(op(a) op(b) + bias), row-major; ta: a is stored k x m, tb: b is stored n x k. Groups are
 * numbered in one dimension, since some devices take few in the others: columns x * TILE_N..,
 * rows y * TILE_M.., x fastest, then y, then z = (batch * groups + group) * slabs + slab. Operands
 * of a group lie step_a, step_b, step_c behind those of the one before, a bias along m lies m
 * behind. The work-group covers one slab of at most 4096 k in blocks of 256: s = fma(a, b, s) in k
 * order from +0;   t = t + s after each block, t being kept in c between the blocks: it would take
 * as many registers as s, for one access in 256. k may run over pieces of k_each, one of each batch
 * (a sum over the batch); k_first is where the first slab of this launch begins, counted from the
 * first piece of the operands. partial: t is stored as it is, for gemm-slabs.cl; else -0 becomes
 * +0, then bias (1: along n, 2: along m), then act.
 *
 * TILE_K k of both operands lie in local memory, as [k][line], twice: while one half is multiplied
 * the next k are on their way to registers, from where they go to the other half, so that there is
 * one barrier for TILE_K k. What a tile has behind the last k is +0 in both operands and changes no
 * sum: t is never -0.
 *
 * Traffic of TILE_K k: (TILE_M + TILE_N) TILE_K floats from global memory and TILE_M TILE_N TILE_K
 * fma: with 128 x 128, 64 fma for each float, 32 floating-point operations for each byte, and 21
 * where t is taken from c and put back, two floats for each result and 256 k. From
 * local memory an item takes (WORK_M + WORK_N) / 4 vectors for WORK_M WORK_N fma: 8 x 8 has 16 fma
 * for each load.
 *
 * Banks, 32 of one float: a row of local memory is ROW = TILE + 4 floats, 4 modulo 32 (20 for
 * TILE = 16). Items read vectors of 4 columns that lie beside those of their neighbours, 8 of them
 * the 32 banks at once, and not 8 neighbouring columns, which would meet 2 by 2. Operands with k
 * along memory are turned: 32 neighbours store lines l..l + 15 at k and k + 4, and 4 ROW = 16
 * modulo 32, so they take 32 banks; from images 8 k and 4 lines, k ROW + l = 4 k + l modulo 32: as
 * well.
 *
 * IMAGES 1: b is the matrix that im2col would write of images, taps x pixels, read from the images
 * (stride_b floats apart) without ever being stored; the pixels of all images are the columns, n of
 * each image, n_all in all, and c has those of an image stride_c behind those of the one before.
 * IMAGES 2: the same transposed, pixels x taps, k_each pixels of an image. */
#include "exact.h"

#ifndef TILE_M
#define TILE_M 128 /* rows of c per work-group */
#endif
#ifndef TILE_N
#define TILE_N 128 /* columns */
#endif
#ifndef TILE_K
#define TILE_K 8 /* k in local memory */
#endif
#ifndef WORK_M
#define WORK_M 8 /* rows of c per item, in fours that lie apart */
#endif
#ifndef WORK_N
#define WORK_N 8 /* columns, likewise */
#endif
#ifndef IMAGES
#define IMAGES 0
#endif

#define DOWN (TILE_M / WORK_M) /* items of a group along m */
#define WIDE (TILE_N / WORK_N) /* and along n */
#define ITEMS (DOWN * WIDE)
#define PATCH (WIDE < 8 ? WIDE : 8) /* 32 neighbouring items make a patch that is PATCH wide */
#define ROWS_4 (WORK_M / 4)         /* fours of an item's rows */
#define COLS_4 (WORK_N / 4)
#define ROW(tile) ((tile) + 4)
#define A_HALF (TILE_K * ROW(TILE_M)) /* floats of one k run of TILE_K */
#define B_HALF (TILE_K * ROW(TILE_N))
#define QUADS(tile) ((tile)*TILE_K / 4) /* vectors of an operand's tile */
#define EACH(tile) ((QUADS(tile) + ITEMS - 1) / ITEMS)
#define BLOCK 256
#define SLAB 4096
#define MIN(x, y) ((x) < (y) ? (x) : (y))
#define ALIGNED(p) (((ulong)(p)&15) == 0)

#define ROLL _Pragma("unroll 1")
/* Rows of an item's that local memory takes at the end of a block. */
#define ROOM (2 * (A_HALF + B_HALF) / (DOWN * TILE_N))
#define STAGED (ROOM >= WORK_M ? WORK_M : ROOM >= 4 ? 4 : ROOM >= 2 ? 2 : 1)

#ifdef CAIRN_SOFT_FMA
#define UNROLL /* code that long would hardly compile */
#else
#define UNROLL _Pragma("unroll")
#endif

/* An operand. along: its lines (rows of op(a), columns of op(b)) lie ld apart and k next to each
 * other, else the other way round. first: its first line in the tile, of piece 0; at: the item's
 * first vector of the k that are fetched next. */
struct operand {
    __global const float *first, *at;
    long ld, stride;
    int along, lines;
};

/* Line and k, in the tile, of vector i of an item's. */
#define LINE_OF(tile, along, id, i)                                                                \
    ((along) ? ((id) + (i)*ITEMS) / (TILE_K / 4) : ((id) + (i)*ITEMS) % ((tile) / 4) * 4)
#define K_OF(tile, along, id, i)                                                                   \
    ((along) ? ((id) + (i)*ITEMS) % (TILE_K / 4) * 4 : ((id) + (i)*ITEMS) / ((tile) / 4))
#define HAS(tile, id, i) (QUADS(tile) % ITEMS == 0 || (id) + (i)*ITEMS < QUADS(tile))

static inline struct operand operand_of(__global const float *first, long ld, long stride,
                                        int along, long lines, long piece, long kp, const int tile,
                                        int id)
{
    struct operand o = {first, first, ld, stride, along, (int)MIN(lines, (long)tile)};
    long k = kp + K_OF(tile, along, id, 0), line = LINE_OF(tile, along, id, 0);
    o.at += piece * stride + (along ? line * ld + k : k * ld + line);
    return o;
}

/* The item's vectors of TILE_K k that are all there, in one piece; +0 behind the last line. */
static inline void fetch(const struct operand *o, const int tile, int id, float4 *to)
{
    int aligned = ALIGNED(o->at) && (o->ld & 3) == 0;
    long apart = o->ld * (o->along ? ITEMS / (TILE_K / 4) : ITEMS / (tile / 4));
    UNROLL for (int i = 0; i < EACH(tile); i++)
    {
        int left = o->lines - LINE_OF(tile, o->along, id, i);
        __global const float *from = o->at + i * apart;
        to[i] = (float4)0.0f;
        if (!HAS(tile, id, i) || left <= 0) continue;
        if (!o->along && left < 4) {
            to[i].s0 = from[0];
            if (left > 1) to[i].s1 = from[1];
            if (left > 2) to[i].s2 = from[2];
        } else if (aligned) {
            to[i] = *(__global const float4 *)from;
        } else {
            to[i] = vload4(0, from);
        }
    }
}

/* The item's vectors into local memory. */
static inline void keep(const float4 *v, const int tile, int along, int id, __local float *to)
{
    UNROLL for (int i = 0; i < EACH(tile); i++)
    {
        __local float *at = to + K_OF(tile, along, id, i) * ROW(tile) + LINE_OF(tile, along, id, i);
        if (!HAS(tile, id, i)) continue;
        if (along) {
            at[0] = v[i].s0;
            at[ROW(tile)] = v[i].s1;
            at[2 * ROW(tile)] = v[i].s2;
            at[3 * ROW(tile)] = v[i].s3;
        } else {
            *(__local float4 *)at = v[i];
        }
    }
}

/* TILE_K k of which some are missing or in another piece, straight into local memory: `depth` of
 * them, from k on. */
static inline void bring(const struct operand *o, const int tile, long k, int depth, long k_each,
                         int id, __local float *to)
{
    ROLL for (int e = id; e < tile * TILE_K; e += ITEMS)
    {
        int line = e % tile, d = e / tile;
        long piece = (k + d) / k_each, kp = k + d - piece * k_each;
        float v = 0.0f;
        if (d < depth && line < o->lines)
            v = o->first[piece * o->stride + (o->along ? line * o->ld + kp : kp * o->ld + line)];
        to[d * ROW(tile) + line] = v;
    }
}

/* s += the tile's product. a and b: the item's first four rows and columns of k = 0. */
static inline void multiply(__local const float *a, __local const float *b, float4 s[][COLS_4])
{
    UNROLL for (int k = 0; k < TILE_K; k++, a += ROW(TILE_M), b += ROW(TILE_N))
    {
        float4 x[ROWS_4], y[COLS_4];
        UNROLL for (int i = 0; i < ROWS_4; i++) x[i] =
            *(__local const float4 *)(a + i * (TILE_M / ROWS_4));
        UNROLL for (int j = 0; j < COLS_4; j++) y[j] =
            *(__local const float4 *)(b + j * (TILE_N / COLS_4));
        UNROLL for (int i = 0; i < ROWS_4; i++) UNROLL for (int j = 0; j < COLS_4; j++)
        {
            s[4 * i][j] = FMA4((float4)x[i].s0, y[j], s[4 * i][j]);
            s[4 * i + 1][j] = FMA4((float4)x[i].s1, y[j], s[4 * i + 1][j]);
            s[4 * i + 2][j] = FMA4((float4)x[i].s2, y[j], s[4 * i + 2][j]);
            s[4 * i + 3][j] = FMA4((float4)x[i].s3, y[j], s[4 * i + 3][j]);
        }
    }
}

/* What is done with the sums of a block: t = (first ? +0 : t) + s, and the end of the last one. c:
 * the tile's first row; bias: of its first row or column. */
struct ending {
    __global float *c;
    __global const float *bias;
    long ldc, j0, n, stride;
    int rows, columns, bias_kind, act, first, last;
};

static inline float finish(float t, __global const float *bias, int kind, int act)
{
    t = no_minus_zero(t);
    if (kind) t = t + *bias;
    return act == 1 ? RELU(t) : t;
}

/* Column x of the tile: its place in a row of c. */
static inline long place_of(const struct ending *e, int x)
{
#if IMAGES == 1
    uint j = (uint)(e->j0 + x), image = j / (uint)e->n;
    return image * e->stride + (j - image * (uint)e->n);
#else
    return e->j0 + x;
#endif
}

/* Results (i, x) .. (i, x + 3) of the tile. */
static inline void end_four(const struct ending *e, float4 s, int i, int x)
{
    int count = MIN(4, e->columns - x), apart = e->bias_kind == 1;
    __global float *row = e->c + i * e->ldc, *at = row + place_of(e, x);
    __global const float *bias = e->bias + (e->bias_kind == 1 ? x : i);
    int together = count == 4 && place_of(e, x + 3) == place_of(e, x) + 3;
    if (together && ALIGNED(at)) {
        float4 t = e->first ? s : *(__global float4 *)at + s;
        if (e->last) {
            t.s0 = finish(t.s0, bias, e->bias_kind, e->act);
            t.s1 = finish(t.s1, bias + apart, e->bias_kind, e->act);
            t.s2 = finish(t.s2, bias + 2 * apart, e->bias_kind, e->act);
            t.s3 = finish(t.s3, bias + 3 * apart, e->bias_kind, e->act);
        }
        *(__global float4 *)at = t;
    } else {
        ROLL for (int l = 0; l < count; l++)
        {
            float one = l < 2 ? (l == 0 ? s.s0 : s.s1) : (l == 2 ? s.s2 : s.s3);
            at = row + place_of(e, x + l);
            one = e->first ? one : *at + one;
            *at = e->last ? finish(one, bias + l * apart, e->bias_kind, e->act) : one;
        }
    }
    if (e->last && e->act >= 2) ROLL for (int l = 0; l < count; l++)
        {
            at = row + place_of(e, x + l);
            *at = e->act == 2 ? exact_tanh(*at) : exact_sigmoid(*at);
        }
}

/* The end of a block, by way of local memory, a few of each item's rows at a time: neighbours
 * write whole rows of c, and the code for edges is there once. s = +0 behind it. */
static inline void end_block(const struct ending *e, float4 s[][COLS_4], int row, int column,
                             int id, __local float *stage)
{
    UNROLL for (int slice = 0; slice < WORK_M; slice += STAGED)
    {
        barrier(CLK_LOCAL_MEM_FENCE);
        UNROLL for (int r = 0; r < STAGED; r++)
        {
            __local float *to = stage + (row / 4 * STAGED + r) * TILE_N + column;
            UNROLL for (int g = 0; g < COLS_4; g++)
            {
                *(__local float4 *)(to + g * (TILE_N / COLS_4)) = s[slice + r][g];
                s[slice + r][g] = (float4)0.0f;
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        ROLL for (int q = id; q < DOWN * STAGED * TILE_N / 4; q += ITEMS)
        {
            int y = q / (TILE_N / 4), x = q % (TILE_N / 4) * 4, r = slice + y % STAGED;
            int i = r / 4 * (TILE_M / ROWS_4) + y / STAGED * 4 + r % 4;
            if (i < e->rows && x < e->columns)
                end_four(e, ((__local const float4 *)stage)[q], i, x);
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

#if IMAGES
/* b from images: an element is the image's at row down + down', column aside + aside', place at +
 * at', one of each pair of a tap and the other of a pixel. Those of the block's k lie in local
 * memory, those of the item's lines in registers; what is not there lies FAR up. */
#define FAR (-(1 << 30))
#define PIECES (TILE_N * TILE_K / ITEMS) /* elements of a tile that an item brings */
struct seen {
    int down, aside, at;
};
struct view {
    int h, w, kh, kw, stride_h, stride_w, pad_t, pad_l, dilation_h, dilation_w, ow;
};
static inline struct seen tap_of(const struct view *v, int tap)
{
    int row = tap / v->kw, channel = row / v->kh;
    struct seen s = {(row - channel * v->kh) * v->dilation_h, (tap - row * v->kw) * v->dilation_w,
                     0};
    s.at = (channel * v->h + s.down) * v->w + s.aside;
    return s;
}
static inline struct seen pixel_of(const struct view *v, int pixel)
{
    int row = pixel / v->ow;
    struct seen s = {row * v->stride_h - v->pad_t, (pixel - row * v->ow) * v->stride_w - v->pad_l,
                     0};
    s.at = s.down * v->w + s.aside;
    return s;
}
#if IMAGES == 1
#define SEEN_LINE(id, i) (((id) + (i)*ITEMS) % TILE_N) /* neighbours bring neighbouring pixels */
#define SEEN_K(id, i) (((id) + (i)*ITEMS) / TILE_N)
#define LINES (ITEMS < TILE_N ? TILE_N / ITEMS : 1) /* different lines of an item's */
#define BASES LINES                                 /* images that they lie in */
#else
#define SEEN_LINE(id, i) ((id) / TILE_K + (i) * (ITEMS / TILE_K)) /* neighbouring pixels, too */
#define SEEN_K(id, i) ((id) % TILE_K)
#define LINES PIECES
#define BASES 1
#endif

/* The block's k; `count` of them from kp of a piece on, whose places are told from that piece. */
static inline void look(const struct view *v, long kp, long k_each, long stride, int count, int id,
                        __local int *down, __local int *aside, __local int *at)
{
    for (int k = id; k < BLOCK; k += ITEMS) {
        struct seen s = {FAR, 0, 0};
        if (k < count) {
            long q = kp + k;
#if IMAGES == 1
            s = tap_of(v, (int)q);
#else
            long p = q / k_each;
            s = pixel_of(v, (int)(q - p * k_each));
            s.at += (int)(p * stride);
#endif
        }
        down[k] = s.down;
        aside[k] = s.aside;
        at[k] = s.at;
    }
}
#endif

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
gemm(__global const float *a, ulong a_at, __global const float *b, ulong b_at,
     __global const float *bias, ulong bias_at, __global float *c, ulong c_at, long m, long n,
     long k_all, long k_each, int ta, int tb, long lda, long ldb, long ldc, long stride_a,
     long stride_b, long stride_c, long stride_slab, int slabs, long k_first, int partial,
     int bias_kind, int act, int groups, long step_a, long step_b, long step_c
#if IMAGES
     ,
     long n_joined, int h, int w, int kh, int kw, int stride_h, int stride_w, int pad_t, int pad_l,
     int dilation_h, int dilation_w, int ow
#endif
)
{
    __local float4 memory[2 * (A_HALF + B_HALF) / 4];
    __local float *a_tile = (__local float *)memory, *b_tile = a_tile + 2 * A_HALF;
    int id = (int)get_local_id(0), patch = id / 32, in = id % 32;
    int column = (patch % (WIDE / PATCH) * PATCH + in % PATCH) * 4,
        row = (patch / (WIDE / PATCH) * (32 / PATCH) + in / PATCH) * 4;
#if IMAGES != 1
    const long n_all = n; /* columns of c in all */
#else
    const long n_all = n_joined;
#endif
    long across = (n_all + TILE_N - 1) / TILE_N, down = (m + TILE_M - 1) / TILE_M;
    long at = (long)get_group_id(0), line = at / across, z = line / down, repeat = z / slabs;
    long i0 = (line - z * down) * TILE_M, j0 = (at - line * across) * TILE_N;
    long slab = z - repeat * slabs, batch = repeat / groups, group = repeat - batch * groups;
    long k0 = k_first + slab * SLAB, k_end = MIN(k0 + SLAB, k_all);
    long piece = k0 / k_each;
    int depth = (int)(k_end - k0), steps = (depth + TILE_K - 1) / TILE_K;
    int most = (int)MIN(k_each, 1l << 30),
        left = (int)MIN(k_each - (k0 - piece * k_each), 1l << 30);
    a += a_at + batch * stride_a + group * step_a + (ta ? i0 : i0 * lda);
    b += b_at + batch * stride_b + group * step_b;
    struct operand of_a =
        operand_of(a, lda, stride_a, !ta, m - i0, piece, k0 - piece * k_each, TILE_M, id);
    float4 next_a[EACH(TILE_M)], s[WORK_M][COLS_4];
    for (int r = 0; r < WORK_M; r++)
        for (int g = 0; g < COLS_4; g++) s[r][g] = (float4)0.0f;

    struct ending ending = {c, bias, ldc, j0, n, stride_c, 0, 0, bias_kind, act, 1, 0};
    ending.c += c_at + batch * stride_c + group * step_c + slab * stride_slab + i0 * ldc;
    if (bias_kind) ending.bias += bias_at + (bias_kind == 2 ? group * m + i0 : j0);
    ending.rows = (int)MIN(m - i0, (long)TILE_M);
    ending.columns = (int)MIN(n_all - j0, (long)TILE_N);

#if IMAGES
    __local int k_down[BLOCK], k_aside[BLOCK], k_at[BLOCK];
    const struct view view = {h,     w,     kh,         kw,         stride_h, stride_w,
                              pad_t, pad_l, dilation_h, dilation_w, ow};
    struct seen lines[LINES];
    __global const float *base[BASES];
    float next_b[PIECES];
    UNROLL for (int i = 0; i < BASES; i++) base[i] = b;
    UNROLL for (int i = 0; i < LINES; i++)
    {
        long j = j0 + SEEN_LINE(id, i);
        lines[i] = (struct seen){FAR, 0, 0};
        if (j >= n_all) continue;
#if IMAGES == 1
        long image = j / n;
        lines[i] = pixel_of(&view, (int)(j - image * n));
        base[i] += image * stride_b;
#else
        lines[i] = tap_of(&view, (int)j);
#endif
    }
#define FETCH_B(step)                                                                              \
    do {                                                                                           \
        if ((step) % (BLOCK / TILE_K) == 0) {                                                      \
            long k_ = k0 + (step)*TILE_K, p_ = k_ / k_each;                                        \
            look(&view, k_ - p_ * k_each, k_each, stride_b, MIN(BLOCK, depth), me, k_down,         \
                 k_aside, k_at);                                                                   \
            if (IMAGES == 2) base[0] = b + p_ * stride_b;                                          \
            barrier(CLK_LOCAL_MEM_FENCE);                                                          \
        }                                                                                          \
        UNROLL for (int i = 0; i < PIECES; i++)                                                    \
        {                                                                                          \
            int k_ = (step) % (BLOCK / TILE_K) * TILE_K + SEEN_K(id, i);                           \
            const struct seen l_ = lines[i % LINES];                                               \
            int y_ = k_down[k_] + l_.down, x_ = k_aside[k_] + l_.aside;                            \
            next_b[i] = (uint)y_ < (uint)h && (uint)x_ < (uint)w                                   \
                            ? base[i % BASES][k_at[k_] + l_.at]                                    \
                            : 0.0f;                                                                \
        }                                                                                          \
    } while (0)
#define KEEP_B(half, step)                                                                         \
    UNROLL for (int i = 0; i < PIECES; i++)                                                        \
        b_tile[(half)*B_HALF + SEEN_K(id, i) * ROW(TILE_N) + SEEN_LINE(id, i)] = next_b[i]
#define STEP_B
#define JUMP_B
#else
    struct operand of_b = operand_of(b + (tb ? j0 * ldb : j0), ldb, stride_b, tb, n - j0, piece,
                                     k0 - piece * k_each, TILE_N, id);
    float4 next_b[EACH(TILE_N)];
#define FETCH_B(step)                                                                              \
    if (whole) fetch(&of_b, TILE_N, id, next_b)
#define KEEP_B(half, step)                                                                         \
    do {                                                                                           \
        if (whole)                                                                                 \
            keep(next_b, TILE_N, tb, id, b_tile + (half)*B_HALF);                                  \
        else                                                                                       \
            bring(&of_b, TILE_N, k0 + (step)*TILE_K, depth, k_each, me, b_tile + (half)*B_HALF);   \
    } while (0)
#define STEP_B of_b.at += tb ? TILE_K : TILE_K * ldb
#define JUMP_B of_b.at += stride_b - (tb ? k_each : k_each * ldb)
#endif

#define FETCH(step)                                                                                \
    do {                                                                                           \
        if (whole) fetch(&of_a, TILE_M, id, next_a);                                               \
        FETCH_B(step);                                                                             \
    } while (0)
#define KEEP(half, step)                                                                           \
    do {                                                                                           \
        if (whole)                                                                                 \
            keep(next_a, TILE_M, !ta, id, a_tile + (half)*A_HALF);                                 \
        else                                                                                       \
            bring(&of_a, TILE_M, k0 + (step)*TILE_K, depth, k_each, me, a_tile + (half)*A_HALF);   \
        KEEP_B(half, step);                                                                        \
        barrier(CLK_LOCAL_MEM_FENCE);                                                              \
    } while (0)

    /* whole: the k fetched next are all there, in one piece */
    int whole = MIN(depth, left) >= TILE_K, me = id;
    FETCH(0);
    KEEP(0, 0);
    for (int step = 1; step <= steps; step++) {
        int now = (step - 1) & 1;
        me = id ^ step >> 20; /* id, but a compiler does not know: what is seldom needed is reckoned
                                 then, and not kept in registers all the while */
        depth -= TILE_K;
        left -= TILE_K;
        of_a.at += ta ? TILE_K * lda : TILE_K;
        STEP_B;
        for (; left <= 0; left += most) {
            of_a.at += stride_a - (ta ? k_each * lda : k_each);
            JUMP_B;
        }
        whole = MIN(depth, left) >= TILE_K;
        FETCH(step);
        multiply(a_tile + now * A_HALF + row, b_tile + now * B_HALF + column, s);
        if (step == steps || step % (BLOCK / TILE_K) == 0) {
            ending.first = step <= BLOCK / TILE_K;
            ending.last = step == steps && !partial;
            end_block(&ending, s, row, column, me, a_tile);
        }
        if (step < steps) KEEP(1 - now, step);
    }
}
