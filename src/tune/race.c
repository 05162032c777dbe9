/* Checking and timing the candidates of one problem. */
#include "tune/race.h"

#include "base/error.h"
#include "check/check.h"
#include "device/schema.h"
#include <cairn/bench.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a check may cost the reference, about a second: beyond it a smaller problem stands in. */
#define CHECK_FLOPS 5e8
#define CHECK_BYTES 1e8
#define LEAST_ROUNDS 7
#define MOST_ROUNDS 31
#define LEAST_GAIN 0.03 /* of the default's median */
#define SAMPLES 3       /* of each candidate, to find the finalist */

/* --- the check --- */

static int64_t *field_of(struct cairn_problem *problem, const char *name)
{
    for (const struct cairn_field *f = cairn_schema_of(problem->op)->fields; f->name; f++)
        if (f->type == CAIRN_FIELD_INT && !strcmp(f->name, name))
            return (int64_t *)(void *)((char *)&problem->u + f->offset);
    return NULL;
}

static int is_dear(const struct cairn_problem *problem)
{
    return cairn_problem_flops(problem) > CHECK_FLOPS || cairn_problem_bytes(problem) > CHECK_BYTES;
}

/* Halves a size until the problem is cheap; 0 where that does not help. */
static int halve(struct cairn_problem *problem, const char *name)
{
    int64_t *size = field_of(problem, name), *part = field_of(problem, "decay_count");
    while (size && *size > 1 && is_dear(problem)) {
        struct cairn_problem before = *problem;
        *size /= 2;
        if (part && *part > *size) *part = *size;
        if (cairn_problem_complete(problem) == CAIRN_OK) continue;
        *problem = before;
        return 0;
    }
    return !is_dear(problem);
}

/* The problem, or one of fewer images, rows or elements that the reference can do in time. */
static struct cairn_problem cheap(const struct cairn_problem *problem)
{
    static const char *const outer[] = {"batch", "n",     "planes", "rows", "count",
                                        "n1",    "total", "m",      "n2"};
    struct cairn_problem small = *problem;
    for (size_t i = 0; i < sizeof outer / sizeof *outer; i++)
        if (halve(&small, outer[i])) break;
    return small;
}

static int is_admitted(struct cairn_device *device, const struct cairn_problem *problem,
                       const char *name)
{
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    int count = cairn_device_variants(device, problem, variants);
    for (int i = 0; i < count; i++)
        if (!strcmp(variants[i].name, name)) return 1;
    return 0;
}

/* The first difference of a candidate. */
static void keep(void *context, const struct cairn_check_failure *f)
{
    struct cairn_tune_candidate *candidate = context;
    if (candidate->failed[0]) return;
    snprintf(candidate->failed, sizeof candidate->failed,
             "%s %s[%lld] is 0x%08x, should be 0x%08x; %lld differ", f->where, f->operand,
             (long long)f->index, f->got, f->want, (long long)f->different);
}

/* A candidate that does not build or has no memory fails alone; a device that is lost is the end.
 */
static cairn_status check_one(const struct tune_race *race, const struct check_case *c,
                              struct check_image *images, double *const *bounds,
                              struct cairn_tune_candidate *candidate)
{
    cairn_status st = CAIRN_OK;
    struct cairn_check_options options = {.twice = 1, .failure = keep, .context = candidate};
    struct cairn_check_result result = {0};
    struct check_session session = {race->device, race->against, &options, &result};
    struct check_case way = *c;
    memcpy(way.variant, candidate->name, sizeof way.variant);
    if (!is_admitted(race->device, &c->problem, candidate->name)) {
        snprintf(candidate->failed, sizeof candidate->failed,
                 "not checked: it does not take a problem that is small enough");
        return CAIRN_OK;
    }
    TRY(cairn_device_prefer(race->device, &c->problem, candidate->name));
    st = check_way(&session, &way, images, bounds);
    if (st == CAIRN_OK) goto out;
    snprintf(candidate->failed, sizeof candidate->failed, "%s", cairn_error());
    st = cairn_device_sync(race->device);
out:
    (void)cairn_device_prefer(race->device, &c->problem, NULL);
    return st;
}

