/* The runtime of the OpenCL backend: the binary cache, CAIRN_KERNEL_DIR, and the probe's verdicts.
 */
#include "opencl/probe.h"
#include "runtime.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
    ck_assert_int_eq(ocl_source_text(NULL, "memory.cl", &source, &size), CAIRN_OK);
    ck_assert_int_eq(ocl_cache_key(be, source, size, "-DTEST=1", key), CAIRN_OK);
    ck_assert_int_eq(ocl_cache_key(be, source, size, "-DTEST=2", other), CAIRN_OK);
    ck_assert_str_ne(key, other);
    ck_assert_int_eq(ocl_cache_key(be, source, size - 1, "-DTEST=1", other), CAIRN_OK);
    ck_assert_str_ne(key, other);
    ck_assert_ptr_null(ocl_cache_load(be, key));
    const char *text = source;
    cl_program program = clCreateProgramWithSource(be->context, 1, &text, &size, &error);
    ck_assert_int_eq(clBuildProgram(program, 1, &be->device, "-DTEST=1", NULL, NULL), CL_SUCCESS);
    ocl_cache_store(be, program, key);
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
    for (size_t i = 0; i < ocl_source_count; i++) {
        char *text, *same;
        size_t size, other;
        unsetenv("CAIRN_KERNEL_DIR");
        ck_assert_msg(ocl_source_text(NULL, ocl_sources[i].file, &text, &size) == CAIRN_OK, "%s",
                      cairn_error());
        ck_assert_ptr_null(strstr(text, "\n#include"));
        setenv("CAIRN_KERNEL_DIR", "cl", 1);
        ck_assert_msg(ocl_source_text(NULL, ocl_sources[i].file, &same, &other) == CAIRN_OK, "%s",
                      cairn_error());
        ck_assert_uint_eq(size, other);
        ck_assert_mem_eq(text, same, size);
        free(text);
        free(same);
    }
    ck_assert_uint_ge(ocl_source_count, 10);
}
END_TEST

