/* Recipes: what is accepted, and the exact place and words of every complaint. */
#include "base/file.h"
#include "train/recipe.h"
#include "scratch.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[96];

static void enter(void)
{
    scratch_make();
    snprintf(path, sizeof path, "%s/r.yaml", scratch);
}

static cairn_status read_text(const char *text, const char *const *sets, int count,
                              struct cairn_recipe *recipe)
{
    ck_assert_int_eq(cairn_file_write(path, text, strlen(text)), CAIRN_OK);
    return cairn_recipe_read(path, sets, count, recipe);
}

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

static const char *const full =
    "vars: {act: relu, drop: 0.3, n: 8}\n"
    "data: {name: kmnist, normalize: zscore, validation: 0.2, limit_train: 2000, limit_test: 5,\n"
    "       seed: 18446744073709551615}\n"
    "model:\n"
    "  - conv $n 5x5 pad=same\n"
    "  - $act\n"
    "  - 'dropout $drop'\n"
    "  - linear 1$n\n"
    "init: {default: xavier, linear: normal mean=0.1 dev=0.3}\n"
    "train:\n"
    "  loss: cross-entropy\n"
    "  optimizer: adam beta1=0.91 epsilon=1e-4\n"
    "  learning_rate: 5e-4\n"
    "  l2: 0.2\n"
    "  batch: 129\n"
    "  epochs: 20\n"
    "  seed: 7\n";

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

/* Reads TEXT as one line of the section data or train of a small recipe. */
static cairn_status read_keys(const char *data, const char *train, struct cairn_recipe *r)
{
    char text[8192];
    snprintf(text, sizeof text, "data: {name: glyphs%s%s}\nmodel: [linear 10]\ntrain: {%s}\n",
             *data ? ", " : "", data, train);
    return read_text(text, NULL, 0, r);
}

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

/* A complaint about `full` with a setting. */
static const struct {
    const char *setting;
    cairn_status status;
    const char *complaint;
} bad_settings[] = {
    {"train.learningrate=1", CAIRN_PARSE,
     "--set train.learningrate=1: train: unknown key 'learningrate'; accepted: loss, smoothing, "
     "class_weights, optimizer, learning_rate, schedule, l1, l2, decay, decay_per, clip, "
     "accumulate, batch, epochs, steps, evaluate_every, test_curve, patience, keep, folds, seed "
     "(did you mean learning_rate?)"},
    {"train.rate=1", CAIRN_PARSE, "keep, folds, seed"}, /* nothing is near */
    {"train.learning_rate=5e-4abc", CAIRN_PARSE,
     "--set train.learning_rate=5e-4abc: train.learning_rate: '5e-4abc' is not a number"},
    {"train.epochs=", CAIRN_PARSE, "--set train.epochs=: train.epochs: '' is not a whole number"},
    {"train", CAIRN_INVALID, "--set train: a setting is written section.key=value"},
    {"=1", CAIRN_INVALID, "--set =1: a setting is written"},
    {"train=1", CAIRN_INVALID, "--set train=1: train is a section"},
    {"train.=1", CAIRN_INVALID, "--set train.=1: train is a section"},
    {"tain.l2=1", CAIRN_INVALID,
     "--set tain.l2=1: unknown section 'tain'; accepted: vars, data, model, init, train (did you "
     "mean train?)"},
    {"model.0=relu", CAIRN_INVALID, "--set model.0=relu: the model's lines cannot be set"},
    {"vars.akt=relu", CAIRN_INVALID,
     "--set vars.akt=relu: the recipe has no variable 'akt'; it has: act, drop, n (did you mean "
     "act?)"},
    {"vars.act=rulu", CAIRN_PARSE, "r.yaml:6:5: model: 'rulu' is not a layer"},
    {"vars.drop=1.5", CAIRN_PARSE, "r.yaml:7:14: model: 1.5 is out of range"},
    {"vars.n=$act", CAIRN_PARSE, "--set vars.n=$act: vars.n: a variable cannot use another"},
    {"train.seed=$seed", CAIRN_PARSE,
     "--set train.seed=$seed: the recipe has no variable '$seed'; it has: act, drop, n"},
    {"train.optimizer=sgd momentum=1", CAIRN_PARSE,
     "train.optimizer: 1 is out of range, 0 to below 1"},
    {"data.name=mnits", CAIRN_PARSE,
     "data.name: there is no data set 'mnits'; there are: glyphs, mnist"},
};

