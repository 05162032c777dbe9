/* The checker finds what is planted in a device that is otherwise the reference, and nothing else.
 */
#include "check/check.h"
#include "device/device.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* --- a device whose product is broken in one way --- */
enum fault {
    NONE,
    FLIP,      /* the lowest bit of the last result */
    BEFORE,    /* the element before c is written */
    BEHIND,    /* the element behind c is written */
    GAP,       /* an element between two rows of c is written */
    INPUT,     /* an element of a changes */
    UNWRITTEN, /* the first result is left out */
    UNSTEADY,  /* every second call flips a bit */
    LOST_NAN,  /* NaN results become 0 */
    PAYLOAD,   /* NaN results get another payload: no fault */
    OVERRUN,   /* the element behind the workspace is written */
    HUNDREDTH, /* results are one hundredth too large */
};
static enum fault fault;
static int calls;
static struct cairn_backend_ops broken_ops;
static const struct cairn_backend_ops *good_ops;

static uint32_t peek(struct cairn_backend *be, const struct cairn_mem *mem, int64_t index)
{
    uint32_t bits;
    ck_assert_int_eq(good_ops->read(be, mem->buffer, (size_t)(mem->offset + index) * 4, &bits, 4),
                     CAIRN_OK);
    return bits;
}

static void poke(struct cairn_backend *be, const struct cairn_mem *mem, int64_t index,
                 uint32_t bits)
{
    ck_assert_int_eq(good_ops->write(be, mem->buffer, (size_t)(mem->offset + index) * 4, &bits, 4),
                     CAIRN_OK);
}

static void replace_nan(struct cairn_backend *be, const struct cairn_mem *mem, int64_t count,
                        uint32_t bits)
{
    for (int64_t i = 0; i < count; i++)
        if (check_is_nan(peek(be, mem, i)) && peek(be, mem, i) != CHECK_CANARY_NAN)
            poke(be, mem, i, bits);
}

static cairn_status broken_gemm(struct cairn_backend *be, const struct cairn_gemm *p, int variant)
{
    struct cairn_problem problem = {.op = CAIRN_OP_GEMM, .u.gemm = *p};
    int64_t extent = cairn_schema_of(CAIRN_OP_GEMM)->operands[3].extent(&problem);
    uint32_t first = peek(be, &p->c, 0);
    cairn_status st = good_ops->gemm(be, p, variant);
    calls++;
    if (fault == FLIP || (fault == UNSTEADY && calls % 2 == 0))
        poke(be, &p->c, extent - 1, peek(be, &p->c, extent - 1) ^ 1);
    int64_t room = (int64_t)(cairn_buffer_bytes(p->c.buffer) / 4); /* a case may have no guards */
    if (fault == BEFORE && p->c.offset > 0) poke(be, &p->c, -1, 0);
    if (fault == BEHIND && p->c.offset + extent < room) poke(be, &p->c, extent, 0);
    if (fault == GAP && p->ldc > p->n && p->m > 1) poke(be, &p->c, p->n, 0);
    if (fault == INPUT) poke(be, &p->a, 0, 0x12345678);
    if (fault == UNWRITTEN) poke(be, &p->c, 0, first);
    if (fault == LOST_NAN) replace_nan(be, &p->c, extent, 0);
    if (fault == PAYLOAD) replace_nan(be, &p->c, extent, 0xffc12345);
    if (fault == OVERRUN && p->work.buffer) poke(be, &p->work, 5, 0);
    if (fault == HUNDREDTH)
        for (int64_t i = 0; i < extent; i++)
            poke(be, &p->c, i, check_as_bits(check_as_float(peek(be, &p->c, i)) * 1.01f));
    return st;
}

/* A workspace of five floats, so that one can be overrun. */
static int broken_variants(struct cairn_backend *be, const struct cairn_problem *problem,
                           struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    int count = good_ops->variants(be, problem, variants);
    if (problem->op == CAIRN_OP_GEMM)
        for (int i = 0; i < count; i++)
            if (variants[i].work < 5) variants[i].work = 5;
    return count;
}

static struct cairn_device *reference, *broken;

static void open_devices(enum cairn_math math)
{
    struct cairn_device_options options = {.math = math};
    ck_assert_int_eq(cairn_device_open("reference", NULL, &reference), CAIRN_OK);
    ck_assert_int_eq(cairn_device_open("reference", &options, &broken), CAIRN_OK);
    good_ops = broken->backend->ops;
    broken_ops = *good_ops;
    broken_ops.gemm = broken_gemm;
    broken_ops.variants = broken_variants;
    broken->backend->ops = &broken_ops;
    fault = NONE;
}

