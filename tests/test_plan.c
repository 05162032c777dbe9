/* Plans: lives and places by brute force, fusion bit for bit, what an evaluation keeps, where the
 * outputs lie, and that a step allocates nothing. */
#include "base/error.h"
#include "device/schema.h"
#include "nets.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Calls to the allocator from the library and from here: the linker wraps them. */
static long allocations;
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}
void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}
void *__wrap_realloc(void *old, size_t size)
{
    allocations++;
    return __real_realloc(old, size);
}

static const char *const lenet[] = {"conv 6 5x5 pad=2", "maxpool 2", "conv 16 5x5", "maxpool 2",
                                    "linear 120",       "relu",      "linear 84",   "relu",
                                    "linear 10",        NULL};
static const char *const cnn[] = {
    "conv 8 5x5 pad=same", "relu",       "maxpool 2", "conv 16 3x3", "batchnorm",  "relu",
    "maxpool 2",           "linear 600", "relu",      "dropout 0.3", "linear 120", "relu",
    "linear 10",           NULL};
static const char *const blocks[] = {"conv 8 3x3 pad=1 bias=no",
                                     "batchnorm",
                                     "relu as=a",
                                     "conv 8 3x3 pad=1 bias=no",
                                     "batchnorm",
                                     "relu",
                                     "conv 8 3x3 pad=1 bias=no",
                                     "batchnorm",
                                     "add a",
                                     "relu as=b",
                                     "conv 16 3x3 pad=1 stride=2 bias=no",
                                     "batchnorm as=c",
                                     "conv 16 1x1 stride=2 bias=no from=b",
                                     "batchnorm",
                                     "add c",
                                     "relu",
                                     "avgpool global",
                                     "linear 10",
                                     NULL};
static const struct net large[] = {
    {"lenet", lenet, {1, 28, 28}, 10, 5, CAIRN_PLAN_CROSS_ENTROPY, 0, 0, 1},
    {"cnn", cnn, {1, 28, 28}, 10, 5, CAIRN_PLAN_CROSS_ENTROPY, 0, 0, 1},
    {"blocks", blocks, {3, 14, 14}, 10, 5, CAIRN_PLAN_CROSS_ENTROPY, 0, 0, 0},
};
#define LARGE 3

static const struct cairn_now now = {.index = 5, .row = BENCH_ROW, .step = 9, .rate = 0.1f};

START_TEST(fusion_keeps_bits)
{
    const struct net *net = &nets[_i];
    struct bench bench[2]; /* fused, plain */
    int64_t count;
    for (int plain = 0; plain < 2; plain++) {
        struct cairn_plan_options options = bench_options(net, CAIRN_PLAN_TRAIN, net->batch, plain);
        bench_open(&bench[plain], net, &options, 1, "reference");
    }
    int fewer = bench[0].plans[0]->step_count < bench[1].plans[0]->step_count;
    ck_assert_msg(fewer == net->fuses, "%s", net->name);
    size_t bytes = (size_t)bench[0].model->flat_floats * 4;
    for (int step = 0; step < 3; step++) {
        struct cairn_now at = {.index = step, .step = step, .rate = 0.1f};
        ck_assert(bench_run(&bench[0], 0, &at) == bench_run(&bench[1], 0, &at));
        ck_assert_int_eq(memcmp(bench[0].grads, bench[1].grads, bytes), 0);
        for (int plain = 0; plain < 2; plain++) {
            free(bench[plain].flat);
            bench[plain].flat = bench_read(&bench[plain], CAIRN_REGION_PARAMS, &count);
        }
        ck_assert_int_eq(memcmp(bench[0].flat, bench[1].flat, (size_t)count * 4), 0);
    }
    bench_close(&bench[0]);
    bench_close(&bench[1]);
}
END_TEST

/* In `pooled`, the pool of layer 6 takes relu along; the convolution before layer 2 relu and the
 * pool; layer 9 takes and is taken by nothing, since others read its input. */
