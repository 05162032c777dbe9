/* Run directories: recipe.yaml, metrics.jsonl, model.safetensors, last.safetensors and summary.json
 * of a tiny data set. The run is evaluated, its curves are drawn, and it is gone on with for a few
 * steps. Digests always agree here (fuzz_digest.c), so that what lies behind them is reached. */
#include "fuzz.h"
#include <cairn/report.h>
#include <cairn/train.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char datasets[] =
    "tiny:\n  kind: idx\n  shape: 1x2x3\n  classes: 3\n  train: 9\n  test: 3\n"
    "  files:\n    train-images: {name: a}\n    train-labels: {name: b}\n"
    "    test-images: {name: c}\n    test-labels: {name: d}\n";

static void put_array(const char *name, int images, int count)
{
    uint8_t file[16 + 9 * 6] = {0, 0, 8, images ? 3 : 1, 0, 0, 0, (uint8_t)count};
    size_t begin = images ? 16 : 8, size = (size_t)count * (images ? 6 : 1);
    if (images) file[11] = 2, file[15] = 3;
    for (size_t i = 0; i < size; i++)
        file[begin + i] = images ? (uint8_t)(i * 37) : (uint8_t)(i % 3);
    fuzz_put(name, file, begin + size);
}

static void prepare(void)
{
    static int ready;
    if (ready) return;
    ready = 1;
    put_array("a", 1, 9);
    put_array("b", 0, 9);
    put_array("c", 1, 3);
    put_array("d", 0, 3);
    setenv("CAIRN_DATASETS", fuzz_put("sets.yaml", datasets, sizeof datasets - 1), 1);
    setenv("CAIRN_DATA_DIR", fuzz_folder(), 1);
}

static volatile sig_atomic_t stop;

static void event(void *context, const struct cairn_train_event *e)
{
    int *steps = context;
    if (e->kind == CAIRN_TRAIN_STEP && ++*steps > 1) stop = 1;
}

/* A net that trains in no time. */
static int is_small(const char *path, const struct cairn_compute *compute)
{
    struct cairn_summary summary;
    if (cairn_summarize(path, NULL, 0, 0, compute, &summary) != CAIRN_OK) return 0;
    int small = summary.total_bytes < 1000000 && summary.row_count < 32;
    cairn_summary_free(&summary);
    return small;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cairn_compute compute = {.device = "reference", .no_tune = 1};
    char run[256], recipe[300];
    prepare();
    fuzz_unpack("run", data, size);
    strcpy(run, fuzz_path("run"));
    strcpy(recipe, fuzz_path("run/recipe.yaml"));

    const struct cairn_inspect_options curves = {
        .run = run, .compute = compute, .layer = -1, .out = fuzz_path("curves.svg"), .force = 1};
    struct cairn_inspect_curves drawn;
    fuzz_told(cairn_inspect_curves(&curves, &drawn), NULL);

    if (!is_small(recipe, &compute)) return 0;
    for (int last = 0; last < 2; last++) {
        const struct cairn_eval_options options = {.run = run, .last = last, .compute = compute};
        struct cairn_eval_result result = {0};
        fuzz_told(cairn_eval(&options, &result), NULL);
        cairn_eval_result_free(&result);
    }
    int steps = 0;
    stop = 0;
    const struct cairn_train_options options = {.recipe = recipe,
                                                .compute = compute,
                                                .out = run,
                                                .resume = 1,
                                                .stop = &stop,
                                                .event = event,
                                                .context = &steps};
    struct cairn_train_result result;
    cairn_status st = cairn_train(&options, &result);
    fuzz_told(st, NULL);
    if (st == CAIRN_OK || st == CAIRN_INTERRUPTED) fuzz_accept();
    return 0;
}
