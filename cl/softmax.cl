/* Softmax with cross-entropy, row by row; formulas in <cairn/problem.h>.
 *
 * e_j is kept in whichever result matrix is wanted and computed again where none is: the bits are
 * the same. "row": a work-item makes a row. "group": a work-group makes a row, a lane of the sum
 * per work-item or several. */
#include "exact.h"
#include "sum.h"

#define MAX_OF(best, v) ((v) > (best) || (v) != (v) ? (v) : (best))

static inline float row_loss(int label, int classes, float total, float largest,
                             __global const float *z)
{
    if (label < 0 || label >= classes) return as_float(NAN_BITS);
    return exact_log(total) - (z[label] - largest);
}

/* Up to 64 e_j from j = begin on: added to their lanes and kept in `keep`. */
static inline void add_exp(__global const float *z, float largest, int count, float *lane,
                           __global float *keep)
{
    for (int l = 0; l < count; l++) {
        float e = exact_exp(z[l] - largest);
        keep[l] = e;
        lane[l] = lane[l] + e;
    }
}

static inline void only_add_exp(__global const float *z, float largest, int count, float *lane)
{
    for (int l = 0; l < count; l++) lane[l] = lane[l] + exact_exp(z[l] - largest);
}

static inline float row_largest(__global const float *z, int classes)
{
    float lane[SUM_LANES], best = as_float(SIGN_BIT | INF_BITS);
    int used = classes < SUM_LANES ? classes : SUM_LANES;
    for (int l = 0; l < used; l++) lane[l] = z[l];
    for (int begin = SUM_LANES; begin < classes; begin += SUM_LANES) {
        int count = classes - begin < SUM_LANES ? classes - begin : SUM_LANES;
        for (int l = 0; l < count; l++) lane[l] = MAX_OF(lane[l], z[begin + l]);
    }
    for (int l = 0; l < used; l++) best = MAX_OF(best, lane[l]);
    return best;
}

/* p_j from e_j, which lie in the first wanted of the two. */
static inline void row_results(__global float *grad, __global float *prob, int want_grad,
                               int want_prob, float total, int classes, int label, float scale)
{
    if (want_grad && want_prob)
        for (int j = 0; j < classes; j++) {
            float p = DIV(grad[j], total);
            prob[j] = p;
            grad[j] = (j == label ? p - 1.0f : p) * scale;
        }
    else if (want_grad)
        for (int j = 0; j < classes; j++) {
            float p = DIV(grad[j], total);
            grad[j] = (j == label ? p - 1.0f : p) * scale;
        }
    else if (want_prob)
        for (int j = 0; j < classes; j++) prob[j] = DIV(prob[j], total);
}

__kernel void softmax_row(__global const float *logits, ulong logits_off,
                          __global const int *labels, ulong labels_off, __global float *loss,
                          ulong loss_off, __global int *correct, ulong correct_off,
                          __global float *grad, ulong grad_off, __global float *prob,
                          ulong prob_off, long rows, int classes, int want_grad, int want_prob,
                          float scale)
{
    long r = (long)get_global_id(0);
    if (r >= rows) return;
    __global const float *z = logits + logits_off + (ulong)r * classes;
    grad += grad_off + (ulong)r * classes;
    prob += prob_off + (ulong)r * classes;
    int label = labels[labels_off + r], before = 0;
    float largest = row_largest(z, classes), lane[SUM_LANES], level[SUM_LEVELS];
    uint chunks = 0;
    for (int begin = 0; begin < classes; begin += SUM_CHUNK, chunks++) {
        int end = begin + SUM_CHUNK < classes ? begin + SUM_CHUNK : classes;
        for (int l = 0; l < SUM_LANES; l++) lane[l] = 0.0f;
        for (int j = begin; j < end; j += SUM_LANES) {
            int count = end - j < SUM_LANES ? end - j : SUM_LANES;
            if (want_grad || want_prob)
                add_exp(z + j, largest, count, lane, (want_grad ? grad : prob) + j);
            else
                only_add_exp(z + j, largest, count, lane);
        }
        tree_push(
            level, chunks,
            fold_lanes(vload16(0, lane), vload16(1, lane), vload16(2, lane), vload16(3, lane)));
    }
    float total = no_minus_zero(tree_total(level, chunks));
    loss[loss_off + r] = row_loss(label, classes, total, largest, z);
    int first = label >= 0 && label < classes && z[label] == largest;
    while (first && before < label) first = z[before++] != largest;
    correct[correct_off + r] = first;
    row_results(grad, prob, want_grad, want_prob, total, classes, label, scale);
}

