/* What a run takes for what: counts, the most confident mistakes, and the files about them. */
#include "io/png.h"
#include "runs.h"
#include "suite.h"
#include <cairn/report.h>

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef CAIRN_WITH_PNG

#define DATA "data: {name: images, normalize: none}\n"

/* --- PNG files --- */

START_TEST(png_there_and_back)
{
    static const int shapes[][3] = {{1, 1, 1}, {1, 7, 5}, {3, 1, 9}, {3, 33, 2}, {1, 300, 257}};
    const int *s = shapes[_i];
    size_t size = (size_t)s[0] * (size_t)s[1] * (size_t)s[2];
    struct cairn_png png = {s[0], s[1], s[2], malloc(size)}, back;
    for (size_t i = 0; i < size; i++) png.pixels[i] = (uint8_t)(i * i / 7 + i);
    for (int again = 0; again < 2; again++) { /* also over what is there */
        GOOD(cairn_png_write(path_of("x.png"), &png));
        GOOD(cairn_png_read(path_of("x.png"), &back));
        ck_assert(back.c == s[0] && back.h == s[1] && back.w == s[2]);
        ck_assert_mem_eq(back.pixels, png.pixels, size);
        cairn_png_free(&back);
        png.pixels[0] ^= 255;
    }
    refused(CAIRN_IO, cairn_png_write(path_of("none/x.png"), &png), "none/x.png", "");
    refused(CAIRN_IO, cairn_png_write("/dev/full/x.png", &png), "/dev/full/x.png", "");
    cairn_png_free(&png);
}
END_TEST

/* A disk that is full, be it noticed while writing or at the end: the old file stays, whole. */
START_TEST(png_without_room)
{
    struct cairn_png png = {1, _i ? 400 : 40, 100, malloc(40000)}, back;
    for (size_t i = 0; i < 40000; i++) png.pixels[i] = (uint8_t)(i * i * 2654435761u >> 13);
    GOOD(cairn_png_write(path_of("x.png"), &png));
    struct rlimit limit = {1000, 1000};
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    png.pixels[0] ^= 255;
    refused(CAIRN_IO, cairn_png_write(path_of("x.png"), &png), "x.png", strerror(EFBIG));
    GOOD(cairn_png_read(path_of("x.png"), &back));
    ck_assert_int_eq(back.pixels[0], png.pixels[0] ^ 255);
    cairn_png_free(&back);
    cairn_png_free(&png);
    char name[300];
    snprintf(name, sizeof name, "%s.tmp.%ld", path_of("x.png"), (long)getpid());
    ck_assert(!cairn_file_exists(name));
}
END_TEST

/* --- mistakes against a net in double --- */

/* One linear layer: weights 0, biases 1. */
static void answer_of(const uint8_t *image, int channels, int *answer, double *probability)
{
    double z[CLASSES], total = 0;
    int n = channels * IMAGE_H * IMAGE_W;
    *answer = 0;
    for (int o = 0; o < CLASSES; o++) {
        z[o] = (double)small_weight(1, o);
        for (int i = 0; i < n; i++) z[o] += (double)small_weight(0, o * n + i) * image[i];
        if (z[o] > z[*answer]) *answer = o;
    }
    for (int o = 0; o < CLASSES; o++) total += exp(z[o] - z[*answer]);
    *probability = 1 / total;
}

struct wanted {
    int64_t images[CLASSES], wrong[CLASSES], confusion[CLASSES * CLASSES];
};

/* Counts all images, and finds each mistake of the report among them; those that are left out are
 * less probable. */
