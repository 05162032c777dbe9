/* Sixteen neighbours, or as many of them as there are. */
#ifndef CAIRN_STRIP_H
#define CAIRN_STRIP_H

/* The first `width` of 16 neighbours, then zeros. */
static inline float16 load_strip(__global const float *p, int width)
{
    float part[16];
    if (width == 16) return vload16(0, p);
    for (int q = 0; q < 16; q++) part[q] = 0.0f;
    for (int q = 0; q < width; q++) part[q] = p[q];
    return vload16(0, part);
}

/* The first `width` of v. */
static inline void store_strip(float16 v, __global float *p, int width)
{
    float part[16];
    if (width == 16) {
        vstore16(v, 0, p);
        return;
    }
    vstore16(v, 0, part);
    int e = 0;
    if (width & 8) {
        vstore8(vload8(0, part), 0, p);
        e = 8;
    }
    if (width & 4) {
        vstore4(vload4(0, part + e), 0, p + e);
        e += 4;
    }
    for (; e < width; e++) p[e] = part[e];
}

#endif