static cairn_status check_kind(const struct tune_race *race, const struct check_case *c,
                               struct cairn_tune_entry *entry)
{
    cairn_status st = CAIRN_OK;
    double *bounds[CHECK_MAX_OPERANDS] = {NULL};
    struct check_image images[CHECK_MAX_OPERANDS];
    struct check_break broken;
    TRY(check_images_make(c, images));
    TRY(check_run(race->against, c, images, CHECK_WANT, 0, &broken));
    if (cairn_device_math(race->device) == CAIRN_MATH_FAST)
        TRY(check_bounds(race->against, c, images, bounds));
    for (int i = 0; i < entry->count; i++) {
        TRY(tune_stopped(race->stop));
        if (!entry->candidates[i].failed[0])
            TRY(check_one(race, c, images, bounds, &entry->candidates[i]));
    }
out:
    check_images_free(images);
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) free(bounds[i]);
    return st;
}

/* Numbers whose sum tells its order, special and tiny ones, and plain ones; operands that are
 * aligned as those of a plan, and others. */
static cairn_status check_all(const struct tune_race *race, const struct cairn_problem *problem,
                              struct cairn_tune_entry *entry)
{
    static const enum check_kind kinds[] = {CHECK_wide, CHECK_special, CHECK_denormal, CHECK_real};
    cairn_status st = CAIRN_OK;
    struct check_case c = {.problem = cheap(problem), .guard = CHECK_GUARD};
    const struct cairn_operand *operands = cairn_schema_of(problem->op)->operands;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        c.kind = kinds[i];
        c.seed = 7 + i;
        for (int k = 0; operands[k].name; k++)
            c.offset[k] = i % 2 && operands[k].extent && operands[k].extent(&c.problem) ? 3 : 0;
        TRY(check_kind(race, &c, entry));
    }
out:
    return st;
}

/* --- the clock --- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *samples, int count)
{
    double sorted[MOST_ROUNDS];
    memcpy(sorted, samples, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, compare);
    return count % 2 ? sorted[count / 2] : 0.5 * (sorted[count / 2 - 1] + sorted[count / 2]);
}

/* A candidate at the start: it has its own operands, and the device prefers it while it runs. */
struct runner {
    const struct tune_race *race;
    const struct cairn_problem *problem;
    struct cairn_tune_candidate *candidate;
    struct cairn_bench *bench;
    double samples[MOST_ROUNDS];
};

static cairn_status start(struct runner *runner)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_device_prefer(runner->race->device, runner->problem, runner->candidate->name));
    TRY(cairn_bench_create(runner->race->device, runner->problem, runner->race->seconds / 50,
                           &runner->bench));
out:
    return st;
}

static cairn_status sample(struct runner *runner, int number)
{
    cairn_status st = CAIRN_OK;
    TRY(tune_stopped(runner->race->stop));
    TRY(cairn_device_prefer(runner->race->device, runner->problem, runner->candidate->name));
    TRY(cairn_bench_sample(runner->bench, &runner->samples[number]));
out:
    return st;
}

/* A few samples of one candidate by itself, one where it takes more than twice `limit` (0: none).
 * One whose memory is not there is out. */
static cairn_status try_one(const struct tune_race *race, const struct cairn_problem *problem,
                            double limit, struct cairn_tune_candidate *candidate)
{
    cairn_status st = CAIRN_OK;
    int taken = 0;
    struct runner runner = {race, problem, candidate, NULL, {0}};
    st = start(&runner);
    if (st == CAIRN_MEMORY || st == CAIRN_BUILD) {
        snprintf(candidate->failed, sizeof candidate->failed, "%s", cairn_error());
        st = cairn_device_sync(race->device);
        goto out;
    }
    while (st == CAIRN_OK && taken < SAMPLES) {
        st = sample(&runner, taken++);
        if (limit > 0 && runner.samples[taken - 1] > 2 * limit) break;
    }
    candidate->seconds = median(runner.samples, taken);
out:
    cairn_bench_destroy(runner.bench);
    return st;
}

