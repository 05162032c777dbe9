/* Functions of one number that exporters write as several nodes: x * sigmoid(x), 0.5 x (1 + erf(x /
 * sqrt 2)) and the like, in whatever order of factors and terms.
 *
 * Invariant: a value with a tree is that function of its base, number by number; it has a line once
 * it is known as one of Cairn's activations. Known is what is equal to an activation within 1e-6
 * (of x, where that is more than 1) at 2561 places from -40 to 40: constants of less than some six
 * digits are not taken, and the two forms of gelu, which are up to 5e-4 apart, are told apart. */
#include "onnx/convert.h"

#include "base/error.h"
#include <math.h>
#include <string.h>

#define MOST_NODES 48 /* of a tree */
#define NEAR 1e-6

static double clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* --- trees --- */

static double value_at(const struct cairn_onnx_converter *c, int tree, double x)
{
    const struct cairn_onnx_tree *t = &c->trees[tree];
    double a = t->left >= 0 ? value_at(c, t->left, x) : 0,
           b = t->right >= 0 ? value_at(c, t->right, x) : 0;
    switch (t->kind) {
    case CAIRN_ONNX_TREE_X:
        return x;
    case CAIRN_ONNX_TREE_NUMBER:
        return t->a;
    case CAIRN_ONNX_TREE_ADD:
        return a + b;
    case CAIRN_ONNX_TREE_SUB:
        return a - b;
    case CAIRN_ONNX_TREE_MUL:
        return a * b;
    case CAIRN_ONNX_TREE_DIV:
        return a / b;
    case CAIRN_ONNX_TREE_POW:
        return pow(a, b);
    case CAIRN_ONNX_TREE_ERF:
        return erf(a);
    case CAIRN_ONNX_TREE_TANH:
        return tanh(a);
    case CAIRN_ONNX_TREE_SIGMOID:
        return sigmoid(a);
    case CAIRN_ONNX_TREE_HARD_SIGMOID:
        return clip(t->a * a + t->b, 0, 1);
    case CAIRN_ONNX_TREE_CLIP:
        return clip(a, t->a, t->b);
    }
    return (double)NAN;
}

/* The activations that are looked for. */
static double activation_at(int which, double x)
{
    double cubed = x + 0.044715 * x * x * x;
    switch (which) {
    case 0:
        return x * sigmoid(x);
    case 1:
        return 0.5 * x * (1 + erf(x / sqrt(2.0)));
    case 2:
        return 0.5 * x * (1 + tanh(0.79788456080286536 * cubed)); /* sqrt(2 / pi) */
    case 3:
        return x * clip(x / 6 + 0.5, 0, 1);
    case 4:
        return clip(x / 6 + 0.5, 0, 1);
    case 5:
        return sigmoid(x);
    case 6:
        return tanh(x);
    default:
        return x > 0 ? x : 0;
    }
}

static const char *const lines[] = {"silu",        "gelu",    "gelu form=tanh", "hardswish",
                                    "hardsigmoid", "sigmoid", "tanh",           "relu"};
#define LINES ((int)(sizeof lines / sizeof *lines))

static int is_activation(const struct cairn_onnx_converter *c, int tree, int which)
{
    for (int i = -1280; i <= 1280; i++) {
        double x = i / 32.0, far = value_at(c, tree, x) - activation_at(which, x);
        if (!(fabs(far) <= NEAR * fmax(1, fabs(x)))) return 0;
    }
    return 1;
}

/* NULL: none. */
static const char *find_activation(const struct cairn_onnx_converter *c, int tree)
{
    for (int i = 0; i < LINES; i++)
        if (is_activation(c, tree, i)) return lines[i];
    return NULL;
}

/* -1: the tree would be too large. */
static int add_tree(struct cairn_onnx_converter *c, enum cairn_onnx_tree_kind kind, int left,
                    int right, double a, double b)
{
    int size = 1 + (left >= 0 ? c->trees[left].size : 0) + (right >= 0 ? c->trees[right].size : 0);
    if (size > MOST_NODES) return -1;
    c->trees[c->tree_count] = (struct cairn_onnx_tree){kind, left, right, size, a, b};
    return c->tree_count++;
}

