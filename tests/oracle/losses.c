#include "oracle.h"

static int32_t first_largest(const double *z, int64_t classes, int64_t label)
{
    int64_t best = 0;
    for (int64_t j = 0; j < classes; j++) {
        if (isnan(z[j])) return 0;
        if (z[j] > z[best]) best = j;
    }
    return best == label;
}

/* log of the sum of exp */
static double log_sum(const double *z, int64_t classes)
{
    double top = z[0], total = 0;
    for (int64_t j = 0; j < classes; j++)
        if (z[j] > top) top = z[j];
    for (int64_t j = 0; j < classes; j++) total += exp(z[j] - top);
    return log(total) + top;
}

void oracle_softmax(const struct cairn_softmax *p, const double *z, const int32_t *labels,
                    const double *weights, double *loss, int32_t *correct, double *grad,
                    double *prob)
{
    double q = (double)p->smoothing;
    for (int64_t r = 0; r < p->rows; r++, z += p->classes) {
        int known = labels[r] >= 0 && labels[r] < p->classes;
        double all = log_sum(z, p->classes), weight = known && weights ? weights[labels[r]] : 1;
        loss[r] = known ? 0 : NAN;
        correct[r] = known ? first_largest(z, p->classes, labels[r]) : 0;
        for (int64_t j = 0; j < p->classes; j++) {
            double target = (j == labels[r] ? 1 - q : 0) + q / (double)p->classes;
            double *g = grad ? grad + r * p->classes + j : NULL;
            if (target > 0) loss[r] += weight * target * (all - z[j]);
            if (prob) prob[r * p->classes + j] = p->want_prob == 2 ? z[j] - all : exp(z[j] - all);
            if (g) *g = (double)p->scale * weight * (exp(z[j] - all) - target);
        }
    }
}

/* dy times the layer's Jacobian, element by element. */
void oracle_softmax_grad(const struct cairn_softmax_grad *p, const double *y, const double *dy,
                         double *dx)
{
    for (int64_t at = 0; at < p->rows * p->classes; at++) {
        int64_t row = at / p->classes * p->classes;
        dx[at] = 0;
        for (int64_t i = row; i < row + p->classes; i++)
            dx[at] += dy[i] * (p->log ? (i == at) - exp(y[at]) : y[i] * ((i == at) - y[at]));
    }
}

static double row_mse(const double *z, int64_t classes, int64_t label, double *grad)
{
    double sum = 0;
    for (int64_t j = 0; j < classes; j++) {
        double error = j == label ? z[j] - 1 : z[j];
        sum += pow(error, 2);
        if (grad) grad[j] = 2 * error / (double)classes;
    }
    return sum / (double)classes;
}

static double row_perceptron(const double *z, int64_t classes, int64_t label, double *grad)
{
    int64_t winner = 0;
    for (int64_t j = classes - 1; j >= 0; j--)
        if (z[j] >= z[winner]) winner = j;
    for (int64_t j = 0; grad && j < classes; j++)
        grad[j] = label < 0 || label >= classes ? 0 : (j == winner) - (j == label);
    return label < 0 || label >= classes ? NAN : z[winner] - z[label];
}

void oracle_loss(const struct cairn_loss *p, const double *z, const int32_t *labels,
                 const double *weights, double *loss, int32_t *correct, double *grad)
{
    for (int64_t r = 0; r < p->rows; r++, z += p->classes) {
        int known = labels[r] >= 0 && labels[r] < p->classes;
        double *g = grad ? grad + r * p->classes : NULL;
        double weight = known && weights ? weights[labels[r]] : 1;
        loss[r] =
            weight * (p->kind == CAIRN_LOSS_MSE ? row_mse(z, p->classes, labels[r], g)
                                                : row_perceptron(z, p->classes, labels[r], g));
        if (!known) loss[r] = NAN;
        correct[r] = known ? first_largest(z, p->classes, labels[r]) : 0;
        for (int64_t j = 0; g && j < p->classes; j++) g[j] *= weight * (double)p->scale;
    }
}
