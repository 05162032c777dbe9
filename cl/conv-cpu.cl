/* Convolutions of many channels for CPU devices: a product whose columns are (position, image) over
 * the whole batch, images beside each other.
 *
 * to_columns writes images as [channel][row][column][image]; conv_columns makes the result in the
 * same order; from_columns writes it back as images and ends the product there. What a tap sees at
 * positions beside each other is then one run of memory, so that b is packed in whole vectors, and
 * a tap that sees padding only at all positions of a macro-tile is left out of its sums:
 *
 * Invariant: s = fma(w, +0, s) changes no bit that reaches a result, unless w is infinite or a NaN:
 * a sum's zero may change its sign, and T = +0 + s drops that. Packing watches for such w, and
 * where there is one these terms are made after all. For data, whose padding takes no part, such a
 * w is kept from the columns that its tap does not reach.
 *
 * Forward a sum's groups are slabs of 4096 k = (channel, tap), each of blocks of 256; for data they
 * are the taps, each of blocks of 256 output channels: t = t + s over the blocks of a group, T = T
 * + t over the groups. T lies in the result; t beside it where a group but the first has several
 * blocks. */
#include "exact.h"
#include "tile-cpu.h"

#ifndef COLS_MAX
#define COLS_MAX 384 /* most columns of a macro-tile: BLOCK * COLS_MAX floats of local memory */
#endif

#define SLAB 4096
#define PANEL (BLOCK * NR + 16)
#define STRIP 64 /* elements of an image that to_columns and from_columns take at a time */
#define MAX(x, y) ((x) > (y) ? (x) : (y))

TURN(turn_across, __global, __global)

/* x as [element][image]: work-item t writes elements [t * STRIP, ..) of all `images`, which are
 * `size` elements long. `pad` floats follow each `plane` elements, which are then whole vectors. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
to_columns(__global const float *x, ulong x_at, __global float *to, ulong to_at, long images,
           long size, long plane, long pad)
{
    long begin = (long)get_global_id(0) * STRIP, end = MIN(begin + STRIP, size);
    x += x_at;
    to += to_at;
    for (long i = 0; i < images; i += VW)
        for (long e = begin; e < end; e += VW) {
            if (i + VW <= images && e + VW <= end) {
                turn_across(x + i * size + e, size, VW - 1, to + e * images + e / plane * pad + i,
                            images);
                continue;
            }
            for (long n = i; n < MIN(i + VW, images); n++)
                for (long at = e; at < MIN(e + VW, end); at++)
                    to[at * images + at / plane * pad + n] = x[n * size + at];
        }
}

/* The way back, with -0 made +0, bias and act. A plane of `from` has `ld` floats; the columns of
 * its rows lie there by what is left of them over `step`. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
from_columns(__global const float *from, ulong from_at, __global const float *bias, ulong bias_at,
             __global float *y, ulong y_at, long images, long size, int h, int w, long ld, int step,
             int has_bias, int act)
{
    __local float lines[VW * VW] __attribute__((aligned(64)));
    __local float turned[VW * VW] __attribute__((aligned(64)));
    __local float shift[STRIP + VW] __attribute__((aligned(64)));
    __local long at[STRIP + VW];
    long begin = (long)get_global_id(0) * STRIP, count = MIN((long)STRIP, size - begin);
    long plane = (long)h * w;
    for (int e = 0; e < STRIP + VW; e++) { /* elements behind the last repeat it */
        long element = begin + MIN((long)e, count - 1), channel = element / plane;
        int pixel = (int)(element - channel * plane), row = pixel / w, x = pixel - row * w;
        int left = x % step, place = left * (w / step) + MIN(left, w % step) + x / step;
        at[e] = channel * ld + ((long)row * w + place) * images;
        shift[e] = has_bias ? bias[bias_at + channel] : 0.0f;
    }
    from += from_at;
    y += y_at + begin;
    for (long i = 0; i < images; i += VW)
        for (int e = 0; e < count; e += VW) {
            int wide = (int)MIN((long)VW, images - i);
            for (int r = 0; r < VW; r++) {
                __global const float *row = from + at[e + r] + i;
                if (wide == VW)
                    STORE(LOAD(row), lines + r * VW);
                else
                    for (int n = 0; n < VW; n++) lines[r * VW + n] = row[MIN(n, wide - 1)];
            }
            turn_local(lines, VW, VW - 1, turned, VW);
            for (int n = 0; n < wide; n++) {
                __global float *to = y + (i + n) * size + e;
                int some = (int)MIN((long)VW, count - e);
                STORE(finish(LOAD(turned + n * VW), LOAD(shift + e), (vec)0.0f, act),
                      turned + n * VW);
                if (some == VW)
                    STORE(LOAD(turned + n * VW), to);
                else
                    for (int k = 0; k < some; k++) to[k] = turned[n * VW + k];
                if (act >= 2) activate(to, 0, 1, some, act);
            }
        }
}

