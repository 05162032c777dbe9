/* Tuning: what is raced, kept, resumed and believed; a variant that is wrong is never used. */
#include "check/check.h"
#include "device/device.h"
#include "runtime.h"
#include "suite.h"
#include "tune/table.h"

#include <cairn/train.h>
#include <cairn/tune.h>

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GOOD(call) ck_assert_msg((call) == CAIRN_OK, "%s", cairn_error())

/* --- a reference whose product has three variants: a slow default, a wrong one and a quick one ---
 */
static struct cairn_backend_ops fake_ops;
static const struct cairn_backend_ops *good_ops;
static int used[3], hide_quick, all_wrong;

static int fake_variants(struct cairn_backend *be, const struct cairn_problem *problem,
                         struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    static const char *const names[] = {"slow", "wrong", "quick"};
    int count = good_ops->variants(be, problem, variants);
    if (problem->op != CAIRN_OP_GEMM) return count;
    for (int i = 0; i < 3; i++) {
        variants[i] = (struct cairn_variant){.preferred = i == 0, .work = i};
        strcpy(variants[i].name, names[i]);
    }
    return hide_quick ? 2 : 3;
}

static cairn_status fake_gemm(struct cairn_backend *be, const struct cairn_gemm *p, int variant)
{
    cairn_status st = good_ops->gemm(be, p, 0);
    size_t last = (size_t)(p->c.offset + (p->m - 1) * p->ldc + p->n - 1) * 4;
    uint32_t bits;
    used[variant]++;
    if (variant == 0) nanosleep(&(struct timespec){0, 2000000}, NULL);
    if (variant == 1 || all_wrong) {
        GOOD(good_ops->read(be, p->c.buffer, last, &bits, 4));
        bits ^= 1;
        GOOD(good_ops->write(be, p->c.buffer, last, &bits, 4));
    }
    return st;
}

static struct cairn_device *device;

static void open_fake(void)
{
    GOOD(cairn_device_open("reference", NULL, &device));
    good_ops = device->backend->ops;
    fake_ops = *good_ops;
    fake_ops.gemm = fake_gemm;
    fake_ops.variants = fake_variants;
    device->backend->ops = &fake_ops;
    hide_quick = all_wrong = 0;
    memset(used, 0, sizeof used);
}

static void setup(void)
{
    enter();
    open_fake();
}

static void teardown(void)
{
    cairn_device_close(device);
    leave();
}

/* --- what was told --- */
struct told {
    int entries, known, notes, stop_after;
    struct cairn_tune_entry last;
    char note[512];
    volatile sig_atomic_t stop;
};

static void tell_entry(void *context, const struct cairn_tune_entry *entry, int known)
{
    struct told *told = context;
    told->last = *entry;
    told->known += known;
    if (++told->entries == told->stop_after) told->stop = 1;
}

static void tell_note(void *context, const char *text)
{
    struct told *told = context;
    told->notes++;
    snprintf(told->note, sizeof told->note, "%s", text);
}

static const char *const lines[] = {"gemm m=5 n=7 k=9", "gemm m=4 n=3 k=300 tb=1", "add n2=17"};

static cairn_status tune(int count, int force, struct told *told)
{
    struct cairn_problem problems[3];
    struct cairn_tune_options options = {.seconds = 0.02,
                                         .force = force,
                                         .stop = &told->stop,
                                         .entry = tell_entry,
                                         .note = tell_note,
                                         .context = told};
    for (int i = 0; i < count; i++) GOOD(cairn_problem_parse(lines[i], &problems[i], NULL));
    return cairn_tune(device, problems, count, &options);
}

static struct cairn_tune_known look(void)
{
    struct cairn_tune_known known;
    GOOD(cairn_tune_look(cairn_device_info(device), cairn_device_math(device), &known));
    return known;
}

/* The variants that the device now takes for a product. */
static int64_t work_of(const char *line)
{
    struct cairn_problem problem;
    int64_t floats = -1;
    GOOD(cairn_problem_parse(line, &problem, NULL));
    GOOD(cairn_work_size(device, &problem, &floats));
    return floats;
}

