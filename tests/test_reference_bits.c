/* The bits of the reference: its tiled products and lanes against the definition written out
 * naively, one scalar operation after the other; and every instruction set that its loops are built
 * for against each other. */
#include "base/exact.h"
#include "clones/clone.h"
#include "naive.h"
#include "oracle/trial.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Signs, sizes and specials as they come: exponents over the whole range, now and then a NaN,
 * infinity, zero or denormal. */
static void draw_wild(float *to, int64_t count, int wild)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t u = draw_u32();
        if (wild)
            to[i] = cairn_exact_float(draw_u32() % 64 ? (u & 0x9fffffffu) + 0x30000000u : u);
        else
            to[i] = (float)draw_real(-1, 1);
        if (draw_u32() % 37 == 0) to[i] = u & 1 ? -0.0f : 0x1p-140f;
    }
}

/* docs/ARITHMETIC.md, "The product", word for word. */
static float naive_product(const float *a, const float *b, int64_t k)
{
    float total = 0;
    for (int64_t slab = 0; slab < k; slab += 4096) {
        float t = 0;
        for (int64_t block = slab; block < k && block < slab + 4096; block += 256) {
            float s = 0;
            for (int64_t q = block; q < k && q < block + 256; q++) s = fmaf(a[q], b[q], s);
            t = t + s;
        }
        total = total + t;
    }
    return total == 0 ? 0.0f : total;
}

static float naive_epilogue(float v, const float *bias, int64_t act)
{
    if (bias) v = v + *bias;
    if (act == CAIRN_ACT_RELU) return v < 0 ? 0.0f : v;
    if (act == CAIRN_ACT_TANH) return cairn_exact_tanh(v);
    if (act == CAIRN_ACT_SIGMOID) return cairn_exact_sigmoid(v);
    return v;
}

static void hold_gemm(struct trial *t, int wild)
{
    const struct cairn_gemm *p = &t->problem.u.gemm;
    int64_t k = p->sum ? p->batch * p->k : p->k;
    float *a = malloc((size_t)k * sizeof *a), *b = malloc((size_t)k * sizeof *b);
    float *pa = trial_floats(t, "a"), *pb = trial_floats(t, "b"), *c = trial_floats(t, "c");
    draw_wild(pa, trial_extent(t, "a"), wild);
    draw_wild(pb, trial_extent(t, "b"), wild);
    if (p->bias) draw_wild(trial_floats(t, "bias_v"), trial_extent(t, "bias_v"), wild);
    trial_run(t, draw_between(0, 3));
    for (int64_t r = 0; r < (p->sum ? 1 : p->batch); r++)
        for (int64_t e = 0; e < p->m * p->n; e++) {
            int64_t i = e / p->n, j = e % p->n;
            for (int64_t q = 0; q < k; q++) {
                int64_t batch = p->sum ? q / p->k : r, l = q % p->k;
                a[q] = pa[batch * p->stride_a + (p->ta ? l * p->lda + i : i * p->lda + l)];
                b[q] = pb[batch * p->stride_b + (p->tb ? j * p->ldb + l : l * p->ldb + j)];
            }
            const float *bias =
                p->bias ? trial_floats(t, "bias_v") + (p->bias == CAIRN_BIAS_N ? j : i) : NULL;
            float want = naive_epilogue(naive_product(a, b, k), bias, p->act);
            ck_hold(same_bits(c[r * p->stride_c + i * p->ldc + j], want), "gemm %lld of batch %lld",
                    (long long)e, (long long)r);
        }
    free(a), free(b);
}

START_TEST(gemm)
{
    static const char *const acts[] = {"none", "relu", "tanh", "sigmoid"}, *const biases[] = {
                                                                               "none", "n", "m"};
    draw_seed(100);
    for (int i = 0; i < 60; i++) {
        struct trial t;
        int m = (int)draw_between(1, i % 4 ? 12 : 150), n = (int)draw_between(1, i % 5 ? 40 : 150);
        int k = (int)draw_between(1, i % 6 ? 300 : 3000), sum = (int)draw_between(0, 1),
            batch = (int)draw_between(1, 3);
        trial_init(&t,
                   "gemm batch=%d m=%d n=%d k=%d ta=%d tb=%d sum=%d stride_a=%d stride_b=%d "
                   "bias=%s act=%s",
                   batch, m, n, k, (int)draw_between(0, 1), (int)draw_between(0, 1), sum, m * k,
                   n * k * (int)draw_between(0, 1), biases[draw_between(0, 2)],
                   acts[draw_between(0, 3)]);
        hold_gemm(&t, i % 2);
        trial_finish(&t);
    }
}
END_TEST