static void put(const char *name, const char *text)
{
    FILE *file = fopen(in_scratch(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* A folder laid over the kernels: its files stand for theirs, headers too; the rest stays. */
START_TEST(laid_over)
{
    char *text;
    size_t size;
    char over[128];
    snprintf(over, sizeof over, "%s", in_scratch("over"));
    ck_assert_int_eq(ocl_source_check(over), CAIRN_NOT_FOUND);
    ck_assert_int_eq(mkdir(over, 0700), 0);
    put("over/notes.txt", "none of ours");
    ck_assert_int_eq(ocl_source_check(over), CAIRN_INVALID);
    ck_assert_msg(strstr(cairn_error(), "no kernel file"), "%s", cairn_error());
    put("over/gem.cl", "");
    ck_assert_int_eq(ocl_source_check(over), CAIRN_INVALID);
    ck_assert_msg(strstr(cairn_error(), "gem.cl"), "%s", cairn_error());
    ck_assert_int_eq(unlink(in_scratch("over/gem.cl")), 0);
    put("over/philox.h", "#define LAID_OVER\n");
    put("over/own.h", "#define OWN\n");
    ck_assert_msg(ocl_source_check(over) == CAIRN_OK, "%s", cairn_error());
    ck_assert_int_eq(ocl_source_text(over, "dropout.cl", &text, &size), CAIRN_OK);
    ck_assert_ptr_nonnull(strstr(text, "#line 1 \"philox.h\"\n#define LAID_OVER\n#line"));
    ck_assert_ptr_nonnull(strstr(text, "__kernel void dropout"));
    free(text);
    put("over/dropout.cl", "#include \"own.h\"\n");
    ck_assert_int_eq(ocl_source_text(over, "dropout.cl", &text, &size), CAIRN_OK);
    ck_assert_str_eq(text, "#line 1 \"dropout.cl\"\n#line 1 \"own.h\"\n#define OWN\n"
                           "#line 2 \"dropout.cl\"\n");
    free(text);
}
END_TEST

/* The device's kernels come from there; the same device without it has its own. */
START_TEST(laid_over_device)
{
    char kernels[128];
    struct cairn_device_options options = {.kernels = kernels};
    struct cairn_device *device = NULL;
    snprintf(kernels, sizeof kernels, "%s", in_scratch("kernels"));
    plant("memory.cl", "= pattern;", "= pattern + 1u;");
    unsetenv("CAIRN_KERNEL_DIR");
    for (int laid = 0; laid < 2; laid++) {
        uint32_t word = 0;
        struct cairn_buffer *buffer;
        ck_assert_msg(cairn_device_open("opencl", laid ? &options : NULL, &device) == CAIRN_OK,
                      "%s", cairn_error());
        ck_assert_int_eq(cairn_buffer_create(device, 400, &buffer), CAIRN_OK);
        ck_assert_int_eq(cairn_buffer_fill(buffer, 0, 400, 7), CAIRN_OK);
        ck_assert_int_eq(cairn_buffer_read(buffer, 396, &word, 4), CAIRN_OK);
        ck_assert_uint_eq(word, laid ? 8 : 7);
        cairn_buffer_destroy(buffer);
        ck_assert_uint_eq(cairn_device_bytes(device), 0);
        ck_assert_uint_eq(cairn_device_peak_bytes(device), 400);
        cairn_device_close(device);
    }
    ck_assert_int_eq(cairn_device_open("reference", &options, &device), CAIRN_INVALID);
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
    const char *file, *from, *to;
    int exact;
    const char *note;
} faults[] = {
    {"exact.h", "#define FMA(a, b, c) fma(a, b, c)", "#define FMA(a, b, c) ((a) * (b) + (c))", 1,
     "fma"},
    {"exact.h", "#define FMA16(a, b, c) fma(a, b, c)", "#define FMA16(a, b, c) ((a) * (b) + (c))",
     1, "fma"},
    {"exact.h", "#define FMA4(a, b, c) fma(a, b, c)", "#define FMA4(a, b, c) ((a) * (b) + (c))", 1,
     "fma"},
    {"exact.h", "#define DIV(a, b) ((a) / (b))", "#define DIV(a, b) ((a) * (1.0f / (b)))", 1,
     "division"},
    {"exact.h", "#define SQRT(a) sqrt(a)", "#define SQRT(a) ((a) * rsqrt(a))", 1, "square root"},
    {"exact.h", "#define RELU(x) ((x) < 0.0f ? 0.0f : (x))", "#define RELU(x) fmax((x), 0.0f)", 0,
     "NaN"},
    {"exact.h", "return as_float((u << 1) == 0u ? 0u : u);", "return x;", 0, "signs of zeros"},
    {"exact.h", "p = FMA(p, r, 8.3696544170379638671875e-3f);", "p = FMA(p, r, 8.3697e-3f);", 0,
     "functions"},
    {"probe.cl", "sum = sum + p[i];", "sum = sum + p[i ^ 1];", 0, "order of sums"},
    {"probe.cl", "product = product * p[i];", "product = product * p[each - 1 - i];", 0,
     "order of sums"},
};

START_TEST(verdicts)
{
    struct cairn_device_info info;
    struct cairn_device *device = NULL;
    plant(faults[_i].file, faults[_i].from, faults[_i].to);
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

/* ---- compiling ahead ---- */

static const char source[] = "#define MADE(name, f) \\\n"
                             "    __kernel void name(int x) { f(x); }\n"
                             "static int help(int x)\n{\n    return x;\n}\n"
                             "__kernel void one(int x)\n{\n    help(x);\n}\n"
                             "__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void\n"
                             "two(int x)\n{\n    if (x) {\n    }\n}\n"
                             "__kernel void PASTE(rows)(int x)\n{\n}\n"
                             "MADE(three, help)\nMADE(four, help)\n"
                             "int behind;\n";

/* What is asked for stays, and everything that is no kernel; lines keep their places. */
START_TEST(keeping)
{
    static const struct {
        const char *names, *there[4], *gone[4];
    } cases[] = {
        {" one ", {"void one"}, {"two", "PASTE", "MADE(three", "MADE(four"}},
        {" two ", {"reqd_work_group_size", "two(int x)"}, {"void one", "MADE(three"}},
        {" four ", {"MADE(four, help)"}, {"MADE(three", "void one", "two(int", "PASTE"}},
        {" sum_rows one ", {"void PASTE(rows)", "void one"}, {"two(int", "MADE(three"}},
        {" rows ", {"int behind"}, {"PASTE(rows)", "void one", "two(int"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[sizeof source];
        memcpy(text, source, sizeof text);
        ocl_source_keep(text, cases[i].names);
        ck_assert_uint_eq(strlen(text), strlen(source));
        for (size_t j = 0; j < strlen(source); j++)
            ck_assert_int_eq(text[j] == '\n', source[j] == '\n');
        ck_assert_ptr_nonnull(strstr(text, "static int help(int x)\n{\n    return x;\n}\n"));
        ck_assert_ptr_nonnull(strstr(text, "#define MADE"));
        ck_assert_ptr_nonnull(strstr(text, "int behind;"));
        for (int k = 0; k < 4 && cases[i].there[k]; k++)
            ck_assert_msg(strstr(text, cases[i].there[k]) != NULL, "%s", cases[i].there[k]);
        for (int k = 0; k < 4 && cases[i].gone[k]; k++)
            ck_assert_msg(strstr(text, cases[i].gone[k]) == NULL, "%s", cases[i].gone[k]);
    }
}
END_TEST

struct told {
    int calls, all, last;
};

static void tell(void *context, const char *program, int done, int all)
{
    struct told *told = context;
    ck_assert(strstr(program, ".cl") != NULL);
    ck_assert_int_ge(done, told->last);
    told->calls++;
    told->all = all;
    told->last = done;
}

/* Notes a tanh and its fill, compiles them ahead, and runs. */
static struct told compile_ahead(int *programs)
{
    struct told told = {.calls = 0};
    struct cairn_device *device;
    struct cairn_buffer *buffer;
    float values[64];
    struct cairn_problem problem;
    ck_assert_int_eq(cairn_device_open("opencl", NULL, &device), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_create(device, sizeof values, &buffer), CAIRN_OK);
    ck_assert_int_eq(cairn_problem_parse("activation kind=tanh count=64", &problem, NULL),
                     CAIRN_OK);
    problem.u.activation.x.buffer = problem.u.activation.y.buffer = buffer;
    for (int i = 0; i < 64; i++) values[i] = 1.0f;
    ck_assert_int_eq(cairn_buffer_write(buffer, 0, values, sizeof values), CAIRN_OK);
    ck_assert_msg(cairn_device_note(device, &problem) == CAIRN_OK, "%s", cairn_error());
    ck_assert_int_eq(cairn_buffer_read(buffer, 0, values, sizeof values), CAIRN_OK);
    ck_assert(values[5] == 1.0f); /* noting runs nothing */
    ck_assert_int_eq(cairn_device_compile(device, tell, &told), CAIRN_OK);
    ck_assert_int_eq(cairn_device_compile(device, tell, &told), CAIRN_OK);
    ck_assert_msg(cairn_run(device, &problem) == CAIRN_OK, "%s", cairn_error());
    ck_assert_int_eq(cairn_buffer_read(buffer, 0, values, sizeof values), CAIRN_OK);
    ck_assert(values[5] > 0.76f && values[5] < 0.77f);
    problem.u.activation.kind = CAIRN_ACT_SIGMOID; /* left out above */
    ck_assert_msg(cairn_run(device, &problem) == CAIRN_OK, "%s", cairn_error());
    ck_assert_int_eq(cairn_buffer_fill(buffer, 0, sizeof values, 0), CAIRN_OK);
    cairn_buffer_destroy(buffer);
    cairn_device_close(device);
    *programs = list_cache().count;
    return told;
}

/* Compiled in the first start, and told; taken from the cache in the second. */
START_TEST(ahead)
{
    int programs, again;
    struct told first = compile_ahead(&programs), second = compile_ahead(&again);
    ck_assert_int_eq(first.all, 2); /* tanh and filling */
    ck_assert_int_eq(first.last, 2);
    ck_assert_int_ge(first.calls, 2);
    ck_assert_int_eq(second.calls, 0);
    ck_assert_int_eq(programs, again);
}
END_TEST

/* What does not compile is no failure until it is asked for. */
START_TEST(ahead_broken)
{
    struct told told = {.calls = 0};
    struct cairn_device *device;
    struct cairn_buffer *buffer;
    struct cairn_problem problem;
    plant("activation.cl", "#include \"exact.h\"", "oops oops"); /* whichever kernel runs */
    ck_assert_int_eq(cairn_device_open("opencl", NULL, &device), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_create(device, 256, &buffer), CAIRN_OK);
    ck_assert_int_eq(cairn_problem_parse("activation kind=tanh count=64", &problem, NULL),
                     CAIRN_OK);
    problem.u.activation.x.buffer = problem.u.activation.y.buffer = buffer;
    ck_assert_int_eq(cairn_device_note(device, &problem), CAIRN_OK);
    ck_assert_int_eq(cairn_device_compile(device, tell, &told), CAIRN_OK);
    ck_assert_int_eq(told.last, 2);
    ck_assert_int_eq(cairn_run(device, &problem), CAIRN_BUILD);
    ck_assert_msg(strstr(cairn_error(), "activation.cl") != NULL, "%s", cairn_error());
    cairn_buffer_destroy(buffer);
    cairn_device_close(device);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("program");
    TCase *cases = tcase_create("program");
    tcase_set_timeout(cases, 600); /* everything is compiled, much of it many times */
    tcase_add_checked_fixture(cases, enter, leave);
    tcase_add_test(cases, cache);
    tcase_add_test(cases, cache_load);
    tcase_add_loop_test(cases, cache_nowhere, 0, 3);
    tcase_add_test(cases, folder);
    tcase_add_test(cases, embedded);
    tcase_add_test(cases, laid_over);
    tcase_add_test(cases, laid_over_device);
    tcase_add_test(cases, build_errors);
    tcase_add_test(cases, keeping);
    tcase_add_test(cases, ahead);
    tcase_add_test(cases, ahead_broken);
    tcase_add_loop_test(cases, verdicts, 0, sizeof faults / sizeof *faults);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
