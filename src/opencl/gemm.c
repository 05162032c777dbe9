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
#include <string.h>

#define BLOCK 256
#define SLAB OCL_GEMM_SLAB

enum kind { CPU, GPU, SMALL };
static const char *const names[] = {"cpu", "gpu", "small"};
#define CLBLAST ((enum kind)(SMALL + 1)) /* behind the others, in fast arithmetic only */

/* Register tiles of gemm-cpu.cl: rows, vectors of columns, cost of a multiplication relative to the
 * first. */
struct tile {
    int width, rows, vectors;
    double cost;
};
static const struct tile tiles[] = {
    {16, 14, 2, 1.05}, {16, 8, 3, 1.0}, {16, 28, 1, 1.25}, /* 32 registers of 512 bits */
    {8, 6, 2, 1.0},    {8, 12, 1, 1.2},                    /* 16 of 256 */
    {4, 6, 2, 1.0},    {4, 12, 1, 1.2},                    /* 16 of 128 */
};

#define TILES ((int)(sizeof tiles / sizeof *tiles))

static int64_t up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* The most columns of a macro-tile: local memory holds BLOCK rows of them beside a panel of a,
 * the lines of a transposition and one result. */
static int cols_most(const struct ocl_backend *be, const struct tile *tile)
{
    int nr = tile->width * tile->vectors;
    int64_t floats = (int64_t)(be->local_bytes / sizeof(float));
    int64_t room =
        ocl_min(floats, 163840) - (tile->rows + tile->width) * (BLOCK + 16) - tile->rows * nr - 64;
    int64_t panels = room / (BLOCK * nr + 16);
    return (int)ocl_min(panels, 512 / nr) * nr;
}

static int admitted(const struct ocl_backend *be, enum kind kind)
{
    if (kind == SMALL) return 1;
    if (kind == GPU) return be->max_group >= 64 && be->local_bytes >= 16384;
    for (int i = 0; i < TILES; i++)
        if (tiles[i].width == ocl_vector_width(be) && cols_most(be, &tiles[i]) <= 0) return 0;
    return 1;
}

static enum kind preferred(const struct ocl_backend *be)
{
    if (be->is_cpu && !be->soft_fma && admitted(be, CPU)) return CPU;
    return admitted(be, GPU) && !(be->is_cpu && be->soft_fma) ? GPU : SMALL;
}

static struct ocl_gemm_cut cut_of(const struct cairn_gemm *p, int64_t groups)
{
    struct ocl_gemm_cut cut = {(p->sum ? 1 : p->batch) * groups, p->sum ? p->batch * p->k : p->k, 0,
                               1, 0};
    cut.slabs = up(cut.k, SLAB);
    if (cut.slabs == 1) return cut;
    int64_t each = cut.repeats * p->m * p->n;
    cut.at_once = each < OCL_MOST_PARTIAL ? ocl_min(cut.slabs, OCL_MOST_PARTIAL / each) : 1;
    cut.work = cut.at_once * each;
    return cut;
}

int ocl_gemm_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                      struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    struct ocl_backend *be = ocl_of(backend);
    int count = 0;
    for (int kind = CPU; kind <= SMALL; kind++) {
        if (!admitted(be, kind)) continue;
        struct cairn_variant *v = &variants[count++];
        snprintf(v->name, sizeof v->name, "%s", names[kind]);
        v->preferred = preferred(be) == (enum kind)kind;
        v->work = ocl_gemm_work(&problem->u.gemm, 1);
    }
    if (ocl_clblast_admitted(be))
        variants[count++] =
            (struct cairn_variant){"clblast", 0, ocl_gemm_work(&problem->u.gemm, 1)};
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
    assert(ocl_clblast_admitted(be) && variant == 0);
    return CLBLAST;
}

/* Copying a float into a panel, in multiplications: b in plain rows; b in rows that are transposed
 * or cut out of images; a, whose panel serves only the columns of one macro-tile. */
enum { PACK_PLAIN = 3, PACK_HARD = 12, PACK_A = 10 };

/* The cost of one macro-tile and k in multiplications: the register tiles, and copying both
 * operands into panels. A transposed a is copied in whole vectors, however few rows a register tile
 * has. */
static double macro_cost(const struct tile *tile, int packing, int ta, int64_t rows, int64_t cols)
{
    int64_t nr = tile->width * tile->vectors, panels = up(rows, tile->rows);
    int64_t copied = ta ? panels * up(tile->rows, tile->width) * tile->width : rows;
    double product = (double)(panels * tile->rows) * (double)(up(cols, nr) * nr) * tile->cost;
    return product + (double)packing * (double)cols + PACK_A * (double)copied;
}

/* The register tile and macro-tile with the least estimated time: the device's share of all
 * macro-tiles, and a tenth of one for units that end unevenly. */
