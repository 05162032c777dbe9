#include "device/schema.h"
#include "reference/reference.h"

#include <string.h>

/* Calls in the order of col: f(element of x or NULL outside the image, element of col). A plane's
 * taps come in (row, column) order, so that col2im adds in the order of the definition. */
static void each(const struct cairn_im2col *p, float *x, float *col,
                 void (*f)(float *x, float *col))
{
    int64_t oh = cairn_im2col_oh(p), ow = cairn_im2col_ow(p);
    for (int64_t plane = 0; plane < p->n * p->c; plane++, x += p->h * p->w)
        for (int64_t ky = 0; ky < p->kh; ky++)
            for (int64_t kx = 0; kx < p->kw; kx++)
                for (int64_t oy = 0; oy < oh; oy++)
                    for (int64_t ox = 0; ox < ow; ox++, col++) {
                        int64_t row = oy * p->stride_h + ky * p->dilation_h - p->pad_t,
                                column = ox * p->stride_w + kx * p->dilation_w - p->pad_l;
                        int inside = row >= 0 && row < p->h && column >= 0 && column < p->w;
                        f(inside ? x + row * p->w + column : NULL, col);
                    }
}

static void take(float *x, float *col)
{
    *col = x ? *x : 0.0f;
}

static void add(float *x, float *col)
{
    if (x) *x = *x + *col;
}

cairn_status ref_im2col(struct cairn_backend *backend, const struct cairn_im2col *p, int variant)
{
    (void)backend, (void)variant;
    each(p, ref_floats(&p->x), ref_floats(&p->col), take);
    return CAIRN_OK;
}

cairn_status ref_col2im(struct cairn_backend *backend, const struct cairn_im2col *p, int variant)
{
    (void)backend, (void)variant;
    memset(ref_floats(&p->x), 0, (size_t)(p->n * p->c * p->h * p->w) * sizeof(float));
    each(p, ref_floats(&p->x), ref_floats(&p->col), add);
    return CAIRN_OK;
}
