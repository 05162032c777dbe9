/* cairn bench --recipe: a training step and an inference step of a recipe. */
#include "bench.h"
#include "commands.h"
#include "profile.h"

#include <stdio.h>
#include <string.h>

#define TRACE_STEPS 10

/* What was found of a pass. */
struct found {
    struct times times;
    struct profile profile; /* of `steps` steps, with --profile */
    int64_t steps;
    double least; /* seconds that the device's limits would take, operator by operator */
};

static const char *const names[CAIRN_PASSES] = {"training", "inference"};

/* The operators of both passes as lines, each once. */
static int list_operators(const struct bench *bench, const struct cairn_recipe_bench *timed)
{
    json_t *object = json_object();
    char line[512], other[512];
    struct cairn_problem problem, earlier;
    for (int pass = 0; pass < CAIRN_PASSES; pass++) {
        json_t *lines = json_array();
        json_object_set_new(object, names[pass], lines);
        if (!bench->as_json) printf("# %s\n", names[pass]);
        for (int64_t i = 0; cairn_recipe_bench_problem(timed, (enum cairn_pass)pass, i, &problem);
             i++) {
            int known = 0;
            cairn_problem_print(&problem, line, sizeof line);
            for (int p = 0; p <= pass && !known; p++)
                for (int64_t k = 0;
                     !known && (p < pass || k < i) &&
                     cairn_recipe_bench_problem(timed, (enum cairn_pass)p, k, &earlier);
                     k++) {
                    cairn_problem_print(&earlier, other, sizeof other);
                    known = !strcmp(line, other);
                }
            if (!known) json_array_append_new(lines, tool_json_text(line));
            if (!known && !bench->as_json) puts(line);
        }
    }
    if (bench->as_json) return tool_json_print("bench", object);
    json_decref(object);
    return 0;
}

static json_t *pass_json(const struct bench *bench, const struct cairn_recipe_bench_info *info,
                         enum cairn_pass pass, struct found *found)
{
    const struct cairn_pass_info *p = &info->passes[pass];
    struct times t = found->times;
    json_t *object = json_pack(
        "{s:f s:f s:f s:f s:f s:f s:I s:I s:I}", "seconds", t.median, "min", t.min, "max", t.max,
        "samples_per_second", (double)info->batch / t.median, "gflops", p->flops / t.median * 1e-9,
        "gbytes", p->bytes / t.median * 1e-9, "launches", (json_int_t)p->launches, "operators",
        (json_int_t)p->operators, "steps", (json_int_t)p->steps);
    bench_share_json(bench, object, found->least, t.median);
    if (object && found->profile.kernel_count)
        json_object_set_new(object, "profile", profile_json(&found->profile, found->steps));
    return object;
}

/* The training step's figures, and beside them those of inference. */
static int print_json(const struct bench *bench, const struct cairn_device_info *device,
                      const char *math, const struct cairn_recipe_bench_info *info,
                      struct found *found)
{
    json_t *object =
        json_pack("{s:o s:s s:[I,I,I] s:I s:I s:I s:I s:s s:o s:o s:s s:I}", "recipe",
                  tool_json_text(info->recipe), "data", info->data, "input", (json_int_t)info->c,
                  (json_int_t)info->h, (json_int_t)info->w, "classes", (json_int_t)info->classes,
                  "parameters", (json_int_t)info->parameters, "batch", (json_int_t)info->batch,
                  "device_bytes", (json_int_t)info->device_bytes, "device", device->spec, "name",
                  tool_json_text(device->name), "driver", tool_json_text(device->driver), "math",
                  math, "samples", (json_int_t)bench->samples);
    json_t *train = pass_json(bench, info, CAIRN_PASS_TRAIN, &found[CAIRN_PASS_TRAIN]),
           *inference = pass_json(bench, info, CAIRN_PASS_INFERENCE, &found[CAIRN_PASS_INFERENCE]);
    if (!object || !train || !inference || json_object_update(object, train) ||
        json_object_set(object, "inference", inference)) {
        json_decref(object);
        object = NULL;
    }
    json_decref(train);
    json_decref(inference);
    return tool_json_print("bench", object);
}

static void print_text(const struct bench *bench, const struct cairn_recipe_bench_info *info,
                       struct found *found)
{
    char size[32];
    compute_size_text(size, sizeof size, info->device_bytes);
    printf("%s: batches of %lld images %lldx%lldx%lld (%s), %lld parameters, %s on the device\n",
           info->recipe, (long long)info->batch, (long long)info->c, (long long)info->h,
           (long long)info->w, info->data, (long long)info->parameters, size);
    for (int pass = 0; pass < CAIRN_PASSES; pass++) {
        const struct cairn_pass_info *p = &info->passes[pass];
        struct times t = found[pass].times;
        printf("    %-9s %11.2f us   [%.2f .. %.2f]   %.0f images/s   %.1f GFLOP/s   %lld "
               "operators, %lld launches",
               names[pass], t.median * 1e6, t.min * 1e6, t.max * 1e6,
               (double)info->batch / t.median, p->flops / t.median * 1e-9, (long long)p->operators,
               (long long)p->launches);
        bench_share_print(bench, found[pass].least, t.median);
        putchar('\n');
    }
    for (int pass = 0; pass < CAIRN_PASSES; pass++) {
        if (!found[pass].profile.kernel_count) continue;
        printf("\n%s, a step:\n", names[pass]);
        profile_print(&found[pass].profile, found[pass].steps, stdout);
    }
}