/* One element of x as a tap sees it, +0 in the padding. */
static float seen(const struct cairn_conv *p, const float *x, int64_t n, int64_t c, int64_t row,
                  int64_t column)
{
    int outside = row < 0 || row >= p->h || column < 0 || column >= p->w;
    return outside ? 0.0f : x[((n * p->c + c) * p->h + row) * p->w + column];
}

struct conv_case {
    struct trial t;
    const struct cairn_conv *p;
    int64_t oh, ow;
    float *x, *w, *y, a[8192], b[8192];
};

static void conv_case_init(struct conv_case *k, const char *op, int i)
{
    int kh = (int)draw_between(1, 4), kw = (int)draw_between(1, 4), groups = 1, dh = 1, dw = 1;
    if (i % 2) groups = (int)draw_between(1, 5);
    if (i % 3 == 0) dh = (int)draw_between(1, 3), dw = (int)draw_between(1, 4);
    int bh = (kh - 1) * dh + 1, bw = (kw - 1) * dw + 1; /* what the kernel covers */
    trial_init(&k->t,
               "%s n=%d c=%d h=%d w=%d o=%d kh=%d kw=%d stride_h=%d stride_w=%d pad_t=%d pad_b=%d "
               "pad_l=%d pad_r=%d dilation_h=%d dilation_w=%d groups=%d",
               op, (int)draw_between(1, i % 5 ? 3 : 30),
               groups * (int)draw_between(1, i % 4 ? 3 : 40), (int)draw_between(bh, 8 + bh),
               (int)draw_between(bw, 9 + bw), groups * (int)draw_between(1, i % 4 ? 4 : 70), kh, kw,
               (int)draw_between(1, 3), (int)draw_between(1, 2), (int)draw_between(0, 2),
               (int)draw_between(0, 2), (int)draw_between(0, 2), (int)draw_between(0, 2), dh, dw,
               groups);
    k->p = &k->t.problem.u.conv;
    k->oh = (k->p->h + k->p->pad_t + k->p->pad_b - bh) / k->p->stride_h + 1;
    k->ow = (k->p->w + k->p->pad_l + k->p->pad_r - bw) / k->p->stride_w + 1;
    k->x = trial_floats(&k->t, "x");
    k->w = trial_floats(&k->t, "weight");
    k->y = trial_floats(&k->t, "y");
    draw_wild(k->x, trial_extent(&k->t, "x"), i % 2);
    draw_wild(k->w, trial_extent(&k->t, "weight"), i % 2);
    draw_wild(k->y, trial_extent(&k->t, "y"), i % 2);
    trial_run(&k->t, draw_between(0, 3));
}

START_TEST(conv)
{
    static struct conv_case k;
    draw_seed(101);
    for (int i = 0; i < 30; i++) {
        conv_case_init(&k, "conv", i);
        const struct cairn_conv *p = k.p;
        int64_t taps = p->kh * p->kw, in = p->c / p->groups, at = 0;
        for (int64_t n = 0; n < p->n; n++)
            for (int64_t o = 0; o < p->o; o++)
                for (int64_t oy = 0; oy < k.oh; oy++)
                    for (int64_t ox = 0; ox < k.ow; ox++, at++) {
                        int64_t first = o / (p->o / p->groups) * in;
                        for (int64_t q = 0; q < in * taps; q++) {
                            int64_t u = q % taps / p->kw * p->dilation_h,
                                    v = q % p->kw * p->dilation_w;
                            k.a[q] = k.w[o * in * taps + q];
                            k.b[q] =
                                seen(p, k.x, n, first + q / taps, oy * p->stride_h + u - p->pad_t,
                                     ox * p->stride_w + v - p->pad_l);
                        }
                        ck_hold(same_bits(k.y[at], naive_product(k.a, k.b, in * taps)),
                                "conv %d [%lld]", i, (long long)at);
                    }
        trial_finish(&k.t);
    }
}
END_TEST

