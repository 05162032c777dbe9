/* The cases of the probe, listed and drawn, and the host's answers. */
#include "opencl/probe.h"

#include "base/exact.h"
#include "base/random.h"

#include <math.h>

const struct probe_case ocl_probe_cases[] = {
    /* fma: one rounding of the exact sum */
    {PROP_FMA, OP_FMA, 0x3f800001, 0x3f800001, 0xbf800002, 0x28800000}, /* fused: 2^-46 is left */
    {PROP_FMA, OP_FMA, 0x3f800800, 0x3f800800, 0x17800000, 0x3f801001}, /* midpoint + 2^-80 */
    {PROP_FMA, OP_FMA, 0x3f800800, 0x3f800800, 0x97800000, 0x3f801000}, /* midpoint - 2^-80 */
    {PROP_FMA, OP_FMA, 0x3f800800, 0x3f801800, 0x97800000, 0x3f802001}, /* odd midpoint - 2^-80 */
    {PROP_FMA, OP_FMA, 0xb33dd30c, 0xad2c9f69, 0xad2bc00e, 0xad2bc00d}, /* all normal */
    {PROP_FMA, OP_FMA, 0xcf000000, 0x00000000, 0x00000000, 0x00000000}, /* -x * 0 + 0 is +0 */
    {PROP_FMA, OP_FMA, 0xcf000000, 0x00000000, 0x80000000, 0x80000000}, /* -0 + -0 is -0 */
    {PROP_FMA, OP_FMA, 0x3f800000, 0x3f800000, 0xbf800000, 0x00000000}, /* x - x is +0 */
    {PROP_FMA, OP_FMA, 0x33800000, 0x80800000, 0x00800000, 0x00800000}, /* tiny product */
    {PROP_FMA, OP_FMA, 0x4b000000, 0x00800000, 0x807fffff, 0x0bfffffe}, /* subnormal addend */
    {PROP_FMA, OP_FMA, 0x0047061d, 0x4fe4dea6, 0x1a2c3b2f, 0x1a2c3b3f}, /* subnormal factor */
    {PROP_FMA, OP_FMA, 0x26cfa4b9, 0x0f391ec7, 0x00000007, 0x00000010}, /* subnormal result */
    {PROP_FMA, OP_FMA, 0x1a000000, 0x1a000000, 0x00000000, 0x00000000}, /* 2^-150 ties to 0 */
    {PROP_FMA, OP_FMA, 0x1a000001, 0x1a000000, 0x00000000, 0x00000001}, /* just above 2^-150 */
    {PROP_FMA, OP_FMA, 0x1a000000, 0x1a000000, 0x00000001, 0x00000002}, /* 1.5 smallest to 2 */
    {PROP_FMA, OP_FMA, 0x1a000000, 0x9a000000, 0x00000001, 0x00000000}, /* 0.5 smallest to 0 */
    {PROP_FMA, OP_FMA, 0x7f7fffff, 0x3f800000, 0x73000000, 0x7f800000}, /* a tie that overflows */
    {PROP_FMA, OP_FMA, 0x7f7fffff, 0x3f800000, 0x72ffffff, 0x7f7fffff}, /* just below */
    {PROP_FMA, OP_FMA, 0x7f7fffff, 0x40000000, 0xff7fffff, 0x7f7fffff}, /* product out of range */
    {PROP_FMA, OP_FMA, 0x7f800000, 0x00000000, 0x3f800000, 0x7fc00000}, /* infinity * 0 */
    {PROP_FMA, OP_FMA, 0x7f800000, 0x3f800000, 0xff800000, 0x7fc00000}, /* infinity - infinity */
    {PROP_FMA, OP_FMA, 0x7f7fffff, 0x7f7fffff, 0xff800000, 0xff800000}, /* huge - infinity */
    {PROP_FMA, OP_FMA, 0x00000000, 0x3f800000, 0x7fc00000, 0x7fc00000},
    {PROP_FMA, OP_FNMA, 0x3f800001, 0x3f800001, 0x3f800002, 0xa8800000},
    {PROP_FMA, OP_FNMA, 0x3f800000, 0x00000000, 0x00000000, 0x00000000},
    /* division and square root: correctly rounded */
    {PROP_DIVISION, OP_DIV, 0xbf800000, 0x4f7fffff, 0, 0xaf800001}, /* all-ones divisor */
    {PROP_DIVISION, OP_DIV, 0x3ef9a0e6, 0x50dda889, 0, 0x2d9026dc}, /* near midpoints */
    {PROP_DIVISION, OP_DIV, 0x591abb66, 0x562164cf, 0, 0x42756ee9},
    {PROP_DIVISION, OP_DIV, 0x4ae4d5c2, 0x4b13d419, 0, 0x3f462414},
    {PROP_DIVISION, OP_DIV, 0x4ac00002, 0x4b000001, 0, 0x3f400000},
    {PROP_DIVISION, OP_DIV, 0x206cee2f, 0xdfb8f095, 0, 0x8051fde7}, /* subnormal quotient */
    {PROP_DIVISION, OP_DIV, 0x00000003, 0x40000000, 0, 0x00000002}, /* subnormal ties */
    {PROP_DIVISION, OP_DIV, 0x00000001, 0x40000000, 0, 0x00000000},
    {PROP_DIVISION, OP_DIV, 0x3f800000, 0x7f7fffff, 0, 0x00200000},
    {PROP_DIVISION, OP_DIV, 0x7f7fffff, 0x3f7fffff, 0, 0x7f800000},
    {PROP_DIVISION, OP_DIV, 0x007fffff, 0x00800000, 0, 0x3f7ffffe}, /* subnormal dividend */
    {PROP_DIVISION, OP_DIV, 0x00800000, 0x007fffff, 0, 0x3f800001}, /* subnormal divisor */
    {PROP_DIVISION, OP_DIV, 0x00000001, 0x00000003, 0, 0x3eaaaaab},
    {PROP_DIVISION, OP_DIV, 0x3f800000, 0x80000000, 0, 0xff800000},
    {PROP_DIVISION, OP_DIV, 0x00000000, 0x00000000, 0, 0x7fc00000},
    {PROP_DIVISION, OP_DIV, 0x3f800000, 0xff800000, 0, 0x80000000},
    {PROP_DIVISION, OP_DIV, 0x7f800000, 0x7f800000, 0, 0x7fc00000},
    {PROP_SQRT, OP_SQRT, 0x3f7fffff, 0, 0, 0x3f7fffff},
    {PROP_SQRT, OP_SQRT, 0x3fffffff, 0, 0, 0x3fb504f3},
    {PROP_SQRT, OP_SQRT, 0x40000000, 0, 0, 0x3fb504f3},
    {PROP_SQRT, OP_SQRT, 0x00000001, 0, 0, 0x1a3504f3},
    {PROP_SQRT, OP_SQRT, 0x007fffff, 0, 0, 0x1fffffff},
    {PROP_SQRT, OP_SQRT, 0x80000000, 0, 0, 0x80000000},
    {PROP_SQRT, OP_SQRT, 0x7f7fffff, 0, 0, 0x5f7fffff},
    {PROP_SQRT, OP_SQRT, 0x7f800000, 0, 0, 0x7f800000},
    {PROP_SQRT, OP_SQRT, 0xbf800000, 0, 0, 0x7fc00000},
    /* denormals are kept, as operands and as results */
    {PROP_DENORMALS, OP_ADD, 0x00800000, 0x80000001, 0, 0x007fffff},
    {PROP_DENORMALS, OP_ADD, 0x00000001, 0x00000001, 0, 0x00000002},
    {PROP_DENORMALS, OP_SUB, 0x00800001, 0x00800000, 0, 0x00000001},
    {PROP_DENORMALS, OP_MUL, 0x00800000, 0x3f000000, 0, 0x00400000},
    {PROP_DENORMALS, OP_MUL, 0x3f7fffff, 0x00800000, 0, 0x00800000}, /* up to the least normal */
    {PROP_DENORMALS, OP_MUL, 0x00000001, 0x4b000000, 0, 0x00800000},
    {PROP_DENORMALS, OP_MUL, 0x00000003, 0x3f000000, 0, 0x00000002}, /* ties to even */
    {PROP_DENORMALS, OP_MUL, 0x1a000000, 0x1a000000, 0, 0x00000000},
    {PROP_DENORMALS, OP_MULADD, 0x00800000, 0x3e800000, 0x00000001, 0x00200001},
    {PROP_DENORMALS, OP_LESS, 0x80000001, 0x00000000, 0, 1},
    {PROP_DENORMALS, OP_LESS, 0x00000000, 0x00000001, 0, 1},
    {PROP_DENORMALS, OP_EQUAL, 0x00000001, 0x00000000, 0, 0},
    {PROP_DENORMALS, OP_RELU, 0x80000001, 0, 0, 0x00000000},
    {PROP_DENORMALS, OP_RELU, 0x00000001, 0, 0, 0x00000001},
    {PROP_DENORMALS, OP_MAX, 0x00000001, 0x00000000, 0, 0x00000001},
    {PROP_DENORMALS, OP_NEGATE, 0x00000001, 0, 0, 0x80000001},
    {PROP_DENORMALS, OP_ADDSUB, 0x00800000, 0x00000001, 0, 0x00000001},
    /* to nearest, ties to even; overflow to infinity */
    {PROP_ROUNDING, OP_ADD, 0x3f800000, 0x33800000, 0, 0x3f800000},
    {PROP_ROUNDING, OP_ADD, 0x3f800001, 0x33800000, 0, 0x3f800002},
    {PROP_ROUNDING, OP_ADD, 0x3f800000, 0x33800001, 0, 0x3f800001},
    {PROP_ROUNDING, OP_ADD, 0xbf800000, 0xb3800000, 0, 0xbf800000},
    {PROP_ROUNDING, OP_SUB, 0x3f800000, 0x33000000, 0, 0x3f800000},
    {PROP_ROUNDING, OP_MUL, 0x3f800001, 0x3f800001, 0, 0x3f800002},
    {PROP_ROUNDING, OP_MUL, 0x3fffffff, 0x3fffffff, 0, 0x407ffffe},
    {PROP_ROUNDING, OP_MUL, 0x7f7fffff, 0x3f800001, 0, 0x7f800000},
    {PROP_ROUNDING, OP_ADD, 0x7f7fffff, 0x73000000, 0, 0x7f800000},
    {PROP_ROUNDING, OP_ADD, 0x7f7fffff, 0x72ffffff, 0, 0x7f7fffff},
    /* a * b + c in two roundings */
    {PROP_CONTRACTION, OP_MULADD, 0x3f800800, 0x3f800800, 0xbf801000, 0x00000000},
    {PROP_CONTRACTION, OP_MULADD, 0x3f800001, 0x3f800001, 0xbf800002, 0x00000000},
    {PROP_CONTRACTION, OP_MULSUB, 0x3f800800, 0x3f800800, 0x3f801000, 0x00000000},
    /* what an optimiser may not do */
    {PROP_SIMPLIFICATION, OP_MAGIC, 0x40200000, 0, 0, 0x40000000}, /* 2.5 to 2 */
    {PROP_SIMPLIFICATION, OP_MAGIC, 0x40600000, 0, 0, 0x40800000}, /* 3.5 to 4 */
    {PROP_SIMPLIFICATION, OP_ADDSUB, 0x4b800000, 0x3f800000, 0, 0x00000000},
    {PROP_SIMPLIFICATION, OP_ADDSUB, 0x7f800000, 0x3f800000, 0, 0x7fc00000},
    {PROP_SIMPLIFICATION, OP_MULMUL, 0x7f7fffff, 0x40000000, 0x3f000000, 0x7f800000},
    {PROP_SIMPLIFICATION, OP_MULMUL, 0x00000001, 0x3f000000, 0x40000000, 0x00000000},
    {PROP_SIMPLIFICATION, OP_SUB, 0x7f800000, 0x7f800000, 0, 0x7fc00000},
    /* signs of zeros */
    {PROP_ZEROS, OP_MUL, 0xbf800000, 0x00000000, 0, 0x80000000},
    {PROP_ZEROS, OP_ADD, 0x80000000, 0x00000000, 0, 0x00000000},
    {PROP_ZEROS, OP_ADD, 0x80000000, 0x80000000, 0, 0x80000000},
    {PROP_ZEROS, OP_SUB, 0x00000000, 0x00000000, 0, 0x00000000},
    {PROP_ZEROS, OP_SUB, 0x80000000, 0x00000000, 0, 0x80000000},
    {PROP_ZEROS, OP_SUB, 0x00000000, 0x3f800000, 0, 0xbf800000},
    {PROP_ZEROS, OP_RELU, 0x80000000, 0, 0, 0x80000000},
    {PROP_ZEROS, OP_NEGATE, 0x00000000, 0, 0, 0x80000000},
    {PROP_ZEROS, OP_PLUS_ZERO, 0x80000000, 0, 0, 0x00000000},
    {PROP_ZEROS, OP_PLUS_ZERO, 0x80000001, 0, 0, 0x80000001},
    {PROP_ZEROS, OP_EQUAL, 0x80000000, 0x00000000, 0, 1},
    {PROP_ZEROS, OP_LESS, 0x80000000, 0x00000000, 0, 0},
    {PROP_ZEROS, OP_LESS_EQUAL, 0x00000000, 0x80000000, 0, 1},
    {PROP_ZEROS, OP_NOT_GREATER, 0x00000000, 0x80000000, 0, 1},
    {PROP_ZEROS, OP_MAX, 0x80000000, 0x00000000, 0, 0x00000000}, /* not greater: the second */
    {PROP_ZEROS, OP_MAX, 0x00000000, 0x80000000, 0, 0x80000000},
    /* NaN is kept and compares as the standard says */
    {PROP_NAN, OP_IS_NAN, 0x7fc00000, 0, 0, 1},
    {PROP_NAN, OP_IS_NAN, 0xffc00000, 0, 0, 1},
    {PROP_NAN, OP_IS_NAN, 0x7f800000, 0, 0, 0},
    {PROP_NAN, OP_LESS, 0x7fc00000, 0x3f800000, 0, 0},
    {PROP_NAN, OP_LESS_EQUAL, 0x3f800000, 0x7fc00000, 0, 0},
    {PROP_NAN, OP_EQUAL, 0x7fc00000, 0x7fc00000, 0, 0},
    {PROP_NAN, OP_NOT_GREATER, 0x7fc00000, 0x3f800000, 0, 1},
    {PROP_NAN, OP_RELU, 0x7fc00000, 0, 0, 0x7fc00000},
    {PROP_NAN, OP_MAX, 0x7fc00000, 0x3f800000, 0, 0x7fc00000},
    {PROP_NAN, OP_MAX, 0x3f800000, 0x7fc00000, 0, 0x7fc00000},
    {PROP_NAN, OP_MUL, 0x7f800000, 0x00000000, 0, 0x7fc00000},
    {PROP_NAN, OP_ADD, 0x7f800000, 0xff800000, 0, 0x7fc00000},
    /* integers, as random numbers and integer arithmetic need them */
    {PROP_INTEGERS, OP_MUL_HI, 0xffffffff, 0xffffffff, 0, 0xfffffffe},
    {PROP_INTEGERS, OP_MUL_HI, 0xd2511f53, 0xffffffff, 0, 0xd2511f52},
    {PROP_INTEGERS, OP_MUL_HI, 0x00010000, 0x0000ffff, 0, 0x00000000},
    {PROP_INTEGERS, OP_MUL_LOW, 0xcd9e8d57, 0xffffffff, 0, 0x326172a9},
    {PROP_INTEGERS, OP_MUL_WIDE, 0xffffffff, 0xffffffff, 0, 0xfffe0000},
    {PROP_INTEGERS, OP_MUL_WIDE, 0x00ffffff, 0x00ffffff, 0, 0xfffffe00},
    {PROP_INTEGERS, OP_SHIFT, 0x80000001, 0x0000001f, 0, 0x80000001},
    {PROP_INTEGERS, OP_SHIFT, 0x80000001, 0x0000003e, 0, 0x00000001},
    {PROP_INTEGERS, OP_SHIFT, 0xffffffff, 0x00000000, 0, 0x80000000},
    {PROP_INTEGERS, OP_MUL_SIGNED, 0xffffffff, 0x00100000, 0, 0xffffffff},
    {PROP_INTEGERS, OP_MUL_SIGNED, 0x80000000, 0x80000000, 0, 0x00000000},
    {PROP_INTEGERS, OP_DIV_WIDE, 0xffffffff, 0xfffffffe, 0, 0x00100000},
    {PROP_INTEGERS, OP_DIV_WIDE, 0x80000000, 0x00100000, 0, 0x7ffff800},
    {PROP_INTEGERS, OP_DIV_WIDE, 0x00000001, 0x00100000, 0, 0x00000000},
    {PROP_INTEGERS, OP_REM_WIDE, 0xffffffff, 0x00000006, 0, 0x00000005},
    {PROP_INTEGERS, OP_REM_WIDE, 0x00000001, 0x00100000, 0, 0x00100000},
    /* conversions to float round to even */
    {PROP_CONVERSION, OP_FROM_INT, 0x01000001, 0, 0, 0x4b800000},
    {PROP_CONVERSION, OP_FROM_INT, 0x01000003, 0, 0, 0x4b800002},
    {PROP_CONVERSION, OP_FROM_INT, 0x80000000, 0, 0, 0xcf000000},
    {PROP_CONVERSION, OP_FROM_INT, 0xffffffff, 0, 0, 0xbf800000},
    {PROP_CONVERSION, OP_FROM_UINT, 0xffffff80, 0, 0, 0x4f800000},
    {PROP_CONVERSION, OP_FROM_UINT, 0xffffff7f, 0, 0, 0x4f7fffff},
    {PROP_CONVERSION, OP_FROM_UINT, 0x80000000, 0, 0, 0x4f000000},
    {PROP_CONVERSION, OP_FROM_BYTE, 0x000001ff, 0x3b808081, 0, 0x3f800000},
    {PROP_CONVERSION, OP_FROM_BYTE, 0x00000080, 0x3f800000, 0, 0x43000000},
    /* functions: their edges */
    {PROP_FUNCTIONS, OP_EXP, 0x00000000, 0, 0, 0x3f800000},
    {PROP_FUNCTIONS, OP_EXP, 0x42b17217, 0, 0, 0x7f7fff84},
    {PROP_FUNCTIONS, OP_EXP, 0x42b17218, 0, 0, 0x7f800000},
    {PROP_FUNCTIONS, OP_EXP, 0xff800000, 0, 0, 0x00000000},
    {PROP_FUNCTIONS, OP_EXP, 0xc2cff1b4, 0, 0, 0x00000001},
    {PROP_FUNCTIONS, OP_LOG, 0x00000000, 0, 0, 0xff800000},
    {PROP_FUNCTIONS, OP_LOG, 0x3f800000, 0, 0, 0x00000000},
    {PROP_FUNCTIONS, OP_LOG, 0xbf800000, 0, 0, 0x7fc00000},
    {PROP_FUNCTIONS, OP_LOG, 0x7f800000, 0, 0, 0x7f800000},
    {PROP_FUNCTIONS, OP_TANH, 0x80000000, 0, 0, 0x80000000},
    {PROP_FUNCTIONS, OP_TANH, 0xff800000, 0, 0, 0xbf800000},
    {PROP_FUNCTIONS, OP_TANH, 0x7fc00000, 0, 0, 0x7fc00000},
    {PROP_FUNCTIONS, OP_SIGMOID, 0x00000000, 0, 0, 0x3f000000},
    {PROP_FUNCTIONS, OP_SIGMOID, 0x7f800000, 0, 0, 0x3f800000},
    {PROP_FUNCTIONS, OP_SIGMOID, 0xff800000, 0, 0, 0x00000000},
};
const int ocl_probe_case_count = sizeof ocl_probe_cases / sizeof *ocl_probe_cases;

