/* Softmax, its gradient and the losses of the reference: against oracles, chosen values, finite
 * differences, and bit for bit against docs/ARITHMETIC.md written out naively. */
#include "base/exact.h"
#include "naive.h"
#include "oracle/trial.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIT 0x1p-24

static double *room(int64_t count)
{
    double *doubles = calloc((size_t)count + 1, sizeof *doubles);
    ck_assert(doubles);
    return doubles;
}

/* Labels from -1 to `classes`, both of them outside. */
static void draw_labels(struct trial *t, int64_t rows, int64_t classes)
{
    for (int64_t r = 0; r < rows; r++)
        trial_ints(t, "labels")[r] = (int32_t)draw_between(-1, classes);
}

/* From 0, which is as likely as anything else, to 3; NULL where the problem has none. */
static double *draw_weights(struct trial *t)
{
    int64_t classes = trial_extent(t, "class_weights");
    for (int64_t j = 0; j < classes; j++)
        trial_floats(t, "class_weights")[j] = draw_u32() % 4 ? (float)draw_real(0, 3) : 0.0f;
    return classes ? trial_doubles(t, "class_weights") : NULL;
}

/* Both bounds grow with the number of terms behind a sum and with the size of the logits; the
 * smoothed part is a mean of C losses of at most 2 spread + log C. */
static void hold_softmax(struct trial *t, double spread)
{
    const struct cairn_softmax *p = &t->problem.u.softmax;
    int64_t all = p->rows * p->classes;
    draw_floats(trial_floats(t, "logits"), all, -spread, spread);
    draw_labels(t, p->rows, p->classes);
    double *z = trial_doubles(t, "logits"), *weights = draw_weights(t);
    double *loss = room(p->rows), *grad = room(all), *prob = room(all);
    int32_t *correct = calloc((size_t)p->rows, sizeof *correct);
    oracle_softmax(p, z, trial_ints(t, "labels"), weights, loss, correct, grad, prob);
    trial_run(t, draw_between(0, 3));
    double terms = (double)p->classes / 32, of_p = UNIT * (16 + 4 * spread + terms);
    double of_loss = UNIT * (40 + 8 * spread + terms +
                             80 * (double)p->smoothing * (2 * spread + log((double)p->classes)));
    for (int64_t r = 0; r < p->rows; r++) {
        ck_near(trial_floats(t, "loss")[r], loss[r], 3 * of_loss, "loss %lld", (long long)r);
        ck_assert_int_eq(trial_ints(t, "correct")[r], correct[r]);
    }
    for (int64_t e = 0; e < all; e++) {
        double v = p->want_prob == 2 ? exp(prob[e]) : prob[e];
        if (p->want_prob)
            ck_near(trial_floats(t, "prob")[e], prob[e],
                    p->want_prob == 2 ? of_loss : of_p * v + 0x1p-149, "prob %lld", (long long)e);
        if (p->want_grad)
            ck_near(trial_floats(t, "grad")[e], grad[e],
                    fabs((double)p->scale) * (weights ? 3 : 1) *
                        (of_p * (p->want_prob ? v : 1) + 3 * UNIT),
                    "grad %lld", (long long)e);
    }
    free(z), free(weights), free(loss), free(grad), free(prob), free(correct);
}

START_TEST(softmax_random)
{
    static const double smoothing[] = {0, 0, 0.1, 0.5, 0.99999994};
    draw_seed(40);
    for (int i = 0; i < 150; i++) {
        struct trial t;
        trial_init(&t,
                   "softmax rows=%d classes=%d want_grad=%d want_prob=%d scale=0.25 weighted=%d "
                   "smoothing=%.9g",
                   (int)draw_between(1, 9), (int)draw_between(1, i % 6 ? 40 : 9000),
                   (int)draw_between(0, 1), (int)draw_between(0, 2), (int)draw_between(0, 1),
                   smoothing[i % 5]);
        hold_softmax(&t, i % 3 == 0 ? 60 : 5);
        trial_finish(&t);
    }
}
END_TEST

/* What the losses share, whatever their descriptor. */
struct slopes {
    struct trial t;
    double z[35], loss[5];
    double *weights;
};