START_TEST(keeps_what_won)
{
    struct told told = {0};
    struct cairn_tune_known known;
    GOOD(tune(3, 0, &told));
    ck_assert_int_eq(told.entries, 3);
    ck_assert_int_eq(told.known + told.notes, 0);
    known = look();
    ck_assert_int_eq(known.known, 3);
    ck_assert_int_eq(known.won, 2);
    ck_assert_str_eq(known.note, "");
    ck_assert_int_eq(work_of(lines[0]), 0); /* tuning itself leaves the defaults */
    GOOD(cairn_tune_use(device, &known));
    ck_assert_int_eq(work_of(lines[0]), 2);
    ck_assert_int_eq(work_of(lines[1]), 2);
    ck_assert_int_eq(work_of("gemm m=6 n=7 k=9"), 0);
    GOOD(cairn_device_force(device, "gemm", "wrong"));
    ck_assert_int_eq(work_of(lines[0]), 1); /* what is forced wins */
    GOOD(cairn_device_force(device, "gemm", NULL));
    hide_quick = 1;
    ck_assert_int_eq(work_of(lines[0]), 0); /* what is not admitted is passed over */
}
END_TEST

START_TEST(never_uses_what_failed)
{
    struct told told = {0};
    GOOD(tune(1, 0, &told));
    const struct cairn_tune_entry *e = &told.last;
    ck_assert_int_eq(e->count, 3);
    ck_assert_str_eq(e->line, lines[0]);
    ck_assert_str_eq(e->preset, "slow");
    ck_assert_str_eq(e->winner, "quick");
    ck_assert_str_eq(e->candidates[1].name, "wrong");
    ck_assert_msg(strstr(e->candidates[1].failed, "result c[34] is 0x") != NULL, "%s",
                  e->candidates[1].failed);
    ck_assert(e->candidates[1].seconds == 0);
    ck_assert_str_eq(e->candidates[0].failed, "");
    ck_assert(e->seconds > 0 && e->seconds < e->preset_seconds);

    /* Where the quick one is gone the default stays, however slow. */
    hide_quick = 1;
    GOOD(tune(1, 1, &told));
    ck_assert_str_eq(told.last.winner, "slow");
    ck_assert_int_eq(look().won, 0);

    /* Where nothing is right there is no entry, and what was kept before is not believed less. */
    all_wrong = 1;
    ck_assert_int_eq(tune(2, 0, &told), CAIRN_DIFFERENT);
    ck_assert_int_eq(told.last.winner[0], 0);
    ck_assert_int_eq(look().known, 1);
}
END_TEST

START_TEST(goes_on_where_it_was)
{
    struct told told = {.stop_after = 1}, again = {0}, forced = {0};
    ck_assert_int_eq(tune(2, 0, &told), CAIRN_INTERRUPTED);
    ck_assert_int_eq(look().known, 1);
    GOOD(tune(2, 0, &again));
    ck_assert_int_eq(again.entries, 2);
    ck_assert_int_eq(again.known, 1);
    memset(used, 0, sizeof used);
    again = (struct told){0};
    GOOD(tune(2, 0, &again));
    ck_assert_int_eq(again.known, 2);
    ck_assert_int_eq(used[0] + used[1] + used[2], 0);
    GOOD(tune(2, 1, &forced));
    ck_assert_int_eq(forced.known, 0);
    ck_assert_int_gt(used[2], 0);
}
END_TEST

/* The file with `from` made `to`, or cut behind `from` where `to` is NULL. */
static void change_file(const char *path, const char *from, const char *to)
{
    char *data, *at;
    size_t size;
    read_file(path, &data, &size);
    ck_assert_msg((at = strstr(data, from)) != NULL, "no '%s' in %s", from, data);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fprintf(out, "%.*s%s%s", (int)(at - data), data, to ? to : "", to ? at + strlen(from) : "");
    ck_assert_int_eq(fclose(out), 0);
    free(data);
}

