/* Weights, activations and curves as pictures: every pixel. */
#include "runs.h"
#include "suite.h"
#include <cairn/report.h>

#include <math.h>

#ifdef CAIRN_WITH_PNG

#define DATA "data: {name: images, normalize: none}\n"

static struct cairn_inspect_options options_of(const char *run, int64_t layer, const char *out)
{
    return (struct cairn_inspect_options){
        .run = path_of(run),
        .compute = {.device = "reference", .data_dir = path_of("images")},
        .layer = layer,
        .out = path_of(out)};
}

/* --- pictures --- */

static uint8_t byte_of(double value, double black, double white)
{
    if (!isfinite(value)) return 0;
    return (uint8_t)rint(255 * (value - black) / (white - black));
}

/* The file is the picture of these numbers, in the order (tile, channel, row, column). */
static void expect_picture(const struct cairn_inspect_result *r, const double *values,
                           int64_t count, int64_t columns, int c, int64_t h, int64_t w,
                           int symmetric)
{
    struct cairn_png png;
    double least = INFINITY, largest = -INFINITY;
    for (int64_t i = 0; i < count * c * h * w; i++) {
        if (isfinite(values[i]) && values[i] < least) least = values[i];
        if (isfinite(values[i]) && values[i] > largest) largest = values[i];
    }
    double white = symmetric ? fmax(-least, largest) : largest, black = symmetric ? -white : least;
    ck_assert(r->count == count && r->columns == columns && r->c == c && r->h == h && r->w == w);
    ck_assert(r->least == least && r->largest == largest && r->black == black && r->white == white);
    GOOD(cairn_png_read(r->file, &png));
    int64_t s = r->scale, rows = (count + columns - 1) / columns;
    ck_assert_int_eq(r->rows, rows);
    ck_assert(png.c == c && png.h == rows * (h * s + 1) + 1 && png.w == columns * (w * s + 1) + 1);
    for (int k = 0; k < c; k++)
        for (int64_t y = 0; y < png.h; y++)
            for (int64_t x = 0; x < png.w; x++) {
                int64_t tile = y / (h * s + 1) * columns + x / (w * s + 1);
                int64_t i = y % (h * s + 1) - 1, j = x % (w * s + 1) - 1, wanted = 255;
                if (i >= 0 && j >= 0 && tile < count)
                    wanted =
                        byte_of(values[((tile * c + k) * h + i / s) * w + j / s], black, white);
                ck_assert_int_eq(png.pixels[(k * png.h + y) * png.w + x], wanted);
            }
    cairn_png_free(&png);
}

/* --- weights --- */

START_TEST(weights_of_a_linear_layer)
{
    struct cairn_inspect_result r;
    double values[5 * 24];
    put_images(0);
    make_run("run", DATA "model: [flatten, linear 5, relu, linear 3]\n", small_weight);
    struct cairn_inspect_options o = options_of("run", -1, "w.png");
    GOOD(cairn_inspect_weights(&o, &r));
    ck_assert(r.layer == 1 && !strcmp(r.text, "linear 5") && !strcmp(r.file, o.out));
    for (int i = 0; i < 5 * 24; i++) values[i] = (double)small_weight(0, i);
    expect_picture(&r, values, 5, 3, 1, IMAGE_H, IMAGE_W, 1);
    ck_assert_int_eq(r.not_finite, 0);

    o = options_of("run", 3, "matrix.png"); /* its input is a vector */
    GOOD(cairn_inspect_weights(&o, &r));
    for (int i = 0; i < 3 * 5; i++) values[i] = (double)small_weight(1, i);
    expect_picture(&r, values, 1, 1, 1, 3, 5, 1);
}
END_TEST

/* A padded image whose pixels are numbered is cut as the images are: where number n comes to lie
 * is the weight that belongs to pixel n. */
