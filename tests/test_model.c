/* Models: shapes and counts worked out by hand, the flat layout, initial values, and what is said
 * about what cannot be. */
#include "base/error.h"
#include "base/random.h"
#include "nets.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRAY                                                                                       \
    (struct cairn_shape)                                                                           \
    {                                                                                              \
        1, 28, 28                                                                                  \
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
static const char *const fashion_a[] = {"conv 4 3x3 pad=same", "batchnorm", "relu", "maxpool 2",
                                        "conv 4 3x3 pad=same", "batchnorm", "relu", "maxpool 2",
                                        "linear 10",           NULL};
static const char *const fashion_b[] = {
    "conv 32 3x3 pad=1x0", "relu", "maxpool 2", "linear 100", "relu", "linear 10", "softmax", NULL};
static const char *const fashion_c[] = {"conv 32 3x3 pad=1x0", "relu",       "maxpool 2",
                                        "conv 4 3x3 pad=same", "batchnorm",  "relu",
                                        "maxpool 2",           "linear 100", "leakyrelu",
                                        "dropout 0.2",         "linear 150", "leakyrelu",
                                        "dropout 0.2",         "linear 10",  NULL};

static struct cairn_model *make(const char *const *lines, struct cairn_shape in, int64_t classes)
{
    struct cairn_model *model;
    ck_assert_msg(net_model(lines, in, classes, &model) == CAIRN_OK, "%s", cairn_error());
    return model;
}

static void shape_is(const struct cairn_model *m, int layer, int64_t c, int64_t h, int64_t w)
{
    const struct cairn_shape *s = &m->nodes[layer].out;
    ck_assert_msg(s->c == c && s->h == h && s->w == w, "layer %d: %dx%dx%d", layer, (int)s->c,
                  (int)s->h, (int)s->w);
}

START_TEST(shapes)
{
    struct cairn_model *m = make(lenet, GRAY, 10);
    shape_is(m, 0, 6, 28, 28);
    shape_is(m, 1, 6, 14, 14);
    shape_is(m, 2, 16, 10, 10);
    shape_is(m, 3, 16, 5, 5);
    shape_is(m, 8, 10, 1, 1);
    ck_assert_int_eq(m->parameters, 61706); /* 156 + 2,416 + 48,120 + 10,164 + 850 */
    cairn_model_destroy(m);

    m = make(cnn, GRAY, 10);
    shape_is(m, 0, 8, 28, 28);
    shape_is(m, 5, 16, 6, 6);
    ck_assert_int_eq(m->parameters, 420906); /* 208 + 1,168 + 346,200 + 72,120 + 1,210 */
    cairn_model_destroy(m);

    /* same with stride 2: ceil(7 / 2) = 4; (4 + 1 - 3) / 2 + 1 = 2 */
    m = make(strided, (struct cairn_shape){3, 7, 8}, 10);
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

/* One layer on 6x9x8 and what it gives; the numbers are what is trained in it. */
static const struct {
    const char *line;
    struct cairn_shape out;
    int64_t parameters;
} layers[] = {
    {"conv 4 3x3 dilation=2", {4, 5, 4}, 4 * 54 + 4},
    {"conv 4 3x2 dilation=2x3 pad=same", {4, 9, 8}, 4 * 36 + 4},
    {"conv 4 3x3 dilation=3x1 stride=2 pad=1,2,0,1", {4, 3, 4}, 4 * 54 + 4},
    {"conv 6 3x3 groups=6 pad=1", {6, 9, 8}, 6 * 9 + 6},
    {"conv 9 3x3 groups=3 bias=no", {9, 7, 6}, 9 * 18},
    {"convtranspose 4 3x3", {4, 11, 10}, 6 * 36 + 4},
    {"convtranspose 4 3x2 stride=2", {4, 19, 16}, 6 * 24 + 4},
    {"convtranspose 4 3x3 stride=2 pad=1 extra=1", {4, 18, 16}, 6 * 36 + 4},
    {"convtranspose 5 2x3 stride=3x2 pad=1,0,2,1 extra=2x1 dilation=2x1 bias=no",
     {5, 28, 15},
     6 * 30},
    {"maxpool 2", {6, 4, 4}, 0},
    {"maxpool global", {6, 1, 1}, 0},
    {"avgpool 3x2 stride=2 pad=1", {6, 5, 5}, 0},
    {"avgpool global", {6, 1, 1}, 0},
    {"batchnorm", {6, 9, 8}, 12},
    {"softmax", {6, 9, 8}, 0},
    {"logsoftmax", {6, 9, 8}, 0},
    {"add input", {6, 9, 8}, 0},
    {"dropout 0.5", {6, 9, 8}, 0},
    {"gelu", {6, 9, 8}, 0},
    {"flatten", {432, 1, 1}, 0},
    {"linear 7", {7, 1, 1}, 432 * 7 + 7},
};

START_TEST(layer_shapes)
{
    const char *const lines[] = {layers[_i].line, "linear 2", NULL};
    struct cairn_shape out = layers[_i].out;
    struct cairn_model *m = make(lines, (struct cairn_shape){6, 9, 8}, 2);
    shape_is(m, 0, out.c, out.h, out.w);
    ck_assert_int_eq(m->parameters, layers[_i].parameters + 2 * out.c * out.h * out.w + 2);
    ck_assert(!m->nodes[0].layer.global && !m->nodes[0].layer.pad_same);
    if (strstr(layers[_i].line, "global")) {
        ck_assert_int_eq(m->nodes[0].layer.kh, 9);
        ck_assert_int_eq(m->nodes[0].layer.kw, 8);
    }
    cairn_model_destroy(m);
}
END_TEST

/* Parameters of each layer that has some, in order. */
static void counts_are(const char *const *lines, const int64_t *want)
{
    struct cairn_model *m = make(lines, GRAY, 10);
    int64_t sum = 0;
    for (int i = 0; i < m->node_count; i++) {
        const struct cairn_node *node = &m->nodes[i];
        if (node->weight < 0) continue;
        int64_t count = m->params[node->weight].count;
        if (node->bias >= 0) count += m->params[node->bias].count;
        ck_assert_msg(count == *want, "%s: %d parameters", node->layer.text, (int)count);
        sum += *want++;
    }
    ck_assert_int_eq(*want, 0);
    ck_assert_int_eq(m->parameters, sum);
    cairn_model_destroy(m);
}

START_TEST(published_counts)
{
    counts_are(fashion_a, (const int64_t[]){40, 8, 148, 8, 1970, 0});
    counts_are(fashion_b, (const int64_t[]){320, 582500, 1010, 0});
    counts_are(fashion_c, (const int64_t[]){320, 1156, 8, 16900, 15150, 1510, 0});
    struct cairn_model *m = make(fashion_b, GRAY, 10);
    shape_is(m, 0, 32, 28, 26);
    cairn_model_destroy(m);
}
END_TEST

/* He et al. 2016, for 32x32 images: three stages of three blocks, 16, 32 and 64 wide; where a stage
 * begins narrower, the shortcut is a 1x1 convolution with its norm. By hand: 432 + 32 for the first
 * layer, 6 2304 + 192, 4608 + 5 9216 + 384, 18432 + 5 36864 + 768 for the stages, 650 for the last
 * layer: 269,722. The two shortcuts are 512 + 64 and 2048 + 128 more: 272,474. */
START_TEST(resnet20)
{
    static char text[160][64];
    const char *lines[160] = {0};
    int n = 0;
#define LINE(...) (snprintf(text[n], sizeof *text, __VA_ARGS__), lines[n] = text[n], n++)
    LINE("conv 16 3x3 pad=1 bias=no");
    LINE("batchnorm");
    LINE("relu as=b0");
    for (int block = 0; block < 9; block++) {
        int width = 16 << (block / 3), stride = block == 3 || block == 6 ? 2 : 1;
        LINE("conv %d 3x3 pad=1 stride=%d bias=no", width, stride);
        LINE("batchnorm");
        LINE("relu");
        LINE("conv %d 3x3 pad=1 bias=no", width);
        LINE("batchnorm as=m%d", block);
        if (stride == 2) {
            LINE("conv %d 1x1 stride=2 bias=no from=b%d", width, block);
            LINE("batchnorm");
            LINE("add m%d", block);
        } else {
            LINE("add b%d", block);
        }
        LINE("relu as=b%d", block + 1);
    }
    LINE("avgpool global");
    LINE("linear 10");
#undef LINE
    struct cairn_model *m = make(lines, (struct cairn_shape){3, 32, 32}, 10);
    ck_assert_int_eq(m->parameters, 272474);
    shape_is(m, n - 3, 64, 8, 8);
    shape_is(m, n - 2, 64, 1, 1);
    ck_assert_int_eq(m->nodes[7].input, 6);
    ck_assert_int_eq(m->nodes[8].other, 2); /* the first block's sum */
    ck_assert_int_eq(m->param_count - m->trained_count, 2 * 21);
    cairn_model_destroy(m);
}
END_TEST

static const char *const mixed[] = {"conv 40 3x3 pad=1 init=he",
                                    "batchnorm",
                                    "conv 40 3x3 groups=4 init=he-uniform",
                                    "convtranspose 20 3x3 init=xavier-uniform",
                                    "batchnorm",
                                    "convtranspose 20 3x3 init=he bias=no",
                                    "linear 20 init=normal(0.5,0.25)",
                                    "linear 80 init=uniform(-0.25,0.75)",
                                    "linear 80 init=uniform",
                                    "linear 80 init=zero",
                                    "linear 20",
                                    NULL};

static int is_uniform(enum cairn_init_kind kind)
{
    return kind == CAIRN_INIT_UNIFORM || kind == CAIRN_INIT_HE_UNIFORM ||
           kind == CAIRN_INIT_XAVIER_UNIFORM;
}

/* Mean and deviation that the rule promises; from -span to span about the mean where uniform. */
static void promise(const struct cairn_param *p, double *mean, double *dev, double *span)
{
    double both = (double)(p->fan_in + p->fan_out);
    *mean = *dev = *span = 0;
    if (p->init.kind == CAIRN_INIT_HE) *dev = sqrt(2.0 / (double)p->fan_in);
    if (p->init.kind == CAIRN_INIT_XAVIER) *dev = sqrt(2.0 / both);
    if (p->init.kind == CAIRN_INIT_HE_UNIFORM) *span = sqrt(6.0 / (double)p->fan_in);
    if (p->init.kind == CAIRN_INIT_XAVIER_UNIFORM) *span = sqrt(6.0 / both);
    if (p->init.kind == CAIRN_INIT_NORMAL) {
        *mean = (double)p->init.mean;
        *dev = (double)p->init.dev;
    }
    if (p->init.kind == CAIRN_INIT_UNIFORM) {
        *mean = ((double)p->init.mean + (double)p->init.dev) / 2;
        *span = ((double)p->init.dev - (double)p->init.mean) / 2;
    }
    if (is_uniform(p->init.kind)) *dev = *span / sqrt(3.0);
}

static void check_values(const struct cairn_param *p, const float *values)
{
    double sum = 0, squares = 0, n = (double)p->count, mean, dev, span;
    if (p->init.kind == CAIRN_INIT_ONE || p->init.kind == CAIRN_INIT_ZERO) {
        for (int64_t e = 0; e < p->count; e++)
            ck_assert(values[e] == (p->init.kind == CAIRN_INIT_ONE ? 1.0f : 0.0f));
        return;
    }
    promise(p, &mean, &dev, &span);
    for (int64_t e = 0; e < p->count; e++) {
        double off = (double)values[e] - mean;
        ck_assert(!is_uniform(p->init.kind) || fabs(off) <= span * (1 + 1e-6));
        sum += off;
        squares += off * off;
    }
    ck_assert_msg(fabs(sum / n) < 4 * dev / sqrt(n), "%s: mean %g, not %g", p->name, mean + sum / n,
                  mean);
    ck_assert_msg(fabs(sqrt(squares / n) / dev - 1) < 4 / sqrt(2 * n), "%s: deviation %g, not %g",
                  p->name, sqrt(squares / n), dev);
}

START_TEST(flat_layout)
{
    struct cairn_model *m = make(_i ? mixed : lenet, GRAY, _i ? 20 : 10);
    float *flat = malloc((size_t)m->total_floats * sizeof *flat);
    unsigned char *owned = calloc((size_t)m->total_floats, 1);
    for (int64_t i = 0; i < m->total_floats; i++) flat[i] = NAN;
    cairn_model_init(m, 7, flat);
    for (int i = 0; i < m->param_count; i++) {
        const struct cairn_param *p = &m->params[i];
        int64_t end = p->offset + p->count;
        ck_assert_int_eq(p->offset % 16, 0);
        ck_assert_int_eq(i < m->trained_count, p->kind != CAIRN_PARAM_STATISTIC);
        if (p->kind == CAIRN_PARAM_WEIGHT)
            ck_assert(end <= m->weight_floats);
        else if (p->kind == CAIRN_PARAM_STATISTIC)
            ck_assert(p->offset >= m->flat_floats && end <= m->total_floats);
        else
            ck_assert(p->offset >= m->weight_floats && end <= m->flat_floats);
        for (int64_t e = p->offset; e < end; e++) {
            ck_assert_int_eq(owned[e], 0);
            owned[e] = 1;
        }
        check_values(p, flat + p->offset);
    }
    for (int64_t i = 0; i < m->total_floats; i++)
        if (!owned[i]) ck_assert(flat[i] == 0.0f && !signbit(flat[i]));
    free(flat);
    free(owned);
    cairn_model_destroy(m);
}
END_TEST

static void param_is(const struct cairn_model *m, int number, const char *name,
                     enum cairn_init_kind init, int64_t fan_in, int64_t fan_out)
{
    const struct cairn_param *p = &m->params[number];
    ck_assert_str_eq(p->name, name);
    ck_assert_int_eq(p->init.kind, init);
    ck_assert_int_eq(p->fan_in, fan_in);
    ck_assert_int_eq(p->fan_out, fan_out);
}

/* Names, fans and single values; the order is weights, biases and norms, statistics. */
START_TEST(parameters)
{
    struct cairn_model *m = make(mixed, GRAY, 20);
    param_is(m, 0, "0.weight", CAIRN_INIT_HE, 9, 360);
    param_is(m, 1, "2.weight", CAIRN_INIT_HE_UNIFORM, 90, 90);
    param_is(m, 2, "3.weight", CAIRN_INIT_XAVIER_UNIFORM, 360, 180);
    param_is(m, 3, "5.weight", CAIRN_INIT_HE, 180, 180);
    param_is(m, 4, "6.weight", CAIRN_INIT_NORMAL, 20 * 30 * 30, 20);
    param_is(m, 9, "0.bias", CAIRN_INIT_ZERO, 9, 360);
    param_is(m, 10, "1.weight", CAIRN_INIT_ONE, 0, 0);
    param_is(m, 11, "1.bias", CAIRN_INIT_ZERO, 0, 0);
    param_is(m, 21, "1.running_mean", CAIRN_INIT_ZERO, 0, 0);
    param_is(m, 22, "1.running_var", CAIRN_INIT_ONE, 0, 0);
    param_is(m, 24, "4.running_var", CAIRN_INIT_ONE, 0, 0);
    ck_assert_int_eq(m->param_count, 25);
    ck_assert(m->params[10].kind == CAIRN_PARAM_NORM && m->params[11].kind == CAIRN_PARAM_NORM);
    const int64_t *dims = m->params[2].dims; /* convtranspose: I,O,KH,KW */
    ck_assert(m->params[2].rank == 4 && dims[0] == 40 && dims[1] == 20 && dims[2] == 3);
    dims = m->params[1].dims; /* groups=4: O,I/4 */
    ck_assert(dims[0] == 40 && dims[1] == 10);
    ck_assert(m->nodes[4].weight == 14 && m->nodes[4].bias == 15 && m->nodes[4].mean == 23 &&
              m->nodes[4].var == 24);

    float *flat = malloc((size_t)m->total_floats * sizeof *flat);
    cairn_model_init(m, 7, flat);
    for (uint32_t e = 0; e < 100; e++) {
        float low = -sqrtf(6.0f / 90.0f),
              step = (-low - low) * cairn_random_uniform(7, CAIRN_STREAM_INIT + 2, 0, e);
        ck_assert(flat[m->params[1].offset + e] == low + step);
        step = 0.25f * cairn_random_normal(7, CAIRN_STREAM_INIT + 6, 0, e);
        ck_assert(flat[m->params[4].offset + e] == 0.5f + step);
    }
    free(flat);
    cairn_model_destroy(m);
}
END_TEST

/* The layer's own rule, else its kind's, else the fallback, else he. */
START_TEST(init_rules)
{
    static const char *const lines[] = {"conv 2 1x1", "convtranspose 2 1x1", "conv 2 1x1 init=zero",
                                        "linear 2", NULL};
    struct cairn_layer parsed[4];
    struct cairn_init_rules rules[3] = {
        {.fallback = {CAIRN_INIT_XAVIER, 0, 0}, .conv = {CAIRN_INIT_HE_UNIFORM, 0, 0}},
        {.fallback = {CAIRN_INIT_XAVIER, 0, 0}, .linear = {CAIRN_INIT_NORMAL, 0, 1}},
        {.conv = {CAIRN_INIT_UNIFORM, 0, 1}},
    };
    static const enum cairn_init_kind want[3][4] = {
        {CAIRN_INIT_HE_UNIFORM, CAIRN_INIT_HE_UNIFORM, CAIRN_INIT_ZERO, CAIRN_INIT_XAVIER},
        {CAIRN_INIT_XAVIER, CAIRN_INIT_XAVIER, CAIRN_INIT_ZERO, CAIRN_INIT_NORMAL},
        {CAIRN_INIT_UNIFORM, CAIRN_INIT_UNIFORM, CAIRN_INIT_ZERO, CAIRN_INIT_HE},
    };
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(cairn_layer_parse(lines[i], &parsed[i], NULL), CAIRN_OK);
    for (int r = 0; r < 3; r++) {
        struct cairn_model *m;
        ck_assert_int_eq(
            cairn_model_create(parsed, 4, (struct cairn_shape){1, 2, 2}, 2, &rules[r], &m),
            CAIRN_OK);
        for (int i = 0; i < 4; i++)
            ck_assert_int_eq(m->params[m->nodes[i].weight].init.kind, want[r][i]);
        cairn_model_destroy(m);
    }
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
    {{"conv 8 3x3 dilation=14", "linear 10"},
     "model[0] 'conv 8 3x3 dilation=14' on its input 1x28x28: the dilated kernel 29x29 is larger"},
    {{"linear 20"},
     "model[0] 'linear 20', the last layer, gives 20x1x1 numbers, but the data have 10 classes"},
    {{"linear 10", "conv 3 1x1"}, "model[1] 'conv 3 1x1', the last layer, gives 3x1x1"},
    {{"relu"}, "gives 1x28x28 numbers"},
    {{"linear 1048576", "linear 1048576", "linear 10"},
     "model[1] 'linear 1048576' on its input 1048576x1x1: more than 2^40 parameters"},
    {{"conv 9 1x1", "conv 4 3x3 groups=2", "linear 10"},
     "model[1] 'conv 4 3x3 groups=2' on its input 9x28x28: groups=2 does not divide its 9 "
     "channels"},
    {{"conv 1 28x28", "convtranspose 2 3x3 pad=1,2,0,0", "linear 10"},
     "model[1] 'convtranspose 2 3x3 pad=1,2,0,0' on its input 1x1x1: the padding leaves 0x3"},
    {{"convtranspose 1048576 1048576x1048576", "linear 10"},
     "the output would have more than 2^40 numbers"},
    {{"convtranspose 1338 1x1", "softmax", "linear 10"},
     "model[1] 'softmax' on its input 1338x28x28: more than 2^20 numbers in one softmax"},
    {{"linear 10 as=a", "tanh", "add b"},
     "model[2] 'add b': no output before it is named 'b' with as=; there are: input, a"},
    {{"linear 10 from=x"}, "there are: input"},
    {{"linear 10", "add b", "tanh as=b"},
     "model[1] 'add b': 'b' is the output of model[2] 'tanh as=b', which comes later"},
    {{"linear 10", "add b as=b"}, "model[1] 'add b as=b': 'b' is its own output"},
    {{"linear 10 as=b", "tanh", "add b as=b"},
     "model[2] 'add b as=b': model[0] 'linear 10 as=b' has the name 'b' already"},
    {{"linear 10 as=b", "linear 10", "add input"},
     "model[2] 'add input' on its input 10x1x1: 'input' is 1x28x28; both must have one shape"},
    {{"linear 20 as=b", "linear 10 as=c", "linear 10 from=b"},
     "model[1] 'linear 10 as=c': nothing takes its output, since model[2] 'linear 10 from=b' takes "
     "another"},
};

START_TEST(impossible_models)
{
    struct cairn_model *m;
    ck_assert_int_eq(net_model(impossible[_i].lines, GRAY, 10, &m), CAIRN_INVALID);
    ck_assert_ptr_null(m);
    ck_assert_msg(strstr(cairn_error(), impossible[_i].says) != NULL, "%s", cairn_error());
}
END_TEST

START_TEST(nothing_to_train)
{
    static const char *const lines[] = {"relu", "softmax", "add input", NULL};
    struct cairn_model *m;
    ck_assert_int_eq(net_model(lines, (struct cairn_shape){10, 1, 1}, 10, &m), CAIRN_INVALID);
    ck_assert_msg(strstr(cairn_error(), "nothing to train") != NULL, "%s", cairn_error());
}
END_TEST

START_TEST(too_many_layers)
{
    struct cairn_init_rules rules = {.fallback = {CAIRN_INIT_HE, 0, 0}};
    struct cairn_layer *many = malloc(16385 * sizeof *many);
    struct cairn_model *m;
    for (int i = 0; i < 16385; i++)
        ck_assert_int_eq(cairn_layer_parse(i ? "none" : "linear 2", &many[i], NULL), CAIRN_OK);
    struct cairn_shape in = {2, 1, 1};
    ck_assert_int_eq(cairn_model_create(many, 16385, in, 2, &rules, &m), CAIRN_INVALID);
    ck_assert_msg(strstr(cairn_error(), "16385 layers; at most 16384") != NULL, "%s",
                  cairn_error());
    ck_assert_int_eq(cairn_model_create(many, 16384, in, 2, &rules, &m), CAIRN_OK);
    cairn_model_destroy(m);
    ck_assert_int_eq(cairn_model_create(many, 0, in, 2, &rules, &m), CAIRN_INVALID);
    free(many);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model");
    TCase *tc = tcase_create("model");
    tcase_add_test(tc, shapes);
    tcase_add_loop_test(tc, layer_shapes, 0, sizeof layers / sizeof *layers);
    tcase_add_test(tc, published_counts);
    tcase_add_test(tc, resnet20);
    tcase_add_loop_test(tc, flat_layout, 0, 2);
    tcase_add_test(tc, parameters);
    tcase_add_test(tc, init_rules);
    tcase_add_loop_test(tc, impossible_models, 0, sizeof impossible / sizeof *impossible);
    tcase_add_test(tc, nothing_to_train);
    tcase_add_test(tc, too_many_layers);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
