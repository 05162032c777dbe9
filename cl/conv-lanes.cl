/* Convolutions with few channels on CPU devices. The lanes of a vector are images: VW of them lie
 * side by side as [channel][row][column][image], so that every tap and every output is a whole
 * vector whatever the kernel, and the multiplications take their operands straight from there.
 *
 * A work-item turns the rows that it needs of VW images in local memory, makes rows of all results
 * of a group of channels, and turns them back. Images behind the last one repeat it. */
#include "lanes.h"

#define BLOCK 256
#define UNIT 12 /* pixels at a time: a multiple of every tile's */
#define SPAN 48 /* pixels between two transpositions: a multiple of UNIT and of VW */

/* Register tiles of M channels x N pixels. TILES(left): the channels of the next one. */
#if VW == 16
#define TILES(F) F(8, 3) F(6, 4) F(4, 6)
#define HEIGHT(left) ((left) == 9 || (left) == 10 ? 6 : (left) > 6 ? 8 : (left) > 4 ? 6 : 4)
#else
#define TILES(F) F(6, 2) F(4, 3)
#define HEIGHT(left) ((left) == 7 || (left) == 8 ? 4 : (left) > 4 ? 6 : 4)
#endif

#define ROWS4(X, N) X(0, N) X(1, N) X(2, N) X(3, N)
#define ROWS6(X, N) ROWS4(X, N) X(4, N) X(5, N)
#define ROWS8(X, N) ROWS6(X, N) X(6, N) X(7, N)
#define VECS2(X, i) X(i, 0) X(i, 1)
#define VECS3(X, i) VECS2(X, i) X(i, 2)
#define VECS4(X, i) VECS3(X, i) X(i, 3)
#define VECS6(X, i) VECS4(X, i) X(i, 4) X(i, 5)

#define DECLARE_(i, v) vec c##i##_##v = 0.0f;
#define DECLARE(i, N) VECS##N(DECLARE_, i)
#define STEP_(i, v) c##i##_##v = fma(a, b##v, c##i##_##v);
#define STEP(i, N)                                                                                 \
    {                                                                                              \
        vec a = (vec)(weight[i]);                                                                  \
        VECS##N(STEP_, i)                                                                          \
    }

TURN(turn_away, __local, __global)

/* to[pixel][lane]: `count` <= VW neighbours of VW images, `image` floats apart. */
static APART void turn_in(__global const float *from, long image, int last, int count,
                          __local float *to)
{
    if (count == VW) {
        turn_global(from, image, last, to, VW);
        return;
    }
    for (int l = 0; l < VW; l++)
        for (int p = 0; p < count; p++) to[p * VW + l] = from[MIN(l, last) * image + p];
}

/* The inverse; images behind the last are dropped. `spare`: VW * VW floats. */
static APART void turn_out(__local const float *from, __global float *to, long image, int last,
                           int count, __local float *spare)
{
    if (count == VW && last == VW - 1) {
        turn_away(from, VW, last, to, image);
    } else if (count == VW) {
        turn_local(from, VW, VW - 1, spare, VW);
        for (int l = 0; l <= last; l++) STORE(LOAD(spare + l * VW), to + l * image);
    } else {
        for (int l = 0; l <= last; l++)
            for (int p = 0; p < count; p++) to[l * image + p] = from[p * VW + l];
    }
}

/* Rows [begin, end) of planes of w columns become rows of `wide` vectors from column `left` on. */
static inline void bring(__global const float *from, long image, int last, int begin, int end,
                         int w, __local float *to, int wide, int left, __local float *spare)
{
    int first = begin * w, stop = end * w;
    for (int e = first; e < stop; e += VW) {
        int at = e + VW <= stop || stop - first < VW ? e : stop - VW, count = MIN(VW, stop - at);
        int row = at / w, column = at - row * w;
        if (w == wide) {
            turn_in(from + at, image, last, count, to + (at - first) * VW);
            continue;
        }
        turn_in(from + at, image, last, count, spare);
        for (int p = 0; p < count; p++) {
            STORE(LOAD(spare + p * VW), to + ((row - begin) * wide + left + column) * VW);
            if (++column < w) continue;
            column = 0;
            row++;
        }
    }
}