START_TEST(pools_take_relu)
{
    static const struct {
        enum cairn_plan_kind kind;
        int relus, gradients, pools, convolutions;
    } rows[] = {{CAIRN_PLAN_GRADIENT, 0, 1, 1, 1}, {CAIRN_PLAN_EVALUATE, 0, 0, 1, 1}};
    const struct net *net = net_find("pooled");
    for (int i = 0; i < 2; i++) {
        struct bench b;
        struct cairn_plan_options options = bench_options(net, rows[i].kind, net->batch, 0);
        int relus = 0, gradients = 0, pools = 0, convolutions = 0;
        bench_open(&b, net, &options, 1, "reference");
        for (int s = 0; s < b.plans[0]->step_count; s++) {
            const struct cairn_problem *p = &b.plans[0]->steps[s].problem;
            relus += p->op == CAIRN_OP_ACTIVATION;
            gradients += p->op == CAIRN_OP_ACTIVATION_GRAD;
            pools += p->op == CAIRN_OP_POOL && p->u.pool.act == CAIRN_ACT_RELU;
            convolutions += p->op == CAIRN_OP_CONV_POOL && p->u.conv.act == CAIRN_ACT_RELU &&
                            p->u.conv.pool_kh == 3 && p->u.conv.pool_stride_w == 2;
        }
        ck_assert_msg(relus == rows[i].relus && gradients == rows[i].gradients &&
                          pools == rows[i].pools && convolutions == rows[i].convolutions,
                      "%d: %d, %d, %d, %d", i, relus, gradients, pools, convolutions);
        bench_close(&b);
    }
}
END_TEST

static int in_arena(const struct cairn_plan *plan, int tensor)
{
    return plan->tensors[tensor].region == CAIRN_REGION_ARENA && plan->tensors[tensor].first >= 0;
}

/* Two arena tensors that live at the same time lie apart; returns the sum of all sizes. */
static int64_t check_apart(const struct cairn_plan *plan)
{
    int64_t sum = 0;
    for (int i = 0; i < plan->tensor_count; i++) {
        const struct cairn_tensor *t = &plan->tensors[i];
        if (!in_arena(plan, i)) continue;
        ck_assert_int_eq(t->offset % 64, 0);
        ck_assert(t->offset + t->count <= plan->arena_floats);
        sum += t->count;
        for (int j = 0; j < i; j++) {
            const struct cairn_tensor *u = &plan->tensors[j];
            if (!in_arena(plan, j) || t->last < u->first || u->last < t->first) continue;
            ck_assert(t->offset + t->count <= u->offset || u->offset + u->count <= t->offset);
        }
    }
    return sum;
}

/* Steps touch tensors within their lives and read only what was written; an operand fits its
 * tensor. Returns the most that lives at once. */
static int64_t check_steps(const struct cairn_plan *plan)
{
    char *written = calloc((size_t)plan->tensor_count, 1);
    int64_t peak = 0;
    for (int s = 0; s < plan->step_count; s++) {
        const struct cairn_step *step = &plan->steps[s];
        const struct cairn_operand *operands = cairn_schema_of(step->problem.op)->operands;
        int64_t live = 0;
        for (int pass = 0; pass < 2; pass++)
            for (int o = 0; operands[o].name; o++) {
                int t = step->tensors[o];
                if (t < 0) continue;
                ck_assert(s >= plan->tensors[t].first && s <= plan->tensors[t].last);
                if (operands[o].extent)
                    ck_assert_int_eq(operands[o].extent(&step->problem), plan->tensors[t].count);
                if (plan->tensors[t].region != CAIRN_REGION_ARENA) continue;
                if (operands[o].role == CAIRN_IN && pass == 0) ck_assert(written[t]);
                if (operands[o].role == CAIRN_OUT && pass == 1) written[t] = 1;
            }
        for (int t = 0; t < plan->tensor_count; t++)
            if (in_arena(plan, t) && plan->tensors[t].first <= s && s <= plan->tensors[t].last)
                live += plan->tensors[t].count;
        if (live > peak) peak = live;
    }
    free(written);
    return peak;
}

