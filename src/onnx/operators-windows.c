/* Convolutions and pools of ONNX's tests. One-dimensional ones have a height of 1. */
#include "onnx/machine.h"

#include "base/error.h"
#include <stdlib.h>
#include <string.h>

/* N, C, H, W of N x C x W or N x C x H x W. */
static cairn_status sizes_of(const struct cairn_onnx_tensor *x, int64_t sizes[4])
{
    if (x->rank != 3 && x->rank != 4)
        return cairn_fail(CAIRN_UNSUPPORTED, "images of %d dimensions", x->rank - 2);
    for (int i = 0; i < x->rank; i++)
        if (x->dims[i] < 1) return cairn_fail(CAIRN_UNSUPPORTED, "an empty tensor");
    sizes[0] = x->dims[0];
    sizes[1] = x->dims[1];
    sizes[2] = x->rank == 4 ? x->dims[2] : 1;
    sizes[3] = x->dims[x->rank - 1];
    return CAIRN_OK;
}

static cairn_status make_output(struct cairn_onnx_tensor *y, int rank, int64_t n, int64_t c,
                                int64_t h, int64_t w)
{
    int64_t dims[4] = {n, c, rank == 4 ? h : w, w};
    return cairn_onnx_make(y, rank, dims);
}

static void put_window(struct cairn_conv *p, const struct cairn_onnx_window *k)
{
    p->kh = k->kernel[0];
    p->kw = k->kernel[1];
    p->stride_h = k->stride[0];
    p->stride_w = k->stride[1];
    p->dilation_h = k->dilation[0];
    p->dilation_w = k->dilation[1];
    p->pad_t = k->pads[0];
    p->pad_l = k->pads[1];
    p->pad_b = k->pads[2];
    p->pad_r = k->pads[3];
}

static int64_t out_of(int64_t in, int64_t before, int64_t after, int64_t k, int64_t dilation,
                      int64_t stride)
{
    int64_t room = in + before + after - ((k - 1) * dilation + 1);
    return room < 0 ? 0 : room / stride + 1;
}

static cairn_status read_weights(const struct cairn_onnx_task *t, int64_t x[4], int64_t w[4])
{
    cairn_status st = CAIRN_OK;
    if (!t->in[0] || !t->in[1] || t->in[0]->rank != t->in[1]->rank)
        return cairn_fail(CAIRN_FORMAT, "images and weights have other numbers of dimensions");
    TRY(sizes_of(t->in[0], x));
    TRY(sizes_of(t->in[1], w));
out:
    return st;
}

cairn_status cairn_onnx_run_conv(struct cairn_onnx_task *t)
{
    cairn_status st = CAIRN_OK;
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_CONV);
    struct cairn_conv *p = &problem.u.conv;
    struct cairn_onnx_window k;
    int64_t x[4] = {0}, w[4] = {0};
    const float *bias = t->in[2] ? t->in[2]->floats : NULL;
    TRY(read_weights(t, x, w));
    TRY(cairn_onnx_window(t->node, t->in[0]->rank - 2, &w[2], x[2], x[3], &k));
    put_window(p, &k);
    p->n = x[0];
    p->c = x[1];
    p->h = x[2];
    p->w = x[3];
    p->o = w[0];
    p->groups = cairn_onnx_get_int(t->node, "group", 1);
    p->bias = bias != NULL;
    if (p->groups < 1 || w[1] != x[1] / p->groups || (bias && t->in[2]->count != w[0]))
        return cairn_fail(CAIRN_FORMAT, "the weights do not fit the images");
    TRY(make_output(&t->out[0], t->in[0]->rank, x[0], w[0],
                    out_of(x[2], k.pads[0], k.pads[2], w[2], k.dilation[0], k.stride[0]),
                    out_of(x[3], k.pads[1], k.pads[3], w[3], k.dilation[1], k.stride[1])));
    st = cairn_onnx_launch(t->device, &problem,
                           (const struct cairn_onnx_bound[]){{"x", t->in[0]->floats, NULL},
                                                             {"weight", t->in[1]->floats, NULL},
                                                             {"bias_v", bias, NULL},
                                                             {"y", NULL, t->out[0].floats},
                                                             {NULL, NULL, NULL}});
