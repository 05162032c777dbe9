/* What the loaders of arrays must refuse (test_bad_sets.c: folders and registers): one row for each
 * malformed input, each with one clear complaint that names the file and what is wrong. The data
 * sets are small ones of a register of the test, written rightly before one of their files is
 * spoilt. */
#include "data/register.h"
#include "files.h"
#include "suite.h"

#include <unistd.h>

/* tiny: images of 2 x 3 in 3 classes, 2 to train and 1 to test; box: images of 1x1x2 in 2 classes,
 * one in each file. */
static const char tiny_register[] =
    "tiny:\n"
    "  kind: idx\n"
    "  shape: 1x2x3\n"
    "  classes: 3\n"
    "  train: 2\n"
    "  test: 1\n"
    "  files: {train-images: {name: a.gz}, train-labels: {name: b.gz}, test-images: {name: c.gz},\n"
    "          test-labels: {name: d.gz}}\n"
    "  npz: {train-images: {name: a.npz}, train-labels: {name: b.npz}, test-images: {name: "
    "c.npz},\n"
    "        test-labels: {name: d.npz}}\n"
    "box:\n"
    "  kind: cifar\n"
    "  shape: 1x1x2\n"
    "  classes: 2\n"
    "  train: 5\n"
    "  test: 1\n";

/* How the bytes of a row become the file. */
enum form {
    RAW,
    GZIP,
    NPZ,       /* as the archive's arr_0.npy */
    NPY_OTHER, /* as other.npy */
    NPY_TWICE, /* as arr_0.npy, with a second member beside it */
    MISSING,
    FOLDER,
    LINK /* to the path that the bytes are */
};

struct row {
    const char *file;
    enum form form;
    const char *bytes;
    size_t size;
    cairn_status status;
    const char *complaint;
};

#define B(text) text, sizeof(text) - 1
#define IMAGES2 "\0\0\10\3\0\0\0\2\0\0\0\2\0\0\0\3" /* 2 images of 2 x 3 */
#define SIX "\1\2\3\4\5\6"
#define LABELS2 "\0\0\10\1\0\0\0\2"
#define F CAIRN_FORMAT

