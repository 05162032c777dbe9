/* Looking at a run: what it takes for what, its mistakes as pictures, its answers for single
 * images, its weights and activations as pictures, its curves.
 *
 * Pictures are PNG files, gray or RGB of 8 bits; curves are an SVG file. Each file appears whole or
 * not at all. A file that is there already is replaced only with `force`; that, and whether the
 * files can be written, is found out before anything is computed. */
#ifndef CAIRN_REPORT_H
#define CAIRN_REPORT_H

#include <cairn/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- answers --- */

/* A part of a run's data. */
enum cairn_report_part { CAIRN_REPORT_TEST, CAIRN_REPORT_VALIDATION, CAIRN_REPORT_TRAIN };
#define CAIRN_REPORT_MOST 1000 /* mistakes of a class */

/* What is looked at, and where it is written. */
struct cairn_report_options {
    const char *run;              /* its folder */
    int last;                     /* 0: the best weights; 1: the last */
    struct cairn_compute compute; /* where and how */
    enum cairn_report_part part;  /* as the run split its data; training images unmoved */
    int64_t mistakes; /* of each class, so many of those with the highest confidence; 0: none */
    int confusion;    /* write it to `out` */
    const char *out;  /* a folder, made where it is missing; NULL: nothing is written */
    int force;        /* 1: replaces files that are there */
};

/* An image that is taken for another class than its label. */
struct cairn_report_mistake {
    int64_t index; /* in the data set's file: test images, or training images for the other parts */
    int label, answer;  /* classes, from 0 */
    double probability; /* the answer's softmax probability */
};

/* A class of the data. */
struct cairn_report_class {
    char *name;                            /* NULL: none is known */
    int64_t images, wrong;                 /* of this label; of those, answered otherwise */
    int64_t unanswered;                    /* of those that are wrong: a NaN among the logits */
    struct cairn_report_mistake *mistakes; /* falling probability, then rising index */
    int64_t count;                         /* of mistakes */
};

/* An evaluation of a part. */
struct cairn_report {
    struct cairn_eval_result eval;      /* of that part */
    struct cairn_report_class *classes; /* eval.classes of them */
    char **files;                       /* paths of what was written, in that order */
    int file_count;                     /* how many */
};

/* Evaluates a part. Into the folder `out` come, of what is asked for, confusion.csv and
 * confusion.png (rows are labels, columns answers), mistakes.csv and for each class with mistakes
 * class-N.png, or class-N-NAME.png: the mistakes side by side, ten to a row, with the answer and
 * its probability below. The probability is exp(z_answer - z_max) / sum_j exp(z_j - z_max) of what
 * the loss takes, or that itself where it is the output of a softmax. */
cairn_status cairn_report_evaluate(const struct cairn_report_options *options,
                                   struct cairn_report *report);
/* Frees what is in it, and zeroes it. */
void cairn_report_free(struct cairn_report *report);

/* --- single images --- */

/* Which run, and which images. */
struct cairn_predict_options {
    const char *run;              /* its folder */
    int last;                     /* 0: the best weights; 1: the last */
    struct cairn_compute compute; /* where and how */
    const char *const *images;    /* as for cairn_inspect_activations() */
    int count;                    /* how many */
};

/* The answer for one image. */
struct cairn_prediction {
    char image[512], label[64]; /* as struct cairn_inspect_result has them */
    int answer;                 /* -1: a NaN among the outputs */
    float *outputs;             /* classes: what the loss takes; the logits of a cross-entropy */
    double *probabilities;      /* classes; as in cairn_report_evaluate(); NaN without an answer */
};

/* The answers, in the order of the images. */
struct cairn_predictions {
    char device[128], weights_sha256[65]; /* its name; of the weights that answered */
    int classes;                          /* how many */
    char **names;                         /* of the classes; NULL: none are known */
    struct cairn_prediction *items;       /* one for each image */
    int count;                            /* how many */
};

/* What a net takes images for. Files must be as the data set's images are: gray or RGB, and of
 * their size. */
cairn_status cairn_predict(const struct cairn_predict_options *options,
                           struct cairn_predictions *predictions);
void cairn_predictions_free(struct cairn_predictions *predictions); /* zeroes it */

/* --- the inside --- */

