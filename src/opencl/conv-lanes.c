/* Convolutions with few channels on CPU devices, with images or output channels in the lanes of a
 * vector: cl/conv-lanes.cl and cl/conv-taps.cl.
 *
 * Invariant: what a work-item makes fits local memory, and is small enough for a CPU's cache where
 * its rows can be cut. */
#include "opencl/direct.h"
#include "opencl/limits.h"

#include "device/schema.h"

#include <stdio.h>

#define BLOCK 256 /* as in the kernels */
#define SLAB 4096
#define SPAN 48
#define UNIT 12
#define LINE (BLOCK + 16)
#define ROWS_MOST 9  /* rows of taps of a register tile */
#define WIDEST_TAP 7 /* most columns of a kernel there */

static int64_t up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t spread_h(const struct cairn_conv *p)
{
    return cairn_spread(p->kh, p->dilation_h);
}

/* Columns of x with what padding the taps see, and rows of it. */
static int64_t wide_of(const struct cairn_conv *p)
{
    int64_t seen = (cairn_conv_ow(p) - 1) * p->stride_w + cairn_spread(p->kw, p->dilation_w);
    return seen > p->pad_l + p->w ? seen : p->pad_l + p->w;
}
static int64_t high_of(const struct cairn_conv *p)
{
    int64_t seen = (cairn_conv_oh(p) - 1) * p->stride_h + spread_h(p);
    return seen > p->pad_t + p->h ? seen : p->pad_t + p->h;
}

/* Floats of local memory for work-items of `rows` rows of the result. */
static int64_t room_of(enum cairn_op op, const struct cairn_conv *p, int64_t vw, int64_t rows)
{
    int64_t c = p->c / p->groups, o = p->o / p->groups, taps = p->kh * p->kw, wide = wide_of(p);
    if (op == CAIRN_OP_CONV) {
        int64_t high = (rows - 1) * p->stride_h + spread_h(p);
        return vw * (c * high * wide + (o + 4) * SPAN + vw) + (o + 4) * (c * taps + 1) + c * taps +
               rows * cairn_conv_ow(p) + UNIT;
    }
    int64_t seen = ocl_min((rows + spread_h(p) - 2) / p->stride_h + 1, cairn_conv_oh(p));
    return vw * (o * (seen * cairn_conv_ow(p) + UNIT) + 8 * rows * wide + 2 * vw) +
           taps * (c + 4) * o + seen * cairn_conv_ow(p);
}

/* The same for work-items of conv_pool, of `rows` rows of the pool. */
static int64_t pool_room(const struct cairn_conv *p, int64_t vw, int64_t rows)
{
    const struct cairn_pool pool = cairn_pool_of_conv(p);
    int64_t c = p->c / p->groups, o = p->o / p->groups, taps = p->kh * p->kw;
    int64_t high = ((rows - 1) * p->pool_stride_h + p->pool_kh - 1) * p->stride_h + spread_h(p);
    int64_t strip = up(p->pool_kh * cairn_conv_ow(p), UNIT) * UNIT;
    return vw * (c * high * wide_of(p) + 8 * strip + vw + 2 * o * (vw + cairn_pool_ow(&pool))) +
           (o + 4) * (c * taps + 1) + c * taps + strip + UNIT;
}

/* Rows of a work-item: as many as fit, unless some of the device's units would then be idle. */
static int64_t rows_of(const struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p)
{
    int pools = op == CAIRN_OP_CONV_POOL;
    const struct cairn_pool pool = cairn_pool_of_conv(p);
    int64_t vw = ocl_vector_width(be), height = pools                 ? cairn_pool_oh(&pool)
                                                : op == CAIRN_OP_CONV ? cairn_conv_oh(p)
                                                                      : p->h;
    int64_t items = up(p->n, vw) * p->groups, units = be->compute_units > 0 ? be->compute_units : 1;
    int64_t most = ocl_min((int64_t)be->local_bytes, OCL_MOST_LANES_LOCAL) / 4;
    int64_t blocks = ocl_min(up(4 * units, items), height);
#define ROOM(rows) (pools ? pool_room(p, vw, rows) : room_of(op, p, vw, rows))
    while (blocks < height && ROOM(up(height, blocks)) > most) blocks++;
#undef ROOM
    return up(height, blocks);
}

/* How the gradient of the weights is cut: register tiles of `rows` rows of taps and `vw` outputs,
 * `share` channels for a work-item. */
struct taps {
    int64_t vw, rows, share, room;
};

