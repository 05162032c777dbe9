/* Cases on two devices: the checker's public functions. */
#include "check/check.h"
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cairn_status check_way(const struct check_session *session, const struct check_case *way,
                       struct check_image *images, double *const *bounds)
{
    cairn_status st = CAIRN_OK;
    char line[1024];
    struct check_break broken;
    struct check_report report = {session->options, session->result, line,
                                  cairn_device_info(session->device)->spec, 0};
    double *own[CHECK_MAX_OPERANDS] = {NULL};
    check_case_print(way, line, sizeof line);
    if (cairn_device_math(session->device) == CAIRN_MATH_FAST && check_has_own_bound(way)) {
        TRY(check_bounds(session->against, way, images, own));
        bounds = own;
    }
    TRY(check_run(session->device, way, images, CHECK_GOT, way->inplace, &broken));
    session->result->runs++;
    check_compare(&report, images, bounds);
    check_untouched(&report, images, CHECK_GOT);
    check_work(&report, &broken);
    if (session->options->twice) {
        TRY(check_run(session->device, way, images, CHECK_AGAIN, way->inplace, &broken));
        check_compare_again(&report, images);
    }
    if (report.different) session->result->failed++;
out:
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) free(own[i]);
    return st == CAIRN_OK ? st : cairn_fail_in(st, "%s", line);
}

static void count_run(struct cairn_check_result *result, const char *variant)
{
    int i = 0;
    while (i < CAIRN_CHECK_VARIANTS && result->variants[i].runs &&
           strcmp(result->variants[i].name, variant) != 0)
        i++;
    if (i == CAIRN_CHECK_VARIANTS) return;
    snprintf(result->variants[i].name, sizeof result->variants[i].name, "%s", variant);
    result->variants[i].runs++;
}

static cairn_status run_variants(const struct check_session *session, const struct check_case *c,
                                 struct check_image *images, double *const *bounds, int *ran)
{
    cairn_status st = CAIRN_OK;
    const char *op = cairn_op_name(c->problem.op);
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    struct check_case way = *c;
    int count = cairn_device_variants(session->device, &c->problem, variants);
    if (count < 1) return cairn_fail(CAIRN_UNSUPPORTED, "%s: no variant fits this device", op);
    for (int i = 0; i < count; i++) {
        if (c->variant[0] && strcmp(c->variant, variants[i].name) != 0) continue;
        if (count > 1) memcpy(way.variant, variants[i].name, sizeof way.variant);
        if (session->options->begin) {
            char line[1024];
            check_case_print(&way, line, sizeof line);
            if (!session->options->begin(session->options->context, way.problem.op,
                                         variants[i].name, line))
                continue;
        }
        TRY(cairn_device_force(session->device, op, variants[i].name));
        TRY(check_way(session, &way, images, bounds));
        count_run(session->result, variants[i].name);
        (*ran)++;
    }
out:
    (void)cairn_device_force(session->device, op, NULL);
    return st;
}

static cairn_status run_case(const struct check_session *session, const struct check_case *c,
                             int *ran)
{
    cairn_status st = CAIRN_OK;
    char line[1024];
    double *bounds[CHECK_MAX_OPERANDS] = {NULL};
    struct check_image images[CHECK_MAX_OPERANDS];
    struct check_break broken;
    struct check_report report = {session->options, session->result, line,
                                  cairn_device_info(session->against)->spec, 0};
    check_case_print(c, line, sizeof line);
    *ran = 0;
    TRY(check_images_make(c, images));
    TRY(check_run(session->against, c, images, CHECK_WANT, 0, &broken));
    check_untouched(&report, images, CHECK_WANT);
    check_work(&report, &broken);
    if (report.different) session->result->failed++;
    if (cairn_device_math(session->device) == CAIRN_MATH_FAST)
        TRY(check_bounds(session->against, c, images, bounds));
    TRY(run_variants(session, c, images, bounds, ran));
    if (*ran) session->result->cases++;
out:
    check_images_free(images);
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) free(bounds[i]);
    return st;
}

static cairn_status verdict(const struct cairn_check_result *before,
                            const struct cairn_check_result *after)
{
    if (after->failed == before->failed) return CAIRN_OK;
    return cairn_fail(CAIRN_DIFFERENT, "%lld of %lld runs differ",
                      (long long)(after->failed - before->failed),
                      (long long)(after->runs - before->runs));
}

cairn_status cairn_check_random(struct cairn_device *device, struct cairn_device *against,
                                enum cairn_op op, const struct cairn_check_options *options,
                                struct cairn_check_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_check_result before = *result;
    struct check_session session = {device, against, options, result};
    int64_t total = options->cases ? options->cases : 100;
    struct check_case c;
    int ran;
    for (int64_t number = 0; number < total; number++) {
        check_case_draw(op, options->seed, number, options->small, &c);
        if (options->variant) snprintf(c.variant, sizeof c.variant, "%s", options->variant);
        TRY(run_case(&session, &c, &ran));
        if (options->progress) options->progress(options->context, op, number + 1, total);
    }
    if (result->runs == before.runs) {
        st = cairn_fail(CAIRN_INVALID, "%s has no variant '%s' on %s", cairn_op_name(op),
                        options->variant, cairn_device_info(device)->name);
        goto out;
    }
    TRY(verdict(&before, result));
out:
    return st;
}

cairn_status cairn_check_line(struct cairn_device *device, struct cairn_device *against,
                              const char *line, const struct cairn_check_options *options,
                              struct cairn_check_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_check_result before = *result;
    struct check_session session = {device, against, options, result};
    struct check_case c;
    int ran;
    TRY(check_case_parse(line, &c));
    TRY(run_case(&session, &c, &ran));
    if (!ran) {
        st = cairn_fail(CAIRN_INVALID, "%s: %s has no variant '%s' for this problem", line,
                        cairn_device_info(device)->name, c.variant);
        goto out;
    }
    TRY(verdict(&before, result));
out:
    return st;
}

int cairn_check_draw(enum cairn_op op, uint64_t seed, int64_t number, int small, char *text,
                     size_t size)
{
    struct check_case c;
    check_case_draw(op, seed, number, small, &c);
    return check_case_print(&c, text, size);
}

cairn_status cairn_check_line_op(const char *line, enum cairn_op *op)
{
    struct check_case c;
    cairn_status st = check_case_parse(line, &c);
    *op = c.problem.op;
    return st;
}
