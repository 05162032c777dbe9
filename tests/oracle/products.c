#include "oracle.h"

#include <stddef.h>
#include <string.h>

double oracle_activate(int64_t kind, double x)
{
    if (kind == CAIRN_ACT_RELU) return x < 0 ? 0 : x;
    if (kind == CAIRN_ACT_TANH) return tanh(x);
    if (kind == CAIRN_ACT_SIGMOID) return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
    return x;
}

double oracle_activate_grad(int64_t kind, double y, double dy)
{
    if (kind == CAIRN_ACT_RELU) return y <= 0 ? 0 : dy;
    return kind == CAIRN_ACT_TANH ? dy * (1 - y * y) : dy * y * (1 - y);
}

static double element(const double *matrix, int64_t transposed, int64_t ld, int64_t row,
                      int64_t column)
{
    return transposed ? matrix[column * ld + row] : matrix[row * ld + column];
}

void oracle_gemm(const struct cairn_gemm *p, const double *a, const double *b, const double *bias,
                 double *c, double *mag)
{
    for (int64_t r = 0; r < (p->sum ? 1 : p->batch); r++)
        for (int64_t i = 0; i < p->m; i++)
            for (int64_t j = 0; j < p->n; j++) {
                double total = 0, size = 0;
                for (int64_t s = p->sum ? 0 : r; s < (p->sum ? p->batch : r + 1); s++)
                    for (int64_t k = 0; k < p->k; k++) {
                        double t = element(a + s * p->stride_a, p->ta, p->lda, i, k) *
                                   element(b + s * p->stride_b, p->tb, p->ldb, k, j);
                        total += t;
                        size += fabs(t);
                    }
                double shift = p->bias == CAIRN_BIAS_N   ? bias[j]
                               : p->bias == CAIRN_BIAS_M ? bias[i]
                                                         : 0;
                c[r * p->stride_c + i * p->ldc + j] = oracle_activate(p->act, total + shift);
                if (mag) mag[r * p->stride_c + i * p->ldc + j] = size + fabs(shift);
            }
}

/* Every convolution is this walk over (image, output channel, output row and column, input channel,
 * kernel row and column): each visit names an element of x, of the weights and of y that belong
 * together. */
struct place {
    ptrdiff_t x, weight, y;
};
typedef void visitor(void *context, const struct place *place);

static void walk(const struct cairn_conv *p, visitor *visit, void *context)
{
    int64_t oh = (p->h + p->pad_t + p->pad_b - p->kh) / p->stride_h + 1;
    int64_t ow = (p->w + p->pad_l + p->pad_r - p->kw) / p->stride_w + 1;
    for (int64_t n = 0; n < p->n; n++)
        for (int64_t o = 0; o < p->o; o++)
            for (int64_t i = 0; i < oh; i++)
                for (int64_t j = 0; j < ow; j++)
                    for (int64_t c = 0; c < p->c; c++)
                        for (int64_t u = 0; u < p->kh; u++)
                            for (int64_t v = 0; v < p->kw; v++) {
                                int64_t row = i * p->stride_h + u - p->pad_t,
                                        column = j * p->stride_w + v - p->pad_l;
                                if (row < 0 || row >= p->h || column < 0 || column >= p->w)
                                    continue;
                                struct place place = {((n * p->c + c) * p->h + row) * p->w + column,
                                                      ((o * p->c + c) * p->kh + u) * p->kw + v,
                                                      ((n * p->o + o) * oh + i) * ow + j};
                                visit(context, &place);
                            }
}

struct arrays {
    const double *x, *weight, *y;
    double *result, *mag;
};

static void add(struct arrays *a, ptrdiff_t at, double term)
{
    a->result[at] += term;
    if (a->mag) a->mag[at] += fabs(term);
}
static void visit_forward(void *context, const struct place *place)
{
    struct arrays *a = context;
    add(a, place->y, a->x[place->x] * a->weight[place->weight]);
}
static void visit_data(void *context, const struct place *place)
{
    struct arrays *a = context;
    add(a, place->x, a->y[place->y] * a->weight[place->weight]);
}
static void visit_weights(void *context, const struct place *place)
{
    struct arrays *a = context;
    add(a, place->weight, a->x[place->x] * a->y[place->y]);
}

static void clear(double *result, double *mag, int64_t count)
{
    memset(result, 0, (size_t)count * sizeof *result);
    if (mag) memset(mag, 0, (size_t)count * sizeof *mag);
}

static int64_t size_of_y(const struct cairn_conv *p)
{
    int64_t oh = (p->h + p->pad_t + p->pad_b - p->kh) / p->stride_h + 1;
    int64_t ow = (p->w + p->pad_l + p->pad_r - p->kw) / p->stride_w + 1;
    return p->n * p->o * oh * ow;
}

void oracle_conv(const struct cairn_conv *p, const double *x, const double *weight,
                 const double *bias, double *y, double *mag)
{
    int64_t count = size_of_y(p), plane = count / (p->n * p->o);
    struct arrays a = {.x = x, .weight = weight, .result = y, .mag = mag};
    clear(y, mag, count);
    walk(p, visit_forward, &a);
    for (int64_t i = 0; i < count; i++) {
        double shift = p->bias ? bias[i / plane % p->o] : 0;
        y[i] = oracle_activate(p->act, y[i] + shift);
        if (mag) mag[i] += fabs(shift);
    }
}

void oracle_conv_data(const struct cairn_conv *p, const double *dy, const double *weight,
                      double *dx, double *mag)
{
    struct arrays a = {.y = dy, .weight = weight, .result = dx, .mag = mag};
    clear(dx, mag, p->n * p->c * p->h * p->w);
    walk(p, visit_data, &a);
}

void oracle_conv_weights(const struct cairn_conv *p, const double *x, const double *dy, double *dw,
                         double *mag)
{
    struct arrays a = {.x = x, .y = dy, .result = dw, .mag = mag};
    clear(dw, mag, p->o * p->c * p->kh * p->kw);
    walk(p, visit_weights, &a);
}
