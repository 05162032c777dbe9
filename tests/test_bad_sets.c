/* Folders of images and registers that must be refused: one row for each, each with one clear
 * complaint that names the file and what is wrong. */
#include "data/register.h"
#include "files.h"
#include "suite.h"

#define B(text) text, sizeof(text) - 1
#define F CAIRN_FORMAT

enum form { RAW, MISSING, FOLDER };

/* Folders of images -----------------------------------------------------------------------------
 */

struct image_row {
    const char *file;     /* what is spoilt: FILE is written, or removed with all below it */
    struct png_spec spec; /* of the image to write; w is 0 where `bytes` are the file */
    int keep;             /* bytes of the image to write; 0: all */
    enum form form;       /* RAW, MISSING or FOLDER */
    const char *bytes;
    size_t size;
    cairn_status status;
    const char *named, *complaint; /* the file that the complaint names */
};

#define BYTES(text) {0}, 0, RAW, B(text)
#define IMAGE(w, h, depth, type, see_through) {w, h, depth, type, 0, see_through}, 0, RAW, B("")
#define WITHOUT {0}, 0, MISSING, B("")
#define AS_FOLDER {0}, 0, FOLDER, B("")

static const struct image_row image_rows[] = {
    {"train", WITHOUT, CAIRN_NOT_FOUND, "/train", "train/CLASS/*.png and test/CLASS/*.png"},
    {"test", WITHOUT, CAIRN_NOT_FOUND, "/test", "is no folder"},
    {"train/a", WITHOUT, F, "/train", "1 folders of classes, where 2 to 256 are accepted"},
    {"test/a", WITHOUT, F, "/test", "1 folders of classes, where 2 to 256 are accepted"},
    {"train/a/1.png", WITHOUT, F, "/train/a", "a class without images"},
    {"train/c/1.png", IMAGE(4, 4, 8, 0, 0), F, "/train", "has a class 'c' that"},
    {"test/c/1.png", IMAGE(4, 4, 8, 0, 0), F, "/test", "has a class 'c' that"},
    {"train/notes.txt", BYTES("x"), F, "train/notes.txt", "is no folder"},
    {"train/a/notes.txt", BYTES("x"), F, "train/a/notes.txt", "not a .png file"},
    {"train/a/png", BYTES("x"), F, "train/a/png", "not a .png file"},
#ifdef CAIRN_WITH_PNG
    {"train/a/2.png", AS_FOLDER, F, "train/a/2.png", "is a folder, not a file"},
    {"train/a/1.png", BYTES(""), F, "train/a/1.png", "not a PNG image"},
    {"train/a/2.png", BYTES(""), F, "train/a/2.png", "not a PNG image"},
    {"test/b/1.png", BYTES("GIF89a"), F, "test/b/1.png", "not a PNG image"},
    {"test/b/1.png", BYTES("\377\330\377\340 a picture"), F, "test/b/1.png", "not a PNG image"},
    {"test/b/1.png", BYTES("\211PNG\r\n\32\n"), F, "test/b/1.png", "the file is cut off"},
    {"test/b/1.png", BYTES("\211PNG\n\32\n"), F, "test/b/1.png", "not a PNG image"},
    {"train/b/1.png",
     {4, 4, 8, 0, 0, 0},
     30,
     RAW,
     B(""),
     F,
     "train/b/1.png",
     "the file is cut off"},
    {"train/b/1.png",
     {4, 4, 8, 0, 0, 0},
     50,
     RAW,
     B(""),
     F,
     "train/b/1.png",
     "the file is cut off"},
    {"train/b/1.png", IMAGE(5, 4, 8, 0, 0), F, "train/b/1.png", "an image of 1x4x5"},
    {"train/b/1.png", IMAGE(4, 5, 8, 0, 0), F, "train/b/1.png", "an image of 1x5x4"},
    {"train/b/1.png", IMAGE(4, 4, 8, 2, 0), F, "train/b/1.png", "an image of 3x4x4"},
    {"test/a/1.png", IMAGE(4, 4, 8, 3, 0), F, "test/a/1.png", "where the first one is of 1x4x4"},
    {"train/b/1.png", IMAGE(4, 4, 16, 0, 0), F, "train/b/1.png", "16 bits a sample"},
    {"train/b/1.png", IMAGE(4, 4, 8, 4, 0), F, "train/b/1.png", "a PNG image with transparency"},
    {"train/b/1.png", IMAGE(4, 4, 8, 6, 0), F, "train/b/1.png", "a PNG image with transparency"},
    {"train/b/1.png", IMAGE(4, 4, 8, 0, 1), F, "train/b/1.png", "transparency"},
    {"train/b/1.png", IMAGE(4, 4, 3, 0, 0), F, "train/b/1.png", "damaged PNG image: Invalid IHDR"},
    {"train/b/1.png", IMAGE(40000, 1, 8, 0, 0), F, "train/b/1.png", "Invalid IHDR"},
    {"train/b/1.png", IMAGE(30000, 30000, 8, 0, 0), F, "train/b/1.png",
     "cut off: 30000x30000 pixels"},
#endif
};

