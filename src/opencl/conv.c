/* The convolutions as products. Where the product's variant can pack images itself, nothing lies in
 * between; elsewhere im2col (or col2im) runs beside it, over chunks of images that keep `col`
 * small.
 *
 * Invariant: a chunk holds whole images and changes no order: forward and data take each image by
 * itself, and the weights' product runs over the whole batch at once. A 1x1 kernel with stride 1
 * and no padding needs no col: the image is its own. */
#include "opencl/gemm.h"

#include "device/schema.h"

#include <string.h>

#define CHUNK_CPU ((int64_t)1 << 21) /* floats of col at a time: about a CPU's caches */
#define CHUNK_GPU ((int64_t)1 << 24)

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct shape {
    int64_t taps, pixels; /* rows and columns of an image's col */
    int plain;            /* col is x itself */
};

static struct shape shape_of(const struct cairn_conv *p)
{
    struct shape s = {p->c * p->kh * p->kw, cairn_conv_oh(p) * cairn_conv_ow(p), 0};
    s.plain = p->kh == 1 && p->kw == 1 && p->stride_h == 1 && p->stride_w == 1 && p->pad_t == 0 &&
              p->pad_b == 0 && p->pad_l == 0 && p->pad_r == 0;
    return s;
}

/* How one variant runs: whether col is memory, and how many images at a time. */
static int needs_col(const struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p,
                     int variant)
{
    struct shape s = shape_of(p);
    int fits = s.taps < 1 << 30 && s.pixels < 1 << 30;
    return !s.plain && !(op != CAIRN_OP_CONV_DATA && fits && ocl_gemm_sees_images(be, variant));
}

static int64_t chunk_of(const struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p,
                        int variant)
{
    struct shape s = shape_of(p);
    if (op == CAIRN_OP_CONV_WEIGHTS || !needs_col(be, op, p, variant)) return p->n;
    int64_t images = (be->is_cpu ? CHUNK_CPU : CHUNK_GPU) / (s.taps * s.pixels);
    return images < 1 ? 1 : images < p->n ? images : p->n;
}

static int64_t col_floats(const struct ocl_backend *be, enum cairn_op op,
                          const struct cairn_conv *p, int variant)
{
    struct shape s = shape_of(p);
    return needs_col(be, op, p, variant) ? chunk_of(be, op, p, variant) * s.taps * s.pixels : 0;
}

static struct cairn_mem past(struct cairn_mem mem, int64_t elements)
{
    mem.offset += elements;
    return mem;
}

/* The product of `images` images; memory is set by the caller. */
static struct cairn_gemm product_of(enum cairn_op op, const struct cairn_conv *p, int64_t images)
{
    struct shape s = shape_of(p);
    struct cairn_gemm g = cairn_problem_default(CAIRN_OP_GEMM).u.gemm;
    g.batch = images;
    switch (op) {
    case CAIRN_OP_CONV: /* y = weight col */
        g.m = p->o, g.n = s.pixels, g.k = s.taps;
        g.lda = s.taps, g.ldb = g.ldc = s.pixels;
        g.stride_b = s.taps * s.pixels, g.stride_c = p->o * s.pixels;
        g.bias = p->bias ? CAIRN_BIAS_M : CAIRN_BIAS_NONE;
        g.act = p->act;
        break;
    case CAIRN_OP_CONV_DATA: /* col = weight^T y */
        g.m = s.taps, g.n = s.pixels, g.k = p->o, g.ta = 1;
        g.lda = s.taps, g.ldb = g.ldc = s.pixels;
        g.stride_b = p->o * s.pixels, g.stride_c = s.taps * s.pixels;
        break;
    default: /* weight = sum of y col^T */
        g.m = p->o, g.n = s.taps, g.k = s.pixels, g.tb = g.sum = 1;
        g.lda = g.ldb = s.pixels, g.ldc = s.taps;
        g.stride_a = p->o * s.pixels, g.stride_b = s.taps * s.pixels;
    }
    return g;
}

