/* Average pooling and its gradient; formulas in <cairn/problem.h>.
 *
 * t = +0; t = t + x in row order; y = t / size. A sum is made +0 where it is -0, since a compiler
 * may drop its first addition; `fixed` is the size where all windows have the same, else 0. A "cpu"
 * work-item makes rows of all planes' rows, since planes may be small; "gpu" as in pool.cl. */
#include "exact.h"
#include "even.h"

static inline float mean_size(float fixed, int rows, int columns)
{
    return fixed > 0.0f ? fixed : (float)(rows * columns);
}

/* Window rows i0 ... i1 - 1, columns j0 ... j1 - 1 of the kernel whose corner lies at
 * plane[corner]. */
static inline float mean_window(__global const float *plane, long corner, int w, int i0, int i1,
                                int j0, int j1)
{
    float sum = 0.0f;
    for (int i = i0; i < i1; i++) {
        IN_ORDER
        for (int j = j0; j < j1; j++) sum = sum + plane[corner + (long)i * w + j];
    }
    return no_minus_zero(sum);
}

/* The sums of N windows of one row that lie inside the image in columns, for stride 1 and 2; `at`
 * is the first window's corner in the plane, `taps` its rows inside. With stride 2 one load of 2 N
 * elements serves a tap and the next, and none reads behind the last window. */
#define MEAN_ROWS(N, TWICE)                                                                        \
    static inline void mean_stride1_##N(__global const float *plane, int at, int w, int taps,      \
                                        int kw, __global float *y)                                 \
    {                                                                                              \
        float##N sum = 0.0f;                                                                       \
        for (int i = 0; i < taps; i++, at += w)                                                    \
            for (int j = 0; j < kw; j++) sum = sum + vload##N(0, plane + at + j);                  \
        vstore##N(sum, 0, y);                                                                      \
    }                                                                                              \
    static inline void mean_stride2_##N(__global const float *plane, int at, int w, int taps,      \
                                        int kw, __global float *y)                                 \
    {                                                                                              \
        float##N sum = 0.0f;                                                                       \
        for (int i = 0; i < taps; i++, at += w) {                                                  \
            int j = 0;                                                                             \
            for (; j + 1 < kw; j += 2) {                                                           \
                float##TWICE both = vload##TWICE(0, plane + at + j);                               \
                sum = sum + EVEN##N(both);                                                         \
                sum = sum + ODD##N(both);                                                          \
            }                                                                                      \
            if (j < kw) sum = sum + ODD##N(vload##TWICE(0, plane + at + j - 1));                   \
        }                                                                                          \
        vstore##N(sum, 0, y);                                                                      \
    }
MEAN_ROWS(4, 8)
MEAN_ROWS(8, 16)

/* Work-item t makes `rows` rows of all planes' rows, from t * rows: the sums of a row, then its
 * division. */
