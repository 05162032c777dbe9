/* Clipping and updates: usual and extreme settings. Half of the problems go without l1, decoupled
 * decay and nesterov, which devices may run as another kernel. Sums of squares are mostly not
 * negative; weights have zeros of both signs where l1 looks at signs. */
#include "check/near.h"

#include <assert.h>

static int64_t draw_count(struct check_rng *rng, int small)
{
    return small                  ? check_size(rng, 600)
           : check_chance(rng, 4) ? 200000 + check_below(rng, 300000)
                                  : check_size(rng, 20000);
}

static int64_t draw_decay(struct check_rng *rng, int64_t count)
{
    return check_chance(rng, 25) ? 0 : check_chance(rng, 30) ? count : check_below(rng, count + 1);
}

static float draw_epsilon(struct check_rng *rng)
{
    return CHECK_PICKF(rng, 1e-8f, 1e-8f, 1e-4f, 0.0f, 1e-40f);
}

/* The fields that every update has. */
#define DRAW_START(rng, small, p)                                                                  \
    do {                                                                                           \
        (p)->count = draw_count(rng, small);                                                       \
        (p)->decay_count = draw_decay(rng, (p)->count);                                            \
        (p)->lr = CHECK_PICKF(rng, 0.01f, 0.1f, 5e-4f, 1.0f, 0.0f, -0.3f, 1e-39f);                 \
        (p)->l2 = CHECK_PICKF(rng, 0.0f, 1e-3f, 0.2f, 2.3f, 1e-40f);                               \
        if (check_chance(rng, 50)) break;                                                          \
        (p)->l1 = CHECK_PICKF(rng, 0.0f, 1e-3f, 0.7f, 5.0f, -0.2f, -0.0f, 1e-41f);                 \
        (p)->decay = CHECK_PICKF(rng, 0.0f, 0.01f, 0.5f, 3.0f, -0.1f, 1e-38f);                     \
    } while (0)

static void draw_clip(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    (void)profile;
    struct cairn_clip *p = &problem->u.clip;
    p->count = draw_count(rng, small);
    p->limit = CHECK_PICKF(rng, 1.0f, 1.0f, 0.25f, 5.0f, 1e-3f, 1e-40f, 1e18f, 3e38f);
}

static void draw_sgd(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    (void)profile;
    struct cairn_sgd *p = &problem->u.sgd;
    DRAW_START(rng, small, p);
    p->momentum = CHECK_PICKF(rng, 0.0f, 0.9f, 0.9f, 0.99f, 1.0f, -0.5f);
    p->nesterov = check_chance(rng, 30);
}

static void draw_adam(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    (void)profile;
    struct cairn_adam *p = &problem->u.adam;
    DRAW_START(rng, small, p);
    p->beta1 = CHECK_PICKF(rng, 0.9f, 0.9f, 0.91f, 0.0f, 0.5f);
    p->beta2 = CHECK_PICKF(rng, 0.999f, 0.999f, 0.99f, 0.0f, 0.5f);
    p->epsilon = draw_epsilon(rng);
    p->c1 = CHECK_PICKF(rng, 10.0f, 5.2631578f, 1.0f, 1.5f, 3.7f);
    p->c2 = CHECK_PICKF(rng, 1000.0f, 500.25f, 1.0f, 31.1f, 1.5f);
}

static void draw_rmsprop(struct check_rng *rng, int profile, int small,
                         struct cairn_problem *problem)
{
    (void)profile;
    struct cairn_rmsprop *p = &problem->u.rmsprop;
    DRAW_START(rng, small, p);
    p->alpha = CHECK_PICKF(rng, 0.9f, 0.99f, 0.0f, 0.5f, 1.0f);
    p->momentum = CHECK_PICKF(rng, 0.0f, 0.0f, 0.9f, 1.0f, -0.5f);
    p->epsilon = draw_epsilon(rng);
}

static void draw_adagrad(struct check_rng *rng, int profile, int small,
                         struct cairn_problem *problem)
{
    (void)profile;
    DRAW_START(rng, small, &problem->u.adagrad);
    problem->u.adagrad.epsilon = draw_epsilon(rng);
}

static void draw_adadelta(struct check_rng *rng, int profile, int small,
                          struct cairn_problem *problem)
{
    (void)profile;
    struct cairn_adadelta *p = &problem->u.adadelta;
    DRAW_START(rng, small, p);
    p->rho = CHECK_PICKF(rng, 0.9f, 0.95f, 0.0f, 0.5f, 1.0f);
    p->epsilon = draw_epsilon(rng);
}

/* The squared norm: below, at and above the limit, whose square is rounded; zeros, infinity, NaN,
 * and what the data's kind has. */