/* What is drawn, and where to. */
struct cairn_inspect_options {
    const char *run;              /* the run's folder */
    int last;                     /* 0: the best weights; 1: the last */
    struct cairn_compute compute; /* weights: only data_dir counts */
    int64_t layer;                /* place in the recipe, from 0; -1: the first that fits */
    const char *out;              /* the file; NULL: weights-N.png, activations-N.png, curves.svg */
    int force;                    /* 1: replaces a file that is there */
};

/* What was drawn. */
struct cairn_inspect_result {
    char file[512]; /* that was written */
    int64_t layer;  /* its place in the recipe, from 0 */
    char text[96];  /* the layer, as the recipe has it */
    /* `count` pictures of c x h x w (c: 1 gray, 3 RGB) in `rows` x `columns`, each number enlarged
     * to scale x scale pixels, with lines of one pixel around them. */
    int64_t count, rows, columns, c, h, w, scale; /* see above */
    double least, largest;                        /* of the finite numbers */
    int64_t not_finite;                           /* drawn black */
    double black, white;                          /* the numbers drawn so */
    char image[512], label[64]; /* activations: of what image; its label, "" for a file */
};

/* The weights of a layer; the first that has them. A convolution gives kh x kw for each (output,
 * input channel), a row of pictures for each output; where it reads images of three channels, one
 * in RGB for each output. A linear layer gives the shape of its input for each output, with the
 * patches of data.patches put together again; a matrix, a row for each output, where its input is a
 * vector. -m is black and +m white, m the largest magnitude. CAIRN_INVALID for a layer without
 * weights to show. */
cairn_status cairn_inspect_weights(const struct cairn_inspect_options *options,
                                   struct cairn_inspect_result *result);

/* The output of a layer (the first convolution, else the first layer) for one image, channel by
 * channel, from the least number (black) to the largest (white). `image` is a place in the test
 * images ("17", "test:17") or in the training images ("train:17"), or the path of a PNG file of the
 * size of the data set's images. */
cairn_status cairn_inspect_activations(const struct cairn_inspect_options *options,
                                       const char *image, struct cairn_inspect_result *result);

/* The curves that were drawn. */
struct cairn_inspect_curves {
    char file[512];       /* that was written */
    int64_t points;       /* evaluations */
    int by_steps;         /* the axis: 1 steps, 0 epochs */
    int validation, test; /* whether there are such curves */
};

/* Loss and accuracy over the epochs, or over the steps where an epoch has several evaluations, from
 * metrics.jsonl. */
cairn_status cairn_inspect_curves(const struct cairn_inspect_options *options,
                                  struct cairn_inspect_curves *result);

/* --- the report of a run --- */

/* What a report is written as. */
enum cairn_document_format {
    CAIRN_DOCUMENT_HTML,     /* one file that needs nothing else: charts and pictures are in it */
    CAIRN_DOCUMENT_MARKDOWN, /* the same tables; no pictures, no charts */
    CAIRN_DOCUMENT_JSON,     /* all that HTML shows, as one value; docs/reports.md */
};
#define CAIRN_DOCUMENT_MISTAKES 100 /* at most */

/* Which run, and what is told of it. */
struct cairn_document_options {
    const char *run;              /* its folder */
    struct cairn_compute compute; /* device NULL: "opencl", and where there is none the report does
                                     without what is measured; math and profile are the report's
                                     own; data_dir NULL: the same without the data set's files */
    enum cairn_document_format format; /* of the file */
    const char *out;   /* the file; NULL: report.html, or standard output for the other formats */
    int force;         /* 1: replaces a file that is there */
    int profile;       /* 1: time the kernels of some steps on the device */
    int64_t mistakes;  /* most confident ones, up to CAIRN_DOCUMENT_MISTAKES */
    const char *image; /* whose activations are shown, as for cairn_inspect_activations(); NULL:
                          the first test image */
};

/* What was written. */
struct cairn_document_result {
    char file[512]; /* "": standard output */
    int missing;    /* sections that the run, the data or the device at hand have nothing for */
};

/* Tells of a run: its recipe and data, curves, confusion matrix and classes, mistakes, weights,
 * activations, layers and memory, kernels, device, digests. What is not there is told in its place.
 * CAIRN_NOT_FOUND for what is no run; CAIRN_FORMAT for files of it that are damaged; a data_dir,
 * device or image that was named and fails is a failure. */
cairn_status cairn_document_write(const struct cairn_document_options *options,
                                  struct cairn_document_result *result);

#ifdef __cplusplus
}
#endif
#endif
