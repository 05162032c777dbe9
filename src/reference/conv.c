/* The three convolutions as products whose panels come straight from images: what im2col would
 * write is never stored. Each group is a convolution of its own, on slices of the channels. */
#include "device/schema.h"
#include "reference/reference.h"

#include <string.h>

struct operands {
    const struct cairn_conv *p;
    int64_t oh, ow, pixels, taps;
    int64_t c, o;   /* channels of a group */
    int64_t ky, kx; /* conv_data: the tap of this pass */
    const float *in, *weight, *bias;
    float *out;
};

static struct operands operands_of(const struct cairn_conv *p)
{
    struct operands o = {.p = p,
                         .oh = cairn_conv_oh(p),
                         .ow = cairn_conv_ow(p),
                         .taps = p->kh * p->kw,
                         .c = p->c / p->groups,
                         .o = p->o / p->groups};
    o.pixels = o.oh * o.ow;
    return o;
}

/* Elements from one group to the next: in an image of x, in the weights, in an image of y. */
static int64_t step_x(const struct operands *o)
{
    return o->c * o->p->h * o->p->w;
}
static int64_t step_weight(const struct operands *o)
{
    return o->o * o->c * o->taps;
}
static int64_t step_y(const struct operands *o)
{
    return o->o * o->pixels;
}

/* Calls for (image, first pixel, count) of each run of flattened pixels j0 .. j0 + count - 1 that
 * stays in one output row. */
struct run {
    int64_t image, oy, ox, count;
};
static struct run run_at(const struct operands *o, int64_t j, int64_t most)
{
    int64_t pixel = j % o->pixels;
    struct run run = {j / o->pixels, pixel / o->ow, pixel % o->ow, 0};
    run.count = ref_min(most, o->ow - run.ox);
    return run;
}

/* What tap q = (channel of the group, row, column) sees of x at a run of output pixels, +0 outside;
 * written `step` floats apart. */
static void see(const struct operands *o, const struct run *run, int64_t q, float *to, int64_t step)
{
    const struct cairn_conv *p = o->p;
    int64_t row = run->oy * p->stride_h + q % o->taps / p->kw * p->dilation_h - p->pad_t;
    int64_t column = run->ox * p->stride_w + q % p->kw * p->dilation_w - p->pad_l;
    const float *x = o->in + ((run->image * p->c + q / o->taps) * p->h + row) * p->w;
    int inside = row >= 0 && row < p->h;
    for (int64_t s = 0; s < run->count; s++, column += p->stride_w)
        to[s * step] = inside && column >= 0 && column < p->w ? x[column] : 0.0f;
}

/* --- conv: y[(o), (image, pixel)] = weight[(o), (c, ky, kx)] times what the taps see --- */

static void weight_rows(const void *context, int64_t i0, int64_t rows, int64_t k0, int64_t len,
                        float panel[][REF_BLOCK])
{
    const struct operands *o = context;
    for (int64_t r = 0; r < rows; r++)
        memcpy(panel[r], o->weight + (i0 + r) * o->c * o->taps + k0, (size_t)len * sizeof(float));
}

static void seen_cols(const void *context, int64_t k0, int64_t len, int64_t j0, int64_t cols,
                      float panel[][REF_COLS])
{
    const struct operands *o = context;
    for (int64_t x = 0; x < cols;) {
        struct run run = run_at(o, j0 + x, cols - x);
        for (int64_t l = 0; l < len; l++) see(o, &run, k0 + l, &panel[l][x], 1);
        x += run.count;
    }
}

static void store_y(const void *context, int64_t i0, int64_t rows, int64_t j0, int64_t cols,
                    float tile[][REF_COLS])
{
    const struct operands *o = context;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t x = 0; x < cols;) {
            struct run run = run_at(o, j0 + x, cols - x);
            float *y = o->out + ((run.image * o->p->o + i0 + r) * o->oh + run.oy) * o->ow + run.ox;
            for (int64_t s = 0; s < run.count; s++)
                y[s] = o->bias ? tile[r][x + s] + o->bias[i0 + r] : tile[r][x + s];
            ref_activate((enum cairn_activation_kind)o->p->act, y, y, run.count);
            x += run.count;
        }
}

cairn_status ref_conv(struct cairn_backend *backend, const struct cairn_conv *p, int variant)
{
    (void)variant;
    struct operands o = operands_of(p);
    o.in = ref_floats(&p->x);
    o.weight = ref_floats(&p->weight);
    o.bias = p->bias ? ref_floats(&p->bias_v) : NULL;
    o.out = ref_floats(&p->y);
    for (int64_t g = 0; g < p->groups; g++) {
        ref_product(&(struct ref_product){backend, o.o, p->n * o.pixels, o.c * o.taps, &o,
                                          weight_rows, seen_cols, store_y});
        o.in += step_x(&o), o.weight += step_weight(&o), o.out += step_y(&o);
        if (o.bias) o.bias += o.o;
    }
    return CAIRN_OK;
}

/* Its parts in order. */
cairn_status ref_conv_pool(struct cairn_backend *backend, const struct cairn_conv *p, int variant)
{
    struct cairn_conv conv = cairn_conv_of_pool(p);
    struct cairn_pool pool = cairn_pool_of_conv(p);
    conv.y = pool.x = p->work;
    (void)ref_conv(backend, &conv, variant);
    return ref_pool(backend, &pool, variant);
}

