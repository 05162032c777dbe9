/* Fusion: rewriting a compiled list of steps into fewer that give the same bits.
 *
 * A product or convolution takes the activation of its result along; a max pool takes relu along,
 * whose gradient is then that of the pool (see struct cairn_pool): relu's is 0 where its value is 0
 * or less, and the value at a window's winner is the pool's own. A convolution takes the max pool
 * of its result along, which then need not be stored: conv_pool. */
#include "device/schema.h"
#include "nn/plan.h"

#include <string.h>

static int operand_number(enum cairn_op op, const char *name)
{
    const struct cairn_operand *operands = cairn_schema_of(op)->operands;
    int i = 0;
    while (strcmp(operands[i].name, name) != 0) i++;
    return i;
}

/* The tensor that a step has as this operand. */
static int *operand(struct cairn_step *step, const char *name)
{
    return &step->tensors[operand_number(step->problem.op, name)];
}

/* How often the steps from `first` on name the tensor. */
static int uses(const struct cairn_plan *plan, int first, int tensor)
{
    int count = 0;
    for (int s = first; s < plan->step_count; s++)
        for (int o = 0; o < CAIRN_PLAN_OPERANDS; o++) count += plan->steps[s].tensors[o] == tensor;
    return count;
}

static void drop_step(struct cairn_plan *plan, int s)
{
    plan->step_count--;
    memmove(&plan->steps[s], &plan->steps[s + 1],
            (size_t)(plan->step_count - s) * sizeof *plan->steps);
}

/* What `made` held between these two layers exists no more. */
static void forget_output(struct cairn_plan *plan, int first, int end, int made)
{
    for (int i = first; i < end; i++)
        if (plan->outputs[i] == made) plan->outputs[i] = -1;
}

/* --- product or convolution, activation --- */

/* Step t is an activation of what step t - 1, a product or convolution, gives to nobody else. */
static int can_fuse(struct cairn_plan *plan, int t)
{
    struct cairn_step *head = &plan->steps[t - 1], *tail = &plan->steps[t];
    if (tail->problem.op != CAIRN_OP_ACTIVATION) return 0;
    if (tail->problem.u.activation.kind > CAIRN_ACT_SIGMOID) return 0;
    int is_gemm = head->problem.op == CAIRN_OP_GEMM, is_conv = head->problem.op == CAIRN_OP_CONV;
    if (!is_gemm && !is_conv) return 0;
    if ((is_gemm ? head->problem.u.gemm.act : head->problem.u.conv.act) != CAIRN_ACT_NONE) return 0;
    int made = *operand(head, is_gemm ? "c" : "y"), x = *operand(tail, "x");
    return made == x && (x == *operand(tail, "y") || uses(plan, 0, x) == 2);
}

static void fuse_activations(struct cairn_plan *plan)
{
    for (int s = 1; s < plan->step_count; s++) {
        if (!can_fuse(plan, s)) continue;
        struct cairn_step *head = &plan->steps[s - 1], *tail = &plan->steps[s];
        int is_gemm = head->problem.op == CAIRN_OP_GEMM;
        int *made = operand(head, is_gemm ? "c" : "y");
        *(is_gemm ? &head->problem.u.gemm.act : &head->problem.u.conv.act) =
            tail->problem.u.activation.kind;
        forget_output(plan, head->layer, tail->layer, *made);
        *made = *operand(tail, "y");
        drop_step(plan, s--);
    }
}

/* --- relu, max pool --- */

/* The step of the gradient of the pool at step s; -1 where it has none. */
static int gradient_of(struct cairn_plan *plan, int s)
{
    int index = *operand(&plan->steps[s], "index");
    for (int g = s + 1; g < plan->step_count; g++)
        if (plan->steps[g].problem.op == CAIRN_OP_POOL_GRAD &&
            *operand(&plan->steps[g], "index") == index)
            return g;
    return -1;
}

/* Step g, the gradient of the pool at step s, is only read by step g + 1, the gradient of relu at
 * the pool's input. */
static int can_take_gradient(struct cairn_plan *plan, int s, int g)
{
    struct cairn_step *pool = &plan->steps[g], *relu = &plan->steps[g + 1];
    if (g + 1 >= plan->step_count || relu->problem.op != CAIRN_OP_ACTIVATION_GRAD) return 0;
    if (relu->problem.u.activation_grad.kind != CAIRN_ACT_RELU) return 0;
    if (*operand(relu, "y") != *operand(&plan->steps[s], "x")) return 0;
    int dy = *operand(relu, "dy");
    return dy == *operand(pool, "x") && (dy == *operand(relu, "dx") || uses(plan, 0, dy) == 2);
}

