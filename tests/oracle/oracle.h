/* Textbook double-precision versions of every operator, which share nothing with the reference: own
 * loops, libm's functions, own random numbers. Only the descriptors' shape fields are used; memory
 * operands are arrays given beside them.
 *
 * `mag`, where it is not NULL, receives the sum of the magnitudes behind each result (sum |a||b|,
 * |x|, ...), from which the tests compute how far float arithmetic may be off. */
#ifndef CAIRN_TESTS_ORACLE_H
#define CAIRN_TESTS_ORACLE_H

#include <cairn/problem.h>

#include <math.h>

/* Error in units of the last place of the float nearest to `want`. */
static inline double oracle_ulps(float got, double want)
{
    int e;
    (void)frexp(want, &e);
    e = e - 24 < -149 ? -149 : e - 24;
    return fabs((double)got - want) * ldexp(1, -e);
}

/* Sine and cosine of `turn` 2^-24 turns. */
void oracle_turn(uint32_t turn, double *sine, double *cosine);

void oracle_gemm(const struct cairn_gemm *p, const double *a, const double *b, const double *bias,
                 double *c, double *mag);

void oracle_conv(const struct cairn_conv *p, const double *x, const double *weight,
                 const double *bias, double *y, double *mag);
void oracle_conv_data(const struct cairn_conv *p, const double *dy, const double *weight,
                      double *dx, double *mag);
void oracle_conv_weights(const struct cairn_conv *p, const double *x, const double *dy, double *dw,
                         double *mag);
/* A transposed convolution that makes the image of the descriptor's x from one of its y's shape:
 * weight is (in, out / groups, kh, kw). */
void oracle_transposed(const struct cairn_conv *p, const double *in, const double *weight,
                       double *out, double *mag);

void oracle_im2col(const struct cairn_im2col *p, const double *x, double *col);
void oracle_col2im(const struct cairn_im2col *p, const double *col, double *dx, double *mag);

void oracle_pool(const struct cairn_pool *p, const double *x, double *y, int32_t *index);
void oracle_pool_grad(const struct cairn_pool *p, const double *dy, const int32_t *index,
                      double *dx, double *mag);

/* kind = average; mag: the mean of magnitudes. */
void oracle_pool_mean(const struct cairn_pool *p, const double *x, double *y, double *mag);
void oracle_pool_mean_grad(const struct cairn_pool *p, const double *dy, double *dx, double *mag);

double oracle_activate(int64_t kind, double alpha, double x);
/* of: y = act(x), or x for the kinds whose gradient needs it. */
double oracle_activate_grad(int64_t kind, double alpha, double of, double dy);

/* loss, correct per row; weights (of the classes), grad and prob may be NULL. */
void oracle_softmax(const struct cairn_softmax *p, const double *z, const int32_t *labels,
                    const double *weights, double *loss, int32_t *correct, double *grad,
                    double *prob);
void oracle_softmax_grad(const struct cairn_softmax_grad *p, const double *y, const double *dy,
                         double *dx);
void oracle_loss(const struct cairn_loss *p, const double *z, const int32_t *labels,
                 const double *weights, double *loss, int32_t *correct, double *grad);

/* A random move per image: pixels are thrown into the cut where nothing turns, else each is a sum
 * of tents. */
void oracle_augment(const struct cairn_augment *p, const double *x, double *y);

/* Philox4x32-10 as published: four words from a counter and a key. */
void oracle_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4]);
void oracle_dropout(const struct cairn_dropout *p, const double *x, double *y);

void oracle_reduce(const struct cairn_reduce *p, const double *x, double *y, double *mag);
/* Ioffe and Szegedy 2015 with the statistics of x itself, channel by channel. mean, var (biased):
 * c each; dx, dgamma, dbeta follow their chain of derivatives step by step. */
void oracle_batchnorm(int64_t n1, int64_t c, int64_t n2, double epsilon, const double *x,
                      const double *gamma, const double *beta, double *mean, double *var,
                      double *y);
void oracle_batchnorm_grad(int64_t n1, int64_t c, int64_t n2, double epsilon, const double *x,
                           const double *dy, const double *gamma, double *dx, double *dgamma,
                           double *dbeta);
void oracle_gather(const struct cairn_gather *p, const uint8_t *table, const uint8_t *labels,
                   const int32_t *indices, double *x, int32_t *y);

void oracle_sgd(const struct cairn_sgd *p, double *w, const double *g, double *v);
void oracle_adam(const struct cairn_adam *p, double *w, const double *g, double *m, double *v);
void oracle_rmsprop(const struct cairn_rmsprop *p, double *w, const double *g, double *m,
                    double *v);
void oracle_adagrad(const struct cairn_adagrad *p, double *w, const double *g, double *v);
void oracle_adadelta(const struct cairn_adadelta *p, double *w, const double *g, double *u,
                     double *v);
/* sumsq: the squared norm of all gradients. */
void oracle_clip(const struct cairn_clip *p, double sumsq, double *g);

#endif