/* Work-items share a row: lane[] and place[] hold SUM_LANES each. */
__kernel void softmax_group(__global const float *logits, ulong logits_off,
                            __global const int *labels, ulong labels_off, __global float *loss,
                            ulong loss_off, __global int *correct, ulong correct_off,
                            __global float *grad, ulong grad_off, __global float *prob,
                            ulong prob_off, long rows, int classes, int want_grad, int want_prob,
                            float scale, __local float *lane, __local int *place)
{
    int id = (int)get_local_id(0), size = (int)get_local_size(0);
    float level[SUM_LEVELS];
    for (long r = (long)get_group_id(0); r < rows; r += (long)get_num_groups(0)) {
        __global const float *z = logits + logits_off + (ulong)r * classes;
        ulong grad_at = grad_off + (ulong)r * classes, prob_at = prob_off + (ulong)r * classes;
        int label = labels[labels_off + r];
        /* the largest, and its first place */
        for (int l = id; l < SUM_LANES; l += size) {
            float best = as_float(SIGN_BIT | INF_BITS);
            for (int j = l; j < classes; j += SUM_LANES) best = MAX_OF(best, z[j]);
            lane[l] = best;
        }
        for (int h = SUM_LANES / 2; h > 0; h >>= 1) {
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int l = id; l < h; l += size) lane[l] = MAX_OF(lane[l], lane[l + h]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        float largest = lane[0];
        for (int l = id; l < SUM_LANES; l += size) {
            int at = l;
            while (at < classes && z[at] != largest) at += SUM_LANES;
            place[l] = at;
        }
        for (int h = SUM_LANES / 2; h > 0; h >>= 1) {
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int l = id; l < h; l += size)
                place[l] = place[l] < place[l + h] ? place[l] : place[l + h];
        }
        uint chunks = 0;
        for (int begin = 0; begin < classes; begin += SUM_CHUNK, chunks++) {
            int end = begin + SUM_CHUNK < classes ? begin + SUM_CHUNK : classes;
            barrier(CLK_LOCAL_MEM_FENCE); /* lane[0] has been read by all */
            for (int l = id; l < SUM_LANES; l += size) {
                float sum = 0.0f;
                for (int j = begin + l; j < end; j += SUM_LANES) {
                    float e = exact_exp(z[j] - largest);
                    if (want_grad)
                        grad[grad_at + j] = e;
                    else if (want_prob)
                        prob[prob_at + j] = e;
                    sum = sum + e;
                }
                lane[l] = sum;
            }
            for (int h = SUM_LANES / 2; h > 0; h >>= 1) {
                barrier(CLK_LOCAL_MEM_FENCE);
                for (int l = id; l < h; l += size) lane[l] = lane[l] + lane[l + h];
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            tree_push(level, chunks, lane[0]);
        }
        float total = no_minus_zero(tree_total(level, chunks));
        if (id == 0) {
            loss[loss_off + r] = row_loss(label, classes, total, largest, z);
            correct[correct_off + r] =
                label < classes && label == place[0]; /* classes and more: none */
        }
        /* each work-item finds the e_j that it wrote itself */
        if (want_grad || want_prob)
            for (int l = id; l < SUM_LANES; l += size)
                for (int j = l; j < classes; j += SUM_LANES) {
                    float e = want_grad ? grad[grad_at + j] : prob[prob_at + j];
                    float p = DIV(e, total);
                    if (want_grad) grad[grad_at + j] = (j == label ? p - 1.0f : p) * scale;
                    if (want_prob) prob[prob_at + j] = p;
                }
        barrier(CLK_LOCAL_MEM_FENCE); /* lane[] and place[] are free for the next row */
    }
}