static void slopes_init(struct slopes *s, const char *line, const char *outputs)
{
    trial_init(&s->t, "%s", line);
    draw_floats(trial_floats(&s->t, outputs), 35, -3, 3);
    for (int r = 0; r < 5; r++) trial_ints(&s->t, "labels")[r] = r;
    s->weights = draw_weights(&s->t);
    for (int e = 0; e < 35; e++) s->z[e] = (double)trial_floats(&s->t, outputs)[e];
    trial_run(&s->t, 0);
}

static void slopes_losses(struct slopes *s)
{
    int32_t correct[5], *labels = trial_ints(&s->t, "labels");
    if (s->t.problem.op == CAIRN_OP_SOFTMAX)
        oracle_softmax(&s->t.problem.u.softmax, s->z, labels, s->weights, s->loss, correct, NULL,
                       NULL);
    else
        oracle_loss(&s->t.problem.u.loss, s->z, labels, s->weights, s->loss, correct, NULL);
}

/* The gradient is scale = 1/2 times the slope of its row's loss. */
START_TEST(loss_slopes)
{
    static const char *const lines[][2] = {
        {"softmax rows=5 classes=7 want_grad=1 scale=0.5", "logits"},
        {"softmax rows=5 classes=7 want_grad=1 scale=0.5 smoothing=0.1", "logits"},
        {"softmax rows=5 classes=7 want_grad=1 scale=0.5 smoothing=0.9 weighted=1", "logits"},
        {"loss kind=mse rows=5 classes=7 want_grad=1 scale=0.5", "z"},
        {"loss kind=mse rows=5 classes=7 want_grad=1 scale=0.5 weighted=1", "z"},
        {"loss kind=perceptron rows=5 classes=7 want_grad=1 scale=0.5", "z"},
        {"loss kind=perceptron rows=5 classes=7 want_grad=1 scale=0.5 weighted=1", "z"},
    };
    const double h = 1e-5;
    draw_seed(41);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct slopes s;
        slopes_init(&s, lines[i][0], lines[i][1]);
        for (int e = 0; e < 35; e++) {
            double kept = s.z[e], side[2];
            for (int k = 0; k < 2; k++) {
                s.z[e] = kept + (k ? h : -h);
                slopes_losses(&s);
                side[k] = s.loss[e / 7];
            }
            s.z[e] = kept;
            ck_near(trial_floats(&s.t, "grad")[e], 0.5 * (side[1] - side[0]) / (2 * h), 1e-5,
                    "%s: slope %d", lines[i][0], e);
        }
        free(s.weights);
        trial_finish(&s.t);
    }
}
END_TEST

START_TEST(softmax_specials)
{
    struct trial t;
    const float z[7][3] = {
        {NAN, 0, 1}, {INFINITY, 0, 1}, {-INFINITY, 0, -INFINITY}, {-INFINITY, -INFINITY, -INFINITY},
        {2, 2, 1},   {-0.0f, 0, -1},   {1000, -1000, 0}};
    const int32_t labels[7] = {2, 0, 1, 0, 1, 0, 1}, correct[7] = {0, 1, 1, 1, 0, 1, 0};
    const float loss[7] = {NAN, NAN, 0, NAN, 0.861995f, 0.861995f, 2000};
    trial_init(&t, "softmax rows=7 classes=3 want_prob=1");
    memcpy(trial_floats(&t, "logits"), z, sizeof z);
    memcpy(trial_ints(&t, "labels"), labels, sizeof labels);
    trial_run(&t, 0);
    for (int r = 0; r < 7; r++) {
        ck_assert_int_eq(trial_ints(&t, "correct")[r], correct[r]);
        ck_near(trial_floats(&t, "loss")[r], (double)loss[r], 1e-5, "row %d", r);
    }
    const float *prob = trial_floats(&t, "prob");
    ck_assert(isnan(prob[0]) && isnan(prob[1]) && isnan(prob[2]));
    ck_assert(same_bits(prob[6], 0.0f) && same_bits(prob[7], 1.0f) && same_bits(prob[8], 0.0f));
    ck_assert(same_bits(prob[18], 1.0f) && same_bits(prob[19], 0.0f));
    trial_finish(&t);
}
END_TEST

/* -infinity: its logarithm is -infinity, and a smoothed loss infinite; a label outside has weight 1
 * and no target of its own; a weight of 0 takes its row out. */
