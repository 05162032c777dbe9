/* Models and plans: shapes and counts worked out by hand, lives and places by brute force, fusion
 * bit for bit, gradients by finite differences. */
#include "base/error.h"
#include "base/random.h"
#include "device/schema.h"
#include "nn/plan.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LAYERS 24

static cairn_status make(const char *const *lines, struct cairn_shape in, int64_t classes,
                         struct cairn_model **model)
{
    struct cairn_layer layers[MAX_LAYERS];
    struct cairn_init_rules rules = {.fallback = {CAIRN_INIT_XAVIER, 0, 0}};
    int count = 0;
    while (lines[count]) {
        ck_assert_msg(cairn_layer_parse(lines[count], &layers[count], NULL) == CAIRN_OK, "%s",
                      cairn_error());
        count++;
    }
    return cairn_model_create(layers, count, in, classes, &rules, model);
}

static const char *const lenet[] = {"conv 6 5x5 pad=2", "maxpool 2", "conv 16 5x5", "maxpool 2",
                                    "linear 120",       "relu",      "linear 84",   "relu",
                                    "linear 10",        NULL};
static const char *const cnn[] = {"conv 8 5x5 pad=same",
                                  "relu",
                                  "maxpool 2",
                                  "conv 16 3x3",
                                  "relu",
                                  "maxpool 2",
                                  "linear 600",
                                  "relu",
                                  "dropout 0.3",
                                  "linear 120",
                                  "relu",
                                  "linear 10",
                                  NULL};
static const char *const strided[] = {"conv 4 3x3 stride=2 pad=same",
                                      "maxpool 3 stride=2 pad=1,0,0,1",
                                      "none",
                                      "flatten",
                                      "linear 10 bias=no",
                                      NULL};

static void shape_is(const struct cairn_model *m, int layer, int64_t c, int64_t h, int64_t w)
{
    const struct cairn_shape *s = &m->nodes[layer].out;
    ck_assert_msg(s->c == c && s->h == h && s->w == w, "layer %d: %dx%dx%d", layer, (int)s->c,
                  (int)s->h, (int)s->w);
}

START_TEST(shapes)
{
    struct cairn_model *m;
    ck_assert_int_eq(make(lenet, (struct cairn_shape){1, 28, 28}, 10, &m), CAIRN_OK);
    shape_is(m, 0, 6, 28, 28);
    shape_is(m, 1, 6, 14, 14);
    shape_is(m, 2, 16, 10, 10);
    shape_is(m, 3, 16, 5, 5);
    shape_is(m, 8, 10, 1, 1);
    ck_assert_int_eq(m->parameters, 61706); /* 156 + 2,416 + 48,120 + 10,164 + 850 */
    cairn_model_destroy(m);

    ck_assert_int_eq(make(cnn, (struct cairn_shape){1, 28, 28}, 10, &m), CAIRN_OK);
    shape_is(m, 0, 8, 28, 28);
    shape_is(m, 5, 16, 6, 6);
    ck_assert_int_eq(m->parameters, 420906); /* 208 + 1,168 + 346,200 + 72,120 + 1,210 */
    cairn_model_destroy(m);

    /* same with stride 2: ceil(7 / 2) = 4; (4 + 1 - 3) / 2 + 1 = 2 */
    ck_assert_int_eq(make(strided, (struct cairn_shape){3, 7, 8}, 10, &m), CAIRN_OK);
    shape_is(m, 0, 4, 4, 4);
    ck_assert_int_eq(m->nodes[0].layer.pad_t, 1);
    ck_assert_int_eq(m->nodes[0].layer.pad_b, 1);
    ck_assert_int_eq(m->nodes[0].layer.pad_l, 0);
    ck_assert_int_eq(m->nodes[0].layer.pad_r, 1);
    shape_is(m, 1, 4, 2, 2);
    shape_is(m, 3, 16, 1, 1);
    ck_assert_int_eq(m->parameters, 4 * 27 + 4 + 160);
    cairn_model_destroy(m);
}
END_TEST