static void setup(void)
{
    open_devices(CAIRN_MATH_EXACT);
}

static void teardown(void)
{
    cairn_device_close(broken);
    cairn_device_close(reference);
}

/* --- what was told --- */
struct told {
    int count;
    char line[1024], where[32], operand[16];
    int64_t index;
};

static void remember(void *context, const struct cairn_check_failure *f)
{
    struct told *told = context;
    if (told->count++) return;
    snprintf(told->line, sizeof told->line, "%s", f->line);
    snprintf(told->where, sizeof told->where, "%s", f->where);
    snprintf(told->operand, sizeof told->operand, "%s", f->operand);
    told->index = f->index;
}

static cairn_status run_random(int64_t cases, int twice, struct told *told,
                               struct cairn_check_result *result)
{
    memset(told, 0, sizeof *told);
    memset(result, 0, sizeof *result);
    struct cairn_check_options options = {.cases = cases,
                                          .seed = 7,
                                          .small = 1,
                                          .twice = twice,
                                          .failure = remember,
                                          .context = told};
    return cairn_check_random(broken, reference, CAIRN_OP_GEMM, &options, result);
}

/* The fault is found, where it is, and its line finds it again - and nothing in the good device. */
static void expect_found(enum fault planted, const char *where, const char *operand, int twice)
{
    struct told told, again = {0};
    struct cairn_check_result result, second = {0};
    struct cairn_check_options options = {.twice = twice, .failure = remember, .context = &again};
    fault = planted;
    ck_assert_int_eq(run_random(60, twice, &told, &result), CAIRN_DIFFERENT);
    ck_assert_str_eq(told.where, where);
    ck_assert_str_eq(told.operand, operand);
    ck_assert_int_gt(result.failed, 0);
    ck_assert_int_ge(result.different, result.failed);
    calls = 0;
    ck_assert_int_eq(cairn_check_line(broken, reference, told.line, &options, &second),
                     CAIRN_DIFFERENT);
    ck_assert_str_eq(again.line, told.line);
    ck_assert_str_eq(again.where, where);
    ck_assert_int_eq(again.index, told.index);
    fault = NONE;
    memset(&second, 0, sizeof second);
    ck_assert_int_eq(cairn_check_line(broken, reference, told.line, &options, &second), CAIRN_OK);
    ck_assert_int_eq(second.different, 0);
}

START_TEST(finds_nothing_in_a_good_device)
{
    struct told told;
    struct cairn_check_result result;
    ck_assert_int_eq(run_random(60, 1, &told, &result), CAIRN_OK);
    ck_assert_int_eq(told.count, 0);
    ck_assert_int_eq(result.cases, 60);
    ck_assert_int_eq(result.different, 0);
    ck_assert_int_gt(result.values, 0);
}
END_TEST

START_TEST(finds_a_flipped_bit)
{
    expect_found(FLIP, "result", "c", 0);
}
END_TEST

START_TEST(finds_writes_around_the_result)
{
    expect_found(BEFORE, "guard", "c", 0);
    expect_found(BEHIND, "guard", "c", 0);
    expect_found(GAP, "untouched", "c", 0);
    expect_found(OVERRUN, "guard", "work", 0);
}
END_TEST

START_TEST(finds_a_changed_input)
{
    expect_found(INPUT, "input", "a", 0);
}
END_TEST

START_TEST(finds_a_missing_write)
{
    expect_found(UNWRITTEN, "unwritten", "c", 0);
}
END_TEST

START_TEST(finds_results_that_change_from_run_to_run)
{
    calls = 0;
    expect_found(UNSTEADY, "second run", "c", 1);
}
END_TEST

START_TEST(finds_a_lost_nan_and_no_payload)
{
    struct told told;
    struct cairn_check_result result;
    expect_found(LOST_NAN, "result", "c", 0);
    fault = PAYLOAD;
    ck_assert_int_eq(run_random(60, 0, &told, &result), CAIRN_OK);
}
END_TEST

START_TEST(fast_allows_a_last_bit_and_no_hundredth)
{
    struct told told;
    struct cairn_check_result result;
    teardown();
    open_devices(CAIRN_MATH_FAST);
    fault = FLIP;
    ck_assert_int_eq(run_random(60, 0, &told, &result), CAIRN_OK);
    ck_assert(result.worst > 0 && result.worst < 1);
    fault = HUNDREDTH;
    ck_assert_int_eq(run_random(60, 0, &told, &result), CAIRN_DIFFERENT);
}
END_TEST

