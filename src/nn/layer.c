#include "nn/layer.h"

#include "base/error.h"
#include "base/text.h"
#include "nn/words.h"
#include <stdio.h>
#include <string.h>

#define MAX_SIZE 1048576 /* 2^20: outputs, kernels, strides, dilation and padding */
#define ID_ACCEPTS "letters, digits, _ and -, up to 23"

/* --- values --- */

/* "N" or "HxW" within [min, MAX_SIZE]. */
static cairn_status parse_pair(const char *word, int64_t min, int64_t *h, int64_t *w)
{
    cairn_status st = CAIRN_OK;
    char part[CAIRN_LINE_SIZE];
    snprintf(part, sizeof part, "%s", word);
    char *x = strchr(part, 'x');
    if (!*part || (x && (x == part || !x[1])))
        return cairn_fail(CAIRN_PARSE, "'%s' is not a size, N or HxW", word);
    if (x) *x++ = '\0';
    TRY(cairn_text_int(part, min, MAX_SIZE, h));
    *w = *h;
    if (x) TRY(cairn_text_int(x, min, MAX_SIZE, w));
out:
    return st;
}

/* P, HxW or T,B,L,R. */
static cairn_status parse_pads(const char *word, struct cairn_layer *layer)
{
    cairn_status st = CAIRN_OK;
    char part[CAIRN_LINE_SIZE];
    int64_t pads[4] = {0};
    if (!strchr(word, ',')) {
        TRY(parse_pair(word, 0, &pads[0], &pads[2]));
        layer->pad_t = layer->pad_b = pads[0];
        layer->pad_l = layer->pad_r = pads[2];
        return st;
    }
    snprintf(part, sizeof part, "%s", word);
    char *p = part;
    for (int i = 0; i < 4; i++) {
        char *comma = strchr(p, ',');
        if ((i < 3) != (comma != NULL) || !*p || p == comma)
            return cairn_fail(CAIRN_PARSE, "'%s' has not four numbers", word);
        if (comma) *comma = '\0';
        TRY(cairn_text_int(p, 0, MAX_SIZE, &pads[i]));
        p = comma ? comma + 1 : p;
    }
    layer->pad_t = pads[0];
    layer->pad_b = pads[1];
    layer->pad_l = pads[2];
    layer->pad_r = pads[3];
out:
    return st;
}

static cairn_status parse_yes_no(const char *word, int *value)
{
    if (strcmp(word, "yes") != 0 && strcmp(word, "no") != 0)
        return cairn_fail(CAIRN_PARSE, "'%s' is neither yes nor no", word);
    *value = word[0] == 'y';
    return CAIRN_OK;
}

static cairn_status parse_form(const char *word, int *is_tanh)
{
    if (strcmp(word, "erf") != 0 && strcmp(word, "tanh") != 0)
        return cairn_fail(CAIRN_PARSE, "'%s' is neither erf nor tanh", word);
    *is_tanh = word[0] == 't';
    return CAIRN_OK;
}

/* A number from `least` to `most`, before and after it is rounded to a float. */
static cairn_status parse_float(const char *word, double least, double most, float *value)
{
    double number;
    cairn_status st = cairn_text_double(word, &number);
    if (st != CAIRN_OK) return st;
    *value = (float)number;
    if (number >= least && number <= most && *value >= (float)least && *value <= (float)most)
        return CAIRN_OK;
    return cairn_fail(CAIRN_PARSE, "%s is out of range", word);
}

static cairn_status parse_id(const char *word, char id[24])
{
    size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_-");
    if (!length || word[length] || length > 23)
        return cairn_fail(CAIRN_PARSE, "'%s' is not a name: " ID_ACCEPTS, word);
    memcpy(id, word, length + 1);
    return CAIRN_OK;
}

static cairn_status parse_as(const char *word, char id[24])
{
    if (!strcmp(word, "input"))
        return cairn_fail(CAIRN_PARSE, "'input' is the name of the images already");
    return parse_id(word, id);
}

/* --- settings --- */

enum {
    KEY_PAD = 1,  /* with pad=same */
    KEY_PADS = 2, /* without */
    KEY_STRIDE = 4,
    KEY_DILATION = 8,
    KEY_GROUPS = 16,
    KEY_EXTRA = 32,
    KEY_COUNT_PAD = 64,
    KEY_MOMENTUM = 128,
    KEY_EPSILON = 256,
    KEY_FORM = 512,
    KEY_BIAS = 1024,
    KEY_INIT = 2048,
    KEY_AS = 4096,
    KEY_FROM = 8192,
};
#define KEYS_OF_ALL (KEY_AS | KEY_FROM)
#define KEYS_OF_CONV (KEY_STRIDE | KEY_DILATION | KEY_BIAS | KEY_INIT)

