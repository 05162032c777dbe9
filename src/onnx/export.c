/* cairn_export(): a run's weights as a file of their own, alone or with the graph. */
#include <cairn/exchange.h>

#include "base/error.h"
#include "base/file.h"
#include "io/safetensors.h"
#include "report/place.h"
#include "train/trained.h"
#ifdef CAIRN_WITH_ONNX
#include "onnx/write.h"
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);
    return n > k && !strcmp(text + n - k, end);
}

/* --- weights --- */

/* A running statistic's layer also counts its batches in PyTorch: the tensor num_batches_tracked.
 */
static size_t list_weights(struct cairn_trained *t, struct cairn_st_tensor *tensors,
                           char (*names)[48])
{
    const struct cairn_model *model = t->session.model;
    size_t count = 0;
    for (int i = 0; i < model->param_count; i++, count++) {
        const struct cairn_param *p = &model->params[i];
        snprintf(names[count], sizeof *names, "%s", p->name);
        tensors[count] =
            (struct cairn_st_tensor){names[count], CAIRN_ST_F32, p->rank, {0}, t->flat + p->offset};
        memcpy(tensors[count].dims, p->dims, sizeof p->dims);
    }
    for (int i = 0; i < model->node_count; i++) {
        if (model->nodes[i].mean < 0) continue;
        snprintf(names[count], sizeof *names, "%d.num_batches_tracked", i);
        tensors[count] =
            (struct cairn_st_tensor){names[count], CAIRN_ST_I64, 0, {0}, &t->state.step};
        count++;
    }
    return count;
}

static cairn_status write_weights(struct cairn_trained *t, const char *path)
{
    const struct cairn_model *model = t->session.model;
    size_t most = (size_t)model->param_count + (size_t)model->node_count;
    struct cairn_st_tensor *tensors = calloc(most, sizeof *tensors);
    char(*names)[48] = calloc(most, sizeof *names);
    char *keys[] = {"format"}, *values[] = {"pt"}; /* as PyTorch's own files say */
    cairn_status st;
    if (tensors && names)
        st = cairn_st_write(path, &(struct cairn_st_file){tensors, list_weights(t, tensors, names),
                                                          keys, values, 1});
    else
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
    free(tensors);
    free(names);
    return st;
}

/* --- the graph --- */

#ifdef CAIRN_WITH_ONNX

#define PROTOBUF_MOST 0x7fffffffu /* protobuf's own limit */

static void describe(struct cairn_onnx_writer *w, const struct cairn_trained *t, char *digest)
{
    const char *const keys[] = {"cairn.recipe", "cairn.weights_sha256"};
    const char *const values[] = {t->recipe.resolved, digest};
    w->model.has_ir_version = 1;
    w->model.ir_version = w->opset.version >= 20 ? 9 : 8;
    w->model.producer_name = "cairn";
    w->model.producer_version = CAIRN_VERSION;
    w->graph.name = "cairn";
    w->model.n_metadata_props = 2;
    w->model.metadata_props = cairn_onnx_room(w, 2 * sizeof *w->model.metadata_props);
    for (int i = 0; i < 2; i++) {
        Cairn__Onnx__Entry *entry = cairn_onnx_room(w, sizeof *entry);
        cairn__onnx__entry__init(entry);
        entry->key = (char *)keys[i];
        entry->value = (char *)values[i];
        w->model.metadata_props[i] = entry;
    }
}

static cairn_status write_graph(struct cairn_trained *t, const char *path,
                                struct cairn_export_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_onnx_writer w = {0};
    uint8_t *bytes = NULL;
    TRY(cairn_onnx_writer_init(&w, t->session.model, t->flat, 4096));
    cairn_onnx_write_graph(&w, t->state.shift, t->state.scale);
    describe(&w, t, result->weights_sha256);
    size_t size = cairn__onnx__model__get_packed_size(&w.model);
    if (size > PROTOBUF_MOST) {
        st = cairn_fail(CAIRN_UNSUPPORTED,
                        "%s: the model takes %zu bytes, more than the 2 GiB of an ONNX file; its "
                        "weights can be exported to a .safetensors file",
                        path, size);
        goto out;
    }
    bytes = malloc(size);
    if (!bytes) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    cairn__onnx__model__pack(&w.model, bytes);
    TRY(cairn_file_write(path, bytes, size));
    result->opset = (int)w.opset.version;
out:
    free(bytes);
    cairn_onnx_writer_finish(&w);
    return st;
}

#else

static cairn_status write_graph(struct cairn_trained *t, const char *path,
                                struct cairn_export_result *result)
{
    (void)t;
    (void)result;
    return cairn_fail(CAIRN_UNSUPPORTED,
                      "%s: this build has no ONNX: it was built without libprotobuf-c", path);
}

#endif

cairn_status cairn_export(const struct cairn_export_options *options,
                          struct cairn_export_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_trained trained = {0};
    struct cairn_compute compute = {.device = "reference", .data_dir = options->data_dir};
    struct stat info;
    int is_onnx = ends_with(options->file, ".onnx");
    memset(result, 0, sizeof *result);
    if (!*options->file) return cairn_fail(CAIRN_INVALID, "the file to write has an empty name");
    if (!is_onnx && !ends_with(options->file, ".safetensors"))
        return cairn_fail(CAIRN_INVALID,
                          "%s: the name of the file to write ends in neither .onnx (the model) nor "
                          ".safetensors (its weights)",
                          options->file);
    TRY(cairn_place_check(options->file, options->force));
    TRY(cairn_trained_read(&trained, options->run, options->last, &compute, 0));
    TRY(cairn_weights_digest(trained.session.model, trained.flat, result->weights_sha256));
    TRY(is_onnx ? write_graph(&trained, options->file, result)
                : write_weights(&trained, options->file));
    snprintf(result->format, sizeof result->format, "%s", is_onnx ? "onnx" : "safetensors");
    result->c = trained.session.model->in.c;
    result->h = trained.session.model->in.h;
    result->w = trained.session.model->in.w;
    result->classes = trained.session.model->classes;
    result->parameters = trained.session.model->parameters;
    result->bytes = stat(options->file, &info) == 0 ? (int64_t)info.st_size : 0;
    result->epoch = trained.state.epoch + (trained.state.batch > 0);
    result->step = trained.state.step;
out:
    cairn_trained_close(&trained);
    return st;
}
