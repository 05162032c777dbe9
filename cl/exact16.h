/* exp, tanh and sigmoid of exact.h for 16 values side by side: the same bits, every branch taken
 * and the right result selected. A NaN reaches the result through the sums; scaling multiplies,
 * since adding to an exponent could make a number of it. */
#include "exact.h"

#ifndef CAIRN_EXACT16_H
#define CAIRN_EXACT16_H

#define SPLAT(c) ((float16)(c))

#if defined(CAIRN_SOFT_DIV) && !defined(CAIRN_FAST)
static inline float16 exact_div16(float16 a, float16 b)
{
    float x[16], y[16];
    vstore16(a, 0, x);
    vstore16(b, 0, y);
    for (int i = 0; i < 16; i++) x[i] = DIV(x[i], y[i]);
    return vload16(0, x);
}
#define DIV16(a, b) exact_div16(a, b)
#else
#define DIV16(a, b) ((a) / (b))
#endif

#ifdef CAIRN_FAST

#define exact_exp16(x) exp(x)
#define exact_tanh16(x) tanh(x)
static inline float16 exact_sigmoid16(float16 x)
{
    return 1.0f / (1.0f + exp(-x));
}

#else

/* exp x = (1 + result) 2^n, where it is neither 0 nor infinite. */
static inline float16 exact_exp_parts16(float16 x, int16 *n)
{
    float16 t = FMA16(x, SPLAT(1.44269502e+0f), SPLAT(12582912.0f));
    float16 k = t - 12582912.0f;
    float16 r = FMA16(k, SPLAT(-6.93145752e-1f), x);
    r = FMA16(k, SPLAT(-1.42860677e-6f), r);
    float16 p = SPLAT(1.3751243241131305694580078125e-3f);
    p = FMA16(p, r, SPLAT(8.3696544170379638671875e-3f));
    p = FMA16(p, r, SPLAT(4.16696034371852874755859375e-2f));
    p = FMA16(p, r, SPLAT(0.16666512191295623779296875f));
    p = FMA16(p, r, SPLAT(0.49999988079071044921875f));
    *n = as_int16(t) - 0x4b400000;
    return FMA16(p * r, r, r);
}

/* exp of -infinity ... 88.72284 and NaN. */
static inline float16 exact_exp_low16(float16 x)
{
    int16 n;
    float16 y = 1.0f + exact_exp_parts16(x, &n);
    int16 h = n >> 1;
    y = (y * as_float16((h + 127) << 23)) * as_float16((n - h + 127) << 23);
    return select(y, SPLAT(0.0f), x < -103.97208f);
}

static inline float16 exact_exp16(float16 x)
{
    return select(exact_exp_low16(x), as_float16((uint16)INF_BITS), x > 88.72284f);
}

/* Beyond 9.1 anything may come of the exponential: 1 is selected. */
static inline float16 exact_tanh16(float16 x)
{
    float16 a = as_float16(as_uint16(x) & ~SIGN_BIT), s = a * a;
    int16 n;
    float16 e = 1.0f + exact_exp_parts16(a + a, &n);
    e = e * as_float16((n + 127) << 23);
    float16 y = DIV16(SPLAT(2.0f), e + 1.0f);
    y = 1.0f - y;
    float16 q = SPLAT(2.33583594672381877899169921875e-3f);
    q = FMA16(q, s, SPLAT(-8.40365886688232421875e-3f));
    q = FMA16(q, s, SPLAT(2.179787494242191314697265625e-2f));
    q = FMA16(q, s, SPLAT(-5.39652518928050994873046875e-2f));
    q = FMA16(q, s, SPLAT(0.1333335340023040771484375f));
    q = FMA16(q, s, SPLAT(-0.3333333432674407958984375f));
    y = select(y, FMA16(q * s, a, a), a < 0.625f);
    y = select(y, SPLAT(1.0f), a >= 9.1f);
    return as_float16(as_uint16(y) | (as_uint16(x) & SIGN_BIT));
}

static inline float16 exact_sigmoid16(float16 x)
{
    float16 e = exact_exp_low16(as_float16(as_uint16(x) | SIGN_BIT));
    float16 d = 1.0f + e;
    float16 dl = e - (d - 1.0f);
    float16 r = DIV16(SPLAT(1.0f), d);
    float16 v = FMA16(-dl, r, FMA16(-d, r, SPLAT(1.0f)));
    float16 t = e * r;
    float16 lo = FMA16(t, v, FMA16(e, r, -t));
    return select(FMA16(r, v, r), t + lo, x < 0.0f);
}

#endif
#endif
