/* File formats: what is written reads back, and damaged files are told apart from good ones. */
#include "base/file.h"
#include "io/safetensors.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static char folder[64], path[96];

static void enter(void)
{
    strcpy(folder, "/tmp/cairn-test-io-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
}

static void leave(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void write_bytes(const void *bytes, size_t size)
{
    ck_assert_int_eq(cairn_file_write(path, bytes, size), CAIRN_OK);
}

/* Safetensors --------------------------------------------------------------------------------- */

static float bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, 4);
    return f;
}

START_TEST(test_st_round_trip)
{
    float weights[5000], nan[2] = {bits(0xffc12345), bits(0x7f800001)}, scalar = -0.0f;
    int64_t counters[3] = {-1, INT64_MAX, INT64_MIN};
    for (int i = 0; i < 5000; i++) weights[i] = (float)i / 7 - 300;
    struct cairn_st_tensor tensors[] = {
        {.name = "z.weight", .dtype = CAIRN_ST_F32, .rank = 2, .dims = {50, 100}, .data = weights},
        {.name = "counters", .dtype = CAIRN_ST_I64, .rank = 1, .dims = {3}, .data = counters},
        {.name = "nan", .dtype = CAIRN_ST_F32, .rank = 1, .dims = {2}, .data = nan},
        {.name = "scalar", .dtype = CAIRN_ST_F32, .rank = 0, .data = &scalar},
        {.name = "empty", .dtype = CAIRN_ST_F32, .rank = 2, .dims = {0, 4}, .data = NULL},
    };
    char *keys[] = {"seed", "tëxt"}, *values[] = {"18446744073709551615", "a \"quoted\"\nline"};
    struct cairn_st_file file = {tensors, 5, keys, values, 2}, back;
    ck_assert_int_eq(cairn_st_write(path, &file), CAIRN_OK);
    ck_assert_int_eq(cairn_st_read(path, &back), CAIRN_OK);
    ck_assert_uint_eq(back.count, 5);
    ck_assert_uint_eq(back.metadata_count, 2);
    for (size_t i = 1; i < back.count; i++)
        ck_assert_int_lt(strcmp(back.tensors[i - 1].name, back.tensors[i].name), 0);
    ck_assert_str_eq(cairn_st_metadata(&back, "seed"), values[0]);
    ck_assert_str_eq(cairn_st_metadata(&back, "tëxt"), values[1]);
    ck_assert_ptr_null(cairn_st_metadata(&back, "none"));
    ck_assert_ptr_null(cairn_st_find(&back, "none"));

    const struct cairn_st_tensor *t = cairn_st_find(&back, "z.weight");
    ck_assert(t->dtype == CAIRN_ST_F32 && t->rank == 2 && t->dims[0] == 50 && t->dims[1] == 100);
    ck_assert_int_eq(memcmp(t->data, weights, sizeof weights), 0);
    t = cairn_st_find(&back, "counters");
    ck_assert(t->dtype == CAIRN_ST_I64 && !memcmp(t->data, counters, sizeof counters));
    uint32_t u[2];
    memcpy(u, cairn_st_find(&back, "nan")->data, 8);
    ck_assert(u[0] == 0x7fc00000 && u[1] == 0x7fc00000);
    memcpy(u, cairn_st_find(&back, "scalar")->data, 4);
    ck_assert_uint_eq(u[0], 0x80000000);
    cairn_st_free(&back);
    ck_assert_uint_eq(back.count, 0);
}
END_TEST

START_TEST(test_st_write_failures)
{
    float x = 1;
    struct cairn_st_tensor two[] = {
        {.name = "a", .dtype = CAIRN_ST_F32, .rank = 1, .dims = {1}, .data = &x},
        {.name = "a", .dtype = CAIRN_ST_F32, .rank = 1, .dims = {1}, .data = &x},
    };
    struct cairn_st_file file = {two, 2, NULL, NULL, 0};
    ck_assert_int_eq(cairn_st_write(path, &file), CAIRN_INVALID);
    two[1].name = "\xff";
    ck_assert_int_eq(cairn_st_write(path, &file), CAIRN_INVALID);
    two[1].name = "b";
    two[1].dims[0] = -1;
    ck_assert_int_eq(cairn_st_write(path, &file), CAIRN_INVALID);
    ck_assert(!cairn_file_exists(path));
    two[1].dims[0] = 1;
    ck_assert_int_eq(cairn_st_write("/nonexistent/x", &file), CAIRN_IO);
    ck_assert_int_eq(cairn_st_write(path, &file), CAIRN_OK);
}
END_TEST

