/* The matrix product: which kernel, which tiles, how many slabs at a time.
 *
 * Long products are cut into slabs of 4096 k. A launch makes the partial sums of several slabs side
 * by side in the workspace and gemm-slabs.cl adds them in order, so that small results of long
 * products use the whole device. */
#include "opencl/gemm-launch.h"

#include "device/schema.h"
#include "opencl/limits.h"

#include <assert.h>
#include <stdio.h>

#define SLAB OCL_GEMM_SLAB

/* GPU + i: tile i of gemm-gpu.c. Behind SMALL: in fast arithmetic one more, then the ways of the
 * first, which chooses between them. */
enum kind { CPU, GPU, SMALL = GPU + OCL_GEMM_GPU_TILES, CLBLAST, PACKED, DIRECT };
static const char *const names[] = {[CPU] = "cpu",
                                    [SMALL] = "small",
                                    [CLBLAST] = "clblast",
                                    [PACKED] = "cpu-packed",
                                    [DIRECT] = "cpu-direct"};

static int is_gpu(enum kind kind)
{
    return kind >= GPU && kind < SMALL;
}

static const char *name_of(enum kind kind)
{
    return is_gpu(kind) ? ocl_gemm_gpu_name((int)kind - GPU) : names[kind];
}

static int64_t up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int admitted(const struct ocl_backend *be, enum kind kind)
{
    if (kind == SMALL) return 1;
    if (is_gpu(kind)) return ocl_gemm_gpu_admitted(be, (int)kind - GPU);
    return ocl_gemm_cpu_runs(be);
}

static enum kind preferred(const struct ocl_backend *be, const struct cairn_gemm *p)
{
    if (be->is_cpu && !be->soft_fma && admitted(be, CPU)) return CPU;
    int tile = be->soft_fma ? -1 : ocl_gemm_gpu_choice(be, p, p->sum ? 1 : p->batch);
    return tile < 0 ? SMALL : GPU + tile;
}

static struct ocl_gemm_cut cut_of(const struct cairn_gemm *p, int64_t groups)
{
    struct ocl_gemm_cut cut = {(p->sum ? 1 : p->batch) * groups, p->sum ? p->batch * p->k : p->k, 0,
                               1, 0};
    cut.slabs = up(cut.k, SLAB);
    if (cut.slabs == 1) return cut;
    int64_t each = cut.repeats * p->m * p->n;
    /* Many results fill a device without slabs side by side, of which the last may be short. */
    cut.at_once = each < OCL_MOST_PARTIAL / 8 ? ocl_min(cut.slabs, OCL_MOST_PARTIAL / each) : 1;
    cut.work = cut.at_once * each;
    return cut;
}

int ocl_gemm_kinds(struct cairn_backend *backend, const struct cairn_problem *problem,
                   struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    struct ocl_backend *be = ocl_of(backend);
    enum kind best = preferred(be, &problem->u.gemm);
    int count = 0;
    for (int kind = CPU; kind <= SMALL; kind++) {
        if (!admitted(be, kind)) continue;
        struct cairn_variant *v = &variants[count++];
        snprintf(v->name, sizeof v->name, "%s", name_of(kind));
        v->preferred = best == (enum kind)kind;
        v->work = ocl_gemm_work(&problem->u.gemm, 1);
    }
    if (ocl_clblast_admitted(be))
        variants[count++] =
            (struct cairn_variant){"clblast", 0, ocl_gemm_work(&problem->u.gemm, 1)};
    return count;
}

/* Behind them the ways of the first, each by itself. */
int ocl_gemm_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                      struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    struct ocl_backend *be = ocl_of(backend);
    int count = ocl_gemm_kinds(backend, problem, variants);
    if (!admitted(be, CPU)) return count;
    for (int kind = PACKED; kind <= DIRECT; kind++) {
        if (kind == DIRECT && !ocl_gemm_direct_fits(be, &problem->u.gemm)) break;
        struct cairn_variant *v = &variants[count++];
        snprintf(v->name, sizeof v->name, "%s", names[kind]);
        v->preferred = 0;
        v->work = ocl_gemm_work(&problem->u.gemm, 1);
    }
    return count;
}

int64_t ocl_gemm_work(const struct cairn_gemm *p, int64_t groups)
{
    return cut_of(p, groups).work;
}

int64_t ocl_gemm_slabs(const struct cairn_gemm *p)
{
    return cut_of(p, 1).slabs;
}

