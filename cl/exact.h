/* The `exact` arithmetic in OpenCL C: fma, + - * /, sqrt and integers only, one IEEE operation a step.
 *
 * docs/ARITHMETIC.md holds every coefficient and bound; src/base/exact.h is the same in C, written separately so that the
 * two check each other. Invariant: on a device that passes the probe each name below gives the bits of its C twin (NaN as a
 * class). Every kernel file starts with #include "exact.h", which also switches contraction off.
 *
 *   FMA(a, b, c)  FMA4 FMA8 FMA16   a * b + c rounded once: fma, or integers where the device's fma is wrong
 *   DIV(a, b)  SQRT(a)              correctly rounded: the device's, or by fma and integers where those are wrong
 *   exact_exp exact_expm1 exact_log exact_tanh exact_sigmoid exact_softplus exact_erf
 *   no_minus_zero(x)                -0 becomes +0, anything else is kept
 *   RELU(x)                         x < 0 ? +0 : x  (keeps NaN and -0)
 *   IN_ORDER                        stands before a loop that adds floats up one by one: one compiler's vectoriser adds them in
 *                                   eight lanes otherwise, without leave; the probe tries it
 *
 * Set by the runtime: CAIRN_SOFT_FMA, CAIRN_SOFT_DIV, CAIRN_SOFT_SQRT (the probe found the device's own wrong), CAIRN_FAST
 * (math=fast: the device's functions, contraction allowed). Hazards: no literal x * 0, x + 0, 0 - x (one compiler drops
 * signs and NaN), no rotate pattern of 32 bits (one simulator aborts), no fmin, fmax, clamp, ldexp. */
#ifndef CAIRN_EXACT_H
#define CAIRN_EXACT_H

#ifdef CAIRN_FAST
#pragma OPENCL FP_CONTRACT ON
#else
#pragma OPENCL FP_CONTRACT OFF
#endif

#ifdef __clang__
#define IN_ORDER _Pragma("clang loop vectorize(disable) interleave(disable)")
#else
#define IN_ORDER
#endif

#define SIGN_BIT 0x80000000u
#define NAN_BITS 0x7fc00000u
#define INF_BITS 0x7f800000u

/* Leading zeros of a nonzero 64-bit word, by 32-bit words. */
static inline int soft_zeros(ulong p)
{
    uint high = (uint)(p >> 32);
    return high ? (int)clz(high) : 32 + (int)clz((uint)p);
}

/* p >> d for 0 <= d; what falls off is kept as a sticky bit 0. */
static inline ulong soft_shift(ulong p, int d)
{
    ulong lost = p & ((1ul << (d & 63)) - 1ul);
    return d > 62 ? 1ul : (p >> d) | (ulong)(lost != 0ul);
}

/* (-1)^sign p 2^e for a nonzero p < 2^63 whose bit 0 may be sticky, rounded once to the nearest float, ties to even. */
static inline float soft_round(uint sign, ulong p, int e)
{
    int zeros = soft_zeros(p) - 1, field = e - zeros + 39 + 150;
    p <<= zeros; /* bit 62 is set; 24 bits from there are the mantissa, the rest is 39 bits */
    if (field < 1) {
        p = soft_shift(p, 1 - field);
        field = 1;
    }
    uint m = (uint)(p >> 39);
    ulong rest = p & 0x7ffffffffful;
    m += (uint)(rest > 0x4000000000ul) | ((uint)(rest == 0x4000000000ul) & m);
    /* the hidden bit of m raises the exponent field by one, and so does a carry */
    uint bits = ((uint)(field - 1) << 23) + m;
    return as_float(sign | (bits < INF_BITS ? bits : INF_BITS));
}

/* fma in integers: product and addend as 63-bit integers at one exponent, a sticky bit below. The product is normalised; the
 * addend is as it comes, since a subnormal's bits lie where its rounding does. */
