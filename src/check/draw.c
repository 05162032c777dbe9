/* Drawing random cases: sizes, offsets, kinds of data. */
#include "check/check.h"

#include <assert.h>
#include <string.h>

static const struct check_family *const families[CAIRN_OP_COUNT] = {
#define ROW(slot, NAME, type, member) [CAIRN_OP_##NAME] = &check_family_##slot,
    CAIRN_OP_LIST(ROW)
#undef ROW
};

const struct check_family *check_family_of(enum cairn_op op)
{
    return families[op];
}

int64_t check_below(struct check_rng *rng, int64_t count)
{
    return (int64_t)(check_next(rng) % (uint64_t)count);
}

int check_chance(struct check_rng *rng, int percent)
{
    return check_below(rng, 100) < percent;
}

/* Where kernels change their path: vector widths, tiles of 14, 16, 32, 48, 64, work-groups, blocks
 * of 256, chunks of 4096. */
static const int64_t edges[] = {
    2,    3,    4,    5,    7,    8,    9,    13,   14,   15,   16,    17,    27,    28,   29,  31,
    32,   33,   47,   48,   49,   63,   64,   65,   127,  128,  129,   255,   256,   257,  511, 513,
    1023, 1025, 2047, 2049, 4095, 4096, 4097, 8191, 8192, 8193, 12289, 16385, 65535, 65537};

int64_t check_size(struct check_rng *rng, int64_t most)
{
    int64_t count = 0, bits = 1;
    while (count < (int64_t)(sizeof edges / sizeof *edges) && edges[count] <= most) count++;
    if (most == 1 || check_chance(rng, 12)) return 1;
    if (count && check_chance(rng, 45)) return edges[check_below(rng, count)];
    while (most >> bits) bits++;
    int64_t size = check_below(rng, (int64_t)1 << (1 + check_below(rng, bits))) + 1;
    return size > most ? most : size;
}

/* About how much work a problem is: multiply-adds, or elements moved. */
static double cost_of(const struct cairn_problem *problem)
{
    double moved = cairn_problem_bytes(problem) / 4, work = cairn_problem_flops(problem) / 2;
    return work + moved;
}

static double draw_limit(struct check_rng *rng, int small)
{
    int64_t kind = check_below(rng, 100);
    if (small) return kind < 80 ? 4e3 : 1.2e4;
    return kind < 50 ? 1e5 : kind < 90 ? 6e5 : 4e6;
}

static enum check_kind draw_kind(struct check_rng *rng)
{
    static const unsigned char percent[CHECK_KIND_COUNT] = {
        [CHECK_real] = 28,     [CHECK_integer] = 12, [CHECK_wide] = 15,    [CHECK_sparse] = 9,
        [CHECK_denormal] = 11, [CHECK_huge] = 8,     [CHECK_special] = 13, [CHECK_bits] = 4,
    };
    int64_t at = check_below(rng, 100);
    enum check_kind kind = CHECK_real;
    while (at >= percent[kind]) at -= percent[kind++];
    return kind;
}

void check_case_draw(enum cairn_op op, uint64_t seed, int64_t number, int small,
                     struct check_case *c)
{
    struct check_rng rng = {check_mix(check_mix(seed + 1) + (uint64_t)op * 0x10001u) +
                            (uint64_t)number};
    (void)check_next(&rng);
    memset(c, 0, sizeof *c);
    double limit = draw_limit(&rng, small);
    /* Half of the cases are not cheap, as far as the operator's draw goes there. */
    double least = small || check_chance(&rng, 50) ? 0 : limit / 20;
    int tries = 0, profile = (int)check_below(&rng, 100);
    for (;;) {
        c->problem = cairn_problem_default(op);
        families[op]->draw(&rng, profile, small, &c->problem);
        tries++;
        assert(tries < 100000);
        if (cairn_problem_complete(&c->problem) != CAIRN_OK) continue;
        double cost = cost_of(&c->problem);
        if (cost <= limit && (cost >= least || tries > 50)) break;
    }
    c->kind = draw_kind(&rng);
    c->seed = check_next(&rng) >> 40;
    /* Without a guard a simulator itself sees each access out of bounds; elsewhere the guard shows
     * it. */
    c->guard = small && check_chance(&rng, 60) ? 0 : CHECK_GUARD;
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++)
        c->offset[i] = check_chance(&rng, 50)
                           ? 0
                           : CHECK_PICK(&rng, 1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 31, 64, 101);
    int i = 0;
    for (const struct cairn_operand *o = cairn_schema_of(op)->operands; o->name; o++, i++) {
        if (o->inplace && o->role == CAIRN_OUT) c->inplace = check_chance(&rng, 40);
        if (!o->extent || o->extent(&c->problem) == 0) c->offset[i] = 0;
    }
    for (; i < CHECK_MAX_OPERANDS; i++) c->offset[i] = 0;
}
