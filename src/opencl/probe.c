/* The probe: what a device really computes, asked when it is opened.
 *
 * Invariant: exact = 1 only if every case was answered right by kernels built as all others will be
 * - with the device's own fma, division and square root, or with the integer versions of those that
 * it gets wrong. */
#include "opencl/probe.h"
#include "opencl/runtime.h"

#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "probe.cl"
#define BIT(property) (1u << (property))
#define GROUP 128 /* PROBE_GROUP of cl/probe.cl */
#define GROUPS 4
#define ORDER_ITEMS 21 /* of a group of probe_order, each with as many numbers */
#define ORDER_EACH 48

static const char *const property_names[PROP_COUNT] = {
    [PROP_HOST] = "host arithmetic (rounding mode or flushed denormals)",
    [PROP_FMA] = "fma",
    [PROP_DIVISION] = "division",
    [PROP_SQRT] = "square root",
    [PROP_DENORMALS] = "denormals",
    [PROP_ROUNDING] = "rounding",
    [PROP_CONTRACTION] = "contraction",
    [PROP_SIMPLIFICATION] = "simplification",
    [PROP_ZEROS] = "signs of zeros",
    [PROP_NAN] = "NaN",
    [PROP_INTEGERS] = "integers",
    [PROP_CONVERSION] = "conversion",
    [PROP_FUNCTIONS] = "functions",
    [PROP_LOCAL] = "local memory",
    [PROP_ORDER] = "order of sums",
};

/* The cases as the device takes them, and the answers that are right. */
struct probe_set {
    int count;
    uint32_t *op, *a, *b, *c, *want, *got, *memory;
    uint8_t *property;
};

static void finish_set(struct probe_set *set)
{
    free(set->memory);
    free(set->property);
}

/* Room for n cases. */
static cairn_status init_set(struct probe_set *set, int n)
{
    *set = (struct probe_set){0};
    set->memory = calloc(6 * (size_t)n, sizeof *set->memory);
    set->property = calloc((size_t)n, 1);
    if (!set->memory || !set->property) {
        finish_set(set);
        return cairn_fail(CAIRN_MEMORY, "out of memory");
    }
    uint32_t **columns[] = {&set->op, &set->a, &set->b, &set->c, &set->want, &set->got};
    for (int i = 0; i < 6; i++) *columns[i] = set->memory + (size_t)i * (size_t)n;
    return CAIRN_OK;
}

static void add_case(struct probe_set *set, const struct probe_case *one)
{
    int i = set->count++;
    set->op[i] = one->op;
    set->a[i] = one->a;
    set->b[i] = one->b;
    set->c[i] = one->c;
    set->want[i] = one->want;
    set->property[i] = one->property;
}

/* Case number i of all, listed and drawn. */
#define CASES (ocl_probe_case_count + PROBE_DRAWN)
static struct probe_case case_at(int i)
{
    return i < ocl_probe_case_count ? ocl_probe_cases[i] : ocl_probe_draw(i - ocl_probe_case_count);
}

static cairn_status make_scalars(struct probe_set *set)
{
    cairn_status st = CAIRN_OK;
    TRY(init_set(set, CASES));
    for (int i = 0; i < CASES; i++) {
        struct probe_case one = case_at(i);
        add_case(set, &one);
    }
out:
    return st;
}

/* Those that kernels do with vectors, ordered by operation; the last of an operation is repeated up
 * to a whole vector of the widest kind. */
#define WIDEST 16
static cairn_status make_vectors(struct probe_set *set)
{
    cairn_status st = CAIRN_OK;
    TRY(init_set(set, CASES + OP_EXP * (WIDEST - 1)));
    for (int op = 0; op < OP_EXP; op++) {
        struct probe_case last = {0};
        if (!ocl_probe_has_vectors((enum probe_op)op)) continue;
        for (int i = 0; i < CASES; i++) {
            struct probe_case one = case_at(i);
            if (one.op != op) continue;
            last = one;
            add_case(set, &one);
        }
        while (set->count % WIDEST) add_case(set, &last);
    }
out:
    return st;
}

static void compare_set(const struct probe_set *set, uint32_t *failed)
{
    for (int i = 0; i < set->count; i++)
        if (!ocl_probe_same((enum probe_op)set->op[i], set->got[i], set->want[i]))
            *failed |= BIT(set->property[i]);
}