static const struct row idx_rows[] = {
    {"a", MISSING, B(""), CAIRN_NOT_FOUND, "neither a.gz nor a nor a.npz is in"},
    {"b", MISSING, B(""), CAIRN_NOT_FOUND, "neither b.gz nor b nor b.npz is in"},
    {"c", MISSING, B(""), CAIRN_NOT_FOUND, "`cairn data fetch tiny` fetches them"},
    {"d", MISSING, B(""), CAIRN_NOT_FOUND, "--data-dir or CAIRN_DATA_DIR tells where they are"},
    {"a", FOLDER, B(""), F, "is a folder, not a file"},
    {"a", LINK, B("/dev/zero"), F, "goes on behind 256 MiB; is it a device, not a file?"},
    {"a", LINK, B("/no/such/file"), CAIRN_NOT_FOUND, "neither a.gz nor a nor a.npz is in"},
    {"a", LINK, B("a"), CAIRN_IO, "looking for a in "}, /* a link to itself */
    {"a", RAW, B(""), F, "not an IDX file of bytes (they begin with 0 0 8)"},
    {"a", RAW, B("\0\0\10"), F, "not an IDX file of bytes"},
    {"a", RAW, B("<html>please log in</html>"), F, "not an IDX file of bytes"},
    {"a", RAW, B("\1\0\10\3\0\0\0\2\0\0\0\2\0\0\0\3" SIX SIX), F, "not an IDX file of bytes"},
    {"a", RAW, B("\0\1\10\3\0\0\0\2\0\0\0\2\0\0\0\3" SIX SIX), F, "not an IDX file of bytes"},
    {"a", RAW, B("\0\0\15\3\0\0\0\2\0\0\0\2\0\0\0\3" SIX SIX), F, "not an IDX file of bytes"},
    {"a", RAW, B("\0\0\10\0" SIX), F, "not an IDX file of bytes"},
    {"a", RAW, B("\0\0\10\5\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\1"), F, "not an IDX file"},
    {"a", RAW, B(LABELS2 "\1\2"), F, "an IDX file of 1 dimensions where 3 are expected"},
    {"a", RAW, B("\0\0\10\2\0\0\0\2\0\0\0\1\1\2"), F, "2 dimensions where 3 are expected"},
    {"a", RAW, B("\0\0\10\3\0\0\0\2\0\0\0\2\0\0\0"), F, "cut off inside its header"},
    {"a", RAW, B("\0\0\10\3"), F, "cut off inside its header"},
    {"a", RAW, B("\0\0\10\3\0\0\0\0\0\0\0\2\0\0\0\3"), F, "impossible sizes in its header"},
    {"a", RAW, B("\0\0\10\3\0\0\0\2\0\0\0\2\0\0\0\0"), F, "impossible sizes in its header"},
    {"a", RAW, B("\0\0\10\3\377\377\377\377\377\377\377\377\377\377\377\377" SIX), F, "impossible"},
    {"a", RAW, B("\0\0\10\3\177\377\377\377\0\0\0\2\0\0\0\3" SIX), F,
     "cut off: its header promises 12884901882 bytes, and 6 are there"},
    {"a", GZIP, B("\0\0\10\3\177\377\377\377\0\0\0\2\0\0\0\3" SIX), F, "and at most "},
    {"a", RAW, B(IMAGES2), F, "cut off: its header promises 12 bytes, and 0 are there"},
    {"a", RAW, B(IMAGES2 SIX "\1\2\3\4\5"), F, "promises 12 bytes, and 11 are there"},
    {"a", RAW, B(IMAGES2 SIX SIX "\1"), F, "too long: there is more than the 12 bytes"},
    {"a", RAW, B("\0\0\10\3\0\0\0\2\0\0\0\3\0\0\0\2" SIX SIX), F,
     "its images are 3x2, those of tiny are 2x3"},
    {"a", RAW, B("\0\0\10\3\0\0\0\2\0\0\0\1\0\0\0\3" SIX), F, "its images are 1x3, those of tiny"},
    {"a", RAW, B("\0\0\10\3\0\0\0\1\0\0\0\2\0\0\0\3" SIX), F, "has 2 labels for the 1 images of"},
    {"a", RAW, B("\37\213"), F, "cut off: its gzip data ends too early"},
    {"a", RAW, B("\37\213\7\0\0\0\0\0\0\3"), F, "damaged gzip data"},
    {"a", RAW, B("\37\213\10\0\0\0\0\0\0\3\377\377\377"), F, "damaged gzip data"},
    {"a", GZIP, B(""), F, "not an IDX file of bytes"},
    {"a", GZIP, B("no IDX file"), F, "not an IDX file of bytes"},
    {"a", GZIP, B(IMAGES2 SIX "\1\2\3\4\5"), F, "cut off: its header promises 12 bytes, and 11"},
    {"a", GZIP, B(IMAGES2 SIX SIX "\1"), F, "too long"},
    {"a", GZIP, B(LABELS2 "\1\2"), F, "1 dimensions where 3 are expected"},
    {"b", RAW, B(IMAGES2 SIX SIX), F, "3 dimensions where 1 are expected"},
    {"b", RAW, B(LABELS2 "\2\3"), F, "the label of image 1 is 3, not 0 to 2"},
    {"b", RAW, B(LABELS2 "\377\2"), F, "the label of image 0 is 255, not 0 to 2"},
    {"b", GZIP, B(LABELS2 "\2\3"), F, "the label of image 1 is 3, not 0 to 2"},
    {"b", RAW, B(LABELS2 "\1"), F, "promises 2 bytes, and 1 are there"},
    {"b", RAW, B("\0\0\10\1\0\0\0\3\0\1\2"), F, "has 3 labels for the 2 images of"},
    {"b", RAW, B("\0\0\10\1\0\0\0\0"), F, "impossible sizes in its header"},
    {"c", RAW, B(""), F, "not an IDX file of bytes"},
    {"d", RAW, B("\0\0\10\1\0\0\0\1\3"), F, "the label of image 0 is 3, not 0 to 2"},
    {"d", RAW, B("\0\0\10\1\0\0\0\2\0\1"), F, "has 2 labels for the 1 images of"},
};

