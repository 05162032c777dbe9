/* Devices: listed, found by text, opened, and their memory. Needs at least one OpenCL device
 * (PoCL). */
#include "base/error.h"
#include "device/device.h"
#include "suite.h"

#include <cairn/cairn.h>

#include <check.h>
#include <ctype.h>
#include <dlfcn.h>
#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 32
struct list {
    struct cairn_device_info infos[MOST];
    int count;
};

static void add(void *context, const struct cairn_device_info *info)
{
    struct list *list = context;
    if (list->count < MOST) list->infos[list->count++] = *info;
}

static struct list list_all(void)
{
    struct list list = {.count = 0};
    ck_assert_int_eq(cairn_device_list(add, &list), CAIRN_OK);
    ck_assert_int_ge(list.count, 1);
    return list;
}

static struct cairn_device *open_device(const char *spec,
                                        const struct cairn_device_options *options)
{
    struct cairn_device *device;
    ck_assert_msg(cairn_device_open(spec, options, &device) == CAIRN_OK, "%s: %s", spec,
                  cairn_error());
    return device;
}

START_TEST(listed)
{
    struct list list = list_all();
    ck_assert_str_eq(list.infos[0].spec, "reference");
    ck_assert_msg(list.count >= 2, "there is no OpenCL device; install pocl-opencl-icd");
    for (int i = 1; i < list.count; i++) {
        const struct cairn_device_info *info = &list.infos[i];
        printf("%s: %s (%s, %s)\n", info->spec, info->name, info->platform, info->version);
        ck_assert(*info->name && *info->driver && *info->version);
        ck_assert_int_ge(info->max_work_group, 1);
        ck_assert_int_ge(info->max_alloc_bytes, 1 << 20);
        for (int j = 0; j < i; j++) ck_assert_str_ne(info->spec, list.infos[j].spec);
    }
}
END_TEST

/* Each device is found by its spec, its number, its whole name in capitals and a part of its
 * platform's name. */
START_TEST(found)
{
    struct list list = list_all();
    struct cairn_device_info info;
    ck_assert_int_eq(cairn_device_find("reference", &info), CAIRN_OK);
    ck_assert_str_eq(info.spec, "reference");
    ck_assert_int_eq(cairn_device_find("opencl", &info), CAIRN_OK);
    for (int i = 1; i < list.count; i++) {
        char text[256];
        if (!list.infos[i].available) continue;
        ck_assert_int_eq(cairn_device_find(list.infos[i].spec, &info), CAIRN_OK);
        ck_assert_str_eq(info.spec, list.infos[i].spec);
        snprintf(text, sizeof text, "opencl:%d", i - 1);
        ck_assert_int_eq(cairn_device_find(text, &info), CAIRN_OK);
        ck_assert_str_eq(info.spec, list.infos[i].spec);
        snprintf(text, sizeof text, "opencl:%s", list.infos[i].name);
        for (char *p = text + 7; *p; p++) *p = (char)toupper((unsigned char)*p);
        ck_assert_int_eq(cairn_device_find(text, &info), CAIRN_OK);
        ck_assert_str_eq(info.name, list.infos[i].name);
        snprintf(text, sizeof text, "opencl:%.4s", list.infos[i].platform);
        ck_assert_int_eq(cairn_device_find(text, &info), CAIRN_OK);
    }
}
END_TEST

static const char *const unknown[] = {"",
                                      "cuda",
                                      "opencl:",
                                      "opencl:999",
                                      "opencl:9.9",
                                      "opencl:-1",
                                      "opencl:0x0",
                                      "opencl:0.0.0",
                                      "references",
                                      "reference:no such",
                                      "opencl:no such device",
                                      "opencl:99999999999999999999"};

START_TEST(not_found)
{
    struct cairn_device_info info;
    struct cairn_device *device;
    ck_assert_int_eq(cairn_device_find(unknown[_i], &info), CAIRN_NOT_FOUND);
    ck_assert_msg(strstr(cairn_error(), "opencl") || strstr(cairn_error(), "reference"), "%s",
                  cairn_error());
    ck_assert_int_eq(cairn_device_open(unknown[_i], NULL, &device), CAIRN_NOT_FOUND);
    ck_assert_ptr_null(device);
}
END_TEST

/* No implementation at all, and an implementation without devices: only the reference is there. */
START_TEST(nothing_there)
{
    static const char *const vendors[] = {"/nowhere", "mesa.icd"};
    struct cairn_device_info info;
    if (_i == 1) (void)dlopen("libMesaOpenCL.so.1", RTLD_LAZY); /* its leaks have a name */
    setenv("OCL_ICD_VENDORS", vendors[_i], 1);
    unsetenv("OCL_ICD_FILENAMES");
    struct list list = list_all();
    ck_assert_str_eq(list.infos[0].spec, "reference");
    if (_i == 0) ck_assert_int_eq(list.count, 1);
    if (list.count == 1) ck_assert_int_eq(cairn_device_find("opencl", &info), CAIRN_DEVICE);
}
END_TEST