static inline float soft_fma(float x, float y, float z)
{
    uint a = as_uint(x), b = as_uint(y), c = as_uint(z);
    uint ea = a >> 23 & 255u, eb = b >> 23 & 255u, ec = c >> 23 & 255u;
    if (ea == 255u || eb == 255u || (a << 1) == 0u || (b << 1) == 0u) return x * y + z; /* the product is exact */
    if (ec == 255u) return z;
    ulong p = (ulong)((a & 0x7fffffu) | (uint)(ea != 0u) << 23) * (ulong)((b & 0x7fffffu) | (uint)(eb != 0u) << 23);
    ulong q = (ulong)((c & 0x7fffffu) | (uint)(ec != 0u) << 23) << 38;
    int zeros = soft_zeros(p) - 2; /* up to bit 61: one bit of headroom for the sum */
    int ep = (int)max(ea, 1u) + (int)max(eb, 1u) - 300 - zeros, eq = (int)max(ec, 1u) - 150 - 38;
    p <<= zeros;
    if (ep < eq)
        p = soft_shift(p, eq - ep);
    else if (q)
        q = soft_shift(q, ep - eq);
    uint sp = (a ^ b) & SIGN_BIT, sc = c & SIGN_BIT;
    ulong sum = sp == sc ? p + q : p - q;
    if (sum == 0ul) return as_float(0u);
    if (sum >> 63) {
        sum = 0ul - sum;
        sp = sc;
    }
    return soft_round(sp, sum, max(ep, eq));
}

/* Component by component, each named: one simulator's checker dies of shuffles. */
#define SOFT_LANE(i) soft_fma(a.s##i, b.s##i, c.s##i)
static inline float4 soft_fma4(float4 a, float4 b, float4 c)
{
    return (float4)(SOFT_LANE(0), SOFT_LANE(1), SOFT_LANE(2), SOFT_LANE(3));
}
static inline float8 soft_fma8(float8 a, float8 b, float8 c)
{
    return (float8)(SOFT_LANE(0), SOFT_LANE(1), SOFT_LANE(2), SOFT_LANE(3), SOFT_LANE(4), SOFT_LANE(5), SOFT_LANE(6),
                    SOFT_LANE(7));
}
static inline float16 soft_fma16(float16 a, float16 b, float16 c)
{
    return (float16)(SOFT_LANE(0), SOFT_LANE(1), SOFT_LANE(2), SOFT_LANE(3), SOFT_LANE(4), SOFT_LANE(5), SOFT_LANE(6),
                     SOFT_LANE(7), SOFT_LANE(8), SOFT_LANE(9), SOFT_LANE(a), SOFT_LANE(b), SOFT_LANE(c), SOFT_LANE(d),
                     SOFT_LANE(e), SOFT_LANE(f));
}

#if defined(CAIRN_FAST)
#define FMA(a, b, c) mad(a, b, c)
#define FMA4(a, b, c) mad(a, b, c)
#define FMA8(a, b, c) mad(a, b, c)
#define FMA16(a, b, c) mad(a, b, c)
#elif defined(CAIRN_SOFT_FMA)
#define FMA(a, b, c) soft_fma(a, b, c)
#define FMA4(a, b, c) soft_fma4(a, b, c)
#define FMA8(a, b, c) soft_fma8(a, b, c)
#define FMA16(a, b, c) soft_fma16(a, b, c)
#else
#define FMA(a, b, c) fma(a, b, c)
#define FMA4(a, b, c) fma(a, b, c)
#define FMA8(a, b, c) fma(a, b, c)
#define FMA16(a, b, c) fma(a, b, c)
#endif

/* Finite nonzero magnitude u = m * 2^e: returns the bits of m in [1, 2). */
static inline uint soft_mantissa(uint u, int *e)
{
    *e = (int)(u >> 23) - 127;
    if (u < 0x800000u) {
        *e = -126;
        for (int s = 16; s; s >>= 1)
            if (u < (1u << (24 - s))) {
                u <<= s;
                *e -= s;
            }
    }
    return (u & 0x7fffffu) | 0x3f800000u;
}

