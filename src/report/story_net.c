/* What recipe and weights tell without a pass over the images: data, layers, memory, weights,
 * digests. */
#include "base/error.h"
#include "base/file.h"
#include "report/story.h"
#include "report/weights.h"
#include "train/summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TILES 64             /* pictures of weights, at most */
#define PIXELS (1024 * 1024) /* of one of them */

/* --- the weights, and what they say of themselves --- */

/* Reads weights into story->net; 1: there is a net. Of a failure that only says that something is
 * not at hand, a line is left. */
static cairn_status read_net(struct cairn_story *story, int *there)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_document_options *o = story->options;
    struct cairn_compute host = {.device = "reference", .data_dir = o->compute.data_dir};
    struct cairn_dataset data = {0};
    *there = 0;
    TRY(cairn_trained_recipe(o->run, &story->net.recipe));
    st = cairn_dataset_describe(story->net.recipe.data.name, o->compute.data_dir, &data);
    cairn_dataset_free(&data);
    cairn_recipe_free(&story->net.recipe);
    if (st != CAIRN_OK) {
        if (o->compute.data_dir || st == CAIRN_MEMORY) return st;
        cairn_story_miss(story, "net", "The data set is not at hand, so its shape is unknown: %s",
                         cairn_error());
        return CAIRN_OK;
    }
    story->last = !cairn_story_has(o->run, "model.safetensors");
    if (story->last && !cairn_story_has(o->run, "last.safetensors")) {
        cairn_story_miss(story, "net", "There are no weights: no checkpoint was written yet.");
        return CAIRN_OK;
    }
    TRY(cairn_trained_read(&story->net, o->run, story->last, &host, 0));
    story->compute.math =
        strcmp(story->net.state.math, "fast") ? CAIRN_MATH_EXACT : CAIRN_MATH_FAST;
    *there = 1;
out:
    return st;
}

/* The digest of the weights that were read, beside the one in the summary. */
static cairn_status tell_digest(struct cairn_story *story)
{
    char digest[65];
    const char *expected = cairn_story_words(story->root, "summary.best_weights_sha256");
    cairn_status st = cairn_weights_digest(story->net.session.model, story->net.flat, digest);
    if (st != CAIRN_OK) return st;
    cairn_story_put(story, "weights_file",
                    json_pack("{s:s s:s s:o}", "file",
                              story->last ? "last.safetensors" : "model.safetensors", "sha256",
                              digest, "as_in_summary",
                              *expected && !story->last ? json_boolean(!strcmp(digest, expected))
                                                        : json_null()));
    return CAIRN_OK;
}

static json_t *shape(struct cairn_shape s)
{
    return json_pack("[I,I,I]", (json_int_t)s.c, (json_int_t)s.h, (json_int_t)s.w);
}

static void tell_data(struct cairn_story *story)
{
    const struct cairn_trained *t = &story->net;
    json_t *names = t->data.class_names ? json_array() : json_null();
    for (int c = 0; c < t->data.classes && t->data.class_names; c++)
        json_array_append_new(names, cairn_story_text(t->data.class_names[c]));
    cairn_story_put(story, "data",
                    json_pack("{s:s s:o s:o s:i s:o s:I s:I s:I}", "name", t->recipe.data.name,
                              "image", shape(t->raw), "input", shape(t->session.model->in),
                              "classes", t->data.classes, "class_names", names, "train_images",
                              (json_int_t)t->state.train_images, "validation_images",
                              (json_int_t)t->state.validation_images, "test_images",
                              (json_int_t)t->state.test_images));
}

/* --- layers and memory --- */

/* Bytes of the arena in use at each step of the plan. */
static json_t *list_arena(const struct cairn_plan *plan)
{
    static const char *const phases[] = {"forward", "backward", "update", "evaluation"};
    json_t *steps = json_array();
    for (int s = 0; s < plan->step_count; s++) {
        int64_t bytes = 0;
        for (int i = 0; i < plan->tensor_count; i++) {
            const struct cairn_tensor *t = &plan->tensors[i];
            if (t->region == CAIRN_REGION_ARENA && t->first <= s && s <= t->last)
                bytes += 4 * t->count;
        }
        json_array_append_new(steps, json_pack("{s:s s:s s:i s:I}", "operator",
                                               cairn_op_name(plan->steps[s].problem.op), "phase",
                                               phases[plan->steps[s].phase], "layer",
                                               plan->steps[s].layer, "bytes", (json_int_t)bytes));
    }
    return steps;
}

static void tell_layers(struct cairn_story *story, const struct cairn_summary *s)
{
    json_t *layers = json_array();
    for (int i = 0; i < s->row_count; i++)
        json_array_append_new(layers, json_pack("{s:s s:[I,I,I] s:I}", "layer", s->rows[i].layer,
                                                "output", (json_int_t)s->rows[i].c,
                                                (json_int_t)s->rows[i].h, (json_int_t)s->rows[i].w,
                                                "parameters", (json_int_t)s->rows[i].parameters));
    cairn_story_put(story, "layers", layers);
    cairn_story_put(story, "parameters", json_integer(s->parameters));
    cairn_story_put(story, "batch", json_integer(s->batch));
    cairn_story_put(story, "steps_per_epoch", json_integer(s->steps_per_epoch));
}

