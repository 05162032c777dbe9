#include "device/schema.h"
#include "reference/reference.h"

#include <string.h>

/* The winner's position in the plane, of the window at (oy, ox): the first largest in row order, or
 * the last NaN. */
static int64_t winner(const struct cairn_pool *p, const float *x, int64_t oy, int64_t ox)
{
    int64_t top = oy * p->stride_h - p->pad_t, left = ox * p->stride_w - p->pad_l;
    int64_t bottom = ref_min(top + p->kh, p->h), right = ref_min(left + p->kw, p->w);
    if (top < 0) top = 0;
    if (left < 0) left = 0;
    int64_t at = top * p->w + left;
    float best = x[at];
    for (int64_t row = top; row < bottom; row++)
        for (int64_t i = row * p->w + left; i < row * p->w + right; i++)
            if (x[i] > best || x[i] != x[i]) {
                best = x[i];
                at = i;
            }
    return at;
}

cairn_status ref_pool(struct cairn_backend *backend, const struct cairn_pool *p, int variant)
{
    (void)backend, (void)variant;
    int64_t oh = cairn_pool_oh(p), ow = cairn_pool_ow(p);
    const float *x = ref_floats(&p->x);
    float *y = ref_floats(&p->y);
    int32_t *index = ref_ints(&p->index);
    for (int64_t plane = 0; plane < p->planes; plane++, x += p->h * p->w)
        for (int64_t oy = 0; oy < oh; oy++)
            for (int64_t ox = 0; ox < ow; ox++) {
                int64_t at = winner(p, x, oy, ox);
                *y++ = x[at];
                *index++ = (int32_t)at;
            }
    return CAIRN_OK;
}

/* Scattering the windows in row-major order adds to each element in the order of the definition. An
 * index outside the plane names no element. */
cairn_status ref_pool_grad(struct cairn_backend *backend, const struct cairn_pool *p, int variant)
{
    (void)backend, (void)variant;
    int64_t windows = cairn_pool_oh(p) * cairn_pool_ow(p), size = p->h * p->w;
    const float *dy = ref_floats(&p->y);
    const int32_t *index = ref_ints(&p->index);
    float *dx = ref_floats(&p->x);
    memset(dx, 0, (size_t)(p->planes * size) * sizeof *dx);
    for (int64_t plane = 0; plane < p->planes; plane++, dx += size)
        for (int64_t i = 0; i < windows; i++, index++, dy++)
            if (*index >= 0 && *index < size) dx[*index] = dx[*index] + *dy;
    return CAIRN_OK;
}