START_TEST(test_bad_settings)
{
    struct cairn_recipe r;
    ck_assert_int_eq(read_text(full, &bad_settings[_i].setting, 1, &r), bad_settings[_i].status);
    ck_assert_msg(strstr(cairn_error(), bad_settings[_i].complaint) != NULL, "%s", cairn_error());
    if (strstr(bad_settings[_i].setting, ".rate"))
        ck_assert_ptr_null(strstr(cairn_error(), "mean"));
    ck_assert_ptr_null(r.resolved);
}
END_TEST

/* A recipe with one line exchanged (from 1), and the complaint behind "FOLDER/r.yaml:". */
static const struct {
    int line;
    const char *text, *complaint;
} bad_lines[] = {
    {1, "vars: {act: relu, act: tanh}", "1:19: the key 'act' is given twice, first on line 1"},
    {1, "vars: {act: [1]}", "1:13: vars.act: a variable is one word or line"},
    {1, "vars: {a-b: 1}", "1:8: vars: 'a-b' is not a name"},
    {1, "vars: {act: relu, b: x$act}", "1:23: vars.b: a variable cannot use another"},
    {1, "vars: [act]", "1:7: vars: keys and values are expected"},
    {1, "trian: {l2: 1}",
     "1:1: unknown section 'trian'; accepted: vars, data, model, init, train (did you mean "
     "train?)"},
    {1, "vars: {act: &a relu}", "1:13: anchors"},
    {2, "data: {nam: glyphs}",
     "2:8: data: unknown key 'nam'; accepted: name, normalize, pad, patches, validation, "
     "limit_train, limit_test, seed, augment (did you mean name?)"},
    {2, "data: {normalize: 01}", "2:7: data.name is missing"},
    {2, "data: glyphs", "2:7: data: keys and values are expected"},
    {2, "data: {name: [glyphs]}", "2:14: data.name: one word or line is expected here, not a list"},
    {2, "data: {name: glyphs, augment: flip}",
     "2:31: data.augment: 'flip' does not belong here; accepted: none, or any of shift=P|HxW"},
    {2, "data: {name: glyphs, augment: ''}",
     "2:32: data.augment: nothing is given; accepted: none"},
    {2, "data: {name: glyphs, augment: flip=1}", "2:36: data.augment: '1' is neither yes nor no"},
    {2, "data: {name: glyphs, augment: rotate=181}",
     "2:38: data.augment: 181 is out of range, 0 to 180"},
    {2, "data: {name: glyphs, augment: shift=2 crop=0}",
     "2:44: data.augment: 0 is out of range, 1"},
    {2, "data: {name: glyphs, augment: shift=2x}", "2:39: data.augment: '' is not a whole number"},
    {2, "data: {name: glyphs, augment: shift=2x3x4}", "2:39: data.augment: '3x4' is not a whole"},
    {2, "data: {name: glyphs, augment: shift=1 shift=2}", "2:39: data.augment: shift= is given"},
    {2, "data: {name: glyphs, pad: -1}", "2:27: data.pad: -1 is out of range, 0 to"},
    {2, "data: {name: glyphs, pad: 1.5}", "2:27: data.pad: '1.5' is not a whole number"},
    {2, "data: {name: glyphs, pad: 1x123456789012345678901}",
     "2:27: data.pad: '1x123456789012345678901' is not a size; accepted: 2, or 2x1"},
    {2, "data: {name: glyphs, patches: 0}", "2:31: data.patches: 0 is out of range, 1 to"},
    {2, "data: {name: glyphs, patches: 7, augment: flip=yes}",
     "2:43: data.augment: whole images are moved and cropped, but data.patches"},
    {2, "data: {name: glyphs, patches: 7, augment: crop=7}", "2:43: data.augment: whole images"},
    {2, "data: {name: glyphs, normalize: half}",
     "2:33: data.normalize: 'half' is not one of: none, 01, zscore"},
    {2, "data: {name: glyphs, validation: 1.5}", "2:34: data.validation: accepted: 0, a fraction"},
    {2, "data: {name: glyphs, validation: -1}", "2:34: data.validation: accepted"},
    {2, "data: {name: glyphs, limit_train: 010}",
     "2:35: data.limit_train: '010' is not a whole number"},
    {2, "data: {name: glyphs, seed: -1}", "2:28: data.seed: '-1' is not a whole number"},
    {3, "model: linear 10", "3:8: model: a list of layers is expected"},
    {3, "model: []", "3:8: model: a list of layers is missing"},
    {3, "model: {a: 1}", "3:8: model: a list of layers is expected"},
    {3, "model: [[linear]]", "3:9: model: a layer is one line"},
    {3, "model: [konv 8 5x5]", "3:9: model: 'konv' is not a layer; there are: conv, convtranspose"},
    {3, "model: [conv 8 5y5]", "3:16: model: '5y5' is not a whole number"},
    {3, "model: ['conv 8 5y5']", "3:17: model: '5y5' is not a whole number"},
    {3, "model: [linear $n 5]", "3:16: the recipe has no variable '$n'; it has: act"},
    {3, "model: [$act, $act 3]", "3:20: model: '3' does not belong here"},
    {3, "model: [linear 10 $]", "3:19: '$' stands before the name of a variable"},
    {3, "model: [linear 5, pad=1, linear 0]", "3:19: model: 'pad=1' is not a layer"},
    {4, "init: {default: her}", "4:17: init.default: 'her' is not an initialiser"},
    {4, "init: {linear: normal mean=x}", "4:23: init.linear: 'x' is not a number"},
    {4, "init: {dense: he}", "4:8: init: unknown key 'dense'; accepted: default, conv, linear"},
    {5, "train: {epochs: 1}", "5:8: train.learning_rate is missing"},
    {5, "train: {learning_rate: 5e-4abc}",
     "5:24: train.learning_rate: '5e-4abc' is not a number (write it like 0.05 or 5e-4)"},
    {5, "train: {learning_rate: nan}", "5:24: train.learning_rate: 'nan' is not a number"},
    {5, "train: {learning_rate: 010}", "5:24: train.learning_rate: '010' is not a number"},
    {5, "train: {learning_rate: 0x1}", "5:24: train.learning_rate: '0x1' is not a number"},
    {5, "train: {learning_rate: 0}", "5:24: train.learning_rate: 0 is out of range, above 0"},
    {5, "train: {learning_rate: 1e-60}", "5:24: train.learning_rate: 1e-60 is out of range"},
    {5, "train: {learning_rate: 1e39}", "5:24: train.learning_rate: 1e39 is out of range"},
    {5, "train: {learning_rate: 1, l2: -1}", "5:31: train.l2: -1 is out of range, 0 or more"},
    {5, "train: {learning_rate: 1, batch: 0}", "5:34: train.batch: 0 is out of range, 1 to"},
    {5, "train: {learning_rate: 1, epochs: 1.5}", "5:35: train.epochs: '1.5' is not a whole"},
    {5, "train: {learning_rate: 1, loss: hinge}",
     "5:33: train.loss: 'hinge' is not one of: cross-entropy, mse, perceptron"},
    {5, "train: {learning_rate: 1, smoothing: 1}",
     "5:38: train.smoothing: 1 is out of range, 0 to"},
    {5, "train: {learning_rate: 1, loss: mse, smoothing: 0.1}",
     "5:49: train.smoothing: only cross-entropy has it, but the loss is mse"},
    {5, "train: {learning_rate: 1, class_weights: even}",
     "5:42: train.class_weights: 'even' is not a number"},
    {5, "train: {learning_rate: 1, class_weights: 1 2 -1}",
     "5:46: train.class_weights: -1 is out of range, 0 or more"},
    {5, "train: {learning_rate: 1, class_weights: 0 0}",
     "5:42: train.class_weights: accepted: none, balanced, or a weight for each class"},
    {5, "train: {learning_rate: 1, class_weights: ''}",
     "5:43: train.class_weights: accepted: none"},
    {5, "train: {learning_rate: 1, schedule: linear}",
     "5:37: train.schedule: 'linear' is not a schedule; there are: constant [warmup=STEPS]; step "},
    {5, "train: {learning_rate: 1, schedule: step factor=0.1}",
     "5:52: train.schedule: every= is missing; accepted: step every=EPOCHS"},
    {5, "train: {learning_rate: 1, schedule: step every=0}",
     "5:48: train.schedule: 0 is out of range, 1 to"},
    {5, "train: {learning_rate: 1, schedule: exponential}",
     "5:48: train.schedule: factor= is missing"},
    {5, "train: {learning_rate: 1, schedule: exponential factor=0}",
     "5:56: train.schedule: 0 is out of range, above 0"},
    {5, "train: {learning_rate: 1, schedule: cosine least=1.1}",
     "5:50: train.schedule: 1.1 is out of range, 0 to 1"},
    {5, "train: {learning_rate: 1, schedule: plateau factor=1}",
     "5:52: train.schedule: 1 is out of range, above 0 and below 1"},
    {5, "train: {learning_rate: 1, schedule: constant warmup=-1}",
     "5:53: train.schedule: -1 is out of range, 0 to"},
    {5, "train: {learning_rate: 1, l1: -1}", "5:31: train.l1: -1 is out of range, 0 or more"},
    {5, "train: {learning_rate: 1, decay: nan}", "5:34: train.decay: 'nan' is not a number"},
    {5, "train: {learning_rate: 1, decay_per: image}",
     "5:38: train.decay_per: 'image' is not one of: batch, sample, dataset"},
    {5, "train: {learning_rate: 1, clip: -1}", "5:33: train.clip: -1 is out of range, 0 or more"},
    {5, "train: {learning_rate: 1, accumulate: 0}", "5:39: train.accumulate: 0 is out of range, 1"},
    {5, "train: {learning_rate: 1, accumulate: 3}",
     "5:39: train.accumulate: 3 parts of a batch of 64 are not whole images"},
    {5, "train: {learning_rate: 1, accumulate: 128}", "5:39: train.accumulate: 128 parts of a"},
    {5, "train: {learning_rate: 1, epochs: 1, steps: 2}",
     "5:45: train.steps: train.epochs is given, too; a recipe has one of them"},
    {5, "train: {learning_rate: 1, steps: 0}", "5:34: train.steps: 0 is out of range, 1 to"},
    {5, "train: {learning_rate: 1, evaluate_every: 5}",
     "5:44: train.evaluate_every: accepted: N epochs or N steps"},
    {5, "train: {learning_rate: 1, evaluate_every: 0 steps}",
     "5:43: train.evaluate_every: 0 is out of range, 1 to"},
    {5, "train: {learning_rate: 1, evaluate_every: 5 stepsx}",
     "5:45: train.evaluate_every: accepted: N epochs or N steps"},
    {5, "train: {learning_rate: 1, evaluate_every: 5 steps long}",
     "5:45: train.evaluate_every: accepted: N epochs or N steps"},
    {5, "train: {learning_rate: 1, test_curve: true}",
     "5:39: train.test_curve: 'true' is neither yes nor no"},
    {5, "train: {learning_rate: 1, patience: 3}",
     "5:37: train.patience: stopping early needs images to validate on: give data.validation"},
    {5, "train: {learning_rate: 1, keep: first}", "5:33: train.keep: 'first' is not one of: best,"},
    {5, "train: {learning_rate: 1, folds: 1}", "5:34: train.folds: 1 is out of range; accepted: 0"},
    {5, "train: {learning_rate: 1, optimizer: adamx}",
     "5:38: train.optimizer: 'adamx' is not an optimizer; there are: sgd [momentum=M] "
     "[nesterov=yes]; adam "},
    {5, "train: {learning_rate: 1, optimizer: sgd nesterov=yes}",
     "5:38: train.optimizer: nesterov=yes needs momentum= above 0"},
    {5, "train: {learning_rate: 1, optimizer: adagrad momentum=0.9}",
     "5:46: train.optimizer: 'momentum' does not belong here; accepted: adagrad [epsilon=E]"},
    {5, "train: {learning_rate: 1, optimizer: ''}",
     "5:39: train.optimizer: '' is not an optimizer"},
    {5, "train: {learning_rate: 1, optimizer: sgd nesterov}",
     "5:42: train.optimizer: 'nesterov' does not belong here; accepted: sgd [momentum=M] "},
    {5, "train: {learning_rate: 1, optimizer: sgd beta1=0.9}",
     "5:42: train.optimizer: 'beta1' does not belong here"},
    {5, "train: {learning_rate: 1, optimizer: adam beta1=0.9 beta1=0.8}",
     "5:53: train.optimizer: beta1= is given twice"},
    {5, "train: {learning_rate: 1, optimizer: adam beta2=1}",
     "5:49: train.optimizer: 1 is out of range, 0 to below 1"},
    {5, "train: {learning_rate: 1, optimizer: adam epsilon=0}",
     "5:51: train.optimizer: 0 is out of range, above 0"},
    {5, "train: {learning_rate: 1", "6:1: "},
};