/* t = +0; t = t + (product over the group's o) for the valid taps in (row, column) order. */
static float naive_dx(struct conv_case *k, int64_t n, int64_t c, int64_t row, int64_t column)
{
    const struct cairn_conv *p = k->p;
    int64_t in = p->c / p->groups, out = p->o / p->groups;
    float t = 0;
    for (int64_t ky = 0; ky < p->kh; ky++)
        for (int64_t kx = 0; kx < p->kw; kx++) {
            int64_t y = row + p->pad_t - ky * p->dilation_h,
                    x = column + p->pad_l - kx * p->dilation_w;
            if (y < 0 || x < 0 || y % p->stride_h || x % p->stride_w) continue;
            y /= p->stride_h, x /= p->stride_w;
            if (y >= k->oh || x >= k->ow) continue;
            for (int64_t q = 0; q < out; q++) {
                int64_t o = c / in * out + q;
                k->a[q] = k->w[((o * in + c % in) * p->kh + ky) * p->kw + kx];
                k->b[q] = k->y[((n * p->o + o) * k->oh + y) * k->ow + x];
            }
            t = t + naive_product(k->a, k->b, out);
        }
    return t;
}

START_TEST(conv_data)
{
    static struct conv_case k;
    draw_seed(102);
    for (int i = 0; i < 30; i++) {
        conv_case_init(&k, "conv_data", i);
        const struct cairn_conv *p = k.p;
        for (int64_t at = 0; at < p->n * p->c * p->h * p->w; at++)
            ck_hold(
                same_bits(k.x[at], naive_dx(&k, at / p->w / p->h / p->c, at / p->w / p->h % p->c,
                                            at / p->w % p->h, at % p->w)),
                "conv_data %d [%lld]", i, (long long)at);
        trial_finish(&k.t);
    }
}
END_TEST

START_TEST(conv_weights)
{
    static struct conv_case k;
    draw_seed(103);
    for (int i = 0; i < 30; i++) {
        conv_case_init(&k, "conv_weights", i);
        const struct cairn_conv *p = k.p;
        int64_t pixels = k.oh * k.ow, length = p->n * pixels, in = p->c / p->groups;
        ck_assert_int_le(length, 8192);
        for (int64_t at = 0; at < p->o * in * p->kh * p->kw; at++) {
            int64_t kx = at % p->kw * p->dilation_w, ky = at / p->kw % p->kh * p->dilation_h;
            int64_t o = at / p->kw / p->kh / in,
                    c = o / (p->o / p->groups) * in + at / p->kw / p->kh % in;
            for (int64_t q = 0; q < length; q++) {
                k.a[q] = k.y[(q / pixels * p->o + o) * pixels + q % pixels];
                k.b[q] =
                    seen(p, k.x, q / pixels, c, q % pixels / k.ow * p->stride_h + ky - p->pad_t,
                         q % k.ow * p->stride_w + kx - p->pad_l);
            }
            ck_hold(same_bits(k.w[at], naive_product(k.a, k.b, length)), "conv_weights %d [%lld]",
                    i, (long long)at);
        }
        trial_finish(&k.t);
    }
}
END_TEST

START_TEST(reduce)
{
    static float line[200000];
    draw_seed(104);
    for (int i = 0; i < 60; i++) {
        struct trial t;
        trial_init(&t, "reduce kind=%s n1=%d c=%d n2=%d", i % 2 ? "sumsq" : "sum",
                   (int)draw_between(1, i % 3 ? 20 : 400), (int)draw_between(1, 4),
                   (int)draw_between(1, i % 3 ? 70 : 500));
        const struct cairn_reduce *p = &t.problem.u.reduce;
        float *x = trial_floats(&t, "x");
        draw_wild(x, trial_extent(&t, "x"), i % 4 == 3);
        trial_run(&t, draw_between(0, 3));
        for (int64_t j = 0; j < p->c; j++) {
            for (int64_t e = 0; e < p->n1 * p->n2; e++)
                line[e] = x[(e / p->n2 * p->c + j) * p->n2 + e % p->n2];
            ck_hold(same_bits(trial_floats(&t, "y")[j], naive_sum(line, p->n1 * p->n2, i % 2)),
                    "reduce %d", i);
        }
        trial_finish(&t);
    }
}
END_TEST

/* --- instruction sets --- */

static int clones_here(const struct clone *clones[3])
{
    int count = 0;
    clones[count++] = &clone_plain;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("fma")) clones[count++] = &clone_fma;
    if (__builtin_cpu_supports("avx512f")) clones[count++] = &clone_avx512;
#endif
    return count;
}

