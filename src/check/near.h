/* Running error analysis for the bounds of `fast`: arithmetic on a value with what it may be off.
 *
 * Invariant: every float computation of a formula, fused or not, with or without subnormals, lies
 * within `off` of `value`, which is computed in double. Two computations lie within twice that of
 * each other. An operation adds the roundings that OpenCL 1.2, 7.4 allows; where a float may have
 * overflowed, or a divisor be 0 or a radicand negative, off is infinite. For finite inputs. */
#ifndef CAIRN_CHECK_NEAR_H
#define CAIRN_CHECK_NEAR_H

#include "check/check.h"

#include <float.h>
#include <math.h>

struct near {
    double value, off;
};

static inline struct near near_of(double value)
{
    return (struct near){value, 0};
}

/* With so many units of 2^-24 of rounding; the operands' sizes, since they may be flushed. */
static inline struct near near_round(double value, double off, double units, double sizes)
{
    off += units * CHECK_U * 1.001 * (fabs(value) + off) + CHECK_TINY * (2 + sizes);
    if (!(fabs(value) + off <= (double)FLT_MAX)) off = INFINITY;
    return (struct near){value, off};
}

static inline double near_most(struct near a)
{
    return fabs(a.value) + a.off;
}

/* a * b */
static inline struct near near_mul(struct near a, struct near b)
{
    double off = fabs(a.value) * b.off + fabs(b.value) * a.off + a.off * b.off;
    return near_round(a.value * b.value, off, 1, near_most(a) + near_most(b));
}

/* a + b */
static inline struct near near_add(struct near a, struct near b)
{
    return near_round(a.value + b.value, a.off + b.off, 1, 1);
}

/* a * b + c, fused or not. */
static inline struct near near_fma(struct near a, struct near b, struct near c)
{
    return near_add(near_mul(a, b), c);
}

/* sqrt(a), 3 ulp; positive: no computation of a is below 0. */
static inline struct near near_sqrt(struct near a, int positive)
{
    double least = a.value - a.off, value = sqrt(fmax(a.value, 0));
    if (least > CHECK_TINY) return near_round(value, a.off / sqrt(least), 6, 0);
    return positive ? near_round(value, sqrt(a.off + CHECK_TINY), 6, 0)
                    : (struct near){0, INFINITY};
}

/* a / b, 2.5 ulp. */
static inline struct near near_div(struct near a, struct near b)
{
    double least = fabs(b.value) - b.off, ratio = a.value / b.value;
    if (!(least > CHECK_TINY)) return (struct near){0, INFINITY};
    return near_round(ratio, (a.off + fabs(ratio) * b.off) / least, 5, 1 / least);
}

#endif