static double least_of(const struct bench *bench, const struct cairn_recipe_bench *timed,
                       enum cairn_pass pass)
{
    struct cairn_problem problem;
    double least = 0;
    for (int64_t i = 0; cairn_recipe_bench_problem(timed, pass, i, &problem); i++)
        least += cairn_roofline_seconds(&bench->roofline, cairn_problem_flops(&problem),
                                        cairn_problem_bytes(&problem));
    return least;
}

/* Takes the samples of a pass, and their profile: what ran before belongs to warming up. */
static cairn_status time_pass(const struct bench *bench, struct cairn_recipe_bench *timed,
                              enum cairn_pass pass, struct found *found)
{
    double samples[BENCH_SAMPLES_MOST];
    cairn_status st = CAIRN_OK;
    int profiled = bench->compute.profile;
    for (int64_t i = profiled ? -1 : 0; st == CAIRN_OK && i < bench->samples; i++) {
        st = cairn_recipe_bench_sample(timed, pass, &samples[i < 0 ? 0 : i]);
        if (i >= 0 || st != CAIRN_OK) continue;
        st = cairn_recipe_bench_profile(timed, profile_add_kernel, profile_add_layer,
                                        &found->profile);
        profile_free(&found->profile);
    }
    if (st == CAIRN_OK && profiled)
        st = cairn_recipe_bench_profile(timed, profile_add_kernel, profile_add_layer,
                                        &found->profile);
    if (st != CAIRN_OK) return st;
    found->times = bench_times(samples, bench->samples);
    if (bench->wants_roofline) found->least = least_of(bench, timed, pass);
    found->steps = bench->samples * cairn_recipe_bench_info(timed)->passes[pass].steps;
    return st;
}

static int time_passes(struct bench *bench, const char *math, struct cairn_recipe_bench *timed)
{
    struct found found[CAIRN_PASSES] = {0};
    cairn_status st = CAIRN_OK;
    const struct cairn_recipe_bench_info *info = cairn_recipe_bench_info(timed);
    const struct cairn_device_info *device = cairn_device_info(cairn_recipe_bench_device(timed));
    if (bench->trace)
        st = cairn_recipe_bench_trace(timed, CAIRN_PASS_TRAIN, TRACE_STEPS, bench->trace);
    if (st != CAIRN_OK) return tool_fail("bench", st);
    if (!bench->as_json)
        printf("%s (%s), %s, median of %lld samples%s\n", device->spec, device->name, math,
               (long long)bench->samples,
               bench->compute.profile || bench->trace ? ", slowed down by the profile" : "");
    int code = bench_roofline(bench, cairn_recipe_bench_device(timed));
    if (code >= 0) return code;
    for (int pass = 0; st == CAIRN_OK && pass < CAIRN_PASSES; pass++)
        st = time_pass(bench, timed, (enum cairn_pass)pass, &found[pass]);
    code = 0;
    if (st != CAIRN_OK)
        code = tool_fail("bench", st);
    else if (bench->as_json)
        code = print_json(bench, device, math, info, found);
    else
        print_text(bench, info, found);
    for (int pass = 0; pass < CAIRN_PASSES; pass++) profile_free(&found[pass].profile);
    return code;
}

int bench_recipe(struct bench *bench)
{
    struct cairn_compute compute;
    struct cairn_recipe_bench *timed = NULL;
    char batch[64];
    int code = compute_read("bench", &bench->compute, &compute);
    if (code >= 0) return code;
    if (bench->batch && bench->sets.count == OPTION_LIST_MAX)
        return tool_misuse("bench", "too many settings");
    compute.profile = bench->compute.profile || bench->trace;
    snprintf(batch, sizeof batch, "train.batch=%lld", (long long)bench->batch);
    if (bench->batch) bench->sets.items[bench->sets.count++] = batch;
    cairn_status st = cairn_recipe_bench_create(bench->recipe, bench->sets.items, bench->sets.count,
                                                &compute, 1e-3 * (double)bench->sample_ms, &timed);
    if (st != CAIRN_OK) return tool_fail("bench", st);
    if (bench->list)
        code = list_operators(bench, timed);
    else
        code = time_passes(bench, compute.math == CAIRN_MATH_FAST ? "fast" : "exact", timed);
    cairn_recipe_bench_destroy(timed);
    return code;
}
