/* Winograd's F(2 x 2, 3 x 3): see cl/conv-winograd.cl. Images come in chunks that keep the
 * transformed ones small; the workspace holds u, v, m and what the product needs. */
#include "opencl/conv-winograd.h"

#include "device/schema.h"
#include "opencl/gemm.h"
#include "opencl/limits.h"

#include <string.h>

#define POINTS 16 /* multiplications of a tile */

/* The convolution as it is transformed: `terms` channels of h x w become `rows` of out_h x out_w.
 */
struct plan {
    int64_t rows, terms, h, w, out_h, out_w, down, across, images;
    int64_t before_h, before_w; /* padding before the source */
    int64_t u, v, m;            /* floats */
};

static int64_t room(int64_t floats)
{
    return (floats + 15) / 16 * 16;
}

static struct plan plan_of(const struct ocl_backend *be, enum cairn_op op,
                           const struct cairn_conv *p)
{
    int64_t oh = cairn_conv_oh(p), ow = cairn_conv_ow(p);
    struct plan plan = {p->o, p->c, p->h, p->w, oh, ow, 0, 0, 0, p->pad_t, p->pad_l, 0, 0, 0};
    if (op == CAIRN_OP_CONV_DATA)
        plan = (struct plan){p->c, p->o, oh,           ow,           p->h, p->w, 0,
                             0,    0,    2 - p->pad_t, 2 - p->pad_l, 0,    0,    0};
    plan.down = (plan.out_h + 1) / 2;
    plan.across = (plan.out_w + 1) / 2;
    int64_t tiles = plan.down * plan.across, each = POINTS * tiles * (plan.rows + plan.terms);
    int64_t most = 8 * (be->is_cpu ? (int64_t)OCL_MOST_COL_CPU : (int64_t)OCL_MOST_COL_GPU);
    plan.images = most / each < 1 ? 1 : ocl_min(most / each, p->n);
    plan.u = room(POINTS * plan.rows * plan.terms);
    plan.v = room(POINTS * plan.terms * plan.images * tiles);
    plan.m = room(POINTS * plan.rows * plan.images * tiles);
    return plan;
}

int ocl_winograd_admitted(const struct ocl_backend *be, enum cairn_op op,
                          const struct cairn_conv *p)
{
    int64_t oh = cairn_conv_oh(p), ow = cairn_conv_ow(p), most = 1 << 30;
    if (be->base.options.math != CAIRN_MATH_FAST || op == CAIRN_OP_CONV_WEIGHTS) return 0;
    if (p->kh != 3 || p->kw != 3 || p->stride_h != 1 || p->stride_w != 1) return 0;
    if (p->dilation_h != 1 || p->dilation_w != 1 || p->groups != 1) return 0;
    /* numbers of 32 bits in the kernels, here with room */
    return p->c * p->o * 9 < most && p->h * p->w < most && oh * ow < most &&
           POINTS * (p->h + 2) * (p->w + 2) < most && POINTS * (oh + 2) * (ow + 2) < most &&
           p->n * (p->h + 2) * (p->w + 2) < most && p->n * (oh + 2) * (ow + 2) < most;
}

/* m = u v of `images` images. */
static struct cairn_gemm product_of(const struct plan *plan, int64_t images)
{
    struct cairn_gemm g = cairn_problem_default(CAIRN_OP_GEMM).u.gemm;
    int64_t tiles = images * plan->down * plan->across;
    g.batch = POINTS, g.m = plan->rows, g.n = tiles, g.k = plan->terms;
    g.lda = g.k, g.ldb = g.ldc = tiles;
    g.stride_a = g.m * g.k, g.stride_b = g.k * tiles, g.stride_c = g.m * tiles;
    return g;
}

/* The product's variant, as it would be chosen by itself, and its workspace. */
static int choose(struct cairn_backend *backend, const struct cairn_gemm *g, int64_t *work)
{
    struct cairn_problem problem = {.op = CAIRN_OP_GEMM, .u.gemm = *g};
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    memset(variants, 0, sizeof variants);
    int count = ocl_gemm_variants(backend, &problem, variants);
    int variant = cairn_pick_variant(backend, CAIRN_OP_GEMM, variants, count);
    *work = variants[variant].work;
    return variant;
}