static int64_t taps_room(const struct cairn_conv *p, const struct taps *t)
{
    int64_t most = up(t->share * p->kh, t->rows) * t->rows;
    return t->vw * (2 * most * p->kw + BLOCK + LINE) + t->share * high_of(p) * wide_of(p) + most +
           cairn_conv_oh(p) * cairn_conv_ow(p);
}

/* The cut with the least estimated time: for each pixel the multiplications of a work-item's tiles
 * and about as many as turning dy round takes, and a tenth of an item for units that end unevenly.
 * Vectors of half a register take a bit more than half the time. */
static struct taps taps_of(const struct ocl_backend *be, const struct cairn_conv *p)
{
    struct taps best = {.vw = 0};
    double least = 0;
    int64_t width = ocl_vector_width(be),
            most = ocl_min((width == 16 ? 28 : 12) / p->kw, ROWS_MOST);
    int64_t c = p->c / p->groups, o = p->o / p->groups,
            units = be->compute_units > 0 ? be->compute_units : 1;
    double slabs = (double)(p->n * cairn_conv_oh(p) * cairn_conv_ow(p)) / SLAB;
    for (int64_t vw = width; vw >= 4 && vw >= width / 2; vw /= 2)
        for (int64_t share = 1; share <= 2 * c; share++) {
            /* Two heights of tiles only: each is a program. */
            struct taps t = {vw, share % 2 ? most : up(most, 3), (share + 1) / 2, 0};
            int64_t tiles = up(t.share * p->kh, t.rows);
            t.room = taps_room(p, &t);
            if (t.room * 4 > (int64_t)be->local_bytes) continue;
            double items = slabs * (double)(up(o, vw) * up(c, t.share) * p->groups) / (double)units;
            double each = (double)(tiles * t.rows * p->kw + 8) * (vw == width ? 1 : 0.6);
            double time = each * ((double)(int64_t)(items + 0.999) + 0.1);
            if (best.vw && time >= least) continue;
            least = time;
            best = t;
        }
    return best;
}

int ocl_lanes_admitted(const struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p)
{
    int64_t c = p->c / p->groups, o = p->o / p->groups, local = (int64_t)be->local_bytes / 4;
    if (be->soft_fma || c > SLAB || o > SLAB || p->kh > SLAB || p->kw > SLAB) return 0;
    if (wide_of(p) > local || high_of(p) > INT32_MAX / 2 || p->h * p->w > INT32_MAX) return 0;
    if (cairn_conv_oh(p) * cairn_conv_ow(p) > INT32_MAX) return 0;
    if (op == CAIRN_OP_CONV_WEIGHTS)
        return p->kw <= WIDEST_TAP && (p->kw == 1 || p->dilation_w == 1) && taps_of(be, p).vw;
    if (op == CAIRN_OP_CONV ? c * p->kh * p->kw > SLAB : o > BLOCK) return 0;
    return room_of(op, p, ocl_vector_width(be), 1) <= local;
}

int ocl_lanes_pools(const struct ocl_backend *be, const struct cairn_conv *p)
{
    int64_t local = (int64_t)be->local_bytes / 4;
    return ocl_lanes_admitted(be, CAIRN_OP_CONV, p) && p->pool_stride_h >= p->pool_kh &&
           p->pool_kh <= local && p->pool_stride_h <= SLAB &&
           pool_room(p, ocl_vector_width(be), 1) <= local;
}

/* As measured beside products that pack from images, with 1 to 64 channels on either side, kernels
 * of 1, 3 and 5, planes of 4 to 28: one with a single tap moves more than it multiplies, and wide
 * ones fill a product's tiles. Images must fill most of the lanes. */
int ocl_lanes_wanted(const struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p)
{
    int64_t vw = ocl_vector_width(be), taps = p->kh * p->kw;
    if (!be->is_cpu || p->groups > 1 || p->c > 32 || p->o > 32) return 0;
    if (op == CAIRN_OP_CONV_WEIGHTS) return taps >= 6 || (p->c <= 16 && p->o <= 16);
    return taps >= 6 && up(p->n, vw) * vw * 3 <= p->n * 4 && (op == CAIRN_OP_CONV || p->c > 2);
}

#define GEOMETRY(p)                                                                                \
    (int)(p)->stride_h, (int)(p)->stride_w, (int)(p)->pad_t, (int)(p)->pad_l, (int)(p)->dilation_h

