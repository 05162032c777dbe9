/* Layer lines: what is accepted, and what is said about the rest. */
#include "nn/layer.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    struct cairn_layer want; /* text unset */
} good[] = {
    {"conv 8 5x5 pad=same",
     {.kind = CAIRN_LAYER_CONV,
      .outputs = 8,
      .kh = 5,
      .kw = 5,
      .stride_h = 1,
      .stride_w = 1,
      .pad_same = 1,
      .bias = 1}},
    {"  conv\t16  3x2 stride=2x1 pad=1,0,2,3 bias=no init=he ",
     {.kind = CAIRN_LAYER_CONV,
      .outputs = 16,
      .kh = 3,
      .kw = 2,
      .stride_h = 2,
      .stride_w = 1,
      .pad_t = 1,
      .pad_l = 2,
      .pad_r = 3,
      .init = {CAIRN_INIT_HE, 0, 0}}},
    {"conv 32 3x3 pad=1x0",
     {.kind = CAIRN_LAYER_CONV,
      .outputs = 32,
      .kh = 3,
      .kw = 3,
      .stride_h = 1,
      .stride_w = 1,
      .pad_t = 1,
      .pad_b = 1,
      .bias = 1}},
    {"linear 600 bias=yes",
     {.kind = CAIRN_LAYER_LINEAR, .outputs = 600, .stride_h = 1, .stride_w = 1, .bias = 1}},
    {"linear 10 init=zero",
     {.kind = CAIRN_LAYER_LINEAR,
      .outputs = 10,
      .stride_h = 1,
      .stride_w = 1,
      .bias = 1,
      .init = {CAIRN_INIT_ZERO, 0, 0}}},
    {"maxpool 2", {.kind = CAIRN_LAYER_MAXPOOL, .kh = 2, .kw = 2, .stride_h = 2, .stride_w = 2}},
    {"maxpool 3x2 stride=2 pad=1",
     {.kind = CAIRN_LAYER_MAXPOOL,
      .kh = 3,
      .kw = 2,
      .stride_h = 2,
      .stride_w = 2,
      .pad_t = 1,
      .pad_b = 1,
      .pad_l = 1,
      .pad_r = 1}},
    {"relu", {.kind = CAIRN_LAYER_RELU, .stride_h = 1, .stride_w = 1}},
    {"tanh", {.kind = CAIRN_LAYER_TANH, .stride_h = 1, .stride_w = 1}},
    {"sigmoid", {.kind = CAIRN_LAYER_SIGMOID, .stride_h = 1, .stride_w = 1}},
    {"leakyrelu", {.kind = CAIRN_LAYER_LEAKYRELU, .alpha = 0.01f, .stride_h = 1, .stride_w = 1}},
    {"leakyrelu 0.1", {.kind = CAIRN_LAYER_LEAKYRELU, .alpha = 0.1f, .stride_h = 1, .stride_w = 1}},
    {"elu", {.kind = CAIRN_LAYER_ELU, .alpha = 1, .stride_h = 1, .stride_w = 1}},
    {"elu 1.67", {.kind = CAIRN_LAYER_ELU, .alpha = 1.67f, .stride_h = 1, .stride_w = 1}},
    {"gelu", {.kind = CAIRN_LAYER_GELU, .stride_h = 1, .stride_w = 1}},
    {"gelu form=erf", {.kind = CAIRN_LAYER_GELU, .stride_h = 1, .stride_w = 1}},
    {"gelu form=tanh", {.kind = CAIRN_LAYER_GELU, .gelu_tanh = 1, .stride_h = 1, .stride_w = 1}},
    {"silu", {.kind = CAIRN_LAYER_SILU, .stride_h = 1, .stride_w = 1}},
    {"softplus", {.kind = CAIRN_LAYER_SOFTPLUS, .stride_h = 1, .stride_w = 1}},
    {"hardsigmoid", {.kind = CAIRN_LAYER_HARDSIGMOID, .stride_h = 1, .stride_w = 1}},
    {"hardswish", {.kind = CAIRN_LAYER_HARDSWISH, .stride_h = 1, .stride_w = 1}},
    {"dropout 0.3", {.kind = CAIRN_LAYER_DROPOUT, .rate = 0.3f, .stride_h = 1, .stride_w = 1}},
    {"dropout 0", {.kind = CAIRN_LAYER_DROPOUT, .stride_h = 1, .stride_w = 1}},
    {"flatten", {.kind = CAIRN_LAYER_FLATTEN, .stride_h = 1, .stride_w = 1}},
    {"none", {.kind = CAIRN_LAYER_NONE, .stride_h = 1, .stride_w = 1}},
    {"conv 8 3x3 dilation=2x1 groups=4 pad=same as=a_b-9 from=input",
     {.kind = CAIRN_LAYER_CONV,
      .outputs = 8,
      .kh = 3,
      .kw = 3,
      .stride_h = 1,
      .stride_w = 1,
      .dilation_h = 2,
      .groups = 4,
      .pad_same = 1,
      .bias = 1,
      .as = "a_b-9",
      .from = "input"}},
    {"convtranspose 4 3x5 stride=3x2 pad=1 dilation=2 extra=2x1 init=normal(0.5,0.25)",
     {.kind = CAIRN_LAYER_CONV_TRANSPOSE,
      .outputs = 4,
      .kh = 3,
      .kw = 5,
      .stride_h = 3,
      .stride_w = 2,
      .pad_t = 1,
      .pad_b = 1,
      .pad_l = 1,
      .pad_r = 1,
      .dilation_h = 2,
      .dilation_w = 2,
      .extra_h = 2,
      .extra_w = 1,
      .bias = 1,
      .init = {CAIRN_INIT_NORMAL, 0.5f, 0.25f}}},
    {"linear 3 init=uniform(-0.5,2)",
     {.kind = CAIRN_LAYER_LINEAR,
      .outputs = 3,
      .stride_h = 1,
      .stride_w = 1,
      .bias = 1,
      .init = {CAIRN_INIT_UNIFORM, -0.5f, 2}}},
    {"linear 3 init=uniform from=x",
     {.kind = CAIRN_LAYER_LINEAR,
      .outputs = 3,
      .stride_h = 1,
      .stride_w = 1,
      .bias = 1,
      .from = "x",
      .init = {CAIRN_INIT_UNIFORM, -0.05f, 0.05f}}},
    {"maxpool global", {.kind = CAIRN_LAYER_MAXPOOL, .global = 1, .stride_h = 1, .stride_w = 1}},
    {"avgpool global as=z",
     {.kind = CAIRN_LAYER_AVGPOOL, .global = 1, .stride_h = 1, .stride_w = 1, .as = "z"}},
    {"avgpool 3x2 pad=1 count_pad=yes",
     {.kind = CAIRN_LAYER_AVGPOOL,
      .kh = 3,
      .kw = 2,
      .stride_h = 3,
      .stride_w = 2,
      .pad_t = 1,
      .pad_b = 1,
      .pad_l = 1,
      .pad_r = 1,
      .count_pad = 1}},
    {"batchnorm",
     {.kind = CAIRN_LAYER_BATCHNORM,
      .stride_h = 1,
      .stride_w = 1,
      .momentum = 0.1f,
      .epsilon = 1e-5f}},
    {"batchnorm momentum=0.01 epsilon=1e-3",
     {.kind = CAIRN_LAYER_BATCHNORM,
      .stride_h = 1,
      .stride_w = 1,
      .momentum = 0.01f,
      .epsilon = 1e-3f}},
    {"softmax", {.kind = CAIRN_LAYER_SOFTMAX, .stride_h = 1, .stride_w = 1}},
    {"logsoftmax", {.kind = CAIRN_LAYER_LOGSOFTMAX, .stride_h = 1, .stride_w = 1}},
    {"add input", {.kind = CAIRN_LAYER_ADD, .stride_h = 1, .stride_w = 1, .other = "input"}},
    {"add skip from=main as=both",
     {.kind = CAIRN_LAYER_ADD,
      .stride_h = 1,
      .stride_w = 1,
      .other = "skip",
      .from = "main",
      .as = "both"}},
};

