/* One operator on every lane, and what its results differ by.
 *
 * exact: results are read from all lanes and sorted into groups of equal bits, a NaN as good as any
 * other. fast: each lane gets the operands of the judge, an exact reference, and its results are
 * held to the bounds that the checker computes from those operands. */
#include "base/error.h"
#include "check/check.h"
#include "compare/race.h"
#include "device/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The operator at hand. */
struct turn {
    struct race *race;
    const struct cairn_operand *operands;
    struct cairn_problem problems[CAIRN_COMPARE_LANES + 1];
    int row;
};

static struct cairn_compare_cell *cell_of(const struct turn *turn, int lane)
{
    return &turn->race->result->rows[turn->row].cells[lane];
}

static cairn_status run_on(struct turn *turn, int session)
{
    cairn_status st = cairn_run(turn->race->sessions[session].device, &turn->problems[session]);
    if (st == CAIRN_OK || session >= turn->race->options->lane_count) return st;
    return cairn_fail_in(st, "%s", turn->race->result->lanes[session].name);
}

static cairn_status make_room(struct race *race, size_t bytes)
{
    if (bytes <= race->room) return CAIRN_OK;
    race->room = 0;
    for (int i = 0; i < race->options->lane_count; i++) {
        free(race->read[i]);
        race->read[i] = malloc(bytes);
        if (!race->read[i]) return cairn_fail(CAIRN_MEMORY, "out of memory");
    }
    race->room = bytes;
    return CAIRN_OK;
}

/* Whether an operand is more than the images, which are the same everywhere. */
static int is_moved(const struct turn *turn, const struct cairn_operand *o)
{
    return o->role != CAIRN_WORK && o->dtype != CAIRN_U8 && o->extent(&turn->problems[0]) > 0;
}

static int is_result(const struct cairn_operand *o)
{
    return o->role == CAIRN_OUT || o->role == CAIRN_INOUT;
}

static cairn_status read_operand(const struct turn *turn, int session,
                                 const struct cairn_operand *o, void *data)
{
    const struct cairn_mem *mem = cairn_problem_mem_const(&turn->problems[session], o);
    size_t size = cairn_dtype_size(o->dtype);
    return cairn_buffer_read(mem->buffer, (size_t)mem->offset * size, data,
                             (size_t)o->extent(&turn->problems[0]) * size);
}

static cairn_status write_operand(struct turn *turn, int session, const struct cairn_operand *o,
                                  const void *data)
{
    const struct cairn_mem *mem = cairn_problem_mem_const(&turn->problems[session], o);
    size_t size = cairn_dtype_size(o->dtype);
    return cairn_buffer_write(mem->buffer, (size_t)mem->offset * size, data,
                              (size_t)o->extent(&turn->problems[0]) * size);
}

/* --- exact --- */

static int same(enum cairn_dtype dtype, uint32_t a, uint32_t b)
{
    return a == b || (dtype == CAIRN_F32 && check_is_nan(a) && check_is_nan(b));
}

static uint32_t element(const unsigned char *data, size_t size, int64_t index)
{
    uint32_t bits = 0;
    memcpy(&bits, data + (size_t)index * size, size);
    return bits;
}

/* How many elements of two lanes differ, and the first. */
static int64_t count_different(const struct race *race, const struct cairn_operand *o,
                               int64_t extent, int a, int b, int64_t *first)
{
    size_t size = cairn_dtype_size(o->dtype);
    int64_t count = 0;
    if (a == b || !memcmp(race->read[a], race->read[b], (size_t)extent * size)) return 0;
    for (int64_t i = 0; i < extent; i++)
        if (!same(o->dtype, element(race->read[a], size, i), element(race->read[b], size, i)) &&
            count++ == 0)
            *first = i;
    return count;
}

/* Sorts the lanes into groups, numbered from 0 as they come; returns how many there are. */
static int sort_lanes(const struct race *race, const struct cairn_operand *o, int64_t extent,
                      int groups[CAIRN_COMPARE_LANES])
{
    int first_of[CAIRN_COMPARE_LANES], count = 0;
    int64_t at;
    for (int lane = 0; lane < race->options->lane_count; lane++) {
        int group = 0;
        while (group < count && count_different(race, o, extent, first_of[group], lane, &at) > 0)
            group++;
        if (group == count) first_of[count++] = lane;
        groups[lane] = group;
    }
    return count;
}

/* The first lane of the group that is held to be right: the reference's, else the largest, of two
 * as large the first. */
