/* The gradient of the weights of convolutions of many channels for CPU devices: dw[o][channel][tap]
 * = sum over k = (image, output pixel) of dy[image][o][pixel] and what the tap sees there.
 *
 * A work-item makes NR channels of all taps for some rows o over one slab of 4096 k, in blocks of
 * 256. It packs the part of the images that a block sees once for all taps, as [place][channel],
 * and the rows of dy as they are; each tap then has a list of the k at which it sees an element,
 * and of that element's place.
 *
 * Invariant: the k at which a tap sees padding are left out: s = fma(dy, +0, s) changes no bit that
 * reaches a result, unless dy is infinite or a NaN. Packing watches for those, and then these terms
 * are made after all. */
#include "exact.h"
#include "tile-cpu.h"

#define SLAB 4096
#define MAX(x, y) ((x) > (y) ? (x) : (y))

struct shape {
    int h, w, kh, kw, stride_h, stride_w, pad_t, pad_l, dilation_h, dilation_w, oh, ow;
};

/* What a block has of one image: output pixels [pixel, pixel + len), which see rows [top, top +
 * high) of it. */
struct piece {
    long image;
    int pixel, len, top, high;
};

static struct piece piece_at(const struct shape *s, long k, long k_end)
{
    int pixels = s->oh * s->ow;
    struct piece p = {k / pixels};
    p.pixel = (int)(k - p.image * pixels);
    p.len = (int)MIN((long)(pixels - p.pixel), k_end - k);
    int first = p.pixel / s->ow, last = (p.pixel + p.len - 1) / s->ow;
    p.top = MAX(0, first * s->stride_h - s->pad_t);
    p.high =
        MAX(0, MIN(s->h, last * s->stride_h - s->pad_t + (s->kh - 1) * s->dilation_h + 1) - p.top);
    return p;
}

/* Lists for each tap pairs (k, place * NR); its number of them is counts[tap]. `seen` is room for
 * row, column and place of what the first tap sees at each k. */
static void list_taps(const struct shape *s, long kb, int kc, __local int *seen,
                      __local int *counts, __local int *lists)
{
    for (int k = 0, place = 0; k < kc;) {
        struct piece p = piece_at(s, kb + k, kb + kc);
        int i = p.pixel / s->ow, j = p.pixel - i * s->ow;
        for (int end = k + p.len; k < end; k++) {
            int row = i * s->stride_h - s->pad_t, column = j * s->stride_w - s->pad_l;
            seen[k] = row;
            seen[BLOCK + k] = column;
            seen[2 * BLOCK + k] = place + (row - p.top) * s->w + column;
            if (++j == s->ow) j = 0, i++;
        }
        place += p.high * s->w;
    }
    for (int tap = 0; tap < s->kh * s->kw; tap++, lists += 2 * BLOCK) {
        int u = tap / s->kw, v = tap - u * s->kw, count = 0;
        int down = u * s->dilation_h, aside = v * s->dilation_w;
        for (int k = 0; k < kc; k++) {
            int row = seen[k] + down, column = seen[BLOCK + k] + aside;
            if (row < 0 || row >= s->h || column < 0 || column >= s->w) continue;
            lists[2 * count] = k;
            lists[2 * count++ + 1] = (seen[2 * BLOCK + k] + down * s->w + aside) * NR;
        }
        counts[tap] = count;
    }
}

/* `channels` of NR channels of one piece to places [0, high * w); vectors hang over behind the
 * last, where the next piece comes. x: the first channel of the first image; `left` floats lie
 * behind it. */
static void pack_piece(__global const float *x, long left, const struct shape *s,
                       const struct piece *p, int c_all, int channels, __local float *to)
{
    long plane = (long)s->h * s->w, at = p->image * c_all * plane + (long)p->top * s->w;
    int len = p->high * s->w;
    for (int v = 0; v < NR; v += VW, at += VW * plane) {
        int last = MIN(VW, channels - v) - 1, i = 0;
        if (last < 0) {
            for (; i < len; i++) STORE((vec)0.0f, to + i * NR + v);
            continue;
        }
        for (; i + VW / 2 < len && at + last * plane + i + VW <= left; i += VW)
            turn_global(x + at + i, plane, last, to + i * NR + v, NR);
        for (; i < len; i++)
            for (int c = 0; c < VW; c++) to[i * NR + v + c] = x[at + MIN(c, last) * plane + i];
    }
}

/* Rows of dy for a block, as [MR][A_ROW]; missing rows repeat the last. dy: the first of the rows
 * in the first image. Whether one of them is infinite or a NaN. */
static int pack_rows(__global const float *dy, const struct shape *s, long kb, int kc, int o_all,
                     int rows, __local float *to)
{
    int pixels = s->oh * s->ow, bad = 0;
    for (int k = 0; k < kc;) {
        struct piece p = piece_at(s, kb + k, kb + kc);
        __global const float *from = dy + p.image * o_all * pixels + p.pixel;
        for (int r = 0; r < MR; r++)
            bad |= copy_watched(from + (long)MIN(r, rows - 1) * pixels, p.len, to + r * A_ROW + k);
        k += p.len;
    }
    return bad;
}

