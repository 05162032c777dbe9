/* cairn inspect: a run's weights, activations or curves as a picture. */
#include "commands.h"
#include "compute.h"
#include "json.h"

#include <stdio.h>

static int print_json(const struct cairn_inspect_result *r, const char *run, const char *what)
{
    json_t *object =
        json_pack("{s:o s:s s:o s:I s:o s:I s:[I,I] s:[I,I,I] s:I s:o s:o s:I s:o s:o}", "run",
                  tool_json_text(run), "shows", what, "file", tool_json_text(r->file), "layer",
                  (json_int_t)r->layer, "text", tool_json_text(r->text), "pictures",
                  (json_int_t)r->count, "grid", (json_int_t)r->rows, (json_int_t)r->columns,
                  "shape", (json_int_t)r->c, (json_int_t)r->h, (json_int_t)r->w, "scale",
                  (json_int_t)r->scale, "least", tool_json_number(r->least), "largest",
                  tool_json_number(r->largest), "not_finite", (json_int_t)r->not_finite, "black",
                  tool_json_number(r->black), "white", tool_json_number(r->white));
    if (*r->image) json_object_set_new(object, "image", tool_json_text(r->image));
    if (*r->label) json_object_set_new(object, "label", tool_json_text(r->label));
    return tool_json_print("inspect", object);
}

static void print_text(const struct cairn_inspect_result *r, const char *what)
{
    printf("file      %s\n", r->file);
    printf("layer     %lld: %s\n", (long long)r->layer, r->text);
    if (*r->image) printf("image     %s", r->image);
    if (*r->label) printf(" (label %s)", r->label);
    if (*r->image) putchar('\n');
    printf("shows     %s: %lld of %lldx%lld%s, in %lld x %lld, enlarged %lld times\n", what,
           (long long)r->count, (long long)r->h, (long long)r->w, r->c == 3 ? " RGB" : "",
           (long long)r->rows, (long long)r->columns, (long long)r->scale);
    printf("range     %.6g to %.6g; black %.6g, white %.6g\n", r->least, r->largest, r->black,
           r->white);
    if (r->not_finite) printf("not finite  %lld numbers, drawn black\n", (long long)r->not_finite);
}

static int curves(const struct cairn_inspect_options *options, int as_json)
{
    struct cairn_inspect_curves r;
    cairn_status st = cairn_inspect_curves(options, &r);
    if (st != CAIRN_OK) return tool_fail("inspect", st);
    const char *axis = r.by_steps ? "steps" : "epochs";
    if (as_json)
        return tool_json_print("inspect",
                               json_pack("{s:o s:s s:o s:I s:s s:b s:b}", "run",
                                         tool_json_text(options->run), "shows", "curves", "file",
                                         tool_json_text(r.file), "points", (json_int_t)r.points,
                                         "axis", axis, "validation", r.validation, "test", r.test));
    printf("file      %s\nshows     loss and accuracy over %s, %lld point%s: train%s%s\n", r.file,
           axis, (long long)r.points, r.points == 1 ? "" : "s", r.validation ? ", validation" : "",
           r.test ? ", test" : "");
    return 0;
}

static int pictures(const struct cairn_inspect_options *options, const char *image, int as_json)
{
    struct cairn_inspect_result result;
    const char *what = image ? "activations" : "weights";
    cairn_status st = image ? cairn_inspect_activations(options, image, &result)
                            : cairn_inspect_weights(options, &result);
    if (st != CAIRN_OK) return tool_fail("inspect", st);
    if (as_json) return print_json(&result, options->run, what);
    print_text(&result, what);
    return 0;
}

/* What does not go together. */
static int check(const struct cairn_inspect_options *options, const struct compute_options *compute,
                 int weights, int with_curves, const char *image)
{
    if (weights + with_curves + (image != NULL) != 1)
        return tool_misuse("inspect", "say what to draw: one of --weights, --activations IMAGE, "
                                      "--curves");
    if (with_curves && (options->layer >= 0 || options->last))
        return tool_misuse("inspect", "--layer and --last do not belong to --curves");
    if (!image && (compute->device || compute->math || compute->variants.count))
        return tool_misuse("inspect", "--device, --math and --variant belong to --activations: "
                                      "nothing else is computed");
    return -1;
}

int cmd_inspect(int argc, char **argv)
{
    struct cairn_inspect_options options = {.layer = -1};
    struct compute_options compute = {0};
    const char *image = NULL;
    int weights = 0, with_curves = 0, as_json = 0, count;
    const struct option_row rows[] = {
        {"weights", OPTION_FLAG, &weights, NULL, "a layer's weights", 0, 0, NULL},
        {"activations", OPTION_TEXT, &image, "IMAGE",
         "a layer's output for 17, train:17 (from 0) or FILE.png", 0, 0, NULL},
        {"curves", OPTION_FLAG, &with_curves, NULL, "loss and accuracy over the training, as SVG",
         0, 0, NULL},
        {"layer", OPTION_INT, &options.layer, "N", "place in the recipe, from 0", 0, 1000000, NULL},
        {"out", OPTION_TEXT, &options.out, "FILE",
         "default: weights-N.png, activations-N.png, curves.svg", 0, 0, NULL},
        {"force", OPTION_FLAG, &options.force, NULL, "replace the file", 0, 0, NULL},
        {"last", OPTION_FLAG, &options.last, NULL, "the last weights instead of the best", 0, 0,
         NULL},
        COMPUTE_ROWS(&compute),
        COMPUTE_DATA_ROW(&compute),
        {"json", OPTION_FLAG, &as_json, NULL, "print JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "inspect",
        "RUN --weights|--activations IMAGE|--curves [OPTION]...",
        "Draws what is in the folder RUN that `cairn train` made. Weights: of the first layer that "
        "has some,\nblack -m to white +m, m the largest magnitude. Activations: of the first "
        "convolution (else the first\nlayer), black the least number to white the largest; with "
        "--layer, of any.",
        rows,
        1,
        1,
    };
    int code = options_parse(&set, argc, argv, &count);
    if (code == -1) code = check(&options, &compute, weights, with_curves, image);
    if (code == -1) code = compute_read("inspect", &compute, &options.compute);
    if (code != -1) return code;
    options.run = argv[1];
    return with_curves ? curves(&options, as_json) : pictures(&options, image, as_json);
}
