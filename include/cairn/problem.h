/* Problem descriptors: every operator of Cairn as a value.
 *
 * A descriptor names shapes, parameters and the memory that the operator reads and writes. It can
 * be printed as one line, parsed back, drawn at random, timed, traced and handed to any backend;
 * the bits of its results are fixed by docs/ARITHMETIC.md and do not depend on which backend runs
 * it.
 *
 * Conventions: all matrices are row-major; activations are NCHW, convolution weights OIHW; counts
 * are in elements, offsets in elements of the operand's own type; "float" is IEEE binary32. Sizes
 * are at least 1. */
#ifndef CAIRN_PROBLEM_H
#define CAIRN_PROBLEM_H

#include <cairn/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cairn_buffer;

/* A piece of device memory: a buffer and an offset in elements of the operand's type. {NULL, 0}
 * where an operand is unused. */
struct cairn_mem {
    struct cairn_buffer *buffer;
    int64_t offset;
};

/* What a product adds to its result. */
enum cairn_bias {
    CAIRN_BIAS_NONE,
    CAIRN_BIAS_N, /* bias[j] is added to column j of c */
    CAIRN_BIAS_M, /* bias[i] is added to row i of c */
};

/* The first four may also end a product or a convolution. */
enum cairn_activation_kind {
    CAIRN_ACT_NONE,
    CAIRN_ACT_RELU,
    CAIRN_ACT_TANH,
    CAIRN_ACT_SIGMOID,
    CAIRN_ACT_LEAKY_RELU,
    CAIRN_ACT_ELU,
    CAIRN_ACT_SOFTPLUS,
    CAIRN_ACT_HARD_SIGMOID,
    CAIRN_ACT_GELU, /* from here on the gradient needs x */
    CAIRN_ACT_GELU_TANH,
    CAIRN_ACT_SILU,
    CAIRN_ACT_HARD_SWISH,
    CAIRN_ACT_COUNT
};

/* c_b = act(op(a_b) op(b_b) + bias)   for each b < batch;  c_b is m x n, op(a_b) m x k, op(b_b) k x
 * n. With sum = 1 there is one c: the product over the batch * k long dimension (b, k) flattened, b
 * outermost. ta = 1: a_b is stored k x m; tb = 1: b_b is stored n x k. A stride of 0 shares an
 * operand among the batches. */
struct cairn_gemm {
    int64_t batch, m, n, k;
    int64_t ta, tb, sum;
    int64_t lda, ldb, ldc; /* leading dimensions; 0 before completion means tight */
    int64_t stride_a, stride_b,
        stride_c;      /* distance of one batch's operand to the next; ignored when batch = 1 */
    int64_t bias, act; /* enum cairn_bias, enum cairn_activation_kind up to sigmoid */
    struct cairn_mem a, b, bias_v, c,
        work; /* as above; bias_v: m or n floats; work: of cairn_work_size() */
};

/* 2-d cross-correlation, as deep learning calls convolution. x: n,c,h,w; w: o,c/groups,kh,kw; y:
 * n,o,oh,ow with oh = (h + pad_t + pad_b - ((kh - 1) dilation_h + 1)) / stride_h + 1 (rounded
 * down), ow likewise. Output channels [g o/groups, (g+1) o/groups) see input channels [g c/groups,
 * (g+1) c/groups) only; groups divides c and o. Four operators share the descriptor:
 *   conv          y  = act(x * w + bias)      with k = (channel of the group, row, column)
 *   conv_data     dx = gradient of x from dy  (operands y = dy in, x = dx out); it is also the
 *                 forward pass of a transposed convolution
 *   conv_weights  dw = gradient of w from dy  (operands x in, y = dy in, w = dw out), k = (image,
 *                 row, column)
 * and one with more fields:
 *   conv_pool     conv, then pool (max) of its result with the windows pool_*: y and index are the
 *                 pool's; act is NONE or RELU, of both. The convolution's result goes nowhere */
struct cairn_conv {
    int64_t n, c, h, w, o, kh, kw;
    int64_t stride_h, stride_w, pad_t, pad_b, pad_l,
        pad_r; /* of rows and columns; above, below, left and right of an image */
    int64_t dilation_h, dilation_w, groups; /* distance of taps; see above */
    int64_t bias, act; /* conv and conv_pool: bias is 0 or 1 (one per output channel) */
    int64_t pool_kh, pool_kw, pool_stride_h, pool_stride_w; /* conv_pool: of its windows */
    int64_t pool_pad_t, pool_pad_b, pool_pad_l, pool_pad_r; /* conv_pool: of the pool */
    struct cairn_mem x, weight, bias_v, y, index,
        work; /* as above; bias_v: o floats; work: of cairn_work_size() */
};

