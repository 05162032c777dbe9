/* Steps and evaluations. */
#include "train/trainer.h"

#include "base/error.h"
#include "train/report.h"
#include "train/schedule.h"
#include <math.h>

#define TELL_FIRST 2
#define TRACE_STEPS 10
#define TELL_SECONDS 0.1
#define LOOK_SECONDS 1.0 /* between looks at the losses, and at least so many steps */
#define LOOK_STEPS 16

static int stopped(const struct cairn_trainer *t)
{
    return t->options->stop && *t->options->stop;
}

/* Epochs begun after `step` steps, at least one. */
static int64_t begun_epochs(const struct cairn_trainer *t, int64_t step)
{
    int64_t batches = cairn_session_batches(&t->session);
    return step == 0 ? 1 : (step + batches - 1) / batches;
}

float cairn_trainer_rate(const struct cairn_trainer *t, int64_t step)
{
    return cairn_schedule_rate(&t->recipe, step, cairn_session_steps(&t->session),
                               step / cairn_session_batches(&t->session), t->state.plateau.drops);
}

/* Whether the last step is one after which to evaluate, and that was not done yet. */
static int is_due(const struct cairn_trainer *t)
{
    const struct cairn_state *s = &t->state;
    int64_t epochs = t->recipe.train.evaluate_epochs, steps = t->recipe.train.evaluate_steps;
    if (s->step == s->evaluated) return 0;
    if (s->step == cairn_session_steps(&t->session)) return 1;
    return epochs ? s->batch == 0 && s->epoch % epochs == 0 : s->step % steps == 0;
}

int cairn_trainer_finished(const struct cairn_trainer *t)
{
    const struct cairn_state *s = &t->state;
    int64_t patience = t->recipe.train.patience;
    if (s->evaluated == cairn_session_steps(&t->session)) return 1;
    return patience > 0 && s->step == s->evaluated &&
           s->evaluations - s->best_evaluation >= patience;
}

/* --- steps --- */

cairn_status cairn_trainer_write_trace(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    if (!t->timeline.tracing) return CAIRN_OK;
    TRY(cairn_timeline_trace(&t->timeline, 0));
    TRY(cairn_timeline_write(&t->timeline, t->options->trace));
out:
    return st;
}

/* Before a step. The first of a start compiles kernels: the trace begins behind it, if there is a
 * second one. */
static cairn_status trace_step(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    int64_t number = t->timeline.steps++, left = cairn_session_steps(&t->session) - t->state.step,
            wanted = t->options->trace_steps > 0 ? t->options->trace_steps : TRACE_STEPS;
    if (number == 0) t->timeline.first = left > 1;
    if (number == t->timeline.first) TRY(cairn_timeline_trace(&t->timeline, 1));
    if (number == t->timeline.first + wanted) TRY(cairn_trainer_write_trace(t));
out:
    return st;
}

static cairn_status run_step(struct cairn_trainer *t, int64_t *images)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *s = &t->session;
    struct cairn_powers powers = {t->state.power1, t->state.power2};
    struct cairn_now now;
    if (t->options->trace) TRY(trace_step(t));
    cairn_session_now(s, t->state.step, t->state.plateau.drops, &powers, &now, images);
    t->state.power1 = powers.one;
    t->state.power2 = powers.two;
    TRY(cairn_session_step(s, &now, *images));
    t->state.batch++;
    t->state.step++;
out:
    return st;
}

/* The first steps of a start are told, and then those that come TELL_SECONDS after the last. */
static void tell_step(struct cairn_trainer *t, double begun)
{
    double now = cairn_session_clock(), timed = t->state.recent_timed + now - begun;
    if (t->told_steps >= TELL_FIRST && now - t->told_at < TELL_SECONDS) return;
    t->told_steps++;
    t->told_at = now;
    t->event.epoch = begun_epochs(t, t->state.step);
    t->event.batch = t->state.batch;
    t->event.step = t->state.step;
    t->event.samples_per_second =
        t->state.recent_samples > 0 ? (double)t->state.recent_samples / timed : (double)NAN;
    cairn_trainer_tell(t, CAIRN_TRAIN_STEP);
}

/* Adds the rows of this epoch that were not yet to the sums; waits. An epoch that is over is
 * closed. */
static cairn_status collect(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    struct cairn_state *s = &t->state;
    int64_t images = t->session.counts[CAIRN_PART_TRAIN], to = s->batch * t->session.batch;
    if (to > images) to = images;
    t->collected_at = cairn_session_clock();
    t->collected_step = s->step;
    if (to > t->pending) {
        TRY(cairn_session_collect(&t->session, t->pending, to - t->pending, &s->loss, &s->correct));
        TRY(cairn_watch_losses(t, t->pending, to - t->pending));
        s->images += to - t->pending;
        t->pending = to;
    }
    if (s->batch == cairn_session_batches(&t->session)) {
        s->epoch++;
        s->batch = t->pending = 0;
    }
out:
    return st;
}

/* The clock of samples_per_second starts behind the first step of this start. Where the device was
 * waited for anyway, now and then the losses are looked at. */
static cairn_status time_step(struct cairn_trainer *t, int64_t images, double *begun)
{
    cairn_status st = CAIRN_OK;
    int waited;
    if (!t->warm) {
        TRY(cairn_device_sync(t->session.device));
        t->warm = 1;
        *begun = cairn_session_clock();
    } else {
        t->state.recent_samples += images;
    }
    TRY(cairn_session_pace(&t->session, &waited));
    if (waited) tell_step(t, *begun);
    if (waited && t->state.step - t->collected_step >= LOOK_STEPS &&
        cairn_session_clock() - t->collected_at >= LOOK_SECONDS)
        TRY(collect(t));
out:
    return st;
}

