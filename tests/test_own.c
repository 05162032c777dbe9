/* <cairn/own.h>: arrays of the host, kernels of one's own, and code in an operator's place. */
#include "suite.h"
#include <cairn/cairn.h>

#include <pthread.h>
#include <string.h>

#define GOOD(call) ck_assert_msg((call) == CAIRN_OK, "%s", cairn_error())
#define SAYS(call, status, text)                                                                   \
    do {                                                                                           \
        ck_assert_int_eq(call, status);                                                            \
        ck_assert_msg(strstr(cairn_error(), text) != NULL, "'%s' lacks '%s'", cairn_error(),       \
                      text);                                                                       \
    } while (0)

static struct cairn_device *device, *reference;

static void open_devices(void)
{
    GOOD(cairn_device_open("opencl", NULL, &device));
    GOOD(cairn_device_open("reference", NULL, &reference));
}

static void close_devices(void)
{
    ck_assert_uint_eq(cairn_device_bytes(device), 0);
    ck_assert_uint_eq(cairn_device_bytes(reference), 0);
    cairn_device_close(reference);
    cairn_device_close(device);
}

/* --- arrays --- */

static struct cairn_problem parsed(const char *line)
{
    struct cairn_problem problem;
    GOOD(cairn_problem_parse(line, &problem, NULL));
    return problem;
}

START_TEST(operands)
{
    struct cairn_problem gather = parsed("gather count=3 item=4 total=5");
    static const struct {
        const char *name;
        enum cairn_dtype dtype;
        enum cairn_role role;
        int64_t elements;
    } want[] = {{"table", CAIRN_U8, CAIRN_IN, 20},
                {"labels", CAIRN_U8, CAIRN_IN, 5},
                {"indices", CAIRN_I32, CAIRN_IN, 3},
                {"x", CAIRN_F32, CAIRN_OUT, 12},
                {"y", CAIRN_I32, CAIRN_OUT, 3}};
    struct cairn_operand_info o;
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(cairn_problem_operand(&gather, i, &o), 1);
        ck_assert_str_eq(o.name, want[i].name);
        ck_assert_int_eq(o.dtype, want[i].dtype);
        ck_assert_int_eq(o.role, want[i].role);
        ck_assert_int_eq(o.elements, want[i].elements);
    }
    ck_assert_ptr_eq(o.mem, &gather.u.gather.y);
    ck_assert_int_eq(cairn_problem_operand(&gather, 5, &o), 0);
    struct cairn_problem plain = parsed("gemm m=2 n=3 k=4"); /* no bias, perhaps a workspace */
    for (int i = 0; cairn_problem_operand(&plain, i, &o); i++) ck_assert_str_ne(o.name, "bias_v");
}
END_TEST

/* c = a b with a gap behind each row of c, which stays. */
START_TEST(arrays)
{
    float a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8}, c[] = {-1, -1, 9, -1, -1};
    struct cairn_array all[] = {{"c", c, 5}, {"b", b, 4}, {"a", a, 4}};
    struct cairn_problem product = parsed("gemm m=2 n=2 k=2 ldc=3");
    GOOD(cairn_run_arrays(_i ? device : reference, &product, all, 3));
    static const float want[] = {19, 22, 9, 43, 50};
    for (int i = 0; i < 5; i++) ck_assert(c[i] == want[i]);
}
END_TEST

START_TEST(wrong_arrays)
{
    float x[4] = {1, 2, 3, 4}, y[4] = {0};
    struct cairn_problem relu = parsed("activation kind=relu count=4");
    struct cairn_array all[3] = {{"x", x, 4}, {"y", y, 4}, {"z", y, 4}};
    SAYS(cairn_run_arrays(reference, &relu, all, 1), CAIRN_INVALID, "operand y has no array");
    SAYS(cairn_run_arrays(reference, &relu, all, 3), CAIRN_INVALID, "no operand 'z'");
    all[2] = all[0];
    SAYS(cairn_run_arrays(reference, &relu, all, 3), CAIRN_INVALID, "x is given twice");
    all[1].elements = 3;
    SAYS(cairn_run_arrays(reference, &relu, all, 2), CAIRN_INVALID, "y takes 4 float, not 3");
    all[1].elements = 4;
    all[0].data = NULL;
    SAYS(cairn_run_arrays(reference, &relu, all, 2), CAIRN_INVALID, "operand x has no array");
    relu.u.activation.count = 0;
    SAYS(cairn_run_arrays(reference, &relu, all, 2), CAIRN_INVALID, "count");
}
END_TEST

