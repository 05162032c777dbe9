/* Max pooling and its gradient; formulas in <cairn/problem.h>. The mean: pool-mean.cl.
 *
 * best starts as the window's first element inside the image and every element is offered in row
 * order, so that ties keep the first and the last NaN stays. Where `relu` is 1 (in vectors: all
 * bits set), each is relu's before, and the index of what is 0 or less is -1. "cpu": a work-item
 * makes a block of rows, in vectors where windows lie inside the image. "gpu": a work-item makes
 * one element. */
#include "exact.h"
#include "even.h"

#define OFFER(v, position)                                                                         \
    do {                                                                                           \
        if ((v) > best || (v) != (v)) {                                                            \
            best = (v);                                                                            \
            where = (position);                                                                    \
        }                                                                                          \
    } while (0)

/* x, or relu of it. */
#define ACTED(x) (relu && (x) < 0.0f ? 0.0f : (x))
#define ACTED_VEC(N, x) select(x, (float##N)(0.0f), ((x) < 0.0f) & (int##N)(relu))

/* Window rows i0 ... i1 - 1, columns j0 ... j1 - 1 of the kernel whose corner lies at
 * plane[corner]. */
static inline void pool_window(__global const float *plane, long corner, int w, int i0, int i1,
                               int j0, int j1, int relu, __global float *y, __global int *index)
{
    long where = corner + (long)i0 * w + j0;
    float best = ACTED(plane[where]);
    for (int i = i0; i < i1; i++)
        for (int j = j0; j < j1; j++) {
            long position = corner + (long)i * w + j;
            float v = ACTED(plane[position]);
            OFFER(v, position);
        }
    *y = best;
    *index = relu && best <= 0.0f ? -1 : (int)where;
}

/* N outputs of one row whose windows lie inside the image in columns, for stride 1 and 2; `at` is
 * the first window's corner in the plane, `taps` its rows inside. With stride 2 one load of 2 N
 * elements serves a tap and the next, and none reads behind the last window. */
#define OFFER_ROW(N, value, position)                                                              \
    do {                                                                                           \
        float##N v = ACTED_VEC(N, value);                                                          \
        int##N take = (v > best) | (v != v);                                                       \
        best = select(best, v, take);                                                              \
        where = select(where, lane + (position), take);                                            \
    } while (0)