static int choose_held(const struct race *race, const int groups[CAIRN_COMPARE_LANES])
{
    int sizes[CAIRN_COMPARE_LANES] = {0}, best = 0;
    for (int lane = 0; lane < race->options->lane_count; lane++) sizes[groups[lane]]++;
    for (int lane = 0; lane < race->options->lane_count; lane++) {
        if (!strcmp(race->result->lanes[lane].device.spec, "reference")) return lane;
        if (sizes[groups[lane]] > sizes[groups[best]]) best = lane;
    }
    return best;
}

static void note_different(struct turn *turn, const struct cairn_operand *o, int64_t extent,
                           const int groups[CAIRN_COMPARE_LANES], int held)
{
    const struct race *race = turn->race;
    struct cairn_compare_result *r = race->result;
    size_t size = cairn_dtype_size(o->dtype);
    if (r->different) return;
    r->different = 1;
    r->row = turn->row;
    r->held = held;
    r->elements = extent;
    r->is_float = o->dtype == CAIRN_F32;
    for (r->lane = 0; groups[r->lane] == groups[held]; r->lane++) continue;
    r->count = count_different(race, o, extent, held, r->lane, &r->index);
    r->want = element(race->read[held], size, r->index);
    r->got = element(race->read[r->lane], size, r->index);
    for (int lane = 0; lane < race->options->lane_count; lane++) {
        r->lanes[lane].group = groups[lane];
        r->bits[lane] = element(race->read[lane], size, r->index);
    }
    snprintf(r->what, sizeof r->what, "%s", o->name);
    cairn_problem_print(&turn->problems[held], r->problem, sizeof r->problem);
}

static cairn_status hold_operand(struct turn *turn, const struct cairn_operand *o)
{
    cairn_status st = CAIRN_OK;
    struct race *race = turn->race;
    int64_t extent = o->extent(&turn->problems[0]), at;
    int groups[CAIRN_COMPARE_LANES] = {0}, lanes = race->options->lane_count;
    if (extent == 0) return CAIRN_OK;
    TRY(make_room(race, (size_t)extent * cairn_dtype_size(o->dtype)));
    for (int lane = 0; lane < lanes; lane++) TRY(read_operand(turn, lane, o, race->read[lane]));
    race->result->rows[turn->row].values += extent;
    race->result->values += extent;
    if (sort_lanes(race, o, extent, groups) <= 1) return CAIRN_OK;
    int held = choose_held(race, groups);
    for (int lane = 0; lane < lanes; lane++)
        cell_of(turn, lane)->different += count_different(race, o, extent, held, lane, &at);
    note_different(turn, o, extent, groups, held);
out:
    return st;
}

/* The operands of the lane that is held to be right for all others. */
static cairn_status share_operands(struct turn *turn)
{
    cairn_status st = CAIRN_OK;
    struct race *race = turn->race;
    int held = race->result->held;
    for (const struct cairn_operand *o = turn->operands; o->name; o++) {
        if (!is_moved(turn, o)) continue;
        TRY(make_room(race, (size_t)o->extent(&turn->problems[0]) * cairn_dtype_size(o->dtype)));
        TRY(read_operand(turn, held, o, race->read[held]));
        for (int lane = 0; lane < race->options->lane_count; lane++)
            if (lane != held) TRY(write_operand(turn, lane, o, race->read[held]));
    }
out:
    return st;
}

static cairn_status run_exact(struct turn *turn)
{
    cairn_status st = CAIRN_OK;
    struct race *race = turn->race;
    if (race->result->different) TRY(share_operands(turn));
    for (int lane = 0; lane < race->options->lane_count; lane++) TRY(run_on(turn, lane));
    for (const struct cairn_operand *o = turn->operands; o->name; o++)
        if (is_result(o)) TRY(hold_operand(turn, o));
out:
    return st;
}

/* --- fast --- */

/* What the checker tells of a lane. */
struct told {
    struct turn *turn;
    int lane;
};

static void tell(void *context, const struct cairn_check_failure *f)
{
    const struct told *told = context;
    struct cairn_compare_result *r = told->turn->race->result;
    r->lanes[told->lane].group = 1;
    if (r->different) return;
    r->different = 1;
    r->row = told->turn->row;
    r->lane = told->lane;
    r->held = told->turn->race->judge < told->turn->race->options->lane_count
                  ? told->turn->race->judge
                  : -1;
    r->index = f->index;
    r->count = f->different;
    r->is_float = f->is_float;
    r->want = f->want;
    r->got = f->got;
    r->bound = f->bound;
    snprintf(r->what, sizeof r->what, "%s", f->operand);
    for (const struct cairn_operand *o = told->turn->operands; o->name; o++)
        if (!strcmp(o->name, f->operand)) r->elements = o->extent(&told->turn->problems[0]);
    cairn_problem_print(&told->turn->problems[told->lane], r->problem, sizeof r->problem);
}