static int fill_clip(const struct check_case *c, int operand, const struct check_source *source,
                     int64_t extent, void *data)
{
    float limit = c->problem.u.clip.limit, *sumsq = data;
    if (operand != 0) return 0;
    assert(extent == 1);
    (void)extent;
    switch (check_bits(source, 0) % 10) {
    case 0:
        return 0;
    case 1:
        return *sumsq = -0.0f, 1;
    case 2:
        return *sumsq = INFINITY, 1;
    case 3:
        return *sumsq = NAN, 1;
    case 4:
        return *sumsq = limit * limit, 1;
    case 5:
        return *sumsq = nextafterf(limit * limit, INFINITY), 1;
    case 6:
        return *sumsq = limit * limit * 0.3f, 1;
    default:
        return *sumsq = limit * limit * 700.0f, 1;
    }
}

/* Zeros of both signs, and tiny weights, among those that the data's kind has. */
static void fill_weights(const struct check_source *source, int64_t extent, uint32_t *w)
{
    for (int64_t i = 0; i < extent; i++) {
        uint64_t r = check_bits(source, i) >> 7;
        w[i] = check_float_bits(source, i);
        if (r % 11 == 0) w[i] &= 0x80000000u;
        if (r % 47 == 0) w[i] = (w[i] & 0x80000000u) | 1;
    }
}

static void fill_squares(const struct check_source *source, int64_t extent, uint32_t *v)
{
    for (int64_t i = 0; i < extent; i++) {
        v[i] = check_float_bits(source, i);
        if (check_bits(source, i) % 31) v[i] &= 0x7fffffffu;
    }
}

/* Which operands are sums of squares: "v", and adadelta's "u"; sgd's v is none. */
static int fill_update(const struct check_case *c, int operand, const struct check_source *source,
                       int64_t extent, void *data)
{
    const char *name = cairn_schema_of(c->problem.op)->operands[operand].name;
    if (operand == 0)
        fill_weights(source, extent, data);
    else if (c->problem.op != CAIRN_OP_SGD && (*name == 'u' || *name == 'v'))
        fill_squares(source, extent, data);
    else
        return 0;
    return 1;
}

static struct near input_at(const struct check_image *images, int operand, int64_t i)
{
    const struct check_image *image = &images[operand];
    return near_of((double)check_float_at(image, image->initial, i));
}

/* Twice what a result may be off. Where an input is not finite, NaN and infinities have to be where
 * the reference has them; finite results may be anything. */
static double settle(const struct check_image *images, int operand, int64_t i, struct near result)
{
    for (int k = 0; k < CHECK_MAX_OPERANDS; k++)
        if (images[k].operand && i < images[k].extent && !isfinite(input_at(images, k, i).value))
            return isfinite(check_float_at(&images[operand], images[operand].want, i)) ? INFINITY
                                                                                       : 0;
    return isnan(result.off) ? INFINITY : 2 * result.off;
}

static void bound_clip(const struct check_case *c, const struct check_image *images, int operand,
                       const float *sums, double *bound)
{
    const struct cairn_clip *p = &c->problem.u.clip;
    struct near sumsq = input_at(images, 0, 0), limit = near_of((double)p->limit);
    struct near norm = near_sqrt(sumsq, sumsq.value >= 0), factor = near_div(limit, norm);
    (void)sums;
    /* The factor is continuous at the limit. */
    if (near_most(norm) <= limit.value) factor = near_of(1);
    if (isfinite(sumsq.value) && fabs(norm.value - limit.value) <= norm.off)
        factor = (struct near){1, factor.off + fabs(1 - factor.value)};
    for (int64_t i = 0; i < p->count; i++)
        bound[i] = isfinite(sumsq.value)
                       ? settle(images, operand, i, near_mul(input_at(images, 1, i), factor))
                       : 0;
}

/* How every update begins: the slope, and the weight in *w. */
struct start {
    int64_t decay_count;
    double l1, l2, decay, rate;
    struct near minus_lr;
};
#define START_OF(p) start_of((p)->decay_count, (p)->lr, (p)->l1, (p)->l2, (p)->decay)

static struct start start_of(int64_t decay_count, float lr, float l1, float l2, float decay)
{
    float rate = lr * decay;
    return (struct start){decay_count,   (double)l1,   (double)l2,
                          (double)decay, (double)rate, near_of(-(double)lr)};
}

static struct near begin(const struct start *s, const struct check_image *images, int64_t i,
                         struct near *w)
{
    struct near old = input_at(images, 0, i), slope = input_at(images, 1, i);
    *w = old;
    if (i >= s->decay_count) return slope;
    slope = near_fma(near_of(s->l2), old, slope);
    if (s->l1 != 0) {
        struct near sign = near_of((old.value > 0) - (old.value < 0));
        if (fabs(old.value) < CHECK_TINY) sign.off = 1; /* flushed to 0 */
        slope = near_fma(near_of(s->l1), sign, slope);
    }
    if (s->decay != 0) *w = near_fma(near_of(-s->rate), old, old);
    return slope;
}

/* fma(keep, v, (rest * g) * g) with rest = 1 - keep: not negative where v is not, for keep in 0..1.
 */
static struct near mean_square(float keep, struct near v, struct near g)
{
    struct near rest = near_of((double)(1.0f - keep));
    return near_fma(near_of((double)keep), v, near_mul(near_mul(rest, g), g));
}