static const struct {
    const char *name, *accepts;
    int bit;
} keys[] = {
    {"pad", "pad=P, pad=HxW, pad=T,B,L,R or pad=same", KEY_PAD},
    {"pad", "pad=P, pad=HxW or pad=T,B,L,R", KEY_PADS},
    {"stride", "stride=S or stride=HxW, at least 1", KEY_STRIDE},
    {"dilation", "dilation=D or dilation=HxW, at least 1", KEY_DILATION},
    {"groups", "groups=G, at least 1", KEY_GROUPS},
    {"extra", "extra=P or extra=HxW, below the stride", KEY_EXTRA},
    {"count_pad", "count_pad=yes or count_pad=no", KEY_COUNT_PAD},
    {"momentum", "momentum=M from 0 to 1", KEY_MOMENTUM},
    {"epsilon", "epsilon=E above 0, up to 1e30", KEY_EPSILON},
    {"form", "form=erf or form=tanh", KEY_FORM},
    {"bias", "bias=yes or bias=no", KEY_BIAS},
    {"init",
     "init= he, he-uniform, xavier, xavier-uniform, zero, normal(MEAN,DEV) or uniform(LOW,HIGH)",
     KEY_INIT},
    {"as", "as=NAME for this layer's output, " ID_ACCEPTS, KEY_AS},
    {"from", "from=NAME of an earlier output, or from=input", KEY_FROM},
};
#define KEYS (sizeof keys / sizeof *keys)

/* --- kinds --- */

/* The letters of `arguments`: o outputs, k kernel, w window or global, r rate, a slope or alpha
 * that may be left out, i the name of an output. */
