/* The product on CPUs: which of the two kernels, which tiles. */
#include "opencl/gemm-launch.h"

#include "device/schema.h"

#include <stdio.h>

#define BLOCK 256

static int64_t up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

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

int ocl_gemm_cpu_runs(const struct ocl_backend *be)
{
    for (int i = 0; i < TILES; i++)
        if (tiles[i].width == ocl_vector_width(be) && cols_most(be, &tiles[i]) <= 0) return 0;
    return 1;
}

/* Copying a float into a panel, in multiplications: b in plain rows; b in rows that are transposed
 * or cut out of images; a, whose panel serves only the columns of one macro-tile. */
enum { PACK_PLAIN = 3, PACK_HARD = 12, PACK_A = 10 };

/* The cost of one macro-tile and k in multiplications of floats: the register tiles, and copying
 * both operands into panels. A transposed a is copied in whole vectors, however few rows a register
 * tile has. */
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
    struct ocl_macro best = {p->m, p->n, 0, times, 0, 0, packing, (int)p->ta, 0};
    double least = 0;
    int64_t units = ocl_units(be);
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
                double cycles = each * (double)(p->k * (p->sum ? p->batch : 1)) / tile->width;
                double time = ocl_launch_cycles(be, cycles * (double)items,
                                                cycles * ((double)up(items, units) + 0.1), items);
                if (best.tile && time >= least) continue;
                least = time;
                best.tile = t + 1;
                best.rows = rows;
                best.cols = cols;
            }
    }
    return best;
}

/* The place where a choice like this one is remembered: choosing takes longer than launching. 0:
 * it is there already. */
static int unknown(struct ocl_backend *be, const struct ocl_macro *key, struct ocl_macro **kept)
{
    uint64_t hash = ((uint64_t)key->m * 31 + (uint64_t)key->n) * 31 + (uint64_t)key->k * 17 +
                    (uint64_t)key->times * 2 + (uint64_t)(key->packing + key->ta);
    struct ocl_macro *at = &be->macros[(hash * 0x9e3779b97f4a7c15u) >> 58];
    *kept = at;
    int same = at->rows && at->m == key->m && at->n == key->n && at->k == key->k &&
               at->times == key->times && at->packing == key->packing && at->ta == key->ta;
    return !same;
}

static struct ocl_macro macro_of(struct ocl_backend *be, const struct cairn_gemm *p, int packing,
                                 int64_t times)
{
    const struct ocl_macro key = {p->m, p->n, 0, times, 0, 0, packing, (int)p->ta, 0};
    struct ocl_macro *kept;
    if (unknown(be, &key, &kept)) *kept = choose_macro(be, p, packing, times);
    return *kept;
}

cairn_status ocl_gemm_launch_packed(struct ocl_backend *be, const struct cairn_gemm *p,
                                    const struct ocl_gemm_cut *cut,
                                    const struct ocl_gemm_part *part)
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

/* Panels of b that gemm-direct.cl holds in local memory: some hundreds of KiB at most. */
static int direct_panels(const struct ocl_backend *be, int width)
{
    int64_t bytes = (BLOCK * 3 * width + 16) * (int64_t)sizeof(float);
    return (int)ocl_min(8, (int64_t)be->local_bytes / bytes);
}

/* gemm-direct.cl has neither views nor groups, and one slab. */
int ocl_gemm_direct_fits(const struct ocl_backend *be, const struct cairn_gemm *p)
{
    return direct_panels(be, ocl_vector_width(be)) > 0 && !be->soft_fma &&
           (!p->sum || p->batch == 1) && p->k <= OCL_GEMM_SLAB;
}

/* Floats of the vectors that suit n columns: half a register, where they hold as few as that. */
static int direct_width(const struct ocl_backend *be, const struct cairn_gemm *p)
{
    int width = ocl_vector_width(be);
    return width == 16 && p->n <= 8 ? 8 : width;
}

/* Cycles of a macro-tile of so many rows and vectors of columns: a multiplication of vectors each,
 * what both operands' first use and b's panels cost, b's rows where each lies in a page of its own,
 * the beginning and end of each register tile, and moving more of c than a cache holds. */
