/* Timing: what a bench says is there and makes sense. No time is ever held to a bound. */
#include "scratch.h"
#include "suite.h"
#include <cairn/bench.h>
#include <cairn/train.h>

#include <math.h>
#include <string.h>

#define GOOD(call) ck_assert_msg((call) == CAIRN_OK, "%s", cairn_error())
#define TINY "data/recipes/glyphs-tiny.yaml"

static const char *const devices[2] = {"reference", "opencl"};

START_TEST(operators)
{
    static const char *const lines[] = {"gemm m=17 n=33 k=65 ta=1 bias=m act=relu",
                                        "conv n=2 c=3 h=9 w=8 o=4 kh=3 kw=3 pad_t=1",
                                        "reduce n2=99", "adam count=100 decay_count=50"};
    struct cairn_device *device;
    GOOD(cairn_device_open(devices[_i], NULL, &device));
    size_t before = cairn_device_bytes(device);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct cairn_problem problem;
        struct cairn_bench *bench;
        GOOD(cairn_problem_parse(lines[i], &problem, NULL));
        GOOD(cairn_bench_create(device, &problem, 1e-4, &bench));
        ck_assert_int_ge(cairn_bench_launches(bench), 1);
        ck_assert(*cairn_bench_variant(bench));
        for (int k = 0; k < 3; k++) {
            double seconds = 0;
            GOOD(cairn_bench_sample(bench, &seconds));
            ck_assert(seconds > 0 && isfinite(seconds));
        }
        cairn_bench_destroy(bench);
        ck_assert_uint_eq(cairn_device_bytes(device), before);
    }
    cairn_device_close(device);
}
END_TEST

/* Operators of a pass by name, and how many there are. */
static int64_t count_of(const struct cairn_recipe_bench *bench, enum cairn_pass pass,
                        enum cairn_op op, int64_t *all)
{
    struct cairn_problem problem;
    int64_t count = 0;
    for (*all = 0; cairn_recipe_bench_problem(bench, pass, *all, &problem); ++*all)
        count += problem.op == op;
    return count;
}

static void check_pass(struct cairn_recipe_bench *bench, enum cairn_pass pass, int kernels)
{
    const struct cairn_pass_info *p = &cairn_recipe_bench_info(bench)->passes[pass];
    double seconds = 0;
    ck_assert_int_eq(p->steps, 0);
    for (int i = 0; i < 3; i++) {
        GOOD(cairn_recipe_bench_sample(bench, pass, &seconds));
        ck_assert(seconds > 0 && isfinite(seconds));
    }
    ck_assert_int_ge(p->steps, 1);
    ck_assert_int_ge(p->launches, kernels ? p->operators : 0);
    ck_assert(kernels || p->launches == 0);
    ck_assert(p->flops > 0 && p->bytes > 0);
}

START_TEST(recipes)
{
    /* two parts of a batch, each with its own plan; a fold; every moving image */
    static const char *const sets[] = {"train.batch=16", "train.accumulate=2", "train.folds=3",
                                       "data.validation=0", "data.augment=shift=2 flip=yes"};
    struct cairn_compute compute = {.device = devices[_i % 2]};
    struct cairn_recipe_bench *bench;
    int64_t all;
    GOOD(cairn_recipe_bench_create(TINY, sets, _i < 2 ? 1 : 5, &compute, 1e-4, &bench));
    const struct cairn_recipe_bench_info *info = cairn_recipe_bench_info(bench);
    ck_assert_int_eq(info->batch, 16);
    ck_assert_int_eq(info->classes, 10);
    ck_assert(info->c == 1 && info->h == 28 && info->w == 28);
    ck_assert_int_eq(info->device_bytes,
                     (int64_t)cairn_device_bytes(cairn_recipe_bench_device(bench)));
    ck_assert_int_gt(info->device_bytes, 4 * info->parameters);
    ck_assert_int_eq(count_of(bench, CAIRN_PASS_TRAIN, CAIRN_OP_ADAM, &all), 1);
    ck_assert_int_eq(all, info->passes[CAIRN_PASS_TRAIN].operators);
    ck_assert_int_eq(count_of(bench, CAIRN_PASS_TRAIN, CAIRN_OP_GATHER, &all), _i < 2 ? 1 : 2);
    ck_assert_int_eq(count_of(bench, CAIRN_PASS_INFERENCE, CAIRN_OP_ADAM, &all), 0);
    ck_assert_int_eq(all, info->passes[CAIRN_PASS_INFERENCE].operators);
    for (int pass = 0; pass < CAIRN_PASSES; pass++)
        check_pass(bench, (enum cairn_pass)pass, _i % 2);
    cairn_recipe_bench_destroy(bench);
}
END_TEST

