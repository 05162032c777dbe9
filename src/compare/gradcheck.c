/* Slopes measured on the loss beside those of back-propagation.
 *
 * The loss is the training loss of the recipe - with dropout, batch statistics, smoothing and class
 * weights - as the plan for gradients leaves it, added up in double. Dropout and augmentation draw
 * by step 0 throughout, so that the loss is a function of the weights alone. */
#include <cairn/compare.h>

#include "base/error.h"
#include "base/random.h"
#include "base/text.h"
#include "train/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_EPSILON 1e-6
#define MAX_CHOSEN 256
#define MAX_PATTERNS 256
#define DIRECTIONS 5
#define SHRINKS 3              /* e / 4 each time */
#define DIRECTION_ALLOWED 1e-2 /* of the gradient's norm, the usual size of a slope */

struct chosen {
    const struct cairn_param *param;
    int64_t element;
};

struct lab {
    const struct cairn_gradcheck_options *options;
    struct cairn_gradcheck_result *result;
    struct cairn_recipe recipe;
    struct cairn_dataset data;
    struct cairn_session session;  /* description, device and split; its plans are not compiled */
    struct cairn_plan *one, *many; /* plans for one image and for the batch */
    struct cairn_memory memory;
    int64_t patterns[MAX_PATTERNS]; /* from 0; first in the table, the batch behind */
    int pattern_count;
    double base[MAX_PATTERNS + 1]; /* losses before anything was changed; last: of the batch */
    int64_t images;                /* of the batch */
    int64_t flat;                  /* numbers that are trained, gaps included */
    float *weights;                /* total_floats of the model */
    float *gradients;              /* flat per pattern, then those of the batch */
    float *losses, *trial;
    struct chosen chosen[MAX_CHOSEN];
    int chosen_count;
};

/* --- setting up --- */

static cairn_status choose_patterns(struct lab *lab)
{
    const struct cairn_gradcheck_options *o = lab->options;
    const int64_t usual[] = {1, 6, -1}, *wanted = o->pattern_count > 0 ? o->patterns : usual;
    int count = o->pattern_count > 0 ? o->pattern_count : 3;
    int64_t images = lab->session.train_images;
    if (count > MAX_PATTERNS)
        return cairn_fail(CAIRN_INVALID, "more than %d patterns", MAX_PATTERNS);
    for (int i = 0; i < count; i++) {
        int64_t pattern = wanted[i] == -1 ? images : wanted[i];
        if (pattern < 1 || (pattern > images && o->pattern_count > 0))
            return cairn_fail(CAIRN_INVALID,
                              "there is no training image number %lld; accepted: 1 to %lld",
                              (long long)pattern, (long long)images);
        if (pattern <= images) lab->patterns[lab->pattern_count++] = pattern - 1;
    }
    return CAIRN_OK;
}

static cairn_status describe(struct lab *lab)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_gradcheck_options *o = lab->options;
    TRY(cairn_recipe_read(o->recipe, o->sets, o->set_count, &lab->recipe));
    TRY(cairn_session_look(&o->compute, "opencl"));
    TRY(cairn_session_data(&lab->recipe, &o->compute, CAIRN_DATASET_ALL, &lab->data));
    TRY(cairn_session_describe(&lab->session, &lab->recipe, &lab->data));
    TRY(choose_patterns(lab));
    TRY(cairn_session_open(&lab->session, &o->compute, "opencl"));
    TRY(cairn_session_split(&lab->session, &lab->data));
    lab->images = o->images > 0 ? o->images : lab->recipe.train.batch;
    if (lab->images > lab->session.counts[CAIRN_PART_TRAIN])
        lab->images = lab->session.counts[CAIRN_PART_TRAIN];
    lab->flat = lab->session.model->flat_floats;
out:
    return st;
}

