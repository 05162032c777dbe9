/* The hard cases that the host must answer before it may define anything: its rounding mode, its
 * denormals, and whether fmaf is fused, whichever library or instruction it comes from.
 * docs/ARITHMETIC.md tells what each case catches. */
#include "base/exact.h"
#include "reference/reference.h"

#include <fenv.h>

enum kind { FMA, ADD, MUL, MULADD, DIV, SQRT, LESS, CASES };
static const char *const properties[CASES] = {
    "fma", "addition", "multiplication", "contraction", "division", "square root", "comparison"};

struct hard_case {
    enum kind kind;
    uint32_t a, b, c, want;
};

static const struct hard_case cases[] = {
    {FMA, 0x3f800001, 0x3f800001, 0xbf800002, 0x28800000}, /* fused: 2^-46 is left */
    {FMA, 0x3f800800, 0x3f800800, 0x17800000,
     0x3f801001}, /* midpoint + 2^-80: double rounding gives ..1000 */
    {FMA, 0x3f800800, 0x3f800800, 0x97800000, 0x3f801000}, /* midpoint - 2^-80 */
    {FMA, 0x3f800800, 0x3f801800, 0x97800000,
     0x3f802001}, /* odd midpoint - 2^-80: double rounding gives ..2002 */
    {FMA, 0xb33dd30c, 0xad2c9f69, 0xad2bc00e, 0xad2bc00d}, /* all normal */
    {FMA, 0xcf000000, 0x00000000, 0x00000000, 0x00000000}, /* -x * 0 + 0 is +0 */
    {FMA, 0x33800000, 0x80800000, 0x00800000, 0x00800000}, /* tiny product, normal addend */
    {FMA, 0x4b000000, 0x00800000, 0x807fffff, 0x0bfffffe}, /* subnormal addend */
    {FMA, 0x0047061d, 0x4fe4dea6, 0x1a2c3b2f, 0x1a2c3b3f}, /* subnormal factor */
    {FMA, 0x26cfa4b9, 0x0f391ec7, 0x00000007, 0x00000010}, /* subnormal result */
    {FMA, 0x1a000000, 0x1a000000, 0x00000000, 0x00000000}, /* 2^-150 ties to 0 */
    {FMA, 0x1a000001, 0x1a000000, 0x00000000, 0x00000001}, /* just above 2^-150 */
    {FMA, 0x1a000000, 0x1a000000, 0x00000001, 0x00000002}, /* 1.5 smallest ties to 2 */
    {FMA, 0x7f7fffff, 0x3f800000, 0x73000000, 0x7f800000}, /* a tie that overflows */
    {FMA, 0x7f7fffff, 0x3f800000, 0x72ffffff, 0x7f7fffff}, /* just below */
    {FMA, 0x7f7fffff, 0x40000000, 0xff7fffff, 0x7f7fffff}, /* product out of range, sum in range */
    {FMA, 0x7f800000, 0x00000000, 0x3f800000, 0x7fc00000}, /* infinity * 0 */
    {MULADD, 0x3f800800, 0x3f800800, 0xbf801000, 0x00000000}, /* contracted: 0x33800000 */
    {ADD, 0x00800000, 0x80000001, 0, 0x007fffff},             /* subnormal sum */
    {ADD, 0x00000001, 0x00000001, 0, 0x00000002},             /* subnormal operands */
    {ADD, 0x80000000, 0x00000000, 0, 0x00000000}, /* -0 + 0 is +0: not when rounding down */
    {ADD, 0x3f800000, 0x33800000, 0, 0x3f800000}, /* ties to even, not up */
    {ADD, 0x3f800001, 0x33800000, 0, 0x3f800002}, /* ties to even, not down */
    {MUL, 0x00800000, 0x3f000000, 0, 0x00400000}, /* subnormal product */
    {MUL, 0x3f7fffff, 0x00800000, 0, 0x00800000}, /* rounds up to the smallest normal */
    {MUL, 0xbf800000, 0x00000000, 0, 0x80000000}, /* -1 * 0 is -0 */
    {DIV, 0xbf800000, 0x4f7fffff, 0, 0xaf800001}, /* all-ones divisor */
    {DIV, 0x3ef9a0e6, 0x50dda889, 0, 0x2d9026dc}, /* near midpoints */
    {DIV, 0x591abb66, 0x562164cf, 0, 0x42756ee9},
    {DIV, 0x4ae4d5c2, 0x4b13d419, 0, 0x3f462414},
    {DIV, 0x4ac00002, 0x4b000001, 0, 0x3f400000},
    {DIV, 0x206cee2f, 0xdfb8f095, 0, 0x8051fde7}, /* subnormal quotient */
    {DIV, 0x00000003, 0x40000000, 0, 0x00000002}, /* ties in the subnormal range */
    {DIV, 0x00000001, 0x40000000, 0, 0x00000000},
    {DIV, 0x3f800000, 0x7f7fffff, 0, 0x00200000},
    {DIV, 0x7f7fffff, 0x3f7fffff, 0, 0x7f800000},
    {DIV, 0x007fffff, 0x00800000, 0, 0x3f7ffffe},
    {SQRT, 0x3f7fffff, 0, 0, 0x3f7fffff},
    {SQRT, 0x3fffffff, 0, 0, 0x3fb504f3},
    {SQRT, 0x00000001, 0, 0, 0x1a3504f3},
    {SQRT, 0x007fffff, 0, 0, 0x1fffffff},
    {SQRT, 0x80000000, 0, 0, 0x80000000},
    {SQRT, 0x7f7fffff, 0, 0, 0x5f7fffff},
    {LESS, 0x80000001, 0x00000000, 0, 0x3f800000}, /* subnormals are not zero */
    {LESS, 0x80000000, 0x00000000, 0, 0x00000000}, /* zeros are equal */
};