enum { M = 70, N = 101, K = 4500 };
static float left[M][K], right[K][N], result[M][N];

static void rows(const void *context, int64_t i0, int64_t count, int64_t k0, int64_t len,
                 float panel[][REF_BLOCK])
{
    (void)context;
    for (int64_t r = 0; r < count; r++)
        memcpy(panel[r], &left[i0 + r][k0], (size_t)len * sizeof(float));
}
static void cols(const void *context, int64_t k0, int64_t len, int64_t j0, int64_t count,
                 float panel[][REF_COLS])
{
    (void)context;
    for (int64_t l = 0; l < len; l++)
        memcpy(panel[l], &right[k0 + l][j0], (size_t)count * sizeof(float));
}
static void store(const void *context, int64_t i0, int64_t count, int64_t j0, int64_t width,
                  float tile[][REF_COLS])
{
    (void)context;
    for (int64_t r = 0; r < count; r++)
        memcpy(&result[i0 + r][j0], tile[r], (size_t)width * sizeof(float));
}

START_TEST(clones_of_the_product)
{
    static float column[K];
    const struct clone *clones[3];
    int count = clones_here(clones);
    draw_seed(110);
    draw_wild(&left[0][0], M * K, 1);
    draw_wild(&right[0][0], K * N, 0);
    for (int c = 0; c < count; c++) {
        struct ref_backend backend = {.tile = clones[c]->tile_create()};
        ck_assert(backend.tile);
        clones[c]->product(&(struct ref_product){&backend.base, M, N, K, NULL, rows, cols, store});
        free(backend.tile);
        for (int e = 0; e < M * N; e += 3) {
            for (int q = 0; q < K; q++) column[q] = right[q][e % N];
            ck_hold(same_bits(result[e / N][e % N], naive_product(left[e / N], column, K)),
                    "clone %d [%d]", c, e);
        }
    }
}
END_TEST

enum { LONG = 20011, NORM = 5 + 2 * CAIRN_ACT_COUNT, RESULTS = NORM + 3 };
static float in[3][LONG], out[2][RESULTS][LONG];

/* Every kind of activation and gradient, to[kind] and to[CAIRN_ACT_COUNT + kind]. */
static void run_activations(const struct clone *clone, float to[2 * CAIRN_ACT_COUNT][LONG])
{
    struct ref_buffer buffers[4] = {{.data = (unsigned char *)in[0]},
                                    {.data = (unsigned char *)in[1]}};
    struct cairn_mem x = {&buffers[0].base, 0}, dy = {&buffers[1].base, 0},
                     y = {&buffers[2].base, 0}, dx = {&buffers[3].base, 0};
    for (int kind = CAIRN_ACT_RELU; kind < CAIRN_ACT_COUNT; kind++) {
        buffers[2].data = (unsigned char *)to[kind];
        buffers[3].data = (unsigned char *)to[CAIRN_ACT_COUNT + kind];
        clone->activation(NULL, &(struct cairn_activation){kind, LONG, 0.3f, x, y}, 0);
        clone->activation_grad(NULL,
                               &(struct cairn_activation_grad){kind, LONG, 0.3f, x, y, dy, dx}, 0);
    }
}

/* Addition, statistics, forward, gradient of batch normalisation: y, (y, statistics), (dx, sums).
 */
static void run_norm(const struct clone *clone, float to[3][LONG])
{
    enum { N1 = 3, C = 7, N2 = 950, ALL = N1 * C * N2 };
    struct ref_buffer buffers[5] = {{.data = (unsigned char *)in[1]},
                                    {.data = (unsigned char *)in[2]},
                                    {.data = (unsigned char *)to[0]},
                                    {.data = (unsigned char *)to[1]},
                                    {.data = (unsigned char *)to[2]}};
    struct cairn_mem x = {&buffers[0].base, 0}, b = {&buffers[1].base, 0};
#define IN(buffer, number) {&buffers[buffer].base, ALL + (number)*C}
    clone->add(NULL, &(struct cairn_add){N1, C, N2, 0, b, x, {&buffers[2].base, 0}}, 0);
    memset(to[1], 0, LONG * sizeof(float));
    clone->batchnorm_stats(
        NULL,
        &(struct cairn_batchnorm_stats){
            N1, C, N2, 0.1f, 1e-5f, x, IN(3, 0), IN(3, 1), IN(3, 2), IN(3, 3), {0}},
        0);
    clone->batchnorm(NULL,
                     &(struct cairn_batchnorm){
                         N1, C, N2, 0, 1e-5f, x, IN(3, 0), IN(3, 1), b, b, {&buffers[3].base, 0}},
                     0);
    clone->batchnorm_grad(
        NULL,
        &(struct cairn_batchnorm_grad){
            N1, C, N2, x, b, IN(3, 0), IN(3, 1), b, {&buffers[4].base, 0}, IN(4, 0), IN(4, 1), {0}},
        0);
}