/* q in [1, 2] correctly rounded, with the sign of its remainder: sign | q * 2^e rounded once more only where subnormal. */
static inline float soft_div_pack(uint sign, float q, float rem, int e)
{
    uint u = as_uint(q);
    if (e > 127) return as_float(sign | INF_BITS);
    if (e >= -126) return as_float(sign | (u + ((uint)e << 23))); /* a carry to infinity comes by itself */
    int shift = -126 - e;
    if (shift > 25) return as_float(sign);
    uint m = u >= 0x40000000u ? 0x1000000u : (u & 0x7fffffu) | 0x800000u;
    uint keep = m >> shift, low = m & ((1u << shift) - 1u), middle = 1u << (shift - 1);
    if (low > middle || (low == middle && (rem > 0.0f || (!(rem < 0.0f) && (keep & 1u))))) keep += 1u;
    return as_float(sign | keep);
}

/* Correctly rounded x / y: mantissas in [1, 2), a reciprocal by Newton, two corrections, the last ulp by the exact remainder. */
static inline float soft_div(float x, float y)
{
    uint a = as_uint(x), b = as_uint(y), s = (a ^ b) & SIGN_BIT;
    int ea, eb;
    a &= ~SIGN_BIT;
    b &= ~SIGN_BIT;
    if (a > INF_BITS || b > INF_BITS || (a == b && (a == 0u || a == INF_BITS))) return as_float(NAN_BITS);
    if (a == 0u || b == INF_BITS) return as_float(s);
    if (b == 0u || a == INF_BITS) return as_float(s | INF_BITS);
    float ma = as_float(soft_mantissa(a, &ea)), mb = as_float(soft_mantissa(b, &eb));
    int e = ea - eb;
    if (ma < mb) {
        ma = ma + ma;
        e -= 1;
    }
    float r = as_float(0x7ef311c7u - as_uint(mb));
    for (int i = 0; i < 4; i++) r = FMA(FMA(-mb, r, 1.0f), r, r);
    float q = ma * r;
    q = FMA(FMA(-mb, q, ma), r, q);
    q = FMA(FMA(-mb, q, ma), r, q);
    float rem = FMA(-mb, q, ma), half_ulp = mb * 5.96046448e-8f; /* 2^-24; a normal quotient is never a tie */
    if (rem > half_ulp) q = q + 1.1920929e-7f;
    if (rem < -half_ulp) q = q - 1.1920929e-7f;
    return soft_div_pack(s, q, FMA(-mb, q, ma), e);
}

/* Correctly rounded square root: x = m * 4^h, m in [1, 4). */
static inline float soft_sqrt(float x)
{
    uint a = as_uint(x);
    int e;
    if ((a << 1) == 0u || a == INF_BITS || x != x) return x;
    if (a >> 31) return as_float(NAN_BITS);
    uint u = soft_mantissa(a, &e);
    int h = e >> 1;
    float m = as_float(u + ((uint)(e & 1) << 23)), k = m * 0.5f;
    float y = as_float(0x5f375a86u - (as_uint(m) >> 1));
    for (int i = 0; i < 3; i++) y = y * FMA(-(k * y), y, 1.5f);
    float s = m * y, g = 0.5f * y;
    s = FMA(FMA(-s, s, m), g, s);
    s = FMA(FMA(-s, s, m), g, s);
    return s * as_float((uint)(h + 127) << 23);
}

#if defined(CAIRN_SOFT_DIV) && !defined(CAIRN_FAST)
#define DIV(a, b) soft_div(a, b)
#else
#define DIV(a, b) ((a) / (b))
#endif
#if defined(CAIRN_SOFT_SQRT) && !defined(CAIRN_FAST)
#define SQRT(a) soft_sqrt(a)
#else
#define SQRT(a) sqrt(a)
#endif

#define RELU(x) ((x) < 0.0f ? 0.0f : (x))

static inline float no_minus_zero(float x)
{
    uint u = as_uint(x);
    return as_float((u << 1) == 0u ? 0u : u);
}

#ifdef CAIRN_FAST

#define exact_exp(x) exp(x)
#define exact_log(x) log(x)
#define exact_tanh(x) tanh(x)
#define exact_expm1(x) expm1(x)
#define exact_erf(x) erf(x)
static inline float exact_softplus(float x)
{
    float l = log1p(exp(-fabs(x)));
    return x > 0.0f ? x + l : l;
}
static inline float exact_sigmoid(float x)
{
    return 1.0f / (1.0f + exp(-x));
}

#else