static void expect_mistakes(const struct cairn_report *r, const struct cairn_images *images,
                            int channels, int64_t most, struct wanted *w)
{
    int64_t listed = 0, should = 0, size = channels * IMAGE_H * IMAGE_W;
    memset(w, 0, sizeof *w);
    for (int64_t i = 0; i < images->count; i++) {
        int answer, label = images->labels[i];
        double probability;
        answer_of(images->pixels + i * size, channels, &answer, &probability);
        w->images[label]++;
        w->wrong[label] += answer != label;
        w->confusion[label * CLASSES + answer]++;
        const struct cairn_report_class *c = &r->classes[label];
        int found = 0;
        for (int64_t m = 0; m < c->count && !found; m++) {
            if (c->mistakes[m].index != i) continue;
            found = 1;
            ck_assert(c->mistakes[m].label == label && c->mistakes[m].answer == answer);
            ck_assert_double_eq_tol(c->mistakes[m].probability, probability, 1e-6);
        }
        listed += found;
        ck_assert(!found || answer != label);
        if (!found && answer != label)
            ck_assert(c->count == most && probability <= c->mistakes[most - 1].probability + 1e-6);
    }
    for (int c = 0; c < CLASSES; c++) {
        const struct cairn_report_class *class = &r->classes[c];
        ck_assert(class->images == w->images[c] && class->wrong == w->wrong[c]);
        ck_assert_int_eq(class->unanswered, 0);
        ck_assert_str_eq(class->name, class_names[c]);
        for (int64_t m = 1; m < class->count; m++)
            ck_assert(class->mistakes[m - 1].probability >= class->mistakes[m].probability);
        should += w->wrong[c] < most ? w->wrong[c] : most;
    }
    ck_assert_int_eq(listed, should);
    ck_assert_mem_eq(r->eval.confusion, w->confusion, sizeof w->confusion);
}

/* The strip shows the data set's own images, enlarged, each in its frame. */
static void expect_strip(const char *path, const struct cairn_report_class *class, int channels,
                         const uint8_t *pixels)
{
    struct cairn_png png;
    int64_t s = (112 + IMAGE_W - 1) / IMAGE_W, plane = IMAGE_H * IMAGE_W;
    GOOD(cairn_png_read(path, &png));
    int64_t columns = class->count < 10 ? class->count : 10, high = IMAGE_H * s + 8 + 2 * 22;
    ck_assert(png.c == channels && png.w == 8 + columns * (IMAGE_W * s + 8));
    ck_assert_int_eq(png.h, 8 + (class->count + 9) / 10 * high);
    for (int64_t m = 0; m < class->count; m++)
        for (int64_t k = 0; k < channels; k++)
            for (int64_t i = 0; i < IMAGE_H * s; i++)
                for (int64_t j = 0; j < IMAGE_W * s; j++) {
                    const uint8_t *image = pixels + class->mistakes[m].index * channels * plane;
                    ck_assert_int_eq(png.pixels[(k * png.h + 8 + m / 10 * high + i) * png.w + 8 +
                                                m % 10 * (IMAGE_W * s + 8) + j],
                                     image[k * plane + i / s * IMAGE_W + j / s]);
                }
    cairn_png_free(&png);
}

static struct cairn_report_options options_of(const char *run)
{
    return (struct cairn_report_options){
        .run = path_of(run), .compute = {.device = "reference", .data_dir = path_of("images")}};
}

/* gray, RGB; all, some */
START_TEST(mistakes_by_hand)
{
    int color = _i % 2, channels = color ? 3 : 1;
    int64_t most = _i / 2 ? 2 : 100;
    struct cairn_report r;
    struct cairn_dataset data;
    struct wanted w;
    put_images(color);
    GOOD(cairn_dataset_load("images", path_of("images"), 1, &data));
    make_run("run", DATA "model: [linear 3]\n", small_weight);
    struct cairn_report_options o = options_of("run");
    o.mistakes = most;
    o.confusion = 1;
    o.out = path_of("out/below");
    GOOD(cairn_report_evaluate(&o, &r));
    expect_mistakes(&r, &data.test, channels, most, &w);
    ck_assert_int_eq(r.file_count, 3 + (w.wrong[0] > 0) + (w.wrong[1] > 0) + (w.wrong[2] > 0));
    ck_assert_int_gt(w.wrong[1], 10); /* two rows of pictures */
    expect_strip(path_of("out/below/class-1-big_pear__1_.png"), &r.classes[1], channels,
                 data.test.pixels);
    cairn_report_free(&r);
    cairn_dataset_free(&data);
}
END_TEST

