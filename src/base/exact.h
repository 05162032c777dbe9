/* The functions of the `exact` arithmetic in C: fma, + - * /, sqrt and integers only, one IEEE
 * operation a step.
 *
 * docs/ARITHMETIC.md holds every coefficient and bound; cl/exact.h is the same in OpenCL C, written
 * separately so that the two check each other. Each function is at most 2 ulp from the correctly
 * rounded value over all floats (sine and cosine of a turn over all 24-bit turns) and answers NaN,
 * infinities and zeros as the C standard does. Static inline, so that loops over independent
 * elements vectorise. */
#ifndef CAIRN_BASE_EXACT_H
#define CAIRN_BASE_EXACT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float cairn_exact_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t cairn_exact_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* A result of -0 is made +0, by integers: an addition of +0 is what a compiler may drop. */
static inline float cairn_exact_plus_zero(float x)
{
    uint32_t bits = cairn_exact_bits(x);
    return cairn_exact_float(bits << 1 == 0 ? 0 : bits);
}

/* y 2^n for |y| in [1/2, 4) and n in [-252, 252] with one rounding: the first factor leaves y
 * exact. */
static inline float cairn_exact_scale(float y, int n)
{
    int half = (n + 512) / 2 - 256; /* floor(n / 2) */
    return (y * cairn_exact_float((uint32_t)(half + 127) << 23)) *
           cairn_exact_float((uint32_t)(n - half + 127) << 23);
}

/* r + r^2 P(r) = e^r - 1 for |r| <= ln 2 / 2. */
static inline float cairn_exact_exp_part(float r)
{
    float p = 0x1.687b08p-10f;
    p = fmaf(p, r, 0x1.1241cp-7f);
    p = fmaf(p, r, 0x1.555b7ep-5f);
    p = fmaf(p, r, 0x1.555486p-3f);
    p = fmaf(p, r, 0x1.fffff8p-2f);
    return fmaf(p * r, r, r);
}

/* e^x = 2^n (1 + r + r^2 P(r)) with n = rint(x / ln 2) and r = x - n ln 2, ln 2 in two parts. */
static inline float cairn_exact_exp(float x)
{
    if (x != x) return x;
    if (x > 0x1.62e43p+6f) return INFINITY; /* at this one itself the last step overflows */
    if (x < -0x1.9fe368p+6f) return 0.0f;   /* below: rounds to +0 */
    float t =
        fmaf(x, 0x1.715476p+0f, 0x1.8p+23f); /* + 1.5 * 2^23: the integer appears in the low bits */
    int n = (int)(cairn_exact_bits(t) - 0x4b400000u);
    float k = t - 0x1.8p+23f;
    float r = fmaf(k, -0x1.62e4p-1f, x); /* ln 2 to 15 bits: the product is exact */
    r = fmaf(k, -0x1.7f7d1cp-20f, r);
    return cairn_exact_scale(1.0f + cairn_exact_exp_part(r), n);
}

/* e^x - 1 = 2^n p + (2^n - 1) with n and p = e^r - 1 as above; halved, so that 2^128 is not needed.
 * Below 2^-25 it is x, and p where n = 0. */
static inline float cairn_exact_expm1(float x)
{
    if (x != x || fabsf(x) < 0x1p-25f) return x;
    if (x > 0x1.62e43p+6f) return INFINITY;
    if (x < -18.0f) return -1.0f;
    float t = fmaf(x, 0x1.715476p+0f, 0x1.8p+23f);
    int n = (int)(cairn_exact_bits(t) - 0x4b400000u);
    float k = t - 0x1.8p+23f;
    float r = fmaf(k, -0x1.7f7d1cp-20f, fmaf(k, -0x1.62e4p-1f, x));
    float p = cairn_exact_exp_part(r);
    float half = cairn_exact_float((uint32_t)(n + 126) << 23); /* 2^n / 2 */
    float y = fmaf(half, p, half - 0.5f);
    return n == 0 ? p : y + y;
}

