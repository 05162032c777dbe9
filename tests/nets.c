#include "nets.h"

#include "base/error.h"
#include "base/random.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LAYERS 160

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
static const char *const plainest[] = {"linear 4", NULL};
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
/* Outputs with several readers: a branch around one and around three layers, one output added
 * twice, one added to itself. */
static const char *const residual[] = {"conv 4 3x3 pad=1 as=a",
                                       "tanh as=t",
                                       "conv 4 3x3 pad=1 init=normal(0,0.2)",
                                       "add a as=r",
                                       "softplus as=s",
                                       "conv 4 3x3 pad=1 from=t bias=no",
                                       "add s",
                                       "add s as=z",
                                       "add z",
                                       "sigmoid",
                                       "add r",
                                       "linear 5",
                                       NULL};
/* An addition gives its gradient to two branches that would both work on it in place; the images
 * are an operand. */
static const char *const twins[] = {"linear 6 bias=no as=x",
                                    "tanh as=u",
                                    "sigmoid from=x",
                                    "add u",
                                    "none as=same",
                                    "add input",
                                    "gelu as=g",
                                    "dropout 0.25",
                                    "add g",
                                    "flatten",
                                    "add same as=w",
                                    "silu from=x as=v",
                                    "dropout 0.4",
                                    "batchnorm",
                                    "add v",
                                    "add w",
                                    "add x",
                                    "linear 4",
                                    NULL};
/* Branches that begin below everything that trains need no gradient. */
static const char *const roots[] = {"tanh as=p",
                                    "maxpool 3 stride=1 pad=1 as=q",
                                    "conv 2 3x3 pad=1 from=p bias=no",
                                    "add p",
                                    "batchnorm",
                                    "add q",
                                    "add input as=m",
                                    "softplus from=q",
                                    "add m",
                                    "linear 3",
                                    NULL};
static const char *const normed[] = {"batchnorm",
                                     "conv 3 3x3 pad=1 bias=no",
                                     "batchnorm momentum=0.3",
                                     "tanh",
                                     "conv 4 2x2 stride=2",
                                     "batchnorm epsilon=0.01",
                                     "sigmoid",
                                     "linear 5",
                                     "batchnorm",
                                     "elu",
                                     "linear 3",
                                     NULL};
/* Pools of relu: of a product's, of a norm's, and of one that something else reads, too. */
static const char *const pooled[] = {"conv 4 3x3 pad=1",
                                     "relu",
                                     "maxpool 3 stride=2 pad=1",
                                     "conv 3 2x2 pad=1",
                                     "batchnorm",
                                     "relu",
                                     "maxpool 2 stride=1",
                                     "conv 4 3x3 pad=1",
                                     "relu as=r",
                                     "maxpool 3 stride=1 pad=1",
                                     "add r",
                                     "linear 5",
                                     NULL};
static const char *const grouped[] = {"conv 6 3x3 groups=2 pad=same dilation=2x1",
                                      "tanh",
                                      "conv 6 3x3 groups=6 pad=1",
                                      "silu",
                                      "avgpool 2 stride=1 pad=1",
                                      "conv 9 2x2 groups=3 dilation=1x2 bias=no",
                                      "sigmoid as=g",
                                      "avgpool 3 stride=2 pad=1,0,1,2 count_pad=yes",
                                      "conv 4 1x1",
                                      "avgpool global",
                                      "logsoftmax",
                                      NULL};
static const char *const transposed[] = {"convtranspose 3 2x3 stride=2 extra=1x0",
                                         "tanh",
                                         "conv 2 3x3 stride=2 pad=1",
                                         "gelu",
                                         "convtranspose 4 3x2 stride=2x3 pad=1,0,0,1 extra=1x2",
                                         "sigmoid",
                                         "convtranspose 2 2x2 dilation=2x1 bias=no",
                                         "maxpool global",
                                         "linear 4",
                                         "none",
                                         NULL};
static const char *const probable[] = {"conv 3 2x2",
                                       "softmax as=p",
                                       "conv 3 1x1 init=normal(0,2)",
                                       "logsoftmax",
                                       "add p",
                                       "linear 6 init=normal(0,0.1)",
                                       "softmax",
                                       "linear 4 init=normal(0,4)",
                                       "softmax",
                                       NULL};
/* The last softmax is the loss's own, and somebody else's, too. */
static const char *const twice[] = {
    "linear 3 as=z", "softmax as=p", "linear 3 from=z", "add p", "flatten", "softmax", NULL};

