/* Activations and their gradients. */
#include "check/check.h"

#include <math.h>
#include <string.h>

/* Sometimes more than one launch's worth of work-items. */
static int64_t draw_count(struct check_rng *rng, int small)
{
    return small                  ? check_size(rng, 600)
           : check_chance(rng, 4) ? 200000 + check_below(rng, 300000)
                                  : check_size(rng, 20000);
}

static float draw_alpha(struct check_rng *rng)
{
    return CHECK_PICKF(rng, 1.0f, 0.01f, 0.3f, 0.0f, 1.67f);
}

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    (void)profile;
    problem->u.activation.kind = 1 + check_below(rng, CAIRN_ACT_COUNT - 1);
    problem->u.activation.count = draw_count(rng, small);
    problem->u.activation.alpha = draw_alpha(rng);
}

static void draw_grad(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    (void)profile;
    problem->u.activation_grad.kind = 1 + check_below(rng, CAIRN_ACT_COUNT - 1);
    problem->u.activation_grad.count = draw_count(rng, small);
    problem->u.activation_grad.alpha = draw_alpha(rng);
}

/* Where tanh, the exp inside sigmoid, the hard kinds, expm1, softplus and the erf of gelu change
 * their way, and the floats beside it, of either sign. */
static float turn(uint64_t r)
{
    static const float at[] = {0.625f, 9.1f,  88.72284f,  103.97208f,
                               3.0f,   18.0f, 0.8813736f, 1.315219f};
    uint32_t bits = check_as_bits(at[r & 7]) + (uint32_t)((r >> 3) % 3) - 1u;
    return check_as_float(bits | ((uint32_t)r & 0x80000000u));
}

/* Arguments where the functions bend: real data is stretched to [-16, 16], every eighth to [-128,
 * 128]; some lie where they turn. */
static int fill(const struct check_case *c, int operand, const struct check_source *source,
                int64_t extent, void *data)
{
    float *x = data;
    (void)operand;
    if (c->kind != CHECK_real) return 0;
    for (int64_t i = 0; i < extent; i++) {
        uint64_t r = check_bits(source, i);
        x[i] = check_as_float(check_float_bits(source, i)) * (r >> 61 ? 16.0f : 128.0f);
        if ((r >> 50 & 31) == 0) x[i] = turn(r);
    }
    return 1;
}

enum { GRAD_X, GRAD_Y, GRAD_DY }; /* operands of the gradient */

/* x as above; y as the activation makes it: 0..1 for the sigmoids, not negative for ReLU and
 * softplus. Other kinds of data go where the formula does. */
static int fill_grad(const struct check_case *c, int operand, const struct check_source *source,
                     int64_t extent, void *data)
{
    int64_t kind = c->problem.u.activation_grad.kind;
    float *y = data;
    if (operand == GRAD_X) return fill(c, operand, source, extent, data);
    if (operand != GRAD_Y || c->kind != CHECK_real || kind == CAIRN_ACT_TANH ||
        kind == CAIRN_ACT_LEAKY_RELU || kind == CAIRN_ACT_ELU)
        return 0;
    for (int64_t i = 0; i < extent; i++) {
        float v = check_as_float(check_float_bits(source, i));
        y[i] = v < 0 ? (kind == CAIRN_ACT_RELU ? 0.0f : -v) : v;
    }
    return 1;
}

/* gelu: 16 ulp of the device's erf and 2 of ours, of x; gelu_tanh: 6.5 for tanh, its argument 4;
 * silu: as sigmoid, a product more; elu and softplus: 3 to 5 of the device, 2 of ours; hard_swish:
 * of x, since the products may be contracted. At -infinity the factor 1 + erf or 1 + tanh of the
 * gelus may be 0 or some ulp of 1. */
static double smooth_bound(int64_t kind, double x, double want)
{
    if (isinf(x) && (kind == CAIRN_ACT_GELU || kind == CAIRN_ACT_GELU_TANH)) return INFINITY;
    double of_x = kind == CAIRN_ACT_GELU         ? 12
                  : kind == CAIRN_ACT_GELU_TANH  ? 8
                  : kind == CAIRN_ACT_HARD_SWISH ? 4
                                                 : 0;
    return CHECK_ULP * (of_x * fabs(x) + 10 * fabs(want)) + 2 * CHECK_TINY * (1 + fabs(x));
}

static void bound(const struct check_case *c, const struct check_image *images, int operand,
                  const float *sums, double *bound_of)
{
    const struct check_image *x = &images[0], *y = &images[operand];
    int64_t kind = c->problem.u.activation.kind;
    (void)sums;
    for (int64_t i = 0; i < y->extent; i++) {
        double want = (double)check_float_at(y, y->want, i);
        bound_of[i] = kind <= CAIRN_ACT_SIGMOID
                          ? check_act_bound(kind, 0, want)
                          : smooth_bound(kind, (double)check_float_at(x, x->initial, i), want);
    }
}

/* What the slope at x may differ by. gelu: erf as above, x phi(x) <= 1/4 with exp and its argument.
 * gelu_tanh: both 1 - t^2 are off by 13 ulp of 1 and are multiplied by x / 2 and u' up to |x| = 10,
 * where exact ones are 0. silu: s and 1 - s by 8 ulp of 1. */
static double slope_bound(int64_t kind, double x)
{
    double size = fabs(x);
    if (kind == CAIRN_ACT_GELU) return 24 * CHECK_ULP;
    if (kind == CAIRN_ACT_GELU_TANH)
        return CHECK_ULP * (16 + (size > 10 ? 0 : 14 * 0.5 * size * (0.8 + 0.108 * x * x)));
    if (kind == CAIRN_ACT_SILU) return 16 * CHECK_ULP * (1 + size);
    return 8 * CHECK_ULP;
}

/* A handful of roundings of dy (1 + y^2), dy |y| (1 + |y|), dy (|y| + alpha) or nothing; of the
 * result where that is one product. */
static void bound_grad(const struct check_case *c, const struct check_image *images, int operand,
                       const float *sums, double *bound_of)
{
    const struct cairn_activation_grad *p = &c->problem.u.activation_grad;
    const struct check_image *of = &images[p->kind < CAIRN_ACT_GELU ? GRAD_Y : GRAD_X],
                             *to = &images[operand];
    (void)sums;
    for (int64_t i = 0; i < of->extent; i++) {
        double v = (double)check_float_at(of, of->initial, i), y = fabs(v);
        double dy = fabs((double)check_float_at(&images[GRAD_DY], images[GRAD_DY].initial, i));
        double size = p->kind == CAIRN_ACT_TANH      ? dy * (1 + y * y)
                      : p->kind == CAIRN_ACT_SIGMOID ? dy * y * (1 + y)
                      : p->kind == CAIRN_ACT_ELU     ? dy * (y + (double)p->alpha)
                                                     : 0;
        double more = p->kind >= CAIRN_ACT_GELU ? dy * slope_bound(p->kind, v)
                      : p->kind >= CAIRN_ACT_LEAKY_RELU
                          ? 8 * CHECK_ULP * fabs((double)check_float_at(to, to->want, i))
                          : 0;
        bound_of[i] = 2 * check_gamma(4) * size + more + 4 * CHECK_TINY * (1 + dy) * (1 + y);
    }
}

const struct check_family check_family_activation = {draw, fill, bound, 0};
const struct check_family check_family_activation_grad = {draw_grad, fill_grad, bound_grad, 0};
