/* OpenBLAS as a peer of `cairn bench`: loaded at run time, so that nothing depends on it. */
#ifndef CAIRN_TOOLS_BLAS_H
#define CAIRN_TOOLS_BLAS_H

#include <cairn/problem.h>

struct blas;

/* Loads OpenBLAS and makes the operands of a gemm. OPENBLAS_CORETYPE is set by the CPU's features
 * where the user did not: some versions mistake new CPUs for very old ones. NULL with a complaint
 * on standard error when it is not installed or memory is out. */
struct blas *blas_open(const struct cairn_gemm *p, double seconds);
void blas_close(struct blas *blas); /* NULL is fine */

/* One sample: seconds of one product. */
double blas_sample(struct blas *blas);

/* "OpenBLAS SkylakeX, 2 threads (core type set by its environment variable)" */
const char *blas_text(const struct blas *blas);

#endif