/* y * 2^n for |y| in [0.5, 4), n in [-252, 252], rounded once: 2^n as two normal factors, the first product exact. */
static inline float exact_scale(float y, int n)
{
    int h = n >> 1;
    return (y * as_float((uint)(h + 127) << 23)) * as_float((uint)(n - h + 127) << 23);
}

/* exp r - 1 = r + r^2 P(r), |r| at most ln 2 / 2. */
static inline float exact_exp_core(float r)
{
    float p = 1.3751243241131305694580078125e-3f;
    p = FMA(p, r, 8.3696544170379638671875e-3f);
    p = FMA(p, r, 4.16696034371852874755859375e-2f);
    p = FMA(p, r, 0.16666512191295623779296875f);
    p = FMA(p, r, 0.49999988079071044921875f);
    return FMA(p * r, r, r);
}

/* n = rint(x log2 e), r = x - n ln 2 in two pieces; exp x = 2^n (1 + (r + r^2 P(r))). */
static inline float exact_exp(float x)
{
    if (x != x) return x;
    if (x > 88.72284f) return as_float(INF_BITS);
    if (x < -103.97208f) return as_float(0u);
    float t = FMA(x, 1.44269502e+0f, 12582912.0f); /* 1.5 * 2^23: the integer lies in the low bits */
    int n = as_int(t) - 0x4b400000;
    float k = t - 12582912.0f;
    float r = FMA(k, -6.93145752e-1f, x); /* ln 2 to 15 bits: an exact product */
    r = FMA(k, -1.42860677e-6f, r);
    return exact_scale(1.0f + exact_exp_core(r), n);
}

/* exp x - 1 = 2^n (exp r - 1) + (2^n - 1), by halves since 2^n may be 2^128. n = 0: just exp r - 1, tiny x: x. */
static inline float exact_expm1(float x)
{
    if ((as_uint(x) & ~SIGN_BIT) < 0x33000000u) return x; /* 2^-25 */
    if (x != x) return x;
    if (x > 88.72284f) return as_float(INF_BITS);
    if (x < -18.0f) return -1.0f;
    float t = FMA(x, 1.44269502e+0f, 12582912.0f);
    int n = as_int(t) - 0x4b400000;
    float k = t - 12582912.0f;
    float r = FMA(k, -6.93145752e-1f, x);
    r = FMA(k, -1.42860677e-6f, r);
    float c = exact_exp_core(r);
    if (n == 0) return c;
    float s = as_float((uint)(n + 126) << 23);
    float h = FMA(s, c, s - 0.5f);
    return h + h;
}

/* Q(f) with log(1 + f) = f + f Q(f), f in [-0.2929, 0.4143]. */
static inline float exact_log1p_core(float f)
{
    float q = 7.036517560482025146484375e-2f;
    q = FMA(q, f, -0.115107633173465728759765625f);
    q = FMA(q, f, 0.116753183305263519287109375f);
    q = FMA(q, f, -0.12420631945133209228515625f);
    q = FMA(q, f, 0.14249615371227264404296875f);
    q = FMA(q, f, -0.1666804254055023193359375f);
    q = FMA(q, f, 0.20000700652599334716796875f);
    q = FMA(q, f, -0.249999940395355224609375f);
    q = FMA(q, f, 0.333333313465118408203125f);
    q = FMA(q, f, -0.5f);
    return q * f;
}

/* x = 2^n (1 + f), 1 + f in [0.7071, 1.4142); log x = n ln 2 + f + f Q(f), the first sum carried with its error. */
static inline float exact_log(float x)
{
    uint u = as_uint(x);
    int e = 0;
    if (x != x) return x;
    if ((u << 1) == 0u) return as_float(SIGN_BIT | INF_BITS);
    if (u >> 31) return as_float(NAN_BITS);
    if (u == INF_BITS) return x;
    if (u < 0x800000u) {
        u = as_uint(x * 8388608.0f);
        e = -23;
    }
    int k = (int)(u - 0x3f3504f3u) >> 23;
    float f = as_float(u - ((uint)k << 23)) - 1.0f;
    float c = exact_log1p_core(f);
    if (k + e == 0) return f + c * f;
    float n = (float)(k + e);
    float lo = FMA(n, 1.42860677e-6f, c * f);
    float hi = n * 6.93145752e-1f;
    float s = hi + f;
    float d = (hi - s) + f;
    return s + (d + lo);
}

