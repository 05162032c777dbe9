#include "report/inspect.h"

#include "base/error.h"
#include "io/png.h"
#include "report/place.h"
#include <stdio.h>
#include <string.h>

cairn_status cairn_inspect_place(const struct cairn_inspect_options *options, const char *kind,
                                 struct cairn_inspect_result *result)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_png_ready());
    if (options->out && strlen(options->out) >= sizeof result->file)
        return cairn_fail(CAIRN_INVALID, "the file's name is longer than %zu bytes",
                          sizeof result->file - 1);
    if (options->out)
        strcpy(result->file, options->out);
    else
        snprintf(result->file, sizeof result->file, "%s-%lld.png", kind, (long long)result->layer);
    TRY(cairn_place_check(result->file, options->force));
out:
    return st;
}

cairn_status cairn_inspect_check_layer(const struct cairn_inspect_options *options,
                                       const struct cairn_model *model)
{
    if (options->layer < -1 || options->layer >= model->node_count)
        return cairn_fail(CAIRN_INVALID,
                          "there is no layer %lld: the model of %s has the layers 0 to %d",
                          (long long)options->layer, options->run, model->node_count - 1);
    return CAIRN_OK;
}
