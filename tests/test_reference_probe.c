/* The reference refuses a process that does not compute as IEEE 754 asks, and says which property
 * failed. */
#include "suite.h"

#include <cairn/device.h>

#include <check.h>
#include <fenv.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

static void refused(const char *property)
{
    struct cairn_device *device = NULL;
    struct cairn_device_info info;
    cairn_status opened = cairn_device_open("reference", NULL, &device);
    cairn_status probed = cairn_device_probe("reference", &info);
    fesetround(FE_TONEAREST); /* Check itself may need it */
    ck_assert_int_eq(opened, CAIRN_UNSUPPORTED);
    ck_assert_ptr_null(device);
    ck_assert_msg(strstr(cairn_error(), property) != NULL, "%s", cairn_error());
    ck_assert_int_eq(probed, CAIRN_OK);
    ck_assert(info.probed && !info.exact);
    ck_assert_msg(strstr(info.probe_note, property) != NULL, "%s", info.probe_note);
}

START_TEST(sound)
{
    struct cairn_device_info info;
    ck_assert_int_eq(cairn_device_probe("reference", &info), CAIRN_OK);
    ck_assert(info.probed && info.exact && !info.soft_fma);
    ck_assert_str_eq(info.probe_note, "");
    ck_assert_str_eq(info.spec, "reference");
    ck_assert_str_eq(info.type, "reference");
}
END_TEST

START_TEST(rounding)
{
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    ck_assert_int_eq(fesetround(modes[_i]), 0);
    refused("rounding");
}
END_TEST

#if defined(__x86_64__)
START_TEST(denormals)
{
    static const unsigned flush[] = {0x8000u, 0x0040u}; /* flush to zero; denormals are zero */
    _mm_setcsr(_mm_getcsr() | flush[_i]);
    refused("denormals");
    _mm_setcsr(_mm_getcsr() & ~flush[_i]);
}
END_TEST
#endif

#if defined(__x86_64__) && defined(__GLIBC__)
/* Rounding towards zero where fegetround, which reads the other unit's word, does not tell it: the
 * first hard case that fails names its property. */
START_TEST(hard_case)
{
    _mm_setcsr(_mm_getcsr() | 0x6000u);
    refused("fma");
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("reference_probe");
    TCase *cases = tcase_create("probe");
    tcase_add_test(cases, sound);
    tcase_add_loop_test(cases, rounding, 0, 3);
#if defined(__x86_64__)
    tcase_add_loop_test(cases, denormals, 0, 2);
#endif
#if defined(__x86_64__) && defined(__GLIBC__)
    tcase_add_test(cases, hard_case);
#endif
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