static struct ocl_macro choose_macro(const struct ocl_backend *be, const struct cairn_gemm *p,
                                     int packing, int64_t times)
{
    struct ocl_macro best = {p->m, p->n, times, 0, 0, packing, (int)p->ta, 0};
    double least = 0;
    int units = be->compute_units > 0 ? be->compute_units : 1;
    for (int t = 0; t < TILES; t++) {
        const struct tile *tile = &tiles[t];
        if (tile->width != ocl_vector_width(be)) continue;
        int64_t nr = tile->width * tile->vectors, panels_n = up(p->n, nr),
                panels_m = up(p->m, tile->rows);
        int64_t fewest = up(panels_n * nr, cols_most(be, tile));
        for (int64_t x = fewest; x <= panels_n && x < fewest + 8; x++)
            for (int64_t y = 1; y <= panels_m && y <= 8 * units; y++) {
                int64_t cols = up(panels_n, x) * nr, rows = up(panels_m, y) * tile->rows;
                int64_t items = up(p->n, cols) * up(p->m, rows) * times;
                double each =
                    macro_cost(tile, packing, (int)p->ta, ocl_min(rows, p->m), ocl_min(cols, p->n));
                double time = each * ((double)up(items, units) + 0.1);
                if (best.tile && time >= least) continue;
                least = time;
                best.tile = t + 1;
                best.rows = rows;
                best.cols = cols;
            }
    }
    return best;
}

/* The same, remembered: choosing takes longer than launching. */
static struct ocl_macro macro_of(struct ocl_backend *be, const struct cairn_gemm *p, int packing,
                                 int64_t times)
{
    uint64_t key = ((uint64_t)p->m * 31 + (uint64_t)p->n) * 31 + (uint64_t)times * 2 +
                   (uint64_t)(packing + p->ta);
    struct ocl_macro *kept = &be->macros[(key * 0x9e3779b97f4a7c15u) >> 58];
    if (!kept->tile || kept->m != p->m || kept->n != p->n || kept->times != times ||
        kept->packing != packing || kept->ta != p->ta)
        *kept = choose_macro(be, p, packing, times);
    return *kept;
}

static cairn_status launch_cpu(struct ocl_backend *be, const struct cairn_gemm *p,
                               const struct ocl_gemm_cut *cut, const struct ocl_gemm_part *part)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel;
    char options[96];
    int64_t times = cut->repeats * part->count;
    const struct cairn_conv none = {.stride_h = 1}, *images = part->of->images,
                            *v = images ? images : &none;
    struct ocl_macro macro = macro_of(be, p, p->tb || images ? PACK_HARD : PACK_PLAIN, times);
    const struct tile *tile = &tiles[macro.tile - 1];
    snprintf(options, sizeof options, "-DVW=%d -DMR=%d -DNV=%d -DCOLS_MAX=%d", tile->width,
             tile->rows, tile->vectors, cols_most(be, tile));
    TRY(ocl_kernel(be, "gemm-cpu.cl", options, "gemm", &kernel));
    size_t local[3] = {1, 1, 1};
    size_t global[3] = {(size_t)up(p->n, macro.cols), (size_t)up(p->m, macro.rows), (size_t)times};
    TRY(ocl_launch(be, kernel, 3, global, local,
                   OCL_GEMM_FORMAT "ii"
                                   "iiiiiiiiiiii",
                   OCL_GEMM_ARGUMENTS(p, cut, part), (int)macro.rows, (int)macro.cols,
                   images != NULL, (int)v->h, (int)v->w, (int)v->kh, (int)v->kw, (int)v->stride_h,
                   (int)v->stride_w, (int)v->pad_t, (int)v->pad_l, (int)v->dilation_h,
                   (int)v->dilation_w, images ? (int)cairn_conv_ow(v) : 1));
out:
    return st;
}

static cairn_status launch(struct ocl_backend *be, enum kind kind, const struct cairn_gemm *p,
                           const struct ocl_gemm_cut *cut, const struct ocl_gemm_part *part)
{
    if (kind == CLBLAST) return ocl_clblast_launch(be, p, cut, part);
    return kind == CPU   ? launch_cpu(be, p, cut, part)
           : kind == GPU ? ocl_gemm_launch_gpu(be, p, cut, part)
                         : ocl_gemm_launch_small(be, p, cut, part);
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

int ocl_gemm_sees_images(const struct ocl_backend *be, int variant)
{
    return kind_of(be, variant) == CPU;
}

cairn_status ocl_gemm_parts(struct cairn_backend *backend, const struct cairn_gemm *p,
                            const struct ocl_gemm_parts *parts, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    enum kind kind = kind_of(be, variant);
    struct ocl_gemm_cut cut = cut_of(p, parts->groups);
    int64_t end = parts->count ? parts->first + parts->count : cut.slabs;
    assert(!parts->images || kind == CPU);
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
    return ocl_gemm_parts(backend, p, &(struct ocl_gemm_parts){.groups = 1}, variant);
}
