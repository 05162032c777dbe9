#include "train/report.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *cairn_report_math(enum cairn_math math)
{
    return math == CAIRN_MATH_FAST ? "fast" : "exact";
}

cairn_status cairn_report_same_recipe(const struct cairn_folder *folder, const char *resolved)
{
    cairn_status st = CAIRN_OK;
    char *text = NULL;
    TRY(cairn_folder_read(folder, "recipe.yaml", &text));
    const char *there = text, *here = resolved;
    for (int line = 1; *there || *here; line++) {
        int a = (int)strcspn(there, "\n"), b = (int)strcspn(here, "\n");
        if (a != b || strncmp(there, here, (size_t)a) != 0) {
            st = cairn_fail(CAIRN_INVALID,
                            "%s was trained with another recipe: its recipe.yaml has in line %d "
                            "'%.*s', but now it is "
                            "'%.*s'",
                            folder->path, line, a, there, b, here);
            goto out;
        }
        there += there[a] ? a + 1 : a;
        here += here[b] ? b + 1 : b;
    }
out:
    free(text);
    return st;
}

cairn_status cairn_report_cut_metrics(const struct cairn_folder *folder, int64_t epochs,
                                      char **metrics)
{
    cairn_status st = CAIRN_OK;
    char *text = NULL;
    *metrics = NULL;
    if (epochs == 0) return CAIRN_OK;
    TRY(cairn_folder_read(folder, "metrics.jsonl", &text));
    char *p = text;
    for (int64_t line = 0; line < epochs; line++) {
        char *end = strchr(p, '\n');
        if (!end) {
            st = cairn_fail(CAIRN_FORMAT,
                            "%s/metrics.jsonl has %lld lines, but the checkpoint knows %lld epochs",
                            folder->path, (long long)line, (long long)epochs);
            goto out;
        }
        p = end + 1;
    }
    *p = '\0';
    *metrics = text;
    text = NULL;
out:
    free(text);
    return st;
}

/* JSON has no NaN and no infinity. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

#define JSON_STYLE (JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9))

static json_t *single(float value)
{
    char text[32];
    cairn_text_print_float(text, sizeof text, value);
    return number(strtod(text, NULL));
}

cairn_status cairn_report_add_metrics(char **metrics, const struct cairn_train_event *event,
                                      int64_t step, float learning_rate)
{
    cairn_status st = CAIRN_OK;
    char *line = NULL;
    size_t old = *metrics ? strlen(*metrics) : 0;
    json_t *object = json_pack(
        "{s:I s:I s:o s:o s:o s:o s:o s:o s:o}", "epoch", (json_int_t)event->epoch, "step",
        (json_int_t)step, "train_loss", number(event->train_loss), "train_accuracy",
        number(event->train_accuracy), "validation_loss", number(event->validation_loss),
        "validation_accuracy", number(event->validation_accuracy), "learning_rate",
        single(learning_rate), "seconds", number(event->seconds), "samples_per_second",
        number(event->samples_per_second));
    if (object) line = json_dumps(object, JSON_STYLE | JSON_COMPACT);
    char *grown = line ? realloc(*metrics, old + strlen(line) + 2) : NULL;
    if (!grown) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    *metrics = grown;
    sprintf(grown + old, "%s\n", line);
out:
    free(line);
    json_decref(object);
    return st;
}

/* Appends the confusion matrix, a line for each label, to the text of a JSON object; from malloc.
 */
static char *with_confusion(const char *object, const int64_t *values, int64_t classes)
{
    size_t room = strlen(object) + (size_t)(classes * classes) * 24 + (size_t)classes * 8 + 64;
    char *text = malloc(room);
    if (!text) return NULL;
    size_t n =
        (size_t)snprintf(text, room, "%.*s,\n  \"confusion\": [", (int)strlen(object) - 2, object);
    for (int64_t i = 0; i < classes; i++) {
        n += (size_t)snprintf(text + n, room - n, "%s\n    [", i ? "," : "");
        for (int64_t j = 0; j < classes; j++)
            n += (size_t)snprintf(text + n, room - n, "%s%lld", j ? ", " : "",
                                  (long long)values[i * classes + j]);
        n += (size_t)snprintf(text + n, room - n, "]");
    }
    snprintf(text + n, room - n, "\n  ]\n}\n");
    return text;
}

cairn_status cairn_report_summary(const struct cairn_folder *folder,
                                  const struct cairn_recipe *recipe,
                                  const struct cairn_state *state,
                                  const struct cairn_device_info *info,
                                  const struct cairn_train_result *result, const int64_t *confusion,
                                  int64_t classes)
{
    cairn_status st = CAIRN_OK;
    char *text = NULL, *whole = NULL;
    json_t *object = json_pack(
        "{s:s s:o s:o s:I s:I s:I s:I s:I s:I s:s s:s s:o s:s s:s s:s s:s s:s s:s s:{s:s s:i}}",
        "data", recipe->data.name, "test_loss", number(result->test_loss), "test_accuracy",
        number(result->test_accuracy), "best_epoch", (json_int_t)state->best_epoch, "epochs",
        (json_int_t)state->epoch, "steps", (json_int_t)state->step, "train_images",
        (json_int_t)state->train_images, "validation_images", (json_int_t)state->validation_images,
        "test_images", (json_int_t)state->test_images, "weights_sha256", result->weights_sha256,
        "best_weights_sha256", result->best_weights_sha256, "samples_per_second",
        number(result->samples_per_second), "device", info->name, "device_type", info->type,
        "platform", info->platform, "driver", info->driver, "opencl", info->version, "math",
        state->math, "versions", "cairn", CAIRN_VERSION, "arithmetic", 1);
    if (object) text = json_dumps(object, JSON_STYLE | JSON_INDENT(2));
    if (text) whole = with_confusion(text, confusion, classes);
    if (!whole) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory (or a device's name that is no UTF-8)");
        goto out;
    }
    TRY(cairn_folder_write(folder, "summary.json", whole));
out:
    free(text);
    free(whole);
    json_decref(object);
    return st;
}