/* --- kernels --- */

static const char twice[] =
    "__kernel void twice(__global const float *x, ulong x0, __global float *y, int n, float f,\n"
    "                    __local float *l, long m)\n"
    "{\n"
    "    int i = get_global_id(0);\n"
    "    l[get_local_id(0)] = f;\n"
    "    if (i < n && i < m) y[i] = l[get_local_id(0)] * x[x0 + i] + ADD;\n"
    "}\n";

START_TEST(kernels)
{
    struct cairn_kernel *kernel;
    struct cairn_buffer *buffer, *other;
    float x[4] = {1, 2, 3, 4}, y[4] = {7, 7, 7, 7};
    GOOD(cairn_kernel_create(device, twice, "-DADD=1.0f", "twice", &kernel));
    GOOD(cairn_buffer_create(device, sizeof x, &buffer));
    GOOD(cairn_buffer_create(device, sizeof y, &other));
    GOOD(cairn_buffer_write(buffer, 0, x, sizeof x));
    GOOD(cairn_buffer_write(other, 0, y, sizeof y));
    struct cairn_arg args[] = {{.kind = CAIRN_ARG_MEM, .mem = {buffer, 1}},
                               {.kind = CAIRN_ARG_BUFFER, .mem = {other, 0}},
                               {.kind = CAIRN_ARG_INT, .l = 3},
                               {.kind = CAIRN_ARG_FLOAT, .f = 2},
                               {.kind = CAIRN_ARG_LOCAL, .l = 16},
                               {.kind = CAIRN_ARG_LONG, .l = 1000}};
    size_t global = 4, local = 4, none = 0, three = 3;
    GOOD(cairn_kernel_run(kernel, 1, &none, &local, args, 6));
    GOOD(cairn_kernel_run(kernel, 1, &global, &local, args, 6));
    GOOD(cairn_buffer_read(other, 0, y, sizeof y));
    ck_assert(y[0] == 5 && y[1] == 7 && y[2] == 9 && y[3] == 7);
    SAYS(cairn_kernel_run(kernel, 1, &global, &local, args, 5), CAIRN_INVALID,
         "takes 7 arguments, not 6");
    SAYS(cairn_kernel_run(kernel, 1, &global, &three, args, 6), CAIRN_INVALID, "no multiple");
    SAYS(cairn_kernel_run(kernel, 4, &global, NULL, args, 6), CAIRN_INVALID, "1 to 3 dimensions");
    args[2].l = INT64_C(1) << 40;
    SAYS(cairn_kernel_run(kernel, 1, &global, &local, args, 6), CAIRN_INVALID, "argument 2");
    struct cairn_buffer *foreign;
    GOOD(cairn_buffer_create(reference, 16, &foreign));
    args[0].mem.buffer = foreign;
    SAYS(cairn_kernel_run(kernel, 1, &global, &local, args, 6), CAIRN_INVALID, "another device");
    cairn_buffer_destroy(foreign);
    cairn_buffer_destroy(other);
    cairn_buffer_destroy(buffer);
}
END_TEST

START_TEST(wrong_kernels)
{
    struct cairn_kernel *kernel;
    SAYS(cairn_kernel_create(device, twice, NULL, "twice", &kernel), CAIRN_BUILD, "ADD");
    SAYS(cairn_kernel_create(device, twice, "-DADD=1", "thrice", &kernel), CAIRN_BUILD, "thrice");
    SAYS(cairn_kernel_create(device, NULL, NULL, "twice", &kernel), CAIRN_INVALID, "source");
    SAYS(cairn_kernel_create(reference, twice, "-DADD=1", "twice", &kernel), CAIRN_UNSUPPORTED,
         "reference");
    ck_assert_ptr_null(kernel);
}
END_TEST

/* --- in the place of an operator --- */