/* The weights as data needs them: [group][tap][MR channels][output][MR], +0 behind the last
 * channel. Work-item (x, y): outputs [x * STRIP, ..) of the group, and y = group * panels + panel.
 */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
data_weights(__global const float *weight, ulong weight_at, __global float *to, ulong to_at,
             int panels, int taps, int c_each, int o_each)
{
    int group = (int)get_global_id(1) / panels, panel = (int)get_global_id(1) - group * panels;
    int first = (int)get_global_id(0) * STRIP, end = MIN(first + STRIP, o_each);
    int channels = MIN(MR, c_each - panel * MR);
    weight += weight_at + ((long)group * o_each * c_each + panel * MR) * taps;
    to += to_at + ((long)group * taps * panels + panel) * o_each * MR;
    for (int o = first; o < end; o++)
        for (int tap = 0; tap < taps; tap++) {
            __global const float *w = weight + (long)o * c_each * taps + tap;
            __global float *d = to + ((long)tap * panels * o_each + o) * MR;
            for (int r = 0; r < channels; r++) d[r] = w[r * taps];
            for (int r = channels; r < MR; r++) d[r] = 0.0f;
        }
}

/* What the columns of a macro-tile see. A target position of row r and column x = begin + step * p,
 * p = 0, 1, ..., sees source row and column as below; columns q = p * images + image. */
struct view {
    int data, images, h, w, kh, kw, stride_h, stride_w, pad_t, pad_l, dilation_h, dilation_w;
    int row, begin; /* of the target */
    int q0, q1;     /* columns of the macro-tile */
    int ld;         /* floats of a plane of the source */
};

/* The rows of b that are packed: k of the block, and for each the source of column 0 and the
 * columns that see an element of the source. */
struct list {
    __local int *k, *from, *lo, *hi;
};

/* The source row that tap row u sees, or -1. */
static int seen_row(const struct view *v, int u)
{
    int at = v->data ? v->row + v->pad_t - u * v->dilation_h
                     : v->row * v->stride_h + u * v->dilation_h - v->pad_t;
    int row = v->data ? at / v->stride_h : at;
    return at < 0 || row >= v->h || (v->data && row * v->stride_h != at) ? -1 : row;
}

/* The source column that tap column j sees from the first position, and the columns [*lo, *hi) of
 * the macro-tile that see one. */
static int seen_column(const struct view *v, int j, int *lo, int *hi)
{
    int at = v->data ? v->begin + v->pad_l - j * v->dilation_w : j * v->dilation_w - v->pad_l;
    int column = v->data ? at / v->stride_w : at, step = v->data ? 1 : v->stride_w;
    int first = column < 0 ? (-column + step - 1) / step : 0;
    int end = v->w > column ? (v->w - column - 1) / step + 1 : 0;
    if (v->data && column * v->stride_w != at) end = 0;
    *lo = (int)MIN((long)v->q1, MAX((long)v->q0, (long)first * v->images));
    *hi = (int)MIN((long)v->q1, MAX((long)v->q0, (long)end * v->images));
    return column;
}