#define F(bits) cairn_exact_float(bits)
#define U(value) cairn_exact_bits(value)

static uint32_t host_integer(enum probe_op op, uint32_t a, uint32_t b)
{
    switch (op) {
    case OP_MUL_HI:
        return (uint32_t)(((uint64_t)a * b) >> 32);
    case OP_MUL_LOW:
        return a * b;
    case OP_MUL_WIDE:
        return (uint32_t)(((uint64_t)a * b) >> 16);
    case OP_FROM_INT:
        return U((float)(int32_t)a);
    case OP_FROM_UINT:
        return U((float)a);
    case OP_FROM_BYTE:
        return U((float)(a & 255u) * F(b));
    case OP_SHIFT:
        return (uint32_t)(((uint64_t)a << 31) >> (b & 63u));
    case OP_DIV_WIDE:
        return (uint32_t)(((uint64_t)a << 20) / (b | 1u));
    case OP_REM_WIDE:
        return (uint32_t)(((uint64_t)a << 20) % (b | 1u));
    default: /* OP_MUL_SIGNED */
        return (uint32_t)((uint64_t)((int64_t)(int32_t)a * (int32_t)b) >> 20);
    }
}

static uint32_t host_choice(enum probe_op op, float x, float y)
{
    switch (op) {
    case OP_LESS:
        return x < y;
    case OP_LESS_EQUAL:
        return x <= y;
    case OP_EQUAL:
        return x == y;
    case OP_IS_NAN:
        return x != x;
    case OP_NOT_GREATER:
        return !(x > y);
    case OP_RELU:
        return U(x < 0.0f ? 0.0f : x);
    case OP_MAX:
        return U(x > y || x != x ? x : y);
    case OP_PLUS_ZERO:
        return U(cairn_exact_plus_zero(x));
    default: /* OP_NEGATE */
        return U(x) ^ 0x80000000u;
    }
}

