/* Activations of one image as pictures: the plan of a batch of one, run step by step up to the
 * layer. */
#include "base/error.h"
#include "report/activations.h"
#include "report/image.h"
#include "report/inspect.h"
#include "report/raw.h"
#include "report/tiles.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the plan --- */

/* The last step of a node and of all that it passes on unchanged; -1: it is the images. */
static int last_step(const struct cairn_model *model, const struct cairn_plan *plan, int node)
{
    for (; node >= 0; node = model->nodes[node].input)
        for (int s = plan->step_count - 1; s >= 0; s--)
            if (plan->steps[s].layer == node) return s;
    int s = 0;
    while (s + 1 < plan->step_count && plan->steps[s + 1].problem.op == CAIRN_OP_AUGMENT) s++;
    return s;
}

static cairn_status make_memory(struct cairn_session *s, const struct cairn_plan *plan,
                                const struct cairn_dataset *one, const float *flat)
{
    cairn_status st = CAIRN_OK;
    const int32_t zero = 0;
    int64_t *bytes = s->bytes;
    bytes[CAIRN_REGION_PARAMS] = s->model->total_floats * 4;
    bytes[CAIRN_REGION_ARENA] = plan->arena_floats * 4;
    bytes[CAIRN_REGION_TABLE] = cairn_shape_count(s->image);
    bytes[CAIRN_REGION_LABELS] = 1;
    bytes[CAIRN_REGION_INDICES] = bytes[CAIRN_REGION_LOSS] = bytes[CAIRN_REGION_CORRECT] = 4;
    bytes[CAIRN_REGION_LOGITS] = s->model->classes * 4;
    TRY(cairn_memory_create(s->device, bytes, &s->memory));
    struct cairn_buffer **buffers = s->memory.buffers;
    TRY(cairn_buffer_write(buffers[CAIRN_REGION_PARAMS], 0, flat,
                           (size_t)bytes[CAIRN_REGION_PARAMS]));
    TRY(cairn_buffer_write(buffers[CAIRN_REGION_TABLE], 0, one->test.pixels,
                           (size_t)bytes[CAIRN_REGION_TABLE]));
    TRY(cairn_buffer_write(buffers[CAIRN_REGION_LABELS], 0, one->test.labels, 1));
    TRY(cairn_buffer_write(buffers[CAIRN_REGION_INDICES], 0, &zero, sizeof zero));
out:
    return st;
}

/* With another loss than cross-entropy a softmax at the end is a layer of its own. */
static cairn_status make_plan(const struct cairn_trained *t, struct cairn_plan **plan)
{
    const struct cairn_session *s = &t->session;
    struct cairn_plan_options options = {
        .kind = CAIRN_PLAN_EVALUATE,
        .batch = 1,
        .total = 1,
        .shift = t->state.shift,
        .scale = t->state.scale,
        .plain = 1,
        .loss = CAIRN_PLAN_MSE,
    };
    if (t->recipe.data.augment.crop_h > 0) {
        options.augment = cairn_problem_default(CAIRN_OP_AUGMENT).u.augment;
        options.augment.c = s->image.c;
        options.augment.h = s->image.h;
        options.augment.w = s->image.w;
        options.augment.fill = (0.0f - t->state.shift) * t->state.scale;
    }
    return cairn_plan_create(s->model, &options, s->device, plan);
}

static cairn_status compute(struct cairn_trained *t, const struct cairn_dataset *one, int layer,
                            float *values)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *s = &t->session;
    struct cairn_plan *plan = NULL;
    struct cairn_now now = {.index = 0};
    TRY(make_plan(t, &plan));
    TRY(make_memory(s, plan, one, t->flat));
    for (int i = 0, last = last_step(s->model, plan, layer); i <= last; i++) {
        struct cairn_problem problem;
        cairn_plan_problem(plan, &s->memory, &now, i, &problem);
        TRY(cairn_run(s->device, &problem));
    }
    assert(cairn_plan_output(plan, layer) >= 0);
    const struct cairn_tensor *tensor = &plan->tensors[cairn_plan_output(plan, layer)];
    TRY(cairn_buffer_read(s->memory.buffers[tensor->region], (size_t)tensor->offset * 4, values,
                          (size_t)cairn_shape_count(s->model->nodes[layer].out) * 4));
out:
    cairn_plan_destroy(plan);
    return st;
}

/* --- all of it --- */

static cairn_status find_layer(const struct cairn_inspect_options *options,
                               const struct cairn_model *model, int64_t *layer)
{
    cairn_status st = cairn_inspect_check_layer(options, model);
    *layer = options->layer;
    if (st != CAIRN_OK || *layer >= 0) return st;
    *layer = 0;
    for (int i = model->node_count - 1; i >= 0; i--)
        if (model->nodes[i].layer.kind == CAIRN_LAYER_CONV) *layer = i;
    return CAIRN_OK;
}

/* The image as the data set has it. */
static cairn_status copy_image(const struct cairn_trained *t, const struct cairn_dataset *one,
                               struct cairn_png *image)
{
    *image = (struct cairn_png){.c = (int)t->raw.c, .h = (int)t->raw.h, .w = (int)t->raw.w};
    image->pixels = malloc((size_t)cairn_shape_count(t->raw));
    if (!image->pixels) return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_raw_image(&t->recipe, t->raw, one->test.pixels, image->pixels);
    return CAIRN_OK;
}

/* file: 1 where the picture is for the file of the options, which is looked at before anything is
 * computed. */
static cairn_status draw(const struct cairn_inspect_options *options, const char *name, int file,
                         struct cairn_png *image, struct cairn_png *picture,
                         struct cairn_inspect_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_trained t = {0};
    struct cairn_dataset one = {0};
    struct cairn_tiles tiles = {0};
    memset(result, 0, sizeof *result);
    TRY(cairn_trained_read(&t, options->run, options->last, &options->compute,
                           cairn_image_part(name)));
    TRY(find_layer(options, t.session.model, &result->layer));
    if (file) TRY(cairn_inspect_place(options, "activations", result));
    TRY(cairn_image_take(&t, name, &one, result->image, result->label));
    if (image) TRY(copy_image(&t, &one, image));
    const struct cairn_node *node = &t.session.model->nodes[result->layer];
    snprintf(result->text, sizeof result->text, "%s", node->layer.text);
    int row = node->out.h * node->out.w == 1 && node->out.c <= 32; /* a short vector is one row */
    TRY(cairn_tiles_create(&tiles, node->out.c, row ? node->out.c : 0, 1, node->out.h,
                           node->out.w));
    TRY(cairn_session_open(&t.session, &options->compute, "opencl"));
    TRY(compute(&t, &one, (int)result->layer, tiles.values));
    TRY(cairn_tiles_picture(&tiles, 0, file ? result->file : "the activations", picture, result));
out:
    cairn_tiles_free(&tiles);
    cairn_dataset_free(&one);
    cairn_trained_close(&t);
    return st;
}

cairn_status cairn_activations_picture(const struct cairn_inspect_options *options,
                                       const char *name, struct cairn_png *image,
                                       struct cairn_png *picture,
                                       struct cairn_inspect_result *result)
{
    return draw(options, name, 0, image, picture, result);
}

cairn_status cairn_inspect_activations(const struct cairn_inspect_options *options,
                                       const char *image, struct cairn_inspect_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_png picture = {0};
    TRY(draw(options, image, 1, NULL, &picture, result));
    TRY(cairn_png_write(result->file, &picture));
out:
    cairn_png_free(&picture);
    return st;
}
