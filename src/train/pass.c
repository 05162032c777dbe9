/* Passes over the images: the epoch's order, sums, evaluation, confusion; and keeping the device
 * close. */
#include "train/session.h"

#include "base/error.h"
#include "base/random.h"
#include <stdlib.h>
#include <time.h>

#define WAIT_SECONDS 0.2 /* the device is at most about this far behind */
#define WAIT_STEPS 512

int64_t cairn_session_first(const struct cairn_session *session, enum cairn_part part)
{
    int64_t first = 0;
    for (int p = 0; p < (int)part; p++) first += session->counts[p];
    return first;
}

int64_t cairn_session_batches(const struct cairn_session *session)
{
    return (session->counts[CAIRN_PART_TRAIN] + session->batch - 1) / session->batch;
}

int64_t cairn_session_steps(const struct cairn_session *session)
{
    int64_t steps = session->recipe->train.steps;
    return steps ? steps : session->recipe->train.epochs * cairn_session_batches(session);
}

double cairn_session_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

cairn_status cairn_session_shuffle(struct cairn_session *session, int64_t epoch)
{
    int64_t count = session->counts[CAIRN_PART_TRAIN];
    const int32_t *rows = session->split + session->counts[CAIRN_PART_VALIDATION];
    int32_t *order = session->scratch;
    cairn_random_permutation(session->recipe->train.seed, CAIRN_STREAM_SHUFFLE, (uint32_t)epoch,
                             order, (int32_t)count);
    for (int64_t i = 0; i < count; i++) order[i] = rows[order[i]];
    return cairn_buffer_write(session->memory.buffers[CAIRN_REGION_INDICES], 0, order,
                              (size_t)count * sizeof *order);
}

void cairn_session_now(const struct cairn_session *session, int64_t step, int64_t drops,
                       struct cairn_powers *powers, struct cairn_now *now, int64_t *images)
{
    const struct cairn_recipe *recipe = session->recipe;
    int64_t batches = cairn_session_batches(session), at = step % batches * session->batch,
            left = session->counts[CAIRN_PART_TRAIN] - at;
    *now = (struct cairn_now){.index = at, .row = at, .step = step};
    now->rate =
        cairn_schedule_rate(recipe, step, cairn_session_steps(session), step / batches, drops);
    if (recipe->train.optimizer == CAIRN_OPTIMIZER_ADAM ||
        recipe->train.optimizer == CAIRN_OPTIMIZER_ADAMW) {
        now->c1 = cairn_schedule_correction(&powers->one, recipe->train.beta1);
        now->c2 = cairn_schedule_correction(&powers->two, recipe->train.beta2);
    }
    *images = left < session->batch ? left : session->batch;
}

const struct cairn_plan *cairn_session_part(const struct cairn_session *session,
                                            const struct cairn_now *now, int64_t images, int number,
                                            struct cairn_now *place)
{
    int64_t first = number * session->part, left = images - first;
    *place = *now;
    if (session->recipe->train.accumulate == 1)
        return number == 0 ? cairn_session_find(session, CAIRN_PLAN_TRAIN, images, images) : NULL;
    place->first = first;
    place->index += first;
    place->row += first;
    if (left > 0)
        return cairn_session_find(session, CAIRN_PLAN_ACCUMULATE,
                                  left < session->part ? left : session->part, images);
    *place = *now;
    return left > -session->part ? cairn_session_find(session, CAIRN_PLAN_UPDATE, images, images)
                                 : NULL;
}

cairn_status cairn_session_begin(struct cairn_session *session)
{
    struct cairn_buffer *sums = session->memory.buffers[CAIRN_REGION_SUMS];
    if (!sums) return CAIRN_OK;
    return cairn_buffer_fill(sums, 0, (size_t)session->bytes[CAIRN_REGION_SUMS], 0);
}

cairn_status cairn_session_step(struct cairn_session *session, const struct cairn_now *now,
                                int64_t images)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_plan *plan;
    struct cairn_now place;
    TRY(cairn_session_begin(session));
    for (int i = 0; (plan = cairn_session_part(session, now, images, i, &place)); i++)
        TRY(cairn_plan_run(plan, session->device, &session->memory, &place));
out:
    return st;
}

cairn_status cairn_session_collect(struct cairn_session *session, int64_t first, int64_t count,
                                   double *loss, int64_t *correct)
{
    cairn_status st = CAIRN_OK;
    struct cairn_buffer **buffers = session->memory.buffers;
    size_t offset = (size_t)first * 4, bytes = (size_t)count * 4;
    TRY(cairn_buffer_read(buffers[CAIRN_REGION_LOSS], offset, session->losses, bytes));
    TRY(cairn_buffer_read(buffers[CAIRN_REGION_CORRECT], offset, session->scratch, bytes));
    for (int64_t i = 0; i < count; i++) {
        *loss += (double)session->losses[i];
        *correct += session->scratch[i];
    }
    session->unwaited = 0;
out:
    return st;
}

cairn_status cairn_session_pace(struct cairn_session *session, int *waited)
{
    cairn_status st = CAIRN_OK;
    int64_t most = session->pace > 0 ? (int64_t)(WAIT_SECONDS / session->pace) : 1;
    if (waited) *waited = 0;
    session->unwaited++;
    if (session->unwaited < most && session->unwaited < WAIT_STEPS) return CAIRN_OK;
    TRY(cairn_device_sync(session->device));
    double now = cairn_session_clock();
    if (session->waited_at > 0)
        session->pace = (now - session->waited_at) / (double)session->unwaited;
    session->waited_at = now;
    session->unwaited = 0;
    if (waited) *waited = 1;
out:
    return st;
}

cairn_status cairn_session_evaluate(struct cairn_session *session, enum cairn_part part,
                                    double *loss, int64_t *correct)
{
    cairn_status st = CAIRN_OK;
    int64_t count = session->counts[part], first = cairn_session_first(session, part);
    session->pace = session->waited_at = 0; /* these steps take another time than the last ones */
    for (int64_t at = 0; at < count; at += session->eval_batch) {
        int64_t n = count - at < session->eval_batch ? count - at : session->eval_batch;
        struct cairn_now now = {.index = first + at, .row = at};
        if (session->stop && *session->stop) return cairn_fail(CAIRN_INTERRUPTED, "interrupted");
        TRY(cairn_plan_run(cairn_session_find(session, CAIRN_PLAN_EVALUATE, n, 0), session->device,
                           &session->memory, &now));
        TRY(cairn_session_pace(session, NULL));
    }
    *loss = 0;
    *correct = 0;
    TRY(cairn_session_collect(session, 0, count, loss, correct));
    session->pace = session->waited_at = 0;
out:
    return st;
}

cairn_status cairn_session_confusion(struct cairn_session *session, int64_t *confusion)
{
    cairn_status st = CAIRN_OK;
    int64_t count = session->counts[CAIRN_PART_TEST], classes = session->model->classes;
    size_t bytes = (size_t)(count * classes) * sizeof(float);
    float *logits = malloc(bytes);
    if (!logits) return cairn_fail(CAIRN_MEMORY, "out of memory");
    TRY(cairn_buffer_read(session->memory.buffers[CAIRN_REGION_LOGITS], 0, logits, bytes));
    for (int64_t i = 0; i < count; i++) {
        const float *z = &logits[i * classes];
        int64_t best = 0, numbers = z[0] == z[0];
        for (int64_t j = 1; j < classes; j++) {
            numbers += z[j] == z[j];
            if (z[j] > z[best]) best = j;
        }
        if (numbers == classes) confusion[session->test_labels[i] * classes + best]++;
    }
out:
    free(logits);
    return st;
}