static void tell_memory(struct cairn_story *story, const struct cairn_summary *s,
                        const struct cairn_session *session)
{
    const struct cairn_plan *plan = NULL;
    for (int i = 0; i < session->plan_count && !plan; i++)
        if (session->plans[i].kind == CAIRN_PLAN_TRAIN ||
            session->plans[i].kind == CAIRN_PLAN_ACCUMULATE)
            plan = session->plans[i].plan;
    cairn_story_put(
        story, "memory",
        json_pack("{s:o s:{s:I s:I s:I s:I s:I s:I s:I} s:o}", "device",
                  cairn_story_text(s->device), "bytes", "weights", (json_int_t)s->weights_bytes,
                  "gradients", (json_int_t)s->gradients_bytes, "moments",
                  (json_int_t)s->moments_bytes, "activations", (json_int_t)s->activations_bytes,
                  "data", (json_int_t)s->data_bytes, "other", (json_int_t)s->other_bytes, "total",
                  (json_int_t)s->total_bytes, "arena", plan ? list_arena(plan) : json_array()));
}

/* The device that the report measures on: as it was named, or the first OpenCL device, or, where
 * that is nobody's wish, a line that there is none. */
static cairn_status find_device(struct cairn_story *story, int *there)
{
    struct cairn_device_info info;
    const char *spec = story->options->compute.device;
    cairn_status st = cairn_device_find(spec ? spec : "opencl", &info);
    *there = st == CAIRN_OK;
    if (*there || spec || st == CAIRN_MEMORY) return st;
    cairn_story_miss(story, "device",
                     "No OpenCL device is here (--device reference does without): %s",
                     cairn_error());
    return CAIRN_OK;
}

static cairn_status tell_plan(struct cairn_story *story, int device)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session session = {0};
    struct cairn_dataset data = {0};
    struct cairn_summary summary = {0};
    struct cairn_compute compute = story->compute;
    if (!device) compute.device = "reference";
    st = cairn_session_outline(&session, &story->net.recipe, &compute, "opencl", &data);
    if (st != CAIRN_OK && st != CAIRN_MEMORY && !story->options->compute.device) {
        cairn_story_miss(story, "device", "The device cannot be used: %s", cairn_error());
        cairn_session_close(&session);
        cairn_dataset_free(&data);
        memset(&session, 0, sizeof session);
        memset(&data, 0, sizeof data);
        compute.device = "reference";
        st = cairn_session_outline(&session, &story->net.recipe, &compute, "reference", &data);
    }
    if (st == CAIRN_OK) st = cairn_summary_fill(&summary, &session, &data);
    if (st == CAIRN_OK) {
        tell_layers(story, &summary);
        tell_memory(story, &summary, &session);
    }
    cairn_summary_free(&summary);
    cairn_session_close(&session);
    cairn_dataset_free(&data);
    return st;
}

/* --- the first layer's weights --- */

/* Keeps whole rows of pictures up to TILES; returns how many there were. */
static int64_t limit_tiles(struct cairn_tiles *tiles)
{
    int64_t all = tiles->count;
    if (all <= TILES) return all;
    if (tiles->columns > TILES) tiles->columns = TILES;
    int grid = tiles->columns * tiles->columns >= all; /* about square: no row means anything */
    if (grid) tiles->columns = 8;
    tiles->rows = TILES / tiles->columns;
    tiles->count = tiles->rows * tiles->columns;
    return all;
}

static cairn_status draw_weights(struct cairn_story *story, int64_t layer)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_trained *t = &story->net;
    struct cairn_tiles tiles = {0};
    struct cairn_png png = {0};
    struct cairn_inspect_result r = {.layer = layer};
    TRY(cairn_weights_tiles(&t->recipe, t->session.model, t->raw, t->flat, layer, &tiles));
    int64_t all = limit_tiles(&tiles);
    if (tiles.h * tiles.w > PIXELS) {
        cairn_story_miss(story, "weights", "A matrix of %lld x %lld is too large to be shown here.",
                         (long long)tiles.h, (long long)tiles.w);
        goto out;
    }
    TRY(cairn_tiles_picture(&tiles, 1, "the weights", &png, &r));
    cairn_story_put(
        story, "weights",
        json_pack("{s:I s:s s:I s:I s:[I,I] s:[I,I,I] s:o s:o s:I s:o s:[i,i] s:o}", "layer",
                  (json_int_t)layer, "text", t->session.model->nodes[layer].layer.text, "pictures",
                  (json_int_t)r.count, "of", (json_int_t)all, "grid", (json_int_t)r.rows,
                  (json_int_t)r.columns, "shape", (json_int_t)r.c, (json_int_t)r.h, (json_int_t)r.w,
                  "least", cairn_story_number(r.least), "largest", cairn_story_number(r.largest),
                  "not_finite", (json_int_t)r.not_finite, "white", cairn_story_number(r.white),
                  "pixels", png.h, png.w, "picture", cairn_story_picture(&png)));
out:
    cairn_png_free(&png);
    cairn_tiles_free(&tiles);
    return st;
}

static cairn_status tell_weights(struct cairn_story *story)
{
    const struct cairn_model *model = story->net.session.model;
    int layer = 0;
    if (cairn_png_ready() != CAIRN_OK) {
        cairn_story_miss(story, "weights", "No pictures: %s", cairn_error());
        return CAIRN_OK;
    }
    while (layer < model->node_count && !cairn_weights_drawn(model, layer)) layer++;
    if (layer < model->node_count) return draw_weights(story, layer);
    cairn_story_miss(story, "weights", "No layer has weights to be shown.");
    return CAIRN_OK;
}

/* --- all of it --- */

cairn_status cairn_story_net(struct cairn_story *story)
{
    cairn_status st = CAIRN_OK;
    int net, device;
    TRY(find_device(story, &device));
    TRY(read_net(story, &net));
    if (!net) goto out;
    TRY(tell_digest(story));
    tell_data(story);
    TRY(tell_plan(story, device));
    TRY(tell_weights(story));
out:
    return st;
}
