/* NPZ archives, and KMNIST in them: right files, and every kind of wrong one. */
#include "files.h"
#include "io/npz.h"
#include "suite.h"

static struct bytes array;

static void make_array(const char *header, size_t size)
{
    static uint8_t data[4096];
    for (size_t i = 0; i < size; i++) data[i] = (uint8_t)(i * 7 + 1);
    npy_make(&array, 1, header, data, size);
}

#ifdef CAIRN_WITH_LIBZIP

#define GOOD "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4), }"

static struct zip_writer zip;

static void expect_array(void)
{
    struct cairn_idx a;
    cairn_status st = cairn_npz_read(in_scratch("a.npz"), 3, &a);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert(a.rank == 3 && a.dims[0] == 2 && a.dims[1] == 3 && a.dims[2] == 4);
    for (int i = 0; i < 24; i++) ck_assert_int_eq(a.data[i], (uint8_t)(i * 7 + 1));
    cairn_idx_free(&a);
}

static void expect_npz(const char *complaint)
{
    struct cairn_idx a;
    expect(CAIRN_FORMAT, cairn_npz_read(in_scratch("a.npz"), 3, &a), "a.npz", complaint);
    ck_assert_ptr_null(a.data);
}

START_TEST(test_npz_good)
{
    static const char *const headers[] = {
        GOOD,
        "{'shape': (2, 3, 4), 'descr': '|u1', 'fortran_order': False}",
        "{\"descr\":\"|u1\",\"fortran_order\":False,\"shape\":(2,3,4,)}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        for (int method = 0; method <= 8; method += 8) {
            make_array(headers[i], 24);
            npz_put("a.npz", &array, method);
            expect_array();
        }
    uint8_t data[24];
    for (int i = 0; i < 24; i++) data[i] = (uint8_t)(i * 7 + 1);
    npy_make(&array, 2, GOOD, data, 24);
    npz_put("a.npz", &array, 8);
    expect_array();
}
END_TEST

static const struct {
    const char *header, *complaint;
} wrong_headers[] = {
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }", "type '<f4'"},
    {"{'descr': '|i1', 'fortran_order': False, 'shape': (2, 3, 4), }", "type '|i1'"},
    {"{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (2, 3, 4), }", "record array"},
    {"{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }", "Fortran order"},
    {"{'descr': '|u1', 'fortran_order': 0, 'shape': (2, 3, 4), }", "True or False expected"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (24,), }", "1 dimensions where 3"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "0 dimensions where 3"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 3, 2, 2), }", "5 dimensions"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (24), }", "a ',' in a shape"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': 24, }", "a shape in parentheses"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3 4), }", "a list of sizes"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, -3, 4), }", "a list of sizes"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4", "a list of sizes"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 0, 4), }", "impossible sizes"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4), }",
     "impossible sizes"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999, 1, 1), }",
     "a list of sizes"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 5), }",
     "cut off: its header promises 30 bytes, and 24 are there"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 3), }",
     "too long: its header promises 18 bytes, and 24 are there"},
    {"{'descr': '|u1', 'shape': (2, 3, 4), }", "the key 'fortran_order' is missing"},
    {"{'descr': '|u1', 'descr': '|u1', 'shape': (2, 3, 4), }", "the key 'descr' is there twice"},
    {"{'descr': '|u1', 'order': False, 'shape': (2, 3, 4), }", "the key 'order' is unknown"},
    {"{'descr' '|u1', 'fortran_order': False, 'shape': (2, 3, 4), }", "':' expected"},
    {"{'descr': '|u1' 'fortran_order': False, 'shape': (2, 3, 4), }", "',' expected"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4), } x", "a newline expected"},
    {"{'descr: ", "a text in quotes"},
    {"{", "a text in quotes"},
    {"", "'{' expected"},
};

START_TEST(test_npz_wrong_header)
{
    make_array(wrong_headers[_i].header, 24);
    npz_put("a.npz", &array, 0);
    expect_npz(wrong_headers[_i].complaint);
    expect_npz("a.npz: arr_0.npy: ");
}
END_TEST

