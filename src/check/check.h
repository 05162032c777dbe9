/* The checker's own header: cases, their data, and what each family adds.
 *
 * Invariant: everything of a case - shapes, data, canaries - follows from its line alone, on every
 * machine. The generator is the checker's own, so that a fault in Cairn's random numbers cannot
 * hide itself. */
#ifndef CAIRN_CHECK_CHECK_H
#define CAIRN_CHECK_CHECK_H

#include <cairn/check.h>

#include "device/schema.h"

#define CHECK_MAX_OPERANDS CAIRN_MAX_OPERANDS
#define CHECK_GUARD 1024 /* elements on both sides of an operand unless the line says otherwise */

/* What an operand's guard zone holds, and an output before the run. No data has these bits. Around
 * what is read and written lies what lies around outputs: a product with a NaN has the same bits.
 */
#define CHECK_NAN 0x7fc00000u        /* around float inputs, and in the gaps of strided ones */
#define CHECK_FAR 0x7f00dead         /* around int32 inputs: no index, no label */
#define CHECK_CANARY_NAN 0x7fcafe01u /* outputs: shows a sum that starts from what was there */
#define CHECK_CANARY                                                                               \
    0xdeadbeefu /* outputs, in every second case: shows a NaN written where nothing belongs */
#define CHECK_WORK 0x7fcafe02u /* workspace */

/* X(name): the kinds of float data.
 * real: uniform in [-1, 1]; integer: -4..4, so that sums are exact in any order; wide: exponents
 * -30..30, so that no other order gives the same sum; sparse: mostly zeros of both signs; denormal:
 * subnormals and factors whose products are; huge: near overflow; special: NaN of many payloads,
 * infinities, zeros, subnormals among real; bits: any 32 bits. */
#define CHECK_KINDS(X) X(real) X(integer) X(wide) X(sparse) X(denormal) X(huge) X(special) X(bits)
enum check_kind {
#define KIND(name) CHECK_##name,
    CHECK_KINDS(KIND)
#undef KIND
        CHECK_KIND_COUNT
};
extern const char *const check_kind_names[];

struct check_case {
    struct cairn_problem problem; /* complete; memory unset */
    enum check_kind kind;
    uint64_t seed;
    int64_t guard; /* elements before offset and behind the extent of every operand */
    int64_t offset[CHECK_MAX_OPERANDS]; /* elements between the guard and operand i */
    int inplace;                        /* 1: outputs that may share an input's memory do */
    char variant[16];                   /* forced; "": every one */
};

int check_case_print(const struct check_case *c, char *text, size_t size);
cairn_status check_case_parse(const char *line, struct check_case *c);

/* Case `number` of an operator's sequence `seed`. */
void check_case_draw(enum cairn_op op, uint64_t seed, int64_t number, int small,
                     struct check_case *c);

/* --- random numbers: splitmix64 (Steele, Lea, Flood 2014) --- */
struct check_rng {
    uint64_t state;
};
static inline uint64_t check_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
static inline uint64_t check_next(struct check_rng *rng)
{
    return check_mix(rng->state += 0x9e3779b97f4a7c15u);
}
/* In 0..count-1; in 1..most, favouring 1, small numbers and the edges of tiles and blocks; with a
 * chance in percent. */
int64_t check_below(struct check_rng *rng, int64_t count);
int64_t check_size(struct check_rng *rng, int64_t most);
int check_chance(struct check_rng *rng, int percent);
#define CHECK_PICK(rng, ...)                                                                       \
    ((const int64_t[]){__VA_ARGS__}[check_below(                                                   \
        rng, (int64_t)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))])
#define CHECK_PICKF(rng, ...)                                                                      \
    ((const float[]){__VA_ARGS__}[check_below(                                                     \
        rng, (int64_t)(sizeof((const float[]){__VA_ARGS__}) / sizeof(float)))])

/* --- data of one operand; value i depends on nothing but the case, the operand and i --- */
struct check_source {
    const struct check_case *c;
    uint64_t key;     /* of the case and the operand */
    uint32_t density; /* special: one in density values is special */
};
struct check_source check_source_of(const struct check_case *c, int operand);
static inline uint64_t check_bits(const struct check_source *source, int64_t index)
{
    return check_mix(source->key + (uint64_t)index * 0x9e3779b97f4a7c15u);
}
uint32_t check_float_bits(const struct check_source *source, int64_t index);
static inline float check_as_float(uint32_t bits)
{
    float f;
    __builtin_memcpy(&f, &bits, sizeof f);
    return f;
}
static inline uint32_t check_as_bits(float f)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &f, sizeof bits);
    return bits;
}
static inline int check_is_nan(uint32_t bits)
{
    return (bits & 0x7fffffffu) > 0x7f800000u;
}

/* --- host memory of one operand, guards included --- */
struct check_image {
    const struct cairn_operand *operand; /* NULL: unused */
    size_t element;
    int64_t lead, extent, total; /* elements */
    uint32_t canary;             /* of an output */
    int shared;                  /* operand whose memory this one takes on the device, or -1 */
    void *initial, *want, *got, *again;
};

