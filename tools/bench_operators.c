/* cairn bench --op and --file: operators one by one. */
#include "bench.h"
#include "blas.h"
#include "commands.h"
#include "lines.h"

#include <cairn/bench.h>
#include <cairn/check.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Reads a problem, perhaps with the rest of a checker's case behind it, which does not matter here.
 */
static cairn_status read_line(const char *line, struct cairn_problem *problem)
{
    enum cairn_op op;
    const char *rest;
    cairn_status st = cairn_problem_parse(line, problem, &rest);
    return st == CAIRN_OK && *rest ? cairn_check_line_op(line, &op) : st;
}

static void report_json(struct bench *bench, const char *line, const struct cairn_problem *problem,
                        const char *variant, struct times t, const struct blas *blas,
                        struct times peer)
{
    const struct cairn_device_info *info = cairn_device_info(bench->device);
    double flops = cairn_problem_flops(problem), bytes = cairn_problem_bytes(problem);
    json_t *one =
        json_pack("{s:s s:s s:o s:s s:f s:f s:f s:f s:f s:I}", "problem", line, "device",
                  info->spec, "name", tool_json_text(info->name), "variant", variant, "seconds",
                  t.median, "min", t.min, "max", t.max, "gflops", flops / t.median * 1e-9, "gbytes",
                  bytes / t.median * 1e-9, "samples", (json_int_t)bench->samples);
    if (blas)
        json_object_set_new(one, "peer",
                            json_pack("{s:s s:f s:f s:f s:f s:f}", "name", blas_text(blas),
                                      "seconds", peer.median, "min", peer.min, "max", peer.max,
                                      "gflops", flops / peer.median * 1e-9, "ratio",
                                      peer.median / t.median));
    bench_share_json(bench, one, cairn_roofline_seconds(&bench->roofline, flops, bytes), t.median);
    json_array_append_new(bench->results, one);
}

static void report(struct bench *bench, const struct cairn_problem *problem, const char *variant,
                   struct times t, const struct blas *blas, struct times peer)
{
    char line[512];
    double flops = cairn_problem_flops(problem), bytes = cairn_problem_bytes(problem);
    cairn_problem_print(problem, line, sizeof line);
    if (bench->as_json) {
        report_json(bench, line, problem, variant, t, blas, peer);
        return;
    }
    printf("%s\n    %-6s %11.2f us   [%.2f .. %.2f]", line, variant, t.median * 1e6, t.min * 1e6,
           t.max * 1e6);
    if (flops > 0) printf("   %.1f GFLOP/s", flops / t.median * 1e-9);
    printf("   %.1f GB/s", bytes / t.median * 1e-9);
    bench_share_print(bench, cairn_roofline_seconds(&bench->roofline, flops, bytes), t.median);
    putchar('\n');
    if (blas)
        printf("    peer   %11.2f us   [%.2f .. %.2f]   %.1f GFLOP/s   speed / peer %.2f   %s\n",
               peer.median * 1e6, peer.min * 1e6, peer.max * 1e6, flops / peer.median * 1e-9,
               peer.median / t.median, blas_text(blas));
    fflush(stdout);
}

/* Forces the last variant that is meant for this operator: V, or OP=V. */
static cairn_status force(const struct bench *bench, enum cairn_op op)
{
    const struct option_list *variants = &bench->compute.variants;
    const char *name = NULL, *op_name = cairn_op_name(op);
    for (int i = 0; i < variants->count; i++) {
        const char *text = variants->items[i];
        size_t n = strcspn(text, "=");
        if (!text[n]) name = text;
        if (text[n] && strlen(op_name) == n && !strncmp(text, op_name, n)) name = text + n + 1;
    }
    return name ? cairn_device_force(bench->device, op_name, name) : CAIRN_OK;
}

/* Times one problem; with a peer the samples alternate, so that both see the same machine. */
static int run_problem(struct bench *bench, const struct cairn_problem *problem)
{
    struct cairn_bench *timed = NULL;
    struct blas *blas = NULL;
    double own[BENCH_SAMPLES_MOST], other[BENCH_SAMPLES_MOST];
    double seconds = 1e-3 * (double)bench->sample_ms;
    int code = -1;
    cairn_status st = force(bench, problem->op);
    if (st == CAIRN_OK) st = cairn_bench_create(bench->device, problem, seconds, &timed);
    if (st == CAIRN_OK && bench->peer && !(blas = blas_open(&problem->u.gemm, seconds))) code = 2;
    for (int64_t i = 0; st == CAIRN_OK && code < 0 && i < bench->samples; i++) {
        st = cairn_bench_sample(timed, &own[i]);
        if (blas) {
            other[i] = blas_sample(blas);
            nanosleep(&(struct timespec){0, 5000000}, NULL); /* its threads spin a while */
        }
    }
    if (st != CAIRN_OK) code = tool_fail("bench", st);
    if (code < 0) {
        struct times t = bench_times(own, bench->samples), peer = {0, 0, 0};
        if (blas) peer = bench_times(other, bench->samples);
        report(bench, problem, cairn_bench_variant(timed), t, blas, peer);
    }
    blas_close(blas);
    cairn_bench_destroy(timed);
    return code;
}