/* header, bytes of data behind it, part of the complaint */
static const struct {
    const char *header;
    size_t data;
    const char *complaint;
} damaged[] = {
#define ENTRY(dtype, shape, offsets)                                                               \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
    {"[]", 0, "not a JSON object"},
    {"{\"a\":", 0, "not a JSON object"},
    {"{\"a\":1}", 0, "no more and no less"},
    {"{\"a\":" ENTRY("F32", "[1]", "[0,4]") ",\"a\":" ENTRY("F32", "[1]", "[4,8]") "}", 8,
     "duplicate"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "no more and no less"},
    {"{\"a\":" ENTRY("BF16", "[2]", "[0,4]") "}", 4, "dtypes F32 and I64"},
    {"{\"a\":" ENTRY("F32", "[-1]", "[0,4]") "}", 4, "shape"},
    {"{\"a\":" ENTRY("F32", "[1.0]", "[0,4]") "}", 4, "shape"},
    {"{\"a\":" ENTRY("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "at most 8"},
    {"{\"a\":" ENTRY("F32", "[4294967296,4294967296]", "[0,0]") "}", 0, "possible product"},
    {"{\"a\":" ENTRY("F32", "[4611686018427387904]", "[0,0]") "}", 0, "possible product"},
    {"{\"a\":" ENTRY("F32", "[2]", "[0,4]") "}", 4, "disagree"},
    {"{\"a\":" ENTRY("F32", "[1]", "[0,4]") "}", 3, "inside the file"},
    {"{\"a\":" ENTRY("F32", "[1]", "[4,0]") "}", 8, "inside the file"},
    {"{\"a\":" ENTRY("F32", "[1]", "[0]") "}", 4, "inside the file"},
    {"{\"a\":" ENTRY("F32", "[1]", "[0,4]") "}", 5, "5 bytes of data where the header describes 4"},
    {"{\"a\":" ENTRY("F32", "[1]", "[4,8]") "}", 8, "after a gap"},
    {"{\"a\":" ENTRY("F32", "[2]", "[0,8]") ",\"b\":" ENTRY("F32", "[2]", "[4,12]") "}", 12,
     "inside another tensor"},
    {"{\"__metadata__\":{\"k\":1}}", 0, "metadata 'k'"},
    {"{\"__metadata__\":[]}", 0, "not an object"},
};

START_TEST(test_st_damaged)
{
    char bytes[512] = {0};
    size_t n = strlen(damaged[_i].header);
    struct cairn_st_file file;
    bytes[0] = (char)n;
    memcpy(bytes + 8, damaged[_i].header, n);
    write_bytes(bytes, 8 + n + damaged[_i].data);
    ck_assert_int_eq(cairn_st_read(path, &file), CAIRN_FORMAT);
    ck_assert_msg(strstr(cairn_error(), damaged[_i].complaint) && strstr(cairn_error(), path), "%s",
                  cairn_error());
    ck_assert_uint_eq(file.count, 0);
}
END_TEST

START_TEST(test_st_cut_off_anywhere)
{
    float x[3] = {1, 2, 3};
    struct cairn_st_tensor t = {.name = "a", .rank = 1, .dims = {3}, .data = x};
    struct cairn_st_file file = {&t, 1, NULL, NULL, 0}, back;
    char *bytes;
    size_t size;
    ck_assert_int_eq(cairn_st_write(path, &file), CAIRN_OK);
    ck_assert_int_eq(cairn_file_read(path, &bytes, &size), CAIRN_OK);
    for (size_t n = 0; n < size; n++) {
        write_bytes(bytes, n);
        ck_assert_int_eq(cairn_st_read(path, &back), CAIRN_FORMAT);
    }
    write_bytes(bytes, size);
    ck_assert_int_eq(cairn_st_read(path, &back), CAIRN_OK);
    cairn_st_free(&back);
    free(bytes);
    ck_assert_int_eq(cairn_st_read("/nonexistent/x", &back), CAIRN_NOT_FOUND);
}
END_TEST

static TCase *safetensors_cases(void)
{
    TCase *tc = tcase_create("safetensors");
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, test_st_round_trip);
    tcase_add_test(tc, test_st_write_failures);
    tcase_add_loop_test(tc, test_st_damaged, 0, (int)(sizeof damaged / sizeof *damaged));
    tcase_add_test(tc, test_st_cut_off_anywhere);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("io");
    suite_add_tcase(suite, safetensors_cases());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
