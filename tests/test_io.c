/* File formats: what is written reads back, and damaged files are told apart from good ones. */
#include "base/file.h"
#include "io/idx.h"
#include "io/safetensors.h"
#include "io/yaml.h"
#include "scratch.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static char path[96];

static void enter(void)
{
    scratch_make();
    snprintf(path, sizeof path, "%s/file", scratch);
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
    ck_assert_int_eq(cairn_st_write("/dev/null/x", &file), CAIRN_IO);
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
    {"{\"a\":" ENTRY("F32", "[1]", "[0,4]") "}", 3, "cut off"},
    {"{\"a\":" ENTRY("F32", "[1]", "[4,0]") "}", 8, "two places, in order"},
    {"{\"a\":" ENTRY("F32", "[1]", "[0]") "}", 4, "two places, in order"},
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
    ck_assert_int_eq(cairn_st_read("no-such-folder/x", &back), CAIRN_NOT_FOUND);
}
END_TEST

/* IDX ----------------------------------------------------------------------------------------- */

static const uint8_t idx_head[16] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4};

/* A good file of 2 x 3 x 4 bytes. */
static size_t make_idx(uint8_t bytes[64])
{
    memcpy(bytes, idx_head, 16);
    for (int i = 0; i < 24; i++) bytes[16 + i] = (uint8_t)(i * 11);
    return 40;
}

/* Packs n bytes at a time into members of a gzip file. */
static size_t gzip(const uint8_t *bytes, size_t size, size_t n, uint8_t *packed, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < size; i += n) {
        z_stream z = {0};
        ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
        z.next_in = (uint8_t *)bytes + i;
        z.avail_in = (uInt)(n < size - i ? n : size - i);
        z.next_out = packed + used;
        z.avail_out = (uInt)(room - used);
        ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
        used += z.total_out;
        deflateEnd(&z);
    }
    return used;
}

static void expect_good_idx(void)
{
    struct cairn_idx idx;
    cairn_status st = cairn_idx_read(path, 3, &idx);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert(idx.rank == 3 && idx.dims[0] == 2 && idx.dims[1] == 3 && idx.dims[2] == 4);
    for (int i = 0; i < 24; i++) ck_assert_int_eq(idx.data[i], (uint8_t)(i * 11));
    cairn_idx_free(&idx);
    ck_assert_ptr_null(idx.data);
}

static void expect_bad_idx(const char *complaint)
{
    struct cairn_idx idx;
    ck_assert_int_eq(cairn_idx_read(path, 3, &idx), CAIRN_FORMAT);
    ck_assert_msg(strstr(cairn_error(), complaint) && strstr(cairn_error(), path), "%s",
                  cairn_error());
    ck_assert_ptr_null(idx.data);
}

START_TEST(test_idx_good)
{
    uint8_t bytes[64], packed[512];
    size_t size = make_idx(bytes);
    write_bytes(bytes, size);
    expect_good_idx();
    write_bytes(packed, gzip(bytes, size, size, packed, sizeof packed));
    expect_good_idx();
    write_bytes(packed, gzip(bytes, size, 7, packed, sizeof packed));
    expect_good_idx();
}
END_TEST

START_TEST(test_idx_cut_off_anywhere)
{
    uint8_t bytes[64], packed[512];
    size_t size = make_idx(bytes), packed_size = gzip(bytes, size, size, packed, sizeof packed);
    for (size_t n = 0; n < size; n++) {
        write_bytes(bytes, n);
        expect_bad_idx(n < 4 ? "not an IDX file" : "cut off");
    }
    for (size_t n = 0; n < packed_size; n++) {
        write_bytes(packed, n);
        expect_bad_idx(n < 2 ? "not an IDX file" : "cut off");
    }
}
END_TEST

