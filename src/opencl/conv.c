/* The convolutions as products. Where the product's variant can pack images itself, nothing lies in
 * between; elsewhere im2col (or col2im) runs beside it, over chunks that keep `col` small.
 *
 * Invariant: a chunk changes no order. Forward and data take each image by itself; the weights'
 * product runs over the whole batch, and is cut where a slab of its sum ends. A 1x1 kernel with
 * stride 1 and no padding needs no col: the image is its own. */
#include "opencl/conv-cpu.h"
#include "opencl/conv-winograd.h"
#include "opencl/direct.h"
#include "opencl/gemm.h"

#include "device/schema.h"
#include "opencl/limits.h"

#include <string.h>

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct shape {
    int64_t taps, pixels;   /* rows and columns of an image's col */
    int64_t c, o, per_taps; /* of a group: channels, and rows of col, which lie together */
    int plain;              /* col is x itself */
};

static struct shape shape_of(const struct cairn_conv *p)
{
    struct shape s = {.taps = p->c * p->kh * p->kw,
                      .pixels = cairn_conv_oh(p) * cairn_conv_ow(p),
                      .c = p->c / p->groups,
                      .o = p->o / p->groups};
    s.per_taps = s.taps / p->groups;
    s.plain = p->kh == 1 && p->kw == 1 && p->stride_h == 1 && p->stride_w == 1 && p->pad_t == 0 &&
              p->pad_b == 0 && p->pad_l == 0 && p->pad_r == 0;
    return s;
}

/* Whether col is memory in this variant. */
static int needs_col(const struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p,
                     int variant)
{
    return !shape_of(p).plain &&
           !(op != CAIRN_OP_CONV_DATA &&
             ocl_gemm_sees_images(be, variant, p, op == CAIRN_OP_CONV_WEIGHTS));
}

/* The product of `images` images; memory is set by the caller. */
static struct cairn_gemm product_of(enum cairn_op op, const struct cairn_conv *p, int64_t images)
{
    struct shape s = shape_of(p);
    struct cairn_gemm g = cairn_problem_default(CAIRN_OP_GEMM).u.gemm;
    g.batch = images;
    switch (op) {
    case CAIRN_OP_CONV: /* y = weight col */
        g.m = s.o, g.n = s.pixels, g.k = s.per_taps;
        g.lda = s.per_taps, g.ldb = g.ldc = s.pixels;
        g.stride_b = s.taps * s.pixels, g.stride_c = p->o * s.pixels;
        g.bias = p->bias ? CAIRN_BIAS_M : CAIRN_BIAS_NONE;
        g.act = p->act;
        break;
    case CAIRN_OP_CONV_DATA: /* col = weight^T y */
        g.m = s.per_taps, g.n = s.pixels, g.k = s.o, g.ta = 1;
        g.lda = s.per_taps, g.ldb = g.ldc = s.pixels;
        g.stride_b = p->o * s.pixels, g.stride_c = s.taps * s.pixels;
        break;
    default: /* weight = sum of y col^T */
        g.m = s.o, g.n = s.per_taps, g.k = s.pixels, g.tb = g.sum = 1;
        g.lda = g.ldb = s.pixels, g.ldc = s.per_taps;
        g.stride_a = p->o * s.pixels, g.stride_b = s.taps * s.pixels;
    }
    return g;
}

/* Groups lie behind each other in the channels of x and y, the rows of col and the weights. */
static struct ocl_gemm_parts parts_of(enum cairn_op op, const struct cairn_conv *p)
{
    struct shape s = shape_of(p);
    int64_t weight = s.o * s.per_taps, y = s.o * s.pixels, col = s.per_taps * s.pixels;
    struct ocl_gemm_parts parts = {.groups = p->groups};
    parts.step_a = op == CAIRN_OP_CONV_WEIGHTS ? y : weight;
    parts.step_b = op == CAIRN_OP_CONV_DATA ? y : col;
    parts.step_c = op == CAIRN_OP_CONV ? y : op == CAIRN_OP_CONV_DATA ? col : weight;
    return parts;
}

/* What runs at a time: `images` of the batch, or for the weights `slabs` of the sum and the images
 * that they touch. */
struct chunk {
    int64_t images, slabs;
};

static struct chunk chunk_of(const struct ocl_backend *be, enum cairn_op op,
                             const struct cairn_conv *p, int variant)
{
    struct shape s = shape_of(p);
    struct chunk chunk = {p->n, 0};
    if (!needs_col(be, op, p, variant)) return chunk;
    if (op == CAIRN_OP_CONV_WEIGHTS) {
        struct cairn_gemm g = product_of(op, p, p->n);
        int64_t all = ocl_gemm_slabs(&g), slab = s.taps * OCL_GEMM_SLAB;
        int64_t slabs = (be->is_cpu ? OCL_MOST_COL_CPU : OCL_MOST_COL_WEIGHTS) / slab;
        if (slabs >= all) return chunk;
        chunk.slabs = slabs < 1 ? 1 : slabs;
        chunk.images = ocl_min(p->n, (chunk.slabs * OCL_GEMM_SLAB - 2) / s.pixels + 2);
    } else {
        int64_t images = (be->is_cpu ? OCL_MOST_COL_CPU : OCL_MOST_COL_GPU) / (s.taps * s.pixels);
        chunk.images = images < 1 ? 1 : ocl_min(images, p->n);
    }
    return chunk;
}

