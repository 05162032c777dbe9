/* Models taken elsewhere and brought in: ONNX models, weights as PyTorch names them, and ONNX's own
 * tests of operators.
 *
 * ONNX is read and written with libprotobuf-c; a build without it refuses with CAIRN_UNSUPPORTED.
 * Weights are safetensors files whose names and layouts are those of PyTorch's state_dict:
 * "3.weight", "3.bias", "3.running_mean" ..., 3 being the layer's place in the recipe. */
#ifndef CAIRN_EXCHANGE_H
#define CAIRN_EXCHANGE_H

#include <cairn/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- export --- */

/* Which run, to which file. */
struct cairn_export_options {
    const char *run;      /* its folder */
    int last;             /* 0: the best weights; 1: the last */
    const char *file;     /* its end says what it is: .onnx or .safetensors */
    int force;            /* replace a file that is there */
    const char *data_dir; /* as in struct cairn_compute */
};

/* What was written. */
struct cairn_export_result {
    char format[16];           /* "onnx", "safetensors" */
    int opset;                 /* of ONNX; else 0 */
    int64_t c, h, w, classes;  /* what the model takes: N images of bytes, c x h x w */
    int64_t parameters, bytes; /* numbers that were trained; the file's size */
    int64_t epoch, step;       /* when the weights were taken */
    char weights_sha256[65];   /* as in the run's summary */
};

/* Writes the model of a run. ONNX: one graph from `pixels`, N x c x h x w float32 holding bytes (0
 * to 255) in the shape that the recipe gives its images, to `logits`, N x classes, what the last
 * layer gives (`probabilities` where that is a softmax); normalisation is part of it. */
cairn_status cairn_export(const struct cairn_export_options *options,
                          struct cairn_export_result *result);

/* --- import --- */

/* Which model, to which run. */
struct cairn_import_options {
    const char *file; /* .onnx or .safetensors */
    const char *run;  /* the folder that is made */
    /* Path or name: what it was, or is to be, trained on and how. NULL: the recipe in an ONNX model
     * that Cairn wrote. Of an ONNX model its layers are replaced by the model's. */
    const char *recipe;
    const char *const *sets; /* "key.path=value" */
    int set_count;           /* how many */
    const char *data_dir;    /* as in struct cairn_compute */
    int force;               /* replace a run that is there */
};

/* What was made. */
struct cairn_import_result {
    char format[16];         /* "onnx", "safetensors" */
    int layers;              /* lines of the recipe */
    int64_t parameters;      /* numbers that are trained */
    char weights_sha256[65]; /* of the weights that came in */
};

/* Makes a run of a model or of weights: it can be evaluated, and trained further with --resume and
 * its own recipe. The data set's files must be there, since a run knows how its images are split
 * and normalised. Folds of a cross-validation become one training. CAIRN_UNSUPPORTED names the node
 * of a graph, its operator and what Cairn has not; CAIRN_INVALID where model, weights, recipe and
 * data do not fit. */
cairn_status cairn_import(const struct cairn_import_options *options,
                          struct cairn_import_result *result);

/* --- ONNX's own tests --- */

/* What became of a test. */
enum cairn_onnx_outcome { CAIRN_ONNX_PASSED, CAIRN_ONNX_SKIPPED, CAIRN_ONNX_FAILED };

/* One test. */
struct cairn_onnx_verdict {
    const char *test;                /* its folder */
    enum cairn_onnx_outcome outcome; /* what became of it */
    const char *op;  /* SKIPPED: the operator that Cairn has not, or not in this form */
    const char *why; /* SKIPPED, FAILED */
};

/* Runs the tests of operators below the folders, each a folder with model.onnx and test_data_set_N/
 * (input_K.pb, output_K.pb), on the device of `compute`; `each` gets every verdict, in the order of
 * names. The outputs must have the expected shapes and be within 1e-7 + 1e-3 |expected|, ONNX's own
 * bound. CAIRN_NOT_FOUND where a folder holds no test. */
cairn_status cairn_onnx_test(const char *const *folders, int count,
                             const struct cairn_compute *compute,
                             void (*each)(void *context, const struct cairn_onnx_verdict *verdict),
                             void *context);

#ifdef __cplusplus
}
#endif
#endif
