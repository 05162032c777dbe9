/* Loss and accuracy over a training as an SVG file: text, sharp at every size. */
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "report/metrics.h"
#include "report/place.h"
#include "train/trained.h"
#include <cairn/report.h>

#include <string.h>

#define GAP 20 /* between the charts */

static cairn_status draw(const char *path, const struct cairn_metrics *metrics)
{
    cairn_status st = CAIRN_OK;
    struct cairn_file_writer writer;
    TRY(cairn_file_open(&writer, path));
    locale_t before = cairn_text_begin_plain();
    cairn_chart_begin_file(writer.file, 2 * CAIRN_CHART_LINES_HEIGHT + GAP, "Loss and accuracy");
    st = cairn_metrics_draw(writer.file, metrics, CAIRN_METRIC_LOSS, "loss");
    cairn_chart_move(writer.file, CAIRN_CHART_LINES_HEIGHT + GAP);
    if (st == CAIRN_OK)
        st = cairn_metrics_draw(writer.file, metrics, CAIRN_METRIC_ACCURACY, "accuracy");
    cairn_chart_end_file(writer.file);
    cairn_text_end_plain(before);
    if (st == CAIRN_OK) return cairn_file_close(&writer, 1);
    cairn_file_close(&writer, 0);
out:
    return st;
}

cairn_status cairn_inspect_curves(const struct cairn_inspect_options *options,
                                  struct cairn_inspect_curves *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_recipe recipe = {0};
    struct cairn_metrics metrics = {0};
    const char *out = options->out ? options->out : "curves.svg", *dot = strrchr(out, '.');
    memset(result, 0, sizeof *result);
    if (strlen(out) >= sizeof result->file)
        return cairn_fail(CAIRN_INVALID, "the file's name is longer than %zu bytes",
                          sizeof result->file - 1);
    if (dot && !strcmp(dot, ".png"))
        return cairn_fail(CAIRN_INVALID, "%s: curves are drawn as SVG: give a name like curves.svg",
                          out);
    strcpy(result->file, out);
    TRY(cairn_trained_recipe(options->run, &recipe));
    result->by_steps = recipe.train.evaluate_steps > 0;
    TRY(cairn_metrics_read(options->run, result->by_steps, &metrics));
    TRY(cairn_place_check(out, options->force));
    TRY(draw(out, &metrics));
    result->points = metrics.count;
    result->validation = cairn_metrics_has(&metrics, CAIRN_METRIC_LOSS + 1) ||
                         cairn_metrics_has(&metrics, CAIRN_METRIC_ACCURACY + 1);
    result->test = cairn_metrics_has(&metrics, CAIRN_METRIC_LOSS + 2) ||
                   cairn_metrics_has(&metrics, CAIRN_METRIC_ACCURACY + 2);
out:
    cairn_metrics_free(&metrics);
    cairn_recipe_free(&recipe);
    return st;
}