__kernel void mean_cpu(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                       long total, int rows, int h, int w, int kh, int kw, int stride_h,
                       int stride_w, int pad_t, int pad_l, int oh, int ow, float fixed)
{
    long r = (long)get_global_id(0) * rows, last = r + rows < total ? r + rows : total;
    /* columns whose whole window lies inside */
    int first = (pad_l + stride_w - 1) / stride_w,
        end = w + pad_l < kw ? 0 : (w + pad_l - kw) / stride_w + 1;
    end = end < ow ? end : ow;
    int width = end - first < 8 ? 4 : 8;
    if (end - first < 4 || stride_w > 2 || (stride_w == 2 && kw == 1)) first = end = 0;
    for (; r < last; r++) {
        long p = r / oh, top = (r - p * oh) * stride_h - pad_t;
        int i0 = top < 0 ? (int)-top : 0, i1 = h - top < kh ? (int)(h - top) : kh;
        __global const float *plane = x + x_off + p * ((long)h * w);
        __global float *y_row = y + y_off + r * ow;
        /* the last vector overlaps the one before */
        for (int q = first; q < end; q += width) {
            int c = q + width <= end ? q : end - width,
                at = (int)((top + i0) * w) + c * stride_w - pad_l;
            if (stride_w == 2 && width == 8)
                mean_stride2_8(plane, at, w, i1 - i0, kw, y_row + c);
            else if (stride_w == 2)
                mean_stride2_4(plane, at, w, i1 - i0, kw, y_row + c);
            else if (width == 8)
                mean_stride1_8(plane, at, w, i1 - i0, kw, y_row + c);
            else
                mean_stride1_4(plane, at, w, i1 - i0, kw, y_row + c);
        }
        for (int q = 0; q < ow; q++) {
            if (q == first && end > first) q = end;
            if (q >= ow) break;
            long left = (long)q * stride_w - pad_l;
            int j0 = left < 0 ? (int)-left : 0, j1 = w - left < kw ? (int)(w - left) : kw;
            y_row[q] = mean_window(plane, top * w + left, w, i0, i1, j0, j1);
        }
        for (int q = 0; q < ow; q++) {
            long left = (long)q * stride_w - pad_l;
            int j0 = left < 0 ? (int)-left : 0, j1 = w - left < kw ? (int)(w - left) : kw;
            y_row[q] = DIV(no_minus_zero(y_row[q]), mean_size(fixed, i1 - i0, j1 - j0));
        }
    }
}

/* Work-item t makes element t % (oh * ow) of plane base + t / (oh * ow). */
__kernel void mean_gpu(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                       ulong base, uint items, int h, int w, int kh, int kw, int stride_h,
                       int stride_w, int pad_t, int pad_l, int oh, int ow, float fixed)
{
    uint t = (uint)get_global_id(0), size = (uint)oh * (uint)ow;
    if (t < items) {
        uint i = t / size, s = t - i * size;
        int o = (int)(s / (uint)ow), q = (int)s - o * ow;
        ulong p = base + i;
        long row = (long)o * stride_h - pad_t, column = (long)q * stride_w - pad_l;
        int i0 = row < 0 ? (int)-row : 0, i1 = h - row < kh ? (int)(h - row) : kh;
        int j0 = column < 0 ? (int)-column : 0, j1 = w - column < kw ? (int)(w - column) : kw;
        float sum =
            mean_window(x + x_off + p * ((ulong)h * w), row * w + column, w, i0, i1, j0, j1);
        y[y_off + p * size + s] = DIV(sum, mean_size(fixed, i1 - i0, j1 - j0));
    }
}

/* One window over each whole plane of `size` elements. Work-item t makes planes t * each and on,
 * eight side by side. */
__kernel void mean_planes_cpu(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                              long planes, int each, int size, float fixed)
{
    long p = (long)get_global_id(0) * each, last = p + each < planes ? p + each : planes;
    for (; p < last; p += 8) {
        float sums[8] = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
        int count = last - p < 8 ? (int)(last - p) : 8;
        __global const float *plane = x + x_off + p * size;
        if (count == 8) {
            IN_ORDER
            for (int i = 0; i < size; i++)
                for (int b = 0; b < 8; b++) sums[b] = sums[b] + plane[(long)b * size + i];
        } else {
            for (int b = 0; b < count; b++) {
                IN_ORDER
                for (int i = 0; i < size; i++) sums[b] = sums[b] + plane[(long)b * size + i];
            }
        }
        for (int b = 0; b < count; b++) y[y_off + p + b] = DIV(no_minus_zero(sums[b]), fixed);
    }
}

/* The same; a group makes as many planes as it has work-items and reads them MEAN_TILE elements at
 * a time. tile: group x (MEAN_TILE + 1). */