/* Lists those of the kc rows of b from k0 on that see anything: k counts (channel, tap) forward,
 * channels for data. Returns their number. */
static int list_rows(const struct view *v, int tap, int k0, int kc, struct list list)
{
    int taps = v->kh * v->kw, count = 0;
    int channel = v->data ? k0 : k0 / taps, at = v->data ? tap : k0 - channel * taps;
    for (int k = 0; k < kc; k++) {
        int u = at / v->kw, lo, hi, row = seen_row(v, u);
        int column = seen_column(v, at - u * v->kw, &lo, &hi);
        if (row >= 0 && lo < hi) {
            list.k[count] = k;
            list.from[count] = channel * v->ld + (row * v->w + column) * v->images;
            list.lo[count] = lo;
            list.hi[count++] = hi;
        }
        if (v->data || ++at == taps) {
            channel++;
            at = v->data ? tap : 0;
        }
    }
    return count;
}

/* Columns [q, q + VW) of a row of b. shift: how much further than q these lie, or -1 where a vector
 * crosses positions that are not neighbours. */
static vec see(__global const float *x, int from, int q, int lo, int hi, int shift, int apart,
               int images, __local float *spare)
{
    if (q >= hi || q + VW <= lo) return (vec)0.0f;
    if (q >= lo && q + VW <= hi && shift >= 0) return LOAD(x + from + q + shift);
    for (int i = 0; i < VW; i++, q++)
        spare[i] = q >= lo && q < hi ? x[from + q + q / images * apart] : 0.0f;
    return LOAD(spare);
}

/* `count` listed rows of b into panels PANEL floats apart. */
static void pack_columns(__global const float *x, const struct view *v, struct list list, int count,
                         __local const int *shift, int apart, __local float *spare,
                         __local float *to)
{
    int whole = apart ? 0 : (v->q1 - v->q0) / NR * NR;
    for (int i = 0; i < count; i++, to += NR) {
        int from = list.from[i], lo = list.lo[i], hi = list.hi[i], q = v->q0;
        __local float *d = to;
        if (lo == v->q0 && hi == v->q1)
            for (; q < v->q0 + whole; q += NR, d += PANEL)
#pragma unroll
                for (int j = 0; j < NR; j += VW) STORE(LOAD(x + from + q + j), d + j);
        for (; q < v->q1; q += NR, d += PANEL)
            for (int j = 0; j < NR; j += VW)
                STORE(see(x, from, q + j, lo, hi, apart ? shift[(q + j - v->q0) / VW] : 0, apart,
                          v->images, spare),
                      d + j);
    }
}

/* Where a tile's sums go: *to = (add ? *to : +0) + ((t ? *t : +0) + s), rows `ld` apart. */
struct target {
    __global float *to;
    __global const float *t;
    long ld;
    int add;
};

/* The same for `rows` x `cols` sums in local memory, of which columns outside [lo, hi) are +0. */
static void settle(__local float *s, const struct target *target, int rows, int cols, int lo,
                   int hi)
{
    for (int i = 0; i < rows; i++, s += NR) {
        __global float *to = target->to + i * target->ld;
        for (int x = 0; x < cols; x++) {
            float v = x >= lo && x < hi ? s[x] : 0.0f;
            if (target->t) v = target->t[i * target->ld + x] + v;
            to[x] = target->add ? to[x] + v : v;
        }
    }
}

#define ADD_T_(i, v) c##i##_##v = LOAD(t + i * ldc + v * VW) + c##i##_##v;
#define ADD_T(i) VECS(ADD_T_, i)
#define ZERO_B_(i, v) b##v = (vec)0.0f;
#define DECLARE_B_(i, v) vec b##v;

