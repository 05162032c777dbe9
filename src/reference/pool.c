#include "device/schema.h"
#include "reference/reference.h"

#include <string.h>

/* The part of a window inside the plane: rows top ... bottom - 1, columns left ... right - 1. */
struct part {
    int64_t top, bottom, left, right;
};

static struct part part_of(const struct cairn_pool *p, int64_t oy, int64_t ox)
{
    int64_t top = oy * p->stride_h - p->pad_t, left = ox * p->stride_w - p->pad_l;
    return (struct part){top < 0 ? 0 : top, ref_min(top + p->kh, p->h), left < 0 ? 0 : left,
                         ref_min(left + p->kw, p->w)};
}

/* What is pooled. */
static float acted(const struct cairn_pool *p, float x)
{
    return p->act == CAIRN_ACT_RELU && x < 0.0f ? 0.0f : x;
}

/* The winner's value and position in the plane: the first largest in row order, or the last NaN. */
static float winner(const struct cairn_pool *p, const float *x, const struct part *part,
                    int64_t *at)
{
    float best = acted(p, x[ *at = part->top * p->w + part->left]);
    for (int64_t row = part->top; row < part->bottom; row++)
        for (int64_t i = row * p->w + part->left; i < row * p->w + part->right; i++) {
            float v = acted(p, x[i]);
            if (v > best || v != v) {
                best = v;
                *at = i;
            }
        }
    return best;
}

/* What a mean is divided by. */
static float size_of(const struct cairn_pool *p, const struct part *part)
{
    int64_t inside = (part->bottom - part->top) * (part->right - part->left);
    return (float)(p->count_pad ? p->kh * p->kw : inside);
}

static float mean(const struct cairn_pool *p, const float *x, const struct part *part)
{
    float t = 0.0f;
    for (int64_t row = part->top; row < part->bottom; row++)
        for (int64_t i = row * p->w + part->left; i < row * p->w + part->right; i++) t = t + x[i];
    return t / size_of(p, part);
}

cairn_status ref_pool(struct cairn_backend *backend, const struct cairn_pool *p, int variant)
{
    (void)backend, (void)variant;
    int64_t oh = cairn_pool_oh(p), ow = cairn_pool_ow(p);
    const float *x = ref_floats(&p->x);
    float *y = ref_floats(&p->y);
    int32_t *index = p->kind == CAIRN_POOL_MAX ? ref_ints(&p->index) : NULL;
    for (int64_t plane = 0; plane < p->planes; plane++, x += p->h * p->w)
        for (int64_t oy = 0; oy < oh; oy++)
            for (int64_t ox = 0; ox < ow; ox++) {
                struct part part = part_of(p, oy, ox);
                if (p->kind == CAIRN_POOL_AVERAGE) {
                    *y++ = mean(p, x, &part);
                    continue;
                }
                int64_t at;
                float best = winner(p, x, &part, &at);
                *y++ = best;
                *index++ = p->act == CAIRN_ACT_RELU && best <= 0.0f ? -1 : (int32_t)at;
            }
    return CAIRN_OK;
}

/* Scattering the windows in row-major order adds to each element in the order of the definition. An
 * index outside the plane names no element. */
static void scatter_winners(const struct cairn_pool *p)
{
    int64_t windows = cairn_pool_oh(p) * cairn_pool_ow(p), size = p->h * p->w;
    const float *dy = ref_floats(&p->y);
    const int32_t *index = ref_ints(&p->index);
    float *dx = ref_floats(&p->x);
    for (int64_t plane = 0; plane < p->planes; plane++, dx += size)
        for (int64_t i = 0; i < windows; i++, index++, dy++)
            if (*index >= 0 && *index < size) dx[*index] = dx[*index] + *dy;
}

static void scatter_means(const struct cairn_pool *p)
{
    int64_t oh = cairn_pool_oh(p), ow = cairn_pool_ow(p);
    const float *dy = ref_floats(&p->y);
    float *dx = ref_floats(&p->x);
    for (int64_t plane = 0; plane < p->planes; plane++, dx += p->h * p->w)
        for (int64_t i = 0; i < oh * ow; i++, dy++) {
            struct part part = part_of(p, i / ow, i % ow);
            float share = *dy / size_of(p, &part);
            for (int64_t row = part.top; row < part.bottom; row++)
                for (int64_t at = row * p->w + part.left; at < row * p->w + part.right; at++)
                    dx[at] = dx[at] + share;
        }
}

cairn_status ref_pool_grad(struct cairn_backend *backend, const struct cairn_pool *p, int variant)
{
    (void)backend, (void)variant;
    memset(ref_floats(&p->x), 0, (size_t)(p->planes * p->h * p->w) * sizeof(float));
    if (p->kind == CAIRN_POOL_MAX)
        scatter_winners(p);
    else
        scatter_means(p);
    return CAIRN_OK;
}