/* The judge's operands before and after its run. */
static cairn_status judge_operator(struct turn *turn, struct check_image *images)
{
    cairn_status st = CAIRN_OK;
    struct race *race = turn->race;
    const struct cairn_operand *o = turn->operands;
    for (int i = 0; o[i].name; i++)
        if (is_moved(turn, &o[i])) TRY(read_operand(turn, race->judge, &o[i], images[i].initial));
    TRY(run_on(turn, race->judge));
    for (int i = 0; o[i].name; i++)
        if (is_result(&o[i]) && images[i].operand) {
            TRY(read_operand(turn, race->judge, &o[i], images[i].want));
            race->result->rows[turn->row].values += images[i].extent;
            race->result->values += images[i].extent;
        }
out:
    return st;
}

/* The bounds for the variant that a lane runs: `shared` unless it has its own. */
static cairn_status find_bounds(const struct turn *turn, int lane, struct check_case *c,
                                const struct check_image *images, double **own, int *has_own)
{
    cairn_status st = CAIRN_OK;
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    struct cairn_device *device = turn->race->sessions[lane].device;
    int count = cairn_device_variants(device, &turn->problems[lane], variants);
    *has_own = 0;
    if (count < 1) return CAIRN_UNSUPPORTED;
    int chosen = cairn_choose_variant(device, &c->problem, variants, count);
    snprintf(c->variant, sizeof c->variant, "%s", variants[chosen].name);
    *has_own = check_has_own_bound(c);
    if (*has_own) TRY(check_bounds(turn->race->sessions[turn->race->judge].device, c, images, own));
out:
    return st;
}

static cairn_status hold_lane(struct turn *turn, int lane, struct check_case *c,
                              struct check_image *images, double *const *bounds)
{
    cairn_status st = CAIRN_OK;
    struct told told = {turn, lane};
    const struct cairn_check_options options = {.failure = tell, .context = &told};
    struct cairn_check_result found = {0};
    struct check_report report = {&options, &found, "", "", 0};
    struct cairn_compare_result *r = turn->race->result;
    double *own[CHECK_MAX_OPERANDS] = {NULL};
    int has_own = 0;
    const struct cairn_operand *o = turn->operands;
    TRY(find_bounds(turn, lane, c, images, own, &has_own));
    for (int i = 0; o[i].name; i++)
        if (is_moved(turn, &o[i]) && o[i].role != CAIRN_OUT)
            TRY(write_operand(turn, lane, &o[i], images[i].initial));
    TRY(run_on(turn, lane));
    for (int i = 0; o[i].name; i++)
        if (is_result(&o[i]) && images[i].operand)
            TRY(read_operand(turn, lane, &o[i], images[i].got));
    check_compare(&report, images, has_own ? own : bounds);
    cell_of(turn, lane)->different += found.different;
    if (found.worst > cell_of(turn, lane)->worst) cell_of(turn, lane)->worst = found.worst;
    if (found.worst > r->worst) {
        r->worst = found.worst;
        r->worst_lane = lane;
        r->worst_row = turn->row;
    }
out:
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) free(own[i]);
    return st;
}

static cairn_status run_fast(struct turn *turn)
{
    cairn_status st = CAIRN_OK;
    struct race *race = turn->race;
    struct cairn_device *judge = race->sessions[race->judge].device;
    struct check_case c = {.problem = turn->problems[race->judge]};
    struct check_image images[CHECK_MAX_OPERANDS];
    double *bounds[CHECK_MAX_OPERANDS] = {NULL};
    memset(images, 0, sizeof images);
    TRY(check_images_empty(&c, images));
    TRY(judge_operator(turn, images));
    TRY(check_bounds(judge, &c, images, bounds));
    for (int lane = 0; lane < race->options->lane_count; lane++)
        if (lane != race->judge) TRY(hold_lane(turn, lane, &c, images, bounds));
out:
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) free(bounds[i]);
    check_images_free(images);
    return st;
}

cairn_status compare_operator(struct race *race, const struct cairn_plan *const *plans,
                              const struct cairn_now *now, int number)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_step *step = &plans[0]->steps[number];
    struct turn turn = {.race = race,
                        .operands = cairn_schema_of(step->problem.op)->operands,
                        .row = compare_row(race->result, &race->recipe, step)};
    if (turn.row < 0) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (int i = 0; i < race->count; i++) {
        cairn_plan_problem(plans[i], &race->sessions[i].memory, now, number, &turn.problems[i]);
        TRY(cairn_problem_complete(&turn.problems[i]));
    }
    TRY(race->judge < 0 ? run_exact(&turn) : run_fast(&turn));
    race->result->rows[turn.row].runs++;
    race->result->operations++;
out:
    return st;
}
