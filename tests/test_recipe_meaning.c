/* What keys of a recipe do to a training: recipes that say the same in other words end in the same
 * weights, and others do not. */
#include "recipes.h"
#include "io/safetensors.h"
#include "train/session.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

struct seen {
    int evaluations;
    double train_loss[16], rates[16];
};

static void see(void *context, const struct cairn_train_event *event)
{
    struct seen *s = context;
    if (event->kind != CAIRN_TRAIN_EVALUATED || s->evaluations == 16) return;
    s->train_loss[s->evaluations] = event->train_loss;
    s->rates[s->evaluations++] = (double)event->learning_rate;
}

/* 160 images, batches of 32; the run lies in scratch/run. */
static void train(const char *data, const char *keys, struct cairn_train_result *result,
                  struct seen *seen)
{
    char text[2048], run[128];
    snprintf(run, sizeof run, "%s/run", scratch);
    snprintf(text, sizeof text,
             "data: {name: glyphs, limit_train: 160, limit_test: 20%s}\n"
             "model: [conv 4 5x5 stride=2, tanh, maxpool 2, dropout 0.1, linear 10]\n"
             "train: {batch: 32, %s}\n",
             data, keys);
    ck_assert_int_eq(cairn_file_write(path, text, strlen(text)), CAIRN_OK);
    struct cairn_train_options o = {.recipe = path,
                                    .compute = {.device = "reference"},
                                    .out = run,
                                    .force = 1,
                                    .event = seen ? see : NULL,
                                    .context = seen};
    ck_assert_msg(cairn_train(&o, result) == CAIRN_OK, "%s", cairn_error());
}

#define RATE "learning_rate: 0.01, "
static const struct {
    int same;
    const char *data1, *train1, *data2, *train2;
} pairs[] = {
    /* the length, and when to evaluate */
    {1, "", RATE "epochs: 2", "", RATE "steps: 10"},
    {1, "", RATE "epochs: 2", "", RATE "epochs: 2, evaluate_every: 3 steps"},
    {1, ", validation: 32", RATE "epochs: 2", ", validation: 32", RATE "epochs: 2, keep: last"},
    {1, "", RATE "steps: 4", "", RATE "steps: 4, test_curve: yes"},
    {0, "", RATE "steps: 4", "", RATE "steps: 3"},
    /* what is subtracted from 0 pixels, moved by nothing, or cut into one piece stays */
    {1, "", RATE "steps: 4", ", augment: crop=28", RATE "steps: 4"},
    {1, "", RATE "steps: 4", ", augment: rotate=0 flip=no", RATE "steps: 4"},
    {1, "", RATE "steps: 4", ", patches: 28", RATE "steps: 4"},
    {0, "", RATE "steps: 4", ", augment: flip=yes", RATE "steps: 4"},
    {0, "", RATE "steps: 4", ", augment: shift=0x1", RATE "steps: 4"},
    {0, "", RATE "steps: 4", ", augment: rotate=5", RATE "steps: 4"},
    {0, "", RATE "steps: 4", ", pad: 1", RATE "steps: 4"},
    /* penalties: 32 images a batch, 160 or 128 in the training part; powers of 2 divide exactly */
    {1, "", RATE "steps: 4, l2: 0.01", "", RATE "steps: 4, l2: 0.32, decay_per: sample"},
    {1, "", RATE "steps: 4, l1: 1e-3", "", RATE "steps: 4, l1: 0.032, decay_per: sample"},
    {1, ", validation: 32", RATE "steps: 4, decay: 0.1", ", validation: 32",
     RATE "steps: 4, decay: 12.8, decay_per: dataset"},
    {0, "", RATE "steps: 4", "", RATE "steps: 4, l1: 1e-3"},
    {0, "", RATE "steps: 4", "", RATE "steps: 4, decay: 0.1"},
    /* clipping */
    {1, "", RATE "steps: 4", "", RATE "steps: 4, clip: 1e6"},
    {0, "", RATE "steps: 4", "", RATE "steps: 4, clip: 0.01"},
    /* losses */
    {1, "", RATE "steps: 4", "", RATE "steps: 4, class_weights: 1 1 1 1 1 1 1 1 1 1"},
    {1, "", "learning_rate: 0.02, steps: 4", "",
     RATE "steps: 4, class_weights: 2 2 2 2 2 2 2 2 2 2"},
    {0, "", RATE "steps: 4", "", RATE "steps: 4, class_weights: 1 1 1 1 1 1 1 1 1 0.5"},
    {0, "", RATE "steps: 4", "", RATE "steps: 4, smoothing: 0.1"},
    {0, "", RATE "steps: 4", "", RATE "steps: 4, loss: mse"},
    {0, "", RATE "steps: 4", "", RATE "steps: 4, loss: perceptron"},
    /* optimizers */
    {1, "", RATE "steps: 4, optimizer: adam, decay: 0.01", "", RATE "steps: 4, optimizer: adamw"},
    {0, "", RATE "steps: 4, optimizer: adam", "", RATE "steps: 4, optimizer: adamw"},
    {1, "", "learning_rate: 1, steps: 4, optimizer: adadelta", "", "steps: 4, optimizer: adadelta"},
    {0, "", RATE "steps: 4, optimizer: sgd momentum=0.9", "",
     RATE "steps: 4, optimizer: sgd momentum=0.9 nesterov=yes"},
    {0, "", RATE "steps: 4, optimizer: rmsprop", "", RATE "steps: 4, optimizer: adagrad"},
    /* schedules */
    {1, "", RATE "steps: 5", "", RATE "steps: 5, schedule: step every=1"},
    {0, "", RATE "steps: 6", "", RATE "steps: 6, schedule: step every=1"},
    {1, "", RATE "steps: 7, schedule: exponential factor=0.5", "",
     RATE "steps: 7, schedule: step every=1 factor=0.5"},
    {0, "", RATE "steps: 4", "", RATE "steps: 4, schedule: cosine"},
    {1, "", RATE "steps: 4", "", RATE "steps: 4, schedule: cosine least=1"},
    {0, "", RATE "steps: 4", "", RATE "steps: 4, schedule: constant warmup=2"},
    {1, "", RATE "steps: 4", "", RATE "steps: 4, schedule: plateau"},
};