START_TEST(accepts)
{
    struct cairn_layer layer, want = good[_i].want;
    int column = -1;
    ck_assert_msg(cairn_layer_parse(good[_i].text, &layer, &column) == CAIRN_OK, "%s: %s",
                  good[_i].text, cairn_error());
    ck_assert_str_eq(layer.text, good[_i].text);
    ck_assert_int_eq(layer.kind, want.kind);
    ck_assert_int_eq(layer.outputs, want.outputs);
    ck_assert_int_eq(layer.kh, want.kh);
    ck_assert_int_eq(layer.kw, want.kw);
    ck_assert_int_eq(layer.stride_h, want.stride_h);
    ck_assert_int_eq(layer.stride_w, want.stride_w);
    ck_assert_int_eq(layer.pad_t, want.pad_t);
    ck_assert_int_eq(layer.pad_b, want.pad_b);
    ck_assert_int_eq(layer.pad_l, want.pad_l);
    ck_assert_int_eq(layer.pad_r, want.pad_r);
    ck_assert_int_eq(layer.pad_same, want.pad_same);
    ck_assert_int_eq(layer.bias, want.bias);
    ck_assert_int_eq(layer.init.kind, want.init.kind);
    ck_assert(layer.rate == want.rate);
    ck_assert(layer.alpha == (want.alpha != 0 ? want.alpha : 1)); /* 1 where a layer has none */
    ck_assert_int_eq(layer.gelu_tanh, want.gelu_tanh);
    /* The table leaves out what is 1 in all other layers. */
    ck_assert_int_eq(layer.dilation_h, want.dilation_h ? want.dilation_h : 1);
    ck_assert_int_eq(layer.dilation_w, want.dilation_w ? want.dilation_w : 1);
    ck_assert_int_eq(layer.groups, want.groups ? want.groups : 1);
    ck_assert_int_eq(layer.extra_h, want.extra_h);
    ck_assert_int_eq(layer.extra_w, want.extra_w);
    ck_assert_int_eq(layer.global, want.global);
    ck_assert_int_eq(layer.count_pad, want.count_pad);
    ck_assert(layer.momentum == want.momentum && layer.epsilon == want.epsilon);
    ck_assert(layer.init.mean == want.init.mean && layer.init.dev == want.init.dev);
    ck_assert_str_eq(layer.as, want.as);
    ck_assert_str_eq(layer.from, want.from);
    ck_assert_str_eq(layer.other, want.other);
}
END_TEST

