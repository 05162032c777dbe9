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

static inline int label_of(__global const uchar *labels, int row, int total)
{
    return row >= 0 && row < total ? (int)labels[row] : -1;
}

#define SIDE 4 // rows that a "cpu" work-item makes side by side: they come from anywhere in memory

/* Work-item t makes stretch t % stretches of SIDE rows, the first stretch of a row its label, too;
 * behind the last row it is made again. The last vector overlaps the one before. Offsets: table,
 * indices | x, labels | y; sizes: stretches, item | rows. */
__kernel void gather_cpu(__global const uchar *table, __global const int *indices,
                         __global float *x, __global const uchar *labels, __global int *y,
                         ulong2 from_at, ulong2 x_labels_at, ulong2 y_at, long2 sizes, long2 rows,
                         int total, float4 shift_scale)
{
    long stretches = sizes.x, item = sizes.y;
    float shift = shift_scale.x, scale = shift_scale.y;
    long t = (long)get_global_id(0), set = t / stretches, begin = (t - set * stretches) * STRETCH;
    int count = item - begin < STRETCH ? (int)(item - begin) : STRETCH, row[SIDE];
    __global const uchar *from[SIDE];
    __global float *to[SIDE];
    for (int r = 0; r < SIDE; r++) {
        long i = set * SIDE + r < rows.x ? set * SIDE + r : rows.x - 1;
        row[r] = indices[from_at.y + i];
        from[r] = table + from_at.x + (row[r] >= 0 && row[r] < total ? row[r] : 0) * item + begin;
        to[r] = x + x_labels_at.x + i * item + begin;
        if (begin == 0) y[y_at.x + i] = label_of(labels + x_labels_at.y, row[r], total);
    }
    for (int e = 0; e + 16 <= count; e += 16)
        for (int r = 0; r < SIDE; r++)
            vstore16((convert_float16(vload16(0, from[r] + e)) - shift) * scale, 0, to[r] + e);
    for (int r = 0; r < SIDE; r++) {
        int e = count - 16;
        if (row[r] < 0 || row[r] >= total)
            fill_nan(to[r], count);
        else if (e >= 0)
            vstore16((convert_float16(vload16(0, from[r] + e)) - shift) * scale, 0, to[r] + e);
        else
            for (e = 0; e < count; e++) to[r][e] = ((float)from[r][e] - shift) * scale;
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
        y[y_off + i] = label_of(labels + labels_off, indices[indices_off + i], total);
    }
}