START_TEST(softmax_options_specials)
{
    struct trial t;
    const float z[4][2] = {{0, -INFINITY}, {5, 5}, {5, 5}, {NAN, 0}};
    const int32_t labels[4] = {0, 7, 1, 1};
    trial_init(&t, "softmax rows=4 classes=2 want_grad=1 want_prob=2 weighted=1 smoothing=0.5");
    memcpy(trial_floats(&t, "logits"), z, sizeof z);
    memcpy(trial_ints(&t, "labels"), labels, sizeof labels);
    trial_floats(&t, "class_weights")[0] = 2;
    trial_run(&t, 0);
    const float *grad = trial_floats(&t, "grad"), *prob = trial_floats(&t, "prob"),
                *loss = trial_floats(&t, "loss");
    ck_assert(same_bits(prob[0], 0.0f) && same_bits(prob[1], -INFINITY));
    ck_assert(same_bits(loss[0], INFINITY));
    ck_assert(same_bits(grad[0], 0.5f) &&
              same_bits(grad[1], -0.5f)); /* 2 (1 - 0.75), 2 (0 - 0.25) */
    ck_assert(isnan(loss[1]) && same_bits(grad[2], 0.25f) && same_bits(grad[3], 0.25f));
    ck_assert(same_bits(loss[2], 0.0f) && same_bits(grad[4], 0.0f) && same_bits(grad[5], -0.0f));
    ck_assert(isnan(loss[3]) && isnan(grad[6]) && isnan(grad[7]) && isnan(prob[6]));
    for (int r = 0; r < 4; r++) ck_assert_int_eq(trial_ints(&t, "correct")[r], r == 0);
    trial_finish(&t);
}
END_TEST

/* y as the layer makes it. */
static void draw_layer(struct trial *t, double spread)
{
    const struct cairn_softmax_grad *p = &t->problem.u.softmax_grad;
    float *y = trial_floats(t, "y");
    draw_floats(y, p->rows * p->classes, -spread, spread);
    for (int64_t r = 0; r < p->rows; r++, y += p->classes) {
        double sum = 0;
        for (int64_t j = 0; j < p->classes; j++) sum += exp((double)y[j]);
        for (int64_t j = 0; j < p->classes; j++)
            y[j] = (float)(p->log ? (double)y[j] - log(sum) : exp((double)y[j]) / sum);
    }
    draw_floats(trial_floats(t, "dy"), p->rows * p->classes, -2, 2);
}

START_TEST(softmax_grad_random)
{
    draw_seed(42);
    for (int i = 0; i < 80; i++) {
        struct trial t;
        trial_init(&t, "softmax_grad rows=%d classes=%d log=%d", (int)draw_between(1, 6),
                   (int)draw_between(1, i % 10 ? 80 : 1500), i % 2);
        const struct cairn_softmax_grad *p = &t.problem.u.softmax_grad;
        int64_t all = p->rows * p->classes;
        draw_layer(&t, i % 3 ? 2 : 20);
        double *y = trial_doubles(&t, "y"), *dy = trial_doubles(&t, "dy"), *dx = room(all);
        oracle_softmax_grad(p, y, dy, dx);
        trial_run(&t, draw_between(0, 3));
        /* the sum is of C terms: of dy, up to 2 each, or of y dy, up to 2 together */
        for (int64_t e = 0; e < all; e++) {
            double v = p->log ? exp(y[e]) : y[e], terms = p->log ? 2 * (double)p->classes : 2;
            ck_near(trial_floats(&t, "dx")[e], dx[e],
                    UNIT * (v * (80 * terms + 8) + fabs(dx[e])) + 0x1p-148, "dx %lld",
                    (long long)e);
        }
        free(y), free(dy), free(dx);
        trial_finish(&t);
    }
}
END_TEST