/* Every update, and clipping, on the same g, w and two moments, one after the other. */
static void run_updates(const struct clone *clone, const struct cairn_mem mem[4])
{
    static float sumsq = 49;
    struct ref_buffer square = {.data = (unsigned char *)&sumsq};
    const struct cairn_mem g = mem[0], w = mem[1], m = mem[2], v = mem[3];
    enum { ALL = LONG, PART = LONG / 2 };
    clone->clip(NULL, &(struct cairn_clip){ALL, 2.5f, {&square.base, 0}, w}, 0);
    for (int more = 0; more < 2; more++) {
        float l1 = more ? 0.1f : 0, l2 = 0.01f, decay = more ? 0.2f : 0;
        clone->sgd(NULL, &(struct cairn_sgd){ALL, PART, more, 0.1f, 0.9f, l1, l2, decay, w, g, m},
                   0);
        clone->adam(NULL,
                    &(struct cairn_adam){ALL, PART, 0.1f, 0.9f, 0.99f, 1e-8f, l1, l2, decay, 2, 3,
                                         w, g, m, v},
                    0);
        clone->rmsprop(
            NULL,
            &(struct cairn_rmsprop){ALL, PART, 0.1f, 0.9f, 0.9f, 1e-8f, l1, l2, decay, w, g, m, v},
            0);
        clone->adagrad(NULL,
                       &(struct cairn_adagrad){ALL, PART, 0.1f, 1e-8f, l1, l2, decay, w, g, v}, 0);
        clone->adadelta(
            NULL, &(struct cairn_adadelta){ALL, PART, 0.1f, 0.9f, 1e-6f, l1, l2, decay, w, g, v, m},
            0);
    }
}

static void run_clone(const struct clone *clone, float to[RESULTS][LONG])
{
    struct ref_buffer buffers[4];
    struct cairn_mem mem[4];
    memcpy(to[2], in[0], sizeof in[0]);
    memcpy(to[3], in[1], sizeof in[1]);
    memcpy(to[4], in[2], sizeof in[2]);
    for (int i = 0; i < 4; i++) {
        buffers[i].data = (unsigned char *)(i ? to[i + 1] : in[1]);
        mem[i] = (struct cairn_mem){&buffers[i].base, 0};
    }
    clone->activate(CAIRN_ACT_TANH, in[0], to[0], LONG);
    clone->activate(CAIRN_ACT_SIGMOID, in[0], to[1], LONG);
    clone->activate(CAIRN_ACT_RELU, to[1], to[1], LONG);
    run_updates(clone, mem);
    run_activations(clone, to + 5);
    run_norm(clone, to + NORM);
}

START_TEST(clones_of_the_loops)
{
    const struct clone *clones[3];
    int count = clones_here(clones);
    draw_seed(111);
    for (int i = 0; i < 3; i++) draw_wild(in[i], LONG, i == 0);
    for (int i = 0; i < LONG; i++) in[2][i] = fabsf(in[2][i]);
    run_clone(clones[0], out[0]);
    for (int c = 1; c < count; c++) {
        run_clone(clones[c], out[1]);
        for (int i = 0; i < RESULTS; i++)
            for (int e = 0; e < LONG; e++)
                ck_hold(same_bits(out[0][i][e], out[1][i][e]), "clone %d, array %d, %d", c, i, e);
        for (int square = 0; square < 2; square++)
            ck_assert(same_bits(clones[0]->chunk_sum(in[1], 0, 4001, 100, 130, square),
                                clones[c]->chunk_sum(in[1], 0, 4001, 100, 130, square)));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reference_bits");
    TCase *cases = tcase_create("bits");
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gemm);
    tcase_add_test(cases, conv);
    tcase_add_test(cases, conv_data);
    tcase_add_test(cases, conv_weights);
    tcase_add_test(cases, reduce);
    tcase_add_test(cases, clones_of_the_product);
    tcase_add_test(cases, clones_of_the_loops);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