out:
    return st;
}

static cairn_status add_bias(struct cairn_onnx_task *t, int64_t n, int64_t c, int64_t area)
{
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_ADD);
    if (t->in[2]->count != c) return cairn_fail(CAIRN_FORMAT, "the bias does not fit the weights");
    problem.u.add.n1 = n;
    problem.u.add.c = c;
    problem.u.add.n2 = area;
    problem.u.add.channel = 1;
    return cairn_onnx_launch(t->device, &problem,
                             (const struct cairn_onnx_bound[]){{"x", t->out[0].floats, NULL},
                                                               {"b", t->in[2]->floats, NULL},
                                                               {"y", NULL, t->out[0].floats},
                                                               {NULL, NULL, NULL}});
}

cairn_status cairn_onnx_run_transposed(struct cairn_onnx_task *t)
{
    cairn_status st = CAIRN_OK;
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_CONV_DATA);
    struct cairn_conv *p = &problem.u.conv;
    struct cairn_onnx_window k;
    int64_t x[4] = {0}, w[4] = {0}, extra[2] = {0, 0};
    if (cairn_onnx_find(t->node, "output_shape") ||
        (cairn_onnx_find(t->node, "auto_pad") && !cairn_onnx_is(t->node, "auto_pad", "NOTSET")))
        return cairn_fail(CAIRN_UNSUPPORTED, "output_shape and auto_pad");
    TRY(read_weights(t, x, w));
    int sides = t->in[0]->rank - 2;
    TRY(cairn_onnx_window(t->node, sides, &w[2], x[2], x[3], &k));
    TRY(cairn_onnx_get_ints(t->node, "output_padding", sides, extra + 2 - sides));
    put_window(p, &k);
    p->n = x[0];
    p->o = x[1];
    p->groups = cairn_onnx_get_int(t->node, "group", 1);
    p->c = p->groups > 0 ? w[1] * p->groups : 0;
    p->h = (x[2] - 1) * k.stride[0] - k.pads[0] - k.pads[2] + (w[2] - 1) * k.dilation[0] + 1 +
           extra[0];
    p->w = (x[3] - 1) * k.stride[1] - k.pads[1] - k.pads[3] + (w[3] - 1) * k.dilation[1] + 1 +
           extra[1];
    if (w[0] != x[1] || p->c < 1 || p->h < 1 || p->w < 1)
        return cairn_fail(CAIRN_FORMAT, "the weights do not fit the images");
    if (out_of(p->h, p->pad_t, p->pad_b, p->kh, p->dilation_h, p->stride_h) != x[2] ||
        out_of(p->w, p->pad_l, p->pad_r, p->kw, p->dilation_w, p->stride_w) != x[3])
        return cairn_fail(CAIRN_UNSUPPORTED, "output_padding from the stride on");
    TRY(make_output(&t->out[0], t->in[0]->rank, x[0], p->c, p->h, p->w));
    TRY(cairn_onnx_launch(t->device, &problem,
                          (const struct cairn_onnx_bound[]){{"y", t->in[0]->floats, NULL},
                                                            {"weight", t->in[1]->floats, NULL},
                                                            {"x", NULL, t->out[0].floats},
                                                            {NULL, NULL, NULL}}));
    if (t->in[2]) TRY(add_bias(t, x[0], p->c, p->h * p->w));
out:
    return st;
}

/* With ceil_mode the last window may begin inside and end outside: as much more padding behind. */
static void round_up(int64_t in, int64_t k, int64_t stride, int64_t before, int64_t *after)
{
    int64_t room = in + before + *after - k;
    if (room < 0) return;
    int64_t more = (room + stride - 1) / stride * stride - room;
    if ((room + more) / stride * stride < in + before) *after += more;
}