/* What is wrong with a problem before any device is opened: -1, or 2 after a complaint. */
static int check_problem(const struct bench *bench, const char *where, const char *line,
                         struct cairn_problem *problem)
{
    if (read_line(line, problem) != CAIRN_OK)
        return tool_misuse("bench", "%s%s%s", where, *where ? ": " : "", cairn_error());
    if (bench->peer && problem->op != CAIRN_OP_GEMM)
        return tool_misuse("bench", "%s%s--peer %s knows gemm only, not %s", where,
                           *where ? ": " : "", bench->peer, cairn_op_name(problem->op));
    return -1;
}

struct problems {
    struct cairn_problem *items; /* from malloc */
    int count;
};

/* Reads a line, whose place is `where`, and appends its problem. */
static int append(const struct bench *bench, const char *where, const char *line,
                  struct problems *problems)
{
    struct cairn_problem problem;
    int code = check_problem(bench, where, line, &problem);
    if (code >= 0) return code;
    struct cairn_problem *grown =
        realloc(problems->items, (size_t)(problems->count + 1) * sizeof *grown);
    if (!grown) return tool_misuse("bench", "out of memory"), 3;
    problems->items = grown;
    problems->items[problems->count++] = problem;
    return -1;
}

struct append_to {
    const struct bench *bench;
    struct problems *problems;
};

static int append_file_line(void *context, const char *line, int number)
{
    struct append_to *to = context;
    char where[512];
    snprintf(where, sizeof where, "%.480s:%d", to->bench->file, number);
    return append(to->bench, where, line, to->problems);
}

static int append_file(const struct bench *bench, struct problems *problems)
{
    struct append_to to = {bench, problems};
    return tool_lines("bench", bench->file, "problem", append_file_line, &to);
}

/* One problem: its object; several: an array; none: the device's limits. */
static int print_json(const struct bench *bench)
{
    if (json_array_size(bench->results) == 0) {
        const struct cairn_device_info *info = cairn_device_info(bench->device);
        json_t *object =
            json_pack("{s:s s:o s:o}", "device", info->spec, "name", tool_json_text(info->name),
                      "driver", tool_json_text(info->driver));
        bench_share_json(bench, object, 0, 0);
        return tool_json_print("bench", object);
    }
    json_t *all =
        json_array_size(bench->results) == 1 ? json_array_get(bench->results, 0) : bench->results;
    return tool_json_print("bench", json_incref(all));
}

static int run_all(struct bench *bench, const struct problems *problems)
{
    struct cairn_compute compute;
    int code = compute_read("bench", &bench->compute, &compute);
    if (code >= 0) return code;
    struct cairn_device_options options = {.math = compute.math};
    cairn_status st =
        cairn_device_open(compute.device ? compute.device : "opencl", &options, &bench->device);
    if (st != CAIRN_OK) return tool_fail("bench", st);
    const struct cairn_device_info *info = cairn_device_info(bench->device);
    if (!bench->as_json)
        printf("%s (%s), %s, median of %lld samples\n", info->spec, info->name,
               compute.math == CAIRN_MATH_FAST ? "fast" : "exact", (long long)bench->samples);
    code = bench_roofline(bench, bench->device);
    bench->results = json_array();
    for (int i = 0; i < problems->count && code < 0; i++)
        code = run_problem(bench, &problems->items[i]);
    if (code < 0) code = bench->as_json ? print_json(bench) : 0;
    json_decref(bench->results);
    cairn_device_close(bench->device);
    return code;
}

int bench_operators(struct bench *bench)
{
    struct problems problems = {NULL, 0};
    int code = -1;
    for (int i = 0; i < bench->lines.count && code < 0; i++)
        code = append(bench, "", bench->lines.items[i], &problems);
    if (code < 0 && bench->file) code = append_file(bench, &problems);
    if (code < 0) code = run_all(bench, &problems);
    free(problems.items);
    return code;
}
