/* What Winograd's convolution may differ by, from the magnitudes of its own intermediate values.
 *
 * With |.| element by element, Y = |A'| [ sum over channels of (|G| |g| |G'|) * (|B'| |d| |B|) ]
 * |A| bounds every sum on the way to a result. A result has seen at most 2 roundings of the
 * source's transform, 4 of the weights', one for each of C channels and their block sums, and 4 of
 * its own, so that it lies within gamma(C + 12) Y of the true value (Higham 2002, 3.1; for the
 * transforms Barabasz et al. 2020, "Error analysis and improving the accuracy of Winograd
 * convolution"); the reference within gamma(9 C + 2) sum|terms|. Where a bound of an intermediate
 * value is beyond the largest float or not a number, so may be the value, and anything is allowed.
 */
#include "check/check.h"
#include "base/error.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

/* `terms` channels of h x w become `rows` of out_h x out_w. */
struct side {
    const struct check_image *source, *weight;
    int64_t rows, terms, h, w, out_h, out_w, before_h, before_w;
    int turned;
    double tiny; /* what subnormals that are flushed on the way may add up to */
};

static double most(double a, double b)
{
    return a > b || isnan(a) ? a : b;
}

static double size_at(const struct check_image *image, int64_t index)
{
    return fabs((double)check_float_at(image, image->initial, index));
}

/* |G| |g| |G'| of row r and term k. */
static void weight_sizes(const struct side *s, int64_t r, int64_t k, double u[16])
{
    double t[4][3];
    int64_t at = 9 * (s->turned ? k * s->rows + r : r * s->terms + k);
    for (int j = 0; j < 3; j++) {
        double g[3];
        for (int i = 0; i < 3; i++)
            g[i] = size_at(s->weight, at + (s->turned ? 8 - 3 * i - j : 3 * i + j));
        t[0][j] = g[0];
        t[1][j] = t[2][j] = 0.5 * (g[0] + g[1] + g[2]);
        t[3][j] = g[2];
    }
    for (int i = 0; i < 4; i++) {
        u[4 * i] = t[i][0];
        u[4 * i + 1] = u[4 * i + 2] = 0.5 * (t[i][0] + t[i][1] + t[i][2]);
        u[4 * i + 3] = t[i][2];
    }
}

/* |B'| |d| |B| of the tile that begins at (y0, x0) of the plane. */
static void source_sizes(const struct side *s, int64_t plane, int64_t y0, int64_t x0, double v[16])
{
    static const int pairs[4][2] = {{0, 2}, {1, 2}, {1, 2}, {1, 3}};
    double d[4][4], t[4][4];
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            int64_t y = y0 + i, x = x0 + j;
            int inside = y >= 0 && y < s->h && x >= 0 && x < s->w;
            d[i][j] = inside ? size_at(s->source, (plane * s->h + y) * s->w + x) : 0;
        }
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) t[i][j] = d[pairs[i][0]][j] + d[pairs[i][1]][j];
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) v[4 * i + j] = t[i][pairs[j][0]] + t[i][pairs[j][1]];
}

/* Y of the four results of a tile; *largest: of any transformed value on the way. */
static void tile_sizes(const struct side *s, const double *u, const double *v, double y[4],
                       double *largest)
{
    double m[16] = {0}, t[2][4];
    for (int64_t k = 0; k < s->terms; k++)
        for (int i = 0; i < 16; i++) {
            m[i] += u[16 * k + i] * v[16 * k + i];
            *largest = most(most(4 * u[16 * k + i], v[16 * k + i]), *largest); /* before halving */
        }
    for (int j = 0; j < 4; j++) {
        t[0][j] = m[j] + m[4 + j] + m[8 + j];
        t[1][j] = m[4 + j] + m[8 + j] + m[12 + j];
    }
    for (int i = 0; i < 2; i++) {
        y[2 * i] = t[i][0] + t[i][1] + t[i][2];
        y[2 * i + 1] = t[i][1] + t[i][2] + t[i][3];
    }
}

/* What the convolution before its activation may differ by, for each result of a tile. */
static void put_tile(const struct side *s, const double y[4], double largest, int64_t plane,
                     int64_t i, int64_t j, const float *sums, double *before)
{
    double terms = 9 * (double)s->terms;
    for (int e = 0; e < 4; e++) {
        int64_t row = 2 * i + e / 2, column = 2 * j + e % 2;
        if (row >= s->out_h || column >= s->out_w) continue;
        int64_t at = (plane * s->out_h + row) * s->out_w + column;
        double sum = (double)sums[at], all = y[e] + sum; /* the sums have the bias in them */
        before[at] =
            largest <= (double)FLT_MAX && all <= (double)FLT_MAX
                ? check_gamma((double)s->terms + 14) * all + check_gamma(terms + 2) * sum + s->tiny
                : INFINITY;
    }
}

cairn_status check_winograd_bound(const struct check_case *c, const struct check_image *images,
                                  const float *sums, double *before)
{
    const struct cairn_conv *p = &c->problem.u.conv;
    int data = c->problem.op == CAIRN_OP_CONV_DATA;
    struct side s = {.rows = data ? p->c : p->o,
                     .terms = data ? p->o : p->c,
                     .h = data ? cairn_conv_oh(p) : p->h,
                     .w = data ? cairn_conv_ow(p) : p->w,
                     .out_h = data ? p->h : cairn_conv_oh(p),
                     .out_w = data ? p->w : cairn_conv_ow(p),
                     .before_h = data ? 2 - p->pad_t : p->pad_t,
                     .before_w = data ? 2 - p->pad_l : p->pad_l,
                     .turned = data};
    const struct cairn_operand *operands = cairn_schema_of(c->problem.op)->operands;
    for (int i = 0; operands[i].name; i++) {
        if (operands[i].offset == offsetof(struct cairn_conv, weight)) s.weight = &images[i];
        if (operands[i].offset ==
            (data ? offsetof(struct cairn_conv, y) : offsetof(struct cairn_conv, x)))
            s.source = &images[i];
    }
    assert(s.source && s.weight);
    s.tiny = 288 * (double)s.terms * CHECK_TINY *
             (1 + check_largest(s.source) + check_largest(s.weight));
    double *u = calloc((size_t)(s.rows * s.terms * 16), sizeof *u);
    double *v = calloc((size_t)(s.terms * 16), sizeof *v);
    for (int64_t e = 0; u && e < s.rows * s.terms; e++)
        weight_sizes(&s, e / s.terms, e % s.terms, u + 16 * e);
    for (int64_t n = 0; u && v && n < p->n; n++)
        for (int64_t i = 0; i < (s.out_h + 1) / 2; i++)
            for (int64_t j = 0; j < (s.out_w + 1) / 2; j++) {
                for (int64_t k = 0; k < s.terms; k++)
                    source_sizes(&s, n * s.terms + k, 2 * i - s.before_h, 2 * j - s.before_w,
                                 v + 16 * k);
                for (int64_t r = 0; r < s.rows; r++) {
                    double y[4], largest = 0;
                    tile_sizes(&s, u + 16 * r * s.terms, v, y, &largest);
                    put_tile(&s, y, largest, n * s.rows + r, i, j, sums, before);
                }
            }
    int good = u && v;
    free(u);
    free(v);
    return good ? CAIRN_OK : cairn_fail(CAIRN_MEMORY, "out of memory");
}