static const struct kind {
    const char *name, *usage, *arguments;
    enum cairn_layer_kind kind;
    int keys;
} kinds[] = {
    {"conv",
     "conv OUTPUTS KHxKW [pad=...] [stride=...] [dilation=...] [groups=...] [bias=no] [init=...]",
     "ok", CAIRN_LAYER_CONV, KEYS_OF_CONV | KEY_PAD | KEY_GROUPS},
    {"convtranspose",
     "convtranspose OUTPUTS KHxKW [pad=...] [stride=...] [dilation=...] [extra=...] [bias=no] "
     "[init=...]",
     "ok", CAIRN_LAYER_CONV_TRANSPOSE, KEYS_OF_CONV | KEY_PADS | KEY_EXTRA},
    {"linear", "linear OUTPUTS [bias=no] [init=...]", "o", CAIRN_LAYER_LINEAR, KEY_BIAS | KEY_INIT},
    {"maxpool", "maxpool K, KHxKW or global [stride=...] [pad=...]", "w", CAIRN_LAYER_MAXPOOL,
     KEY_PAD | KEY_STRIDE},
    {"avgpool", "avgpool K, KHxKW or global [stride=...] [pad=...] [count_pad=yes]", "w",
     CAIRN_LAYER_AVGPOOL, KEY_PAD | KEY_STRIDE | KEY_COUNT_PAD},
    {"batchnorm", "batchnorm [momentum=0.1] [epsilon=1e-5]", "", CAIRN_LAYER_BATCHNORM,
     KEY_MOMENTUM | KEY_EPSILON},
    {"relu", "relu", "", CAIRN_LAYER_RELU, 0},
    {"tanh", "tanh", "", CAIRN_LAYER_TANH, 0},
    {"sigmoid", "sigmoid", "", CAIRN_LAYER_SIGMOID, 0},
    {"leakyrelu", "leakyrelu [SLOPE], from 0 to 2^20 (0.01)", "a", CAIRN_LAYER_LEAKYRELU, 0},
    {"elu", "elu [ALPHA], from 0 to 2^20 (1)", "a", CAIRN_LAYER_ELU, 0},
    {"gelu", "gelu [form=erf|tanh]", "", CAIRN_LAYER_GELU, KEY_FORM},
    {"silu", "silu", "", CAIRN_LAYER_SILU, 0},
    {"softplus", "softplus", "", CAIRN_LAYER_SOFTPLUS, 0},
    {"hardsigmoid", "hardsigmoid", "", CAIRN_LAYER_HARDSIGMOID, 0},
    {"hardswish", "hardswish", "", CAIRN_LAYER_HARDSWISH, 0},
    {"softmax", "softmax", "", CAIRN_LAYER_SOFTMAX, 0},
    {"logsoftmax", "logsoftmax", "", CAIRN_LAYER_LOGSOFTMAX, 0},
    {"dropout", "dropout RATE, from 0 to below 1", "r", CAIRN_LAYER_DROPOUT, 0},
    {"add", "add NAME, the name that as= gave to an earlier output, or input", "i", CAIRN_LAYER_ADD,
     0},
    {"flatten", "flatten", "", CAIRN_LAYER_FLATTEN, 0},
    {"none", "none", "", CAIRN_LAYER_NONE, 0},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* Puts name behind the list in text, with a comma between. */
static void append(char *text, size_t size, const char *name)
{
    size_t n = strlen(text);
    snprintf(text + n, size - n, "%s%s", n ? ", " : "", name);
}

static cairn_status unknown_key(const struct kind *kind, const char *word)
{
    char known[160] = "";
    for (size_t i = 0; i < KEYS; i++)
        if ((kind->keys | KEYS_OF_ALL) & keys[i].bit) append(known, sizeof known, keys[i].name);
    return cairn_fail(CAIRN_PARSE, "%s has no setting '%s'; it has: %s", kind->name, word, known);
}

static cairn_status parse_value(int bit, const char *value, struct cairn_layer *layer)
{
    switch (bit) {
    case KEY_PAD:
        layer->pad_same = !strcmp(value, "same");
        return layer->pad_same ? CAIRN_OK : parse_pads(value, layer);
    case KEY_PADS:
        return parse_pads(value, layer);
    case KEY_STRIDE:
        return parse_pair(value, 1, &layer->stride_h, &layer->stride_w);
    case KEY_DILATION:
        return parse_pair(value, 1, &layer->dilation_h, &layer->dilation_w);
    case KEY_GROUPS:
        return cairn_text_int(value, 1, MAX_SIZE, &layer->groups);
    case KEY_EXTRA:
        return parse_pair(value, 0, &layer->extra_h, &layer->extra_w);
    case KEY_COUNT_PAD:
        return parse_yes_no(value, &layer->count_pad);
    case KEY_MOMENTUM:
        return parse_float(value, 0, 1, &layer->momentum);
    case KEY_EPSILON:
        return parse_float(value, 0x1p-149, 1e30, &layer->epsilon);
    case KEY_FORM:
        return parse_form(value, &layer->gelu_tanh);
    case KEY_BIAS:
        return parse_yes_no(value, &layer->bias);
    case KEY_INIT:
        return cairn_init_word(value, &layer->init);
    case KEY_AS:
        return parse_as(value, layer->as);
    default:
        return parse_id(value, layer->from);
    }
}

static cairn_status parse_key(const struct kind *kind, char *word, struct cairn_layer *layer,
                              int *seen)
{
    char *value = strchr(word, '=');
    if (!value)
        return cairn_fail(CAIRN_PARSE, "'%s' does not belong here; accepted: %s", word,
                          kind->usage);
    *value++ = '\0';
    int known = kind->keys | KEYS_OF_ALL;
    size_t i = 0;
    while (i < KEYS && (strcmp(keys[i].name, word) != 0 || !(known & keys[i].bit))) i++;
    if (i == KEYS) return unknown_key(kind, word);
    if (*seen & keys[i].bit) return cairn_fail(CAIRN_PARSE, "%s= is given twice", word);
    *seen |= keys[i].bit;
    cairn_status st = parse_value(keys[i].bit, value, layer);
    if (st == CAIRN_OK) return st;
    char why[256];
    snprintf(why, sizeof why, "%s", cairn_error());
    return cairn_fail(st, "%s=: %s; accepted: %s", word, why, keys[i].accepts);
}

static cairn_status parse_argument(char letter, const char *word, struct cairn_layer *layer)
{
    switch (letter) {
    case 'o':
        return cairn_text_int(word, 1, MAX_SIZE, &layer->outputs);
    case 'w':
        layer->global = !strcmp(word, "global");
        return layer->global ? CAIRN_OK : parse_pair(word, 1, &layer->kh, &layer->kw);
    case 'k':
        return parse_pair(word, 1, &layer->kh, &layer->kw);
    case 'r':
        return parse_float(word, 0, 0x1.fffffep-1, &layer->rate);
    case 'a':
        return parse_float(word, 0, MAX_SIZE, &layer->alpha);
    default:
        return parse_id(word, layer->other);
    }
}

/* The words before the settings. */
static cairn_status parse_arguments(const struct kind *kind, struct cairn_line *line,
                                    struct cairn_layer *layer)
{
    cairn_status st = CAIRN_OK;
    for (const char *letter = kind->arguments; *letter && st == CAIRN_OK; letter++) {
        char *word = cairn_line_argument(line);
        if (!word && *letter == 'a') return CAIRN_OK;
        st = word ? parse_argument(*letter, word, layer)
                  : cairn_fail(CAIRN_PARSE, "%s lacks a value", kind->name);
    }
    if (st == CAIRN_OK) return st;
    char why[256];
    snprintf(why, sizeof why, "%s", cairn_error());
    return cairn_fail(st, "%s; accepted: %s", why, kind->usage);
}

static cairn_status parse_kind(const char *word, const struct kind **kind)
{
    char known[320] = "";
    for (size_t i = 0; i < KINDS; i++) {
        *kind = &kinds[i];
        if (!strcmp(kinds[i].name, word)) return CAIRN_OK;
        append(known, sizeof known, kinds[i].name);
    }
    return cairn_fail(CAIRN_PARSE, "'%s' is not a layer; there are: %s", word, known);
}

static struct cairn_layer layer_default(enum cairn_layer_kind kind)
{
    return (struct cairn_layer){
        .kind = kind,
        .stride_h = 1,
        .stride_w = 1,
        .dilation_h = 1,
        .dilation_w = 1,
        .groups = 1,
        .bias = kind == CAIRN_LAYER_CONV || kind == CAIRN_LAYER_CONV_TRANSPOSE ||
                kind == CAIRN_LAYER_LINEAR,
        .alpha = kind == CAIRN_LAYER_LEAKYRELU ? 0.01f : 1.0f,
        .momentum = kind == CAIRN_LAYER_BATCHNORM ? 0.1f : 0.0f,
        .epsilon = kind == CAIRN_LAYER_BATCHNORM ? 1e-5f : 0.0f,
    };
}

/* What no word alone can tell. */
static cairn_status check_together(const struct cairn_layer *layer, int seen)
{
    int is_pool = layer->kind == CAIRN_LAYER_MAXPOOL || layer->kind == CAIRN_LAYER_AVGPOOL;
    if (layer->global && (seen & (KEY_PAD | KEY_STRIDE | KEY_COUNT_PAD)))
        return cairn_fail(CAIRN_PARSE, "a global pool is one window over the whole plane: it takes "
                                       "no stride, pad or count_pad");
    if (is_pool && !layer->global &&
        (layer->pad_t >= layer->kh || layer->pad_b >= layer->kh || layer->pad_l >= layer->kw ||
         layer->pad_r >= layer->kw))
        return cairn_fail(CAIRN_PARSE, "the padding must be smaller than the window, %lldx%lld",
                          (long long)layer->kh, (long long)layer->kw);
    if (layer->extra_h >= layer->stride_h || layer->extra_w >= layer->stride_w)
        return cairn_fail(CAIRN_PARSE, "extra=%lldx%lld must be below the stride, %lldx%lld",
                          (long long)layer->extra_h, (long long)layer->extra_w,
                          (long long)layer->stride_h, (long long)layer->stride_w);
    if (layer->groups > 1 && layer->outputs % layer->groups)
        return cairn_fail(CAIRN_PARSE, "groups=%lld does not divide the %lld outputs",
                          (long long)layer->groups, (long long)layer->outputs);
    return CAIRN_OK;
}

cairn_status cairn_layer_parse(const char *text, struct cairn_layer *layer, int *column)
{
    cairn_status st = CAIRN_OK;
    struct cairn_line line;
    const struct kind *kind = &kinds[0];
    int seen = 0;
    memset(layer, 0, sizeof *layer);
    TRY(cairn_line_split(text, &line));
    TRY(parse_kind(cairn_line_next(&line), &kind));
    *layer = layer_default(kind->kind);
    memcpy(layer->text, text, strlen(text) + 1);
    TRY(parse_arguments(kind, &line, layer));
    if (kind->kind == CAIRN_LAYER_MAXPOOL || kind->kind == CAIRN_LAYER_AVGPOOL) {
        layer->stride_h = layer->global ? 1 : layer->kh;
        layer->stride_w = layer->global ? 1 : layer->kw;
    }
    for (char *word; (word = cairn_line_next(&line));) TRY(parse_key(kind, word, layer, &seen));
    TRY(check_together(layer, seen));
out:
    if (column) *column = line.bad;
    return st;
}
