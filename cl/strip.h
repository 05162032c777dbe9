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
    for (int q = 0; q < width; q++) p[q] = part[q];
}

#endif
