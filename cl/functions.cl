/* The functions of the exact arithmetic over a range of operands: out[i] = f(first + i step),
 * operands and results as bits. Those of two or three operands make the others from the first, by
 * integers; src/reference/functions.c makes the same. */
#include "exact.h"

#define F(u) as_float(u)

/* A permutation of the 32-bit words: every bit of the result depends on every bit of u. */
static inline uint mixed(uint u)
{
    u = (u ^ (u >> 16)) * 0x7feb352du;
    u = (u ^ (u >> 15)) * 0x846ca68bu;
    return u ^ (u >> 16);
}

/* A quotient next to the middle of two floats: b is odd and has 24 bits, r is small and odd, and n
 * with n b + r = a 2^25 is odd and has 25 bits, so that a / b = n / 2^25 + r / (b 2^25). */
static inline float2 hard_quotient(uint u)
{
    uint h = mixed(u), b = (h & 0xffffffu) | 0x800001u, r = ((h >> 24) & 6u) + 1u, inverse = b;
    for (int i = 0; i < 4; i++)
        inverse *= 2u - b * inverse; /* modulo 2^32; b itself is right to 3 bits */
    uint n = (r * inverse) & 0x1ffffffu;
    int negative =
        n >=
        0x1000000u; /* n b = r modulo 2^25: n b - r is a multiple, and so is (2^25 - n) b + r */
    ulong product = (ulong)(negative ? n : 0x2000000u - n) * (ulong)b;
    uint a = (uint)((negative ? product - (ulong)r : product + (ulong)r) >> 25);
    int up = (int)(h >> 27 & 31u) - 16; /* the exponents apart by that much; both stay normal */
    return (float2)((float)(int)a, (float)(int)b * as_float((uint)(127 + up) << 23));
}

/* The third operand of a fused multiply-add: its exponent lies within 32 of the product's. */
static inline uint addend(uint x, uint y)
{
    uint h = mixed(y);
    int e = (int)(x >> 23 & 255u) + (int)(y >> 23 & 255u) - 127 + (int)(h >> 24 & 63u) - 32;
    e = e < 0 ? 0 : e > 254 ? 254 : e;
    return (h & 0x807fffffu) | ((uint)e << 23);
}

#define FUNCTION(name, value)                                                                      \
    __kernel void name(__global uint *out, ulong out_off, uint first, uint step, long count)       \
    {                                                                                              \
        long i = (long)get_global_id(0);                                                           \
        uint u = first + (uint)i * step;                                                           \
        if (i < count) out[out_off + (ulong)i] = as_uint(value);                                   \
    }

FUNCTION(function_exp, exact_exp(F(u)))
FUNCTION(function_expm1, exact_expm1(F(u)))
FUNCTION(function_log, exact_log(F(u)))
FUNCTION(function_tanh, exact_tanh(F(u)))
FUNCTION(function_sigmoid, exact_sigmoid(F(u)))
FUNCTION(function_softplus, exact_softplus(F(u)))
FUNCTION(function_erf, exact_erf(F(u)))
FUNCTION(function_sqrt, SQRT(F(u)))
FUNCTION(function_divide, DIV(F(u), F(mixed(u))))
FUNCTION(function_divide_hard, DIV(hard_quotient(u).x, hard_quotient(u).y))
FUNCTION(function_fma, FMA(F(u), F(mixed(u)), F(addend(u, mixed(u)))))
FUNCTION(function_sqrt_integer, soft_sqrt(F(u)))
FUNCTION(function_divide_integer, soft_div(F(u), F(mixed(u))))
FUNCTION(function_divide_hard_integer, soft_div(hard_quotient(u).x, hard_quotient(u).y))
FUNCTION(function_fma_integer, soft_fma(F(u), F(mixed(u)), F(addend(u, mixed(u)))))
