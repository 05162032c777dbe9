/* Comparing: gradients with slopes measured on the loss itself, and devices or kernels with each
 * other, step by step.
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

/* What is checked; all zero but the recipe: the choice that is described. */
struct cairn_gradcheck_options {
    const char *recipe;           /* path or name */
    const char *const *sets;      /* "key.path=value" */
    int set_count;                /* how many */
    struct cairn_compute compute; /* device NULL: "opencl" */
    /* Change of a weight, in either direction; 0: 0.01. */
    double epsilon;
    /* Largest difference that passes; 0: 1e-4. */
    double allowed;
    /* Training images, from 1 in their order in the file; -1: the last. NULL: the first, the sixth
     * and the last. */
    const int64_t *patterns;
    int pattern_count; /* how many */
    /* "NAME" or "NAME[ELEMENT]". NULL: a bias and two weights of the first and of the last layer
     * that has weights. Of a name alone, the element with the largest gradient. */
    const char *const *weights;
    int weight_count; /* how many */
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
    int64_t pattern;                      /* as numbered above, from 1; 0: a direction */
    struct cairn_gradcheck_weight weight; /* which number; of a direction nothing */
    double numerical, analytical,
        difference;        /* slopes: measured, by back-propagation; their distance */
    double epsilon, bound; /* e of this row; directions: of the single weight; bound: 1e-2 of the
                              gradient's norm stands for `allowed` */
    int within;            /* 1: the difference is at most the bound */
};

/* Every slope that was measured. */
struct cairn_gradcheck_result {
    char device[128];                 /* its name */
    double epsilon, allowed;          /* as used */
    int64_t parameters, images;       /* of the net, in numbers; of the batch for the directions */
    struct cairn_gradcheck_row *rows; /* patterns outermost, then the directions */
    int row_count, direction_count;   /* directions are the last rows */
    int failed;                       /* rows that are not within */
};

/* CAIRN_OK also when rows failed: result->failed tells. */
cairn_status cairn_gradcheck(const struct cairn_gradcheck_options *options,
                             struct cairn_gradcheck_result *result);
void cairn_gradcheck_free(struct cairn_gradcheck_result *result); /* zeroes it */

/* --- lanes: one recipe on several devices, or on one with several kernels --- */

#define CAIRN_COMPARE_LANES 16 /* at most */

/* What takes part: a device, perhaps with kernels of its own. */
struct cairn_compare_lane {
    const char *device;  /* as for cairn_device_find() */
    const char *kernels; /* as in struct cairn_device_options; NULL: the program's own */
};

/* What is compared. */
struct cairn_compare_options {
    const char *recipe;                     /* path or name */
    const char *const *sets;                /* "key.path=value" */
    int set_count;                          /* how many */
    const struct cairn_compare_lane *lanes; /* two or more; figures are held against the first's */
    int lane_count;                         /* how many */
    struct cairn_compute compute; /* its device and kernels are not used; its variants go to
                                     every lane but the first */
    int64_t steps;                /* training steps at most; 0: 10 */
    int rounds;                   /* samples of each lane's speed; 0: no speeds are taken */
    const char *html; /* where cairn_compare_page() will write: told before anything is run where
                         that cannot be; may be NULL */
    const volatile sig_atomic_t *stop; /* may be NULL: not 0 ends between two steps or samples */
};

/* Seconds until a lane can run: opening the device (probe included), and having its kernels. */
struct cairn_compare_start {
    double open, kernels; /* seconds of each */
    int compiled; /* programs that were compiled; 0: all came from the cache, or there are none */
};

/* A lane, and what is measured of it as a whole. */
struct cairn_compare_lane_info {
    char name[480];                  /* "reference", "opencl:0.0", "opencl:0.0+FOLDER" */
    struct cairn_device_info device; /* as it was opened */
    char kernels[400];               /* the folder; "": none */
    int group; /* lanes of a group had the same results where the first difference is; 0
                  where there is none. Of exact arithmetic; of fast 1: out of bounds */
    struct cairn_compare_start start, again; /* again: behind `start`, so from the cache; with
                                                speeds alone */
    int64_t plan_bytes, peak_bytes; /* on the device: what the plans take; the most at any time */
    /* With speeds: of a training step, over the rounds. */
    int64_t sample_steps, launches; /* steps of a sample; kernels of a step */
    double seconds, least, most;    /* of a step: median, smallest, largest; 0: none were taken */
    double images_per_second;       /* at the median */
    int profiled; /* 0: its driver measures no times of launches, or none that can be right: those
                     of rows and kernels are 0 */
};

/* An operator in one lane. */
struct cairn_compare_cell {
    int64_t different; /* elements that differ; of fast arithmetic, that are out of their bounds */
    double worst;      /* fast: the largest error as a part of its bound, of those within */
    double seconds;    /* with speeds: device time in a step */
    int64_t launches;  /* of a step */
};