START_TEST(wrong_files_are_ignored_and_rebuilt)
{
    static const struct {
        const char *from, *to, *says;
    } changes[] = {
        {"\"candidates\"", NULL, "line "},
        {"\"winner\": \"quick\"", "\"winner\": \"wrong\"", "problem 1 in it is damaged"},
        {"\"winner\": \"quick\"", "\"winner\": \"nosuch\"", "problem 1 in it is damaged"},
        {"gemm m=5", "gemm m=-5", "problem 1 in it is damaged"},
        {"\"seconds\"", "\"second\"", "problem 1 in it is damaged"},
        {"\"driver\": \"", "\"driver\": \"new ", "belongs to another device"},
        {"\"sources\": \"0", "\"sources\": \"1", "belongs to another device"},
        {"cairn tune 1", "cairn tune 2", "no table of this version"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct told told = {0};
        struct cairn_tune_known known;
        GOOD(tune(1, 0, &told));
        change_file(look().path, changes[i].from, changes[i].to);
        GOOD(cairn_tune_use(device, &known));
        ck_assert_int_eq(known.known, 0);
        ck_assert_msg(strstr(known.note, changes[i].says) && strstr(known.note, "is ignored"),
                      "%zu: %s", i, known.note);
        ck_assert_int_eq(work_of(lines[0]), 0);
        told = (struct told){0};
        GOOD(tune(1, 0, &told));
        ck_assert_int_eq(told.notes, 1);
        ck_assert_str_eq(told.note, known.note);
        ck_assert_int_eq(told.known, 0);
        ck_assert_int_eq(look().won, 1);
        ck_assert_int_eq(unlink(look().path), 0);
    }
}
END_TEST

START_TEST(each_device_and_mode_has_its_own)
{
    struct told told = {0};
    struct cairn_device_info other = *cairn_device_info(device);
    struct cairn_tune_known known;
    GOOD(tune(1, 0, &told));
    strcpy(other.driver, "another");
    GOOD(cairn_tune_look(&other, CAIRN_MATH_EXACT, &known));
    ck_assert_int_eq(known.known, 0);
    ck_assert_str_ne(known.path, look().path);
    GOOD(cairn_tune_look(cairn_device_info(device), CAIRN_MATH_FAST, &known));
    ck_assert_int_eq(known.known, 0);
    ck_assert_str_ne(known.path, look().path);
}
END_TEST

/* Scalars, and what moves from step to step, have no part in the key. */
START_TEST(keys_hold_sizes_and_kinds)
{
    static const struct {
        const char *a, *b;
        int alike;
    } pairs[] = {
        {"sgd count=100 lr=0.5 l2=1", "sgd count=100 momentum=0.9", 1},
        {"sgd count=100", "sgd count=101", 0},
        {"dropout count=64 rate=0.5 seed=3 step=8 first=4", "dropout count=64", 1},
        {"gather count=8 item=9 total=10 scale=2", "gather count=8 item=9 total=99", 1},
        {"gemm m=2 n=3 k=4", "gemm m=2 n=3 k=4 act=relu", 0},
        {"gemm m=2 n=3 k=4", "gemm m=2 n=3 k=4 lda=4", 1},
        {"conv n=2 h=8 w=8 kh=3 kw=3", "conv_data n=2 h=8 w=8 kh=3 kw=3", 0},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct cairn_problem a, b;
        GOOD(cairn_problem_parse(pairs[i].a, &a, NULL));
        GOOD(cairn_problem_parse(pairs[i].b, &b, NULL));
        ck_assert_msg(cairn_problem_alike(&a, &b) == pairs[i].alike, "%s | %s", pairs[i].a,
                      pairs[i].b);
    }
}
END_TEST

START_TEST(many_preferences)
{
    struct cairn_problem problem;
    for (int64_t m = 1; m <= 500; m++) {
        problem = cairn_problem_default(CAIRN_OP_GEMM);
        problem.u.gemm.m = m;
        GOOD(cairn_device_prefer(device, &problem, m % 3 ? "quick" : "wrong"));
        if (m % 5 == 0) GOOD(cairn_device_prefer(device, &problem, NULL));
    }
    for (int64_t m = 1; m <= 501; m++) {
        int64_t floats = -1;
        problem = cairn_problem_default(CAIRN_OP_GEMM);
        problem.u.gemm.m = m;
        GOOD(cairn_work_size(device, &problem, &floats));
        ck_assert_int_eq(floats, m > 500 || m % 5 == 0 ? 0 : m % 3 ? 2 : 1);
    }
}
END_TEST

/* --- on an OpenCL device --- */

/* Compiled kernels are shared with the other suites: only the table is this test's own. */
static void share_kernels(const char *cache)
{
    char from[512];
    if (!cache) return;
    snprintf(from, sizeof from, "%s/cairn/kernels", cache);
    GOOD(cairn_file_mkdirs(from));
    GOOD(cairn_file_mkdirs(in_scratch("cache/cairn")));
    ck_assert_int_eq(symlink(from, in_scratch("cache/cairn/kernels")), 0);
}

static void enter_opencl(void)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    char copy[400];
    if (cache) cache = strcpy(copy, cache);
    enter();
    share_kernels(cache);
}