/* ONNX's indices count through the whole tensor. */
static cairn_status make_indices(struct cairn_onnx_task *t, const int32_t *index, int64_t area)
{
    const struct cairn_onnx_tensor *y = &t->out[0];
    struct cairn_onnx_tensor *out = &t->out[1];
    int64_t per = y->count / (y->dims[0] * y->dims[1]);
    *out = *y;
    out->type = CAIRN_ONNX_I64;
    out->floats = NULL;
    out->ints = malloc((size_t)y->count * sizeof *out->ints);
    if (!out->ints) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (int64_t i = 0; i < y->count; i++) out->ints[i] = i / per * area + index[i];
    return CAIRN_OK;
}

static cairn_status read_pool(struct cairn_onnx_task *t, int64_t x[4], struct cairn_onnx_window *k)
{
    cairn_status st = CAIRN_OK;
    const int64_t open[2] = {0, 0};
    int max = !strcmp(t->node->op_type, "MaxPool") || !strcmp(t->node->op_type, "GlobalMaxPool");
    TRY(sizes_of(t->in[0], x));
    if (!strncmp(t->node->op_type, "Global", 6)) {
        *k = (struct cairn_onnx_window){{x[2], x[3]}, {x[2], x[3]}, {1, 1}, {0, 0, 0, 0}};
        goto out;
    }
    TRY(cairn_onnx_window(t->node, t->in[0]->rank - 2, open, x[2], x[3], k));
    if (k->dilation[0] != 1 || k->dilation[1] != 1)
        return cairn_fail(CAIRN_UNSUPPORTED, "dilations");
    if (cairn_onnx_get_int(t->node, "storage_order", 0))
        return cairn_fail(CAIRN_UNSUPPORTED, "storage_order");
    if (!cairn_onnx_get_int(t->node, "ceil_mode", 0)) goto out;
    if (!max && cairn_onnx_get_int(t->node, "count_include_pad", 0))
        return cairn_fail(CAIRN_UNSUPPORTED, "ceil_mode with count_include_pad");
    for (int i = 0; i < 2; i++)
        round_up(x[2 + i], k->kernel[i], k->stride[i], k->pads[i], &k->pads[i + 2]);
out:
    return st;
}

cairn_status cairn_onnx_run_pool(struct cairn_onnx_task *t)
{
    cairn_status st = CAIRN_OK;
    struct cairn_problem problem = cairn_problem_default(CAIRN_OP_POOL);
    struct cairn_pool *p = &problem.u.pool;
    struct cairn_onnx_window k;
    int64_t x[4] = {0};
    int32_t *index = NULL;
    int max = strstr(t->node->op_type, "Max") != NULL;
    TRY(read_pool(t, x, &k));
    *p = (struct cairn_pool){.kind = max ? CAIRN_POOL_MAX : CAIRN_POOL_AVERAGE,
                             .planes = x[0] * x[1],
                             .h = x[2],
                             .w = x[3],
                             .kh = k.kernel[0],
                             .kw = k.kernel[1],
                             .stride_h = k.stride[0],
                             .stride_w = k.stride[1],
                             .pad_t = k.pads[0],
                             .pad_l = k.pads[1],
                             .pad_b = k.pads[2],
                             .pad_r = k.pads[3],
                             .count_pad =
                                 !max && cairn_onnx_get_int(t->node, "count_include_pad", 0)};
    TRY(make_output(&t->out[0], t->in[0]->rank, x[0], x[1],
                    out_of(x[2], p->pad_t, p->pad_b, p->kh, 1, p->stride_h),
                    out_of(x[3], p->pad_l, p->pad_r, p->kw, 1, p->stride_w)));
    if (t->out[0].count == 0)
        return cairn_fail(CAIRN_FORMAT, "the window is larger than the image");
    index = malloc((size_t)t->out[0].count * sizeof *index);
    if (!index) return cairn_fail(CAIRN_MEMORY, "out of memory");
    TRY(cairn_onnx_launch(t->device, &problem,
                          (const struct cairn_onnx_bound[]){{"x", t->in[0]->floats, NULL},
                                                            {"y", NULL, t->out[0].floats},
                                                            {max ? "index" : "none", NULL, index},
                                                            {NULL, NULL, NULL}}));
    if (t->out_count > 1) TRY(make_indices(t, index, x[2] * x[3]));
out:
    free(index);
    return st;
}
