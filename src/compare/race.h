/* What the files of cairn_compare() share: lanes, and the rows that they fill.
 *
 * Invariant: every lane runs the same steps of the same plans; only the sizes of workspaces may
 * differ. In fast arithmetic the judge is an exact session of the reference, a lane or one more
 * behind them. */
#ifndef CAIRN_COMPARE_RACE_H
#define CAIRN_COMPARE_RACE_H

#include "train/session.h"
#include <cairn/compare.h>

struct race {
    const struct cairn_compare_options *options;
    struct cairn_compare_result *result;
    struct cairn_recipe recipe;
    struct cairn_dataset data;
    struct cairn_session *sessions;           /* of the lanes, and perhaps of the judge */
    int count, judge;                         /* sessions; judge: of fast arithmetic, else -1 */
    unsigned char *read[CAIRN_COMPARE_LANES]; /* one operand of each */
    size_t room;
};

/* lockstep.c: operator `number` of the lanes' plans, on all of them; what differs goes to the
 * result. */
cairn_status compare_operator(struct race *race, const struct cairn_plan *const *plans,
                              const struct cairn_now *now, int number);

/* rows.c. The row of a step (NULL: of none) and of a kernel, made when new; -1: out of memory. */
int compare_row(struct cairn_compare_result *result, const struct cairn_recipe *recipe,
                const struct cairn_step *step);
int compare_kernel(struct cairn_compare_result *result, const char *op, const char *kernel);
/* Fills layers and operators. */
cairn_status compare_sum(struct cairn_compare_result *result);

/* speed.c: seconds of the lanes' steps, operators and kernels. */
cairn_status compare_speed(struct race *race);

/* What a lane computes with. */
struct cairn_compute compare_compute(const struct cairn_compare_options *options, int lane);

#endif
