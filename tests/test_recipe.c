/* Recipes: what is accepted, and what it means. */
#include "recipes.h"
#include "suite.h"

#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const minimal = "data: {name: glyphs}\n"
                                   "model:\n"
                                   "  - linear 10\n"
                                   "train: {learning_rate: 0.1}\n";

START_TEST(test_defaults)
{
    struct cairn_recipe r;
    cairn_status st = read_text(minimal, NULL, 0, &r);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert_str_eq(r.path, path);
    ck_assert_str_eq(r.data.name, "glyphs");
    ck_assert_int_eq(r.data.normalize, CAIRN_NORMALIZE_01);
    ck_assert(r.data.validation == 0 && r.data.limit_train == 0 && r.data.limit_test == 0);
    ck_assert_uint_eq(r.data.seed, 1);
    ck_assert_int_eq(r.layer_count, 1);
    ck_assert(r.layers[0].kind == CAIRN_LAYER_LINEAR && r.layers[0].outputs == 10);
    ck_assert(r.init.fallback.kind == CAIRN_INIT_HE && r.init.conv.kind == CAIRN_INIT_HE &&
              r.init.linear.kind == CAIRN_INIT_HE);
    ck_assert_int_eq(r.train.optimizer, CAIRN_OPTIMIZER_SGD);
    ck_assert(r.train.momentum == 0 && r.train.l2 == 0 && r.train.learning_rate == 0.1f);
    ck_assert(r.train.beta1 == 0.9f && r.train.beta2 == 0.999f && r.train.epsilon == 1e-8f);
    ck_assert(r.train.batch == 64 && r.train.epochs == 10 && r.train.seed == 1);
    ck_assert(r.train.steps == 0 && r.train.evaluate_epochs == 1 && r.train.evaluate_steps == 0);
    ck_assert(r.train.accumulate == 1 && r.train.clip == 0 && r.train.patience == 0);
    ck_assert(r.train.schedule == CAIRN_SCHEDULE_CONSTANT && r.train.warmup == 0);
    ck_assert(!r.train.keep_last && !r.train.test_curve && r.train.folds == 0);
    ck_assert(r.train.loss == CAIRN_LOSS_CHOICE_CROSS_ENTROPY && r.train.smoothing == 0);
    ck_assert(!r.train.class_weights && !r.train.balanced && r.train.decay == 0);
    ck_assert(r.data.pad_h == 0 && r.data.patch_h == 0 && r.data.augment.crop_h == 0);
    cairn_recipe_free(&r);
    ck_assert_ptr_null(r.layers);
}
END_TEST

static void expect_equal(const struct cairn_recipe *a, const struct cairn_recipe *b)
{
    struct cairn_recipe x = *a, y = *b;
    ck_assert_str_eq(a->resolved, b->resolved);
    ck_assert_int_eq(memcmp(&a->data, &b->data, sizeof a->data), 0);
    ck_assert_int_eq(memcmp(&a->init, &b->init, sizeof a->init), 0);
    x.train.class_weights = y.train.class_weights = NULL;
    ck_assert_int_eq(memcmp(&x.train, &y.train, sizeof x.train), 0);
    ck_assert_int_eq(!a->train.class_weights, !b->train.class_weights);
    for (int i = 0; i < a->train.class_weight_count; i++)
        ck_assert(a->train.class_weights[i] == b->train.class_weights[i]);
    ck_assert_int_eq(a->layer_count, b->layer_count);
    for (int i = 0; i < a->layer_count; i++)
        ck_assert_int_eq(memcmp(&a->layers[i], &b->layers[i], sizeof a->layers[i]), 0);
}

START_TEST(test_full_and_resolved)
{
    struct cairn_recipe r, again;
    cairn_status st = read_text(full, NULL, 0, &r);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert(r.data.normalize == CAIRN_NORMALIZE_ZSCORE && r.data.validation == 0.2);
    ck_assert(r.data.limit_train == 2000 && r.data.limit_test == 5 && r.data.seed == UINT64_MAX);
    ck_assert_int_eq(r.layer_count, 4);
    ck_assert_str_eq(r.layers[0].text, "conv 8 5x5 pad=same");
    ck_assert_str_eq(r.layers[1].text, "relu");
    ck_assert_float_eq(r.layers[2].rate, 0.3f);
    ck_assert_int_eq(r.layers[3].outputs, 18);
    ck_assert_int_eq(r.init.conv.kind, CAIRN_INIT_XAVIER);
    ck_assert(r.init.linear.kind == CAIRN_INIT_NORMAL && r.init.linear.mean == 0.1f &&
              r.init.linear.dev == 0.3f);
    ck_assert_int_eq(r.train.optimizer, CAIRN_OPTIMIZER_ADAM);
    ck_assert(r.train.beta1 == 0.91f && r.train.beta2 == 0.999f && r.train.epsilon == 1e-4f);
    ck_assert(r.train.learning_rate == 5e-4f && r.train.l2 == 0.2f && r.train.batch == 129 &&
              r.train.epochs == 20 && r.train.seed == 7);

    st = read_text(r.resolved, NULL, 0, &again);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert_ptr_null(strchr(again.resolved, '$'));
    expect_equal(&r, &again);
    cairn_recipe_free(&again);
    cairn_recipe_free(&r);
}
END_TEST

