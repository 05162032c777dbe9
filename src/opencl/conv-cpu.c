/* Convolutions over the whole batch: images are turned to lie beside each other, the product is
 * made in macro-tiles of (position, image), and its result is turned back. Kernels: cl/conv-cpu.cl.
 */
#include "opencl/conv-cpu.h"

#include "device/schema.h"
#include "opencl/gemm.h"

#include <stdio.h>

#define BLOCK 256
#define STRIP 64         /* as in cl/conv-cpu.cl */
#define COLS_MOST 384    /* columns of a macro-tile: with their panels about half a second cache */
#define PANELS_MOST 20   /* register tiles below each other in a macro-tile */
#define EDGE_IMAGES 64   /* images from which on a position at the edge is worth its own tile */
#define ALIASED 1024     /* planes that are multiples of this are made longer by a bit: */
#define ALIASED_SPACE 48 /* their elements would share the places of a cache */

struct ocl_conv_tile ocl_conv_cpu_tile(const struct ocl_backend *be)
{
    if (be->vector_width >= 16) return (struct ocl_conv_tile){16, 13, 2};
    return (struct ocl_conv_tile){be->vector_width >= 8 ? 8 : 4, 6, 2};
}

static int64_t up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* The most columns of a macro-tile whose panels, with what lies beside them, fit into local memory.
 */
static int64_t cols_most(const struct ocl_backend *be)
{
    struct ocl_conv_tile tile = ocl_conv_cpu_tile(be);
    int64_t nr = tile.width * tile.vectors, beside = 4 * BLOCK + COLS_MOST + 128;
    int64_t floats = (int64_t)(be->local_bytes / sizeof(float));
    int64_t room = floats - tile.rows * (BLOCK + 16 + nr) - beside;
    return room < 0 ? 0 : ocl_min(room / (BLOCK * nr + 16), COLS_MOST / nr) * nr;
}

/* The product as the kernels make it: a source and a target, columns cut into pieces. */
struct plan {
    int data;
    int64_t m, k;                     /* rows and sum of a group's product */
    int64_t h, w, out_h, out_w;       /* source and target */
    int64_t pad;                      /* floats between planes of the turned source */
    int64_t ld;                       /* floats of a plane of the turned target */
    int64_t edge, edge_pieces, inner; /* see conv_columns */
    int64_t rows_tile;
    int64_t x, y, t, weights; /* floats of the workspace, in this order */
};

/* Positions at the ends of a row of the target some tap of which sees padding, on the side that has
 * more. */
static int64_t edge_of(enum cairn_op op, const struct cairn_conv *p)
{
    int64_t span = (p->kw - 1) * p->dilation_w, out_w = cairn_conv_ow(p), left, right;
    if (op == CAIRN_OP_CONV) {
        left = up(p->pad_l, p->stride_w);
        int64_t whole = p->w + p->pad_l - span; /* positions that end inside begin below this */
        right = out_w - (whole > 0 ? ocl_min(up(whole, p->stride_w), out_w) : 0);
    } else {
        left = span - p->pad_l;
        right = p->w + p->pad_l - out_w;
    }
    return left > right ? left : right > 0 ? right : 0;
}

static int64_t room(int64_t floats)
{
    return up(floats, 16) * 16;
}

static struct plan plan_of(const struct ocl_backend *be, enum cairn_op op,
                           const struct cairn_conv *p)
{
    struct ocl_conv_tile tile = ocl_conv_cpu_tile(be);
    int data = op == CAIRN_OP_CONV_DATA;
    int64_t nr = tile.width * tile.vectors, c = p->c / p->groups, o = p->o / p->groups;
    int64_t taps = p->kh * p->kw, oh = cairn_conv_oh(p), ow = cairn_conv_ow(p);
    struct plan plan = {.data = data, .m = o, .k = c * taps, .h = p->h, .w = p->w};
    plan.out_h = oh, plan.out_w = ow;
    if (data)
        plan.m = c, plan.k = o, plan.h = oh, plan.w = ow, plan.out_h = p->h, plan.out_w = p->w;
    int64_t classes = data ? p->stride_w : 1, positions = up(plan.out_w, classes);
    if (classes == 1 && p->n >= EDGE_IMAGES && (up(p->n, nr) * nr - p->n) * 8 <= p->n)
        plan.edge = ocl_min(edge_of(op, p), plan.out_w / 2);
    int64_t most = cols_most(be), inner = positions - 2 * plan.edge;
    plan.edge_pieces = up(up(p->n, nr) * nr, most);
    plan.inner = up(up(inner * p->n, nr) * nr, most);
    int64_t panels = up(plan.m, tile.rows);
    plan.rows_tile = up(panels, up(panels, PANELS_MOST)) * tile.rows;
    plan.ld = plan.out_h * plan.out_w * p->n;
    if (plan.ld % ALIASED == 0) plan.ld += ALIASED_SPACE;
    if (data && plan.h * plan.w % tile.width == 0 && plan.h * plan.w * p->n % ALIASED == 0)
        plan.pad = ALIASED_SPACE;
    plan.x = room((data ? p->o : p->c) * (p->n * plan.h * plan.w + plan.pad));
    plan.y = room((data ? p->c : p->o) * plan.ld);
    if (data ? o > BLOCK && taps > 1 : plan.k > OCL_GEMM_SLAB + BLOCK) plan.t = plan.y;
    if (data) plan.weights = p->groups * taps * panels * tile.rows * o;
    return plan;
}