/* Step s is relu of what the next step, a pool, alone reads from then on. */
static int can_take_relu(struct cairn_plan *plan, int s)
{
    struct cairn_step *relu = &plan->steps[s], *pool = &plan->steps[s + 1];
    if (relu->problem.op != CAIRN_OP_ACTIVATION) return 0;
    if (relu->problem.u.activation.kind != CAIRN_ACT_RELU) return 0;
    int y = *operand(relu, "y");
    return y == *operand(pool, "x") && uses(plan, s + 1, y) == 1;
}

static void fuse_pools(struct cairn_plan *plan)
{
    for (int s = 1; s < plan->step_count; s++) {
        struct cairn_problem *pool = &plan->steps[s].problem;
        if (pool->op != CAIRN_OP_POOL || pool->u.pool.kind != CAIRN_POOL_MAX) continue;
        int g = gradient_of(plan, s);
        if (g >= 0) {
            if (!can_take_gradient(plan, s, g)) continue;
            *operand(&plan->steps[g], "x") = *operand(&plan->steps[g + 1], "dx");
            drop_step(plan, g + 1);
            pool->u.pool.act = CAIRN_ACT_RELU;
        }
        if (!can_take_relu(plan, s - 1)) continue;
        struct cairn_step *relu = &plan->steps[s - 1];
        pool->u.pool.act = CAIRN_ACT_RELU;
        forget_output(plan, relu->layer, plan->steps[s].layer, *operand(relu, "y"));
        *operand(&plan->steps[s], "x") = *operand(relu, "x");
        drop_step(plan, --s);
    }
}

/* --- convolution, max pool --- */

/* Step s is a convolution whose result is only read by the next step, a max pool. With relu, the
 * pool's winners must be those of conv_pool, or of no matter. */
static int can_pool(struct cairn_plan *plan, int s)
{
    struct cairn_step *conv = &plan->steps[s], *pool = &plan->steps[s + 1];
    if (conv->problem.op != CAIRN_OP_CONV || pool->problem.op != CAIRN_OP_POOL) return 0;
    if (pool->problem.u.pool.kind != CAIRN_POOL_MAX) return 0;
    int64_t act = conv->problem.u.conv.act;
    if (act != CAIRN_ACT_NONE && act != CAIRN_ACT_RELU) return 0;
    if (act != pool->problem.u.pool.act && gradient_of(plan, s + 1) >= 0) return 0;
    int between = *operand(conv, "y");
    return between == *operand(pool, "x") && uses(plan, 0, between) == 2;
}

static void fuse_convolutions(struct cairn_plan *plan)
{
    static const char *const names[] = {"x", "weight", "bias_v"};
    for (int s = 0; s + 1 < plan->step_count; s++) {
        if (!can_pool(plan, s)) continue;
        struct cairn_step conv = plan->steps[s], *both = &plan->steps[s],
                          *tail = &plan->steps[s + 1];
        const struct cairn_pool *pool = &tail->problem.u.pool;
        struct cairn_conv *p = &both->problem.u.conv;
        both->problem.op = CAIRN_OP_CONV_POOL;
        if (pool->act == CAIRN_ACT_RELU) p->act = CAIRN_ACT_RELU;
        p->pool_kh = pool->kh, p->pool_kw = pool->kw;
        p->pool_stride_h = pool->stride_h, p->pool_stride_w = pool->stride_w;
        p->pool_pad_t = pool->pad_t, p->pool_pad_b = pool->pad_b;
        p->pool_pad_l = pool->pad_l, p->pool_pad_r = pool->pad_r;
        for (int o = 0; o < CAIRN_PLAN_OPERANDS; o++) both->tensors[o] = -1;
        for (int i = 0; i < 3; i++) *operand(both, names[i]) = *operand(&conv, names[i]);
        *operand(both, "y") = *operand(tail, "y");
        *operand(both, "index") = *operand(tail, "index");
        forget_output(plan, conv.layer, tail->layer, *operand(&conv, "y"));
        drop_step(plan, s + 1);
    }
}

void cairn_plan_fuse(struct cairn_plan *plan)
{
    fuse_activations(plan);
    fuse_pools(plan);
    fuse_convolutions(plan);
}
