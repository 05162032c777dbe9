/* cairn_report_evaluate(): in order, what may go wrong early; the evaluation; the files. */
#include "base/error.h"
#include "base/file.h"
#include "io/png.h"
#include "report/answers.h"
#include "report/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The paths that a report may write: confusion.csv, confusion.png, mistakes.csv, a strip of each
 * class. NULL: not asked for. */
enum { CONFUSION_TABLE, CONFUSION_MAP, MISTAKES, FIRST_STRIP };

struct places {
    char **paths;
    int count;
};

static cairn_status check_options(const struct cairn_report_options *o)
{
    if (o->mistakes < 0 || o->mistakes > CAIRN_REPORT_MOST)
        return cairn_fail(CAIRN_INVALID, "%lld mistakes of each class: 1 to %d can be asked for",
                          (long long)o->mistakes, CAIRN_REPORT_MOST);
    if (o->out && !o->confusion && o->mistakes == 0)
        return cairn_fail(CAIRN_INVALID,
                          "nothing is to be written to %s: ask for the confusion matrix or for "
                          "mistakes",
                          o->out);
    if (o->out) return cairn_png_ready();
    return CAIRN_OK;
}

static cairn_status check_strips(const struct cairn_report_options *o,
                                 const struct cairn_trained *t)
{
    int64_t h, w;
    cairn_answers_strip_size(t, o->mistakes, &h, &w);
    if (h <= CAIRN_PNG_LONGEST && w <= CAIRN_PNG_LONGEST) return CAIRN_OK;
    return cairn_fail(CAIRN_INVALID,
                      "%lld mistakes of a class as pictures may be %lldx%lld pixels; at most %dx%d "
                      "are drawn: ask for fewer",
                      (long long)o->mistakes, (long long)h, (long long)w, CAIRN_PNG_LONGEST,
                      CAIRN_PNG_LONGEST);
}

static cairn_status name_places(const struct cairn_report_options *o, const struct cairn_trained *t,
                                struct places *places)
{
    int strips = o->mistakes > 0 ? t->data.classes : 0;
    places->count = FIRST_STRIP + strips;
    places->paths = calloc((size_t)places->count, sizeof *places->paths);
    if (!places->paths) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (int i = 0; i < places->count; i++) {
        char *strip = i < FIRST_STRIP
                          ? NULL
                          : cairn_answers_strip_name(
                                i - FIRST_STRIP,
                                t->data.class_names ? t->data.class_names[i - FIRST_STRIP] : NULL);
        const char *name = i == CONFUSION_TABLE ? "confusion.csv"
                           : i == CONFUSION_MAP ? "confusion.png"
                           : i == MISTAKES      ? "mistakes.csv"
                                                : strip;
        if ((i < MISTAKES ? o->confusion : o->mistakes > 0) && name)
            places->paths[i] = cairn_file_join(o->out, name);
        free(strip);
        if ((i < MISTAKES ? o->confusion : o->mistakes > 0) && !places->paths[i])
            return cairn_fail(CAIRN_MEMORY, "out of memory");
    }
    return CAIRN_OK;
}

static cairn_status check_places(const struct cairn_report_options *o, const struct places *places)
{
    cairn_status st = CAIRN_OK;
    if (!cairn_file_exists(o->out)) return CAIRN_OK;
    for (int i = 0; i < places->count; i++)
        if (places->paths[i]) TRY(cairn_place_check(places->paths[i], o->force));
out:
    return st;
}

static cairn_status write_one(int which, const char *path, const struct cairn_trained *t,
                              const struct cairn_report *report)
{
    switch (which) {
    case CONFUSION_TABLE:
        return cairn_answers_write_confusion(path, report);
    case CONFUSION_MAP:
        return cairn_answers_draw_confusion(path, report);
    case MISTAKES:
        return cairn_answers_write_mistakes(path, report);
    default:
        return cairn_answers_draw_strip(path, t, &report->classes[which - FIRST_STRIP]);
    }
}

/* Moves the paths of what is written to the report. The strip of a class without mistakes is none,
 * and an old one would tell of another evaluation. */
static cairn_status write_all(struct places *places, const struct cairn_trained *t,
                              struct cairn_report *report)
{
    cairn_status st = CAIRN_OK;
    report->files = calloc((size_t)places->count, sizeof *report->files);
    if (!report->files) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (int i = 0; i < places->count; i++) {
        if (!places->paths[i]) continue;
        if (i >= FIRST_STRIP && report->classes[i - FIRST_STRIP].count == 0) {
            unlink(places->paths[i]);
            continue;
        }
        TRY(write_one(i, places->paths[i], t, report));
        report->files[report->file_count++] = places->paths[i];
        places->paths[i] = NULL;
    }
out:
    return st;
}

static enum cairn_part part_of(enum cairn_report_part part)
{
    return part == CAIRN_REPORT_TEST         ? CAIRN_PART_TEST
           : part == CAIRN_REPORT_VALIDATION ? CAIRN_PART_VALIDATION
                                             : CAIRN_PART_TRAIN;
}

cairn_status cairn_report_evaluate(const struct cairn_report_options *options,
                                   struct cairn_report *report)
{
    cairn_status st = CAIRN_OK;
    struct cairn_trained trained = {0};
    struct places places = {0};
    memset(report, 0, sizeof *report);
    TRY(check_options(options));
    TRY(cairn_trained_read(&trained, options->run, options->last, &options->compute,
                           options->part == CAIRN_REPORT_TEST ? CAIRN_DATASET_TEST
                                                              : CAIRN_DATASET_TRAIN));
    if (options->out) {
        TRY(name_places(options, &trained, &places));
        TRY(check_places(options, &places));
        TRY(check_strips(options, &trained));
    }
    TRY(cairn_trained_choose(&trained, part_of(options->part)));
    TRY(cairn_trained_open(&trained, &options->compute));
    if (options->out) TRY(cairn_place_make(options->out));
    TRY(cairn_trained_measure(&trained, &report->eval));
    TRY(cairn_answers_count(&trained, options->mistakes, report));
    if (options->out) TRY(write_all(&places, &trained, report));
out:
    for (int i = 0; i < places.count && places.paths; i++) free(places.paths[i]);
    free(places.paths);
    cairn_trained_close(&trained);
    if (st != CAIRN_OK) cairn_report_free(report);
    return st;
}

void cairn_report_free(struct cairn_report *report)
{
    for (int c = 0; c < report->eval.classes && report->classes; c++) {
        free(report->classes[c].name);
        free(report->classes[c].mistakes);
    }
    free(report->classes);
    for (int i = 0; i < report->file_count; i++) free(report->files[i]);
    free(report->files);
    cairn_eval_result_free(&report->eval);
    memset(report, 0, sizeof *report);
}
