/* Problems as values - printed, parsed, completed - and the wall that every one of them passes
 * before it is run. */
#include "device/schema.h"
#include "oracle/trial.h"
#include "suite.h"

#include <cairn/device.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- printing and parsing --- */

static void *field_of(struct cairn_problem *p, const struct cairn_field *f)
{
    return (char *)&p->u + f->offset;
}

/* A value that the field allows: small, or anywhere up to its bounds. */
static void draw_field(struct cairn_problem *p, const struct cairn_field *f)
{
    static const float floats[] = {
        0, -0.0f, 1, 0.1f, 1e-8f, 3.4028235e38f, 0x1p-149f, -123456.789f, INFINITY, -INFINITY, NAN};
    int64_t whole =
        draw_between((int64_t)f->min,
                     (int64_t)f->max < (int64_t)f->min + 7 ? (int64_t)f->max : (int64_t)f->min + 7);
    uint64_t seed = (uint64_t)draw_u32() << 32 | draw_u32();
    float real = f->max > 0 ? (float)draw_real(f->min, f->max) : floats[draw_u32() % 11];
    if (f->derived) whole = draw_u32() % 3 ? 0 : draw_between(1, 70);
    if (f->type == CAIRN_FIELD_FLOAT)
        memcpy(field_of(p, f), &real, sizeof real);
    else if (f->type == CAIRN_FIELD_U64)
        memcpy(field_of(p, f), &seed, sizeof seed);
    else
        memcpy(field_of(p, f), &whole, sizeof whole);
}

static int same_field(struct cairn_problem *a, struct cairn_problem *b, const struct cairn_field *f)
{
    float x, y;
    if (f->type != CAIRN_FIELD_FLOAT) return memcmp(field_of(a, f), field_of(b, f), 8) == 0;
    memcpy(&x, field_of(a, f), sizeof x);
    memcpy(&y, field_of(b, f), sizeof y);
    return same_bits(x, y);
}

START_TEST(round_trip)
{
    const struct cairn_schema *schema = cairn_schema_of((enum cairn_op)_i);
    int valid = 0;
    draw_seed(200 + (uint64_t)_i);
    for (int tries = 0; tries < 20000 && valid < 200; tries++) {
        struct cairn_problem problem = cairn_problem_default((enum cairn_op)_i), back;
        char line[512], again[512];
        for (const struct cairn_field *f = schema->fields; f->name; f++)
            if (draw_u32() % 3) draw_field(&problem, f);
        if (cairn_problem_complete(&problem) != CAIRN_OK) continue;
        valid++;
        int length = cairn_problem_print(&problem, line, sizeof line);
        ck_assert_int_eq(length, (int)strlen(line));
        ck_assert_msg(cairn_problem_parse(line, &back, NULL) == CAIRN_OK, "%s: %s", line,
                      cairn_error());
        ck_assert_int_eq(back.op, problem.op);
        for (const struct cairn_field *f = schema->fields; f->name; f++)
            ck_hold(same_field(&problem, &back, f), "%s: %s came back different", line, f->name);
        cairn_problem_print(&back, again, sizeof again);
        ck_assert_str_eq(line, again);
    }
    ck_assert_int_eq(valid, 200);
}
END_TEST

START_TEST(print_cuts_off)
{
    struct cairn_problem p;
    char small[8] = "xxxxxxx";
    ck_assert_int_eq(cairn_problem_parse("gemm m=12 n=34", &p, NULL), CAIRN_OK);
    ck_assert_int_eq(cairn_problem_print(&p, small, sizeof small), (int)strlen("gemm m=12 n=34"));
    ck_assert_str_eq(small, "gemm m=");
    ck_assert_int_eq(cairn_problem_print(&p, NULL, 0), (int)strlen("gemm m=12 n=34"));
}
END_TEST