static void put_images(void)
{
    static const char *const folders[] = {"train/a", "train/b", "test/a", "test/b"};
    static const uint8_t samples[16] = {0, 50, 100, 150};
    for (int i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s/1.png", folders[i]);
        make_folder(folders[i]);
        png_put(name, &(struct png_spec){4, 4, 8, 0, 0, 0}, samples);
    }
}

static void spoil_images(const struct image_row *row)
{
    static struct bytes file;
    static const uint8_t samples[4 * 5 * 5 * 4];
    char command[160], folder[64];
    snprintf(folder, sizeof folder, "%s", row->file);
    char *slash = strrchr(folder, '/');
    if (row->form == FOLDER) make_folder(row->file);
    if (row->form == MISSING) {
        snprintf(command, sizeof command, "rm -r '%s'", in_scratch(row->file));
        ck_assert_int_eq(system(command), 0);
    }
    if (row->form != RAW) return;
    if (slash) *slash = '\0';
    make_folder(folder);
    file.size = 0;
    if (row->spec.w)
        png_make(&file, &row->spec, row->spec.w * row->spec.h <= 25 ? samples : NULL);
    else
        add(&file, row->bytes, row->size);
    put_bytes(row->file, file.at, row->keep ? (size_t)row->keep : file.size);
}

START_TEST(test_images)
{
    const struct image_row *row = &image_rows[_i];
    put_images();
    spoil_images(row);
    expect_load("images", row->status, row->named, row->complaint);
    ck_assert_ptr_null(strchr(cairn_error(), '\n'));
}
END_TEST

/* The register ----------------------------------------------------------------------------------
 */

#define FOUR(a, b, c, d)                                                                           \
    "{train-images: {name: " a "}, train-labels: {name: " b "}, test-images: {name: " c            \
    "}, test-labels: {name: " d "}}"
#define SIZES "shape: 1x2x3, classes: 3, train: 2, test: 1"
#define IDX "x: {kind: idx, " SIZES ", files: " FOUR("a", "b", "c", "d")
#define HEX32 "0123456789abcdef0123456789abcdef"
#define LONG70 "1234567890123456789012345678901234567890123456789012345678901234567890"

