/* Recipes that are refused: the exact place and words of every complaint. */
#include "recipes.h"
#include "suite.h"

#include <stdlib.h>

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
    {2, "data: {name: glyphs, augment: shift=2x}",
     "2:37: data.augment: '2x' is not a size; accepted: 2, or 2x1"},
    {2, "data: {name: glyphs, augment: shift=2x3x4}", "2:39: data.augment: '3x4' is not a whole"},
    {2, "data: {name: glyphs, augment: shift=1 shift=2}", "2:39: data.augment: shift= is given"},
    {2, "data: {name: glyphs, pad: -1}", "2:27: data.pad: -1 is out of range, 0 to"},
    {2, "data: {name: glyphs, pad: 2x}", "2:27: data.pad: '2x' is not a size; accepted: 2, or 2x1"},
    {2, "data: {name: glyphs, pad: x2}", "2:27: data.pad: 'x2' is not a size; accepted: 2, or 2x1"},
    {2, "data: {name: glyphs, pad: ''}", "2:28: data.pad: '' is not a size; accepted: 2, or 2x1"},
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

#define COUNT(table) (int)(sizeof table / sizeof *table)

int main(void)
{
    Suite *suite = suite_create("recipe_refused");
    TCase *tc = tcase_create("recipe_refused");
    tcase_add_checked_fixture(tc, enter, scratch_remove);
    tcase_add_loop_test(tc, test_bad_settings, 0, COUNT(bad_settings));
    tcase_add_loop_test(tc, test_bad_lines, 0, COUNT(bad_lines));
    tcase_add_test(tc, test_bad_files);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
