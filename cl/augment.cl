/* Moving images at random: cuts, shifts, mirrorings and turns; the formulas are in
 * docs/ARITHMETIC.md.
 *
 * "copy" where nothing turns: bits move. "turn": four pixels and three fma each. "cpu": a work-item
 * makes a block of rows of an image, in vectors. "gpu": a work-item makes one pixel of all
 * channels; each draws its image's four words itself. */
#include "exact.h"
#include "philox.h"

#define MOVE_PARAMS                                                                                \
    ulong seed, uint stream, uint step, ulong first, int random, int flip, int shift_h,            \
        int shift_w, uint turn
#define MOVE(image)                                                                                \
    const uint4 words = philox_block(seed, stream, step, first + (image));                         \
    const int top =                                                                                \
        random ? (int)mul_hi(words.x, (uint)(h - oh + 2 * shift_h + 1)) - shift_h : (h - oh) / 2;  \
    const int left =                                                                               \
        random ? (int)mul_hi(words.y, (uint)(w - ow + 2 * shift_w + 1)) - shift_w : (w - ow) / 2;  \
    const int mirrored = random && flip && words.z >> 31
/* floor(word (2 turn + 1) / 2^32) - turn */
#define ANGLE ((uint)(((ulong)words.w * (((ulong)turn << 1) + 1ul)) >> 32) - turn)

/* Work-item t makes `rows` rows, from block t % blocks, of image t / blocks. */
__kernel void augment_copy_cpu(__global const uint *x, ulong x_off, __global uint *y, ulong y_off,
                               MOVE_PARAMS, int c, int h, int w, int oh, int ow, uint fill,
                               int rows, int blocks)
{
    long t = (long)get_global_id(0), image = t / blocks;
    int begin = (int)(t - image * blocks) * rows, stop = begin + rows < oh ? begin + rows : oh;
    MOVE(image);
    /* columns of the cut that lie in the image */
    int q0 = mirrored ? left + ow - w : -left, q1 = mirrored ? left + ow : w - left;
    q0 = q0 < 0 ? 0 : q0 < ow ? q0 : ow;
    q1 = q1 < q0 ? q0 : q1 < ow ? q1 : ow;
    for (int channel = 0; channel < c; channel++) {
        ulong plane = (ulong)image * c + channel;
        for (int r = begin; r < stop; r++) {
            int row = top + r, inside = row >= 0 && row < h;
            int from = inside ? q0 : ow, to = inside ? q1 : ow, q = from;
            __global const uint *source = x + x_off + (plane * h + (inside ? row : 0)) * w;
            __global uint *target = y + y_off + (plane * oh + r) * ow;
            for (int i = 0; i < from; i++) target[i] = fill;
            if (mirrored) {
                for (; q < to; q++) target[q] = source[left + ow - 1 - q];
            } else {
                for (; q + 8 <= to; q += 8) vstore8(vload8(0, source + left + q), 0, target + q);
                for (; q < to; q++) target[q] = source[left + q];
            }
            for (int i = to; i < ow; i++) target[i] = fill;
        }
    }
}

/* Work-item t makes pixel t % (oh * ow) of image base + t / (oh * ow). */
__kernel void augment_copy_gpu(__global const uint *x, ulong x_off, __global uint *y, ulong y_off,
                               MOVE_PARAMS, int c, int h, int w, int oh, int ow, uint fill,
                               ulong base, uint items)
{
    uint t = (uint)get_global_id(0), size = (uint)oh * (uint)ow;
    if (t < items) {
        uint i = t / size, s = t - i * size;
        int r = (int)(s / (uint)ow), q = (int)s - r * ow;
        ulong image = base + i;
        MOVE(image);
        int row = top + r, column = left + (mirrored ? ow - 1 - q : q);
        int inside = row >= 0 && row < h && column >= 0 && column < w;
        ulong area = (ulong)h * w, from = x_off + image * c * area,
              to = y_off + image * c * size + s;
        from += inside ? (ulong)row * w + column : 0ul;
        for (int channel = 0; channel < c; channel++, from += area, to += size)
            y[to] = inside ? x[from] : fill;
    }
}

/* Sine and cosine of 2 pi (word >> 8) / 2^24. */
static inline float2 turn_sincos(uint word)
{
    uint u = word & 0xffffff00u, q = (u + 0x20000000u) >> 30;
    int d = (int)(u - (q << 30));
    float t = (float)d * 4.65661287e-10f, z = t * t; /* 2^-31 */
    float p = FMA(-5.8910525e-1f, z, 2.5497704f);
    p = FMA(p, z, -5.167708f);
    float s = FMA(p * z, t, FMA(t, 3.1415927f, t * -9.662445e-8f));
    float k = FMA(2.268513e-1f, z, -1.3345598f);
    k = FMA(k, z, 4.0586925f);
    k = FMA(k, z, -4.934802f);
    k = FMA(k, z, 1.0f);
    float sine = q & 1u ? k : s, cosine = q & 1u ? s : k;
    return (float2)(q & 2u ? -sine : sine, (q + 1u) & 2u ? -cosine : cosine);
}

