/* What a session compiles: plans for the batches that there will be, and the size of each region.
 */
#include "train/session.h"

#include "base/error.h"
#include <assert.h>
#include <math.h>

static int64_t largest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int cairn_session_moments(const struct cairn_recipe *recipe)
{
    enum cairn_optimizer_kind kind = recipe->train.optimizer;
    return kind != CAIRN_OPTIMIZER_SGD && kind != CAIRN_OPTIMIZER_ADAGRAD ? 2 : 1;
}

/* A penalty's weight in a batch of `images`: one division where it is not per batch. */
static float per(const struct cairn_session *session, float weight, int64_t images)
{
    switch (session->recipe->train.decay_per) {
    case CAIRN_DECAY_PER_SAMPLE:
        return weight / (float)images;
    case CAIRN_DECAY_PER_DATASET:
        return weight / (float)session->counts[CAIRN_PART_TRAIN];
    case CAIRN_DECAY_PER_BATCH:
        break;
    }
    return weight;
}

/* The optimizer with the recipe's scalars; the learning rate and adam's corrections come with each
 * step. */
static struct cairn_problem update_of(const struct cairn_session *session, int64_t images)
{
    const struct cairn_recipe *recipe = session->recipe;
    float l1 = per(session, recipe->train.l1, images), l2 = per(session, recipe->train.l2, images),
          decay = per(session, recipe->train.decay, images);
    struct cairn_problem problem;
#define PENALTIES(op) (problem.u.op.l1 = l1, problem.u.op.l2 = l2, problem.u.op.decay = decay)
    switch (recipe->train.optimizer) {
    case CAIRN_OPTIMIZER_SGD:
        problem = cairn_problem_default(CAIRN_OP_SGD);
        problem.u.sgd.momentum = recipe->train.momentum;
        problem.u.sgd.nesterov = recipe->train.nesterov;
        PENALTIES(sgd);
        break;
    case CAIRN_OPTIMIZER_RMSPROP:
        problem = cairn_problem_default(CAIRN_OP_RMSPROP);
        problem.u.rmsprop.alpha = recipe->train.alpha;
        problem.u.rmsprop.momentum = recipe->train.momentum;
        problem.u.rmsprop.epsilon = recipe->train.epsilon;
        PENALTIES(rmsprop);
        break;
    case CAIRN_OPTIMIZER_ADAGRAD:
        problem = cairn_problem_default(CAIRN_OP_ADAGRAD);
        problem.u.adagrad.epsilon = recipe->train.epsilon;
        PENALTIES(adagrad);
        break;
    case CAIRN_OPTIMIZER_ADADELTA:
        problem = cairn_problem_default(CAIRN_OP_ADADELTA);
        problem.u.adadelta.rho = recipe->train.rho;
        problem.u.adadelta.epsilon = recipe->train.epsilon;
        PENALTIES(adadelta);
        break;
    default: /* adam, adamw */
        problem = cairn_problem_default(CAIRN_OP_ADAM);
        problem.u.adam.beta1 = recipe->train.beta1;
        problem.u.adam.beta2 = recipe->train.beta2;
        problem.u.adam.epsilon = recipe->train.epsilon;
        PENALTIES(adam);
        break;
    }
#undef PENALTIES
    return problem;
}

/* The images of the table and how they are moved. The fill is a pixel of 0; an angle of d degrees
 * is rint(d 2^32 / 360) turns of 2^-32, in double precision. */
static struct cairn_augment augment_of(const struct cairn_session *session,
                                       enum cairn_plan_kind kind)
{
    const struct cairn_recipe *recipe = session->recipe;
    struct cairn_augment augment = cairn_problem_default(CAIRN_OP_AUGMENT).u.augment;
    int moves = recipe->data.augment.shift_h || recipe->data.augment.shift_w ||
                recipe->data.augment.flip || recipe->data.augment.rotate > 0;
    augment.h = 0;
    if (recipe->data.augment.crop_h == 0 && (kind == CAIRN_PLAN_EVALUATE || !moves)) return augment;
    augment.c = session->image.c;
    augment.h = session->image.h;
    augment.w = session->image.w;
    augment.shift_h = recipe->data.augment.shift_h;
    augment.shift_w = recipe->data.augment.shift_w;
    augment.flip = recipe->data.augment.flip;
    augment.turn = (int64_t)rint((double)recipe->data.augment.rotate * 0x1p32 / 360.0);
    augment.fill = (0.0f - session->shift) * session->scale;
    return augment;
}

static struct cairn_session_plan *look_up(const struct cairn_session *session,
                                          enum cairn_plan_kind kind, int64_t batch, int64_t whole)
{
    for (int i = 0; i < session->plan_count; i++) {
        const struct cairn_session_plan *p = &session->plans[i];
        if (p->kind == kind && p->batch == batch && p->whole == whole)
            return (struct cairn_session_plan *)p;
    }
    return NULL;
}

const struct cairn_plan *cairn_session_find(const struct cairn_session *session,
                                            enum cairn_plan_kind kind, int64_t batch, int64_t whole)
{
    const struct cairn_session_plan *found = look_up(session, kind, batch, whole);
    assert(found);
    return found->plan;
}

