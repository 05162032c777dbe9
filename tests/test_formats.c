/* CIFAR-10's binary version and folders of PNG: right files, and every kind of wrong one. */
#include "data/dataset.h"
#include "files.h"
#include "io/png.h"
#include "suite.h"

/* CIFAR-10 ------------------------------------------------------------------------------------ */

#define RECORD 3073

/* `count` records; image i of file `number` begins with the bytes number, i and is of class i. */
static void put_batch(const char *below, int number, int count)
{
    static struct bytes b;
    char name[96];
    memset(&b, 0, sizeof b);
    b.size = (size_t)count * RECORD;
    for (int i = 0; i < count; i++) {
        uint8_t *record = b.at + i * RECORD;
        for (int k = 1; k < RECORD; k++) record[k] = (uint8_t)(k * 3 / 7);
        record[0] = (uint8_t)i;
        record[1] = (uint8_t)number;
        record[2] = (uint8_t)i;
    }
    if (number)
        snprintf(name, sizeof name, "%sdata_batch_%d.bin", below, number);
    else
        snprintf(name, sizeof name, "%stest_batch.bin", below);
    put_bytes(name, b.at, b.size);
}

static void expect_cifar(void)
{
    struct cairn_dataset d;
    cairn_status st = cairn_dataset_load("cifar10", scratch, 1, &d);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert(d.c == 3 && d.h == 32 && d.w == 32 && d.classes == 10);
    ck_assert(d.train.count == 15 && d.test.count == 10);
    for (int number = 1, at = 0; number <= 5; number++)
        for (int i = 0; i < number; i++, at++) {
            const uint8_t *image = d.train.pixels + at * 3072;
            ck_assert(d.train.labels[at] == i && image[0] == number && image[1] == i);
            for (int k = 2; k < 3072; k++) ck_assert_int_eq(image[k], (uint8_t)((k + 1) * 3 / 7));
        }
    for (int i = 0; i < 10; i++)
        ck_assert(d.test.labels[i] == i && d.test.pixels[i * 3072 + 1] == i);
    cairn_dataset_free(&d);
}

START_TEST(test_cifar)
{
    static const char *const below[] = {"", "cifar-10-batches-bin/",
                                        "cifar10/cifar-10-batches-bin/"};
    if (*below[_i]) make_folder(below[_i]);
    expect_load("cifar10", CAIRN_NOT_FOUND, scratch, "`cairn data fetch cifar10` fetches it");
    for (int number = 0; number <= 5; number++) {
        put_batch(below[_i], number, number ? number : 10);
        if (number < 5) expect_load("cifar10", CAIRN_NOT_FOUND, scratch, "neither data_batch_");
    }
    expect_cifar();
}
END_TEST

START_TEST(test_cifar_wrong)
{
    uint8_t record[2 * RECORD] = {0};
    for (int number = 0; number <= 5; number++) put_batch("", number, number ? number : 10);
    put_bytes("data_batch_3.bin", record, RECORD - 1);
    expect_load("cifar10", CAIRN_FORMAT, "data_batch_3.bin", "3072 bytes are no whole number");
    put_bytes("data_batch_3.bin", record, RECORD + 1);
    expect_load("cifar10", CAIRN_FORMAT, "data_batch_3.bin", "some bytes are left over");
    put_bytes("data_batch_3.bin", record, 0);
    expect_load("cifar10", CAIRN_FORMAT, "data_batch_3.bin", "there is none");
    record[RECORD] = 10;
    put_bytes("data_batch_3.bin", record, sizeof record);
    expect_load("cifar10", CAIRN_FORMAT, "data_batch_3.bin",
                "the label of image 1 is 10, not 0 to 9");
    put_batch("", 3, 3);
    put_bytes("test_batch.bin", record, sizeof record - 5);
    expect_load("cifar10", CAIRN_FORMAT, "test_batch.bin", "cut off or another kind of file");
    put_batch("", 0, 10);
    expect_cifar();
}
END_TEST

/* PNG ----------------------------------------------------------------------------------------- */