START_TEST(places)
{
    static const enum cairn_plan_kind kinds[] = {CAIRN_PLAN_TRAIN, CAIRN_PLAN_EVALUATE,
                                                 CAIRN_PLAN_ACCUMULATE};
    const struct net *net = _i < LARGE ? &large[_i] : &nets[_i - LARGE];
    for (int variant = 0; variant < 12; variant++) {
        struct bench b;
        enum cairn_plan_kind kind = kinds[variant % 3];
        struct cairn_plan_options options =
            bench_options(net, kind, variant / 3 % 2 ? 1 : 5, variant / 6);
        options.clip = 1.0f;
        bench_open(&b, net, &options, 1, "reference");
        const struct cairn_plan *plan = b.plans[0];
        int64_t sum = check_apart(plan), peak = check_steps(plan);
        ck_assert(plan->arena_floats >= peak);
        /* Places are reused: far below the sum, near the most that lives at once. */
        if (kind != CAIRN_PLAN_EVALUATE && _i < LARGE)
            ck_assert_msg((double)plan->arena_floats < 1.25 * (double)peak + 1024 &&
                              plan->arena_floats < sum,
                          "arena %lld, at once %lld, sum %lld", (long long)plan->arena_floats,
                          (long long)peak, (long long)sum);
        bench_close(&b);
    }
}
END_TEST

/* A net that works in place throughout: gathered images, two tensors, labels and little else. */
START_TEST(evaluation_is_small)
{
    static const char *const lines[] = {
        "conv 8 3x3 pad=1", "batchnorm", "relu as=a", "none", "dropout 0.5", "tanh",
        "conv 8 3x3 pad=1", "batchnorm", "elu",       "gelu", "linear 10",   NULL};
    const struct net net = {"small", lines, {8, 10, 10}, 10, 5, CAIRN_PLAN_CROSS_ENTROPY, 0, 0, 1};
    struct bench b;
    struct cairn_plan_options options = bench_options(&net, CAIRN_PLAN_EVALUATE, 5, 1);
    bench_open(&b, &net, &options, 1, "reference");
    int64_t image = 5 * 8 * 10 * 10;
    ck_assert_msg(b.plans[0]->arena_floats < 2 * image + 512, "%d floats",
                  (int)b.plans[0]->arena_floats);
    bench_close(&b);
}
END_TEST

static const char *const evaluated[] = {"smooth",   "residual",   "twice",
                                        "probable", "perceptron", "grouped"};

/* The loss of a row of outputs, without smoothing and class weights. */
static double loss_of(enum cairn_plan_loss loss, const float *z, int64_t classes, int label)
{
    double sum = 0, most = (double)z[0];
    for (int64_t j = 1; j < classes; j++)
        if ((double)z[j] > most) most = (double)z[j];
    if (loss == CAIRN_PLAN_PERCEPTRON) return most - (double)z[label];
    for (int64_t j = 0; j < classes; j++)
        sum += loss == CAIRN_PLAN_MSE
                   ? ((double)z[j] - (j == label)) * ((double)z[j] - (j == label)) / (double)classes
                   : exp((double)z[j] - most);
    return loss == CAIRN_PLAN_MSE ? sum : log(sum) - ((double)z[label] - most);
}

START_TEST(evaluation_keeps_logits)
{
    const struct net *net = net_find(evaluated[_i]);
    struct bench b;
    struct cairn_plan_options options = bench_options(net, CAIRN_PLAN_EVALUATE, 4, 0);
    bench_open(&b, net, &options, 1, "reference");
    bench_run(&b, 0, &now);
    int64_t classes = net->classes, count;
    float *logits = bench_read(&b, CAIRN_REGION_LOGITS, NULL),
          *loss = bench_read(&b, CAIRN_REGION_LOSS, NULL),
          *flat = bench_read(&b, CAIRN_REGION_PARAMS, &count);
    int32_t *correct = (int32_t *)(void *)bench_read(&b, CAIRN_REGION_CORRECT, NULL),
            *indices = (int32_t *)(void *)bench_read(&b, CAIRN_REGION_INDICES, NULL);
    uint8_t *labels = (uint8_t *)(void *)bench_read(&b, CAIRN_REGION_LABELS, NULL);
    for (int i = 0; i < 4; i++) {
        const float *z = &logits[(BENCH_ROW + i) * classes];
        int label = labels[indices[5 + i]], best = 0;
        for (int j = 1; j < (int)classes; j++)
            if (z[j] > z[best]) best = j;
        double want = loss_of(net->loss, z, classes, label);
        ck_assert_msg(fabs(want - (double)loss[BENCH_ROW + i]) < 1e-5, "%g, not %g",
                      (double)loss[BENCH_ROW + i], want);
        ck_assert_int_eq(correct[BENCH_ROW + i], best == label);
    }
    ck_assert_int_eq(memcmp(flat, b.flat, (size_t)count * 4), 0);
    free(logits);
    free(loss);
    free(flat);
    free(correct);
    free(indices);
    free(labels);
    bench_close(&b);
}
END_TEST