static int product_variants(struct cairn_backend *backend, enum cairn_op op,
                            const struct cairn_conv *p, int64_t images,
                            struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    struct cairn_problem problem = {.op = CAIRN_OP_GEMM, .u.gemm = product_of(op, p, images)};
    return ocl_gemm_variants(backend, &problem, variants);
}

/* One variant for each of the product's, by the same number and name; the workspace is col, then
 * the product's. */
static int conv_variants(struct cairn_backend *backend, enum cairn_op op,
                         const struct cairn_conv *p,
                         struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    const struct ocl_backend *be = ocl_of(backend);
    struct cairn_variant full[CAIRN_MAX_VARIANTS], last[CAIRN_MAX_VARIANTS];
    int count = product_variants(backend, op, p, p->n, variants);
    int picked = cairn_pick_variant(backend, CAIRN_OP_GEMM, variants, count);
    for (int i = 0; i < count; i++) {
        int64_t chunk = chunk_of(be, op, p, i), rest = p->n % chunk;
        product_variants(backend, op, p, chunk, full);
        product_variants(backend, op, p, rest ? rest : chunk, last);
        variants[i].preferred = i == picked;
        variants[i].work = col_floats(be, op, p, i) + max64(full[i].work, last[i].work);
    }
    return count;
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
    *q = (struct cairn_im2col){images,
                               p->c,
                               p->h,
                               p->w,
                               p->kh,
                               p->kw,
                               p->stride_h,
                               p->stride_w,
                               p->pad_t,
                               p->pad_b,
                               p->pad_l,
                               p->pad_r,
                               1,
                               1,
                               .x = past(p->x, first * p->c * p->h * p->w),
                               .col = p->work};
    memset(variants, 0, sizeof variants);
    int count = op == CAIRN_OP_IM2COL ? ocl_im2col_variants(backend, &problem, variants)
                                      : ocl_col2im_variants(backend, &problem, variants);
    int variant = cairn_pick_variant(backend, op, variants, count);
    return op == CAIRN_OP_IM2COL ? ocl_im2col(backend, q, variant)
                                 : ocl_col2im(backend, q, variant);
}

/* One chunk of images from `first` on. */
static cairn_status run_chunk(struct cairn_backend *backend, enum cairn_op op,
                              const struct cairn_conv *p, int variant, int64_t first,
                              int64_t images)
{
    cairn_status st = CAIRN_OK;
    struct shape s = shape_of(p);
    struct cairn_gemm g = product_of(op, p, images);
    int has_col = needs_col(ocl_of(backend), op, p, variant), sees = !has_col && !s.plain;
    struct cairn_mem x = past(p->x, first * p->c * p->h * p->w),
                     y = past(p->y, first * p->o * s.pixels);
    struct cairn_mem col = has_col ? p->work : x;
    g.work = past(p->work, col_floats(ocl_of(backend), op, p, variant));
    if (sees) g.stride_b = p->c * p->h * p->w;
    if (op == CAIRN_OP_CONV)
        g.a = p->weight, g.b = col, g.bias_v = p->bias_v, g.c = y;
    else if (op == CAIRN_OP_CONV_DATA)
        g.a = p->weight, g.b = y, g.c = col;
    else
        g.a = y, g.b = col, g.c = p->weight;
    if (has_col && op != CAIRN_OP_CONV_DATA) TRY(move(backend, CAIRN_OP_IM2COL, p, first, images));
    TRY(ocl_gemm_images(backend, &g, sees ? p : NULL, variant));
    if (has_col && op == CAIRN_OP_CONV_DATA) TRY(move(backend, CAIRN_OP_COL2IM, p, first, images));
out:
    return st;
}

static cairn_status run(struct cairn_backend *backend, enum cairn_op op, const struct cairn_conv *p,
                        int variant)
{
    cairn_status st = CAIRN_OK;
    int64_t chunk = chunk_of(ocl_of(backend), op, p, variant);
    if (p->dilation_h > 1 || p->dilation_w > 1 || p->groups > 1)
        return cairn_fail(CAIRN_UNSUPPORTED, "no kernel for convolutions with dilation or groups");
    for (int64_t first = 0; first < p->n; first += chunk)
        TRY(run_chunk(backend, op, p, variant, first, p->n - first < chunk ? p->n - first : chunk));
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