/* col[n][(c, kh, kw)][(oh, ow)] = x at (row * stride_h + i * dilation_h - pad_t, column * stride_w
 * + j * dilation_w - pad_l), +0 outside the image. col2im is its transpose: dx = sum over (i, j) of
 * the kernel in row-major order, valid taps only, from t = +0. */
struct cairn_im2col {
    int64_t n, c, h, w, kh,
        kw; /* images, channels, rows, columns; rows and columns of the kernel */
    int64_t stride_h, stride_w, pad_t, pad_b, pad_l,
        pad_r; /* of rows and columns; above, below, left and right of an image */
    int64_t dilation_h, dilation_w;
    struct cairn_mem x, col;
};

/* What a pool takes of its windows. */
enum cairn_pool_kind { CAIRN_POOL_MAX, CAIRN_POOL_AVERAGE };

/* Pooling of `planes` = images x channels planes of h x w; padding is smaller than the kernel.
 *   max      padding never wins. index[p][oh][ow] is the winner's position row * w + column in its
 *            plane, the first in row order on ties; a NaN wins, the last NaN in row order: best =
 *            (x > best || x != x) ? x : best. pool_grad: dx = sum over the windows (in row-major
 *            order of windows, from +0) whose index is this element, of dy
 *   average  y = (sum over the window's elements inside the plane, row-major, from +0) / size, size
 *            the number of those elements, or kh * kw where count_pad is 1. pool_grad: dx = sum
 * over the windows that hold this element (row-major, from +0) of dy / size. index is unused
 * With act = relu (pool, max) it is relu(x) that is pooled, and index is -1 where y <= 0: pool_grad
 * with such an index is the gradient of x through the pool and relu. An index outside the plane
 * names no element. */
struct cairn_pool {
    int64_t kind; /* enum cairn_pool_kind */
    int64_t planes, h, w, kh, kw;
    int64_t stride_h, stride_w, pad_t, pad_b, pad_l,
        pad_r;                    /* of windows; above, below, left and right of a plane */
    int64_t count_pad;            /* average only */
    int64_t act;                  /* pool, max only: NONE or RELU */
    struct cairn_mem x, y, index; /* pool_grad: x = dx out, y = dy in, index in */
};

/* y = act(x). y may be x itself. relu(x) = x < 0 ? +0 : x (NaN and -0 are kept); tanh, sigmoid.
 *   leaky_relu    x < 0 ? alpha * x : x             elu       x < 0 ? alpha * expm1(x) : x
 *   softplus      log(1 + e^x)                      silu      x * sigmoid(x)
 *   hard_sigmoid  (x + 3, held to 0..6) * (1/6)     gelu      0.5 x * (1 + erf(x / sqrt 2))
 *   hard_swish    x <= -3 ? +0 : x >= 3 ? x : (x * (x + 3)) * (1/6)
 *   gelu_tanh     0.5 x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
 * The last word on every rounding is docs/ARITHMETIC.md. */
struct cairn_activation {
    int64_t kind, count; /* enum cairn_activation_kind, not NONE */
    float alpha;         /* leaky_relu and elu, from 0 to 2^20; others ignore it */
    struct cairn_mem x, y;
};

/* dx = dy * act'(x). dx may be dy. Most kinds take y = act(x) and leave x unused:
 *   relu        y <= 0 ? +0 : dy              tanh          dy * fma(-y, y, 1)
 *   leaky_relu  y <= 0 ? alpha * dy : dy      sigmoid       dy * (y * (1 - y))
 *   elu         y <= 0 ? dy * (y + alpha) : dy
 *   softplus    dy * -expm1(-y)               hard_sigmoid  y <= 0 or y >= 1 ? +0 : dy * (1/6)
 * gelu, gelu_tanh, silu and hard_swish take x and leave y unused. */
struct cairn_activation_grad {
    int64_t kind, count; /* enum cairn_activation_kind, not NONE; elements */
    float alpha;         /* as in activation */
    struct cairn_mem x, y, dy, dx;
};

