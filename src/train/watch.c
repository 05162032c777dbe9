/* Watching a training for what is not finite.
 *
 * The losses of all rows, which the device keeps anyway, are the flag: what is NaN or infinite in a
 * step shows in the losses of that step or of the next, and they are looked at whenever they are
 * read. What reaches no loss (a moment that overflows stops its weight and nothing else) is seen in
 * what a checkpoint is written from, before it is written. A step of a training is a function of
 * the state before it, so no state has to be kept for this: from the last checkpoint the steps are
 * taken again, each looked at whole, and the one that spoils the state once more, operator by
 * operator. */
#include "base/error.h"
#include "device/schema.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 4096

/* What was found. */
struct finding {
    char what[64], where[160]; /* "gradient dy", "layer 3 (linear 10)" */
    int64_t index, count;
    float value;
};

static int is_bad(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & 0x7f800000) == 0x7f800000;
}

int64_t cairn_watch_find(const float *values, int64_t count)
{
    for (int64_t first = 0; first < count; first += BLOCK) {
        int64_t end = count - first < BLOCK ? count : first + BLOCK;
        int bad = 0;
        for (int64_t i = first; i < end; i++) bad |= is_bad(values[i]);
        for (int64_t i = first; bad && i < end; i++)
            if (is_bad(values[i])) return i;
    }
    return -1;
}

/* --- names --- */

static void name_layer(const struct cairn_trainer *t, int layer, struct finding *f)
{
    snprintf(f->where, sizeof f->where, "layer %d (%s)", layer, t->recipe.layers[layer].text);
}

/* A tensor of the flat layout, which one operand may hold whole: the parameter at this place. */
static void name_param(const struct cairn_trainer *t, const char *of, int64_t place,
                       struct finding *f)
{
    const struct cairn_model *model = t->session.model;
    for (int i = 0; i < model->param_count; i++) {
        const struct cairn_param *p = &model->params[i];
        if (place < p->offset || place >= p->offset + p->count) continue;
        snprintf(f->what, sizeof f->what, "%s%s", of, p->name);
        name_layer(t, p->layer, f);
        f->index = place - p->offset;
        f->count = p->count;
        return;
    }
}

static const char *const flat_names[CAIRN_REGION_COUNT] = {
    [CAIRN_REGION_PARAMS] = "",
    [CAIRN_REGION_GRADS] = "gradient of ",
    [CAIRN_REGION_SUMS] = "gradient of ",
    [CAIRN_REGION_MOMENT1] = "first moment of ",
    [CAIRN_REGION_MOMENT2] = "second moment of ",
};

static void name_operand(const struct cairn_trainer *t, const struct cairn_step *step,
                         const struct cairn_operand *o, const struct cairn_tensor *tensor,
                         const struct cairn_mem *mem, struct finding *f)
{
    enum cairn_op op = step->problem.op;
    int is_loss = step->layer < 0 && (op == CAIRN_OP_SOFTMAX || op == CAIRN_OP_LOSS),
        is_update = step->phase == CAIRN_PHASE_UPDATE;
    snprintf(f->what, sizeof f->what, "%s %s",
             is_update                                        ? "norm"
             : is_loss || step->phase == CAIRN_PHASE_BACKWARD ? "gradient"
                                                              : "activation",
             o->name);
    if (tensor->region == CAIRN_REGION_LOSS) snprintf(f->what, sizeof f->what, "loss");
    if (step->layer >= 0)
        name_layer(t, step->layer, f);
    else
        snprintf(f->where, sizeof f->where, "%s",
                 is_update ? "the update"
                 : is_loss ? "the batch"
                           : "the images");
    if (flat_names[tensor->region])
        name_param(t, flat_names[tensor->region], mem->offset + f->index, f);
}

/* --- a step, operator by operator --- */

/* Looks at one result of an operator. */
static cairn_status look(struct cairn_trainer *t, const struct cairn_plan *plan, int number,
                         const struct cairn_problem *problem, int operand, struct finding *f,
                         int *found)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_operand *o = &cairn_schema_of(problem->op)->operands[operand];
    const struct cairn_mem *mem = cairn_problem_mem_const(problem, o);
    int64_t count = o->extent(problem);
    if (!mem->buffer || count == 0 || o->dtype != CAIRN_F32) return CAIRN_OK;
    float *values = malloc((size_t)count * sizeof *values);
    if (!values) return cairn_fail(CAIRN_MEMORY, "out of memory");
    TRY(cairn_buffer_read(mem->buffer, (size_t)mem->offset * sizeof *values, values,
                          (size_t)count * sizeof *values));
    int64_t index = cairn_watch_find(values, count);
    if (index >= 0) {
        const struct cairn_step *step = &plan->steps[number];
        *found = 1;
        f->index = index;
        f->count = count;
        f->value = values[index];
        name_operand(t, step, o, &plan->tensors[step->tensors[operand]], mem, f);
    }