/* Runs what is left to the next evaluation; sums and times of it are kept in the state. */
static cairn_status run_steps(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    struct cairn_session *s = &t->session;
    int64_t images, batches = cairn_session_batches(s);
    double start = cairn_session_clock(), begun = start;
    t->collected_at = start;
    t->collected_step = t->state.step;
    s->pace = s->waited_at = 0;
    while (!is_due(t) && !stopped(t)) {
        if (t->shuffled != t->state.epoch) {
            TRY(cairn_session_shuffle(s, t->state.epoch));
            t->shuffled = t->state.epoch;
        }
        TRY(run_step(t, &images));
        TRY(time_step(t, images, &begun));
        if (t->state.batch == batches) TRY(collect(t));
    }
    if (t->state.batch > 0) TRY(collect(t));
    t->state.recent_seconds += cairn_session_clock() - start;
    t->state.recent_timed += cairn_session_clock() - begun;
out:
    return st;
}

/* --- evaluations --- */

/* More of the validation part right, or as many and a lower loss; without one, always. */
static int is_better(const struct cairn_trainer *t, double loss, int64_t correct)
{
    const struct cairn_state *s = &t->state;
    if (t->session.counts[CAIRN_PART_VALIDATION] == 0 || s->best_evaluation == 0) return 1;
    return correct > s->best_correct || (correct == s->best_correct && loss < s->best_loss);
}

/* Moves the sums since the last evaluation into the event and the totals. */
static void close_sums(struct cairn_trainer *t)
{
    struct cairn_state *s = &t->state;
    t->event.epoch = begun_epochs(t, s->step);
    t->event.batch = s->batch;
    t->event.step = s->step;
    t->event.learning_rate = cairn_trainer_rate(t, s->step - 1);
    t->event.train_loss = s->loss / (double)s->images;
    t->event.train_accuracy = (double)s->correct / (double)s->images;
    t->event.seconds = s->recent_seconds;
    t->event.samples_per_second =
        s->recent_samples > 0 ? (double)s->recent_samples / s->recent_timed : (double)NAN;
    s->seconds += s->recent_timed;
    s->samples += s->recent_samples;
    s->loss = s->recent_seconds = s->recent_timed = 0;
    s->correct = s->images = s->recent_samples = 0;
    s->evaluated = s->step;
    s->evaluations++;
}

/* Whether these weights are the best so far, and whether they are the ones to test. */
static cairn_status judge(struct cairn_trainer *t, double loss, int64_t correct)
{
    cairn_status st = CAIRN_OK;
    struct cairn_state *s = &t->state;
    t->event.best = is_better(t, loss, correct);
    if (t->event.best) {
        s->best_evaluation = s->evaluations;
        s->best_loss = loss;
        s->best_correct = correct;
    }
    if (!t->event.best && !t->recipe.train.keep_last) return CAIRN_OK;
    s->kept_epoch = t->event.epoch;
    s->kept_step = s->step;
    s->kept_loss = loss;
    s->kept_correct = correct;
    TRY(cairn_trainer_keep(t));
out:
    return st;
}

/* Loss and accuracy of a part; NaN where it has no images or is not asked for. */
static cairn_status measure(struct cairn_trainer *t, enum cairn_part part, int wanted, double *loss,
                            int64_t *correct, double *mean, double *accuracy)
{
    cairn_status st = CAIRN_OK;
    double images = (double)t->session.counts[part];
    *loss = 0;
    *correct = 0;
    *mean = *accuracy = (double)NAN;
    if (!wanted || t->session.counts[part] == 0) return CAIRN_OK;
    TRY(cairn_session_evaluate(&t->session, part, loss, correct));
    *mean = *loss / images;
    *accuracy = (double)*correct / images;
out:
    return st;
}

static cairn_status evaluate(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    struct cairn_train_event *e = &t->event;
    int64_t correct, ignored;
    double loss, unused;
    st = measure(t, CAIRN_PART_VALIDATION, 1, &loss, &correct, &e->validation_loss,
                 &e->validation_accuracy);
    if (st == CAIRN_OK)
        st = measure(t, CAIRN_PART_TEST, t->recipe.train.test_curve, &unused, &ignored,
                     &e->test_loss, &e->test_accuracy);
    if (st == CAIRN_INTERRUPTED) return cairn_trainer_interrupted(t);
    if (st != CAIRN_OK) return st;
    close_sums(t);
    cairn_schedule_watch(&t->state.plateau, t->recipe.train.schedule_patience,
                         e->validation_images ? e->validation_loss : e->train_loss);
    TRY(judge(t, loss, correct));
    TRY(cairn_report_add_metrics(&t->metrics, e, t->recipe.train.test_curve));
    TRY(cairn_trainer_save(t, 1));
    cairn_events_tell(t->events);
    cairn_trainer_tell(t, CAIRN_TRAIN_EVALUATED);
out:
    return st;
}

cairn_status cairn_trainer_advance(struct cairn_trainer *t)
{
    cairn_status st = CAIRN_OK;
    if (stopped(t)) return cairn_trainer_interrupted(t);
    TRY(run_steps(t));
    TRY(is_due(t) ? evaluate(t) : cairn_trainer_interrupted(t));
out:
    return st;
}
