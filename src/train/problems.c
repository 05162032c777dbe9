/* The operators that a recipe's steps are made of, each with how often it runs. */
#include "base/error.h"
#include "data/dataset.h"
#include "device/choices.h"
#include "train/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cairn_status add(struct cairn_recipe_problems *all, const struct cairn_problem *problem,
                        int evaluates, int64_t times)
{
    struct cairn_recipe_problem *item = NULL;
    for (int i = 0; i < all->count && !item; i++)
        if (cairn_problem_alike(&all->items[i].problem, problem)) item = &all->items[i];
    if (!item) {
        item = realloc(all->items, (size_t)(all->count + 1) * sizeof *item);
        if (!item) return cairn_fail(CAIRN_MEMORY, "out of memory");
        all->items = item;
        item += all->count++;
        *item = (struct cairn_recipe_problem){.problem = *problem};
    }
    *(evaluates ? &item->evaluate : &item->train) += times;
    return CAIRN_OK;
}

static cairn_status add_plan(struct cairn_recipe_problems *all, const struct cairn_plan *plan,
                             int64_t times)
{
    cairn_status st = CAIRN_OK;
    for (int i = 0; i < plan->step_count; i++)
        TRY(add(all, &plan->steps[i].problem, plan->kind == CAIRN_PLAN_EVALUATE, times));
out:
    return st;
}

/* Of each kind the plan of the most images: the others are for what is left of an epoch, and run
 * once in it. */
static const struct cairn_plan *largest_of(const struct cairn_session *session,
                                           enum cairn_plan_kind kind)
{
    const struct cairn_plan *best = NULL;
    for (int i = 0; i < session->plan_count; i++) {
        const struct cairn_session_plan *p = &session->plans[i];
        if (p->kind == kind && (!best || p->batch > best->batch)) best = p->plan;
    }
    return best;
}

static cairn_status list(const struct cairn_session *session, struct cairn_recipe_problems *all)
{
    static const enum cairn_plan_kind kinds[] = {CAIRN_PLAN_TRAIN, CAIRN_PLAN_ACCUMULATE,
                                                 CAIRN_PLAN_UPDATE, CAIRN_PLAN_EVALUATE};
    cairn_status st = CAIRN_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct cairn_plan *plan = largest_of(session, kinds[i]);
        if (!plan) continue;
        int64_t times = kinds[i] == CAIRN_PLAN_ACCUMULATE ? session->recipe->train.accumulate : 1;
        TRY(add_plan(all, plan, times));
        if (kinds[i] == CAIRN_PLAN_EVALUATE)
            all->eval_batch = plan->batch;
        else if (kinds[i] != CAIRN_PLAN_UPDATE)
            all->batch = plan->batch * times;
    }
out:
    return st;
}

cairn_status cairn_recipe_list(const char *recipe_name, const char *const *sets, int set_count,
                               int64_t batch, const struct cairn_compute *compute,
                               struct cairn_recipe_problems *problems)
{
    cairn_status st = CAIRN_OK;
    struct cairn_recipe recipe = {0};
    struct cairn_session session = {0};
    struct cairn_dataset data = {0};
    memset(problems, 0, sizeof *problems);
    TRY(cairn_recipe_read(recipe_name, sets, set_count, &recipe));
    if (batch > 0) recipe.train.batch = batch;
    TRY(cairn_session_outline(&session, &recipe, compute, "opencl", &data));
    snprintf(problems->recipe, sizeof problems->recipe, "%s", recipe.path);
    TRY(list(&session, problems));
out:
    cairn_session_close(&session);
    cairn_dataset_free(&data);
    cairn_recipe_free(&recipe);
    if (st != CAIRN_OK) cairn_recipe_problems_free(problems);
    return st;
}

void cairn_recipe_problems_free(struct cairn_recipe_problems *problems)
{
    free(problems->items);
    memset(problems, 0, sizeof *problems);
}
