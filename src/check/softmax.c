/* Softmax with cross-entropy, and the gradient of a softmax layer: labels mostly in range, logits
 * close together and far apart; whole ones have zeros of both signs above what vanishes beside
 * them, whose logarithm of a probability is a zero. */
#include "check/check.h"

#include <float.h>
#include <math.h>

void check_draw_rows(struct check_rng *rng, int profile, int small, int64_t *rows, int64_t *classes)
{
    if (profile < 40) {
        *rows = check_size(rng, small ? 40 : 2000);
        *classes = CHECK_PICK(rng, 1, 2, 9, 10, 10, 10, 11);
    } else if (profile < 50 && !small) { /* the sum over classes has several chunks */
        *rows = check_size(rng, 5);
        *classes = CHECK_PICK(rng, 4095, 4096, 4097, 8192, 8193, 12289);
    } else if (profile < 65) { /* lanes full or nearly so */
        *rows = check_size(rng, small ? 9 : 200);
        *classes = CHECK_PICK(rng, 63, 64, 65, 128, 129, small ? 64 : 1000);
    } else {
        *rows = check_size(rng, small ? 17 : 300);
        *classes = check_size(rng, small ? 130 : 1100);
    }
}

float check_draw_scale(struct check_rng *rng, int64_t rows)
{
    return check_chance(rng, 50) ? 1.0f / (float)rows
                                 : CHECK_PICKF(rng, 1.0f, 0.0f, -2.5f, 0.0078125f, 3e38f, 1e-42f);
}

void check_fill_labels(const struct check_source *source, int64_t extent, int64_t classes,
                       int32_t *labels)
{
    static const int32_t outside[] = {-1, INT32_MIN, INT32_MAX};
    for (int64_t i = 0; i < extent; i++) {
        uint64_t r = check_bits(source, i);
        labels[i] = (int32_t)((r >> 8) % (uint64_t)classes);
        if (r % 16 == 0) labels[i] = r & 0x30 ? outside[(r >> 4 & 3) - 1] : (int32_t)classes;
    }
}

int check_fill_weights(const struct check_source *source, int64_t extent, float *weights)
{
    if (source->c->kind != CHECK_real) return 0;
    for (int64_t i = 0; i < extent; i++) {
        uint64_t r = check_bits(source, i);
        weights[i] = r >> 62 ? fabsf(check_as_float(check_float_bits(source, i))) * 3 : 0.0f;
    }
    return 1;
}

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_softmax *p = &problem->u.softmax;
    check_draw_rows(rng, profile, small, &p->rows, &p->classes);
    p->want_grad = check_chance(rng, 70);
    p->want_prob = check_chance(rng, 50) ? 0 : CHECK_PICK(rng, 1, 2);
    p->weighted = check_chance(rng, 35);
    p->scale = check_draw_scale(rng, p->rows);
    if (check_chance(rng, 40))
        p->smoothing = CHECK_PICKF(rng, 0.1f, 0.1f, 0.5f, 0.99999994f, 1e-45f);
}

enum { LOGITS, LABELS, LOSS, CORRECT, GRAD, PROB, WEIGHTS };

static int fill(const struct check_case *c, int operand, const struct check_source *source,
                int64_t extent, void *data)
{
    static const float spreads[] = {1, 10, 30, 100};
    float spread = spreads[source->key & 3], *logits = data;
    if (operand == WEIGHTS) return check_fill_weights(source, extent, data);
    if (operand == LABELS) check_fill_labels(source, extent, c->problem.u.softmax.classes, data);
    if (operand != LOGITS || (c->kind != CHECK_real && c->kind != CHECK_integer))
        return operand == LABELS;
    for (int64_t i = 0; i < extent; i++) {
        float v = check_as_float(check_float_bits(source, i));
        if (c->kind == CHECK_real)
            logits[i] = v * spread;
        else
            logits[i] = v < 0 ? v * 50 : copysignf(0, 0.5f - (float)(check_bits(source, i) >> 63));
    }
    return 1;
}

static double value(const struct check_image *image, int64_t index)
{
    return (double)check_float_at(image, image->initial, index);
}

/* What the bounds of a row are made of. exp: 3 ulp and ours 1, the sum; p: the division 2.5. */
struct row {
    const struct cairn_softmax *p;
    const struct check_image *z;
    int64_t begin, label;
    int known;
    double m, s, log_s, weight, of_sum, of_p;
};

static struct row row_of(const struct check_case *c, const struct check_image *images, int64_t r)
{
    const struct cairn_softmax *p = &c->problem.u.softmax;
    struct row row = {.p = p, .z = &images[LOGITS], .begin = r * p->classes, .m = -INFINITY};
    row.label = ((const int32_t *)images[LABELS].initial + images[LABELS].lead)[r];
    row.known = row.label >= 0 && row.label < p->classes;
    for (int64_t j = 0; j < p->classes; j++) row.m = fmax(row.m, value(row.z, row.begin + j));
    for (int64_t j = 0; j < p->classes; j++) row.s += exp(value(row.z, row.begin + j) - row.m);
    row.log_s = log(row.s);
    row.weight = row.known && p->weighted ? fabs(value(&images[WEIGHTS], row.label)) : 1;
    row.of_sum = 5 * CHECK_ULP + 2 * check_gamma((double)p->classes);
    row.of_p = 8 * CHECK_ULP + row.of_sum;
    return row;
}

/* log s - (z_j - m), and the logarithm of p_j: 3 ulp of log s, the relative error of s, one
 * rounding of z - m. */