struct sums {
    int64_t launches, by_layers;
    double kernels, layers, phases[4];
};

static void add_kernel(void *context, const char *kernel, int64_t calls, double seconds)
{
    struct sums *sums = context;
    ck_assert(*kernel && calls > 0 && seconds >= 0);
    sums->launches += calls;
    sums->kernels += seconds;
}

static void add_layer(void *context, const struct cairn_layer_time *layer)
{
    struct sums *sums = context;
    ck_assert(*layer->text && layer->launches > 0);
    sums->by_layers += layer->launches;
    sums->layers += layer->total;
    for (int i = 0; i < 4; i++) sums->phases[i] += layer->seconds[i];
}

/* Layers and kernels tell of the same launches. */
START_TEST(profiled)
{
    struct cairn_compute compute = {.device = devices[_i], .profile = 1};
    struct cairn_recipe_bench *bench;
    struct sums sums = {0};
    double seconds;
    scratch_make();
    GOOD(cairn_recipe_bench_create(TINY, NULL, 0, &compute, 1e-4, &bench));
    const struct cairn_pass_info *p = cairn_recipe_bench_info(bench)->passes;
    for (int pass = 0; pass < CAIRN_PASSES; pass++) {
        GOOD(cairn_recipe_bench_sample(bench, (enum cairn_pass)pass, &seconds));
        GOOD(cairn_recipe_bench_profile(bench, add_kernel, add_layer, &sums));
        memset(&sums, 0, sizeof sums);
        GOOD(cairn_recipe_bench_sample(bench, (enum cairn_pass)pass, &seconds));
        GOOD(cairn_recipe_bench_profile(bench, add_kernel, add_layer, &sums));
        ck_assert_int_eq(sums.launches,
                         p[pass].steps * (_i ? p[pass].launches : p[pass].operators));
        ck_assert_int_eq(sums.by_layers, sums.launches);
        ck_assert(fabs(sums.layers - sums.kernels) <= 1e-9 * sums.kernels);
        for (int i = 0; i < 4; i++)
            ck_assert((sums.phases[i] > 0) == (pass == CAIRN_PASS_TRAIN ? i < 3 : i == 3));
    }
    GOOD(cairn_recipe_bench_trace(bench, CAIRN_PASS_TRAIN, 2, in_scratch("trace.json")));
    ck_assert_int_eq(cairn_recipe_bench_trace(bench, CAIRN_PASS_TRAIN, 2, scratch), CAIRN_INVALID);
    cairn_recipe_bench_destroy(bench);
    compute.profile = 0;
    GOOD(cairn_recipe_bench_create(TINY, NULL, 0, &compute, 1e-4, &bench));
    ck_assert_int_eq(cairn_recipe_bench_profile(bench, add_kernel, add_layer, &sums),
                     CAIRN_INVALID);
    cairn_recipe_bench_destroy(bench);
    scratch_remove();
}
END_TEST

static void refused(const char *recipe, const char *set, cairn_status wanted, const char *word)
{
    struct cairn_compute compute = {.device = "reference"};
    struct cairn_recipe_bench *bench;
    cairn_status st = cairn_recipe_bench_create(recipe, &set, 1, &compute, 0, &bench);
    ck_assert_msg(st == wanted && strstr(cairn_error(), word), "%s: %s", set, cairn_error());
    ck_assert_ptr_null(bench);
}

START_TEST(refusals)
{
    refused("no-such-recipe", "train.batch=1", CAIRN_NOT_FOUND, "no-such-recipe");
    refused(TINY, "train.batch=541", CAIRN_INVALID, "only 540");
    refused(TINY, "train.accumulate=5", CAIRN_PARSE, "accumulate");
    cairn_recipe_bench_destroy(NULL);
}
END_TEST

/* The largest batch is the whole training part, and there may be one whole batch and a rest. */
START_TEST(edges)
{
    static const char *const sets[] = {"train.batch=540", "train.batch=271", "train.batch=1"};
    struct cairn_compute compute = {.device = "reference"};
    struct cairn_recipe_bench *bench;
    GOOD(cairn_recipe_bench_create(TINY, &sets[_i], 1, &compute, 1e-4, &bench));
    for (int pass = 0; pass < CAIRN_PASSES; pass++) check_pass(bench, (enum cairn_pass)pass, 0);
    cairn_recipe_bench_destroy(bench);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bench");
    TCase *tcase = tcase_create("bench");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, operators, 0, 2);
    tcase_add_loop_test(tcase, recipes, 0, 4);
    tcase_add_loop_test(tcase, profiled, 0, 2);
    tcase_add_test(tcase, refusals);
    tcase_add_loop_test(tcase, edges, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