static const struct {
    const char *text;
    int column;
    const char *says; /* part of the complaint */
} bad[] = {
    {"", 0, "empty"},
    {"   ", 0, "empty"},
    {"convolution 8 5x5", 0,
     "there are: conv, convtranspose, linear, maxpool, avgpool, batchnorm, relu"},
    {"conv", 0, "accepted: conv OUTPUTS KHxKW"},
    {"conv 8", 5, "accepted: conv OUTPUTS KHxKW"},
    {"conv 0 5x5", 5, "out of range"},
    {"conv 8 5y5", 7, "not a whole number"},
    {"conv 8 05x5", 7, "not a whole number"},
    {"conv 8 5x5x5", 7, "not a whole number"},
    {"conv 8 0x5", 7, "out of range"},
    {"conv 8 5x", 7, "'5x' is not a size, N or HxW"},
    {"conv 8 x5", 7, "'x5' is not a size, N or HxW"},
    {"conv 8 5x5 pad=", 11, "'' is not a size, N or HxW"},
    {"conv 8 5x5 pad=1,,2,3", 11, "four numbers"},
    {"conv 8 5x5 pad=1,2,3,", 11, "four numbers"},
    {"conv 8 5x5 9", 11, "does not belong here"},
    {"conv 8 5x5 pad=-1", 11, "accepted: pad=P"},
    {"conv 8 5x5 pad=1,2,3", 11, "four numbers"},
    {"conv 8 5x5 pad=1,2,3,4,5", 11, "four numbers"},
    {"conv 8 5x5 pad=valid", 11, "pad=same"},
    {"conv 8 5x5 stride=0", 11, "at least 1"},
    {"conv 8 5x5 bias=0", 11, "neither yes nor no"},
    {"conv 8 5x5 init=one", 11, "accepted: init= he, he-uniform, xavier, xavier-uniform, zero, "},
    {"conv 8 5x5 init=normal(1)", 11, "has not two numbers, mean and dev"},
    {"conv 8 5x5 init=normal(0,-1)", 11, "dev=-1 is negative"},
    {"conv 8 5x5 init=normal(0,1", 11, "does not end with ')'"},
    {"conv 8 5x5 init=uniform(1,-1)", 11, "low=1 is above high=-1"},
    {"conv 8 5x5 init=uniform(0,1,2)", 11, "not a number"},
    {"conv 8 5x5 init=he(0,1)", 11, "he has no numbers"},
    {"conv 8 5x5 init=normal(0,1e99)", 11, "out of range"},
    {"conv 8 5x5 dilation=0", 11, "dilation=D or dilation=HxW, at least 1"},
    {"conv 8 5x5 groups=0", 11, "groups=G, at least 1"},
    {"conv 8 5x5 groups=3", 11, "groups=3 does not divide the 8 outputs"},
    {"conv 8 5x5 extra=1", 11, "it has: pad, stride, dilation, groups, bias, init, as, from"},
    {"conv 8 5x5 as=input", 11, "'input' is the name of the images already"},
    {"conv 8 5x5 as=", 11, "letters, digits, _ and -, up to 23"},
    {"conv 8 5x5 as=a.b", 11, "'a.b' is not a name"},
    {"conv 8 5x5 from=abcdefghijklmnopqrstuvwx", 11, "up to 23"},
    {"conv 8 5x5 as=a as=b", 16, "as= is given twice"},
    {"convtranspose 8", 14, "accepted: convtranspose OUTPUTS KHxKW"},
    {"convtranspose 8 3x3 pad=same", 20, "accepted: pad=P, pad=HxW or pad=T,B,L,R"},
    {"convtranspose 8 3x3 groups=2", 20,
     "it has: pad, stride, dilation, extra, bias, init, as, from"},
    {"convtranspose 8 3x3 extra=1", 20, "extra=1x1 must be below the stride, 1x1"},
    {"convtranspose 8 3x3 stride=2x1 extra=1x1", 31, "must be below the stride, 2x1"},
    {"conv 8 5x5 pad=1 pad=2", 17, "twice"},
    {"conv 8 5x5 padding=1", 11, "it has: pad, stride, dilation, groups, bias, init"},
    {"linear", 0, "accepted: linear OUTPUTS"},
    {"linear 10 pad=1", 10, "it has: bias, init, as, from"},
    {"linear 1e3", 7, "not a whole number"},
    {"linear 99999999999999999999", 7, "out of range"},
    {"maxpool 2 pad=2", 10, "smaller than the window"},
    {"maxpool 2 bias=no", 10, "it has: pad, stride, as, from"},
    {"maxpool 2 count_pad=yes", 10, "it has: pad, stride, as, from"},
    {"maxpool whole", 8, "accepted: maxpool K, KHxKW or global"},
    {"avgpool", 0, "accepted: avgpool K, KHxKW or global"},
    {"avgpool 3 pad=1,1,3,1", 10, "smaller than the window, 3x3"},
    {"avgpool 3 count_pad=1", 10, "neither yes nor no"},
    {"avgpool global stride=2", 15, "a global pool is one window"},
    {"avgpool global pad=same", 15, "a global pool is one window"},
    {"batchnorm 3", 10, "accepted: batchnorm [momentum=0.1] [epsilon=1e-5]"},
    {"batchnorm momentum=1.5", 10, "momentum=M from 0 to 1"},
    {"batchnorm epsilon=0", 10, "epsilon=E above 0"},
    {"batchnorm epsilon=1e-50", 10, "out of range"},
    {"softmax 10", 8, "does not belong here"},
    {"softmax axis=1", 8, "softmax has no setting 'axis'; it has: as, from"},
    {"add", 0, "accepted: add NAME"},
    {"add a b", 6, "does not belong here"},
    {"add as=a", 0, "add lacks a value"},
    {"add a/b", 4, "'a/b' is not a name"},
    {"relu 3", 5, "does not belong here"},
    {"relu x=3", 5, "it has: as, from"},
    {"leakyrelu -0.1", 10, "out of range"},
    {"leakyrelu slope=0.1", 10, "it has: as, from"},
    {"leakyrelu 0.1 0.2", 14, "does not belong here"},
    {"elu 2000000", 4, "accepted: elu [ALPHA]"},
    {"elu nan", 4, "not a number"},
    {"gelu 1", 5, "accepted: gelu [form=erf|tanh]"},
    {"gelu form=exact", 5, "neither erf nor tanh"},
    {"gelu alpha=1", 5, "it has: form, as, from"},
    {"silu form=erf", 5, "it has: as, from"},
    {"dropout", 0, "from 0 to below 1"},
    {"dropout 1", 8, "out of range"},
    {"dropout 0.999999999", 8, "out of range"},
    {"dropout -0.1", 8, "out of range"},
    {"dropout nan", 8, "not a number"},
    {"dropout 0.3 0.4", 12, "does not belong here"},
    {"conv 8 5x5 "
     "pad="
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
     0, "longer than"},
};