uint32_t ocl_probe_host(enum probe_op op, uint32_t a, uint32_t b, uint32_t c)
{
    volatile float x = F(a), y = F(b), z = F(c), t; /* volatile: nothing is folded at build time */
    switch (op) {
    case OP_FMA:
    case OP_SOFT_FMA:
        return U(fmaf(x, y, z));
    case OP_FNMA:
        return U(fmaf(-x, y, z));
    case OP_DIV:
    case OP_SOFT_DIV:
        return U(x / y);
    case OP_SQRT:
    case OP_SOFT_SQRT:
        return U(sqrtf(x));
    case OP_ADD:
        return U(x + y);
    case OP_SUB:
        return U(x - y);
    case OP_MUL:
        return U(x * y);
    case OP_MULADD:
        t = x * y;
        return U(t + z);
    case OP_MULSUB:
        t = x * y;
        return U(t - z);
    case OP_MAGIC:
        t = x + 12582912.0f;
        return U(t - 12582912.0f);
    case OP_ADDSUB:
        t = x + y;
        return U(t - x);
    case OP_MULMUL:
        t = x * y;
        return U(t * z);
    case OP_EXP:
        return U(cairn_exact_exp(x));
    case OP_LOG:
        return U(cairn_exact_log(x));
    case OP_TANH:
        return U(cairn_exact_tanh(x));
    case OP_SIGMOID:
        return U(cairn_exact_sigmoid(x));
    default:
        return op >= OP_MUL_HI ? host_integer(op, a, b) : host_choice(op, x, y);
    }
}

