/* Layer lines, one a line: parsed, made into a model of images of 3 x 12 x 10 in four classes and
 * compiled into plans. Sizes that do not overflow are told, not computed. */
#include "fuzz.h"
#include "nn/plan.h"
#include <cairn/device.h>
#include <stdlib.h>
#include <string.h>

#define LINES 24

static void compile(const struct cairn_model *model)
{
    static struct cairn_device *device;
    if (!device) FUZZ_ASSERT(cairn_device_open("reference", NULL, &device) == CAIRN_OK);
    for (int kind = CAIRN_PLAN_TRAIN; kind <= CAIRN_PLAN_UPDATE; kind++) {
        struct cairn_plan_options o = {
            .kind = (enum cairn_plan_kind)kind, .batch = 3, .total = 100, .scale = 1};
        struct cairn_plan *plan = NULL;
        o.update = cairn_problem_default(CAIRN_OP_SGD);
        cairn_status st = cairn_plan_create(model, &o, device, &plan);
        fuzz_told(st, NULL);
        if (st != CAIRN_OK) continue;
        FUZZ_ASSERT(plan->arena_floats >= 0);
        for (int i = 0; i < plan->tensor_count; i++)
            FUZZ_ASSERT(plan->tensors[i].count > 0 && plan->tensors[i].offset >= 0);
        cairn_plan_destroy(plan);
    }
}

static void make(const struct cairn_layer *layers, int count)
{
    const struct cairn_init_rules rules = {{.kind = CAIRN_INIT_HE}, {0}, {0}};
    struct cairn_model *model = NULL;
    cairn_status st =
        cairn_model_create(layers, count, (struct cairn_shape){3, 12, 10}, 4, &rules, &model);
    fuzz_told(st, NULL);
    FUZZ_ASSERT((st == CAIRN_OK) == (model != NULL));
    if (!model) return;
    FUZZ_ASSERT(model->total_floats >= model->flat_floats &&
                model->flat_floats >= model->parameters && model->parameters > 0);
    if (model->total_floats < 100000) {
        float *flat = malloc((size_t)model->total_floats * sizeof *flat);
        FUZZ_ASSERT(flat != NULL);
        cairn_model_init(model, 1, flat);
        fuzz_touch(flat, (size_t)model->total_floats * sizeof *flat);
        free(flat);
    }
    compile(model);
    cairn_model_destroy(model);
    fuzz_accept();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_layer layers[LINES];
    int count = 0;
    char *text = fuzz_text(data, size);
    for (char *line = strtok(text, "\n"); line && count < LINES; line = strtok(NULL, "\n")) {
        int column = -1;
        char *exact = strdup(line);
        cairn_status st = cairn_layer_parse(exact, &layers[count], &column);
        fuzz_told(st, NULL);
        FUZZ_ASSERT(column >= 0 && (size_t)column <= strlen(exact));
        free(exact);
        count += st == CAIRN_OK;
    }
    if (count) make(layers, count);
    free(text);
    return 0;
}