#define CE CAIRN_PLAN_CROSS_ENTROPY
const struct net nets[] = {
    {"smooth", smooth, {2, 7, 6}, 3, 3, CE, 0, 0, 1},
    {"kinked", kinked, {1, 6, 7}, 5, 4, CE, 0, 0, 1},
    {"plainest", plainest, {3, 2, 2}, 4, 1, CE, 0, 0, 0},
    {"bent", bent, {2, 5, 6}, 10, 3, CE, 0, 0, 0},
    {"residual", residual, {2, 4, 5}, 5, 4, CE, 0, 0, 0},
    {"twins", twins, {6, 1, 1}, 4, 4, CE, 0, 0, 0},
    {"roots", roots, {2, 4, 3}, 3, 4, CE, 0.1f, 0, 0},
    {"normed", normed, {2, 5, 6}, 3, 4, CE, 0, 1, 0},
    {"pooled", pooled, {1, 5, 4}, 5, 3, CE, 0, 0, 1},
    {"grouped", grouped, {4, 6, 5}, 4, 4, CE, 0.2f, 1, 1},
    {"transposed", transposed, {2, 3, 4}, 4, 4, CAIRN_PLAN_MSE, 0, 1, 0},
    {"probable", probable, {1, 4, 3}, 4, 4, CAIRN_PLAN_MSE, 0, 0, 0},
    {"twice", twice, {5, 1, 1}, 3, 4, CE, 0, 0, 0},
    {"perceptron", smooth, {2, 7, 6}, 3, 3, CAIRN_PLAN_PERCEPTRON, 0, 1, 1},
};
const int net_count = (int)(sizeof nets / sizeof *nets);

const struct net *net_find(const char *name)
{
    for (int i = 0; i < net_count; i++)
        if (!strcmp(nets[i].name, name)) return &nets[i];
    ck_abort_msg("there is no net %s", name);
}

cairn_status net_model(const char *const *lines, struct cairn_shape in, int64_t classes,
                       struct cairn_model **model)
{
    static struct cairn_layer layers[MAX_LAYERS];
    struct cairn_init_rules rules = {.fallback = {CAIRN_INIT_XAVIER, 0, 0}};
    int count = 0;
    for (; lines[count]; count++) {
        ck_assert_int_lt(count, MAX_LAYERS);
        ck_assert_msg(cairn_layer_parse(lines[count], &layers[count], NULL) == CAIRN_OK, "%s",
                      cairn_error());
    }
    return cairn_model_create(layers, count, in, classes, &rules, model);
}

struct cairn_plan_options bench_options(const struct net *net, enum cairn_plan_kind kind,
                                        int64_t batch, int plain)
{
    return (struct cairn_plan_options){
        .kind = kind,
        .batch = batch,
        .total = BENCH_TOTAL,
        .shift = 128.0f,
        .scale = 1.0f / 64.0f,
        .seed = 5,
        .plain = plain,
        .loss = net->loss,
        .smoothing = net->smoothing,
        .weighted = net->weighted,
        .update = cairn_problem_default(CAIRN_OP_SGD),
    };
}

static void set(struct bench *b, enum cairn_region region, const void *data, int64_t bytes)
{
    ck_assert_msg(cairn_buffer_write(b->memory.buffers[region], 0, data, (size_t)bytes) == CAIRN_OK,
                  "%s", cairn_error());
}

static void fill(struct bench *b, enum cairn_region region, uint32_t pattern)
{
    struct cairn_buffer *buffer = b->memory.buffers[region];
    ck_assert_msg(cairn_buffer_fill(buffer, 0, cairn_buffer_bytes(buffer), pattern) == CAIRN_OK,
                  "%s", cairn_error());
}

static void fill_memory(struct bench *b, int64_t item, int64_t classes)
{
    uint8_t *table = malloc((size_t)(BENCH_TOTAL * item)), labels[BENCH_TOTAL];
    int32_t indices[BENCH_TOTAL];
    float weights[64];
    for (int64_t i = 0; i < BENCH_TOTAL * item; i++)
        table[i] = (uint8_t)cairn_random_u32(3, 1, 1, (uint64_t)i);
    for (int i = 0; i < BENCH_TOTAL; i++) {
        labels[i] = (uint8_t)cairn_random_below(3, 2, 1, (uint64_t)i, (uint32_t)classes);
        indices[i] = (i * 5 + 3) % BENCH_TOTAL;
    }
    for (int64_t i = 0; i < classes; i++) weights[i] = 0.5f + 0.5f * (float)i;
    set(b, CAIRN_REGION_TABLE, table, BENCH_TOTAL * item);
    set(b, CAIRN_REGION_LABELS, labels, BENCH_TOTAL);
    set(b, CAIRN_REGION_INDICES, indices, sizeof indices);
    set(b, CAIRN_REGION_CLASS_WEIGHTS, weights, classes * 4);
    for (int r = CAIRN_REGION_GRADS; r <= CAIRN_REGION_SUMS; r++) fill(b, (enum cairn_region)r, 0);
    /* What nobody writes must not matter. */
    fill(b, CAIRN_REGION_ARENA, 0x7fc00000);
    free(table);
}