/* The gradient's own test: the slope of sum dy y(z), y the layer in doubles. */
START_TEST(softmax_grad_slopes)
{
    enum { CLASSES = 7 };
    draw_seed(43);
    for (int log_too = 0; log_too < 2; log_too++) {
        struct trial t;
        struct cairn_softmax layer = {.rows = 1, .classes = CLASSES, .want_prob = 1 + log_too};
        double z[CLASSES], y[CLASSES], loss, side[2];
        int32_t label = 0, correct;
        const double h = 1e-5;
        trial_init(&t, "softmax_grad rows=1 classes=%d log=%d", CLASSES, log_too);
        for (int j = 0; j < CLASSES; j++) z[j] = draw_real(-3, 3);
        oracle_softmax(&layer, z, &label, NULL, &loss, &correct, NULL, y);
        for (int j = 0; j < CLASSES; j++) trial_floats(&t, "y")[j] = (float)y[j];
        draw_floats(trial_floats(&t, "dy"), CLASSES, -2, 2);
        trial_run(&t, 1);
        for (int e = 0; e < CLASSES; e++) {
            double kept = z[e];
            for (int k = 0; k < 2; k++) {
                z[e] = kept + (k ? h : -h);
                oracle_softmax(&layer, z, &label, NULL, &loss, &correct, NULL, y);
                side[k] = 0;
                for (int j = 0; j < CLASSES; j++)
                    side[k] += (double)trial_floats(&t, "dy")[j] * y[j];
            }
            z[e] = kept;
            ck_near(trial_floats(&t, "dx")[e], (side[1] - side[0]) / (2 * h), 1e-5, "slope %d", e);
        }
        trial_finish(&t);
    }
}
END_TEST

START_TEST(loss_random)
{
    draw_seed(44);
    for (int i = 0; i < 120; i++) {
        struct trial t;
        trial_init(&t, "loss kind=%s rows=%d classes=%d want_grad=%d weighted=%d scale=0.25",
                   i % 2 ? "perceptron" : "mse", (int)draw_between(1, 9),
                   (int)draw_between(1, i % 6 ? 40 : 9000), (int)draw_between(0, 1),
                   (int)draw_between(0, 1));
        const struct cairn_loss *p = &t.problem.u.loss;
        int64_t all = p->rows * p->classes;
        draw_floats(trial_floats(&t, "z"), all, -4, 4);
        draw_labels(&t, p->rows, p->classes);
        double *z = trial_doubles(&t, "z"), *weights = draw_weights(&t);
        double *loss = room(p->rows), *grad = room(all);
        int32_t *correct = calloc((size_t)p->rows, sizeof *correct);
        oracle_loss(p, z, trial_ints(&t, "labels"), weights, loss, correct, grad);
        trial_run(&t, draw_between(0, 3));
        for (int64_t r = 0; r < p->rows; r++) {
            ck_near(trial_floats(&t, "loss")[r], loss[r], UNIT * 90 * fabs(loss[r]), "loss %lld",
                    (long long)r);
            ck_assert_int_eq(trial_ints(&t, "correct")[r], correct[r]);
        }
        for (int64_t e = 0; p->want_grad && e < all; e++)
            ck_near(trial_floats(&t, "grad")[e], grad[e], UNIT * 6 * fabs(grad[e]), "grad %lld",
                    (long long)e);
        free(z), free(weights), free(loss), free(grad), free(correct);
        trial_finish(&t);
    }
}
END_TEST

/* Ties: the first largest wins, and is right if it is the label. */
START_TEST(perceptron_chosen)
{
    struct trial t;
    const float z[6][3] = {{1, 3, 3}, {1, 3, 3},   {-0.0f, 0, 0},
                           {2, 5, 1}, {NAN, 1, 2}, {NAN, 1, 2}};
    const int32_t labels[6] = {1, 2, 1, -1, 1, 3}, correct[6] = {1, 0, 0, 0, 0, 0};
    const float loss[6] = {0, 0, 0, NAN, NAN, NAN};
    const float grad[6][3] = {{0, 0, 0}, {0, 2, -2},      {2, -2, 0},
                              {0, 0, 0}, {NAN, NAN, NAN}, {0, 0, 0}};
    trial_init(&t, "loss kind=perceptron rows=6 classes=3 want_grad=1 scale=2");
    memcpy(trial_floats(&t, "z"), z, sizeof z);
    memcpy(trial_ints(&t, "labels"), labels, sizeof labels);
    trial_run(&t, 0);
    for (int r = 0; r < 6; r++) {
        ck_assert_int_eq(trial_ints(&t, "correct")[r], correct[r]);
        ck_hold(same_bits(trial_floats(&t, "loss")[r], loss[r]), "loss %d", r);
        for (int j = 0; j < 3; j++)
            ck_hold(same_bits(trial_floats(&t, "grad")[r * 3 + j], grad[r][j]), "grad %d %d", r, j);
    }
    trial_finish(&t);
}
END_TEST

