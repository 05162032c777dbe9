/* Activations and their gradients, one work-item per element; formulas in <cairn/problem.h>. y may
 * be x, dx may be dy: an element is read before it is written and by its own work-item only. */
#include "exact.h"

__kernel void relu_forward(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                           long count)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float v = x[x_off + i];
        y[y_off + i] = RELU(v);
    }
}

__kernel void tanh_forward(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                           long count)
{
    long i = (long)get_global_id(0);
    if (i < count) y[y_off + i] = exact_tanh(x[x_off + i]);
}

__kernel void sigmoid_forward(__global const float *x, ulong x_off, __global float *y, ulong y_off,
                              long count)
{
    long i = (long)get_global_id(0);
    if (i < count) y[y_off + i] = exact_sigmoid(x[x_off + i]);
}

__kernel void relu_grad(__global const float *y, ulong y_off, __global const float *dy,
                        ulong dy_off, __global float *dx, ulong dx_off, long count)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float d = dy[dy_off + i];
        dx[dx_off + i] = y[y_off + i] <= 0.0f ? 0.0f : d;
    }
}

__kernel void tanh_grad(__global const float *y, ulong y_off, __global const float *dy,
                        ulong dy_off, __global float *dx, ulong dx_off, long count)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float v = y[y_off + i];
        dx[dx_off + i] = dy[dy_off + i] * FMA(-v, v, 1.0f);
    }
}

__kernel void sigmoid_grad(__global const float *y, ulong y_off, __global const float *dy,
                           ulong dy_off, __global float *dx, ulong dx_off, long count)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        float v = y[y_off + i];
        dx[dx_off + i] = dy[dy_off + i] * (v * (1.0f - v));
    }
}
