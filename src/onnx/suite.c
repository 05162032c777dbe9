/* cairn_onnx_test(): the folders of ONNX's backend tests. */
#include <cairn/exchange.h>

#include "base/error.h"
#ifdef CAIRN_WITH_ONNX
#include "base/file.h"
#include "onnx/machine.h"
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST 4 /* folders below those that are named */

struct suite {
    struct cairn_device *device;
    void (*each)(void *context, const struct cairn_onnx_verdict *verdict);
    void *context;
    int64_t found;
};

/* A graph at work: its values by name. */
struct graph {
    const char *path;
    Cairn__Onnx__Model *model;
    int64_t opset;
    struct value {
        const char *name;
        struct cairn_onnx_tensor tensor;
    } * values;
    size_t count;
    const char *op; /* of the node that ran last */
};

static struct value *find(struct graph *g, const char *name)
{
    for (size_t i = 0; i < g->count; i++)
        if (!strcmp(g->values[i].name, name)) return &g->values[i];
    return NULL;
}

/* Takes the tensor over. */
static void put(struct graph *g, const char *name, struct cairn_onnx_tensor *tensor)
{
    struct value *v = find(g, name);
    if (v)
        cairn_onnx_tensor_free(&v->tensor);
    else
        v = &g->values[g->count++];
    v->name = name;
    v->tensor = *tensor;
    memset(tensor, 0, sizeof *tensor);
}

static void clear(struct graph *g)
{
    for (size_t i = 0; i < g->count; i++) cairn_onnx_tensor_free(&g->values[i].tensor);
    g->count = 0;
}

/* The text is good until seven further calls. */
static const char *path_of(const char *folder, const char *name)
{
    static char texts[8][4096];
    static int next;
    next = (next + 1) % 8;
    snprintf(texts[next], sizeof texts[next], "%s/%s", folder, name);
    return texts[next];
}

static const char *numbered(const char *folder, const char *what, size_t i)
{
    char name[64];
    snprintf(name, sizeof name, "%s_%zu%s", what, i, strcmp(what, "test_data_set") ? ".pb" : "");
    return path_of(folder, name);
}

/* --- one test --- */

static cairn_status run_node(struct suite *s, struct graph *g, const Cairn__Onnx__Node *node)
{
    cairn_status st = CAIRN_OK;
    struct cairn_onnx_task t = {
        .device = s->device, .node = node, .opset = g->opset, .path = g->path};
    g->op = cairn_onnx_or_empty(node->op_type);
    if (node->n_input > CAIRN_ONNX_OPERANDS || node->n_output > CAIRN_ONNX_OPERANDS)
        return cairn_fail(CAIRN_UNSUPPORTED, "%zu inputs", node->n_input);
    t.in_count = (int)node->n_input;
    for (size_t i = 0; i < node->n_input; i++) {
        const struct value *v = *node->input[i] ? find(g, node->input[i]) : NULL;
        if (*node->input[i] && !v)
            return cairn_fail(CAIRN_FORMAT, "the input '%.80s' is missing", node->input[i]);
        t.in[i] = v ? &v->tensor : NULL;
    }
    for (size_t i = 0; i < node->n_output; i++)
        if (*node->output[i]) t.out_count = (int)i + 1;
    TRY(cairn_onnx_run(&t));
    for (size_t i = 0; i < node->n_output; i++)
        if (*node->output[i]) put(g, node->output[i], &t.out[i]);
out:
    for (int i = 0; i < CAIRN_ONNX_OPERANDS; i++) cairn_onnx_tensor_free(&t.out[i]);
    return st;
}