START_TEST(test_npz_wrong_array)
{
    make_array(GOOD, 24);
    array.at[0] = 'x';
    npz_put("a.npz", &array, 8);
    expect_npz("not an NPY array");
    make_array(GOOD, 24);
    array.at[6] = 3;
    npz_put("a.npz", &array, 8);
    expect_npz("NPY version 3.0");
    array.at[6] = 1;
    array.at[9] = 9;
    npz_put("a.npz", &array, 8);
    expect_npz("cut off inside its header");
    array.size = 7;
    npz_put("a.npz", &array, 0);
    expect_npz("not an NPY array");
    array.size = 0;
    npz_put("a.npz", &array, 0);
    expect_npz("not an NPY array");
}
END_TEST

static void put_zip(void)
{
    zip_finish(&zip);
    put_bytes("a.npz", zip.file.at, zip.file.size);
    memset(&zip, 0, sizeof zip);
}

START_TEST(test_npz_wrong_archive)
{
    struct cairn_idx a;
    expect(CAIRN_NOT_FOUND, cairn_npz_read(in_scratch("none.npz"), 3, &a), "none.npz", "not there");
    make_array(GOOD, 24);
    zip_add(&zip, "arr_1.npy", &array, 8, -1);
    put_zip();
    expect_npz("1 members, the first of them 'arr_1.npy', where exactly one, arr_0.npy");
    zip_add(&zip, "arr_0.npy", &array, 8, -1);
    zip_add(&zip, "labels.npy", &array, 8, -1);
    put_zip();
    expect_npz("2 members");
    put_zip();
    expect_npz("0 members");
    zip_add(&zip, "arr_0.npy", &array, 12, -1);
    put_zip();
    expect_npz("packed by method 12");
    zip_add(&zip, "arr_0.npy", &array, 8, 0x7fffffff);
    put_zip();
    expect_npz("2147483647 bytes cannot be packed into");
    zip_add(&zip, "arr_0.npy", &array, 8, (int64_t)array.size + 1);
    put_zip();
    expect_npz("damaged");
    zip_add(&zip, "arr_0.npy", &array, 8, (int64_t)array.size - 1);
    put_zip();
    expect_npz("damaged");
    put_bytes("a.npz", "hello, this is no archive", 25);
    expect_npz("not a zip archive");
    put_bytes("a.npz", "", 0);
    expect_npz("a.npz");
}
END_TEST

/* Cut off anywhere the file is refused; with any bit changed it is refused or the array is right.
 */
START_TEST(test_npz_damaged)
{
    struct cairn_idx a;
    int refused = 0;
    make_array(GOOD, 24);
    zip_add(&zip, "arr_0.npy", &array, 8 * _i, -1);
    zip_finish(&zip);
    for (size_t size = 0; size < zip.file.size; size++) {
        put_bytes("a.npz", zip.file.at, size);
        expect_npz("a.npz");
    }
    for (size_t i = 0; i < zip.file.size * 8; i++) {
        zip.file.at[i / 8] ^= (uint8_t)(1 << i % 8);
        put_bytes("a.npz", zip.file.at, zip.file.size);
        zip.file.at[i / 8] ^= (uint8_t)(1 << i % 8);
        cairn_status st = cairn_npz_read(in_scratch("a.npz"), 3, &a);
        if (st == CAIRN_OK)
            expect_array();
        else
            ck_assert_msg(st == CAIRN_FORMAT && strstr(cairn_error(), "a.npz"), "%s",
                          cairn_error());
        refused += st != CAIRN_OK;
        cairn_idx_free(&a);
    }
    ck_assert_int_gt(refused, 24 * 8); /* at least every bit of the data */
}
END_TEST

