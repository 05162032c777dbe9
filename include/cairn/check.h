/* The checker: operators on two devices, value by value.
 *
 * A case is an operator's problem with the offsets of its operands, the kind and seed of their data
 * and perhaps a variant, as one line: "gemm m=5 n=7 k=300 ta=1 : data=special seed=12 variant=cpu
 * offset.a=3". Everything of a case follows from its line. Both devices get the same data between
 * guard zones: NaN or out-of-range values around inputs, canaries around and inside outputs, so
 * that an access out of bounds, a missing write or a changed input shows. In `exact` mode results
 * must agree bit for bit (NaN is one class); in `fast` mode within a bound computed from the
 * magnitudes of the operands. */
#ifndef CAIRN_CHECK_H
#define CAIRN_CHECK_H

#include <cairn/device.h>
#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The first difference of one operand in one run. */
struct cairn_check_failure {
    const char *line;    /* the case, with the variant that failed: given back it fails again */
    const char *operand; /* "c" */
    const char *where;  /* "result", "untouched" (a gap was written), "unwritten", "guard", "input",
                           "second run" */
    const char *device; /* spec of the device at fault */
    int is_float;       /* 1: `got` and `want` are bits of floats */
    int64_t index;      /* of the first differing element from the operand's offset; negative in the
                           guard before it */
    uint32_t got, want; /* its bits */
    double bound;       /* fast: the difference that was allowed; 0 in exact mode */
    int64_t different;  /* elements of this operand that differ */
};

#define CAIRN_CHECK_VARIANTS (2 * CAIRN_MAX_VARIANTS) /* of an operator, over all problems */

/* What happened in the cases of one or more calls. */
struct cairn_check_result {
    int64_t cases;     /* cases run by at least one variant */
    int64_t runs;      /* (case, variant) pairs run on the device */
    int64_t failed;    /* of those, with a difference */
    int64_t values;    /* result values compared */
    int64_t different; /* differing elements, guards and inputs included */
    double worst;      /* fast: largest difference divided by its bound */
    struct {
        char name[16];
        int64_t runs;                 /* of those above */
    } variants[CAIRN_CHECK_VARIANTS]; /* by name, as they came; 0 runs behind the last */
};

/* What is run, and who is told. All zero: 100 cases, every variant. */
struct cairn_check_options {
    int64_t cases;       /* random cases; 0 means 100 */
    uint64_t seed;       /* which random cases; the same seed draws the same ones everywhere */
    int small;           /* tiny shapes, for simulators and very slow devices */
    int twice;           /* run each twice on the device and compare the two results */
    const char *variant; /* run only this variant; NULL: every variant that the device admits */
    /* Before each run on the device: its operator, variant and case, which names the variant; 0
     * leaves it out. May be NULL. */
    int (*begin)(void *context, enum cairn_op op, const char *variant, const char *line);
    void (*failure)(
        void *context,
        const struct cairn_check_failure *failure); /* each first difference; may be NULL */
    void (*progress)(void *context, enum cairn_op op, int64_t done,
                     int64_t total); /* after each random case */
    void *context;                   /* for the callbacks */
};

/* Runs random cases of an operator on `device` and on `against`, and adds what happened to *result.
 * A forced variant of the operator on `device` is back at its default afterwards. CAIRN_DIFFERENT
 * if something differed; CAIRN_INVALID if the wanted variant was admitted for no case; a device's
 * failure names the case. */
cairn_status cairn_check_random(struct cairn_device *device, struct cairn_device *against,
                                enum cairn_op op, const struct cairn_check_options *options,
                                struct cairn_check_result *result);

/* The same for one given case; options->variant, cases, seed and small are not used, since the
 * line may name a variant; else every one that the device admits is run. CAIRN_PARSE
 * tells what a line may say. */
cairn_status cairn_check_line(struct cairn_device *device, struct cairn_device *against,
                              const char *line, const struct cairn_check_options *options,
                              struct cairn_check_result *result);

/* Makes a case that differs smaller, as long as it still does: sizes, offsets, the kind of its
 * data. Some hundred runs at most. Writes its line, which is the given one where nothing smaller
 * differs.
 */
cairn_status cairn_check_shrink(struct cairn_device *device, struct cairn_device *against,
                                const char *line, char *text, size_t size);

/* Writes the line of random case `number` of an operator, as snprintf does; no device is needed. */
int cairn_check_draw(enum cairn_op op, uint64_t seed, int64_t number, int small, char *text,
                     size_t size);

/* The operator of a case line, or CAIRN_PARSE. */
cairn_status cairn_check_line_op(const char *line, enum cairn_op *op);

/* --- the functions of the exact arithmetic, over all floats --- */

/* What came of it. */
struct cairn_function_result {
    int64_t values, different; /* floats compared; of those, with other bits */
    uint32_t at, got, want; /* where different is not 0: the first operand, and what came of it */
    uint64_t next;          /* operands below are done: where to go on */
};

/* Which floats; all zero: all of them. */
struct cairn_function_options {
    uint64_t from, to; /* operands as bits, to excluded; to 0: 2^32 */
    uint32_t every; /* each so many-th; 0: 1. Of all floats, more than 1 adds those next to zeros,
                       powers of two, infinities and the edges of the functions' formulas */
    const volatile sig_atomic_t *stop; /* may be NULL: not 0 ends with CAIRN_INTERRUPTED */
    void (*progress)(void *context, enum cairn_function function,
                     uint64_t next); /* now and then; may be NULL */
    void *context;                   /* for progress() */
};

/* Runs a function on a device and on the reference, on all processors, and compares bit for bit
 * (NaN is one class). CAIRN_DIFFERENT if something differed; CAIRN_UNSUPPORTED where the device's
 * kernels do not use the function. */
cairn_status cairn_check_function(struct cairn_device *device, enum cairn_function function,
                                  const struct cairn_function_options *options,
                                  struct cairn_function_result *result);

#ifdef __cplusplus
}
#endif
#endif
