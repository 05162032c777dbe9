/* Variants chosen for single problems, by measurement rather than by rule.
 *
 * Invariant: a problem's key are the sizes and kinds that its time depends on. Scalars, seeds, and
 * what moves from step to step do not count, so that one entry serves every step of a training. */
#ifndef CAIRN_DEVICE_CHOICES_H
#define CAIRN_DEVICE_CHOICES_H

#include <cairn/problem.h>

struct cairn_choices;

/* Sets the variant of a completed problem; NULL takes it out. *choices may be NULL before. */
cairn_status cairn_choices_set(struct cairn_choices **choices, const struct cairn_problem *problem,
                               const char *variant);

/* The variant that was set for such a problem, or NULL; choices may be NULL. */
const char *cairn_choices_find(const struct cairn_choices *choices,
                               const struct cairn_problem *problem);
void cairn_choices_destroy(struct cairn_choices *choices); /* NULL is fine */

/* Whether two completed problems have the same key. */
int cairn_problem_alike(const struct cairn_problem *a, const struct cairn_problem *b);

/* The problem with only its key set: everything else has its default, and no memory. */
struct cairn_problem cairn_problem_bare(const struct cairn_problem *problem);

#endif
