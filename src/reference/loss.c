#include "base/exact.h"
#include "reference/reference.h"

struct row {
    const float *z;
    int64_t classes, label;
    int known;
    float scale; /* of the gradient, the class's weight in it */
};

static float difference(const struct row *row, int64_t j)
{
    return row->z[j] - (j == row->label ? 1.0f : 0.0f);
}

static void square_terms(const void *context, int64_t first, int64_t count, float *terms)
{
    const struct row *row = context;
    for (int64_t j = 0; j < count; j++) {
        float d = difference(row, first + j);
        terms[j] = d * d;
    }
}

static float mse(const struct row *row, float *grad)
{
    float step = 2.0f / (float)row->classes;
    for (int64_t j = 0; grad && j < row->classes; j++)
        grad[j] = (difference(row, j) * step) * row->scale;
    return row->known ? ref_row_sum(row->classes, square_terms, row) / (float)row->classes : NAN;
}

static float perceptron(const struct row *row, float m, int64_t first, float *grad)
{
    float other = row->known && m != m ? NAN : 0.0f;
    for (int64_t j = 0; grad && j < row->classes; j++) grad[j] = other;
    if (grad && row->known && m == m && first != row->label) {
        grad[first] = row->scale;
        grad[row->label] = -row->scale;
    }
    return row->known ? m - row->z[row->label] : NAN;
}

cairn_status ref_loss(struct cairn_backend *backend, const struct cairn_loss *p, int variant)
{
    (void)backend, (void)variant;
    for (int64_t r = 0; r < p->rows; r++) {
        struct row row = {ref_floats(&p->z) + r * p->classes, p->classes, ref_ints(&p->labels)[r],
                          0, p->scale};
        row.known = row.label >= 0 && row.label < p->classes;
        int weighted = row.known && p->weighted;
        float weight = weighted ? ref_floats(&p->class_weights)[row.label] : 1.0f;
        float m = ref_row_max(row.z, p->classes);
        int64_t first = ref_row_first(row.z, p->classes, m);
        float *grad = p->want_grad ? ref_floats(&p->grad) + r * p->classes : NULL;
        if (weighted) row.scale = row.scale * weight;
        float loss = p->kind == CAIRN_LOSS_MSE ? mse(&row, grad) : perceptron(&row, m, first, grad);
        ref_floats(&p->loss)[r] = weighted ? loss * weight : loss;
        ref_ints(&p->correct)[r] = row.known && first == row.label;
    }
    return CAIRN_OK;
}