START_TEST(test_idx_damaged)
{
    uint8_t bytes[64], packed[512];
    size_t size = make_idx(bytes);
    bytes[size] = 7;
    write_bytes(bytes, size + 1);
    expect_bad_idx("too long");
    write_bytes(packed, gzip(bytes, size + 1, size + 1, packed, sizeof packed));
    expect_bad_idx("too long");

    size_t n = gzip(bytes, size, size, packed, sizeof packed);
    packed[n - 6] ^= 1; /* the sum */
    write_bytes(packed, n);
    expect_bad_idx("damaged gzip data");
    packed[n - 6] ^= 1;
    packed[n] = 'x';
    write_bytes(packed, n + 1); /* behind the last member */
    expect_bad_idx("cut off");
    memcpy(packed + n, "garbage behind", 14);
    write_bytes(packed, n + 14);
    expect_bad_idx("damaged gzip data");

    static const struct {
        int at, value;
        const char *complaint;
    } changes[] = {
        {0, 1, "not an IDX file"},
        {2, 0x0d, "not an IDX file"}, /* floats */
        {3, 0, "not an IDX file"},
        {3, 5, "not an IDX file"},
        {3, 1, "1 dimensions where 3 are expected"},
        {7, 0, "impossible sizes"},
        {7, 3, "header promises 36 bytes, and 24 are there"},
        {7, 1, "too long"},
        {4, 0xff, "cut off"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make_idx(bytes);
        bytes[changes[i].at] = (uint8_t)changes[i].value;
        write_bytes(bytes, size);
        expect_bad_idx(changes[i].complaint);
    }
}
END_TEST

/* A header that promises 2^62 bytes is refused before memory is asked for. */
START_TEST(test_idx_impossible_sizes)
{
    uint8_t bytes[64] = {0, 0, 8, 3, 0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1};
    uint8_t packed[512];
    write_bytes(bytes, 40);
    expect_bad_idx("cut off");
    write_bytes(packed, gzip(bytes, 40, 40, packed, sizeof packed));
    expect_bad_idx("at most");
    bytes[12] = 0xff;
    write_bytes(bytes, 40);
    expect_bad_idx("impossible sizes");
    struct cairn_idx idx;
    ck_assert_int_eq(cairn_idx_read("no-such-folder/x", 3, &idx), CAIRN_NOT_FOUND);
}
END_TEST

/* YAML ---------------------------------------------------------------------------------------- */

START_TEST(test_yaml_places)
{
    static const char text[] = "# comment\n"
                               "a: {b: 5e-4, c: 'x y'}\n"
                               "list:\n"
                               "  - conv 8 5x5\n"
                               "  - \"t\\tab\"\n"
                               "  - [1, 2]\n";
    struct cairn_yaml *root;
    ck_assert_int_eq(cairn_yaml_parse("f.yaml", text, strlen(text), &root), CAIRN_OK);
    struct cairn_yaml *a = cairn_yaml_get(root, "a"), *c = cairn_yaml_get(a, "c");
    ck_assert_str_eq(cairn_yaml_get(a, "b")->text, "5e-4");
    ck_assert(c->line == 2 && c->column == 17 && c->text_column == 18 && c->key_column == 14);
    ck_assert_str_eq(c->text, "x y");
    struct cairn_yaml *item = cairn_yaml_get(root, "list")->first;
    ck_assert(item->line == 4 && item->column == 5 && item->text_column == 5);
    ck_assert_str_eq(item->next->text, "t\tab");
    ck_assert_int_eq(item->next->text_column, 0); /* an escape: no place for each character */
    ck_assert_int_eq(item->next->next->kind, CAIRN_YAML_LIST);
    ck_assert_ptr_null(cairn_yaml_get(a, "d"));
    ck_assert_ptr_null(cairn_yaml_get(item, "d"));

    cairn_yaml_fail(CAIRN_PARSE, "f.yaml", item, 5, "bad %s", "word");
    ck_assert_str_eq(cairn_error(), "f.yaml:4:10: bad word");
    cairn_yaml_fail(CAIRN_PARSE, "f.yaml", c, CAIRN_YAML_AT_KEY, "bad");
    ck_assert_str_eq(cairn_error(), "f.yaml:2:14: bad");

    ck_assert_ptr_nonnull(cairn_yaml_set(a, "b", CAIRN_YAML_TEXT, "7", "--set a.b=7"));
    ck_assert_ptr_nonnull(cairn_yaml_set(a, "z", CAIRN_YAML_TEXT, "8", "--set a.z=8"));
    ck_assert_str_eq(a->first->text, "7");
    ck_assert_str_eq(cairn_yaml_get(a, "z")->text, "8");
    cairn_yaml_fail(CAIRN_PARSE, "f.yaml", a->first, 0, "bad");
    ck_assert_str_eq(cairn_error(), "--set a.b=7: bad");
    cairn_yaml_free(root);
}
END_TEST

static const struct {
    const char *text, *complaint;
} bad_yaml[] = {
    {"", "f.yaml: the file is empty"},
    {"# only a comment\n", "f.yaml: the file is empty"},
    {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key 'a' is given twice, first on line 1"},
    {"a: &x 1\n", "f.yaml:1:4: anchors"},
    {"a: 1\nb: *x\n", "f.yaml:2:4: aliases"},
    {"a: !!int 1\n", "f.yaml:1:4: tags"},
    {"a: !t {b: 1}\n", "f.yaml:1:4: tags"},
    {"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document"},
    {"? [1]\n: 2\n", "f.yaml:1:3: a key must be a text"},
    {"a: \"x\\0y\"\n", "f.yaml:1:4: a NUL character"},
    {"a: [1, 2\n", "f.yaml:2:1: "},
    {"a:\n\tb: 1\n", "f.yaml:2:1: "},
    {"a: b: c\n", "f.yaml:1:5: "},
    {"a: \x01\n", "f.yaml: byte 3: "},
    {"a: \xff\n", "f.yaml: byte 3: "},
    {"[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", "f.yaml:1:17: nested too deeply"},
};

START_TEST(test_yaml_refused)
{
    struct cairn_yaml *root;
    const char *text = bad_yaml[_i].text;
    ck_assert_int_eq(cairn_yaml_parse("f.yaml", text, strlen(text), &root), CAIRN_PARSE);
    ck_assert_msg(strstr(cairn_error(), bad_yaml[_i].complaint) == cairn_error(), "%s",
                  cairn_error());
    ck_assert_ptr_null(root);
}
END_TEST

static TCase *safetensors_cases(void)
{
    TCase *tc = tcase_create("safetensors");
    tcase_add_checked_fixture(tc, enter, scratch_remove);
    tcase_add_test(tc, test_st_round_trip);
    tcase_add_test(tc, test_st_write_failures);
    tcase_add_loop_test(tc, test_st_damaged, 0, (int)(sizeof damaged / sizeof *damaged));
    tcase_add_test(tc, test_st_cut_off_anywhere);
    return tc;
}

static TCase *idx_cases(void)
{
    TCase *tc = tcase_create("idx");
    tcase_add_checked_fixture(tc, enter, scratch_remove);
    tcase_add_test(tc, test_idx_good);
    tcase_add_test(tc, test_idx_cut_off_anywhere);
    tcase_add_test(tc, test_idx_damaged);
    tcase_add_test(tc, test_idx_impossible_sizes);
    return tc;
}

static TCase *yaml_cases(void)
{
    TCase *tc = tcase_create("yaml");
    tcase_add_test(tc, test_yaml_places);
    tcase_add_loop_test(tc, test_yaml_refused, 0, (int)(sizeof bad_yaml / sizeof *bad_yaml));
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("io");
    suite_add_tcase(suite, safetensors_cases());
    suite_add_tcase(suite, idx_cases());
    suite_add_tcase(suite, yaml_cases());
    return suite_run(suite);
}
