/* Liveness and places in the arena of a compiled list of steps. */
#include "base/error.h"
#include "nn/plan.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN_FLOATS 64

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