static int64_t col_floats(const struct ocl_backend *be, enum cairn_op op,
                          const struct cairn_conv *p, int variant)
{
    struct shape s = shape_of(p);
    if (!needs_col(be, op, p, variant)) return 0;
    return chunk_of(be, op, p, variant).images * s.taps * s.pixels;
}

static struct cairn_mem past(struct cairn_mem mem, int64_t elements)
{
    mem.offset += elements;
    return mem;
}

/* Whether the product over the whole batch is the fastest way on a CPU, as measured: for the
 * weights where its tiles are filled, elsewhere where turning images costs little beside it, in
 * multiplications for each element that is turned. */
static int wants_batch(const struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p)
{
    struct shape s = shape_of(p);
    if (op == CAIRN_OP_CONV_WEIGHTS) return be->is_cpu && p->n >= 8 && s.c >= 16 && s.o >= 32;
    double turned = (double)p->c * (double)(p->h * p->w) + (double)p->o * (double)s.pixels;
    double each = (double)p->o * (double)s.per_taps * (double)s.pixels / turned;
    double least = p->stride_w > 1 ? 80 : op == CAIRN_OP_CONV ? 200 : 140;
    return be->is_cpu && p->n >= 16 && s.o >= 32 && each >= least;
}

/* One variant for each of the product's, by the same number and name; the workspace is col, then
 * the product's. That over the whole batch and the direct ones behind them. A variant forced on the
 * product is forced here. */
static int conv_variants(struct cairn_backend *backend, enum cairn_op op,
                         const struct cairn_conv *p,
                         struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    const struct ocl_backend *be = ocl_of(backend);
    struct cairn_problem problem = {.op = CAIRN_OP_GEMM, .u.gemm = product_of(op, p, p->n)};
    if (op == CAIRN_OP_CONV && !be->is_cpu) /* as GPUs join images */
        problem.u.gemm.n *= p->n, problem.u.gemm.batch = 1;
    int count = ocl_gemm_kinds(backend, &problem, variants);
    int picked = cairn_pick_variant(backend, CAIRN_OP_GEMM, variants, count);
    for (int i = 0; i < count; i++) {
        int64_t images = op == CAIRN_OP_CONV_WEIGHTS ? p->n : chunk_of(be, op, p, i).images;
        int64_t rest = p->n % images;
        struct cairn_gemm full = product_of(op, p, images),
                          last = product_of(op, p, rest ? rest : images);
        variants[i].preferred = i == picked;
        variants[i].work = col_floats(be, op, p, i) +
                           max64(ocl_gemm_work(&full, p->groups), ocl_gemm_work(&last, p->groups));
    }
    int forced = backend->forced[CAIRN_OP_GEMM][0] != 0;
    if (ocl_conv_cpu_admitted(be, op, p)) {
        int wanted = !forced && wants_batch(be, op, p);
        if (wanted) variants[picked].preferred = 0;
        variants[count++] = (struct cairn_variant){
            .name = "batch-cpu", .preferred = wanted, .work = ocl_conv_cpu_work(be, op, p)};
    }
    if (ocl_winograd_admitted(be, op, p))
        variants[count++] =
            (struct cairn_variant){"winograd", 0, ocl_winograd_work(backend, op, p)};
    return ocl_direct_variants(be, op, p, forced, variants, count);
}

int ocl_conv_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                      struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    return conv_variants(backend, CAIRN_OP_CONV, &problem->u.conv, variants);
}

int ocl_conv_data_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                           struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    return conv_variants(backend, CAIRN_OP_CONV_DATA, &problem->u.conv, variants);
}

int ocl_conv_weights_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                              struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    return conv_variants(backend, CAIRN_OP_CONV_WEIGHTS, &problem->u.conv, variants);
}

/* col of images [first, first + images) of x, or x from it. */
static cairn_status move(struct cairn_backend *backend, enum cairn_op op,
                         const struct cairn_conv *p, int64_t first, int64_t images)
{
    struct cairn_problem problem = {.op = op};
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    struct cairn_im2col *q = &problem.u.im2col;
    *q = (struct cairn_im2col){
        images,        p->c,          p->h,
        p->w,          p->kh,         p->kw,
        p->stride_h,   p->stride_w,   p->pad_t,
        p->pad_b,      p->pad_l,      p->pad_r,
        p->dilation_h, p->dilation_w, .x = past(p->x, first * p->c * p->h * p->w),
        .col = p->work};
    memset(variants, 0, sizeof variants);
    int count = op == CAIRN_OP_IM2COL ? ocl_im2col_variants(backend, &problem, variants)
                                      : ocl_col2im_variants(backend, &problem, variants);
    int variant = cairn_pick_variant(backend, op, variants, count);
    return op == CAIRN_OP_IM2COL ? ocl_im2col(backend, q, variant)
                                 : ocl_col2im(backend, q, variant);
}

