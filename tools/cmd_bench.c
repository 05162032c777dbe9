/* cairn bench: the time of an operator on a device, alone or in turns with a peer. */
#include "blas.h"
#include "commands.h"
#include "options.h"

#include <cairn/bench.h>
#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLES_MOST 1001

struct bench {
    const char *device_spec, *variant, *math, *peer;
    struct option_list lines;
    int64_t samples, sample_ms;
    int as_json;
    struct cairn_device *device;
    json_t *results;
};

struct times {
    double median, min, max;
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct times times_of(double *samples, int64_t count)
{
    qsort(samples, (size_t)count, sizeof *samples, compare);
    double median =
        count % 2 ? samples[count / 2] : 0.5 * (samples[count / 2 - 1] + samples[count / 2]);
    return (struct times){median, samples[0], samples[count - 1]};
}

static void report(struct bench *bench, const struct cairn_problem *problem, const char *variant,
                   struct times t, const struct blas *blas, struct times peer)
{
    char line[512];
    double flops = cairn_problem_flops(problem), bytes = cairn_problem_bytes(problem);
    cairn_problem_print(problem, line, sizeof line);
    if (bench->as_json) {
        json_t *one =
            json_pack("{s:s s:s s:s s:s s:f s:f s:f s:f s:f s:I}", "problem", line, "device",
                      cairn_device_info(bench->device)->spec, "name",
                      cairn_device_info(bench->device)->name, "variant", variant, "seconds",
                      t.median, "min", t.min, "max", t.max, "gflops", flops / t.median * 1e-9,
                      "gbytes", bytes / t.median * 1e-9, "samples", (json_int_t)bench->samples);
        if (blas)
            json_object_set_new(one, "peer",
                                json_pack("{s:s s:f s:f s:f s:f s:f}", "name", blas_text(blas),
                                          "seconds", peer.median, "min", peer.min, "max", peer.max,
                                          "gflops", flops / peer.median * 1e-9, "ratio",
                                          peer.median / t.median));
        json_array_append_new(bench->results, one);
        return;
    }
    printf("%s\n    %-6s %11.2f us   [%.2f .. %.2f]", line, variant, t.median * 1e6, t.min * 1e6,
           t.max * 1e6);
    if (flops > 0) printf("   %.1f GFLOP/s", flops / t.median * 1e-9);
    printf("   %.1f GB/s\n", bytes / t.median * 1e-9);
    if (blas)
        printf("    peer   %11.2f us   [%.2f .. %.2f]   %.1f GFLOP/s   speed / peer %.2f   %s\n",
               peer.median * 1e6, peer.min * 1e6, peer.max * 1e6, flops / peer.median * 1e-9,
               peer.median / t.median, blas_text(blas));
    fflush(stdout);
}

/* Times one problem; with a peer the samples alternate, so that both see the same machine. */
static int run_line(struct bench *bench, const char *line)
{
    struct cairn_problem problem;
    struct cairn_bench *timed = NULL;
    struct blas *blas = NULL;
    double own[SAMPLES_MOST], other[SAMPLES_MOST];
    int code = -1;
    cairn_status st = cairn_problem_parse(line, &problem, NULL);
    if (st != CAIRN_OK) return tool_fail("bench", st);
    if (bench->peer && problem.op != CAIRN_OP_GEMM)
        return tool_misuse("bench", "--peer %s knows gemm only, not %s", bench->peer,
                           cairn_op_name(problem.op));
    if (bench->variant)
        st = cairn_device_force(bench->device, cairn_op_name(problem.op), bench->variant);
    if (st == CAIRN_OK)
        st = cairn_bench_create(bench->device, &problem, 1e-3 * (double)bench->sample_ms, &timed);
    if (st == CAIRN_OK && bench->peer &&
        !(blas = blas_open(&problem.u.gemm, 1e-3 * (double)bench->sample_ms)))
        code = 2;
    for (int64_t i = 0; st == CAIRN_OK && code < 0 && i < bench->samples; i++) {
        st = cairn_bench_sample(timed, &own[i]);
        if (blas) {
            other[i] = blas_sample(blas);
            nanosleep(&(struct timespec){0, 5000000}, NULL); /* its threads spin a while */
        }
    }
    if (st != CAIRN_OK) code = tool_fail("bench", st);
    if (code < 0) {
        struct times t = times_of(own, bench->samples), peer = {0, 0, 0};
        if (blas) peer = times_of(other, bench->samples);
        report(bench, &problem, cairn_bench_variant(timed), t, blas, peer);
    }
    blas_close(blas);
    cairn_bench_destroy(timed);
    return code;
}

/* One problem: its object; several: an array. */
static int print_json(const struct bench *bench)
{
    json_t *all =
        json_array_size(bench->results) == 1 ? json_array_get(bench->results, 0) : bench->results;
    if (json_dumpf(all, stdout, JSON_INDENT(2)) != 0) return 3;
    printf("\n");
    return 0;
}

static int check_words(const struct bench *bench)
{
    struct cairn_problem problem;
    if (!bench->lines.count)
        return tool_misuse("bench",
                           "--op is missing: name a problem, like --op \"gemm m=512 n=512 k=512\"");
    for (int i = 0; i < bench->lines.count; i++) {
        cairn_status st = cairn_problem_parse(bench->lines.items[i], &problem, NULL);
        if (st != CAIRN_OK) return tool_fail("bench", st);
    }
    if (bench->peer && strcmp(bench->peer, "openblas") != 0)
        return tool_misuse("bench", "--peer: '%s' is unknown; there is: openblas", bench->peer);
    if (strcmp(bench->math, "exact") != 0 && strcmp(bench->math, "fast") != 0)
        return tool_misuse("bench", "--math: '%s' is neither exact nor fast", bench->math);
    return -1;
}

int cmd_bench(int argc, char **argv)
{
    struct bench bench = {.device_spec = "opencl", .math = "exact", .samples = 15, .sample_ms = 30};
    const struct option_row rows[] = {
        {"op", OPTION_LIST, &bench.lines, "PROBLEM", "an operator with its sizes; may be repeated",
         0, 0, NULL},
        {"device", OPTION_TEXT, &bench.device_spec, "D", "the device to time (opencl)", 0, 0, NULL},
        {"variant", OPTION_TEXT, &bench.variant, "V", "this variant instead of the default one", 0,
         0, NULL},
        {"math", OPTION_TEXT, &bench.math, "M", "exact or fast", 0, 0, NULL},
        {"samples", OPTION_INT, &bench.samples, "N", "samples to take; the median counts (15)", 1,
         SAMPLES_MOST, NULL},
        {"sample-ms", OPTION_INT, &bench.sample_ms, "N", "milliseconds of a sample, about (30)", 1,
         60000, NULL},
        {"peer", OPTION_TEXT, &bench.peer, "openblas",
         "time OpenBLAS in turns on the same products", 0, 0, NULL},
        {"json", OPTION_FLAG, &bench.as_json, NULL, "print one JSON value", 0, 0, NULL},
        {0},
    };
    const struct option_set set = {
        "bench",
        "--op PROBLEM [OPTION]...",
        "Times an operator on a device: median, least and largest time of one launch among queued\n"
        "ones. PROBLEM is a line as `cairn check` prints it: \"gemm m=512 n=512 k=512\".",
        rows,
        0,
        0};
    int count = 0, code = options_parse(&set, argc, argv, &count);
    if (code >= 0) return code;
    code = check_words(&bench);
    if (code >= 0) return code;
    struct cairn_device_options options = {.math = strcmp(bench.math, "fast") ? CAIRN_MATH_EXACT
                                                                              : CAIRN_MATH_FAST};
    cairn_status st = cairn_device_open(bench.device_spec, &options, &bench.device);
    if (st != CAIRN_OK) return tool_fail("bench", st);
    bench.results = json_array();
    if (!bench.as_json)
        printf("%s (%s), %s, median of %lld samples\n", cairn_device_info(bench.device)->spec,
               cairn_device_info(bench.device)->name, bench.math, (long long)bench.samples);
    for (int i = 0; i < bench.lines.count && code < 0; i++)
        code = run_line(&bench, bench.lines.items[i]);
    if (code < 0) code = bench.as_json ? print_json(&bench) : 0;
    json_decref(bench.results);
    cairn_device_close(bench.device);
    return code;
}