/* Where pixel (r, column) of the cut comes from: row i and column j of the image, both of the upper
 * left pixel, and how far down and right from there. half: 0 for an odd side, else 1/2. */
#define PLACE(r, column, i, j, down, right)                                                        \
    do {                                                                                           \
        float Y = (float)(2 * (r) - (oh - 1)) * 0.5f, X = (float)(2 * (column) - (ow - 1)) * 0.5f; \
        float v = FMA(cosine, Y, -(sine * X)) + half_h, u = FMA(cosine, X, sine * Y) + half_w;     \
        int below = (int)v, beside = (int)u;                                                       \
        below -= (float)below > v ? 1 : 0;                                                         \
        beside -= (float)beside > u ? 1 : 0;                                                       \
        i = top + (oh - 1) / 2 + below;                                                            \
        j = left + (ow - 1) / 2 + beside;                                                          \
        down = v - (float)below;                                                                   \
        right = u - (float)beside;                                                                 \
    } while (0)

/* The pixel, or fill; (i, j) is checked as unsigned numbers. */
#define PIXEL(i, j) ((uint)(i) < (uint)h && (uint)(j) < (uint)w ? plane[(long)(i)*w + (j)] : fill)

static inline float between(float a, float b, float c, float d, float down, float right)
{
    float upper = FMA(right, b - a, a), lower = FMA(right, d - c, c);
    return FMA(down, lower - upper, upper);
}

#define STRIP 16 /* pixels of a row side by side */

/* Work-items as in augment_copy_cpu. A row's last strip computes pixels beyond its end, too, and
 * does not store them. */
__kernel void augment_turn_cpu(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                               MOVE_PARAMS, int c, int h, int w, int oh, int ow, float fill,
                               float half_h, float half_w, int rows, int blocks)
{
    long t = (long)get_global_id(0), image = t / blocks;
    int begin = (int)(t - image * blocks) * rows, stop = begin + rows < oh ? begin + rows : oh;
    MOVE(image);
    float2 both = turn_sincos(ANGLE);
    float sine = both.x, cosine = both.y;
    int i[STRIP], j[STRIP];
    float down[STRIP], right[STRIP], upper_a[STRIP], upper_b[STRIP], lower_c[STRIP], lower_d[STRIP];
    for (int r = begin; r < stop; r++)
        for (int q = 0; q < ow; q += STRIP) {
            int count = ow - q < STRIP ? ow - q : STRIP, inside = 1;
            for (int k = 0; k < STRIP; k++) {
                int column = mirrored ? ow - 1 - q - k : q + k;
                PLACE(r, column, i[k], j[k], down[k], right[k]);
            }
            for (int k = 0; k < STRIP; k++)
                inside &= (uint)i[k] < (uint)(h - 1) & (uint)j[k] < (uint)(w - 1);
            for (int channel = 0; channel < c; channel++) {
                ulong number = (ulong)image * c + channel;
                __global const float *plane = x + x_off + number * ((ulong)h * w);
                __global float *target = y + y_off + (number * oh + r) * ow + q;
                if (inside)
                    for (int k = 0; k < STRIP; k++) {
                        __global const float *at = plane + (i[k] * w + j[k]);
                        upper_a[k] = at[0];
                        upper_b[k] = at[1];
                        lower_c[k] = at[w];
                        lower_d[k] = at[w + 1];
                    }
                else
                    for (int k = 0; k < STRIP; k++) {
                        upper_a[k] = PIXEL(i[k], j[k]);
                        upper_b[k] = PIXEL(i[k], j[k] + 1);
                        lower_c[k] = PIXEL(i[k] + 1, j[k]);
                        lower_d[k] = PIXEL(i[k] + 1, j[k] + 1);
                    }
                for (int k = 0; k < STRIP; k++)
                    upper_a[k] =
                        between(upper_a[k], upper_b[k], lower_c[k], lower_d[k], down[k], right[k]);
                for (int k = 0; k < count; k++) target[k] = upper_a[k];
            }
        }
}

/* Work-items as in augment_copy_gpu. */
__kernel void augment_turn_gpu(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                               MOVE_PARAMS, int c, int h, int w, int oh, int ow, float fill,
                               float half_h, float half_w, ulong base, uint items)
{
    uint t = (uint)get_global_id(0), size = (uint)oh * (uint)ow;
    if (t < items) {
        uint n = t / size, s = t - n * size;
        int r = (int)(s / (uint)ow), q = (int)s - r * ow, i, j;
        ulong image = base + n;
        MOVE(image);
        float2 both = turn_sincos(ANGLE);
        float sine = both.x, cosine = both.y, down, right;
        int column = mirrored ? ow - 1 - q : q;
        PLACE(r, column, i, j, down, right);
        __global const float *plane = x + x_off + image * c * ((ulong)h * w);
        ulong to = y_off + image * c * size + s;
        for (int channel = 0; channel < c; channel++, plane += (long)h * w, to += size)
            y[to] = between(PIXEL(i, j), PIXEL(i, j + 1), PIXEL(i + 1, j), PIXEL(i + 1, j + 1),
                            down, right);
    }
}