START_TEST(weights_of_patches)
{
    struct cairn_inspect_result r;
    int color = _i, c = color ? 3 : 1, size = c * 6 * 8;
    double values[4 * 3 * 6 * 8];
    uint8_t pixels[3 * 6 * 8], label = 0;
    put_images(color);
    make_run("run",
             "data: {name: images, normalize: none, pad: 1, patches: 3x2}\n"
             "model: [linear 4, tanh, linear 3]\n",
             small_weight);
    for (int i = 0; i < size; i++) pixels[i] = (uint8_t)i;
    struct cairn_dataset marks = {.name = "marks", .c = c, .h = 6, .w = 8};
    marks.test = (struct cairn_images){1, pixels, &label};
    GOOD(cairn_dataset_patch(&marks, 3, 2));
    for (int o = 0; o < 4; o++)
        for (int i = 0; i < size; i++)
            values[o * size + pixels[i]] = (double)small_weight(0, o * size + i);
    struct cairn_inspect_options o = options_of("run", 0, "w.png");
    GOOD(cairn_inspect_weights(&o, &r));
    expect_picture(&r, values, 4, 2, c, 6, 8, 1);
}
END_TEST

START_TEST(weights_of_convolutions)
{
    struct cairn_inspect_result r;
    double values[4 * 3 * 9];
    put_images(1);
    make_run("run", DATA "model: [conv 4 3x3, relu, conv 2 2x1, batchnorm, linear 3]\n",
             small_weight);
    struct cairn_inspect_options o = options_of("run", -1, "w.png");
    GOOD(cairn_inspect_weights(&o, &r)); /* of images of three channels: in colours */
    for (int i = 0; i < 4 * 27; i++) values[i] = (double)small_weight(0, i);
    expect_picture(&r, values, 4, 2, 3, 3, 3, 1);
    o = options_of("run", 2, "w2.png"); /* a row of pictures for each output */
    GOOD(cairn_inspect_weights(&o, &r));
    for (int i = 0; i < 2 * 4 * 2; i++) values[i] = (double)small_weight(1, i);
    expect_picture(&r, values, 8, 4, 1, 2, 1, 1);

    o = options_of("run", 1, "no.png");
    refused(CAIRN_INVALID, cairn_inspect_weights(&o, &r), "layer 1, 'relu'", "0, 2, 4");
    o = options_of("run", 3, "no.png");
    refused(CAIRN_INVALID, cairn_inspect_weights(&o, &r), "layer 3, 'batchnorm'", "0, 2, 4");
    o = options_of("run", 5, "no.png");
    refused(CAIRN_INVALID, cairn_inspect_weights(&o, &r), "no layer 5", "0 to 4");
    ck_assert(!cairn_file_exists(path_of("no.png")));
}
END_TEST

static float odd_weight(int param, int64_t i)
{
    return param > 0 ? 0.0f : i == 1 ? NAN : i == 3 ? -INFINITY : (float)i / 8.0f;
}

START_TEST(weights_that_are_odd)
{
    struct cairn_inspect_result r;
    double values[3 * 24];
    put_images(0);
    make_run("run", DATA "model: [linear 3]\n", odd_weight);
    struct cairn_inspect_options o = options_of("run", -1, "w.png");
    GOOD(cairn_inspect_weights(&o, &r));
    for (int i = 0; i < 3 * 24; i++) values[i] = (double)odd_weight(0, i);
    expect_picture(&r, values, 3, 2, 1, IMAGE_H, IMAGE_W, 1);
    ck_assert_int_eq(r.not_finite, 2);

    make_run("zeros", DATA "model: [linear 3 bias=no, linear 3]\n", odd_weight);
    o = options_of("zeros", 1, "zeros.png");
    GOOD(cairn_inspect_weights(&o, &r));
    struct cairn_png png;
    GOOD(cairn_png_read(r.file, &png));
    ck_assert(r.black == 0 && !signbit(r.black) && r.white == 0);
    ck_assert_int_eq(png.pixels[png.w + 1], 128);
    cairn_png_free(&png);
}
END_TEST