out:
    free(values);
    return st;
}

static cairn_status run_looking(struct cairn_trainer *t, const struct cairn_now *now,
                                int64_t images, struct finding *f, int *found)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *s = &t->session;
    const struct cairn_plan *plan;
    struct cairn_now place;
    TRY(cairn_session_begin(s));
    for (int i = 0; !*found && (plan = cairn_session_part(s, now, images, i, &place)); i++)
        for (int number = 0; number < plan->step_count && !*found; number++) {
            struct cairn_problem problem;
            cairn_plan_problem(plan, &s->memory, &place, number, &problem);
            TRY(cairn_run(s->device, &problem));
            TRY(cairn_problem_complete(&problem));
            const struct cairn_operand *operands = cairn_schema_of(problem.op)->operands;
            for (int o = 0; operands[o].name && !*found; o++)
                if (operands[o].role == CAIRN_OUT || operands[o].role == CAIRN_INOUT)
                    TRY(look(t, plan, number, &problem, o, f, found));
        }
out:
    return st;
}

/* --- the steps since the last checkpoint --- */

/* The state of a training in the host's memory. */
struct copy {
    float *flat, *moment1, *moment2;
};

static cairn_status copy_create(const struct cairn_trainer *t, struct copy *copy)
{
    const struct cairn_model *model = t->session.model;
    *copy = (struct copy){
        .flat = calloc((size_t)model->total_floats, sizeof(float)),
        .moment1 = calloc((size_t)model->flat_floats, sizeof(float)),
        .moment2 = t->moment2 ? calloc((size_t)model->flat_floats, sizeof(float)) : NULL,
    };
    if (copy->flat && copy->moment1 && (copy->moment2 || !t->moment2)) return CAIRN_OK;
    return cairn_fail(CAIRN_MEMORY, "out of memory");
}

static void copy_free(struct copy *copy)
{
    free(copy->flat);
    free(copy->moment1);
    free(copy->moment2);
}

static cairn_status get(struct cairn_trainer *t, struct copy *copy)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_trainer_get(t, CAIRN_REGION_PARAMS, copy->flat));
    TRY(cairn_trainer_get(t, CAIRN_REGION_MOMENT1, copy->moment1));
    if (copy->moment2) TRY(cairn_trainer_get(t, CAIRN_REGION_MOMENT2, copy->moment2));
out:
    return st;
}

static cairn_status put(struct cairn_trainer *t, const struct copy *copy)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_trainer_put(t, CAIRN_REGION_PARAMS, copy->flat));
    TRY(cairn_trainer_put(t, CAIRN_REGION_MOMENT1, copy->moment1));
    if (copy->moment2) TRY(cairn_trainer_put(t, CAIRN_REGION_MOMENT2, copy->moment2));
out:
    return st;
}

static int find_in_state(const struct cairn_trainer *t, const float *flat, const float *moment1,
                         const float *moment2, struct finding *f)
{
    const struct cairn_model *model = t->session.model;
    const float *parts[] = {flat, moment1, moment2};
    const enum cairn_region regions[] = {CAIRN_REGION_PARAMS, CAIRN_REGION_MOMENT1,
                                         CAIRN_REGION_MOMENT2};
    for (int i = 0; i < 3; i++) {
        int64_t count = i == 0 ? model->total_floats : model->flat_floats;
        int64_t place = parts[i] ? cairn_watch_find(parts[i], count) : -1;
        if (place < 0) continue;
        f->value = parts[i][place];
        name_param(t, flat_names[regions[i]], place, f);
        return 1;
    }
    return 0;
}

/* Whether the step just taken left something that is not finite, in its losses or in the state. */
static cairn_status is_spoilt(struct cairn_trainer *t, const struct cairn_now *now, int64_t images,
                              struct copy *after, int *spoilt)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *s = &t->session;
    struct finding ignored;
    TRY(cairn_buffer_read(s->memory.buffers[CAIRN_REGION_LOSS], (size_t)now->row * 4, s->losses,
                          (size_t)images * 4));
    TRY(get(t, after));
    *spoilt = cairn_watch_find(s->losses, images) >= 0 ||
              find_in_state(t, after->flat, after->moment1, after->moment2, &ignored);
out:
    return st;
}

