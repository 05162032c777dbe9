/* Addition: y = x + b element by element (each), or with one b for each channel of n1 x c x n2.
 * "cpu": a work-item makes a block of rows in vectors, along l (rows) or, where n2 = 1, along j
 * (columns). "gpu": a work-item makes one element. y may be x or b: an element is read before it is
 * written and by its own work-item only. */
#include "exact.h"
#include "strip.h"

__kernel void add_each(__global const float *x, ulong x_off, __global const float *b, ulong b_off,
                       __global float *y, ulong y_off, long count)
{
    long i = (long)get_global_id(0);
    if (i < count) y[y_off + i] = x[x_off + i] + b[b_off + i];
}

/* Work-item t makes elements piece * length ... of rows block * rows ..., of n1 * c rows of n2. */
__kernel void add_rows(__global const float *x, ulong x_off, __global const float *b, ulong b_off,
                       __global float *y, ulong y_off, ulong c, ulong n2, ulong all, ulong rows,
                       ulong length, ulong pieces)
{
    ulong t = (ulong)get_global_id(0), block = t / pieces, first = (t - block * pieces) * length;
    ulong row = block * rows, end = row + rows < all ? row + rows : all,
          last = first + length < n2 ? first + length : n2;
    for (; row < end; row++) {
        float v = b[b_off + row % c];
        __global const float *from = x + x_off + row * n2;
        __global float *to = y + y_off + row * n2;
        ulong l = first;
        for (; l + 16 <= last; l += 16) vstore16(vload16(0, from + l) + v, 0, to + l);
        for (; l < last; l++) to[l] = from[l] + v;
    }
}

/* The same for n1 rows of c, b along them. */
__kernel void add_columns(__global const float *x, ulong x_off, __global const float *b,
                          ulong b_off, __global float *y, ulong y_off, ulong c, ulong n2, ulong all,
                          ulong rows, ulong length, ulong pieces)
{
    ulong t = (ulong)get_global_id(0), block = t / pieces, first = (t - block * pieces) * length;
    ulong begin = block * rows, end = begin + rows < all ? begin + rows : all,
          last = first + length < c ? first + length : c;
    for (ulong j = first; j < last; j += 16) {
        int width = last - j < 16 ? (int)(last - j) : 16;
        float16 v = load_strip(b + b_off + j, width);
        for (ulong row = begin; row < end; row++)
            store_strip(load_strip(x + x_off + row * c + j, width) + v, y + y_off + row * c + j,
                        width);
    }
}

/* Elements base ... base + items - 1; base is the first of a row of channel 0. */
__kernel void add_gpu(__global const float *x, ulong x_off, __global const float *b, ulong b_off,
                      __global float *y, ulong y_off, ulong base, uint items, uint c, uint n2)
{
    uint t = (uint)get_global_id(0);
    if (t < items) {
        uint row = t / n2, j = row - row / c * c;
        y[y_off + base + t] = x[x_off + base + t] + b[b_off + j];
    }
}