int ocl_probe_has_vectors(enum probe_op op)
{
    return op == OP_FMA || (op >= OP_ADD && op <= OP_MULADD) ||
           (op >= OP_RELU && op <= OP_PLUS_ZERO) || op == OP_FROM_UINT || op == OP_FROM_BYTE;
}

int ocl_probe_same(enum probe_op op, uint32_t x, uint32_t y)
{
    int whole = (op >= OP_LESS && op <= OP_NOT_GREATER) ||
                (op >= OP_MUL_HI && op < OP_EXP && op != OP_FROM_INT && op != OP_FROM_UINT &&
                 op != OP_FROM_BYTE);
    int nans = (x & 0x7fffffffu) > 0x7f800000u && (y & 0x7fffffffu) > 0x7f800000u;
    return x == y || (nans && !whole);
}

/* Drawn operands: any bits; near 1; subnormal; and addends that cancel the product or sit half a
 * unit beside it. */
#define PROBE_SEED 0x0c41121509u
static uint32_t word(int index, int which)
{
    return cairn_random_u32(PROBE_SEED, CAIRN_STREAM_CHECK, (uint32_t)which, (uint64_t)index);
}

static uint32_t operand(int index, int which)
{
    uint32_t bits = word(index, which), kind = word(index, which + 8) & 7u;
    if (kind < 3) return (bits & 0x80ffffffu) | (bits & 0x7000000u) | 0x38000000u; /* near 1 */
    if (kind == 3) return bits & 0x807fffffu;                                      /* subnormal */
    if (kind == 4) return bits & 0xfffff000u; /* few mantissa bits: ties */
    return bits;
}

