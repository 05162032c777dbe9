/* cairn_import(): a run of a model or of weights that came from elsewhere. */
#include <cairn/exchange.h>

#include "base/error.h"
#include "base/text.h"
#include "io/safetensors.h"
#include "train/trainer.h"
#ifdef CAIRN_WITH_ONNX
#include "onnx/net.h"
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct import {
    const struct cairn_import_options *options;
    struct cairn_recipe recipe;
    struct cairn_dataset data;
    struct cairn_session session;
    struct cairn_folder folder;
    struct cairn_state state;
    float *flat, *moment1, *moment2;
};

static int is_onnx(const char *file)
{
    size_t n = strlen(file);
    return n > 5 && !strcmp(file + n - 5, ".onnx");
}

static cairn_status read_recipe(struct import *m)
{
    const struct cairn_import_options *o = m->options;
    return cairn_recipe_read(o->recipe, o->sets, o->set_count, &m->recipe);
}

/* Data, model, split and normalisation, as a training would have them. */
static cairn_status set_up(struct import *m)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_session_describe(&m->session, &m->recipe, &m->data));
    TRY(cairn_session_split(&m->session, &m->data));
    size_t total = (size_t)m->session.model->total_floats;
    m->flat = calloc(total, sizeof *m->flat);
    if (!m->flat) st = cairn_fail(CAIRN_MEMORY, "out of memory");
out:
    return st;
}

static cairn_status load_data(struct import *m)
{
    struct cairn_compute compute = {.device = "reference", .data_dir = m->options->data_dir};
    m->recipe.train.folds = 0;
    return cairn_session_data(&m->recipe, &compute, CAIRN_DATASET_ALL, &m->data);
}

/* --- weights --- */

static cairn_status take_tensor(const struct cairn_st_file *file, const struct cairn_param *p,
                                float *flat)
{
    const struct cairn_st_tensor *t = cairn_st_find(file, p->name);
    int64_t dims[8] = {0};
    if (!t)
        return cairn_fail(
            CAIRN_INVALID,
            "the tensor %s is missing; names are those of PyTorch's state_dict of a module "
            "for each line of the recipe, from 0 (docs/onnx.md)",
            p->name);
    memcpy(dims, p->dims, sizeof p->dims);
    if (t->dtype != CAIRN_ST_F32 || t->rank != p->rank ||
        memcmp(t->dims, dims, (size_t)p->rank * sizeof *dims) != 0)
        return cairn_fail(CAIRN_INVALID,
                          "the tensor %s has another shape or type than the recipe's", p->name);
    memcpy(flat + p->offset, t->data, (size_t)p->count * sizeof *flat);
    return CAIRN_OK;
}

static int is_counter(const char *name)
{
    static const char end[] = ".num_batches_tracked";
    size_t n = strlen(name);
    return n >= sizeof end && !strcmp(name + n - (sizeof end - 1), end);
}

/* A tensor that nobody takes would be a layer that the recipe lacks. */
static cairn_status check_all_taken(const struct cairn_st_file *file,
                                    const struct cairn_model *model)
{
    for (size_t i = 0; i < file->count; i++) {
        const char *name = file->tensors[i].name;
        int taken = is_counter(name);
        for (int k = 0; k < model->param_count && !taken; k++)
            taken = !strcmp(name, model->params[k].name);
        if (!taken)
            return cairn_fail(CAIRN_INVALID, "the tensor %.80s is none of the recipe's layers'",
                              name);
    }
    return CAIRN_OK;
}

static cairn_status import_weights(struct import *m)
{
    cairn_status st = CAIRN_OK;
    struct cairn_st_file file = {0};
    const struct cairn_model *model;
    if (!m->options->recipe)
        return cairn_fail(CAIRN_INVALID,
                          "%s: weights alone need the recipe of their net (--recipe)",
                          m->options->file);
    TRY(read_recipe(m));
    TRY(cairn_st_read(m->options->file, &file));
    TRY(load_data(m));
    TRY(set_up(m));
    model = m->session.model;
    for (int i = 0; st == CAIRN_OK && i < model->param_count; i++)
        st = take_tensor(&file, &model->params[i], m->flat);
    if (st == CAIRN_OK) st = check_all_taken(&file, model);
    if (st != CAIRN_OK) st = cairn_fail_in(st, "%s", m->options->file);
out:
    cairn_st_free(&file);
    return st;
}

/* --- graphs --- */

#ifdef CAIRN_WITH_ONNX

/* The recipe that Cairn wrote into the model; NULL: none. */
static const char *recipe_of(const Cairn__Onnx__Model *model)
{
    for (size_t i = 0; i < model->n_metadata_props; i++)
        if (!strcmp(cairn_onnx_or_empty(model->metadata_props[i]->key), "cairn.recipe"))
            return model->metadata_props[i]->value;
    return NULL;
}

