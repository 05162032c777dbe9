/* The product as the convolutions see it: its second factor may be a view of images.
 *
 * Invariant: a view gives the bits that im2col and the product would give. */
#ifndef CAIRN_OPENCL_GEMM_H
#define CAIRN_OPENCL_GEMM_H

#include "opencl/opencl.h"

/* Whether this variant of gemm packs b straight from images. */
int ocl_gemm_sees_images(const struct ocl_backend *be, int variant);

/* ocl_gemm() with b = x of the convolution `images`, stride_b floats an image, seen as the taps x
 * pixels matrix that im2col would write (n x k of it when tb = 1); taps and pixels are below 2^30.
 * images NULL: b is a matrix. */
cairn_status ocl_gemm_images(struct cairn_backend *backend, const struct cairn_gemm *p,
                             const struct cairn_conv *images, int variant);

#endif