START_TEST(flat_layout)
{
    struct cairn_model *m;
    ck_assert_int_eq(make(lenet, (struct cairn_shape){1, 28, 28}, 10, &m), CAIRN_OK);
    float *flat = malloc((size_t)m->flat_floats * sizeof *flat);
    unsigned char *owned = calloc((size_t)m->flat_floats, 1);
    for (int64_t i = 0; i < m->flat_floats; i++) flat[i] = NAN;
    cairn_model_init(m, 7, flat);
    for (int i = 0; i < m->param_count; i++) {
        const struct cairn_param *p = &m->params[i];
        ck_assert_int_eq(p->offset % 16, 0);
        ck_assert(p->kind == CAIRN_PARAM_BIAS ? p->offset >= m->weight_floats
                                              : p->offset + p->count <= m->weight_floats);
        double sum = 0, squares = 0;
        for (int64_t e = 0; e < p->count; e++) {
            ck_assert_int_eq(owned[p->offset + e], 0);
            owned[p->offset + e] = 1;
            sum += flat[p->offset + e];
            squares += (double)flat[p->offset + e] * flat[p->offset + e];
        }
        if (p->kind == CAIRN_PARAM_BIAS) ck_assert(squares == 0);
        if (p->count < 1000) continue;
        double n = (double)p->count, want = sqrt(2.0 / (double)(p->fan_in + p->fan_out));
        ck_assert_msg(fabs(sum / n) < 4 * want / sqrt(n), "%s: mean %g", p->name, sum / n);
        ck_assert_msg(fabs(sqrt(squares / n) / want - 1) < 4 / sqrt(2 * n),
                      "%s: deviation %g, not %g", p->name, sqrt(squares / n), want);
    }
    for (int64_t i = 0; i < m->flat_floats; i++)
        if (!owned[i]) ck_assert(flat[i] == 0.0f && !signbit(flat[i]));
    ck_assert_str_eq(m->params[0].name, "0.weight");
    ck_assert_str_eq(m->params[m->param_count - 1].name, "8.bias");
    free(flat);
    free(owned);
    cairn_model_destroy(m);
}
END_TEST

static const struct {
    const char *lines[6];
    const char *says;
} impossible[] = {
    {{"conv 8 5x5", "maxpool 30", "linear 10"},
     "model[1] 'maxpool 30' on its input 8x24x24: the kernel 30x30 is larger than the image 24x24"},
    {{"conv 8 29x3", "linear 10"},
     "model[0] 'conv 8 29x3' on its input 1x28x28: the kernel 29x3 is larger"},
    {{"linear 20", "conv 8 3x3 pad=0,1,0,1", "linear 10"},
     "model[1] 'conv 8 3x3 pad=0,1,0,1' on its input 20x1x1: the kernel 3x3 is larger than the "
     "padded image 2x2"},
    {{"linear 20"},
     "model[0] 'linear 20', the last layer, gives 20x1x1 numbers, but the data have 10 classes"},
    {{"linear 10", "conv 3 1x1"}, "model[1] 'conv 3 1x1', the last layer, gives 3x1x1"},
    {{"relu"}, "gives 1x28x28 numbers"},
    {{"linear 1048576", "linear 1048576", "linear 10"},
     "model[1] 'linear 1048576' on its input 1048576x1x1: more than 2^40 parameters"},
};

START_TEST(impossible_shapes)
{
    struct cairn_model *m;
    ck_assert_int_eq(make(impossible[_i].lines, (struct cairn_shape){1, 28, 28}, 10, &m),
                     CAIRN_INVALID);
    ck_assert_ptr_null(m);
    ck_assert_msg(strstr(cairn_error(), impossible[_i].says) != NULL, "%s", cairn_error());
}
END_TEST

START_TEST(nothing_to_train)
{
    static const char *const lines[] = {"relu", NULL};
    struct cairn_model *m;
    ck_assert_int_eq(make(lines, (struct cairn_shape){10, 1, 1}, 10, &m), CAIRN_INVALID);
    ck_assert_msg(strstr(cairn_error(), "nothing to train") != NULL, "%s", cairn_error());
}
END_TEST

