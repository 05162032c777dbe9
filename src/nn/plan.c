#include "nn/plan.h"

#include "base/error.h"
#include "base/random.h"
#include "device/schema.h"
#include "nn/build.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* No layer takes more than this, forward and backward together and with the sums of gradients; the
 * ends of a plan take what is added. */
#define STEPS(layers) (16 + 8 * (layers))
#define TENSORS(layers) (64 + 64 * (layers))

/* --- steps and tensors --- */

static int new_tensor(struct builder *b, struct cairn_tensor tensor)
{
    assert(b->plan->tensor_count < TENSORS(b->model->node_count));
    b->plan->tensors[b->plan->tensor_count] = tensor;
    return b->plan->tensor_count++;
}

int cairn_build_arena(struct builder *b, int64_t count)
{
    return new_tensor(b, (struct cairn_tensor){.region = CAIRN_REGION_ARENA, .count = count});
}

int cairn_build_region(struct builder *b, enum cairn_region region, int64_t count,
                       enum cairn_follow follow, int64_t advance)
{
    return new_tensor(b,
                      (struct cairn_tensor){
                          .region = region, .count = count, .follow = follow, .advance = advance});
}

int cairn_build_param(struct builder *b, enum cairn_region region, int param)
{
    const struct cairn_param *p = &b->model->params[param];
    return new_tensor(
        b, (struct cairn_tensor){.region = region, .count = p->count, .offset = p->offset});
}

/* What is trained, in one of the regions of its layout. */
static int flat_tensor(struct builder *b, enum cairn_region region)
{
    return cairn_build_region(b, region, b->model->flat_floats, CAIRN_FOLLOW_NOTHING, 0);
}

void cairn_build_step(struct builder *b, struct cairn_problem problem, int layer)
{
    assert(b->plan->step_count < STEPS(b->model->node_count));
    struct cairn_step *step = &b->plan->steps[b->plan->step_count++];
    step->problem = problem;
    step->layer = layer;
    step->phase = cairn_build_trains(b) ? b->phase : CAIRN_PHASE_EVALUATE;
    for (int o = 0; o < CAIRN_PLAN_OPERANDS; o++) step->tensors[o] = -1;
}

void cairn_build_use(struct builder *b, const char *operand, int tensor)
{
    struct cairn_step *step = &b->plan->steps[b->plan->step_count - 1];
    const struct cairn_operand *operands = cairn_schema_of(step->problem.op)->operands;
    int i = 0;
    while (operands[i].name && strcmp(operands[i].name, operand) != 0) i++;
    assert(i < CAIRN_PLAN_OPERANDS && operands[i].name && tensor >= 0);
    step->tensors[i] = tensor;
}

int cairn_build_trains(const struct builder *b)
{
    return b->options->kind != CAIRN_PLAN_EVALUATE;
}

/* --- the images --- */

/* Whether images of the table are moved or cut on their way to the model. */
static int is_augmented(const struct builder *b)
{
    const struct cairn_augment *a = &b->options->augment;
    if (a->h == 0) return 0;
    if (a->h != b->model->in.h || a->w != b->model->in.w) return 1;
    return cairn_build_trains(b) && (a->shift_h || a->shift_w || a->flip || a->turn);
}

static int add_gather(struct builder *b)
{
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_GATHER);
    const struct cairn_augment *a = &b->options->augment;
    int64_t item = a->h > 0 ? a->c * a->h * a->w : cairn_shape_count(b->model->in);
    int64_t n = b->options->batch, total = b->options->total;
    problem.u.gather.count = n;
    problem.u.gather.item = item;
    problem.u.gather.total = total;
    problem.u.gather.shift = b->options->shift;
    problem.u.gather.scale = b->options->scale;
    int images = cairn_build_arena(b, n * item);
    b->labels = cairn_build_arena(b, n);
    cairn_build_step(b, problem, -1);
    cairn_build_use(
        b, "table",
        cairn_build_region(b, CAIRN_REGION_TABLE, total * item, CAIRN_FOLLOW_NOTHING, 0));
    cairn_build_use(b, "labels",
                    cairn_build_region(b, CAIRN_REGION_LABELS, total, CAIRN_FOLLOW_NOTHING, 0));
    cairn_build_use(b, "indices",
                    cairn_build_region(b, CAIRN_REGION_INDICES, n, CAIRN_FOLLOW_INDEX, 1));
    cairn_build_use(b, "x", images);
    cairn_build_use(b, "y", b->labels);
    return images;
}

static int add_augment(struct builder *b, int images)
{
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_AUGMENT);
    struct cairn_augment *p = &problem.u.augment;
    *p = b->options->augment;
    p->n = b->options->batch;
    p->oh = b->model->in.h;
    p->ow = b->model->in.w;
    p->random = cairn_build_trains(b);
    p->seed = b->options->seed;
    p->stream = CAIRN_STREAM_AUGMENT;
    p->step = p->first = 0;
    if (!p->random) p->shift_h = p->shift_w = p->flip = p->turn = 0;
    int cut = cairn_build_arena(b, p->n * cairn_shape_count(b->model->in));
    cairn_build_step(b, problem, -1);
    cairn_build_use(b, "x", images);
    cairn_build_use(b, "y", cut);
    return cut;
}

