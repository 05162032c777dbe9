/* What failed on a device before: remembered for it and its kernels alone, and heeded in exact
 * mode. */
#include "device/device.h"
#include "device/failures.h"
#include "runtime.h"
#include "suite.h"

#include <check.h>
#include <pthread.h>
#include <string.h>

#define GOOD(call) ck_assert_msg((call) == CAIRN_OK, "%s", cairn_error())
#define LINE "gemm m=5 n=7 k=3 : data=real seed=1 variant=cpu"

static struct cairn_device_info info;

static void setup(void)
{
    enter();
    GOOD(cairn_device_find("opencl", &info));
}

static int entries(const char *what, const char *how)
{
    struct cairn_failures failures;
    GOOD(cairn_failures_read(&info, &failures));
    const char *found = what ? cairn_failures_find(&failures, what) : NULL;
    int count = failures.count;
    if (how)
        ck_assert_str_eq(found ? found : "nothing", how);
    else
        ck_assert_ptr_null(found);
    cairn_failures_free(&failures);
    return count;
}

START_TEST(remembered)
{
    ck_assert_int_eq(entries("device", NULL), 0);
    GOOD(cairn_failures_forget(&info, "device"));
    GOOD(cairn_failures_record(&info, "variant gemm cpu", LINE));
    GOOD(cairn_failures_record(&info, "device", "died:\n\tsignal 11"));
    ck_assert_int_eq(entries("device", "died:  signal 11"), 2);
    ck_assert_int_eq(entries("variant gemm cpu", LINE), 2);
    GOOD(cairn_failures_record(&info, "variant gemm cpu", "another case"));
    ck_assert_int_eq(entries("variant gemm cpu", "another case"), 2);
    GOOD(cairn_failures_forget(&info, "device"));
    ck_assert_int_eq(entries("device", NULL), 1);
    GOOD(cairn_failures_record(&info, "device", "again"));
    GOOD(cairn_failures_forget(&info, NULL));
    ck_assert_int_eq(entries("variant gemm cpu", NULL), 0);
}
END_TEST

/* Other kernels, another driver: another record; the first is there again with the first kernels.
 */
START_TEST(for_one_device_and_its_kernels)
{
    struct cairn_device_info kept = info;
    GOOD(cairn_failures_record(&info, "device", "died"));
    plant("gemm.cl", "fma", "mad");
    ck_assert_int_eq(entries("device", NULL), 0);
    unsetenv("CAIRN_KERNEL_DIR");
    ck_assert_int_eq(entries("device", "died"), 1);
    strcpy(info.driver, "another");
    ck_assert_int_eq(entries("device", NULL), 0);
    info = kept;
    ck_assert_int_eq(entries("device", "died"), 1);
}
END_TEST

#define WRITERS 4
#define EACH 16

static void *write_some(void *argument)
{
    char what[64];
    for (int i = 0; i < EACH; i++) {
        snprintf(what, sizeof what, "variant writer%d v%d", *(int *)argument, i);
        if (cairn_failures_record(&info, what, LINE) != CAIRN_OK) return "failed";
    }
    return NULL;
}

/* Several that write at once lose nothing of each other's. */
START_TEST(side_by_side)
{
    pthread_t threads[WRITERS];
    int numbers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_some, &numbers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        void *why;
        ck_assert_int_eq(pthread_join(threads[i], &why), 0);
        ck_assert_ptr_null(why);
    }
    ck_assert_int_eq(entries("variant writer0 v0", LINE), WRITERS * EACH);
}
END_TEST

