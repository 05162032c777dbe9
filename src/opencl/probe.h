/* The probe's cases: what a device must answer, bit for bit, before `exact` may run on it.
 *
 * Operations are numbered as in cl/probe.cl; operands reach the device as data. */
#ifndef CAIRN_OPENCL_PROBE_H
#define CAIRN_OPENCL_PROBE_H

#include <stdint.h>

enum probe_op {
    OP_FMA = 0, /* a * b + c fused */
    OP_FNMA,    /* -a * b + c fused */
    OP_DIV,
    OP_SQRT,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_MULADD, /* two roundings */
    OP_MULSUB,
    OP_MAGIC,  /* (a + 1.5 * 2^23) - 1.5 * 2^23 */
    OP_ADDSUB, /* (a + b) - a */
    OP_MULMUL, /* (a * b) * c */
    OP_LESS = 16,
    OP_LESS_EQUAL,
    OP_EQUAL,
    OP_IS_NAN,
    OP_NOT_GREATER,
    OP_RELU,
    OP_MAX, /* a > b || a != a ? a : b */
    OP_PLUS_ZERO,
    OP_NEGATE,
    OP_MUL_HI = 32,
    OP_MUL_LOW,
    OP_MUL_WIDE, /* bits 16 to 47 of the product */
    OP_FROM_INT,
    OP_FROM_UINT,
    OP_FROM_BYTE, /* (float)(a & 255) * b */
    OP_SHIFT,     /* (64-bit a << 31) >> (b & 63) */
    OP_MUL_SIGNED,
    OP_DIV_WIDE, /* (64-bit a << 20) / (b | 1) */
    OP_REM_WIDE,
    OP_EXP = 48,
    OP_LOG,
    OP_TANH,
    OP_SIGMOID,
    OP_SOFT_FMA = 64, /* the integer versions of cl/exact.h */
    OP_SOFT_DIV,
    OP_SOFT_SQRT,
};

enum probe_property {
    PROP_HOST,
    PROP_FMA,
    PROP_DIVISION,
    PROP_SQRT,
    PROP_DENORMALS,
    PROP_ROUNDING,
    PROP_CONTRACTION,
    PROP_SIMPLIFICATION,
    PROP_ZEROS,
    PROP_NAN,
    PROP_INTEGERS,
    PROP_CONVERSION,
    PROP_FUNCTIONS,
    PROP_LOCAL,
    PROP_ORDER,
    PROP_COUNT
};

struct probe_case {
    uint8_t property, op;
    uint32_t a, b, c, want;
};

/* The hard cases: listed answers. */
extern const struct probe_case ocl_probe_cases[];
extern const int ocl_probe_case_count;

/* The host's answer to an operation. */
uint32_t ocl_probe_host(enum probe_op op, uint32_t a, uint32_t b, uint32_t c);

/* Do kernels do it with vectors, too? */
int ocl_probe_has_vectors(enum probe_op op);

/* Equal bits; for operations that give floats, any NaN equals any other. */
int ocl_probe_same(enum probe_op op, uint32_t x, uint32_t y);

/* Case number `index` of those drawn at random, hard ones more often; the same ones every time. The
 * answer is the host's. */
#define PROBE_DRAWN 4096
struct probe_case ocl_probe_draw(int index);

#endif
