#include "train/trained.h"

#include "base/error.h"
#include "base/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cairn_status cairn_trained_recipe(const char *run, struct cairn_recipe *recipe)
{
    if (!*run) return cairn_fail(CAIRN_INVALID, "the run's folder has an empty name");
    char *path = cairn_file_join(run, "recipe.yaml");
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_status st = cairn_recipe_read(path, NULL, 0, recipe);
    if (st == CAIRN_NOT_FOUND) st = cairn_fail(st, "%s is no run: it has no recipe.yaml", run);
    free(path);
    return st;
}

static cairn_status read_weights(struct cairn_trained *t, int last)
{
    const char *name = last ? "last.safetensors" : "model.safetensors";
    char *path = cairn_folder_file(&t->folder, name);
    t->flat = malloc((size_t)t->session.model->total_floats * sizeof *t->flat);
    if (!path || !t->flat) {
        free(path);
        return cairn_fail(CAIRN_MEMORY, "out of memory");
    }
    cairn_status st = cairn_checkpoint_read(path, t->session.model, &t->state, t->flat, NULL, NULL);
    free(path);
    if (st == CAIRN_NOT_FOUND && t->recipe.train.folds > 0)
        st = cairn_fail(st,
                        "%s has no weights; if it is a whole cross-validation, name one of its "
                        "folds: %s/fold-1",
                        t->folder.path, t->folder.path);
    else if (st == CAIRN_NOT_FOUND && !last)
        st = cairn_fail(st,
                        "%s has no model.safetensors: nothing was evaluated yet (--last takes "
                        "the last weights)",
                        t->folder.path);
    return st;
}

cairn_status cairn_trained_read(struct cairn_trained *t, const char *run, int last,
                                const struct cairn_compute *compute, unsigned parts)
{
    cairn_status st = CAIRN_OK;
    t->folder.path = (char *)run;
    TRY(cairn_trained_recipe(run, &t->recipe));
    TRY(cairn_session_look(compute, "opencl"));
    TRY(parts ? cairn_dataset_load_parts(t->recipe.data.name, compute->data_dir,
                                         t->recipe.data.seed, parts, &t->data)
              : cairn_dataset_describe(t->recipe.data.name, compute->data_dir, &t->data));
    t->raw = (struct cairn_shape){t->data.c, t->data.h, t->data.w};
    TRY(cairn_session_shape(&t->recipe, &t->data));
    TRY(cairn_session_describe(&t->session, &t->recipe, &t->data));
    TRY(read_weights(t, last));
    t->session.shift = t->state.shift;
    t->session.scale = t->state.scale;
out:
    return st;
}

/* The split is that of the run's fold, which only its weights know. */
static cairn_status split(struct cairn_trained *t)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *s = &t->session;
    if (s->fold != t->state.fold) {
        cairn_model_destroy(s->model);
        s->model = NULL;
        s->fold = t->state.fold;
        TRY(cairn_session_describe(s, &t->recipe, &t->data));
    }
    if (s->counts[CAIRN_PART_TRAIN] != t->state.train_images ||
        s->counts[CAIRN_PART_VALIDATION] != t->state.validation_images)
        return cairn_fail(CAIRN_INVALID,
                          "%s was trained on %lld images and validated on %lld, but with the "
                          "present files of %s it would be %lld and %lld",
                          t->folder.path, (long long)t->state.train_images,
                          (long long)t->state.validation_images, t->data.name,
                          (long long)s->counts[CAIRN_PART_TRAIN],
                          (long long)s->counts[CAIRN_PART_VALIDATION]);
    TRY(cairn_session_split(s, &t->data));
    s->shift = t->state.shift;
    s->scale = t->state.scale;
out:
    return st;
}

static int compare_rows(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

cairn_status cairn_trained_choose(struct cairn_trained *t, enum cairn_part part)
{
    cairn_status st = CAIRN_OK;
    struct cairn_images images = {0};
    if (part == CAIRN_PART_TEST) return CAIRN_OK;
    TRY(split(t));
    int64_t *counts = t->session.counts;
    const int32_t *from =
        t->session.split + (part == CAIRN_PART_TRAIN ? counts[CAIRN_PART_VALIDATION] : 0);
    size_t count = (size_t)counts[part], item = (size_t)cairn_shape_count(t->session.image);
    if (count == 0)
        return cairn_fail(CAIRN_INVALID, "%s has no validation part (data.validation is 0)",
                          t->folder.path);
    images.count = counts[part];
    images.pixels = malloc(count * item);
    images.labels = malloc(count);
    t->rows = malloc(count * sizeof *t->rows);
    if (!images.pixels || !images.labels || !t->rows) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    memcpy(t->rows, from, count * sizeof *t->rows);
    qsort(t->rows, count, sizeof *t->rows, compare_rows);
    for (size_t i = 0; i < count; i++) {
        memcpy(images.pixels + i * item, t->data.train.pixels + (size_t)t->rows[i] * item, item);
        images.labels[i] = t->data.train.labels[t->rows[i]];
    }
    free(t->data.test.pixels);
    free(t->data.test.labels);
    t->data.test = images;
    counts[CAIRN_PART_TEST] = images.count;
    memset(&images, 0, sizeof images);
out:
    free(images.pixels);
    free(images.labels);
    return st;
}

cairn_status cairn_trained_open(struct cairn_trained *t, const struct cairn_compute *compute)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *s = &t->session;
    TRY(cairn_session_open(s, compute, "opencl"));
    TRY(cairn_session_plan(s, 1));
    TRY(cairn_session_load(s, &t->data));
    TRY(cairn_buffer_write(s->memory.buffers[CAIRN_REGION_PARAMS], 0, t->flat,
                           (size_t)s->bytes[CAIRN_REGION_PARAMS]));
out:
    return st;
}

cairn_status cairn_trained_measure(struct cairn_trained *t, struct cairn_eval_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *s = &t->session;
    size_t classes = (size_t)s->model->classes;
    double loss;
    result->images = s->counts[CAIRN_PART_TEST];
    result->classes = (int)classes;
    result->confusion = calloc(classes * classes, sizeof *result->confusion);
    if (!result->confusion) return cairn_fail(CAIRN_MEMORY, "out of memory");
    TRY(cairn_session_evaluate(s, CAIRN_PART_TEST, &loss, &result->correct));
    TRY(cairn_session_confusion(s, result->confusion));
    TRY(cairn_weights_digest(s->model, t->flat, result->weights_sha256));
    result->loss = loss / (double)result->images;
    result->accuracy = (double)result->correct / (double)result->images;
    snprintf(result->device, sizeof result->device, "%s", cairn_device_info(s->device)->name);
    snprintf(result->data, sizeof result->data, "%s", t->recipe.data.name);
    result->epoch = t->state.epoch + (t->state.batch > 0);
    result->step = t->state.step;
out:
    return st;
}

void cairn_trained_close(struct cairn_trained *t)
{
    free(t->flat);
    free(t->rows);
    cairn_session_close(&t->session);
    cairn_dataset_free(&t->data);
    cairn_recipe_free(&t->recipe);
    memset(t, 0, sizeof *t);
}