/* The kind that number `variant` of the list above stands for. */
static enum kind kind_of(const struct ocl_backend *be, int variant)
{
    for (int kind = CPU; kind <= SMALL; kind++)
        if (admitted(be, kind) && variant-- == 0) return kind;
    if (ocl_clblast_admitted(be) && variant-- == 0) return CLBLAST;
    assert(variant == 0 || variant == 1);
    return variant ? DIRECT : PACKED;
}

static cairn_status launch(struct ocl_backend *be, enum kind kind, const struct cairn_gemm *p,
                           const struct ocl_gemm_cut *cut, const struct ocl_gemm_part *part)
{
    return kind == CLBLAST ? ocl_clblast_launch(be, p, cut, part)
           : is_gpu(kind)  ? ocl_gemm_launch_gpu(be, (int)kind - GPU, p, cut, part)
           : kind == SMALL ? ocl_gemm_launch_small(be, p, cut, part)
                           : ocl_gemm_launch_packed(be, p, cut, part);
}

static cairn_status add_slabs(struct ocl_backend *be, const struct cairn_gemm *p,
                              const struct ocl_gemm_cut *cut, const struct ocl_gemm_parts *parts,
                              int64_t first, int64_t slabs)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel;
    int64_t count = cut->repeats * p->m * p->n;
    TRY(ocl_kernel(be, "gemm-slabs.cl", NULL, "gemm_slabs", &kernel));
    TRY(ocl_launch_1d(be, kernel, count, be->is_cpu ? 4096 : 0,
                      "mmmlllll"
                      "iiiiiil",
                      &p->work, &p->bias_v, &p->c, count, p->m, p->n, p->ldc, p->stride_c,
                      (int)slabs, first == 0, first + slabs == cut->slabs, (int)p->bias,
                      (int)p->act, (int)parts->groups, parts->step_c));
out:
    return st;
}

cairn_status ocl_gemm_add_slabs(struct ocl_backend *be, const struct cairn_gemm *p, int64_t first,
                                int64_t slabs)
{
    struct ocl_gemm_cut cut = cut_of(p, 1);
    return add_slabs(be, p, &cut, &(struct ocl_gemm_parts){.groups = 1}, first, slabs);
}

int ocl_gemm_sees_images(const struct ocl_backend *be, int variant, const struct cairn_conv *images,
                         int transposed)
{
    enum kind kind = kind_of(be, variant);
    int64_t taps = images->c * images->kh * images->kw,
            pixels = cairn_conv_oh(images) * cairn_conv_ow(images);
    if (kind == CPU) return taps < 1 << 30 && pixels < 1 << 30;
    return is_gpu(kind) && ocl_gemm_gpu_sees(images, transposed);
}

int ocl_gemm_joins_images(const struct ocl_backend *be, int variant)
{
    return is_gpu(kind_of(be, variant));
}

cairn_status ocl_gemm_parts(struct cairn_backend *backend, const struct cairn_gemm *p,
                            const struct ocl_gemm_parts *parts, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    enum kind kind = kind_of(be, variant);
    struct ocl_gemm_cut cut = cut_of(p, parts->groups);
    int64_t end = parts->count ? parts->first + parts->count : cut.slabs;
    assert(!parts->images || kind == CPU || is_gpu(kind));
    if (cut.slabs == 1) {
        struct ocl_gemm_part whole = {0, 1, p->c, p->ldc, p->stride_c, 0, parts->step_c, 0, parts};
        TRY(launch(be, kind, p, &cut, &whole));
        if (kind == CLBLAST && (p->bias || p->act)) /* no slab more, but what follows a product */
            TRY(add_slabs(be, p, &cut, parts, 1, 0));
        goto out;
    }
    for (int64_t first = parts->first; first < end; first += cut.at_once) {
        int64_t count = ocl_min(cut.at_once, end - first), each = p->m * p->n;
        struct ocl_gemm_part part = {
            first, count,        p->work, p->n, parts->groups * count * each,
            each,  count * each, 1,       parts};
        TRY(launch(be, kind, p, &cut, &part));
        TRY(add_slabs(be, p, &cut, parts, first, count));
    }
out:
    return st;
}

cairn_status ocl_gemm(struct cairn_backend *backend, const struct cairn_gemm *p, int variant)
{
    enum kind kind = kind_of(ocl_of(backend), variant);
    if (kind == DIRECT || (kind == CPU && ocl_gemm_direct_fits(ocl_of(backend), p)))
        return ocl_gemm_launch_direct(ocl_of(backend), p);
    return ocl_gemm_parts(backend, p, &(struct ocl_gemm_parts){.groups = 1}, variant);
}
