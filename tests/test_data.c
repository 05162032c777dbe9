/* Data sets: the register, loading from folders, damaged files, and glyphs. */
#include "base/digest.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/register.h"
#include "io/yaml.h"
#include "scratch.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

/* The register -------------------------------------------------------------------------------- */

START_TEST(test_register_complete)
{
    struct cairn_yaml *root;
    int count = 0;
    ck_assert_int_eq(cairn_yaml_parse("r", cairn_register_text, strlen(cairn_register_text), &root),
                     CAIRN_OK);
    for (struct cairn_yaml *node = root->first; node; node = node->next, count++) {
        struct cairn_dataset_entry entry;
        cairn_status st = cairn_register_find(node->key, &entry);
        ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
        ck_assert_ptr_nonnull(cairn_yaml_get(node, "title"));
        ck_assert_ptr_nonnull(cairn_yaml_get(node, "licence"));
        int given = entry.kind != CAIRN_DATASET_IMAGES; /* images: the files tell */
        int colour = entry.kind == CAIRN_DATASET_CIFAR, side = colour ? 32 : 28;
        ck_assert(entry.c == given * (colour ? 3 : 1) && entry.classes == given * 10);
        ck_assert(entry.h == given * side && entry.w == given * side);
        if (entry.kind == CAIRN_DATASET_IDX || entry.kind == CAIRN_DATASET_CIFAR)
            ck_assert_ptr_nonnull(cairn_yaml_get(node, "addresses")->first);
        if (entry.kind == CAIRN_DATASET_CIFAR)
            ck_assert_uint_eq(strspn(entry.archive.md5, "0123456789abcdef"), 32);
        if (entry.kind != CAIRN_DATASET_IDX) continue;
        for (int i = 0; i < CAIRN_DATASET_FILES; i++)
            ck_assert_uint_eq(strspn(entry.files[i].md5, "0123456789abcdef"), 32);
    }
    ck_assert_int_eq(count, 6);
    cairn_yaml_free(root);
}
END_TEST

/* The register's names of classes are those of a data set that is only described, too. */
START_TEST(test_names_of_classes)
{
    struct cairn_dataset d;
    ck_assert_int_eq(cairn_dataset_describe("fashion-mnist", scratch, &d), CAIRN_OK);
    ck_assert_str_eq(d.class_names[0], "T-shirt/top");
    ck_assert_str_eq(d.class_names[9], "Ankle boot");
    cairn_dataset_free(&d);
    ck_assert_int_eq(cairn_dataset_describe("mnist", scratch, &d), CAIRN_OK);
    ck_assert_ptr_null(d.class_names);
    cairn_dataset_free(&d);
}
END_TEST

START_TEST(test_unknown_name)
{
    struct cairn_dataset dataset;
    ck_assert_int_eq(cairn_dataset_load("mnits", scratch, 1, &dataset), CAIRN_NOT_FOUND);
    ck_assert_str_eq(cairn_error(), "there is no data set 'mnits'; there are: glyphs, mnist, "
                                    "fashion-mnist, kmnist, cifar10, images");
}
END_TEST

/* Loading ------------------------------------------------------------------------------------- */

static void put(const char *name, int packed, const uint8_t *head, size_t head_size,
                const uint8_t *body, size_t body_size)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s%s", scratch, name, packed ? ".gz" : "");
    gzFile file = gzopen(path, packed ? "wb" : "wbT");
    ck_assert_ptr_nonnull(file);
    gzwrite(file, head, (unsigned)head_size);
    gzwrite(file, body, (unsigned)body_size);
    ck_assert_int_eq(gzclose(file), Z_OK);
}