void bench_open(struct bench *b, const struct net *net, const struct cairn_plan_options *options,
                int count, const char *device)
{
    const struct cairn_augment *a = &options[0].augment;
    int64_t item = a->h > 0 ? a->c * a->h * a->w : cairn_shape_count(net->in), arena = 1;
    memset(b, 0, sizeof *b);
    ck_assert_msg(net_model(net->lines, net->in, net->classes, &b->model) == CAIRN_OK, "%s",
                  cairn_error());
    ck_assert_msg(cairn_device_open(device, NULL, &b->device) == CAIRN_OK, "%s", cairn_error());
    for (int i = 0; i < count; i++) {
        ck_assert_msg(cairn_plan_create(b->model, &options[i], b->device, &b->plans[i]) == CAIRN_OK,
                      "%s: %s", net->name, cairn_error());
        if (b->plans[i]->arena_floats > arena) arena = b->plans[i]->arena_floats;
    }
    int64_t flat = b->model->flat_floats * 4, total = b->model->total_floats * 4;
    const int64_t bytes[CAIRN_REGION_COUNT] = {
        [CAIRN_REGION_PARAMS] = total,
        [CAIRN_REGION_GRADS] = flat,
        [CAIRN_REGION_MOMENT1] = flat,
        [CAIRN_REGION_MOMENT2] = flat,
        [CAIRN_REGION_SUMS] = flat,
        [CAIRN_REGION_CLASS_WEIGHTS] = net->classes * 4,
        [CAIRN_REGION_ARENA] = arena * 4,
        [CAIRN_REGION_TABLE] = BENCH_TOTAL * item,
        [CAIRN_REGION_LABELS] = BENCH_TOTAL,
        [CAIRN_REGION_INDICES] = BENCH_TOTAL * 4,
        [CAIRN_REGION_LOSS] = BENCH_TOTAL * 4,
        [CAIRN_REGION_CORRECT] = BENCH_TOTAL * 4,
        [CAIRN_REGION_LOGITS] = BENCH_TOTAL * net->classes * 4,
    };
    ck_assert_msg(cairn_memory_create(b->device, bytes, &b->memory) == CAIRN_OK, "%s",
                  cairn_error());
    b->flat = malloc((size_t)total);
    b->grads = malloc((size_t)flat);
    cairn_model_init(b->model, 11, b->flat);
    fill_memory(b, item, net->classes);
}

void bench_close(struct bench *b)
{
    cairn_memory_free(&b->memory);
    for (int i = 0; i < BENCH_PLANS; i++) cairn_plan_destroy(b->plans[i]);
    cairn_device_close(b->device);
    cairn_model_destroy(b->model);
    free(b->flat);
    free(b->grads);
}

float *bench_read(const struct bench *b, enum cairn_region region, int64_t *count)
{
    struct cairn_buffer *buffer = b->memory.buffers[region];
    size_t bytes = cairn_buffer_bytes(buffer);
    float *values = malloc(bytes);
    ck_assert_msg(cairn_buffer_read(buffer, 0, values, bytes) == CAIRN_OK, "%s", cairn_error());
    if (count) *count = (int64_t)(bytes / 4);
    return values;
}

double bench_run(struct bench *b, int plan, const struct cairn_now *now)
{
    float losses[BENCH_TOTAL];
    double sum = 0;
    int64_t batch = b->plans[plan]->batch;
    set(b, CAIRN_REGION_PARAMS, b->flat, b->model->total_floats * 4);
    ck_assert_msg(cairn_plan_run(b->plans[plan], b->device, &b->memory, now) == CAIRN_OK, "%s",
                  cairn_error());
    ck_assert_int_eq(
        cairn_buffer_read(b->memory.buffers[CAIRN_REGION_LOSS], 0, losses, sizeof losses),
        CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_read(b->memory.buffers[CAIRN_REGION_GRADS], 0, b->grads,
                                       (size_t)b->model->flat_floats * 4),
                     CAIRN_OK);
    for (int64_t i = 0; i < batch; i++) sum += losses[now->row + i];
    return sum / (double)batch;
}