#ifdef CAIRN_WITH_LIBZIP
#define NPY(version, length) "\x93NUMPY" version "\0" length
/* The header's length is 70 bytes, "F" in ASCII, wherever it is right. */
#define HEAD(text) NPY("\1", "F\0") text
#define GOOD_A "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 3), }       \n"
#define GOOD_B "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }            \n"

static const struct row npz_rows[] = {
    {"a.npz", FOLDER, B(""), F, "not a zip archive"},
    {"a.npz", LINK, B("/dev/zero"), F, "not a zip archive"},
    {"a.npz", RAW, B(""), F, "not a zip archive, or cut off"},
    {"a.npz", RAW, B("<html>please log in</html>"), F, "not a zip archive, or cut off"},
    {"a.npz", RAW, B("PK\3\4\24\0\0\0\0\0"), F, "not a zip archive, or cut off"},
    {"a.npz", RAW, B(IMAGES2 SIX SIX), F, "not a zip archive, or cut off"},
    {"a.npz", NPY_OTHER, B(HEAD(GOOD_A) SIX SIX), F, "1 members, the first of them 'other.npy'"},
    {"a.npz", NPY_TWICE, B(HEAD(GOOD_A) SIX SIX), F, "2 members, the first of them 'arr_0.npy'"},
    {"a.npz", NPZ, B(""), F, "not an NPY array"},
    {"a.npz", NPZ, B("an array in words"), F, "not an NPY array"},
    {"a.npz", NPZ, B(NPY("\3", "F\0") GOOD_A SIX SIX), F, "NPY version 3.0"},
    {"a.npz", NPZ, B(NPY("\1", "\377\377") GOOD_A SIX SIX), F, "cut off inside its header"},
    {"a.npz", NPZ, B(HEAD(GOOD_A) SIX), F, "cut off: its header promises 12 bytes, and 6 are"},
    {"a.npz", NPZ, B(HEAD(GOOD_A) SIX SIX "\1"), F, "too long: its header promises 12 bytes"},
    {"a.npz", NPZ, B(HEAD(GOOD_B) "\1\2"), F, "an array of 1 dimensions where 3 are expected"},
    {"a.npz", NPZ,
     B(HEAD("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 3), }       \n") SIX SIX), F,
     "an array of type '<f4', where unsigned bytes ('|u1') are expected"},
    {"a.npz", NPZ,
     B(HEAD("{'descr': '|i1', 'fortran_order': False, 'shape': (2, 2, 3), }       \n") SIX SIX), F,
     "an array of type '|i1'"},
    {"a.npz", NPZ,
     B(HEAD("{'descr': [('a', 'u1')], 'fortran_order': False, 'shape': (1,), }    \n") SIX SIX), F,
     "a record array"},
    {"a.npz", NPZ,
     B(HEAD("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2, 3), }        \n") SIX SIX), F,
     "an array in Fortran order"},
    {"a.npz", NPZ,
     B(HEAD("{'descr': '|u1', 'fortran_order': Maybe, 'shape': (2, 2, 3), }       \n") SIX SIX), F,
     "True or False expected before 'Maybe"},
    {"a.npz", NPZ,
     B(HEAD("{'descr': '|u1', 'fortran_order': False, }                           \n") SIX SIX), F,
     "the key 'shape' is missing"},
    {"a.npz", NPZ,
     B(HEAD("{'descr': '|u1', 'descr': '|u1', 'shape': (2, 2, 3), }               \n") SIX SIX), F,
     "the key 'descr' is there twice"},
    {"a.npz", NPZ,
     B(HEAD("{'descr': '|u1', 'order': False, 'shape': (2, 2, 3), }               \n") SIX SIX), F,
     "the key 'order' is unknown"},
    {"a.npz", NPZ,
     B(HEAD("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, -3), }      \n") SIX SIX), F,
     "a list of sizes expected"},
    {"a.npz", NPZ,
     B(HEAD("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 0, 3), }       \n")), F,
     "impossible sizes in its header"},
    {"a.npz", NPZ,
     B(HEAD("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 2), }       \n") SIX SIX), F,
     "its images are 3x2, those of tiny are 2x3"},
    {"a.npz", NPZ,
     B(HEAD("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 3), }   oops\n") SIX SIX), F,
     "spaces and a newline expected"},
    {"b.npz", NPZ, B(HEAD(GOOD_A) SIX SIX), F, "an array of 3 dimensions where 1 are expected"},
    {"b.npz", NPZ, B(HEAD(GOOD_B) "\0\3"), F, "the label of image 1 is 3, not 0 to 2"},
    {"b.npz", NPZ,
     B(HEAD("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }            \n") "\0\1\2"), F,
     "has 3 labels for the 2 images of"},
    {"b.npz", NPZ,
     B(HEAD("{'descr': '|u1', 'fortran_order': False, 'shape': (2), }             \n") "\0\1"), F,
     "a ',' in a shape of one size expected"},
};
#endif

