/* The doctor's rounds: probe, operators, gradients, trainings. */
#include "compare/doctor.h"

#include "base/error.h"
#include "device/failures.h"

#include <cairn/check.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *cairn_doctor_kind_name(enum cairn_doctor_kind kind)
{
    static const char *const names[] = {
#define NAME(name) #name,
        CAIRN_DOCTOR_KINDS(NAME)
#undef NAME
    };
    return names[kind];
}

cairn_status cairn_doctor_record(const struct cairn_device_info *info, const char *what,
                                 const char *how)
{
    return cairn_failures_record(info, what, how);
}

cairn_status cairn_doctor_forget(const struct cairn_device_info *info, const char *what)
{
    return cairn_failures_forget(info, what);
}

cairn_status cairn_doctor_remembered(const struct cairn_device_info *info,
                                     void (*each)(void *context, const char *what, const char *how),
                                     void *context)
{
    cairn_status st = CAIRN_OK;
    struct cairn_failures failures;
    TRY(cairn_failures_read(info, &failures));
    for (int i = 0; i < failures.count; i++)
        each(context, failures.items[i].what, failures.items[i].how);
    cairn_failures_free(&failures);
out:
    return st;
}

void doctor_tell(const struct cairn_doctor_options *options, struct cairn_doctor_event event)
{
    if (!event.what) event.what = "";
    if (!event.how) event.how = "";
    if (!event.detail) event.detail = "";
    if (options->event) options->event(options->context, &event);
}

cairn_status doctor_stopped(const struct cairn_doctor_options *options)
{
    return options->stop && *options->stop ? cairn_fail(CAIRN_INTERRUPTED, "interrupted")
                                           : CAIRN_OK;
}

/* One variant of the operator at hand. */
struct way {
    char name[16], line[1024], detail[1024];
    int bad, differs, skipped; /* differs: bad, and it came back to say so */
};

struct rounds {
    const struct cairn_doctor_options *options;
    struct cairn_device_info info;
    struct cairn_device *device, *against;
    enum cairn_op op;
    struct way ways[2 * CAIRN_MAX_VARIANTS], *last; /* of the operator; last: begun last */
    int way_count, begun;                           /* begun: runs of the case at hand */
};

static int is_skipped(const struct rounds *r, const char *variant)
{
    char name[64];
    snprintf(name, sizeof name, "%s=%s", cairn_op_name(r->op), variant);
    for (int i = 0; i < r->options->skip_count; i++)
        if (!strcmp(r->options->skips[i], name)) return 1;
    return 0;
}

static struct way *way_of(struct rounds *r, const char *variant)
{
    for (int i = 0; i < r->way_count; i++)
        if (!strcmp(r->ways[i].name, variant)) return &r->ways[i];
    if (r->way_count == (int)(sizeof r->ways / sizeof *r->ways)) return NULL;
    struct way *way = &r->ways[r->way_count++];
    memset(way, 0, sizeof *way);
    snprintf(way->name, sizeof way->name, "%s", variant);
    way->skipped = is_skipped(r, variant);
    return way;
}

static void name_way(const struct rounds *r, const struct way *way, char *what, size_t size)
{
    snprintf(what, size, "variant %s %s", cairn_op_name(r->op), way->name);
}

/* A variant that failed once is not run again. */
static int begin(void *context, enum cairn_op op, const char *variant, const char *line)
{
    struct rounds *r = context;
    struct way *way = way_of(r, variant);
    char what[96];
    (void)op;
    if (!way || way->bad || way->skipped) return 0;
    r->last = way;
    r->begun++;
    snprintf(way->line, sizeof way->line, "%s", line);
    name_way(r, way, what, sizeof what);
    doctor_tell(r->options,
                (struct cairn_doctor_event){.kind = CAIRN_DOCTOR_at, .what = what, .how = line});
    return 1;
}

static void failure(void *context, const struct cairn_check_failure *f)
{
    struct rounds *r = context;
    struct way *way = r->last;
    if (!way || way->bad) return;
    way->bad = way->differs = 1;
    snprintf(way->line, sizeof way->line, "%s", f->line);
    snprintf(way->detail, sizeof way->detail,
             "%s: %s[%lld] is 0x%08x, should be 0x%08x; %lld differ", f->where, f->operand,
             (long long)f->index, f->got, f->want, (long long)f->different);
}

static cairn_status reopen(struct rounds *r)
{
    struct cairn_device_options options = {.unchecked = 1};
    cairn_device_close(r->device);
    r->device = NULL;
    return cairn_device_open(r->info.spec, &options, &r->device);
}

/* What a failure that is no difference means: memory that this case asks for is nobody's fault. */
static cairn_status take_error(struct rounds *r, cairn_status failed)
{
    cairn_status st = CAIRN_OK;
    if (failed == CAIRN_MEMORY) return CAIRN_OK;
    if (!r->last || r->last->bad) return failed;
    r->last->bad = 1;
    const char *error = cairn_error();
    size_t line = strlen(r->last->line);
    if (line && !strncmp(error, r->last->line, line) && !strncmp(error + line, ": ", 2))
        error += line + 2; /* told beside it */
    snprintf(r->last->detail, sizeof r->last->detail, "%s", error);
    if (failed == CAIRN_DEVICE) TRY(reopen(r));
out:
    return st;
}

static void tell_device(struct rounds *r, const char *how, const char *detail)
{
    doctor_tell(r->options, (struct cairn_doctor_event){
                                .kind = CAIRN_DOCTOR_bad, "device", how, detail, 0, 0, 0, 0, 0});
}

