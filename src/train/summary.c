/* Describing a recipe: layers, shapes, parameters, and the memory that training will take. */
#include "base/error.h"
#include "train/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cairn_status list_layers(const struct cairn_model *model, struct cairn_summary *summary)
{
    summary->rows = calloc((size_t)model->node_count, sizeof *summary->rows);
    if (!summary->rows) return cairn_fail(CAIRN_MEMORY, "out of memory");
    summary->row_count = model->node_count;
    for (int i = 0; i < model->node_count; i++) {
        const struct cairn_node *node = &model->nodes[i];
        struct cairn_summary_row *row = &summary->rows[i];
        memcpy(row->layer, node->layer.text, sizeof row->layer);
        row->c = node->out.c;
        row->h = node->out.h;
        row->w = node->out.w;
        if (node->weight >= 0) row->parameters += model->params[node->weight].count;
        if (node->bias >= 0) row->parameters += model->params[node->bias].count;
    }
    return CAIRN_OK;
}

static void list_memory(const int64_t *bytes, struct cairn_summary *summary)
{
    summary->weights_bytes = bytes[CAIRN_REGION_PARAMS];
    summary->gradients_bytes = bytes[CAIRN_REGION_GRADS] + bytes[CAIRN_REGION_SUMS];
    summary->moments_bytes = bytes[CAIRN_REGION_MOMENT1] + bytes[CAIRN_REGION_MOMENT2];
    summary->activations_bytes = bytes[CAIRN_REGION_ARENA];
    summary->data_bytes = bytes[CAIRN_REGION_TABLE] + bytes[CAIRN_REGION_LABELS];
    for (int r = 0; r < CAIRN_REGION_COUNT; r++) summary->total_bytes += bytes[r];
    summary->other_bytes = summary->total_bytes - summary->weights_bytes -
                           summary->gradients_bytes - summary->moments_bytes -
                           summary->activations_bytes - summary->data_bytes;
}

/* Whether a batch of so many images fits; sizes that no operator takes do not. */
static int fits(struct cairn_session *session, int64_t batch)
{
    const struct cairn_device_info *info = cairn_device_info(session->device);
    int64_t total = 0;
    if (cairn_session_plan_again(session, batch) != CAIRN_OK) return 0;
    for (int r = 0; r < CAIRN_REGION_COUNT; r++) {
        total += session->bytes[r];
        if (info->max_alloc_bytes > 0 && session->bytes[r] > info->max_alloc_bytes) return 0;
    }
    return info->global_bytes <= 0 || total <= info->global_bytes;
}

/* By bisection over plans, in multiples of the parts that a batch is computed in. */
static int64_t find_largest(struct cairn_session *session)
{
    const struct cairn_device_info *info = cairn_device_info(session->device);
    int64_t parts = session->recipe->train.accumulate, low = 0,
            high = session->counts[CAIRN_PART_TRAIN] / parts;
    if (info->global_bytes <= 0 && info->max_alloc_bytes <= 0) return -1;
    if (high > 0 && fits(session, high * parts)) return high * parts;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (fits(session, middle * parts))
            low = middle;
        else
            high = middle;
    }
    return low * parts;
}

cairn_status cairn_summary_fill(struct cairn_summary *summary, const struct cairn_session *session,
                                const struct cairn_dataset *data)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_device_info *info = cairn_device_info(session->device);
    memset(summary, 0, sizeof *summary);
    TRY(list_layers(session->model, summary));
    list_memory(session->bytes, summary);
    snprintf(summary->recipe, sizeof summary->recipe, "%s", session->recipe->path);
    snprintf(summary->data, sizeof summary->data, "%s", data->name);
    snprintf(summary->device, sizeof summary->device, "%s", info->name);
    summary->c = session->model->in.c;
    summary->h = session->model->in.h;
    summary->w = session->model->in.w;
    summary->classes = data->classes;
    summary->train_images = session->counts[CAIRN_PART_TRAIN];
    summary->validation_images = session->counts[CAIRN_PART_VALIDATION];
    summary->test_images = session->counts[CAIRN_PART_TEST];
    summary->parameters = session->model->parameters;
    summary->batch = session->batch;
    summary->tuned = session->tuned.won;
    summary->steps_per_epoch = cairn_session_batches(session);
    summary->device_bytes = info->global_bytes;
    summary->device_max_alloc_bytes = info->max_alloc_bytes;
    summary->largest_batch = -1;
out:
    return st;
}

cairn_status cairn_summarize(const char *recipe_name, const char *const *sets, int set_count,
                             int64_t batch, const struct cairn_compute *compute,
                             struct cairn_summary *summary)
{
    cairn_status st = CAIRN_OK;
    struct cairn_recipe recipe = {0};
    struct cairn_session session = {0};
    struct cairn_dataset data = {0};
    memset(summary, 0, sizeof *summary);
    TRY(cairn_recipe_read(recipe_name, sets, set_count, &recipe));
    if (batch > 0) recipe.train.batch = batch;
    TRY(cairn_session_outline(&session, &recipe, compute, "reference", &data));
    TRY(cairn_summary_fill(summary, &session, &data));
    summary->largest_batch = find_largest(&session); /* the last: it plans anew */
out:
    cairn_session_close(&session);
    cairn_dataset_free(&data);
    cairn_recipe_free(&recipe);
    return st;
}

void cairn_summary_free(struct cairn_summary *summary)
{
    free(summary->rows);
    memset(summary, 0, sizeof *summary);
}
