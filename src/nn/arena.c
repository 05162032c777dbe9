/* Passes over a compiled list of steps: fusion, liveness and places in the arena. */
#include "base/error.h"
#include "device/schema.h"
#include "nn/plan.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN_FLOATS 64

static int operand_number(enum cairn_op op, const char *name)
{
    const struct cairn_operand *operands = cairn_schema_of(op)->operands;
    int i = 0;
    while (strcmp(operands[i].name, name) != 0) i++;
    return i;
}

static int uses(const struct cairn_plan *plan, int tensor)
{
    int count = 0;
    for (int s = 0; s < plan->step_count; s++)
        for (int o = 0; o < CAIRN_PLAN_OPERANDS; o++) count += plan->steps[s].tensors[o] == tensor;
    return count;
}

/* step t of `plan` is an activation of what step t - 1, a product or convolution, gives to nobody
 * else. */
static int can_fuse(const struct cairn_plan *plan, int t)
{
    const struct cairn_step *head = &plan->steps[t - 1], *tail = &plan->steps[t];
    if (tail->problem.op != CAIRN_OP_ACTIVATION) return 0;
    if (tail->problem.u.activation.kind > CAIRN_ACT_SIGMOID) return 0;
    int is_gemm = head->problem.op == CAIRN_OP_GEMM, is_conv = head->problem.op == CAIRN_OP_CONV;
    if (!is_gemm && !is_conv) return 0;
    if ((is_gemm ? head->problem.u.gemm.act : head->problem.u.conv.act) != CAIRN_ACT_NONE) return 0;
    int made = head->tensors[operand_number(head->problem.op, is_gemm ? "c" : "y")];
    int x = tail->tensors[operand_number(CAIRN_OP_ACTIVATION, "x")];
    int y = tail->tensors[operand_number(CAIRN_OP_ACTIVATION, "y")];
    if (made != x) return 0;
    return x == y || uses(plan, x) == 2;
}

/* What the product or convolution alone would have given exists no more, nor what passed it on. */
static void forget_output(struct cairn_plan *plan, const struct cairn_step *head,
                          const struct cairn_step *tail, int made)
{
    for (int i = head->layer; i < tail->layer; i++)
        if (plan->outputs[i] == made) plan->outputs[i] = -1;
}

void cairn_plan_fuse(struct cairn_plan *plan)
{
    int kept = 0;
    for (int s = 0; s < plan->step_count; s++) {
        plan->steps[kept] = plan->steps[s];
        if (s + 1 < plan->step_count && can_fuse(plan, s + 1)) {
            struct cairn_step *head = &plan->steps[kept];
            const struct cairn_step *tail = &plan->steps[s + 1];
            int is_gemm = head->problem.op == CAIRN_OP_GEMM;
            *(is_gemm ? &head->problem.u.gemm.act : &head->problem.u.conv.act) =
                tail->problem.u.activation.kind;
            int *made = &head->tensors[operand_number(head->problem.op, is_gemm ? "c" : "y")];
            forget_output(plan, head, tail, *made);
            *made = tail->tensors[operand_number(CAIRN_OP_ACTIVATION, "y")];
            s++;
        }
        kept++;
    }
    plan->step_count = kept;
}

void cairn_plan_live(struct cairn_plan *plan)
{
    for (int i = 0; i < plan->tensor_count; i++)
        plan->tensors[i].first = plan->tensors[i].last = -1;
    for (int s = 0; s < plan->step_count; s++)
        for (int o = 0; o < CAIRN_PLAN_OPERANDS; o++) {
            if (plan->steps[s].tensors[o] < 0) continue;
            struct cairn_tensor *t = &plan->tensors[plan->steps[s].tensors[o]];
            if (t->first < 0) t->first = s;
            t->last = s;
        }
}

static int by_size(const void *a, const void *b)
{
    const struct cairn_tensor *x = *(const struct cairn_tensor *const *)a,
                              *y = *(const struct cairn_tensor *const *)b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return x < y ? -1 : x > y;
}

static int64_t rounded(int64_t floats)
{
    return (floats + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

/* The lowest offset at which t collides with none of the placed tensors that live at the same time.
 */
static int64_t lowest_place(const struct cairn_tensor *t, struct cairn_tensor *const *placed,
                            int count)
{
    int64_t offset = 0;
    for (int moved = 1; moved;) {
        moved = 0;
        for (int i = 0; i < count; i++) {
            const struct cairn_tensor *p = placed[i];
            if (p->last < t->first || t->last < p->first) continue;
            if (p->offset + p->count <= offset || offset + t->count <= p->offset) continue;
            offset = rounded(p->offset + p->count);
            moved = 1;
        }
    }
    return offset;
}

/* First fit, the largest first. */
cairn_status cairn_plan_place(struct cairn_plan *plan)
{
    struct cairn_tensor **order = malloc((size_t)(plan->tensor_count + 1) * sizeof *order);
    int count = 0;
    if (!order) return cairn_fail(CAIRN_MEMORY, "out of memory");
    plan->arena_floats = 0;
    for (int i = 0; i < plan->tensor_count; i++)
        if (plan->tensors[i].region == CAIRN_REGION_ARENA && plan->tensors[i].first >= 0)
            order[count++] = &plan->tensors[i];
    qsort(order, (size_t)count, sizeof *order, by_size);
    for (int i = 0; i < count; i++) {
        order[i]->offset = lowest_place(order[i], order, i);
        int64_t end = rounded(order[i]->offset + order[i]->count);
        if (end > plan->arena_floats) plan->arena_floats = end;
    }
    free(order);
    return CAIRN_OK;
}