/* q(f) f with log(1 + f) = f + f (q f), for f in [-0.2929, 0.4143]. */
static inline float cairn_exact_log1p_part(float f)
{
    float q = 0x1.20373cp-4f;
    q = fmaf(q, f, -0x1.d77b1ap-4f);
    q = fmaf(q, f, 0x1.de3896p-4f);
    q = fmaf(q, f, -0x1.fcbfc4p-4f);
    q = fmaf(q, f, 0x1.23d506p-3f);
    q = fmaf(q, f, -0x1.555c8cp-3f);
    q = fmaf(q, f, 0x1.999d46p-3f);
    q = fmaf(q, f, -0x1.fffff8p-3f);
    q = fmaf(q, f, 0x1.555554p-2f);
    q = fmaf(q, f, -0x1p-1f);
    return q * f;
}

/* x = 2^n (1 + f) with 1 + f in [0.7071, 1.4142); log x = n ln 2 + log(1 + f), n ln 2 in two parts.
 */
static inline float cairn_exact_log(float x)
{
    uint32_t u = cairn_exact_bits(x);
    int e = 0;
    if (x != x) return x;
    if (u << 1 == 0) return -INFINITY;
    if (u >> 31) return NAN;
    if (u == 0x7f800000u) return x;
    if (u < 0x00800000u) { /* subnormal: times 2^23 */
        u = cairn_exact_bits(x * 0x1p+23f);
        e = -23;
    }
    int k = (int)((u - 0x3f3504f3u + 0x40000000u) >> 23) - 128; /* floor((u - 0x3f3504f3) / 2^23) */
    float f = cairn_exact_float(u - ((uint32_t)k << 23)) - 1.0f;
    float c = cairn_exact_log1p_part(f);
    if (k + e == 0) return f + c * f;
    float n = (float)(k + e);
    float low = fmaf(n, 0x1.7f7d1cp-20f, c * f);
    float high = n * 0x1.62e4p-1f;
    float s = high + f; /* |high| > |f|: s + d is the exact sum */
    float d = (high - s) + f;
    return s + (d + low);
}

/* |x| < 0.625: a + a^3 P(a^2); else 1 - 2 / (1 + e^2a), 1 from 9.1. The sign of x is put back last.
 */
static inline float cairn_exact_tanh(float x)
{
    if (x != x) return x;
    uint32_t sign = cairn_exact_bits(x) & 0x80000000u;
    float a = cairn_exact_float(cairn_exact_bits(x) & 0x7fffffffu), y = 1.0f;
    if (a < 0.625f) {
        float s = a * a;
        float q = 0x1.3229a6p-9f;
        q = fmaf(q, s, -0x1.135fp-7f);
        q = fmaf(q, s, 0x1.6522eap-6f);
        q = fmaf(q, s, -0x1.ba1556p-5f);
        q = fmaf(q, s, 0x1.11112cp-3f);
        q = fmaf(q, s, -0x1.555556p-2f);
        y = fmaf(q * s, a, a);
    } else if (a < 0x1.233334p+3f) {
        y = 1.0f - 2.0f / (cairn_exact_exp(a + a) + 1.0f);
    }
    return cairn_exact_float(cairn_exact_bits(y) | sign);
}

/* e = e^-|x|, d + l = 1 + e exactly, r = 1 / d, v = 1 - (d + l) r: r + r v for x >= 0, else e r (1
 * + v). */
static inline float cairn_exact_sigmoid(float x)
{
    if (x != x) return x;
    float e = cairn_exact_exp(cairn_exact_float(cairn_exact_bits(x) | 0x80000000u));
    float d = 1.0f + e;
    float l = e - (d - 1.0f);
    float r = 1.0f / d;
    float v = fmaf(-l, r, fmaf(-d, r, 1.0f));
    if (!(x < 0.0f)) return fmaf(r, v, r);
    float t = e * r;
    return t + fmaf(t, v, fmaf(e, r, -t));
}