static const struct {
    const char *line;
    cairn_status status;
    const char *detail; /* part of the error's detail */
} malformed[] = {
    {"", CAIRN_PARSE, "operator"},
    {"  \n", CAIRN_PARSE, "operator"},
    {"matmul m=1", CAIRN_PARSE, "conv_data"}, /* what there is */
    {"gemm q=1", CAIRN_PARSE, "stride_a"},    /* what it has */
    {"gemm m=", CAIRN_PARSE, "m"},
    {"gemm m=5 n=2 m=6", CAIRN_PARSE, "repeats"},
    {"gemm m=1.5", CAIRN_PARSE, "whole"},
    {"gemm m=010", CAIRN_PARSE, "whole"},
    {"gemm m=+1", CAIRN_PARSE, "whole"},
    {"gemm m=0x10", CAIRN_PARSE, "whole"},
    {"gemm m=99999999999999999999", CAIRN_PARSE, "range"},
    {"adam rate=0."
     "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "000"
     "00000000000000000000000001",
     CAIRN_PARSE, "is too long for a field"},
    {"gemm m=0", CAIRN_INVALID, "m=0"},
    {"gemm m=-3", CAIRN_INVALID, "m=-3"},
    {"gemm ta=2", CAIRN_INVALID, "ta=2"},
    {"gemm bias=rows", CAIRN_PARSE, "none n m"},
    {"gemm act=RELU", CAIRN_PARSE, "sigmoid"},
    {"gemm lda=3 k=4", CAIRN_INVALID, "lda"},
    {"gemm ldb=3 n=4", CAIRN_INVALID, "ldb"},
    {"gemm ldc=3 n=4", CAIRN_INVALID, "ldc"},
    {"gemm batch=2 m=2 n=2 stride_c=3", CAIRN_INVALID, "stride_c"},
    {"gemm m=1000000000000 n=1000000000000", CAIRN_INVALID, "2^60"},
    {"gemm batch=1000000000000 k=2000000 sum=1", CAIRN_INVALID, "2^60 terms"},
    {"conv kh=1048576 kw=1048576 pad_t=1048575 pad_b=1048575 pad_l=1048575 pad_r=1048575",
     CAIRN_INVALID, "windows"},
    {"gemm m=1 extra", CAIRN_PARSE, "extra"},
    {"conv h=2 w=9 kh=3", CAIRN_INVALID, "kernel"},
    {"conv_data h=9 w=2 kw=5 pad_l=1 pad_r=1", CAIRN_INVALID, "kernel"},
    {"conv_data bias=1", CAIRN_PARSE, "bias"}, /* gradients have no epilogue */
    {"conv stride_h=0", CAIRN_INVALID, "stride_h"},
    {"conv dilation_w=0", CAIRN_INVALID, "dilation_w"},
    {"conv h=6 w=9 kh=3 dilation_h=3", CAIRN_INVALID, "kernel 7x1"},
    {"im2col h=9 w=6 kw=2 dilation_w=6", CAIRN_INVALID, "kernel 1x7"},
    {"conv c=6 o=4 groups=3", CAIRN_INVALID, "groups=3"},
    {"conv_weights c=4 o=6 groups=3", CAIRN_INVALID, "groups=3"},
    {"im2col h=1 kh=2", CAIRN_INVALID, "kernel"},
    {"conv_pool h=5 w=5 kh=3 kw=3 pool_kh=4", CAIRN_INVALID, "window"},
    {"conv_pool h=5 w=5 kh=3 kw=3 pool_kw=2 pool_pad_r=2", CAIRN_INVALID, "padding"},
    {"conv_pool act=tanh", CAIRN_PARSE, "relu"},
    {"pool h=2 kh=3", CAIRN_INVALID, "window"},
    {"pool h=4 w=4 kh=2 kw=2 pad_t=2", CAIRN_INVALID, "padding"},
    {"pool h=65536 w=65536", CAIRN_INVALID, "2^31"},
    {"pool count_pad=1", CAIRN_INVALID, "count_pad"},
    {"pool kind=average act=relu", CAIRN_INVALID, "kind=max"},
    {"pool act=tanh", CAIRN_PARSE, "relu"},
    {"pool kind=mean", CAIRN_PARSE, "average"},
    {"augment h=4 oh=5", CAIRN_INVALID, "cut"},
    {"augment turn=2147483649", CAIRN_INVALID, "turn"},
    {"activation kind=none", CAIRN_PARSE, "relu"},
    {"activation kind=elu alpha=-1", CAIRN_INVALID, "alpha"},
    {"activation_grad kind=leaky_relu alpha=2e6", CAIRN_INVALID, "alpha"},
    {"gemm act=elu", CAIRN_PARSE, "sigmoid"}, /* products end in the first four kinds only */
    {"dropout rate=1", CAIRN_INVALID, "rate"},
    {"dropout rate=-0.5", CAIRN_INVALID, "rate"},
    {"dropout rate=nan", CAIRN_INVALID, "rate"},
    {"dropout rate=half", CAIRN_PARSE, "number"},
    {"dropout rate=0.5x", CAIRN_PARSE, "number"},
    {"dropout stream=4294967296", CAIRN_INVALID, "stream"},
    {"dropout seed=-1", CAIRN_PARSE, "seed"},
    {"sgd count=3 decay_count=4", CAIRN_INVALID, "decay_count"},
    {"adam count=3 decay_count=4", CAIRN_INVALID, "decay_count"},
    {"rmsprop count=3 decay_count=4", CAIRN_INVALID, "decay_count"},
    {"adagrad count=3 decay_count=4", CAIRN_INVALID, "decay_count"},
    {"adadelta count=3 decay_count=4", CAIRN_INVALID, "decay_count"},
    {"clip count=3 limit=0", CAIRN_INVALID, "limit"},
    {"sgd nesterov=2", CAIRN_INVALID, "nesterov"},
};