static cairn_status choose_recipe(struct import *m, const Cairn__Onnx__Model *model)
{
    const struct cairn_import_options *o = m->options;
    const char *inside = recipe_of(model);
    if (o->recipe) return read_recipe(m);
    if (!inside)
        return cairn_fail(
            CAIRN_INVALID,
            "%s: the model does not say what it is trained on: name a recipe, whose data and "
            "training are taken (--recipe)",
            o->file);
    cairn_status st =
        cairn_recipe_parse("the recipe in it", inside, o->sets, o->set_count, &m->recipe);
    return st == CAIRN_OK ? st : cairn_fail_in(st, "%s", o->file);
}

static int is_near(float a, float b)
{
    return fabsf(a - b) <= 1e-6f * fabsf(b);
}

/* A graph that normalises must do as the recipe does; one that does not takes what the recipe
 * gives. */
static cairn_status check_scaling(const struct import *m, const struct cairn_onnx_net *net)
{
    const struct cairn_session *s = &m->session;
    if (!net->normalizes || (is_near(net->shift, s->shift) && is_near(net->scale, s->scale)))
        return CAIRN_OK;
    return cairn_fail(CAIRN_INVALID,
                      "the model takes the images as (byte - %g) * %g, the recipe as (byte - %g) * "
                      "%g: either the "
                      "data are others than it was trained on, or data.normalize is",
                      (double)net->shift, (double)net->scale, (double)s->shift, (double)s->scale);
}

static cairn_status import_graph(struct import *m)
{
    cairn_status st = CAIRN_OK;
    Cairn__Onnx__Model *model = NULL;
    struct cairn_onnx_net net = {0};
    struct cairn_layer *layers = NULL;
    const char *file = m->options->file;
    TRY(cairn_onnx_read(file, &model));
    TRY(choose_recipe(m, model));
    TRY(load_data(m));
    struct cairn_shape in = {m->data.c, m->data.h, m->data.w};
    if (m->recipe.data.augment.crop_h > 0) {
        in.h = m->recipe.data.augment.crop_h;
        in.w = m->recipe.data.augment.crop_w;
    }
    st = cairn_onnx_net_read(model, file, in, &net);
    if (st == CAIRN_OK) st = cairn_onnx_net_layers(&net, &layers);
    if (st == CAIRN_OK) st = cairn_recipe_replace(&m->recipe, layers, net.count);
    if (st == CAIRN_OK) {
        layers = NULL;
        st = set_up(m);
    }
    if (st == CAIRN_OK) st = check_scaling(m, &net);
    if (st == CAIRN_OK) st = cairn_onnx_net_weights(&net, m->session.model, m->flat);
    if (st != CAIRN_OK) st = cairn_fail_in(st, "%s", file);
out:
    free(layers);
    cairn_onnx_net_free(&net);
    cairn_onnx_free(model);
    return st;
}

#else

static cairn_status import_graph(struct import *m)
{
    return cairn_fail(CAIRN_UNSUPPORTED,
                      "%s: this build has no ONNX: it was built without libprotobuf-c",
                      m->options->file);
}

#endif

/* --- the run --- */

static cairn_status write_checkpoint(struct import *m, const char *name, int with_moments)
{
    char *path = cairn_folder_file(&m->folder, name);
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_status st =
        cairn_checkpoint_write(path, m->session.model, &m->state, m->flat,
                               with_moments ? m->moment1 : NULL, with_moments ? m->moment2 : NULL);
    free(path);
    return st;
}

/* last.safetensors comes last: without it there is nothing to resume. */
static cairn_status write_run(struct import *m)
{
    cairn_status st = CAIRN_OK;
    size_t flat = (size_t)m->session.model->flat_floats;
    int two = cairn_session_moments(&m->recipe) == 2;
    m->moment1 = calloc(flat, sizeof *m->moment1);
    m->moment2 = two ? calloc(flat, sizeof *m->moment2) : NULL;
    if (!m->moment1 || (two && !m->moment2)) return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_state_begin(&m->state, &m->session, CAIRN_MATH_EXACT);
    TRY(cairn_folder_make(&m->folder));
    TRY(cairn_folder_clear(&m->folder));
    TRY(cairn_folder_write(&m->folder, "recipe.yaml", m->recipe.resolved));
    TRY(write_checkpoint(m, "model.safetensors", 0));
    TRY(write_checkpoint(m, "last.safetensors", 1));
    m->folder.written = 1;
out:
    return st;
}

cairn_status cairn_import(const struct cairn_import_options *options,
                          struct cairn_import_result *result)
{
    cairn_status st = CAIRN_OK;
    struct import m = {.options = options};
    memset(result, 0, sizeof *result);
    TRY(cairn_folder_check(&m.folder, options->run, 0, options->force));
    TRY(is_onnx(options->file) ? import_graph(&m) : import_weights(&m));
    TRY(write_run(&m));
    TRY(cairn_weights_digest(m.session.model, m.flat, result->weights_sha256));
    snprintf(result->format, sizeof result->format, "%s",
             is_onnx(options->file) ? "onnx" : "safetensors");
    result->layers = m.recipe.layer_count;
    result->parameters = m.session.model->parameters;
out:
    cairn_folder_close(&m.folder);
    free(m.flat);
    free(m.moment1);
    free(m.moment2);
    cairn_session_close(&m.session);
    cairn_dataset_free(&m.data);
    cairn_recipe_free(&m.recipe);
    return st;
}
