/* One recipe on several devices in lock step: the first result whose bits differ.
 *
 * Every device has its own session from the same weights and images. After each operator its
 * outputs are read from all devices, so that a difference is found where it arises and not where it
 * shows. */
#include <cairn/compare.h>

#include "base/error.h"
#include "device/schema.h"
#include "train/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 10

struct race {
    const struct cairn_compare_options *options;
    struct cairn_compare_result *result;
    struct cairn_recipe recipe;
    struct cairn_dataset data;
    struct cairn_session *lanes;
    int count;
    unsigned char *want, *got; /* one operand */
    size_t room;
};

/* --- setting up --- */

static cairn_status open_lane(struct race *race, int number)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *lane = &race->lanes[number];
    struct cairn_compute compute = race->options->compute;
    compute.device = race->options->devices[number];
    if (number == 0) compute.variant_count = 0;
    TRY(cairn_session_describe(lane, &race->recipe, &race->data));
    TRY(cairn_session_open(lane, &compute, NULL));
    TRY(cairn_session_split(lane, &race->data));
    TRY(cairn_session_plan(lane, 0));
    TRY(cairn_session_load(lane, &race->data));
    cairn_model_init(lane->model, race->recipe.train.seed, lane->flat);
    TRY(cairn_buffer_write(lane->memory.buffers[CAIRN_REGION_PARAMS], 0, lane->flat,
                           (size_t)lane->bytes[CAIRN_REGION_PARAMS]));
out:
    return st == CAIRN_OK ? st : cairn_fail_in(st, "device '%s'", compute.device);
}

static cairn_status set_up(struct race *race)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_compare_options *o = race->options;
    if (o->device_count < 2)
        return cairn_fail(CAIRN_INVALID, "comparing takes two devices or more");
    TRY(cairn_recipe_read(o->recipe, o->sets, o->set_count, &race->recipe));
    for (int i = 0; i < o->device_count; i++) {
        struct cairn_compute compute = {.device = o->devices[i]};
        TRY(cairn_session_look(&compute, NULL));
    }
    TRY(cairn_session_data(&race->recipe, &o->compute, CAIRN_DATASET_ALL, &race->data));
    race->lanes = calloc((size_t)o->device_count, sizeof *race->lanes);
    if (!race->lanes) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (; race->count < o->device_count; race->count++) TRY(open_lane(race, race->count));
    snprintf(race->result->first, sizeof race->result->first, "%s",
             cairn_device_info(race->lanes[0].device)->name);
out:
    return st;
}

/* --- one operator --- */

static cairn_status make_room(struct race *race, size_t bytes)
{
    if (bytes <= race->room) return CAIRN_OK;
    free(race->want);
    free(race->got);
    race->want = malloc(bytes);
    race->got = malloc(bytes);
    race->room = race->want && race->got ? bytes : 0;
    return race->room ? CAIRN_OK : cairn_fail(CAIRN_MEMORY, "out of memory");
}

static int same(enum cairn_dtype dtype, uint32_t a, uint32_t b)
{
    const uint32_t magnitude = 0x7fffffff, infinity = 0x7f800000;
    if (a == b) return 1;
    return dtype == CAIRN_F32 && (a & magnitude) > infinity && (b & magnitude) > infinity;
}

static uint32_t element(const unsigned char *data, size_t size, int64_t index)
{
    uint32_t bits = 0;
    memcpy(&bits, data + (size_t)index * size, size);
    return bits;
}

/* Reads an operand of both problems and counts the differing elements. */
static cairn_status hold_operand(struct race *race, const struct cairn_operand *o,
                                 const struct cairn_problem *first,
                                 const struct cairn_problem *other)
{
    cairn_status st = CAIRN_OK;
    struct cairn_compare_result *r = race->result;
    int64_t extent = o->extent(first);
    size_t size = cairn_dtype_size(o->dtype), bytes = (size_t)extent * size;
    const struct cairn_mem *a = cairn_problem_mem_const(first, o),
                           *b = cairn_problem_mem_const(other, o);
    if (extent == 0) return CAIRN_OK;
    TRY(make_room(race, bytes));
    TRY(cairn_buffer_read(a->buffer, (size_t)a->offset * size, race->want, bytes));
    TRY(cairn_buffer_read(b->buffer, (size_t)b->offset * size, race->got, bytes));
    if (!memcmp(race->want, race->got, bytes)) return CAIRN_OK;
    for (int64_t i = 0; i < extent; i++) {
        uint32_t want = element(race->want, size, i), got = element(race->got, size, i);
        if (same(o->dtype, want, got)) continue;
        if (r->count++ > 0) continue;
        r->index = i;
        r->want = want;
        r->got = got;
    }
    if (r->count == 0) return CAIRN_OK;
    r->different = 1;
    r->elements = extent;
    snprintf(r->what, sizeof r->what, "%s", o->name);
out:
    return st;
}