cairn_status ocl_lanes(struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p)
{
    cairn_status st = CAIRN_OK;
    char options[32];
    int forward = op == CAIRN_OP_CONV;
    int64_t vw = ocl_vector_width(be), rows = rows_of(be, op, p), o = p->o / p->groups;
    int64_t blocks = up(forward ? cairn_conv_oh(p) : p->h, rows);
    int64_t strip = OCL_MOST_LANES_STRIP / (o * cairn_conv_ow(p) * vw);
    size_t global = (size_t)(up(p->n, vw) * p->groups * blocks), local = 1;
    size_t room = (size_t)room_of(op, p, vw, rows) * sizeof(float);
    cl_kernel kernel;
    snprintf(options, sizeof options, "-DVW=%d", (int)vw);
    TRY(ocl_kernel(be, "conv-lanes.cl", options, forward ? "conv_lanes" : "data_lanes", &kernel));
#define SHAPE "liiiiiiiiiiiiiiiii"
#define SHAPE_ARGUMENTS(p)                                                                         \
    (p)->n, (int)(p)->c, (int)(p)->h, (int)(p)->w, (int)(p)->o, (int)(p)->kh, (int)(p)->kw,        \
        GEOMETRY(p), (int)(p)->dilation_w, (int)cairn_conv_oh(p), (int)cairn_conv_ow(p),           \
        (int)((p)->c / (p)->groups), (int)o, (int)wide_of(p)
    if (forward)
        TRY(ocl_launch(be, kernel, 1, &global, &local, "mmmm" SHAPE "iiiiL", &p->x, &p->weight,
                       &p->bias_v, &p->y, SHAPE_ARGUMENTS(p), (int)p->bias, (int)p->act, (int)rows,
                       (int)blocks, room));
    else
        TRY(ocl_launch(be, kernel, 1, &global, &local, "mmm" SHAPE "iiiL", &p->y, &p->weight, &p->x,
                       SHAPE_ARGUMENTS(p), (int)rows, (int)blocks, (int)(strip < 1 ? 1 : strip),
                       room));
out:
    return st;
}

cairn_status ocl_lanes_pool(struct ocl_backend *be, const struct cairn_conv *p)
{
    cairn_status st = CAIRN_OK;
    char options[32];
    const struct cairn_pool pool = cairn_pool_of_conv(p);
    int64_t vw = ocl_vector_width(be), rows = rows_of(be, CAIRN_OP_CONV_POOL, p);
    int64_t o = p->o / p->groups, blocks = up(cairn_pool_oh(&pool), rows);
    size_t global = (size_t)(up(p->n, vw) * p->groups * blocks), local = 1;
    cl_kernel kernel;
    snprintf(options, sizeof options, "-DVW=%d", (int)vw);
    TRY(ocl_kernel(be, "conv-lanes.cl", options, "conv_pool_lanes", &kernel));
    TRY(ocl_launch(be, kernel, 1, &global, &local, "mmmmm" SHAPE "iiiiiiiiiiiiL", &p->x, &p->weight,
                   &p->bias_v, &p->y, &p->index, SHAPE_ARGUMENTS(p), (int)p->bias, (int)p->act,
                   (int)rows, (int)blocks, (int)pool.kh, (int)pool.kw, (int)pool.stride_h,
                   (int)pool.stride_w, (int)pool.pad_t, (int)pool.pad_l, (int)cairn_pool_oh(&pool),
                   (int)cairn_pool_ow(&pool), (size_t)pool_room(p, vw, rows) * sizeof(float)));
out:
    return st;
}

cairn_status ocl_lanes_weights(struct ocl_backend *be, const struct cairn_conv *p,
                               const struct cairn_mem *to, int64_t first, int64_t slabs,
                               int partial)
{
    cairn_status st = CAIRN_OK;
    char options[64];
    struct taps t = taps_of(be, p);
    int64_t c = p->c / p->groups, o = p->o / p->groups, oh = cairn_conv_oh(p),
            ow = cairn_conv_ow(p);
    size_t global = (size_t)(slabs * p->groups * up(c, t.share) * up(o, t.vw)), local = 1;
    cl_kernel kernel;
    snprintf(options, sizeof options, "-DVW=%d -DKW=%d -DRR=%d", (int)t.vw, (int)p->kw,
             (int)t.rows);
    TRY(ocl_kernel(be, "conv-taps.cl", options, "weights_lanes", &kernel));
    TRY(ocl_launch(be, kernel, 1, &global, &local, "mmmliiiiiiiiiiiiiiiiiiiL", &p->x, &p->y, to,
                   p->n * oh * ow, (int)p->c, (int)p->h, (int)p->w, (int)p->o, (int)p->kh,
                   GEOMETRY(p), (int)oh, (int)ow, (int)c, (int)o, (int)high_of(p), (int)wide_of(p),
                   (int)t.share, (int)first, partial, (size_t)t.room * sizeof(float)));
out:
    return st;
}