/* Writes a part of `images` images and `labels` labels with image i all i, of class i mod 10. */
static void put_part(const char *below, const char *part, int packed, int images, int labels)
{
    uint8_t head[16] = {0, 0, 8, 3, 0, 0, 0, (uint8_t)images, 0, 0, 0, 28, 0, 0, 0, 28};
    uint8_t *pixels = malloc((size_t)images * 784), classes[256];
    char name[96];
    for (int i = 0; i < images * 784; i++) pixels[i] = (uint8_t)(i / 784);
    for (int i = 0; i < labels; i++) classes[i] = (uint8_t)(i % 10);
    snprintf(name, sizeof name, "%s%s-images-idx3-ubyte", below, part);
    put(name, packed, head, 16, pixels, (size_t)images * 784);
    head[3] = 1;
    head[7] = (uint8_t)labels;
    snprintf(name, sizeof name, "%s%s-labels-idx1-ubyte", below, part);
    put(name, packed, head, 8, classes, (size_t)labels);
    free(pixels);
}

static void expect_parts(const struct cairn_dataset *d, int train, int test)
{
    ck_assert(d->c == 1 && d->h == 28 && d->w == 28 && d->classes == 10);
    ck_assert_int_eq(d->train.count, train);
    ck_assert_int_eq(d->test.count, test);
    for (int i = 0; i < train * 784; i++) ck_assert_int_eq(d->train.pixels[i], i / 784);
    for (int i = 0; i < train; i++) ck_assert_int_eq(d->train.labels[i], i % 10);
}

START_TEST(test_load_plain_and_packed)
{
    struct cairn_dataset dataset;
    put_part("", "train", 0, 25, 25);
    put_part("", "t10k", 1, 3, 3);
    cairn_status st = cairn_dataset_load("kmnist", scratch, 1, &dataset);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert_str_eq(dataset.name, "kmnist");
    expect_parts(&dataset, 25, 3);
    ck_assert_str_eq(dataset.class_names[0], "o");
    ck_assert_str_eq(dataset.class_names[9], "wo");

    cairn_images_limit(&dataset.train, 0);
    ck_assert_int_eq(dataset.train.count, 25);
    cairn_images_limit(&dataset.train, 100);
    ck_assert_int_eq(dataset.train.count, 25);
    cairn_images_limit(&dataset.train, 7);
    ck_assert_int_eq(dataset.train.count, 7);
    cairn_dataset_free(&dataset);
    ck_assert_ptr_null(dataset.train.pixels);
}
END_TEST

/* A folder's subfolder NAME comes first; without a folder, the environment tells. */
START_TEST(test_load_from_environment)
{
    struct cairn_dataset dataset;
    char path[160];
    snprintf(path, sizeof path, "%s/cairn", scratch);
    ck_assert_int_eq(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/cairn/mnist", scratch);
    ck_assert_int_eq(mkdir(path, 0777), 0);
    put_part("cairn/mnist/", "train", 1, 12, 12);
    put_part("cairn/mnist/", "t10k", 1, 2, 2);
    put_part("", "train", 1, 5, 5);
    put_part("", "t10k", 1, 4, 4);

    unsetenv("CAIRN_DATA_DIR");
    setenv("XDG_DATA_HOME", scratch, 1);
    ck_assert_int_eq(cairn_dataset_load("mnist", NULL, 1, &dataset), CAIRN_OK);
    expect_parts(&dataset, 12, 2);
    cairn_dataset_free(&dataset);
    setenv("CAIRN_DATA_DIR", scratch, 1);
    ck_assert_int_eq(cairn_dataset_load("mnist", NULL, 1, &dataset), CAIRN_OK);
    expect_parts(&dataset, 5, 4);
    cairn_dataset_free(&dataset);
}
END_TEST

static void expect_failure(cairn_status wanted, const char *complaint)
{
    struct cairn_dataset dataset;
    ck_assert_int_eq(cairn_dataset_load("mnist", scratch, 1, &dataset), wanted);
    ck_assert_msg(strstr(cairn_error(), complaint) && strstr(cairn_error(), scratch), "%s",
                  cairn_error());
    ck_assert_ptr_null(dataset.train.pixels);
}

START_TEST(test_load_failures)
{
    expect_failure(CAIRN_NOT_FOUND, "neither train-images-idx3-ubyte.gz nor "
                                    "train-images-idx3-ubyte is in");
    put_part("", "train", 1, 5, 5);
    expect_failure(CAIRN_NOT_FOUND, "t10k-images-idx3-ubyte.gz");
    put_part("", "t10k", 0, 4, 3);
    expect_failure(CAIRN_FORMAT, "has 3 labels for the 4 images");

    uint8_t labels[] = {0, 9, 10, 0}, head[] = {0, 0, 8, 1, 0, 0, 0, 4};
    put("t10k-labels-idx1-ubyte", 0, head, 8, labels, 4);
    expect_failure(CAIRN_FORMAT, "t10k-labels-idx1-ubyte: the label of image 2 is 10, not 0 to 9");

    uint8_t wide[16 + 56] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 1};
    put("t10k-images-idx3-ubyte", 0, wide, 16, wide + 16, 56);
    expect_failure(CAIRN_FORMAT, "its images are 28x1, those of mnist are 28x28");
    put("t10k-images-idx3-ubyte", 0, wide, 16, wide + 16, 55);
    expect_failure(CAIRN_FORMAT, "t10k-images-idx3-ubyte: cut off");
    put("t10k-images-idx3-ubyte", 0, head, 8, labels, 4);
    expect_failure(CAIRN_FORMAT, "1 dimensions where 3 are expected");
}
END_TEST

