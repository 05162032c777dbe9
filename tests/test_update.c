/* The ends of a step: every optimizer's update and its moments, clipping, batches in parts, and the
 * way of images to the model. */
#include "base/error.h"
#include "base/random.h"
#include "nets.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct cairn_now now = {
    .index = 3, .row = BENCH_ROW, .step = 9, .rate = 0.125f, .c1 = 1.5f, .c2 = 2.5f};

/* --- updates --- */

static struct cairn_problem update_of(enum cairn_op op)
{
    struct cairn_problem p = cairn_problem_default(op);
    switch (op) {
    case CAIRN_OP_SGD:
        p.u.sgd.momentum = 0.5f;
        p.u.sgd.l2 = 0.25f;
        break;
    case CAIRN_OP_ADAM:
        p.u.adam.beta1 = 0.75f;
        p.u.adam.beta2 = 0.875f;
        p.u.adam.epsilon = 0.5f;
        p.u.adam.l2 = 0.25f;
        break;
    case CAIRN_OP_RMSPROP:
        p.u.rmsprop.alpha = 0.75f;
        p.u.rmsprop.momentum = 0.5f;
        p.u.rmsprop.epsilon = 0.5f;
        p.u.rmsprop.l2 = 0.25f;
        break;
    case CAIRN_OP_ADAGRAD:
        p.u.adagrad.epsilon = 0.5f;
        p.u.adagrad.l2 = 0.25f;
        break;
    default:
        p.u.adadelta.rho = 0.75f;
        p.u.adadelta.epsilon = 0.5f;
        p.u.adadelta.l2 = 0.25f;
        break;
    }
    return p;
}

/* One number's update as problem.h has it, for the scalars of update_of() and now. */
static void update_one(enum cairn_op op, int decays, float g, float *w, float *m1, float *m2)
{
    float d;
    if (decays) g = fmaf(0.25f, *w, g);
    switch (op) {
    case CAIRN_OP_SGD:
        *m1 = fmaf(0.5f, *m1, g);
        *w = fmaf(-0.125f, *m1, *w);
        break;
    case CAIRN_OP_ADAM:
        *m1 = fmaf(0.75f, *m1, 0.25f * g);
        *m2 = fmaf(0.875f, *m2, (0.125f * g) * g);
        *w = fmaf(-0.125f, (*m1 * 1.5f) / (sqrtf(*m2 * 2.5f) + 0.5f), *w);
        break;
    case CAIRN_OP_RMSPROP:
        *m2 = fmaf(0.75f, *m2, (0.25f * g) * g);
        *m1 = fmaf(0.5f, *m1, g / (sqrtf(*m2) + 0.5f));
        *w = fmaf(-0.125f, *m1, *w);
        break;
    case CAIRN_OP_ADAGRAD:
        *m1 = fmaf(g, g, *m1);
        *w = fmaf(-0.125f, g / (sqrtf(*m1) + 0.5f), *w);
        break;
    default:
        *m1 = fmaf(0.75f, *m1, (0.25f * g) * g);
        d = (sqrtf(*m2 + 0.5f) / sqrtf(*m1 + 0.5f)) * g;
        *m2 = fmaf(0.75f, *m2, (0.25f * d) * d);
        *w = fmaf(-0.125f, d, *w);
        break;
    }
}

/* Three steps, by TRAIN, or by ACCUMULATE and UPDATE, against the formula with the gradients that
 * the device had. */
