/* What a device must get right, as one kernel over data: the host asks for (operation, a, b, c) and compares bits.
 * src/opencl/probe.c holds the cases. The operations are numbered as there; operands come as memory, never as literals, so
 * that no compiler folds them. */
#include "exact.h"

#define F(u) as_float(u)
#define U(f) as_uint(f)

/* One float operation, by the macros that all kernels use. */
static uint float_op(uint op, uint a, uint b, uint c)
{
    float x = F(a), y = F(b), z = F(c);
    switch (op) {
    case 0: return U(FMA(x, y, z));
    case 1: return U(FMA(-x, y, z));
    case 2: return U(DIV(x, y));
    case 3: return U(SQRT(x));
    case 4: return U(x + y);
    case 5: return U(x - y);
    case 6: return U(x * y);
    case 7: return U(x * y + z);
    case 8: return U(x * y - z);
    case 9: return U((x + 12582912.0f) - 12582912.0f);
    case 10: return U((x + y) - x);
    case 11: return U(x * y * z);
    default: return NAN_BITS;
    }
}

/* Comparisons and selections. */
static uint choice_op(uint op, uint a, uint b)
{
    float x = F(a), y = F(b);
    switch (op) {
    case 16: return (uint)(x < y);
    case 17: return (uint)(x <= y);
    case 18: return (uint)(x == y);
    case 19: return (uint)(x != x);
    case 20: return (uint)!(x > y);
    case 21: return U(RELU(x));
    case 22: return U(x > y || x != x ? x : y);
    case 23: return U(no_minus_zero(x));
    case 24: return U(-x);
    default: return NAN_BITS;
    }
}

/* Integers and conversions. */
static uint integer_op(uint op, uint a, uint b)
{
    switch (op) {
    case 32: return mul_hi(a, b);
    case 33: return a * b;
    case 34: return (uint)(((ulong)a * (ulong)b) >> 16);
    case 35: return U((float)(int)a);
    case 36: return U((float)a);
    case 37: return U((float)(uchar)a * F(b));
    case 38: return (uint)(((ulong)a << 31) >> (b & 63u));
    case 39: return (uint)(((long)(int)a * (long)(int)b) >> 20);
    case 40: return (uint)(((ulong)a << 20) / (ulong)(b | 1u));
    case 41: return (uint)(((ulong)a << 20) % (ulong)(b | 1u));
    default: return NAN_BITS;
    }
}

/* The functions of exact.h. */
static uint function_op(uint op, uint a)
{
    float x = F(a);
    switch (op) {
    case 48: return U(exact_exp(x));
    case 49: return U(exact_log(x));
    case 50: return U(exact_tanh(x));
    default: return U(exact_sigmoid(x));
    }
}

/* The integer versions, whether the kernels use them or not. */
static uint soft_op(uint op, uint a, uint b, uint c)
{
    switch (op) {
    case 64: return U(soft_fma(F(a), F(b), F(c)));
    case 65: return U(soft_div(F(a), F(b)));
    default: return U(soft_sqrt(F(a)));
    }
}

#define OPERANDS                                                                                                       \
    __global const uint *op, ulong op_at, __global const uint *a, ulong a_at, __global const uint *b, ulong b_at,      \
        __global const uint *c, ulong c_at, __global uint *out, ulong out_at, int count

/* out[i] = op[i](a[i], b[i], c[i]), each kernel for its own range of operations: some compilers take long over all in one. */
__kernel void probe(OPERANDS)
{
    int i = (int)get_global_id(0);
    if (i >= count) return;
    uint o = op[op_at + i], u = a[a_at + i], v = b[b_at + i], w = c[c_at + i];
    if (o < 48u) out[out_at + i] = o < 16u ? float_op(o, u, v, w) : o < 32u ? choice_op(o, u, v) : integer_op(o, u, v);
}

__kernel void probe_functions(OPERANDS)
{
    int i = (int)get_global_id(0);
    if (i >= count) return;
    uint o = op[op_at + i];
    if (o >= 48u && o < 64u) out[out_at + i] = function_op(o, a[a_at + i]);
}