static cairn_status compare(const char *name, const struct cairn_onnx_tensor *wanted,
                            const struct cairn_onnx_tensor *found)
{
    if (found->rank != wanted->rank || found->count != wanted->count ||
        memcmp(found->dims, wanted->dims, (size_t)wanted->rank * sizeof *wanted->dims) != 0)
        return cairn_fail(CAIRN_DIFFERENT, "'%.80s' has another shape than expected", name);
    if (!found->floats != !wanted->floats || !found->ints != !wanted->ints)
        return cairn_fail(CAIRN_DIFFERENT, "'%.80s' has another type than expected", name);
    for (int64_t i = 0; i < wanted->count; i++) {
        double a = wanted->floats ? (double)found->floats[i] : (double)found->ints[i];
        double b = wanted->floats ? (double)wanted->floats[i] : (double)wanted->ints[i];
        int same = wanted->floats
                       ? a == b || (a != a && b != b) || fabs(a - b) <= 1e-7 + 1e-3 * fabs(b)
                       : found->ints[i] == wanted->ints[i];
        if (!same)
            return cairn_fail(CAIRN_DIFFERENT, "'%.80s'[%lld] is %.9g; expected is %.9g", name,
                              (long long)i, a, b);
    }
    return CAIRN_OK;
}

/* Initializers, and the inputs of the data set in the graph's order. */
static cairn_status read_inputs(struct graph *g, const char *folder)
{
    cairn_status st = CAIRN_OK;
    const Cairn__Onnx__Graph *graph = g->model->graph;
    struct cairn_onnx_tensor tensor = {0};
    for (size_t i = 0; i < graph->n_initializer; i++) {
        TRY(cairn_onnx_tensor(graph->initializer[i], g->path, &tensor));
        put(g, cairn_onnx_or_empty(graph->initializer[i]->name), &tensor);
    }
    for (size_t i = 0; i < graph->n_input; i++) {
        char *name = NULL;
        const char *path = numbered(folder, "input", i);
        if (!cairn_file_exists(path)) continue; /* an initializer that is listed as an input */
        st = cairn_onnx_read_tensor(path, &tensor, &name);
        free(name);
        if (st != CAIRN_OK) goto out;
        put(g, cairn_onnx_or_empty(graph->input[i]->name), &tensor);
    }
out:
    return st;
}

static cairn_status check_outputs(struct graph *g, const char *folder)
{
    cairn_status st = CAIRN_OK;
    const Cairn__Onnx__Graph *graph = g->model->graph;
    for (size_t i = 0; i < graph->n_output && st == CAIRN_OK; i++) {
        struct cairn_onnx_tensor wanted = {0};
        char *name = NULL;
        const struct value *found = find(g, cairn_onnx_or_empty(graph->output[i]->name));
        st = cairn_onnx_read_tensor(numbered(folder, "output", i), &wanted, &name);
        if (st == CAIRN_OK && !found) st = cairn_fail(CAIRN_FORMAT, "an output that no node gives");
        if (st == CAIRN_OK) st = compare(found->name, &wanted, &found->tensor);
        free(name);
        cairn_onnx_tensor_free(&wanted);
    }
    return st;
}

static cairn_status run_set(struct suite *s, struct graph *g, const char *folder)
{
    cairn_status st = CAIRN_OK;
    TRY(read_inputs(g, folder));
    for (size_t i = 0; i < g->model->graph->n_node; i++)
        TRY(run_node(s, g, g->model->graph->node[i]));
    TRY(check_outputs(g, folder));
out:
    clear(g);
    return st;
}

/* Sequences and optional values are no tensors. */
static int takes_tensors(const Cairn__Onnx__Graph *graph)
{
    for (size_t i = 0; i < graph->n_input; i++)
        if (!graph->input[i]->type || !graph->input[i]->type->tensor_type) return 0;
    return 1;
}

/* The first operator that Cairn does not have, or NULL. */
static const char *unknown_of(const Cairn__Onnx__Graph *graph)
{
    for (size_t i = 0; i < graph->n_node; i++) {
        const char *domain = cairn_onnx_or_empty(graph->node[i]->domain);
        const char *op = cairn_onnx_or_empty(graph->node[i]->op_type);
        if ((*domain && strcmp(domain, "ai.onnx") != 0) || !cairn_onnx_knows(op)) return op;
    }
    return NULL;
}

static cairn_status open_graph(struct graph *g)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_onnx_read(g->path, &g->model));
    const Cairn__Onnx__Graph *graph = g->model->graph;
    size_t names = graph->n_initializer + graph->n_input;
    for (size_t i = 0; i < graph->n_node; i++) names += graph->node[i]->n_output;
    g->values = calloc(names + 1, sizeof *g->values);
    if (!g->values) st = cairn_fail(CAIRN_MEMORY, "out of memory");
out:
    return st;
}