/* --- the loss --- */

static struct cairn_problem loss_problem(const struct builder *b)
{
    const struct cairn_plan_options *o = b->options;
    struct cairn_problem problem;
    float scale = 1.0f / (float)(o->whole > 0 ? o->whole : o->batch);
    int trains = cairn_build_trains(b);
    if (o->loss == CAIRN_PLAN_CROSS_ENTROPY) {
        problem = cairn_problem_default(CAIRN_OP_SOFTMAX);
        problem.u.softmax.rows = o->batch;
        problem.u.softmax.classes = b->model->classes;
        problem.u.softmax.want_grad = trains;
        problem.u.softmax.weighted = trains && o->weighted;
        problem.u.softmax.scale = scale;
        problem.u.softmax.smoothing = trains ? o->smoothing : 0.0f;
    } else {
        problem = cairn_problem_default(CAIRN_OP_LOSS);
        problem.u.loss.kind = o->loss == CAIRN_PLAN_MSE ? CAIRN_LOSS_MSE : CAIRN_LOSS_PERCEPTRON;
        problem.u.loss.rows = o->batch;
        problem.u.loss.classes = b->model->classes;
        problem.u.loss.want_grad = trains;
        problem.u.loss.weighted = trains && o->weighted;
        problem.u.loss.scale = scale;
    }
    return problem;
}

/* Returns the gradient's tensor; -1 where there is none. */
static int add_loss(struct builder *b)
{
    int64_t n = b->options->batch, classes = b->model->classes;
    int outputs = cairn_build_cell(b, b->source)->value, grad = -1;
    struct cairn_problem problem = loss_problem(b);
    cairn_build_step(b, problem, -1);
    cairn_build_use(b, problem.op == CAIRN_OP_SOFTMAX ? "logits" : "z", outputs);
    cairn_build_use(b, "labels", b->labels);
    cairn_build_use(b, "loss", cairn_build_region(b, CAIRN_REGION_LOSS, n, CAIRN_FOLLOW_ROW, 1));
    cairn_build_use(b, "correct",
                    cairn_build_region(b, CAIRN_REGION_CORRECT, n, CAIRN_FOLLOW_ROW, 1));
    if (cairn_build_trains(b)) {
        grad = cairn_build_arena(b, n * classes);
        cairn_build_use(b, "grad", grad);
        if (b->options->weighted)
            cairn_build_use(b, "class_weights",
                            cairn_build_region(b, CAIRN_REGION_CLASS_WEIGHTS, classes,
                                               CAIRN_FOLLOW_NOTHING, 0));
    } else {
        /* An evaluation keeps what the loss takes. Steps that worked in place on that tensor, the
         * first of them included, then work there. */
        struct cairn_tensor *logits = &b->plan->tensors[outputs];
        logits->region = CAIRN_REGION_LOGITS;
        logits->follow = CAIRN_FOLLOW_ROW;
        logits->advance = classes;
    }
    return grad;
}

/* --- gradients and the update --- */

/* SUMS = SUMS + GRADS */
static void add_accumulation(struct builder *b)
{
    int sums = flat_tensor(b, CAIRN_REGION_SUMS);
    cairn_build_step(b, cairn_build_sum(b->model->flat_floats), -1);
    cairn_build_use(b, "x", sums);
    cairn_build_use(b, "b", flat_tensor(b, CAIRN_REGION_GRADS));
    cairn_build_use(b, "y", sums);
}

static void add_clip(struct builder *b, int gradients)
{
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_REDUCE);
    int sumsq = cairn_build_arena(b, 1);
    problem.u.reduce.kind = CAIRN_REDUCE_SUMSQ;
    problem.u.reduce.n2 = b->model->flat_floats;
    cairn_build_step(b, problem, -1);
    cairn_build_use(b, "x", gradients);
    cairn_build_use(b, "y", sumsq);
    problem = cairn_problem_default(CAIRN_OP_CLIP);
    problem.u.clip.count = b->model->flat_floats;
    problem.u.clip.limit = b->options->clip;
    cairn_build_step(b, problem, -1);
    cairn_build_use(b, "sumsq", sumsq);
    cairn_build_use(b, "g", gradients);
}

/* The names that an update gives MOMENT1 and MOMENT2. */
static const char *const moments[][2] = {
    [CAIRN_OP_SGD] = {"v", NULL},     [CAIRN_OP_ADAM] = {"m", "v"},
    [CAIRN_OP_RMSPROP] = {"m", "v"},  [CAIRN_OP_ADAGRAD] = {"v", NULL},
    [CAIRN_OP_ADADELTA] = {"v", "u"},
};