START_TEST(refuses)
{
    struct cairn_layer layer;
    int column = -1;
    ck_assert_msg(cairn_layer_parse(bad[_i].text, &layer, &column) == CAIRN_PARSE, "%s",
                  bad[_i].text);
    ck_assert_msg(strstr(cairn_error(), bad[_i].says) != NULL, "'%s' says: %s", bad[_i].text,
                  cairn_error());
    ck_assert_msg(column == bad[_i].column, "'%s': column %d", bad[_i].text, column);
}
END_TEST

static const struct {
    const char *text;
    struct cairn_init want;
} good_inits[] = {
    {"he", {CAIRN_INIT_HE, 0, 0}},
    {"he-normal", {CAIRN_INIT_HE, 0, 0}},
    {"he-uniform", {CAIRN_INIT_HE_UNIFORM, 0, 0}},
    {"xavier", {CAIRN_INIT_XAVIER, 0, 0}},
    {"xavier-normal", {CAIRN_INIT_XAVIER, 0, 0}},
    {"xavier-uniform", {CAIRN_INIT_XAVIER_UNIFORM, 0, 0}},
    {"zero", {CAIRN_INIT_ZERO, 0, 0}},
    {"normal", {CAIRN_INIT_NORMAL, 0, 0.01f}},
    {"normal dev=0.1 mean=-0.5", {CAIRN_INIT_NORMAL, -0.5f, 0.1f}},
    {"normal(-0.5,0.1)", {CAIRN_INIT_NORMAL, -0.5f, 0.1f}},
    {"uniform", {CAIRN_INIT_UNIFORM, -0.05f, 0.05f}},
    {"uniform low=-1", {CAIRN_INIT_UNIFORM, -1, 0.05f}},
    {"uniform high=3 low=2", {CAIRN_INIT_UNIFORM, 2, 3}},
};