/* --- activations --- */

#define NODES 9
#define NET                                                                                        \
    "model: [conv 2 3x3 pad=1 as=a, relu, add a, none, maxpool 2, dropout 0.5, linear 3, softmax]" \
    "\n"

/* The net above on one image, in double. Weights: 0 of the convolution, 1 of linear, then biases.
 */
struct expected {
    double conv[2 * 24], relu[2 * 24], sum[2 * 24], pool[2 * 6], linear[3], soft[3];
};

static void run_net(const uint8_t *image, struct expected *e)
{
    double total = 0;
    for (int o = 0, at = 0; o < 2; o++)
        for (int y = 0; y < 4; y++)
            for (int x = 0; x < 6; x++, at++) {
                e->conv[at] = (double)small_weight(2, o);
                for (int i = 0; i < 9; i++) {
                    int u = y + i / 3 - 1, v = x + i % 3 - 1;
                    if (u >= 0 && u < 4 && v >= 0 && v < 6)
                        e->conv[at] += (double)small_weight(0, o * 9 + i) * image[u * 6 + v];
                }
                e->relu[at] = e->conv[at] > 0 ? e->conv[at] : 0;
                e->sum[at] = e->relu[at] + e->conv[at];
            }
    for (int i = 0; i < 12; i++) {
        const double *corner = &e->sum[i / 6 * 24 + i % 6 / 3 * 12 + i % 3 * 2];
        e->pool[i] = fmax(fmax(corner[0], corner[1]), fmax(corner[6], corner[7]));
    }
    for (int o = 0; o < 3; o++) {
        e->linear[o] = (double)small_weight(3, o);
        for (int i = 0; i < 12; i++)
            e->linear[o] += (double)small_weight(1, o * 12 + i) * e->pool[i];
    }
    for (int o = 0; o < 3; o++) total += exp(e->linear[o]);
    for (int o = 0; o < 3; o++) e->soft[o] = exp(e->linear[o]) / total;
}

static void expect_net(const char *image, const uint8_t *pixels)
{
    struct expected e;
    run_net(pixels, &e);
    const struct {
        const double *values;
        int64_t count, columns, h, w;
    } wanted[] = {{e.conv, 2, 2, 4, 6},  {e.relu, 2, 2, 4, 6}, {e.sum, 2, 2, 4, 6},
                  {e.sum, 2, 2, 4, 6},   {e.pool, 2, 2, 2, 3}, {e.pool, 2, 2, 2, 3},
                  {e.linear, 3, 3, 1, 1}};
    struct cairn_inspect_result r;
    struct cairn_inspect_options o;
    for (int layer = 0; layer < 7; layer++) {
        o = options_of("run", layer, "a.png");
        o.force = 1;
        GOOD(cairn_inspect_activations(&o, image, &r));
        ck_assert_int_eq(r.layer, layer);
        expect_picture(&r, wanted[layer].values, wanted[layer].count, wanted[layer].columns, 1,
                       wanted[layer].h, wanted[layer].w, 0);
    }
    o = options_of("run", 7, "soft.png");
    o.force = 1;
    GOOD(cairn_inspect_activations(&o, image, &r));
    ck_assert(r.count == 3 && r.h == 1 && r.w == 1);
    ck_assert_double_eq_tol(r.least, fmin(fmin(e.soft[0], e.soft[1]), e.soft[2]), 1e-6);
    ck_assert_double_eq_tol(r.largest, fmax(fmax(e.soft[0], e.soft[1]), e.soft[2]), 1e-6);
    o = options_of("run", -1, "first.png");
    o.force = 1;
    GOOD(cairn_inspect_activations(&o, image, &r));
    ck_assert_int_eq(r.layer, 0);
}