/* The inverse: `count` elements in rows of w, from rows of `wide` vectors. */
static inline void send(__local const float *from, int wide, int w, int count, __global float *to,
                        long image, int last, __local float *spare)
{
    for (int e = 0, column = 0; e < count; e += VW) {
        int some = MIN(VW, count - e);
        if (w == wide) {
            turn_out(from + e * VW, to + e, image, last, some, spare);
            continue;
        }
        for (int p = 0; p < some; p++, from += VW) {
            STORE(LOAD(from), spare + p * VW);
            if (++column < w) continue;
            column = 0;
            from += (wide - w) * VW;
        }
        turn_out(spare, to + e, image, last, some, spare + VW * VW);
    }
}

/* The end of a product. A bias that is never -0 makes -0 of the sum +0 by being added. */
static inline vec ended(vec x, float bias, int act)
{
    x = x + (vec)bias;
    return act == 1 ? select(x, (vec)0.0f, x < (vec)0.0f) : x;
}

/* One tile: what the pixels at[0..N-1] of `seen` give, a block of 256 k after the other; k sees
 * step[k] floats further. to[channel][pixel], `pitch` pixels a channel. */
#define POINT_(i, v) __local const float *x##v = seen + at[v];
#define SEE_(i, v) vec b##v = LOAD(x##v + step[k]);
#define ADD_(i, v) c##i##_##v = LOAD(to + (i * pitch + v) * VW) + c##i##_##v;
#define ADD(i, N) VECS##N(ADD_, i)
#define END_(i, v) c##i##_##v = ended(c##i##_##v, bias[i], act);
#define END(i, N) VECS##N(END_, i)
#define KEEP_(i, v) STORE(c##i##_##v, to + (i * pitch + v) * VW);
#define KEEP(i, N) VECS##N(KEEP_, i)
#define FORWARD(M, N)                                                                              \
    static APART void forward##M(__local const float *seen, __local const int *at,                 \
                                 __local const int *step, int k_all, __local const float *weight,  \
                                 __local const float *bias, int act, int pitch, __local float *to) \
    {                                                                                              \
        VECS##N(POINT_, 0) for (int k = 0; k < k_all;)                                             \
        {                                                                                          \
            int begin = k, end = MIN(k + BLOCK, k_all);                                            \
            ROWS##M(DECLARE, N) for (; k < end; k++, weight += M)                                  \
            {                                                                                      \
                VECS##N(SEE_, 0) ROWS##M(STEP, N)                                                  \
            }                                                                                      \
            if (begin) {                                                                           \
                ROWS##M(ADD, N)                                                                    \
            }                                                                                      \
            if (end == k_all) {                                                                    \
                ROWS##M(END, N)                                                                    \
            }                                                                                      \
            ROWS##M(KEEP, N)                                                                       \
        }                                                                                          \
    }
TILES(FORWARD)

/* weight[channel][k], `next` floats from one channel to the next and `each` from one k to the next,
 * as [k][channel of the tile] for each tile; channels behind the last repeat it. */
static inline void pack(__global const float *weight, long next, long each, int channels, int k_all,
                        __local float *to)
{
    for (int i = 0, height; i < channels; i += height) {
        height = HEIGHT(channels - i);
        for (int r = 0; r < height; r++, to++)
            for (int k = 0; k < k_all; k++)
                to[k * height] = weight[MIN(i + r, channels - 1) * next + k * each];
        to += (k_all - 1) * height;
    }
}

/* The biases of a group's channels, as `ended` takes them; those behind the last repeat it. */
static inline void bring_bias(__global const float *bias, int has_bias, int channels,
                              __local float *shift)
{
    for (int i = 0; i < channels + 4; i++)
        shift[i] = has_bias ? no_minus_zero(bias[MIN(i, channels - 1)]) : 0.0f;
}

