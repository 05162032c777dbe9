/* What the lanes cost: their steps timed in turns, so that what else the machine does meets all of
 * them; then in turns again with a profile, which slows down what is launched often, the device
 * time of operators and kernels. */
#include "base/error.h"
#include "compare/race.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLE_SECONDS 0.1

struct timing {
    struct race *race;
    struct cairn_recipe_bench *benches[CAIRN_COMPARE_LANES];
    double *samples; /* rounds of each lane */
};

static cairn_status create(struct race *race, int lane, int profile,
                           struct cairn_recipe_bench **bench)
{
    const struct cairn_compare_options *o = race->options;
    struct cairn_compute compute = compare_compute(o, lane);
    compute.profile = profile;
    compute.note = NULL; /* told already */
    cairn_status st = cairn_recipe_bench_create(o->recipe, o->sets, o->set_count, &compute,
                                                SAMPLE_SECONDS, bench);
    return st == CAIRN_OK ? st : cairn_fail_in(st, "%s", race->result->lanes[lane].name);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts them. */
static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return count % 2 ? values[count / 2] : 0.5 * (values[count / 2 - 1] + values[count / 2]);
}

static void destroy(struct timing *timing)
{
    for (int lane = 0; lane < CAIRN_COMPARE_LANES; lane++) {
        cairn_recipe_bench_destroy(timing->benches[lane]);
        timing->benches[lane] = NULL;
    }
}

static cairn_status sample(struct timing *timing, int lane, double *seconds)
{
    const struct race *race = timing->race;
    if (race->options->stop && *race->options->stop)
        return cairn_fail(CAIRN_INTERRUPTED, "interrupted while speeds were taken");
    cairn_status st = cairn_recipe_bench_sample(timing->benches[lane], CAIRN_PASS_TRAIN, seconds);
    return st == CAIRN_OK ? st : cairn_fail_in(st, "%s", race->result->lanes[lane].name);
}

static void note_lane(struct timing *timing, int lane)
{
    int rounds = timing->race->options->rounds;
    double *s = timing->samples + (size_t)lane * (size_t)rounds;
    const struct cairn_recipe_bench_info *bench = cairn_recipe_bench_info(timing->benches[lane]);
    struct cairn_compare_lane_info *info = &timing->race->result->lanes[lane];
    info->seconds = median(s, rounds);
    info->least = s[0];
    info->most = s[rounds - 1];
    info->images_per_second = (double)bench->batch / info->seconds;
    info->sample_steps = bench->passes[CAIRN_PASS_TRAIN].steps;
    info->launches = bench->passes[CAIRN_PASS_TRAIN].launches;
}

/* A sample of each lane to warm up, then one of each in every round. */
static cairn_status time_steps(struct timing *timing)
{
    cairn_status st = CAIRN_OK;
    struct race *race = timing->race;
    int rounds = race->options->rounds, lanes = race->options->lane_count;
    timing->samples = malloc((size_t)rounds * (size_t)lanes * sizeof *timing->samples);
    if (!timing->samples) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (int lane = 0; lane < lanes; lane++) {
        TRY(create(race, lane, 0, &timing->benches[lane]));
        const struct cairn_recipe_bench_info *info = cairn_recipe_bench_info(timing->benches[lane]);
        race->result->lanes[lane].again =
            (struct cairn_compare_start){info->open_seconds, info->kernel_seconds, info->compiled};
    }
    for (int round = -1; round < rounds; round++)
        for (int lane = 0; lane < lanes; lane++)
            TRY(sample(timing, lane, &timing->samples[lane * rounds + (round < 0 ? 0 : round)]));
    for (int lane = 0; lane < lanes; lane++) note_lane(timing, lane);
out:
    destroy(timing);
    return st;
}

/* --- operators and kernels --- */

/* A kernel in a row, on one lane: its seconds in a step, of each round. */
struct series {
    int row, kernel;
    int64_t launches; /* of all rounds */
    double *seconds;
};

struct tally {
    struct race *race;
    int round, count, failed;
    struct series *series;
};

static struct series *series_of(struct tally *tally, int row, int kernel)
{
    for (int i = 0; i < tally->count; i++)
        if (tally->series[i].row == row && tally->series[i].kernel == kernel)
            return &tally->series[i];
    struct series *grown =
        realloc(tally->series, (size_t)(tally->count + 1) * sizeof *tally->series);
    double *seconds = calloc((size_t)tally->race->options->rounds, sizeof *seconds);
    if (grown) tally->series = grown;
    if (!grown || !seconds) {
        free(seconds);
        return NULL;
    }
    grown[tally->count] = (struct series){row, kernel, 0, seconds};
    return &grown[tally->count++];
}