START_TEST(activations_by_hand)
{
    uint8_t pixels[24];
    struct cairn_inspect_result r;
    put_images(0);
    make_run("run", DATA NET, small_weight);
    for (int i = 0; i < 24; i++) pixels[i] = sample_of(0, 1, 2, i);
    expect_net("7", pixels); /* the classes take turns: of the second the third */
    expect_net("test:7", pixels);
    for (int i = 0; i < 24; i++) pixels[i] = sample_of(1, 0, 3, i);
    expect_net("train:9", pixels);
    struct cairn_inspect_options o = options_of("run", 0, "l.png");
    GOOD(cairn_inspect_activations(&o, "train:9", &r));
    ck_assert_str_eq(r.image, "train:9");
    ck_assert_str_eq(r.label, "apple");
    for (int i = 0; i < 24; i++) pixels[i] = (uint8_t)(i * i % 16);
    put_bytes("x", "", 0);
    png_put("mine.png", &(struct png_spec){.w = 6, .h = 4, .depth = 8}, pixels);
    expect_net(path_of("mine.png"), pixels);
}
END_TEST

/* What training would fuse or overwrite in its place is seen as well. */
START_TEST(activations_in_a_chain)
{
    struct expected e;
    uint8_t pixels[24];
    struct cairn_inspect_result r;
    put_images(0);
    make_run("run", DATA "model: [conv 2 3x3 pad=1, relu, linear 3]\n", small_weight);
    for (int i = 0; i < 24; i++) pixels[i] = sample_of(0, 0, 0, i);
    run_net(pixels, &e);
    struct cairn_inspect_options o = options_of("run", 0, "conv.png");
    GOOD(cairn_inspect_activations(&o, "0", &r));
    expect_picture(&r, e.conv, 2, 2, 1, 4, 6, 0);
    o = options_of("run", 1, "relu.png");
    GOOD(cairn_inspect_activations(&o, "0", &r));
    expect_picture(&r, e.relu, 2, 2, 1, 4, 6, 0);
}
END_TEST

static void put_image(const char *name, int train, int class, int number)
{
    uint8_t pixels[24];
    for (int i = 0; i < 24; i++) pixels[i] = sample_of(train, class, number, i);
    png_put(name, &(struct png_spec){.w = 6, .h = 4, .depth = 8}, pixels);
}

/* What passes images on shows them: padded, scaled, cut. */
START_TEST(activations_of_the_images)
{
    static const char *const recipes[] = {
        "data: {name: images, normalize: none, pad: 1}\nmodel: [none, linear 3]\n",
        "data: {name: images, normalize: none, augment: crop=2x4}\nmodel: [none, linear 3]\n"};
    int64_t h = _i ? 2 : 6, w = _i ? 4 : 8, off = _i ? 1 : -1;
    double values[48];
    struct cairn_inspect_result r;
    put_images(0);
    make_run("run", recipes[_i], small_weight);
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) {
            int64_t i = y + off, j = x + off, in = i >= 0 && i < 4 && j >= 0 && j < 6;
            values[y * w + x] = in ? sample_of(0, 0, 1, (int)(i * 6 + j)) : 0;
        }
    struct cairn_inspect_options o = options_of("run", 0, "a.png");
    GOOD(cairn_inspect_activations(&o, "3", &r)); /* of the first class the second */
    expect_picture(&r, values, 1, 1, 1, h, w, 0);
    put_image("mine.png", 0, 0, 1);
    o.out = path_of("b.png");
    GOOD(cairn_inspect_activations(&o, path_of("mine.png"), &r));
    expect_picture(&r, values, 1, 1, 1, h, w, 0);
}
END_TEST