/* The images [first, first + images); of a weights' sum cut into chunks, only `parts` of it. */
static cairn_status run_chunk(struct cairn_backend *backend, enum cairn_op op,
                              const struct cairn_conv *p, int variant, int64_t first,
                              int64_t images, struct ocl_gemm_parts parts)
{
    cairn_status st = CAIRN_OK;
    struct shape s = shape_of(p);
    struct cairn_gemm g = product_of(op, p, parts.count ? p->n : images);
    const struct ocl_backend *be = ocl_of(backend);
    int has_col = needs_col(be, op, p, variant);
    int sees =
        !has_col && (!s.plain || (op == CAIRN_OP_CONV && ocl_gemm_joins_images(be, variant) &&
                                  ocl_gemm_sees_images(be, variant, p, 0)));
    struct cairn_mem x = past(p->x, first * p->c * p->h * p->w),
                     y = past(p->y, first * p->o * s.pixels);
    struct cairn_mem col = has_col ? p->work : x;
    g.work = past(p->work, col_floats(ocl_of(backend), op, p, variant));
    if (sees) {
        parts.images = p;
        parts.step_b = s.c * p->h * p->w;
        g.stride_b = p->c * p->h * p->w;
    }
    if (op == CAIRN_OP_CONV)
        g.a = p->weight, g.b = col, g.bias_v = p->bias_v, g.c = y;
    else if (op == CAIRN_OP_CONV_DATA)
        g.a = p->weight, g.b = y, g.c = col;
    else
        g.a = y, g.b = col, g.c = p->weight;
    if (has_col && op != CAIRN_OP_CONV_DATA) TRY(move(backend, CAIRN_OP_IM2COL, p, first, images));
    TRY(ocl_gemm_parts(backend, &g, &parts, variant));
    if (has_col && op == CAIRN_OP_CONV_DATA) TRY(move(backend, CAIRN_OP_COL2IM, p, first, images));
out:
    return st;
}

/* The weights' sum, a few slabs at a time. */
static cairn_status run_slabs(struct cairn_backend *backend, const struct cairn_conv *p,
                              int variant, int64_t slabs)
{
    cairn_status st = CAIRN_OK;
    struct cairn_gemm g = product_of(CAIRN_OP_CONV_WEIGHTS, p, p->n);
    struct ocl_gemm_parts parts = parts_of(CAIRN_OP_CONV_WEIGHTS, p);
    int64_t pixels = shape_of(p).pixels, all = ocl_gemm_slabs(&g);
    for (; parts.first < all; parts.first += parts.count) {
        parts.count = ocl_min(slabs, all - parts.first);
        parts.skipped = parts.first * OCL_GEMM_SLAB / pixels;
        int64_t end = ((parts.first + parts.count) * OCL_GEMM_SLAB + pixels - 1) / pixels;
        TRY(run_chunk(backend, CAIRN_OP_CONV_WEIGHTS, p, variant, parts.skipped,
                      ocl_min(end, p->n) - parts.skipped, parts));
    }
out:
    return st;
}

static cairn_status run(struct cairn_backend *backend, enum cairn_op op, const struct cairn_conv *p,
                        int variant)
{
    cairn_status st = CAIRN_OK;
    struct cairn_variant products[CAIRN_MAX_VARIANTS];
    struct cairn_problem problem = {.op = CAIRN_OP_GEMM, .u.gemm = product_of(op, p, p->n)};
    int count = ocl_gemm_kinds(backend, &problem, products);
    if (variant >= count && ocl_conv_cpu_admitted(ocl_of(backend), op, p) && variant-- == count)
        return ocl_conv_cpu(ocl_of(backend), op, p);
    if (variant >= count && ocl_winograd_admitted(ocl_of(backend), op, p) && variant-- == count)
        return ocl_winograd(backend, op, p);
    if (variant >= count) return ocl_direct(ocl_of(backend), op, p, variant - count);
    struct chunk chunk = chunk_of(ocl_of(backend), op, p, variant);
    if (chunk.slabs) return run_slabs(backend, p, variant, chunk.slabs);
    for (int64_t first = 0; first < p->n; first += chunk.images)
        TRY(run_chunk(backend, op, p, variant, first, ocl_min(p->n - first, chunk.images),
                      parts_of(op, p)));
out:
    return st;
}

cairn_status ocl_conv(struct cairn_backend *backend, const struct cairn_conv *p, int variant)
{
    return run(backend, CAIRN_OP_CONV, p, variant);
}

cairn_status ocl_conv_data(struct cairn_backend *backend, const struct cairn_conv *p, int variant)
{
    return run(backend, CAIRN_OP_CONV_DATA, p, variant);
}

cairn_status ocl_conv_weights(struct cairn_backend *backend, const struct cairn_conv *p,
                              int variant)
{
    return run(backend, CAIRN_OP_CONV_WEIGHTS, p, variant);
}
