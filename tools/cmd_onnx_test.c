/* cairn onnx-test: ONNX's own tests of operators on a device. */
#include "commands.h"
#include "compute.h"
#include "json.h"

#include <stdio.h>
#include <string.h>

struct tally {
    int64_t counts[3];
    json_t *skipped;  /* operator: number */
    json_t *failures; /* {test, why} */
    json_t *reasons;  /* every test that was skipped: {test, operator, why} */
    int verbose;
};

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void each(void *context, const struct cairn_onnx_verdict *v)
{
    struct tally *t = context;
    t->counts[v->outcome]++;
    if (v->outcome == CAIRN_ONNX_FAILED)
        json_array_append_new(t->failures, json_pack("{s:o s:o}", "test", tool_json_text(v->test),
                                                     "why", tool_json_text(v->why)));
    if (v->outcome != CAIRN_ONNX_SKIPPED) return;
    json_int_t before = json_integer_value(json_object_get(t->skipped, v->op));
    json_object_set_new(t->skipped, v->op, json_integer(before + 1));
    json_array_append_new(t->reasons,
                          json_pack("{s:o s:o s:o}", "test", tool_json_text(v->test), "operator",
                                    tool_json_text(v->op), "why", tool_json_text(v->why)));
}

static void print_text(const struct tally *t)
{
    const char *op;
    json_t *count, *row;
    size_t i;
    int column = 0;
    printf("passed   %lld\nskipped  %lld\nfailed   %lld\n", (long long)t->counts[CAIRN_ONNX_PASSED],
           (long long)t->counts[CAIRN_ONNX_SKIPPED], (long long)t->counts[CAIRN_ONNX_FAILED]);
    if (json_object_size(t->skipped)) printf("\nskipped, by operator\n");
    json_object_foreach(t->skipped, op, count)
    {
        char text[64];
        int length =
            snprintf(text, sizeof text, " %.40s %lld", op, (long long)json_integer_value(count));
        if (column + length > 98) column = printf("\n") - 1;
        column += printf(" %s", text);
    }
    if (column) putchar('\n');
    if (t->verbose && json_array_size(t->reasons)) printf("\nskipped, one by one\n");
    json_array_foreach(t->reasons, i, row) if (t->verbose)
        printf("  %s: %s: %s\n", last_part(json_string_value(json_object_get(row, "test"))),
               json_string_value(json_object_get(row, "operator")),
               json_string_value(json_object_get(row, "why")));
    if (json_array_size(t->failures)) printf("\nfailed\n");
    json_array_foreach(t->failures, i, row)
        printf("  %s: %s\n", json_string_value(json_object_get(row, "test")),
               json_string_value(json_object_get(row, "why")));
}

static int print_json(struct tally *t)
{
    return tool_json_print(
        "onnx-test",
        json_pack("{s:I s:I s:I s:O s:O s:O}", "passed", (json_int_t)t->counts[CAIRN_ONNX_PASSED],
                  "skipped", (json_int_t)t->counts[CAIRN_ONNX_SKIPPED], "failed",
                  (json_int_t)t->counts[CAIRN_ONNX_FAILED], "skipped_by_operator", t->skipped,
                  "skipped_tests", t->reasons, "failures", t->failures));
}

int cmd_onnx_test(int argc, char **argv)
{
    struct compute_options compute = {0};
    struct cairn_compute where;
    int as_json = 0, verbose = 0, count;
    const struct option_row rows[] = {
        {"device", OPTION_TEXT, &compute.device, "D",
         "reference, opencl, opencl:N, opencl:P.D or opencl:NAME", 0, 0, NULL},
        {"math", OPTION_TEXT, &compute.math, "exact|fast",
         "bit for bit (the default), or within bounds", 0, 0, NULL},
        {"verbose", OPTION_FLAG, &verbose, NULL, "tell why each test was skipped", 0, 0, NULL},
        {"json", OPTION_FLAG, &as_json, NULL, "print JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "onnx-test",
        "DIR... [OPTION]...",
        "Runs ONNX's own tests of operators on a device: every folder below DIR with a model.onnx "
        "and its\ntest_data_set_0 (Debian: libonnx-testdata has them in "
        "/usr/share/libonnx-testdata/data). Tests of\noperators that Cairn has not are skipped and "
        "counted.",
        rows,
        1,
        -1,
    };
    int code = options_parse(&set, argc, argv, &count);
    if (code == -1) code = compute_read("onnx-test", &compute, &where);
    if (code != -1) return code;
    struct tally tally = {{0}, json_object(), json_array(), json_array(), verbose};
    cairn_status st = cairn_onnx_test((const char *const *)argv + 1, count, &where, each, &tally);
    if (st != CAIRN_OK)
        code = tool_fail("onnx-test", st);
    else if (as_json)
        code = print_json(&tally);
    else
        print_text(&tally);
    if (code == -1) code = tally.counts[CAIRN_ONNX_FAILED] ? 1 : 0;
    if (as_json && code == 0) code = tally.counts[CAIRN_ONNX_FAILED] ? 1 : 0;
    json_decref(tally.skipped);
    json_decref(tally.failures);
    json_decref(tally.reasons);
    return code;
}
