#include "oracle.h"

#include <stddef.h>
#include <string.h>

double oracle_activate(int64_t kind, double alpha, double x)
{
    switch (kind) {
    case CAIRN_ACT_RELU:
        return x < 0 ? 0 : x;
    case CAIRN_ACT_TANH:
        return tanh(x);
    case CAIRN_ACT_SIGMOID:
        return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
    case CAIRN_ACT_LEAKY_RELU:
        return x < 0 ? alpha * x : x;
    case CAIRN_ACT_ELU:
        return x < 0 ? alpha * expm1(x) : x;
    case CAIRN_ACT_SOFTPLUS:
        return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    case CAIRN_ACT_HARD_SIGMOID:
        return x < -3 ? 0 : x > 3 ? 1 : (x + 3) / 6;
    case CAIRN_ACT_GELU:
        return x * erfc(-x / sqrt(2)) / 2;
    case CAIRN_ACT_GELU_TANH:
        return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    case CAIRN_ACT_SILU:
        return x < 0 ? x * exp(x) / (1 + exp(x)) : x / (1 + exp(-x));
    case CAIRN_ACT_HARD_SWISH:
        return x < -3 ? 0 : x > 3 ? x : x * (x + 3) / 6;
    }
    return x;
}

double oracle_activate_grad(int64_t kind, double alpha, double of, double dy)
{
    double u, slope;
    switch (kind) {
    case CAIRN_ACT_RELU:
        return of <= 0 ? 0 : dy;
    case CAIRN_ACT_TANH:
        return dy * (1 - of * of);
    case CAIRN_ACT_SIGMOID:
        return dy * of * (1 - of);
    case CAIRN_ACT_LEAKY_RELU:
        return of <= 0 ? alpha * dy : dy;
    case CAIRN_ACT_ELU:
        return of <= 0 ? dy * (alpha + of) : dy;
    case CAIRN_ACT_SOFTPLUS:
        return dy * (1 - exp(-of));
    case CAIRN_ACT_HARD_SIGMOID:
        return of <= 0 || of >= 1 ? 0 : dy / 6;
    case CAIRN_ACT_GELU:
        return dy * (erfc(-of / sqrt(2)) / 2 + of * exp(-of * of / 2) / sqrt(2 * acos(-1)));
    case CAIRN_ACT_GELU_TANH:
        u = tanh(sqrt(2 / acos(-1)) * (of + 0.044715 * of * of * of));
        slope = sqrt(2 / acos(-1)) * (1 + 3 * 0.044715 * of * of);
        return dy * ((1 + u) / 2 + of / 2 * (1 - u * u) * slope);
    case CAIRN_ACT_SILU:
        u = 1 / (1 + exp(-of));
        return dy * (u + of * u * (1 - u));
    case CAIRN_ACT_HARD_SWISH:
        return of <= -3 ? 0 : of >= 3 ? dy : dy * (2 * of + 3) / 6;
    }
    return dy;
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
                c[r * p->stride_c + i * p->ldc + j] = oracle_activate(p->act, 0, total + shift);
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

static int64_t rows_of_y(const struct cairn_conv *p)
{
    return (p->h + p->pad_t + p->pad_b - p->dilation_h * (p->kh - 1) - 1) / p->stride_h + 1;
}
static int64_t columns_of_y(const struct cairn_conv *p)
{
    return (p->w + p->pad_l + p->pad_r - p->dilation_w * (p->kw - 1) - 1) / p->stride_w + 1;
}

static void walk(const struct cairn_conv *p, visitor *visit, void *context)
{
    int64_t oh = rows_of_y(p), ow = columns_of_y(p);
    int64_t in = p->c / p->groups, out = p->o / p->groups;
    for (int64_t n = 0; n < p->n; n++)
        for (int64_t o = 0; o < p->o; o++)
            for (int64_t i = 0; i < oh; i++)
                for (int64_t j = 0; j < ow; j++)
                    for (int64_t c = 0; c < p->c; c++)
                        for (int64_t u = 0; u < p->kh; u++)
                            for (int64_t v = 0; v < p->kw; v++) {
                                int64_t row = i * p->stride_h + u * p->dilation_h - p->pad_t,
                                        column = j * p->stride_w + v * p->dilation_w - p->pad_l;
                                if (c / in != o / out) continue;
                                if (row < 0 || row >= p->h || column < 0 || column >= p->w)
                                    continue;
                                struct place place = {((n * p->c + c) * p->h + row) * p->w + column,
                                                      ((o * in + c % in) * p->kh + u) * p->kw + v,
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
    return p->n * p->o * rows_of_y(p) * columns_of_y(p);
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
        y[i] = oracle_activate(p->act, 0, y[i] + shift);
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
    clear(dw, mag, p->o * p->c / p->groups * p->kh * p->kw);
    walk(p, visit_weights, &a);
}

/* Each input pixel stamps the kernel, times its value, onto the output at (row * stride, column *
 * stride), taps dilated; what falls into the cut-off border is lost. Channel c of `in` is one of
 * the convolution's outputs. */
void oracle_transposed(const struct cairn_conv *p, const double *in, const double *weight,
                       double *out, double *mag)
{
    int64_t rows = rows_of_y(p), columns = columns_of_y(p), size = p->kh * p->kw;
    int64_t from = p->o / p->groups, to = p->c / p->groups;
    clear(out, mag, p->n * p->c * p->h * p->w);
    for (int64_t at = 0; at < p->n * p->o * rows * columns; at++) {
        int64_t n = at / columns / rows / p->o, c = at / columns / rows % p->o;
        int64_t top = at / columns % rows * p->stride_h - p->pad_t,
                left = at % columns * p->stride_w - p->pad_l;
        for (int64_t stamp = 0; stamp < to * size; stamp++) {
            int64_t row = top + stamp % size / p->kw * p->dilation_h,
                    column = left + stamp % p->kw * p->dilation_w;
            if (row < 0 || row >= p->h || column < 0 || column >= p->w) continue;
            int64_t channel = c / from * to + stamp / size;
            double term = in[at] * weight[c * to * size + stamp];
            int64_t into = ((n * p->c + channel) * p->h + row) * p->w + column;
            out[into] += term;
            mag[into] += fabs(term);
        }
    }
}