/* --- what a family adds: one table per operator --- */
struct check_family {
    /* Draws fields; the caller completes the problem and draws again, with the same profile of
     * 0..99, while it is invalid or too large: profiles keep their shares, however expensive they
     * are. */
    void (*draw)(struct check_rng *rng, int profile, int small, struct cairn_problem *problem);
    /* Fills operand number i with its data; returns 0 where the kind's data is right. NULL: always.
     */
    int (*fill)(const struct check_case *c, int operand, const struct check_source *source,
                int64_t extent, void *data);
    /* fast mode: the difference allowed for each element of output number i, from inputs and
     * reference results in `images` (initial, want) and, for sums, `sums`: the reference's result
     * for the absolute values of the inputs, without activation. An infinite bound allows anything.
     */
    void (*bound)(const struct check_case *c, const struct check_image *images, int operand,
                  const float *sums, double *bound);
    int wants_sums;
};
#define CHECK_FAMILY(slot, NAME, type, member) extern const struct check_family check_family_##slot;
CAIRN_OP_LIST(CHECK_FAMILY)
#undef CHECK_FAMILY
const struct check_family *check_family_of(enum cairn_op op);

#define CHECK_U 0x1p-24     /* half an ulp of 1: one rounding */
#define CHECK_ULP 0x1p-23   /* an ulp, as the OpenCL specification counts */
#define CHECK_TINY 0x1p-126 /* what flushing a subnormal may lose */
/* Error of n roundings in a row (Higham 2002, lemma 3.1). */
static inline double check_gamma(double n)
{
    double nu = n * CHECK_U;
    return nu < 0.5 ? nu / (1 - nu) : __builtin_inf();
}

/* --- running and comparing --- */
cairn_status check_images_make(const struct check_case *c, struct check_image *images);
/* The same without data, for those who bring their own: all zeros. */
cairn_status check_images_empty(const struct check_case *c, struct check_image *images);
void check_images_free(struct check_image *images);

enum check_side { CHECK_WANT, CHECK_GOT, CHECK_AGAIN };
/* Runs the case with the variant that is forced now; results go to the images' want, got or again.
 * In place only where inplace is set. *broken is set when the guard of the workspace changed: its
 * first index and value. */
struct check_break {
    int broken;
    int64_t index, different;
    uint32_t got, want;
};
cairn_status check_run(struct cairn_device *device, const struct check_case *c,
                       struct check_image *images, enum check_side side, int inplace,
                       struct check_break *broken);

/* bounds: one array per operand, NULL in exact mode. Each difference found is told to
 * options->failure. */
struct check_report {
    const struct cairn_check_options *options;
    struct cairn_check_result *result;
    const char *line, *device;
    int64_t different; /* found so far in this run */
};
void check_compare(struct check_report *report, const struct check_image *images,
                   double *const *bounds);
void check_compare_again(struct check_report *report, const struct check_image *images);
/* Guards and inputs of one side are as they were before. */
void check_untouched(struct check_report *report, const struct check_image *images,
                     enum check_side side);
void check_work(struct check_report *report, const struct check_break *broken);

/* Runs a case on session->device with the variant that it would choose now, and compares: results
 * with the images' want (bounds as above), guards, inputs, and a second run if options->twice. The
 * findings go to the result and options->failure. */
struct check_session {
    struct cairn_device *device, *against;
    const struct cairn_check_options *options;
    struct cairn_check_result *result;
};
cairn_status check_way(const struct check_session *session, const struct check_case *way,
                       struct check_image *images, double *const *bounds);

/* For the families' bounds. Element `index` of an operand, and the largest magnitude of an input.
 */
float check_float_at(const struct check_image *image, const void *data, int64_t index);
double check_largest(const struct check_image *image);
/* Two results of a sum of so many products, in any order, whose absolute values sum to `sum`. */
double check_sum_bound(double terms, double sum, double largest_a, double largest_b);
/* What an activation makes of the bound of its argument; want is its result. */
double check_act_bound(int64_t kind, double before, double want);

/* For the families with labels. Sizes; a factor of the gradient; labels, one in 16 outside
 * 0..classes - 1; class weights, a quarter of them 0 (returns 0, as fill, where the kind's data is
 * right). */
void check_draw_rows(struct check_rng *rng, int profile, int small, int64_t *rows,
                     int64_t *classes);
float check_draw_scale(struct check_rng *rng, int64_t rows);
void check_fill_labels(const struct check_source *source, int64_t extent, int64_t classes,
                       int32_t *labels);
int check_fill_weights(const struct check_source *source, int64_t extent, float *weights);

/* The bounds of a fast case, from calloc per output; `against` runs the sums of the images'
 * initial data. */
cairn_status check_bounds(struct cairn_device *against, const struct check_case *c,
                          const struct check_image *images, double **bounds);

/* Whether the case's variant computes by another formula, whose bounds are its own. */
int check_has_own_bound(const struct check_case *c);

/* Winograd's convolution: `before` is what the results may differ by before the activation; sums as
 * above. */
cairn_status check_winograd_bound(const struct check_case *c, const struct check_image *images,
                                  const float *sums, double *before);

#endif