START_TEST(activations_of_patches)
{
    double values[24];
    struct cairn_inspect_result r;
    put_images(0);
    make_run("run",
             "data: {name: images, normalize: none, patches: 2x3}\nmodel: [none, linear 3]\n",
             small_weight);
    for (int i = 0; i < 24; i++) {
        int y = i / 12 * 2 + i % 6 / 3, x = i / 6 % 2 * 3 + i % 3; /* patch, row, column */
        values[i] = sample_of(0, 0, 1, y * 6 + x);
    }
    struct cairn_inspect_options o = options_of("run", 0, "a.png");
    GOOD(cairn_inspect_activations(&o, "3", &r));
    expect_picture(&r, values, 4, 2, 1, 2, 3, 0);
}
END_TEST

START_TEST(activations_refused)
{
    struct cairn_inspect_result r;
    uint8_t pixels[75] = {0};
    put_images(0);
    make_run("run", DATA NET, small_weight);
    struct cairn_inspect_options o = options_of("run", -1, "a.png");
    refused(CAIRN_INVALID, cairn_inspect_activations(&o, "60", &r), "no test image 60", "0 to 59");
    refused(CAIRN_INVALID, cairn_inspect_activations(&o, "train:12", &r), "no training image 12",
            "0 to 11");
    refused(CAIRN_INVALID, cairn_inspect_activations(&o, "99999999999999999999", &r),
            "no test image", "0 to 59");
    refused(CAIRN_NOT_FOUND, cairn_inspect_activations(&o, path_of("none.png"), &r), "none.png",
            scratch);
    png_put("large.png", &(struct png_spec){.w = 5, .h = 5, .depth = 8}, pixels);
    refused(CAIRN_INVALID, cairn_inspect_activations(&o, path_of("large.png"), &r), "gray, 5x5",
            "gray, 4x6");
    png_put("rgb.png", &(struct png_spec){.w = 6, .h = 4, .depth = 8, .type = 2}, pixels);
    refused(CAIRN_INVALID, cairn_inspect_activations(&o, path_of("rgb.png"), &r), "RGB, 4x6",
            "gray, 4x6");
    o.layer = 8;
    refused(CAIRN_INVALID, cairn_inspect_activations(&o, "0", &r), "no layer 8", "0 to 7");
    ck_assert(!cairn_file_exists(path_of("a.png")));
}
END_TEST

/* --- the file --- */

START_TEST(places)
{
    struct cairn_inspect_result r;
    put_images(0);
    make_run("run", DATA "model: [linear 3]\n", small_weight);
    put_bytes("mine.png", "mine", 4);
    struct cairn_inspect_options o = options_of("run", -1, "mine.png");
    refused(CAIRN_EXISTS, cairn_inspect_weights(&o, &r), "mine.png", "--force");
    o.force = 1;
    GOOD(cairn_inspect_weights(&o, &r));
    o = options_of("run", -1, "images");
    o.force = 1;
    refused(CAIRN_INVALID, cairn_inspect_weights(&o, &r), "images is a folder", "file");
    o.out = path_of("no/such/w.png");
    refused(CAIRN_NOT_FOUND, cairn_inspect_weights(&o, &r), "no/such", "folder");
    o.out = path_of("mine.png/w.png");
    refused(CAIRN_EXISTS, cairn_inspect_weights(&o, &r), "mine.png", "not a folder");
    o.out = "/proc/w.png";
    refused(CAIRN_IO, cairn_inspect_weights(&o, &r), "/proc", "");
    o = options_of("images", -1, "w.png");
    refused(CAIRN_NOT_FOUND, cairn_inspect_weights(&o, &r), "images", "is no run");
}
END_TEST

#endif

/* --- curves, which need no libpng --- */

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (; (text = strstr(text, part)); text += strlen(part)) count++;
    return count;
}

#define LINE(epoch, loss, accuracy, other)                                                         \
    "{\"epoch\": " epoch ", \"step\": 1" epoch ", \"train_loss\": " loss                           \
    ", \"train_accuracy\": " accuracy ", \"validation_loss\": " other                              \
    ", \"validation_accuracy\": null}\n"