/* y = (x - running mean) / sqrt(running var + epsilon) gamma + beta, and training moves both. */
START_TEST(running_statistics)
{
    static const char *const lines[] = {"batchnorm momentum=0.25", "linear 3", NULL};
    const struct net net = {"norm", lines, {3, 1, 1}, 3, 4, CAIRN_PLAN_CROSS_ENTROPY, 0, 0, 0};
    static const float norm[4][3] = {
        {1.5f, -1, 0.5f}, {0.1f, 0.2f, 0.3f}, {0.5f, -0.25f, 1}, {4, 1, 9}};
    struct bench b;
    const struct cairn_plan_options options[] = {bench_options(&net, CAIRN_PLAN_EVALUATE, 4, 0),
                                                 bench_options(&net, CAIRN_PLAN_GRADIENT, 4, 0)};
    bench_open(&b, &net, options, 2, "reference");
    const struct cairn_node *node = &b.model->nodes[0];
    const int numbers[4] = {node->weight, node->bias, node->mean, node->var};
    for (int i = 0; i < 4; i++)
        memcpy(b.flat + b.model->params[numbers[i]].offset, norm[i], sizeof norm[i]);
    bench_run(&b, 0, &now);
    float *logits = bench_read(&b, CAIRN_REGION_LOGITS, NULL);
    uint8_t *table = (uint8_t *)(void *)bench_read(&b, CAIRN_REGION_TABLE, NULL);
    int32_t *indices = (int32_t *)(void *)bench_read(&b, CAIRN_REGION_INDICES, NULL);
    const float *w = b.flat + b.model->params[b.model->nodes[1].weight].offset;
    double sum[3] = {0}, squares[3] = {0};
    for (int i = 0; i < 4; i++) {
        double z[3] = {0};
        for (int c = 0; c < 3; c++) {
            double x = (table[indices[now.index + i] * 3 + c] - 128.0) / 64.0;
            double y =
                (x - (double)norm[2][c]) / sqrt((double)norm[3][c] + 1e-5) * (double)norm[0][c] +
                (double)norm[1][c];
            for (int j = 0; j < 3; j++) z[j] += (double)w[j * 3 + c] * y;
            sum[c] += x;
            squares[c] += x * x;
        }
        for (int j = 0; j < 3; j++)
            ck_assert(fabs(z[j] - (double)logits[(BENCH_ROW + i) * 3 + j]) < 1e-5);
    }
    bench_run(&b, 1, &now);
    float *flat = bench_read(&b, CAIRN_REGION_PARAMS, NULL);
    for (int c = 0; c < 3; c++) {
        double mean = sum[c] / 4, var = (squares[c] - 4 * mean * mean) / 3;
        const float *moved[2] = {flat + b.model->params[node->mean].offset,
                                 flat + b.model->params[node->var].offset};
        ck_assert(fabs((double)moved[0][c] - (0.75 * (double)norm[2][c] + 0.25 * mean)) < 1e-5);
        ck_assert(fabs((double)moved[1][c] - (0.75 * (double)norm[3][c] + 0.25 * var)) < 1e-5);
    }
    free(logits);
    free(table);
    free(indices);
    free(flat);
    bench_close(&b);
}
END_TEST

/* Runs step by step and keeps each node's output after the node's last forward step; NULL where the
 * plan has none. */
