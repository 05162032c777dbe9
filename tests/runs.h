/* Runs made by hand: a recipe and weights that a test chooses, on a folder of small images. */
#ifndef TESTS_RUNS_H
#define TESTS_RUNS_H

#include "files.h"
#include "io/png.h"
#include "train/trained.h"

#define IMAGE_H 4
#define IMAGE_W 6
#define CLASSES 3
#define TRAIN_EACH 4 /* images of a class */
#define TEST_EACH 20

static const char *const class_names[CLASSES] = {"apple", "big pear,\"1\"", "quince"};

#define GOOD(call)                                                                                 \
    do {                                                                                           \
        cairn_status status_ = (call);                                                             \
        ck_assert_msg(status_ == CAIRN_OK, "%s", cairn_error());                                   \
    } while (0)

/* Wanted and got; the complaint has all these words. */
static inline void refused(cairn_status wanted, cairn_status got, const char *word,
                           const char *other)
{
    ck_assert_msg(got == wanted && strstr(cairn_error(), word) && strstr(cairn_error(), other),
                  "wanted %s with '%s' and '%s', got %s: %s", cairn_status_text(wanted), word,
                  other, cairn_status_text(got), cairn_error());
}

/* scratch/NAME that lasts for some calls. */
static inline char *path_of(const char *name)
{
    static char paths[128][256];
    static int at;
    at = (at + 1) % 128;
    snprintf(paths[at], sizeof paths[at], "%s/%s", scratch, name);
    return paths[at];
}

/* Sample i of image `number` of a class, below 16. */
static inline uint8_t sample_of(int train, int class, int number, int i)
{
    uint32_t x = (uint32_t)(((train * 7 + class) * 31 + number) * 1009 + i);
    x = (x ^ 0x9e37u) * 0x45d9f3bu;
    return (uint8_t)((x ^ x >> 16) * 0x45d9f3bu >> 28);
}

/* images/train/CLASS/NN.png and test; RGB or gray. */
static inline void put_images(int color)
{
    const struct png_spec spec = {.w = IMAGE_W, .h = IMAGE_H, .depth = 8, .type = color ? 2 : 0};
    uint8_t samples[IMAGE_H * IMAGE_W * 3];
    for (int train = 0; train < 2; train++)
        for (int c = 0; c < CLASSES; c++) {
            char name[128];
            snprintf(name, sizeof name, "images/%s/%s", train ? "train" : "test", class_names[c]);
            make_folder(name);
            for (int n = 0; n < (train ? TRAIN_EACH : TEST_EACH); n++) {
                for (int i = 0; i < IMAGE_H * IMAGE_W * 3; i++)
                    samples[i] = sample_of(train, c, n, i);
                snprintf(name, sizeof name, "images/%s/%s/%02d.png", train ? "train" : "test",
                         class_names[c], n);
                png_put(name, &spec, samples);
            }
        }
}

/* Multiples of 1/64 from -1/4 to 1/4. */
static inline float small_weight(int param, int64_t i)
{
    uint32_t x = ((uint32_t)param * 7919u + (uint32_t)i) * 0x9e3779b9u;
    return (float)((int)((x ^ x >> 15) * 0x85ebca6bu >> 27) - 16) / 64.0f;
}

/* The run NAME with this text as the recipe's data and model, and weights of the test's choice. */
static inline void make_run(const char *name, const char *text,
                            float (*weight)(int param, int64_t i))
{
    static const char rest[] = "train: {optimizer: sgd, learning_rate: 0.1, batch: 4, epochs: 1}\n";
    char *run = path_of(name), *recipe, *weights, all[2048];
    struct cairn_trained t = {0};
    GOOD(cairn_file_mkdirs(run));
    recipe = cairn_file_join(run, "recipe.yaml");
    weights = cairn_file_join(run, "model.safetensors");
    snprintf(all, sizeof all, "%s\n%s", text, strstr(text, "train:") ? "" : rest);
    GOOD(cairn_file_write(recipe, all, strlen(all)));
    GOOD(cairn_recipe_read(recipe, NULL, 0, &t.recipe));
    GOOD(cairn_dataset_describe("images", path_of("images"), &t.data));
    GOOD(cairn_session_shape(&t.recipe, &t.data));
    GOOD(cairn_session_describe(&t.session, &t.recipe, &t.data));
    const struct cairn_model *model = t.session.model;
    t.flat = calloc((size_t)model->total_floats, sizeof *t.flat);
    for (int p = 0; p < model->param_count; p++)
        for (int64_t i = 0; i < model->params[p].count; i++)
            t.flat[model->params[p].offset + i] = weight(p, i);
    t.state = (struct cairn_state){.epoch = 1,
                                   .scale = 1,
                                   .train_images = t.session.counts[CAIRN_PART_TRAIN],
                                   .validation_images = t.session.counts[CAIRN_PART_VALIDATION],
                                   .test_images = t.session.counts[CAIRN_PART_TEST],
                                   .math = "exact",
                                   .version = "test"};
    GOOD(cairn_checkpoint_write(weights, model, &t.state, t.flat, NULL, NULL));
    free(recipe);
    free(weights);
    cairn_trained_close(&t);
}

#endif
