#include "base/error.h"
#include "base/text.h"
#include "device/schema.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct cairn_schema *const schemas[CAIRN_OP_COUNT] = {
#define ROW(slot, NAME, type, member) [CAIRN_OP_##NAME] = &cairn_schema_##slot,
    CAIRN_OP_LIST(ROW)
#undef ROW
};

const struct cairn_schema *cairn_schema_of(enum cairn_op op)
{
    return schemas[op];
}

const char *cairn_op_name(enum cairn_op op)
{
    return (unsigned)op < CAIRN_OP_COUNT ? schemas[op]->name : "unknown";
}

enum cairn_op cairn_op_find(const char *name)
{
    for (int op = 0; op < CAIRN_OP_COUNT; op++)
        if (!strcmp(schemas[op]->name, name)) return (enum cairn_op)op;
    return CAIRN_OP_COUNT;
}

struct cairn_mem *cairn_problem_mem(struct cairn_problem *problem,
                                    const struct cairn_operand *operand)
{
    return (struct cairn_mem *)((char *)&problem->u + operand->offset);
}

const struct cairn_mem *cairn_problem_mem_const(const struct cairn_problem *problem,
                                                const struct cairn_operand *operand)
{
    return (const struct cairn_mem *)((const char *)&problem->u + operand->offset);
}

int cairn_problem_operand(struct cairn_problem *problem, int number,
                          struct cairn_operand_info *operand)
{
    for (const struct cairn_operand *o = cairn_schema_of(problem->op)->operands; o->name; o++) {
        int64_t extent = o->extent ? o->extent(problem) : 0;
        if ((o->extent && extent == 0) || number-- > 0) continue;
        *operand = (struct cairn_operand_info){o->name, o->dtype, o->role, extent,
                                               cairn_problem_mem(problem, o)};
        return 1;
    }
    return 0;
}

size_t cairn_dtype_size(enum cairn_dtype dtype)
{
    return dtype == CAIRN_U8 ? 1 : 4;
}

int64_t cairn_out_extent(int64_t in, int64_t kernel, int64_t stride, int64_t pad_before,
                         int64_t pad_after)
{
    int64_t room = in + pad_before + pad_after - kernel;
    return room < 0 ? 0 : room / stride + 1;
}

static void *field_of(struct cairn_problem *problem, const struct cairn_field *field)
{
    return (char *)&problem->u + field->offset;
}

static int64_t read_int(const struct cairn_problem *problem, const struct cairn_field *field)
{
    int64_t v;
    memcpy(&v, (const char *)&problem->u + field->offset, sizeof v);
    return v;
}

static float read_float(const struct cairn_problem *problem, const struct cairn_field *field)
{
    float v;
    memcpy(&v, (const char *)&problem->u + field->offset, sizeof v);
    return v;
}

struct cairn_problem cairn_problem_default(enum cairn_op op)
{
    struct cairn_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.op = op;
    for (const struct cairn_field *f = schemas[op]->fields; f->name; f++) {
        float value = (float)f->preset;
        int64_t whole = (int64_t)f->preset;
        if (f->type == CAIRN_FIELD_FLOAT)
            memcpy(field_of(&problem, f), &value, sizeof value);
        else
            memcpy(field_of(&problem, f), &whole, sizeof whole);
    }
    return problem;
}

static cairn_status check_field(const struct cairn_problem *problem, const struct cairn_field *f)
{
    const char *op = schemas[problem->op]->name;
    if (f->type == CAIRN_FIELD_U64) return CAIRN_OK;
    if (f->type == CAIRN_FIELD_FLOAT) {
        float v = read_float(problem, f);
        if ((f->min != 0 || f->max != 0) && !(v >= (float)f->min && v <= (float)f->max))
            return cairn_fail(CAIRN_INVALID, "%s: %s=%g is out of range, %.9g to %.9g", op, f->name,
                              (double)v, f->min, f->max);
        return CAIRN_OK;
    }
    int64_t v = read_int(problem, f);
    if ((f->min != 0 || f->max != 0) && ((double)v < f->min || (double)v > f->max))
        return cairn_fail(CAIRN_INVALID, "%s: %s=%lld is out of range, %.0f to %.0f", op, f->name,
                          (long long)v, f->min, f->max);
    return CAIRN_OK;
}