static void collect_outputs(struct bench *b, float **outputs)
{
    const struct cairn_plan *plan = b->plans[0];
    const struct cairn_model *m = b->model;
    int loss = 0, forward = 0;
    while (plan->steps[loss].problem.op != CAIRN_OP_SOFTMAX || plan->steps[loss].layer >= 0) loss++;
    bench_run(b, 0, &now); /* writes the parameters */
    for (int s = 0; s < loss; s++) {
        struct cairn_problem problem;
        cairn_plan_problem(plan, &b->memory, &now, s, &problem);
        ck_assert_msg(cairn_run(b->device, &problem) == CAIRN_OK, "%s", cairn_error());
        int next = plan->steps[s + 1].layer < 0 ? m->node_count : plan->steps[s + 1].layer;
        if (next == plan->steps[s].layer) continue;
        for (; forward < next; forward++) {
            int t = cairn_plan_output(plan, forward);
            outputs[forward] = NULL;
            if (t < 0) continue;
            const struct cairn_tensor *tensor = &plan->tensors[t];
            ck_assert_int_eq(tensor->count, plan->batch * cairn_shape_count(m->nodes[forward].out));
            outputs[forward] = malloc((size_t)tensor->count * 4);
            ck_assert_int_eq(cairn_buffer_read(b->memory.buffers[tensor->region],
                                               (size_t)tensor->offset * 4, outputs[forward],
                                               (size_t)tensor->count * 4),
                             CAIRN_OK);
        }
    }
}

/* A plain plan has every output except a softmax that is the loss's; a fused one gives the same or
 * none. */
START_TEST(outputs)
{
    const struct net *net = &nets[_i];
    struct bench bench[2];
    float *values[2][32] = {{0}};
    int missing = 0;
    if (net->loss != CAIRN_PLAN_CROSS_ENTROPY) return;
    for (int plain = 0; plain < 2; plain++) {
        struct cairn_plan_options options =
            bench_options(net, CAIRN_PLAN_GRADIENT, net->batch, plain);
        bench_open(&bench[plain], net, &options, 1, "reference");
        collect_outputs(&bench[plain], values[plain]);
    }
    for (int i = 0; i < bench[1].model->node_count; i++) {
        const struct cairn_node *node = &bench[1].model->nodes[i];
        size_t bytes = (size_t)(net->batch * cairn_shape_count(node->out)) * 4;
        int ends =
            i + 1 == bench[1].model->node_count &&
            (node->layer.kind == CAIRN_LAYER_SOFTMAX || node->layer.kind == CAIRN_LAYER_LOGSOFTMAX);
        ck_assert_msg((values[1][i] == NULL) == ends, "%s: model[%d]", net->name, i);
        missing += !values[0][i] && !ends;
        if (values[0][i])
            ck_assert_msg(!memcmp(values[0][i], values[1][i], bytes), "%s: model[%d]", net->name,
                          i);
        free(values[0][i]);
        free(values[1][i]);
    }
    ck_assert_int_eq(missing > 0, net->fuses);
    bench_close(&bench[0]);
    bench_close(&bench[1]);
}
END_TEST

/* In `roots`, layers 0, 1 and 7 lie below everything that trains. */
START_TEST(no_gradient_for_nobody)
{
    const struct net *net = net_find("roots");
    struct bench b;
    struct cairn_plan_options options = bench_options(net, CAIRN_PLAN_TRAIN, net->batch, 0);
    bench_open(&b, net, &options, 1, "reference");
    const struct cairn_plan *plan = b.plans[0];
    int seen[CAIRN_OP_COUNT] = {0};
    for (int s = 0; s < plan->step_count; s++) {
        enum cairn_op op = plan->steps[s].problem.op;
        seen[op]++;
        ck_assert(op != CAIRN_OP_ACTIVATION_GRAD && op != CAIRN_OP_POOL_GRAD &&
                  op != CAIRN_OP_CONV_DATA);
    }
    ck_assert_int_eq(seen[CAIRN_OP_CONV_WEIGHTS], 1);
    ck_assert_int_eq(seen[CAIRN_OP_BATCHNORM_GRAD], 1);
    ck_assert_int_eq(seen[CAIRN_OP_ADD], 4); /* the layers; no gradient has two terms */
    bench_close(&b);
}
END_TEST

/* The first step of this layer and operator. */
static const struct cairn_problem *step_of(const struct cairn_plan *plan, int layer,
                                           enum cairn_op op)
{
    for (int s = 0; s < plan->step_count; s++)
        if (plan->steps[s].layer == layer && plan->steps[s].problem.op == op)
            return &plan->steps[s].problem;
    ck_abort_msg("layer %d has no %s", layer, cairn_op_name(op));
}

