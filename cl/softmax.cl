/* Softmax with cross-entropy, and the gradient of a softmax layer, row by row; formulas in
 * <cairn/problem.h>, "row" and "group" in row.h; "few", up to 16 classes, makes a row in one vector.
 *
 * e_j is kept in whichever result matrix takes p_j and computed again where none does: the bits are
 * the same. */
#include "exact.h"
#include "exact16.h"
#include "row.h"
#include "strip.h"

/* on, off: the targets of the label and of the other classes. */
#define SOFTMAX_ARGUMENTS                                                                          \
    __global const float *logits, ulong logits_off, __global const int *labels, ulong labels_off,  \
        __global float *loss, ulong loss_off, __global int *correct, ulong correct_off,            \
        __global float *grad, ulong grad_off, __global float *prob, ulong prob_off,                \
        __global const float *class_weights, ulong class_weights_off, long rows, int classes,      \
        int want_grad, int want_prob, int weighted, float scale, float smoothing, float on,        \
        float off

/* u: the sum of log_s - (z_j - m) where there is smoothing. */
static inline float loss_of(float z_label, float m, float log_s, float smoothing, float off,
                            float u)
{
    float nll = log_s - (z_label - m);
    return smoothing > 0.0f ? FMA(1.0f - smoothing, nll, off * u) : nll;
}

/* From e_j, which lie in the first wanted of the two. */
static inline void grad_and_prob(__global float *grad, __global float *prob, float total,
                                 int classes, int label, float on, float off, float scale)
{
    for (int j = 0; j < classes; j++) {
        float p = DIV(grad[j], total);
        prob[j] = p;
        grad[j] = (p - (j == label ? on : off)) * scale;
    }
}

static inline void grad_only(__global float *grad, float total, int classes, int label, float on,
                             float off, float scale)
{
    for (int j = 0; j < classes; j++)
        grad[j] = (DIV(grad[j], total) - (j == label ? on : off)) * scale;
}

__kernel void softmax_row(SOFTMAX_ARGUMENTS)
{
    long r = (long)get_global_id(0);
    if (r >= rows) return;
    __global const float *z = logits + logits_off + (ulong)r * classes;
    grad += grad_off + (ulong)r * classes;
    prob += prob_off + (ulong)r * classes;
    __global float *keep = want_grad ? grad : prob;
    int label = labels[labels_off + r], known = label >= 0 && label < classes;
    float m = row_max(z, classes), total, u = 0.0f, nll = as_float(NAN_BITS), weight = 1.0f;
    if (want_grad || want_prob == 1)
        ROW_SUM(total, classes, (keep[j] = exact_exp(z[j] - m)));
    else
        ROW_SUM(total, classes, exact_exp(z[j] - m));
    float log_s = exact_log(total);
    if (smoothing > 0.0f) ROW_SUM(u, classes, log_s - (z[j] - m));
    if (known) nll = loss_of(z[label], m, log_s, smoothing, off, u);
    if (known && weighted) weight = class_weights[class_weights_off + label];
    loss[loss_off + r] = nll * weight;
    correct[correct_off + r] = known && is_first(z, label, m);
    scale = scale * weight;
    if (want_prob == 2)
        for (int j = 0; j < classes; j++) prob[j] = (z[j] - m) - log_s;
    if (want_grad && want_prob == 1)
        grad_and_prob(grad, prob, total, classes, label, on, off, scale);
    else if (want_grad)
        grad_only(grad, total, classes, label, on, off, scale);
    else if (want_prob == 1)
        for (int j = 0; j < classes; j++) prob[j] = DIV(prob[j], total);
}

#define PLACES ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))

#define MAX_OF_EACH(best, v) select(best, v, ((v) > (best)) | ((v) != (v)))
static inline float max_few(float16 v)
{
    float lane[16];
    vstore16(v, 0, lane);
    float8 low = vload8(0, lane), high = vload8(1, lane), eight = MAX_OF_EACH(low, high);
    float4 four = MAX_OF_EACH(eight.lo, eight.hi);
    float even = MAX_OF(four.s0, four.s2), odd = MAX_OF(four.s1, four.s3);
    return no_minus_zero(MAX_OF(even, odd));
}

/* The sum of up to 16 values: the other 48 lanes are +0. */
static inline float sum_few(float16 v)
{
    return no_minus_zero(fold_16(v));
}

/* classes <= 16. Work-item t makes `some` rows from t * some. Offsets: logits, labels | loss,
 * correct | grad, prob | class_weights. */