/* How far from a pixel's first tap each k = (channel, row, column) sees. */
static inline void list_taps(int channels, int kh, int kw, int high, int wide, int dilation_h,
                             int dilation_w, __local int *step)
{
    for (int k = 0, e = 0; k < channels; k++)
        for (int u = 0; u < kh; u++)
            for (int v = 0; v < kw; v++, e++)
                step[e] = ((k * high + u * dilation_h) * wide + v * dilation_w) * VW;
}

/* The first taps of `pixels` neighbours in rows of ow; those behind the last repeat it. */
static inline void list_pixels(int pixels, int ow, int stride_h, int stride_w, int wide,
                               __local int *at)
{
    for (int e = 0, i = 0, j = 0; e < pixels + UNIT; e++) {
        at[e] = (i * stride_h * wide + j * stride_w) * VW;
        if (++j == ow && e < pixels - 1) j = 0, i++;
        if (e >= pixels - 1) j--;
    }
}

/* Work-item t makes output rows of block t % blocks of group t / blocks % groups of VW images from
 * t / blocks / groups * VW on. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
conv_lanes(__global const float *x, ulong x_off, __global const float *weight, ulong weight_off,
           __global const float *bias, ulong bias_off, __global float *y, ulong y_off, long n,
           int c, int h, int w, int o, int kh, int kw, int stride_h, int stride_w, int pad_t,
           int pad_l, int dilation_h, int dilation_w, int oh, int ow, int c_each, int o_each,
           int wide, int has_bias, int act, int rows, int blocks, __local float *room)
{
    long t = (long)get_global_id(0), line = t / blocks, set = line / (c / c_each);
    int group = (int)(line - set * (c / c_each)), i0 = (int)(t - line * blocks) * rows;
    int pixels = (MIN(i0 + rows, oh) - i0) * ow, last = (int)MIN((long)VW, n - set * VW) - 1;
    int k_all = c_each * kh * kw, high = (rows - 1) * stride_h + (kh - 1) * dilation_h + 1;
    int top = i0 * stride_h - pad_t, begin = top < 0 ? 0 : top, end = MIN(top + high, h);
    __local float *out = room + c_each * high * wide * VW, *spare = out + (o_each + 4) * SPAN * VW;
    __local float *panel = spare + VW * VW, *shift = panel + (o_each + 4) * k_all;
    __local int *step = (__local int *)(shift + o_each + 4), *at = step + k_all;
    x += x_off + (set * VW * c + (long)group * c_each) * h * w;
    y += y_off + (set * VW * o + (long)group * o_each) * oh * ow + i0 * ow;
    for (int e = 0; e < c_each * high * wide; e++) STORE((vec)0.0f, room + e * VW);
    for (int k = 0; k < c_each && begin < end; k++)
        bring(x + (long)k * h * w, (long)c * h * w, last, begin, end, w,
              room + ((k * high + begin - top) * wide) * VW, wide, pad_l, spare);
    pack(weight + weight_off + (long)group * o_each * k_all, k_all, 1, o_each, k_all, panel);
    bring_bias(bias + bias_off + group * o_each, has_bias, o_each, shift);
    list_taps(c_each, kh, kw, high, wide, dilation_h, dilation_w, step);
    list_pixels(pixels, ow, stride_h, stride_w, wide, at);
    for (int p = 0; p < pixels; p += SPAN) {
        int count = MIN(SPAN, pixels - p);
        for (int q = 0; q < count; q += UNIT)
            for (int i = 0, height; i < o_each; i += height) {
                height = HEIGHT(o_each - i);
#define RUN(M, N)                                                                                  \
    if (height == M)                                                                               \
        for (int r = q; r < MIN(q + UNIT, count); r += N)                                          \
            forward##M(room, at + p + r, step, k_all, panel + i * k_all, shift + i, act, SPAN,     \
                       out + (i * SPAN + r) * VW);
                TILES(RUN)
#undef RUN
            }
        for (int i = 0; i < o_each; i++) {
            __local float *done = out + i * SPAN * VW;
            for (int e = 0; act >= 2 && e < count * VW; e++)
                done[e] = act == 2 ? exact_tanh(done[e]) : exact_sigmoid(done[e]);
            for (int q = 0; q < count; q += VW)
                turn_out(done + q * VW, y + (long)i * oh * ow + p + q, (long)o * oh * ow, last,
                         MIN(VW, count - q), spare);
        }
    }
}

/* Max pool of a row of windows over rows [row, row + rows) of `made`, ow vectors a row: values to
 * best[window], positions in the plane to won. As pool in pool.cl. */