static void reads_back(struct cairn_recipe *r)
{
    struct cairn_recipe again;
    ck_assert_msg(read_text(r->resolved, NULL, 0, &again) == CAIRN_OK, "%s\n%s", cairn_error(),
                  r->resolved);
    expect_equal(r, &again);
    cairn_recipe_free(&again);
}

START_TEST(test_every_key)
{
    struct cairn_recipe r;
    cairn_status st = read_keys(
        "pad: 2x1, validation: 100, augment: shift=2x3 flip=yes rotate=10.5 crop=28x26",
        "loss: cross-entropy, smoothing: 0.1, class_weights: 1 2 0.5 0 1 1 1 1 1 1e-3, optimizer: "
        "sgd momentum=0.9 nesterov=yes, learning_rate: 0.1, schedule: step every=30 factor=0.2 "
        "warmup=500, l1: 1e-6, l2: 0.2, decay: 1e-3, decay_per: dataset, clip: 1, accumulate: 4, "
        "batch: 128, steps: 7000, evaluate_every: 100 steps, test_curve: yes, patience: 5, keep: "
        "last",
        &r);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert(r.data.pad_h == 2 && r.data.pad_w == 1 && r.data.patch_h == 0);
    ck_assert(r.data.augment.shift_h == 2 && r.data.augment.shift_w == 3 && r.data.augment.flip);
    ck_assert(r.data.augment.rotate == 10.5f && r.data.augment.crop_h == 28 &&
              r.data.augment.crop_w == 26);
    ck_assert(r.train.smoothing == 0.1f && r.train.class_weight_count == 10);
    ck_assert(r.train.class_weights[1] == 2 && r.train.class_weights[9] == 1e-3f);
    ck_assert(r.train.momentum == 0.9f && r.train.nesterov == 1);
    ck_assert(r.train.schedule == CAIRN_SCHEDULE_STEP && r.train.schedule_every == 30 &&
              r.train.schedule_factor == 0.2f && r.train.warmup == 500);
    ck_assert(r.train.l1 == 1e-6f && r.train.l2 == 0.2f && r.train.decay == 1e-3f);
    ck_assert(r.train.decay_per == CAIRN_DECAY_PER_DATASET && r.train.clip == 1);
    ck_assert(r.train.accumulate == 4 && r.train.steps == 7000 && r.train.epochs == 0);
    ck_assert(r.train.evaluate_steps == 100 && r.train.evaluate_epochs == 0);
    ck_assert(r.train.test_curve && r.train.patience == 5 && r.train.keep_last);
    reads_back(&r);
    cairn_recipe_free(&r);

    st = read_keys("patches: 7x14",
                   "learning_rate: 1, loss: mse, class_weights: balanced, folds: "
                   "5, patience: 3, decay_per: sample",
                   &r);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert(r.data.patch_h == 7 && r.data.patch_w == 14 && r.train.balanced &&
              r.train.folds == 5 && r.train.loss == CAIRN_LOSS_CHOICE_MSE);
    reads_back(&r);
    cairn_recipe_free(&r);
}
END_TEST

