/* Vectors of VW floats, what ends a product in them, and VW rows of VW floats made columns. */
#ifndef CAIRN_LANES_H
#define CAIRN_LANES_H

#include "exact.h"

#ifndef VW
#define VW 16 /* floats in a vector register */
#endif
#define MIN(x, y) ((x) < (y) ? (x) : (y))

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
typedef CAT(float, VW) vec;
typedef CAT(int, VW) ivec;
#define LOAD(p) CAT(vload, VW)(0, p)
#define STORE(x, p) CAT(vstore, VW)(x, 0, p)
#define AS_INT(x) CAT(as_int, VW)(x)

/* -0 made +0, then bias: an unused one is +0, which changes nothing in a value that is not -0. Then
 * relu. */
static inline vec finish(vec x, vec bias_n, vec bias_m, int act)
{
    x = select(x, (vec)0.0f, (AS_INT(x) << 1) == (ivec)0);
    x = x + bias_n + bias_m;
    return act == 1 ? select(x, (vec)0.0f, x < (vec)0.0f) : x;
}

/* Rows of VW floats become columns: 4 stages (3, 2) of interleaving halves. */
#if VW == 16
#define LOW(a, b)                                                                                  \
    (vec)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6, b.s6,      \
          a.s7, b.s7)
#define HIGH(a, b)                                                                                 \
    (vec)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd, a.se, b.se,      \
          a.sf, b.sf)
#define PAIRS(F)                                                                                   \
    F(0, 8, 0, 1)                                                                                  \
    F(1, 9, 2, 3)                                                                                  \
    F(2, a, 4, 5) F(3, b, 6, 7) F(4, c, 8, 9) F(5, d, a, b) F(6, e, c, d) F(7, f, e, f)
#define EACH(F)                                                                                    \
    F(0, 0)                                                                                        \
    F(1, 1)                                                                                        \
    F(2, 2)                                                                                        \
    F(3, 3)                                                                                        \
    F(4, 4)                                                                                        \
    F(5, 5) F(6, 6) F(7, 7) F(8, 8) F(9, 9) F(10, a) F(11, b) F(12, c) F(13, d) F(14, e) F(15, f)
#elif VW == 8
#define LOW(a, b) (vec)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3)
#define HIGH(a, b) (vec)(a.s4, b.s4, a.s5, b.s5, a.s6, b.s6, a.s7, b.s7)
#define PAIRS(F) F(0, 4, 0, 1) F(1, 5, 2, 3) F(2, 6, 4, 5) F(3, 7, 6, 7)
#define EACH(F) F(0, 0) F(1, 1) F(2, 2) F(3, 3) F(4, 4) F(5, 5) F(6, 6) F(7, 7)
#else
#define LOW(a, b) (vec)(a.s0, b.s0, a.s1, b.s1)
#define HIGH(a, b) (vec)(a.s2, b.s2, a.s3, b.s3)
#define PAIRS(F) F(0, 2, 0, 1) F(1, 3, 2, 3)
#define EACH(F) F(0, 0) F(1, 1) F(2, 2) F(3, 3)
#endif
#define READ_ROW(i, h) vec x##h = LOAD(from + MIN(i, last) * row), y##h;
#define WRITE_ROW(i, h) STORE(x##h, to + i * pitch);
#define FORTH(p, q, l, h)                                                                          \
    y##l = LOW(x##p, x##q);                                                                        \
    y##h = HIGH(x##p, x##q);
#define BACK(p, q, l, h)                                                                           \
    x##l = LOW(y##p, y##q);                                                                        \
    x##h = HIGH(y##p, y##q);
#define COPY_ROW(i, h) x##h = y##h;

#if VW == 16
#define STAGES PAIRS(FORTH) PAIRS(BACK) PAIRS(FORTH) PAIRS(BACK)
#elif VW == 8
#define STAGES PAIRS(FORTH) PAIRS(BACK) PAIRS(FORTH) EACH(COPY_ROW)
#else
#define STAGES PAIRS(FORTH) PAIRS(BACK)
#endif
/* VW rows `row` floats apart become columns, VW rows `pitch` floats apart; rows behind the last
 * repeat it. */
#define TURN(name, space, to_space)                                                                \
    static inline void name(space const float *from, long row, int last, to_space float *to,       \
                            long pitch)                                                            \
    {                                                                                              \
        EACH(READ_ROW)                                                                             \
        STAGES                                                                                     \
        EACH(WRITE_ROW)                                                                            \
    }
TURN(turn_global, __global, __local)
TURN(turn_local, __local, __local)

#endif
