/* Code of somebody's own in the place of an operator, beside the backend's variants. */
#ifndef CAIRN_DEVICE_OWN_H
#define CAIRN_DEVICE_OWN_H

#include <cairn/own.h>

/* The number of the variant that is not the backend's. */
#define CAIRN_OWN_VARIANT (-1)

/* Puts it behind `count` variants of the backend, preferred, where it is there and admits the
 * complete problem; returns how many there are then. */
int cairn_own_list(const struct cairn_device *device, const struct cairn_problem *problem,
                   struct cairn_variant variants[CAIRN_MAX_VARIANTS], int count);

/* Whether there is one of that name for the operator. */
int cairn_own_named(const struct cairn_device *device, enum cairn_op op, const char *name);

cairn_status cairn_own_run(struct cairn_device *device, const struct cairn_problem *problem);

void cairn_own_kernels_free(struct cairn_device *device);

#endif