cairn_status cairn_problem_complete(struct cairn_problem *problem)
{
    cairn_status st = CAIRN_OK;
    if ((unsigned)problem->op >= CAIRN_OP_COUNT)
        return cairn_fail(CAIRN_INVALID, "there is no operator number %d", (int)problem->op);
    const struct cairn_schema *schema = schemas[problem->op];
    for (const struct cairn_field *f = schema->fields; f->name; f++) TRY(check_field(problem, f));
    if (schema->complete) TRY(schema->complete(problem));
    for (const struct cairn_operand *o = schema->operands; o->name; o++)
        if (o->extent && o->extent(problem) >= CAIRN_HUGE)
            return cairn_fail(CAIRN_INVALID, "%s: operand %s has more than 2^60 elements",
                              schema->name, o->name);
out:
    return st;
}

struct sink {
    char *text;
    size_t size, length;
};

__attribute__((format(printf, 2, 3))) static void put(struct sink *sink, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = sink->length < sink->size ? sink->size - sink->length : 0;
    int n = vsnprintf(room ? sink->text + sink->length : NULL, room, format, args);
    va_end(args);
    if (n > 0) sink->length += (size_t)n;
}

static void print_field(struct sink *sink, const struct cairn_problem *problem,
                        const struct cairn_field *f)
{
    if (f->type == CAIRN_FIELD_FLOAT) {
        char number[32];
        cairn_text_print_float(number, sizeof number, read_float(problem, f));
        put(sink, " %s=%s", f->name, number);
    } else if (f->type == CAIRN_FIELD_ENUM) {
        put(sink, " %s=%s", f->name, f->names[read_int(problem, f)]);
    } else if (f->type == CAIRN_FIELD_U64) {
        put(sink, " %s=%llu", f->name, (unsigned long long)read_int(problem, f));
    } else {
        put(sink, " %s=%lld", f->name, (long long)read_int(problem, f));
    }
}

int cairn_problem_print(const struct cairn_problem *problem, char *text, size_t size)
{
    const struct cairn_schema *schema = schemas[problem->op];
    struct sink sink = {text, size, 0};
    if (size) text[0] = '\0';
    /* What the derived fields would be if left out: they are printed only where they differ. */
    struct cairn_problem plain = *problem, preset = cairn_problem_default(problem->op);
    for (const struct cairn_field *f = schema->fields; f->name; f++)
        if (f->derived) memset(field_of(&plain, f), 0, sizeof(int64_t));
    if (schema->complete) (void)schema->complete(&plain);
    put(&sink, "%s", schema->name);
    for (const struct cairn_field *f = schema->fields; f->name; f++) {
        const struct cairn_problem *usual = f->derived ? &plain : &preset;
        int same = f->type == CAIRN_FIELD_FLOAT
                       ? memcmp((const char *)&problem->u + f->offset,
                                (const char *)&usual->u + f->offset, 4) == 0
                       : read_int(problem, f) == read_int(usual, f);
        if (!same) print_field(&sink, problem, f);
    }
    return (int)sink.length;
}

static cairn_status parse_value(struct cairn_problem *problem, const struct cairn_field *f,
                                const char *word)
{
    cairn_status st = CAIRN_OK;
    int64_t whole = 0;
    float real = 0;
    switch (f->type) {
    case CAIRN_FIELD_FLOAT:
        TRY(cairn_text_float_any(word, &real));
        memcpy(field_of(problem, f), &real, sizeof real);
        break;
    case CAIRN_FIELD_U64:
        TRY(cairn_text_u64(word, (uint64_t *)&whole));
        memcpy(field_of(problem, f), &whole, sizeof whole);
        break;
    case CAIRN_FIELD_ENUM:
        for (whole = 0; f->names[whole] && strcmp(f->names[whole], word) != 0; whole++) continue;
        if (!f->names[whole] || (double)whole < f->min) {
            char known[128] = "";
            for (int i = (int)f->min; f->names[i]; i++)
                snprintf(known + strlen(known), sizeof known - strlen(known), " %s", f->names[i]);
            return cairn_fail(CAIRN_PARSE, "'%s' is not one of:%s", word, known);
        }
        memcpy(field_of(problem, f), &whole, sizeof whole);
        break;
    case CAIRN_FIELD_INT:
        TRY(cairn_text_int(word, INT64_MIN, INT64_MAX, &whole));
        memcpy(field_of(problem, f), &whole, sizeof whole);
        break;
    }
out:
    return st == CAIRN_OK ? st : cairn_fail_in(st, "%s: %s", schemas[problem->op]->name, f->name);
}