/* A kernel that is wrong: its variant fails the check, another one is used, and the table belongs
 * to these kernels alone. */
START_TEST(a_planted_fault_is_not_used)
{
    struct told told = {0};
    struct cairn_tune_known known;
    char path[512];
    plant("gemm-small.cl", "t = t + s;", "t = t + s * 1.0000002f;");
    GOOD(cairn_device_open("opencl", NULL, &device));
    GOOD(cairn_device_force(device, "gemm", NULL));
    GOOD(tune(2, 0, &told));
    int seen = 0;
    for (int i = 0; i < told.last.count; i++) {
        const struct cairn_tune_candidate *c = &told.last.candidates[i];
        ck_assert_msg((c->failed[0] != 0) == !strcmp(c->name, "small"), "%s: %s", c->name,
                      c->failed);
        seen += !strcmp(c->name, "small");
    }
    ck_assert_int_eq(seen, 1);
    ck_assert_str_ne(told.last.winner, "small");
    GOOD(cairn_tune_use(device, &known));
    ck_assert_int_eq(known.known, 2);
    strcpy(path, known.path);
    unsetenv("CAIRN_KERNEL_DIR");
    known = look();
    ck_assert_int_eq(known.known, 0);
    ck_assert_str_ne(known.path, path);
    cairn_device_close(device);
}
END_TEST

/* The names of all variants of drawn problems of some operators, with blanks around each. */
static void list_names(enum cairn_math math, char *names, size_t size)
{
    static const enum cairn_op ops[] = {CAIRN_OP_GEMM, CAIRN_OP_CONV, CAIRN_OP_CONV_DATA,
                                        CAIRN_OP_CONV_WEIGHTS};
    const struct cairn_device_options options = {.math = math};
    GOOD(cairn_device_open("opencl", &options, &device));
    snprintf(names, size, " ");
    for (int number = 0; number < 400; number++) {
        struct check_case c;
        struct cairn_variant variants[CAIRN_MAX_VARIANTS];
        check_case_draw(ops[number % 4], 1, number, 0, &c);
        int count = cairn_device_variants(device, &c.problem, variants);
        for (int i = 0; i < count; i++) {
            char word[20];
            snprintf(word, sizeof word, " %.15s ", variants[i].name);
            int fast_only = !strcmp(word, " clblast ") || !strcmp(word, " winograd ");
            ck_assert(!fast_only || !variants[i].preferred);
            if (!strstr(names, word))
                snprintf(names + strlen(names), size - strlen(names), "%s ", word + 1);
        }
    }
    cairn_device_close(device);
}

START_TEST(exact_lists_nothing_of_fast)
{
    char exact[512], fast[512];
    list_names(CAIRN_MATH_EXACT, exact, sizeof exact);
    list_names(CAIRN_MATH_FAST, fast, sizeof fast);
    ck_assert_msg(!strstr(exact, "clblast") && !strstr(exact, "winograd"), "%s", exact);
    ck_assert_msg(strstr(fast, " winograd ") != NULL, "%s", fast);
#ifdef CAIRN_WITH_CLBLAST
    ck_assert_msg(strstr(fast, " clblast ") != NULL, "%s", fast);
#endif
}
END_TEST

