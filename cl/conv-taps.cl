/* The gradient of the weights for few channels on CPU devices. The lanes of a vector are VW output
 * channels, so that every sum runs along k = (image, row, column) in order; a register tile holds
 * the sums of RR rows of taps, KW beside each other, and takes a pixel after the other. A row of
 * taps is (channel, ky). */
#include "lanes.h"

#ifndef KW
#define KW 5 /* columns of a kernel */
#endif
#ifndef RR
#define RR 5 /* rows of taps of the register tile */
#endif
#define BLOCK 256
#define SLAB 4096
#define LINE (BLOCK + 16) /* 17 cache lines apart, not 16: no 4 KiB aliasing */

#define ROWS1(X) X(0)
#define ROWS2(X) ROWS1(X) X(1)
#define ROWS3(X) ROWS2(X) X(2)
#define ROWS4(X) ROWS3(X) X(3)
#define ROWS5(X) ROWS4(X) X(4)
#define ROWS6(X) ROWS5(X) X(5)
#define ROWS7(X) ROWS6(X) X(6)
#define ROWS8(X) ROWS7(X) X(7)
#define ROWS9(X) ROWS8(X) X(8)
#define ROWS CAT(ROWS, RR)
#define TAPS1(X, r) X(r, 0)
#define TAPS2(X, r) TAPS1(X, r) X(r, 1)
#define TAPS3(X, r) TAPS2(X, r) X(r, 2)
#define TAPS4(X, r) TAPS3(X, r) X(r, 3)
#define TAPS5(X, r) TAPS4(X, r) X(r, 4)
#define TAPS6(X, r) TAPS5(X, r) X(r, 5)
#define TAPS7(X, r) TAPS6(X, r) X(r, 6)
#define TAPS CAT(TAPS, KW)

#define TAKE_(r, u) vec s##r##_##u = LOAD(acc + (r * KW + u) * VW);
#define TAKE(r)                                                                                    \
    int row##r = row[r];                                                                           \
    TAPS(TAKE_, r)
#define STEP_(r, u) s##r##_##u = fma(d, (vec)(x[row##r + u]), s##r##_##u);
#define STEP(r) TAPS(STEP_, r)
#define KEEP_(r, u) STORE(s##r##_##u, acc + (r * KW + u) * VW);
#define KEEP(r) TAPS(KEEP_, r)

/* acc[row][tap] += dy[pixel] x[at[pixel] + row[row] + tap] for `count` pixels. */
static APART void tile(__local const float *dy, int count, __local const float *seen,
                       __local const int *at, __local const int *row, __local float *acc)
{
    ROWS(TAKE)
    for (int p = 0; p < count; p++) {
        vec d = LOAD(dy + p * VW);
        __local const float *x = seen + at[p];
        ROWS(STEP)
    }
    ROWS(KEEP)
}

/* dy[pixel][channel] of pixels [pixel, pixel + count) of the planes from `from` on; channels behind
 * the last repeat it. The planes are copied first, one after the other: so memory is read as it
 * lies. */
static APART void bring(__global const float *from, int pixels, int last, int count,
                        __local float *lines, __local float *dy)
{
    for (int l = 0; l <= last; l++) copy(from + (long)l * pixels, count, lines + l * LINE);
    for (int e = 0; e < count; e += VW) turn_local(lines + e, LINE, last, dy + e * VW, VW);
}

/* Planes of h x w as planes of `size` floats, rows `wide` apart. */
static APART void place(__global const float *from, int channels, int h, int w, __local float *to,
                        int size, int wide)
{
    int flat = w == wide;
    for (int k = 0; k < channels; k++, to += size)
        if (flat)
            copy(from + (long)k * h * w, h * w, to);
        else
            for (int r = 0; r < h; r++) copy(from + ((long)k * h + r) * w, w, to + r * wide);
}

/* Work-item t: VW output channels from t % sets * VW on of a group; its channels from part * share
 * on; group; slab of 4096 k. to[slab][output][channel of the group, tap]: with partial = 1 sums for
 * gemm-slabs.cl, else the gradient itself. Planes of x lie in local memory with their padding, high
 * x wide floats. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
weights_lanes(__global const float *x, ulong x_off, __global const float *y, ulong y_off,
              __global float *to, ulong to_off, long k_all, int c, int h, int w, int o, int kh,
              int stride_h, int stride_w, int pad_t, int pad_l, int dilation_h, int oh, int ow,
              int c_each, int o_each, int high, int wide, int share, int first, int partial,
              __local float *room)
{
    int sets = (o_each + VW - 1) / VW, parts = (c_each + share - 1) / share, groups = c / c_each;
    long t = (long)get_global_id(0), line = t / sets, lines = line / parts, slab = lines / groups;
    int from = (int)(t - line * sets) * VW, channel = (int)(line - lines * parts) * share;
    int group = (int)(lines - slab * groups), last = MIN(VW, o_each - from) - 1;
    int channels = MIN(share, c_each - channel), rows = channels * kh, pixels = oh * ow;
    int most = (share * kh + RR - 1) / RR * RR, size = high * wide;
    long k0 = (first + slab) * SLAB, k_end = MIN(k0 + SLAB, k_all), held = -1;
    __local float *acc = room, *sum = acc + most * KW * VW, *dy = sum + most * KW * VW;
    __local float *copied = dy + BLOCK * VW, *seen = copied + LINE * VW;
    __local int *row = (__local int *)(seen + share * size), *at = row + most;
    x += x_off + ((long)group * c_each + channel) * h * w;
    y += y_off + ((long)group * o_each + from) * pixels;
    for (int r = 0; r < most; r++) {
        int q = MIN(r, rows - 1);
        row[r] = (q / kh * high + q % kh * dilation_h) * wide;
    }
    for (int e = 0; e < pixels; e++) at[e] = e / ow * stride_h * wide + e % ow * stride_w;
    for (int e = 0; e < LINE; e++) STORE((vec)0.0f, copied + e * VW);
    for (int e = 0; e < share * size; e++) seen[e] = 0.0f;
    for (int e = 0; e < most * KW; e++) STORE((vec)0.0f, sum + e * VW);
    for (long kb = k0; kb < k_end; kb += BLOCK) {
        long kb_end = MIN(kb + BLOCK, k_end);
        for (int e = 0; e < most * KW; e++) STORE((vec)0.0f, acc + e * VW);
        for (long k = kb, count; k < kb_end; k += count) {
            long image = k / pixels;
            int pixel = (int)(k - image * pixels);
            count = MIN(kb_end - k, (long)(pixels - pixel));
            if (image != held)
                place(x + image * c * h * w, channels, h, w, seen + pad_t * wide + pad_l, size,
                      wide);
            held = image;
            bring(y + image * o * pixels + pixel, pixels, last, (int)count, copied, dy);
            for (int r = 0; r < rows; r += RR)
                tile(dy, (int)count, seen, at + pixel, row + r, acc + r * KW * VW);
        }
        for (int e = 0; e < most * KW; e++)
            STORE(LOAD(sum + e * VW) + LOAD(acc + e * VW), sum + e * VW);
    }
    to += to_off + ((slab * o + group * o_each + from) * c_each + channel) * kh * KW;
    for (int l = 0; l <= last; l++, to += (long)c_each * kh * KW)
        for (int e = 0; e < rows * KW; e++)
            to[e] = partial ? sum[e * VW + l] : no_minus_zero(sum[e * VW + l]);
}
