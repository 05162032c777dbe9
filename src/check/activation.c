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

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    (void)profile;
    problem->u.activation.kind = 1 + check_below(rng, 3);
    problem->u.activation.count = draw_count(rng, small);
}

static void draw_grad(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    (void)profile;
    problem->u.activation_grad.kind = 1 + check_below(rng, 3);
    problem->u.activation_grad.count = draw_count(rng, small);
}

/* Where tanh and the exp inside sigmoid change their way, and the floats beside it, of either sign.
 */
static float turn(uint64_t r)
{
    static const float at[] = {0.625f, 9.1f, 88.72284f, 103.97208f};
    uint32_t bits = check_as_bits(at[r & 3]) + (uint32_t)((r >> 2) % 3) - 1u;
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

/* y as the activation makes it: 0..1 for sigmoid, not negative for ReLU. Other kinds of data go
 * where the formula does. */
static int fill_grad(const struct check_case *c, int operand, const struct check_source *source,
                     int64_t extent, void *data)
{
    float *y = data;
    if (operand != 0 || c->kind != CHECK_real ||
        c->problem.u.activation_grad.kind == CAIRN_ACT_TANH)
        return 0;
    for (int64_t i = 0; i < extent; i++) {
        float v = check_as_float(check_float_bits(source, i));
        y[i] = v < 0 ? (c->problem.u.activation_grad.kind == CAIRN_ACT_RELU ? 0.0f : -v) : v;
    }
    return 1;
}

static void bound(const struct check_case *c, const struct check_image *images, int operand,
                  const float *sums, double *bound_of)
{
    const struct check_image *y = &images[operand];
    (void)sums;
    for (int64_t i = 0; i < y->extent; i++)
        bound_of[i] =
            check_act_bound(c->problem.u.activation.kind, 0, (double)check_float_at(y, y->want, i));
}

/* A handful of roundings of dy (1 + y^2), dy |y| (1 + |y|) or nothing. */
static void bound_grad(const struct check_case *c, const struct check_image *images, int operand,
                       const float *sums, double *bound_of)
{
    int64_t kind = c->problem.u.activation_grad.kind;
    (void)sums;
    (void)operand;
    for (int64_t i = 0; i < images[0].extent; i++) {
        double y = fabs((double)check_float_at(&images[0], images[0].initial, i));
        double dy = fabs((double)check_float_at(&images[1], images[1].initial, i));
        double size = kind == CAIRN_ACT_TANH      ? dy * (1 + y * y)
                      : kind == CAIRN_ACT_SIGMOID ? dy * y * (1 + y)
                                                  : 0;
        bound_of[i] = 2 * check_gamma(4) * size + 4 * CHECK_TINY * (1 + dy) * (1 + y);
    }
}

const struct check_family check_family_activation = {draw, fill, bound, 0};
const struct check_family check_family_activation_grad = {draw_grad, fill_grad, bound_grad, 0};
