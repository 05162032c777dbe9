/* The functions that kernels for CPUs compute for 16 values side by side, as in functions.cl. */
#include "exact16.h"

#define FUNCTION(name, f)                                                                          \
    __kernel void name(__global uint *out, ulong out_off, uint first, uint step, long count)       \
    {                                                                                              \
        long at = (long)get_global_id(0) * 16;                                                     \
        uint16 lanes = (uint16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);             \
        uint16 bits = as_uint16(f(as_float16(first + ((uint)at + lanes) * step)));                 \
        if (at + 16 <= count) {                                                                    \
            vstore16(bits, 0, out + out_off + (ulong)at);                                          \
        } else {                                                                                   \
            uint some[16];                                                                         \
            vstore16(bits, 0, some);                                                               \
            for (int i = 0; i < 16; i++)                                                           \
                if (at + i < count) out[out_off + (ulong)(at + i)] = some[i];                      \
        }                                                                                          \
    }

FUNCTION(function_exp16, exact_exp16)
FUNCTION(function_tanh16, exact_tanh16)
FUNCTION(function_sigmoid16, exact_sigmoid16)