#ifndef MEAN_TILE
#define MEAN_TILE 32
#endif
__kernel void mean_planes_gpu(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                              ulong base, uint items, int size, float fixed, __local float *tile)
{
    int l = (int)get_local_id(0), group = (int)get_local_size(0);
    uint p = (uint)get_group_id(0) * (uint)group;
    float sum = 0.0f;
    for (int at = 0; at < size; at += MEAN_TILE) {
        int count = size - at < MEAN_TILE ? size - at : MEAN_TILE;
        for (int e = l; e < group * MEAN_TILE; e += group) {
            int b = e / MEAN_TILE, i = e - b * MEAN_TILE;
            if (p + b < items && i < count)
                tile[b * (MEAN_TILE + 1) + i] =
                    x[x_off + (base + p + b) * (ulong)size + (ulong)(at + i)];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        if (p + l < items) {
            IN_ORDER
            for (int i = 0; i < count; i++) sum = sum + tile[l * (MEAN_TILE + 1) + i];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (p + l < items) y[y_off + base + p + l] = DIV(no_minus_zero(sum), fixed);
}

/* Work-item t makes `rows` rows of all planes' rows of dx, from t * rows: zero, then the windows
 * that reach there, in row order. */
__kernel void mean_grad_cpu(__global const float *y, ulong y_off, __global float *x, ulong x_off,
                            long total, int rows, int h, int w, int kh, int kw, int stride_h,
                            int stride_w, int pad_t, int pad_l, int oh, int ow, float fixed)
{
    long r = (long)get_global_id(0) * rows, last = r + rows < total ? r + rows : total;
    while (r < last) {
        long p = r / h;
        int begin = (int)(r - p * h), stop = last - r < h - begin ? begin + (int)(last - r) : h;
        long o0 = (long)begin + pad_t - kh + 1, o1 = ((long)stop - 1 + pad_t) / stride_h + 1;
        o0 = o0 > 0 ? (o0 + stride_h - 1) / stride_h : 0;
        o1 = o1 < oh ? o1 : oh;
        __global float *plane = x + x_off + p * ((long)h * w);
        __global const float *dy = y + y_off + p * ((long)oh * ow);
        for (long i = (long)begin * w; i < (long)stop * w; i++) plane[i] = 0.0f;
        for (long o = o0; o < o1; o++) {
            long top = o * stride_h - pad_t;
            int i0 = top < 0 ? (int)-top : 0, i1 = h - top < kh ? (int)(h - top) : kh;
            int from = top < begin ? (int)(begin - top) : 0,
                to = stop - top < kh ? (int)(stop - top) : kh;
            for (int q = 0; q < ow; q++) {
                long left = (long)q * stride_w - pad_l;
                int j0 = left < 0 ? (int)-left : 0, j1 = w - left < kw ? (int)(w - left) : kw;
                float share = DIV(dy[o * ow + q], mean_size(fixed, i1 - i0, j1 - j0));
                for (int i = from; i < to; i++) {
                    __global float *row = plane + (top + i) * w + left;
                    for (int j = j0; j < j1; j++) row[j] = row[j] + share;
                }
            }
        }
        r += stop - begin;
    }
}

/* Work-item t makes element t % (h * w) of plane base + t / (h * w) of dx. */
__kernel void mean_grad_gpu(__global const float *y, ulong y_off, __global float *x, ulong x_off,
                            ulong base, uint items, int h, int w, int kh, int kw, int stride_h,
                            int stride_w, int pad_t, int pad_l, int oh, int ow, float fixed)
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
        __global const float *dy = y + y_off + p * ((ulong)oh * ow);
        float sum = 0.0f;
        for (int o = o0; o < o1; o++) {
            long top = (long)o * stride_h - pad_t;
            int inside = (int)((h - top < kh ? h - top : kh) - (top < 0 ? -top : 0));
            IN_ORDER
            for (int c = q0; c < q1; c++) {
                long left = (long)c * stride_w - pad_l;
                int across = (int)((w - left < kw ? w - left : kw) - (left < 0 ? -left : 0));
                sum = sum + DIV(dy[(long)o * ow + c], mean_size(fixed, inside, across));
            }
        }
        x[x_off + p * size + s] = no_minus_zero(sum);
    }
}
