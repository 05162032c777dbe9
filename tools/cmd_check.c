/* cairn check: operators of a device against the reference, on random or given cases. */
#include "check_functions.h"
#include "commands.h"
#include "json.h"
#include "lines.h"
#include "options.h"

#include <cairn/check.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 5 /* failures printed per operator */

struct check {
    const char *device_spec, *against_spec, *math, *file, *kernels;
    struct option_list ops, variants;
    int64_t cases;
    int64_t seed;
    int small, twice, as_json, list, progress;
    struct check_functions functions;

    struct cairn_device *device, *against;
    struct cairn_check_result results[CAIRN_OP_COUNT];
    int used[CAIRN_OP_COUNT];
    int64_t shown;
    json_t *failures;
};

static void print_value(const struct cairn_check_failure *f, uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    if (f->is_float)
        printf("0x%08x (%.9g)", bits, (double)value);
    else
        printf("0x%08x (%d)", bits, (int)(int32_t)bits);
}

static json_t *failure_json(const struct cairn_check_failure *f)
{
    char got[16], want[16];
    snprintf(got, sizeof got, "0x%08x", f->got);
    snprintf(want, sizeof want, "0x%08x", f->want);
    return json_pack("{s:s s:s s:s s:s s:I s:s s:s s:f s:I}", "case", f->line, "device", f->device,
                     "operand", f->operand, "where", f->where, "index", (json_int_t)f->index, "got",
                     got, "want", want, "bound", f->bound, "different", (json_int_t)f->different);
}

static void failure(void *context, const struct cairn_check_failure *f)
{
    struct check *check = context;
    if (check->as_json) {
        json_array_append_new(check->failures, failure_json(f));
        return;
    }
    if (check->shown++ >= SHOWN) return;
    printf("%s\n    %s on %s: %s[%lld] is ", f->line, f->where, f->device, f->operand,
           (long long)f->index);
    print_value(f, f->got);
    printf(", should be ");
    print_value(f, f->want);
    if (f->bound > 0) printf(" within %.3g", f->bound);
    printf("; %lld differ\n", (long long)f->different);
}

static void progress(void *context, enum cairn_op op, int64_t done, int64_t total)
{
    struct check *check = context;
    if (check->progress)
        fprintf(stderr, "\r%-16s %lld of %lld%s", cairn_op_name(op), (long long)done,
                (long long)total, done == total ? "\r\033[K" : "");
}

/* The variant asked for: "OP=V" for this operator, or "V" for all. *only: 1 if it must exist. */
static const char *variant_for(const struct check *check, enum cairn_op op, int *only)
{
    const char *name = cairn_op_name(op), *found = NULL;
    size_t n = strlen(name);
    *only = 0;
    for (int i = 0; i < check->variants.count; i++) {
        const char *item = check->variants.items[i];
        if (!strncmp(item, name, n) && item[n] == '=') {
            *only = 1;
            return item + n + 1;
        }
        if (!strchr(item, '=')) found = item;
    }
    *only = found && check->ops.count;
    return found;
}

static struct cairn_check_options options_of(struct check *check)
{
    return (struct cairn_check_options){.cases = check->cases,
                                        .seed = (uint64_t)check->seed,
                                        .small = check->small,
                                        .twice = check->twice,
                                        .failure = failure,
                                        .progress = progress,
                                        .context = check};
}

static void print_line(struct check *check, enum cairn_op op)
{
    const struct cairn_check_result *r = &check->results[op];
    if (check->as_json) return;
    if (check->shown > SHOWN) printf("... and %lld more\n", (long long)(check->shown - SHOWN));
    printf("%-16s %7lld cases %8lld runs %12lld values %10lld differ", cairn_op_name(op),
           (long long)r->cases, (long long)r->runs, (long long)r->values, (long long)r->different);
    if (r->worst > 0) printf("   at most %.3f of the bound", r->worst);
    printf("\n");
    fflush(stdout);
}

static cairn_status check_op(struct check *check, enum cairn_op op)
{
    int only;
    struct cairn_check_options options = options_of(check);
    options.variant = variant_for(check, op, &only);
    check->shown = 0;
    cairn_status st =
        cairn_check_random(check->device, check->against, op, &options, &check->results[op]);
    if (st == CAIRN_INVALID && options.variant && !only) return CAIRN_OK;
    if (st != CAIRN_OK && st != CAIRN_DIFFERENT) return st;
    check->used[op] = 1;
    print_line(check, op);
    return CAIRN_OK;
}

static cairn_status check_case(struct check *check, const char *line)
{
    enum cairn_op op;
    struct cairn_check_options options = options_of(check);
    check->shown = 0;
    cairn_status st = cairn_check_line_op(line, &op);
    if (st != CAIRN_OK) return st;
    st = cairn_check_line(check->device, check->against, line, &options, &check->results[op]);
    if (st != CAIRN_OK && st != CAIRN_DIFFERENT) return st;
    check->used[op] = 1;
    return CAIRN_OK;
}