/* Softmax with cross-entropy, row by row over `classes` logits z:
 *   m = max z; e_j = exp(z_j - m); s = sum e_j (the sum of docs/ARITHMETIC.md); p_j = e_j / s
 *   loss[r] = log(s) - (z_label - m);  correct[r] = 1 if label is the first largest logit, else 0
 *   grad_j = (p_j - [j = label]) * scale   (want_grad)
 *   prob_j = p_j (want_prob = 1), or its logarithm (z_j - m) - log(s) (want_prob = 2)
 * With smoothing q > 0 (Szegedy et al. 2016) the target of class j is t_j = (1 - q) [j = label] +
 * q / C: loss = sum t_j (log(s) - (z_j - m)), grad_j = (p_j - t_j) * scale. With weighted = 1 the
 * loss and the gradient of a row are multiplied by class_weights[label] (C floats). Labels outside
 * 0..classes-1 give loss NaN, correct 0, weight 1 and no [j = label]. */
struct cairn_softmax {
    int64_t rows, classes, want_grad, want_prob,
        weighted;           /* logits are rows x classes; the rest as above */
    float scale, smoothing; /* 0 <= smoothing < 1 */
    struct cairn_mem logits, labels, class_weights, loss, correct, grad,
        prob; /* labels and correct are int32 */
};

/* Gradient of a softmax layer, row by row. log = 0: y = softmax(z), dx_j = y_j (dy_j - sum dy y);
 * log = 1: y = log softmax(z), dx_j = dy_j - exp(y_j) sum dy. dx may be dy. */
struct cairn_softmax_grad {
    int64_t rows, classes, log; /* y, dy and dx are rows x classes; log: which layer */
    struct cairn_mem y, dy, dx;
};

/* Losses besides the cross-entropy. */
enum cairn_loss_kind { CAIRN_LOSS_MSE, CAIRN_LOSS_PERCEPTRON };

/* Losses on the raw outputs z of the last layer, row by row; C = classes.
 *
 *   mse: target t_j = [j = label]; loss = sum (z_j - t_j)^2 / C;
 *   grad_j = ((z_j - t_j) * (2 / C)) * scale
 *
 *   perceptron, the multi-class perceptron's: a = the first largest output; loss = z_a - z_label;
 *   grad_a = scale and grad_label = -scale where a is not the label, else all are +0
 *
 * correct, weighted, class_weights and labels outside 0..classes-1 as in softmax (loss NaN; mse:
 * t = 0; perceptron: no gradient). A NaN among a row's outputs makes its loss NaN and the gradient
 * NaN where the NaN is (mse) or everywhere (perceptron). */
struct cairn_loss {
    int64_t kind, rows, classes, want_grad, weighted; /* kind: enum cairn_loss_kind */
    float scale;
    struct cairn_mem z, labels, class_weights, loss, correct,
        grad; /* z and grad: rows x classes; labels, loss, correct: rows; class_weights: classes */
};

/* y_i = keep_i ? x_i * s : +0, s = 1 / (1 - rate), keep_i: u_i > rate, u_i the uniform of Philox
 * counter (seed, stream, step, element first + i). Its own gradient: the same descriptor on dy. y
 * may be x. */
struct cairn_dropout {
    int64_t count; /* elements */
    float rate;    /* 0 <= rate < 1 */
    uint64_t seed;
    int64_t stream, step, first; /* stream, step: 0 .. 2^32-1 */
    struct cairn_mem x, y;
};

/* What a reduction makes of its elements. */
enum cairn_reduce_kind { CAIRN_REDUCE_SUM, CAIRN_REDUCE_SUMSQ, CAIRN_REDUCE_MAX };

/* y[j] = reduction over (i, l), flattened as i * n2 + l, of x[i][j][l]; x is n1 x c x n2. sumsq
 * squares (rounded) first. max: best = (x > best || x != x) ? x : best from -infinity, in any
 * order; a result of -0 is made +0. */
struct cairn_reduce {
    int64_t kind, n1, c, n2;     /* enum cairn_reduce_kind; sizes of x */
    struct cairn_mem x, y, work; /* work: of cairn_work_size() */
};

/* x[i] = ((float)table[index[i]][e] - shift) * scale for e < item;  y[i] = labels[index[i]] as
 * int32. Bytes and labels are unsigned 8-bit, total rows of them; indices int32 in 0..total-1 (an
 * index outside gives NaN and -1). */
