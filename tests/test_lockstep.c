/* Nets on PoCL and on the reference, step by step: the same bits in the weights, running
 * statistics, moments, losses and logits. */
#include "nets.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 3

static void same(const struct bench *a, const struct bench *b, enum cairn_region region,
                 const char *net, int step)
{
    int64_t count;
    float *x = bench_read(a, region, &count), *y = bench_read(b, region, NULL);
    for (int64_t i = 0; i < count; i++)
        ck_assert_msg(!memcmp(&x[i], &y[i], 4) || (x[i] != x[i] && y[i] != y[i]),
                      "%s, step %d, %s[%d]: %a on the reference, %a on OpenCL", net, step,
                      cairn_region_name(region), (int)i, (double)x[i], (double)y[i]);
    free(x);
    free(y);
}

static void run(struct bench *b, int plan, const struct cairn_now *now)
{
    ck_assert_msg(cairn_plan_run(b->plans[plan], b->device, &b->memory, now) == CAIRN_OK, "%s",
                  cairn_error());
}

static void step_both(struct bench bench[2], const char *net, int step)
{
    static const enum cairn_region regions[] = {
        CAIRN_REGION_PARAMS, CAIRN_REGION_GRADS,   CAIRN_REGION_MOMENT1, CAIRN_REGION_MOMENT2,
        CAIRN_REGION_LOSS,   CAIRN_REGION_CORRECT, CAIRN_REGION_LOGITS};
    struct cairn_now now = {
        .index = step, .row = BENCH_ROW, .step = step, .rate = 0.05f, .c1 = 1.5f, .c2 = 2.5f};
    for (int d = 0; d < 2; d++) {
        for (int plan = 0; plan < 3; plan++) run(&bench[d], plan, &now);
        now.first = 1;
        for (int plan = 2; plan < 4; plan++) run(&bench[d], plan, &now);
        now.first = 0;
    }
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
        same(&bench[0], &bench[1], regions[i], net, step);
}

START_TEST(lockstep)
{
    const struct net *net = &nets[_i];
    struct bench bench[2];
    for (int d = 0; d < 2; d++) {
        struct cairn_plan_options options[4] = {
            bench_options(net, CAIRN_PLAN_TRAIN, net->batch, 0),
            bench_options(net, CAIRN_PLAN_EVALUATE, net->batch, 0),
            bench_options(net, CAIRN_PLAN_ACCUMULATE, net->batch, 0),
            bench_options(net, CAIRN_PLAN_UPDATE, net->batch, 0)};
        for (int i = 0; i < 4; i++) {
            options[i].augment = (struct cairn_augment){.c = net->in.c,
                                                        .h = net->in.h + 1,
                                                        .w = net->in.w,
                                                        .shift_w = 1,
                                                        .flip = 1,
                                                        .turn = 1 << 27};
            options[i].clip = 0.5f;
            options[i].update = cairn_problem_default(CAIRN_OP_SGD + _i % 5);
        }
        bench_open(&bench[d], net, options, 4, d ? "opencl" : "reference");
        /* What no step writes must be alike, too. */
        for (int r = CAIRN_REGION_LOSS; r <= CAIRN_REGION_LOGITS; r++) {
            struct cairn_buffer *buffer = bench[d].memory.buffers[r];
            ck_assert_int_eq(cairn_buffer_fill(buffer, 0, cairn_buffer_bytes(buffer), 0), CAIRN_OK);
        }
        ck_assert_int_eq(cairn_buffer_write(bench[d].memory.buffers[CAIRN_REGION_PARAMS], 0,
                                            bench[d].flat,
                                            (size_t)bench[d].model->total_floats * 4),
                         CAIRN_OK);
    }
    for (int step = 0; step < STEPS; step++) step_both(bench, net->name, step);
    float *trained = bench_read(&bench[0], CAIRN_REGION_PARAMS, NULL);
    ck_assert(memcmp(trained, bench[0].flat, (size_t)bench[0].model->flat_floats * 4) != 0);
    free(trained);
    bench_close(&bench[0]);
    bench_close(&bench[1]);
}
END_TEST

int main(void)
{
    setenv("OCL_ICD_VENDORS", "pocl.icd", 0);
    Suite *suite = suite_create("lockstep");
    TCase *tc = tcase_create("lockstep");
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, lockstep, 0, net_count);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
