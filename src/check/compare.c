/* Comparing what came back: results, gaps, guards, inputs, and a second run with the first. */
#include "check/check.h"

#include <float.h>
#include <math.h>
#include <string.h>

static uint32_t bits_at(const struct check_image *image, const void *data, int64_t index)
{
    uint32_t bits;
    if (image->element == 1) return ((const unsigned char *)data)[index];
    memcpy(&bits, (const unsigned char *)data + 4 * index, 4);
    return bits;
}

/* Collects the differences of one operand; the first one is told. */
struct finding {
    struct check_report *report;
    struct cairn_check_failure failure;
};

static void begin(struct finding *finding, struct check_report *report,
                  const struct check_image *image)
{
    memset(finding, 0, sizeof *finding);
    finding->report = report;
    finding->failure.line = report->line;
    finding->failure.device = report->device;
    finding->failure.operand = image ? image->operand->name : "work";
    finding->failure.is_float = !image || image->operand->dtype == CAIRN_F32;
}

static void note(struct finding *finding, const char *where, int64_t index, uint32_t got,
                 uint32_t want, double bound)
{
    struct cairn_check_failure *f = &finding->failure;
    if (f->different++) return;
    f->where = where;
    f->index = index;
    f->got = got;
    f->want = want;
    f->bound = bound;
}

static void finish(struct finding *finding)
{
    struct check_report *report = finding->report;
    if (!finding->failure.different) return;
    report->different += finding->failure.different;
    report->result->different += finding->failure.different;
    if (report->options->failure)
        report->options->failure(report->options->context, &finding->failure);
}

/* The difference that `fast` allows; remembers how much of the bound is used. Where the bound
 * reaches beyond the largest float, an intermediate result may have overflowed. */
static int within(struct cairn_check_result *result, uint32_t got, uint32_t want, double bound)
{
    if (isinf(bound) || fabs((double)check_as_float(want)) + bound > (double)FLT_MAX) return 1;
    double difference = fabs((double)check_as_float(got) - (double)check_as_float(want));
    if (!(difference <= bound)) return 0;
    if (difference > 0 && difference / bound > result->worst) result->worst = difference / bound;
    return 1;
}

static void compare_output(struct check_report *report, const struct check_image *image,
                           const struct check_image *got_image, const double *bound)
{
    struct finding finding;
    begin(&finding, report, image);
    int fresh = image == got_image && image->operand->role == CAIRN_OUT;
    report->result->values += image->extent;
    for (int64_t i = 0; i < image->extent; i++) {
        uint32_t want = bits_at(image, image->want, image->lead + i);
        uint32_t got = bits_at(got_image, got_image->got, got_image->lead + i);
        if (got == want) continue;
        if (fresh && want == image->canary)
            note(&finding, "untouched", i, got, want, 0);
        else if (fresh && got == image->canary)
            note(&finding, "unwritten", i, got, want, 0);
        else if (finding.failure.is_float && check_is_nan(got) && check_is_nan(want))
            continue;
        else if (finding.failure.is_float && bound && within(report->result, got, want, bound[i]))
            continue;
        else if (!finding.failure.is_float && bound && isinf(bound[i]))
            continue;
        else
            note(&finding, "result", i, got, want, bound ? bound[i] : 0);
    }
    finish(&finding);
}

void check_compare(struct check_report *report, const struct check_image *images,
                   double *const *bounds)
{
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) {
        if (!images[i].operand || images[i].operand->role == CAIRN_IN) continue;
        int root = images[i].shared >= 0 ? images[i].shared : i;
        compare_output(report, &images[i], &images[root], bounds[i]);
    }
}

/* A device repeats itself bit for bit, NaN payloads aside. */
void check_compare_again(struct check_report *report, const struct check_image *images)
{
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) {
        const struct check_image *image = &images[i];
        struct finding finding;
        if (!image->operand || image->shared >= 0) continue;
        begin(&finding, report, image);
        for (int64_t j = 0; j < image->total; j++) {
            uint32_t first = bits_at(image, image->got, j),
                     second = bits_at(image, image->again, j);
            if (first == second) continue;
            if (finding.failure.is_float && check_is_nan(first) && check_is_nan(second)) continue;
            note(&finding, "second run", j - image->lead, second, first, 0);
        }
        finish(&finding);
    }
}

static int is_overwritten(const struct check_image *images, int number)
{
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++)
        if (images[i].operand && images[i].shared == number) return 1;
    return images[number].operand->role != CAIRN_IN;
}

void check_untouched(struct check_report *report, const struct check_image *images,
                     enum check_side side)
{
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) {
        const struct check_image *image = &images[i];
        struct finding finding;
        if (!image->operand || (side != CHECK_WANT && image->shared >= 0)) continue;
        begin(&finding, report, image);
        const void *data = side == CHECK_WANT  ? image->want
                           : side == CHECK_GOT ? image->got
                                               : image->again;
        int written =
            side == CHECK_WANT ? image->operand->role != CAIRN_IN : is_overwritten(images, i);
        for (int64_t j = 0; j < image->total; j++) {
            int inside = j >= image->lead && j < image->lead + image->extent;
            if (inside && written) continue;
            uint32_t got = bits_at(image, data, j), want = bits_at(image, image->initial, j);
            if (got != want)
                note(&finding, inside ? "input" : "guard", j - image->lead, got, want, 0);
        }
        finish(&finding);
    }
}

void check_work(struct check_report *report, const struct check_break *broken)
{
    struct finding finding;
    if (!broken->broken) return;
    begin(&finding, report, NULL);
    note(&finding, "guard", broken->index, broken->got, broken->want, 0);
    finding.failure.different = broken->different;
    finish(&finding);
}