START_TEST(same_or_other)
{
    struct cairn_train_result a, b;
    train(pairs[_i].data1, pairs[_i].train1, &a, NULL);
    train(pairs[_i].data2, pairs[_i].train2, &b, NULL);
    ck_assert_int_eq(strcmp(a.weights_sha256, b.weights_sha256) == 0, pairs[_i].same);
}
END_TEST

/* `balanced` is what the counts of the training part say. */
START_TEST(balanced)
{
    struct cairn_dataset data = {0};
    struct cairn_train_result a, b;
    char keys[512] = RATE "steps: 4, class_weights:";
    float counts[10] = {0};
    ck_assert_int_eq(cairn_dataset_load("glyphs", NULL, 1, &data), CAIRN_OK);
    for (int i = 0; i < 160; i++) counts[data.train.labels[i]]++;
    for (int c = 0; c < 10; c++)
        sprintf(keys + strlen(keys), " %.9g", (double)(160.0f / (10 * counts[c])));
    train("", keys, &a, NULL);
    train("", RATE "steps: 4, class_weights: balanced", &b, NULL);
    ck_assert_str_eq(a.weights_sha256, b.weights_sha256);
    cairn_dataset_free(&data);
}
END_TEST

/* In parts the sums have another order, dropout and augmentation the same draws: nearly the same
 * losses. The last batch of 150 has 22 images: parts of 8, 8 and 6. */
START_TEST(in_parts)
{
    static const char *const parts[] = {RATE "epochs: 3", RATE "epochs: 3, accumulate: 4",
                                        RATE "epochs: 3, accumulate: 32"};
    struct seen seen[3] = {{0}, {0}, {0}};
    struct cairn_train_result result;
    for (int i = 0; i < 3; i++)
        train(", validation: 10, augment: shift=1 flip=yes", parts[i], &result, &seen[i]);
    for (int i = 1; i < 3; i++)
        for (int e = 0; e < 3; e++)
            ck_assert_double_eq_tol(seen[i].train_loss[e], seen[0].train_loss[e], 2e-5);
}
END_TEST

START_TEST(rates)
{
    struct seen seen = {0};
    struct cairn_train_result result;
    train("", RATE "steps: 12, evaluate_every: 2 steps, schedule: step every=1 factor=0.5 warmup=3",
          &result, &seen);
    static const float wanted[] = {0.01f * (2.0f / 3.0f), 0.01f,        0.01f * 0.5f,
                                   0.01f * 0.5f,          0.01f * 0.5f, 0.01f * 0.25f};
    ck_assert_int_eq(seen.evaluations, 6);
    for (int i = 0; i < 6; i++) ck_assert(seen.rates[i] == (double)wanted[i]);
}
END_TEST

static double metadata(const char *key)
{
    char file[128];
    struct cairn_st_file st;
    snprintf(file, sizeof file, "%s/run/last.safetensors", scratch);
    ck_assert_int_eq(cairn_st_read(file, &st), CAIRN_OK);
    const char *text = cairn_st_metadata(&st, key);
    ck_assert_ptr_nonnull(text);
    double value = strtod(text, NULL);
    cairn_st_free(&st);
    return value;
}

/* 14 pixels of zeros on every side: a quarter of the mean, and the deviation that belongs to it. */
START_TEST(moments_of_padded)
{
    struct cairn_train_result result;
    train(", normalize: zscore", RATE "steps: 1", &result, NULL);
    double mean = metadata("cairn.shift"), deviation = 1 / metadata("cairn.scale");
    train(", normalize: zscore, pad: 14", RATE "steps: 1", &result, NULL);
    ck_assert_double_eq_tol(metadata("cairn.shift"), mean / 4, 1e-6 * mean);
    double squares = (deviation * deviation + mean * mean) / 4;
    ck_assert_double_eq_tol(1 / metadata("cairn.scale"), sqrt(squares - mean * mean / 16),
                            1e-6 * deviation);
}
END_TEST