/* --- values --- */

static int is_scalar(const struct cairn_onnx_value *v)
{
    return v && v->known && v->constant && v->constant->count == 1 && v->constant->floats;
}

static int is_same(const struct cairn_onnx_value *a, const struct cairn_onnx_value *b)
{
    return a == b || (a->line != CAIRN_ONNX_PENDING && a->line == b->line && a->shift == b->shift &&
                      a->scale == b->scale && a->is_flat == b->is_flat);
}

/* The value as a tree over `base`; -1: it is none. */
static int tree_over(struct cairn_onnx_converter *c, const struct cairn_onnx_value *v,
                     const struct cairn_onnx_value *base)
{
    if (is_scalar(v))
        return add_tree(c, CAIRN_ONNX_TREE_NUMBER, -1, -1, (double)v->constant->floats[0], 0);
    if (v->constant) return -1;
    if (is_same(v, base)) return add_tree(c, CAIRN_ONNX_TREE_X, -1, -1, 0, 0);
    return v->base && is_same(v->base, base) ? v->tree : -1;
}

/* What a value is a function of; itself where it is no tree. */
static const struct cairn_onnx_value *base_of(const struct cairn_onnx_value *v)
{
    return v->base ? v->base : v;
}

static int takes_two(const Cairn__Onnx__Node *node)
{
    static const char *const ops[] = {"Add", "Sub", "Mul", "Div", "Pow"};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (!strcmp(cairn_onnx_or_empty(node->op_type), ops[i])) return 1;
    return 0;
}

/* Whether an activation may be part of a larger one: its only reader is a product, or takes a
 * number besides. */
static int may_go_on(struct cairn_onnx_converter *c, const struct cairn_onnx_value *v)
{
    const Cairn__Onnx__Node *node = v->readers == 1 ? v->reader : NULL;
    if (!node || !takes_two(node) || node->n_input != 2) return 0;
    if (!strcmp(node->op_type, "Mul")) return 1;
    return is_scalar(cairn_onnx_value_of(c, node->input[0])) ||
           is_scalar(cairn_onnx_value_of(c, node->input[1]));
}

cairn_status cairn_onnx_settle(struct cairn_onnx_converter *c, struct cairn_onnx_value *v)
{
    if (!v->known || v->constant || v->line != CAIRN_ONNX_PENDING) return CAIRN_OK;
    const char *line = find_activation(c, v->tree);
    if (!line)
        return cairn_onnx_refuse(c,
                                 "'%.80s' is no activation that is known, as a function of '%.80s'",
                                 v->name, v->base->name);
    return cairn_onnx_emit_value(c, v->base, NULL, v, line);
}

/* Gives the node's output a tree; where that is an activation which stays what it is, a line. */
static cairn_status give(struct cairn_onnx_converter *c, const struct cairn_onnx_value *base,
                         int tree)
{
    cairn_status st = CAIRN_OK;
    struct cairn_onnx_value value = {.line = CAIRN_ONNX_PENDING, .scale = 1};
    if (tree < 0) return cairn_onnx_refuse(c, "it is a function of too many nodes");
    TRY(cairn_onnx_alias(c, &value, base->is_flat));
    struct cairn_onnx_value *out = cairn_onnx_value_of(c, c->node->output[0]);
    out->base = base;
    out->tree = tree;
    if (!may_go_on(c, out) && find_activation(c, tree)) TRY(cairn_onnx_settle(c, out));
out:
    return st;
}

int cairn_onnx_is_function(struct cairn_onnx_converter *c)
{
    const struct cairn_onnx_value *x = cairn_onnx_operand(c, 0), *y = cairn_onnx_operand(c, 1);
    if (!x || !y || !x->known || !y->known || (x->constant && y->constant)) return 0;
    if (is_scalar(x) || is_scalar(y)) return 1;
    if (x->constant || y->constant) return 0;
    int pending = x->line == CAIRN_ONNX_PENDING || y->line == CAIRN_ONNX_PENDING;
    int together = is_same(base_of(x), base_of(y)) || is_same(base_of(x), y) ||
                   is_same(x, base_of(y)) || is_same(x, y);
    return together && (pending || strcmp(c->node->op_type, "Add") != 0);
}