struct cairn_gather {
    int64_t count, item, total; /* images of the batch; bytes of an image; rows of the table */
    float shift, scale;
    struct cairn_mem table, labels, indices, x, y;
};

/* y[i][j][l] = x[i][j][l] + b, b = b[i][j][l], or b[j] where channel is 1 (a bias per channel); all
 * are n1 x c x n2. y may be x, or b where channel is 0. */
struct cairn_add {
    int64_t n1, c, n2, channel;
    struct cairn_mem x, b, y;
};

/* Batch normalisation (Ioffe & Szegedy 2015) of x, n1 x c x n2, channel by channel; N = n1 n2, sums
 * over (i, l) as in reduce. Three operators; mean, rstd, gamma, beta and the running statistics
 * have c floats each.
 *   batchnorm_stats  mean = sum x / N; q = sum (x - mean)^2; rstd = 1 / sqrt(q / N + epsilon);
 *                    running_mean += momentum (mean - running_mean), running_var += momentum
 *                    (q / (N - 1) - running_var)   (q / N where N = 1) */
struct cairn_batchnorm_stats {
    int64_t n1, c, n2;
    float momentum, epsilon; /* 0 <= momentum <= 1; epsilon > 0 */
    struct cairn_mem x, mean, rstd, running_mean, running_var,
        work; /* running_*: updated; work: of cairn_work_size() */
};

/*   batchnorm        y = ((x - mean) * rstd) gamma + beta. With inference = 1 the operand rstd
 * holds variances and 1 / sqrt(variance + epsilon) takes their place. y may be x. */
struct cairn_batchnorm {
    int64_t n1, c, n2, inference; /* sizes of x; inference: see above */
    float epsilon;                /* inference only */
    struct cairn_mem x, mean, rstd, gamma, beta, y;
};

/*   batchnorm_grad   of batchnorm with the statistics of this x: v = (x - mean) * rstd; dbeta = sum
 *                    dy; dgamma = sum dy v; dx = gamma rstd (dy - (v dgamma + dbeta) / N). dx may
 *                    be dy. */
struct cairn_batchnorm_grad {
    int64_t n1, c, n2; /* sizes of x */
    struct cairn_mem x, dy, mean, rstd, gamma, dx, dgamma, dbeta,
        work; /* work: of cairn_work_size() */
};

/* Moves n images x, c x h x w, at random, and cuts oh x ow out of each (oh <= h, ow <= w). With
 * random = 0: the middle, nothing else. With random = 1 image i draws the four words of Philox
 * block first + i of (seed, stream, step): a place of the cut, uniform over all of them and up to
 * shift_h, shift_w pixels beyond each edge; where flip is 1, a mirroring of columns with chance
 * 1/2; where turn is above 0 a rotation about the cut's middle by an angle uniform in -turn..turn
 * (2^-32 turns), bilinear. What lies outside the image is `fill`. All channels move alike. */
struct cairn_augment {
    int64_t n, c, h, w, oh, ow;
    int64_t random, shift_h, shift_w, flip, turn; /* turn: 0 .. 2^31 */
    float fill;
    uint64_t seed;
    int64_t stream, step, first; /* stream, step: 0 .. 2^32-1 */
    struct cairn_mem x, y;       /* x: n x c x h x w; y: n x c x oh x ow */
};

/* f = n > limit ? limit / n : 1 with n = sqrt(sumsq[0]);  g = g * f: clipping by the norm whose
 * square is sumsq (reduce, sumsq, over all gradients). */
struct cairn_clip {
    int64_t count; /* elements of g */
    float limit;   /* above 0 */
    struct cairn_mem sumsq, g;
};

/* The updates. They begin alike, where i < decay_count:
 *   g = fma(l2, w, g);  if l1 != 0: g = fma(l1, sign(w), g)   (sign: 1, -1, or 0 for zeros and NaN)
 *   if decay != 0: w = fma(-(lr * decay), w, w)               (decoupled: Loshchilov & Hutter 2019)
 * the terms of g with the old w. Moments are stored; g is not. Then
 * sgd: v = fma(momentum, v, g); w = fma(-lr, d, w) with d = v, or with nesterov d = fma(momentum,
 * v, g). */