/* Writes a part of KMNIST: image i all i, of class i mod 10. */
static void put_kmnist(const char *part, int images, int labels, int height)
{
    static uint8_t pixels[30 * 784], classes[256];
    char name[64], header[128];
    for (int i = 0; i < images * height * 28; i++) pixels[i] = (uint8_t)(i / (height * 28));
    for (int i = 0; i < labels; i++) classes[i] = (uint8_t)(i % 10);
    snprintf(header, sizeof header,
             "{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d, 28), }", images, height);
    snprintf(name, sizeof name, "kmnist-%s-imgs.npz", part);
    npy_make(&array, 1, header, pixels, (size_t)(images * height * 28));
    npz_put(name, &array, 8);
    snprintf(header, sizeof header, "{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }",
             labels);
    snprintf(name, sizeof name, "kmnist-%s-labels.npz", part);
    npy_make(&array, 1, header, classes, (size_t)labels);
    npz_put(name, &array, 8);
}

START_TEST(test_kmnist_npz)
{
    struct cairn_dataset d;
    put_kmnist("train", 25, 25, 28);
    expect_load("kmnist", CAIRN_NOT_FOUND, scratch, "nor kmnist-test-imgs.npz is in");
    put_kmnist("test", 12, 12, 28);
    cairn_status st = cairn_dataset_load("kmnist", scratch, 1, &d);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert(d.train.count == 25 && d.test.count == 12 && d.c == 1 && d.h == 28 && d.w == 28);
    for (int i = 0; i < 25 * 784; i++) ck_assert_int_eq(d.train.pixels[i], i / 784);
    for (int i = 0; i < 12; i++) ck_assert_int_eq(d.test.labels[i], i % 10);
    cairn_dataset_free(&d);

    /* an IDX file goes before; the other three are still the NPZ files */
    uint8_t labels[8 + 12] = {0, 0, 8, 1, 0, 0, 0, 12, 9};
    put_bytes("t10k-labels-idx1-ubyte", labels, sizeof labels);
    ck_assert_int_eq(cairn_dataset_load("kmnist", scratch, 1, &d), CAIRN_OK);
    ck_assert(d.test.labels[0] == 9 && d.test.labels[1] == 0 && d.train.count == 25);
    cairn_dataset_free(&d);
    labels[8 + 5] = 10;
    put_bytes("t10k-labels-idx1-ubyte", labels, sizeof labels);
    expect_load("kmnist", CAIRN_FORMAT, "t10k-labels-idx1-ubyte", "the label of image 5 is 10");
    ck_assert_int_eq(remove(in_scratch("t10k-labels-idx1-ubyte")), 0);

    put_kmnist("test", 12, 12, 27);
    expect_load("kmnist", CAIRN_FORMAT, "kmnist-test-imgs.npz", "its images are 27x28");
    put_kmnist("test", 12, 11, 28);
    expect_load("kmnist", CAIRN_FORMAT, "kmnist-test-labels.npz", "11 labels for the 12 images");
}
END_TEST

#else

START_TEST(test_npz_unsupported)
{
    make_array("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 28, 28), }", 784);
    npz_put("kmnist-train-imgs.npz", &array, 0);
    npz_put("kmnist-train-labels.npz", &array, 0);
    expect_load("kmnist", CAIRN_UNSUPPORTED, "kmnist-train-imgs.npz", "-Dlibzip=enabled");
}
END_TEST

#endif

int main(void)
{
    Suite *suite = suite_create("npz");
    TCase *tc = tcase_create("npz");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
#ifdef CAIRN_WITH_LIBZIP
    tcase_add_test(tc, test_npz_good);
    tcase_add_loop_test(tc, test_npz_wrong_header, 0,
                        (int)(sizeof wrong_headers / sizeof *wrong_headers));
    tcase_add_test(tc, test_npz_wrong_array);
    tcase_add_test(tc, test_npz_wrong_archive);
    tcase_add_loop_test(tc, test_npz_damaged, 0, 2);
    tcase_add_test(tc, test_kmnist_npz);
#else
    tcase_add_test(tc, test_npz_unsupported);
#endif
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
