/* cairn tune: races the variants of a recipe's operators and keeps the fastest. */
#include "commands.h"
#include "compute.h"
#include "json.h"

#include <cairn/tune.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tune {
    const char *device_spec, *math, *data_dir;
    struct option_list lines, sets;
    int64_t batch;
    double seconds;
    int force, as_json;

    struct cairn_device *device;
    struct cairn_recipe_problems problems;
    int done, failed;
    double train[2], evaluate[2]; /* seconds of all operators, default and tuned */
    int won, known;
    json_t *recipes, *entries;
};

/* --- what it tells --- */

static json_t *entry_json(const struct cairn_tune_entry *e, int known)
{
    json_t *candidates = json_array();
    for (int i = 0; i < e->count; i++)
        json_array_append_new(candidates,
                              json_pack("{s:s s:o s:f}", "name", e->candidates[i].name, "failed",
                                        tool_json_text(e->candidates[i].failed), "seconds",
                                        e->candidates[i].seconds));
    return json_pack("{s:s s:s s:s s:f s:f s:b s:o}", "problem", e->line, "winner", e->winner,
                     "default", e->preset, "seconds", e->seconds, "default_seconds",
                     e->preset_seconds, "known", known, "candidates", candidates);
}

static void print_entry(const struct tune *tune, const struct cairn_tune_entry *e, int known)
{
    printf("%3d/%d  %s%s\n", tune->done, tune->problems.count, e->line, known ? "  (known)" : "");
    for (int i = 0; i < e->count; i++) {
        const struct cairn_tune_candidate *c = &e->candidates[i];
        if (c->failed[0])
            printf("        %-15s not used: %s\n", c->name, c->failed);
        else
            printf("        %-15s %12.2f us%s%s\n", c->name, c->seconds * 1e6,
                   strcmp(c->name, e->preset) ? "" : "  default",
                   strcmp(c->name, e->winner) || !strcmp(e->winner, e->preset) ? "" : "  won");
    }
    fflush(stdout);
}

static void entry(void *context, const struct cairn_tune_entry *e, int known)
{
    struct tune *tune = context;
    const struct cairn_recipe_problem *p = &tune->problems.items[tune->done++];
    int won = e->winner[0] && strcmp(e->winner, e->preset) != 0;
    tune->won += won;
    tune->known += known;
    tune->train[0] += (double)p->train * e->preset_seconds;
    tune->train[1] += (double)p->train * e->seconds;
    tune->evaluate[0] += (double)p->evaluate * e->preset_seconds;
    tune->evaluate[1] += (double)p->evaluate * e->seconds;
    if (tune->as_json)
        json_array_append_new(tune->entries, entry_json(e, known));
    else
        print_entry(tune, e, known);
}

static void note(void *context, const char *text)
{
    (void)context;
    tool_note(text);
}

static void print_times(const char *what, int64_t images, const double seconds[2])
{
    if (seconds[1] > 0)
        printf("  %s of %lld images: the operators take about %.3f ms instead of %.3f ms (%.2f "
               "times as fast)\n",
               what, (long long)images, seconds[1] * 1e3, seconds[0] * 1e3,
               seconds[0] / seconds[1]);
}

static void report(struct tune *tune)
{
    const struct cairn_recipe_problems *p = &tune->problems;
    if (tune->as_json) {
        json_array_append_new(tune->recipes,
                              json_pack("{s:o s:i s:i s:i s:o s:f s:f s:f s:f}", "recipe",
                                        p->recipe[0] ? tool_json_text(p->recipe) : json_null(),
                                        "problems", tune->done, "known", tune->known, "won",
                                        tune->won, "entries", tune->entries, "train_seconds",
                                        tune->train[1], "train_default_seconds", tune->train[0],
                                        "evaluate_seconds", tune->evaluate[1],
                                        "evaluate_default_seconds", tune->evaluate[0]));
        tune->entries = NULL;
        return;
    }
    printf("%s: another variant than the default won %d of %d problems (%d were known)\n",
           p->recipe[0] ? p->recipe : "--op", tune->won, tune->done, tune->known);
    print_times("a training step", p->batch, tune->train);
    print_times("an evaluation", p->eval_batch, tune->evaluate);
}

/* --- racing --- */

static cairn_status race(struct tune *tune, const struct cairn_tune_options *options)
{
    int count = tune->problems.count;
    struct cairn_problem *list = calloc((size_t)count + 1, sizeof *list);
    for (int i = 0; list && i < count; i++) list[i] = tune->problems.items[i].problem;
    tune->done = tune->won = tune->known = 0;
    memset(tune->train, 0, sizeof tune->train);
    memset(tune->evaluate, 0, sizeof tune->evaluate);
    if (tune->as_json) tune->entries = json_array();
    cairn_status st = list ? cairn_tune(tune->device, list, count, options) : CAIRN_MEMORY;
    free(list);
    report(tune);
    if (st != CAIRN_DIFFERENT) return st;
    tune->failed = 1; /* what passed is kept, and the next recipe follows */
    return CAIRN_OK;
}