/* max(x, 0) + log(1 + e^-|x|). log(1 + e) for e in [0, 1]: f = e itself, or ln 2 + log(1 + f) with
 * f = (1 + e) / 2 - 1. */
static inline float cairn_exact_softplus(float x)
{
    if (x != x) return x;
    float e = cairn_exact_exp(cairn_exact_float(cairn_exact_bits(x) | 0x80000000u));
    int small = e < 0x1.a82798p-2f;
    float f = small ? e : fmaf(e, 0.5f, -0.5f);
    float l = fmaf(cairn_exact_log1p_part(f), f, f);
    if (!small) l = 0x1.62e43p-1f + l;
    return x > 0.0f ? x + l : l;
}

/* |x| < 0.93: x + x P(x^2); else 1 - e^-(a + a Q(a)), 1 from 3.95. The sign of x is put back last.
 */
static inline float cairn_exact_erf(float x)
{
    if (x != x) return x;
    uint32_t sign = cairn_exact_bits(x) & 0x80000000u;
    float a = cairn_exact_float(cairn_exact_bits(x) & 0x7fffffffu), y = 1.0f;
    if (a < 0x1.dc28f6p-1f) {
        float s = a * a;
        float q = 0x1.5c33ccp-14f;
        q = fmaf(q, s, -0x1.a9ff5ep-11f);
        q = fmaf(q, s, 0x1.54be28p-8f);
        q = fmaf(q, s, -0x1.b80d1cp-6f);
        q = fmaf(q, s, 0x1.ce2deep-4f);
        q = fmaf(q, s, -0x1.812742p-2f);
        q = fmaf(q, s, 0x1.06eba8p-3f);
        y = fmaf(q, a, a);
    } else if (a < 0x1.f9999ap+1f) {
        float q = -0x1.b9e716p-21f;
        q = fmaf(q, a, 0x1.00a942p-15f);
        q = fmaf(q, a, -0x1.eeff36p-12f);
        q = fmaf(q, a, 0x1.136b84p-8f);
        q = fmaf(q, a, -0x1.984496p-6f);
        q = fmaf(q, a, 0x1.b8a44ap-4f);
        q = fmaf(q, a, 0x1.44c744p-1f);
        q = fmaf(q, a, 0x1.07e3d4p-3f);
        y = 1.0f - cairn_exact_exp(-fmaf(q, a, a));
    }
    return cairn_exact_float(cairn_exact_bits(y) | sign);
}

/* Sine and cosine of 2 pi (u >> 8) / 2^24: the nearest quarter turn in integers, then |t| <= 1/4
 * half turns. */
static inline void cairn_exact_sincos_turn(uint32_t u, float *sine, float *cosine)
{
    u &= 0xffffff00u;
    uint32_t q = (u + 0x20000000u) >> 30; /* 0 .. 3; a last eighth wraps to 0 */
    int32_t d = (int32_t)(u - (q << 30) + 0x20000000u) - 0x20000000;
    float t = (float)d * 0x1p-31f;
    float s = t * t;
    float p = -0x1.2d9f34p-1f;
    p = fmaf(p, s, 0x1.465eep+1f);
    p = fmaf(p, s, -0x1.4abbbap+2f);
    p = fmaf(p * s, t, fmaf(t, 0x1.921fb6p+1f, t * -0x1.9effb4p-24f));
    float c = 0x1.d0976ap-3f;
    c = fmaf(c, s, -0x1.55a5b6p+0f);
    c = fmaf(c, s, 0x1.03c19ep+2f);
    c = fmaf(c, s, -0x1.3bd3ccp+2f);
    c = fmaf(c, s, 1.0f);
    float a = q & 1 ? c : p, b = q & 1 ? p : c;
    *sine = q & 2 ? -a : a;
    *cosine = (q + 1) & 2 ? -b : b;
}

#endif
