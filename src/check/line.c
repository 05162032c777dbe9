/* A case as one line: "PROBLEM : data=KIND seed=N [variant=NAME] [inplace=1]
 * [guard=N] [offset.OPERAND=N]...". */
#include "check/check.h"
#include "base/error.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

int check_case_print(const struct check_case *c, char *text, size_t size)
{
    char problem[512], rest[512];
    cairn_problem_print(&c->problem, problem, sizeof problem);
    int n = snprintf(rest, sizeof rest, "data=%s seed=%llu", check_kind_names[c->kind],
                     (unsigned long long)c->seed);
    if (c->variant[0]) n += snprintf(rest + n, sizeof rest - (size_t)n, " variant=%s", c->variant);
    if (c->inplace) n += snprintf(rest + n, sizeof rest - (size_t)n, " inplace=1");
    if (c->guard != CHECK_GUARD)
        n += snprintf(rest + n, sizeof rest - (size_t)n, " guard=%lld", (long long)c->guard);
    int i = 0;
    for (const struct cairn_operand *o = cairn_schema_of(c->problem.op)->operands; o->name;
         o++, i++)
        if (c->offset[i])
            n += snprintf(rest + n, sizeof rest - (size_t)n, " offset.%s=%lld", o->name,
                          (long long)c->offset[i]);
    return snprintf(text, size, "%s : %s", problem, rest);
}

static cairn_status parse_offset(const char *name, const char *value, struct check_case *c)
{
    const struct cairn_operand *operands = cairn_schema_of(c->problem.op)->operands;
    for (int i = 0; operands[i].name; i++)
        if (!strcmp(operands[i].name, name) && operands[i].extent)
            return cairn_text_int(value, 0, INT32_MAX, &c->offset[i]);
    return cairn_fail(CAIRN_PARSE, "%s has no operand '%s' to shift", cairn_op_name(c->problem.op),
                      name);
}

static cairn_status parse_kind(const char *value, struct check_case *c)
{
    for (int kind = 0; kind < CHECK_KIND_COUNT; kind++)
        if (!strcmp(check_kind_names[kind], value)) {
            c->kind = (enum check_kind)kind;
            return CAIRN_OK;
        }
#define NAME(name) " " #name
    return cairn_fail(CAIRN_PARSE, "data '%s' is unknown; there are:" CHECK_KINDS(NAME), value);
#undef NAME
}

static cairn_status parse_name(const char *value, char name[16])
{
    if (!*value || strlen(value) >= 16)
        return cairn_fail(CAIRN_PARSE, "'%s' is not a variant's name", value);
    strcpy(name, value);
    return CAIRN_OK;
}

static cairn_status parse_word(char *word, struct check_case *c)
{
    int64_t number = 0;
    char *value = strchr(word, '=');
    if (!value) return cairn_fail(CAIRN_PARSE, "'%s' is not of the form key=value", word);
    *value++ = '\0';
    if (!strcmp(word, "data")) return parse_kind(value, c);
    if (!strcmp(word, "seed")) return cairn_text_u64(value, &c->seed);
    if (!strcmp(word, "guard")) return cairn_text_int(value, 0, INT32_MAX, &c->guard);
    if (!strcmp(word, "variant")) return parse_name(value, c->variant);
    if (!strncmp(word, "offset.", 7)) return parse_offset(word + 7, value, c);
    if (!strcmp(word, "inplace")) {
        cairn_status st = cairn_text_int(value, 0, 1, &number);
        c->inplace = (int)number;
        return st;
    }
    return cairn_fail(CAIRN_PARSE,
                      "a case has no '%s'; it has: data seed variant inplace guard offset.OPERAND",
                      word);
}

cairn_status check_case_parse(const char *line, struct check_case *c)
{
    cairn_status st = CAIRN_OK;
    const char *rest;
    char word[128];
    memset(c, 0, sizeof *c);
    c->guard = CHECK_GUARD;
    TRY(cairn_problem_parse(line, &c->problem, &rest));
    if (*rest == ':')
        rest++;
    else if (*rest) {
        st = cairn_fail(CAIRN_PARSE, "expected ':' at '%.40s'", rest);
        goto out;
    }
    while (rest += strspn(rest, " \t\n"), *rest) {
        size_t n = strcspn(rest, " \t\n");
        if (n >= sizeof word) {
            st = cairn_fail(CAIRN_PARSE, "'%.40s...' is too long", rest);
            goto out;
        }
        snprintf(word, sizeof word, "%.*s", (int)n, rest);
        rest += n;
        TRY(parse_word(word, c));
    }
out:
    return st == CAIRN_OK ? st : cairn_fail_in(st, "case '%.200s'", line);
}
