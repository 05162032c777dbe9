/* im2col and its transpose; formulas in <cairn/problem.h>.
 *
 * Row (n, c, i, j) of col is a plane of oh x ow outputs: the image shifted by tap (i, j) and
 * thinned by the strides, +0 outside; tap (i, j) lies (i dilation_h, j dilation_w) from the first.
 * "cpu": a work-item makes a block of image or output rows, in vectors along a row. "gpu": a
 * work-item makes one element. */
#include "exact.h"
#include "strip.h"

static inline void fill_zero(__global float *to, int count)
{
    for (int i = 0; i < count; i++) to[i] = 0.0f;
}

/* The last vector overlaps the one before. */
static inline void copy_row(__global float *to, __global const float *from, int count)
{
    if (count >= 16) {
        for (int i = 0; i < count; i += 16) {
            int at = i + 16 <= count ? i : count - 16;
            vstore16(vload16(0, from + at), 0, to + at);
        }
    } else if (count >= 8) {
        vstore8(vload8(0, from), 0, to);
        vstore8(vload8(0, from + count - 8), 0, to + count - 8);
    } else {
        for (int i = 0; i < count; i++) to[i] = from[i];
    }
}

/* Outputs first ... end - 1 of a row of `out` have column o * stride + shift inside 0 ... size - 1.
 */
static inline int first_inside(int shift, int stride, int out)
{
    int first = shift < 0 ? (-shift + stride - 1) / stride : 0;
    return first < out ? first : out;
}
static inline int end_inside(int shift, int stride, int size, int out, int first)
{
    int end = size > shift ? (size - 1 - shift) / stride + 1 : 0;
    end = end < out ? end : out;
    return end > first ? end : first;
}

/* Work-item t makes output rows of block t % blocks of row t / blocks = (n, c, i, j) of col. */
__kernel void im2col_cpu(__global const float *x, ulong x_off, __global float *col, ulong col_off,
                         int h, int w, int kh, int kw, int stride_h, int stride_w, int pad_t,
                         int pad_l, int dilation_h, int dilation_w, int oh, int ow, int rows,
                         int blocks)
{
    ulong t = (ulong)get_global_id(0), k = t / (uint)blocks, plane = k / ((ulong)kh * kw);
    int tap = (int)(k - plane * ((ulong)kh * kw));
    int begin = (int)(t - k * (uint)blocks) * rows, stop = begin + rows < oh ? begin + rows : oh;
    int i = tap / kw, shift = (tap - i * kw) * dilation_w - pad_l;
    int first = first_inside(shift, stride_w, ow), end = end_inside(shift, stride_w, w, ow, first);
    x += x_off + plane * ((ulong)h * w);
    col += col_off + (k * oh + begin) * ow;
    for (int o = begin; o < stop; o++, col += ow) {
        long r = (long)o * stride_h + (long)i * dilation_h - pad_t;
        if (r < 0 || r >= h) {
            fill_zero(col, ow);
            continue;
        }
        __global const float *from = x + r * w;
        fill_zero(col, first);
        if (stride_w == 1) {
            copy_row(col + first, from + first + shift, end - first);
        } else {
            for (int q = first; q < end; q++) col[q] = from[(long)q * stride_w + shift];
        }
        fill_zero(col + end, ow - end);
    }
}

/* Work-item t makes element t % (oh * ow) of row base + t / (oh * ow) of col. */
__kernel void im2col_gpu(__global const float *x, ulong x_off, __global float *col, ulong col_off,
                         ulong base, uint items, int h, int w, int kh, int kw, int stride_h,
                         int stride_w, int pad_t, int pad_l, int dilation_h, int dilation_w, int oh,
                         int ow)
{
    uint t = (uint)get_global_id(0), size = (uint)oh * (uint)ow;
    if (t < items) {
        uint row = t / size, s = t - row * size;
        ulong k = base + row, plane = k / ((ulong)kh * kw);
        int tap = (int)(k - plane * ((ulong)kh * kw)), i = tap / kw, j = tap - i * kw;
        int o = (int)(s / (uint)ow), c = (int)s - o * ow;
        long r = (long)o * stride_h + (long)i * dilation_h - pad_t,
             q = (long)c * stride_w + (long)j * dilation_w - pad_l;
        float v = 0.0f;
        if (r >= 0 && r < h && q >= 0 && q < w) v = x[x_off + (plane * h + r) * w + q];
        col[col_off + k * size + s] = v;
    }
}

#define LANES16 ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))

/* Elements first ... first + 15 of a row of ow, +0 outside. What lies beside the row may be read
 * where `beside`. */