__kernel void probe_soft(OPERANDS)
{
    int i = (int)get_global_id(0);
    if (i >= count) return;
    uint o = op[op_at + i];
    if (o >= 64u) out[out_at + i] = soft_op(o, a[a_at + i], b[b_at + i], c[c_at + i]);
}

/* What kernels do with vectors, which take another way through some compilers and devices, over count groups of N cases; the
 * operation of a group is that of its first case. */
#define VECTORS(name, N)                                                                                                  \
    static uint##N vector_op##N(uint op, uint##N a, uint##N b, uint##N c)                                              \
    {                                                                                                                  \
        const float##N x = as_float##N(a), y = as_float##N(b), z = as_float##N(c), zero = (float##N)0.0f;              \
        switch (op) {                                                                                                  \
        case 0: return as_uint##N(FMA##N(x, y, z));                                                                    \
        case 4: return as_uint##N(x + y);                                                                              \
        case 5: return as_uint##N(x - y);                                                                              \
        case 6: return as_uint##N(x * y);                                                                              \
        case 7: return as_uint##N(x * y + z);                                                                          \
        case 21: return as_uint##N(select(x, zero, x < zero));                                                         \
        case 22: return as_uint##N(select(y, x, (x > y) | (x != x)));                                                  \
        case 23: return as_uint##N(select(x, zero, (as_int##N(x) << 1) == (int##N)0));                                 \
        case 36: return as_uint##N(convert_float##N(a));                                                               \
        case 37: return as_uint##N(convert_float##N(convert_uchar##N(a & 255u)) * y);                                  \
        default: return (uint##N)NAN_BITS;                                                                             \
        }                                                                                                              \
    }                                                                                                                  \
    __kernel void name(OPERANDS)                                                                                       \
    {                                                                                                                  \
        int i = (int)get_global_id(0);                                                                                 \
        if (i >= count) return;                                                                                        \
        uint##N u = vload##N(i, a + a_at), v = vload##N(i, b + b_at), w = vload##N(i, c + c_at);                       \
        vstore##N(vector_op##N(op[op_at + i * N], u, v, w), i, out + out_at);                                          \
    }
VECTORS(probe_vector4, 4)
VECTORS(probe_vector8, 8)
VECTORS(probe_vector16, 16)

#define PROBE_GROUP 128 // the largest group of probe_group

/* Local memory and barriers, for any power of two up to PROBE_GROUP: a group of n items rotates an array through its items,
 * then folds it. */
__kernel void probe_group(__global uint *out, ulong out_at)
{
    __local uint shared[PROBE_GROUP];
    uint l = (uint)get_local_id(0), n = (uint)get_local_size(0), value = (uint)get_global_id(0) * 2654435761u;
    for (uint round = 0u; round < 8u; round++) {
        shared[l] = value;
        barrier(CLK_LOCAL_MEM_FENCE);
        value = shared[(l + 5u) & (n - 1u)] * 3u + l;
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    shared[l] = value;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint h = n / 2u; h > 0u; h >>= 1) {
        if (l < h) shared[l] += shared[l + h] ^ h;
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    out[out_at + get_global_id(0)] = shared[0] + value;
}

/* Loops that add, add products and multiply in the order of memory, over `each` elements by each of an odd number of
 * work-items: what is left beside a compiler's vectors of work-items may be turned into vectors of its own. */
__kernel void probe_order(__global const float *x, ulong x_at, __global uint *out, ulong out_at, int each)
{
    ulong t = get_global_id(0);
    __global const float *p = x + x_at + t * (ulong)each;
    float sum = 0.0f, products = 0.0f, product = 1.0f;
    IN_ORDER
    for (int i = 0; i < each; i++) sum = sum + p[i];
    IN_ORDER
    for (int i = 0; i < each; i++) products = products - p[i] * p[i];
    IN_ORDER
    for (int i = 0; i < each; i++) product = product * p[i];
    out[out_at + 3ul * t] = U(sum);
    out[out_at + 3ul * t + 1ul] = U(products);
    out[out_at + 3ul * t + 2ul] = U(product);
}