static enum cairn_onnx_tree_kind kind_of(const char *op)
{
    return !strcmp(op, "Add")   ? CAIRN_ONNX_TREE_ADD
           : !strcmp(op, "Sub") ? CAIRN_ONNX_TREE_SUB
           : !strcmp(op, "Mul") ? CAIRN_ONNX_TREE_MUL
           : !strcmp(op, "Div") ? CAIRN_ONNX_TREE_DIV
                                : CAIRN_ONNX_TREE_POW;
}

cairn_status cairn_onnx_read_function(struct cairn_onnx_converter *c)
{
    const struct cairn_onnx_value *x = cairn_onnx_operand(c, 0), *y = cairn_onnx_operand(c, 1);
    const struct cairn_onnx_value *bases[4];
    int count = 0;
    if (!x || !y || !cairn_onnx_is_function(c))
        return cairn_onnx_refuse(c,
                                 "it is supported of two functions of one value, of a value with "
                                 "a number, and as the images' normalisation");
    if (!x->constant) bases[count++] = base_of(x);
    if (!y->constant) bases[count++] = base_of(y);
    if (!x->constant && x->line != CAIRN_ONNX_PENDING) bases[count++] = x;
    if (!y->constant && y->line != CAIRN_ONNX_PENDING) bases[count++] = y;
    for (int i = 0; i < count; i++) {
        int before = c->tree_count, left = tree_over(c, x, bases[i]),
            right = left >= 0 ? tree_over(c, y, bases[i]) : -1;
        if (right >= 0)
            return give(c, bases[i], add_tree(c, kind_of(c->node->op_type), left, right, 0, 0));
        c->tree_count = before;
    }
    return cairn_onnx_refuse(c, "its operands are functions of different values");
}

/* Of one value: Erf, Tanh, Sigmoid, HardSigmoid, Clip. */
static cairn_status read_one(struct cairn_onnx_converter *c, enum cairn_onnx_tree_kind kind,
                             double a, double b)
{
    const struct cairn_onnx_value *x = cairn_onnx_operand(c, 0);
    if (!x || !x->known || x->constant) return cairn_onnx_take_value(c, 0, &x);
    const struct cairn_onnx_value *base = x->line == CAIRN_ONNX_PENDING ? x->base : x;
    return give(c, base, add_tree(c, kind, tree_over(c, x, base), -1, a, b));
}

cairn_status cairn_onnx_read_erf(struct cairn_onnx_converter *c)
{
    return read_one(c, CAIRN_ONNX_TREE_ERF, 0, 0);
}

cairn_status cairn_onnx_read_tanh(struct cairn_onnx_converter *c)
{
    return read_one(c, CAIRN_ONNX_TREE_TANH, 0, 0);
}

cairn_status cairn_onnx_read_sigmoid(struct cairn_onnx_converter *c)
{
    return read_one(c, CAIRN_ONNX_TREE_SIGMOID, 0, 0);
}

cairn_status cairn_onnx_read_hard_sigmoid(struct cairn_onnx_converter *c)
{
    return read_one(c, CAIRN_ONNX_TREE_HARD_SIGMOID,
                    (double)cairn_onnx_get_float(c->node, "alpha", 0.2f),
                    (double)cairn_onnx_get_float(c->node, "beta", 0.5f));
}

/* Bounds were attributes once and are inputs since opset 11; without one it is open. */
cairn_status cairn_onnx_read_clip(struct cairn_onnx_converter *c)
{
    double bounds[2] = {(double)cairn_onnx_get_float(c->node, "min", -INFINITY),
                        (double)cairn_onnx_get_float(c->node, "max", INFINITY)};
    for (size_t i = 0; i < 2; i++) {
        const struct cairn_onnx_value *v = cairn_onnx_operand(c, i + 1);
        if (v && !is_scalar(v))
            return cairn_onnx_refuse(c, "its bound '%.80s' is no number", v->name);
        if (v) bounds[i] = (double)v->constant->floats[0];
    }
    return read_one(c, CAIRN_ONNX_TREE_CLIP, bounds[0], bounds[1]);
}