static cairn_status compile(struct lab *lab)
{
    cairn_status st = CAIRN_OK;
    int64_t bytes[CAIRN_REGION_COUNT] = {0}, total = lab->pattern_count + lab->images;
    const struct cairn_session *s = &lab->session;
    struct cairn_plan_options options = cairn_session_options(s, CAIRN_PLAN_GRADIENT, 1, 1);
    options.total = total;
    TRY(cairn_plan_create(s->model, &options, s->device, &lab->one));
    options.batch = options.whole = lab->images;
    TRY(cairn_plan_create(s->model, &options, s->device, &lab->many));
    int64_t arena = lab->one->arena_floats > lab->many->arena_floats ? lab->one->arena_floats
                                                                     : lab->many->arena_floats;
    bytes[CAIRN_REGION_PARAMS] = s->model->total_floats * 4;
    bytes[CAIRN_REGION_GRADS] = lab->flat * 4;
    bytes[CAIRN_REGION_ARENA] = arena * 4;
    bytes[CAIRN_REGION_TABLE] = total * lab->data.c * lab->data.h * lab->data.w;
    bytes[CAIRN_REGION_LABELS] = total;
    bytes[CAIRN_REGION_INDICES] = total * 4;
    bytes[CAIRN_REGION_LOSS] = bytes[CAIRN_REGION_CORRECT] = total * 4;
    if (options.weighted) bytes[CAIRN_REGION_CLASS_WEIGHTS] = s->model->classes * 4;
    TRY(cairn_memory_create(s->device, bytes, &lab->memory));
    TRY(cairn_buffer_fill(lab->memory.buffers[CAIRN_REGION_GRADS], 0, (size_t)lab->flat * 4, 0));
    if (options.weighted) {
        float weights[CAIRN_RECIPE_CLASSES];
        cairn_session_class_weights(s, &lab->data, weights);
        TRY(cairn_buffer_write(lab->memory.buffers[CAIRN_REGION_CLASS_WEIGHTS], 0, weights,
                               (size_t)s->model->classes * sizeof *weights));
    }
out:
    return st;
}

/* The table holds the patterns, then the batch; INDICES is the identity. */
static cairn_status upload(struct lab *lab)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_session *s = &lab->session;
    const int32_t *train = s->split + s->counts[CAIRN_PART_VALIDATION];
    struct cairn_buffer **buffers = lab->memory.buffers;
    size_t item = (size_t)lab->data.c * (size_t)lab->data.h * (size_t)lab->data.w;
    for (int64_t i = 0; i < lab->pattern_count + lab->images; i++) {
        int64_t from = i < lab->pattern_count ? lab->patterns[i] : train[i - lab->pattern_count];
        int32_t place = (int32_t)i;
        TRY(cairn_buffer_write(buffers[CAIRN_REGION_TABLE], (size_t)i * item,
                               lab->data.train.pixels + (size_t)from * item, item));
        TRY(cairn_buffer_write(buffers[CAIRN_REGION_LABELS], (size_t)i,
                               lab->data.train.labels + from, 1));
        TRY(cairn_buffer_write(buffers[CAIRN_REGION_INDICES], (size_t)i * 4, &place, 4));
    }
out:
    return st;
}

static cairn_status allocate(struct lab *lab)
{
    size_t total = (size_t)lab->session.model->total_floats, flat = (size_t)lab->flat;
    lab->weights = malloc(total * sizeof(float));
    lab->trial = malloc(total * sizeof(float));
    lab->gradients = malloc(flat * ((size_t)lab->pattern_count + 1) * sizeof(float));
    lab->losses = malloc((size_t)(lab->images + lab->pattern_count) * sizeof(float));
    if (!lab->weights || !lab->trial || !lab->gradients || !lab->losses)
        return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_model_init(lab->session.model, lab->recipe.train.seed, lab->weights);
    memcpy(lab->trial, lab->weights, total * sizeof(float));
    return CAIRN_OK;
}

/* --- running --- */

/* The mean loss of pattern number `pattern` (of the batch: pattern_count) with the weights `w`. */
static cairn_status loss_of(struct lab *lab, int pattern, const float *w, double *loss)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_session *s = &lab->session;
    int is_batch = pattern == lab->pattern_count;
    int64_t count = is_batch ? lab->images : 1;
    struct cairn_now now = {.index = pattern, .row = pattern};
    TRY(cairn_buffer_write(lab->memory.buffers[CAIRN_REGION_PARAMS], 0, w,
                           (size_t)s->model->total_floats * 4));
    TRY(cairn_plan_run(is_batch ? lab->many : lab->one, s->device, &lab->memory, &now));
    TRY(cairn_buffer_read(lab->memory.buffers[CAIRN_REGION_LOSS], (size_t)pattern * 4, lab->losses,
                          (size_t)count * 4));
    *loss = 0;
    for (int64_t i = 0; i < count; i++) *loss += (double)lab->losses[i] / (double)count;