/* --- conv_data: for each tap in order, u[(c), (image, pixel)] = weight[(o), (c, tap)]^T dy[(o),
 * (image, pixel)], added to dx --- */

static void tap_rows(const void *context, int64_t i0, int64_t rows, int64_t k0, int64_t len,
                     float panel[][REF_BLOCK])
{
    const struct operands *o = context;
    const float *w = o->weight + o->ky * o->p->kw + o->kx;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t l = 0; l < len; l++) panel[r][l] = w[((k0 + l) * o->c + i0 + r) * o->taps];
}

static void dy_cols(const void *context, int64_t k0, int64_t len, int64_t j0, int64_t cols,
                    float panel[][REF_COLS])
{
    const struct operands *o = context;
    for (int64_t x = 0; x < cols;) {
        int64_t image = (j0 + x) / o->pixels, pixel = (j0 + x) % o->pixels;
        int64_t count = ref_min(cols - x, o->pixels - pixel);
        const float *dy = o->in + (image * o->p->o + k0) * o->pixels + pixel;
        for (int64_t l = 0; l < len; l++)
            memcpy(&panel[l][x], dy + l * o->pixels, (size_t)count * sizeof *dy);
        x += count;
    }
}

static void add_dx(const void *context, int64_t i0, int64_t rows, int64_t j0, int64_t cols,
                   float tile[][REF_COLS])
{
    const struct operands *o = context;
    const struct cairn_conv *p = o->p;
    for (int64_t x = 0; x < cols;) {
        struct run run = run_at(o, j0 + x, cols - x);
        int64_t row = run.oy * p->stride_h + o->ky * p->dilation_h - p->pad_t;
        for (int64_t r = 0; r < rows && row >= 0 && row < p->h; r++) {
            float *dx = o->out + ((run.image * p->c + i0 + r) * p->h + row) * p->w;
            int64_t column = run.ox * p->stride_w + o->kx * p->dilation_w - p->pad_l;
            for (int64_t s = 0; s < run.count; s++, column += p->stride_w)
                if (column >= 0 && column < p->w) dx[column] = dx[column] + tile[r][x + s];
        }
        x += run.count;
    }
}

cairn_status ref_conv_data(struct cairn_backend *backend, const struct cairn_conv *p, int variant)
{
    (void)variant;
    struct operands o = operands_of(p);
    o.in = ref_floats(&p->y);
    o.weight = ref_floats(&p->weight);
    o.out = ref_floats(&p->x);
    memset(o.out, 0, (size_t)(p->n * p->c * p->h * p->w) * sizeof(float));
    for (int64_t g = 0; g < p->groups; g++) {
        for (o.ky = 0; o.ky < p->kh; o.ky++)
            for (o.kx = 0; o.kx < p->kw; o.kx++)
                ref_product(&(struct ref_product){backend, o.c, p->n * o.pixels, o.o, &o, tap_rows,
                                                  dy_cols, add_dx});
        o.in += step_y(&o), o.weight += step_weight(&o), o.out += step_x(&o);
    }
    return CAIRN_OK;
}

/* --- conv_weights: dw[(o), (c, ky, kx)] = dy[(o), (image, pixel)] times what the taps see,
 * transposed --- */

static void dy_rows(const void *context, int64_t i0, int64_t rows, int64_t k0, int64_t len,
                    float panel[][REF_BLOCK])
{
    const struct operands *o = context;
    for (int64_t l = 0; l < len;) {
        int64_t image = (k0 + l) / o->pixels, pixel = (k0 + l) % o->pixels;
        int64_t count = ref_min(len - l, o->pixels - pixel);
        const float *dy = o->weight + (image * o->p->o + i0) * o->pixels + pixel;
        for (int64_t r = 0; r < rows; r++)
            memcpy(&panel[r][l], dy + r * o->pixels, (size_t)count * sizeof *dy);
        l += count;
    }
}

static void seen_rows(const void *context, int64_t k0, int64_t len, int64_t j0, int64_t cols,
                      float panel[][REF_COLS])
{
    const struct operands *o = context;
    for (int64_t l = 0; l < len;) {
        struct run run = run_at(o, k0 + l, len - l);
        for (int64_t x = 0; x < cols; x++) see(o, &run, j0 + x, &panel[l][x], REF_COLS);
        l += run.count;
    }
}

static void store_dw(const void *context, int64_t i0, int64_t rows, int64_t j0, int64_t cols,
                     float tile[][REF_COLS])
{
    const struct operands *o = context;
    for (int64_t r = 0; r < rows; r++)
        memcpy(o->out + (i0 + r) * o->c * o->taps + j0, tile[r], (size_t)cols * sizeof(float));
}

cairn_status ref_conv_weights(struct cairn_backend *backend, const struct cairn_conv *p,
                              int variant)
{
    (void)variant;
    struct operands o = operands_of(p);
    o.in = ref_floats(&p->x);
    o.weight = ref_floats(&p->y); /* the left operand here is dy */
    o.out = ref_floats(&p->weight);
    for (int64_t g = 0; g < p->groups; g++) {
        ref_product(&(struct ref_product){backend, o.o, o.c * o.taps, p->n * o.pixels, &o, dy_rows,
                                          seen_rows, store_dw});
        o.in += step_x(&o), o.weight += step_y(&o), o.out += step_weight(&o);
    }
    return CAIRN_OK;
}
