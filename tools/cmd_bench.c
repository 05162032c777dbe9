/* cairn bench: the time of operators and of a recipe's steps on a device, alone or in turns with a
 * peer. */
#include "bench.h"
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct times bench_times(double *samples, int64_t count)
{
    qsort(samples, (size_t)count, sizeof *samples, compare);
    double median =
        count % 2 ? samples[count / 2] : 0.5 * (samples[count / 2 - 1] + samples[count / 2]);
    return (struct times){median, samples[0], samples[count - 1]};
}

int bench_roofline(struct bench *bench, struct cairn_device *device)
{
    if (!bench->wants_roofline) return -1;
    cairn_status st = cairn_device_roofline(device, &bench->roofline);
    if (st != CAIRN_OK) return tool_fail("bench", st);
    if (!bench->as_json)
        printf("roofline: %.4g GFLOP/s (fma in registers), %.4g GB/s (copying memory)\n",
               bench->roofline.gflops, bench->roofline.gbytes);
    return -1;
}

void bench_share_json(const struct bench *bench, json_t *object, double least, double seconds)
{
    const struct cairn_roofline *r = &bench->roofline;
    if (!bench->wants_roofline || !object) return;
    json_object_set_new(object, "roofline",
                        json_pack("{s:f s:f}", "gflops", r->gflops, "gbytes", r->gbytes));
    if (seconds > 0) json_object_set_new(object, "share", tool_json_number(least / seconds));
}

void bench_share_print(const struct bench *bench, double least, double seconds)
{
    if (bench->wants_roofline) printf("   %.0f %% of the roofline", 100 * least / seconds);
}

/* Options that do not go together, and words that are wrong whatever the device. */
static int check_words(const struct bench *bench)
{
    int operators = bench->lines.count || bench->file;
    if (!operators && !bench->recipe && !bench->wants_roofline)
        return tool_misuse("bench", "nothing to time: name a problem, like --op \"gemm m=512 n=512 "
                                    "k=512\", a --file of them, or a --recipe");
    if (operators && bench->recipe)
        return tool_misuse("bench", "--recipe times whole steps, --op and --file operators: choose "
                                    "one");
    const char *others = bench->batch              ? "batch"
                         : bench->sets.count       ? "set"
                         : bench->compute.data_dir ? "data-dir"
                         : bench->compute.profile  ? "profile"
                         : bench->trace            ? "trace"
                         : bench->list             ? "list"
                                                   : NULL;
    if (operators && others) return tool_misuse("bench", "--%s belongs to --recipe", others);
    if (bench->recipe && bench->peer)
        return tool_misuse("bench", "--peer %s knows gemm only, no recipes", bench->peer);
    if (bench->peer && strcmp(bench->peer, "openblas") != 0)
        return tool_misuse("bench", "--peer: '%s' is unknown; there is: openblas", bench->peer);
    return -1;
}

int cmd_bench(int argc, char **argv)
{
    struct bench bench = {.samples = 15, .sample_ms = 30};
    const struct option_row rows[] = {
        {"op", OPTION_LIST, &bench.lines, "PROBLEM", "an operator with its sizes; may be repeated",
         0, 0, NULL},
        {"file", OPTION_TEXT, &bench.file, "FILE", "the operators of a file, one a line", 0, 0,
         NULL},
        {"recipe", OPTION_TEXT, &bench.recipe, "RECIPE",
         "a training step and an inference step of this recipe", 0, 0, NULL},
        {"batch", OPTION_INT, &bench.batch, "N", "another batch size than the recipe's", 1, 1048576,
         NULL},
        {"set", OPTION_LIST, &bench.sets, "KEY=VALUE",
         "set a value of the recipe, like vars.act=tanh; may be repeated", 0, 0, NULL},
        {"list", OPTION_FLAG, &bench.list, NULL,
         "print the recipe's operators as lines for --file and time nothing", 0, 0, NULL},
        {"profile", OPTION_FLAG, &bench.compute.profile, NULL,
         "tell the device time of a step's kernels and layers, too", 0, 0, NULL},
        {"trace", OPTION_TEXT, &bench.trace, "FILE",
         "write a trace of ten training steps for chrome://tracing or Perfetto", 0, 0, NULL},
        COMPUTE_DATA_ROW(&bench.compute),
        COMPUTE_TUNE_ROW(&bench.compute),
        {"device", OPTION_TEXT, &bench.compute.device, "D", "the device to time (opencl)", 0, 0,
         NULL},
        {"variant", OPTION_LIST, &bench.compute.variants, "V",
         "this variant instead of the default one; OP=V for one operator", 0, 0, NULL},
        {"math", OPTION_TEXT, &bench.compute.math, "exact|fast",
         "bit for bit (the default), or within bounds", 0, 0, NULL},
        {"roofline", OPTION_FLAG, &bench.wants_roofline, NULL,
         "measure what the device can do at most, and tell the share of it", 0, 0, NULL},
        {"samples", OPTION_INT, &bench.samples, "N", "samples to take; the median counts (15)", 1,
         BENCH_SAMPLES_MOST, NULL},
        {"sample-ms", OPTION_INT, &bench.sample_ms, "N", "milliseconds of a sample, about (30)", 1,
         60000, NULL},
        {"peer", OPTION_TEXT, &bench.peer, "openblas",
         "time OpenBLAS in turns on the same products", 0, 0, NULL},
        {"json", OPTION_FLAG, &bench.as_json, NULL, "print one JSON value", 0, 0, NULL},
        {0},
    };
    const struct option_set set = {
        "bench",
        "--op PROBLEM | --file FILE | --recipe RECIPE | --roofline [OPTION]...",
        "Times operators on a device, or the steps of a recipe: median, least and largest time of "
        "one launch or\n"
        "step among queued ones. PROBLEM is a line as `cairn check` prints it: \"gemm m=512 n=512 "
        "k=512\". Steps run\n"
        "on made-up images: no data is read but the names and one image of a folder of images "
        "(--data-dir).",
        rows,
        0,
        0};
    int count = 0, code = options_parse(&set, argc, argv, &count);
    if (code >= 0) return code;
    code = check_words(&bench);
    if (code >= 0) return code;
    return bench.recipe ? bench_recipe(&bench) : bench_operators(&bench);
}