/* Every training image validates in one fold and trains in the others. */
START_TEST(folds_divide)
{
    struct cairn_recipe recipe;
    struct cairn_dataset data = {0};
    int validated[160] = {0};
    ck_assert_int_eq(read_keys("limit_train: 159", "learning_rate: 1, folds: 7", &recipe),
                     CAIRN_OK);
    ck_assert_int_eq(cairn_dataset_load("glyphs", NULL, 1, &data), CAIRN_OK);
    for (int64_t fold = 1; fold <= 7; fold++) {
        struct cairn_session session = {.fold = fold};
        int seen[160] = {0};
        ck_assert_int_eq(cairn_session_describe(&session, &recipe, &data), CAIRN_OK);
        ck_assert_int_eq(cairn_session_split(&session, &data), CAIRN_OK);
        int64_t count = session.counts[CAIRN_PART_VALIDATION];
        ck_assert(count == 22 || count == 23);
        ck_assert_int_eq(count + session.counts[CAIRN_PART_TRAIN], 159);
        for (int64_t i = 0; i < 159; i++) seen[session.split[i]]++;
        for (int64_t i = 0; i < count; i++) validated[session.split[i]]++;
        for (int i = 0; i < 159; i++) ck_assert_int_eq(seen[i], 1);
        cairn_session_close(&session);
    }
    for (int i = 0; i < 159; i++) ck_assert_int_eq(validated[i], 1);
    cairn_dataset_free(&data);
    cairn_recipe_free(&recipe);
}
END_TEST

/* Published layer tables: shapes and trainable numbers, running statistics not among them. */
static const struct {
    const char *model;
    int64_t parameters[16], out[3]; /* of each layer; the output of layer 0 */
} tables[] = {
    {"conv 4 3x3 pad=same, batchnorm, relu, maxpool 2, conv 4 3x3 pad=same, batchnorm, relu, "
     "maxpool 2, linear 10",
     {40, 8, 0, 0, 148, 8, 0, 0, 1970},
     {4, 28, 28}},
    {"conv 32 3x3 pad=1x0, relu, maxpool 2, linear 100, relu, linear 10, softmax",
     {320, 0, 0, 582500, 0, 1010, 0},
     {32, 28, 26}},
    {"conv 32 3x3 pad=1x0, relu, maxpool 2, conv 4 3x3 pad=same, batchnorm, relu, maxpool 2, "
     "linear 100, leakyrelu, dropout 0.2, linear 150, leakyrelu, dropout 0.2, linear 10",
     {320, 0, 0, 1156, 8, 0, 0, 16900, 0, 0, 15150, 0, 0, 1510},
     {32, 28, 26}},
};

START_TEST(layer_tables)
{
    char text[1024];
    struct cairn_compute compute = {0};
    struct cairn_summary s;
    int64_t sum = 0;
    snprintf(text, sizeof text,
             "data: {name: fashion-mnist}\nmodel: [%s]\n"
             "train: {learning_rate: 0.1, loss: %s, accumulate: 2}\n",
             tables[_i].model, strstr(tables[_i].model, "softmax") ? "mse" : "cross-entropy");
    ck_assert_int_eq(cairn_file_write(path, text, strlen(text)), CAIRN_OK);
    ck_assert_msg(cairn_summarize(path, NULL, 0, 0, &compute, &s) == CAIRN_OK, "%s", cairn_error());
    for (int i = 0; i < s.row_count; i++) {
        ck_assert_int_eq(s.rows[i].parameters, tables[_i].parameters[i]);
        sum += s.rows[i].parameters;
    }
    ck_assert_int_eq(s.parameters, sum);
    ck_assert(s.rows[0].c == tables[_i].out[0] && s.rows[0].h == tables[_i].out[1] &&
              s.rows[0].w == tables[_i].out[2]);
    ck_assert_int_eq(s.gradients_bytes, 2 * s.moments_bytes);
    ck_assert_int_eq(s.total_bytes, s.weights_bytes + s.gradients_bytes + s.moments_bytes +
                                        s.activations_bytes + s.data_bytes + s.other_bytes);
    cairn_summary_free(&s);
}
END_TEST

#define COUNT(table) (int)(sizeof table / sizeof *table)

int main(void)
{
    Suite *suite = suite_create("recipe_meaning");
    TCase *tc = tcase_create("recipe_meaning");
    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, enter, scratch_remove);
    tcase_add_loop_test(tc, same_or_other, 0, COUNT(pairs));
    tcase_add_test(tc, balanced);
    tcase_add_test(tc, in_parts);
    tcase_add_test(tc, rates);
    tcase_add_test(tc, moments_of_padded);
    tcase_add_test(tc, folds_divide);
    tcase_add_loop_test(tc, layer_tables, 0, COUNT(tables));
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