static const struct {
    const char *text, *complaint; /* the complaint behind the file's name */
} register_rows[] = {
    {"", ": the file is empty"},
    {"# nothing\n", ": the file is empty"},
    {"x", ":1:1: the names of data sets are expected"},
    {"- x\n", ":1:1: the names of data sets are expected"},
    {"x: y\n", ":1:4: x: keys and values are expected"},
    {"x: {kind: images}\nx: {kind: images}\n", ":2:1: the key 'x' is given twice"},
    {"x: {kind: images\n", ":2:1: "},
    {"x: {kind: \xff}\n", ": byte 10: "},
    {"../x: {kind: images}\n", ":1:1: '../x' is no name of a data set"},
    {".x: {kind: images}\n", ":1:1: '.x' is no name of a data set"},
    {"x y: {kind: images}\n", ":1:1: 'x y' is no name of a data set"},
    {LONG70 ": {kind: images}\n", ":1:1: '1234567890"},
    {"x: {title: t}\n", ":1:1: x: kind is idx, glyphs, cifar or images"},
    {"x: {kind: png}\n", ":1:11: x: kind is idx, glyphs, cifar or images"},
    {"x: {kind: [idx]}\n", ":1:11: x: kind is idx, glyphs, cifar or images"},
    {"x: {kind: images, size: 3}\n", ":1:19: x: there is no key 'size'; there are: title"},
    {"x: {kind: images, shape: 1x2x3}\n", ":1:19: x: there is no key 'shape'"},
    {"x: {kind: images, title: [t]}\n", ":1:26: title: a text of up to 127 characters"},
    {"x: {kind: images, licence: " LONG70 "}\n", ":1:28: licence: a text of up to 63"},
    {"x: {kind: idx}\n", ":1:1: x: the key 'shape' is missing"},
    {"x: {kind: idx, shape: 1x2}\n", ":1:23: shape: CxHxW (channels x height x width)"},
    {"x: {kind: idx, shape: [1, 2, 3]}\n", ":1:23: shape: CxHxW"},
    {"x: {kind: idx, shape: 1x2x3x4}\n", ":1:23: shape: '3x4' is no whole number"},
    {"x: {kind: idx, shape: 1x0x3}\n", ":1:23: shape: '0' is no whole number from 1 to 32768"},
    {"x: {kind: idx, shape: 1x2x}\n", ":1:23: shape: '' is no whole number"},
    {"x: {kind: idx, shape: 1x-2x3}\n", ":1:23: shape: '-2' is no whole number"},
    {"x: {kind: idx, shape: 1x32769x3}\n", ":1:23: shape: '32769' is no whole number"},
    {"x: {kind: cifar, shape: 32768x32768x3}\n", ":1:25: shape: images of more than"},
    {"x: {kind: idx, shape: 1x2x3}\n", ":1:1: x: the key 'classes' is missing"},
    {"x: {kind: idx, shape: 1x2x3, classes: 257}\n", ":1:39: classes: '257' is no whole number"},
    {"x: {kind: idx, shape: 1x2x3, classes: ten}\n", ":1:39: classes: 'ten' is no whole number"},
    {"x: {kind: idx, shape: 1x2x3, classes: 3}\n", ":1:1: x: the key 'train' is missing"},
    {"x: {kind: idx, " SIZES "}\n", ":1:1: x: the key 'files' is missing"},
    {"x: {kind: idx, " SIZES ", files: a}\n", ": files: keys and values are expected"},
    {"x: {kind: idx, " SIZES ", files: {train-images: {name: a}}}\n",
     ": files: the file 'train-labels' is missing"},
    {"x: {kind: idx, " SIZES ", files: {train-image: {name: a}}}\n",
     ": files: there is no key 'train-image'"},
    {"x: {kind: idx, " SIZES ", files: {train-images: a}}\n",
     ": train-images: keys and values are expected"},
    {"x: {kind: idx, " SIZES ", files: {train-images: {md5: " HEX32 "}}}\n",
     ": train-images: the name of a file is expected"},
    {"x: {kind: idx, " SIZES ", files: " FOUR("a", "../b", "c", "d") "}\n",
     ": train-labels: the name of a file is expected"},
    {"x: {kind: idx, " SIZES ", files: " FOUR("a", "b", "/c", "d") "}\n",
     ": test-images: the name of a file is expected"},
    {"x: {kind: idx, " SIZES ", files: " FOUR("a", "b", "c", "..") "}\n",
     ": test-labels: the name of a file is expected"},
    {"x: {kind: idx, " SIZES ", files: " FOUR("a", "b", "c", "-d") "}\n",
     ": test-labels: the name of a file is expected"},
    {"x: {kind: idx, " SIZES ", files: " FOUR("a, md5: 12", "b", "c", "d") "}\n",
     ": md5: 32 hexadecimal digits in lower case are expected"},
    {"x: {kind: idx, " SIZES ", files: " FOUR("a, sha256: " HEX32, "b", "c", "d") "}\n",
     ": sha256: 64 hexadecimal digits in lower case are expected"},
    {"x: {kind: idx, " SIZES ", files: " FOUR("a, size: 12", "b", "c", "d") "}\n",
     ": train-images: there is no key 'size'; there are: name md5 sha256"},
    {IDX ", npz: {}}\n", ": npz: the file 'train-images' is missing"},
    {IDX ", archive: {name: e}}\n", ": x: there is no key 'archive'"},
    {IDX ", names: a}\n", ": names: a list of 3 names of classes is expected, of up to 4096 bytes"},
    {IDX ", names: []}\n", ": names: a list of 3 names of classes is expected"},
    {IDX ", names: [a, b]}\n", ": names: a list of 3 names of classes is expected"},
    {IDX ", names: [a, b, c, d]}\n", ": names: a list of 3 names of classes is expected"},
    {IDX ", names: [a, \"\", c]}\n", ": names: a list of 3 names of classes is expected"},
    {IDX ", names: [a, {b: c}, c]}\n", ": names: a list of 3 names of classes is expected"},
    {IDX ", addresses: http://x/}\n", ": addresses: a list of up to 8 folders is expected"},
    {IDX ", addresses: [ftp://x/]}\n", ": addresses: a list of up to 8 folders is expected"},
    {IDX ", addresses: [{a: b}]}\n", ": addresses: a list of up to 8 folders is expected"},
    {IDX ", addresses: [http://x/" LONG70 LONG70 LONG70 "]}\n", ": addresses: a list of up to 8"},
    {"x: {kind: idx, shape: 3x2x3, classes: 3, train: 2, test: 1, files: " FOUR("a", "b", "c",
                                                                                "d") "}\n",
     ":1:23: shape: images of the kind idx have one channel"},
    {"x: {kind: cifar, " SIZES "}\n", ": train: images of the kind cifar are in 5 files"},
    {"x: {kind: cifar, " SIZES ", files: {}}\n", ": x: there is no key 'files'"},
    {"x: {kind: glyphs, shape: 1x28x28, classes: 10, train: 5, test: 5}\n",
     ":1:1: x: the kind glyphs is that of the data set glyphs"},
    {"glyphs: {kind: glyphs, shape: 1x28x28, classes: 9, train: 5, test: 5}\n",
     ":1:1: glyphs: the kind glyphs is that of"},
};

