/* The product: blocks of 256 k from +0 by fma, block sums in order into slabs of 4096, slab sums in
 * order. */
#include "base/exact.h"
#include "reference/reference.h"

#include <stdlib.h>
#include <string.h>

struct ref_tile {
    float a[REF_ROWS][REF_BLOCK], b[REF_BLOCK][REF_COLS];
    float t[REF_ROWS][REF_COLS];     /* the slab's sum */
    float total[REF_ROWS][REF_COLS]; /* the sum of slabs */
};

/* Rows that are summed together. What lies in a and b beyond the last row and column is left from
 * before: it is computed with and never stored. */
enum { STEP = 4 };

/* t += the block's sum, for `width` columns from j on; the sums of STEP x width elements run side
 * by side. */
static inline __attribute__((always_inline)) void add_block(struct ref_tile *tile, int64_t i,
                                                            int64_t j, int64_t len, const int width)
{
    float s[STEP][REF_COLS] = {{0}};
    for (int64_t k = 0; k < len; k++)
        for (int r = 0; r < STEP; r++)
            for (int x = 0; x < width; x++)
                s[r][x] = fmaf(tile->a[i + r][k], tile->b[k][j + x], s[r][x]);
    for (int r = 0; r < STEP; r++)
        for (int x = 0; x < width; x++) tile->t[i + r][j + x] = tile->t[i + r][j + x] + s[r][x];
}

REF_CLONES
static void add_blocks(struct ref_tile *tile, int64_t rows, int64_t cols, int64_t len)
{
    for (int64_t i = 0; i < rows; i += STEP) {
        if (cols > 32)
            add_block(tile, i, 0, len, 64);
        else if (cols > 16)
            add_block(tile, i, 0, len, 32);
        else
            add_block(tile, i, 0, len, 16);
    }
}

static void add_slab(const struct ref_product *product, struct ref_tile *tile, int64_t i0,
                     int64_t rows, int64_t j0, int64_t cols, int64_t k0)
{
    int64_t end = ref_min(product->k, k0 + REF_SLAB);
    memset(tile->t, 0, (size_t)((rows + STEP - 1) / STEP * STEP) * sizeof tile->t[0]);
    for (int64_t k = k0; k < end; k += REF_BLOCK) {
        int64_t len = ref_min(end - k, REF_BLOCK);
        product->rows(product->context, i0, rows, k, len, tile->a);
        product->cols(product->context, k, len, j0, cols, tile->b);
        add_blocks(tile, rows, cols, len);
    }
    for (int64_t r = 0; r < rows; r++)
        for (int64_t x = 0; x < cols; x++) tile->total[r][x] = tile->total[r][x] + tile->t[r][x];
}

struct ref_tile *ref_tile_create(void)
{
    return calloc(1, sizeof(struct ref_tile));
}

void ref_product(const struct ref_product *product)
{
    struct ref_tile *tile = ((struct ref_backend *)product->backend)->tile;
    for (int64_t j = 0; j < product->n; j += REF_COLS)
        for (int64_t i = 0; i < product->m; i += REF_ROWS) {
            int64_t rows = ref_min(product->m - i, REF_ROWS),
                    cols = ref_min(product->n - j, REF_COLS);
            memset(tile->total, 0, (size_t)rows * sizeof tile->total[0]);
            for (int64_t k = 0; k < product->k; k += REF_SLAB)
                add_slab(product, tile, i, rows, j, cols, k);
            for (int64_t r = 0; r < rows; r++)
                for (int64_t x = 0; x < cols; x++)
                    tile->total[r][x] = cairn_exact_plus_zero(tile->total[r][x]);
            product->store(product->context, i, rows, j, cols, tile->total);
        }
}