static cairn_status race_recipe(struct tune *tune, const char *recipe,
                                const struct cairn_tune_options *options)
{
    struct cairn_compute compute = {.device = tune->device_spec,
                                    .math = cairn_device_math(tune->device),
                                    .data_dir = tune->data_dir,
                                    .no_tune = 1};
    cairn_status st = cairn_recipe_list(recipe, tune->sets.items, tune->sets.count, tune->batch,
                                        &compute, &tune->problems);
    if (st == CAIRN_OK) st = race(tune, options);
    cairn_recipe_problems_free(&tune->problems);
    return st;
}

/* The problems of --op, each once. */
static cairn_status race_lines(struct tune *tune, const struct cairn_tune_options *options)
{
    struct cairn_recipe_problem items[OPTION_LIST_MAX] = {{.train = 0}};
    cairn_status st = CAIRN_OK;
    for (int i = 0; i < tune->lines.count && st == CAIRN_OK; i++)
        st = cairn_problem_parse(tune->lines.items[i], &items[i].problem, NULL);
    tune->problems = (struct cairn_recipe_problems){.items = items, .count = tune->lines.count};
    if (st == CAIRN_OK) st = race(tune, options);
    memset(&tune->problems, 0, sizeof tune->problems);
    return st;
}

static int run(struct tune *tune, int count, char **recipes)
{
    struct cairn_tune_known known;
    struct cairn_tune_options options = {.seconds = tune->seconds,
                                         .force = tune->force,
                                         .stop = tool_watch_signals(SA_RESTART),
                                         .entry = entry,
                                         .note = note,
                                         .context = tune};
    cairn_status st =
        cairn_tune_look(cairn_device_info(tune->device), cairn_device_math(tune->device), &known);
    if (st != CAIRN_OK) return tool_fail("tune", st);
    if (!tune->as_json)
        printf("%s (%s), %s; kept in %s\n", cairn_device_info(tune->device)->spec,
               cairn_device_info(tune->device)->name, tune->math, known.path);
    if (tune->lines.count) st = race_lines(tune, &options);
    for (int i = 0; i < count && st == CAIRN_OK; i++) st = race_recipe(tune, recipes[i], &options);
    if (st == CAIRN_INTERRUPTED && !tune->as_json)
        puts("Interrupted: what was finished is kept; the same command goes on from there.");
    return st != CAIRN_OK ? tool_fail("tune", st) : tune->failed ? 1 : 0;
}

static int check_words(const struct tune *tune, int count)
{
    struct cairn_problem problem;
    for (int i = 0; i < tune->lines.count; i++) {
        cairn_status st = cairn_problem_parse(tune->lines.items[i], &problem, NULL);
        if (st != CAIRN_OK) return tool_fail("tune", st);
    }
    if (!count && !tune->lines.count)
        return tool_misuse("tune", "name a recipe, or a problem with --op");
    if (strcmp(tune->math, "exact") != 0 && strcmp(tune->math, "fast") != 0)
        return tool_misuse("tune", "--math: '%s' is neither exact nor fast", tune->math);
    return -1;
}

int cmd_tune(int argc, char **argv)
{
    struct tune tune = {.device_spec = "opencl", .math = "exact", .seconds = 1};
    const struct option_row rows[] = {
        {"device", OPTION_TEXT, &tune.device_spec, "D", "the device to tune for (opencl)", 0, 0,
         NULL},
        {"math", OPTION_TEXT, &tune.math, "exact|fast",
         "bit for bit (the default), or within bounds", 0, 0, NULL},
        COMPUTE_DATA_ROW(&tune),
        {"op", OPTION_LIST, &tune.lines, "PROBLEM",
         "a single operator, like \"gemm m=512 n=512 k=512\"; may be repeated", 0, 0, NULL},
        {"set", OPTION_LIST, &tune.sets, "KEY=VALUE", "set a value of the recipes; may be repeated",
         0, 0, NULL},
        {"batch", OPTION_INT, &tune.batch, "N", "another batch size than the recipe's", 1, 1048576,
         NULL},
        {"seconds", OPTION_REAL, &tune.seconds, "S", "to time one problem, about (1)", 0, 0, NULL},
        {"force", OPTION_FLAG, &tune.force, NULL, "race problems that are known already", 0, 0,
         NULL},
        {"json", OPTION_FLAG, &tune.as_json, NULL, "print one JSON value", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "tune",
        "[RECIPE]... [OPTION]...",
        "Races the variants of each operator of a recipe's training step and evaluation on a "
        "device. Each is compared\n"
        "with the reference there first and never used if it differs; the fastest is kept where it "
        "beats the default\n"
        "beyond noise, and used by every later run on this device. It may be interrupted and goes "
        "on where it was.",
        rows,
        0,
        -1};
    int count = 0, code = options_parse(&set, argc, argv, &count);
    if (code == -1) code = check_words(&tune, count);
    if (code != -1) return code;
    struct cairn_device_options options = {.math = strcmp(tune.math, "fast") ? CAIRN_MATH_EXACT
                                                                             : CAIRN_MATH_FAST};
    cairn_status st = cairn_device_open(tune.device_spec, &options, &tune.device);
    if (st != CAIRN_OK) return tool_fail("tune", st);
    tune.recipes = json_array();
    code = run(&tune, count, argv + 1);
    if (!tune.as_json)
        json_decref(tune.recipes);
    else if (tool_json_print("tune", tune.recipes) != 0 && code == 0)
        code = 3;
    cairn_device_close(tune.device);
    return code;
}