/* Whatever is asked for, a wrong register is told. */
START_TEST(test_register)
{
    struct cairn_dataset d;
    const char *text = register_rows[_i].text;
    put_bytes("own.yaml", text, strlen(text));
    setenv("CAIRN_DATASETS", in_scratch("own.yaml"), 1);
    cairn_status st = cairn_dataset_load("glyphs", scratch, 1, &d);
    ck_assert_msg(st == CAIRN_FORMAT || st == CAIRN_PARSE, "%s", cairn_status_text(st));
    expect(st, st, "own.yaml:", register_rows[_i].complaint);
    ck_assert_int_eq(cairn_dataset_describe("glyphs", scratch, &d), st);
    ck_assert_ptr_null(strchr(cairn_error(), '\n'));
}
END_TEST

/* Names that are not there, or that cannot be loaded. */
static const char *const names[] = {"", "mnits", "MNIST", "tiny ", "../tiny", "tiny/"};

START_TEST(test_names)
{
    struct cairn_dataset d;
    char complaint[80];
    put_bytes("own.yaml", "tiny: {kind: images}\n", 21);
    setenv("CAIRN_DATASETS", in_scratch("own.yaml"), 1);
    snprintf(complaint, sizeof complaint,
             "there is no data set '%s'; there are: tiny, glyphs, mnist", names[_i]);
    expect(CAIRN_NOT_FOUND, cairn_dataset_load(names[_i], scratch, 1, &d), names[_i], complaint);
    expect(CAIRN_NOT_FOUND, cairn_dataset_describe(names[_i], scratch, &d), names[_i], complaint);
}
END_TEST

#define COUNT(rows) ((int)(sizeof(rows) / sizeof *(rows)))

int main(void)
{
    Suite *suite = suite_create("bad_sets");
    TCase *tc = tcase_create("bad_sets");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
    tcase_add_loop_test(tc, test_images, 0, COUNT(image_rows));
    tcase_add_loop_test(tc, test_register, 0, COUNT(register_rows));
    tcase_add_loop_test(tc, test_names, 0, COUNT(names));
    suite_add_tcase(suite, tc);
    printf("%d malformed inputs: %d folders of PNG, %d registers, %d names\n",
           COUNT(image_rows) + COUNT(register_rows) + COUNT(names), COUNT(image_rows),
           COUNT(register_rows), COUNT(names));
    fflush(stdout);
    return suite_run(suite);
}