/* --- running a plan on a few random images --- */

#define TOTAL 12
struct bench {
    struct cairn_model *model;
    struct cairn_device *device;
    struct cairn_plan *plan;
    struct cairn_memory memory;
    float *flat, *grads;
};

static struct cairn_plan_options options_for(enum cairn_plan_kind kind, int64_t batch, int plain)
{
    struct cairn_plan_options o = {.kind = kind,
                                   .batch = batch,
                                   .total = TOTAL,
                                   .shift = 128.0f,
                                   .scale = 1.0f / 64.0f,
                                   .seed = 5,
                                   .plain = plain};
    o.update = cairn_problem_default(CAIRN_OP_SGD);
    return o;
}

static void open_bench(struct bench *b, const char *const *lines, struct cairn_shape in,
                       int64_t classes, enum cairn_plan_kind kind, int64_t batch, int plain)
{
    struct cairn_plan_options options = options_for(kind, batch, plain);
    memset(b, 0, sizeof *b);
    ck_assert_msg(make(lines, in, classes, &b->model) == CAIRN_OK, "%s", cairn_error());
    ck_assert_msg(cairn_device_open("reference", NULL, &b->device) == CAIRN_OK, "%s",
                  cairn_error());
    ck_assert_msg(cairn_plan_create(b->model, &options, b->device, &b->plan) == CAIRN_OK, "%s",
                  cairn_error());
    int64_t item = cairn_shape_count(in), flat = b->model->flat_floats * 4;
    int64_t bytes[CAIRN_REGION_COUNT] = {
        [CAIRN_REGION_PARAMS] = flat,        [CAIRN_REGION_GRADS] = flat,
        [CAIRN_REGION_MOMENT1] = flat,       [CAIRN_REGION_ARENA] = b->plan->arena_floats * 4,
        [CAIRN_REGION_TABLE] = TOTAL * item, [CAIRN_REGION_LABELS] = TOTAL,
        [CAIRN_REGION_INDICES] = TOTAL * 4,  [CAIRN_REGION_LOSS] = TOTAL * 4,
        [CAIRN_REGION_CORRECT] = TOTAL * 4,  [CAIRN_REGION_LOGITS] = TOTAL * classes * 4,
    };
    ck_assert_msg(cairn_memory_create(b->device, bytes, &b->memory) == CAIRN_OK, "%s",
                  cairn_error());
    uint8_t *table = malloc((size_t)(TOTAL * item)), labels[TOTAL];
    int32_t indices[TOTAL];
    for (int64_t i = 0; i < TOTAL * item; i++)
        table[i] = (uint8_t)cairn_random_u32(3, 1, 1, (uint64_t)i);
    for (int i = 0; i < TOTAL; i++) {
        labels[i] = (uint8_t)cairn_random_below(3, 2, 1, (uint64_t)i, (uint32_t)classes);
        indices[i] = (i * 5 + 3) % TOTAL;
    }
    b->flat = malloc((size_t)flat);
    b->grads = malloc((size_t)flat);
    cairn_model_init(b->model, 11, b->flat);
    ck_assert_int_eq(
        cairn_buffer_write(b->memory.buffers[CAIRN_REGION_TABLE], 0, table, (size_t)(TOTAL * item)),
        CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_write(b->memory.buffers[CAIRN_REGION_LABELS], 0, labels, TOTAL),
                     CAIRN_OK);
    ck_assert_int_eq(
        cairn_buffer_write(b->memory.buffers[CAIRN_REGION_INDICES], 0, indices, sizeof indices),
        CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_fill(b->memory.buffers[CAIRN_REGION_GRADS], 0, (size_t)flat, 0),
                     CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_fill(b->memory.buffers[CAIRN_REGION_MOMENT1], 0, (size_t)flat, 0),
                     CAIRN_OK);
    /* What nobody writes must not matter. */
    ck_assert_int_eq(cairn_buffer_fill(b->memory.buffers[CAIRN_REGION_ARENA], 0,
                                       (size_t)b->plan->arena_floats * 4, 0x7fc00000),
                     CAIRN_OK);
    free(table);
}