/* Samples that fill the range of the depth. */
static const uint8_t *samples_of(const struct png_spec *s)
{
    static uint8_t samples[40 * 40 * 4];
    for (int i = 0; i < s->w * s->h * png_samples(s); i++)
        samples[i] = (uint8_t)((i * 37 + i / 5) & ((1 << (s->depth < 8 ? s->depth : 8)) - 1));
    return samples;
}

#ifdef CAIRN_WITH_PNG

static const struct png_spec good_specs[] = {
    {13, 9, 8, 0, 0, 0}, {13, 9, 8, 2, 0, 0}, {13, 9, 1, 0, 0, 0}, {13, 9, 2, 0, 0, 0},
    {13, 9, 4, 0, 0, 0}, {13, 9, 1, 3, 0, 0}, {13, 9, 2, 3, 0, 0}, {13, 9, 4, 3, 0, 0},
    {13, 9, 8, 3, 0, 0}, {13, 9, 8, 0, 1, 0}, {13, 9, 8, 2, 1, 0}, {13, 9, 2, 3, 1, 0},
    {1, 1, 8, 0, 0, 0},  {1, 40, 8, 2, 0, 0}, {1, 1, 1, 0, 1, 0},
};

START_TEST(test_png_good)
{
    const struct png_spec *s = &good_specs[_i];
    const uint8_t *samples = samples_of(s);
    struct cairn_png png;
    png_put("a.png", s, samples);
    cairn_status st = cairn_png_read(in_scratch("a.png"), &png);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert(png.w == s->w && png.h == s->h && png.c == (s->type == 0 ? 1 : 3));
    int plane = s->w * s->h, top = (1 << s->depth) - 1;
    for (int i = 0; i < plane; i++)
        for (int k = 0; k < png.c; k++) {
            int v = samples[s->type == 2 ? i * 3 + k : i];
            int palette[3] = {v, 255 - v, 7};
            int wanted = s->type == 3 ? palette[k] : v * 255 / top;
            ck_assert_int_eq(png.pixels[k * plane + i], wanted);
        }
    cairn_png_free(&png);
}
END_TEST

static void expect_png(const char *complaint)
{
    struct cairn_png png;
    expect(CAIRN_FORMAT, cairn_png_read(in_scratch("a.png"), &png), "a.png", complaint);
    ck_assert_ptr_null(png.pixels);
}