/* One register tile over the `count` listed rows of a block of kc. b is the panel bp, or for data,
 * whose rows lie evenly there, the source itself: seen, where that is not 0. bad: the others' terms
 * are made, too, from +0. */
static void tile_columns(__local const float *a, int data, __local const float *bp,
                         __global const float *seen, struct list list, int count, int kc, int bad,
                         const struct target *target, int rows, int cols, int lo, int hi,
                         __local float *tile)
{
    __global float *c = target->to;
    __global const float *t = target->t;
    long ldc = target->ld;
    ROWS(DECLARE)
    if (seen) {
        __local const float *ap = a;
        for (int k = 0; k < count; k++, ap += MR) {
            __global const float *bp = seen + list.from[k];
            VECS(LOAD_B_, 0)
            ROWS(STEP_TA)
        }
    } else if (data) {
        __local const float *ap = a;
        for (int k = 0; k < count; k++, bp += NR, ap += MR) {
            VECS(LOAD_B_, 0)
            ROWS(STEP_TA)
        }
    } else {
        for (int k = 0; k < count; k++, bp += NR) {
            __local const float *ap = a + list.k[k];
            VECS(LOAD_B_, 0)
            ROWS(STEP_NA)
        }
        if (bad) {
            VECS(DECLARE_B_, 0)
            VECS(ZERO_B_, 0)
            for (int k = 0, listed = 0; k < kc; k++) {
                __local const float *ap = a + k;
                if (listed < count && list.k[listed] == k) {
                    listed++;
                    continue;
                }
                ROWS(STEP_NA)
            }
        }
    }
    if (rows == MR && cols == NR && lo == 0 && hi == NR) {
        if (t) {
            ROWS(ADD_T)
        }
        if (target->add) {
            ROWS(ADD_C)
        }
        ROWS(STORE_C)
        return;
    }
    ROWS(STORE_T)
    settle(tile, target, rows, cols, lo, hi);
}

