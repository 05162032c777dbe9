/* A batch from bytes: x[i] = ((float)table[index[i]] - shift) * scale, y[i] = label. An index
 * outside gives NaN and -1. "cpu": a work-item makes a stretch of one row in vectors. "gpu": a
 * work-item makes one element. */
#include "exact.h"

#ifndef STRETCH
#define STRETCH 4096 // elements of a "cpu" work-item
#endif

static inline void fill_nan(__global float *to, int count)
{
    for (int e = 0; e < count; e++) to[e] = as_float(NAN_BITS);
}

/* Work-item t makes stretch t % stretches of row t / stretches; the last vector overlaps the one
 * before. */
__kernel void gather_cpu(__global const uchar *table, ulong table_off, __global const int *indices,
                         ulong indices_off, __global float *x, ulong x_off, long stretches,
                         long item, int total, float shift, float scale)
{
    long t = (long)get_global_id(0), i = t / stretches, begin = (t - i * stretches) * STRETCH;
    int count = item - begin < STRETCH ? (int)(item - begin) : STRETCH,
        row = indices[indices_off + i];
    __global float *to = x + x_off + i * item + begin;
    if (row < 0 || row >= total) {
        fill_nan(to, count);
        return;
    }
    __global const uchar *from = table + table_off + row * item + begin;
    if (count >= 16) {
        for (int e = 0; e < count; e += 16) {
            int at = e + 16 <= count ? e : count - 16;
            vstore16((convert_float16(vload16(0, from + at)) - shift) * scale, 0, to + at);
        }
    } else {
        for (int e = 0; e < count; e++) to[e] = ((float)from[e] - shift) * scale;
    }
}

/* Work-item (e, i) makes element e of row base + i. */
__kernel void gather_gpu(__global const uchar *table, ulong table_off, __global const int *indices,
                         ulong indices_off, __global float *x, ulong x_off, long base, long item,
                         int total, float shift, float scale)
{
    long e = (long)get_global_id(0), i = base + (long)get_global_id(1);
    int row = indices[indices_off + i];
    int inside = row >= 0 && row < total;
    if (e < item) {
        float v = ((float)table[table_off + (inside ? row : 0) * item + e] - shift) * scale;
        x[x_off + i * item + e] = inside ? v : as_float(NAN_BITS);
    }
}

__kernel void gather_labels(__global const uchar *labels, ulong labels_off,
                            __global const int *indices, ulong indices_off, __global int *y,
                            ulong y_off, long count, int total)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        int row = indices[indices_off + i];
        y[y_off + i] = row >= 0 && row < total ? (int)labels[labels_off + row] : -1;
    }
}