static void check_updates(enum cairn_op op, int in_parts)
{
    const struct net *net = net_find("normed");
    struct bench b;
    struct cairn_plan_options options[2];
    for (int i = 0; i < 2; i++) {
        options[i] = bench_options(net,
                                   i          ? CAIRN_PLAN_UPDATE
                                   : in_parts ? CAIRN_PLAN_ACCUMULATE
                                              : CAIRN_PLAN_TRAIN,
                                   net->batch, 0);
        options[i].update = update_of(op);
    }
    bench_open(&b, net, options, 2, "reference");
    int64_t flat = b.model->flat_floats;
    float *m1 = calloc((size_t)flat, 4), *m2 = calloc((size_t)flat, 4);
    for (int step = 0; step < 3; step++) {
        bench_run(&b, 0, &now);
        if (in_parts)
            ck_assert_int_eq(cairn_plan_run(b.plans[1], b.device, &b.memory, &now), CAIRN_OK);
        float *g = bench_read(&b, in_parts ? CAIRN_REGION_SUMS : CAIRN_REGION_GRADS, NULL),
              *given[3] = {bench_read(&b, CAIRN_REGION_PARAMS, NULL),
                           bench_read(&b, CAIRN_REGION_MOMENT1, NULL),
                           bench_read(&b, CAIRN_REGION_MOMENT2, NULL)};
        for (int64_t i = 0; i < flat; i++)
            update_one(op, i < b.model->weight_floats, g[i], &b.flat[i], &m1[i], &m2[i]);
        ck_assert_int_eq(memcmp(given[0], b.flat, (size_t)flat * 4), 0);
        ck_assert_int_eq(memcmp(given[1], m1, (size_t)flat * 4), 0);
        ck_assert_int_eq(memcmp(given[2], m2, (size_t)flat * 4), 0);
        for (int64_t i = flat; i < b.model->total_floats; i++) b.flat[i] = given[0][i];
        for (int i = 0; i < 3; i++) free(given[i]);
        free(g);
    }
    free(m1);
    free(m2);
    bench_close(&b);
}

START_TEST(updates)
{
    check_updates((enum cairn_op)(CAIRN_OP_SGD + _i), 0);
    check_updates((enum cairn_op)(CAIRN_OP_SGD + _i), 1);
}
END_TEST

/* --- clipping --- */

static double norm_of(const float *values, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (double)values[i] * (double)values[i];
    return sqrt(sum);
}

/* In a batch and over the sums of parts: as long as the limit, or as it was. */
START_TEST(clipping)
{
    const struct net *net = net_find("smooth");
    const float limits[2] = {0.01f, 100.0f};
    for (int parts = 0; parts < 2; parts++) {
        struct bench b;
        struct cairn_plan_options options[3] = {
            bench_options(net, CAIRN_PLAN_GRADIENT, net->batch, 0),
            bench_options(net, parts ? CAIRN_PLAN_ACCUMULATE : CAIRN_PLAN_TRAIN, net->batch, 0),
            bench_options(net, CAIRN_PLAN_UPDATE, net->batch, 0)};
        options[1].clip = options[2].clip = limits[_i];
        bench_open(&b, net, options, 3, "reference");
        int64_t flat = b.model->flat_floats;
        bench_run(&b, 0, &now);
        float *whole = malloc((size_t)flat * 4);
        memcpy(whole, b.grads, (size_t)flat * 4);
        double norm = norm_of(whole, flat), factor = _i ? 1 : (double)limits[_i] / norm;
        ck_assert(norm > 0.1);
        bench_run(&b, 1, &now);
        if (parts) ck_assert_int_eq(memcmp(b.grads, whole, (size_t)flat * 4), 0);
        if (parts)
            ck_assert_int_eq(cairn_plan_run(b.plans[2], b.device, &b.memory, &now), CAIRN_OK);
        float *clipped = bench_read(&b, parts ? CAIRN_REGION_SUMS : CAIRN_REGION_GRADS, NULL),
              *params = bench_read(&b, CAIRN_REGION_PARAMS, NULL);
        for (int64_t i = 0; i < flat; i++) {
            ck_assert(fabs((double)clipped[i] - factor * (double)whole[i]) <=
                      1e-6 * fabs(factor * (double)whole[i]));
            ck_assert(params[i] == fmaf(-0.125f, clipped[i], b.flat[i]));
        }
        free(whole);
        free(clipped);
        free(params);
        bench_close(&b);
    }
}
END_TEST

/* --- parts --- */

/* A batch of 4 in 2 and in 4 parts: SUMS is the sum of the parts' gradients, in order from +0, bit
 * for bit; and that of the whole batch but for rounding, dropout and augmentation included. */
