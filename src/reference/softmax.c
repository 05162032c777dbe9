#include "base/exact.h"
#include "reference/reference.h"

static float largest(const float *z, int64_t classes)
{
    float best = -INFINITY;
    for (int64_t j = 0; j < classes; j++) best = z[j] > best || z[j] != z[j] ? z[j] : best;
    return best;
}

/* 1 when the label's logit is the maximum m and none before it is; a row with a NaN has no largest
 * logit. */
static int32_t is_first(const float *z, int64_t label, float m)
{
    if (!(z[label] == m)) return 0;
    for (int64_t j = 0; j < label; j++)
        if (z[j] == m) return 0;
    return 1;
}

static float sum_of_exp(const float *z, int64_t classes, float m)
{
    struct ref_tree tree = {.chunks = 0};
    float e[REF_CHUNK];
    for (int64_t first = 0; first < classes; first += REF_CHUNK) {
        int64_t count = ref_min(classes - first, REF_CHUNK);
        for (int64_t j = 0; j < count; j++) e[j] = cairn_exact_exp(z[first + j] - m);
        ref_tree_add(&tree, ref_chunk_sum(e, 0, count, REF_CHUNK, REF_CHUNK, 0));
    }
    return ref_tree_finish(&tree);
}

cairn_status ref_softmax(struct cairn_backend *backend, const struct cairn_softmax *p, int variant)
{
    (void)backend, (void)variant;
    const int32_t *labels = ref_ints(&p->labels);
    for (int64_t r = 0; r < p->rows; r++) {
        const float *z = ref_floats(&p->logits) + r * p->classes;
        int64_t label = labels[r];
        int known = label >= 0 && label < p->classes;
        float m = largest(z, p->classes), s = sum_of_exp(z, p->classes, m);
        ref_floats(&p->loss)[r] = known ? cairn_exact_log(s) - (z[label] - m) : NAN;
        ref_ints(&p->correct)[r] = known ? is_first(z, label, m) : 0;
        for (int64_t j = 0; j < p->classes && (p->want_grad || p->want_prob); j++) {
            float prob = cairn_exact_exp(z[j] - m) / s;
            if (p->want_prob) ref_floats(&p->prob)[r * p->classes + j] = prob;
            if (p->want_grad)
                ref_floats(&p->grad)[r * p->classes + j] =
                    (prob - (j == label ? 1.0f : 0.0f)) * p->scale;
        }
    }
    return CAIRN_OK;
}
