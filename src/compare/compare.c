/* One recipe on several lanes in lock step: the first result that differs, and what each lane
 * costs.
 *
 * Every lane has its own session from the same weights and images. After each operator its outputs
 * are read from all lanes, so that a difference is found where it arises and not where it shows. */
#include "base/error.h"
#include "compare/race.h"
#include "report/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 10

struct cairn_compute compare_compute(const struct cairn_compare_options *options, int lane)
{
    struct cairn_compute compute = options->compute;
    compute.device = options->lanes[lane].device;
    compute.kernels = options->lanes[lane].kernels;
    compute.profile = 0;
    if (lane == 0) compute.variant_count = 0;
    return compute;
}

/* --- setting up --- */

static cairn_status open_session(struct race *race, struct cairn_session *session,
                                 const struct cairn_compute *compute)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_session_describe(session, &race->recipe, &race->data));
    TRY(cairn_session_open(session, compute, NULL));
    TRY(cairn_session_split(session, &race->data));
    TRY(cairn_session_plan(session, 0));
    TRY(cairn_session_load(session, &race->data));
    cairn_model_init(session->model, race->recipe.train.seed, session->flat);
    TRY(cairn_buffer_write(session->memory.buffers[CAIRN_REGION_PARAMS], 0, session->flat,
                           (size_t)session->bytes[CAIRN_REGION_PARAMS]));
out:
    return st;
}

static void name_lane(struct race *race, int number, const char *spec)
{
    struct cairn_compare_lane_info *info = &race->result->lanes[number];
    const char *kernels = race->options->lanes[number].kernels;
    snprintf(info->kernels, sizeof info->kernels, "%s", kernels ? kernels : "");
    snprintf(info->name, sizeof info->name, "%s%s%s", spec, kernels ? "+" : "", info->kernels);
}

static cairn_status open_lane(struct race *race, int number)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *session = &race->sessions[number];
    struct cairn_compare_lane_info *info = &race->result->lanes[number];
    struct cairn_compute compute = compare_compute(race->options, number);
    name_lane(race, number, compute.device);
    TRY(open_session(race, session, &compute));
    info->device = *cairn_device_info(session->device);
    name_lane(race, number, info->device.spec);
    info->start = (struct cairn_compare_start){session->open_seconds, session->kernel_seconds,
                                               session->compiled};
    for (int i = 0; i < CAIRN_REGION_COUNT; i++) info->plan_bytes += session->bytes[i];
    info->peak_bytes = (int64_t)cairn_device_peak_bytes(session->device);
out:
    return st == CAIRN_OK ? st : cairn_fail_in(st, "%s", info->name);
}

/* The exact reference that fast arithmetic is held to: a lane, or a session behind them. */
static cairn_status open_judge(struct race *race)
{
    cairn_status st = CAIRN_OK;
    struct cairn_compute compute = {.device = "reference"};
    for (int i = 0; i < race->count && race->judge < 0; i++)
        if (!strcmp(race->result->lanes[i].device.spec, "reference")) race->judge = i;
    if (race->judge >= 0) return CAIRN_OK;
    TRY(open_session(race, &race->sessions[race->count], &compute));
    race->judge = race->count++;
out:
    return st == CAIRN_OK ? st : cairn_fail_in(st, "reference");
}

static cairn_status look(const struct cairn_compare_options *o)
{
    cairn_status st = CAIRN_OK;
    if (o->lane_count < 2)
        return cairn_fail(CAIRN_INVALID, "comparing takes two devices or more, or kernels");
    if (o->lane_count > CAIRN_COMPARE_LANES)
        return cairn_fail(CAIRN_INVALID, "%d devices and kernels are compared at most",
                          CAIRN_COMPARE_LANES);
    for (int i = 0; i < o->lane_count; i++) {
        struct cairn_compute compute = {.device = o->lanes[i].device};
        TRY(cairn_session_look(&compute, NULL));
    }
out:
    return st;
}

