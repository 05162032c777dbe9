/* Convolutions of groups with few channels, without a matrix product: its tiles would be mostly
 * empty. Formulas in <cairn/problem.h>.
 *
 * Every result is one short sum: k = (channel of the group, tap) forward and the group's outputs
 * for data are at most one block of 256, so that the product is s = fma(a, b, s) from +0 with -0
 * made +0. "cpu": a work-item makes a block of rows in vectors, or the weights of 16 output
 * channels side by side. "gpu": a work-item makes one element, or one block of a weight's sum.
 * c_each, o_each: channels and outputs of a group. */
#include "exact.h"
#include "even.h"
#include "strip.h"

#define BLOCK 256
#define SLAB 4096
#define BLOCKS (SLAB / BLOCK)
#define MIN(x, y) ((x) < (y) ? (x) : (y))
#define LANES ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))

static inline float finish(float x, float bias, int act)
{
    x = no_minus_zero(x) + bias;
    if (act == 1) return RELU(x);
    if (act == 2) return exact_tanh(x);
    if (act == 3) return exact_sigmoid(x);
    return x;
}

static inline float16 no_minus_zero16(float16 x)
{
    return select(x, (float16)0.0f, (as_int16(x) << 1) == (int16)0);
}

static inline int16 inside16(int left, int size)
{
    int16 at = LANES + left;
    return (at >= 0) & (at < size);
}

/* x[at + lane] where 0 <= left + lane < size, else +0. What is loaded beside a row lies in the same
 * operand of `total` floats, or is not loaded. */
static inline float16 see16(__global const float *x, long at, long total, int left, int size)
{
    if (left >= 0 && left + 16 <= size) return vload16(0, x + at);
    if (left >= size || left <= -16) return (float16)0.0f;
    if (at >= 0 && at + 16 <= total)
        return select((float16)0.0f, vload16(0, x + at), inside16(left, size));
    float lanes[16];
    for (int l = 0; l < 16; l++) lanes[l] = left + l >= 0 && left + l < size ? x[at + l] : 0.0f;
    return vload16(0, lanes);
}

/* The same, lanes `stride` apart. Vectors of 16 are put together in memory: one simulator dies of
 * their shuffles. */
static inline float16 see16_apart(__global const float *x, long at, long total, int left, int size,
                                  int stride)
{
    float lanes[16];
    if (stride == 2 && at >= 0 && at + 32 <= total) {
        int16 column = 2 * LANES + left;
        vstore8(EVEN8(vload16(0, x + at)), 0, lanes);
        vstore8(EVEN8(vload16(0, x + at + 16)), 1, lanes);
        if (left >= 0 && left + 30 < size) return vload16(0, lanes);
        return select((float16)0.0f, vload16(0, lanes), (column >= 0) & (column < size));
    }
    for (int l = 0; l < 16; l++, at += stride, left += stride)
        lanes[l] = left >= 0 && left < size ? x[at] : 0.0f;
    return vload16(0, lanes);
}

static inline void store16_apart(float16 v, int count, int stride, __global float *to)
{
    float lanes[16];
    vstore16(v, 0, lanes);
    for (int l = 0; l < MIN(count, 16); l++) to[(long)l * stride] = lanes[l];
}