START_TEST(curves)
{
    static const char recipe[] =
        "data: {name: glyphs}\nmodel: [linear 10]\ntrain: {optimizer: sgd, "
        "learning_rate: 0.1, batch: 4, epochs: 4}\n";
    static const char metrics[] = LINE("1", "2", "0.25", "1.5") LINE("2", "1", "0.5", "null")
        LINE("3", "0.5", "0.75", "1") LINE("4", "0.25", "1.0", "0.75");
    struct cairn_inspect_curves r;
    char *text;
    size_t size;
    make_folder("run");
    put_bytes("run/recipe.yaml", recipe, sizeof recipe - 1);
    struct cairn_inspect_options o = {.run = path_of("run"), .layer = -1, .out = path_of("c.svg")};
    refused(CAIRN_NOT_FOUND, cairn_inspect_curves(&o, &r), "run has no metrics.jsonl", "");
    put_bytes("run/metrics.jsonl", metrics, sizeof metrics - 1);
    GOOD(cairn_inspect_curves(&o, &r));
    ck_assert(r.points == 4 && !r.by_steps && r.validation && !r.test);
    GOOD(cairn_file_read(o.out, &text, &size));
    /* train's loss and accuracy whole, validation's loss in two pieces */
    ck_assert_int_eq(count_of(text, "<polyline"), 4);
    /* a mark for each point, and for each of the three lines in a legend */
    ck_assert_int_eq(count_of(text, "<path class='mark"), 4 + 4 + 3 + 3);
    /* x: epochs 1 to 4 over 33 to 428; y: loss 0 to 2 over 244 to 54 */
    ck_assert_ptr_nonnull(strstr(text, "points='33.00,54.00 164.67,149.00 296.33,196.50 "
                                       "428.00,220.25 '"));
    ck_assert(count_of(text, ">train<") == 2 && count_of(text, ">validation<") == 1);
    ck_assert_int_eq(count_of(text, ">test<"), 0);
    free(text);

    refused(CAIRN_EXISTS, cairn_inspect_curves(&o, &r), "c.svg", "--force");
    o.out = path_of("c.png");
    refused(CAIRN_INVALID, cairn_inspect_curves(&o, &r), "c.png", "SVG");
    o.out = path_of("d.svg");
    put_bytes("run/metrics.jsonl", metrics, sizeof metrics - 20);
    GOOD(cairn_inspect_curves(&o, &r)); /* a line that is not whole yet is left out */
    ck_assert_int_eq(r.points, 3);
    o.force = 1;
    put_bytes("run/metrics.jsonl", "{}\n", 3);
    refused(CAIRN_FORMAT, cairn_inspect_curves(&o, &r), "metrics.jsonl:1", "");
    put_bytes("run/metrics.jsonl", "", 0);
    refused(CAIRN_FORMAT, cairn_inspect_curves(&o, &r), "metrics.jsonl is empty", "");
    o.run = scratch;
    refused(CAIRN_NOT_FOUND, cairn_inspect_curves(&o, &r), "is no run", "");
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, scratch_make, scratch_remove);
    tcase_set_timeout(c, 120);
#ifdef CAIRN_WITH_PNG
    tcase_add_test(c, weights_of_a_linear_layer);
    tcase_add_loop_test(c, weights_of_patches, 0, 2);
    tcase_add_test(c, weights_of_convolutions);
    tcase_add_test(c, weights_that_are_odd);
    tcase_add_test(c, activations_by_hand);
    tcase_add_test(c, activations_in_a_chain);
    tcase_add_loop_test(c, activations_of_the_images, 0, 2);
    tcase_add_test(c, activations_of_patches);
    tcase_add_test(c, activations_refused);
    tcase_add_test(c, places);
#endif
    tcase_add_test(c, curves);
    Suite *s = suite_create("inspect");
    suite_add_tcase(s, c);
    return suite_run(s);
}
