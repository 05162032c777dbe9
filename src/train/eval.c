/* Evaluating a run's weights on the test images. */
#include "base/error.h"
#include "train/trained.h"

#include <stdlib.h>
#include <string.h>

cairn_status cairn_eval(const struct cairn_eval_options *options, struct cairn_eval_result *result)
{
    cairn_status st = CAIRN_OK;
    struct cairn_trained trained = {0};
    memset(result, 0, sizeof *result);
    TRY(cairn_trained_read(&trained, options->run, options->last, &options->compute,
                           CAIRN_DATASET_TEST));
    TRY(cairn_trained_open(&trained, &options->compute));
    TRY(cairn_trained_measure(&trained, result));
out:
    cairn_trained_close(&trained);
    return st;
}

void cairn_eval_result_free(struct cairn_eval_result *result)
{
    free(result->confusion);
    memset(result, 0, sizeof *result);
}