START_TEST(malformed_text)
{
    struct cairn_problem p;
    cairn_status st = cairn_problem_parse(malformed[_i].line, &p, NULL);
    ck_assert_msg(st == malformed[_i].status, "'%s' gives %s", malformed[_i].line,
                  cairn_status_text(st));
    ck_assert_msg(strstr(cairn_error(), malformed[_i].detail) != NULL, "'%s' says: %s",
                  malformed[_i].line, cairn_error());
}
END_TEST

START_TEST(parse_stops_where_asked)
{
    struct cairn_problem p;
    const char *end, *line = "activation  kind=tanh count=7  then more=1";
    ck_assert_int_eq(cairn_problem_parse(line, &p, &end), CAIRN_OK);
    ck_assert_str_eq(end, "then more=1");
    ck_assert_int_eq(p.u.activation.count, 7);
    ck_assert_int_eq(cairn_problem_parse("reduce n1=5", &p, &end), CAIRN_OK);
    ck_assert_str_eq(end, "");
}
END_TEST

START_TEST(completion)
{
    struct cairn_problem p;
    ck_assert_int_eq(cairn_problem_parse("gemm batch=3 m=4 n=5 k=6", &p, NULL), CAIRN_OK);
    ck_assert(p.u.gemm.lda == 6 && p.u.gemm.ldb == 5 && p.u.gemm.ldc == 5 &&
              p.u.gemm.stride_c == 20);
    ck_assert(p.u.gemm.stride_a == 0 && p.u.gemm.stride_b == 0); /* 0 shares an operand */
    ck_assert_int_eq(cairn_problem_parse("gemm m=4 n=5 k=6 ta=1 tb=1", &p, NULL), CAIRN_OK);
    ck_assert(p.u.gemm.lda == 4 && p.u.gemm.ldb == 6);
    ck_assert_int_eq(cairn_problem_parse("gemm batch=2 m=4 n=5 ldc=9", &p, NULL), CAIRN_OK);
    ck_assert_int_eq(p.u.gemm.stride_c, 36);
    p.op = CAIRN_OP_COUNT;
    ck_assert_int_eq(cairn_problem_complete(&p), CAIRN_INVALID);
    ck_assert_str_eq(cairn_op_name(CAIRN_OP_COUNT), "unknown");
    ck_assert_int_eq(cairn_op_find("nothing"), CAIRN_OP_COUNT);
}
END_TEST

START_TEST(work_and_bytes)
{
    struct cairn_problem p;
    ck_assert_int_eq(
        cairn_problem_parse("gemm batch=2 m=3 n=4 k=5 stride_a=15 stride_b=20", &p, NULL),
        CAIRN_OK);
    ck_assert_double_eq(cairn_problem_flops(&p), 240);
    ck_assert_double_eq(cairn_problem_bytes(&p), 4 * (30 + 40 + 24));
    ck_assert_int_eq(cairn_problem_parse("sgd count=10", &p, NULL), CAIRN_OK);
    ck_assert_double_eq(cairn_problem_bytes(&p),
                        4 * (20 + 10 + 20)); /* w and v are read and written */
    ck_assert_double_eq(cairn_problem_flops(&p), 0);
}
END_TEST

/* --- the wall --- */

static struct cairn_device *device;
static struct cairn_buffer *buffer;

static void open_wall(void)
{
    ck_assert_int_eq(cairn_device_open("reference", NULL, &device), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_create(device, 400, &buffer), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_fill(buffer, 0, 400, 0), CAIRN_OK);
}

static void close_wall(void)
{
    cairn_buffer_destroy(buffer);
    cairn_buffer_destroy(NULL);
    ck_assert_uint_eq(cairn_device_bytes(device), 0);
    cairn_device_close(device);
    cairn_device_close(NULL);
}

static cairn_status activate(int64_t count, int64_t x, int64_t y)
{
    struct cairn_problem p = cairn_problem_default(CAIRN_OP_ACTIVATION);
    p.u.activation = (struct cairn_activation){CAIRN_ACT_RELU, count, 1, {buffer, x}, {buffer, y}};
    return cairn_run(device, &p);
}

static void said(const char *part)
{
    ck_assert_msg(strstr(cairn_error(), part) != NULL, "no '%s' in: %s", part, cairn_error());
}