/* Work-item t makes output rows of block t % blocks of plane t / blocks = (image, output channel).
 * The last vector of a row overlaps the one before. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
conv_cpu(__global const float *x, ulong x_off, __global const float *weight, ulong weight_off,
         __global const float *bias, ulong bias_off, __global float *y, ulong y_off, long total,
         int c, int h, int w, int o, int kh, int kw, int stride_h, int stride_w, int pad_t,
         int pad_l, int dilation_h, int dilation_w, int oh, int ow, int c_each, int o_each,
         int has_bias, int act, int rows, int blocks)
{
    long t = (long)get_global_id(0), p = t / blocks, image = p / o;
    int begin = (int)(t - p * blocks) * rows, stop = MIN(begin + rows, oh);
    int channel = (int)(p - image * o), taps = c_each * kh * kw;
    long first = (image * c + channel / o_each * c_each) * h;
    float shift = has_bias ? bias[bias_off + channel] : 0.0f;
    x += x_off;
    weight += weight_off + (ulong)channel * taps;
    y += y_off + (p * oh + begin) * ow;
    for (int i = begin; i < stop; i++, y += ow) {
        for (int q = 0; q < ow; q += 16) {
            int j = q + 16 <= ow || ow < 16 ? q : ow - 16, left = j * stride_w - pad_l;
            __global const float *tap = weight;
            float16 s = 0.0f;
            for (int k = 0; k < c_each; k++)
                for (int u = 0, r = i * stride_h - pad_t; u < kh; u++, r += dilation_h) {
                    long at = (first + (long)k * h + r) * w;
                    for (int v = 0, from = left; v < kw; v++, from += dilation_w) {
                        float16 seen = 0.0f;
                        if (r >= 0 && r < h)
                            seen = stride_w == 1
                                       ? see16(x, at + from, total, from, w)
                                       : see16_apart(x, at + from, total, from, w, stride_w);
                        s = FMA16((float16)*tap++, seen, s);
                    }
                }
            s = no_minus_zero16(s) + (float16)shift;
            if (act == 1) s = select(s, (float16)0.0f, s < (float16)0.0f);
            store_strip(s, y + j, MIN(ow - j, 16));
        }
        for (int j = 0; act >= 2 && j < ow; j++)
            y[j] = act == 2 ? exact_tanh(y[j]) : exact_sigmoid(y[j]);
    }
}

/* Work-item t makes element t % (oh * ow) of plane base + t / (oh * ow) of y. */
__kernel void conv_gpu(__global const float *x, ulong x_off, __global const float *weight,
                       ulong weight_off, __global const float *bias, ulong bias_off,
                       __global float *y, ulong y_off, ulong base, uint items, int c, int h, int w,
                       int o, int kh, int kw, int stride_h, int stride_w, int pad_t, int pad_l,
                       int dilation_h, int dilation_w, int oh, int ow, int c_each, int o_each,
                       int has_bias, int act)
{
    uint t = (uint)get_global_id(0), size = (uint)oh * (uint)ow;
    if (t < items) {
        uint plane = t / size, e = t - plane * size;
        int i = (int)(e / (uint)ow), j = (int)e - i * ow;
        ulong p = base + plane, image = p / (uint)o;
        int channel = (int)(p - image * (uint)o);
        __global const float *tap = weight + weight_off + (ulong)channel * c_each * kh * kw;
        __global const float *from =
            x + x_off + (image * c + channel / o_each * c_each) * ((ulong)h * w);
        float s = 0.0f;
        for (int k = 0; k < c_each; k++, from += (ulong)h * w)
            for (int u = 0, r = i * stride_h - pad_t; u < kh; u++, r += dilation_h)
                for (int v = 0, q = j * stride_w - pad_l; v < kw; v++, q += dilation_w) {
                    int seen = r >= 0 && r < h && q >= 0 && q < w;
                    s = FMA(*tap++, seen ? from[(long)r * w + q] : 0.0f, s);
                }
        y[y_off + p * size + e] = finish(s, has_bias ? bias[bias_off + channel] : 0.0f, act);
    }
}

/* A row of x as data_cpu makes it: the group's first plane of y and its weight for this channel,
 * the next ones `plane` and `next` floats further. */
struct row {
    long first, plane, next;
    int r, w, kh, kw, stride_h, stride_w, pad_l, dilation_h, dilation_w, oh, ow, o_each;
};

/* 16 elements at a time, `stride_w` apart and so seen by neighbours of y, all taps in order. Lanes
 * that no valid output reaches at a tap add +0 to a sum that is never -0. The last vector overlaps
 * the one before. */
