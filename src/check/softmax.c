/* Softmax with cross-entropy: labels mostly in range, logits close together and far apart. */
#include "check/check.h"

#include <math.h>

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_softmax *p = &problem->u.softmax;
    if (profile < 40) {
        p->rows = check_size(rng, small ? 40 : 2000);
        p->classes = CHECK_PICK(rng, 2, 9, 10, 10, 10, 11);
    } else if (profile < 50 && !small) { /* the sum over classes has several chunks */
        p->rows = check_size(rng, 5);
        p->classes = CHECK_PICK(rng, 4095, 4096, 4097, 8192, 8193, 12289);
    } else {
        p->rows = check_size(rng, small ? 17 : 300);
        p->classes = check_size(rng, small ? 130 : 1100);
    }
    p->want_grad = check_chance(rng, 70);
    p->want_prob = check_chance(rng, 50);
    p->scale = check_chance(rng, 50)
                   ? 1.0f / (float)p->rows
                   : CHECK_PICKF(rng, 1.0f, 0.0f, -2.5f, 0.0078125f, 3e38f, 1e-42f);
}

static int fill(const struct check_case *c, int operand, const struct check_source *source,
                int64_t extent, void *data)
{
    const struct cairn_softmax *p = &c->problem.u.softmax;
    static const float spreads[] = {1, 10, 30, 100};
    float spread = spreads[source->key & 3], *logits = data;
    int32_t *labels = data;
    if (operand == 0 && c->kind == CHECK_real) {
        for (int64_t i = 0; i < extent; i++)
            logits[i] = check_as_float(check_float_bits(source, i)) * spread;
        return 1;
    }
    if (operand != 1) return 0;
    for (int64_t i = 0; i < extent; i++) {
        static const int32_t outside[] = {-1, INT32_MIN, INT32_MAX};
        uint64_t r = check_bits(source, i);
        labels[i] = (int32_t)((r >> 8) % (uint64_t)p->classes);
        if (r % 16 == 0) labels[i] = r & 0x30 ? outside[(r >> 4 & 3) - 1] : (int32_t)p->classes;
    }
    return 1;
}

/* p: exp 3 ulp and ours 1, the sum, the division 2.5; loss: log 3 ulp of log s, the relative error
 * of s, one rounding of z - m. */
static void bound(const struct check_case *c, const struct check_image *images, int operand,
                  const float *sums, double *bound_of)
{
    const struct cairn_softmax *p = &c->problem.u.softmax;
    const struct check_image *z = &images[0], *y = &images[operand];
    const int32_t *labels = (const int32_t *)images[1].initial + images[1].lead;
    double of_sum = 5 * CHECK_ULP + 2 * check_gamma((double)p->classes),
           of_p = 5 * CHECK_ULP + 3 * CHECK_ULP + of_sum;
    (void)sums;
    for (int64_t r = 0; r < p->rows; r++) {
        double m = -INFINITY, s = 0;
        for (int64_t j = 0; j < p->classes; j++)
            m = fmax(m, (double)check_float_at(z, z->initial, r * p->classes + j));
        for (int64_t j = 0; j < p->classes; j++)
            s += exp((double)check_float_at(z, z->initial, r * p->classes + j) - m);
        if (operand == 2) {
            int known = labels[r] >= 0 && labels[r] < p->classes;
            double zl = known
                            ? (double)check_float_at(z, z->initial, r * p->classes + labels[r]) - m
                            : 0,
                   log_s = log(s);
            bound_of[r] =
                of_sum + 5 * CHECK_ULP * log_s + 4 * CHECK_U * (fabs(zl) + log_s) + 2 * CHECK_TINY;
            continue;
        }
        for (int64_t j = 0; j < p->classes; j++) {
            double q = exp((double)check_float_at(z, z->initial, r * p->classes + j) - m) / s;
            double scale = operand == 4 ? fabs((double)p->scale) : 1;
            bound_of[r * p->classes + j] =
                scale * (of_p * q + 4 * CHECK_U * (q + (j == labels[r]))) +
                (2 + 2 * scale) * CHECK_TINY;
        }
    }
    (void)y;
}

const struct check_family check_family_softmax = {draw, fill, bound, 0};