START_TEST(probed)
{
    struct list list = list_all();
    for (int i = 0; i < list.count; i++) {
        struct cairn_device_info info;
        if (!list.infos[i].available) continue;
        ck_assert_msg(cairn_device_probe(list.infos[i].spec, &info) == CAIRN_OK, "%s",
                      cairn_error());
        ck_assert(info.probed);
        printf("%s: exact %s, wrong of its own: %s\n", info.name,
               !info.exact        ? "no"
               : info.soft_fma    ? "with the integer fma"
               : *info.probe_note ? "with integers"
                                  : "yes",
               *info.probe_note ? info.probe_note : "nothing");
        struct cairn_device *device = NULL;
        cairn_status st = cairn_device_open(info.spec, NULL, &device);
        ck_assert_int_eq(st, info.exact ? CAIRN_OK : CAIRN_UNSUPPORTED);
        if (st == CAIRN_OK) {
            ck_assert(cairn_device_info(device)->exact);
            ck_assert_int_eq(cairn_device_info(device)->soft_fma, info.soft_fma);
            ck_assert_int_eq(cairn_device_math(device), CAIRN_MATH_EXACT);
        }
        cairn_device_close(device);
        struct cairn_device_options fast = {.math = CAIRN_MATH_FAST};
        device = open_device(info.spec, &fast);
        ck_assert_int_eq(cairn_device_math(device), CAIRN_MATH_FAST);
        cairn_device_close(device);
    }
}
END_TEST

/* A process that rounds otherwise may not define anything; some devices would inherit its mode. */
START_TEST(host_modes)
{
    struct cairn_device *device = NULL;
    fesetround(FE_UPWARD);
    cairn_status st = cairn_device_open("opencl", NULL, &device);
    fesetround(FE_TONEAREST);
    ck_assert_int_eq(st, CAIRN_UNSUPPORTED);
    ck_assert_ptr_null(device);
    ck_assert_msg(strstr(cairn_error(), "rounding mode") != NULL, "%s", cairn_error());
}
END_TEST

static unsigned char pattern_at(size_t i)
{
    return (unsigned char)(i * 131 + i / 251);
}

/* Write at an offset, read at others: what lies between is kept. */
static void round_trip(struct cairn_device *device, size_t bytes)
{
    struct cairn_buffer *buffer;
    unsigned char *data = malloc(bytes), *back = malloc(bytes);
    ck_assert_int_eq(cairn_buffer_create(device, bytes, &buffer), CAIRN_OK);
    ck_assert_uint_eq(cairn_buffer_bytes(buffer), bytes);
    ck_assert_uint_ge(cairn_device_bytes(device), bytes);
    for (size_t i = 0; i < bytes; i++) data[i] = pattern_at(i);
    ck_assert_int_eq(cairn_buffer_write(buffer, 0, data, bytes), CAIRN_OK);
    size_t at = bytes / 3, part = (bytes - at) / 2;
    memset(data + at, 0xa5, part);
    ck_assert_int_eq(cairn_buffer_write(buffer, at, data + at, part), CAIRN_OK);
    memset(back, 0, bytes);
    ck_assert_int_eq(cairn_buffer_read(buffer, 0, back, bytes), CAIRN_OK);
    ck_assert_mem_eq(back, data, bytes);
    ck_assert_int_eq(cairn_buffer_read(buffer, at, back, bytes - at), CAIRN_OK);
    ck_assert_mem_eq(back, data + at, bytes - at);
    cairn_buffer_destroy(buffer);
    free(data);
    free(back);
}

/* A fill touches its words only; a copy moves exactly its bytes. */
static void fill_and_copy(struct cairn_device *device)
{
    enum { WORDS = 5000, AT = 37, COUNT = 4001 };
    struct cairn_buffer *a, *b;
    static uint32_t host[WORDS];
    ck_assert_int_eq(cairn_buffer_create(device, sizeof host, &a), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_create(device, sizeof host, &b), CAIRN_OK);
    for (uint32_t i = 0; i < WORDS; i++) host[i] = i;
    ck_assert_int_eq(cairn_buffer_write(a, 0, host, sizeof host), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_fill(b, 0, sizeof host, 0x80000001u), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_fill(a, 4 * AT, 4 * COUNT, 0x7fc00001u), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_copy(b, 40, a, 20, 4 * 4500), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_read(a, 0, host, sizeof host), CAIRN_OK);
    for (uint32_t i = 0; i < WORDS; i++)
        ck_assert_uint_eq(host[i], i >= AT && i < AT + COUNT ? 0x7fc00001u : i);
    ck_assert_int_eq(cairn_buffer_read(b, 0, host, sizeof host), CAIRN_OK);
    for (uint32_t i = 0; i < WORDS; i++) {
        uint32_t from = i - 10 + 5, moved = from >= AT && from < AT + COUNT ? 0x7fc00001u : from;
        ck_assert_uint_eq(host[i], i >= 10 && i < 4510 ? moved : 0x80000001u);
    }
    cairn_buffer_destroy(a);
    cairn_buffer_destroy(b);
}

