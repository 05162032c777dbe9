/* What `fast` may differ by: computed from the magnitudes of the operands, never tuned.
 *
 * A sum of n terms in any order, each product rounded, is within gamma(n) sum|terms| of the true
 * value (Higham 2002, 4.2); two such results are within twice that. sum|terms| is the reference's
 * own result for the absolute values of the inputs. Subnormal operands and results may be flushed.
 * Functions of the device are taken at the limits of the OpenCL 1.2 specification, 7.4. */
#include "check/check.h"
#include "base/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

float check_float_at(const struct check_image *image, const void *data, int64_t index)
{
    return check_as_float(((const uint32_t *)data)[image->lead + index]);
}

double check_largest(const struct check_image *image)
{
    double largest = 0;
    for (int64_t i = 0; image->operand && i < image->extent; i++) {
        double v = fabs((double)check_float_at(image, image->initial, i));
        if (v > largest) largest = v;
    }
    return largest;
}

double check_sum_bound(double terms, double sum, double largest_a, double largest_b)
{
    double gamma = check_gamma(terms + 2);
    return 2 * gamma * (1 + gamma) * sum + 2 * terms * CHECK_TINY * (1 + largest_a + largest_b);
}

/* tanh: 5 ulp of the device and 1.5 of ours; sigmoid 1 / (1 + exp(-x)): 3 for exp, 0.5 for the
 * sum, 2.5 for the division, 1.5 ours. */
double check_act_bound(int64_t kind, double before, double want)
{
    if (isinf(before)) return before; /* another order may end elsewhere, where this one is NaN */
    if (kind == CAIRN_ACT_TANH) return before + 6.5 * CHECK_ULP * fabs(want) + CHECK_TINY;
    if (kind == CAIRN_ACT_SIGMOID) return 0.25 * before + 7.5 * CHECK_ULP * fabs(want) + CHECK_TINY;
    return before + CHECK_TINY;
}

/* The case with the absolute values of the images' inputs and no activation, on the reference. */
static cairn_status run_sums(struct cairn_device *against, const struct check_case *c,
                             const struct check_image *images, struct check_image *sums)
{
    cairn_status st = CAIRN_OK;
    struct check_case plain = *c;
    struct check_break broken;
    int64_t none = 0;
    plain.inplace = 0;
    for (const struct cairn_field *f = cairn_schema_of(c->problem.op)->fields; f->name; f++)
        if (!strcmp(f->name, "act"))
            memcpy((char *)&plain.problem.u + f->offset, &none, sizeof none);
    TRY(check_images_empty(&plain, sums));
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) {
        if (!sums[i].operand || !images[i].operand) continue;
        assert(sums[i].total == images[i].total);
        memcpy(sums[i].initial, images[i].initial, (size_t)sums[i].total * sums[i].element);
        if (sums[i].operand->role != CAIRN_IN || sums[i].operand->dtype != CAIRN_F32) continue;
        uint32_t *data = sums[i].initial;
        for (int64_t j = 0; j < sums[i].extent; j++) data[sums[i].lead + j] &= 0x7fffffffu;
    }
    TRY(check_run(against, &plain, sums, CHECK_WANT, 0, &broken));
out:
    return st;
}

/* A variant that is asked for need not take the problem. */
int check_has_own_bound(const struct check_case *c)
{
    const struct cairn_conv *p = &c->problem.u.conv;
    if (strcmp(c->variant, "winograd") != 0) return 0;
    if (c->problem.op != CAIRN_OP_CONV && c->problem.op != CAIRN_OP_CONV_DATA) return 0;
    return p->kh == 3 && p->kw == 3 && p->stride_h == 1 && p->stride_w == 1 && p->dilation_h == 1 &&
           p->dilation_w == 1 && p->groups == 1;
}

cairn_status check_bounds(struct cairn_device *against, const struct check_case *c,
                          const struct check_image *images, double **bounds)
{
    cairn_status st = CAIRN_OK;
    const struct check_family *family = check_family_of(c->problem.op);
    struct check_image sums[CHECK_MAX_OPERANDS];
    memset(sums, 0, sizeof sums);
    if (family->wants_sums) TRY(run_sums(against, c, images, sums));
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) {
        const struct check_image *image = &images[i];
        if (!image->operand || image->operand->role == CAIRN_IN ||
            (image->operand->dtype != CAIRN_F32 && c->problem.op != CAIRN_OP_CONV_POOL))
            continue; /* conv_pool: who wins may hang on a rounding */
        bounds[i] = calloc((size_t)image->extent, sizeof(double));
        if (!bounds[i]) {
            st = cairn_fail(CAIRN_MEMORY, "out of memory");
            goto out;
        }
        family->bound(c, images, i,
                      family->wants_sums ? (const float *)sums[i].want + sums[i].lead : NULL,
                      bounds[i]);
    }
out:
    check_images_free(sums);
    return st;
}