/* Failures of the device and of memory end everything; the others are the test's. */
static cairn_status run_test(struct suite *s, const char *folder)
{
    char path[4096];
    struct graph g = {.path = path};
    struct cairn_onnx_verdict verdict = {.test = folder, .why = ""};
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    cairn_status st = open_graph(&g);
    const char *op = st == CAIRN_OK ? unknown_of(g.model->graph) : NULL;
    if (op) {
        st = cairn_fail(CAIRN_UNSUPPORTED, "no such operator");
    } else if (st == CAIRN_OK && !takes_tensors(g.model->graph)) {
        op = cairn_onnx_or_empty(g.model->graph->node[0]->op_type);
        st = cairn_fail(CAIRN_UNSUPPORTED, "an input that is no tensor");
    } else if (st == CAIRN_OK) {
        st = cairn_onnx_opset(g.model, &g.opset);
    }
    size_t sets = 0;
    for (; st == CAIRN_OK; sets++) {
        char set[4096];
        snprintf(set, sizeof set, "%s", numbered(folder, "test_data_set", sets));
        if (!cairn_file_exists(set)) break;
        st = run_set(s, &g, set);
    }
    if (st == CAIRN_OK && sets == 0) st = cairn_fail(CAIRN_FORMAT, "no test_data_set_0");
    s->found++;
    verdict.op = op ? op : g.op;
    verdict.outcome = st == CAIRN_OK                          ? CAIRN_ONNX_PASSED
                      : st == CAIRN_UNSUPPORTED && verdict.op ? CAIRN_ONNX_SKIPPED
                                                              : CAIRN_ONNX_FAILED;
    if (st != CAIRN_OK) verdict.why = cairn_error();
    int ends = st == CAIRN_MEMORY || st == CAIRN_DEVICE || st == CAIRN_BUILD;
    if (!ends) s->each(s->context, &verdict);
    clear(&g);
    free(g.values);
    cairn_onnx_free(g.model);
    return ends ? st : CAIRN_OK;
}

/* --- folders --- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static cairn_status walk(struct suite *s, const char *folder, int depth)
{
    struct dirent **entries;
    cairn_status st = CAIRN_OK;
    if (cairn_file_exists(path_of(folder, "model.onnx"))) return run_test(s, folder);
    int count = depth < DEEPEST ? scandir(folder, &entries, is_visible, by_name) : 0;
    if (count < 0 && depth > 0) return CAIRN_OK; /* a file */
    if (count < 0) return cairn_fail_errno(CAIRN_NOT_FOUND, "cannot list %s", folder);
    for (int i = 0; i < count; i++) {
        char *path = st == CAIRN_OK ? cairn_file_join(folder, entries[i]->d_name) : NULL;
        if (path) st = walk(s, path, depth + 1);
        free(path);
        free(entries[i]);
    }
    if (depth < DEEPEST) free(entries);
    return st;
}

cairn_status cairn_onnx_test(const char *const *folders, int count,
                             const struct cairn_compute *compute,
                             void (*each)(void *context, const struct cairn_onnx_verdict *verdict),
                             void *context)
{
    cairn_status st = CAIRN_OK;
    struct suite s = {.each = each, .context = context};
    struct cairn_device_options options = {.math = compute->math};
    TRY(cairn_device_open(compute->device ? compute->device : "opencl", &options, &s.device));
    for (int i = 0; i < count; i++) {
        int64_t before = s.found;
        TRY(walk(&s, folders[i], 0));
        if (s.found > before) continue;
        st = cairn_fail(CAIRN_NOT_FOUND,
                        "%s holds no test: a test is a folder with model.onnx and test_data_set_0",
                        folders[i]);
        goto out;
    }
out:
    cairn_device_close(s.device);
    return st;
}

#else

cairn_status cairn_onnx_test(const char *const *folders, int count,
                             const struct cairn_compute *compute,
                             void (*each)(void *context, const struct cairn_onnx_verdict *verdict),
                             void *context)
{
    (void)count;
    (void)compute;
    (void)each;
    (void)context;
    return cairn_fail(CAIRN_UNSUPPORTED,
                      "%s: this build has no ONNX: it was built without libprotobuf-c", folders[0]);
}

#endif