static cairn_status set_up(struct race *race)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_compare_options *o = race->options;
    struct cairn_compare_result *r = race->result;
    TRY(cairn_recipe_read(o->recipe, o->sets, o->set_count, &race->recipe));
    TRY(look(o));
    TRY(cairn_session_data(&race->recipe, &o->compute, CAIRN_DATASET_ALL, &race->data));
    race->sessions = calloc((size_t)o->lane_count + 1, sizeof *race->sessions);
    if (!race->sessions) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (; race->count < o->lane_count; race->count++) TRY(open_lane(race, race->count));
    if (o->compute.math == CAIRN_MATH_FAST) TRY(open_judge(race));
    snprintf(r->recipe, sizeof r->recipe, "%s", race->recipe.path);
    snprintf(r->data, sizeof r->data, "%s", race->data.name);
    r->batch = race->sessions[0].batch;
    r->parameters = race->sessions[0].model->parameters;
    r->math = o->compute.math;
    r->lane_count = o->lane_count;
    r->worst_lane = r->worst_row = -1;
out:
    return st;
}

/* --- a training step --- */

static cairn_status run_parts(struct race *race, const struct cairn_now *now, int64_t images)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_plan *plans[CAIRN_COMPARE_LANES + 1] = {NULL};
    for (int i = 0; i < race->count; i++) TRY(cairn_session_begin(&race->sessions[i]));
    for (int part = 0;; part++) {
        struct cairn_now place;
        for (int i = 0; i < race->count; i++)
            plans[i] = cairn_session_part(&race->sessions[i], now, images, part, &place);
        if (!plans[0]) break;
        for (int s = 0; s < plans[0]->step_count; s++)
            TRY(compare_operator(race, plans, &place, s));
    }
out:
    return st;
}

static int is_stopped(const struct race *race)
{
    return race->options->stop && *race->options->stop;
}

/* Until a difference of exact arithmetic: from then on the lanes are not where they would be. */
static cairn_status run(struct race *race)
{
    cairn_status st = CAIRN_OK;
    struct cairn_compare_result *r = race->result;
    struct cairn_session *first = &race->sessions[0];
    int64_t most = cairn_session_steps(first), batches = cairn_session_batches(first);
    int64_t wanted = race->options->steps > 0 ? race->options->steps : STEPS;
    struct cairn_powers powers = {1.0, 1.0};
    for (int64_t step = 0; step < wanted && step < most; step++) {
        struct cairn_now now;
        int64_t images;
        if (is_stopped(race))
            return cairn_fail(CAIRN_INTERRUPTED, "interrupted; %lld steps were equal",
                              (long long)r->steps);
        for (int i = 0; i < race->count && step % batches == 0; i++)
            TRY(cairn_session_shuffle(&race->sessions[i], step / batches));
        cairn_session_now(first, step, 0, &powers, &now, &images);
        int before = r->different;
        TRY(run_parts(race, &now, images));
        r->ran = step + 1;
        if (!r->different) r->steps = r->ran;
        if (r->different && !before) r->step = r->ran;
        if (r->different && race->judge < 0) break;
    }
    for (int i = 0; i < race->options->lane_count; i++)
        if (i != race->judge)
            r->lanes[i].peak_bytes = (int64_t)cairn_device_peak_bytes(race->sessions[i].device);
out:
    return st;
}

static void close_sessions(struct race *race)
{
    for (int i = 0; race->sessions && i <= race->options->lane_count; i++)
        cairn_session_close(&race->sessions[i]);
    free(race->sessions);
    race->sessions = NULL;
}

cairn_status cairn_compare(const struct cairn_compare_options *options,
                           struct cairn_compare_result *result)
{
    cairn_status st = CAIRN_OK;
    struct race race = {.options = options, .result = result, .judge = -1};
    memset(result, 0, sizeof *result);
    if (options->html) TRY(cairn_place_check(options->html, 1));
    TRY(set_up(&race));
    TRY(run(&race));
    close_sessions(&race);
    if (options->rounds > 0) TRY(compare_speed(&race));
    TRY(compare_sum(result));
out:
    close_sessions(&race);
    cairn_dataset_free(&race.data);
    cairn_recipe_free(&race.recipe);
    for (int i = 0; i < CAIRN_COMPARE_LANES; i++) free(race.read[i]);
    if (st != CAIRN_OK) cairn_compare_free(result);
    return st;
}