static int check_file_line(void *context, const char *line, int number)
{
    (void)number;
    cairn_status st = check_case(context, line);
    return st == CAIRN_OK ? -1 : tool_fail("check", st);
}

static json_t *op_json(const char *name, const struct cairn_check_result *r)
{
    json_t *variants = json_object();
    for (int i = 0; i < CAIRN_CHECK_VARIANTS && r->variants[i].runs; i++)
        json_object_set_new(variants, r->variants[i].name, json_integer(r->variants[i].runs));
    return json_pack("{s:s s:I s:I s:I s:I s:I s:f s:o}", "op", name, "cases", (json_int_t)r->cases,
                     "runs", (json_int_t)r->runs, "failed", (json_int_t)r->failed, "values",
                     (json_int_t)r->values, "different", (json_int_t)r->different, "worst",
                     r->worst, "variants", variants);
}

static int print_json(const struct check *check)
{
    const struct cairn_device_info *info = cairn_device_info(check->device);
    json_t *ops = json_array();
    for (int op = 0; op < CAIRN_OP_COUNT; op++) {
        const struct cairn_check_result *r = &check->results[op];
        if (!check->used[op]) continue;
        json_array_append_new(ops, op_json(cairn_op_name((enum cairn_op)op), r));
    }
    return tool_json_print(
        "check", json_pack("{s:s s:o s:o s:s s:s s:I s:b s:o s:O}", "device", info->spec, "name",
                           tool_json_text(info->name), "driver", tool_json_text(info->driver),
                           "against", cairn_device_info(check->against)->spec, "math", check->math,
                           "seed", (json_int_t)check->seed, "small", check->small, "operators", ops,
                           "failures", check->failures));
}

static int is_wanted(const struct check *check, enum cairn_op op)
{
    int wanted = !check->ops.count;
    for (int i = 0; i < check->ops.count; i++) wanted |= cairn_op_find(check->ops.items[i]) == op;
    return wanted;
}

static int run_all(struct check *check, int count, char **lines)
{
    int code = check->file ? tool_lines("check", check->file, "case", check_file_line, check) : -1;
    for (int i = 0; i < count && code < 0; i++) {
        cairn_status st = check_case(check, lines[i]);
        if (st != CAIRN_OK) code = tool_fail("check", st);
    }
    int given = count || check->file;
    for (int op = 0; op < CAIRN_OP_COUNT && code < 0; op++) {
        if (given && check->used[op]) print_line(check, (enum cairn_op)op);
        if (given || !is_wanted(check, (enum cairn_op)op)) continue;
        cairn_status st = check_op(check, (enum cairn_op)op);
        if (st != CAIRN_OK) code = tool_fail("check", st);
    }
    if (code >= 0) return code;
    int used = 0, failed = 0;
    for (int op = 0; op < CAIRN_OP_COUNT; op++) {
        used |= check->used[op];
        failed |= check->results[op].failed > 0;
    }
    if (!used && check->variants.count)
        return tool_misuse("check", "no operator has the variant '%s'", check->variants.items[0]);
    if (check->as_json && (code = print_json(check)) != 0) return code;
    return failed ? 1 : 0;
}

/* Wrong words are told before a device is opened. */
static int check_words(const struct check *check, int count, char **lines)
{
    enum cairn_op op;
    for (int i = 0; i < check->ops.count; i++)
        if (cairn_op_find(check->ops.items[i]) == CAIRN_OP_COUNT) {
            fprintf(stderr,
                    "cairn check: --op: '%s' is no operator; there are:", check->ops.items[i]);
            for (int k = 0; k < CAIRN_OP_COUNT; k++)
                fprintf(stderr, " %s", cairn_op_name((enum cairn_op)k));
            return fputc('\n', stderr), 2;
        }
    for (int i = 0; i < check->variants.count; i++) {
        char name[32];
        size_t n = strcspn(check->variants.items[i], "=");
        snprintf(name, sizeof name, "%.*s", (int)n, check->variants.items[i]);
        if (check->variants.items[i][n] && cairn_op_find(name) == CAIRN_OP_COUNT)
            return tool_misuse("check", "--variant: '%s' is no operator", name);
    }
    if (strcmp(check->math, "exact") != 0 && strcmp(check->math, "fast") != 0)
        return tool_misuse("check", "--math: '%s' is neither exact nor fast", check->math);
    for (int i = 0; i < count; i++)
        if (cairn_check_line_op(lines[i], &op) != CAIRN_OK) return tool_fail("check", CAIRN_PARSE);
    return -1;
}