static float answer(const struct hard_case *hard)
{
    volatile float a = cairn_exact_float(hard->a), b = cairn_exact_float(hard->b),
                   c = cairn_exact_float(hard->c);
    switch (hard->kind) {
    case FMA:
        return fmaf(a, b, c);
    case ADD:
        return a + b;
    case MUL:
        return a * b;
    case MULADD:
        return a * b + c;
    case DIV:
        return a / b;
    case SQRT:
        return sqrtf(a);
    case LESS:
        return a < b ? 1.0f : 0.0f;
    case CASES:
        break;
    }
    return 0.0f;
}

/* The same fma cases through a loop that is built for each instruction set, as the products are. */
REF_CLONES
static void fma_all(const float *a, const float *b, const float *c, float *y, int count)
{
    for (int i = 0; i < count; i++) y[i] = fmaf(a[i], b[i], c[i]);
}

static int right(float got, uint32_t want)
{
    float wanted = cairn_exact_float(want);
    return wanted != wanted ? got != got : cairn_exact_bits(got) == want;
}

static int vectors_right(void)
{
    enum { WIDTH = 16 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float a[WIDTH], b[WIDTH], c[WIDTH], y[WIDTH];
        if (cases[i].kind != FMA) continue;
        for (int l = 0; l < WIDTH; l++) {
            a[l] = cairn_exact_float(cases[i].a);
            b[l] = cairn_exact_float(cases[i].b);
            c[l] = cairn_exact_float(cases[i].c);
        }
        fma_all(a, b, c, y, WIDTH);
        for (int l = 0; l < WIDTH; l++)
            if (!right(y[l], cases[i].want)) return 0;
    }
    return 1;
}

const char *ref_probe(void)
{
    if (fegetround() != FE_TONEAREST) return "rounding to nearest";
    if (!right(answer(&(struct hard_case){ADD, 1, 1, 0, 2}), 2) ||
        !right(answer(&(struct hard_case){MUL, 0x00800000, 0x3f000000, 0, 0}), 0x00400000))
        return "denormals";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!right(answer(&cases[i]), cases[i].want)) return properties[cases[i].kind];
    return vectors_right() ? NULL : "fma in vectors";
}