static void close_bench(struct bench *b)
{
    cairn_memory_free(&b->memory);
    cairn_plan_destroy(b->plan);
    cairn_device_close(b->device);
    cairn_model_destroy(b->model);
    free(b->flat);
    free(b->grads);
}

/* The mean loss of one batch with these parameters, at learning rate 0; gradients go to b->grads.
 */
static double run(struct bench *b, float rate, int64_t index)
{
    size_t bytes = (size_t)b->model->flat_floats * 4;
    struct cairn_now now = {.index = index, .row = 2, .step = 9, .rate = rate};
    float loss[TOTAL];
    double sum = 0;
    ck_assert_int_eq(cairn_buffer_write(b->memory.buffers[CAIRN_REGION_PARAMS], 0, b->flat, bytes),
                     CAIRN_OK);
    ck_assert_msg(cairn_plan_run(b->plan, b->device, &b->memory, &now) == CAIRN_OK, "%s",
                  cairn_error());
    ck_assert_int_eq(cairn_buffer_read(b->memory.buffers[CAIRN_REGION_LOSS], 0, loss, sizeof loss),
                     CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_read(b->memory.buffers[CAIRN_REGION_GRADS], 0, b->grads, bytes),
                     CAIRN_OK);
    for (int64_t i = 0; i < b->plan->batch; i++) sum += loss[2 + i];
    return sum / (double)b->plan->batch;
}

static const char *const smooth[] = {"conv 3 3x2 stride=2x1 pad=1,0,2,1",
                                     "tanh",
                                     "maxpool 2 stride=1",
                                     "dropout 0.25",
                                     "conv 4 2x2 bias=no",
                                     "sigmoid",
                                     "none",
                                     "dropout 0",
                                     "flatten",
                                     "linear 7",
                                     "tanh",
                                     "dropout 0.5",
                                     "linear 3",
                                     NULL};
static const char *const kinked[] = {"maxpool 2 stride=1 pad=1",
                                     "tanh",
                                     "conv 4 3x3 pad=same",
                                     "relu",
                                     "maxpool 3 stride=2 pad=1,1,0,1",
                                     "relu",
                                     "dropout 0.3",
                                     "relu",
                                     "linear 6 bias=no",
                                     "relu",
                                     "tanh",
                                     "sigmoid",
                                     "linear 5",
                                     "flatten",
                                     NULL};
/* Each kind of activation whose gradient needs x after each of: the data, a product, itself, an
 * activation that needs y, dropout; and followed by what works in place. */
static const char *const bent[] = {"gelu",           "conv 3 3x3 pad=1",
                                   "gelu",           "dropout 0.2",
                                   "silu",           "elu",
                                   "gelu form=tanh", "softplus",
                                   "hardswish",      "maxpool 2",
                                   "linear 6",       "leakyrelu 0.3",
                                   "hardsigmoid",    "silu",
                                   "hardswish",      "elu 0.7",
                                   "linear 8",       "gelu form=tanh",
                                   "tanh",           "gelu",
                                   "linear 10",      NULL};
static const char *const plainest[] = {"linear 4", NULL};

static const struct {
    const char *const *lines;
    struct cairn_shape in;
    int64_t classes, batch;
} nets[] = {
    {smooth, {2, 7, 6}, 3, 3},
    {kinked, {1, 6, 7}, 5, 4},
    {plainest, {3, 2, 2}, 4, 1},
    {bent, {2, 5, 6}, 10, 3},
};

