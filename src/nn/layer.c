#include "nn/layer.h"

#include "base/error.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

#define MAX_SIZE 1048576 /* 2^20: outputs, kernels, strides and padding */
#define MAX_WORDS 16

/* One line split at white space; every word knows its column. */
struct line {
    char text[96];
    char *words[MAX_WORDS];
    int columns[MAX_WORDS];
    int count, taken; /* words; those used so far */
    int bad;          /* column of the word that is being read */
};

static cairn_status split(const char *text, struct line *line)
{
    memset(line, 0, sizeof *line);
    size_t length = strlen(text);
    if (length >= sizeof line->text)
        return cairn_fail(CAIRN_PARSE, "the line is longer than %zu characters",
                          sizeof line->text - 1);
    memcpy(line->text, text, length + 1);
    for (char *p = line->text; *p;) {
        p += strspn(p, " \t");
        if (!*p) break;
        line->bad = (int)(p - line->text);
        if (line->count == MAX_WORDS)
            return cairn_fail(CAIRN_PARSE, "more than %d words", MAX_WORDS);
        line->words[line->count] = p;
        line->columns[line->count++] = line->bad;
        p += strcspn(p, " \t");
        if (*p) *p++ = '\0';
    }
    line->bad = 0;
    return line->count ? CAIRN_OK : cairn_fail(CAIRN_PARSE, "the line is empty");
}

/* The next word; NULL at the end. */
static char *next(struct line *line)
{
    if (line->taken == line->count) return NULL;
    line->bad = line->columns[line->taken];
    return line->words[line->taken++];
}

/* "N" or "HxW" within [min, MAX_SIZE]. */
static cairn_status parse_pair(const char *word, int64_t min, int64_t *h, int64_t *w)
{
    cairn_status st = CAIRN_OK;
    char part[96];
    snprintf(part, sizeof part, "%s", word);
    char *x = strchr(part, 'x');
    if (x) *x++ = '\0';
    TRY(cairn_text_int(part, min, MAX_SIZE, h));
    *w = *h;
    if (x) TRY(cairn_text_int(x, min, MAX_SIZE, w));
out:
    return st;
}