__kernel void softmax_few(__global const float *logits, __global const int *labels,
                          __global float *loss, __global int *correct, __global float *grad,
                          __global float *prob, __global const float *class_weights, ulong2 from_at,
                          ulong2 to_at, ulong2 wanted_at, ulong2 weights_at, long rows,
                          int4 classes_wants, float4 scalars, int some)
{
    int classes = classes_wants.x, want_grad = classes_wants.y, want_prob = classes_wants.z,
        weighted = classes_wants.w;
    float scale = scalars.x, smoothing = scalars.y, on = scalars.z, off = scalars.w;
    long r = (long)get_global_id(0) * some, end = r + some < rows ? r + some : rows;
    const int16 inside = PLACES < classes;
    for (; r < end; r++) {
        __global const float *z = logits + from_at.x + (ulong)r * classes;
        int label = labels[from_at.y + r], known = label >= 0 && label < classes;
        float16 v = (rows - r) * classes >= 16 ? vload16(0, z) : load_strip(z, classes);
        float m = max_few(select((float16)as_float(SIGN_BIT | INF_BITS), v, inside));
        float weight = 1.0f, nll = as_float(NAN_BITS), u = 0.0f;
        v = v - m;
        float16 e = select((float16)(0.0f), exact_exp16(v), inside);
        float total = sum_few(e), log_s = exact_log(total);
        if (smoothing > 0.0f) u = sum_few(select((float16)(0.0f), log_s - v, inside));
        if (known) nll = loss_of(z[label], m, log_s, smoothing, off, u);
        if (known && weighted) weight = class_weights[weights_at.x + label];
        loss[to_at.x + r] = nll * weight;
        correct[to_at.y + r] = known && is_first(z, label, m);
        float16 p = DIV16(e, (float16)total);
        if (want_prob)
            store_strip(want_prob == 2 ? v - log_s : p, prob + wanted_at.y + (ulong)r * classes,
                        classes);
        if (want_grad)
            store_strip((p - select((float16)off, (float16)on, PLACES == label)) * (scale * weight),
                        grad + wanted_at.x + (ulong)r * classes, classes);
    }
}

__kernel void softmax_group(SOFTMAX_ARGUMENTS, __local float *lane, __local int *place)
{
    for (long r = (long)get_group_id(0); r < rows; r += (long)get_num_groups(0)) {
        __global const float *z = logits + logits_off + (ulong)r * classes;
        __global float *g = grad + grad_off + (ulong)r * classes;
        __global float *q = prob + prob_off + (ulong)r * classes;
        __global float *keep = want_grad ? g : q;
        int keeps = want_grad || want_prob == 1;
        int label = labels[labels_off + r], known = label >= 0 && label < classes;
        float m = group_max(z, classes, lane), total, u = 0.0f;
        int first = group_first(z, classes, m, place);
        if (keeps)
            GROUP_SUM(total, lane, classes, (keep[j] = exact_exp(z[j] - m)));
        else
            GROUP_SUM(total, lane, classes, exact_exp(z[j] - m));
        float log_s = exact_log(total);
        if (smoothing > 0.0f) GROUP_SUM(u, lane, classes, log_s - (z[j] - m));
        float nll = as_float(NAN_BITS), weight = 1.0f;
        if (known) nll = loss_of(z[label], m, log_s, smoothing, off, u);
        if (known && weighted) weight = class_weights[class_weights_off + label];
        if (get_local_id(0) == 0) {
            loss[loss_off + r] = nll * weight;
            correct[correct_off + r] = known && first == label;
        }
        float step = scale * weight;
        /* each work-item finds the e_j that it wrote itself */
        if (want_grad || want_prob)
            GROUP_EACH(classes, {
                float p = keeps ? DIV(keep[j], total) : 0.0f;
                if (want_grad) g[j] = (p - (j == label ? on : off)) * step;
                if (want_prob) q[j] = want_prob == 2 ? (z[j] - m) - log_s : p;
            });
    }
}

/* dx may be dy: an element of dy is read for the last time where that of dx is written. */
#define GRAD_ARGUMENTS                                                                             \
    __global const float *y, ulong y_off, __global const float *dy, ulong dy_off,                  \
        __global float *dx, ulong dx_off, long rows, int classes, int of_log

static inline float term_of(float y, float dy, int of_log)
{
    return of_log ? dy : dy * y;
}

static inline float slope_of(float y, float dy, float t, int of_log)
{
    return of_log ? FMA(-exact_exp(y), t, dy) : y * (dy - t);
}

__kernel void softmax_grad_row(GRAD_ARGUMENTS)
{
    long r = (long)get_global_id(0);
    if (r >= rows) return;
    float t;
    y += y_off + (ulong)r * classes;
    dy += dy_off + (ulong)r * classes;
    dx += dx_off + (ulong)r * classes;
    ROW_SUM(t, classes, term_of(y[j], dy[j], of_log));
    for (int j = 0; j < classes; j++) dx[j] = slope_of(y[j], dy[j], t, of_log);
}

__kernel void softmax_grad_group(GRAD_ARGUMENTS, __local float *lane)
{
    for (long r = (long)get_group_id(0); r < rows; r += (long)get_num_groups(0)) {
        __global const float *of = y + y_off + (ulong)r * classes;
        __global const float *up = dy + dy_off + (ulong)r * classes;
        __global float *down = dx + dx_off + (ulong)r * classes;
        float t;
        GROUP_SUM(t, lane, classes, term_of(of[j], up[j], of_log));
        GROUP_EACH(classes, down[j] = slope_of(of[j], up[j], t, of_log));
    }
}