static void refusals(struct cairn_device *device)
{
    struct cairn_buffer *buffer;
    char byte = 0;
    ck_assert_int_eq(cairn_buffer_create(device, 0, &buffer), CAIRN_INVALID);
    ck_assert_ptr_null(buffer);
    ck_assert_int_eq(cairn_buffer_create(device, (size_t)1 << 60, &buffer), CAIRN_MEMORY);
    ck_assert_ptr_null(buffer);
    ck_assert_int_eq(cairn_buffer_create(device, 100, &buffer), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_write(buffer, 100, &byte, 1), CAIRN_INVALID);
    ck_assert_int_eq(cairn_buffer_read(buffer, (size_t)-1, &byte, 2), CAIRN_INVALID);
    ck_assert_int_eq(cairn_buffer_write(buffer, 100, &byte, 0), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_fill(buffer, 2, 4, 0), CAIRN_INVALID);
    ck_assert_int_eq(cairn_buffer_fill(buffer, 4, 6, 0), CAIRN_INVALID);
    ck_assert_int_eq(cairn_buffer_copy(buffer, 0, buffer, 10, 20), CAIRN_INVALID);
    ck_assert_int_eq(cairn_buffer_copy(buffer, 90, buffer, 0, 20), CAIRN_INVALID);
    cairn_buffer_destroy(buffer);
    cairn_buffer_destroy(NULL);
}

START_TEST(memory)
{
    static const size_t sizes[] = {1, 3, 4, 1000, 65537, 1 << 20};
    struct list list = list_all();
    for (int i = 0; i < list.count; i++) {
        if (!list.infos[i].available) continue;
        struct cairn_device_options options = {.math = CAIRN_MATH_FAST, .wait_each = 1};
        struct cairn_device *device = open_device(list.infos[i].spec, &options);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) round_trip(device, sizes[s]);
        fill_and_copy(device);
        refusals(device);
        ck_assert_int_eq(cairn_device_sync(device), CAIRN_OK);
        ck_assert_uint_eq(cairn_device_bytes(device), 0);
        cairn_device_close(device);
    }
}
END_TEST

struct fills {
    int64_t calls;
    double seconds;
};

static void count_fills(void *context, const char *kernel, int64_t calls, double seconds)
{
    struct fills *fills = context;
    if (strcmp(kernel, "fill") != 0) return;
    fills->calls += calls;
    fills->seconds += seconds;
}

/* More launches than events are held at a time; the probe's own do not count. */
static cairn_status fail_late(struct cairn_backend *backend)
{
    (void)backend;
    return cairn_fail(CAIRN_MEMORY, "too late");
}

/* What a wait reports is kept, whatever its kind, and names the operators that it may mean. */
START_TEST(late_failure)
{
    struct cairn_device *device;
    struct cairn_buffer *buffer;
    ck_assert_int_eq(cairn_device_open("reference", NULL, &device), CAIRN_OK);
    const struct cairn_backend_ops *whole = device->backend->ops;
    struct cairn_backend_ops broken = *whole;
    broken.sync = fail_late;
    device->backend->ops = &broken;
    ck_assert_int_eq(cairn_device_sync(device), CAIRN_MEMORY);
    device->backend->ops = whole;
    ck_assert_int_eq(cairn_device_sync(device), CAIRN_MEMORY);
    ck_assert_int_eq(cairn_buffer_create(device, 4, &buffer), CAIRN_MEMORY);
    ck_assert_msg(strstr(cairn_error(), "too late (operators") != NULL, "%s", cairn_error());
    cairn_device_close(device);
}
END_TEST

START_TEST(profile)
{
    struct cairn_device_options options = {.profile = 1};
    struct cairn_device *device = open_device("opencl", &options);
    struct cairn_buffer *buffer;
    struct fills fills = {0, 0};
    ck_assert_int_eq(cairn_buffer_create(device, 4096, &buffer), CAIRN_OK);
    for (uint32_t i = 0; i < 300; i++)
        ck_assert_int_eq(cairn_buffer_fill(buffer, 0, 4096, i), CAIRN_OK);
    ck_assert_int_eq(cairn_device_profile(device, count_fills, &fills), CAIRN_OK);
    ck_assert_int_eq(fills.calls, 300);
    ck_assert(fills.seconds >= 0 && fills.seconds < 60);
    cairn_buffer_destroy(buffer);
    cairn_device_close(device);
    device = open_device("opencl", NULL);
    ck_assert_int_eq(cairn_device_profile(device, count_fills, &fills), CAIRN_INVALID);
    cairn_device_close(device);
}
END_TEST

