/* Where the time of a training step goes: some steps on made-up images, timed on the device. */
#include "base/error.h"
#include "base/file.h"
#include "report/story.h"

#include <stdlib.h>

#define SECONDS 0.06 /* of a sample, about */
#define SAMPLES 5

/* What one sample took, by kernel and by layer. */
struct rows {
    json_t *kernels, *layers;
    double steps;
    int failed;
};

static void add_kernel(void *context, const char *kernel, int64_t calls, double seconds)
{
    struct rows *rows = context;
    size_t at = 0; /* the dearest first */
    seconds /= rows->steps;
    while (at < json_array_size(rows->kernels) &&
           cairn_story_real(json_array_get(rows->kernels, at), "seconds") >= seconds)
        at++;
    json_t *row = json_pack("{s:o s:f s:f}", "kernel", cairn_story_text(kernel), "launches",
                            (double)calls / rows->steps, "seconds", seconds);
    if (json_array_insert_new(rows->kernels, at, row) != 0) rows->failed = 1;
}

static void add_layer(void *context, const struct cairn_layer_time *l)
{
    struct rows *rows = context;
    double by = 1 / rows->steps;
    json_t *row = json_pack("{s:o s:s s:f s:f s:f s:f s:f}", "layer",
                            l->layer >= 0 ? json_integer(l->layer) : json_null(), "text", l->text,
                            "forward", l->seconds[0] * by, "backward", l->seconds[1] * by, "update",
                            l->seconds[2] * by, "seconds", l->total * by, "gflops",
                            l->total > 0 ? l->flops / l->total * 1e-9 : 0.0);
    if (json_array_append_new(rows->layers, row) != 0) rows->failed = 1;
}

static void free_rows(struct rows *rows)
{
    json_decref(rows->kernels);
    json_decref(rows->layers);
}

static cairn_status sample(struct cairn_recipe_bench *bench, double *seconds, struct rows *rows)
{
    cairn_status st = CAIRN_OK;
    *rows = (struct rows){.kernels = json_array(), .layers = json_array()};
    TRY(cairn_recipe_bench_sample(bench, CAIRN_PASS_TRAIN, seconds));
    rows->steps = (double)cairn_recipe_bench_info(bench)->passes[CAIRN_PASS_TRAIN].steps;
    TRY(cairn_recipe_bench_profile(bench, add_kernel, add_layer, rows));
out:
    return st;
}

/* Keeps the quickest sample: what disturbs a machine makes others longer. The first finds out how
 * many steps to take, and does not count. */
static cairn_status time_steps(struct cairn_recipe_bench *bench, double *least, struct rows *best)
{
    cairn_status st = CAIRN_OK;
    double seconds;
    TRY(sample(bench, least, best));
    for (int i = 0; i < SAMPLES; i++) {
        struct rows rows, slower;
        st = sample(bench, &seconds, &rows);
        int better = st == CAIRN_OK && (i == 0 || seconds < *least);
        slower = better ? *best : rows;
        if (better) *best = rows, *least = seconds;
        best->failed |= rows.failed;
        free_rows(&slower);
        if (st != CAIRN_OK) goto out;
    }
out:
    return st;
}

static cairn_status tell_profile(struct cairn_story *story, struct cairn_recipe_bench *bench)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_recipe_bench_info *info = cairn_recipe_bench_info(bench);
    struct rows rows = {.steps = 0};
    double seconds;
    TRY(time_steps(bench, &seconds, &rows));
    cairn_story_put(
        story, "profile",
        json_pack("{s:o s:I s:I s:i s:f s:f s:O s:O}", "device",
                  cairn_story_text(cairn_device_info(cairn_recipe_bench_device(bench))->name),
                  "batch", (json_int_t)info->batch, "steps",
                  (json_int_t)info->passes[CAIRN_PASS_TRAIN].steps, "samples", SAMPLES,
                  "seconds_of_step", seconds, "flops_of_step", info->passes[CAIRN_PASS_TRAIN].flops,
                  "kernels", rows.kernels, "layers", rows.layers));
    story->failed |= rows.failed;
out:
    free_rows(&rows);
    return st;
}

cairn_status cairn_story_profile(struct cairn_story *story)
{
    cairn_status st = CAIRN_OK;
    struct cairn_recipe_bench *bench = NULL;
    struct cairn_compute compute = story->compute;
    char *recipe = NULL;
    if (!story->options->profile) {
        cairn_story_miss(story, "profile",
                         "Not measured: `cairn report RUN --profile` times some "
                         "training steps on the device at hand.");
        return CAIRN_OK;
    }
    if (cairn_story_missing(story, "device") || !story->net.flat) {
        cairn_story_miss(story, "profile", "Not measured: the device or the net is not at hand.");
        return CAIRN_OK;
    }
    recipe = cairn_file_join(story->options->run, "recipe.yaml");
    if (!recipe) return cairn_fail(CAIRN_MEMORY, "out of memory");
    compute.profile = 1;
    TRY(cairn_recipe_bench_create(recipe, NULL, 0, &compute, SECONDS, &bench));
    TRY(tell_profile(story, bench));
out:
    cairn_recipe_bench_destroy(bench);
    free(recipe);
    return st;
}
