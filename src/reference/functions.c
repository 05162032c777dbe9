/* The functions of the exact arithmetic over ranges of operands. Those of two or three operands
 * make the others from the first, by integers, as cl/functions.cl does. */
#include "base/exact.h"
#include "reference/reference.h"

static inline uint32_t mixed(uint32_t u)
{
    u = (u ^ (u >> 16)) * 0x7feb352du;
    u = (u ^ (u >> 15)) * 0x846ca68bu;
    return u ^ (u >> 16);
}

static inline float as(uint32_t bits)
{
    return cairn_exact_float(bits);
}

/* A quotient next to the middle of two floats: n b = a 2^25 - r with small odd r, n odd of 25 bits,
 * b odd of 24. */
static inline float hard_quotient(uint32_t u)
{
    uint32_t h = mixed(u), b = (h & 0xffffffu) | 0x800001u, r = ((h >> 24) & 6u) + 1u, inverse = b;
    for (int i = 0; i < 4; i++) inverse *= 2u - b * inverse;
    uint32_t n = (r * inverse) & 0x1ffffffu;
    int negative = n >= 0x1000000u;
    uint64_t product = (uint64_t)(negative ? n : 0x2000000u - n) * b;
    uint32_t a = (uint32_t)((negative ? product - r : product + r) >> 25);
    int up = (int)(h >> 27 & 31u) - 16;
    return (float)(int32_t)a / ((float)(int32_t)b * as((uint32_t)(127 + up) << 23));
}

static inline uint32_t addend(uint32_t x, uint32_t y)
{
    uint32_t h = mixed(y);
    int e = (int)(x >> 23 & 255u) + (int)(y >> 23 & 255u) - 127 + (int)(h >> 24 & 63u) - 32;
    e = e < 0 ? 0 : e > 254 ? 254 : e;
    return (h & 0x807fffffu) | ((uint32_t)e << 23);
}

static inline float fused(uint32_t u)
{
    return fmaf(as(u), as(mixed(u)), as(addend(u, mixed(u))));
}

/* One loop a function, so that each is compiled for several instruction sets. */
#define LOOP(name, value)                                                                          \
    REF_CLONES                                                                                     \
    static void name##_loop(uint32_t *out, uint32_t first, uint32_t step, int64_t count)           \
    {                                                                                              \
        for (int64_t i = 0; i < count; i++) {                                                      \
            uint32_t u = first + (uint32_t)i * step;                                               \
            out[i] = cairn_exact_bits(value);                                                      \
        }                                                                                          \
    }

LOOP(exp, cairn_exact_exp(as(u)))
LOOP(expm1, cairn_exact_expm1(as(u)))
LOOP(log, cairn_exact_log(as(u)))
LOOP(tanh, cairn_exact_tanh(as(u)))
LOOP(sigmoid, cairn_exact_sigmoid(as(u)))
LOOP(softplus, cairn_exact_softplus(as(u)))
LOOP(erf, cairn_exact_erf(as(u)))
LOOP(sqrt, sqrtf(as(u)))
LOOP(divide, as(u) / as(mixed(u)))
LOOP(divide_hard, hard_quotient(u))
LOOP(fma, fused(u))

cairn_status ref_function(struct cairn_backend *backend, enum cairn_function function,
                          uint32_t first, uint32_t step, int64_t count, struct cairn_buffer *out)
{
    static void (*const loops[])(uint32_t *, uint32_t, uint32_t, int64_t) = {
        [CAIRN_FUNCTION_exp] = exp_loop,
        [CAIRN_FUNCTION_expm1] = expm1_loop,
        [CAIRN_FUNCTION_log] = log_loop,
        [CAIRN_FUNCTION_tanh] = tanh_loop,
        [CAIRN_FUNCTION_sigmoid] = sigmoid_loop,
        [CAIRN_FUNCTION_softplus] = softplus_loop,
        [CAIRN_FUNCTION_erf] = erf_loop,
        [CAIRN_FUNCTION_sqrt] = sqrt_loop,
        [CAIRN_FUNCTION_divide] = divide_loop,
        [CAIRN_FUNCTION_divide_hard] = divide_hard_loop,
        [CAIRN_FUNCTION_fma] = fma_loop,
        [CAIRN_FUNCTION_sqrt_integer] = sqrt_loop,
        [CAIRN_FUNCTION_divide_integer] = divide_loop,
        [CAIRN_FUNCTION_divide_hard_integer] = divide_hard_loop,
        [CAIRN_FUNCTION_fma_integer] = fma_loop,
        [CAIRN_FUNCTION_exp16] = exp_loop,
        [CAIRN_FUNCTION_tanh16] = tanh_loop,
        [CAIRN_FUNCTION_sigmoid16] = sigmoid_loop,
    };
    (void)backend;
    struct cairn_mem to = {out, 0};
    loops[function]((uint32_t *)(void *)ref_ints(&to), first, step, count);
    return CAIRN_OK;
}