static inline void pool_row(__local const float *made, int row, int rows, int ow, int kw,
                            int stride, int pad, int windows, int act, __local float *best,
                            __local float *won)
{
    for (int j = 0; j < windows; j++, best += VW, won += VW) {
        int left = j * stride - pad, j0 = left < 0 ? 0 : left, j1 = MIN(left + kw, ow);
        vec most = LOAD(made + j0 * VW);
        ivec where = (ivec)(row * ow + j0);
        for (int u = 0; u < rows; u++)
            for (int v = j0; v < j1; v++) {
                vec x = LOAD(made + (u * ow + v) * VW);
                ivec take = (x > most) | (x != x);
                most = select(most, x, take);
                where = select(where, (ivec)((row + u) * ow + v), take);
            }
        if (act) where = where | (most <= (vec)0.0f);
        STORE(most, best);
        STORE(AS_VEC(where), won);
    }
}

/* Pooled rows of block t % blocks, of the groups and images of conv_lanes: for one pooled row after
 * the other the rows of the convolution under it, a tile of channels at a time, are made and
 * pooled. No row is under two of them (pool_stride_h >= pool_kh). What is pooled waits until it is
 * VW pixels. index: of integers, whose bits go the ways of floats. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
conv_pool_lanes(__global const float *x, ulong x_off, __global const float *weight,
                ulong weight_off, __global const float *bias, ulong bias_off, __global float *y,
                ulong y_off, __global float *index, ulong index_off, long n, int c, int h, int w,
                int o, int kh, int kw, int stride_h, int stride_w, int pad_t, int pad_l,
                int dilation_h, int dilation_w, int oh, int ow, int c_each, int o_each, int wide,
                int has_bias, int act, int rows, int blocks, int pool_kh, int pool_kw,
                int pool_stride_h, int pool_stride_w, int pool_pad_t, int pool_pad_l, int pool_oh,
                int pool_ow, __local float *room)
{
    long t = (long)get_global_id(0), line = t / blocks, set = line / (c / c_each);
    int group = (int)(line - set * (c / c_each)), q0 = (int)(t - line * blocks) * rows;
    int q1 = MIN(q0 + rows, pool_oh), last = (int)MIN((long)VW, n - set * VW) - 1;
    int k_all = c_each * kh * kw, plane = pool_oh * pool_ow,
        first = q0 * pool_stride_h - pool_pad_t;
    int high = ((rows - 1) * pool_stride_h + pool_kh - 1) * stride_h + (kh - 1) * dilation_h + 1;
    int strip = (pool_kh * ow + UNIT - 1) / UNIT * UNIT, wait = VW + pool_ow;
    __local float *out = room + c_each * high * wide * VW, *spare = out + 8 * strip * VW;
    __local float *best = spare + VW * VW, *won = best + o_each * wait * VW;
    __local float *panel = won + o_each * wait * VW, *shift = panel + (o_each + 4) * k_all;
    __local int *step = (__local int *)(shift + o_each + 4), *at = step + k_all;
    if (first < 0) first = 0;
    int top = first * stride_h - pad_t, begin = top < 0 ? 0 : top, end = MIN(top + high, h);
    long image = (long)o * plane, to = (set * VW * o + (long)group * o_each) * plane + q0 * pool_ow;
    x += x_off + (set * VW * c + (long)group * c_each) * h * w;
    y += y_off + to;
    index += index_off + to;
    for (int e = 0; e < c_each * high * wide; e++) STORE((vec)0.0f, room + e * VW);
    for (int k = 0; k < c_each && begin < end; k++)
        bring(x + (long)k * h * w, (long)c * h * w, last, begin, end, w,
              room + ((k * high + begin - top) * wide) * VW, wide, pad_l, spare);
    pack(weight + weight_off + (long)group * o_each * k_all, k_all, 1, o_each, k_all, panel);
    bring_bias(bias + bias_off + group * o_each, has_bias, o_each, shift);
    list_taps(c_each, kh, kw, high, wide, dilation_h, dilation_w, step);
    for (int q = q0, have = 0, listed = 0; q < q1; q++) {
        int r0 = q * pool_stride_h - pool_pad_t, r1 = MIN(r0 + pool_kh, oh);
        if (r0 < 0) r0 = 0;
        int count = (r1 - r0) * ow;
        __local const float *seen = room + (r0 - first) * stride_h * wide * VW;
        if (count != listed) list_pixels(count, ow, stride_h, stride_w, wide, at);
        listed = count;
        for (int i = 0, height; i < o_each; i += height) {
            height = HEIGHT(o_each - i);
#define RUN(M, N)                                                                                  \
    if (height == M)                                                                               \
        for (int r = 0; r < count; r += N)                                                         \
            forward##M(seen, at + r, step, k_all, panel + i * k_all, shift + i, act, strip,        \
                       out + r * VW);
            TILES(RUN)
#undef RUN
            for (int k = 0; k < MIN(height, o_each - i); k++)
                pool_row(out + k * strip * VW, r0, r1 - r0, ow, pool_kw, pool_stride_w, pool_pad_l,
                         pool_ow, act, best + ((i + k) * wait + have) * VW,
                         won + ((i + k) * wait + have) * VW);
        }
        have += pool_ow;
        int gone = q + 1 < q1 ? have / VW * VW : have;
        for (int i = 0; i < o_each; i++) {
            __local float *a = best + i * wait * VW, *b = won + i * wait * VW;
            for (int e = 0; e < gone; e += VW) {
                turn_out(a + e * VW, y + (long)i * plane + e, image, last, MIN(VW, gone - e),
                         spare);
                turn_out(b + e * VW, index + (long)i * plane + e, image, last, MIN(VW, gone - e),
                         spare);
            }
            for (int e = gone; e < have; e++) {
                STORE(LOAD(a + e * VW), a + (e - gone) * VW);
                STORE(LOAD(b + e * VW), b + (e - gone) * VW);
            }
        }
        y += gone;
        index += gone;
        have -= gone;
    }
}

/* One tile of one tap: dots over `outputs` of the pixels dy[0..N-1], of which `count` are added to
 * to[channel][more + at[pixel]]. A dot may be -0, a total never is, so that adding it is adding +0.
 */
