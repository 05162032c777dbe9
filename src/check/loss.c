/* Losses on raw outputs: outputs about as large as their targets, ties, labels out of range. */
#include "check/check.h"

#include <float.h>
#include <math.h>

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_loss *p = &problem->u.loss;
    check_draw_rows(rng, profile, small, &p->rows, &p->classes);
    p->kind = CHECK_PICK(rng, CAIRN_LOSS_MSE, CAIRN_LOSS_PERCEPTRON);
    p->want_grad = check_chance(rng, 70);
    p->weighted = check_chance(rng, 35);
    p->scale = check_draw_scale(rng, p->rows);
}

enum { OUTPUTS, LABELS, WEIGHTS, LOSS };

/* Every eighth row of real outputs has few different ones, so that the first largest is one of
 * several. */
static int fill(const struct check_case *c, int operand, const struct check_source *source,
                int64_t extent, void *data)
{
    int64_t classes = c->problem.u.loss.classes;
    float *z = data;
    if (operand == WEIGHTS) return check_fill_weights(source, extent, data);
    if (operand == LABELS) check_fill_labels(source, extent, classes, data);
    if (operand != OUTPUTS || c->kind != CHECK_real) return operand == LABELS;
    for (int64_t i = 0; i < extent; i++) {
        float v = check_as_float(check_float_bits(source, i)) * 2;
        z[i] = i / classes % 8 == 3 ? rintf(v) : v;
    }
    return 1;
}

static double value(const struct check_image *image, int64_t index)
{
    return (double)check_float_at(image, image->initial, index);
}

struct row {
    const struct cairn_loss *p;
    const struct check_image *z;
    int64_t begin, label;
    double weight;
};

static double difference(const struct row *row, int64_t j)
{
    return fabs(value(row->z, row->begin + j) - (j == row->label));
}

/* The sum of squares and its division, 2.5 ulp; or one difference. Then the weight. */
static double loss_bound(const struct row *row)
{
    double sum = 0, m = -INFINITY, off_by, size, classes = (double)row->p->classes;
    for (int64_t j = 0; j < row->p->classes; j++) {
        sum += pow(difference(row, j), 2);
        m = fmax(m, value(row->z, row->begin + j));
    }
    if (row->p->kind == CAIRN_LOSS_MSE) {
        size = sum / classes;
        off_by = (2 * check_gamma(classes + 3) + 4 * CHECK_ULP) * size + 4 * CHECK_TINY;
        if (sum > 0.5 * (double)FLT_MAX) return INFINITY;
    } else {
        if (row->label < 0 || row->label >= row->p->classes) return 0;
        size = fabs(m - value(row->z, row->begin + row->label));
        off_by = 2 * CHECK_U * size + 4 * CHECK_TINY;
    }
    return row->weight * (off_by + 2 * CHECK_U * size) + CHECK_TINY * (1 + size);
}

/* Products only; an operand or a result may be flushed. */
static double grad_bound(const struct row *row, int64_t j)
{
    double scale = fabs((double)row->p->scale), step = scale * row->weight;
    double v =
        row->p->kind == CAIRN_LOSS_MSE ? difference(row, j) * 2 / (double)row->p->classes : 1;
    if (step > (double)FLT_MAX || v > (double)FLT_MAX) return INFINITY;
    return 6 * CHECK_U * v * step + CHECK_TINY * (2 + 4 * step + v * (1 + row->weight + scale));
}

static void bound(const struct check_case *c, const struct check_image *images, int operand,
                  const float *sums, double *bound_of)
{
    const struct cairn_loss *p = &c->problem.u.loss;
    (void)sums;
    for (int64_t r = 0; r < p->rows; r++) {
        struct row row = {p, &images[OUTPUTS], r * p->classes,
                          ((const int32_t *)images[LABELS].initial + images[LABELS].lead)[r], 1};
        if (p->weighted && row.label >= 0 && row.label < p->classes)
            row.weight = fabs(value(&images[WEIGHTS], row.label));
        if (operand == LOSS) bound_of[r] = loss_bound(&row);
        for (int64_t j = 0; operand != LOSS && j < p->classes; j++)
            bound_of[row.begin + j] = grad_bound(&row, j);
    }
}

const struct check_family check_family_loss = {draw, fill, bound, 0};