static void add_update(struct builder *b, enum cairn_region from)
{
    struct cairn_problem problem = b->options->update;
    int gradients = flat_tensor(b, from);
    assert(problem.op >= CAIRN_OP_SGD && problem.op <= CAIRN_OP_ADADELTA);
    if (b->options->clip > 0) add_clip(b, gradients);
    problem.u.sgd.count = b->model->flat_floats; /* every update begins with these two */
    problem.u.sgd.decay_count = b->model->weight_floats;
    cairn_build_step(b, problem, -1);
    cairn_build_use(b, "w", flat_tensor(b, CAIRN_REGION_PARAMS));
    cairn_build_use(b, "g", gradients);
    for (int i = 0; i < 2 && moments[problem.op][i]; i++)
        cairn_build_use(b, moments[problem.op][i],
                        flat_tensor(b, i == 0 ? CAIRN_REGION_MOMENT1 : CAIRN_REGION_MOMENT2));
}

/* --- compiling --- */

static void build(struct builder *b)
{
    enum cairn_plan_kind kind = b->options->kind;
    if (kind == CAIRN_PLAN_UPDATE) {
        b->phase = CAIRN_PHASE_UPDATE;
        add_update(b, CAIRN_REGION_SUMS);
        return;
    }
    cairn_build_traces(b);
    int images = add_gather(b);
    b->traces[CAIRN_NODE_INPUT].value = is_augmented(b) ? add_augment(b, images) : images;
    for (int i = 0; i < b->model->node_count; i++) cairn_build_forward(b, i);
    int grad = add_loss(b);
    b->phase = CAIRN_PHASE_BACKWARD;
    if (grad >= 0) cairn_build_backward(b, grad);
    b->phase = CAIRN_PHASE_UPDATE;
    if (kind == CAIRN_PLAN_TRAIN) add_update(b, CAIRN_REGION_GRADS);
    if (kind == CAIRN_PLAN_ACCUMULATE) add_accumulation(b);
}

/* Completes every problem and gives each its workspace, which lives for its step alone. */
static cairn_status add_workspaces(struct builder *b, struct cairn_device *device)
{
    cairn_status st = CAIRN_OK;
    for (int s = 0; s < b->plan->step_count; s++) {
        struct cairn_step *step = &b->plan->steps[s];
        const struct cairn_operand *operands = cairn_schema_of(step->problem.op)->operands;
        int64_t floats = 0;
        TRY(cairn_problem_complete(&step->problem));
        TRY(cairn_work_size(device, &step->problem, &floats));
        for (int o = 0; operands[o].name; o++)
            if (operands[o].role == CAIRN_WORK && floats > 0)
                step->tensors[o] = cairn_build_arena(b, floats);
    }
out:
    return st;
}

static cairn_status check_augment(const struct cairn_model *model,
                                  const struct cairn_augment *augment)
{
    if (augment->h > 0 && augment->c != model->in.c)
        return cairn_fail(CAIRN_INVALID, "the images have %lld channels, but the model takes %lld",
                          (long long)augment->c, (long long)model->in.c);
    return CAIRN_OK;
}

cairn_status cairn_plan_create(const struct cairn_model *model,
                               const struct cairn_plan_options *options,
                               struct cairn_device *device, struct cairn_plan **plan)
{
    cairn_status st = CAIRN_OK;
    size_t nodes = (size_t)model->node_count, tensors = (size_t)TENSORS(model->node_count);
    struct cairn_plan *fresh = calloc(1, sizeof *fresh);
    struct trace *traces = calloc(nodes + 1, sizeof *traces);
    struct builder b = {.model = model, .options = options, .plan = fresh, .traces = traces};
    *plan = NULL;
    b.refs = calloc(tensors, sizeof *b.refs);
    if (fresh) {
        fresh->kind = options->kind;
        fresh->batch = options->batch;
        fresh->steps = calloc((size_t)STEPS(model->node_count), sizeof *fresh->steps);
        fresh->tensors = calloc(tensors, sizeof *fresh->tensors);
        fresh->outputs = malloc(nodes * sizeof *fresh->outputs);
    }
    if (!fresh || !fresh->steps || !fresh->tensors || !fresh->outputs || !traces || !b.refs) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    b.traces = traces + 1; /* [CAIRN_NODE_INPUT] are the images */
    for (size_t i = 0; i < nodes; i++) fresh->outputs[i] = -1;
    TRY(check_augment(model, &options->augment));
    build(&b);
    if (!options->plain) cairn_plan_fuse(fresh);
    TRY(add_workspaces(&b, device));
    cairn_plan_live(fresh);
    TRY(cairn_plan_place(fresh));
    *plan = fresh;
    fresh = NULL;
out:
    free(traces);
    free(b.refs);
    cairn_plan_destroy(fresh);
    return st;
}

void cairn_plan_destroy(struct cairn_plan *plan)
{
    if (!plan) return;
    free(plan->steps);
    free(plan->tensors);
    free(plan->outputs);
    free(plan);
}

int cairn_plan_output(const struct cairn_plan *plan, int node)
{
    return plan->outputs[node];
}