static inline float16 seen16(__global const float *row, int first, int ow, int beside)
{
    float part[16];
    if (beside)
        return select((float16)(0.0f), vload16(0, row + first),
                      as_uint16(LANES16 + first) < (uint16)((uint)ow));
    for (int e = 0; e < 16; e++) {
        int inside = first + e >= 0 && first + e < ow;
        part[e] = inside ? row[first + e] : 0.0f;
    }
    return vload16(0, part);
}

/* 16 elements from column q of an image row, `above` below the first window's top: taps in row
 * order. A +0 that is none of them changes no sum, since a sum from +0 is never -0. */
static inline float16 col2im_strip(__global const float *col, int beside, int q, int above, int kh,
                                   int kw, int stride_h, int pad_l, int dilation_h, int dilation_w,
                                   int oh, int ow)
{
    float16 sum = 0.0f;
    for (int i = 0; i < kh; i++, above -= dilation_h) {
        int o = stride_h == 1 ? above : above / stride_h, first = q + pad_l;
        if (above < 0 || o * stride_h != above || o >= oh) continue;
        __global const float *row = col + ((long)i * kw * oh + o) * ow;
        for (int j = 0; j < kw; j++, row += (long)oh * ow, first -= dilation_w)
            sum = sum + seen16(row, first, ow, beside);
    }
    return sum;
}

/* Work-item t makes image rows of block t % blocks of plane t / blocks = (n, c) of x: taps are
 * added in row order. */
__kernel void col2im_cpu(__global const float *col, ulong col_off, __global float *x, ulong x_off,
                         int h, int w, int kh, int kw, int stride_h, int stride_w, int pad_t,
                         int pad_l, int dilation_h, int dilation_w, int oh, int ow, int rows,
                         int blocks)
{
    ulong t = (ulong)get_global_id(0), plane = t / (uint)blocks;
    int begin = (int)(t - plane * (uint)blocks) * rows, stop = begin + rows < h ? begin + rows : h;
    long size = (long)kh * kw * oh * ow, planes = (long)(get_global_size(0) / (uint)blocks);
    /* strips reach so far beyond the rows of this plane; nothing lies beyond the outermost planes
     */
    long reach = (long)kw * dilation_w + pad_l + w + 16;
    int beside = (long)plane * size >= reach && (planes - 1 - (long)plane) * size >= reach;
    x += x_off + (plane * h + begin) * w;
    col += col_off + plane * size;
    for (int r = begin; r < stop; r++, x += w) {
        if (stride_w == 1) {
            for (int q = 0; q < w; q += 16)
                store_strip(col2im_strip(col, beside, q, r + pad_t, kh, kw, stride_h, pad_l,
                                        dilation_h, dilation_w, oh, ow),
                           x + q, w - q < 16 ? w - q : 16);
            continue;
        }
        fill_zero(x, w);
        for (int i = 0; i < kh; i++) {
            int above = r + pad_t - i * dilation_h, o = above / stride_h;
            if (above < 0 || o * stride_h != above || o >= oh) continue;
            for (int j = 0; j < kw; j++) {
                int shift = j * dilation_w - pad_l;
                int first = first_inside(shift, stride_w, ow),
                    end = end_inside(shift, stride_w, w, ow, first);
                __global const float *from = col + ((ulong)(i * (long)kw + j) * oh + o) * ow;
                for (int q = first; q < end; q++) {
                    long at = (long)q * stride_w + shift;
                    x[at] = x[at] + from[q];
                }
            }
        }
    }
}

/* Work-item t makes element t % (h * w) of plane base + t / (h * w) of x. */
__kernel void col2im_gpu(__global const float *col, ulong col_off, __global float *x, ulong x_off,
                         ulong base, uint items, int h, int w, int kh, int kw, int stride_h,
                         int stride_w, int pad_t, int pad_l, int dilation_h, int dilation_w, int oh,
                         int ow)
{
    uint t = (uint)get_global_id(0), size = (uint)h * (uint)w;
    if (t < items) {
        uint p = t / size, s = t - p * size;
        int row = (int)(s / (uint)w), r = row + pad_t, q = (int)s - row * w + pad_l;
        ulong plane = base + p;
        float sum = 0.0f;
        for (int i = 0, above = r; i < kh && above >= 0; i++, above -= dilation_h) {
            int o = above / stride_h;
            if (o * stride_h != above || o >= oh) continue;
            IN_ORDER
            for (int j = 0, before = q; j < kw && before >= 0; j++, before -= dilation_w) {
                int c = before / stride_w;
                if (c * stride_w != before || c >= ow) continue;
                ulong k = plane * ((ulong)kh * kw) + (ulong)(i * (long)kw + j);
                sum = sum + col[col_off + (k * oh + o) * ow + c];
            }
        }
        x[x_off + plane * size + s] = no_minus_zero(sum);
    }
}