/* Glyphs -------------------------------------------------------------------------------------- */

static void digest_of(const struct cairn_images *images, char text[65])
{
    ck_assert_int_eq(cairn_digest_sha256(images->pixels, (size_t)images->count * 784, text),
                     CAIRN_OK);
}

/* The same bytes on every machine: the digests are part of the definition. */
START_TEST(test_glyphs_are_fixed)
{
    struct cairn_dataset a, b;
    char train[65], test[65];
    ck_assert_int_eq(cairn_glyphs_generate(1, 300, 100, &a), CAIRN_OK);
    digest_of(&a.train, train);
    digest_of(&a.test, test);
    ck_assert_str_eq(train, "3f81ce934b594210574638e71a8e275af1757c350c174217db6c93739eaca553");
    ck_assert_str_eq(test, "2a4049d26a1e30c8eb2c98b2be501b4a911ab745a29c27e5fa0e8f7b422c2c92");

    /* an image depends on its place only, not on how many there are */
    ck_assert_int_eq(cairn_glyphs_generate(1, 200, 150, &b), CAIRN_OK);
    ck_assert_int_eq(memcmp(a.train.pixels, b.train.pixels, 200 * 784), 0);
    ck_assert_int_eq(memcmp(a.test.pixels, b.test.pixels, 100 * 784), 0);
    ck_assert_int_ne(memcmp(a.train.pixels, a.test.pixels, 784), 0);
    cairn_dataset_free(&b);
    ck_assert_int_eq(cairn_glyphs_generate(2, 200, 150, &b), CAIRN_OK);
    ck_assert_int_ne(memcmp(a.train.pixels, b.train.pixels, 784), 0);
    cairn_dataset_free(&a);
    cairn_dataset_free(&b);
    ck_assert_int_eq(cairn_glyphs_generate(1, 0, 1, &a), CAIRN_INVALID);
}
END_TEST

/* Every image has ink that stands out, and not too much of it. */
START_TEST(test_glyphs_show_something)
{
    struct cairn_dataset d;
    ck_assert_int_eq(cairn_dataset_load("glyphs", NULL, 1, &d), CAIRN_OK);
    ck_assert(d.train.count == 12000 && d.test.count == 2000 && d.classes == 10);
    for (int64_t i = 0; i < d.train.count; i++) {
        int dark = 0;
        ck_assert_int_eq(d.train.labels[i], i % 10);
        for (int j = 0; j < 784; j++) dark += d.train.pixels[i * 784 + j] >= 90;
        ck_assert_msg(dark >= 12 && dark < 400, "image %d has %d dark pixels", (int)i, dark);
    }
    cairn_dataset_free(&d);
}
END_TEST