/* The buffer holds 100 floats. */
START_TEST(extents)
{
    ck_assert_int_eq(activate(50, 0, 50), CAIRN_OK);
    ck_assert_int_eq(activate(51, 0, 50), CAIRN_INVALID);
    said("operand y");
    ck_assert_int_eq(activate(50, 51, 0), CAIRN_INVALID);
    said("operand x");
    ck_assert_int_eq(activate(1, -1, 0), CAIRN_INVALID);
    ck_assert_int_eq(activate(1, 0, INT64_MAX), CAIRN_INVALID);
    ck_assert_int_eq(activate((int64_t)1 << 39, 0, 0), CAIRN_INVALID);
    ck_assert_int_eq(activate(0, 0, 50), CAIRN_INVALID);
    said("count=0");
}
END_TEST

START_TEST(overlaps)
{
    ck_assert_int_eq(activate(50, 0, 0), CAIRN_OK); /* in place */
    ck_assert_int_eq(activate(50, 0, 49), CAIRN_INVALID);
    said("x and y overlap");
    ck_assert_int_eq(activate(50, 1, 0), CAIRN_INVALID);
    struct cairn_problem p;
    ck_assert_int_eq(cairn_problem_parse("gemm m=4 n=4 k=4", &p, NULL), CAIRN_OK);
    p.u.gemm.a = p.u.gemm.b = (struct cairn_mem){buffer, 3}; /* inputs may share */
    p.u.gemm.c = (struct cairn_mem){buffer, 19};
    ck_assert_int_eq(cairn_run(device, &p), CAIRN_OK);
    p.u.gemm.c.offset = 18;
    ck_assert_int_eq(cairn_run(device, &p), CAIRN_INVALID);
    p.u.gemm.c.offset = 3; /* the product is not for in place */
    ck_assert_int_eq(cairn_run(device, &p), CAIRN_INVALID);
    struct cairn_problem s;
    ck_assert_int_eq(cairn_problem_parse("sgd count=10", &s, NULL), CAIRN_OK);
    s.u.sgd.w = s.u.sgd.v = (struct cairn_mem){buffer, 0};
    s.u.sgd.g = (struct cairn_mem){buffer, 20};
    ck_assert_int_eq(cairn_run(device, &s), CAIRN_INVALID);
    said("w and v overlap");
}
END_TEST

/* activation_grad: dx may be dy, but not y. */
START_TEST(in_place_groups)
{
    struct cairn_problem p = cairn_problem_default(CAIRN_OP_ACTIVATION_GRAD);
    struct cairn_mem low = {buffer, 0}, high = {buffer, 10};
    p.u.activation_grad = (struct cairn_activation_grad){
        .kind = CAIRN_ACT_TANH, .count = 10, .y = low, .dy = high, .dx = high};
    ck_assert_int_eq(cairn_run(device, &p), CAIRN_OK);
    p.u.activation_grad.dx = low;
    ck_assert_int_eq(cairn_run(device, &p), CAIRN_INVALID);
    said("y and dx overlap");
}
END_TEST

START_TEST(missing_and_foreign_memory)
{
    struct cairn_device *other;
    struct cairn_buffer *foreign;
    struct cairn_problem p;
    ck_assert_int_eq(cairn_problem_parse("gemm m=2 n=2 k=2", &p, NULL), CAIRN_OK);
    p.u.gemm.a = (struct cairn_mem){buffer, 0};
    p.u.gemm.b = (struct cairn_mem){buffer, 4};
    ck_assert_int_eq(cairn_run(device, &p), CAIRN_INVALID);
    said("operand c has no memory");
    p.u.gemm.c = (struct cairn_mem){buffer, 8};
    ck_assert_int_eq(cairn_run(device, &p), CAIRN_OK); /* the bias is unused */
    p.u.gemm.bias = CAIRN_BIAS_N;
    ck_assert_int_eq(cairn_run(device, &p), CAIRN_INVALID);
    said("bias_v");
    p.u.gemm.bias = CAIRN_BIAS_NONE;
    ck_assert_int_eq(cairn_device_open("reference", NULL, &other), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_create(other, 64, &foreign), CAIRN_OK);
    p.u.gemm.b = (struct cairn_mem){foreign, 0};
    ck_assert_int_eq(cairn_run(device, &p), CAIRN_INVALID);
    said("operand b lies on another device");
    ck_assert_int_eq(cairn_buffer_copy(buffer, 0, foreign, 0, 64), CAIRN_INVALID);
    cairn_buffer_destroy(foreign);
    cairn_device_close(other);
}
END_TEST