static inline void data_row(__global const float *y, long total, __global const float *weight,
                            const struct row *p, int phase, __global float *x)
{
    int count = (p->w - phase + p->stride_w - 1) / p->stride_w;
    for (int q = 0; q < count; q += 16) {
        int lane = q + 16 <= count || count < 16 ? q : count - 16;
        int column = phase + lane * p->stride_w;
        float16 sum = 0.0f;
        for (int u = 0, above = p->r; u < p->kh && above >= 0; u++, above -= p->dilation_h) {
            int i = above / p->stride_h;
            if (i * p->stride_h != above || i >= p->oh) continue;
            for (int v = 0, before = column + p->pad_l; v < p->kw; v++, before -= p->dilation_w) {
                int left = before / p->stride_w;
                long at = p->first + (long)i * p->ow + left;
                __global const float *tap = weight + u * p->kw + v;
                float16 s = 0.0f;
                if (left * p->stride_w != before || left >= p->ow || left <= -16) continue;
                for (int k = 0; k < p->o_each; k++, at += p->plane, tap += p->next)
                    s = FMA16((float16)*tap, see16(y, at, total, left, p->ow), s);
                s = no_minus_zero16(s);
                if (left < 0 || left + 16 > p->ow)
                    s = select((float16)0.0f, s, inside16(left, p->ow));
                sum = sum + s;
            }
        }
        if (p->stride_w == 1)
            store_strip(sum, x + lane, MIN(count - lane, 16));
        else
            store16_apart(sum, count - lane, p->stride_w, x + column);
    }
}

/* Work-item t makes rows of block t % blocks of plane t / blocks = (image, channel) of x. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
data_cpu(__global const float *y, ulong y_off, __global const float *weight, ulong weight_off,
         __global float *x, ulong x_off, long total, int c, int h, int w, int o, int kh, int kw,
         int stride_h, int stride_w, int pad_t, int pad_l, int dilation_h, int dilation_w, int oh,
         int ow, int c_each, int o_each, int rows, int blocks)
{
    long t = (long)get_global_id(0), p = t / blocks, image = p / c, plane = (long)oh * ow;
    int begin = (int)(t - p * blocks) * rows, stop = MIN(begin + rows, h);
    int channel = (int)(p - image * c), group = channel / c_each, taps = kh * kw;
    struct row row = {(image * o + (long)group * o_each) * plane,
                      plane,
                      (long)c_each * taps,
                      0,
                      w,
                      kh,
                      kw,
                      stride_h,
                      stride_w,
                      pad_l,
                      dilation_h,
                      dilation_w,
                      oh,
                      ow,
                      o_each};
    y += y_off;
    x += x_off + (p * h + begin) * w;
    weight += weight_off + ((ulong)group * o_each * c_each + channel - group * c_each) * taps;
    for (int r = begin; r < stop; r++, x += w) {
        row.r = r + pad_t;
        for (int phase = 0; phase < MIN(stride_w, w); phase++)
            data_row(y, total, weight, &row, phase, x);
    }
}

/* Work-item t makes element t % (h * w) of plane base + t / (h * w) of x. */
__kernel void data_gpu(__global const float *y, ulong y_off, __global const float *weight,
                       ulong weight_off, __global float *x, ulong x_off, ulong base, uint items,
                       int c, int h, int w, int o, int kh, int kw, int stride_h, int stride_w,
                       int pad_t, int pad_l, int dilation_h, int dilation_w, int oh, int ow,
                       int c_each, int o_each)
{
    uint t = (uint)get_global_id(0), size = (uint)h * (uint)w;
    if (t < items) {
        uint plane = t / size, e = t - plane * size;
        int row = (int)(e / (uint)w), column = (int)e - row * w, taps = kh * kw;
        ulong p = base + plane, image = p / (uint)c, pixels = (ulong)oh * ow;
        int channel = (int)(p - image * (uint)c), group = channel / c_each;
        float sum = 0.0f;
        y += y_off + (image * o + (ulong)group * o_each) * pixels;
        weight += weight_off + ((ulong)group * o_each * c_each + channel - group * c_each) * taps;
        for (int u = 0, above = row + pad_t; u < kh && above >= 0; u++, above -= dilation_h) {
            int i = above / stride_h;
            if (i * stride_h != above || i >= oh) continue;
            for (int v = 0, left = column + pad_l; v < kw && left >= 0; v++, left -= dilation_w) {
                int j = left / stride_w;
                if (j * stride_w != left || j >= ow) continue;
                __global const float *tap = weight + u * kw + v, *from = y + (long)i * ow + j;
                float s = 0.0f;
                for (int k = 0; k < o_each; k++, from += pixels, tap += c_each * taps)
                    s = FMA(*tap, *from, s);
                sum = sum + no_minus_zero(s);
            }
        }
        x[x_off + p * size + e] = sum;
    }
}

