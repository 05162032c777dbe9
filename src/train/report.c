#include "train/report.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
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

cairn_status cairn_report_cut_metrics(const struct cairn_folder *folder, int64_t count,
                                      char **metrics)
{
    cairn_status st = CAIRN_OK;
    char *text = NULL;
    *metrics = NULL;
    if (count == 0) return CAIRN_OK;
    TRY(cairn_folder_read(folder, "metrics.jsonl", &text));
    char *p = text;
    for (int64_t line = 0; line < count; line++) {
        char *end = strchr(p, '\n');
        if (!end) {
            st = cairn_fail(CAIRN_FORMAT,
                            "%s/metrics.jsonl has %lld lines, but the checkpoint knows %lld "
                            "evaluations",
                            folder->path, (long long)line, (long long)count);
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
    double shortest = 0;
    cairn_text_print_float(text, sizeof text, value);
    return number(cairn_text_double(text, &shortest) == CAIRN_OK ? shortest : (double)value);
}

cairn_status cairn_report_add_metrics(char **metrics, const struct cairn_train_event *event,
                                      int test)
{
    cairn_status st = CAIRN_OK;
    char *line = NULL;
    size_t old = *metrics ? strlen(*metrics) : 0;
    json_t *object = json_pack(
        "{s:I s:I s:o s:o s:o s:o}", "epoch", (json_int_t)event->epoch, "step",
        (json_int_t)event->step, "train_loss", number(event->train_loss), "train_accuracy",
        number(event->train_accuracy), "validation_loss", number(event->validation_loss),
        "validation_accuracy", number(event->validation_accuracy));
    json_t *more = test ? json_pack("{s:o s:o}", "test_loss", number(event->test_loss),
                                    "test_accuracy", number(event->test_accuracy))
                        : json_object();
    json_t *rest =
        json_pack("{s:o s:o s:o}", "learning_rate", single(event->learning_rate), "seconds",
                  number(event->seconds), "samples_per_second", number(event->samples_per_second));
    if (object && more && rest && json_object_update(object, more) == 0 &&
        json_object_update(object, rest) == 0)
        line = cairn_json_text(object, JSON_STYLE | JSON_COMPACT);
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
    json_decref(more);
    json_decref(rest);
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
        "{s:s s:o s:o s:o s:o s:I s:I s:I s:I s:I s:I s:I s:s s:s s:o s:s s:s s:s s:s s:s s:s "
        "s:{s:s s:i}}",
        "data", recipe->data.name, "test_loss", number(result->test_loss), "test_accuracy",
        number(result->test_accuracy), "validation_loss", number(result->validation_loss),
        "validation_accuracy", number(result->validation_accuracy), "best_epoch",
        (json_int_t)result->best_epoch, "best_step", (json_int_t)result->best_step, "epochs",
        (json_int_t)result->epochs, "steps", (json_int_t)result->steps, "train_images",
        (json_int_t)state->train_images, "validation_images", (json_int_t)state->validation_images,
        "test_images", (json_int_t)state->test_images, "weights_sha256", result->weights_sha256,
        "best_weights_sha256", result->best_weights_sha256, "samples_per_second",
        number(result->samples_per_second), "device", info->name, "device_type", info->type,
        "platform", info->platform, "driver", info->driver, "opencl", info->version, "math",
        state->math, "versions", "cairn", CAIRN_VERSION, "arithmetic", 1);
    if (object) text = cairn_json_text(object, JSON_STYLE | JSON_INDENT(2));
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

/* --- cross-validation --- */

static double real_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static int64_t count_of(const json_t *object, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(object, key));
}

static void text_of(const json_t *object, const char *key, char *text, size_t size)
{
    const char *value = json_string_value(json_object_get(object, key));
    snprintf(text, size, "%s", value ? value : "");
}

cairn_status cairn_report_read_summary(const struct cairn_folder *folder,
                                       struct cairn_train_result *result)
{
    cairn_status st = CAIRN_OK;
    char *text = NULL;
    json_t *object = NULL;
    memset(result, 0, sizeof *result);
    TRY(cairn_folder_read(folder, "summary.json", &text));
    object = json_loads(text, 0, NULL);
    text_of(object, "weights_sha256", result->weights_sha256, sizeof result->weights_sha256);
    if (strlen(result->weights_sha256) != 64) {
        st = cairn_fail(CAIRN_FORMAT, "%s/summary.json is not a run's summary: remove it",
                        folder->path);
        goto out;
    }
    text_of(object, "best_weights_sha256", result->best_weights_sha256,
            sizeof result->best_weights_sha256);
    text_of(object, "device", result->device, sizeof result->device);
    text_of(object, "driver", result->driver, sizeof result->driver);
    result->epochs = count_of(object, "epochs");
    result->steps = count_of(object, "steps");
    result->best_epoch = count_of(object, "best_epoch");
    result->best_step = count_of(object, "best_step");
    result->test_images = count_of(object, "test_images");
    result->test_loss = real_of(object, "test_loss");
    result->test_accuracy = real_of(object, "test_accuracy");
    result->validation_loss = real_of(object, "validation_loss");
    result->validation_accuracy = real_of(object, "validation_accuracy");
    result->samples_per_second = real_of(object, "samples_per_second");
out:
    free(text);
    json_decref(object);
    return st;
}

static json_t *figure(struct cairn_train_figure value)
{
    return json_pack("{s:o s:o}", "mean", number(value.mean), "deviation", number(value.deviation));
}

cairn_status cairn_report_folds(const struct cairn_folder *folder,
                                const struct cairn_recipe *recipe,
                                const struct cairn_train_result *results,
                                const struct cairn_train_result *all)
{
    cairn_status st = CAIRN_OK;
    char *text = NULL;
    json_t *folds = json_array();
    for (int64_t i = 0; i < all->folds; i++) {
        const struct cairn_train_result *r = &results[i];
        json_array_append_new(
            folds,
            json_pack("{s:I s:o s:o s:o s:o s:I s:I s:I s:I s:s s:s}", "fold", (json_int_t)(i + 1),
                      "validation_loss", number(r->validation_loss), "validation_accuracy",
                      number(r->validation_accuracy), "test_loss", number(r->test_loss),
                      "test_accuracy", number(r->test_accuracy), "best_epoch",
                      (json_int_t)r->best_epoch, "best_step", (json_int_t)r->best_step, "epochs",
                      (json_int_t)r->epochs, "steps", (json_int_t)r->steps, "weights_sha256",
                      r->weights_sha256, "best_weights_sha256", r->best_weights_sha256));
    }
    json_t *object =
        json_pack("{s:s s:o s:o s:o s:o s:o s:I s:s s:s s:{s:s s:i}}", "data", recipe->data.name,
                  "folds", folds, "validation_loss", figure(all->fold_validation_loss),
                  "validation_accuracy", figure(all->fold_validation_accuracy), "test_loss",
                  figure(all->fold_test_loss), "test_accuracy", figure(all->fold_test_accuracy),
                  "test_images", (json_int_t)all->test_images, "device", all->device, "driver",
                  all->driver, "versions", "cairn", CAIRN_VERSION, "arithmetic", 1);
    if (object) text = cairn_json_text(object, JSON_STYLE | JSON_INDENT(2));
    char *whole = text ? realloc(text, strlen(text) + 2) : NULL;
    if (!whole) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory (or a device's name that is no UTF-8)");
        goto out;
    }
    text = strcat(whole, "\n");
    TRY(cairn_folder_write(folder, "summary.json", text));
out:
    free(text);
    json_decref(object);
    return st;
}