START_TEST(gradients)
{
    struct bench b;
    /* Small enough that no kink lies between: the arithmetic is the same everywhere, so it stays
     * so. */
    const float eps = _i == 1 ? 1.0f / 2048 : 1.0f / 512;
    open_bench(&b, nets[_i].lines, nets[_i].in, nets[_i].classes, CAIRN_PLAN_TRAIN, nets[_i].batch,
               0);
    size_t bytes = (size_t)b.model->flat_floats * 4;
    run(&b, 0, 4);
    float *analytic = malloc(bytes);
    memcpy(analytic, b.grads, bytes);
    double largest = 0;
    for (int i = 0; i < b.model->param_count; i++)
        for (int64_t e = 0; e < b.model->params[i].count; e++) {
            float *w = &b.flat[b.model->params[i].offset + e], kept = *w, up = kept + eps,
                  down = kept - eps;
            *w = up;
            double high = run(&b, 0, 4);
            *w = down;
            double low = run(&b, 0, 4);
            *w = kept;
            double numeric = (high - low) / ((double)up - (double)down),
                   given = analytic[b.model->params[i].offset + e];
            ck_assert_msg(fabs(numeric - given) < 3e-4 + 3e-3 * fabs(given),
                          "%s[%d]: %g by differences, %g given", b.model->params[i].name, (int)e,
                          numeric, given);
            if (fabs(given) > largest) largest = fabs(given);
        }
    ck_assert_msg(largest > 0.01, "no gradient to speak of: %g", largest);
    free(analytic);
    close_bench(&b);
}
END_TEST

START_TEST(fusion_keeps_bits)
{
    struct bench fused, plain;
    open_bench(&fused, nets[_i].lines, nets[_i].in, nets[_i].classes, CAIRN_PLAN_TRAIN,
               nets[_i].batch, 0);
    open_bench(&plain, nets[_i].lines, nets[_i].in, nets[_i].classes, CAIRN_PLAN_TRAIN,
               nets[_i].batch, 1);
    if (_i < 2)
        ck_assert_int_lt(fused.plan->step_count, plain.plan->step_count);
    else
        ck_assert_int_eq(fused.plan->step_count, plain.plan->step_count);
    size_t bytes = (size_t)fused.model->flat_floats * 4;
    for (int step = 0; step < 3; step++) {
        double a = run(&fused, 0.1f, step), b = run(&plain, 0.1f, step);
        ck_assert(a == b);
        ck_assert_int_eq(memcmp(fused.grads, plain.grads, bytes), 0);
        ck_assert_int_eq(
            cairn_buffer_read(fused.memory.buffers[CAIRN_REGION_PARAMS], 0, fused.flat, bytes),
            CAIRN_OK);
        ck_assert_int_eq(
            cairn_buffer_read(plain.memory.buffers[CAIRN_REGION_PARAMS], 0, plain.flat, bytes),
            CAIRN_OK);
        ck_assert_int_eq(memcmp(fused.flat, plain.flat, bytes), 0);
    }
    close_bench(&fused);
    close_bench(&plain);
}
END_TEST

/* Each pair of arena tensors that live at the same time lies apart, and everything that a step
 * touches was written before. */