static double direct_cost(const struct cairn_gemm *p, int64_t tile_rows, int64_t rows,
                          int64_t vectors, int packs)
{
    int64_t rest = rows % tile_rows, blocks = up(p->k, BLOCK), floats = rows * vectors * 16;
    int64_t high = up(rows, tile_rows), padded = high * tile_rows;
    if (rest > 0 && rest <= tile_rows / 2) { /* they go two by two, one vector as slowly as two */
        high = rows / tile_rows + up(rest, 2);
        padded = rows - rest + up(rest, 2) * (vectors > 1 ? 2 : 4);
    }
    int far = !packs && p->ldb >= 1024 && p->k > 64;
    double product = (double)(padded * vectors * p->k) * (far ? 2 : 1);
    double reads = (double)(vectors * p->k) * (p->tb   ? 8
                                               : packs ? 4
                                                       : 2) +
                   (double)(rows * p->k) / 8;
    double ends = (double)(high * up(vectors, 3) * blocks) * 80;
    double moved = blocks > 1 && floats > 131072 ? (double)(floats * blocks) / 4 : 0;
    return product + reads + ends + moved + 1500;
}

static struct ocl_macro direct_key(const struct cairn_gemm *p)
{
    return (struct ocl_macro){p->m, p->n, p->k, p->batch, 0, 0, -1 - (int)p->tb, (int)p->ta, 0};
}

static struct ocl_macro choose_direct(const struct ocl_backend *be, const struct cairn_gemm *p,
                                      int width, int64_t tile_rows)
{
    struct ocl_macro best = direct_key(p);
    int64_t wide = up(p->n, width), high = up(p->m, tile_rows);
    int64_t units = ocl_units(be), most = 32 * units;
    double least = 0;
    for (int64_t x = 1; x <= wide && x <= most; x++)
        for (int64_t y = 1; y <= high && x * y <= most; y++) {
            int64_t vectors = up(wide, x), rows = up(high, y) * tile_rows;
            int64_t items = up(wide, vectors) * up(p->m, rows) * p->batch;
            double in_place = direct_cost(p, tile_rows, ocl_min(rows, p->m), vectors, 0);
            double each = direct_cost(p, tile_rows, ocl_min(rows, p->m), vectors, 1);
            int packs = each < in_place || rows > 8 * tile_rows;
            if (!packs) each = in_place;
            double even = each * (double)items / (double)units + (units > 1 ? 0.5 * each : 0);
            double time = each * (double)up(items, units);
            time = ocl_launch_cycles(be, each * (double)items, time < even ? even : time, items);
            if (best.rows && time >= least) continue;
            least = time;
            best.rows = rows;
            best.cols = vectors * width;
            best.tile = packs;
        }
    return best;
}

cairn_status ocl_gemm_launch_direct(struct ocl_backend *be, const struct cairn_gemm *p)
{
    cairn_status st = CAIRN_OK;
    cl_kernel kernel;
    char options[64];
    int width = direct_width(be, p), rows = ocl_vector_width(be) >= 16 ? 8 : 4;
    struct ocl_macro key = direct_key(p), *macro;
    if (unknown(be, &key, &macro)) *macro = choose_direct(be, p, width, rows);
    snprintf(options, sizeof options, "-DVW=%d -DMR=%d -DPANELS=%d", width, rows,
             direct_panels(be, width));
    TRY(ocl_kernel(be, "gemm-direct.cl", options, "gemm_direct", &kernel));
    size_t local[3] = {1, 1, 1};
    size_t global[3] = {(size_t)up(p->n, macro->cols), (size_t)up(p->m, macro->rows),
                        (size_t)(p->sum ? 1 : p->batch)};
    TRY(ocl_launch(be, kernel, 3, global, local, "(mmmm)(llllllllll)(iiii)(ii)", &p->a, &p->b,
                   &p->bias_v, &p->c, p->m, p->n, p->k, p->ta ? (int64_t)1 : p->lda,
                   p->ta ? p->lda : (int64_t)1, p->ldb, p->ldc, p->stride_a, p->stride_b,
                   p->stride_c, (int)p->tb, (int)p->bias, (int)p->act, macro->tile,
                   (int)macro->rows, (int)macro->cols));
out:
    return st;
}
