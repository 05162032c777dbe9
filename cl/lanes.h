/* Vectors of VW floats, what ends a product in them, and VW rows of VW floats made columns. */
#ifndef CAIRN_LANES_H
#define CAIRN_LANES_H

#include "exact.h"

#ifndef VW
#define VW 16 /* floats in a vector register */
#endif
/* A function that stays one: PoCL takes two to four times as long over a kernel that has all of
 * them in it, and runs it no faster.
 *
 * Invariant: none is given the address of a __local array as such, at which PoCL 3.1 crashes, but
 * what lies HIDDEN(x) = 0 floats behind it: x >= 0 is an argument of the kernel. */
#define APART __attribute__((noinline))
#define HIDDEN(x) ((x) >> 31)

#define MIN(x, y) ((x) < (y) ? (x) : (y))

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
typedef CAT(float, VW) vec;
typedef CAT(int, VW) ivec;
#define LOAD(p) CAT(vload, VW)(0, p)
#define STORE(x, p) CAT(vstore, VW)(x, 0, p)
#define AS_INT(x) CAT(as_int, VW)(x)
#define AS_VEC(x) CAT(as_float, VW)(x)

/* Vectors that lie at any float: a vload made of single floats is not always put together again
 * where shuffles follow. */
typedef vec loose __attribute__((aligned(4)));
typedef float8 loose8 __attribute__((aligned(4)));
typedef float4 loose4 __attribute__((aligned(4)));

/* The first count <= VW floats of a vector; the others are +0. */
static inline vec load_part(__global const float *from, int count)
{
    if (count == VW) return LOAD(from);
    float part[VW];
    vec x = 0.0f;
    CAT(vstore, VW)(x, 0, part);
    int at = 0;
#if VW == 16
    if (count & 8) vstore8(vload8(0, from), 0, part), at = 8;
#endif
#if VW >= 8
    if (count & 4) vstore4(vload4(0, from + at), 0, part + at), at += 4;
#endif
    if (count & 2) vstore2(vload2(0, from + at), 0, part + at), at += 2;
    if (count & 1) part[at] = from[at];
    return CAT(vload, VW)(0, part);
}

static inline void store_part(vec x, __global float *to, int count)
{
    if (count == VW) {
        STORE(x, to);
        return;
    }
#if VW == 16
    if (count & 8) {
        vstore8(x.lo, 0, to);
        x.lo = x.hi;
        to += 8;
    }
#endif
#if VW >= 8
    if (count & 4) {
        vstore4(x.s0123, 0, to);
        x.s0123 = x.s4567;
        to += 4;
    }
#endif
    if (count & 2) {
        vstore2(x.s01, 0, to);
        x.s01 = x.s23;
        to += 2;
    }
    if (count & 1) *to = x.s0;
}

/* -0 made +0, then bias: an unused one is +0, which changes nothing in a value that is not -0. Then
 * relu. */
static inline vec finish(vec x, vec bias_n, vec bias_m, int act)
{
    x = select(x, (vec)0.0f, (AS_INT(x) << 1) == (ivec)0);
    x = x + bias_n + bias_m;
    return act == 1 ? select(x, (vec)0.0f, x < (vec)0.0f) : x;
}

/* Elements 0 and 1 of each four of a and b in turn, and 2 and 3. Quads: four neighbours of each
 * fourth row. */
#if VW == 16
#define LOW(a, b)                                                                                  \
    (vec)(a.s0, b.s0, a.s1, b.s1, a.s4, b.s4, a.s5, b.s5, a.s8, b.s8, a.s9, b.s9, a.sc, b.sc,      \
          a.sd, b.sd)
#define HIGH(a, b)                                                                                 \
    (vec)(a.s2, b.s2, a.s3, b.s3, a.s6, b.s6, a.s7, b.s7, a.sa, b.sa, a.sb, b.sb, a.se, b.se,      \
          a.sf, b.sf)
#define QUADS(i) (vec)(QUAD(i), QUAD(i + 4), QUAD(i + 8), QUAD(i + 12))
#elif VW == 8
#define LOW(a, b) (vec)(a.s0, b.s0, a.s1, b.s1, a.s4, b.s4, a.s5, b.s5)
#define HIGH(a, b) (vec)(a.s2, b.s2, a.s3, b.s3, a.s6, b.s6, a.s7, b.s7)
#define QUADS(i) (vec)(QUAD(i), QUAD(i + 4))
#else
#define LOW(a, b) (vec)(a.s0, b.s0, a.s1, b.s1)
#define HIGH(a, b) (vec)(a.s2, b.s2, a.s3, b.s3)
#define QUADS(i) QUAD(i)
#endif
#define QUAD(i) (*(from4)(from + MIN(i, last) * row + j))

/* VW rows of VW floats, `row` floats apart, become columns, VW rows `pitch` floats apart; rows
 * behind the last repeat it. Four columns at a time: squares of 4 x 4 side by side. */
#define TURN(name, space, to_space)                                                                \
    static inline void name(space const float *from, long row, int last, to_space float *to,       \
                            long pitch)                                                            \
    {                                                                                              \
        typedef space const loose4 *from4;                                                         \
        typedef to_space loose *to_all;                                                            \
        for (int j = 0; j < VW; j += 4, to += 4 * pitch) {                                         \
            vec a = QUADS(0), b = QUADS(1), c = QUADS(2), d = QUADS(3);                            \
            vec low_ac = LOW(a, c), high_ac = HIGH(a, c), low_bd = LOW(b, d),                      \
                high_bd = HIGH(b, d);                                                              \
            *(to_all)(to) = LOW(low_ac, low_bd);                                                   \
            *(to_all)(to + pitch) = HIGH(low_ac, low_bd);                                          \
            *(to_all)(to + 2 * pitch) = LOW(high_ac, high_bd);                                     \
            *(to_all)(to + 3 * pitch) = HIGH(high_ac, high_bd);                                    \
        }                                                                                          \
    }
TURN(turn_global, __global, __local)
TURN(turn_local, __local, __local)

/* len floats; whole vectors overlap at the end. */
static void copy(__global const float *from, int len, __local float *to)
{
    int k = 0;
    for (; k + VW <= len; k += VW) *(__local loose *)(to + k) = *(__global const loose *)(from + k);
    if (k == len) return;
    if (len >= VW) {
        *(__local loose *)(to + len - VW) = *(__global const loose *)(from + len - VW);
    } else if (len >= 8) {
        *(__local loose8 *)to = *(__global const loose8 *)from;
        *(__local loose8 *)(to + len - 8) = *(__global const loose8 *)(from + len - 8);
    } else if (len >= 4) {
        *(__local loose4 *)to = *(__global const loose4 *)from;
        *(__local loose4 *)(to + len - 4) = *(__global const loose4 *)(from + len - 4);
    } else {
        for (; k < len; k++) to[k] = from[k];
    }
}

#endif