out:
    return st;
}

static float *gradient_of(struct lab *lab, int pattern)
{
    return lab->gradients + (size_t)pattern * (size_t)lab->flat;
}

static cairn_status back_propagate(struct lab *lab)
{
    cairn_status st = CAIRN_OK;
    for (int i = 0; i <= lab->pattern_count; i++) {
        TRY(loss_of(lab, i, lab->weights, &lab->base[i]));
        if (!isfinite(lab->base[i]))
            return cairn_fail(CAIRN_INVALID, "the loss is not finite before anything was changed");
        TRY(cairn_buffer_read(lab->memory.buffers[CAIRN_REGION_GRADS], 0, gradient_of(lab, i),
                              (size_t)lab->flat * 4));
    }
out:
    return st;
}

/* --- which weights --- */

static int is_chosen(const struct lab *lab, const struct cairn_param *p, int64_t element)
{
    for (int i = 0; i < lab->chosen_count; i++)
        if (lab->chosen[i].param == p && lab->chosen[i].element == element) return 1;
    return 0;
}

/* The element whose gradients over the patterns are largest, of those not chosen yet: a slope of 0
 * shows nothing. */
static int64_t liveliest(struct lab *lab, const struct cairn_param *p)
{
    int64_t best = 0;
    double most = -1;
    for (int64_t e = 0; e < p->count; e++) {
        double size = 0;
        for (int i = 0; i < lab->pattern_count; i++)
            size += fabs((double)gradient_of(lab, i)[p->offset + e]);
        if (size > most && !is_chosen(lab, p, e)) {
            most = size;
            best = e;
        }
    }
    return best;
}

static cairn_status choose(struct lab *lab, const struct cairn_param *p, int64_t element)
{
    if (lab->chosen_count == MAX_CHOSEN)
        return cairn_fail(CAIRN_INVALID, "more than %d weights", MAX_CHOSEN);
    lab->chosen[lab->chosen_count++] = (struct chosen){p, element};
    return CAIRN_OK;
}

/* A bias and two weights of the last and of the first layer that has weights. */
static cairn_status choose_usual(struct lab *lab)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_model *m = lab->session.model;
    int first = m->node_count, last = -1;
    for (int i = 0; i < m->node_count; i++)
        if (m->nodes[i].weight >= 0 && m->params[m->nodes[i].weight].kind == CAIRN_PARAM_WEIGHT) {
            if (first > i) first = i;
            last = i;
        }
    const int layers[2] = {last, first};
    for (int l = 0; l < (first == last ? 1 : 2); l++)
        if (m->nodes[layers[l]].bias >= 0) {
            const struct cairn_param *p = &m->params[m->nodes[layers[l]].bias];
            TRY(choose(lab, p, liveliest(lab, p)));
        }
    for (int l = first == last ? 0 : 1; l >= 0; l--) {
        const struct cairn_param *p = &m->params[m->nodes[layers[l]].weight];
        for (int i = 0; i < 2 && i < p->count; i++) TRY(choose(lab, p, liveliest(lab, p)));
    }
out:
    return st;
}

static cairn_status no_weight(const struct lab *lab, const char *text)
{
    const struct cairn_model *m = lab->session.model;
    char known[512] = "";
    for (int i = 0; i < m->trained_count; i++) {
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", m->params[i].name);
    }
    return cairn_fail(CAIRN_INVALID,
                      "there is no weight '%s'; accepted: NAME or NAME[ELEMENT] of: %s", text,
                      known);
}

