/* cairn_predict(): some images in the place of the test images, evaluated. */
#include "base/error.h"
#include "report/answers.h"
#include "report/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The images, in the recipe's shape, with labels that count nowhere. */
static cairn_status take_images(const struct cairn_trained *t,
                                const struct cairn_predict_options *options,
                                struct cairn_images *images, struct cairn_predictions *result)
{
    cairn_status st = CAIRN_OK;
    size_t item = (size_t)cairn_shape_count(t->session.image), count = (size_t)options->count;
    images->count = options->count;
    images->pixels = malloc(count * item);
    images->labels = calloc(count, 1);
    if (!images->pixels || !images->labels) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (size_t i = 0; i < count && st == CAIRN_OK; i++) {
        struct cairn_dataset one = {0};
        struct cairn_prediction *p = &result->items[i];
        st = cairn_image_take(t, options->images[i], &one, p->image, p->label);
        if (st == CAIRN_OK) memcpy(images->pixels + i * item, one.test.pixels, item);
        cairn_dataset_free(&one);
    }
    return st;
}

static void put_images(struct cairn_trained *t, struct cairn_images *images)
{
    free(t->data.test.pixels);
    free(t->data.test.labels);
    t->data.test = *images;
    t->session.counts[CAIRN_PART_TEST] = images->count;
    memset(images, 0, sizeof *images);
}

static cairn_status read_outputs(const struct cairn_trained *t, struct cairn_predictions *result)
{
    cairn_status st = CAIRN_OK;
    size_t classes = (size_t)result->classes, bytes = classes * sizeof(float);
    int probable = cairn_answers_probable(t);
    for (int i = 0; i < result->count; i++) {
        struct cairn_prediction *p = &result->items[i];
        p->outputs = malloc(bytes);
        p->probabilities = malloc(classes * sizeof *p->probabilities);
        if (!p->outputs || !p->probabilities) return cairn_fail(CAIRN_MEMORY, "out of memory");
        TRY(cairn_buffer_read(t->session.memory.buffers[CAIRN_REGION_LOGITS], (size_t)i * bytes,
                              p->outputs, bytes));
        p->answer = cairn_answers_find(p->outputs, result->classes);
        for (int c = 0; c < result->classes; c++)
            p->probabilities[c] =
                p->answer < 0 ? (double)NAN
                : probable    ? (double)p->outputs[c]
                           : cairn_answers_probability(p->outputs, result->classes, p->answer, c);
    }
out:
    return st;
}

static cairn_status copy_names(const struct cairn_trained *t, struct cairn_predictions *result)
{
    if (!t->data.class_names) return CAIRN_OK;
    result->names = calloc((size_t)result->classes, sizeof *result->names);
    for (int c = 0; result->names && c < result->classes; c++) {
        result->names[c] = strdup(t->data.class_names[c]);
        if (!result->names[c]) return cairn_fail(CAIRN_MEMORY, "out of memory");
    }
    return result->names ? CAIRN_OK : cairn_fail(CAIRN_MEMORY, "out of memory");
}

cairn_status cairn_predict(const struct cairn_predict_options *options,
                           struct cairn_predictions *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_trained t = {0};
    struct cairn_images images = {0};
    unsigned parts = 0;
    double loss;
    int64_t correct;
    memset(result, 0, sizeof *result);
    if (options->count < 1) return cairn_fail(CAIRN_INVALID, "no image is named");
    result->count = options->count;
    result->items = calloc((size_t)options->count, sizeof *result->items);
    if (!result->items) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (int i = 0; i < options->count; i++) parts |= cairn_image_part(options->images[i]);
    TRY(cairn_trained_read(&t, options->run, options->last, &options->compute, parts));
    result->classes = t.data.classes;
    TRY(take_images(&t, options, &images, result));
    put_images(&t, &images);
    TRY(cairn_trained_open(&t, &options->compute));
    TRY(cairn_session_evaluate(&t.session, CAIRN_PART_TEST, &loss, &correct));
    TRY(read_outputs(&t, result));
    TRY(copy_names(&t, result));
    TRY(cairn_weights_digest(t.session.model, t.flat, result->weights_sha256));
    memcpy(result->device, cairn_device_info(t.session.device)->name, sizeof result->device);
out:
    free(images.pixels);
    free(images.labels);
    cairn_trained_close(&t);
    if (st != CAIRN_OK) cairn_predictions_free(result);
    return st;
}

void cairn_predictions_free(struct cairn_predictions *result)
{
    for (int i = 0; i < result->count && result->items; i++) {
        free(result->items[i].outputs);
        free(result->items[i].probabilities);
    }
    for (int c = 0; c < result->classes && result->names; c++) free(result->names[c]);
    free(result->items);
    free(result->names);
    memset(result, 0, sizeof *result);
}
