/* Layer lines: what is accepted, and what is said about the rest. */
#include "nn/layer.h"

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
}
END_TEST

static const struct {
    const char *text;
    int column;
    const char *says; /* part of the complaint */
} bad[] = {
    {"", 0, "empty"},
    {"   ", 0, "empty"},
    {"convolution 8 5x5", 0, "there are: conv, linear"},
    {"conv", 0, "accepted: conv OUTPUTS KHxKW"},
    {"conv 8", 5, "accepted: conv OUTPUTS KHxKW"},
    {"conv 0 5x5", 5, "out of range"},
    {"conv 8 5y5", 7, "not a whole number"},
    {"conv 8 05x5", 7, "not a whole number"},
    {"conv 8 5x5x5", 7, "not a whole number"},
    {"conv 8 0x5", 7, "out of range"},
    {"conv 8 5x", 7, "not a whole number"},
    {"conv 8 5x5 9", 11, "does not belong here"},
    {"conv 8 5x5 pad=-1", 11, "accepted: pad=P"},
    {"conv 8 5x5 pad=1,2,3", 11, "four numbers"},
    {"conv 8 5x5 pad=1,2,3,4,5", 11, "four numbers"},
    {"conv 8 5x5 pad=valid", 11, "pad=same"},
    {"conv 8 5x5 stride=0", 11, "at least 1"},
    {"conv 8 5x5 bias=0", 11, "neither yes nor no"},
    {"conv 8 5x5 init=normal", 11, "he, xavier, zero"},
    {"conv 8 5x5 pad=1 pad=2", 17, "twice"},
    {"conv 8 5x5 padding=1", 11, "it has: pad, stride, bias, init"},
    {"linear", 0, "accepted: linear OUTPUTS"},
    {"linear 10 pad=1", 10, "it has: bias, init"},
    {"linear 1e3", 7, "not a whole number"},
    {"linear 99999999999999999999", 7, "out of range"},
    {"maxpool 2 pad=2", 10, "smaller than the window"},
    {"maxpool 2 bias=no", 10, "it has: pad, stride"},
    {"relu 3", 5, "does not belong here"},
    {"relu x=3", 5, "takes no settings"},
    {"leakyrelu -0.1", 10, "out of range"},
    {"leakyrelu slope=0.1", 10, "takes no settings"},
    {"leakyrelu 0.1 0.2", 14, "does not belong here"},
    {"elu 2000000", 4, "accepted: elu [ALPHA]"},
    {"elu nan", 4, "not a number"},
    {"gelu 1", 5, "accepted: gelu [form=erf|tanh]"},
    {"gelu form=exact", 5, "neither erf nor tanh"},
    {"gelu alpha=1", 5, "it has: form"},
    {"silu form=erf", 5, "takes no settings"},
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

START_TEST(initialisers)
{
    struct cairn_init init;
    int column = -1;
    ck_assert_int_eq(cairn_init_parse("he", &init, NULL), CAIRN_OK);
    ck_assert_int_eq(init.kind, CAIRN_INIT_HE);
    ck_assert_int_eq(cairn_init_parse("xavier", &init, NULL), CAIRN_OK);
    ck_assert_int_eq(init.kind, CAIRN_INIT_XAVIER);
    ck_assert_int_eq(cairn_init_parse("zero", &init, NULL), CAIRN_OK);
    ck_assert_int_eq(init.kind, CAIRN_INIT_ZERO);
    ck_assert_int_eq(cairn_init_parse("normal", &init, NULL), CAIRN_OK);
    ck_assert(init.kind == CAIRN_INIT_NORMAL && init.mean == 0.0f && init.dev == 0.01f);
    ck_assert_int_eq(cairn_init_parse("normal dev=0.1 mean=-0.5", &init, NULL), CAIRN_OK);
    ck_assert(init.mean == -0.5f && init.dev == 0.1f);

    ck_assert_int_eq(cairn_init_parse("uniform", &init, &column), CAIRN_PARSE);
    ck_assert_msg(strstr(cairn_error(), "he, xavier, zero, normal") != NULL, "%s", cairn_error());
    ck_assert_int_eq(cairn_init_parse("normal dev=-1", &init, &column), CAIRN_PARSE);
    ck_assert_int_eq(column, 7);
    ck_assert_int_eq(cairn_init_parse("normal mean=1 mean=2", &init, &column), CAIRN_PARSE);
    ck_assert_int_eq(column, 14);
    ck_assert_int_eq(cairn_init_parse("he mean=1", &init, &column), CAIRN_PARSE);
    ck_assert_int_eq(column, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layer");
    TCase *tc = tcase_create("layer");
    tcase_add_loop_test(tc, accepts, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(tc, refuses, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tc, initialisers);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
