/* The runtime of the OpenCL backend: the binary cache, CAIRN_KERNEL_DIR, the probe's verdicts, and
 * the functions of cl/exact.h and cl/philox.h against the host's. Needs an OpenCL device that
 * passes the probe (PoCL). Run in the source folder. */
#include "base/file.h"
#include "base/random.h"
#include "opencl/probe.h"
#include "opencl/runtime.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch[64]; /* this process's own folder, with kernels/ and cache/ below it */

static char *in_scratch(const char *name)
{
    static char path[4][256];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", scratch, name);
    return path[next];
}

/* Check forks: every test has a folder of its own. */
static void make_scratch(void)
{
    snprintf(scratch, sizeof scratch, "/tmp/cairn-program-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    setenv("XDG_CACHE_HOME", in_scratch("cache"), 1);
    unsetenv("CAIRN_KERNEL_DIR");
}

static void remove_scratch(void)
{
    char command[128];
    snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", scratch, scratch);
    ck_assert_int_eq(system(command), 0);
}

static struct ocl_backend *open_backend(const struct cairn_device_options *options)
{
    static const struct cairn_device_options plain;
    struct cairn_device_info info;
    struct cairn_backend *backend = NULL;
    ck_assert_msg(cairn_device_find("opencl", &info) == CAIRN_OK, "%s", cairn_error());
    ck_assert_msg(cairn_opencl_driver.open(&info, options ? options : &plain, &backend) == CAIRN_OK,
                  "%s", cairn_error());
    return ocl_of(backend);
}

static void read_file(const char *path, char **data, size_t *size)
{
    ck_assert_msg(cairn_file_read(path, data, size) == CAIRN_OK, "%s", cairn_error());
}

/* Copies cl/ into scratch/kernels and makes it the kernel folder; in `file`, the text `from`
 * becomes `to`. */
static void plant(const char *file, const char *from, const char *to)
{
    char *folder = in_scratch("kernels");
    cairn_file_mkdirs(folder);
    DIR *dir = opendir("cl");
    ck_assert_msg(dir != NULL, "run this in the source folder");
    for (struct dirent *entry; (entry = readdir(dir));) {
        char source[300], target[600], *data;
        size_t size;
        if (entry->d_name[0] == '.') continue;
        snprintf(source, sizeof source, "cl/%s", entry->d_name);
        snprintf(target, sizeof target, "%s/%s", folder, entry->d_name);
        read_file(source, &data, &size);
        FILE *out = fopen(target, "w");
        ck_assert_ptr_nonnull(out);
        char *at = file && !strcmp(file, entry->d_name) ? strstr(data, from) : NULL;
        if (file && !strcmp(file, entry->d_name))
            ck_assert_msg(at != NULL, "%s has no '%s'", file, from);
        if (at)
            fprintf(out, "%.*s%s%s", (int)(at - data), data, to, at + strlen(from));
        else
            fwrite(data, 1, size, out);
        ck_assert_int_eq(fclose(out), 0);
        free(data);
    }
    closedir(dir);
    setenv("CAIRN_KERNEL_DIR", folder, 1);
}

/* ---- the binary cache ---- */

/* A whole first use in a process of its own, since a damaged binary may abort: opens, fills and
 * reads back. */
static int use_device(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct cairn_device *device;
        struct cairn_buffer *buffer;
        uint32_t words[64] = {0};
        int good = cairn_device_open("opencl", NULL, &device) == CAIRN_OK &&
                   cairn_buffer_create(device, sizeof words, &buffer) == CAIRN_OK &&
                   cairn_buffer_fill(buffer, 0, sizeof words, 12345) == CAIRN_OK &&
                   cairn_buffer_read(buffer, 0, words, sizeof words) == CAIRN_OK &&
                   words[0] == 12345 && words[63] == 12345;
        _exit(!good);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#define ENTRIES 16
struct entries {
    char paths[ENTRIES][400];
    int count;
};

static struct entries list_cache(void)
{
    struct entries entries = {.count = 0};
    const char *folder = in_scratch("cache/cairn/kernels");
    DIR *dir = opendir(folder);
    if (!dir) return entries;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.' && entries.count < ENTRIES)
            snprintf(entries.paths[entries.count++], sizeof entries.paths[0], "%s/%s", folder,
                     entry->d_name);
    closedir(dir);
    return entries;
}

/* Of one file: what tells whether it was written again. */
static ino_t identity(const char *path)
{
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    return status.st_ino;
}

enum damage {
    CUT_HALF,
    CUT_HEADER,
    CUT_LAST,
    EMPTY,
    FLIP_PAYLOAD,
    FLIP_SIZE,
    FLIP_DIGEST,
    FLIP_KEY,
    FOREIGN,
    OTHER_ENTRY,
    DAMAGES
};

static void damage(enum damage kind, const char *path, const char *other)
{
    char *data;
    size_t size;
    read_file(kind == OTHER_ENTRY ? other : path, &data, &size);
    ck_assert_uint_gt(size, 200);
    switch (kind) {
    case CUT_HALF:
        size /= 2;
        break;
    case CUT_HEADER:
        size = 100;
        break;
    case CUT_LAST:
        size -= 1;
        break;
    case EMPTY:
        size = 0;
        break;
    case FLIP_PAYLOAD:
        data[size - size / 3] ^= 0x10;
        break;
    case FLIP_SIZE:
        data[16] ^= 1;
        break;
    case FLIP_KEY:
        data[24] ^= 1;
        break;
    case FLIP_DIGEST:
        data[100] ^= 1;
        break;
    case FOREIGN:
        memset(data, 'x', size);
        break;
    default:
        break;
    }
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(data, 1, size, out), size);
    ck_assert_int_eq(fclose(out), 0);
    free(data);
}

/* Entries that are whole are left alone; each damaged one is replaced, and nothing aborts. */
START_TEST(cache)
{
    ck_assert(use_device());
    struct entries first = list_cache();
    ck_assert_int_ge(first.count, 2); /* probe.cl and memory.cl */
    ino_t before[ENTRIES];
    for (int i = 0; i < first.count; i++) before[i] = identity(first.paths[i]);
    ck_assert(use_device());
    struct entries again = list_cache();
    ck_assert_int_eq(again.count, first.count);
    for (int i = 0; i < first.count; i++) ck_assert_uint_eq(identity(first.paths[i]), before[i]);
    for (int kind = 0; kind < DAMAGES; kind++) {
        char *spoilt, *healed;
        size_t spoilt_size, healed_size;
        for (int i = 0; i < first.count; i++)
            if (kind != OTHER_ENTRY || i > 0)
                damage((enum damage)kind, first.paths[i], first.paths[0]);
        read_file(first.paths[1], &spoilt, &spoilt_size);
        ck_assert_msg(use_device(), "damage number %d", kind);
        read_file(first.paths[1], &healed, &healed_size);
        ck_assert_msg(spoilt_size != healed_size || memcmp(spoilt, healed, healed_size) != 0,
                      "damage number %d was not replaced", kind);
        ck_assert_mem_eq(healed, "CAIRNKRN", 8);
        free(spoilt);
        free(healed);
        ck_assert_int_eq(list_cache().count, first.count);
    }
}
END_TEST

/* What store writes, load takes, for its own key only. */
START_TEST(cache_load)
{
    struct ocl_backend *be = open_backend(NULL);
    char key[65], other[65], *source;
    size_t size;
    cl_int error;
    ck_assert_int_eq(ocl_source_text("memory.cl", &source, &size), CAIRN_OK);
    ck_assert_int_eq(ocl_cache_key(be, source, size, "-DTEST=1", key), CAIRN_OK);
    ck_assert_int_eq(ocl_cache_key(be, source, size, "-DTEST=2", other), CAIRN_OK);
    ck_assert_str_ne(key, other);
    ck_assert_int_eq(ocl_cache_key(be, source, size - 1, "-DTEST=1", other), CAIRN_OK);
    ck_assert_str_ne(key, other);
    ck_assert_ptr_null(ocl_cache_load(be, key));
    const char *text = source;
    cl_program program = clCreateProgramWithSource(be->context, 1, &text, &size, &error);
    ck_assert_int_eq(clBuildProgram(program, 1, &be->device, "-DTEST=1", NULL, NULL), CL_SUCCESS);
    ocl_cache_store(program, key);
    clReleaseProgram(program);
    program = ocl_cache_load(be, key);
    ck_assert_ptr_nonnull(program);
    ck_assert_int_eq(clBuildProgram(program, 1, &be->device, "-DTEST=1", NULL, NULL), CL_SUCCESS);
    clReleaseProgram(program);
    ck_assert_ptr_null(ocl_cache_load(be, other));
    free(source);
    ocl_close(&be->base);
}
END_TEST

/* No place for a cache is no error. (PoCL keeps one of its own under XDG_CACHE_HOME and cannot do
 * without.) */
START_TEST(cache_nowhere)
{
    static const char *const places[] = {"/dev/null/nowhere", "/proc/nowhere", "locked"};
    const char *place = places[_i];
    if (_i == 2) {
        place = in_scratch("locked");
        ck_assert_int_eq(mkdir(place, 0500), 0);
    }
    setenv("POCL_CACHE_DIR", in_scratch("pocl"), 1);
    setenv("XDG_CACHE_HOME", place, 1);
    ck_assert(use_device());
}
END_TEST

/* ---- CAIRN_KERNEL_DIR ---- */

static uint32_t fill_word(void)
{
    struct cairn_device_options options = {.math = CAIRN_MATH_EXACT};
    struct ocl_backend *be = open_backend(&options);
    struct cairn_buffer *buffer;
    uint32_t word = 0;
    ck_assert_int_eq(ocl_alloc(&be->base, 400, &buffer), CAIRN_OK);
    ck_assert_msg(ocl_fill(&be->base, buffer, 0, 400, 7) == CAIRN_OK, "%s", cairn_error());
    ck_assert_int_eq(ocl_read(&be->base, buffer, 396, &word, 4), CAIRN_OK);
    ocl_release(&be->base, buffer);
    ocl_close(&be->base);
    return word;
}

START_TEST(folder)
{
    ck_assert_uint_eq(fill_word(), 7);
    plant("memory.cl", "= pattern;", "= pattern + 1u;");
    ck_assert_uint_eq(fill_word(), 8);
    unsetenv("CAIRN_KERNEL_DIR");
    ck_assert_uint_eq(fill_word(), 7);
}
END_TEST

/* The folder's sources are the embedded ones, byte for byte. */
START_TEST(embedded)
{
    setenv("CAIRN_KERNEL_DIR", "cl", 1);
    for (size_t i = 0; i < ocl_source_count; i++) {
        char *text;
        size_t size;
        ck_assert_msg(ocl_source_text(ocl_sources[i].file, &text, &size) == CAIRN_OK, "%s",
                      cairn_error());
        ck_assert_uint_eq(size, ocl_sources[i].size);
        ck_assert_mem_eq(text, ocl_sources[i].text, size);
        free(text);
    }
    ck_assert_uint_ge(ocl_source_count, 10);
}
END_TEST

static cairn_status build_anew(const char *file, const char *kernel)
{
    struct cairn_device_info info;
    struct cairn_device_options options = {.math = CAIRN_MATH_EXACT};
    struct ocl_backend *be = NULL;
    cl_kernel handle;
    ck_assert_int_eq(cairn_device_find("opencl", &info), CAIRN_OK);
    ck_assert_int_eq(ocl_open_plain(&info, &options, &be), CAIRN_OK);
    cairn_status st = ocl_kernel(be, file, NULL, kernel, &handle);
    ocl_close(&be->base);
    return st;
}

START_TEST(build_errors)
{
    plant("memory.cl", "= pattern;", "= patern;");
    ck_assert_int_eq(build_anew("memory.cl", "fill"), CAIRN_BUILD);
    ck_assert_msg(strstr(cairn_error(), "memory.cl") && strstr(cairn_error(), "patern"), "%s",
                  cairn_error());
    plant("exact.h", "static inline float no_minus_zero", "statik inline float no_minus_zero");
    ck_assert_int_eq(build_anew("probe.cl", "probe"), CAIRN_BUILD);
    /* Oclgrind's compiler does not heed #line. */
    const char *vendors = getenv("OCL_ICD_VENDORS");
    int heeds = !(vendors && strstr(vendors, "oclgrind"));
    ck_assert_msg(strstr(cairn_error(), heeds ? "exact.h:" : "statik"), "%s", cairn_error());
    plant(NULL, NULL, NULL);
    ck_assert_int_eq(build_anew("memory.cl", "no_such_kernel"), CAIRN_BUILD);
    ck_assert_msg(strstr(cairn_error(), "no_such_kernel"), "%s", cairn_error());
    ck_assert_int_eq(build_anew("nothing.cl", "fill"), CAIRN_NOT_FOUND);
    ck_assert_msg(strstr(cairn_error(), "CAIRN_KERNEL_DIR"), "%s", cairn_error());
    unsetenv("CAIRN_KERNEL_DIR");
    ck_assert_int_eq(build_anew("nothing.cl", "fill"), CAIRN_BUILD);
}
END_TEST

/* ---- the probe's verdicts, on a device that was made wrong ---- */

static const struct {
    const char *from, *to;
    int exact;
    const char *note;
} faults[] = {
    {"#define FMA(a, b, c) fma(a, b, c)", "#define FMA(a, b, c) ((a) * (b) + (c))", 1, "fma"},
    {"#define FMA16(a, b, c) fma(a, b, c)", "#define FMA16(a, b, c) ((a) * (b) + (c))", 1, "fma"},
    {"#define FMA4(a, b, c) fma(a, b, c)", "#define FMA4(a, b, c) ((a) * (b) + (c))", 1, "fma"},
    {"#define DIV(a, b) ((a) / (b))", "#define DIV(a, b) ((a) * (1.0f / (b)))", 1, "division"},
    {"#define SQRT(a) sqrt(a)", "#define SQRT(a) ((a) * rsqrt(a))", 1, "square root"},
    {"#define RELU(x) ((x) < 0.0f ? 0.0f : (x))", "#define RELU(x) fmax((x), 0.0f)", 0, "NaN"},
    {"return as_float((u << 1) == 0u ? 0u : u);", "return x;", 0, "signs of zeros"},
    {"p = FMA(p, r, 8.3696544170379638671875e-3f);", "p = FMA(p, r, 8.3697e-3f);", 0, "functions"},
};

START_TEST(verdicts)
{
    struct cairn_device_info info;
    struct cairn_device *device = NULL;
    plant("exact.h", faults[_i].from, faults[_i].to);
    ck_assert_msg(cairn_device_probe("opencl", &info) == CAIRN_OK, "%s", cairn_error());
    ck_assert_msg(strstr(info.probe_note, faults[_i].note) != NULL, "'%s' instead of %s",
                  info.probe_note, faults[_i].note);
    ck_assert_int_eq(info.exact, faults[_i].exact);
    if (_i < 3) ck_assert(info.soft_fma);
    ck_assert_int_eq(cairn_device_open("opencl", NULL, &device),
                     faults[_i].exact ? CAIRN_OK : CAIRN_UNSUPPORTED);
    if (!faults[_i].exact)
        ck_assert_msg(strstr(cairn_error(), faults[_i].note) != NULL, "%s", cairn_error());
    cairn_device_close(device);
    if (faults[_i].exact) return;
    struct cairn_device_options fast = {.math = CAIRN_MATH_FAST};
    ck_assert_int_eq(cairn_device_open("opencl", &fast, &device), CAIRN_OK);
    cairn_device_close(device);
}
END_TEST

/* ---- functions ---- */

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
    Suite *suite = suite_create("program");
    TCase *cases = tcase_create("program");
    tcase_set_timeout(cases, 600); /* everything is compiled, much of it many times */
    tcase_add_checked_fixture(cases, make_scratch, remove_scratch);
    tcase_add_test(cases, cache);
    tcase_add_test(cases, cache_load);
    tcase_add_loop_test(cases, cache_nowhere, 0, 3);
    tcase_add_test(cases, folder);
    tcase_add_test(cases, embedded);
    tcase_add_test(cases, build_errors);
    tcase_add_loop_test(cases, verdicts, 0, sizeof faults / sizeof *faults);
    tcase_add_test(cases, functions);
    tcase_add_test(cases, functions_soft);
    tcase_add_test(cases, random_numbers);
    tcase_add_test(cases, launches);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