#define ZERO_B_(i, v) b##v = (vec)0.0f;
#define DECLARE_B_(i, v) vec b##v;

/* One register tile over the `count` listed of kc: c = (add ? c : +0) + s. bad: the terms of the
 * others are made, too, from +0. */
static void tile_tap(__local const float *a, __local const float *b, __local const int *list,
                     int count, int kc, int bad, int add, __local float *c, int ldc)
{
    ROWS(DECLARE)
    for (int k = 0; k < count; k++) {
        __local const float *ap = a + list[2 * k], *bp = b + list[2 * k + 1];
        VECS(LOAD_B_, 0)
        ROWS(STEP_NA)
    }
    if (bad) {
        VECS(DECLARE_B_, 0)
        VECS(ZERO_B_, 0)
        for (int k = 0, listed = 0; k < kc; k++) {
            __local const float *ap = a + k;
            if (listed < count && list[2 * listed] == k) {
                listed++;
                continue;
            }
            ROWS(STEP_NA)
        }
    }
    if (add) {
        ROWS(ADD_C)
    }
    ROWS(STORE_C)
}

/* [taps][NR] sums of a row become `count` floats [channel][tap] of the result, with -0 made +0
 * unless they are partial. Vectors of taps that hang over are overwritten by the next channel's,
 * and those by the taps before. `line` is room for NR * taps + VW floats. */
static void write_row(__local const float *sums, int taps, int count, int partial,
                      __local float *line, __global float *to)
{
    for (int v = 0; v < NR; v += VW)
        for (int tap = (taps - 1) / VW * VW; tap >= 0; tap -= VW)
            turn_local(sums + tap * NR + v, NR, MIN(VW, taps - tap) - 1, line + v * taps + tap,
                       taps);
    int i = 0;
    for (; i + VW <= count; i += VW) {
        vec x = LOAD(line + i);
        STORE(partial ? x : finish(x, (vec)0.0f, (vec)0.0f, 0), to + i);
    }
    for (; i < count; i++) to[i] = partial ? line[i] : no_minus_zero(line[i]);
}

/* Group (x, y, z): channels x * NR.. and rows y * rows_tile.. of a group, z = slab * groups +
 * group; slabs from `first` on, their partial sums behind each other. x_left: floats of x. sums, b,
 * ints: room for [rows_tile][taps][NR], for the places of a block, and for the lists. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
conv_weights(__global const float *x, ulong x_at, __global const float *dy, ulong dy_at,
             __global float *dw, ulong dw_at, long k_all, long x_left, int groups, int c_each,
             int o_each, int h, int w, int kh, int kw, int stride_h, int stride_w, int pad_t,
             int pad_l, int dilation_h, int dilation_w, int oh, int ow, int rows_tile, int first,
             int partial, __local float *sums, __local float *b, __local int *ints)
{
    __local float a_panel[MR * A_ROW + VW] __attribute__((aligned(64)));
    const struct shape s = {h,     w,     kh,         kw,         stride_h, stride_w,
                            pad_t, pad_l, dilation_h, dilation_w, oh,       ow};
    int taps = kh * kw, pixels = oh * ow, ld = taps * NR, slab = (int)get_group_id(2) / groups;
    int group = (int)get_group_id(2) - slab * groups;
    int c0 = (int)get_group_id(0) * NR, channels = MIN(NR, c_each - c0);
    int i0 = (int)get_group_id(1) * rows_tile, rows = MIN(rows_tile, o_each - i0);
    __local int *counts = ints + 3 * BLOCK, *lists = counts + taps;
    long k0 = ((long)first + slab) * SLAB, k_end = MIN(k0 + SLAB, k_all), listed = -1;
    long in = ((long)group * c_each + c0) * h * w;
    x += x_at + in;
    x_left -= in;
    dy += dy_at + ((long)group * o_each + i0) * pixels;
    dw += dw_at + (((long)slab * groups + group) * o_each + i0) * c_each * taps + (long)c0 * taps;
    for (long kb = k0; kb < k_end; kb += BLOCK) {
        int kc = (int)MIN((long)BLOCK, k_end - kb);
        if (kc < BLOCK || kb % pixels != listed) list_taps(&s, kb, kc, ints, counts, lists);
        listed = kb % pixels;
        for (int k = 0, place = 0; k < kc;) {
            struct piece p = piece_at(&s, kb + k, kb + kc);
            pack_piece(x, x_left, &s, &p, groups * c_each, channels, b + place * NR);
            place += p.high * w;
            k += p.len;
        }
        for (int i = 0; i < rows; i += MR) {
            int bad = pack_rows(dy + (long)i * pixels, &s, kb, kc, groups * o_each,
                                MIN(MR, rows - i), a_panel);
            for (int tap = 0; tap < taps; tap++)
                tile_tap(a_panel, b, lists + 2 * BLOCK * tap, counts[tap], kc,
                         bad && counts[tap]<kc, kb> k0, sums + i * ld + tap * NR, ld);
        }
    }
    for (int i = 0; i < rows; i++)
        write_row(sums + i * ld, taps, channels * taps, partial, b, dw + (long)i * c_each * taps);
}