/* The gradient of the weights: one slab of at most 4096 k = (image, i, j) for a work-item or
 * -group. to[slab][output][channel of the group, tap]: with partial = 1 sums for gemm-slabs.cl,
 * else the gradient itself. */
#ifndef XCOLS
#define XCOLS 192 /* columns of x at a time */
#endif
#ifndef PIECE
#define PIECE 128 /* outputs at a time */
#endif
#ifndef TAPS
#define TAPS 50 /* most taps of a kernel */
#endif

/* to[i * 16 + lane] = from[at[lane] + i] where 0 <= left + i < size, else +0. */
static inline void bring16(__global const float *from, const long *at, long more, int left,
                           int size, int count, __local float *to)
{
    int begin = left < 0 ? -left : 0, end = size - left < count ? size - left : count;
    if (end < begin) end = begin = count;
    for (int i = 0; i < begin; i++) vstore16((float16)0.0f, i, to);
    for (int l = 0; l < 16; l++) {
        __global const float *line = from + (at[l] + more);
        for (int i = begin; i < end; i++) to[i * 16 + l] = line[i];
    }
    for (int i = end; i < count; i++) vstore16((float16)0.0f, i, to);
}

/* Work-item t: 16 output channels from t % sets * 16 on, channel t / sets % c_each of their groups,
 * slab t / sets / c_each. Lanes behind the last output repeat it and are dropped. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
weights_cpu(__global const float *x, ulong x_off, __global const float *y, ulong y_off,
            __global float *to, ulong to_off, long k_all, int c, int h, int w, int o, int kh,
            int kw, int stride_h, int stride_w, int pad_t, int pad_l, int dilation_h,
            int dilation_w, int oh, int ow, int c_each, int o_each, int first, int partial)
{
    __local float seen[XCOLS * 16] __attribute__((aligned(64)));
    __local float dy[PIECE * 16] __attribute__((aligned(64)));
    __local float acc[TAPS * 16] __attribute__((aligned(64)));
    __local float sum[TAPS * 16] __attribute__((aligned(64)));
    int sets = (o + 15) / 16, taps = kh * kw, spread = (kw - 1) * dilation_w + 1;
    long t = (long)get_global_id(0), line = t / sets, slab = line / c_each, pixels = (long)oh * ow;
    int from = (int)(t - line * sets) * 16, channel = (int)(line - slab * c_each);
    int most = MIN(PIECE, (XCOLS - spread) / stride_w + 1); /* outputs whose windows fit */
    long k0 = (first + slab) * SLAB, k_end = MIN(k0 + SLAB, k_all), at_x[16], at_y[16];
    for (int l = 0; l < 16; l++) {
        int output = MIN(from + l, o - 1);
        at_x[l] = ((long)(output / o_each) * c_each + channel) * h * w;
        at_y[l] = output * pixels;
    }
    x += x_off;
    y += y_off;
    for (int e = 0; e < taps; e++) vstore16((float16)0.0f, e, sum);
    for (long kb = k0; kb < k_end; kb += BLOCK) {
        long kb_end = MIN(kb + BLOCK, k_end);
        for (int e = 0; e < taps; e++) vstore16((float16)0.0f, e, acc);
        for (long k = kb, len; k < kb_end; k += len) {
            long image = k / pixels, pixel = k - image * pixels;
            int i = (int)(pixel / ow), j = (int)(pixel - (long)i * ow);
            len = MIN(MIN(kb_end - k, (long)(ow - j)), (long)most);
            bring16(y, at_y, image * o * pixels + pixel, 0, (int)len, (int)len, dy);
            for (int u = 0; u < kh; u++) {
                int r = i * stride_h + u * dilation_h - pad_t, left = j * stride_w - pad_l;
                int span = ((int)len - 1) * stride_w + spread;
                if (r < 0 || r >= h)
                    bring16(x, at_x, 0, left, 0, span, seen);
                else
                    bring16(x, at_x, (image * c * h + r) * w + left, left, w, span, seen);
                for (int v = 0; v < kw; v++) {
                    float16 s = vload16(u * kw + v, acc);
                    for (int e = 0; e < len; e++)
                        s = FMA16(vload16(e, dy), vload16(e * stride_w + v * dilation_w, seen), s);
                    vstore16(s, u * kw + v, acc);
                }
            }
        }
        for (int e = 0; e < taps; e++) vstore16(vload16(e, sum) + vload16(e, acc), e, sum);
    }
    to += to_off + ((slab * o + from) * c_each + channel) * taps;
    for (int l = 0; l < MIN(16, o - from); l++, to += (long)c_each * taps)
        for (int e = 0; e < taps; e++)
            to[e] = partial ? sum[e * 16 + l] : no_minus_zero(sum[e * 16 + l]);
}