static int list_cases(const struct check *check)
{
    char line[1024];
    json_t *lines = json_array();
    for (int op = 0; op < CAIRN_OP_COUNT; op++)
        for (int64_t number = 0; is_wanted(check, (enum cairn_op)op) && number < check->cases;
             number++) {
            cairn_check_draw((enum cairn_op)op, (uint64_t)check->seed, number, check->small, line,
                             sizeof line);
            if (check->as_json)
                json_array_append_new(lines, tool_json_text(line));
            else
                puts(line);
        }
    if (check->as_json) return tool_json_print("check", lines);
    json_decref(lines);
    return 0;
}

int cmd_check(int argc, char **argv)
{
    struct check check = {.device_spec = "opencl",
                          .against_spec = "reference",
                          .math = "exact",
                          .cases = 100,
                          .seed = 1,
                          .functions = {.to = (int64_t)1 << 32, .every = 1},
                          .progress = tool_can_rewrite()};
    const struct option_row rows[] = {
        {"device", OPTION_TEXT, &check.device_spec, "D", "the device to check (opencl)", 0, 0,
         NULL},
        {"against", OPTION_TEXT, &check.against_spec, "D", "the device that is right (reference)",
         0, 0, NULL},
        {"op", OPTION_LIST, &check.ops, "OP", "only this operator; may be repeated", 0, 0, NULL},
        {"cases", OPTION_INT, &check.cases, "N", "random cases per operator (100)", 1, 1000000000,
         NULL},
        {"small", OPTION_FLAG, &check.small, NULL, "tiny shapes, for simulators and slow devices",
         0, 0, NULL},
        {"seed", OPTION_INT, &check.seed, "N", "which random cases (1)", 0, INT64_MAX, NULL},
        {"math", OPTION_TEXT, &check.math, "exact|fast",
         "bit for bit (the default), or within bounds", 0, 0, NULL},
        {"variant", OPTION_LIST, &check.variants, "V", "only this variant; OP=V for one operator",
         0, 0, NULL},
        {"kernels", OPTION_TEXT, &check.kernels, "DIR",
         "a folder whose kernel files stand for those of the same names", 0, 0, NULL},
        {"twice", OPTION_FLAG, &check.twice, NULL, "run each twice and compare the two results", 0,
         0, NULL},
        {"list", OPTION_FLAG, &check.list, NULL, "print the random cases and run none", 0, 0, NULL},
        {"file", OPTION_TEXT, &check.file, "FILE", "run the cases of a file, one a line", 0, 0,
         NULL},
        {"functions", OPTION_FLAG, &check.functions.all, NULL,
         "instead of operators: exp, log, ... of all 2^32 floats", 0, 0, NULL},
        {"function", OPTION_LIST, &check.functions.names, "NAME", "one of them; may be repeated", 0,
         0, NULL},
        {"from", OPTION_INT, &check.functions.from, "N", "functions: from this operand's bits (0)",
         0, (int64_t)1 << 32, NULL},
        {"to", OPTION_INT, &check.functions.to, "N", "functions: up to before this one (2^32)", 1,
         (int64_t)1 << 32, NULL},
        {"every", OPTION_INT, &check.functions.every, "N", "functions: each N-th operand (1)", 1,
         (int64_t)1 << 31, NULL},
        {"json", OPTION_FLAG, &check.as_json, NULL, "print one JSON value", 0, 0, NULL},
        {0},
    };
    const struct option_set set = {"check",
                                   "[OPTION]... [CASE]...",
                                   "Runs operators on a device and on the reference with the same "
                                   "random data and compares every value,\n"
                                   "bit by bit. Each difference is told with its case as one line, "
                                   "which can be given back as CASE.",
                                   rows,
                                   0,
                                   -1};
    int count = 0, code = options_parse(&set, argc, argv, &count);
    if (code >= 0) return code;
    code = check_words(&check, count, argv + 1);
    if (code < 0) code = check_functions_words(&check.functions);
    if (code >= 0) return code;
    if (check.list) return list_cases(&check);
    struct cairn_device_options options = {.math = strcmp(check.math, "fast") ? CAIRN_MATH_EXACT
                                                                              : CAIRN_MATH_FAST,
                                           .unchecked = 1,
                                           .kernels = check.kernels};
    cairn_status st = cairn_device_open(check.against_spec, NULL, &check.against);
    if (st == CAIRN_OK) st = cairn_device_open(check.device_spec, &options, &check.device);
    if (st == CAIRN_OK) {
        if (!check.as_json)
            printf("%s (%s) against %s, %s\n", cairn_device_info(check.device)->spec,
                   cairn_device_info(check.device)->name, cairn_device_info(check.against)->spec,
                   check.math);
        check.failures = json_array();
        check.functions.as_json = check.as_json;
        code = check.functions.all || check.functions.names.count
                   ? check_functions_run(&check.functions, check.device)
                   : run_all(&check, count, argv + 1);
        json_decref(check.failures);
    } else {
        code = tool_fail("check", st);
    }
    cairn_device_close(check.device);
    cairn_device_close(check.against);
    return code;
}
