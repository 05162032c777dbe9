/* cairn predict: what a run's net takes single images for. */
#include "commands.h"
#include "compute.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *name_json(const struct cairn_predictions *r, int class)
{
    return r->names && class >= 0 ? tool_json_text(r->names[class]) : json_null();
}

static json_t *class_json(int class)
{
    return class >= 0 ? json_integer(class) : json_null();
}

static json_t *prediction_json(const struct cairn_predictions *r, const struct cairn_prediction *p)
{
    json_t *outputs = json_array(), *probabilities = json_array();
    double probability =
        p->answer >= 0 ? p->probabilities[p->answer] : tool_real(p->probabilities[0]);
    for (int c = 0; c < r->classes; c++) {
        json_array_append_new(outputs, tool_json_number((double)p->outputs[c]));
        json_array_append_new(probabilities, tool_json_number(p->probabilities[c]));
    }
    return json_pack("{s:o s:o s:o s:o s:o s:o}", "image", tool_json_text(p->image), "answer",
                     class_json(p->answer), "name", name_json(r, p->answer), "probability",
                     tool_json_number(probability), "probabilities", probabilities, "outputs",
                     outputs);
}

static int print_json(const char *run, const struct cairn_predictions *r)
{
    json_t *images = json_array();
    for (int i = 0; i < r->count; i++)
        json_array_append_new(images, prediction_json(r, &r->items[i]));
    json_t *names = r->names ? json_array() : json_null();
    for (int c = 0; c < r->classes && r->names; c++) json_array_append_new(names, name_json(r, c));
    return tool_json_print("predict",
                           json_pack("{s:o s:s s:o s:i s:o s:o}", "run", tool_json_text(run),
                                     "weights_sha256", r->weights_sha256, "device",
                                     tool_json_text(r->device), "classes", r->classes, "names",
                                     names, "images", images));
}

/* A name, of a class or a file, may hold anything. */
static void print_name(const char *name)
{
    for (; *name; name++) putchar((unsigned char)*name < ' ' ? '?' : *name);
}

static void print_class(const struct cairn_predictions *r, const struct cairn_prediction *p,
                        int class)
{
    printf("  %6.2f %%  %d", 100 * p->probabilities[class], class);
    if (r->names) fputs(" ", stdout);
    if (r->names) print_name(r->names[class]);
    putchar('\n');
}

static const double *sorted; /* for compare_classes() */

static int compare_classes(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return sorted[x] > sorted[y] ? -1 : sorted[x] < sorted[y] ? 1 : x - y;
}

static void print_text(const struct cairn_predictions *r, int64_t top)
{
    int *order = malloc((size_t)r->classes * sizeof *order);
    for (int i = 0; i < r->count && order; i++) {
        const struct cairn_prediction *p = &r->items[i];
        print_name(p->image);
        if (*p->label) fputs("  (labelled ", stdout);
        print_name(p->label);
        puts(*p->label ? ")" : "");
        if (p->answer < 0) puts("  no answer: a NaN among the outputs");
        if (p->answer < 0) continue;
        for (int c = 0; c < r->classes; c++) order[c] = c;
        sorted = p->probabilities;
        qsort(order, (size_t)r->classes, sizeof *order, compare_classes);
        for (int c = 0; c < r->classes && c < top; c++) print_class(r, p, order[c]);
    }
    free(order);
}

int cmd_predict(int argc, char **argv)
{
    struct cairn_predict_options options = {0};
    struct cairn_predictions result;
    struct compute_options compute = {0};
    int best = 0, as_json = 0, count;
    int64_t top = 3;
    const struct option_row rows[] = {
        COMPUTE_ROWS(&compute),
        COMPUTE_DATA_ROW(&compute),
        COMPUTE_BEST_ROW(&best),
        COMPUTE_LAST_ROW(&options.last),
        {"top", OPTION_INT, &top, "N", "so many classes of each image (3)", 1, 256, NULL},
        {"json", OPTION_FLAG, &as_json, NULL, "print JSON: all classes, and the net's outputs", 0,
         0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "predict",
        "RUN IMAGE... [OPTION]...",
        "Tells what the net in the folder RUN takes images for. An IMAGE is a PNG file of the kind "
        "and size of\nthe data set's images, or a place in the data set: test:17, train:17.",
        rows,
        2,
        -1,
    };
    int code = options_parse(&set, argc, argv, &count);
    if (code == -1 && best && options.last)
        code = tool_misuse("predict", "--best and --last exclude each other");
    if (code == -1) code = compute_read("predict", &compute, &options.compute);
    if (code != -1) return code;
    options.run = argv[1];
    options.images = (const char *const *)argv + 2;
    options.count = count - 1;
    cairn_status st = cairn_predict(&options, &result);
    if (st != CAIRN_OK) return tool_fail("predict", st);
    code = as_json ? print_json(argv[1], &result) : 0;
    if (!as_json) print_text(&result, top);
    cairn_predictions_free(&result);
    return code;
}