/* "0.weight", "0.weight[17]" */
static cairn_status choose_named(struct lab *lab, const char *text)
{
    const struct cairn_model *m = lab->session.model;
    char word[64];
    int64_t element = -1;
    if (strlen(text) >= sizeof word) return no_weight(lab, text);
    snprintf(word, sizeof word, "%s", text);
    char *bracket = strchr(word, '[');
    if (bracket) {
        size_t n = strlen(bracket);
        if (bracket[n - 1] != ']') return no_weight(lab, text);
        bracket[n - 1] = '\0';
        *bracket++ = '\0';
    }
    int i = 0;
    while (i < m->trained_count && strcmp(m->params[i].name, word) != 0) i++;
    if (i == m->trained_count) return no_weight(lab, text);
    const struct cairn_param *p = &m->params[i];
    if (bracket && cairn_text_int(bracket, 0, p->count - 1, &element) != CAIRN_OK)
        return cairn_fail_in(CAIRN_INVALID, "element of %s", p->name);
    return choose(lab, p, bracket ? element : liveliest(lab, p));
}

/* --- the table --- */

static cairn_status slope(struct lab *lab, const struct chosen *at, int pattern, double epsilon,
                          double *numerical, double *bend)
{
    cairn_status st = CAIRN_OK;
    int64_t place = at->param->offset + at->element;
    float w = lab->weights[place];
    float above = (float)((double)w + epsilon), below = (float)((double)w - epsilon);
    double up, down;
    lab->trial[place] = above;
    TRY(loss_of(lab, pattern, lab->trial, &up));
    lab->trial[place] = below;
    TRY(loss_of(lab, pattern, lab->trial, &down));
    *numerical = (up - down) / ((double)above - (double)below);
    *bend = fabs(up - 2 * lab->base[pattern] + down) / epsilon;
out:
    lab->trial[place] = w;
    return st;
}

/* The bound at a step of e, after `shrunk` smaller ones; 1 if the row keeps it. `bend`: by how much
 * the slopes on both sides differ; behind the last step it counts, half, for what a kink next to w
 * itself may make. */
static int keeps(struct cairn_gradcheck_row *row, double e, int shrunk, double loss, double bend,
                 double allowed)
{
    double bound = shrunk > 0 ? 0x1p-20 * fmax(1, fabs(loss)) / e : 0;
    if (shrunk == SHRINKS) bound += bend / 2;
    row->epsilon = e;
    row->bound = bound > allowed ? bound : allowed;
    row->difference = fabs(row->numerical - row->analytical);
    row->within = row->difference <= row->bound;
    return row->within;
}

static cairn_status check_weights(struct lab *lab)
{
    cairn_status st = CAIRN_OK;
    struct cairn_gradcheck_result *r = lab->result;
    for (int i = 0; i < lab->pattern_count; i++)
        for (int c = 0; c < lab->chosen_count; c++) {
            const struct chosen *at = &lab->chosen[c];
            struct cairn_gradcheck_row *row = &r->rows[r->row_count++];
            row->pattern = lab->patterns[i] + 1;
            snprintf(row->weight.name, sizeof row->weight.name, "%s", at->param->name);
            row->weight.element = at->element;
            row->analytical = (double)gradient_of(lab, i)[at->param->offset + at->element];
            double e = r->epsilon, bend;
            for (int shrunk = 0; shrunk <= SHRINKS; shrunk++, e /= 4) {
                TRY(slope(lab, at, i, e, &row->numerical, &bend));
                if (keeps(row, e, shrunk, lab->base[i], bend, r->allowed)) break;
            }
            r->failed += !row->within;
        }
out:
    return st;
}

/* Moves every weight by h, up or down as the bits of direction number `number` say, in both senses;
 * the slope along it, and what back-propagation makes of the very steps that were taken. */
static cairn_status along(struct lab *lab, int number, double h, double *numerical,
                          double *analytical, double *bend)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_model *m = lab->session.model;
    const float *gradient = gradient_of(lab, lab->pattern_count);
    double loss[2], sum = 0;
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < m->trained_count; i++)
            for (int64_t e = 0; e < m->params[i].count; e++) {
                int64_t place = m->params[i].offset + e;
                uint32_t word = cairn_random_u32(lab->recipe.train.seed, CAIRN_STREAM_CHECK,
                                                 (uint32_t)number, (uint64_t)place);
                double step = (word >> 31) == (uint32_t)side ? h : -h;
                float w = (float)((double)lab->weights[place] + step);
                double moved = (double)w - (double)lab->weights[place];
                lab->trial[place] = w;
                sum += (side ? -1 : 1) * (double)gradient[place] * moved;
            }
        TRY(loss_of(lab, lab->pattern_count, lab->trial, &loss[side]));
    }
    *numerical = (loss[0] - loss[1]) / (2 * h);
    *analytical = sum / (2 * h);
    *bend = fabs(loss[0] - 2 * lab->base[lab->pattern_count] + loss[1]) / h;