/* Images that are padded and cut into patches for the net are shown as the data set has them. */
START_TEST(strips_of_patches)
{
    struct cairn_report r;
    struct cairn_dataset data;
    put_images(1);
    GOOD(cairn_dataset_load("images", path_of("images"), 1, &data));
    make_run("run",
             "data: {name: images, normalize: none, pad: 1x2, patches: 2x5, validation: 5}\n"
             "model: [linear 3]\ntrain: {optimizer: sgd, learning_rate: 0.1, batch: 4, epochs: 1, "
             "seed: 3}\n",
             small_weight);
    struct cairn_report_options o = options_of("run");
    o.part = _i ? CAIRN_REPORT_VALIDATION : CAIRN_REPORT_TRAIN;
    o.mistakes = 7;
    o.out = path_of("out");
    GOOD(cairn_report_evaluate(&o, &r));
    ck_assert_int_eq(r.eval.images, _i ? 5 : 7);
    ck_assert_int_gt(r.file_count, 1);
    for (int c = 0; c < CLASSES; c++) {
        char name[64];
        snprintf(name, sizeof name, "out/class-%d-%s.png", c,
                 c == 1 ? "big_pear__1_" : class_names[c]);
        for (int64_t m = 0; m < r.classes[c].count; m++)
            ck_assert_int_eq(data.train.labels[r.classes[c].mistakes[m].index], c);
        if (r.classes[c].count > 0)
            expect_strip(path_of(name), &r.classes[c], 3, data.train.pixels);
    }
    cairn_report_free(&r);
    cairn_dataset_free(&data);
}
END_TEST

/* The parts of a run together are its training images, each once. */
START_TEST(parts)
{
    int64_t images[3] = {0}, seen[TRAIN_EACH * CLASSES] = {0};
    put_images(0);
    make_run("run",
             "data: {name: images, normalize: none, validation: 0.4}\nmodel: [linear 3]\n"
             "train: {optimizer: sgd, learning_rate: 0.1, batch: 4, epochs: 1}\n",
             small_weight);
    for (int part = CAIRN_REPORT_TEST; part <= CAIRN_REPORT_TRAIN; part++) {
        struct cairn_report r;
        struct cairn_report_options o = options_of("run");
        o.part = (enum cairn_report_part)part;
        o.mistakes = 100;
        GOOD(cairn_report_evaluate(&o, &r));
        images[part] = r.eval.images;
        for (int c = 0; c < CLASSES && part; c++)
            for (int64_t m = 0; m < r.classes[c].count; m++) seen[r.classes[c].mistakes[m].index]++;
        cairn_report_free(&r);
    }
    ck_assert(images[0] == 60 && images[1] == 4 && images[2] == 8);
    int64_t total = 0;
    for (int i = 0; i < TRAIN_EACH * CLASSES; i++) {
        ck_assert_int_le(seen[i], 1);
        total += seen[i];
    }
    ck_assert_int_gt(total, 0);
    make_run("whole", DATA "model: [linear 3]\n", small_weight);
    struct cairn_report r;
    struct cairn_report_options o = options_of("whole");
    o.part = CAIRN_REPORT_VALIDATION;
    refused(CAIRN_INVALID, cairn_report_evaluate(&o, &r), "whole has no validation part", "");
}
END_TEST

/* --- odd outputs --- */

static float nan_weight(int param, int64_t i)
{
    return param == 1 && i == 2 ? NAN : small_weight(param, i);
}

START_TEST(no_answers)
{
    struct cairn_report r;
    put_images(0);
    make_run("run", DATA "model: [linear 3]\n", nan_weight);
    struct cairn_report_options o = options_of("run");
    o.mistakes = 3;
    o.confusion = 1;
    o.out = path_of("out");
    GOOD(cairn_report_evaluate(&o, &r));
    for (int c = 0; c < CLASSES; c++) {
        ck_assert(r.classes[c].wrong == TEST_EACH && r.classes[c].unanswered == TEST_EACH);
        ck_assert_int_eq(r.classes[c].count, 0);
    }
    ck_assert_int_eq(r.file_count, 3);
    cairn_report_free(&r);
}
END_TEST

