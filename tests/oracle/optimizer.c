/* The updates as their papers have them, in double. */
#include "oracle.h"

/* Sutskever's clipping: the gradients as one vector of at most this length. */
void oracle_clip(const struct cairn_clip *p, double sumsq, double *g)
{
    double length = sqrt(sumsq);
    if (!(length > (double)p->limit)) return;
    for (int64_t i = 0; i < p->count; i++) g[i] *= (double)p->limit / length;
}

/* Penalties l1 |w| + l2 w^2 / 2 add their slopes; decoupled decay shrinks the weight. */
static double penalised(int64_t i, int64_t decay_count, float lr, float l1, float l2, float decay,
                        double *w, double g)
{
    if (i >= decay_count) return g;
    double slope = g + (double)l2 * *w;
    if (*w != 0) slope += copysign((double)l1, *w);
    *w *= 1 - (double)lr * (double)decay;
    return slope;
}
#define PENALISED(p, i, w, g)                                                                      \
    penalised(i, (p)->decay_count, (p)->lr, (p)->l1, (p)->l2, (p)->decay, w, g)

void oracle_sgd(const struct cairn_sgd *p, double *w, const double *g, double *v)
{
    for (int64_t i = 0; i < p->count; i++) {
        double slope = PENALISED(p, i, &w[i], g[i]);
        v[i] = (double)p->momentum * v[i] + slope;
        w[i] -= (double)p->lr * (p->nesterov ? slope + (double)p->momentum * v[i] : v[i]);
    }
}

/* Kingma and Ba, algorithm 1; 1 / (1 - beta^t) come as c1 and c2. */
void oracle_adam(const struct cairn_adam *p, double *w, const double *g, double *m, double *v)
{
    for (int64_t i = 0; i < p->count; i++) {
        double slope = PENALISED(p, i, &w[i], g[i]);
        m[i] = (double)p->beta1 * m[i] + (1 - (double)p->beta1) * slope;
        v[i] = (double)p->beta2 * v[i] + (1 - (double)p->beta2) * slope * slope;
        w[i] -= (double)p->lr * (m[i] * (double)p->c1) /
                (sqrt(v[i] * (double)p->c2) + (double)p->epsilon);
    }
}

void oracle_rmsprop(const struct cairn_rmsprop *p, double *w, const double *g, double *m, double *v)
{
    for (int64_t i = 0; i < p->count; i++) {
        double slope = PENALISED(p, i, &w[i], g[i]);
        v[i] += (1 - (double)p->alpha) * (slope * slope - v[i]);
        m[i] = (double)p->momentum * m[i] + slope / (sqrt(v[i]) + (double)p->epsilon);
        w[i] -= (double)p->lr * m[i];
    }
}

void oracle_adagrad(const struct cairn_adagrad *p, double *w, const double *g, double *v)
{
    for (int64_t i = 0; i < p->count; i++) {
        double slope = PENALISED(p, i, &w[i], g[i]);
        v[i] += slope * slope;
        w[i] -= (double)p->lr / (sqrt(v[i]) + (double)p->epsilon) * slope;
    }
}

/* Zeiler, algorithm 1, with a learning rate; u and v are E[dx^2] and E[g^2]. */
void oracle_adadelta(const struct cairn_adadelta *p, double *w, const double *g, double *u,
                     double *v)
{
    double rho = (double)p->rho, epsilon = (double)p->epsilon;
    for (int64_t i = 0; i < p->count; i++) {
        double slope = PENALISED(p, i, &w[i], g[i]);
        v[i] = rho * v[i] + (1 - rho) * slope * slope;
        double dx = -sqrt((u[i] + epsilon) / (v[i] + epsilon)) * slope;
        u[i] = rho * u[i] + (1 - rho) * dx * dx;
        w[i] += (double)p->lr * dx;
    }
}
