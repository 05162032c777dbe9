/* A convolution and the max pool of its result: one variant for each of the convolution's, by the
 * same name. "lanes" pools what it makes where it lies; the others run one part after the other,
 * with the convolution's result in the workspace, and its own workspace behind that.
 *
 * Winograd's convolution is none of them: the bounds of its results are its own. */
#include "opencl/direct.h"

#include "device/schema.h"

#include <string.h>

#define ALIGN_FLOATS 64

static int64_t between(const struct cairn_conv *p)
{
    return (cairn_conv_pool_between(p) + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

static int is_fused(const struct ocl_backend *be, const struct cairn_conv *p, const char *name)
{
    return !strcmp(name, "lanes") && ocl_lanes_pools(be, p);
}

/* The convolution's variants; numbers[i] is how it calls variant i. A variant that is forced on the
 * convolution is forced here. */
static int list(struct cairn_backend *backend, const struct cairn_conv *p,
                struct cairn_variant variants[CAIRN_MAX_VARIANTS], int numbers[CAIRN_MAX_VARIANTS])
{
    struct cairn_problem conv = {.op = CAIRN_OP_CONV, .u.conv = cairn_conv_of_pool(p)};
    int all = ocl_conv_variants(backend, &conv, variants), count = 0;
    int picked = cairn_pick_variant(backend, CAIRN_OP_CONV, variants, all);
    for (int i = 0; i < all; i++) {
        if (!strcmp(variants[i].name, "winograd")) continue;
        numbers[count] = i;
        variants[count] = variants[i];
        variants[count].preferred = i == picked;
        if (is_fused(ocl_of(backend), p, variants[i].name))
            variants[count].work = 0;
        else
            variants[count].work += between(p);
        count++;
    }
    return count;
}

int ocl_conv_pool_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                           struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    int numbers[CAIRN_MAX_VARIANTS];
    return list(backend, &problem->u.conv, variants, numbers);
}

cairn_status ocl_conv_pool(struct cairn_backend *backend, const struct cairn_conv *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    int numbers[CAIRN_MAX_VARIANTS];
    struct cairn_conv conv = cairn_conv_of_pool(p);
    struct cairn_problem pool = {.op = CAIRN_OP_POOL, .u.pool = cairn_pool_of_conv(p)};
    memset(variants, 0, sizeof variants);
    list(backend, p, variants, numbers);
    if (is_fused(ocl_of(backend), p, variants[variant].name))
        return ocl_lanes_pool(ocl_of(backend), p);
    conv.y = pool.u.pool.x = p->work;
    conv.work.offset += between(p);
    TRY(ocl_conv(backend, &conv, numbers[variant]));
    memset(variants, 0, sizeof variants);
    int count = ocl_pool_variants(backend, &pool, variants);
    TRY(ocl_pool(backend, &pool.u.pool,
                 cairn_pick_variant(backend, CAIRN_OP_POOL, variants, count)));
out:
    return st;
}
