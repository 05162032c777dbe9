/* Convolutions of groups with few channels: cl/conv.cl. */
#include "opencl/direct.h"

#include "device/schema.h"
#include "opencl/gemm.h"
#include "opencl/shape.h"

#include <stdio.h>

#define BLOCK 256 /* one block of a product: what the kernels sum at most */
#define TAPS 50   /* as in cl/conv.cl: most taps, and the widest window, of weights_cpu */
#define WIDEST 128
#define TAPS_GPU 128 /* 16 sums of blocks for each in local memory */

enum kind { CPU, GPU, LANES, KINDS };
static const char *const names[] = {"direct-cpu", "direct-gpu", "lanes"};

/* Whether a kind's kernel takes the problem. */
static int admitted(const struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p,
                    enum kind kind)
{
    if (kind == LANES) return ocl_lanes_admitted(be, op, p);
    int64_t taps = p->kh * p->kw, oh = cairn_conv_oh(p), ow = cairn_conv_ow(p);
    int64_t sum = op == CAIRN_OP_CONV ? p->c / p->groups * taps : p->o / p->groups;
    if (oh * ow > INT32_MAX || p->h * p->w > INT32_MAX) return 0;
    if (p->c / p->groups * taps > INT32_MAX) return 0;
    if (kind == CPU && be->soft_fma) return 0;
    if (op != CAIRN_OP_CONV_WEIGHTS) return sum <= BLOCK;
    if (kind == GPU) return taps <= TAPS_GPU && be->local_bytes >= 16 * 1024;
    return taps <= TAPS && cairn_spread(p->kw, p->dilation_w) <= WIDEST &&
           be->local_bytes >= 32 * 1024;
}

/* Whether groups are so small that a product's tiles would be emptier than this kind's kernels are
 * slow. On CPUs as measured with 3x3 kernels. */
static int wanted(const struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p,
                  enum kind kind)
{
    int64_t c = p->c / p->groups, o = p->o / p->groups;
    if (kind == LANES) return ocl_lanes_wanted(be, op, p);
    if (kind != (be->is_cpu && admitted(be, op, p, CPU) ? CPU : GPU)) return 0;
    if (p->groups == 1) return 0;
    if (!be->is_cpu) return c <= 8 && o <= 8;
    if (op == CAIRN_OP_CONV) return p->stride_w <= 2 && o <= 4 && c * o <= 16;
    if (op == CAIRN_OP_CONV_DATA) return p->stride_w <= 2 && c * o <= (p->stride_w == 1 ? 64 : 16);
    return c * o <= 8;
}

struct cairn_gemm ocl_direct_sum(const struct cairn_conv *p)
{
    struct cairn_gemm g = cairn_problem_default(CAIRN_OP_GEMM).u.gemm;
    g.batch = p->n, g.k = cairn_conv_oh(p) * cairn_conv_ow(p), g.sum = 1;
    g.m = p->o, g.n = g.ldc = p->c / p->groups * p->kh * p->kw;
    g.c = p->weight, g.work = p->work;
    return g;
}

int ocl_direct_variants(const struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p,
                        int forced, struct cairn_variant *variants, int count)
{
    struct cairn_gemm g = ocl_direct_sum(p);
    int64_t work = op == CAIRN_OP_CONV_WEIGHTS ? ocl_gemm_work(&g, 1) : 0;
    for (int kind = CPU; kind < KINDS; kind++) {
        if (!admitted(be, op, p, kind)) continue;
        struct cairn_variant *v = &variants[count];
        *v = (struct cairn_variant){.work = work};
        snprintf(v->name, sizeof v->name, "%s", names[kind]);
        if (!forced && wanted(be, op, p, kind)) {
            for (int i = 0; i < count; i++) variants[i].preferred = 0;
            v->preferred = 1;
        }
        count++;
    }
    return count;
}

#define SHAPE "iiiiiiiiiiiiiiii"
#define SHAPE_ARGUMENTS(p)                                                                         \
    (int)(p)->c, (int)(p)->h, (int)(p)->w, (int)(p)->o, (int)(p)->kh, (int)(p)->kw,                \
        (int)(p)->stride_h, (int)(p)->stride_w, (int)(p)->pad_t, (int)(p)->pad_l,                  \
        (int)(p)->dilation_h, (int)(p)->dilation_w, (int)cairn_conv_oh(p), (int)cairn_conv_ow(p),  \
        (int)((p)->c / (p)->groups), (int)((p)->o / (p)->groups)