/* One case by all variants that have not failed; again while one of them ends it early. */
static cairn_status run_case(struct rounds *r, const char *line, struct cairn_check_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_check_options options = {.begin = begin, .failure = failure, .context = r};
    for (int again = 1; again;) {
        struct cairn_check_result before = *result;
        TRY(doctor_stopped(r->options));
        r->begun = again = 0;
        r->last = NULL;
        st = cairn_check_line(r->device, r->against, line, &options, result);
        if (r->begun == 0 && st == CAIRN_INVALID) { /* none is left */
            st = CAIRN_OK;
            for (int i = 0; i < r->way_count; i++)
                if (r->ways[i].bad) goto out;
        } else if (st != CAIRN_OK && st != CAIRN_DIFFERENT) {
            *result = before;
            again = st != CAIRN_MEMORY;
            TRY(take_error(r, st));
        }
        st = CAIRN_OK;
    }
out:
    return st;
}

/* Whether a problem is left without a variant that is sound. */
static int is_left_alone(struct rounds *r, const char *line)
{
    struct cairn_problem problem;
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    const char *rest;
    if (cairn_problem_parse(line, &problem, &rest) != CAIRN_OK) return 0;
    int count = cairn_device_variants(r->device, &problem, variants);
    for (int i = 0; i < count; i++) {
        const struct way *way = way_of(r, variants[i].name);
        if (way && !way->bad && !way->skipped) return 0;
    }
    return count > 0;
}

/* The variants that failed, each with its case made small. One that crashed or did not compile is
 * not run again. */
static cairn_status tell_ways(struct rounds *r)
{
    cairn_status st = CAIRN_OK;
    for (int i = 0; i < r->way_count; i++) {
        struct way *way = &r->ways[i];
        char what[96], small[1024];
        name_way(r, way, what, sizeof what);
        if (way->skipped) continue;
        if (!way->bad) {
            TRY(cairn_failures_forget(&r->info, what));
            continue;
        }
        doctor_tell(r->options, (struct cairn_doctor_event){
                                    .kind = CAIRN_DOCTOR_at, .what = what, .how = way->line});
        if (way->differs &&
            cairn_check_shrink(r->device, r->against, way->line, small, sizeof small) == CAIRN_OK)
            memcpy(way->line, small, sizeof way->line);
        TRY(cairn_failures_record(&r->info, what, way->line));
        doctor_tell(r->options, (struct cairn_doctor_event){.kind = CAIRN_DOCTOR_bad,
                                                            .what = what,
                                                            .how = way->line,
                                                            .detail = way->detail});
    }
out:
    return st;
}

static cairn_status check_operator(struct rounds *r)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_doctor_options *o = r->options;
    struct cairn_check_result result = {0};
    char line[1024];
    int64_t cases = o->cases ? o->cases : 100;
    r->way_count = 0;
    for (int64_t i = 0; i < cases; i++) {
        cairn_check_draw(r->op, o->seed, i, o->small, line, sizeof line);
        TRY(run_case(r, line, &result));
    }
    TRY(tell_ways(r));
    doctor_tell(o, (struct cairn_doctor_event){.kind = CAIRN_DOCTOR_check,
                                               .what = cairn_op_name(r->op),
                                               .cases = result.cases,
                                               .runs = result.runs,
                                               .values = result.values,
                                               .different = result.different});
    for (int64_t i = 0; i < cases; i++) {
        char how[1200];
        cairn_check_draw(r->op, o->seed, i, o->small, line, sizeof line);
        if (!is_left_alone(r, line)) continue;
        snprintf(how, sizeof how, "no variant of %s is sound: %s", cairn_op_name(r->op), line);
        tell_device(r, how, "");
        break;
    }
out:
    return st;
}

/* The probe's word; *fit where it lets the device in. */
static cairn_status probe(struct rounds *r, int *fit)
{
    cairn_status st = CAIRN_OK;
    doctor_tell(r->options, (struct cairn_doctor_event){
                                .kind = CAIRN_DOCTOR_at, .what = "device", .how = "the probe"});
    TRY(cairn_device_probe(r->options->device, &r->info));
    *fit = r->info.exact;
    doctor_tell(r->options, (struct cairn_doctor_event){.kind = CAIRN_DOCTOR_probe,
                                                        .how = r->info.probe_note,
                                                        .good = r->info.exact});
out:
    return st;
}

static cairn_status run_rounds(struct rounds *r)
{
    cairn_status st = CAIRN_OK;
    int fit = 0;
    TRY(probe(r, &fit));
    if (!fit) goto out;
    TRY(cairn_device_open("reference", NULL, &r->against));
    TRY(reopen(r));
    for (int op = 0; op < CAIRN_OP_COUNT; op++) {
        r->op = (enum cairn_op)op;
        TRY(check_operator(r));
    }
    cairn_device_close(r->device);
    r->device = NULL;
    /* What is left to do opens the device as a training does, with what has just been recorded. */
    TRY(cairn_failures_forget(&r->info, "device"));
    TRY(doctor_nets(r->options, r->info.spec));
out:
    return st;
}

cairn_status cairn_doctor(const struct cairn_doctor_options *options)
{
    cairn_status st = CAIRN_OK;
    struct rounds *r = calloc(1, sizeof *r);
    if (!r) return cairn_fail(CAIRN_MEMORY, "out of memory");
    r->options = options;
    TRY(run_rounds(r));
    doctor_tell(options, (struct cairn_doctor_event){.kind = CAIRN_DOCTOR_end});
out:
    cairn_device_close(r->device);
    cairn_device_close(r->against);
    free(r);
    return st;
}
