/* cairn eval: a run's weights on the test images. */
#include "commands.h"
#include "compute.h"
#include "json.h"

#include <stdio.h>

static int print_json(const struct cairn_eval_result *r, const char *run)
{
    json_t *rows = json_array();
    for (int i = 0; i < r->classes; i++) {
        json_t *row = json_array();
        for (int j = 0; j < r->classes; j++)
            json_array_append_new(row, json_integer(r->confusion[i * r->classes + j]));
        json_array_append_new(rows, row);
    }
    json_t *object =
        json_pack("{s:o s:s s:o s:o s:I s:I s:I s:s s:o s:o}", "run", tool_json_text(run), "data",
                  r->data, "test_loss", tool_json_number(r->loss), "test_accuracy",
                  tool_json_number(r->accuracy), "images", (json_int_t)r->images, "correct",
                  (json_int_t)r->correct, "epoch", (json_int_t)r->epoch, "weights_sha256",
                  r->weights_sha256, "device", tool_json_text(r->device), "confusion", rows);
    return tool_json_print("eval", object);
}

static void print_text(const struct cairn_eval_result *r)
{
    printf("test accuracy   %.2f %% (%lld of %lld images of %s)\n", 100 * r->accuracy,
           (long long)r->correct, (long long)r->images, r->data);
    printf("test loss       %.4f\n", r->loss);
    printf("weights_sha256  %s (epoch %lld)\n", r->weights_sha256, (long long)r->epoch);
    printf("device          %s\n\n", r->device);
    printf("confusion matrix: a row for each label, a column for each answer\n     ");
    for (int j = 0; j < r->classes; j++) printf("%6d", j);
    for (int i = 0; i < r->classes; i++) {
        printf("\n%4d ", i);
        for (int j = 0; j < r->classes; j++)
            printf("%6lld", (long long)r->confusion[i * r->classes + j]);
    }
    putchar('\n');
}

int cmd_eval(int argc, char **argv)
{
    struct cairn_eval_options options = {0};
    struct cairn_eval_result result;
    struct compute_options compute = {0};
    int best = 0, as_json = 0, count;
    const struct option_row rows[] = {
        COMPUTE_ROWS(&compute),
        COMPUTE_DATA_ROW(&compute),
        {"best", OPTION_FLAG, &best, NULL, "the best weights (the default)", 0, 0, NULL},
        {"last", OPTION_FLAG, &options.last, NULL, "the last weights", 0, 0, NULL},
        {"json", OPTION_FLAG, &as_json, NULL, "print JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "eval",
        "RUN [OPTION]...",
        "Tests the weights in the folder RUN that `cairn train` made: loss, accuracy and confusion "
        "matrix.",
        rows,
        1,
        1,
    };
    int code = options_parse(&set, argc, argv, &count);
    if (code == -1 && best && options.last)
        code = tool_misuse("eval", "--best and --last exclude each other");
    if (code == -1) code = compute_read("eval", &compute, &options.compute);
    if (code != -1) return code;
    options.run = argv[1];
    cairn_status st = cairn_eval(&options, &result);
    code = 0;
    if (st != CAIRN_OK)
        code = tool_fail("eval", st);
    else if (as_json)
        code = print_json(&result, options.run);
    else
        print_text(&result);
    cairn_eval_result_free(&result);
    return code;
}