START_TEST(mse_chosen)
{
    struct trial t;
    const float z[3][2] = {{0.5f, -1}, {1, 0}, {INFINITY, NAN}};
    const int32_t labels[3] = {0, 2, 1};
    trial_init(&t, "loss kind=mse rows=3 classes=2 want_grad=1 weighted=1 scale=3");
    memcpy(trial_floats(&t, "z"), z, sizeof z);
    memcpy(trial_ints(&t, "labels"), labels, sizeof labels);
    trial_floats(&t, "class_weights")[0] = 4;
    trial_floats(&t, "class_weights")[1] = 1;
    trial_run(&t, 0);
    const float *grad = trial_floats(&t, "grad"), *loss = trial_floats(&t, "loss");
    ck_assert(same_bits(loss[0], 2.5f) && same_bits(grad[0], -6) && same_bits(grad[1], -12));
    ck_assert(isnan(loss[1]) && same_bits(grad[2], 3) && same_bits(grad[3], 0));
    ck_assert(isnan(loss[2]) && same_bits(grad[4], INFINITY) && isnan(grad[5]));
    ck_assert_int_eq(trial_ints(&t, "correct")[0], 1);
    ck_assert_int_eq(trial_ints(&t, "correct")[1] | trial_ints(&t, "correct")[2], 0);
    trial_finish(&t);
}
END_TEST

static float *draw_bits(struct trial *t, const char *outputs, int64_t classes)
{
    float *z = trial_floats(t, outputs);
    draw_floats(z, 3 * classes, -20, 20);
    z[draw_between(0, 3 * classes - 1)] = -0.0f;
    for (int r = 0; r < 3; r++) trial_ints(t, "labels")[r] = (int32_t)draw_between(0, classes - 1);
    free(draw_weights(t));
    return z;
}

static float naive_max(const float *z, int64_t classes)
{
    float m = -INFINITY;
    for (int64_t j = 0; j < classes; j++) m = z[j] > m ? z[j] : m;
    return m == 0 ? 0.0f : m;
}

static void hold_softmax_bits(struct trial *t, int64_t r)
{
    static float e[20000], v[20000];
    const struct cairn_softmax *p = &t->problem.u.softmax;
    int64_t label = trial_ints(t, "labels")[r], classes = p->classes;
    const float *z = trial_floats(t, "logits") + r * classes;
    float m = naive_max(z, classes), scale = p->scale;
    for (int64_t j = 0; j < classes; j++) e[j] = cairn_exact_exp(z[j] - m);
    float s = naive_sum(e, classes, 0), l = cairn_exact_log(s), loss = l - (z[label] - m);
    for (int64_t j = 0; j < classes; j++) v[j] = l - (z[j] - m);
    volatile float off = p->smoothing / (float)classes, on = 1.0f - p->smoothing;
    if (p->smoothing > 0) {
        volatile float u = off * naive_sum(v, classes, 0);
        loss = fmaf(on, loss, u);
    }
    on = on + off;
    if (p->weighted) {
        loss = loss * trial_floats(t, "class_weights")[label];
        scale = scale * trial_floats(t, "class_weights")[label];
    }
    ck_hold(same_bits(trial_floats(t, "loss")[r], loss), "loss of %lld classes",
            (long long)classes);
    for (int64_t j = 0; j < classes; j++) {
        volatile float prob = e[j] / s, grad = prob - (j == label ? on : off);
        float wanted = p->want_prob == 2 ? (z[j] - m) - l : prob;
        grad = grad * scale;
        ck_hold(same_bits(trial_floats(t, "prob")[r * classes + j], wanted), "prob");
        ck_hold(same_bits(trial_floats(t, "grad")[r * classes + j], grad), "grad");
    }
}

START_TEST(softmax_bits)
{
    static const double smoothing[] = {0, 0.1, 0.99999994, 1e-45};
    draw_seed(105);
    for (int i = 0; i < 80; i++) {
        struct trial t;
        trial_init(&t,
                   "softmax rows=3 classes=%d want_grad=1 want_prob=%d scale=0.0078125 "
                   "weighted=%d smoothing=%.9g",
                   (int)draw_between(1, i % 8 ? 90 : 14000), 1 + i / 4 % 2, i / 16 % 2,
                   smoothing[i % 4]);
        draw_bits(&t, "logits", t.problem.u.softmax.classes);
        trial_run(&t, draw_between(0, 3));
        for (int r = 0; r < 3; r++) hold_softmax_bits(&t, r);
        trial_finish(&t);
    }
}
END_TEST