static void bound_sgd(const struct check_case *c, const struct check_image *images, int operand,
                      const float *sums, double *bound)
{
    const struct cairn_sgd *p = &c->problem.u.sgd;
    const struct start s = START_OF(p);
    struct near momentum = near_of((double)p->momentum);
    (void)sums;
    for (int64_t i = 0; i < p->count; i++) {
        struct near w, slope = begin(&s, images, i, &w);
        struct near v = near_fma(momentum, input_at(images, 2, i), slope);
        struct near d = p->nesterov ? near_fma(momentum, v, slope) : v;
        bound[i] = settle(images, operand, i, operand == 2 ? v : near_fma(s.minus_lr, d, w));
    }
}

static void bound_adam(const struct check_case *c, const struct check_image *images, int operand,
                       const float *sums, double *bound)
{
    const struct cairn_adam *p = &c->problem.u.adam;
    const struct start s = START_OF(p);
    struct near epsilon = near_of((double)p->epsilon), c1 = near_of((double)p->c1);
    struct near beta1 = near_of((double)p->beta1), rest1 = near_of((double)(1.0f - p->beta1));
    (void)sums;
    for (int64_t i = 0; i < p->count; i++) {
        struct near w, slope = begin(&s, images, i, &w), old = input_at(images, 3, i);
        struct near m = near_fma(beta1, input_at(images, 2, i), near_mul(rest1, slope));
        struct near v = mean_square(p->beta2, old, slope);
        struct near root = near_sqrt(near_mul(v, near_of((double)p->c2)), old.value >= 0);
        struct near ratio = near_div(near_mul(m, c1), near_add(root, epsilon));
        bound[i] = settle(images, operand, i,
                          operand == 2   ? m
                          : operand == 3 ? v
                                         : near_fma(s.minus_lr, ratio, w));
    }
}

static void bound_rmsprop(const struct check_case *c, const struct check_image *images, int operand,
                          const float *sums, double *bound)
{
    const struct cairn_rmsprop *p = &c->problem.u.rmsprop;
    const struct start s = START_OF(p);
    struct near epsilon = near_of((double)p->epsilon), momentum = near_of((double)p->momentum);
    (void)sums;
    for (int64_t i = 0; i < p->count; i++) {
        struct near w, slope = begin(&s, images, i, &w), old = input_at(images, 3, i);
        struct near v = mean_square(p->alpha, old, slope);
        struct near ratio = near_div(slope, near_add(near_sqrt(v, old.value >= 0), epsilon));
        struct near m = near_fma(momentum, input_at(images, 2, i), ratio);
        bound[i] = settle(images, operand, i,
                          operand == 2   ? m
                          : operand == 3 ? v
                                         : near_fma(s.minus_lr, m, w));
    }
}

static void bound_adagrad(const struct check_case *c, const struct check_image *images, int operand,
                          const float *sums, double *bound)
{
    const struct cairn_adagrad *p = &c->problem.u.adagrad;
    const struct start s = START_OF(p);
    (void)sums;
    for (int64_t i = 0; i < p->count; i++) {
        struct near w, slope = begin(&s, images, i, &w), old = input_at(images, 2, i);
        struct near v = near_fma(slope, slope, old), root = near_sqrt(v, old.value >= 0);
        struct near ratio = near_div(slope, near_add(root, near_of((double)p->epsilon)));
        bound[i] = settle(images, operand, i, operand == 2 ? v : near_fma(s.minus_lr, ratio, w));
    }
}

static void bound_adadelta(const struct check_case *c, const struct check_image *images,
                           int operand, const float *sums, double *bound)
{
    const struct cairn_adadelta *p = &c->problem.u.adadelta;
    const struct start s = START_OF(p);
    struct near epsilon = near_of((double)p->epsilon);
    (void)sums;
    for (int64_t i = 0; i < p->count; i++) {
        struct near w, slope = begin(&s, images, i, &w);
        struct near old_u = input_at(images, 2, i), old_v = input_at(images, 3, i);
        struct near v = mean_square(p->rho, old_v, slope);
        struct near above = near_sqrt(near_add(old_u, epsilon), old_u.value >= 0),
                    below = near_sqrt(near_add(v, epsilon), old_v.value >= 0);
        struct near d = near_mul(near_div(above, below), slope), u = mean_square(p->rho, old_u, d);
        bound[i] = settle(images, operand, i,
                          operand == 2   ? u
                          : operand == 3 ? v
                                         : near_fma(s.minus_lr, d, w));
    }
}

const struct check_family check_family_clip = {draw_clip, fill_clip, bound_clip, 0};
const struct check_family check_family_sgd = {draw_sgd, fill_update, bound_sgd, 0};
const struct check_family check_family_adam = {draw_adam, fill_update, bound_adam, 0};
const struct check_family check_family_rmsprop = {draw_rmsprop, fill_update, bound_rmsprop, 0};
const struct check_family check_family_adagrad = {draw_adagrad, fill_update, bound_adagrad, 0};
const struct check_family check_family_adadelta = {draw_adadelta, fill_update, bound_adadelta, 0};
