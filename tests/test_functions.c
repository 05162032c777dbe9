/* The functions of cl/exact.h and cl/philox.h against the host's, and launches of kernels. */
#include "base/random.h"
#include "opencl/probe.h"
#include "runtime.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fewer values where a simulator runs them. */
static int sample_size(const struct ocl_backend *be)
{
    return strstr(be->base.info.platform, "Oclgrind") ? 1 << 11 : 1 << 18;
}

/* Runs op over a sample of operands and compares with the host. Operands: spread over all bits, or
 * the probe's hard ones. */
static void compare(struct ocl_backend *be, enum probe_op op, enum probe_op drawn_from)
{
    int n = sample_size(be);
    uint32_t *memory = calloc(5 * (size_t)n, sizeof *memory);
    ck_assert_ptr_nonnull(memory);
    uint32_t *ops = memory, *a = ops + n, *b = a + n, *c = b + n, *got = c + n;
    int filled = 0;
    for (int i = 0; filled < n; i++) {
        struct probe_case drawn = {.a = (uint32_t)i * 0x9e3779b9u};
        if (drawn_from != OP_EXP) drawn = ocl_probe_draw(i);
        if (drawn_from != OP_EXP && drawn.op != drawn_from) continue;
        ops[filled] = op;
        a[filled] = drawn.a;
        b[filled] = drawn.b;
        c[filled++] = drawn.c;
    }
    const uint32_t *const operands[] = {ops, a, b, c};
    ck_assert_msg(ocl_probe_run(be, n, operands, got) == CAIRN_OK, "%s", cairn_error());
    for (int i = 0; i < n; i++) {
        uint32_t want = ocl_probe_host(op, a[i], b[i], c[i]);
        ck_assert_msg(ocl_probe_same(op, got[i], want),
                      "operation %d of %08x %08x %08x is %08x, not %08x", (int)op, a[i], b[i], c[i],
                      got[i], want);
    }
    free(memory);
}

START_TEST(functions)
{
    struct ocl_backend *be = open_backend(NULL);
    for (enum probe_op op = OP_EXP; op <= OP_SIGMOID; op++) compare(be, op, OP_EXP);
    compare(be, OP_SOFT_FMA, OP_FMA);
    compare(be, OP_SOFT_DIV, OP_DIV);
    compare(be, OP_SOFT_SQRT, OP_SQRT);
    ocl_close(&be->base);
}
END_TEST

/* The same where fma, division and square root are all done in integers. */
START_TEST(functions_soft)
{
    struct ocl_backend *be = open_backend(NULL);
    be->soft_fma = be->soft_div = be->soft_sqrt = 1;
    ocl_programs_release(be);
    for (enum probe_op op = OP_EXP; op <= OP_SIGMOID; op++) compare(be, op, OP_EXP);
    compare(be, OP_FMA, OP_FMA);
    compare(be, OP_DIV, OP_DIV);
    compare(be, OP_SQRT, OP_SQRT);
    ocl_close(&be->base);
}
END_TEST

static const char philox_source[] =
    "#include \"exact.h\"\n"
    "#include \"philox.h\"\n"
    "__kernel void draw(__global uint *words, ulong at, __global float *uniforms, ulong u_at, "
    "ulong seed, uint stream,\n"
    "                   uint step, ulong first, long count)\n"
    "{\n"
    "    long i = (long)get_global_id(0);\n"
    "    if (i >= count) return;\n"
    "    words[at + i] = philox_word(seed, stream, step, first + (ulong)i);\n"
    "    uniforms[u_at + i] = philox_uniform(words[at + i]);\n"
    "}\n";