struct calls {
    int runs, least; /* admits counts of at least so many */
    float add;       /* what it gets wrong */
    cairn_status status;
};

static int admits(void *context, const struct cairn_problem *problem)
{
    const struct calls *calls = context;
    return problem->u.reduce.n2 >= calls->least && problem->u.reduce.kind == CAIRN_REDUCE_MAX;
}

/* The largest of each row, on the host: what a device of another kind would do. */
static cairn_status run(void *context, struct cairn_device *on, const struct cairn_problem *problem)
{
    const struct cairn_reduce *p = &problem->u.reduce;
    struct calls *calls = context;
    cairn_status status = CAIRN_OK;
    float *x = malloc((size_t)(p->n1 * p->c * p->n2) * sizeof *x), best;
    ck_assert_ptr_nonnull(x);
    calls->runs++;
    if (calls->status != CAIRN_OK) {
        free(x);
        return calls->status;
    }
    GOOD(cairn_buffer_read(p->x.buffer, (size_t)p->x.offset * 4, x,
                           (size_t)(p->n1 * p->c * p->n2) * 4));
    ck_assert_ptr_nonnull(cairn_device_info(on));
    for (int64_t j = 0; j < p->c && status == CAIRN_OK; j++) {
        best = -1.0f / 0.0f;
        for (int64_t i = 0; i < p->n1; i++)
            for (int64_t l = 0; l < p->n2; l++) {
                float v = x[(i * p->c + j) * p->n2 + l];
                best = v > best || v != v ? v : best;
            }
        best = best + calls->add + 0.0f; /* -0 becomes +0 */
        status = cairn_buffer_write(p->y.buffer, (size_t)(p->y.offset + j) * 4, &best, 4);
    }
    free(x);
    return status;
}

/* Checked as the kernels are: what it admits, between guards; and found where it is wrong. */
START_TEST(checked)
{
    struct cairn_device *on = _i ? device : reference, *against = reference, *second = NULL;
    struct calls calls = {.least = 2};
    struct cairn_own own = {"mine", admits, run, &calls};
    struct cairn_check_options options = {.cases = 60, .seed = 3, .variant = "mine"};
    struct cairn_check_result result = {0};
    if (!_i) {
        GOOD(cairn_device_open("reference", NULL, &second));
        against = second;
    }
    GOOD(cairn_device_own(on, CAIRN_OP_REDUCE, &own));
    GOOD(cairn_check_random(on, against, CAIRN_OP_REDUCE, &options, &result));
    ck_assert_int_gt(result.runs, 3);
    ck_assert_int_eq(result.runs, calls.runs);
    ck_assert_str_eq(result.variants[0].name, "mine");
    calls.add = 1;
    ck_assert_int_eq(cairn_check_random(on, against, CAIRN_OP_REDUCE, &options, &result),
                     CAIRN_DIFFERENT);
    char small[256];
    GOOD(cairn_check_shrink(on, against,
                            "reduce kind=max n1=3 c=9 n2=70 : data=integer seed=4 variant=mine",
                            small, sizeof small));
    ck_assert_msg(strstr(small, "n2=2 ") && strstr(small, "variant=mine"), "%s", small);
    GOOD(cairn_device_own(on, CAIRN_OP_REDUCE, NULL));
    int before = calls.runs;
    options.variant = NULL;
    options.cases = 10;
    GOOD(cairn_check_random(on, against, CAIRN_OP_REDUCE, &options, &result));
    ck_assert_int_eq(calls.runs, before);
    cairn_device_close(second);
}
END_TEST