START_TEST(softmax_grad_bits)
{
    static float v[20000];
    draw_seed(106);
    for (int i = 0; i < 60; i++) {
        struct trial t;
        trial_init(&t, "softmax_grad rows=3 classes=%d log=%d",
                   (int)draw_between(1, i % 8 ? 90 : 14000), i % 2);
        int64_t classes = t.problem.u.softmax_grad.classes;
        draw_layer(&t, 4);
        trial_run(&t, draw_between(0, 3));
        for (int64_t r = 0; r < 3; r++) {
            const float *y = trial_floats(&t, "y") + r * classes,
                        *dy = trial_floats(&t, "dy") + r * classes;
            for (int64_t j = 0; j < classes; j++) v[j] = i % 2 ? dy[j] : dy[j] * y[j];
            float sum = naive_sum(v, classes, 0);
            for (int64_t j = 0; j < classes; j++) {
                volatile float part = dy[j] - sum;
                float want = i % 2 ? fmaf(-cairn_exact_exp(y[j]), sum, dy[j]) : y[j] * part;
                ck_hold(same_bits(trial_floats(&t, "dx")[r * classes + j], want), "dx");
            }
        }
        trial_finish(&t);
    }
}
END_TEST

static void hold_loss_bits(struct trial *t, int64_t r)
{
    static float d[20000];
    const struct cairn_loss *p = &t->problem.u.loss;
    int64_t label = trial_ints(t, "labels")[r], first = 0, classes = p->classes;
    const float *z = trial_floats(t, "z") + r * classes;
    float m = naive_max(z, classes), loss = m - z[label], scale = p->scale;
    while (z[first] != m) first++;
    for (int64_t j = 0; j < classes; j++) d[j] = j == label ? z[j] - 1 : z[j];
    if (p->kind == CAIRN_LOSS_MSE) loss = naive_sum(d, classes, 1) / (float)classes;
    if (p->weighted) {
        loss = loss * trial_floats(t, "class_weights")[label];
        scale = scale * trial_floats(t, "class_weights")[label];
    }
    ck_hold(same_bits(trial_floats(t, "loss")[r], loss), "loss of %lld classes",
            (long long)classes);
    ck_assert_int_eq(trial_ints(t, "correct")[r], first == label);
    for (int64_t j = 0; j < classes; j++) {
        volatile float step = 2.0f / (float)classes, part = d[j] * step;
        float want = p->kind == CAIRN_LOSS_MSE ? part * scale
                     : first == label          ? 0
                     : j == first              ? scale
                     : j == label              ? -scale
                                               : 0;
        ck_hold(same_bits(trial_floats(t, "grad")[r * classes + j], want), "grad");
    }
}

START_TEST(loss_bits)
{
    draw_seed(107);
    for (int i = 0; i < 80; i++) {
        struct trial t;
        trial_init(&t, "loss kind=%s rows=3 classes=%d want_grad=1 weighted=%d scale=0.3",
                   i % 2 ? "perceptron" : "mse", (int)draw_between(1, i % 8 ? 90 : 14000),
                   i / 2 % 2);
        draw_bits(&t, "z", t.problem.u.loss.classes);
        trial_run(&t, draw_between(0, 3));
        for (int r = 0; r < 3; r++) hold_loss_bits(&t, r);
        trial_finish(&t);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reference_losses");
    TCase *cases = tcase_create("losses");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, softmax_random);
    tcase_add_test(cases, softmax_specials);
    tcase_add_test(cases, softmax_options_specials);
    tcase_add_test(cases, softmax_grad_random);
    tcase_add_test(cases, softmax_grad_slopes);
    tcase_add_test(cases, loss_slopes);
    tcase_add_test(cases, loss_random);
    tcase_add_test(cases, perceptron_chosen);
    tcase_add_test(cases, mse_chosen);
    tcase_add_test(cases, softmax_bits);
    tcase_add_test(cases, softmax_grad_bits);
    tcase_add_test(cases, loss_bits);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