/* Group (x, y, z): x = (row * classes + class) * pieces + piece of the columns, rows y *
 * rows_tile.. of the result, z a group of channels. A class is what is left of a column of the
 * target over `classes`: the stride for data, else 1. Pieces: each of the first and the last `edge`
 * positions is one for itself in `edge_pieces`, the others are cut into `inner_pieces`. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
conv_columns(__global const float *x, ulong x_at, __global const float *weight, ulong weight_at,
             __global float *y, ulong y_at, __global float *t, ulong t_at, int data, int images,
             int h, int w, int kh, int kw, int stride_h, int stride_w, int pad_t, int pad_l,
             int dilation_h, int dilation_w, int out_w, int c_each, int o_each, int source_ld,
             long ld, int rows_tile, int edge, int edge_pieces, int inner_pieces)
{
    __local float b_panels[(COLS_MAX / NR) * PANEL] __attribute__((aligned(64)));
    __local float a_panel[MR * A_ROW + VW] __attribute__((aligned(64)));
    __local float tile[MR * NR + VW] __attribute__((aligned(64)));
    __local int lists[4 * BLOCK], shift[COLS_MAX / VW];
    struct list list = {lists, lists + BLOCK, lists + 2 * BLOCK, lists + 3 * BLOCK};
    int classes = data ? stride_w : 1, pieces = 2 * edge * edge_pieces + inner_pieces;
    int piece = (int)get_group_id(0) % pieces, class = (int)get_group_id(0) / pieces % classes;
    int row = (int)get_group_id(0) / pieces / classes, group = (int)get_group_id(2);
    int positions = (out_w - class + classes - 1) / classes, taps = kh * kw;
    struct view v = {data,     images, h,     w,          kh,         kw,  stride_h,
                     stride_w, pad_t,  pad_l, dilation_h, dilation_w, row, class};
    int p = edge, wide = positions - 2 * edge, cuts = inner_pieces;
    if (piece < edge * edge_pieces || piece >= edge * edge_pieces + inner_pieces) {
        int last = piece >= edge * edge_pieces;
        int at = last ? piece - inner_pieces : piece;
        p = at / edge_pieces + (last ? positions - 2 * edge : 0);
        piece = at % edge_pieces;
        wide = 1;
        cuts = edge_pieces;
    } else {
        piece -= edge * edge_pieces;
    }
    int each = ((wide * images + NR - 1) / NR + cuts - 1) / cuts * NR;
    v.q0 = p * images + piece * each;
    v.q1 = MIN((p + wide) * images, v.q0 + each);
    if (v.q0 >= v.q1) return;
    int m = data ? c_each : o_each, i0 = (int)get_group_id(1) * rows_tile;
    int rows = MIN(rows_tile, m - i0), panels = (m + MR - 1) / MR;
    int apart = data ? 0 : (stride_w - 1) * images;
    for (int q = v.q0; apart && q < v.q1; q += VW)
        shift[(q - v.q0) / VW] = q / images == (q + VW - 1) / images ? q / images * apart : -1;
    v.ld = source_ld;
    x += x_at + (long)group * (data ? o_each : c_each) * source_ld;
    weight += weight_at + (data ? (long)group * taps * panels * o_each * MR
                                : (long)group * o_each * c_each * taps);
    int start = class * (out_w / classes) + MIN(class, out_w % classes);
    long target = ((long)group * m + i0) * ld + ((long)row * out_w + start) * images + v.q0;
    y += y_at + target;
    t += t_at + target;
    int k_all = data ? taps * o_each : c_each * taps, group_k = data ? o_each : SLAB, opened = 0;
    for (int k0 = 0; k0 < k_all; k0 += group_k) {
        int k_end = MIN(k0 + group_k, k_all), tap = data ? k0 / o_each : 0;
        for (int kb = k0; kb < k_end; kb += BLOCK) {
            int kc = MIN(BLOCK, k_end - kb), last = kb + kc == k_end;
            int count = list_rows(&v, tap, data ? kb - k0 : kb, kc, list);
            if (data && !count) break;
            int lo = v.q0, hi = v.q1;
            if (data) lo = list.lo[0], hi = list.hi[0];
            int direct = data && lo == v.q0 && hi == v.q1 && (hi - lo) % NR == 0;
            if (!direct) pack_columns(x, &v, list, count, shift, apart, tile, b_panels);
            int alone = kb == k0 && last; /* the only block of its group */
            struct target to = {y, 0, ld, opened || kb > k0};
            if (opened && !alone) {
                if (last)
                    to.t = t;
                else
                    to.to = t, to.add = kb > k0;
            }
            for (int i = 0; i < rows; i += MR) {
                int mr = MIN(MR, rows - i), bad = 0;
                if (data) {
                    bad = copy_watched(
                        weight + (((long)tap * panels + (i0 + i) / MR) * o_each + kb - k0) * MR,
                        kc * MR, a_panel);
                } else {
                    for (int r = 0; r < MR; r++)
                        bad |= copy_watched(weight + (long)(i0 + i + MIN(r, mr - 1)) * k_all + kb,
                                            kc, a_panel + r * A_ROW);
                }
                int masked = data && bad && (lo > v.q0 || hi < v.q1);
                for (int q = v.q0; q < v.q1; q += NR) {
                    struct target here = {to.to + i * ld + q - v.q0,
                                          to.t ? to.t + i * ld + q - v.q0 : 0, ld, to.add};
                    tile_columns(a_panel, data, b_panels + (q - v.q0) / NR * PANEL,
                                 direct ? x + q : 0, list, count, kc, bad && count < kc, &here, mr,
                                 MIN(NR, v.q1 - q), masked ? lo - q : 0,
                                 masked ? MIN(NR, hi - q) : NR, tile);
                }
            }
            opened |= last;
        }
    }
    for (int i = 0; !opened && i < rows; i++)
        for (int q = 0; q < v.q1 - v.q0; q++) y[i * ld + q] = 0.0f;
}
