/* Whole plans: every gradient that back-propagation gives against the slope of the loss, for nets
 * that hold each kind of layer, branches, and each loss. */
#include "device/schema.h"
#include "nets.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct cairn_now now = {.index = 4, .row = BENCH_ROW, .step = 9};

/* One parameter up and down by eps, which is small enough that no kink lies between: the arithmetic
 * is the same everywhere, so it stays so. */
static double slope(struct bench *b, int64_t place, float eps)
{
    float *w = &b->flat[place], kept = *w, up = kept + eps, down = kept - eps;
    *w = up;
    double high = bench_run(b, 0, &now);
    *w = down;
    double low = bench_run(b, 0, &now);
    *w = kept;
    return (high - low) / ((double)up - (double)down);
}

START_TEST(gradients)
{
    const struct net *net = &nets[_i];
    struct bench b;
    struct cairn_plan_options options = bench_options(net, CAIRN_PLAN_GRADIENT, net->batch, 0);
    const float eps =
        !strcmp(net->name, "kinked") || !strcmp(net->name, "pooled") ? 1.0f / 2048 : 1.0f / 512;
    bench_open(&b, net, &options, 1, "reference");
    size_t bytes = (size_t)b.model->flat_floats * 4;
    bench_run(&b, 0, &now);
    float *analytic = malloc(bytes);
    memcpy(analytic, b.grads, bytes);
    for (int i = 0; i < b.model->trained_count; i++) {
        const struct cairn_param *p = &b.model->params[i];
        double largest = 0;
        for (int64_t e = 0; e < p->count; e++) {
            double numeric = slope(&b, p->offset + e, eps), given = analytic[p->offset + e];
            ck_assert_msg(fabs(numeric - given) < 3e-4 + 3e-3 * fabs(given),
                          "%s, %s[%d]: %g by differences, %g given", net->name, p->name, (int)e,
                          numeric, given);
            if (fabs(given) > largest) largest = fabs(given);
        }
        /* A norm takes away what a bias before it adds. */
        const struct cairn_node *next = &b.model->nodes[p->layer + 1];
        int is_moot = p->kind == CAIRN_PARAM_BIAS && p->layer + 1 < b.model->node_count &&
                      next->layer.kind == CAIRN_LAYER_BATCHNORM;
        ck_assert_msg(is_moot || largest > 1e-3, "%s, %s: no gradient to speak of: %g", net->name,
                      p->name, largest);
    }
    free(analytic);
    bench_close(&b);
}
END_TEST

/* Every layer's kind is in one of the nets. */
START_TEST(all_kinds)
{
    int seen[CAIRN_LAYER_NONE + 1] = {0};
    for (int i = 0; i < net_count; i++) {
        struct cairn_model *model;
        ck_assert_int_eq(net_model(nets[i].lines, nets[i].in, nets[i].classes, &model), CAIRN_OK);
        for (int n = 0; n < model->node_count; n++) seen[model->nodes[n].layer.kind] = 1;
        cairn_model_destroy(model);
    }
    for (int kind = 0; kind <= CAIRN_LAYER_NONE; kind++)
        ck_assert_msg(seen[kind], "no net has a layer of kind %d", kind);
}
END_TEST

/* The layer of the step before `s` that wrote the tensor; that of a sum: -1. */
static int writer(const struct cairn_plan *plan, int s, int tensor)
{
    while (--s >= 0) {
        const struct cairn_step *step = &plan->steps[s];
        const struct cairn_operand *operands = cairn_schema_of(step->problem.op)->operands;
        for (int o = 0; operands[o].name; o++)
            if (operands[o].role == CAIRN_OUT && step->tensors[o] == tensor)
                return step->problem.op == CAIRN_OP_ADD       ? -1
                       : step->problem.op == CAIRN_OP_SOFTMAX ? 1000
                                                              : step->layer;
    }
    return -1;
}

/* Terms of a gradient are added as they come, so that three have one sum: x is what later layers
 * gave, b the term of an earlier one. */
START_TEST(later_terms_first)
{
    static const char *const names[] = {"residual", "twins"};
    const struct net *net = net_find(names[_i]);
    struct bench b;
    struct cairn_plan_options options = bench_options(net, CAIRN_PLAN_TRAIN, net->batch, 0);
    bench_open(&b, net, &options, 1, "reference");
    const struct cairn_plan *plan = b.plans[0];
    int s = 0, compared = 0, chains = 0;
    while (plan->steps[s].problem.op != CAIRN_OP_SOFTMAX) s++;
    for (; s < plan->step_count; s++) {
        const struct cairn_step *step = &plan->steps[s];
        if (step->problem.op != CAIRN_OP_ADD) continue;
        int x = writer(plan, s, step->tensors[0]), term = writer(plan, s, step->tensors[1]);
        chains += x < 0;
        if (x < 0 || term < 0) continue; /* sums, handed on by an addition */
        ck_assert_msg(x >= term, "%s, layer %d: %d + %d", net->name, step->layer, x, term);
        compared += x > term;
    }
    ck_assert_msg(compared > 0 && chains > 0, "%d sums, %d chains", compared, chains);
    bench_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gradients");
    TCase *tc = tcase_create("gradients");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, gradients, 0, net_count);
    tcase_add_test(tc, all_kinds);
    tcase_add_loop_test(tc, later_terms_first, 0, 2);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