static const struct row cifar_rows[] = {
    {"data_batch_1.bin", MISSING, B(""), CAIRN_NOT_FOUND, "neither data_batch_1.bin nor"},
    {"test_batch.bin", MISSING, B(""), CAIRN_NOT_FOUND, "`cairn data fetch box` fetches it"},
    {"data_batch_3.bin", FOLDER, B(""), F, "is a folder, not a file"},
    {"data_batch_3.bin", LINK, B("/dev/zero"), F, "goes on behind 256 MiB"},
    {"data_batch_1.bin", RAW, B(""), F, "0 bytes are no whole number of records of 3"},
    {"data_batch_1.bin", RAW, B("\1\2"), F, "2 bytes are no whole number of records of 3"},
    {"data_batch_5.bin", RAW, B("\1\2\3\1"), F, "some bytes are left over"},
    {"data_batch_2.bin", RAW, B("\1\2\3\2\2\3"), F, "the label of image 1 is 2, not 0 to 1"},
    {"test_batch.bin", RAW, B("\377\2\3"), F, "the label of image 0 is 255, not 0 to 1"},
    {"test_batch.bin", RAW, B("<html>"), F, "the label of image 0 is 60, not 0 to 1"},
    {"batches.meta.txt", RAW, B(""), F, "0 names of classes, where 2 are expected"},
    {"batches.meta.txt", RAW, B("one\n"), F, "1 names of classes, where 2 are expected"},
    {"batches.meta.txt", RAW, B("one\ntwo\n\nthree\n"), F, "3 names of classes, where 2 are"},
    {"batches.meta.txt", RAW, B("one\n\0two\n"), F, "1 names of classes, where 2 are expected"},
    {"batches.meta.txt", FOLDER, B(""), F, "is a folder, not a file"},
};

static void spoil(const struct row *row)
{
    static struct bytes content, packed;
    static struct zip_writer zip;
    const char *name = row->file;
    content.size = packed.size = 0;
    add(&content, row->bytes, row->size);
    unlink(in_scratch(name));
    if (row->form == RAW) put_bytes(name, content.at, content.size);
    if (row->form == GZIP) {
        pack(&packed, &content, 31);
        put_bytes(name, packed.at, packed.size);
    }
    if (row->form == FOLDER) make_folder(name);
    if (row->form == LINK) ck_assert_int_eq(symlink(row->bytes, in_scratch(name)), 0);
    if (row->form == NPZ || row->form == NPY_OTHER || row->form == NPY_TWICE) {
        memset(&zip, 0, sizeof zip);
        zip_add(&zip, row->form == NPY_OTHER ? "other.npy" : "arr_0.npy", &content, 0, -1);
        if (row->form == NPY_TWICE) zip_add(&zip, "arr_1.npy", &content, 0, -1);
        zip_finish(&zip);
        put_bytes(name, zip.file.at, zip.file.size);
    }
}

