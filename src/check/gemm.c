/* Products: shapes around tiles, blocks and slabs; gaps of strided inputs hold NaN. */
#include "check/check.h"

#include <string.h>

/* Around blocks of 256 and slabs of 4096. */
static const int64_t ks[] = {255,  256,  257,  511,  513,  1000, 4095,
                             4096, 4097, 4353, 8191, 8192, 8193, 12289};

static void draw_shape(struct check_rng *rng, int profile, int small, struct cairn_gemm *p)
{
    if (profile < (small ? 8 : 25)) { /* k across blocks of 256 and slabs of 4096 */
        p->m = check_size(rng, small ? 3 : 33);
        p->n = check_size(rng, small ? 3 : 65);
        p->k = small ? 255 + profile % 4 : ks[profile % (int)(sizeof ks / sizeof *ks)];
    } else if (profile < 40) { /* pixels along n */
        p->m = check_size(rng, small ? 4 : 20);
        p->n = check_size(rng, small ? 130 : 5000);
        p->k = check_size(rng, small ? 5 : 80);
    } else if (profile < 50) { /* pixels along m */
        p->m = check_size(rng, small ? 130 : 3000);
        p->n = check_size(rng, small ? 4 : 20);
        p->k = check_size(rng, small ? 5 : 80);
    } else {
        p->m = check_size(rng, small ? 34 : 300);
        p->n = check_size(rng, small ? 34 : 300);
        p->k = check_size(rng, small ? 20 : 600);
    }
}

static int64_t draw_gap(struct check_rng *rng)
{
    return check_chance(rng, 65) ? 0 : check_below(rng, 9) + 1;
}

static void draw(struct check_rng *rng, int profile, int small, struct cairn_problem *problem)
{
    struct cairn_gemm *p = &problem->u.gemm;
    draw_shape(rng, profile, small, p);
    p->ta = check_chance(rng, 50);
    p->tb = check_chance(rng, 50);
    p->lda = (p->ta ? p->m : p->k) + draw_gap(rng);
    p->ldb = (p->tb ? p->k : p->n) + draw_gap(rng);
    p->ldc = p->n + draw_gap(rng);
    p->bias = check_below(rng, 3);
    p->act = check_chance(rng, 50) ? CAIRN_ACT_NONE : 1 + check_below(rng, 3);
    if (check_chance(rng, 60)) return;
    p->batch = CHECK_PICK(rng, 1, 2, 2, 3, 3, 4, 5, 7, 16, 17);
    p->sum = check_chance(rng, 50);
    int64_t rows_a = p->ta ? p->k : p->m, rows_b = p->tb ? p->n : p->k;
    p->stride_a = check_chance(rng, 20) ? 0 : rows_a * p->lda + draw_gap(rng);
    p->stride_b = check_chance(rng, 20) ? 0 : rows_b * p->ldb + draw_gap(rng);
    if (!p->sum && p->batch > 1) p->stride_c = p->m * p->ldc + draw_gap(rng);
}

/* Writes the elements that the product reads; what lies between them stays NaN. */
static void fill_matrix(const struct check_source *source, int64_t batch, int64_t stride,
                        int64_t rows, int64_t columns, int64_t ld, uint32_t *data)
{
    for (int64_t b = 0; b < batch; b++)
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++) {
                int64_t at = b * stride + i * ld + j;
                data[at] = check_float_bits(source, at);
            }
}

static int fill(const struct check_case *c, int operand, const struct check_source *source,
                int64_t extent, void *data)
{
    const struct cairn_gemm *p = &c->problem.u.gemm;
    (void)extent;
    if (operand > 1) return 0;
    if (operand == 0)
        fill_matrix(source, p->batch, p->stride_a, p->ta ? p->k : p->m, p->ta ? p->m : p->k, p->lda,
                    data);
    else
        fill_matrix(source, p->batch, p->stride_b, p->tb ? p->n : p->k, p->tb ? p->k : p->n, p->ldb,
                    data);
    return 1;
}

static void bound(const struct check_case *c, const struct check_image *images, int operand,
                  const float *sums, double *bound_of)
{
    const struct cairn_gemm *p = &c->problem.u.gemm;
    const struct check_image *image = &images[operand];
    double terms = (double)(p->sum ? p->batch : 1) * (double)p->k;
    double a = check_largest(&images[0]), b = check_largest(&images[1]);
    for (int64_t i = 0; i < image->extent; i++)
        bound_of[i] = check_act_bound(p->act, check_sum_bound(terms, (double)sums[i], a, b),
                                      (double)check_float_at(image, image->want, i));
}

const struct check_family check_family_gemm = {draw, fill, bound, 1};
