/* Running a plan: memory for its regions, and the steps with what changes from one to the next. */
#include "base/error.h"
#include "device/schema.h"
#include "nn/plan.h"

#include <string.h>

static const char *const region_names[CAIRN_REGION_COUNT] = {
    "parameters",
    "gradients",
    "first moments",
    "second moments",
    "summed gradients",
    "class weights",
    "activations and workspace",
    "images",
    "labels",
    "indices",
    "losses",
    "correct counts",
    "logits",
};

const char *cairn_region_name(enum cairn_region region)
{
    return region_names[region];
}

cairn_status cairn_memory_create(struct cairn_device *device,
                                 const int64_t bytes[CAIRN_REGION_COUNT],
                                 struct cairn_memory *memory)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_device_info *info = cairn_device_info(device);
    memset(memory, 0, sizeof *memory);
    for (int r = 0; r < CAIRN_REGION_COUNT; r++) {
        if (bytes[r] == 0) continue;
        if (info->max_alloc_bytes > 0 && bytes[r] > info->max_alloc_bytes) {
            st = cairn_fail(
                CAIRN_MEMORY, "the %s need %lld bytes at once, but %s gives at most %lld",
                region_names[r], (long long)bytes[r], info->name, (long long)info->max_alloc_bytes);
            goto out;
        }
        st = cairn_buffer_create(device, (size_t)bytes[r], &memory->buffers[r]);
        if (st != CAIRN_OK) {
            st = cairn_fail_in(st, "memory for the %s (%lld bytes)", region_names[r],
                               (long long)bytes[r]);
            goto out;
        }
    }
out:
    if (st != CAIRN_OK) cairn_memory_free(memory);
    return st;
}

void cairn_memory_free(struct cairn_memory *memory)
{
    for (int r = 0; r < CAIRN_REGION_COUNT; r++) cairn_buffer_destroy(memory->buffers[r]);
    memset(memory, 0, sizeof *memory);
}

static void set_rate(struct cairn_problem *problem, const struct cairn_now *now)
{
    switch (problem->op) {
    case CAIRN_OP_SGD:
        problem->u.sgd.lr = now->rate;
        break;
    case CAIRN_OP_ADAM:
        problem->u.adam.lr = now->rate;
        problem->u.adam.c1 = now->c1;
        problem->u.adam.c2 = now->c2;
        break;
    case CAIRN_OP_RMSPROP:
        problem->u.rmsprop.lr = now->rate;
        break;
    case CAIRN_OP_ADAGRAD:
        problem->u.adagrad.lr = now->rate;
        break;
    case CAIRN_OP_ADADELTA:
        problem->u.adadelta.lr = now->rate;
        break;
    default:
        break;
    }
}

/* Dropout counts elements, augmentation images, both from the start of the whole batch. */
static void patch(struct cairn_problem *problem, int64_t batch, const struct cairn_now *now)
{
    if (problem->op == CAIRN_OP_DROPOUT) {
        problem->u.dropout.step = now->step & 0xffffffff;
        problem->u.dropout.first = now->first * (problem->u.dropout.count / batch);
    } else if (problem->op == CAIRN_OP_AUGMENT) {
        problem->u.augment.step = now->step & 0xffffffff;
        problem->u.augment.first = now->first;
    } else {
        set_rate(problem, now);
    }
}

static struct cairn_mem place(const struct cairn_tensor *t, const struct cairn_memory *memory,
                              const struct cairn_now *now)
{
    int64_t moved = t->follow == CAIRN_FOLLOW_INDEX ? now->index
                    : t->follow == CAIRN_FOLLOW_ROW ? now->row
                                                    : 0;
    return (struct cairn_mem){memory->buffers[t->region], t->offset + moved * t->advance};
}

void cairn_plan_problem(const struct cairn_plan *plan, const struct cairn_memory *memory,
                        const struct cairn_now *now, int number, struct cairn_problem *problem)
{
    const struct cairn_step *step = &plan->steps[number];
    const struct cairn_operand *operands = cairn_schema_of(step->problem.op)->operands;
    *problem = step->problem;
    patch(problem, plan->batch, now);
    for (int o = 0; operands[o].name; o++)
        if (step->tensors[o] >= 0)
            *cairn_problem_mem(problem, &operands[o]) =
                place(&plan->tensors[step->tensors[o]], memory, now);
}

cairn_status cairn_plan_run(const struct cairn_plan *plan, struct cairn_device *device,
                            const struct cairn_memory *memory, const struct cairn_now *now)
{
    cairn_status st = CAIRN_OK;
    for (int s = 0; s < plan->step_count; s++) {
        struct cairn_problem problem;
        cairn_plan_problem(plan, memory, now, s, &problem);
        cairn_device_mark(device, &plan->steps[s], now->step);
        TRY(cairn_run(device, &problem));
    }
out:
    cairn_device_mark(device, NULL, 0);
    return st;
}
