/* A profile as it comes, kernel by kernel and layer by layer, and as text or JSON in the end. */
#ifndef CAIRN_TOOLS_PROFILE_H
#define CAIRN_TOOLS_PROFILE_H

#include <cairn/train.h>
#include <jansson.h>
#include <stdio.h>

struct profile_kernel {
    char name[64];
    int64_t calls;
    double seconds;
};

struct profile {
    struct profile_kernel *kernels;
    struct cairn_layer_time *layers; /* their texts are copies */
    int kernel_count, layer_count;
};

/* What no memory is left for is missing. `profile_add_kernel` fits cairn_device_profile(). */
void profile_add_kernel(void *profile, const char *kernel, int64_t calls, double seconds);
void profile_add_layer(void *profile, const struct cairn_layer_time *layer);
void profile_free(struct profile *profile); /* zeroes it */

/* Both tables, in seconds, or with `steps` above 0 in microseconds of a step; nothing where there
 * is no kernel. */
void profile_print(struct profile *profile, int64_t steps, FILE *file);

/* {"kernels": [...], "layers": [...]}, the dearest kernels first; seconds, with `steps` of a step.
 */
json_t *profile_json(struct profile *profile, int64_t steps);

#endif