/* Optimizers and schedules with their defaults: the key, then what the resolved text has. */
static const char *const forms[][2] = {
    {"optimizer: sgd", "optimizer: sgd momentum=0 nesterov=no\n"},
    {"optimizer: adam", "optimizer: adam beta1=0.9 beta2=0.999 epsilon=1e-08\n"},
    {"optimizer: adamw", "optimizer: adamw beta1=0.9 beta2=0.999 epsilon=1e-08\n"},
    {"optimizer: adamw", "  decay: 0.01\n"},
    {"optimizer: adamw, decay: 0", "  decay: 0\n"},
    {"optimizer: adam", "  decay: 0\n"},
    {"optimizer: rmsprop", "optimizer: rmsprop alpha=0.99 momentum=0 epsilon=1e-08\n"},
    {"optimizer: rmsprop momentum=0.5 alpha=0.9",
     "optimizer: rmsprop alpha=0.9 momentum=0.5 epsilon=1e-08\n"},
    {"optimizer: adagrad", "optimizer: adagrad epsilon=1e-10\n"},
    {"optimizer: adadelta", "optimizer: adadelta rho=0.9 epsilon=1e-06\n"},
    {"optimizer: adadelta rho=0.95 epsilon=1e-4", "adadelta rho=0.95 epsilon=0.0001\n"},
    {"schedule: constant warmup=10", "schedule: constant warmup=10\n"},
    {"schedule: step every=2", "schedule: step every=2 factor=0.1 warmup=0\n"},
    {"schedule: cosine", "schedule: cosine least=0 warmup=0\n"},
    {"schedule: cosine least=0.1", "schedule: cosine least=0.1 warmup=0\n"},
    {"schedule: exponential factor=0.95", "schedule: exponential factor=0.95 warmup=0\n"},
    {"schedule: plateau", "schedule: plateau factor=0.1 patience=10 warmup=0\n"},
    {"schedule: plateau patience=2 factor=0.5 warmup=3",
     "schedule: plateau factor=0.5 patience=2 warmup=3\n"},
    {"evaluate_every: 1 step", "evaluate_every: 1 step\n"},
    {"evaluate_every: 2 epochs", "evaluate_every: 2 epochs\n"},
    {"class_weights: none", "class_weights: none\n"},
    {"steps: 4294967295", "steps: 4294967295\n"},
};

START_TEST(test_forms)
{
    char train[256];
    struct cairn_recipe r;
    snprintf(train, sizeof train, "learning_rate: 1, %s", forms[_i][0]);
    ck_assert_msg(read_keys("", train, &r) == CAIRN_OK, "%s", cairn_error());
    ck_assert_msg(strstr(r.resolved, forms[_i][1]) != NULL, "%s", r.resolved);
    reads_back(&r);
    cairn_recipe_free(&r);
}
END_TEST

START_TEST(test_length)
{
    static const char *const to_steps[] = {"train.steps=70"}, *const both[] = {"train.steps=70",
                                                                               "train.epochs=7"};
    struct cairn_recipe r;
    ck_assert_int_eq(read_keys("", "optimizer: adadelta", &r), CAIRN_OK);
    ck_assert(r.train.learning_rate == 1 && r.train.epochs == 10);
    cairn_recipe_free(&r);
    ck_assert_int_eq(read_text(full, to_steps, 1, &r), CAIRN_OK); /* where the file has epochs */
    ck_assert(r.train.steps == 70 && r.train.epochs == 0);
    reads_back(&r);
    cairn_recipe_free(&r);
    ck_assert_int_eq(read_text(full, both, 2, &r), CAIRN_PARSE);
    ck_assert_msg(
        strncmp(cairn_error(), "--set train.steps=70: train.steps: train.epochs is", 50) == 0, "%s",
        cairn_error());
}
END_TEST

START_TEST(test_many_weights)
{
    struct cairn_recipe r;
    for (int n = CAIRN_RECIPE_CLASSES; n <= CAIRN_RECIPE_CLASSES + 1; n++) {
        char text[4096] = "learning_rate: 1, class_weights:";
        for (int i = 0; i < n; i++) sprintf(text + strlen(text), " 0.%07d", 1234567 + i);
        ck_assert_int_eq(read_keys("", text, &r),
                         n > CAIRN_RECIPE_CLASSES ? CAIRN_PARSE : CAIRN_OK);
        if (n > CAIRN_RECIPE_CLASSES) {
            ck_assert_ptr_nonnull(strstr(cairn_error(), "class_weights: more than 256 weights"));
            continue;
        }
        ck_assert_int_eq(r.train.class_weight_count, n);
        reads_back(&r);
        cairn_recipe_free(&r);
    }
}
END_TEST

START_TEST(test_settings)
{
    static const char *const sets[] = {
        "data.name=fashion-mnist",          "vars.act=none",  "vars.drop=0",  "train.l2=1",
        "train.optimizer=sgd momentum=0.9", "init.conv=zero", "train.l2=0.5", /* the later one
                                                                                 counts */
    };
    struct cairn_recipe r;
    cairn_status st = read_text(full, sets, 7, &r);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert_str_eq(r.data.name, "fashion-mnist");
    ck_assert(r.layers[1].kind == CAIRN_LAYER_NONE && r.layers[2].rate == 0);
    ck_assert(r.train.l2 == 0.5f && r.init.conv.kind == CAIRN_INIT_ZERO);
    ck_assert(r.train.optimizer == CAIRN_OPTIMIZER_SGD && r.train.momentum == 0.9f);
    cairn_recipe_free(&r);

    static const char *const section[] = {"init.default=zero"}; /* a section that the file lacks */
    st = read_text(minimal, section, 1, &r);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert_int_eq(r.init.linear.kind, CAIRN_INIT_ZERO);
    cairn_recipe_free(&r);
}
END_TEST