/* The drawn answers are the host's, and some devices inherit its modes: it must answer the listed
 * cases itself. */
static int host_is_right(void)
{
    if (fegetround() != FE_TONEAREST) return 0;
    for (int i = 0; i < ocl_probe_case_count; i++) {
        const struct probe_case *one = &ocl_probe_cases[i];
        enum probe_op op = (enum probe_op)one->op;
        if (!ocl_probe_same(op, ocl_probe_host(op, one->a, one->b, one->c), one->want)) return 0;
    }
    return 1;
}

/* Four inputs of `words` words each and one output on the device, while `launch` runs. */
static cairn_status with_buffers(struct ocl_backend *be, int inputs, const uint32_t *const *data,
                                 size_t words, uint32_t *out, size_t out_words,
                                 cairn_status (*launch)(struct ocl_backend *be,
                                                        struct cairn_mem *mem, int count,
                                                        int wanted),
                                 int count, int wanted)
{
    cairn_status st = CAIRN_OK;
    struct cairn_mem mem[5] = {0};
    for (int i = 0; i < inputs; i++) {
        TRY(ocl_alloc(&be->base, 4 * words, &mem[i].buffer));
        TRY(ocl_write(&be->base, mem[i].buffer, 0, data[i], 4 * words));
    }
    TRY(ocl_alloc(&be->base, 4 * out_words, &mem[inputs].buffer));
    TRY(launch(be, mem, count, wanted));
    TRY(ocl_read(&be->base, mem[inputs].buffer, 0, out, 4 * out_words));
out:
    for (int i = 0; i <= inputs; i++)
        if (mem[i].buffer) ocl_release(&be->base, mem[i].buffer);
    return st;
}

/* The kernels of cl/probe.cl, each with its range of operations. */
static const struct {
    const char *kernel;
    enum probe_op first, last;
} ranges[] = {{"probe", OP_FMA, OP_REM_WIDE},
              {"probe_functions", OP_EXP, OP_SIGMOID},
              {"probe_soft", OP_SOFT_FMA, OP_SOFT_SQRT}};
#define RANGES ((int)(sizeof ranges / sizeof *ranges))

/* `wanted` has a bit for each kernel that some operation needs. */
static cairn_status launch_scalar(struct ocl_backend *be, struct cairn_mem *mem, int count,
                                  int wanted)
{
    cairn_status st = CAIRN_OK;
    for (int i = 0; i < RANGES; i++) {
        cl_kernel kernel;
        if (!(wanted & 1 << i)) continue;
        TRY(ocl_kernel(be, FILE_NAME, NULL, ranges[i].kernel, &kernel));
        TRY(ocl_launch_1d(be, kernel, count, 0, "mmmmmi", &mem[0], &mem[1], &mem[2], &mem[3],
                          &mem[4], count));
    }
out:
    return st;
}

cairn_status ocl_probe_run(struct ocl_backend *be, int count, const uint32_t *const operands[4],
                           uint32_t *out)
{
    int wanted = 0;
    for (int i = 0; i < count; i++)
        for (int r = 0; r < RANGES; r++)
            if (operands[0][i] >= ranges[r].first && operands[0][i] <= ranges[r].last)
                wanted |= 1 << r;
    return with_buffers(be, 4, operands, (size_t)count, out, (size_t)count, launch_scalar, count,
                        wanted);
}

static cairn_status launch_vector(struct ocl_backend *be, struct cairn_mem *mem, int count,
                                  int width)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel;
    char name[32];
    snprintf(name, sizeof name, "probe_vector%d", width);
    TRY(ocl_kernel(be, FILE_NAME, NULL, name, &kernel));
    TRY(ocl_launch_1d(be, kernel, count / width, 0, "mmmmmi", &mem[0], &mem[1], &mem[2], &mem[3],
                      &mem[4], count / width));
out:
    return st;
}

/* The same in vectors of 4, 8 and 16. */
static cairn_status probe_vectors(struct ocl_backend *be, uint32_t *failed)
{
    cairn_status st = CAIRN_OK;
    struct probe_set set;
    TRY(make_vectors(&set));
    const uint32_t *const data[] = {set.op, set.a, set.b, set.c};
    for (int width = 4; width <= WIDEST && st == CAIRN_OK; width *= 2) {
        st = with_buffers(be, 4, data, (size_t)set.count, set.got, (size_t)set.count, launch_vector,
                          set.count, width);
        if (st == CAIRN_OK) compare_set(&set, failed);
    }
    finish_set(&set);
out:
    return st;
}

