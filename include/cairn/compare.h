/* Comparing: gradients with slopes measured on the loss itself, and one device with another, step
 * by step.
 *
 * Both run the very plans that training runs, so that what they find is what training does. */
#ifndef CAIRN_COMPARE_H
#define CAIRN_COMPARE_H

#include <cairn/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- the gradient check --- */

/* A number of the net: the parameter's name and the element in it. */
struct cairn_gradcheck_weight {
    char name[32]; /* "0.weight", "2.bias" */
    int64_t element;
};

struct cairn_gradcheck_options {
    const char *recipe;      /* path or name */
    const char *const *sets; /* "key.path=value" */
    int set_count;
    struct cairn_compute compute; /* device NULL: "opencl" */
    /* Change of a weight, in either direction; 0: 0.01. */
    double epsilon;
    /* Largest difference that passes; 0: 1e-4. */
    double allowed;
    /* Training images, from 1 in their order in the file; -1: the last. NULL: the first, the sixth
     * and the last. */
    const int64_t *patterns;
    int pattern_count;
    /* "NAME" or "NAME[ELEMENT]". NULL: a bias and two weights of the first and of the last layer
     * that has weights. Of a name alone, the element with the largest gradient. */
    const char *const *weights;
    int weight_count;
    int64_t images; /* of the batch for the directions, from the first on; 0: the recipe's batch */
    int directions; /* random directions through all parameters; -1: none; 0: 5 */
};

/* (L(w + e) - L(w - e)) / 2e beside back-propagation. A kink (of ReLU or max pooling) or a strong
 * curve between w - e and w + e makes a right gradient differ, but less and less as e shrinks; a
 * wrong one stays wrong. So a difference above the bound is measured again with e / 4, e / 16 and e
 * / 64. The bound is the allowed difference; at the smaller steps, where that is more, what the
 * loss's own rounding may make, 2^-20 max(1, L) / e, and at e / 64 half the difference of the
 * slopes on both sides besides, for a kink next to w itself. */
struct cairn_gradcheck_row {
    int64_t pattern; /* as numbered above, from 1; 0: a direction */
    struct cairn_gradcheck_weight weight;
    double numerical, analytical, difference;
    double epsilon, bound; /* e of this row; directions: of the single weight; bound: 1e-2 of the
                              gradient's norm stands for `allowed` */
    int within;
};

struct cairn_gradcheck_result {
    char device[128];
    double epsilon, allowed;
    int64_t parameters, images;
    struct cairn_gradcheck_row *rows; /* patterns outermost, then the directions */
    int row_count, direction_count;   /* directions are the last rows */
    int failed;                       /* rows that are not within */
};

/* CAIRN_OK also when rows failed: result->failed tells. */
cairn_status cairn_gradcheck(const struct cairn_gradcheck_options *options,
                             struct cairn_gradcheck_result *result);
void cairn_gradcheck_free(struct cairn_gradcheck_result *result); /* zeroes it */

/* --- the first differing tensor --- */

struct cairn_compare_options {
    const char *recipe;
    const char *const *sets;
    int set_count;
    const char *const *devices; /* two or more; the first is what the others are held against */
    int device_count;
    struct cairn_compute
        compute;   /* its device is not used; its variants go to every device but the first */
    int64_t steps; /* training steps at most; 0: 10 */
    const volatile sig_atomic_t *stop; /* may be NULL: not 0 ends between two steps */
};

struct cairn_compare_result {
    int different;                /* 0: every tensor was equal, in `steps` training steps */
    int64_t steps;                /* training steps that were equal throughout */
    int64_t operations;           /* operators whose results were compared */
    char first[128], device[128]; /* names; `device` is the one that differs */
    /* Where different is 1: */
    int64_t step; /* training step, from 1 */
    int layer;    /* from 0 as in the recipe; -1: none (the data, the loss, the update) */
    char layer_text[96], what[24];  /* the layer's line; the operand's name */
    char problem[320];              /* the operator's line, for `cairn check` */
    int64_t index, count, elements; /* first differing element; how many of how many differ */
    uint32_t want, got;             /* their bits */
};

/* Runs the recipe's training plan in lock step on the devices, from the same weights, and reads
 * every result of every operator. NaNs are equal whatever their bits. */
cairn_status cairn_compare(const struct cairn_compare_options *options,
                           struct cairn_compare_result *result);

#ifdef __cplusplus
}
#endif
#endif