/* What is the output of a softmax is a probability as it is. */
START_TEST(probabilities_of_a_softmax)
{
    struct cairn_report r, same;
    put_images(0);
    make_run("one", DATA "model: [linear 3]\n", small_weight);
    make_run("two",
             DATA "model: [linear 3, softmax]\ntrain: {loss: mse, optimizer: sgd, learning_rate: "
                  "0.1, batch: 4, epochs: 1}\n",
             small_weight);
    struct cairn_report_options o = options_of("one");
    o.mistakes = 100;
    GOOD(cairn_report_evaluate(&o, &r));
    o.run = path_of("two");
    GOOD(cairn_report_evaluate(&o, &same));
    int64_t compared = 0;
    for (int c = 0; c < CLASSES; c++) {
        ck_assert_int_eq(r.classes[c].count, same.classes[c].count);
        for (int64_t m = 0; m < r.classes[c].count; m++, compared++)
            ck_assert_double_eq_tol(r.classes[c].mistakes[m].probability,
                                    same.classes[c].mistakes[m].probability, 1e-6);
    }
    ck_assert_int_gt(compared, 3);
    cairn_report_free(&r);
    cairn_report_free(&same);
}
END_TEST

/* --- files --- */

START_TEST(tables)
{
    struct cairn_report r;
    char *text, line[256];
    size_t size;
    put_images(0);
    make_run("run", DATA "model: [linear 3]\n", small_weight);
    struct cairn_report_options o = options_of("run");
    o.mistakes = 1;
    o.confusion = 1;
    o.out = path_of("out");
    GOOD(cairn_report_evaluate(&o, &r));
    GOOD(cairn_file_read(path_of("out/confusion.csv"), &text, &size));
    const int64_t *n = r.eval.confusion;
    snprintf(line, sizeof line,
             "label,apple,\"big pear,\"\"1\"\"\",quince\napple,%d,%d,%d\n"
             "\"big pear,\"\"1\"\"\",%d,%d,%d\nquince,%d,%d,%d\n",
             (int)n[0], (int)n[1], (int)n[2], (int)n[3], (int)n[4], (int)n[5], (int)n[6], (int)n[7],
             (int)n[8]);
    ck_assert_str_eq(text, line);
    free(text);
    GOOD(cairn_file_read(path_of("out/mistakes.csv"), &text, &size));
    ck_assert_ptr_nonnull(strstr(text, "label,name,images,wrong,rank,index,answer,answer_name,"
                                       "probability\n0,apple,20,"));
    const struct cairn_report_mistake *m = &r.classes[1].mistakes[0];
    snprintf(line, sizeof line, "\n1,\"big pear,\"\"1\"\"\",20,%d,1,%d,%d,%s,%.9g\n",
             (int)r.classes[1].wrong, (int)m->index, m->answer, class_names[m->answer],
             m->probability);
    ck_assert_msg(strstr(text, line), "%s is not in %s", line, text);
    free(text);
    cairn_report_free(&r);
}
END_TEST

