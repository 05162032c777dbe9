/* The product as the convolutions see it: its second factor may be a view of images, it may be made
 * for groups of channels, and a long sum may be made a few slabs at a time.
 *
 * Invariant: a view gives the bits that im2col and the product would give, and slabs the bits of
 * one whole product. */
#ifndef CAIRN_OPENCL_GEMM_H
#define CAIRN_OPENCL_GEMM_H

#include "opencl/opencl.h"

#define OCL_GEMM_SLAB 4096 /* k of a slab */

/* groups products in each batch: a, b and c of a group lie step_a, step_b and step_c floats behind
 * those of the one before, a bias along m lies m behind. images: NULL, or the convolution whose x
 * is b, stride_b floats an image, seen as the taps x pixels matrix that im2col would write (n x k
 * of it when tb = 1); taps and pixels are below 2^30. first, count: only these slabs of the sum
 * are made, a and b being given from batch skipped on (sum = 1); count 0: all of them. Slabs come
 * in order, from 0 on. */
struct ocl_gemm_parts {
    int64_t groups, step_a, step_b, step_c;
    const struct cairn_conv *images;
    int64_t first, count, skipped;
};

/* The product's variants as far as convolutions take them: those of ocl_gemm_variants(), by the
 * same numbers, without the ones behind them that only name a way of another. */
int ocl_gemm_kinds(struct cairn_backend *backend, const struct cairn_problem *problem,
                   struct cairn_variant variants[CAIRN_MAX_VARIANTS]);

/* Whether this variant of gemm takes b straight from these images, as it is or transposed; and
 * whether it then makes the pixels of all images the columns of one product, so that small images
 * leave no tile half empty. */
int ocl_gemm_sees_images(const struct ocl_backend *be, int variant, const struct cairn_conv *images,
                         int transposed);
int ocl_gemm_joins_images(const struct ocl_backend *be, int variant);

/* Floats of workspace, and slabs of the sum. */
int64_t ocl_gemm_work(const struct cairn_gemm *p, int64_t groups);
int64_t ocl_gemm_slabs(const struct cairn_gemm *p);

/* c takes in slabs [first, first + slabs) of the sum, which lie in the workspace as
 * [slab][row][column]. One result: no batches but those of the sum. */
cairn_status ocl_gemm_add_slabs(struct ocl_backend *be, const struct cairn_gemm *p, int64_t first,
                                int64_t slabs);

/* ocl_gemm() of such parts. */
cairn_status ocl_gemm_parts(struct cairn_backend *backend, const struct cairn_gemm *p,
                            const struct ocl_gemm_parts *parts, int variant);

#endif
