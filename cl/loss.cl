/* Losses on raw outputs, row by row; formulas in <cairn/problem.h>, "row" and "group" in row.h. */
#include "exact.h"
#include "row.h"

#define LOSS_ARGUMENTS                                                                             \
    __global const float *outputs, ulong outputs_off, __global const int *labels,                  \
        ulong labels_off, __global const float *class_weights, ulong class_weights_off,            \
        __global float *loss, ulong loss_off, __global int *correct, ulong correct_off,            \
        __global float *grad, ulong grad_off, long rows, int classes, int want_grad, int weighted, \
        float scale

/* The label, whether it is one, its weight, the row of outputs and that of the gradient. */
#define LOSS_ROW(r)                                                                                \
    __global const float *z = outputs + outputs_off + (ulong)(r)*classes;                          \
    __global float *g = grad + grad_off + (ulong)(r)*classes;                                      \
    int label = labels[labels_off + (r)], known = label >= 0 && label < classes;                   \
    float weight = known && weighted ? class_weights[class_weights_off + label] : 1.0f;            \
    float step = scale * weight, value = as_float(NAN_BITS)

static inline float difference(float z, int is_label)
{
    return is_label ? z - 1.0f : z;
}

static inline float square(float d)
{
    return d * d;
}

/* double_share = 2 / classes */
__kernel void mse_row(LOSS_ARGUMENTS, float double_share)
{
    long r = (long)get_global_id(0);
    if (r >= rows) return;
    LOSS_ROW(r);
    float m = row_max(z, classes), total;
    ROW_SUM(total, classes, square(difference(z[j], j == label)));
    if (known) value = DIV(total, (float)classes);
    loss[loss_off + r] = value * weight;
    correct[correct_off + r] = known && is_first(z, label, m);
    if (want_grad)
        for (int j = 0; j < classes; j++)
            g[j] = (difference(z[j], j == label) * double_share) * step;
}

__kernel void mse_group(LOSS_ARGUMENTS, float double_share, __local float *lane, __local int *place)
{
    for (long r = (long)get_group_id(0); r < rows; r += (long)get_num_groups(0)) {
        LOSS_ROW(r);
        float m = group_max(z, classes, lane), total;
        int first = group_first(z, classes, m, place);
        GROUP_SUM(total, lane, classes, square(difference(z[j], j == label)));
        if (known) value = DIV(total, (float)classes);
        if (get_local_id(0) == 0) {
            loss[loss_off + r] = value * weight;
            correct[correct_off + r] = known && first == label;
        }
        if (want_grad)
            GROUP_EACH(classes, g[j] = (difference(z[j], j == label) * double_share) * step);
    }
}

/* `other` for all but the winner and the label, and for these where they are one. */
static inline float pull(int j, int first, int label, float other, float step)
{
    return first == label || other != other ? other
           : j == first                     ? step
           : j == label                     ? -step
                                            : other;
}

__kernel void perceptron_row(LOSS_ARGUMENTS)
{
    long r = (long)get_global_id(0);
    if (r >= rows) return;
    LOSS_ROW(r);
    float m = row_max(z, classes), other = known && m != m ? m : 0.0f;
    int first = known ? row_first(z, classes, m) : label;
    if (known) value = m - z[label];
    loss[loss_off + r] = value * weight;
    correct[correct_off + r] = known && first == label;
    if (want_grad)
        for (int j = 0; j < classes; j++) g[j] = pull(j, first, label, other, step);
}

__kernel void perceptron_group(LOSS_ARGUMENTS, __local float *lane, __local int *place)
{
    for (long r = (long)get_group_id(0); r < rows; r += (long)get_num_groups(0)) {
        LOSS_ROW(r);
        float m = group_max(z, classes, lane), other = known && m != m ? m : 0.0f;
        int first = group_first(z, classes, m, place);
        if (known) value = m - z[label];
        if (get_local_id(0) == 0) {
            loss[loss_off + r] = value * weight;
            correct[correct_off + r] = known && first == label;
        }
        if (!known) first = label;
        if (want_grad) GROUP_EACH(classes, g[j] = pull(j, first, label, other, step));
    }
}