/* a = |x|: below 0.625 a + a^3 P(a^2), else 1 - 2 / (1 + exp 2a); the sign bit is put back last. */
static inline float exact_tanh(float x)
{
    if (x != x) return x;
    float a = as_float(as_uint(x) & ~SIGN_BIT), y = 1.0f;
    if (a < 0.625f) {
        float s = a * a;
        float q = 2.33583594672381877899169921875e-3f;
        q = FMA(q, s, -8.40365886688232421875e-3f);
        q = FMA(q, s, 2.179787494242191314697265625e-2f);
        q = FMA(q, s, -5.39652518928050994873046875e-2f);
        q = FMA(q, s, 0.1333335340023040771484375f);
        q = FMA(q, s, -0.3333333432674407958984375f);
        y = FMA(q * s, a, a);
    } else if (a < 9.1f) {
        y = DIV(2.0f, exact_exp(a + a) + 1.0f);
        y = 1.0f - y;
    }
    return as_float(as_uint(y) | (as_uint(x) & SIGN_BIT));
}

/* e = exp(-|x|), d + dl = 1 + e exactly, r = 1 / d, v = 1 - (d + dl) r; x < 0: e r (1 + v), else r + r v. */
static inline float exact_sigmoid(float x)
{
    if (x != x) return x;
    float e = exact_exp(as_float(as_uint(x) | SIGN_BIT));
    float d = 1.0f + e;
    float dl = e - (d - 1.0f);
    float r = DIV(1.0f, d);
    float v = FMA(-dl, r, FMA(-d, r, 1.0f));
    float t = e * r;
    float lo = FMA(t, v, FMA(e, r, -t));
    return x < 0.0f ? t + lo : FMA(r, v, r);
}

/* max(x, 0) + log(1 + e), e = exp(-|x|); from e = 0.4142136 on log(1 + e) = ln 2 + log(1 + f), f = (e - 1) / 2. */
static inline float exact_softplus(float x)
{
    if (x != x) return x;
    float e = exact_exp(as_float(as_uint(x) | SIGN_BIT)), l;
    if (e < 0.41421354f) {
        l = FMA(exact_log1p_core(e), e, e);
    } else {
        float f = FMA(e, 0.5f, -0.5f);
        l = 6.93147182e-1f + FMA(exact_log1p_core(f), f, f);
    }
    return x > 0.0f ? x + l : l;
}

/* a = |x|: below 0.93 a + a P(a^2), else 1 - exp(-(a + a Q(a))), 1 from 3.95; the sign bit is put back last. */
static inline float exact_erf(float x)
{
    if (x != x) return x;
    float a = as_float(as_uint(x) & ~SIGN_BIT), y = 1.0f;
    if (a < 0.93f) {
        float s = a * a;
        float q = 8.3017905126325786113739013671875e-5f;
        q = FMA(q, s, -8.125258027575910091400146484375e-4f);
        q = FMA(q, s, 5.19932247698307037353515625e-3f);
        q = FMA(q, s, -2.68585942685604095458984375e-2f);
        q = FMA(q, s, 0.112836770713329315185546875f);
        q = FMA(q, s, -0.3761263191699981689453125f);
        q = FMA(q, s, 0.128379166126251220703125f);
        y = FMA(q, a, a);
    } else if (a < 3.95f) {
        float q = -8.2310788229733589105308055877685546875e-7f;
        q = FMA(q, a, 3.059639493585564196109771728515625e-5f);
        q = FMA(q, a, -4.7206584713421761989593505859375e-4f);
        q = FMA(q, a, 4.202575422823429107666015625e-3f);
        q = FMA(q, a, -2.491869591176509857177734375e-2f);
        q = FMA(q, a, 0.107578553259372711181640625f);
        q = FMA(q, a, 0.63433277606964111328125f);
        q = FMA(q, a, 0.1288525164127349853515625f);
        y = 1.0f - exact_exp(-FMA(q, a, a));
    }
    return as_float(as_uint(y) | (as_uint(x) & SIGN_BIT));
}

#endif /* CAIRN_FAST */

#endif