static cairn_status launch_group(struct ocl_backend *be, struct cairn_mem *mem, int group,
                                 int unused)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel;
    size_t local = (size_t)group, global = local * GROUPS;
    (void)unused;
    TRY(ocl_kernel(be, FILE_NAME, NULL, "probe_group", &kernel));
    TRY(ocl_launch(be, kernel, 1, &global, &local, "m", &mem[0]));
out:
    return st;
}

/* What probe_group leaves for one group of n items, computed item by item. */
static void host_group(uint32_t *out, uint32_t group, uint32_t n)
{
    uint32_t value[GROUP], shared[GROUP];
    for (uint32_t l = 0; l < n; l++) value[l] = (group * n + l) * 2654435761u;
    for (int round = 0; round < 8; round++) {
        memcpy(shared, value, n * sizeof *shared);
        for (uint32_t l = 0; l < n; l++) value[l] = shared[(l + 5) & (n - 1)] * 3u + l;
    }
    memcpy(shared, value, n * sizeof *shared);
    for (uint32_t h = n / 2; h > 0; h >>= 1)
        for (uint32_t l = 0; l < h; l++) shared[l] += shared[l + h] ^ h;
    for (uint32_t l = 0; l < n; l++) out[l] = shared[0] + value[l];
}

static cairn_status probe_groups(struct ocl_backend *be, uint32_t *failed)
{
    cairn_status st = CAIRN_OK;
    uint32_t want[GROUP * GROUPS], got[GROUP * GROUPS];
    cl_kernel kernel;
    cl_ulong local_bytes;
    size_t limit, n = GROUP;
    TRY(ocl_kernel(be, FILE_NAME, NULL, "probe_group", &kernel));
    TRY(ocl_kernel_limits(be, kernel, &limit, &local_bytes));
    while (n > limit) n /= 2;
    if (limit < be->max_group) be->max_group = limit;
    TRY(with_buffers(be, 0, NULL, 0, got, n * GROUPS, launch_group, (int)n, 0));
    for (uint32_t g = 0; g < GROUPS; g++) host_group(want + g * n, g, (uint32_t)n);
    if (memcmp(want, got, n * GROUPS * sizeof *got) != 0) *failed |= BIT(PROP_LOCAL);
out:
    return st;
}

static cairn_status launch_order(struct ocl_backend *be, struct cairn_mem *mem, int items,
                                 int unused)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel;
    size_t size = (size_t)items;
    (void)unused;
    TRY(ocl_kernel(be, FILE_NAME, NULL, "probe_order", &kernel));
    TRY(ocl_launch(be, kernel, 1, &size, &size, "mmi", &mem[0], &mem[1], ORDER_EACH));
out:
    return st;
}

/* What probe_order leaves for one work-item. */
static void host_order(uint32_t *out, const uint32_t *bits)
{
    float p[ORDER_EACH], result[3] = {0.0f, 0.0f, 1.0f};
    memcpy(p, bits, sizeof p);
    for (int i = 0; i < ORDER_EACH; i++) {
        float square = p[i] * p[i];
        result[0] = result[0] + p[i];
        result[1] = result[1] - square;
        result[2] = result[2] * p[i];
    }
    memcpy(out, result, sizeof result);
}

/* Numbers in +-[1, 2) with full mantissas, of which every few in another order have another sum;
 * the first work-item has 2^24 and ones, which add up only where they are not added one by one. */
