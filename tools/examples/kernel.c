/* Checks OpenCL kernels of one's own against the reference.
 *
 *   cc kernel.c $(pkg-config --cflags --libs cairn) -o kernel && ./kernel [DEVICE]
 *
 * A kernel takes the place of an operator on a device. Cairn's checker then runs random cases, or
 * cases of one's own, between guards on that device and on the reference, and tells the first
 * difference as one line that brings it back. The second relu below has a bug: find it. */
#include <cairn/cairn.h>
#include <inttypes.h>
#include <stdio.h>

/* Memory comes with an offset in elements. Exact arithmetic does not contract a * b + c. */
static const char source[] =
    "#pragma OPENCL FP_CONTRACT OFF\n"
    "__kernel void relu(__global const float *x, ulong x0, __global float *y, ulong y0, long n)\n"
    "{\n"
    "    long i = get_global_id(0);\n"
    "    if (i < n) y[y0 + i] = x[x0 + i] < 0.0f ? 0.0f : x[x0 + i];\n"
    "}\n"
    "__kernel void relu_fmax(__global const float *x, ulong x0, __global float *y, ulong y0,\n"
    "                        long n)\n"
    "{\n"
    "    long i = get_global_id(0);\n"
    "    if (i < n) y[y0 + i] = fmax(x[x0 + i], 0.0f);\n"
    "}\n"
    "__kernel void product(__global const float *a, ulong a0, __global const float *b, ulong b0,\n"
    "                      __global float *c, ulong c0, long m, long n, long k)\n"
    "{\n"
    "    long j = get_global_id(0), i = get_global_id(1);\n"
    "    float s = 0.0f;\n"
    "    if (i >= m || j >= n) return;\n"
    "    for (long l = 0; l < k; l++) s = fma(a[a0 + i * k + l], b[b0 + l * n + j], s);\n"
    "    c[c0 + i * n + j] = 0.0f + s;\n" /* sums of blocks are added to +0: no result is -0 */
    "}\n";

static struct cairn_arg memory(struct cairn_mem mem)
{
    struct cairn_arg arg = {CAIRN_ARG_MEM, {NULL, 0}, 0, 0};
    arg.mem = mem;
    return arg;
}

static struct cairn_arg number(int64_t value)
{
    struct cairn_arg arg = {CAIRN_ARG_LONG, {NULL, 0}, 0, 0};
    arg.l = value;
    return arg;
}

static int admits_relu(void *context, const struct cairn_problem *problem)
{
    (void)context;
    return problem->u.activation.kind == CAIRN_ACT_RELU;
}

static cairn_status run_relu(void *kernel, struct cairn_device *device,
                             const struct cairn_problem *problem)
{
    const struct cairn_activation *p = &problem->u.activation;
    struct cairn_arg args[3] = {memory(p->x), memory(p->y), number(p->count)};
    size_t local = 64, global = ((size_t)p->count + 63) / 64 * 64;
    (void)device;
    return cairn_kernel_run((struct cairn_kernel *)kernel, 1, &global, &local, args, 3);
}

/* What this kernel can do: one plain product, and no longer than the first block of the sum. */
static int admits_product(void *context, const struct cairn_problem *problem)
{
    const struct cairn_gemm *p = &problem->u.gemm;
    (void)context;
    return p->batch == 1 && !p->ta && !p->tb && !p->bias && !p->act && p->lda == p->k &&
           p->ldb == p->n && p->ldc == p->n && p->k <= 256;
}

static cairn_status run_product(void *kernel, struct cairn_device *device,
                                const struct cairn_problem *problem)
{
    const struct cairn_gemm *p = &problem->u.gemm;
    struct cairn_arg args[6] = {memory(p->a), memory(p->b), memory(p->c),
                                number(p->m), number(p->n), number(p->k)};
    size_t global[2] = {(size_t)p->n, (size_t)p->m};
    (void)device;
    return cairn_kernel_run((struct cairn_kernel *)kernel, 2, global, NULL, args, 6);
}

static void differs(void *context, const struct cairn_check_failure *failure)
{
    if ((*(int *)context)++ == 0)
        printf("  %s\n  %s[%" PRId64 "] is 0x%08" PRIx32 ", not 0x%08" PRIx32 "\n", failure->line,
               failure->operand, failure->index, failure->got, failure->want);
}

/* Cases: 100 that Cairn draws, or those of `make_case` (number -> line; 0 behind the last). */
static cairn_status check(struct cairn_device *device, struct cairn_device *reference,
                          enum cairn_op op, struct cairn_own own, const char *kernel,
                          int (*make_case)(int number, char *line, size_t size))
{
    int told = 0;
    char line[256];
    struct cairn_kernel *built;
    struct cairn_check_result result = {0};
    struct cairn_check_options options = {0};
    options.cases = 100;
    options.seed = 1;
    options.variant = own.name;
    options.failure = differs;
    options.context = &told;
    cairn_status status = cairn_kernel_create(device, source, NULL, kernel, &built);
    if (status != CAIRN_OK) return status;
    own.context = built;
    status = cairn_device_own(device, op, &own);
    if (status == CAIRN_OK && !make_case)
        status = cairn_check_random(device, reference, op, &options, &result);
    for (int i = 0; make_case && make_case(i, line, sizeof line); i++)
        if (status == CAIRN_OK || status == CAIRN_DIFFERENT)
            status = cairn_check_line(device, reference, line, &options, &result);
    printf("%s: %d runs, %d differ\n", kernel, (int)result.runs, (int)result.failed);
    return result.failed ? CAIRN_OK : status;
}

/* A generator of one's own: the sizes that matter, and denormals among the numbers. */
static int make_product(int number, char *line, size_t size)
{
    static const int sizes[] = {1, 7, 8, 63, 64, 65, 255, 256};
    snprintf(line, size, "gemm m=%d n=%d k=%d : data=%s seed=%d variant=my-product",
             sizes[number % 5], sizes[number / 8 % 5], sizes[number % 8],
             number % 2 ? "special" : "denormal", number);
    return number < 40;
}

int main(int argc, char **argv)
{
    struct cairn_device *device = NULL, *reference = NULL;
    struct cairn_own relu = {"my-relu", admits_relu, run_relu, NULL};
    struct cairn_own product = {"my-product", admits_product, run_product, NULL};
    cairn_status status = cairn_device_open(argc > 1 ? argv[1] : "opencl", NULL, &device);
    if (status == CAIRN_OK) status = cairn_device_open("reference", NULL, &reference);
    if (status == CAIRN_OK)
        status = check(device, reference, CAIRN_OP_ACTIVATION, relu, "relu", NULL);
    if (status == CAIRN_OK)
        status = check(device, reference, CAIRN_OP_ACTIVATION, relu, "relu_fmax", NULL);
    if (status == CAIRN_OK)
        status = check(device, reference, CAIRN_OP_GEMM, product, "product", make_product);
    if (status != CAIRN_OK)
        fprintf(stderr, "kernel: %s: %s\n", cairn_status_text(status), cairn_error());
    cairn_device_close(reference);
    cairn_device_close(device);
    return cairn_status_exit(status);
}
