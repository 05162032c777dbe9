#include "base/exact.h"
#include "base/random.h"
#include "reference/reference.h"

/* What an image drew. */
struct move {
    int64_t top, left; /* the cut's corner in the image; it may lie outside */
    int mirrored;
    uint32_t angle; /* 2^-32 turns */
};

/* The high word of word * count; count may be 2^32 + 1. */
static int64_t scaled(uint32_t word, int64_t count)
{
    return (int64_t)((uint64_t)word * (uint64_t)count >> 32);
}

static struct move draw(const struct cairn_augment *p, int64_t image)
{
    int64_t rows = p->h - p->oh, columns = p->w - p->ow;
    uint32_t words[4];
    if (!p->random) return (struct move){rows / 2, columns / 2, 0, 0};
    cairn_random_block(p->seed, (uint32_t)p->stream, (uint32_t)p->step,
                       (uint64_t)(p->first + image), words);
    return (struct move){scaled(words[0], rows + 2 * p->shift_h + 1) - p->shift_h,
                         scaled(words[1], columns + 2 * p->shift_w + 1) - p->shift_w,
                         p->flip && words[2] >> 31,
                         (uint32_t)(scaled(words[3], 2 * p->turn + 1) - p->turn)};
}

/* The pixel, or fill outside the plane. */
static float pixel(const struct cairn_augment *p, const float *x, int64_t row, int64_t column)
{
    return row >= 0 && row < p->h && column >= 0 && column < p->w ? x[row * p->w + column]
                                                                  : p->fill;
}

static int64_t floor_of(float u)
{
    int64_t n = (int64_t)u;
    return (float)n > u ? n - 1 : n;
}

/* A place between pixels: that of the upper left one, and how far from there. */
struct place {
    int64_t row, column;
    float down, right;
};

/* Where the pixel (r, q) of the cut comes from when the cut is turned about its middle. */
static struct place turned(const struct cairn_augment *p, const struct move *move, float sine,
                           float cosine, int64_t r, int64_t q)
{
    float y = (float)(2 * r - (p->oh - 1)) * 0.5f, x = (float)(2 * q - (p->ow - 1)) * 0.5f;
    float v = fmaf(cosine, y, -(sine * x)), u = fmaf(cosine, x, sine * y);
    v = v + (p->oh % 2 ? 0.0f : 0.5f);
    u = u + (p->ow % 2 ? 0.0f : 0.5f);
    int64_t i = floor_of(v), j = floor_of(u);
    return (struct place){move->top + (p->oh - 1) / 2 + i, move->left + (p->ow - 1) / 2 + j,
                          v - (float)i, u - (float)j};
}

static float between(const struct cairn_augment *p, const float *x, const struct place *at)
{
    float a = pixel(p, x, at->row, at->column), b = pixel(p, x, at->row, at->column + 1);
    float c = pixel(p, x, at->row + 1, at->column), d = pixel(p, x, at->row + 1, at->column + 1);
    float upper = fmaf(at->right, b - a, a), lower = fmaf(at->right, d - c, c);
    return fmaf(at->down, lower - upper, upper);
}

cairn_status ref_augment(struct cairn_backend *backend, const struct cairn_augment *p, int variant)
{
    (void)backend, (void)variant;
    int64_t size = p->h * p->w, cut = p->oh * p->ow;
    for (int64_t image = 0; image < p->n; image++) {
        struct move move = draw(p, image);
        const float *x = ref_floats(&p->x) + image * p->c * size;
        float *y = ref_floats(&p->y) + image * p->c * cut, sine, cosine;
        cairn_exact_sincos_turn(move.angle, &sine, &cosine);
        for (int64_t i = 0; i < cut; i++) {
            int64_t r = i / p->ow, q = i % p->ow;
            if (move.mirrored) q = p->ow - 1 - q;
            if (p->random && p->turn) {
                struct place at = turned(p, &move, sine, cosine, r, q);
                for (int64_t c = 0; c < p->c; c++) y[c * cut + i] = between(p, x + c * size, &at);
            } else {
                for (int64_t c = 0; c < p->c; c++)
                    y[c * cut + i] = pixel(p, x + c * size, move.top + r, move.left + q);
            }
        }
    }
    return CAIRN_OK;
}