/* One line that names the file (or for one that is missing, its folder), and nothing loaded. */
static void expect_refused(const char *set, const struct row *row)
{
    int missing = row->status == CAIRN_NOT_FOUND;
    spoil(row);
    expect_load(set, row->status, missing ? scratch : row->file, row->complaint);
    ck_assert_ptr_null(strchr(cairn_error(), '\n'));
}

static void set_up(void)
{
    scratch_make();
    put_bytes("register.yaml", tiny_register, sizeof tiny_register - 1);
    setenv("CAIRN_DATASETS", in_scratch("register.yaml"), 1);
}

static void put_tiny(const char *but)
{
    const struct row rows[] = {
        {"a", RAW, B(IMAGES2 SIX SIX), CAIRN_OK, ""},
        {"b", RAW, B(LABELS2 "\0\2"), CAIRN_OK, ""},
        {"c", GZIP, B("\0\0\10\3\0\0\0\1\0\0\0\2\0\0\0\3" SIX), CAIRN_OK, ""},
        {"d", GZIP, B("\0\0\10\1\0\0\0\1\1"), CAIRN_OK, ""},
    };
    for (int i = 0; i < 4; i++)
        if (*rows[i].file != *but) spoil(&rows[i]);
}

static void put_box(void)
{
    static const char *const names[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                        "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
    for (int i = 0; i < 6; i++) put_bytes(names[i], (uint8_t[3]){(uint8_t)(i % 2), 7, 9}, 3);
    put_bytes("batches.meta.txt", "one\r\ntwo two\n\n", 14);
}

/* What is spoilt below is good before. */
START_TEST(test_good)
{
    struct cairn_dataset d;
    put_tiny("");
    cairn_status st = cairn_dataset_load("tiny", scratch, 1, &d);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert(d.train.count == 2 && d.test.count == 1 && d.train.labels[1] == 2);
    ck_assert_mem_eq(d.train.pixels, SIX SIX, 12);
    ck_assert_ptr_null(d.class_names);
    cairn_dataset_free(&d);
    put_box();
    st = cairn_dataset_load("box", scratch, 1, &d);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert(d.train.count == 5 && d.test.count == 1 && d.train.labels[3] == 1);
    ck_assert_str_eq(d.class_names[0], "one");
    ck_assert_str_eq(d.class_names[1], "two two");
    cairn_dataset_free(&d);
#ifdef CAIRN_WITH_LIBZIP
    put_tiny("a");
    spoil(&(struct row){"a.npz", NPZ, B(HEAD(GOOD_A) SIX SIX), CAIRN_OK, ""});
    unlink(in_scratch("a"));
    st = cairn_dataset_load("tiny", scratch, 1, &d);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert_mem_eq(d.train.pixels, SIX SIX, 12);
    cairn_dataset_free(&d);
#endif
}
END_TEST

/* Of a part that is not asked for no file is read, and its count is the register's. */
START_TEST(test_parts)
{
    struct cairn_dataset d;
    put_tiny("");
    put_box();
    for (int i = 0; i < 2; i++) {
        const char *set = i ? "box" : "tiny";
        spoil(&(struct row){i ? "data_batch_1.bin" : "a", RAW, B("x"), CAIRN_OK, ""});
        ck_assert_int_eq(cairn_dataset_load_parts(set, scratch, 1, CAIRN_DATASET_TRAIN, &d), F);
        cairn_status st = cairn_dataset_load_parts(set, scratch, 1, CAIRN_DATASET_TEST, &d);
        ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
        ck_assert(d.train.count == (i ? 5 : 2) && !d.train.pixels && !d.train.labels);
        ck_assert(d.test.count == 1 && d.test.pixels && d.test.labels[0] == 1);
        cairn_dataset_free(&d);
    }
}
END_TEST

START_TEST(test_idx)
{
    put_tiny("");
    expect_refused("tiny", &idx_rows[_i]);
}
END_TEST

START_TEST(test_cifar)
{
    put_box();
    expect_refused("box", &cifar_rows[_i]);
}
END_TEST

#ifdef CAIRN_WITH_LIBZIP
START_TEST(test_npz)
{
    put_tiny(npz_rows[_i].file);
    expect_refused("tiny", &npz_rows[_i]);
}
END_TEST
#endif

/* Layouts ---------------------------------------------------------------------------------------
 */

static const struct {
    int patch; /* else pad */
    int64_t h, w;
    const char *complaint;
} layout_rows[] = {
    {0, -1, 0, "data.pad: -1 rows and 0 columns"},
    {0, 0, -1, "data.pad: 0 rows and -1 columns"},
    {0, 16384, 0, "the images of tiny, 2x3 (height x width)"},
    {0, 0, 16383, "may be 32768x32768 at most"},
    {0, INT64_MAX, INT64_MAX, "data.pad: 9223372036854775807 rows"},
    {0, INT64_MIN, 0, "data.pad: -9223372036854775808 rows"},
    {1, 2, 2, "data.patches: 2x2 (height x width) does not divide the images of tiny, 2x3"},
    {1, 3, 3, "data.patches: 3x3"},
    {1, 4, 6, "data.patches: 4x6"},
    {1, 0, 3, "data.patches: 0x3"},
    {1, 2, 0, "data.patches: 2x0"},
    {1, -2, 3, "data.patches: -2x3"},
    {1, 2, INT64_MIN, "data.patches: 2x-9223372036854775808"},
};

START_TEST(test_layout)
{
    struct cairn_dataset d;
    int64_t h = layout_rows[_i].h, w = layout_rows[_i].w;
    put_tiny("");
    cairn_status st = cairn_dataset_load("tiny", scratch, 1, &d);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    st = layout_rows[_i].patch ? cairn_dataset_patch(&d, h, w) : cairn_dataset_pad(&d, h, w);
    expect(CAIRN_INVALID, st, "tiny", layout_rows[_i].complaint);
    ck_assert(d.c == 1 && d.h == 2 && d.w == 3);
    ck_assert_mem_eq(d.train.pixels, SIX SIX, 12);
    cairn_dataset_free(&d);
}
END_TEST

#define COUNT(rows) ((int)(sizeof(rows) / sizeof *(rows)))

int main(void)
{
    int npz = 0, all = COUNT(idx_rows) + COUNT(cifar_rows) + COUNT(layout_rows);
    Suite *suite = suite_create("bad_input");
    TCase *tc = tcase_create("bad_input");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, set_up, scratch_remove);
    tcase_add_test(tc, test_good);
    tcase_add_test(tc, test_parts);
    tcase_add_loop_test(tc, test_idx, 0, COUNT(idx_rows));
    tcase_add_loop_test(tc, test_cifar, 0, COUNT(cifar_rows));
    tcase_add_loop_test(tc, test_layout, 0, COUNT(layout_rows));
#ifdef CAIRN_WITH_LIBZIP
    npz = COUNT(npz_rows);
    tcase_add_loop_test(tc, test_npz, 0, npz);
#endif
    suite_add_tcase(suite, tc);
    printf("%d malformed inputs: %d IDX, %d NPZ, %d CIFAR-10, %d layouts\n", all + npz,
           COUNT(idx_rows), npz, COUNT(cifar_rows), COUNT(layout_rows));
    fflush(stdout);
    return suite_run(suite);
}
