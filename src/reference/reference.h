/* The reference backend: the definition of every operator as plain C.
 *
 * Invariant: each slot computes exactly what docs/ARITHMETIC.md says, in the order that it says,
 * one IEEE operation a step. Speed comes only from loops over independent outputs, which the
 * compiler vectorises without touching a bit; REF_CLONES builds such a loop for several instruction
 * sets and the loader picks one. Everything happens at once, on one thread, without allocating. */
#ifndef CAIRN_REFERENCE_REFERENCE_H
#define CAIRN_REFERENCE_REFERENCE_H

#include "base/error.h"
#include "device/backend.h"

#ifndef REF_CLONES
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__has_attribute)
#if __has_attribute(target_clones)
#define REF_CLONES __attribute__((target_clones("avx512f", "fma", "default")))
#endif
#endif
#endif
#ifndef REF_CLONES
#define REF_CLONES
#endif

struct ref_buffer {
    struct cairn_buffer base;
    unsigned char *data; /* aligned to 64 bytes */
};

struct ref_tile; /* panels of the product */

struct ref_backend {
    struct cairn_backend base; /* first: a struct cairn_backend * is a struct ref_backend * */
    struct ref_tile *tile;
};

static inline unsigned char *ref_bytes(const struct cairn_mem *mem)
{
    return ((struct ref_buffer *)mem->buffer)->data;
}
static inline float *ref_floats(const struct cairn_mem *mem)
{
    return (float *)(void *)ref_bytes(mem) + mem->offset;
}
static inline int32_t *ref_ints(const struct cairn_mem *mem)
{
    return (int32_t *)(void *)ref_bytes(mem) + mem->offset;
}

/* functions.c */
cairn_status ref_function(struct cairn_backend *backend, enum cairn_function function,
                          uint32_t first, uint32_t step, int64_t count, struct cairn_buffer *out);

/* Runs the hard cases; names the first property that this host fails, or returns NULL. */
const char *ref_probe(void);

/* The product of docs/ARITHMETIC.md for one k-long sum per element of an m x n result, tile by
 * tile. Where operands come from and results go is the caller's: rows   fills panel[r][l] with the
 * left operand's elements (i0 + r, k0 + l) cols   fills panel[l][x] with the right operand's
 * elements (k0 + l, j0 + x) store  takes results tile[r][x] for (i0 + r, j0 + x); a result of -0 is
 * already +0 Tiles are stored in no order that a result may depend on, each element once. */
enum { REF_ROWS = 64, REF_COLS = 64, REF_BLOCK = 256, REF_SLAB = 4096 };

struct ref_tile *ref_tile_create(void); /* freed with free() */

struct ref_product {
    struct cairn_backend *backend;
    int64_t m, n, k;
    const void *context;
    void (*rows)(const void *context, int64_t i0, int64_t rows, int64_t k0, int64_t len,
                 float panel[][REF_BLOCK]);
    void (*cols)(const void *context, int64_t k0, int64_t len, int64_t j0, int64_t cols,
                 float panel[][REF_COLS]);
    void (*store)(const void *context, int64_t i0, int64_t rows, int64_t j0, int64_t cols,
                  float tile[][REF_COLS]);
};
void ref_product(const struct ref_product *product);

/* act(x) over count elements; y may be x. */
void ref_activate(enum cairn_activation_kind kind, const float *x, float *y, int64_t count);

/* The sum of docs/ARITHMETIC.md, chunk by chunk: begin with all zeros, add the sum of each chunk,
 * finish. */
enum { REF_CHUNK = 4096 };
struct ref_tree {
    float
        waiting[64]; /* of each level: the left value of a pair whose right one is still to come */
    int64_t chunks;
};
/* The sum of count <= REF_CHUNK elements first, first + 1, ... of a flattened index: element e is
 * x[e / n2 * far + e % n2], squared first when square is 1. first is a multiple of REF_CHUNK. */
float ref_chunk_sum(const float *x, int64_t first, int64_t count, int64_t n2, int64_t far,
                    int square);
void ref_tree_add(struct ref_tree *tree, float chunk_sum);
float ref_tree_finish(const struct ref_tree *tree);

/* The whole sum of `count` terms, numbered by a flattened index: term e is of the element at
 * e / n2 * far + e % n2. `add` adds the terms of the elements at, at + 1, ... to lanes[0],
 * lanes[1], ..., at most 64 of them. ref_sum_values: the elements of x themselves. */
typedef void ref_lanes(float *lanes, const void *context, int64_t at, int64_t count);
float ref_sum(int64_t count, int64_t n2, int64_t far, ref_lanes *add, const void *context);
float ref_sum_values(int64_t count, int64_t n2, int64_t far, const float *x);

/* Rows of outputs, for softmax and the losses: the maximum as in reduce; the first j with z_j == m,
 * count where there is none; the sum of count terms, which terms() writes a chunk at a time (`some`
 * of them from number `first` on). */
float ref_row_max(const float *z, int64_t count);
int64_t ref_row_first(const float *z, int64_t count, float m);
typedef void ref_terms(const void *context, int64_t first, int64_t some, float *terms);
float ref_row_sum(int64_t count, ref_terms *terms, const void *context);

static inline int64_t ref_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#define REF_SLOT(slot, NAME, type, member)                                                         \
    cairn_status ref_##slot(struct cairn_backend *backend, const struct type *p, int variant);
CAIRN_OP_LIST(REF_SLOT)
#undef REF_SLOT

#endif