static const char *const sets[] = {"data.limit_train=150", "data.limit_test=60", "train.epochs=1"};
#define TINY "data/recipes/glyphs-tiny.yaml"

/* A table that names, for each problem of the recipe, the last of its variants. Returns how many
 * are not the default. */
static int write_contrary_table(void)
{
    struct cairn_compute compute = {.device = "opencl"};
    struct cairn_recipe_problems list;
    struct tune_table table;
    int others = 0;
    GOOD(cairn_recipe_list(TINY, sets, 3, 0, &compute, &list));
    GOOD(cairn_device_open("opencl", NULL, &device));
    GOOD(tune_table_read(&table, cairn_device_info(device), CAIRN_MATH_EXACT));
    for (int i = 0; i < list.count; i++) {
        struct cairn_tune_entry entry = {.seconds = 1, .preset_seconds = 2, .count = 1};
        struct cairn_variant variants[CAIRN_MAX_VARIANTS];
        struct cairn_problem bare = cairn_problem_bare(&list.items[i].problem);
        int count = cairn_device_variants(device, &bare, variants), preset = 0;
        for (int k = 0; k < count; k++)
            if (variants[k].preferred) preset = k;
        cairn_problem_print(&bare, entry.line, sizeof entry.line);
        strcpy(entry.preset, variants[preset].name);
        strcpy(entry.winner, variants[count - 1].name);
        strcpy(entry.candidates[0].name, entry.winner);
        others += preset != count - 1;
        GOOD(tune_table_put(&table, &entry));
    }
    GOOD(tune_table_write(&table));
    tune_table_free(&table);
    cairn_device_close(device);
    cairn_recipe_problems_free(&list);
    return others;
}

static void train(const char *name, int no_tune, struct cairn_train_result *result)
{
    struct cairn_train_options options = {.recipe = TINY,
                                          .sets = sets,
                                          .set_count = 3,
                                          .compute = {.device = "opencl", .no_tune = no_tune},
                                          .out = in_scratch(name)};
    GOOD(cairn_train(&options, result));
}

START_TEST(a_table_changes_no_digest)
{
    struct cairn_train_result tuned, plain;
    struct cairn_summary with, without;
    struct cairn_compute compute = {.device = "opencl"};
    int others = write_contrary_table();
    ck_assert_int_gt(others, 3);
    train("tuned", 0, &tuned);
    train("plain", 1, &plain);
    ck_assert_str_eq(tuned.weights_sha256, plain.weights_sha256);
    ck_assert(tuned.test_loss == plain.test_loss);
    GOOD(cairn_summarize(TINY, sets, 3, 0, &compute, &with));
    compute.no_tune = 1;
    GOOD(cairn_summarize(TINY, sets, 3, 0, &compute, &without));
    ck_assert_int_eq(with.tuned, others);
    ck_assert_int_eq(without.tuned, 0);
    cairn_summary_free(&with);
    cairn_summary_free(&without);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tune");
    TCase *fake = tcase_create("fake"), *opencl = tcase_create("opencl");
    tcase_add_checked_fixture(fake, setup, teardown);
    tcase_set_timeout(fake, 120);
    tcase_add_test(fake, keeps_what_won);
    tcase_add_test(fake, never_uses_what_failed);
    tcase_add_test(fake, goes_on_where_it_was);
    tcase_add_test(fake, wrong_files_are_ignored_and_rebuilt);
    tcase_add_test(fake, each_device_and_mode_has_its_own);
    tcase_add_test(fake, keys_hold_sizes_and_kinds);
    tcase_add_test(fake, many_preferences);
    suite_add_tcase(suite, fake);
    tcase_add_checked_fixture(opencl, enter_opencl, leave);
    tcase_set_timeout(opencl, 300);
    tcase_add_test(opencl, a_planted_fault_is_not_used);
    tcase_add_test(opencl, a_table_changes_no_digest);
    tcase_add_test(opencl, exact_lists_nothing_of_fast);
    suite_add_tcase(suite, opencl);
    return suite_run(suite);
}