START_TEST(buffers)
{
    struct cairn_buffer *second;
    uint32_t words[100];
    ck_assert_int_eq(cairn_buffer_create(device, 0, &second), CAIRN_INVALID);
    ck_assert_ptr_null(second);
    ck_assert_int_eq(cairn_buffer_create(device, SIZE_MAX, &second), CAIRN_MEMORY);
    ck_assert_ptr_null(second);
    ck_assert_int_eq(cairn_buffer_create(device, 10, &second), CAIRN_OK);
    ck_assert_uint_eq(cairn_buffer_bytes(second), 10);
    ck_assert_uint_eq(cairn_device_bytes(device), 410);
    ck_assert_int_eq(cairn_buffer_fill(buffer, 8, 16, 0xdeadbeef), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_fill(buffer, 2, 16, 0), CAIRN_INVALID);
    ck_assert_int_eq(cairn_buffer_fill(buffer, 0, 6, 0), CAIRN_INVALID);
    ck_assert_int_eq(cairn_buffer_fill(buffer, 400, 4, 0), CAIRN_INVALID);
    ck_assert_int_eq(cairn_buffer_copy(buffer, 40, buffer, 8, 16), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_copy(buffer, 9, buffer, 8, 16), CAIRN_INVALID);
    ck_assert_int_eq(cairn_buffer_copy(second, 3, buffer, 8, 8), CAIRN_INVALID);
    ck_assert_int_eq(cairn_buffer_read(buffer, 0, words, 400), CAIRN_OK);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(words[i], (i >= 2 && i < 6) || (i >= 10 && i < 14) ? 0xdeadbeef : 0);
    ck_assert_int_eq(cairn_buffer_read(buffer, 1, words, 400), CAIRN_INVALID);
    ck_assert_int_eq(cairn_buffer_write(buffer, SIZE_MAX, words, 2), CAIRN_INVALID);
    ck_assert_int_eq(cairn_buffer_write(buffer, 400, words, 0), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_write(second, 2, words + 2, 8), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_read(second, 2, words, 8), CAIRN_OK);
    ck_assert_uint_eq(words[1], 0xdeadbeef);
    cairn_buffer_destroy(second);
}
END_TEST

START_TEST(choice)
{
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    struct cairn_problem p;
    int64_t work = -1;
    ck_assert_int_eq(cairn_problem_parse("conv h=9 w=9 kh=3 kw=3", &p, NULL), CAIRN_OK);
    ck_assert_int_eq(cairn_device_variants(device, &p, variants), 1);
    ck_assert_str_eq(variants[0].name, "plain");
    ck_assert_int_eq(variants[0].preferred, 1);
    ck_assert_int_eq(cairn_work_size(device, &p, &work), CAIRN_OK);
    ck_assert_int_eq(work, 0);
    p.u.conv.kh = 10;
    ck_assert_int_eq(cairn_device_variants(device, &p, variants), -1);
    ck_assert_int_eq(cairn_device_force(device, "conv", "plain"), CAIRN_OK);
    ck_assert_int_eq(cairn_device_force(device, "conv", NULL), CAIRN_OK);
    ck_assert_int_eq(cairn_device_force(device, "conv", "magic"), CAIRN_INVALID);
    said("plain");
    ck_assert_int_eq(cairn_device_force(device, "convolve", "plain"), CAIRN_INVALID);
    ck_assert_int_eq(cairn_device_profile(device, NULL, NULL), CAIRN_INVALID);
    ck_assert_int_eq(cairn_device_sync(device), CAIRN_OK);
    ck_assert_int_eq(cairn_device_math(device), CAIRN_MATH_EXACT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("problem");
    TCase *text = tcase_create("text"), *wall = tcase_create("wall");
    tcase_set_timeout(text, 120);
    tcase_add_loop_test(text, round_trip, 0, CAIRN_OP_COUNT);
    tcase_add_test(text, print_cuts_off);
    tcase_add_loop_test(text, malformed_text, 0, sizeof malformed / sizeof *malformed);
    tcase_add_test(text, parse_stops_where_asked);
    tcase_add_test(text, completion);
    tcase_add_test(text, work_and_bytes);
    tcase_add_checked_fixture(wall, open_wall, close_wall);
    tcase_add_test(wall, extents);
    tcase_add_test(wall, overlaps);
    tcase_add_test(wall, in_place_groups);
    tcase_add_test(wall, missing_and_foreign_memory);
    tcase_add_test(wall, buffers);
    tcase_add_test(wall, choice);
    suite_add_tcase(suite, text);
    suite_add_tcase(suite, wall);
    return suite_run(suite);
}