/* Takes steps from the last checkpoint to step `most`, from 0, until one spoils the state; that one
 * again. The state's step is then the one that was looked at. */
static cairn_status search(struct cairn_trainer *t, int64_t most, struct finding *f, int *found)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *s = &t->session;
    struct copy before = {0}, after = {0};
    int64_t images, batches = cairn_session_batches(s);
    int spoilt = 0;
    TRY(copy_create(t, &before));
    TRY(copy_create(t, &after));
    TRY(cairn_trainer_rewind(t));
    TRY(get(t, &before));
    struct cairn_powers powers = {t->state.power1, t->state.power2};
    for (int64_t step = t->state.step; step <= most && !spoilt; step++) {
        struct cairn_now now;
        if (t->options->stop && *t->options->stop) break;
        if (step == t->state.step || step % batches == 0)
            TRY(cairn_session_shuffle(s, step / batches));
        cairn_session_now(s, step, t->state.plateau.drops, &powers, &now, &images);
        TRY(cairn_session_step(s, &now, images));
        TRY(is_spoilt(t, &now, images, &after, &spoilt));
        t->state.step = step;
        if (spoilt) {
            TRY(put(t, &before));
            TRY(run_looking(t, &now, images, f, found));
        } else {
            struct copy old = before;
            before = after;
            after = old;
        }
    }
out:
    copy_free(&before);
    copy_free(&after);
    return st;
}

static void tell_kept(const struct cairn_trainer *t, int64_t kept, char *text, size_t size)
{
    if (kept > 0)
        snprintf(text, size, "the checkpoint after step %lld is kept in %s", (long long)kept,
                 t->home);
    else
        snprintf(text, size, "there was no checkpoint yet");
}

cairn_status cairn_watch_stop(struct cairn_trainer *t, int64_t step)
{
    cairn_status st = CAIRN_OK;
    struct finding f = {.index = -1};
    char kept[640];
    int found = 0;
    int64_t batches = cairn_session_batches(&t->session);
    cairn_trainer_tell(t, CAIRN_TRAIN_SEARCHING);
    TRY(search(t, step, &f, &found));
    tell_kept(t, t->rewound, kept, sizeof kept);
    if (found)
        st = cairn_fail(
            CAIRN_DIVERGED,
            "step %lld (epoch %lld, learning rate %g): %s of %s became %s, element %lld of %lld; "
            "training stopped, %s. A lower learning rate, train.clip or a schedule's warmup may "
            "help; --on-nan continue trains on",
            (long long)t->state.step + 1, (long long)(t->state.step / batches + 1),
            (double)cairn_trainer_rate(t, t->state.step), f.what, f.where,
            f.value != f.value ? "NaN"
            : f.value > 0      ? "infinite"
                               : "-infinite",
            (long long)f.index, (long long)f.count, kept);
    else
        st = cairn_fail(CAIRN_DIVERGED,
                        "a value that is not finite was found by step %lld (epoch %lld), but not "
                        "when the steps were taken again; training stopped, %s",
                        (long long)step + 1, (long long)(step / batches + 1), kept);
out:
    return st;
}

cairn_status cairn_watch_losses(struct cairn_trainer *t, int64_t first, int64_t count)
{
    if (t->options->on_nan == CAIRN_NAN_CONTINUE) return CAIRN_OK;
    int64_t place = cairn_watch_find(t->session.losses, count);
    if (place < 0) return CAIRN_OK;
    return cairn_watch_stop(t, t->state.epoch * cairn_session_batches(&t->session) +
                                   (first + place) / t->session.batch);
}

cairn_status cairn_watch_state(struct cairn_trainer *t, const float *flat, const float *moment1,
                               const float *moment2)
{
    struct finding f;
    if (t->options->on_nan == CAIRN_NAN_CONTINUE) return CAIRN_OK;
    if (!find_in_state(t, flat, moment1, moment2, &f)) return CAIRN_OK;
    return cairn_watch_stop(t, t->state.step - 1);
}

cairn_status cairn_watch_begin(struct cairn_trainer *t)
{
    struct finding f;
    if (t->options->on_nan == CAIRN_NAN_CONTINUE) return CAIRN_OK;
    if (!find_in_state(t, t->session.flat, t->moment1, t->moment2, &f)) return CAIRN_OK;
    return cairn_fail(CAIRN_DIVERGED,
                      "%s: %s of %s is not finite (element %lld of %lld) after step %lld: it was "
                      "trained with --on-nan continue, with which it can go on",
                      t->folder.path, f.what, f.where, (long long)f.index, (long long)f.count,
                      (long long)t->state.step);
}