#define POOL_ROWS(N, TWICE)                                                                        \
    static inline void pool_stride1_##N(__global const float *plane, int at, int w, int taps,      \
                                        int kw, int relu, __global float *y, __global int *index)  \
    {                                                                                              \
        const int##N lane = LANES##N;                                                              \
        int##N where = lane + at;                                                                  \
        float##N best = ACTED_VEC(N, vload##N(0, plane + at));                                     \
        for (int i = 0; i < taps; i++, at += w)                                                    \
            for (int j = 0; j < kw; j++) OFFER_ROW(N, vload##N(0, plane + at + j), at + j);        \
        vstore##N(best, 0, y);                                                                     \
        vstore##N(where | ((best <= 0.0f) & (int##N)(relu)), 0, index);                            \
    }                                                                                              \
    static inline void pool_stride2_##N(__global const float *plane, int at, int w, int taps,      \
                                        int kw, int relu, __global float *y, __global int *index)  \
    {                                                                                              \
        const int##N lane = 2 * LANES##N;                                                          \
        int##N where = lane + at;                                                                  \
        float##N best = ACTED_VEC(N, EVEN##N(vload##TWICE(0, plane + at)));                        \
        for (int i = 0; i < taps; i++, at += w) {                                                  \
            int j = 0;                                                                             \
            for (; j + 1 < kw; j += 2) {                                                           \
                float##TWICE both = vload##TWICE(0, plane + at + j);                               \
                OFFER_ROW(N, EVEN##N(both), at + j);                                               \
                OFFER_ROW(N, ODD##N(both), at + j + 1);                                            \
            }                                                                                      \
            if (j < kw) OFFER_ROW(N, ODD##N(vload##TWICE(0, plane + at + j - 1)), at + j);         \
        }                                                                                          \
        vstore##N(best, 0, y);                                                                     \
        vstore##N(where | ((best <= 0.0f) & (int##N)(relu)), 0, index);                            \
    }
#define LANES4 ((int4)(0, 1, 2, 3))
#define LANES8 ((int8)(0, 1, 2, 3, 4, 5, 6, 7))
POOL_ROWS(4, 8)
POOL_ROWS(8, 16)

/* Work-item t makes rows of block t % blocks of plane t / blocks. */
__kernel void pool_cpu(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                       __global int *index, ulong index_off, int h, int w, int kh, int kw,
                       int stride_h, int stride_w, int pad_t, int pad_l, int oh, int ow, int act,
                       int rows, int blocks)
{
    long t = (long)get_global_id(0), p = t / blocks;
    int begin = (int)(t - p * blocks) * rows, stop = begin + rows < oh ? begin + rows : oh;
    int relu = act ? -1 : 0;
    __global const float *plane = x + x_off + p * ((long)h * w);
    /* columns whose whole window lies inside */
    int first = (pad_l + stride_w - 1) / stride_w,
        end = w + pad_l < kw ? 0 : (w + pad_l - kw) / stride_w + 1;
    end = end < ow ? end : ow;
    int width = end - first < 8 ? 4 : 8;
    if (end - first < 4 || stride_w > 2 || (stride_w == 2 && kw == 1)) first = end = 0;
    y += y_off + (ulong)p * oh * ow;
    index += index_off + (ulong)p * oh * ow;
    for (int o = begin; o < stop; o++) {
        long top = (long)o * stride_h - pad_t;
        int i0 = top < 0 ? (int)-top : 0, i1 = h - top < kh ? (int)(h - top) : kh;
        __global float *y_row = y + (long)o * ow;
        __global int *index_row = index + (long)o * ow;
        /* the last vector overlaps the one before */
        for (int q = first; q < end; q += width) {
            int c = q + width <= end ? q : end - width,
                at = (int)((top + i0) * w) + c * stride_w - pad_l;
            if (stride_w == 2 && width == 8)
                pool_stride2_8(plane, at, w, i1 - i0, kw, relu, y_row + c, index_row + c);
            else if (stride_w == 2)
                pool_stride2_4(plane, at, w, i1 - i0, kw, relu, y_row + c, index_row + c);
            else if (width == 8)
                pool_stride1_8(plane, at, w, i1 - i0, kw, relu, y_row + c, index_row + c);
            else
                pool_stride1_4(plane, at, w, i1 - i0, kw, relu, y_row + c, index_row + c);
        }
        for (int q = 0; q < ow; q++) {
            if (q == first && end > first) q = end;
            if (q >= ow) break;
            long left = (long)q * stride_w - pad_l;
            int j0 = left < 0 ? (int)-left : 0, j1 = w - left < kw ? (int)(w - left) : kw;
            pool_window(plane, top * w + left, w, i0, i1, j0, j1, relu, y_row + q, index_row + q);
        }
    }
}

/* Windows of 2 x 2, two apart, none beyond the plane: the commonest. N of them side by side, whose
 * first lies at plane[at]; `from` points there. */
#define PAIRS_TAKE(N, value, tap)                                                                  \
    do {                                                                                           \
        float##N v = value;                                                                        \
        int##N take = (v > best) | (v != v);                                                       \
        best = select(best, v, take);                                                              \
        won = select(won, (int##N)(tap), take);                                                    \
    } while (0)
#define POOL_PAIRS(N, TWICE)                                                                       \
    static inline void pool_pairs_##N(__global const float *from, int at, int w, int relu,         \
                                      __global float *y, __global int *index)                      \
    {                                                                                              \
        float##TWICE upper = ACTED_VEC(TWICE, vload##TWICE(0, from)),                              \
                     lower = ACTED_VEC(TWICE, vload##TWICE(0, from + w));                          \
        float##N best = EVEN##N(upper);                                                            \
        int##N won = 0;                                                                            \
        PAIRS_TAKE(N, ODD##N(upper), 1);                                                           \
        PAIRS_TAKE(N, EVEN##N(lower), w);                                                          \
        PAIRS_TAKE(N, ODD##N(lower), w + 1);                                                       \
        vstore##N(best, 0, y);                                                                     \
        won = won + (2 * LANES##N + at);                                                           \
        vstore##N(won | ((best <= 0.0f) & (int##N)(relu)), 0, index);                              \
    }
POOL_PAIRS(4, 8)
POOL_PAIRS(8, 16)

/* Work-item t makes output rows t * rows ... of all planes, one plane's after another's; ow is 4 or
 * more, and the last vector overlaps the one before. */
__kernel void pool_pairs_cpu(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                             __global int *index, ulong index_off, int h, int w, int oh, int ow,
                             long all, int rows, int act)
{
    int relu = act ? -1 : 0;
    long row = (long)get_global_id(0) * rows, stop = row + rows < all ? row + rows : all;
    long p = row / oh;
    int o = (int)(row - p * oh);
    x += x_off + p * ((long)h * w);
    y += y_off + row * ow;
    index += index_off + row * ow;
    for (; row < stop; row++, y += ow, index += ow) {
        __global const float *from = x + (long)(2 * o) * w;
        int at = 2 * o * w;
        if (ow < 8) {
            pool_pairs_4(from, at, w, relu, y, index);
            int c = ow - 4;
            if (c) pool_pairs_4(from + 2 * c, at + 2 * c, w, relu, y + c, index + c);
        } else {
            for (int q = 0; q < ow; q += 8) {
                int c = q + 8 <= ow ? q : ow - 8;
                pool_pairs_8(from + 2 * c, at + 2 * c, w, relu, y + c, index + c);
            }
        }
        if (++o == oh) {
            o = 0;
            x += (long)h * w;
        }
    }
}

/* Work-item t makes element t % (oh * ow) of plane base + t / (oh * ow). */
__kernel void pool_gpu(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                       __global int *index, ulong index_off, ulong base, uint items, int h, int w,
                       int kh, int kw, int stride_h, int stride_w, int pad_t, int pad_l, int oh,
                       int ow, int act)
{
    uint t = (uint)get_global_id(0), size = (uint)oh * (uint)ow;
    if (t < items) {
        uint i = t / size, s = t - i * size;
        int o = (int)(s / (uint)ow), q = (int)s - o * ow;
        ulong p = base + i;
        long top = (long)o * stride_h - pad_t, left = (long)q * stride_w - pad_l;
        int i0 = top < 0 ? (int)-top : 0, i1 = h - top < kh ? (int)(h - top) : kh;
        int j0 = left < 0 ? (int)-left : 0, j1 = w - left < kw ? (int)(w - left) : kw;
        pool_window(x + x_off + p * ((ulong)h * w), top * w + left, w, i0, i1, j0, j1, act,
                    y + y_off + p * size + s, index + index_off + p * size + s);
    }
}

/* Work-item t makes rows of block t % blocks of plane t / blocks of dx: zero, then the windows that
 * may have won there. */
__kernel void pool_grad_cpu(__global const float *y, ulong y_off, __global const int *index,
                            ulong index_off, __global float *x, ulong x_off, int h, int w, int kh,
                            int stride_h, int pad_t, int oh, int ow, int rows, int blocks)
{
    long t = (long)get_global_id(0), p = t / blocks;
    int begin = (int)(t - p * blocks) * rows, stop = begin + rows < h ? begin + rows : h;
    int low = begin * w, high = stop * w;
    long o0 = (long)begin + pad_t - kh + 1, o1 = ((long)stop - 1 + pad_t) / stride_h + 1;
    o0 = o0 > 0 ? (o0 + stride_h - 1) / stride_h : 0;
    o1 = o1 < oh ? o1 : oh;
    __global float *plane = x + x_off + (ulong)p * ((ulong)h * w);
    y += y_off + (ulong)p * oh * ow;
    index += index_off + (ulong)p * oh * ow;
    for (int i = low; i < high; i++) plane[i] = 0.0f;
    for (long i = o0 * ow; i < o1 * ow; i++) {
        int where = index[i];
        if (where >= low && where < high) plane[where] = plane[where] + y[i];
    }
}

/* Each of them twice, beside itself. */
#define SAME4(v) (v.s0, v.s0, v.s1, v.s1, v.s2, v.s2, v.s3, v.s3)
#define SAME8(v)                                                                                   \
    (v.s0, v.s0, v.s1, v.s1, v.s2, v.s2, v.s3, v.s3, v.s4, v.s4, v.s5, v.s5, v.s6, v.s6, v.s7, v.s7)

/* The gradients of pool_pairs_N: +0, or dy where an element has won, a dy of -0 being added to +0.
 */
#define POOL_GRAD_PAIRS(N, TWICE)                                                                  \
    static inline void pool_grad_pairs_##N(__global const float *y, __global const int *index,     \
                                           int at, int w, __global float *to)                      \
    {                                                                                              \
        float##N dy = vload##N(0, y);                                                              \
        dy = select(dy, (float##N)(0.0f), dy == 0.0f);                                             \
        int##N won = vload##N(0, index);                                                           \
        float##TWICE both = (float##TWICE)SAME##N(dy);                                             \
        int##TWICE place = (int##TWICE)SAME##N(won) - at;                                          \
        vstore##TWICE(select((float##TWICE)(0.0f), both, place == LANES##TWICE), 0, to);           \
        vstore##TWICE(select((float##TWICE)(0.0f), both, place == LANES##TWICE + w), 0, to + w);   \
    }
#define LANES16 ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
POOL_GRAD_PAIRS(4, 8)
POOL_GRAD_PAIRS(8, 16)

/* Work-item t makes the windows of output rows t * rows ...; a plane's last row makes what no
 * window reaches +0. */
__kernel void pool_grad_pairs_cpu(__global const float *y, ulong y_off, __global const int *index,
                                  ulong index_off, __global float *x, ulong x_off, int h, int w,
                                  int oh, int ow, long all, int rows)
{
    long row = (long)get_global_id(0) * rows, stop = row + rows < all ? row + rows : all;
    long p = row / oh;
    int o = (int)(row - p * oh);
    x += x_off + p * ((long)h * w);
    y += y_off + row * ow;
    index += index_off + row * ow;
    for (; row < stop; row++, y += ow, index += ow) {
        __global float *to = x + (long)(2 * o) * w;
        int at = 2 * o * w;
        if (ow < 8) {
            pool_grad_pairs_4(y, index, at, w, to);
            int c = ow - 4;
            if (c) pool_grad_pairs_4(y + c, index + c, at + 2 * c, w, to + 2 * c);
        } else {
            for (int q = 0; q < ow; q += 8) {
                int c = q + 8 <= ow ? q : ow - 8;
                pool_grad_pairs_8(y + c, index + c, at + 2 * c, w, to + 2 * c);
            }
        }
        if (w > 2 * ow) to[2 * ow] = to[w + 2 * ow] = 0.0f;
        if (++o == oh) {
            for (long i = 2l * oh * w; i < (long)h * w; i++) x[i] = 0.0f;
            o = 0;
            x += (long)h * w;
        }
    }
}

/* Work-item t makes element t % (h * w) of plane base + t / (h * w) of dx. */
__kernel void pool_grad_gpu(__global const float *y, ulong y_off, __global const int *index,
                            ulong index_off, __global float *x, ulong x_off, ulong base, uint items,
                            int h, int w, int kh, int kw, int stride_h, int stride_w, int pad_t,
                            int pad_l, int oh, int ow)
{
    uint t = (uint)get_global_id(0), size = (uint)h * (uint)w;
    if (t < items) {
        uint i = t / size, s = t - i * size;
        int row = (int)(s / (uint)w), r = row + pad_t, q = (int)s - row * w + pad_l;
        ulong p = base + i;
        int o0 = r < kh ? 0 : (r - kh) / stride_h + 1, o1 = r / stride_h + 1;
        int q0 = q < kw ? 0 : (q - kw) / stride_w + 1, q1 = q / stride_w + 1;
        o1 = o1 < oh ? o1 : oh;
        q1 = q1 < ow ? q1 : ow;
        ulong plane = p * ((ulong)oh * ow);
        float sum = 0.0f;
        for (int o = o0; o < o1; o++) {
            IN_ORDER
            for (int c = q0; c < q1; c++) {
                ulong at = plane + (ulong)o * ow + c;
                if (index[index_off + at] == (int)s) sum = sum + y[y_off + at];
            }
        }
        x[x_off + p * size + s] = no_minus_zero(sum);
    }
}
