#include "oracle.h"

/* What one image draws. */
struct drawn {
    int64_t top, left;
    int mirrored;
    double sine, cosine;
};

static int64_t below(uint32_t word, int64_t bound)
{
    return (int64_t)floor((double)word / 4294967296.0 * (double)bound);
}

static struct drawn draw(const struct cairn_augment *p, int64_t image)
{
    struct drawn d = {(p->h - p->oh) / 2, (p->w - p->ow) / 2, 0, 0, 1};
    uint64_t block = (uint64_t)p->first + (uint64_t)image;
    uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)p->step,
                           (uint32_t)p->stream};
    uint32_t key[2] = {(uint32_t)p->seed, (uint32_t)(p->seed >> 32)}, words[4];
    if (!p->random) return d;
    oracle_philox(counter, key, words);
    d.top = below(words[0], p->h - p->oh + 2 * p->shift_h + 1) - p->shift_h;
    d.left = below(words[1], p->w - p->ow + 2 * p->shift_w + 1) - p->shift_w;
    d.mirrored = p->flip && words[2] >= 2147483648u;
    /* Of (2 turn + 1) word no bit may be lost: by long division in base 2^16. */
    uint64_t count = 2 * (uint64_t)p->turn + 1, low = (count & 0xffff) * words[3];
    uint64_t high = (count >> 16) * words[3] + (low >> 16);
    int64_t angle = (int64_t)(high >> 16) - p->turn;
    oracle_turn((uint32_t)((uint64_t)(angle + 4294967296) % 4294967296u) >> 8, &d.sine, &d.cosine);
    return d;
}

/* Each pixel of the plane to the place where it comes to lie in the cut, if it lies there. */
static void throw_pixels(const struct cairn_augment *p, const struct drawn *d, const double *x,
                         double *y)
{
    for (int64_t i = 0; i < p->oh * p->ow; i++) y[i] = (double)p->fill;
    for (int64_t e = 0; e < p->h * p->w; e++) {
        int64_t r = e / p->w - d->top, q = e % p->w - d->left;
        if (d->mirrored) q = p->ow - 1 - q;
        if (r >= 0 && r < p->oh && q >= 0 && q < p->ow) y[r * p->ow + q] = x[e];
    }
}

static double tent(double distance)
{
    return fabs(distance) < 1 ? 1 - fabs(distance) : 0;
}

/* The plane, with fill around it, as a sum of tents at (v, u). */
static double surface(const struct cairn_augment *p, const double *x, double v, double u)
{
    double total = 0;
    for (int64_t row = (int64_t)floor(v) - 1; row <= (int64_t)floor(v) + 2; row++)
        for (int64_t column = (int64_t)floor(u) - 1; column <= (int64_t)floor(u) + 2; column++) {
            int inside = row >= 0 && row < p->h && column >= 0 && column < p->w;
            double weight = tent(v - (double)row) * tent(u - (double)column);
            total += weight * (inside ? x[row * p->w + column] : (double)p->fill);
        }
    return total;
}

/* Turned clockwise on the screen by the angle: what lies at (X, Y) from the middle, Y downwards,
 * was at the same place turned back. */
static void turn_pixels(const struct cairn_augment *p, const struct drawn *d, const double *x,
                        double *y)
{
    double middle_v = (double)(p->oh - 1) / 2, middle_u = (double)(p->ow - 1) / 2;
    for (int64_t r = 0; r < p->oh; r++)
        for (int64_t q = 0; q < p->ow; q++) {
            double Y = (double)r - middle_v, X = (double)q - middle_u;
            if (d->mirrored) X = -X;
            double v = d->cosine * Y - d->sine * X, u = d->sine * Y + d->cosine * X;
            y[r * p->ow + q] =
                surface(p, x, (double)d->top + middle_v + v, (double)d->left + middle_u + u);
        }
}

void oracle_augment(const struct cairn_augment *p, const double *x, double *y)
{
    for (int64_t plane = 0; plane < p->n * p->c; plane++, x += p->h * p->w, y += p->oh * p->ow) {
        struct drawn d = draw(p, plane / p->c);
        if (p->random && p->turn)
            turn_pixels(p, &d, x, y);
        else
            throw_pixels(p, &d, x, y);
    }
}