/* What no gradient can tell. */
START_TEST(settings_arrive)
{
    struct bench b;
    const struct net *net = net_find("grouped");
    struct cairn_plan_options options = bench_options(net, CAIRN_PLAN_TRAIN, net->batch, 1);
    bench_open(&b, net, &options, 1, "reference");
    for (int grad = 0; grad < 2; grad++) {
        enum cairn_op op = grad ? CAIRN_OP_POOL_GRAD : CAIRN_OP_POOL;
        const struct cairn_pool *first = &step_of(b.plans[0], 4, op)->u.pool,
                                *second = &step_of(b.plans[0], 7, op)->u.pool;
        ck_assert(first->kind == CAIRN_POOL_AVERAGE && first->count_pad == 0 && first->kh == 2);
        ck_assert(second->kind == CAIRN_POOL_AVERAGE && second->count_pad == 1);
        ck_assert(second->pad_t == 1 && second->pad_b == 0 && second->pad_l == 1 &&
                  second->pad_r == 2 && second->stride_w == 2);
    }
    const struct cairn_conv *conv = &step_of(b.plans[0], 0, CAIRN_OP_CONV)->u.conv;
    ck_assert(conv->groups == 2 && conv->dilation_h == 2 && conv->dilation_w == 1);
    bench_close(&b);

    net = net_find("normed");
    for (int kind = CAIRN_PLAN_TRAIN; kind <= CAIRN_PLAN_EVALUATE; kind++) {
        options = bench_options(net, (enum cairn_plan_kind)kind, net->batch, 1);
        bench_open(&b, net, &options, 1, "reference");
        const struct cairn_problem *norm = step_of(b.plans[0], 5, CAIRN_OP_BATCHNORM);
        ck_assert(norm->u.batchnorm.inference == (kind == CAIRN_PLAN_EVALUATE));
        if (kind == CAIRN_PLAN_EVALUATE) {
            ck_assert(norm->u.batchnorm.epsilon == 0.01f);
        } else {
            norm = step_of(b.plans[0], 5, CAIRN_OP_BATCHNORM_STATS);
            ck_assert(norm->u.batchnorm_stats.epsilon == 0.01f);
            ck_assert(norm->u.batchnorm_stats.momentum == 0.1f);
        }
        bench_close(&b);
    }
}
END_TEST

START_TEST(running_allocates_nothing)
{
    const struct net *net = &nets[_i];
    static const enum cairn_plan_kind kinds[] = {CAIRN_PLAN_TRAIN, CAIRN_PLAN_EVALUATE};
    for (int k = 0; k < 2; k++) {
        struct bench b;
        struct cairn_plan_options options = bench_options(net, kinds[k], net->batch, 0);
        options.clip = 1.0f;
        bench_open(&b, net, &options, 1, "reference");
        bench_run(&b, 0, &now);
        size_t bytes = cairn_device_bytes(b.device);
        long before = allocations;
        cairn_status st = cairn_plan_run(b.plans[0], b.device, &b.memory, &now);
        long after = allocations; /* the assertions allocate */
        ck_assert_int_eq(st, CAIRN_OK);
        ck_assert_int_eq(after, before);
        ck_assert_uint_eq(cairn_device_bytes(b.device), bytes);
        bench_close(&b);
        ck_assert_int_gt(before, 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan");
    TCase *tc = tcase_create("plan");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, fusion_keeps_bits, 0, net_count);
    tcase_add_test(tc, pools_take_relu);
    tcase_add_loop_test(tc, places, 0, LARGE + net_count);
    tcase_add_test(tc, evaluation_is_small);
    tcase_add_loop_test(tc, evaluation_keeps_logits, 0, sizeof evaluated / sizeof *evaluated);
    tcase_add_test(tc, running_statistics);
    tcase_add_loop_test(tc, outputs, 0, net_count);
    tcase_add_test(tc, no_gradient_for_nobody);
    tcase_add_test(tc, settings_arrive);
    tcase_add_loop_test(tc, running_allocates_nothing, 0, net_count);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
