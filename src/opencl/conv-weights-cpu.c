/* The weights' gradient of convolutions of many channels: images are packed as they are seen, and
 * long sums are made in slabs side by side. Kernel: cl/conv-weights-cpu.cl. */
#include "opencl/conv-cpu.h"

#include "device/schema.h"
#include "opencl/direct.h"
#include "opencl/gemm.h"

#include <stdio.h>

#define BLOCK 256
#define PANELS_MOST 10      /* register tiles below each other in a macro-tile */
#define SUMS_MOST (1 << 16) /* floats of a macro-tile's sums: a part of a second cache */

static int64_t up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* A macro-tile: its rows, and what its work-item has in local memory. */
struct plan {
    struct ocl_conv_tile tile;
    int64_t rows;               /* 0: it does not fit */
    size_t sums, places, lists; /* bytes */
};

/* The most places that a block of pixels sees: it covers at most so many output rows, beside each
 * other, in so many images. */
static int64_t places_most(const struct cairn_conv *p)
{
    int64_t ow = cairn_conv_ow(p), images = (BLOCK - 2) / (cairn_conv_oh(p) * ow) + 2;
    int64_t rows = (BLOCK - 2) / ow + 2, span = (p->kh - 1) * p->dilation_h + 1;
    return ocl_min(images * p->h, rows * p->stride_h + images * span) * p->w;
}

static struct plan plan_of(const struct ocl_backend *be, const struct cairn_conv *p)
{
    struct plan plan = {.tile = ocl_conv_cpu_tile(be)};
    int64_t nr = plan.tile.width * plan.tile.vectors, taps = p->kh * p->kw;
    int64_t places = places_most(p), left = (int64_t)(be->local_bytes / sizeof(float));
    if (places < taps) places = taps; /* also the room where a row is put together */
    places += plan.tile.width;
    int64_t ints = (3 + 2 * taps) * BLOCK + taps;
    left -= plan.tile.rows * (BLOCK + 16) + plan.tile.width + places * nr + ints + 64;
    int64_t panels = up(p->o / p->groups, plan.tile.rows);
    int64_t most = ocl_min(SUMS_MOST, left) / (plan.tile.rows * taps * nr);
    if (most < 1) return plan;
    most = ocl_min(most, PANELS_MOST);
    plan.rows = up(panels, up(panels, most)) * plan.tile.rows;
    plan.sums = (size_t)(plan.rows * taps * nr) * sizeof(float);
    plan.places = (size_t)(places * nr) * sizeof(float);
    plan.lists = (size_t)ints * sizeof(int);
    return plan;
}

int ocl_conv_weights_cpu_admitted(const struct ocl_backend *be, const struct cairn_conv *p)
{
    int64_t pixels = cairn_conv_oh(p) * cairn_conv_ow(p);
    if (be->soft_fma || p->c * p->h * p->w >= 1 << 30 || p->o * pixels >= 1 << 30) return 0;
    if (p->kh * p->kw >= 1 << 16 || places_most(p) >= 1 << 20) return 0;
    return plan_of(be, p).rows > 0;
}

int64_t ocl_conv_weights_cpu_work(const struct cairn_conv *p)
{
    struct cairn_gemm g = ocl_direct_sum(p);
    return ocl_gemm_work(&g, 1);
}

/* Slabs [first, first + slabs) to the workspace, or all there are to the gradient. */
static cairn_status launch(struct ocl_backend *be, const struct cairn_conv *p,
                           const struct cairn_mem *to, int64_t first, int64_t slabs, int partial)
{
    cairn_status st = CAIRN_OK;
    char options[64];
    cl_kernel kernel;
    struct plan plan = plan_of(be, p);
    int64_t oh = cairn_conv_oh(p), ow = cairn_conv_ow(p), c = p->c / p->groups,
            o = p->o / p->groups;
    size_t local[3] = {1, 1, 1};
    size_t global[3] = {(size_t)up(c, plan.tile.width * plan.tile.vectors),
                        (size_t)up(o, plan.rows), (size_t)(slabs * p->groups)};
    snprintf(options, sizeof options, "-DVW=%d -DMR=%d -DNV=%d", plan.tile.width, plan.tile.rows,
             plan.tile.vectors);
    TRY(ocl_kernel(be, "conv-weights-cpu.cl", options, "conv_weights", &kernel));
    TRY(ocl_launch(be, kernel, 3, global, local,
                   "mmmlliii"
                   "iiiiiiiiiiii"
                   "iiiLLL",
                   &p->x, &p->y, to, p->n * oh * ow, p->n * p->c * p->h * p->w, (int)p->groups,
                   (int)c, (int)o, (int)p->h, (int)p->w, (int)p->kh, (int)p->kw, (int)p->stride_h,
                   (int)p->stride_w, (int)p->pad_t, (int)p->pad_l, (int)p->dilation_h,
                   (int)p->dilation_w, (int)oh, (int)ow, (int)plan.rows, (int)first, partial,
                   plan.sums, plan.places, plan.lists));
out:
    return st;
}

cairn_status ocl_conv_weights_cpu(struct ocl_backend *be, const struct cairn_conv *p)
{
    cairn_status st = CAIRN_OK;
    struct cairn_gemm g = ocl_direct_sum(p);
    int64_t slabs = ocl_gemm_slabs(&g), each = g.m * g.n;
    if (slabs == 1) return launch(be, p, &p->weight, 0, 1, 0);
    int64_t at_once = ocl_gemm_work(&g, 1) / each;
    for (int64_t first = 0; first < slabs; first += at_once) {
        int64_t count = ocl_min(at_once, slabs - first);
        TRY(launch(be, p, &p->work, first, count, 1));
        TRY(ocl_gemm_add_slabs(be, &g, first, count));
    }
out:
    return st;
}