/* Operator `number` of the plan on every device; results of all are held against the first's. */
static cairn_status run_operator(struct race *race, const struct cairn_plan *const *plans,
                                 const struct cairn_now *now, int number)
{
    cairn_status st = CAIRN_OK;
    struct cairn_compare_result *r = race->result;
    struct cairn_problem first, other;
    cairn_plan_problem(plans[0], &race->lanes[0].memory, now, number, &first);
    TRY(cairn_run(race->lanes[0].device, &first));
    TRY(cairn_problem_complete(&first));
    for (int lane = 1; lane < race->count && !r->different; lane++) {
        cairn_plan_problem(plans[lane], &race->lanes[lane].memory, now, number, &other);
        TRY(cairn_run(race->lanes[lane].device, &other));
        for (const struct cairn_operand *o = cairn_schema_of(first.op)->operands;
             o->name && !r->different; o++)
            if (o->role == CAIRN_OUT || o->role == CAIRN_INOUT)
                TRY(hold_operand(race, o, &first, &other));
        if (r->different)
            snprintf(r->device, sizeof r->device, "%s",
                     cairn_device_info(race->lanes[lane].device)->name);
    }
    r->operations++;
    if (!r->different) return CAIRN_OK;
    r->layer = plans[0]->steps[number].layer;
    if (r->layer >= 0)
        snprintf(r->layer_text, sizeof r->layer_text, "%s", race->recipe.layers[r->layer].text);
    cairn_problem_print(&first, r->problem, sizeof r->problem);
out:
    return st;
}

/* --- a training step --- */

static cairn_status run_parts(struct race *race, const struct cairn_now *now, int64_t images)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_plan **plans = calloc((size_t)race->count, sizeof(struct cairn_plan *));
    if (!plans) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (int lane = 0; lane < race->count; lane++) TRY(cairn_session_begin(&race->lanes[lane]));
    for (int part = 0; !race->result->different; part++) {
        struct cairn_now place;
        for (int lane = 0; lane < race->count; lane++)
            plans[lane] = cairn_session_part(&race->lanes[lane], now, images, part, &place);
        if (!plans[0]) break;
        for (int s = 0; s < plans[0]->step_count && !race->result->different; s++)
            TRY(run_operator(race, plans, &place, s));
    }
out:
    free(plans);
    return st;
}

static cairn_status run(struct race *race)
{
    cairn_status st = CAIRN_OK;
    struct cairn_compare_result *r = race->result;
    int64_t most, wanted = race->options->steps > 0 ? race->options->steps : STEPS;
    struct cairn_powers powers = {1.0, 1.0};
    TRY(set_up(race));
    most = cairn_session_steps(&race->lanes[0]);
    for (int64_t step = 0; step < wanted && step < most; step++) {
        struct cairn_now now;
        int64_t batches = cairn_session_batches(&race->lanes[0]), images;
        if (race->options->stop && *race->options->stop) {
            st = cairn_fail(CAIRN_INTERRUPTED, "interrupted; %lld steps were equal",
                            (long long)r->steps);
            goto out;
        }
        for (int lane = 0; lane < race->count && step % batches == 0; lane++)
            TRY(cairn_session_shuffle(&race->lanes[lane], step / batches));
        cairn_session_now(&race->lanes[0], step, 0, &powers, &now, &images);
        TRY(run_parts(race, &now, images));
        r->step = step + 1;
        if (r->different) break;
        r->steps++;
    }
out:
    return st;
}

cairn_status cairn_compare(const struct cairn_compare_options *options,
                           struct cairn_compare_result *result)
{
    struct race race = {.options = options, .result = result};
    memset(result, 0, sizeof *result);
    cairn_status st = run(&race);
    for (int i = 0; race.lanes && i < options->device_count; i++)
        cairn_session_close(&race.lanes[i]);
    cairn_dataset_free(&race.data);
    cairn_recipe_free(&race.recipe);
    free(race.lanes);
    free(race.want);
    free(race.got);
    return st;
}