#define DY_(i, v) vec b##v = LOAD(dy + v * VW);
#define TOTAL_(i, v)                                                                               \
    if (v < count)                                                                                 \
        STORE(LOAD(to + (i * plane + more + at[v])) + c##i##_##v, to + (i * plane + more + at[v]));
#define TOTAL(i, N) VECS##N(TOTAL_, i)
#define DATA(M, N)                                                                                 \
    static APART void data##M(__local const float *dy, int pitch, int outputs,                     \
                              __local const float *weight, __local const int *at, int more,        \
                              int plane, int count, __local float *to)                             \
    {                                                                                              \
        ROWS##M(DECLARE, N) for (int k = 0; k < outputs; k++, dy += pitch, weight += M){           \
            VECS##N(DY_, 0) ROWS##M(STEP, N)} ROWS##M(TOTAL, N)                                    \
    }
TILES(DATA)

/* The first output row whose tap at `down` lies in row `row` of x or behind it. */
static inline int from_row(int row, int down, int stride)
{
    int rows = row - down;
    return rows > 0 ? (rows + stride - 1) / stride : 0;
}

/* Work-item t makes rows of block t % blocks of x, of group t / blocks % groups of VW images from t
 * / blocks / groups * VW on. For each tile of channels all totals lie in local memory with the
 * padding around them, whose sums are dropped. `strip` output rows at a time, the last ones first,
 * give all their taps: so each total gets its taps in order. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
data_lanes(__global const float *y, ulong y_off, __global const float *weight, ulong weight_off,
           __global float *x, ulong x_off, long n, int c, int h, int w, int o, int kh, int kw,
           int stride_h, int stride_w, int pad_t, int pad_l, int dilation_h, int dilation_w, int oh,
           int ow, int c_each, int o_each, int wide, int rows, int blocks, int strip,
           __local float *room)
{
    long t = (long)get_global_id(0), line = t / blocks, set = line / (c / c_each);
    int group = (int)(line - set * (c / c_each)), r0 = (int)(t - line * blocks) * rows;
    int r1 = MIN(r0 + rows, h), last = (int)MIN((long)VW, n - set * VW) - 1, taps = kh * kw;
    int low = MIN(from_row(r0, (kh - 1) * dilation_h - pad_t, stride_h), oh);
    int top = MIN(from_row(r1, -pad_t, stride_h), oh), plane = rows * wide * VW;
    int pixels = (MIN((rows + (kh - 1) * dilation_h - 1) / stride_h + 1, oh) * ow + UNIT) * VW;
    __local float *total = room + o_each * pixels, *spare = total + 8 * plane;
    __local float *panel = spare + 2 * VW * VW;
    __local int *at = (__local int *)(panel + (c_each + 4) * o_each * taps);
    y += y_off + (set * VW * o + (long)group * o_each) * oh * ow;
    x += x_off + (set * VW * c + (long)group * c_each) * h * w + r0 * w;
    weight += weight_off + (long)group * o_each * c_each * taps;
    for (int k = 0; k < o_each; k++)
        bring(y + (long)k * oh * ow, (long)o * oh * ow, last, low, top, ow, room + k * pixels, ow,
              0, spare);
    for (int e = 0; e < taps; e++)
        pack(weight + e, taps, c_each * taps, c_each, o_each, panel + e * (c_each + 4) * o_each);
    for (int i = low, e = 0; i < top; i++)
        for (int j = 0; j < ow; j++, e++)
            at[e] = ((i * stride_h - pad_t - r0) * wide + j * stride_w) * VW;
    for (int i = 0, height; i < c_each; i += height) {
        height = HEIGHT(c_each - i);
        for (int e = 0; e < height * rows * wide; e++) STORE((vec)0.0f, total + e * VW);
        for (int stop = top, begin; stop > low; stop = begin) {
            begin = stop - low > strip ? stop - strip : low;
            for (int e = 0; e < taps; e++) {
                int down = e / kw * dilation_h, aside = e % kw * dilation_w;
                int first = from_row(r0, down - pad_t, stride_h),
                    end = from_row(r1, down - pad_t, stride_h);
                first = (first > begin ? first - low : begin - low) * ow;
                end = (MIN(end, stop) - low) * ow;
#define RUN(M, N)                                                                                  \
    if (height == M)                                                                               \
        for (int p = first; p < end; p += N)                                                       \
            data##M(room + p * VW, pixels, o_each, panel + (e * (c_each + 4) + i) * o_each,        \
                    at + p, (down * wide + aside) * VW, plane, end - p, total);
                TILES(RUN)
#undef RUN
            }
        }
        for (int k = 0; k < MIN(height, c_each - i); k++)
            send(total + k * plane + pad_l * VW, wide, w, (r1 - r0) * w, x + (long)(i + k) * h * w,
                 (long)c * h * w, last, spare);
    }
}
