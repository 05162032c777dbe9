/* Checkpoints, and starting from one. */
#include "train/trainer.h"

#include "base/error.h"
#include "train/report.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cairn_status cairn_trainer_put(struct cairn_trainer *t, enum cairn_region region, const float *flat)
{
    return cairn_buffer_write(t->session.memory.buffers[region], 0, flat,
                              (size_t)t->session.bytes[region]);
}

cairn_status cairn_trainer_get(struct cairn_trainer *t, enum cairn_region region, float *flat)
{
    return cairn_buffer_read(t->session.memory.buffers[region], 0, flat,
                             (size_t)t->session.bytes[region]);
}

/* --- starting --- */

void cairn_state_begin(struct cairn_state *state, const struct cairn_session *session,
                       enum cairn_math math)
{
    const int64_t *counts = session->counts;
    *state = (struct cairn_state){
        .power1 = 1.0,
        .power2 = 1.0,
        .shift = session->shift,
        .scale = session->scale,
        .plateau = {.best = (double)INFINITY},
        .fold = session->fold,
        .train_images = counts[CAIRN_PART_TRAIN],
        .validation_images = counts[CAIRN_PART_VALIDATION],
        .test_images = counts[CAIRN_PART_TEST],
    };
    snprintf(state->math, sizeof state->math, "%s", cairn_report_math(math));
    snprintf(state->version, sizeof state->version, "%s", CAIRN_VERSION);
}

static cairn_status start_fresh(struct cairn_trainer *t)
{
    cairn_state_begin(&t->state, &t->session, t->options->compute.math);
    cairn_model_init(t->session.model, t->recipe.train.seed, t->session.flat);
    return cairn_trainer_put(t, CAIRN_REGION_PARAMS, t->session.flat);
}

static cairn_status read_file(struct cairn_trainer *t, const char *name, struct cairn_state *state,
                              float *flat, float *moment1, float *moment2)
{
    char *path = cairn_folder_file(&t->folder, name);
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_status st = cairn_checkpoint_read(path, t->session.model, state, flat, moment1, moment2);
    free(path);
    return st;
}

/* The checkpoint must belong to this recipe, these data and this arithmetic. */
static cairn_status check_state(const struct cairn_trainer *t)
{
    const struct cairn_state *s = &t->state;
    const struct cairn_session *session = &t->session;
    const char *math = cairn_report_math(t->options->compute.math), *path = t->folder.path;
    int64_t batches = cairn_session_batches(session);
    if (strcmp(s->math, math) != 0)
        return cairn_fail(CAIRN_INVALID, "%s was trained with --math %s and cannot go on with %s",
                          path, s->math, math);
    if (s->train_images != session->counts[CAIRN_PART_TRAIN] ||
        s->validation_images != session->counts[CAIRN_PART_VALIDATION] ||
        s->test_images != session->counts[CAIRN_PART_TEST] || s->shift != session->shift ||
        s->scale != session->scale)
        return cairn_fail(CAIRN_INVALID,
                          "%s was trained on other images than those that %s has now", path,
                          t->recipe.data.name);
    if (s->batch >= batches || s->step != s->epoch * batches + s->batch ||
        s->step > cairn_session_steps(session) || s->evaluated > s->step ||
        s->kept_step > s->evaluated || s->evaluations > s->evaluated ||
        s->best_evaluation > s->evaluations || s->fold != session->fold)
        return cairn_fail(CAIRN_FORMAT, "%s/last.safetensors: its counters do not fit the recipe",
                          path);
    return CAIRN_OK;
}

static cairn_status put_state(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_trainer_put(t, CAIRN_REGION_PARAMS, t->session.flat));
    TRY(cairn_trainer_put(t, CAIRN_REGION_MOMENT1, t->moment1));
    if (t->moment2) TRY(cairn_trainer_put(t, CAIRN_REGION_MOMENT2, t->moment2));
out:
    return st;
}

