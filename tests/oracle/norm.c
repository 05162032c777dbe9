#include "oracle.h"

#define EACH(at, j)                                                                                \
    for (int64_t at = 0; at < n1 * c * n2; at++)                                                   \
        if (at / n2 % c == (j))

void oracle_batchnorm(int64_t n1, int64_t c, int64_t n2, double epsilon, const double *x,
                      const double *gamma, const double *beta, double *mean, double *var, double *y)
{
    double m = (double)(n1 * n2);
    for (int64_t j = 0; j < c; j++) {
        mean[j] = var[j] = 0;
        EACH(at, j) mean[j] += x[at] / m;
        EACH(at, j) var[j] += (x[at] - mean[j]) * (x[at] - mean[j]) / m;
        EACH(at, j) y[at] = gamma[j] * (x[at] - mean[j]) / sqrt(var[j] + epsilon) + beta[j];
    }
}

/* The six derivatives of section 3 of the paper, in its order. */
void oracle_batchnorm_grad(int64_t n1, int64_t c, int64_t n2, double epsilon, const double *x,
                           const double *dy, const double *gamma, double *dx, double *dgamma,
                           double *dbeta)
{
    double m = (double)(n1 * n2);
    for (int64_t j = 0; j < c; j++) {
        double mean = 0, var = 0, dvar = 0, dmean = 0, centred = 0;
        EACH(at, j) mean += x[at] / m;
        EACH(at, j) var += (x[at] - mean) * (x[at] - mean) / m;
        double s = sqrt(var + epsilon);
        EACH(at, j) dvar += dy[at] * gamma[j] * (x[at] - mean) * -0.5 / (s * s * s);
        EACH(at, j) dmean -= dy[at] * gamma[j] / s;
        EACH(at, j) centred += -2 * (x[at] - mean) / m;
        dmean += dvar * centred;
        EACH(at, j) dx[at] = dy[at] * gamma[j] / s + dvar * 2 * (x[at] - mean) / m + dmean / m;
        dgamma[j] = dbeta[j] = 0;
        EACH(at, j) dgamma[j] += dy[at] * (x[at] - mean) / s;
        EACH(at, j) dbeta[j] += dy[at];
    }
}