START_TEST(test_png_refused)
{
    static const struct {
        struct png_spec spec;
        const char *complaint;
    } cases[] = {
        {{5, 4, 16, 0, 0, 0}, "16 bits a sample"},
        {{5, 4, 16, 2, 0, 0}, "16 bits a sample"},
        {{5, 4, 8, 4, 0, 0}, "transparency"},
        {{5, 4, 8, 6, 0, 0}, "transparency"},
        {{5, 4, 8, 0, 0, 1}, "transparency"},
        {{5, 4, 8, 2, 0, 1}, "transparency"},
        {{5, 4, 8, 3, 0, 1}, "transparency"},
        {{5, 4, 3, 0, 0, 0}, "damaged PNG image: Invalid IHDR data"},
        {{0, 4, 8, 0, 0, 0}, "damaged PNG image: Invalid IHDR data"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        png_put("a.png", &cases[i].spec, samples_of(&cases[i].spec));
        expect_png(cases[i].complaint);
    }
    /* sizes that the file cannot hold are refused before memory is taken for them */
    png_put("a.png", &(struct png_spec){30000, 30000, 8, 2, 0, 0}, NULL);
    expect_png("cut off: 30000x30000 pixels cannot be packed into a file of");
    png_put("a.png", &(struct png_spec){40000, 1, 8, 0, 0, 0}, NULL);
    expect_png("damaged PNG image: Invalid IHDR data");
    png_put("a.png", &(struct png_spec){20, 20, 8, 0, 0, 0}, NULL); /* no pixels */
    expect_png("damaged PNG image");
    put_bytes("a.png", "\xff\xd8\xff\xe0 a picture of another kind", 30);
    expect_png("not a PNG image");
    put_bytes("a.png", "", 0);
    expect_png("not a PNG image");
}
END_TEST

/* Cut off anywhere, or with any bit changed, the file is refused. */
START_TEST(test_png_damaged)
{
    static struct bytes file;
    const struct png_spec *s = &good_specs[_i];
    struct cairn_png png;
    expect(CAIRN_NOT_FOUND, cairn_png_read(in_scratch("none.png"), &png), "none.png", "");
    png_make(&file, s, samples_of(s));
    for (size_t size = 0; size < file.size; size++) {
        put_bytes("a.png", file.at, size);
        expect_png("a.png");
    }
    for (size_t i = 0; i < file.size * 8; i++) {
        file.at[i / 8] ^= (uint8_t)(1 << i % 8);
        put_bytes("a.png", file.at, file.size);
        file.at[i / 8] ^= (uint8_t)(1 << i % 8);
        expect_png("a.png");
    }
}
END_TEST

/* Folders ------------------------------------------------------------------------------------- */

/* An image whose every sample is `value`. */
static void put_image(const char *name, int type, int side, int value)
{
    static uint8_t samples[40 * 40 * 3];
    memset(samples, value, sizeof samples);
    png_put(name, &(struct png_spec){side, side, 8, type, 0, 0}, samples);
}

/* Three classes with 3, 1 and 2 images to train and one each to test. */
static void put_folders(void)
{
    static const char *const folders[] = {"train/b", "train/a c", "train/C",
                                          "test/b",  "test/a c",  "test/C"};
    static const char *const images[] = {"train/C/1.png",   "train/C/10.PNG", "train/C/2.png",
                                         "train/a c/x.png", "train/b/v.png",  "train/b/u.png",
                                         "test/C/1.png",    "test/a c/1.png", "test/b/1.png"};
    for (int i = 0; i < 6; i++) make_folder(folders[i]);
    for (int i = 0; i < 9; i++) put_image(images[i], 2, 8, i);
    put_bytes("train/.DS_Store", "x", 1);
    put_bytes("test/b/.hidden", "x", 1);
}

START_TEST(test_folders)
{
    static const uint8_t values[6] = {0, 3, 5, 1, 4, 2}, labels[6] = {0, 1, 2, 0, 2, 0};
    static const char *const names[3] = {"C", "a c", "b"};
    struct cairn_dataset d;
    put_folders();
    for (int whole = 0; whole < 2; whole++) {
        cairn_status st = whole ? cairn_dataset_load("images", scratch, 1, &d)
                                : cairn_dataset_describe("images", scratch, &d);
        ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
        ck_assert_str_eq(d.name, "images");
        ck_assert(d.c == 3 && d.h == 8 && d.w == 8 && d.classes == 3);
        ck_assert(d.train.count == 6 && d.test.count == 3 && !d.train.pixels == !whole);
        for (int i = 0; i < 3; i++) ck_assert_str_eq(d.class_names[i], names[i]);
        for (int i = 0; i < 6 * 192 && whole; i++) /* by turns */
            ck_assert(d.train.pixels[i] == values[i / 192] &&
                      d.train.labels[i / 192] == labels[i / 192]);
        for (int i = 0; i < 3 && whole; i++)
            ck_assert(d.test.pixels[i * 192] == 6 + i && d.test.labels[i] == i);
        cairn_dataset_free(&d);
        ck_assert_ptr_null(d.class_names);
    }
}
END_TEST

static void expect_images(cairn_status wanted, const char *file, const char *complaint)
{
    expect_load("images", wanted, file, complaint);
}

START_TEST(test_folders_wrong)
{
    expect_images(CAIRN_NOT_FOUND, "/train", "train/CLASS/*.png and test/CLASS/*.png");
    make_folder("train/one");
    put_image("train/one/1.png", 0, 8, 1);
    expect_images(CAIRN_FORMAT, "/train", "1 folders of classes, where 2 to 256 are accepted");
    make_folder("train/two");
    expect_images(CAIRN_FORMAT, "/train/two", "a class without images");
    put_image("train/two/1.png", 0, 8, 2);
    expect_images(CAIRN_NOT_FOUND, "/test", "is no folder");
    make_folder("test/one");
    put_image("test/one/1.png", 0, 8, 3);
    make_folder("test/three");
    put_image("test/three/1.png", 0, 8, 4);
    expect_images(CAIRN_FORMAT, "/test has a class 'three'", "/train has not");
    make_folder("test/two");
    put_image("test/two/1.png", 0, 8, 5);
    expect_images(CAIRN_FORMAT, "/test has a class 'three'", "/train has not");
    make_folder("train/three");
    put_image("train/three/1.png", 0, 8, 6);
    make_folder("test/two/more.png");
    expect_images(CAIRN_FORMAT, "test/two/more.png", "is a folder");
}
END_TEST

START_TEST(test_folders_wrong_images)
{
    struct cairn_dataset d;
    put_folders();
    put_image("train/b/v.png", 2, 9, 1);
    expect_images(CAIRN_FORMAT, "train/b/v.png",
                  "3x9x9 (channels x height x width), where the first");
    put_image("train/b/v.png", 0, 8, 1);
    expect_images(CAIRN_FORMAT, "train/b/v.png", "1x8x8");
    put_bytes("train/b/v.png", "GIF89a", 6);
    expect_images(CAIRN_FORMAT, "train/b/v.png", "not a PNG image");
    put_image("train/b/v.png", 2, 8, 1);
    put_bytes("train/b/notes.txt", "x", 1);
    expect_images(CAIRN_FORMAT, "train/b/notes.txt", "not a .png file");
    ck_assert_int_eq(remove(in_scratch("train/b/notes.txt")), 0);
    put_bytes("train/notes.txt", "x", 1);
    expect_images(CAIRN_FORMAT, "train/notes.txt", "is no folder");
    ck_assert_int_eq(remove(in_scratch("train/notes.txt")), 0);
    make_folder("train/c");
    put_image("train/c/1.png", 2, 8, 1);
    expect_images(CAIRN_FORMAT, "/train has a class 'c'", "/test has not");
    ck_assert_int_eq(remove(in_scratch("train/c/1.png")), 0);
    ck_assert_int_eq(remove(in_scratch("train/c")), 0);
    ck_assert_int_eq(cairn_dataset_load("images", scratch, 1, &d), CAIRN_OK);
    cairn_dataset_free(&d);
    for (int i = 0; i < 254; i++) {
        char name[32];
        snprintf(name, sizeof name, "train/%03d", i);
        make_folder(name);
    }
    expect_images(CAIRN_FORMAT, "/train", "257 folders of classes, where 2 to 256 are accepted");
}
END_TEST

#else

START_TEST(test_png_unsupported)
{
    const struct png_spec s = {8, 8, 8, 0, 0, 0};
    static const char *const folders[] = {"train/a", "train/b", "test/a", "test/b"};
    for (int i = 0; i < 4; i++) {
        char name[32];
        make_folder(folders[i]);
        snprintf(name, sizeof name, "%s/1.png", folders[i]);
        png_put(name, &s, samples_of(&s));
    }
    expect_load("images", CAIRN_UNSUPPORTED, "train/a/1.png", "-Dpng=enabled");
}
END_TEST

#endif

int main(void)
{
    Suite *suite = suite_create("formats");
    TCase *tc = tcase_create("formats");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
    tcase_add_loop_test(tc, test_cifar, 0, 3);
    tcase_add_test(tc, test_cifar_wrong);
#ifdef CAIRN_WITH_PNG
    tcase_add_loop_test(tc, test_png_good, 0, (int)(sizeof good_specs / sizeof *good_specs));
    tcase_add_test(tc, test_png_refused);
    tcase_add_loop_test(tc, test_png_damaged, 0, 2);
    tcase_add_test(tc, test_folders);
    tcase_add_test(tc, test_folders_wrong);
    tcase_add_test(tc, test_folders_wrong_images);
#else
    tcase_add_test(tc, test_png_unsupported);
#endif
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