struct launches {
    const char *what;
    int64_t count, step;
    double end;
};

static void see(void *context, const struct cairn_launch *launch)
{
    struct launches *seen = context;
    ck_assert(*launch->kernel && launch->seconds >= 0);
    ck_assert_msg(launch->start >= seen->end, "launch %lld begins before the one before it ends",
                  (long long)seen->count);
    ck_assert_int_ge(launch->mark.step, seen->step);
    ck_assert_ptr_eq(launch->mark.what, launch->mark.step ? seen->what : NULL);
    seen->end = launch->start + launch->seconds - 1e-9;
    seen->step = launch->mark.step;
    seen->count++;
}

/* More launches than are held at once, each handed back with its mark, in order. */
START_TEST(marked)
{
    struct cairn_device_options options = {.profile = 1};
    struct cairn_device *device = open_device(_i ? "opencl" : "reference", &options);
    struct cairn_buffer *buffer;
    struct launches seen = {.what = "mark"};
    struct fills fills = {0, 0};
    ck_assert_int_eq(cairn_buffer_create(device, 4096, &buffer), CAIRN_OK);
    ck_assert_int_eq(cairn_buffer_fill(buffer, 0, 4096, 0), CAIRN_OK);
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_ACTIVATION);
    problem.u.activation.kind = CAIRN_ACT_RELU;
    problem.u.activation.count = 256;
    problem.u.activation.x = (struct cairn_mem){buffer, 0};
    problem.u.activation.y = (struct cairn_mem){buffer, 512};
    ck_assert_int_eq(cairn_run(device, &problem), CAIRN_OK); /* not watched */
    ck_assert_int_eq(cairn_device_watch(device, see, &seen), CAIRN_OK);
    for (int64_t i = 0; i < 1300; i++) {
        cairn_device_mark(device, i ? seen.what : NULL, i);
        ck_assert_int_eq(cairn_run(device, &problem), CAIRN_OK);
    }
    ck_assert_int_eq(cairn_device_sync(device), CAIRN_OK);
    ck_assert_int_eq(seen.count, 1300);
    ck_assert_int_eq(seen.step, 1299);
    ck_assert_int_eq(cairn_device_watch(device, NULL, NULL), CAIRN_OK);
    ck_assert_int_eq(cairn_run(device, &problem), CAIRN_OK);
    ck_assert_int_eq(cairn_device_profile(device, count_fills, &fills), CAIRN_OK);
    ck_assert_int_eq(seen.count, 1300);
    cairn_buffer_destroy(buffer);
    cairn_device_close(device);
    device = open_device(_i ? "opencl" : "reference", NULL);
    cairn_device_mark(device, seen.what, 1); /* nothing */
    ck_assert_int_eq(cairn_device_watch(device, see, &seen), CAIRN_INVALID);
    cairn_device_close(device);
}
END_TEST

/* Both limits are there; which they are, nobody knows. */
START_TEST(roofline)
{
    struct cairn_device *device = open_device("opencl", NULL);
    struct cairn_roofline r = {0, 0};
    ck_assert_msg(cairn_device_roofline(device, &r) == CAIRN_OK, "%s", cairn_error());
    ck_assert(r.gflops > 0 && r.gbytes > 0);
    ck_assert_uint_eq(cairn_device_bytes(device), 0);
    cairn_device_close(device);
    r = (struct cairn_roofline){100, 10};
    ck_assert_double_eq(cairn_roofline_seconds(&r, 1e9, 1e7), 0.01);
    ck_assert_double_eq(cairn_roofline_seconds(&r, 1e9, 1e9), 0.1);
    device = open_device("reference", NULL);
    ck_assert_int_eq(cairn_device_roofline(device, &r), CAIRN_UNSUPPORTED);
    cairn_device_close(device);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device");
    TCase *cases = tcase_create("device");
    tcase_set_timeout(cases, 300); /* a first compilation on a slow device */
    tcase_add_test(cases, listed);
    tcase_add_test(cases, found);
    tcase_add_loop_test(cases, not_found, 0, sizeof unknown / sizeof *unknown);
    tcase_add_loop_test(cases, nothing_there, 0, 2);
    tcase_add_test(cases, probed);
    tcase_add_test(cases, host_modes);
    tcase_add_test(cases, memory);
    tcase_add_test(cases, late_failure);
    tcase_add_test(cases, profile);
    tcase_add_loop_test(cases, marked, 0, 2);
    tcase_add_test(cases, roofline);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