int64_t ocl_winograd_work(struct cairn_backend *backend, enum cairn_op op,
                          const struct cairn_conv *p)
{
    struct plan plan = plan_of(ocl_of(backend), op, p);
    int64_t rest = p->n % plan.images, full, last;
    struct cairn_gemm g = product_of(&plan, plan.images);
    (void)choose(backend, &g, &full);
    g = product_of(&plan, rest ? rest : plan.images);
    (void)choose(backend, &g, &last);
    return plan.u + plan.v + plan.m + (full > last ? full : last);
}

static struct cairn_mem past(struct cairn_mem mem, int64_t elements)
{
    mem.offset += elements;
    return mem;
}

/* Work-items of a plane-wise kernel: on a CPU each makes a row of tiles, elsewhere one tile. */
static int64_t items_of(const struct ocl_backend *be, const struct plan *plan, int64_t planes,
                        int *run)
{
    *run = be->is_cpu ? (int)plan->across : 1;
    return planes * plan->down * (be->is_cpu ? 1 : plan->across);
}

static cairn_status run_chunk(struct ocl_backend *be, const struct cairn_conv *p,
                              const struct plan *plan, struct cairn_mem x, struct cairn_mem y,
                              int64_t images, int forward)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel;
    struct cairn_gemm g = product_of(plan, images);
    int64_t work, items, most = be->is_cpu ? 4096 : 0;
    int run, variant = choose(&be->base, &g, &work);
    g.a = p->work;
    g.b = past(g.a, plan->u);
    g.c = past(g.b, plan->v);
    g.work = past(g.c, plan->m);
    TRY(ocl_kernel(be, "conv-winograd.cl", NULL, "winograd_source", &kernel));
    items = items_of(be, plan, images * plan->terms, &run);
    TRY(ocl_launch_1d(be, kernel, items, most, "mmliiiiiiiil", &x, &g.b, items, run,
                      (int)plan->terms, (int)plan->h, (int)plan->w, (int)plan->down,
                      (int)plan->across, (int)plan->before_h, (int)plan->before_w, g.n));
    TRY(ocl_gemm_parts(&be->base, &g, &(struct ocl_gemm_parts){.groups = 1}, variant));
    TRY(ocl_kernel(be, "conv-winograd.cl", NULL, "winograd_results", &kernel));
    items = items_of(be, plan, images * plan->rows, &run);
    TRY(ocl_launch_1d(be, kernel, items, most, "mmmliiiiiilii", &g.c, &p->bias_v, &y, items, run,
                      (int)plan->rows, (int)plan->out_h, (int)plan->out_w, (int)plan->down,
                      (int)plan->across, g.n, forward && p->bias, forward ? (int)p->act : 0));
out:
    return st;
}

cairn_status ocl_winograd(struct cairn_backend *backend, enum cairn_op op,
                          const struct cairn_conv *p)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    struct plan plan = plan_of(be, op, p);
    int forward = op == CAIRN_OP_CONV;
    const struct cairn_mem *from = forward ? &p->x : &p->y, *to = forward ? &p->y : &p->x;
    cl_kernel kernel;
    TRY(ocl_kernel(be, "conv-winograd.cl", NULL, "winograd_weights", &kernel));
    TRY(ocl_launch_1d(be, kernel, plan.rows * plan.terms, be->is_cpu ? 4096 : 0, "mmiii",
                      &p->weight, &p->work, (int)plan.rows, (int)plan.terms, !forward));
    for (int64_t first = 0; first < p->n; first += plan.images) {
        int64_t images = ocl_min(plan.images, p->n - first);
        TRY(run_chunk(be, p, &plan, past(*from, first * plan.terms * plan.h * plan.w),
                      past(*to, first * plan.rows * plan.out_h * plan.out_w), images, forward));
    }
out:
    return st;
}