static double log_bound(const struct row *row, int64_t j)
{
    double d = fabs(value(row->z, row->begin + j) - row->m);
    return row->of_sum + 5 * CHECK_ULP * row->log_s + 4 * CHECK_U * (d + row->log_s) +
           2 * CHECK_TINY;
}

static double loss_bound(const struct row *row)
{
    double q = (double)row->p->smoothing, off = q / (double)row->p->classes, of_u = 0, sum = 0;
    if (!row->known) return 0;
    double nll = fabs(value(row->z, row->begin + row->label) - row->m) + row->log_s;
    double off_by = log_bound(row, row->label), size = nll;
    if (q > 0) {
        for (int64_t j = 0; j < row->p->classes; j++) {
            sum += fabs(value(row->z, row->begin + j) - row->m) + row->log_s;
            of_u += log_bound(row, j);
        }
        if (sum > 0.5 * (double)FLT_MAX) return INFINITY;
        size = (1 - q) * nll + off * sum;
        off_by = (1 - q) * off_by + off * (of_u + 2 * check_gamma((double)row->p->classes) * sum) +
                 4 * CHECK_U * size + CHECK_TINY * (2 + nll + sum);
    }
    return row->weight * (off_by + 2 * CHECK_U * size) + CHECK_TINY * (1 + size);
}

static double grad_bound(const struct row *row, int64_t j)
{
    double share = (double)row->p->smoothing, scale = fabs((double)row->p->scale),
           step = scale * row->weight;
    double target = share / (double)row->p->classes + (j == row->label ? 1 - share : 0);
    double p = exp(value(row->z, row->begin + j) - row->m) / row->s;
    if (step > (double)FLT_MAX) return INFINITY;
    return step * (row->of_p * p + 6 * CHECK_U * (p + target)) +
           2 * CHECK_TINY * (2 + row->weight + scale + step);
}

static void bound(const struct check_case *c, const struct check_image *images, int operand,
                  const float *sums, double *bound_of)
{
    const struct cairn_softmax *p = &c->problem.u.softmax;
    (void)sums;
    for (int64_t r = 0; r < p->rows; r++) {
        struct row row = row_of(c, images, r);
        if (operand == LOSS) bound_of[r] = loss_bound(&row);
        for (int64_t j = 0; operand != LOSS && j < p->classes; j++)
            bound_of[row.begin + j] =
                operand == GRAD ? grad_bound(&row, j)
                : p->want_prob == 2
                    ? log_bound(&row, j)
                    : row.of_p * exp(value(row.z, row.begin + j) - row.m) / row.s + 4 * CHECK_TINY;
    }
}

static void draw_grad(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_softmax_grad *p = &problem->u.softmax_grad;
    check_draw_rows(rng, profile, small, &p->rows, &p->classes);
    p->log = check_chance(rng, 50);
}

enum { GRAD_Y, GRAD_DY };

/* y as the layer makes it: 0..1, mostly small; or a logarithm, not above 0. */
static int fill_grad(const struct check_case *c, int operand, const struct check_source *source,
                     int64_t extent, void *data)
{
    float *y = data;
    if (operand != GRAD_Y || c->kind != CHECK_real) return 0;
    for (int64_t i = 0; i < extent; i++) {
        float v = check_as_float(check_float_bits(source, i));
        y[i] = c->problem.u.softmax_grad.log ? -20.0f * fabsf(v) : (v * v) * (v * v);
    }
    return 1;
}

/* The sum as any sum; then y (dy - t), or exp(y) t with 3 ulp of the device's exp and 1 of ours. */
static void bound_grad(const struct check_case *c, const struct check_image *images, int operand,
                       const float *sums, double *bound_of)
{
    const struct cairn_softmax_grad *p = &c->problem.u.softmax_grad;
    const struct check_image *y = &images[GRAD_Y], *dy = &images[GRAD_DY];
    double classes = (double)p->classes;
    (void)operand, (void)sums;
    for (int64_t r = 0; r < p->rows; r++) {
        double sum = 0, size = 0, largest = 0;
        for (int64_t j = 0; j < p->classes; j++) {
            double v = value(y, r * p->classes + j), up = value(dy, r * p->classes + j);
            sum += p->log ? up : up * v;
            size += fabs(p->log ? up : up * v);
            largest = fmax(largest, fmax(fabs(up), p->log ? 0 : fabs(v)));
        }
        double of_t = check_sum_bound(classes, size, largest, largest);
        if (size > 0.5 * (double)FLT_MAX) of_t = INFINITY;
        for (int64_t j = 0; j < p->classes; j++) {
            int64_t at = r * p->classes + j;
            double up = fabs(value(dy, at)), t = fabs(sum) + of_t;
            double factor = p->log ? exp(value(y, at)) : fabs(value(y, at));
            bound_of[at] = factor * (of_t + 4 * CHECK_U * (up + t) + 2 * CHECK_TINY) +
                           (p->log ? 8 * CHECK_ULP * factor * t + 2 * CHECK_U * up : 0) +
                           CHECK_TINY * (4 + up + t);
            if (fmax(fmax(factor, factor * t), up + t) > 0.5 * (double)FLT_MAX)
                bound_of[at] = INFINITY; /* a step on the way may overflow */
        }
    }
}

const struct check_family check_family_softmax = {draw, fill, bound, 0};
const struct check_family check_family_softmax_grad = {draw_grad, fill_grad, bound_grad, 0};
