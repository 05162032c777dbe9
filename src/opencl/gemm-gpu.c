/* The product on GPUs: which tiles run, and their launches. */
#include "opencl/gemm-launch.h"

#include "opencl/builds.h"

#include "device/schema.h"

#include <assert.h>

/* A build of gemm.cl: rows and columns of a work-group and of an item, items of a group; options of
 * the product, with b seen in images, and with b seen in images and transposed. */
struct tile {
    const char *name;
    int64_t m, n;
    int work_m, work_n, items;
    const char *options[3];
};
#define TILE(X, name, m, n, work_m, work_n)                                                        \
    {name,                                                                                         \
     m,                                                                                            \
     n,                                                                                            \
     work_m,                                                                                       \
     work_n,                                                                                       \
     (m) / (work_m) * ((n) / (work_n)),                                                            \
     {OCL_GEMM_OPTIONS(m, n, work_m, work_n, 0), OCL_GEMM_OPTIONS(m, n, work_m, work_n, 1),        \
      OCL_GEMM_OPTIONS(m, n, work_m, work_n, 2)}},
static const struct tile tiles[] = {OCL_GEMM_TILES(TILE, )};
static_assert(sizeof tiles / sizeof *tiles == OCL_GEMM_GPU_TILES, "as many as there are kinds");

#define TILE_K 8  /* as in cl/gemm.cl */
#define BLOCK 256 /* k whose places in images lie in local memory, three numbers each */
#define COLUMNS_MOST (1L << 31) /* of all images together: the kernel counts them in 32 bits */

static int64_t up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

const char *ocl_gemm_gpu_name(int which)
{
    return tiles[which].name;
}

int ocl_gemm_gpu_admitted(const struct ocl_backend *be, int which)
{
    const struct tile *t = &tiles[which];
    size_t floats = (size_t)(2 * TILE_K * (t->m + 4 + t->n + 4) + 3 * BLOCK);
    return be->max_group >= (size_t)t->items && be->local_bytes >= floats * sizeof(float);
}

/* The tile with the least estimated time: a unit makes the multiplications of its share of the
 * tiles, padding included, at `cost` each, fma that waits for memory counted in. Groups of fewer
 * than 256 items keep a unit half as busy as those of 256 while they are alone there. */
int ocl_gemm_gpu_choice(const struct ocl_backend *be, const struct cairn_gemm *p, int64_t times)
{
    int best = -1;
    double least = 0;
    int64_t units = be->compute_units > 0 ? be->compute_units : 1;
    for (int i = 0; i < OCL_GEMM_GPU_TILES; i++) {
        const struct tile *t = &tiles[i];
        if (!ocl_gemm_gpu_admitted(be, i)) continue;
        double loads = 1.0 / (double)t->work_m + 1.0 / (double)t->work_n;
        double cost = 1.0 + 2.0 * loads + 4.0 / (double)t->m + 4.0 / (double)t->n;
        int64_t busy = up(up(p->m, t->m) * up(p->n, t->n) * times, units);
        if (t->items < 256 && busy < 2) busy = 2;
        double time = (double)busy * (double)(t->m * t->n) * cost;
        if (best >= 0 && time >= least) continue;
        best = i;
        least = time;
    }
    return best;
}

/* Offsets in images are 32 bits: what a block of k spans, from the first of its images on. */
int ocl_gemm_gpu_sees(const struct cairn_conv *p, int transposed)
{
    int64_t image = p->c * p->h * p->w, pixels = cairn_conv_oh(p) * cairn_conv_ow(p);
    int64_t reach =
        (p->pad_t + p->kh * p->dilation_h + p->h) * p->w + p->pad_l + p->kw * p->dilation_w;
    int64_t spans = transposed ? BLOCK / pixels + 2 : 1;
    int64_t most = 1L << 28;
    return image < most && p->c * reach < most && spans * image < 4 * most &&
           p->h + p->kh * p->dilation_h < most && p->w + p->kw * p->dilation_w < most &&
           p->stride_h < most && p->stride_w < most && p->n * pixels < COLUMNS_MOST - 256;
}

/* Tiles of wide x high results in all, numbered in one dimension: some devices take no more than
 * 65535 work-groups in the second and third. */
static size_t grid(const struct cairn_gemm *p, const struct ocl_gemm_cut *cut,
                   const struct ocl_gemm_part *part, int64_t wide, int64_t high)
{
    return (size_t)(up(p->n, wide) * up(p->m, high) * cut->repeats * part->count);
}

cairn_status ocl_gemm_launch_gpu(struct ocl_backend *be, int which, const struct cairn_gemm *p,
                                 const struct ocl_gemm_cut *cut, const struct ocl_gemm_part *part)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_conv *v = part->of->images;
    const struct tile *t = &tiles[which];
    int images = !v ? 0 : p->tb ? 2 : 1;
    cl_kernel kernel;
    TRY(ocl_kernel(be, "gemm.cl", t->options[images], "gemm", &kernel));
    size_t local = (size_t)t->items, global;
    if (!v) {
        global = grid(p, cut, part, t->n, t->m) * local;
        TRY(ocl_launch(be, kernel, 1, &global, &local, OCL_GEMM_FORMAT,
                       OCL_GEMM_ARGUMENTS(p, cut, part)));
        goto out;
    }
    int64_t columns = images == 1 ? p->n * p->batch : p->n;
    int64_t times = part->of->groups * part->count;
    global = (size_t)(up(columns, t->n) * up(p->m, t->m) * times) * local;
    TRY(ocl_launch(be, kernel, 1, &global, &local, OCL_GEMM_FORMAT "liiiiiiiiiii",
                   OCL_GEMM_ARGUMENTS(p, cut, part), columns, (int)v->h, (int)v->w, (int)v->kh,
                   (int)v->kw, (int)v->stride_h, (int)v->stride_w, (int)v->pad_t, (int)v->pad_l,
                   (int)v->dilation_h, (int)v->dilation_w, (int)cairn_conv_ow(v)));
out:
    return st;
}

cairn_status ocl_gemm_launch_small(struct ocl_backend *be, const struct cairn_gemm *p,
                                   const struct ocl_gemm_cut *cut, const struct ocl_gemm_part *part)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel;
    size_t group;
    cl_ulong local_bytes;
    TRY(ocl_kernel(be, "gemm-small.cl", NULL, "gemm", &kernel));
    TRY(ocl_kernel_limits(be, kernel, &group, &local_bytes));
    size_t local[2] = {group >= 8 ? 8 : 1, group >= 32 ? 4 : 1};
    size_t groups = grid(p, cut, part, (int64_t)local[0], (int64_t)local[1]);
    size_t global[2] = {groups * local[0], local[1]};
    TRY(ocl_launch(be, kernel, 2, global, local, OCL_GEMM_FORMAT,
                   OCL_GEMM_ARGUMENTS(p, cut, part)));
out:
    return st;
}