START_TEST(places)
{
    struct cairn_report r;
    put_images(0);
    make_run("run", DATA "model: [linear 3]\n", small_weight);
    struct cairn_report_options o = options_of("run");
    o.mistakes = 2;
    o.out = path_of("out");
    make_folder("out");
    put_bytes("out/class-2-quince.png", "mine", 4);
    refused(CAIRN_EXISTS, cairn_report_evaluate(&o, &r), "out/class-2-quince.png", "--force");
    ck_assert(!cairn_file_exists(path_of("out/mistakes.csv")));
    ck_assert(!r.classes && !r.files && r.file_count == 0);
    o.force = 1;
    GOOD(cairn_report_evaluate(&o, &r));
    ck_assert(cairn_file_exists(path_of("out/mistakes.csv")));
    ck_assert(!cairn_file_exists(path_of("out/confusion.csv")));
    cairn_report_free(&r);
    /* a strip of another evaluation goes where its class has no mistakes now */
    make_run("nan", DATA "model: [linear 3]\n", nan_weight);
    o.run = path_of("nan");
    GOOD(cairn_report_evaluate(&o, &r));
    ck_assert(!cairn_file_exists(path_of("out/class-2-quince.png")));
    cairn_report_free(&r);

    put_bytes("file", "", 0);
    o.out = path_of("file");
    refused(CAIRN_EXISTS, cairn_report_evaluate(&o, &r), "file", "not a folder");
    o.out = "/proc/cairn";
    refused(CAIRN_IO, cairn_report_evaluate(&o, &r), "/proc/cairn", "");
    o.out = path_of("out");
    o.mistakes = 0;
    refused(CAIRN_INVALID, cairn_report_evaluate(&o, &r), "nothing is to be written", "out");
    o.mistakes = -1;
    refused(CAIRN_INVALID, cairn_report_evaluate(&o, &r), "-1 mistakes", "1 to 1000");
    o.mistakes = CAIRN_REPORT_MOST + 1;
    refused(CAIRN_INVALID, cairn_report_evaluate(&o, &r), "1001 mistakes", "1 to 1000");
    o.mistakes = 1;
    o.run = path_of("images");
    refused(CAIRN_NOT_FOUND, cairn_report_evaluate(&o, &r), "images", "is no run");
}
END_TEST

/* --- a trained run --- */

START_TEST(of_a_training)
{
    static const char *const sets[] = {"data.limit_train=300", "data.limit_test=90",
                                       "data.validation=60", "train.epochs=2"};
    struct cairn_train_options t = {.recipe = "data/recipes/glyphs-tiny.yaml",
                                    .sets = sets,
                                    .set_count = 4,
                                    .compute = {.device = "reference"},
                                    .out = path_of("run")};
    struct cairn_train_result trained;
    struct cairn_report r;
    GOOD(cairn_train(&t, &trained));
    struct cairn_report_options o = {
        .run = t.out, .compute = t.compute, .mistakes = 8, .confusion = 1, .out = path_of("out")};
    GOOD(cairn_report_evaluate(&o, &r));
    ck_assert(r.eval.images == 90 && r.eval.loss == trained.test_loss);
    int64_t sum = 0, wrong = 0;
    for (int i = 0; i < 100; i++) sum += r.eval.confusion[i];
    for (int c = 0; c < 10; c++) wrong += r.classes[c].wrong;
    ck_assert(sum == 90 && wrong == 90 - r.eval.correct && wrong > 0);
    cairn_report_free(&r);
    o.out = NULL;
    o.part = CAIRN_REPORT_VALIDATION;
    GOOD(cairn_report_evaluate(&o, &r));
    ck_assert(r.eval.images == 60 && r.eval.loss == trained.validation_loss &&
              r.eval.accuracy == trained.validation_accuracy);
    cairn_report_free(&r);
}
END_TEST

#else

START_TEST(without_png)
{
    struct cairn_report r;
    struct cairn_report_options o = {.run = "none", .confusion = 1, .out = "out"};
    refused(CAIRN_UNSUPPORTED, cairn_report_evaluate(&o, &r), "libpng", "");
}
END_TEST

#endif

int main(void)
{
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, scratch_make, scratch_remove);
    tcase_set_timeout(c, 120);
#ifdef CAIRN_WITH_PNG
    tcase_add_loop_test(c, png_there_and_back, 0, 5);
    tcase_add_loop_test(c, png_without_room, 0, 2);
    tcase_add_loop_test(c, mistakes_by_hand, 0, 4);
    tcase_add_loop_test(c, strips_of_patches, 0, 2);
    tcase_add_test(c, parts);
    tcase_add_test(c, no_answers);
    tcase_add_test(c, probabilities_of_a_softmax);
    tcase_add_test(c, tables);
    tcase_add_test(c, places);
    tcase_add_test(c, of_a_training);
#else
    tcase_add_test(c, without_png);
#endif
    Suite *s = suite_create("report");
    suite_add_tcase(s, c);
    return suite_run(s);
}