/* --- lines --- */
START_TEST(lines_round_trip)
{
    for (int op = 0; op < CAIRN_OP_COUNT; op++)
        for (int64_t number = 0; number < 200; number++) {
            struct check_case drawn, parsed;
            char line[1024], again[1024];
            check_case_draw((enum cairn_op)op, 3, number, (int)(number & 1), &drawn);
            if (number % 3 == 0) strcpy(drawn.variant, "small");
            ck_assert_int_lt(check_case_print(&drawn, line, sizeof line), (int)sizeof line);
            ck_assert_msg(check_case_parse(line, &parsed) == CAIRN_OK, "%s", cairn_error());
            check_case_print(&parsed, again, sizeof again);
            ck_assert_str_eq(line, again);
            ck_assert_mem_eq(&drawn, &parsed, sizeof drawn);
        }
}
END_TEST

#define ZEROS_60 "000000000000000000000000000000000000000000000000000000000000"

START_TEST(wrong_lines_are_refused)
{
    static const char *const wrong[] = {
        "gem m=1",
        "gemm m=1 : data=reel",
        "gemm m=1 : seed=-1",
        "gemm m=1 : offset.z=1",
        "gemm m=1 : offset.a=-1",
        "gemm m=1 : inplace=2",
        "gemm m=1 : colour=red",
        "gemm m=1 : data",
        "gemm m=1 ; data=real",
        "gemm m=1 : variant=",
        "gemm m=0 : data=real",
        /* Words of 128 characters, of which a shorter one would be right. */
        "sgd rate=0." ZEROS_60 ZEROS_60 "1 : data=real",
        "gemm m=1 : seed=1" ZEROS_60 ZEROS_60,
        "",
    };
    enum cairn_op op;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(cairn_check_line_op(wrong[i], &op) != CAIRN_OK, "'%s' was accepted",
                      wrong[i]);
}
END_TEST

START_TEST(unknown_variants_are_refused)
{
    struct cairn_check_options options = {.cases = 3, .small = 1, .variant = "nosuch"};
    struct cairn_check_result result = {0};
    ck_assert_int_eq(cairn_check_random(broken, reference, CAIRN_OP_GEMM, &options, &result),
                     CAIRN_INVALID);
    ck_assert_int_eq(
        cairn_check_line(broken, reference, "gemm m=2 : variant=nosuch", &options, &result),
        CAIRN_INVALID);
}
END_TEST

/* The draw reaches what the operators were written for. */
START_TEST(draws_reach_the_edges)
{
    int long_k = 0, odd_offset = 0, shared = 0, summed = 0, gaps = 0, kinds[CHECK_KIND_COUNT] = {0},
        inplace = 0;
    for (int64_t number = 0; number < 300; number++) {
        struct check_case c;
        check_case_draw(CAIRN_OP_GEMM, 1, number, 0, &c);
        const struct cairn_gemm *p = &c.problem.u.gemm;
        long_k += p->k > 4096;
        odd_offset += c.offset[0] & 1;
        shared += p->batch > 1 && (p->stride_a == 0 || p->stride_b == 0);
        summed += p->sum && p->batch > 1;
        gaps += p->ldc > p->n;
        kinds[c.kind]++;
        check_case_draw(CAIRN_OP_DROPOUT, 1, number, 0, &c);
        inplace += c.inplace;
    }
    ck_assert(long_k > 5 && odd_offset > 30 && shared > 5 && summed > 20 && gaps > 30 &&
              inplace > 50);
    for (int kind = 0; kind < CHECK_KIND_COUNT; kind++) ck_assert_int_gt(kinds[kind], 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("check");
    TCase *faults = tcase_create("faults"), *lines = tcase_create("lines");
    tcase_add_checked_fixture(faults, setup, teardown);
    tcase_set_timeout(faults, 120);
    tcase_add_test(faults, finds_nothing_in_a_good_device);
    tcase_add_test(faults, finds_a_flipped_bit);
    tcase_add_test(faults, finds_writes_around_the_result);
    tcase_add_test(faults, finds_a_changed_input);
    tcase_add_test(faults, finds_a_missing_write);
    tcase_add_test(faults, finds_results_that_change_from_run_to_run);
    tcase_add_test(faults, finds_a_lost_nan_and_no_payload);
    tcase_add_test(faults, fast_allows_a_last_bit_and_no_hundredth);
    tcase_add_test(faults, unknown_variants_are_refused);
    tcase_add_test(lines, lines_round_trip);
    tcase_add_test(lines, wrong_lines_are_refused);
    tcase_add_test(lines, draws_reach_the_edges);
    suite_add_tcase(suite, faults);
    suite_add_tcase(suite, lines);
    return suite_run(suite);
}