START_TEST(test_moments)
{
    uint8_t pixels[12] = {0, 255, 3, 4, 10, 20, 30, 40, 7, 7, 7, 7};
    struct cairn_images images = {.count = 3, .pixels = pixels};
    int32_t indices[2] = {1, 1}, last = 2;
    double mean, deviation;
    cairn_images_moments(&images, 4, indices, 2, &mean, &deviation);
    ck_assert(mean == 25.0 && deviation == sqrt(125.0));
    cairn_images_moments(&images, 4, &last, 1, &mean, &deviation);
    ck_assert(mean == 7.0 && deviation == 0.0);
    cairn_images_moments(&images, 4, NULL, 3, &mean, &deviation);
    double sum = 0, squares = 0;
    for (int i = 0; i < 12; i++) sum += pixels[i];
    for (int i = 0; i < 12; i++) squares += (pixels[i] - sum / 12) * (pixels[i] - sum / 12);
    ck_assert_double_eq_tol(mean, sum / 12, 1e-12);
    ck_assert_double_eq_tol(deviation, sqrt(squares / 12), 1e-12);
    cairn_images_moments(&images, 4, NULL, 0, &mean, &deviation);
    ck_assert(mean == 0 && deviation == 0);
}
END_TEST

/* The published files, where they are there ---------------------------------------------------- */

/* What the authors' own statistics say of the training images: mean and deviation of bytes / 255.
 */
static const struct {
    const char *name, *subfolder;
    double mean, deviation;
} published[] = {
    {"mnist", "mnist", 0.1307, 0.3081},
    {"fashion-mnist", "fashion", 0.2860, 0.3530},
};

static int find_published(const char *name, const char *subfolder, char *path, size_t size)
{
    const char *folders[] = {getenv("CAIRN_DATA_DIR"), "../shared/datasets"};
    const char *below[] = {name, subfolder};
    for (int i = 0; i < 4; i++) {
        if (!folders[i / 2]) continue;
        snprintf(path, size, "%s/%s", folders[i / 2], below[i % 2]);
        if (cairn_file_exists(path)) return 1;
    }
    return 0;
}

START_TEST(test_published)
{
    char path[512];
    struct cairn_dataset d;
    double mean, deviation;
    if (!find_published(published[_i].name, published[_i].subfolder, path, sizeof path)) {
        fprintf(stderr, "skipped: %s is not in $CAIRN_DATA_DIR nor in ../shared/datasets\n",
                published[_i].name);
        return;
    }
    cairn_status st = cairn_dataset_load(published[_i].name, path, 1, &d);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert(d.train.count == 60000 && d.test.count == 10000);
    cairn_images_moments(&d.train, 784, NULL, d.train.count, &mean, &deviation);
    ck_assert_double_eq_tol(mean / 255, published[_i].mean, 5e-5);
    ck_assert_double_eq_tol(deviation / 255, published[_i].deviation, 5e-5);
    cairn_dataset_free(&d);

    struct cairn_dataset_entry entry;
    ck_assert_int_eq(cairn_register_find(published[_i].name, &entry), CAIRN_OK);
    for (int i = 0; i < CAIRN_DATASET_FILES; i++) {
        char *bytes, file[640], md5[33];
        size_t size;
        snprintf(file, sizeof file, "%s/%s", path, entry.files[i].name);
        if (cairn_file_read(file, &bytes, &size) != CAIRN_OK) continue; /* unpacked by its owner */
        ck_assert_int_eq(cairn_digest_md5(bytes, size, md5), CAIRN_OK);
        ck_assert_str_eq(md5, entry.files[i].md5);
        free(bytes);
    }
}
END_TEST

int main(void)
{
    unsetenv("CAIRN_DATASETS");
    Suite *suite = suite_create("data");
    TCase *tc = tcase_create("data");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
    tcase_add_test(tc, test_register_complete);
    tcase_add_test(tc, test_names_of_classes);
    tcase_add_test(tc, test_unknown_name);
    tcase_add_test(tc, test_load_plain_and_packed);
    tcase_add_test(tc, test_load_from_environment);
    tcase_add_test(tc, test_load_failures);
    tcase_add_test(tc, test_glyphs_are_fixed);
    tcase_add_test(tc, test_glyphs_show_something);
    tcase_add_test(tc, test_moments);
    tcase_add_loop_test(tc, test_published, 0, (int)(sizeof published / sizeof *published));
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