struct cairn_plan_options cairn_session_options(const struct cairn_session *session,
                                                enum cairn_plan_kind kind, int64_t batch,
                                                int64_t whole)
{
    const struct cairn_recipe *recipe = session->recipe;
    return (struct cairn_plan_options){
        .kind = kind,
        .batch = batch,
        .whole = whole,
        .total = session->train_images + session->counts[CAIRN_PART_TEST],
        .shift = session->shift,
        .scale = session->scale,
        .seed = recipe->train.seed,
        .loss = recipe->train.loss == CAIRN_LOSS_CHOICE_MSE          ? CAIRN_PLAN_MSE
                : recipe->train.loss == CAIRN_LOSS_CHOICE_PERCEPTRON ? CAIRN_PLAN_PERCEPTRON
                                                                     : CAIRN_PLAN_CROSS_ENTROPY,
        .smoothing = recipe->train.smoothing,
        .weighted = recipe->train.class_weights || recipe->train.balanced,
        .augment = augment_of(session, kind),
        .clip = recipe->train.clip,
        .update = update_of(session, whole > 0 ? whole : 1),
    };
}

/* Compiles a plan that is not there yet; none for 0 images. */
static cairn_status compile(struct cairn_session *session, enum cairn_plan_kind kind, int64_t batch,
                            int64_t whole)
{
    if (batch == 0 || look_up(session, kind, batch, whole)) return CAIRN_OK;
    assert(session->plan_count < CAIRN_SESSION_PLANS);
    struct cairn_plan_options options = cairn_session_options(session, kind, batch, whole);
    struct cairn_session_plan *fresh = &session->plans[session->plan_count];
    cairn_status st = cairn_plan_create(session->model, &options, session->device, &fresh->plan);
    if (st != CAIRN_OK) return st;
    fresh->kind = kind;
    fresh->batch = batch;
    fresh->whole = whole;
    session->plan_count++;
    return CAIRN_OK;
}

/* The plans of a step of `whole` images, none for 0: as cairn_session_step() runs them. */
static cairn_status compile_step(struct cairn_session *session, int64_t whole)
{
    cairn_status st = CAIRN_OK;
    if (whole == 0) return CAIRN_OK;
    if (session->recipe->train.accumulate == 1)
        return compile(session, CAIRN_PLAN_TRAIN, whole, whole);
    if (whole >= session->part) TRY(compile(session, CAIRN_PLAN_ACCUMULATE, session->part, whole));
    TRY(compile(session, CAIRN_PLAN_ACCUMULATE, whole % session->part, whole));
    TRY(compile(session, CAIRN_PLAN_UPDATE, whole, whole));
out:
    return st;
}

static void size_regions(struct cairn_session *session, int test_only)
{
    const struct cairn_recipe *recipe = session->recipe;
    const struct cairn_model *model = session->model;
    int64_t *counts = session->counts, *bytes = session->bytes, arena = 0;
    int64_t total = session->train_images + counts[CAIRN_PART_TEST];
    int64_t evaluated = largest(counts[CAIRN_PART_VALIDATION], counts[CAIRN_PART_TEST]);
    int64_t rows = largest(counts[CAIRN_PART_TRAIN], evaluated);
    for (int i = 0; i < session->plan_count; i++)
        arena = largest(arena, session->plans[i].plan->arena_floats);
    bytes[CAIRN_REGION_PARAMS] = model->total_floats * 4;
    if (!test_only) {
        bytes[CAIRN_REGION_GRADS] = bytes[CAIRN_REGION_MOMENT1] = model->flat_floats * 4;
        if (cairn_session_moments(recipe) == 2)
            bytes[CAIRN_REGION_MOMENT2] = model->flat_floats * 4;
        if (recipe->train.accumulate > 1) bytes[CAIRN_REGION_SUMS] = model->flat_floats * 4;
        if (recipe->train.class_weights || recipe->train.balanced)
            bytes[CAIRN_REGION_CLASS_WEIGHTS] = model->classes * 4;
    }
    bytes[CAIRN_REGION_ARENA] = arena * 4;
    bytes[CAIRN_REGION_TABLE] = total * cairn_shape_count(session->image);
    bytes[CAIRN_REGION_LABELS] = total;
    bytes[CAIRN_REGION_INDICES] = total * 4;
    bytes[CAIRN_REGION_LOSS] = bytes[CAIRN_REGION_CORRECT] = rows * 4;
    bytes[CAIRN_REGION_LOGITS] = evaluated * model->classes * 4;
}

cairn_status cairn_session_plan(struct cairn_session *session, int test_only)
{
    cairn_status st = CAIRN_OK;
    int64_t *counts = session->counts, batch = session->batch, eval_batch = session->eval_batch;
    session->test_only = test_only;
    if (test_only)
        session->train_images = counts[CAIRN_PART_TRAIN] = counts[CAIRN_PART_VALIDATION] = 0;
    if (counts[CAIRN_PART_TRAIN] >= batch) TRY(compile_step(session, batch));
    TRY(compile_step(session, counts[CAIRN_PART_TRAIN] % batch));
    for (int part = CAIRN_PART_VALIDATION; part <= CAIRN_PART_TEST; part++) {
        if (counts[part] >= eval_batch) TRY(compile(session, CAIRN_PLAN_EVALUATE, eval_batch, 0));
        TRY(compile(session, CAIRN_PLAN_EVALUATE, counts[part] % eval_batch, 0));
    }
    size_regions(session, test_only);
out:
    return st;
}

cairn_status cairn_session_plan_again(struct cairn_session *session, int64_t batch)
{
    for (int i = 0; i < session->plan_count; i++) cairn_plan_destroy(session->plans[i].plan);
    session->plan_count = 0;
    cairn_session_resize(session, batch);
    return cairn_session_plan(session, session->test_only);
}
