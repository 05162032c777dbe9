/* cairn compare: the recipe's plan in lock step on several devices. */
#include "commands.h"
#include "compute.h"
#include "json.h"

#include <stdio.h>
#include <string.h>

#define MAX_DEVICES 16

/* Splits "A,B,C" in place. */
static int split(char *list, const char **devices)
{
    int count = 0;
    for (char *word = list; word; count++) {
        char *comma = strchr(word, ',');
        if (count == MAX_DEVICES)
            return tool_misuse("compare", "--devices: more than %d devices", MAX_DEVICES);
        if (comma) *comma++ = '\0';
        if (!*word) return tool_misuse("compare", "--devices: a name between commas is missing");
        devices[count] = word;
        word = comma;
    }
    if (count < 2)
        return tool_misuse("compare",
                           "--devices: at least two are needed, like --devices reference,opencl");
    return -count;
}

static float as_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void print_text(const struct cairn_compare_result *r)
{
    if (!r->different) {
        printf("equal for %lld step%s: %lld operators, every result the same bits\n",
               (long long)r->steps, r->steps == 1 ? "" : "s", (long long)r->operations);
        return;
    }
    printf("%s differs from %s in step %lld (%lld step%s before it equal)\n", r->device, r->first,
           (long long)r->step, (long long)r->steps, r->steps == 1 ? "" : "s");
    if (r->layer >= 0)
        printf("layer     model[%d] %s\n", r->layer, r->layer_text);
    else
        printf("layer     none: the data, the loss or the update\n");
    printf("tensor    %s: %lld of %lld elements differ, the first is %lld\n", r->what,
           (long long)r->count, (long long)r->elements, (long long)r->index);
    printf("values    %.9g (%08x) there, %.9g (%08x) here\n", (double)as_float(r->want), r->want,
           (double)as_float(r->got), r->got);
    printf("operator  %s\n", r->problem);
}

static int print_json(const struct cairn_compare_result *r)
{
    json_t *object = json_pack("{s:b s:I s:I s:o}", "different", r->different, "equal_steps",
                               (json_int_t)r->steps, "operators", (json_int_t)r->operations,
                               "first", tool_json_text(r->first));
    if (r->different) {
        char want[16], got[16];
        snprintf(want, sizeof want, "%08x", r->want);
        snprintf(got, sizeof got, "%08x", r->got);
        json_object_set_new(object, "device", tool_json_text(r->device));
        json_object_set_new(object, "step", json_integer(r->step));
        json_object_set_new(object, "layer", r->layer >= 0 ? json_integer(r->layer) : json_null());
        json_object_set_new(object, "layer_text", tool_json_text(r->layer_text));
        json_object_set_new(object, "tensor", tool_json_text(r->what));
        json_object_set_new(object, "problem", tool_json_text(r->problem));
        json_object_set_new(object, "index", json_integer(r->index));
        json_object_set_new(object, "count", json_integer(r->count));
        json_object_set_new(object, "elements", json_integer(r->elements));
        json_object_set_new(object, "want_bits", tool_json_text(want));
        json_object_set_new(object, "got_bits", tool_json_text(got));
    }
    return tool_json_print("compare", object);
}

int cmd_compare(int argc, char **argv)
{
    struct cairn_compare_options options = {.steps = 0};
    struct cairn_compare_result result;
    struct option_list sets = {.count = 0}, variants = {.count = 0};
    const char *list = NULL, *devices[MAX_DEVICES], *math = NULL;
    struct compute_options compute = {0};
    char copy[1024];
    int as_json = 0, count;
    const struct option_row rows[] = {
        {"devices", OPTION_TEXT, &list, "A,B,...",
         "reference, opencl, opencl:N, opencl:P.D or opencl:NAME; the first is held to be right", 0,
         0, NULL},
        {"math", OPTION_TEXT, &math, "exact|fast", "bit for bit (the default), or within bounds", 0,
         0, NULL},
        {"variant", OPTION_LIST, &variants, "OP=NAME",
         "force a variant on every device but the first", 0, 0, NULL},
        COMPUTE_DATA_ROW(&compute),
        {"set", OPTION_LIST, &sets, "KEY=VALUE", "set a value of the recipe; may be repeated", 0, 0,
         NULL},
        {"steps", OPTION_INT, &options.steps, "N", "training steps (10)", 1, 1000000000, NULL},
        {"json", OPTION_FLAG, &as_json, NULL, "print JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "compare",
        "RECIPE --devices A,B [OPTION]...",
        "Trains RECIPE on the devices in lock step and reads every result of every operator. Tells "
        "the first step, layer and\n"
        "tensor whose bits differ, with the operator's line for `cairn check`, or that all were "
        "equal. Exit status 1 if\n"
        "there was a difference. The same device may be named twice, with --variant for the "
        "second.",
        rows,
        1,
        1,
    };
    int code = options_parse(&set, argc, argv, &count);
    if (code != -1) return code;
    if (!list)
        return tool_misuse("compare", "--devices is missing, like --devices reference,opencl");
    if (strlen(list) >= sizeof copy) return tool_misuse("compare", "--devices: too long");
    memcpy(copy, list, strlen(list) + 1);
    code = split(copy, devices);
    if (code > 0) return code;
    options.devices = devices;
    options.device_count = -code;
    compute.math = math;
    compute.variants = variants;
    code = compute_read("compare", &compute, &options.compute);
    if (code != -1) return code;
    options.recipe = argv[1];
    options.sets = sets.items;
    options.set_count = sets.count;
    options.stop = tool_watch_signals(SA_RESTART);
    cairn_status st = cairn_compare(&options, &result);
    if (st != CAIRN_OK) return tool_fail("compare", st);
    code = 0;
    if (as_json)
        code = print_json(&result);
    else
        print_text(&result);
    return code == 0 && result.different ? 1 : code;
}