/* It is the default for what it admits; others run as before; forcing and failing. */
START_TEST(replaced)
{
    float x[4] = {1, 5, 2, 3}, y = 0;
    struct cairn_array all[] = {{"x", x, 4}, {"y", &y, 1}};
    struct cairn_problem max = parsed("reduce kind=max n2=4"), sum = parsed("reduce n2=4");
    struct calls calls = {.add = 10};
    struct cairn_own own = {"mine", admits, run, &calls};
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    char theirs[16];
    int count = cairn_device_variants(device, &max, variants);
    memcpy(theirs, variants[0].name, sizeof theirs);
    GOOD(cairn_device_own(device, CAIRN_OP_REDUCE, &own));
    ck_assert_int_eq(cairn_device_variants(device, &max, variants), count + 1);
    ck_assert_int_eq(variants[count].preferred, 1);
    GOOD(cairn_run_arrays(device, &max, all, 2));
    ck_assert(y == 15);
    GOOD(cairn_run_arrays(device, &sum, all, 2));
    ck_assert(y == 11 && calls.runs == 1);
    struct cairn_buffer *buffer;
    GOOD(cairn_buffer_create(device, 32, &buffer));
    max.u.reduce.x = (struct cairn_mem){buffer, 0};
    max.u.reduce.y = (struct cairn_mem){buffer, 4};
    GOOD(cairn_device_note(device, &max)); /* nothing to compile */
    cairn_buffer_destroy(buffer);
    ck_assert_int_eq(calls.runs, 1);
    GOOD(cairn_device_force(device, "reduce", theirs));
    GOOD(cairn_run_arrays(device, &max, all, 2));
    ck_assert(y == 5);
    GOOD(cairn_device_force(device, "reduce", "mine"));
    calls.status = CAIRN_IO;
    SAYS(cairn_run_arrays(device, &max, all, 2), CAIRN_IO, "reduce kind=max n2=4: mine failed");
    calls.status = CAIRN_BUILD; /* is not done again by another */
    SAYS(cairn_run_arrays(device, &max, all, 2), CAIRN_BUILD, "mine failed");
    GOOD(cairn_device_own(device, CAIRN_OP_REDUCE, NULL));
    GOOD(cairn_run_arrays(device, &max, all, 2));
    ck_assert(y == 5 && calls.runs == 3);
}
END_TEST

START_TEST(wrong_names)
{
    static const char *const names[] = {"", "sixteen-letters-", "my_own", "a b"};
    struct calls calls = {0};
    struct cairn_own own = {"plain", admits, run, &calls};
    SAYS(cairn_device_own(reference, CAIRN_OP_REDUCE, &own), CAIRN_INVALID, "already");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        own.name = names[i];
        SAYS(cairn_device_own(reference, CAIRN_OP_REDUCE, &own), CAIRN_INVALID, "is no name");
    }
    own = (struct cairn_own){.name = "mine"};
    SAYS(cairn_device_own(reference, CAIRN_OP_REDUCE, &own), CAIRN_INVALID, "runs");
    SAYS(cairn_device_own(reference, CAIRN_OP_COUNT, &own), CAIRN_INVALID, "no operator");
}
END_TEST

/* A device of its own for each thread: the first calls of the process, all at once. */
static void *one_thread(void *result)
{
    float x[3] = {-1, 2, -3}, *y = result;
    struct cairn_array all[] = {{"x", x, 3}, {"y", y, 3}};
    struct cairn_device *mine;
    struct cairn_problem relu = cairn_problem_default(CAIRN_OP_ACTIVATION);
    relu.u.activation.count = 3;
    if (cairn_device_open("opencl", NULL, &mine) != CAIRN_OK) return NULL;
    cairn_status status = cairn_run_arrays(mine, &relu, all, 2);
    cairn_device_close(mine);
    return status == CAIRN_OK ? y : NULL;
}

START_TEST(threads)
{
    pthread_t ids[4];
    float y[4][3] = {{0}};
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&ids[i], NULL, one_thread, y[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *done = NULL;
        ck_assert_int_eq(pthread_join(ids[i], &done), 0);
        ck_assert_msg(done && y[i][0] == 0 && y[i][1] == 2 && y[i][2] == 0, "thread %d", i);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("own");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, open_devices, close_devices);
    tcase_add_test(all, operands);
    tcase_add_loop_test(all, arrays, 0, 2);
    tcase_add_test(all, wrong_arrays);
    tcase_add_test(all, kernels);
    tcase_add_test(all, wrong_kernels);
    tcase_add_loop_test(all, checked, 0, 2);
    tcase_add_test(all, replaced);
    tcase_add_test(all, wrong_names);
    suite_add_tcase(suite, all);
    TCase *apart = tcase_create("threads");
    tcase_add_test(apart, threads);
    suite_add_tcase(suite, apart);
    return suite_run(suite);
}