static cairn_status parse_field(struct cairn_problem *problem, char *word)
{
    const struct cairn_schema *schema = schemas[problem->op];
    char *value = strchr(word, '=');
    *value++ = '\0';
    for (const struct cairn_field *f = schema->fields; f->name; f++)
        if (!strcmp(f->name, word)) return parse_value(problem, f, value);
    char known[512] = "";
    for (const struct cairn_field *f = schema->fields; f->name; f++)
        snprintf(known + strlen(known), sizeof known - strlen(known), " %s", f->name);
    return cairn_fail(CAIRN_PARSE, "%s has no field '%s'; it has:%s", schema->name, word, known);
}

/* Copies the next word (up to white space) of *text and moves past it; 0 at the end. Of a word that
 * is too long there is so much that it fills `word`: longer than any that means something. */
static int next_word(const char **text, char *word, size_t size)
{
    *text += strspn(*text, " \t\n");
    size_t n = strcspn(*text, " \t\n");
    if (n == 0) return 0;
    snprintf(word, size, "%.*s", n < size ? (int)n : (int)size, *text);
    *text += n;
    return 1;
}

/* Whether the field of `word` ("m=5") is named between `text` and `end`, too. */
static int given_before(const char *text, const char *end, const char *word)
{
    size_t name = (size_t)(strchr(word, '=') - word) + 1;
    for (; text < end; text += strcspn(text, " \t\n")) {
        text += strspn(text, " \t\n");
        if (text < end && !strncmp(text, word, name)) return 1;
    }
    return 0;
}

cairn_status cairn_problem_parse(const char *text, struct cairn_problem *problem, const char **end)
{
    cairn_status st = CAIRN_OK;
    char word[128];
    if (!next_word(&text, word, sizeof word))
        return cairn_fail(CAIRN_PARSE, "empty problem: expected an operator's name");
    enum cairn_op op = cairn_op_find(word);
    if (op == CAIRN_OP_COUNT) {
        char known[512] = "";
        for (int i = 0; i < CAIRN_OP_COUNT; i++)
            snprintf(known + strlen(known), sizeof known - strlen(known), " %s", schemas[i]->name);
        return cairn_fail(CAIRN_PARSE, "'%s' is not an operator; there are:%s", word, known);
    }
    *problem = cairn_problem_default(op);
    const char *before = text;
    const char *first = text;
    while (next_word(&text, word, sizeof word)) {
        if (!strchr(word, '=')) {
            if (!end)
                return cairn_fail(CAIRN_PARSE, "%s: '%s' is not of the form field=value",
                                  schemas[op]->name, word);
            text = before;
            break;
        }
        if (strlen(word) == sizeof word - 1)
            return cairn_fail(CAIRN_PARSE, "%s: '%.40s...' is too long for a field",
                              schemas[op]->name, word);
        if (given_before(first, before, word))
            return cairn_fail(CAIRN_PARSE, "%s: '%s' repeats a field", schemas[op]->name, word);
        TRY(parse_field(problem, word));
        before = text;
    }
    if (end) *end = text + strspn(text, " \t\n");
    TRY(cairn_problem_complete(problem));
out:
    return st;
}

double cairn_problem_flops(const struct cairn_problem *problem)
{
    const struct cairn_schema *schema = schemas[problem->op];
    return schema->flops ? schema->flops(problem) : 0;
}

double cairn_problem_bytes(const struct cairn_problem *problem)
{
    double bytes = 0;
    for (const struct cairn_operand *o = schemas[problem->op]->operands; o->name; o++)
        if (o->extent)
            bytes += (o->role == CAIRN_INOUT ? 2.0 : 1.0) * (double)o->extent(problem) *
                     (double)cairn_dtype_size(o->dtype);
    return bytes;
}