/* The default and the fastest other one in turns. *won: 1 where the other one is faster beyond
 * noise. */
static cairn_status final(const struct tune_race *race, const struct cairn_problem *problem,
                          struct cairn_tune_candidate *preset, struct cairn_tune_candidate *other,
                          int *won)
{
    cairn_status st = CAIRN_OK;
    struct runner runners[2] = {{race, problem, preset, NULL, {0}},
                                {race, problem, other, NULL, {0}}};
    int rounds = 0, faster = 0;
    double spent = 0, launches[2];
    for (int i = 0; i < 2; i++) {
        TRY(start(&runners[i]));
        launches[i] = (double)cairn_bench_launches(runners[i].bench);
    }
    while (rounds < LEAST_ROUNDS || (rounds < MOST_ROUNDS && spent < race->seconds)) {
        for (int i = 0; i < 2; i++) {
            TRY(sample(&runners[i], rounds));
            spent += runners[i].samples[rounds] * launches[i];
        }
        faster += runners[1].samples[rounds] < runners[0].samples[rounds];
        rounds++;
    }
    preset->seconds = median(runners[0].samples, rounds);
    other->seconds = median(runners[1].samples, rounds);
    *won = other->seconds <= (1 - LEAST_GAIN) * preset->seconds && 5 * faster >= 4 * rounds;
out:
    for (int i = 0; i < 2; i++) cairn_bench_destroy(runners[i].bench);
    return st;
}

/* --- the race --- */

/* The fastest that passed, but for number `but`; -1: none. */
static int fastest(const struct cairn_tune_entry *entry, int but)
{
    int best = -1;
    for (int i = 0; i < entry->count; i++) {
        const struct cairn_tune_candidate *c = &entry->candidates[i];
        if (i == but || c->failed[0]) continue;
        if (best < 0 || c->seconds < entry->candidates[best].seconds) best = i;
    }
    return best;
}

static cairn_status list_candidates(const struct tune_race *race,
                                    const struct cairn_problem *problem,
                                    struct cairn_tune_entry *entry, int *preset)
{
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    memset(entry, 0, sizeof *entry);
    *preset = 0;
    entry->count = cairn_device_variants(race->device, problem, variants);
    if (entry->count < 1) return cairn_fail(CAIRN_UNSUPPORTED, "no variant fits this device");
    for (int i = 0; i < entry->count; i++) {
        memcpy(entry->candidates[i].name, variants[i].name, sizeof variants[i].name);
        if (variants[i].preferred) *preset = i;
    }
    memcpy(entry->preset, entry->candidates[*preset].name, sizeof entry->preset);
    return CAIRN_OK;
}

cairn_status tune_race(const struct tune_race *race, const struct cairn_problem *problem,
                       struct cairn_tune_entry *entry)
{
    cairn_status st = CAIRN_OK;
    int preset, winner, other, won = 0;
    TRY(list_candidates(race, problem, entry, &preset));
    struct cairn_tune_candidate *all = entry->candidates;
    if (entry->count > 1) TRY(check_all(race, problem, entry));
    if (!all[preset].failed[0]) TRY(try_one(race, problem, 0, &all[preset]));
    for (int i = 0; i < entry->count; i++)
        if (i != preset && !all[i].failed[0])
            TRY(try_one(race, problem, all[preset].seconds, &all[i]));
    winner = all[preset].failed[0] ? fastest(entry, -1) : preset;
    other = fastest(entry, preset);
    if (winner < 0) {
        st = cairn_fail(CAIRN_DIFFERENT, "no variant agrees with the reference");
        goto out;
    }
    if (winner == preset && other >= 0 &&
        all[other].seconds < (1 - LEAST_GAIN / 2) * all[preset].seconds)
        TRY(final(race, problem, &all[preset], &all[other], &won));
    if (won) winner = other;
    memcpy(entry->winner, all[winner].name, sizeof entry->winner);
    entry->seconds = all[winner].seconds;
    entry->preset_seconds = all[preset].seconds;
out:
    (void)cairn_device_prefer(race->device, problem, NULL);
    return st;
}