static cairn_status parse_pad(const char *word, struct cairn_layer *layer)
{
    cairn_status st = CAIRN_OK;
    char part[96];
    int64_t pads[4];
    if (!strcmp(word, "same")) {
        layer->pad_same = 1;
        return st;
    }
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
        if ((i < 3) != (comma != NULL))
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

static cairn_status parse_layer_init(const char *word, struct cairn_init *init)
{
    static const struct {
        const char *name;
        enum cairn_init_kind kind;
    } kinds[] = {{"he", CAIRN_INIT_HE}, {"xavier", CAIRN_INIT_XAVIER}, {"zero", CAIRN_INIT_ZERO}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(word, kinds[i].name)) {
            *init = (struct cairn_init){kinds[i].kind, 0, 0};
            return CAIRN_OK;
        }
    return cairn_fail(CAIRN_PARSE, "'%s' is not one of: he, xavier, zero", word);
}

static cairn_status parse_form(const char *word, int *is_tanh)
{
    if (strcmp(word, "erf") != 0 && strcmp(word, "tanh") != 0)
        return cairn_fail(CAIRN_PARSE, "'%s' is neither erf nor tanh", word);
    *is_tanh = word[0] == 't';
    return CAIRN_OK;
}

enum { KEY_PAD = 1, KEY_STRIDE = 2, KEY_BIAS = 4, KEY_INIT = 8, KEY_FORM = 16 };

static const struct {
    const char *name, *accepts;
    int bit;
} keys[] = {
    {"pad", "pad=P, pad=HxW, pad=T,B,L,R or pad=same", KEY_PAD},
    {"stride", "stride=S or stride=HxW, at least 1", KEY_STRIDE},
    {"bias", "bias=yes or bias=no", KEY_BIAS},
    {"init", "init=he, init=xavier or init=zero", KEY_INIT},
    {"form", "form=erf or form=tanh", KEY_FORM},
};
#define KEYS (sizeof keys / sizeof *keys)

static const struct kind {
    const char *name, *usage;
    enum cairn_layer_kind kind;
    int keys;
} kinds[] = {
    {"conv", "conv OUTPUTS KHxKW [pad=...] [stride=...] [bias=no] [init=...]", CAIRN_LAYER_CONV,
     KEY_PAD | KEY_STRIDE | KEY_BIAS | KEY_INIT},
    {"linear", "linear OUTPUTS [bias=no] [init=...]", CAIRN_LAYER_LINEAR, KEY_BIAS | KEY_INIT},
    {"maxpool", "maxpool K or KHxKW [stride=...] [pad=...]", CAIRN_LAYER_MAXPOOL,
     KEY_PAD | KEY_STRIDE},
    {"relu", "relu", CAIRN_LAYER_RELU, 0},
    {"tanh", "tanh", CAIRN_LAYER_TANH, 0},
    {"sigmoid", "sigmoid", CAIRN_LAYER_SIGMOID, 0},
    {"leakyrelu", "leakyrelu [SLOPE], from 0 to 2^20 (0.01)", CAIRN_LAYER_LEAKYRELU, 0},
    {"elu", "elu [ALPHA], from 0 to 2^20 (1)", CAIRN_LAYER_ELU, 0},
    {"gelu", "gelu [form=erf|tanh]", CAIRN_LAYER_GELU, KEY_FORM},
    {"silu", "silu", CAIRN_LAYER_SILU, 0},
    {"softplus", "softplus", CAIRN_LAYER_SOFTPLUS, 0},
    {"hardsigmoid", "hardsigmoid", CAIRN_LAYER_HARDSIGMOID, 0},
    {"hardswish", "hardswish", CAIRN_LAYER_HARDSWISH, 0},
    {"dropout", "dropout RATE, from 0 to below 1", CAIRN_LAYER_DROPOUT, 0},
    {"flatten", "flatten", CAIRN_LAYER_FLATTEN, 0},
    {"none", "none", CAIRN_LAYER_NONE, 0},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static cairn_status unknown_key(const struct kind *kind, const char *word)
{
    char known[128] = "";
    for (size_t i = 0; i < KEYS; i++)
        if (kind->keys & keys[i].bit) {
            size_t n = strlen(known);
            snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", keys[i].name);
        }
    if (!*known) return cairn_fail(CAIRN_PARSE, "%s takes no settings, not '%s'", kind->name, word);
    return cairn_fail(CAIRN_PARSE, "%s has no setting '%s'; it has: %s", kind->name, word, known);
}

static cairn_status parse_key(const struct kind *kind, char *word, struct cairn_layer *layer,
                              int *seen)
{
    cairn_status st = CAIRN_OK;
    char *value = strchr(word, '=');
    if (!value)
        return cairn_fail(CAIRN_PARSE, "'%s' does not belong here; accepted: %s", word,
                          kind->usage);
    *value++ = '\0';
    size_t i = 0;
    while (i < KEYS && (strcmp(keys[i].name, word) != 0 || !(kind->keys & keys[i].bit))) i++;
    if (i == KEYS) return unknown_key(kind, word);
    if (*seen & keys[i].bit) return cairn_fail(CAIRN_PARSE, "%s= is given twice", word);
    *seen |= keys[i].bit;
    switch (keys[i].bit) {
    case KEY_PAD:
        st = parse_pad(value, layer);
        break;
    case KEY_STRIDE:
        st = parse_pair(value, 1, &layer->stride_h, &layer->stride_w);
        break;
    case KEY_BIAS:
        st = parse_yes_no(value, &layer->bias);
        break;
    case KEY_FORM:
        st = parse_form(value, &layer->gelu_tanh);
        break;
    default:
        st = parse_layer_init(value, &layer->init);
        break;
    }
    if (st == CAIRN_OK) return st;
    char why[256];
    snprintf(why, sizeof why, "%s", cairn_error());
    return cairn_fail(st, "%s=: %s; accepted: %s", word, why, keys[i].accepts);
}

/* The slope of leakyrelu and the alpha of elu may be left out. */
static cairn_status parse_alpha(const struct kind *kind, struct line *line,
                                struct cairn_layer *layer)
{
    cairn_status st = CAIRN_OK;
    double alpha;
    if (kind->kind == CAIRN_LAYER_LEAKYRELU) layer->alpha = 0.01f;
    if (line->taken == line->count || strchr(line->words[line->taken], '=')) return st;
    char *word = next(line);
    TRY(cairn_text_double(word, &alpha));
    if (!(alpha >= 0 && alpha <= 1048576))
        return cairn_fail(CAIRN_PARSE, "%s is out of range", word);
    layer->alpha = (float)alpha;
out:
    return st;
}

/* The words before the settings. */
static cairn_status parse_arguments(const struct kind *kind, struct line *line,
                                    struct cairn_layer *layer)
{
    cairn_status st = CAIRN_OK;
    double rate;
    char *word;
    int wanted = kind->kind == CAIRN_LAYER_CONV ? 2
                 : kind->kind == CAIRN_LAYER_LINEAR || kind->kind == CAIRN_LAYER_MAXPOOL ||
                         kind->kind == CAIRN_LAYER_DROPOUT
                     ? 1
                     : 0;
    if (kind->kind == CAIRN_LAYER_LEAKYRELU || kind->kind == CAIRN_LAYER_ELU)
        return parse_alpha(kind, line, layer);
    for (int i = 0; i < wanted; i++) {
        word = next(line);
        if (!word || strchr(word, '='))
            return cairn_fail(CAIRN_PARSE, "%s lacks a value", kind->name);
        if (kind->kind == CAIRN_LAYER_DROPOUT) {
            TRY(cairn_text_double(word, &rate));
            layer->rate = (float)rate;
            if (!(rate >= 0 && layer->rate < 1))
                return cairn_fail(CAIRN_PARSE, "%s is out of range", word);
        } else if (kind->kind == CAIRN_LAYER_MAXPOOL || i == 1) {
            TRY(parse_pair(word, 1, &layer->kh, &layer->kw));
        } else {
            TRY(cairn_text_int(word, 1, MAX_SIZE, &layer->outputs));
        }
    }
out:
    return st;
}

static cairn_status parse_kind(const char *word, const struct kind **kind)
{
    for (size_t i = 0; i < KINDS; i++)
        if (!strcmp(kinds[i].name, word)) {
            *kind = &kinds[i];
            return CAIRN_OK;
        }
    char known[256] = "";
    for (size_t i = 0; i < KINDS; i++) {
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", kinds[i].name);
    }
    return cairn_fail(CAIRN_PARSE, "'%s' is not a layer; there are: %s", word, known);
}

cairn_status cairn_layer_parse(const char *text, struct cairn_layer *layer, int *column)
{
    cairn_status st = CAIRN_OK;
    struct line line;
    const struct kind *kind = &kinds[0];
    int seen = 0;
    memset(layer, 0, sizeof *layer);
    TRY(split(text, &line));
    TRY(parse_kind(next(&line), &kind));
    memcpy(layer->text, text, strlen(text) + 1);
    layer->kind = kind->kind;
    layer->bias = kind->kind == CAIRN_LAYER_CONV || kind->kind == CAIRN_LAYER_LINEAR;
    layer->stride_h = layer->stride_w = layer->dilation_h = layer->dilation_w = layer->groups = 1;
    layer->alpha = 1.0f;
    st = parse_arguments(kind, &line, layer);
    if (st != CAIRN_OK) {
        char why[256];
        snprintf(why, sizeof why, "%s", cairn_error());
        st = cairn_fail(st, "%s; accepted: %s", why, kind->usage);
        goto out;
    }
    if (kind->kind == CAIRN_LAYER_MAXPOOL) {
        layer->stride_h = layer->kh;
        layer->stride_w = layer->kw;
    }
    for (char *word; (word = next(&line));) TRY(parse_key(kind, word, layer, &seen));
    if (kind->kind == CAIRN_LAYER_MAXPOOL &&
        (layer->pad_t >= layer->kh || layer->pad_b >= layer->kh || layer->pad_l >= layer->kw ||
         layer->pad_r >= layer->kw))
        st = cairn_fail(CAIRN_PARSE, "the padding must be smaller than the window, %lldx%lld",
                        (long long)layer->kh, (long long)layer->kw);
out:
    if (column) *column = line.bad;
    return st;
}

static cairn_status parse_normal(struct line *line, struct cairn_init *init)
{
    cairn_status st = CAIRN_OK;
    int seen_mean = 0, seen_dev = 0;
    for (char *word; (word = next(line));) {
        double value;
        int is_mean = !strncmp(word, "mean=", 5), is_dev = !strncmp(word, "dev=", 4);
        if (!is_mean && !is_dev)
            return cairn_fail(CAIRN_PARSE,
                              "'%s' is not a setting of normal; accepted: normal [mean=M] [dev=D]",
                              word);
        if (is_mean ? seen_mean++ : seen_dev++)
            return cairn_fail(CAIRN_PARSE, "'%s' is given twice", word);
        TRY(cairn_text_double(strchr(word, '=') + 1, &value));
        if (is_dev && value < 0) return cairn_fail(CAIRN_PARSE, "dev=%g is negative", value);
        *(is_mean ? &init->mean : &init->dev) = (float)value;
    }
out:
    return st;
}

cairn_status cairn_init_parse(const char *text, struct cairn_init *init, int *column)
{
    cairn_status st = CAIRN_OK;
    struct line line;
    char *word;
    memset(init, 0, sizeof *init);
    TRY(split(text, &line));
    word = next(&line);
    if (!strcmp(word, "normal")) {
        *init = (struct cairn_init){CAIRN_INIT_NORMAL, 0, 0.01f};
        TRY(parse_normal(&line, init));
        goto out;
    }
    if (parse_layer_init(word, init) != CAIRN_OK) {
        st = cairn_fail(
            CAIRN_PARSE,
            "'%s' is not an initialiser; there are: he, xavier, zero, normal [mean=M] [dev=D]",
            word);
        goto out;
    }
    if ((word = next(&line))) st = cairn_fail(CAIRN_PARSE, "'%s' does not belong here", word);
out:
    if (column) *column = line.bad;
    return st;
}