START_TEST(accumulation)
{
    static const char *const names[] = {"bent", "residual", "transposed"};
    const struct net *net = net_find(names[_i / 2]);
    int parts = _i % 2 ? 4 : 2;
    struct bench b;
    struct cairn_plan_options options[3] = {
        bench_options(net, CAIRN_PLAN_GRADIENT, 4, 0),
        bench_options(net, CAIRN_PLAN_GRADIENT, 4 / parts, 0),
        bench_options(net, CAIRN_PLAN_ACCUMULATE, 4 / parts, 0)};
    for (int i = 0; i < 3; i++) {
        options[i].whole = 4;
        options[i].augment = (struct cairn_augment){
            .c = net->in.c, .h = net->in.h + 2, .w = net->in.w + 1, .shift_h = 1, .flip = 1};
    }
    bench_open(&b, net, options, 3, "reference");
    int64_t flat = b.model->flat_floats;
    float *whole = malloc((size_t)flat * 4), *sum = calloc((size_t)flat, 4);
    double loss = bench_run(&b, 0, &now), in_parts = 0;
    memcpy(whole, b.grads, (size_t)flat * 4);
    for (int part = 0; part < parts; part++) {
        struct cairn_now at = now;
        at.first = part * 4 / parts;
        at.index += at.first;
        at.row += at.first;
        in_parts += bench_run(&b, 1, &at) / parts;
        for (int64_t i = 0; i < flat; i++) sum[i] = sum[i] + b.grads[i];
        bench_run(&b, 2, &at);
    }
    float *sums = bench_read(&b, CAIRN_REGION_SUMS, NULL);
    ck_assert_int_eq(memcmp(sums, sum, (size_t)flat * 4), 0);
    ck_assert(fabs(loss - in_parts) < 1e-6 * fabs(loss));
    double largest = 0;
    for (int64_t i = 0; i < flat; i++) {
        ck_assert_msg(fabs((double)sum[i] - (double)whole[i]) <
                          1e-5 + 1e-5 * fabs((double)whole[i]),
                      "%s: %g in parts, %g in one", net->name, (double)sum[i], (double)whole[i]);
        if (fabs((double)whole[i]) > largest) largest = fabs((double)whole[i]);
    }
    ck_assert(largest > 0.01);
    free(whole);
    free(sum);
    free(sums);
    bench_close(&b);
}
END_TEST

/* --- the images' way --- */

static const char *const passing[] = {"none", "linear 3", NULL};

/* The images that reach the model: what the step before layer 1's first has made. */
static float *images_of(struct bench *b, int plan, const struct cairn_now *at)
{
    const struct cairn_plan *p = b->plans[plan];
    const struct cairn_tensor *t = &p->tensors[cairn_plan_output(p, 0)];
    float *images = malloc((size_t)t->count * 4);
    for (int s = 0; p->steps[s].layer < 0; s++) {
        struct cairn_problem problem;
        cairn_plan_problem(p, &b->memory, at, s, &problem);
        ck_assert_msg(cairn_run(b->device, &problem) == CAIRN_OK, "%s", cairn_error());
    }
    ck_assert_int_eq(cairn_buffer_read(b->memory.buffers[CAIRN_REGION_ARENA], (size_t)t->offset * 4,
                                       images, (size_t)t->count * 4),
                     CAIRN_OK);
    return images;
}

/* 2x6x7 images to a model of 2x4x4. An evaluation takes the middle; training moves them by step and
 * by place in the whole batch, and an image of a part is that of the batch. */
