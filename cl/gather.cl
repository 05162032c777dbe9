/* A batch from bytes: x[i] = ((float)table[index[i]] - shift) * scale, y[i] = label. An index outside gives NaN and -1. */
#include "exact.h"

/* Items are numbered row by row within rows first ... of this launch: item t is element t % size of row first + t / size. */
__kernel void gather(__global const uchar *table, ulong table_off, __global const int *indices, ulong indices_off,
                     __global float *x, ulong x_off, long count, long item, int total, float shift, float scale)
{
    long e = (long)get_global_id(0);
    for (long i = (long)get_global_id(1); i < count; i += (long)get_global_size(1)) {
        int row = indices[indices_off + i];
        int inside = row >= 0 && row < total;
        __global const uchar *from = table + table_off + (inside ? row : 0) * item;
        if (e < item) x[x_off + i * item + e] = inside ? ((float)from[e] - shift) * scale : as_float(NAN_BITS);
    }
}

__kernel void gather_labels(__global const uchar *labels, ulong labels_off, __global const int *indices,
                            ulong indices_off, __global int *y, ulong y_off, long count, int total)
{
    long i = (long)get_global_id(0);
    if (i < count) {
        int row = indices[indices_off + i];
        y[y_off + i] = row >= 0 && row < total ? (int)labels[labels_off + row] : -1;
    }
}