static uint32_t addend(int index, uint32_t a, uint32_t b)
{
    uint32_t kind = word(index, 6) & 3u, product = U(F(a) * F(b));
    if (kind == 0) return operand(index, 2);
    if (kind == 1) return (product ^ 0x80000000u) + (word(index, 7) & 3u) - 1u;
    uint32_t shift = word(index, 7) % 52u << 23; /* beside the last bits of the product */
    return (product & 0x7fffffffu) > shift ? (product - shift) ^ (word(index, 7) & 0x80000000u)
                                           : product;
}

struct probe_case ocl_probe_draw(int index)
{
    static const struct {
        uint8_t property, op;
    } kinds[16] = {
        {PROP_FMA, OP_FMA},           {PROP_FMA, OP_FMA},       {PROP_FMA, OP_FMA},
        {PROP_FMA, OP_FMA},           {PROP_FMA, OP_FMA},       {PROP_FMA, OP_FNMA},
        {PROP_DIVISION, OP_DIV},      {PROP_DIVISION, OP_DIV},  {PROP_SQRT, OP_SQRT},
        {PROP_ROUNDING, OP_ADD},      {PROP_ROUNDING, OP_MUL},  {PROP_CONTRACTION, OP_MULADD},
        {PROP_FUNCTIONS, OP_EXP},     {PROP_FUNCTIONS, OP_LOG}, {PROP_FUNCTIONS, OP_TANH},
        {PROP_FUNCTIONS, OP_SIGMOID},
    };
    struct probe_case drawn = {.property = kinds[index % 16].property, .op = kinds[index % 16].op};
    drawn.a = operand(index, 0);
    drawn.b = operand(index, 1);
    drawn.c = drawn.op <= OP_FNMA || drawn.op == OP_MULADD ? addend(index, drawn.a, drawn.b) : 0;
    if (drawn.property == PROP_FUNCTIONS && (word(index, 5) & 1u)) /* -128 .. 128 */
        drawn.a = U((float)(int32_t)drawn.a * 0x1p-24f);
    drawn.want = ocl_probe_host((enum probe_op)drawn.op, drawn.a, drawn.b, drawn.c);
    return drawn;
}
