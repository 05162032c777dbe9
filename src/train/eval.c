/* Evaluating a run's weights on the test images. */
#include "base/error.h"
#include "data/dataset.h"
#include "train/checkpoint.h"
#include "train/folder.h"
#include "train/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cairn_status read_weights(struct cairn_session *session, const struct cairn_folder *folder,
                                 int last, struct cairn_state *state, float *flat)
{
    const char *name = last ? "last.safetensors" : "model.safetensors";
    char *path = cairn_folder_file(folder, name);
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_status st = cairn_checkpoint_read(path, session->model, state, flat, NULL, NULL);
    free(path);
    if (st == CAIRN_NOT_FOUND && session->recipe->train.folds > 0)
        st = cairn_fail(st,
                        "%s has no weights; if it is a whole cross-validation, name one of its "
                        "folds: %s/fold-1",
                        folder->path, folder->path);
    else if (st == CAIRN_NOT_FOUND && !last)
        st = cairn_fail(st,
                        "%s has no model.safetensors: nothing was evaluated yet (--last takes "
                        "the last weights)",
                        folder->path);
    return st;
}

static cairn_status measure(struct cairn_session *session, struct cairn_eval_result *result)
{
    cairn_status st = CAIRN_OK;
    size_t classes = (size_t)session->model->classes;
    double loss;
    result->images = session->counts[CAIRN_PART_TEST];
    result->classes = (int)classes;
    result->confusion = calloc(classes * classes, sizeof *result->confusion);
    if (!result->confusion) return cairn_fail(CAIRN_MEMORY, "out of memory");
    TRY(cairn_session_evaluate(session, CAIRN_PART_TEST, &loss, &result->correct));
    TRY(cairn_session_confusion(session, result->confusion));
    result->loss = loss / (double)result->images;
    result->accuracy = (double)result->correct / (double)result->images;
out:
    return st;
}

cairn_status cairn_eval(const struct cairn_eval_options *options, struct cairn_eval_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_recipe recipe = {0};
    struct cairn_dataset data = {0};
    struct cairn_session session = {0};
    struct cairn_state state = {0};
    struct cairn_folder folder = {.path = (char *)options->run};
    char *path = cairn_folder_file(&folder, "recipe.yaml");
    float *flat = NULL;
    memset(result, 0, sizeof *result);
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    st = cairn_recipe_read(path, NULL, 0, &recipe);
    if (st == CAIRN_NOT_FOUND)
        st = cairn_fail(st, "%s is no run: it has no recipe.yaml", options->run);
    if (st != CAIRN_OK) goto out;
    TRY(cairn_session_look(&options->compute, "opencl"));
    TRY(cairn_dataset_load_parts(recipe.data.name, options->compute.data_dir, recipe.data.seed,
                                 CAIRN_DATASET_TEST, &data));
    TRY(cairn_session_shape(&recipe, &data));
    TRY(cairn_session_describe(&session, &recipe, &data));
    flat = malloc((size_t)session.model->total_floats * sizeof *flat);
    if (!flat) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    TRY(read_weights(&session, &folder, options->last, &state, flat));
    session.shift = state.shift;
    session.scale = state.scale;
    TRY(cairn_session_open(&session, &options->compute, "opencl"));
    TRY(cairn_session_plan(&session, 1));
    TRY(cairn_session_load(&session, &data));
    TRY(cairn_buffer_write(session.memory.buffers[CAIRN_REGION_PARAMS], 0, flat,
                           (size_t)session.bytes[CAIRN_REGION_PARAMS]));
    TRY(measure(&session, result));
    TRY(cairn_weights_digest(session.model, flat, result->weights_sha256));
    snprintf(result->device, sizeof result->device, "%s", cairn_device_info(session.device)->name);
    snprintf(result->data, sizeof result->data, "%s", recipe.data.name);
    result->epoch = state.epoch + (state.batch > 0);
    result->step = state.step;
out:
    free(path);
    free(flat);
    cairn_session_close(&session);
    cairn_dataset_free(&data);
    cairn_recipe_free(&recipe);
    return st;
}

void cairn_eval_result_free(struct cairn_eval_result *result)
{
    free(result->confusion);
    memset(result, 0, sizeof *result);
}