START_TEST(test_bad_lines)
{
    const char *lines[5] = {"vars: {act: relu}", "data: {name: glyphs}", "model: [linear 10]",
                            "init: {default: he}", "train: {learning_rate: 0.1}"};
    char text[600], wanted[400];
    struct cairn_recipe r;
    lines[bad_lines[_i].line - 1] = bad_lines[_i].text;
    snprintf(text, sizeof text, "%s\n%s\n%s\n%s\n%s\n", lines[0], lines[1], lines[2], lines[3],
             lines[4]);
    snprintf(wanted, sizeof wanted, "%s:%s", path, bad_lines[_i].complaint);
    ck_assert_int_eq(read_text(text, NULL, 0, &r), CAIRN_PARSE);
    ck_assert_msg(strncmp(cairn_error(), wanted, strlen(wanted)) == 0, "%s\n  is not\n%s",
                  cairn_error(), wanted);
    ck_assert_ptr_null(r.layers);
}
END_TEST

START_TEST(test_bad_files)
{
    struct cairn_recipe r;
    ck_assert_int_eq(read_text("", NULL, 0, &r), CAIRN_PARSE);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "r.yaml: the file is empty"));
    ck_assert_int_eq(read_keys("validation: 0.2", "learning_rate: 1, folds: 5", &r), CAIRN_PARSE);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "r.yaml:1:34: data.validation: train.folds lets"));
    ck_assert_int_eq(read_text("- a\n", NULL, 0, &r), CAIRN_PARSE);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "r.yaml:1:1: a recipe has the sections"));
    ck_assert_int_eq(read_text("data: {name: glyphs}\n", NULL, 0, &r), CAIRN_PARSE);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "r.yaml:1:1: train.learning_rate is missing"));
    ck_assert_int_eq(cairn_recipe_read("none/such.yaml", NULL, 0, &r), CAIRN_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "none/such.yaml"));
    ck_assert_int_eq(cairn_recipe_read("nonesuch", NULL, 0, &r), CAIRN_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "nonesuch.yaml in "));
    ck_assert_ptr_nonnull(strstr(cairn_error(), "data/recipes, "));
}
END_TEST

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
    tcase_add_loop_test(tc, test_bad_settings, 0, COUNT(bad_settings));
    tcase_add_loop_test(tc, test_bad_lines, 0, COUNT(bad_lines));
    tcase_add_test(tc, test_bad_files);
    tcase_add_test(tc, test_names);
    tcase_add_loop_test(tc, test_delivered, 0, COUNT(delivered));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