/* Group (output, channel of the group, slab), x fastest: an item makes the sum of a block for a
 * tap, neighbours being taps of one block; `blocks` is room for 16 * taps floats. */
__kernel void weights_gpu(__global const float *x, ulong x_off, __global const float *y,
                          ulong y_off, __global float *to, ulong to_off, long k_all, int c, int h,
                          int w, int o, int kh, int kw, int stride_h, int stride_w, int pad_t,
                          int pad_l, int dilation_h, int dilation_w, int oh, int ow, int c_each,
                          int o_each, int first, int partial, __local float *blocks)
{
    int taps = kh * kw, id = (int)get_local_id(0), size = (int)get_local_size(0);
    long at = (long)get_group_id(0), line = at / o, slab = line / c_each, pixels = (long)oh * ow;
    int output = (int)(at - line * o), channel = (int)(line - slab * c_each);
    long k0 = (first + slab) * SLAB;
    int count = (int)(MIN(k0 + SLAB, k_all) - k0), full = (count + BLOCK - 1) / BLOCK;
    x += x_off + ((ulong)(output / o_each) * c_each + channel) * h * w;
    y += y_off + output * pixels;
    for (int e = id; e < full * taps; e += size) {
        int block = e / taps, tap = e - block * taps, u = tap / kw, v = tap - u * kw;
        long k = k0 + block * BLOCK, image = k / pixels, pixel = k - image * pixels;
        int i = (int)(pixel / ow), j = (int)(pixel - (long)i * ow);
        __global const float *plane = x + image * c * h * w, *dy = y + image * o * pixels + pixel;
        float s = 0.0f;
        for (int n = MIN(BLOCK, count - block * BLOCK); n > 0; n--, dy++) {
            int r = i * stride_h + u * dilation_h - pad_t,
                q = j * stride_w + v * dilation_w - pad_l;
            int inside = r >= 0 && r < h && q >= 0 && q < w;
            s = FMA(*dy, inside ? plane[(long)r * w + q] : 0.0f, s);
            if (++j < ow) continue;
            j = 0;
            if (++i < oh) continue;
            i = 0;
            plane += (long)c * h * w;
            dy += (long)(o - 1) * pixels;
        }
        blocks[e] = s;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    to += to_off + ((slab * o + output) * c_each + channel) * taps;
    for (int tap = id; tap < taps; tap += size) {
        float t = 0.0f;
        IN_ORDER
        for (int b = 0; b < full; b++) t = t + blocks[b * taps + tap];
        to[tap] = partial ? t : no_minus_zero(t);
    }
}
