/* cairn compare: a recipe's plan in lock step on several devices, or with several kernels. */
#include "commands.h"
#include "compare_print.h"
#include "compute.h"
#include "json.h"

#include <stdio.h>
#include <string.h>

struct arguments {
    struct cairn_compare_options compare;
    struct cairn_compare_lane lanes[CAIRN_COMPARE_LANES];
    struct compute_options compute;
    struct option_list sets, kernels;
    const char *devices;
    char copy[4096]; /* of devices, cut into names */
    int64_t rounds;
    int as_json;
};

static int add_lane(struct arguments *a, const char *device, const char *kernels)
{
    if (a->compare.lane_count == CAIRN_COMPARE_LANES)
        return tool_misuse("compare", "more than %d devices and kernels", CAIRN_COMPARE_LANES);
    a->lanes[a->compare.lane_count++] = (struct cairn_compare_lane){device, kernels};
    return -1;
}

/* "A,B+FOLDER,C" in place. */
static int add_devices(struct arguments *a)
{
    int code = -1;
    memcpy(a->copy, a->devices, strlen(a->devices) + 1);
    for (char *word = a->copy; word && code < 0;) {
        char *comma = strchr(word, ','), *plus;
        if (comma) *comma++ = '\0';
        if ((plus = strchr(word, '+'))) *plus++ = '\0';
        if (!*word) return tool_misuse("compare", "--devices: a name between commas is missing");
        if (plus && !*plus)
            return tool_misuse("compare", "--devices: %s+ has no folder of kernels behind it",
                               word);
        code = add_lane(a, word, plus);
        word = comma;
    }
    return code;
}

/* One more lane for each folder: the last device that has kernels, with those. */
static int add_kernels(struct arguments *a)
{
    int code = -1, last = a->compare.lane_count - 1;
    while (last >= 0 && !strcmp(a->lanes[last].device, "reference")) last--;
    if (a->kernels.count && last < 0)
        return tool_misuse("compare",
                           "--kernels: the reference has none; name an OpenCL device, like "
                           "--devices opencl");
    for (int i = 0; i < a->kernels.count && code < 0; i++) {
        if (!*a->kernels.items[i])
            return tool_misuse("compare", "--kernels: the folder's name is empty");
        code = add_lane(a, a->lanes[last].device, a->kernels.items[i]);
    }
    return code;
}

static int read_lanes(struct arguments *a)
{
    int code;
    if (!a->devices)
        return tool_misuse("compare", "--devices is missing, like --devices reference,opencl");
    if (a->compare.html && !*a->compare.html)
        return tool_misuse("compare", "--html: the file's name is empty");
    if (strlen(a->devices) >= sizeof a->copy) return tool_misuse("compare", "--devices: too long");
    code = add_devices(a);
    if (code < 0) code = add_kernels(a);
    if (code < 0 && a->compare.lane_count < 2)
        code = tool_misuse("compare", "--devices: at least two are needed, like --devices "
                                      "reference,opencl, or one and --kernels DIR");
    a->compare.lanes = a->lanes;
    return code;
}

static int run(struct arguments *a)
{
    struct cairn_compare_result result;
    int code = 0;
    a->compare.stop = tool_watch_signals(SA_RESTART);
    cairn_status st = cairn_compare(&a->compare, &result);
    if (st != CAIRN_OK) return tool_fail("compare", st);
    if (a->as_json)
        code = tool_json_print("compare", compare_json(&result));
    else
        compare_print(&result);
    if (code == 0 && a->compare.html) {
        st = cairn_compare_page(&result, a->compare.html);
        if (st != CAIRN_OK) code = tool_fail("compare", st);
    }
    if (code == 0 && result.different) code = 1;
    cairn_compare_free(&result);
    return code;
}

int cmd_compare(int argc, char **argv)
{
    struct arguments a = {.rounds = 5};
    const struct option_row rows[] = {
        {"devices", OPTION_TEXT, &a.devices, "A,B,...",
         "reference, opencl, opencl:N, opencl:P.D or opencl:NAME; D+DIR: with kernels from DIR", 0,
         0, NULL},
        {"kernels", OPTION_LIST, &a.kernels, "DIR",
         "also the last device with kernels from DIR; may be repeated", 0, 0, NULL},
        {"math", OPTION_TEXT, &a.compute.math, "exact|fast",
         "bit for bit (the default), or within bounds", 0, 0, NULL},
        {"variant", OPTION_LIST, &a.compute.variants, "OP=NAME",
         "force a variant on every device but the first", 0, 0, NULL},
        COMPUTE_TUNE_ROW(&a.compute),
        COMPUTE_DATA_ROW(&a.compute),
        {"set", OPTION_LIST, &a.sets, "KEY=VALUE", "set a value of the recipe; may be repeated", 0,
         0, NULL},
        {"steps", OPTION_INT, &a.compare.steps, "N", "training steps (10)", 1, 1000000000, NULL},
        {"rounds", OPTION_INT, &a.rounds, "N", "samples of each speed (5); 0: no speeds", 0, 1000,
         NULL},
        {"html", OPTION_TEXT, &a.compare.html, "FILE", "write all of it as a page, too", 0, 0,
         NULL},
        {"json", OPTION_FLAG, &a.as_json, NULL, "print JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "compare",
        "RECIPE --devices A,B [OPTION]...",
        "Trains RECIPE on the devices in lock step and reads every result of every operator. Tells "
        "the first step, layer and\n"
        "tensor whose bits differ (of fast arithmetic, that is out of its bounds), with the line "
        "for `cairn check`, or that\n"
        "all were equal; then what each device costs, side by side. Exit status 1 if there was a "
        "difference. A device may be\n"
        "named twice, the second time with --variant or with kernels of a folder, which stand for "
        "those of the same names.",
        rows,
        1,
        1,
    };
    int count, code = options_parse(&set, argc, argv, &count);
    if (code != -1) return code;
    code = read_lanes(&a);
    if (code != -1) return code;
    code = compute_read("compare", &a.compute, &a.compare.compute);
    if (code != -1) return code;
    a.compare.rounds = (int)a.rounds;
    a.compare.recipe = argv[1];
    a.compare.sets = a.sets.items;
    a.compare.set_count = a.sets.count;
    return run(&a);
}