START_TEST(augmentation)
{
    const struct net net = {"passing", passing, {2, 4, 4}, 3, 4, CAIRN_PLAN_CROSS_ENTROPY, 0, 0, 0};
    struct bench b;
    struct cairn_plan_options options[3] = {bench_options(&net, CAIRN_PLAN_EVALUATE, 4, 0),
                                            bench_options(&net, CAIRN_PLAN_TRAIN, 4, 0),
                                            bench_options(&net, CAIRN_PLAN_GRADIENT, 2, 0)};
    for (int i = 0; i < 3; i++)
        options[i].augment = (struct cairn_augment){
            .c = 2, .h = 6, .w = 7, .shift_h = 2, .shift_w = 1, .flip = 1, .fill = -7.0f};
    bench_open(&b, &net, options, 3, "reference");
    uint8_t *table = (uint8_t *)(void *)bench_read(&b, CAIRN_REGION_TABLE, NULL);
    int32_t *indices = (int32_t *)(void *)bench_read(&b, CAIRN_REGION_INDICES, NULL);
    struct cairn_now at = now;
    float *middle = images_of(&b, 0, &at), *whole = images_of(&b, 1, &at);
    for (int64_t e = 0; e < 4 * 32; e++) {
        int64_t i = e / 32, c = e / 16 % 2, y = e / 4 % 4, x = e % 4;
        int64_t place = ((indices[now.index + i] * 2 + c) * 6 + y + 1) * 7 + x + 1;
        ck_assert(middle[e] == ((float)table[place] - 128.0f) / 64.0f);
    }
    ck_assert(memcmp(whole, middle, 4 * 32 * 4) != 0);
    at.index += 2;
    at.first = 2;
    float *part = images_of(&b, 2, &at);
    ck_assert_int_eq(memcmp(part, whole + 2 * 32, 2 * 32 * 4), 0);
    at.first = 0;
    float *misplaced = images_of(&b, 2, &at);
    ck_assert(memcmp(part, misplaced, 2 * 32 * 4) != 0);
    at = now;
    at.step++;
    float *next = images_of(&b, 1, &at);
    ck_assert(memcmp(whole, next, 4 * 32 * 4) != 0);
    free(table);
    free(indices);
    free(middle);
    free(whole);
    free(part);
    free(misplaced);
    free(next);
    bench_close(&b);
}
END_TEST

static int has_augment(const struct cairn_plan *plan)
{
    for (int s = 0; s < plan->step_count; s++)
        if (plan->steps[s].problem.op == CAIRN_OP_AUGMENT) return 1;
    return 0;
}

/* Where nothing is cut, an evaluation leaves the step out; where nothing moves, training does. */
START_TEST(augmentation_left_out)
{
    const struct net net = {"passing", passing, {2, 4, 4}, 3, 4, CAIRN_PLAN_CROSS_ENTROPY, 0, 0, 0};
    struct bench b;
    struct cairn_plan_options options[3] = {bench_options(&net, CAIRN_PLAN_EVALUATE, 4, 0),
                                            bench_options(&net, CAIRN_PLAN_TRAIN, 4, 0),
                                            bench_options(&net, CAIRN_PLAN_TRAIN, 4, 0)};
    for (int i = 0; i < 3; i++)
        options[i].augment = (struct cairn_augment){.c = 2, .h = 4, .w = 4, .turn = i == 2 ? 0 : 9};
    bench_open(&b, &net, options, 3, "reference");
    ck_assert(!has_augment(b.plans[0]) && has_augment(b.plans[1]) && !has_augment(b.plans[2]));
    struct cairn_plan *plan;
    options[0].augment = (struct cairn_augment){.c = 1, .h = 8, .w = 8};
    ck_assert_int_eq(cairn_plan_create(b.model, &options[0], b.device, &plan), CAIRN_INVALID);
    ck_assert_msg(strstr(cairn_error(), "have 1 channels, but the model takes 2"), "%s",
                  cairn_error());
    options[0].augment = (struct cairn_augment){.c = 2, .h = 3, .w = 8};
    ck_assert_int_eq(cairn_plan_create(b.model, &options[0], b.device, &plan), CAIRN_INVALID);
    ck_assert_msg(strstr(cairn_error(), "4x4 cannot be cut out of 3x8"), "%s", cairn_error());
    bench_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("update");
    TCase *tc = tcase_create("update");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, updates, 0, CAIRN_OP_ADADELTA - CAIRN_OP_SGD + 1);
    tcase_add_loop_test(tc, clipping, 0, 2);
    tcase_add_loop_test(tc, accumulation, 0, 6);
    tcase_add_test(tc, augmentation);
    tcase_add_test(tc, augmentation_left_out);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