START_TEST(places)
{
    static const char *const *const all[] = {lenet, cnn, strided, bent};
    struct cairn_shape in =
        _i == 2 ? (struct cairn_shape){3, 7, 8} : (struct cairn_shape){1, 28, 28};
    for (int variant = 0; variant < 8; variant++) {
        struct bench b;
        open_bench(&b, all[_i], in, 10, variant & 1 ? CAIRN_PLAN_TRAIN : CAIRN_PLAN_EVALUATE,
                   variant & 2 ? 1 : 5, variant & 4);
        const struct cairn_plan *plan = b.plan;
        int64_t sum = 0, step_peak = 0;
        for (int i = 0; i < plan->tensor_count; i++) {
            const struct cairn_tensor *t = &plan->tensors[i];
            if (t->region != CAIRN_REGION_ARENA || t->first < 0) continue;
            ck_assert_int_eq(t->offset % 64, 0);
            ck_assert(t->offset + t->count <= plan->arena_floats);
            sum += t->count;
            for (int j = 0; j < i; j++) {
                const struct cairn_tensor *u = &plan->tensors[j];
                if (u->region != CAIRN_REGION_ARENA || u->first < 0) continue;
                int together = 0;
                for (int s = 0; s < plan->step_count; s++)
                    together |= s >= t->first && s <= t->last && s >= u->first && s <= u->last;
                if (together)
                    ck_assert(t->offset + t->count <= u->offset ||
                              u->offset + u->count <= t->offset);
            }
        }
        char written[512] = {0};
        ck_assert_int_lt(plan->tensor_count, 512);
        for (int s = 0; s < plan->step_count; s++) {
            const struct cairn_operand *operands =
                cairn_schema_of(plan->steps[s].problem.op)->operands;
            int64_t live = 0;
            for (int pass = 0; pass < 2; pass++)
                for (int o = 0; operands[o].name; o++) {
                    int t = plan->steps[s].tensors[o];
                    if (t < 0 || plan->tensors[t].region != CAIRN_REGION_ARENA) continue;
                    ck_assert(s >= plan->tensors[t].first && s <= plan->tensors[t].last);
                    if (operands[o].role == CAIRN_IN && pass == 0) ck_assert(written[t]);
                    if (operands[o].role == CAIRN_OUT && pass == 1) written[t] = 1;
                }
            for (int t = 0; t < plan->tensor_count; t++)
                if (plan->tensors[t].region == CAIRN_REGION_ARENA && plan->tensors[t].first <= s &&
                    s <= plan->tensors[t].last)
                    live += plan->tensors[t].count;
            if (live > step_peak) step_peak = live;
        }
        ck_assert(plan->arena_floats >= step_peak);
        /* Places are reused: far below the sum, near the most that lives at once. */
        if (variant & 1)
            ck_assert_msg((double)plan->arena_floats < 1.25 * (double)step_peak + 1024 &&
                              (plan->arena_floats < sum || sum < 4096),
                          "arena %lld, at once %lld, sum %lld", (long long)plan->arena_floats,
                          (long long)step_peak, (long long)sum);
        close_bench(&b);
    }
}
END_TEST

START_TEST(evaluation_keeps_logits)
{
    struct bench b;
    open_bench(&b, smooth, (struct cairn_shape){2, 7, 6}, 3, CAIRN_PLAN_EVALUATE, 4, 0);
    float logits[TOTAL * 3], loss[TOTAL];
    uint8_t labels[TOTAL];
    int32_t correct[TOTAL], indices[TOTAL];
    run(&b, 0, 5);
    ck_assert_int_eq(
        cairn_buffer_read(b.memory.buffers[CAIRN_REGION_LOGITS], 0, logits, sizeof logits),
        CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_read(b.memory.buffers[CAIRN_REGION_LOSS], 0, loss, sizeof loss),
                     CAIRN_OK);
    ck_assert_int_eq(
        cairn_buffer_read(b.memory.buffers[CAIRN_REGION_CORRECT], 0, correct, sizeof correct),
        CAIRN_OK);
    ck_assert_int_eq(
        cairn_buffer_read(b.memory.buffers[CAIRN_REGION_LABELS], 0, labels, sizeof labels),
        CAIRN_OK);
    ck_assert_int_eq(
        cairn_buffer_read(b.memory.buffers[CAIRN_REGION_INDICES], 0, indices, sizeof indices),
        CAIRN_OK);
    for (int i = 0; i < 4; i++) {
        const float *z = &logits[(2 + i) * 3];
        int label = labels[indices[5 + i]], best = z[1] > z[0] ? 1 : 0;
        if (z[2] > z[best]) best = 2;
        double m = z[best], s = exp(z[0] - m) + exp(z[1] - m) + exp(z[2] - m);
        ck_assert(fabs(log(s) - (z[label] - m) - loss[2 + i]) < 1e-5);
        ck_assert_int_eq(correct[2 + i], best == label);
    }
    close_bench(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan");
    TCase *tc = tcase_create("plan");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, shapes);
    tcase_add_test(tc, flat_layout);
    tcase_add_loop_test(tc, impossible_shapes, 0, sizeof impossible / sizeof *impossible);
    tcase_add_test(tc, nothing_to_train);
    tcase_add_loop_test(tc, gradients, 0, 4);
    tcase_add_loop_test(tc, fusion_keeps_bits, 0, 4);
    tcase_add_loop_test(tc, places, 0, 4);
    tcase_add_test(tc, evaluation_keeps_logits);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