struct cairn_sgd {
    int64_t count, decay_count, nesterov; /* elements of w, g and v; as above */
    float lr, momentum, l1, l2, decay;
    struct cairn_mem w, g, v;
};

/* Adam (Kingma & Ba 2015); with decay it is AdamW:
 *   m = fma(beta1, m, (1 - beta1) * g);  v = fma(beta2, v, ((1 - beta2) * g) * g)
 *   w = fma(-lr, (m * c1) / (sqrt(v * c2) + epsilon), w),  c1 = 1 / (1 - beta1^t), c2 = 1 / (1 -
 * beta2^t) given by the caller. */
struct cairn_adam {
    int64_t count, decay_count; /* elements of w, g, m and v; as in sgd */
    float lr, beta1, beta2, epsilon, l1, l2, decay, c1,
        c2; /* c1, c2: see above; l1, l2, decay: as in sgd */
    struct cairn_mem w, g, m, v;
};

/* RMSProp (Tieleman & Hinton 2012):  v = fma(alpha, v, ((1 - alpha) * g) * g);
 *   m = fma(momentum, m, g / (sqrt(v) + epsilon));  w = fma(-lr, m, w) */
struct cairn_rmsprop {
    int64_t count, decay_count;                        /* as in adam */
    float lr, alpha, momentum, epsilon, l1, l2, decay; /* as above and in sgd */
    struct cairn_mem w, g, m, v;
};

/* Adagrad (Duchi et al. 2011):  v = fma(g, g, v);  w = fma(-lr, g / (sqrt(v) + epsilon), w) */
struct cairn_adagrad {
    int64_t count, decay_count;       /* as in sgd */
    float lr, epsilon, l1, l2, decay; /* as above and in sgd */
    struct cairn_mem w, g, v;
};

/* Adadelta (Zeiler 2012):  v = fma(rho, v, ((1 - rho) * g) * g);
 *   d = (sqrt(u + epsilon) / sqrt(v + epsilon)) * g;  u = fma(rho, u, ((1 - rho) * d) * d);
 *   w = fma(-lr, d, w) */
struct cairn_adadelta {
    int64_t count, decay_count;            /* as in sgd */
    float lr, rho, epsilon, l1, l2, decay; /* as above and in sgd */
    struct cairn_mem w, g, u, v;
};

/* X(slot, NAME, descriptor struct, union member): the list of operators. One order everywhere. */
#define CAIRN_OP_LIST(X)                                                                           \
    X(gemm, GEMM, cairn_gemm, gemm)                                                                \
    X(conv, CONV, cairn_conv, conv)                                                                \
    X(conv_data, CONV_DATA, cairn_conv, conv)                                                      \
    X(conv_weights, CONV_WEIGHTS, cairn_conv, conv)                                                \
    X(conv_pool, CONV_POOL, cairn_conv, conv)                                                      \
    X(im2col, IM2COL, cairn_im2col, im2col)                                                        \
    X(col2im, COL2IM, cairn_im2col, im2col)                                                        \
    X(pool, POOL, cairn_pool, pool)                                                                \
    X(pool_grad, POOL_GRAD, cairn_pool, pool)                                                      \
    X(activation, ACTIVATION, cairn_activation, activation)                                        \
    X(activation_grad, ACTIVATION_GRAD, cairn_activation_grad, activation_grad)                    \
    X(softmax, SOFTMAX, cairn_softmax, softmax)                                                    \
    X(softmax_grad, SOFTMAX_GRAD, cairn_softmax_grad, softmax_grad)                                \
    X(loss, LOSS, cairn_loss, loss)                                                                \
    X(add, ADD, cairn_add, add)                                                                    \
    X(batchnorm_stats, BATCHNORM_STATS, cairn_batchnorm_stats, batchnorm_stats)                    \
    X(batchnorm, BATCHNORM, cairn_batchnorm, batchnorm)                                            \
    X(batchnorm_grad, BATCHNORM_GRAD, cairn_batchnorm_grad, batchnorm_grad)                        \
    X(dropout, DROPOUT, cairn_dropout, dropout)                                                    \
    X(augment, AUGMENT, cairn_augment, augment)                                                    \
    X(reduce, REDUCE, cairn_reduce, reduce)                                                        \
    X(gather, GATHER, cairn_gather, gather)                                                        \
    X(clip, CLIP, cairn_clip, clip)                                                                \
    X(sgd, SGD, cairn_sgd, sgd)                                                                    \
    X(adam, ADAM, cairn_adam, adam)                                                                \
    X(rmsprop, RMSPROP, cairn_rmsprop, rmsprop)                                                    \
    X(adagrad, ADAGRAD, cairn_adagrad, adagrad)                                                    \
    X(adadelta, ADADELTA, cairn_adadelta, adadelta)