static void add_launch(void *context, const struct cairn_launch *launch)
{
    struct tally *tally = context;
    struct cairn_compare_result *r = tally->race->result;
    int row = compare_row(r, &tally->race->recipe, launch->mark.what);
    int kernel = row < 0 ? -1 : compare_kernel(r, r->rows[row].op, launch->kernel);
    struct series *series = kernel < 0 ? NULL : series_of(tally, row, kernel);
    tally->failed |= !series;
    if (!series) return;
    series->seconds[tally->round] += launch->seconds;
    series->launches++;
}

/* The medians of the rounds, each of so many steps, and their sums. */
static void add_medians(struct tally *tally, int lane, int64_t steps)
{
    struct cairn_compare_result *r = tally->race->result;
    int rounds = tally->race->options->rounds;
    for (int i = 0; i < tally->count; i++) {
        const struct series *s = &tally->series[i];
        struct cairn_compare_cell *cell = &r->rows[s->row].cells[lane];
        double seconds = median(s->seconds, rounds) / (double)steps;
        int64_t launches = s->launches / (rounds * steps);
        cell->seconds += seconds;
        cell->launches += launches;
        r->kernels[s->kernel].seconds[lane] += seconds;
        r->kernels[s->kernel].launches[lane] += launches;
    }
}

/* Drivers are there whose launches take no time, by what they tell; kernels that fill less than a
 * hundredth of their step are such. Their times are taken out. */
static void judge_profile(struct cairn_compare_result *r, int lane)
{
    double all = 0;
    for (int i = 0; i < r->kernel_count; i++) all += r->kernels[i].seconds[lane];
    r->lanes[lane].profiled = all > 0.01 * r->lanes[lane].seconds;
    if (r->lanes[lane].profiled) return;
    for (int i = 0; i < r->row_count; i++) r->rows[i].cells[lane].seconds = 0;
    for (int i = 0; i < r->kernel_count; i++) r->kernels[i].seconds[lane] = 0;
}

/* One sample, watched from its start to its end. */
static cairn_status profile_sample(struct timing *timing, int lane, struct tally *tally)
{
    cairn_status st = CAIRN_OK;
    double seconds;
    struct cairn_device *device = cairn_recipe_bench_device(timing->benches[lane]);
    TRY(cairn_device_watch(device, add_launch, tally));
    TRY(sample(timing, lane, &seconds));
    TRY(cairn_device_watch(device, NULL, NULL));
    if (tally->failed) st = cairn_fail(CAIRN_MEMORY, "out of memory");
out:
    return st;
}

static cairn_status profile(struct timing *timing)
{
    cairn_status st = CAIRN_OK;
    struct race *race = timing->race;
    struct tally tallies[CAIRN_COMPARE_LANES];
    int lanes = race->options->lane_count;
    double seconds;
    for (int lane = 0; lane < lanes; lane++) tallies[lane] = (struct tally){.race = race};
    for (int lane = 0; lane < lanes; lane++) {
        TRY(create(race, lane, 1, &timing->benches[lane]));
        TRY(sample(timing, lane, &seconds)); /* to warm up */
    }
    for (int round = 0; round < race->options->rounds; round++)
        for (int lane = 0; lane < lanes; lane++) {
            tallies[lane].round = round;
            TRY(profile_sample(timing, lane, &tallies[lane]));
        }
    for (int lane = 0; lane < lanes; lane++) {
        add_medians(&tallies[lane], lane,
                    cairn_recipe_bench_info(timing->benches[lane])->passes[CAIRN_PASS_TRAIN].steps);
        judge_profile(race->result, lane);
    }
out:
    for (int lane = 0; lane < lanes; lane++) {
        for (int i = 0; i < tallies[lane].count; i++) free(tallies[lane].series[i].seconds);
        free(tallies[lane].series);
    }
    destroy(timing);
    return st;
}

cairn_status compare_speed(struct race *race)
{
    cairn_status st = CAIRN_OK;
    struct timing timing = {.race = race};
    TRY(time_steps(&timing));
    TRY(profile(&timing));
out:
    free(timing.samples);
    return st;
}