START_TEST(initialisers)
{
    struct cairn_init init;
    ck_assert_msg(cairn_init_parse(good_inits[_i].text, &init, NULL) == CAIRN_OK, "%s: %s",
                  good_inits[_i].text, cairn_error());
    ck_assert_int_eq(init.kind, good_inits[_i].want.kind);
    ck_assert(init.mean == good_inits[_i].want.mean && init.dev == good_inits[_i].want.dev);
}
END_TEST

static const struct {
    const char *text;
    int column;
    const char *says;
} bad_inits[] = {
    {"", 0, "empty"},
    {"one", 0, "there are: he, he-uniform, xavier, xavier-uniform, zero, normal, uniform"},
    {"normal dev=-1", 7, "dev=-1 is negative"},
    {"normal mean=1 mean=2", 14, "twice"},
    {"normal low=1", 7, "accepted: normal [mean=M] [dev=D]"},
    {"normal 0 1", 7, "'0' is not a setting of normal"},
    {"normal(0,1) mean=2", 12, "does not belong here"},
    {"uniform low=1 high=0", 14, "low=1 is above high=0"},
    {"uniform dev=1", 8, "accepted: uniform [low=L] [high=H]"},
    {"uniform low=1e40", 8, "out of range"},
    {"he mean=1", 3, "does not belong here"},
    {"he-uniform(1,2)", 0, "has no numbers"},
};

START_TEST(wrong_initialisers)
{
    struct cairn_init init;
    int column = -1;
    ck_assert_msg(cairn_init_parse(bad_inits[_i].text, &init, &column) == CAIRN_PARSE, "%s",
                  bad_inits[_i].text);
    ck_assert_msg(strstr(cairn_error(), bad_inits[_i].says) != NULL, "'%s' says: %s",
                  bad_inits[_i].text, cairn_error());
    ck_assert_msg(column == bad_inits[_i].column, "'%s': column %d", bad_inits[_i].text, column);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layer");
    TCase *tc = tcase_create("layer");
    tcase_add_loop_test(tc, accepts, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(tc, refuses, 0, sizeof bad / sizeof *bad);
    tcase_add_loop_test(tc, initialisers, 0, sizeof good_inits / sizeof *good_inits);
    tcase_add_loop_test(tc, wrong_initialisers, 0, sizeof bad_inits / sizeof *bad_inits);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
