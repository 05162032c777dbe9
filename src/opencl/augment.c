/* Moving images at random: one kernel where nothing turns, one where something does. */
#include "opencl/shape.h"

#include <string.h>

int ocl_augment_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                         struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    const struct cairn_augment *p = &problem->u.augment;
    return ocl_shape_variants(backend, p->oh * p->ow, 0, variants);
}

static int turns(const struct cairn_augment *p)
{
    return p->random && p->turn;
}

/* An odd side has its middle on a pixel, an even one half a pixel further. */
static double half(int64_t side)
{
    return side % 2 ? 0.0 : 0.5;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

#define MOVE                                                                                       \
    &p->x, &p->y, p->seed, (uint32_t)p->stream, (uint32_t)p->step, (uint64_t)p->first,             \
        (int)p->random, (int)p->flip, (int)p->shift_h, (int)p->shift_w, (uint32_t)p->turn,         \
        (int)p->c, (int)p->h, (int)p->w, (int)p->oh, (int)p->ow
#define FORMAT "mmUuuUiiiiuiiiii"

static cairn_status augment_cpu(struct ocl_backend *be, const struct cairn_augment *p)
{
    cairn_status st = CAIRN_OK;
    int64_t rows = ocl_shape_rows(p->oh, p->ow * p->c), blocks = (p->oh + rows - 1) / rows;
    size_t global = (size_t)(p->n * blocks), local = 1;
    cl_kernel kernel;
    TRY(ocl_kernel(be, "augment.cl", NULL, turns(p) ? "augment_turn_cpu" : "augment_copy_cpu",
                   &kernel));
    TRY(turns(p) ? ocl_launch(be, kernel, 1, &global, &local, FORMAT "fffii", MOVE, (double)p->fill,
                              half(p->oh), half(p->ow), (int)rows, (int)blocks)
                 : ocl_launch(be, kernel, 1, &global, &local, FORMAT "uii", MOVE, bits_of(p->fill),
                              (int)rows, (int)blocks));
out:
    return st;
}

static cairn_status augment_gpu(struct ocl_backend *be, const struct cairn_augment *p)
{
    cairn_status st = CAIRN_OK;
    int64_t size = p->oh * p->ow, step = ocl_shape_planes(p->n, size);
    cl_kernel kernel;
    TRY(ocl_kernel(be, "augment.cl", NULL, turns(p) ? "augment_turn_gpu" : "augment_copy_gpu",
                   &kernel));
    for (int64_t base = 0; base < p->n; base += step) {
        int64_t items = (p->n - base < step ? p->n - base : step) * size;
        TRY(turns(p) ? ocl_launch_1d(be, kernel, items, 0, FORMAT "fffUu", MOVE, (double)p->fill,
                                     half(p->oh), half(p->ow), (uint64_t)base, (uint32_t)items)
                     : ocl_launch_1d(be, kernel, items, 0, FORMAT "uUu", MOVE, bits_of(p->fill),
                                     (uint64_t)base, (uint32_t)items));
    }
out:
    return st;
}

cairn_status ocl_augment(struct cairn_backend *backend, const struct cairn_augment *p, int variant)
{
    return variant == OCL_SHAPE_CPU ? augment_cpu(ocl_of(backend), p)
                                    : augment_gpu(ocl_of(backend), p);
}
