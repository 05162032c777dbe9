#include "base/exact.h"
#include "reference/reference.h"

float ref_row_max(const float *z, int64_t count)
{
    float best = -INFINITY;
    for (int64_t j = 0; j < count; j++) best = z[j] > best || z[j] != z[j] ? z[j] : best;
    return cairn_exact_plus_zero(best);
}

int64_t ref_row_first(const float *z, int64_t count, float m)
{
    int64_t j = 0;
    while (j < count && !(z[j] == m)) j++;
    return j;
}

float ref_row_sum(int64_t count, ref_terms *terms, const void *context)
{
    struct ref_tree tree = {.chunks = 0};
    float chunk[REF_CHUNK];
    for (int64_t first = 0; first < count; first += REF_CHUNK) {
        int64_t some = ref_min(count - first, REF_CHUNK);
        terms(context, first, some, chunk);
        ref_tree_add(&tree, ref_chunk_sum(chunk, 0, some, REF_CHUNK, REF_CHUNK, 0));
    }
    return ref_tree_finish(&tree);
}

struct row {
    const float *z;
    float m, log_s;
};

static void exp_terms(const void *context, int64_t first, int64_t count, float *terms)
{
    const struct row *row = context;
    for (int64_t j = 0; j < count; j++) terms[j] = cairn_exact_exp(row->z[first + j] - row->m);
}

/* What each class would lose as the label. */
static void nll_terms(const void *context, int64_t first, int64_t count, float *terms)
{
    const struct row *row = context;
    for (int64_t j = 0; j < count; j++) terms[j] = row->log_s - (row->z[first + j] - row->m);
}

static float row_loss(const struct cairn_softmax *p, const struct row *row, int64_t label,
                      float off)
{
    float nll = row->log_s - (row->z[label] - row->m);
    if (!(p->smoothing > 0.0f)) return nll;
    return fmaf(1.0f - p->smoothing, nll, off * ref_row_sum(p->classes, nll_terms, row));
}

cairn_status ref_softmax(struct cairn_backend *backend, const struct cairn_softmax *p, int variant)
{
    (void)backend, (void)variant;
    const float off = p->smoothing / (float)p->classes, on = (1.0f - p->smoothing) + off;
    for (int64_t r = 0; r < p->rows; r++) {
        struct row row = {.z = ref_floats(&p->logits) + r * p->classes};
        int64_t label = ref_ints(&p->labels)[r];
        int known = label >= 0 && label < p->classes;
        row.m = ref_row_max(row.z, p->classes);
        float s = ref_row_sum(p->classes, exp_terms, &row), loss = NAN, scale = p->scale;
        row.log_s = cairn_exact_log(s);
        if (known) loss = row_loss(p, &row, label, off);
        if (known && p->weighted) {
            float weight = ref_floats(&p->class_weights)[label];
            loss = loss * weight;
            scale = scale * weight;
        }
        ref_floats(&p->loss)[r] = loss;
        ref_ints(&p->correct)[r] = known && ref_row_first(row.z, p->classes, row.m) == label;
        for (int64_t j = 0; j < p->classes && (p->want_grad || p->want_prob); j++) {
            float shifted = row.z[j] - row.m, prob = cairn_exact_exp(shifted) / s;
            int64_t at = r * p->classes + j;
            if (p->want_grad) ref_floats(&p->grad)[at] = (prob - (j == label ? on : off)) * scale;
            if (p->want_prob)
                ref_floats(&p->prob)[at] = p->want_prob == 2 ? shifted - row.log_s : prob;
        }
    }
    return CAIRN_OK;
}

struct layer_row {
    const float *y, *dy;
};

static void product_terms(const void *context, int64_t first, int64_t count, float *terms)
{
    const struct layer_row *row = context;
    for (int64_t j = 0; j < count; j++) terms[j] = row->dy[first + j] * row->y[first + j];
}

static void dy_terms(const void *context, int64_t first, int64_t count, float *terms)
{
    const struct layer_row *row = context;
    for (int64_t j = 0; j < count; j++) terms[j] = row->dy[first + j];
}

cairn_status ref_softmax_grad(struct cairn_backend *backend, const struct cairn_softmax_grad *p,
                              int variant)
{
    (void)backend, (void)variant;
    for (int64_t r = 0; r < p->rows; r++) {
        struct layer_row row = {ref_floats(&p->y) + r * p->classes,
                                ref_floats(&p->dy) + r * p->classes};
        float *dx = ref_floats(&p->dx) + r * p->classes;
        float t = ref_row_sum(p->classes, p->log ? dy_terms : product_terms, &row);
        for (int64_t j = 0; j < p->classes; j++)
            dx[j] = p->log ? fmaf(-cairn_exact_exp(row.y[j]), t, row.dy[j])
                           : row.y[j] * (row.dy[j] - t);
    }
    return CAIRN_OK;
}