/* In a locale whose decimal point is a comma all means what it means elsewhere. */
START_TEST(test_decimal_comma)
{
    struct cairn_recipe r;
    char command[256], text[32], *plain;
    ck_assert_msg(read_text(full, NULL, 0, &r) == CAIRN_OK, "%s", cairn_error());
    plain = strdup(r.resolved);
    cairn_recipe_free(&r);

    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8", scratch);
    ck_assert_msg(system(command) == 0, "the locale de_DE cannot be made (Debian: locales)");
    ck_assert_int_eq(setenv("LOCPATH", scratch, 1), 0);
    locale_t german = newlocale(LC_ALL_MASK, "de_DE.UTF-8", (locale_t)0);
    ck_assert(german != (locale_t)0);
    locale_t before = uselocale(german);
    snprintf(text, sizeof text, "%.1f", 0.5);
    ck_assert_str_eq(text, "0,5"); /* else this test says nothing */

    ck_assert_msg(read_text(full, NULL, 0, &r) == CAIRN_OK, "%s", cairn_error());
    ck_assert_str_eq(r.resolved, plain);
    ck_assert(r.train.learning_rate == 5e-4f && r.train.l2 == 0.2f && r.data.validation == 0.2);
    ck_assert(uselocale((locale_t)0) == german);
    uselocale(before);
    freelocale(german);
    cairn_recipe_free(&r);
    free(plain);
}
END_TEST

/* A complaint about `full` with a setting. */
START_TEST(test_names)
{
    struct cairn_recipe r;
    char file[128];
    snprintf(file, sizeof file, "%s/mine.yaml", scratch);
    ck_assert_int_eq(cairn_file_write(file, minimal, strlen(minimal)), CAIRN_OK);
    setenv("CAIRN_RECIPE_DIR", scratch, 1);
    ck_assert_int_eq(cairn_recipe_read("mine", NULL, 0, &r), CAIRN_OK);
    ck_assert_str_eq(r.path, file);
    cairn_recipe_free(&r);

    unsetenv("CAIRN_RECIPE_DIR");
    ck_assert_int_eq(chdir(scratch), 0);
    ck_assert_int_eq(cairn_recipe_read("mine.yaml", NULL, 0, &r), CAIRN_OK);
    cairn_recipe_free(&r);
    ck_assert_int_eq(mkdir("data", 0777), 0);
    ck_assert_int_eq(mkdir("data/recipes", 0777), 0);
    ck_assert_int_eq(rename("mine.yaml", "data/recipes/mine.yaml"), 0);
    ck_assert_int_eq(mkdir("mine", 0777), 0); /* a run folder of that name does not hide it */
    ck_assert_int_eq(cairn_recipe_read("mine", NULL, 0, &r), CAIRN_OK);
    ck_assert_str_eq(r.path, "data/recipes/mine.yaml");
    cairn_recipe_free(&r);
}
END_TEST

/* The recipes that are delivered; the suite runs in the source folder. */
static const char *const delivered[] = {"glyphs-cnn", "glyphs-softmax", "glyphs-tiny", "kmnist-cnn",
                                        "mnist-lenet"};

START_TEST(test_delivered)
{
    struct cairn_recipe r, again;
    char file[128];
    snprintf(file, sizeof file, "data/recipes/%s.yaml", delivered[_i]);
    cairn_status st = cairn_recipe_read(file, NULL, 0, &r);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    ck_assert_int_eq(r.layers[r.layer_count - 1].outputs, 10);
    st = read_text(r.resolved, NULL, 0, &again);
    ck_assert_msg(st == CAIRN_OK, "%s", cairn_error());
    expect_equal(&r, &again);
    cairn_recipe_free(&r);
    cairn_recipe_free(&again);
}
END_TEST

#define COUNT(table) (int)(sizeof table / sizeof *table)

int main(void)
{
    Suite *suite = suite_create("recipe");
    TCase *tc = tcase_create("recipe");
    tcase_add_checked_fixture(tc, enter, scratch_remove);
    tcase_add_test(tc, test_defaults);
    tcase_add_test(tc, test_full_and_resolved);
    tcase_add_test(tc, test_every_key);
    tcase_add_loop_test(tc, test_forms, 0, COUNT(forms));
    tcase_add_test(tc, test_length);
    tcase_add_test(tc, test_many_weights);
    tcase_add_test(tc, test_settings);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, test_decimal_comma);
    tcase_add_test(tc, test_names);
    tcase_add_loop_test(tc, test_delivered, 0, COUNT(delivered));
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