static void damage(const char *text)
{
    struct cairn_failures failures;
    GOOD(cairn_failures_read(&info, &failures));
    FILE *file = fopen(failures.path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
    cairn_failures_free(&failures);
}

START_TEST(damaged)
{
    GOOD(cairn_failures_record(&info, "device", "died"));
    damage("");
    ck_assert_int_eq(entries("device", NULL), 0);
    damage("cairn failures 1\ndevice other\n\ndevice\tdied\n");
    ck_assert_int_eq(entries("device", NULL), 0);
    GOOD(cairn_failures_record(&info, "variant gemm cpu", LINE));
    ck_assert_int_eq(entries("variant gemm cpu", LINE), 1);
}
END_TEST

START_TEST(no_place)
{
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    ck_assert_int_eq(entries("device", NULL), 0);
    ck_assert_int_eq(cairn_failures_record(&info, "device", "died"), CAIRN_IO);
    ck_assert_msg(strstr(cairn_error(), "XDG_CACHE_HOME"), "%s", cairn_error());
}
END_TEST

START_TEST(refused)
{
    struct cairn_device *device;
    struct cairn_device_options unchecked = {.unchecked = 1}, fast = {.math = CAIRN_MATH_FAST};
    GOOD(cairn_failures_record(&info, "device", "gradcheck: 3 of 9 differ"));
    ck_assert_int_eq(cairn_device_open("opencl", NULL, &device), CAIRN_UNSUPPORTED);
    ck_assert_msg(strstr(cairn_error(), "3 of 9 differ") && strstr(cairn_error(), "cairn doctor"),
                  "%s", cairn_error());
    GOOD(cairn_device_open("opencl", &unchecked, &device));
    cairn_device_close(device);
    GOOD(cairn_device_open("opencl", &fast, &device));
    cairn_device_close(device);
    GOOD(cairn_failures_forget(&info, NULL));
    GOOD(cairn_device_open("opencl", NULL, &device));
    ck_assert_str_eq(cairn_device_info(device)->avoided, "");
    cairn_device_close(device);
}
END_TEST

static const char *chosen(struct cairn_device *device, struct cairn_problem *problem,
                          struct cairn_variant variants[CAIRN_MAX_VARIANTS], int *count)
{
    GOOD(cairn_problem_complete(problem));
    *count = cairn_device_variants(device, problem, variants);
    ck_assert_int_ge(*count, 2);
    return variants[cairn_choose_variant(device, problem, variants, *count)].name;
}

/* Passed over also where it was preferred; a forced one is run; without any left there is an error.
 */
START_TEST(avoided)
{
    struct cairn_device *device;
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    struct cairn_problem problem;
    char first[16], what[64];
    int count;
    int64_t floats;
    GOOD(cairn_problem_parse("gemm m=64 n=64 k=64", &problem, NULL));
    GOOD(cairn_device_open("opencl", NULL, &device));
    strcpy(first, chosen(device, &problem, variants, &count));
    cairn_device_close(device);

    snprintf(what, sizeof what, "variant gemm %s", first);
    GOOD(cairn_failures_record(&info, what, LINE));
    GOOD(cairn_failures_record(&info, "variant nothing cpu", LINE));
    GOOD(cairn_device_open("opencl", NULL, &device));
    ck_assert_msg(!strncmp(cairn_device_info(device)->avoided, "gemm=", 5) &&
                      !strcmp(cairn_device_info(device)->avoided + 5, first),
                  "%s", cairn_device_info(device)->avoided);
    ck_assert_str_ne(chosen(device, &problem, variants, &count), first);
    GOOD(cairn_device_prefer(device, &problem, first));
    ck_assert_str_ne(chosen(device, &problem, variants, &count), first);
    GOOD(cairn_device_force(device, "gemm", first));
    ck_assert_str_eq(chosen(device, &problem, variants, &count), first);
    GOOD(cairn_work_size(device, &problem, &floats));
    cairn_device_close(device);

    for (int i = 0; i < count; i++) {
        snprintf(what, sizeof what, "variant gemm %s", variants[i].name);
        GOOD(cairn_failures_record(&info, what, LINE));
    }
    GOOD(cairn_device_open("opencl", NULL, &device));
    ck_assert_int_eq(cairn_work_size(device, &problem, &floats), CAIRN_UNSUPPORTED);
    ck_assert_msg(strstr(cairn_error(), "no variant that passed"), "%s", cairn_error());
    cairn_device_close(device);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("failures");
    TCase *cases = tcase_create("failures");
    tcase_set_timeout(cases, 600);
    tcase_add_checked_fixture(cases, setup, leave);
    tcase_add_test(cases, remembered);
    tcase_add_test(cases, for_one_device_and_its_kernels);
    tcase_add_test(cases, side_by_side);
    tcase_add_test(cases, damaged);
    tcase_add_test(cases, no_place);
    tcase_add_test(cases, refused);
    tcase_add_test(cases, avoided);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
