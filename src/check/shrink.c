/* Making a failing case small: what its problem does not need to fail is taken away. */
#include "base/error.h"
#include "check/check.h"

#include <stdio.h>
#include <string.h>

#define MOST_RUNS 300

struct shrink {
    struct cairn_device *device, *against;
    struct check_case best; /* fails */
    int runs;
};

/* Takes over a case that still differs; what does not run is no smaller case of the same fault. */
static int takes(struct shrink *s, struct check_case *c)
{
    struct cairn_check_options options = {.cases = 1};
    struct cairn_check_result result = {0};
    char line[1024], old[1024];
    if (cairn_problem_complete(&c->problem) != CAIRN_OK || s->runs >= MOST_RUNS) return 0;
    check_case_print(c, line, sizeof line);
    check_case_print(&s->best, old, sizeof old);
    if (!strcmp(line, old)) return 0;
    s->runs++;
    if (cairn_check_line(s->device, s->against, line, &options, &result) != CAIRN_DIFFERENT)
        return 0;
    s->best = *c;
    return 1;
}

static void set_field(struct check_case *c, const struct cairn_field *f, int64_t value)
{
    memcpy((char *)&c->problem.u + f->offset, &value, sizeof value);
}

static int64_t field_of(const struct check_case *c, const struct cairn_field *f)
{
    int64_t value;
    memcpy(&value, (const char *)&c->problem.u + f->offset, sizeof value);
    return value;
}

/* The case with one field changed and the derived ones computed anew. */
static int try_field(struct shrink *s, const struct cairn_field *f, int64_t value)
{
    struct check_case c = s->best;
    for (const struct cairn_field *d = cairn_schema_of(c.problem.op)->fields; d->name; d++)
        if (d->derived) set_field(&c, d, 0);
    set_field(&c, f, value);
    return takes(s, &c);
}

static int shrink_fields(struct shrink *s)
{
    int better = 0;
    for (const struct cairn_field *f = cairn_schema_of(s->best.problem.op)->fields; f->name; f++) {
        float preset = (float)f->preset;
        struct check_case c = s->best;
        if (f->type == CAIRN_FIELD_FLOAT) {
            memcpy((char *)&c.problem.u + f->offset, &preset, sizeof preset);
            better |= takes(s, &c);
        } else if (try_field(s, f, f->derived ? 0 : (int64_t)f->preset)) {
            better = 1;
        } else if (f->type == CAIRN_FIELD_INT) {
            while (field_of(&s->best, f) > 1 && try_field(s, f, field_of(&s->best, f) / 2))
                better = 1;
            while (field_of(&s->best, f) > 1 && try_field(s, f, field_of(&s->best, f) - 1))
                better = 1;
        }
    }
    return better;
}

static int shrink_rest(struct shrink *s)
{
    int better = 0;
    struct check_case c = s->best;
    c.inplace = 0;
    memset(c.offset, 0, sizeof c.offset);
    better |= takes(s, &c);
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) {
        c = s->best;
        c.offset[i] = 0;
        better |= takes(s, &c);
    }
    for (int kind = 0; kind < (int)s->best.kind; kind++) {
        c = s->best;
        c.kind = (enum check_kind)kind;
        better |= takes(s, &c);
    }
    c = s->best;
    c.seed = 1;
    return better | takes(s, &c);
}

cairn_status cairn_check_shrink(struct cairn_device *device, struct cairn_device *against,
                                const char *line, char *text, size_t size)
{
    cairn_status st = CAIRN_OK;
    struct shrink s = {device, against, {.seed = 0}, 0};
    TRY(check_case_parse(line, &s.best));
    while ((shrink_fields(&s) | shrink_rest(&s)) && s.runs < MOST_RUNS) continue;
    check_case_print(&s.best, text, size);
out:
    return st;
}