static cairn_status probe_order(struct ocl_backend *be, uint32_t *failed)
{
    cairn_status st = CAIRN_OK;
    uint32_t x[ORDER_ITEMS * ORDER_EACH], want[ORDER_ITEMS * 3], got[ORDER_ITEMS * 3];
    const uint32_t *const data[] = {x};
    cl_kernel kernel;
    cl_ulong local_bytes;
    size_t limit;
    int items = ORDER_ITEMS;
    TRY(ocl_kernel(be, FILE_NAME, NULL, "probe_order", &kernel));
    TRY(ocl_kernel_limits(be, kernel, &limit, &local_bytes));
    if ((size_t)items > limit) items = (int)limit;
    for (uint32_t i = 0, bits = 1; i < ORDER_ITEMS * ORDER_EACH; i++) {
        bits = bits * 1664525u + 1013904223u;
        x[i] = i == 0           ? 0x4b800000u
               : i < ORDER_EACH ? 0x3f800000u
                                : 0x3f800000u | (bits & 0x80000000u) | (bits >> 8 & 0x7fffffu);
    }
    for (int t = 0; t < items; t++) host_order(want + t * 3, x + t * ORDER_EACH);
    TRY(with_buffers(be, 1, data, sizeof x / sizeof *x, got, (size_t)items * 3, launch_order, items,
                     0));
    if (memcmp(want, got, (size_t)items * 3 * sizeof *got) != 0) *failed |= BIT(PROP_ORDER);
out:
    return st;
}

/* Kernels that take about as long to compile as the others. */
static const char *const parts[] = {
    " probe probe_functions probe_soft ",
    " probe_vector4 probe_vector8 probe_vector16 probe_group probe_order ",
};

/* All cases, with the integer versions that be asks for. */
static cairn_status run_all(struct ocl_backend *be, uint32_t *failed)
{
    cairn_status st = CAIRN_OK;
    struct probe_set set;
    TRY(ocl_compile_parts(be, FILE_NAME, parts, (int)(sizeof parts / sizeof *parts)));
    *failed = host_is_right() ? 0 : BIT(PROP_HOST);
    TRY(make_scalars(&set));
    const uint32_t *const operands[] = {set.op, set.a, set.b, set.c};
    st = ocl_probe_run(be, set.count, operands, set.got);
    if (st == CAIRN_OK) compare_set(&set, failed);
    finish_set(&set);
    if (st == CAIRN_OK) st = probe_vectors(be, failed);
    if (st == CAIRN_OK) st = probe_groups(be, failed);
    if (st == CAIRN_OK) st = probe_order(be, failed);
out:
    return st;
}

static void write_note(struct cairn_device_info *info, uint32_t failed)
{
    size_t n = 0;
    info->probe_note[0] = '\0';
    for (int i = 0; i < PROP_COUNT; i++)
        if (failed & BIT(i) && n < sizeof info->probe_note)
            n += (size_t)snprintf(info->probe_note + n, sizeof info->probe_note - n, "%s%s",
                                  n ? ", " : "", property_names[i]);
}

/* First as the device is; then, where only fma, division or square root fail, with those in
 * integers. The functions are made of the three and are judged in the last run. */
static cairn_status decide(struct ocl_backend *be)
{
    cairn_status st = CAIRN_OK;
    struct cairn_device_info *info = &be->base.info;
    uint32_t first, last, helped = BIT(PROP_FMA) | BIT(PROP_DIVISION) | BIT(PROP_SQRT);
    TRY(run_all(be, &first));
    last = first;
    if ((first & helped) && !(first & ~(helped | BIT(PROP_FUNCTIONS)))) {
        be->soft_fma = (first & BIT(PROP_FMA)) != 0;
        be->soft_div = (first & BIT(PROP_DIVISION)) != 0;
        be->soft_sqrt = (first & BIT(PROP_SQRT)) != 0;
        ocl_programs_release(be);
        TRY(run_all(be, &last));
    }
    info->probed = 1;
    info->exact = last == 0;
    info->soft_fma = info->exact && be->soft_fma;
    write_note(info, last ? first | last : first & helped);
out:
    return st;
}

/* The probe asks about the exact arithmetic, whatever the device was opened for. In fast mode it
 * only informs. */
cairn_status ocl_probe(struct ocl_backend *be)
{
    enum cairn_math math = be->base.options.math;
    be->base.options.math = CAIRN_MATH_EXACT;
    cairn_status st = decide(be);
    be->base.options.math = math;
    if (math != CAIRN_MATH_EXACT) ocl_programs_release(be);
    if (st != CAIRN_OK && math != CAIRN_MATH_EXACT && st != CAIRN_MEMORY) {
        be->base.info.probed = 1;
        be->base.info.exact = 0;
        snprintf(be->base.info.probe_note, sizeof be->base.info.probe_note, "%.200s",
                 cairn_error());
        st = CAIRN_OK;
    }
    return st;
}