static cairn_status start_resumed(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_report_same_recipe(&t->folder, t->recipe.resolved));
    TRY(read_file(t, "last.safetensors", &t->state, t->session.flat, t->moment1, t->moment2));
    TRY(check_state(t));
    TRY(cairn_report_cut_metrics(&t->folder, t->state.evaluations, &t->metrics));
    if (t->state.kept_step > 0) TRY(read_file(t, "model.safetensors", NULL, t->kept, NULL, NULL));
    TRY(cairn_watch_begin(t));
    TRY(put_state(t));
out:
    return st;
}

cairn_status cairn_trainer_rewind(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    if (t->folder.written) {
        TRY(read_file(t, "last.safetensors", &t->state, t->session.flat, t->moment1, t->moment2));
        TRY(put_state(t));
    } else {
        TRY(start_fresh(t));
        TRY(cairn_buffer_fill(t->session.memory.buffers[CAIRN_REGION_MOMENT1], 0,
                              (size_t)t->session.bytes[CAIRN_REGION_MOMENT1], 0));
        if (t->moment2)
            TRY(cairn_buffer_fill(t->session.memory.buffers[CAIRN_REGION_MOMENT2], 0,
                                  (size_t)t->session.bytes[CAIRN_REGION_MOMENT2], 0));
    }
    t->rewound = t->state.step;
out:
    return st;
}

cairn_status cairn_trainer_start(struct cairn_trainer *t)
{
    cairn_status st = t->folder.fresh ? start_fresh(t) : start_resumed(t);
    t->shuffled = -1;
    if (st == CAIRN_OK) /* what is done was collected when it was saved */
        t->pending = t->state.batch * t->session.batch;
    return st;
}

/* --- saving --- */

static cairn_status write_file(struct cairn_trainer *t, const char *name, float *flat,
                               float *moment1, float *moment2)
{
    char *path = cairn_folder_file(&t->folder, name);
    if (!path) return cairn_fail(CAIRN_MEMORY, "out of memory");
    cairn_status st =
        cairn_checkpoint_write(path, t->session.model, &t->state, flat, moment1, moment2);
    free(path);
    return st;
}

static cairn_status begin_writing(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    if (!t->folder.fresh) return CAIRN_OK;
    TRY(cairn_folder_clear(&t->folder));
    TRY(cairn_folder_write(&t->folder, "recipe.yaml", t->recipe.resolved));
    t->folder.fresh = 0;
out:
    return st;
}

/* last.safetensors comes last: whatever it does not know yet will be made again, the same. */
cairn_status cairn_trainer_save(struct cairn_trainer *t, int evaluated)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_trainer_get(t, CAIRN_REGION_PARAMS, t->session.flat));
    TRY(cairn_trainer_get(t, CAIRN_REGION_MOMENT1, t->moment1));
    if (t->moment2) TRY(cairn_trainer_get(t, CAIRN_REGION_MOMENT2, t->moment2));
    TRY(cairn_watch_state(t, t->session.flat, t->moment1, t->moment2));
    TRY(begin_writing(t));
    if (t->metrics) TRY(cairn_folder_write(&t->folder, "metrics.jsonl", t->metrics));
    if (evaluated) cairn_events_evaluated(t->events, &t->event, t->session.flat);
    TRY(write_file(t, "last.safetensors", t->session.flat, t->moment1, t->moment2));
    t->folder.written = 1;
out:
    return st;
}

cairn_status cairn_trainer_keep(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_trainer_get(t, CAIRN_REGION_PARAMS, t->kept));
    TRY(cairn_watch_state(t, t->kept, NULL, NULL));
    TRY(cairn_weights_digest(t->session.model, t->kept, t->state.kept_sha256));
    TRY(begin_writing(t));
    TRY(write_file(t, "model.safetensors", t->kept, NULL, NULL));
out:
    return st;
}

cairn_status cairn_trainer_interrupted(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_state *s = &t->state;
    if (s->step == 0)
        return cairn_fail(CAIRN_INTERRUPTED, "interrupted before the first step; nothing was kept");
    TRY(cairn_trainer_save(t, 0));
    st = cairn_fail(CAIRN_INTERRUPTED,
                    "interrupted in epoch %lld after step %lld; --resume goes on from there in %s",
                    (long long)(s->epoch + (s->batch > 0 || s->evaluated == s->step)),
                    (long long)s->step, t->home);
out:
    return st;
}