START_TEST(random_numbers)
{
    enum { COUNT = 1001 };
    static const uint64_t firsts[] = {0, 3, 0xfffffff1u, 0x3fffffff0u, (uint64_t)1 << 40};
    static uint32_t words[COUNT];
    static float uniforms[COUNT];
    struct ocl_backend *be = open_backend(NULL);
    struct cairn_mem w = {0}, u = {0};
    cl_kernel kernel;
    plant(NULL, NULL, NULL);
    FILE *out = fopen(in_scratch("kernels/draw.cl"), "w");
    ck_assert_ptr_nonnull(out);
    fputs(philox_source, out);
    fclose(out);
    ck_assert_int_eq(ocl_alloc(&be->base, sizeof words, &w.buffer), CAIRN_OK);
    ck_assert_int_eq(ocl_alloc(&be->base, sizeof uniforms, &u.buffer), CAIRN_OK);
    ck_assert_msg(ocl_kernel(be, "draw.cl", NULL, "draw", &kernel) == CAIRN_OK, "%s",
                  cairn_error());
    for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++) {
        uint64_t seed = 0x123456789abcdef0u * (f + 1);
        uint32_t stream = CAIRN_STREAM_DROPOUT + (uint32_t)f, step = 0xffffff00u + (uint32_t)f;
        ck_assert_int_eq(ocl_launch_1d(be, kernel, COUNT, 0, "mmUuuUl", &w, &u, seed, stream, step,
                                       firsts[f], (int64_t)COUNT),
                         CAIRN_OK);
        ck_assert_int_eq(ocl_read(&be->base, w.buffer, 0, words, sizeof words), CAIRN_OK);
        ck_assert_int_eq(ocl_read(&be->base, u.buffer, 0, uniforms, sizeof uniforms), CAIRN_OK);
        for (uint64_t i = 0; i < COUNT; i++) {
            ck_assert_uint_eq(words[i], cairn_random_u32(seed, stream, step, firsts[f] + i));
            ck_assert(uniforms[i] == cairn_random_uniform(seed, stream, step, firsts[f] + i));
        }
    }
    ocl_release(&be->base, w.buffer);
    ocl_release(&be->base, u.buffer);
    ocl_close(&be->base);
}
END_TEST

/* A launch of nothing is nothing; a wrong one is told at once, with the kernel's name. */
START_TEST(launches)
{
    struct ocl_backend *be = open_backend(NULL);
    struct cairn_mem none = {0};
    cl_kernel kernel;
    size_t zero[2] = {0, 5}, too_many = (size_t)1 << 20, group;
    cl_ulong local;
    ck_assert_int_eq(ocl_kernel(be, "memory.cl", NULL, "fill", &kernel), CAIRN_OK);
    ck_assert_int_eq(ocl_kernel_limits(be, kernel, &group, &local), CAIRN_OK);
    ck_assert_uint_ge(group, 1);
    ck_assert_int_eq(ocl_launch(be, kernel, 2, zero, NULL, "mlu", &none, (int64_t)0, 1u), CAIRN_OK);
    ck_assert_int_eq(ocl_launch_1d(be, kernel, 0, 0, "mlu", &none, (int64_t)0, 1u), CAIRN_OK);
    ck_assert_int_eq(ocl_launch(be, kernel, 1, &too_many, &too_many, "mlu", &none, (int64_t)0, 1u),
                     CAIRN_DEVICE);
    ck_assert_msg(strstr(cairn_error(), "fill") && strstr(cairn_error(), "CL_INVALID_WORK"), "%s",
                  cairn_error());
    ck_assert_int_eq(
        ocl_launch(be, kernel, 1, &too_many, NULL, "mlul", &none, (int64_t)0, 1u, (int64_t)0),
        CAIRN_DEVICE);
    ck_assert_msg(strstr(cairn_error(), "CL_INVALID_ARG_INDEX"), "%s", cairn_error());
    ck_assert_str_eq(ocl_error_name(-5), "CL_OUT_OF_RESOURCES");
    ck_assert_int_eq(ocl_fail(CL_MEM_OBJECT_ALLOCATION_FAILURE, "x"), CAIRN_MEMORY);
    ck_assert_int_eq(be->base.ops->sync(&be->base), CAIRN_OK);
    ocl_close(&be->base);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("functions");
    TCase *cases = tcase_create("functions");
    tcase_set_timeout(cases, 600);
    tcase_add_checked_fixture(cases, enter, leave);
    tcase_add_test(cases, functions);
    tcase_add_test(cases, functions_soft);
    tcase_add_test(cases, random_numbers);
    tcase_add_test(cases, launches);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
