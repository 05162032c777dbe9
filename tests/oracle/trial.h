/* One problem with its operands as arrays on the host, run on the reference: draw, run, look.
 * Failures are Check failures. */
#ifndef CAIRN_TESTS_TRIAL_H
#define CAIRN_TESTS_TRIAL_H

#include "oracle.h"

#include <cairn/device.h>
#include <check.h>
#include <stdint.h>

enum { TRIAL_OPERANDS = 10 };

struct trial {
    struct cairn_problem problem;
    int count;                      /* operands, in the order of the schema */
    int64_t extent[TRIAL_OPERANDS]; /* 0: unused */
    void *host[TRIAL_OPERANDS];     /* extent elements of the operand's type, zero at first */
};

/* Parses a printed problem and allocates its operands. */
void trial_init(struct trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trial_finish(struct trial *t);

/* The operand's number by name; its host array. */
int trial_operand(const struct trial *t, const char *name);
float *trial_floats(struct trial *t, const char *name);
int32_t *trial_ints(struct trial *t, const char *name);
uint8_t *trial_bytes(struct trial *t, const char *name);
int64_t trial_extent(const struct trial *t, const char *name);

/* The operand's floats as doubles, from malloc. */
double *trial_doubles(struct trial *t, const char *name);

/* Runs on the reference: every operand in a buffer of its own, at an offset of `shift` elements;
 * outputs come back into host. */
void trial_run(struct trial *t, int64_t shift);

/* A small generator of the tests' own (xorshift), so that no test leans on what it tests. */
void draw_seed(uint64_t seed);
uint32_t draw_u32(void);
int64_t draw_between(int64_t first, int64_t last);
double draw_real(double low, double high);
void draw_floats(float *to, int64_t count, double low, double high);

static inline int same_bits(float a, float b)
{
    union {
        float f;
        uint32_t u;
    } x = {a}, y = {b};
    return a != a ? b != b : x.u == y.u;
}

/* ck_assert_msg for inner loops: nothing is reported unless it fails. */
#define ck_hold(condition, ...)                                                                    \
    do {                                                                                           \
        if (!(condition)) ck_abort_msg(__VA_ARGS__);                                               \
    } while (0)

/* |got - want| <= bound, or both are the same infinity or NaN. */
#define ck_near(got, want, bound, ...)                                                             \
    do {                                                                                           \
        double got_ = (got), want_ = (want), bound_ = (bound);                                     \
        int fine_ = isnan(want_)   ? isnan(got_)                                                   \
                    : isinf(want_) ? got_ == want_                                                 \
                                   : fabs(got_ - want_) <= bound_;                                 \
        if (!fine_) {                                                                              \
            char line_[400];                                                                       \
            snprintf(line_, sizeof line_, __VA_ARGS__);                                            \
            ck_abort_msg("%s: got %.9g, want %.9g, allowed %.3g", line_, got_, want_, bound_);     \
        }                                                                                          \
    } while (0)

#endif