int ocl_conv_cpu_admitted(const struct ocl_backend *be, enum cairn_op op,
                          const struct cairn_conv *p)
{
    int64_t in = p->n * p->c * p->h * p->w, pixels = cairn_conv_oh(p) * cairn_conv_ow(p);
    if (op == CAIRN_OP_CONV_WEIGHTS) return ocl_conv_weights_cpu_admitted(be, p);
    if (be->soft_fma || cols_most(be) == 0) return 0;
    if (op == CAIRN_OP_CONV_DATA && p->o / p->groups > OCL_GEMM_SLAB) return 0;
    return in < 1 << 30 && p->n * p->o * pixels < 1 << 30 && p->c * p->o * p->kh * p->kw < 1 << 30;
}

int64_t ocl_conv_cpu_work(const struct ocl_backend *be, enum cairn_op op,
                          const struct cairn_conv *p)
{
    if (op == CAIRN_OP_CONV_WEIGHTS) return ocl_conv_weights_cpu_work(p);
    struct plan plan = plan_of(be, op, p);
    return plan.x + plan.y + plan.t + plan.weights;
}

static cairn_status kernel_of(struct ocl_backend *be, const char *name, cl_kernel *kernel)
{
    char options[96];
    struct ocl_conv_tile tile = ocl_conv_cpu_tile(be);
    snprintf(options, sizeof options, "-DVW=%d -DMR=%d -DNV=%d -DCOLS_MAX=%d", tile.width,
             tile.rows, tile.vectors, (int)cols_most(be));
    return ocl_kernel(be, "conv-cpu.cl", options, name, kernel);
}

static cairn_status launch_product(struct ocl_backend *be, const struct cairn_conv *p,
                                   const struct plan *plan, const struct cairn_mem *x,
                                   const struct cairn_mem *weight, const struct cairn_mem *y,
                                   const struct cairn_mem *t)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel;
    int64_t pieces = 2 * plan->edge * plan->edge_pieces + plan->inner;
    int64_t classes = plan->data ? p->stride_w : 1;
    size_t local[3] = {1, 1, 1};
    size_t global[3] = {(size_t)(plan->out_h * classes * pieces),
                        (size_t)up(plan->m, plan->rows_tile), (size_t)p->groups};
    TRY(kernel_of(be, "conv_columns", &kernel));
    TRY(ocl_launch(be, kernel, 3, global, local,
                   "mmmm"
                   "iiiiiiiiiiiiiiiil"
                   "iiii",
                   x, weight, y, t, plan->data, (int)p->n, (int)plan->h, (int)plan->w, (int)p->kh,
                   (int)p->kw, (int)p->stride_h, (int)p->stride_w, (int)p->pad_t, (int)p->pad_l,
                   (int)p->dilation_h, (int)p->dilation_w, (int)plan->out_w,
                   (int)(p->c / p->groups), (int)(p->o / p->groups),
                   (int)(plan->h * plan->w * p->n + plan->pad), plan->ld, (int)plan->rows_tile,
                   (int)plan->edge, (int)plan->edge_pieces, (int)plan->inner));
out:
    return st;
}

/* The weights in panels, behind the rest of the workspace. */
static cairn_status pack_weights(struct ocl_backend *be, const struct cairn_conv *p,
                                 const struct cairn_mem *to)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel;
    int64_t c = p->c / p->groups, o = p->o / p->groups, panels = up(c, ocl_conv_cpu_tile(be).rows);
    size_t local[2] = {1, 1};
    size_t global[2] = {(size_t)up(o, STRIP), (size_t)(p->groups * panels)};
    TRY(kernel_of(be, "data_weights", &kernel));
    TRY(ocl_launch(be, kernel, 2, global, local, "mmiiii", &p->weight, to, (int)panels,
                   (int)(p->kh * p->kw), (int)c, (int)o));
out:
    return st;
}

cairn_status ocl_conv_cpu(struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p)
{
    cairn_status st = CAIRN_OK;
    if (op == CAIRN_OP_CONV_WEIGHTS) return ocl_conv_weights_cpu(be, p);
    struct plan plan = plan_of(be, op, p);
    struct cairn_mem x = p->work, y = x, t = {NULL, 0}, weight = p->weight;
    int64_t from = (plan.data ? p->o : p->c) * plan.h * plan.w,
            to = (plan.data ? p->c : p->o) * plan.out_h * plan.out_w;
    size_t global, one = 1;
    cl_kernel kernel;
    y.offset += plan.x;
    if (plan.t) t = y, t.offset += plan.y;
    TRY(kernel_of(be, "to_columns", &kernel));
    global = (size_t)up(from, STRIP);
    TRY(ocl_launch(be, kernel, 1, &global, &one, "mmllll", plan.data ? &p->y : &p->x, &x, p->n,
                   from, plan.h * plan.w, plan.pad));
    if (plan.data) {
        weight = p->work;
        weight.offset += plan.x + plan.y + plan.t;
        TRY(pack_weights(be, p, &weight));
    }
    TRY(launch_product(be, p, &plan, &x, &weight, &y, &t));
    TRY(kernel_of(be, "from_columns", &kernel));
    global = (size_t)up(to, STRIP);
    TRY(ocl_launch(be, kernel, 1, &global, &one,
                   "mmm"
                   "lliiliii",
                   &y, &p->bias_v, plan.data ? &p->x : &p->y, p->n, to, (int)plan.out_h,
                   (int)plan.out_w, plan.ld, plan.data ? (int)p->stride_w : 1,
                   !plan.data && p->bias, plan.data ? 0 : (int)p->act));
out:
    return st;
}
