/* The even and the odd elements of a vector of 8 or 16: what windows two apart read. */
#ifndef CAIRN_EVEN_H
#define CAIRN_EVEN_H

#define EVEN4(v) ((v).even)
#define ODD4(v) ((v).odd)
/* Of 16 as halves of 64-bit words: one simulator takes elements of the shuffles that .even and .odd
 * become for uninitialised. */
#ifdef __ENDIAN_LITTLE__
#define EVEN8(v) as_float8(convert_uint8(as_ulong8(v)))
#define ODD8(v) as_float8(convert_uint8(as_ulong8(v) >> 32))
#else
#define EVEN8(v) ((v).even)
#define ODD8(v) ((v).odd)
#endif

#endif