/* Operators, in the order of the list. */
enum cairn_op {
#define CAIRN_OP_ENUM(slot, NAME, type, member) CAIRN_OP_##NAME,
    CAIRN_OP_LIST(CAIRN_OP_ENUM)
#undef CAIRN_OP_ENUM
        CAIRN_OP_COUNT
};

/* An operator with its descriptor. */
struct cairn_problem {
    enum cairn_op op; /* which member of u counts */
    union {
        struct cairn_gemm gemm;
        struct cairn_conv conv;
        struct cairn_im2col im2col;
        struct cairn_pool pool;
        struct cairn_activation activation;
        struct cairn_activation_grad activation_grad;
        struct cairn_softmax softmax;
        struct cairn_softmax_grad softmax_grad;
        struct cairn_loss loss;
        struct cairn_add add;
        struct cairn_batchnorm_stats batchnorm_stats;
        struct cairn_batchnorm batchnorm;
        struct cairn_batchnorm_grad batchnorm_grad;
        struct cairn_dropout dropout;
        struct cairn_augment augment;
        struct cairn_reduce reduce;
        struct cairn_gather gather;
        struct cairn_clip clip;
        struct cairn_sgd sgd;
        struct cairn_adam adam;
        struct cairn_rmsprop rmsprop;
        struct cairn_adagrad adagrad;
        struct cairn_adadelta adadelta;
    } u; /* the descriptor */
};

/* "gemm" for CAIRN_OP_GEMM; "unknown" for what is no operator. */
const char *cairn_op_name(enum cairn_op op);
/* CAIRN_OP_GEMM for "gemm"; CAIRN_OP_COUNT for an unknown name. */
enum cairn_op cairn_op_find(const char *name);

/* A descriptor of this operator with every field at its default (sizes 1, strides 1, the rest 0).
 * Memory is unset. */
struct cairn_problem cairn_problem_default(enum cairn_op op);

/* Fills derived fields that are 0 (gemm's leading dimensions and strides) and checks every field
 * against the operator's rules. CAIRN_INVALID names the field. Memory is not looked at. */
cairn_status cairn_problem_complete(struct cairn_problem *problem);

/* Types of elements: float, int32_t, uint8_t. */
enum cairn_dtype { CAIRN_F32, CAIRN_I32, CAIRN_U8 };
/* What an operator does with an operand; WORK: its content means nothing before and after. */
enum cairn_role { CAIRN_IN, CAIRN_OUT, CAIRN_INOUT, CAIRN_WORK };

/* An operand that a problem uses. */
struct cairn_operand_info {
    const char *name;       /* the descriptor's member: "x" */
    enum cairn_dtype dtype; /* of its elements */
    enum cairn_role role;   /* OUT: written, and not read; gaps between results are left alone */
    int64_t elements;       /* from its offset on; WORK: 0, since cairn_work_size() tells */
    struct cairn_mem *mem;  /* the member itself */
};

/* Operand `number`, from 0, of those that a complete problem may use. Returns 0 behind the last. */
int cairn_problem_operand(struct cairn_problem *problem, int number,
                          struct cairn_operand_info *operand);

/* One line: the operator's name, then field=value for each field that differs from its default.
 * Returns the length, as snprintf does. Memory is not printed. */
int cairn_problem_print(const struct cairn_problem *problem, char *text, size_t size);

/* The inverse; completes the problem. Stops at the end of the text or at a word without '=' (`*end`
 * points to it when end is not NULL; otherwise such a word is an error). CAIRN_PARSE tells what
 * would have been accepted. */
cairn_status cairn_problem_parse(const char *text, struct cairn_problem *problem, const char **end);

/* Floating-point operations of the definition (an fma counts 2); for benchmarks. */
double cairn_problem_flops(const struct cairn_problem *problem);
/* Bytes that must move at least once: each operand, read or written; for benchmarks. */
double cairn_problem_bytes(const struct cairn_problem *problem);

#ifdef __cplusplus
}
#endif
#endif