static cairn_status run_cpu(struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p)
{
    cairn_status st = CAIRN_OK;
    int forward = op == CAIRN_OP_CONV;
    int64_t oh = cairn_conv_oh(p), ow = cairn_conv_ow(p), height = forward ? oh : p->h;
    int64_t rows = ocl_shape_rows(height, forward ? ow : p->w), blocks = (height + rows - 1) / rows;
    int64_t total = forward ? p->n * p->c * p->h * p->w : p->n * p->o * oh * ow;
    size_t global = (size_t)(p->n * (forward ? p->o : p->c) * blocks), local = 1;
    cl_kernel kernel;
    TRY(ocl_kernel(be, "conv.cl", NULL, forward ? "conv_cpu" : "data_cpu", &kernel));
    if (forward)
        TRY(ocl_launch(be, kernel, 1, &global, &local, "mmmml" SHAPE "iiii", &p->x, &p->weight,
                       &p->bias_v, &p->y, total, SHAPE_ARGUMENTS(p), (int)p->bias, (int)p->act,
                       (int)rows, (int)blocks));
    else
        TRY(ocl_launch(be, kernel, 1, &global, &local, "mmml" SHAPE "ii", &p->y, &p->weight, &p->x,
                       total, SHAPE_ARGUMENTS(p), (int)rows, (int)blocks));
out:
    return st;
}

static cairn_status run_gpu(struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p)
{
    cairn_status st = CAIRN_OK;
    int forward = op == CAIRN_OP_CONV;
    int64_t planes = p->n * (forward ? p->o : p->c);
    int64_t size = forward ? cairn_conv_oh(p) * cairn_conv_ow(p) : p->h * p->w;
    int64_t step = ocl_shape_planes(planes, size);
    cl_kernel kernel;
    TRY(ocl_kernel(be, "conv.cl", NULL, forward ? "conv_gpu" : "data_gpu", &kernel));
    for (int64_t base = 0; base < planes; base += step) {
        int64_t items = ocl_min(planes - base, step) * size;
        if (forward)
            TRY(ocl_launch_1d(be, kernel, items, 0, "mmmmUu" SHAPE "ii", &p->x, &p->weight,
                              &p->bias_v, &p->y, (uint64_t)base, (uint32_t)items,
                              SHAPE_ARGUMENTS(p), (int)p->bias, (int)p->act));
        else
            TRY(ocl_launch_1d(be, kernel, items, 0, "mmmUu" SHAPE, &p->y, &p->weight, &p->x,
                              (uint64_t)base, (uint32_t)items, SHAPE_ARGUMENTS(p)));
    }
out:
    return st;
}

/* Slabs [first, first + slabs), to the workspace or, where the sum has no more, to the gradient. */
static cairn_status launch_weights(struct ocl_backend *be, const struct cairn_conv *p,
                                   enum kind kind, const struct cairn_mem *to, int64_t first,
                                   int64_t slabs, int partial)
{
    cairn_status st = CAIRN_OK;
    if (kind == LANES) return ocl_lanes_weights(be, p, to, first, slabs, partial);
    int64_t taps = p->kh * p->kw, k_all = p->n * cairn_conv_oh(p) * cairn_conv_ow(p);
    size_t global = (size_t)(slabs * (p->c / p->groups)), local = 1;
    cl_ulong used;
    cl_kernel kernel;
    TRY(ocl_kernel(be, "conv.cl", NULL, kind == CPU ? "weights_cpu" : "weights_gpu", &kernel));
    if (kind == CPU) {
        global *= (size_t)((p->o + 15) / 16);
        TRY(ocl_launch(be, kernel, 1, &global, &local, "mmml" SHAPE "ii", &p->x, &p->y, to, k_all,
                       SHAPE_ARGUMENTS(p), (int)first, partial));
    } else {
        size_t most, wide = (size_t)(16 * taps + 31) / 32 * 32;
        TRY(ocl_kernel_limits(be, kernel, &most, &used));
        local = wide < most ? wide : most;
        local = local > 256 ? 256 : local;
        global *= (size_t)p->o * local;
        TRY(ocl_launch(be, kernel, 1, &global, &local, "mmml" SHAPE "iiL", &p->x, &p->y, to, k_all,
                       SHAPE_ARGUMENTS(p), (int)first, partial,
                       (size_t)(16 * taps) * sizeof(float)));
    }
out:
    return st;
}

static cairn_status run_weights(struct ocl_backend *be, const struct cairn_conv *p, enum kind kind)
{
    cairn_status st = CAIRN_OK;
    struct cairn_gemm g = ocl_direct_sum(p);
    int64_t slabs = ocl_gemm_slabs(&g), each = g.m * g.n;
    if (slabs == 1) return launch_weights(be, p, kind, &p->weight, 0, 1, 0);
    int64_t at_once = ocl_gemm_work(&g, 1) / each;
    for (int64_t first = 0; first < slabs; first += at_once) {
        int64_t count = ocl_min(at_once, slabs - first);
        TRY(launch_weights(be, p, kind, &p->work, first, count, 1));
        TRY(ocl_gemm_add_slabs(be, &g, first, count));
    }
out:
    return st;
}

cairn_status ocl_direct(struct ocl_backend *be, enum cairn_op op, const struct cairn_conv *p,
                        int which)
{
    enum kind kind = CPU;
    while (!admitted(be, op, p, kind) || which-- > 0) kind++;
    if (op == CAIRN_OP_CONV_WEIGHTS) return run_weights(be, p, kind);
    return kind == LANES ? ocl_lanes(be, op, p)
           : kind == CPU ? run_cpu(be, op, p)
                         : run_gpu(be, op, p);
}