/* Parts of a training step. */
enum cairn_compare_phase {
    CAIRN_COMPARE_FORWARD,
    CAIRN_COMPARE_BACKWARD,
    CAIRN_COMPARE_UPDATE,
    CAIRN_COMPARE_PHASES
};
const char *cairn_compare_phase_name(enum cairn_compare_phase phase); /* "forward" */

/* An operator of a layer in the training step; alike ones (of the last, smaller batch, or of two
 * parts) are one row. What runs besides, like fills, is "other". */
struct cairn_compare_row {
    int layer; /* from 0 as in the recipe; -1: none (the data, the loss, the update) */
    enum cairn_compare_phase phase;                       /* of the step */
    char op[24], layer_text[96];                          /* its name; the layer's line */
    int64_t runs, values;                                 /* in lock step, of each lane */
    struct cairn_compare_cell cells[CAIRN_COMPARE_LANES]; /* by lane */
};

/* A kernel of an operator; on the reference an operator is its own kernel. With speeds alone. */
struct cairn_compare_kernel {
    char op[24], name[64];                 /* the operator; the kernel */
    double seconds[CAIRN_COMPARE_LANES];   /* device time in a step */
    int64_t launches[CAIRN_COMPARE_LANES]; /* in a step */
};

/* Whether anything differed, and the first that did. */
struct cairn_compare_result {
    char recipe[256], data[64]; /* its path; the data set */
    int64_t batch, parameters;  /* images of a step; numbers that are trained */
    enum cairn_math math;       /* of all lanes */
    int lane_count;             /* how many */
    struct cairn_compare_lane_info lanes[CAIRN_COMPARE_LANES]; /* in their order */
    struct cairn_compare_row *rows;                            /* in the order of the plan */
    /* Their sums: of a layer, of all that is no layer's in the last one (layer -1), with op ""; and
     * of an operator. Of worst the largest. */
    struct cairn_compare_row *layers, *operators; /* of layers; of operators */
    int row_count, layer_count, operator_count;   /* how many of each */
    struct cairn_compare_kernel *kernels;         /* in the order of the operators */
    int kernel_count;                             /* how many */

    int different;      /* 0: every result was equal, or within its bound, in `steps` steps */
    int64_t steps, ran; /* training steps without a difference before the first one; in all */
    int64_t operations; /* operators whose results were compared */
    int64_t values;     /* results of them, in each lane */
    double worst;       /* fast: the largest error as a part of its bound, of those within */
    int worst_lane, worst_row; /* where; -1: there was no error */
    /* Where different is 1: */
    int64_t step;   /* training step, from 1 */
    int lane, held; /* a lane that differs, and the one that it is held against: of the reference's
                       group where that takes part, else of the largest; -1: the exact reference
                       that is none of the lanes */
    int row;        /* its operator */
    char what[24];  /* the operand's name */
    char problem[320];                  /* the operator's line, for `cairn check` */
    int64_t index, count, elements;     /* first differing element; how many of how many differ */
    int is_float;                       /* else int32 */
    uint32_t want, got;                 /* bits of the lanes held and lane */
    double bound;                       /* fast: what they may differ by */
    uint32_t bits[CAIRN_COMPARE_LANES]; /* that element in each lane */
};

/* Runs the recipe's training plan in lock step on the lanes, from the same weights, and reads every
 * result of every operator; then times its steps, the lanes' samples taking turns.
 *
 * exact: results agree bit for bit (NaN is one class). The lanes run each on its own results; the
 * step of the first difference is run to its end with every operator given one lane's operands, so
 * that what else differs shows, and is the last.
 *
 * fast: each operator of each lane gets the operands of the exact reference, which walks along
 * beside the lanes if it is none of them, and may differ from its result by the bound that `cairn
 * check --math fast` computes from those operands. All steps are run. */
cairn_status cairn_compare(const struct cairn_compare_options *options,
                           struct cairn_compare_result *result);
void cairn_compare_free(struct cairn_compare_result *result); /* zeroes it */

/* All of it as one HTML file that needs nothing else. CAIRN_IO, CAIRN_MEMORY. */
cairn_status cairn_compare_page(const struct cairn_compare_result *result, const char *path);

/* "gemm", "3 linear 250", "data, loss and update": the operator, else the layer. As snprintf()
 * does. */
int cairn_compare_row_name(const struct cairn_compare_row *row, char *text, size_t size);

/* The outcome as one line, lanes as letters from A. As snprintf() does. */
int cairn_compare_verdict(const struct cairn_compare_result *result, char *text, size_t size);
/* The `cairn check` that runs the differing operator alone on the lane that differs; "" where there
 * is none. As snprintf() does. */
int cairn_compare_again(const struct cairn_compare_result *result, char *text, size_t size);

/* Where a row is: "model[2] tanh, backward, activation_grad", "update, adam". */
int cairn_compare_place(const struct cairn_compare_row *row, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