out:
    memcpy(lab->trial, lab->weights, (size_t)m->total_floats * sizeof(float));
    return st;
}

static cairn_status check_directions(struct lab *lab, int count)
{
    cairn_status st = CAIRN_OK;
    struct cairn_gradcheck_result *r = lab->result;
    const float *gradient = gradient_of(lab, lab->pattern_count);
    double norm = 0, h = r->epsilon / sqrt((double)lab->session.model->parameters);
    for (int64_t i = 0; i < lab->flat; i++) norm += (double)gradient[i] * (double)gradient[i];
    norm = sqrt(norm);
    for (int d = 0; d < count; d++) {
        struct cairn_gradcheck_row *row = &r->rows[r->row_count++];
        double e = h, bend;
        snprintf(row->weight.name, sizeof row->weight.name, "direction %d", d + 1);
        for (int shrunk = 0; shrunk <= SHRINKS; shrunk++, e /= 4) {
            TRY(along(lab, d, e, &row->numerical, &row->analytical, &bend));
            if (keeps(row, e, shrunk, lab->base[lab->pattern_count], bend,
                      DIRECTION_ALLOWED * norm))
                break;
        }
        r->failed += !row->within;
        r->direction_count++;
    }
out:
    return st;
}

static cairn_status run(struct lab *lab)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_gradcheck_options *o = lab->options;
    struct cairn_gradcheck_result *r = lab->result;
    int directions = o->directions == 0 ? DIRECTIONS : o->directions < 0 ? 0 : o->directions;
    r->epsilon = o->epsilon > 0 ? o->epsilon : 1e-2;
    r->allowed = o->allowed > 0 ? o->allowed : 1e-4;
    if (!(r->epsilon >= LEAST_EPSILON && r->epsilon <= 1))
        return cairn_fail(CAIRN_INVALID,
                          "epsilon: %g is out of range, 1e-6 to 1: weights are floats", r->epsilon);
    TRY(describe(lab));
    TRY(compile(lab));
    TRY(upload(lab));
    TRY(allocate(lab));
    TRY(back_propagate(lab));
    for (int i = 0; i < o->weight_count; i++) TRY(choose_named(lab, o->weights[i]));
    if (o->weight_count == 0) TRY(choose_usual(lab));
    size_t rows = (size_t)lab->pattern_count * (size_t)lab->chosen_count + (size_t)directions;
    r->rows = calloc(rows ? rows : 1, sizeof *r->rows);
    if (!r->rows) return cairn_fail(CAIRN_MEMORY, "out of memory");
    snprintf(r->device, sizeof r->device, "%s", cairn_device_info(lab->session.device)->name);
    r->parameters = lab->session.model->parameters;
    r->images = lab->images;
    TRY(check_weights(lab));
    TRY(check_directions(lab, directions));
out:
    return st;
}

cairn_status cairn_gradcheck(const struct cairn_gradcheck_options *options,
                             struct cairn_gradcheck_result *result)
{
    struct lab *lab = calloc(1, sizeof *lab);
    memset(result, 0, sizeof *result);
    if (!lab) return cairn_fail(CAIRN_MEMORY, "out of memory");
    lab->options = options;
    lab->result = result;
    cairn_status st = run(lab);
    cairn_memory_free(&lab->memory);
    cairn_plan_destroy(lab->one);
    cairn_plan_destroy(lab->many);
    cairn_session_close(&lab->session);
    cairn_dataset_free(&lab->data);
    cairn_recipe_free(&lab->recipe);
    free(lab->weights);
    free(lab->trial);
    free(lab->gradients);
    free(lab->losses);
    free(lab);
    if (st != CAIRN_OK) cairn_gradcheck_free(result);
    return st;
}

void cairn_gradcheck_free(struct cairn_gradcheck_result *result)
{
    free(result->rows);
    memset(result, 0, sizeof *result);
}
