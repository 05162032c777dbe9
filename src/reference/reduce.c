#include "base/exact.h"
#include "reference/reference.h"

enum { LANES = 64 };

/* A row of at most LANES values into the lanes from `lane` on. */
REF_CLONES
static void add_values(float *lanes, const void *context, int64_t at, int64_t count)
{
    const float *x = (const float *)context + at;
    for (int64_t i = 0; i < count; i++) lanes[i] = lanes[i] + x[i];
}

REF_CLONES
static void add_squares(float *lanes, const void *context, int64_t at, int64_t count)
{
    const float *x = (const float *)context + at;
    for (int64_t i = 0; i < count; i++) lanes[i] = lanes[i] + x[i] * x[i];
}

static float fold(float lanes[LANES])
{
    for (int h = LANES / 2; h > 0; h /= 2)
        for (int i = 0; i < h; i++) lanes[i] = lanes[i] + lanes[i + h];
    return lanes[0];
}

static float chunk_sum(int64_t first, int64_t count, int64_t n2, int64_t far, ref_lanes *add,
                       const void *context)
{
    float lanes[LANES] = {0};
    for (int64_t e = 0, run; e < count;
         e += run) { /* runs that stay in one row of x and one row of lanes */
        int64_t at = first + e;
        run = ref_min(ref_min(count - e, LANES - e % LANES), n2 - at % n2);
        add(lanes + e % LANES, context, at / n2 * far + at % n2, run);
    }
    return fold(lanes);
}

float ref_chunk_sum(const float *x, int64_t first, int64_t count, int64_t n2, int64_t far,
                    int square)
{
    return chunk_sum(first, count, n2, far, square ? add_squares : add_values, x);
}

/* v[i] = v[2i] + v[2i+1] level by level: a chunk with an odd number completes as many pairs as its
 * number ends in ones. */
void ref_tree_add(struct ref_tree *tree, float chunk_sum)
{
    int level = 0;
    float v = chunk_sum;
    for (; tree->chunks >> level & 1; level++) v = tree->waiting[level] + v;
    tree->waiting[level] = v;
    tree->chunks++;
}

/* What still waits for a right value passes up until there is a left one. */
float ref_tree_finish(const struct ref_tree *tree)
{
    int level = 0;
    while (!(tree->chunks >> level & 1)) level++;
    float v = tree->waiting[level++];
    for (; tree->chunks >> level; level++)
        if (tree->chunks >> level & 1) v = tree->waiting[level] + v;
    return cairn_exact_plus_zero(v);
}

float ref_sum(int64_t count, int64_t n2, int64_t far, ref_lanes *add, const void *context)
{
    struct ref_tree tree = {.chunks = 0};
    for (int64_t first = 0; first < count; first += REF_CHUNK)
        ref_tree_add(&tree,
                     chunk_sum(first, ref_min(count - first, REF_CHUNK), n2, far, add, context));
    return ref_tree_finish(&tree);
}

float ref_sum_values(int64_t count, int64_t n2, int64_t far, const float *x)
{
    return ref_sum(count, n2, far, add_values, x);
}

static float maximum(const struct cairn_reduce *p, const float *x)
{
    float best = -INFINITY;
    for (int64_t i = 0; i < p->n1; i++)
        for (int64_t l = 0; l < p->n2; l++) {
            float v = x[i * p->c * p->n2 + l];
            best = v > best || v != v ? v : best;
        }
    return cairn_exact_plus_zero(best);
}

cairn_status ref_reduce(struct cairn_backend *backend, const struct cairn_reduce *p, int variant)
{
    (void)backend, (void)variant;
    float *y = ref_floats(&p->y);
    for (int64_t j = 0; j < p->c; j++) {
        const float *x = ref_floats(&p->x) + j * p->n2;
        y[j] = p->kind == CAIRN_REDUCE_MAX
                   ? maximum(p, x)
                   : ref_sum(p->n1 * p->n2, p->n2, p->c * p->n2,
                             p->kind == CAIRN_REDUCE_SUMSQ ? add_squares : add_values, x);
    }
    return CAIRN_OK;
}
